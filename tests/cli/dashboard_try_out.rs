//! Trying operations on the sandbox of the dashboard.

use std::fs;

use crate::alert_sinks::HttpSink;
use crate::dashboard_client::{Ask, Site, guarded_workspace, workspace};
use crate::program::hob;

#[test]
fn an_operation_is_tried_on_a_sandbox_and_never_on_the_account() {
    // Where the account of this workspace leads to; nothing may arrive there.
    let account = HttpSink::start(200);
    let text = format!(
        "connections:\n  studio:\n    connector: highlevel\n    location: L\n    base_url: http://{}\n    auth: {{ token: CANARY-real-token }}\n",
        account.address
    );
    let site = Site::start(workspace(&text), "127.0.0.1");
    let operation = site.ask(Ask::get("/catalog/contacts.upsert")).body;
    assert!(operation.contains("href=\"/catalog/contacts.upsert/try\""), "{operation}");
    let form = site.ask(Ask::get("/catalog/contacts.upsert/try"));
    assert_eq!(form.status, 200, "{}", form.body);
    assert!(
        form.body.contains("On a sandbox.") && form.body.contains("name=\"with.email\""),
        "{}",
        form.body
    );
    let csrf = form.csrf();
    let submit = |operation: &str, fields: &[(&str, &str)]| {
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        site.ask(Ask::form(&format!("/catalog/{operation}/try"), &fields))
    };
    let tried = submit("contacts.upsert", &[("with.email", "ada@example.com"), ("with.tags", "one, two")]);
    assert_eq!(tried.status, 200, "{}", tried.body);
    for part in ["POST &#x2f;contacts&#x2f;upsert", "answered 20", "1 record changed", "&quot;one&quot;"] {
        assert!(tried.body.contains(part), "{part}: {}", tried.body);
    }
    // What was made there stays there for the next try.
    let found = submit("contacts.search", &[("with.query", "ada@example.com"), ("with.pageLimit", "5")]);
    assert!(found.body.contains("&quot;email&quot;: &quot;ada@example.com&quot;"), "{}", found.body);
    let absent = submit("contacts.get", &[("with.contactId", "nobody")]);
    assert!(absent.body.contains("class=\"alert\"") && absent.body.contains("answered 4"), "{}", absent.body);
    // What is wrong before anything is sent.
    let wrong = submit("contacts.get", &[("with.contactId", "")]);
    assert!(wrong.body.contains("Nothing was sent") && wrong.body.contains("contactId"), "{}", wrong.body);
    let broken = submit("contacts.upsert", &[("with.customFields", "[{")]);
    assert!(broken.body.contains("customFields: takes a JSON list"), "{}", broken.body);
    let built_in = site.ask(Ask::get("/catalog/http.request/try"));
    assert_eq!(built_in.status, 404, "it would send anywhere: {}", built_in.body);
    assert!(account.received().is_empty());
    for page in [&form, &tried, &found, &absent] {
        assert!(!page.body.contains("CANARY"));
    }
    let log = hob(site.path(), &["operators", "log", "--act", "try", "--format", "json"]).code(0).json();
    assert!(log.as_array().unwrap().len() >= 4, "{log:#}");
    assert!(log.to_string().contains("operation contacts.upsert, on a sandbox"), "{log:#}");
}

#[test]
fn no_file_of_the_machine_is_sent_by_trying() {
    let site = Site::start(workspace(""), "127.0.0.1");
    fs::write(site.path().join("secret.txt"), "the secret of this file").unwrap();
    let list = site.ask(Ask::get("/catalog?q=upload")).body;
    let uploads: Vec<&str> =
        list.split("href=\"/catalog/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!uploads.is_empty(), "{list}");
    for upload in uploads {
        let form = site.ask(Ask::get(&format!("/catalog/{upload}/try")));
        if form.status == 404 {
            continue;
        }
        let names = form.body.split("name=\"with.").skip(1).filter_map(|rest| rest.split('"').next());
        let path = site.path().join("secret.txt");
        let mut fields: Vec<(String, String)> =
            names.map(|name| (format!("with.{name}"), path.display().to_string())).collect();
        fields.push(("csrf".to_owned(), form.csrf()));
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let tried = site.ask(Ask::form(&format!("/catalog/{upload}/try"), &fields));
        assert!(!tried.body.contains("the secret of this file"), "{upload}: {}", tried.body);
    }
}

#[test]
fn trying_is_for_those_who_may_act() {
    let (folder, _) = guarded_workspace("");
    let site = Site::start(folder, "127.0.0.1");
    let (ada, bob) = (site.login("ada"), site.login("bob"));
    assert!(!site.ask(Ask::get("/catalog/contacts.get").by(&bob)).body.contains("Try it"));
    let path = "/catalog/contacts.get/try";
    assert_eq!(site.ask(Ask::get(path).by(&bob)).status, 403);
    let fields = [("csrf", bob.csrf.as_str()), ("with.contactId", "x")];
    assert_eq!(site.ask(Ask::form(path, &fields).by(&bob)).status, 403);
    assert_eq!(site.ask(Ask::form(path, &[("with.contactId", "x")]).by(&ada)).status, 403, "without a token");
    let fields = [("csrf", ada.csrf.as_str()), ("with.contactId", "x")];
    assert_eq!(site.ask(Ask::form(path, &fields).by(&ada)).status, 200);
}
