//! Alerts, through the real program to real destinations.

use std::fs;
use std::path::Path;

use hob::clock::Clock;
use hob::event::{DedupKey, Event, EventId, Source};
use hob::journal::{Access, Batch, Journal, NewRun, Sqlite};
use hob::run::{Accounts, RunId};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::alert_sinks::{HttpSink, MailSink, Received, until};
use crate::cluster::Cluster;
use crate::listening::Running;
use crate::program::{hob, hob_with};

/// Fails for each event.
const FAILS: &str = "name: fails
trigger: { manual: {} }
actions:
  - { id: look, do: log, with: { message: \"{{ event.missing }}\" } }
";
const TELLS: &str = "name: tells
trigger: { manual: {} }
actions:
  - { do: state.put, with: { key: \"{{ event.notice }}\", value: \"{{ event.text }}\" } }
";

/// A workspace with these alerts.
fn workspace(alerts: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/fails.yaml"), FAILS).unwrap();
    fs::write(folder.path().join("recipes/tells.yaml"), TELLS).unwrap();
    fs::write(folder.path().join("hob.yaml"), alerts).unwrap();
    folder
}

fn to_webhook(sink: &HttpSink, more: &str) -> String {
    let address = sink.address;
    format!(
        "alerts:\n  gone_for: 1s\n  to:\n    team: {{ webhook: {{ url: http://{address}/alerts }}{more} }}\n"
    )
}

fn fail(folder: &Path) {
    hob(folder, &["trigger", "fails"]).code(0);
}

fn events(received: &[Received]) -> Vec<(String, String)> {
    let alerts = received.iter().flat_map(|received| received.body["alerts"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    alerts.map(|alert| (text(&alert["event"]), text(&alert["kind"]))).collect()
}

fn one(event: &str, kind: &str) -> (String, String) {
    (event.to_owned(), kind.to_owned())
}

fn listed(folder: &Path) -> Vec<Value> {
    hob(folder, &["alerts", "list", "--format", "json"]).code(0).json().as_array().unwrap().clone()
}

/// Stores events for the recipe that fails, as `hob trigger` does, but many at a time.
async fn store(folder: &Path, count: usize) {
    let journal = Sqlite::open(&folder.join("state/hob.db"), Access::Client).unwrap();
    let now = Clock::system().now();
    for part in (0..count).collect::<Vec<_>>().chunks(1000) {
        let mut batch = Batch::default();
        for _ in part {
            let id = EventId::new();
            let run = NewRun {
                id: RunId::new(),
                recipe: "fails".into(),
                accounts: Accounts::default(),
                lane: id.0.clone(),
                coalesce: None,
            };
            let event = Event {
                source: Source::Manual("fails".into()),
                kind: "manual".into(),
                connection: None,
                record: None,
                dedup: DedupKey(id.0.clone()),
                received: now,
                payload: json!({}),
                id,
            };
            batch.events.push((event, vec![run]));
        }
        journal.append(batch).await.unwrap();
    }
    journal.close().await;
}

#[test]
fn ten_thousand_failures_are_one_alert_and_one_recovery() {
    const RUNS: usize = 10_000;
    let sink = HttpSink::start(200);
    let folder = workspace(&to_webhook(&sink, ""));
    let path = folder.path();
    let running = Running::start(path);
    tokio::runtime::Runtime::new().unwrap().block_on(store(path, RUNS));
    let failed = || hob(path, &["status", "--format", "json"]).code(0).json()["runs"]["failed"].as_u64();
    until("the last failure", || failed().filter(|failed| *failed == RUNS as u64));
    let opened = sink.until(1);
    let told = &opened[0].body["alerts"][0];
    assert_eq!((&told["recipe"], &told["step"]), (&json!("fails"), &json!("look")), "{told:#}");
    assert!(opened[0].head.contains(&format!("idempotency-key: {}", told["notice"].as_str().unwrap())));
    let cause = told["id"].as_str().unwrap();
    assert_eq!(hob(path, &["status", "--format", "json"]).code(0).json()["problems"][0]["cause"], cause);
    until("all in the list", || listed(path).first().filter(|alert| alert["runs"] == RUNS).cloned());
    hob(path, &["runs", "skip", "--cause", cause]).code(0);
    let all = sink.until(2);
    assert_eq!(events(&all), [one("opened", "failed"), one("recovered", "failed")]);
    let over = &all[1].body["alerts"][0];
    assert_eq!((&over["runs"], &over["id"]), (&json!(RUNS), &told["id"]));
    assert!(over["text"].as_str().unwrap().contains("10000 runs, from "), "{over:#}");
    assert!(listed(path).is_empty());
    drop(running);
    assert_eq!(sink.received().len(), 2);
}

#[test]
fn a_kill_between_decision_and_delivery_loses_and_repeats_nothing() {
    let sink = HttpSink::start(503);
    let folder = workspace(&to_webhook(&sink, ""));
    let path = folder.path();
    fail(path);
    let running = Running::start(path);
    let problem = until("the failure in the status", || {
        let problems = hob(path, &["status", "--format", "json"]).code(0).json()["problems"].clone();
        problems.as_array().unwrap().iter().find(|problem| problem["kind"] == "alert").cloned()
    });
    let summary = problem["summary"].as_str().unwrap();
    assert!(summary.starts_with("alerts do not reach team since "), "{summary}");
    assert!(summary.contains("it answered 503"), "{summary}");
    assert_eq!(problem["commands"], json!(["hob alerts test team"]));
    let decided = listed(path)[0]["waiting"][0]["id"].clone();
    drop(running);
    sink.answer(200);
    let running = Running::start(path);
    let received = sink.until(1);
    assert_eq!(events(&received), [one("opened", "failed")]);
    assert_eq!(received[0].body["alerts"][0]["notice"], decided);
    until("the record", || listed(path)[0]["told"]["team"].is_string().then_some(()));
    drop(running);
    // A third process tells nothing anew, and knows when it is over.
    let _running = Running::start(path);
    hob(path, &["runs", "skip", "--cause", received[0].body["alerts"][0]["id"].as_str().unwrap()]).code(0);
    assert_eq!(events(&sink.until(2)), [one("opened", "failed"), one("recovered", "failed")]);
}

#[test]
fn what_quiet_hours_hold_back_is_sent_together() {
    let sink = HttpSink::start(200);
    let now = Clock::system().now();
    let hour = |hours: i64| (now + chrono::TimeDelta::hours(hours)).format("%H:%M").to_string();
    let quiet = format!(", quiet: {{ from: '{}', to: '{}' }}", hour(-2), hour(2));
    let folder = workspace(&to_webhook(&sink, &quiet));
    let path = folder.path();
    let other = FAILS.replace("name: fails", "name: other");
    fs::write(path.join("recipes/other.yaml"), other).unwrap();
    fail(path);
    hob(path, &["trigger", "other"]).code(0);
    hob(path, &["run", "--once"]).code(1);
    assert_eq!(listed(path).iter().filter(|alert| alert["waiting"][0]["to"] == "team").count(), 2);
    let page = hob(path, &["alerts", "list"]).code(0).output;
    assert!(page.lines().count() == 3 && page.contains("team"), "{page}");
    assert!(sink.received().is_empty());
    let text = fs::read_to_string(path.join("hob.yaml")).unwrap();
    fs::write(path.join("hob.yaml"), text.replace(&quiet, "")).unwrap();
    hob(path, &["run", "--once"]).code(0);
    let received = sink.received();
    assert_eq!(received.len(), 1, "{received:#?}");
    assert_eq!(events(&received), [one("opened", "failed"), one("opened", "failed")]);
}

#[test]
fn all_ways_are_taken_and_no_secret_is_told() {
    let (sink, mail) = (HttpSink::start(200), MailSink::start());
    let (web, smtp) = (sink.address, mail.address);
    let folder = workspace(&format!(
        "env: [{{ name: KEY, secret: true }}]
server: {{ url: https://hob.example.com }}
alerts:
  gone_for: 1s
  to:
    chat: {{ slack: \"http://{web}/services/${{CHAT}}\" }}
    pager: {{ webhook: {{ url: \"http://{web}/pager\", header: {{ name: Authorization, value: \"Bearer ${{PAGER}}\" }} }} }}
    mail: {{ email: {{ to: [ops@example.com, Boss <boss@example.com>], from: hob@example.com, server: '{smtp}', tls: none, username: someone, password: \"${{SMTP}}\" }} }}
    own: {{ recipe: tells }}
"
    ));
    let path = folder.path();
    let secrets = ["CANARYchat-T0001-B0002", "CANARYpager-0003", "CANARYsmtp-0004", "CANARYkey-0005"];
    let env: String = ["CHAT", "PAGER", "SMTP", "KEY"]
        .iter()
        .zip(secrets)
        .map(|(name, secret)| format!("{name}={secret}\n"))
        .collect();
    fs::write(path.join(".env"), env).unwrap();
    let shows =
        FAILS.replace("{{ event.missing }}", "{{ env.KEY | int }}").replace("name: fails", "name: shows");
    fs::write(path.join("recipes/shows.yaml"), shows).unwrap();
    let tested = hob(path, &["alerts", "test"]).code(0);
    for line in
        ["chat  slack  reached", "pager  webhook  reached", "mail  email  reached", "own  recipe  reached"]
    {
        assert!(tested.output.contains(line), "{line}: {}", tested.output);
    }
    let wrong = hob(path, &["alerts", "test", "chatt"]).code(2).errors;
    assert!(wrong.contains("did you mean `chat`?"), "{wrong}");
    hob(path, &["trigger", "shows"]).code(0);
    let ran = hob(path, &["run", "--once", "-v"]).code(1);
    // The alert is an event for its recipe, which the next one runs.
    hob(path, &["run", "--once"]).code(0);
    let received = sink.received();
    assert_eq!(received.len(), 4, "{received:#?}");
    let chat: Vec<&Received> = received.iter().filter(|it| it.path.starts_with("/services/")).collect();
    let text = chat[1].body["text"].as_str().unwrap();
    assert!(
        text.contains("*hob ")
            && text.contains("shows: step `look`: ")
            && text.contains("https://hob.example.com/runs?cause="),
        "{text}"
    );
    assert!(received.iter().any(|it| it.head.contains("authorization: bearer canarypager-0003")));
    let mails = mail.until(2);
    assert_eq!(mails.len(), 2);
    let told = &mails[1];
    assert_eq!(told.login, "\0someone\0CANARYsmtp-0004");
    assert!(told.from.contains("<hob@example.com>") && told.to.len() == 2, "{told:?}");
    assert!(told.text.contains("Subject: hob ") && told.text.contains("shows: step `look`: "), "{told:?}");
    let keys = hob(path, &["runs", "list", "--recipe", "tells", "--format", "json"]).code(0).json();
    let states: Vec<&Value> = keys.as_array().unwrap().iter().map(|run| &run["state"]).collect();
    assert_eq!(states, ["succeeded", "succeeded"], "the test and the alert, once each");
    let status = hob(path, &["status"]).code(0);
    let list = hob(path, &["alerts", "list", "--format", "json"]).code(0);
    let shown = [tested.output, tested.errors, ran.output, ran.errors, status.output, list.output];
    let sent =
        received.iter().map(|it| it.body.to_string()).chain(mails.iter().map(|mail| mail.text.clone()));
    for text in shown.into_iter().chain(sent) {
        assert!(!text.contains("CANARY"), "{text}");
    }
    let stored = String::from_utf8_lossy(&fs::read(path.join("state/hob.db")).unwrap()).into_owned();
    assert!(!stored.contains("CANARY"));
}

#[test]
fn a_destination_that_refuses_is_told_by_the_test() {
    let sink = HttpSink::start(404);
    let folder = workspace(&to_webhook(&sink, ""));
    let tested = hob(folder.path(), &["alerts", "test", "--format", "json"]).code(1).json();
    assert_eq!((&tested[0]["name"], &tested[0]["reached"]), (&json!("team"), &json!(false)), "{tested}");
    assert!(tested[0]["error"].as_str().unwrap().contains("404"), "{tested}");
    let nobody = workspace("");
    assert!(hob(nobody.path(), &["alerts", "test"]).code(2).errors.contains("names nobody"));
    hob(nobody.path(), &["alerts", "list"]).code(0);
}

#[test]
fn silence_is_told_and_its_end() {
    let sink = HttpSink::start(200);
    let folder = workspace(&(to_webhook(&sink, "") + "  silent: [{ recipe: tells, after: 2s }]\n"));
    let path = folder.path();
    hob(path, &["run", "--once"]).code(0);
    assert!(sink.received().is_empty());
    until("the silence", || {
        hob(path, &["run", "--once"]).code(0);
        Some(()).filter(|()| !sink.received().is_empty())
    });
    assert_eq!(events(&sink.received()), [one("opened", "silent")]);
    until("the end", || {
        let event = json!({ "notice": "n", "text": "t" }).to_string();
        hob_with(path, &["trigger", "tells", "--event", "-"], &event).code(0);
        hob(path, &["run", "--once"]).code(0);
        Some(()).filter(|()| sink.received().len() > 1)
    });
    assert_eq!(events(&sink.received()), [one("opened", "silent"), one("recovered", "silent")]);
}

#[test]
fn a_dry_run_and_a_sandbox_tell_nobody() {
    let sink = HttpSink::start(200);
    let folder = workspace(&to_webhook(&sink, ""));
    let path = folder.path();
    fail(path);
    hob(path, &["run", "--once", "--dry-run"]);
    hob(path, &["trigger", "fails", "--sandbox"]).code(0);
    hob(path, &["run", "--once", "--sandbox"]).code(1);
    assert!(sink.received().is_empty() && listed(path).is_empty());
    hob(path, &["run", "--once"]).code(1);
    assert_eq!(sink.received().len(), 1);
}

#[test]
fn recipes_that_alerts_name_are_checked() {
    let folder =
        workspace("alerts:\n  to: { own: { recipe: tels } }\n  silent: [{ recipe: failz, after: 6h }]\n");
    let told = hob(folder.path(), &["validate"]).code(1).output;
    for wanted in
        ["hob.yaml:2:24", "no recipe `tels`", "did you mean `tells`?", "hob.yaml:3:22", "no recipe `failz`"]
    {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let cron = "name: cron\ntrigger: { schedule: { cron: \"0 9 * * *\" } }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(folder.path().join("recipes/cron.yaml"), cron).unwrap();
    fs::write(folder.path().join("hob.yaml"), "alerts: { to: { own: { recipe: cron } } }\n").unwrap();
    let told = hob(folder.path(), &["validate"]).code(1).output;
    assert!(told.contains("has a trigger of its own"), "{told}");
}

#[test]
fn of_several_processes_one_tells() {
    let Some(cluster) = Cluster::shared() else { return };
    let sink = HttpSink::start(200);
    let folder = workspace(&format!("store: '{}'\n{}", cluster.store(), to_webhook(&sink, "")));
    let path = folder.path();
    let processes: Vec<Running> = (0..3).map(|_| Running::start(path)).collect();
    for _ in 0..20 {
        fail(path);
    }
    let received = sink.until(1);
    let cause = received[0].body["alerts"][0]["id"].as_str().unwrap().to_owned();
    until("all failures", || {
        let totals = hob(path, &["status", "--format", "json"]).code(0).json();
        totals["runs"]["failed"].as_u64().filter(|failed| *failed == 20)
    });
    hob(path, &["runs", "skip", "--cause", &cause]).code(0);
    sink.until(2);
    drop(processes);
    assert_eq!(events(&sink.received()), [one("opened", "failed"), one("recovered", "failed")]);
}
