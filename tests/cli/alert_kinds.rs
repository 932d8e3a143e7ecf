//! Alerts about what runs dry or ends by itself, and on encrypted ways, through the real program.

use std::fs;
use std::path::Path;

use hob::clock::Clock;
use hob::sandbox::{Budget, Options};
use serde_json::{Value, json};

use crate::alert_sinks::{HttpSink, MailSink, Received, TlsIdentity};
use crate::program::{EndedRun, hob};
use crate::stand_in::{StandIn, built_in};
use crate::stand_in_workspace::{ONCE, trigger, workspace};

/// Appends destinations to the hob.yaml in `folder`.
fn tell(folder: &Path, sink: &HttpSink) {
    let text = fs::read_to_string(folder.join("hob.yaml")).unwrap();
    let alerts = format!(
        "alerts:\n  gone_for: 1ms\n  to: {{ team: {{ webhook: {{ url: \"http://{}/\" }} }} }}\n",
        sink.address
    );
    fs::write(folder.join("hob.yaml"), text + &alerts).unwrap();
}

fn alerts(received: &[Received]) -> Vec<Value> {
    received.iter().flat_map(|sent| sent.body["alerts"].as_array().unwrap().clone()).collect()
}

#[test]
fn a_budget_that_is_almost_used_up_is_told_once() {
    let few = Budget::Limited { requests: 1000, interval_ms: 1000, daily: 20 };
    let stand_in = StandIn::with(built_in(), Options { budget: few, ..Options::default() });
    let hand = "name: hand\ntrigger: { manual: {} }\nactions:\n  - { do: contacts.search, with: { pageLimit: 1 } }\n";
    let folder = workspace(&stand_in, &[hand]);
    let (path, sink) = (folder.path(), HttpSink::start(200));
    let text = fs::read_to_string(path.join("hob.yaml")).unwrap();
    fs::write(path.join("hob.yaml"), text.replace("burst: 100000/1s", "burst: 100000/1s, daily: 20"))
        .unwrap();
    tell(path, &sink);
    trigger(path, "hand", &json!({}));
    hob(path, &ONCE).code(0);
    assert!(sink.received().is_empty(), "{:#?}", sink.received());
    for _ in 0..17 {
        trigger(path, "hand", &json!({}));
    }
    hob(path, &ONCE).code(0);
    hob(path, &ONCE).code(0);
    let told = alerts(&sink.received());
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((&told[0]["kind"], &told[0]["event"]), (&json!("budget"), &json!("opened")));
    assert_eq!(told[0]["connections"], json!(["highlevel"]));
    let summary = told[0]["summary"].as_str().unwrap();
    assert!(summary.contains(" of 20 requests of the day are left"), "{summary}");
}

#[test]
fn a_token_that_ends_is_told_until_it_is_renewed() {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    let (path, sink) = (folder.path(), HttpSink::start(200));
    let (base_url, location) =
        (stand_in.base_url("highlevel"), &stand_in.sandbox.settings("highlevel")["location"]);
    let text = format!(
        "connections:\n  studio:\n    connector: highlevel\n    location: {location}\n    base_url: {base_url}\n    \
         auth: {{ oauth: {{ client_id: app-1, client_secret: CANARY-secret, scopes: [contacts.readonly], redirect: 'http://127.0.0.1:1/' }} }}\n"
    );
    fs::write(path.join("hob.yaml"), text).unwrap();
    fs::create_dir(path.join("recipes")).unwrap();
    let quiet = "name: quiet\ntrigger: { manual: {} }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(path.join("recipes/quiet.yaml"), quiet).unwrap();
    tell(path, &sink);
    // A token for two days that nothing renews: a person must, within the seven days of which people are told.
    let token = |days: i64| {
        let ends = Clock::system().now() + chrono::TimeDelta::days(days);
        let token = json!({ "access_token": "CANARY-token", "refresh_token": null, "expires": ends, "lives": 864_000 });
        fs::create_dir_all(path.join("state/tokens")).unwrap();
        fs::write(path.join("state/tokens/studio.json"), token.to_string()).unwrap();
    };
    token(2);
    hob(path, &ONCE).code(0);
    hob(path, &ONCE).code(0);
    let told = alerts(&sink.received());
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((&told[0]["kind"], &told[0]["event"]), (&json!("token"), &json!("opened")));
    let summary = told[0]["summary"].as_str().unwrap();
    assert!(summary.starts_with("studio: its token ends at "), "{summary}");
    assert_eq!(told[0]["commands"], json!(["hob connect studio"]));
    token(30);
    // An end is told once it has been so for a while.
    crate::alert_sinks::until("the end", || {
        hob(path, &ONCE).code(0);
        Some(()).filter(|()| sink.received().len() > 1)
    });
    let told = alerts(&sink.received());
    assert_eq!((told.len(), &told[1]["event"], &told[1]["id"]), (2, &json!("recovered"), &told[0]["id"]));
    assert!(!told.iter().any(|alert| alert.to_string().contains("CANARY")), "{told:#?}");
}

#[test]
fn alerts_move_with_the_store_and_are_not_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, sink) = (folder.path(), HttpSink::start(200));
    fs::create_dir(path.join("recipes")).unwrap();
    let fails = "name: fails\ntrigger: { manual: {} }\nactions:\n  - { do: log, with: { message: \"{{ event.missing }}\" } }\n";
    fs::write(path.join("recipes/fails.yaml"), fails).unwrap();
    fs::write(path.join("hob.yaml"), "").unwrap();
    tell(path, &sink);
    trigger(path, "fails", &json!({}));
    hob(path, &ONCE).code(1);
    assert_eq!(alerts(&sink.received()).len(), 1);
    hob(path, &["store", "export", "all.jsonl"]).code(0);
    let text = fs::read_to_string(path.join("hob.yaml")).unwrap();
    fs::write(path.join("hob.yaml"), format!("store: sqlite:new/there.db\n{text}")).unwrap();
    hob(path, &["store", "import", "all.jsonl"]).code(0);
    let list = hob(path, &["alerts", "list", "--format", "json"]).code(0).json();
    assert!(list[0]["told"]["team"].is_string(), "{list:#}");
    hob(path, &ONCE);
    assert_eq!(alerts(&sink.received()).len(), 1, "nothing new");
    hob(path, &["runs", "skip", "--recipe", "fails", "--state", "failed"]).code(0);
    crate::alert_sinks::until("the end", || {
        hob(path, &ONCE);
        Some(()).filter(|()| sink.received().len() > 1)
    });
    assert_eq!(alerts(&sink.received())[1]["event"], "recovered");
}

/// A workspace that tells by e-mail, encrypted.
fn by_mail(mail: &MailSink, tls: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let port = mail.address.port();
    let text = format!(
        "alerts:\n  to:\n    mail: {{ email: {{ to: [ops@example.com], from: hob@example.com, server: 'localhost:{port}', tls: {tls}, username: someone, password: CANARY-smtp }} }}\n"
    );
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    folder
}

/// `hob alerts test`, which trusts only the certificates in `roots`.
fn test_alerts(folder: &Path, roots: &Path) -> EndedRun {
    let mut command = assert_cmd::Command::cargo_bin("hob").unwrap();
    command.env_clear().env("SSL_CERT_FILE", roots).current_dir(folder).args(["alerts", "test"]);
    let ended = command.output().unwrap();
    EndedRun {
        code: ended.status.code().unwrap_or(-1),
        output: String::from_utf8(ended.stdout).unwrap(),
        errors: String::from_utf8(ended.stderr).unwrap(),
    }
}

#[test]
fn e_mail_is_encrypted_before_the_password_is_told() {
    let (identity, other) = (TlsIdentity::new("localhost"), TlsIdentity::new("localhost"));
    for (mail, tls) in
        [(MailSink::with_starttls(&identity), "starttls"), (MailSink::with_tls(&identity), "implicit")]
    {
        let folder = by_mail(&mail, tls);
        let told = test_alerts(folder.path(), identity.root());
        assert_eq!(told.code, 0, "{tls}: {} {}", told.output, told.errors);
        let received = mail.until(1);
        assert_eq!(received[0].login, "\0someone\0CANARY-smtp");
        assert!(received[0].text.contains("Subject: hob "), "{received:?}");
        assert!(!mail.plain().contains("AUTH"), "{}", mail.plain());
        // Another authority than the one that is trusted.
        let refused = test_alerts(folder.path(), other.root());
        assert_eq!(refused.code, 1, "{tls}: {} {}", refused.output, refused.errors);
        assert!((refused.output + &refused.errors).contains("certificate"), "{tls}");
        assert_eq!(mail.until(1).len(), 1);
    }
    // A server, or somebody on the way, that offers no encryption gets nothing.
    let plain = MailSink::start();
    let folder = by_mail(&plain, "starttls");
    let refused = test_alerts(folder.path(), identity.root());
    assert_eq!(refused.code, 1, "{} {}", refused.output, refused.errors);
    assert!(!refused.output.contains("CANARY") && !refused.errors.contains("CANARY"));
    let said = plain.plain();
    assert!(said.contains("EHLO") && !said.contains("AUTH") && !said.contains("MAIL"), "{said}");
}
