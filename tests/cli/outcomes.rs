//! Meanings of answers: false successes, rejections, doubts; and data stays unchanged.

use std::fs;
use std::path::Path;

use hob::sandbox::{ChangeKind, Fault, FaultKind};
use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, workspace};

const PAGE: &str = "<!DOCTYPE html><title>Back soon</title>";

/// The next requests of `operation` get this answer, whether carried out or not.
fn answer(stand_in: &StandIn, operation: &str, status: u16, body: Value, done: bool, times: u32) {
    let page = body.as_str().is_some_and(|text| text.starts_with('<'));
    let headers = page.then(|| ("content-type".to_owned(), "text/html".to_owned())).into_iter().collect();
    let what = FaultKind::Status { status, body: Some(body), headers };
    let operation = Some(operation.to_owned());
    stand_in.sandbox.add_fault(Fault { operation, times: Some(times), what, done, ..Fault::default() });
}

fn recipe(actions: &str, on_failure: &str) -> String {
    format!("name: hand\ntrigger: {{ manual: {{}} }}\nactions:\n{actions}{on_failure}")
}

fn trigger(folder: &Path) {
    hob_with(folder, &["trigger", "hand", "--event", "-"], "{}").code(0);
}

fn made(stand_in: &StandIn, collection: &str) -> usize {
    let changes = stand_in.sandbox.log().into_iter().flat_map(|entry| entry.changes);
    changes.filter(|change| change.collection == collection && change.kind == ChangeKind::Created).count()
}

const RETRY: &str = "retry: { attempts: 5, backoff: 10ms..20ms }";

#[test]
fn an_answer_that_is_none_is_asked_again() {
    let stand_in = StandIn::start();
    let actions = format!(
        "- {{ id: one, do: contacts.upsert, with: {{ email: a@example.com }}, {RETRY} }}\n\
         - {{ id: two, do: contacts.get, with: {{ contactId: \"{{{{ steps.one.id }}}}\" }}, {RETRY} }}\n"
    );
    let folder = workspace(&stand_in, &[&recipe(&actions, "")]);
    for operation in ["contacts.upsert", "contacts.get"] {
        for body in [json!(PAGE), json!(null), json!([{ "id": "x" }]), json!({ "contact": {} })] {
            answer(&stand_in, operation, 200, body, false, 1);
        }
    }
    trigger(folder.path());
    hob(folder.path(), &ONCE).code(0);
    assert_eq!(made(&stand_in, "contacts"), 1);
}

#[test]
fn a_create_that_was_answered_by_a_page_is_in_doubt() {
    let stand_in = StandIn::start();
    let actions = "- { id: one, do: contacts.create, with: { email: a@example.com } }\n\
                   - { do: contacts.notes.create, with: { contactId: \"{{ steps.one.id }}\", body: hello } }\n";
    let folder = workspace(&stand_in, &[&recipe(actions, "")]);
    // It happened, and hob finds out.
    answer(&stand_in, "contacts.create", 200, json!(PAGE), true, 1);
    trigger(folder.path());
    hob(folder.path(), &ONCE).code(0);
    assert_eq!((made(&stand_in, "contacts"), made(&stand_in, "notes")), (1, 1));
}

#[test]
fn a_parked_run_is_as_loud_as_a_failed_one_and_resolved_with_the_recipe_of_now() {
    let stand_in = StandIn::start();
    let example = stand_in.sandbox.example("conversations.messages.send").expect("an example");
    let with = Value::Object(example).to_string();
    let told = "on_failure:\n- { do: contacts.upsert, with: { email: alert@example.com, \
                firstName: \"{{ 'parked' if error.parked else 'failed' }} {{ error.step }}\" } }\n";
    let send = format!("- {{ id: send, do: conversations.messages.send, with: {with} }}\n");
    let folder = workspace(&stand_in, &[&recipe(&send, told)]);
    for body in [json!(PAGE), json!({})] {
        answer(&stand_in, "conversations.messages.send", 200, body, false, 1);
        trigger(folder.path());
    }
    let ended = hob(folder.path(), &ONCE).code(1);
    assert_eq!(ended.json()["runs"], json!({ "parked": 2 }));
    assert!(ended.errors.contains("WARN") && ended.errors.contains("parked"), "{}", ended.errors);
    let alerts = |name: &str| {
        let log = stand_in.sandbox.log();
        log.iter().filter(|entry| entry.body["firstName"] == name).count()
    };
    assert_eq!(alerts("parked send"), 2);

    let other = recipe("- { id: send, do: log, with: { message: instead } }\n", "");
    fs::write(folder.path().join("recipes/0.yaml"), other).unwrap();
    hob(folder.path(), &["runs", "resolve", "--did-not"]).code(2);
    hob(folder.path(), &["runs", "resolve", "--recipe", "hand", "--happened", "--result", "{}"]).code(2);
    let arguments = ["runs", "resolve", "--recipe", "hand", "--did-not", "--with-current-recipe"];
    let resolved = hob(folder.path(), &[&arguments[..], &["--format", "json"]].concat()).code(0).json();
    assert_eq!(resolved.as_array().unwrap().len(), 2);
    hob(folder.path(), &ONCE).code(0);
    assert!(runs(folder.path()).iter().all(|run| run["state"] == "succeeded"));
    assert_eq!((made(&stand_in, "messages"), alerts("parked send")), (0, 2));
}

#[test]
fn a_refusal_of_a_field_fails() {
    let stand_in = StandIn::start();
    let create = "- { do: contacts.create, with: { email: a@example.com } }\n";
    let folder = workspace(&stand_in, &[&recipe(create, "")]);
    let message = json!({ "message": ["dateOfBirth must be a valid ISO 8601 date string"] });
    answer(&stand_in, "contacts.create", 422, message, false, 1);
    trigger(folder.path());
    assert_eq!(hob(folder.path(), &ONCE).code(1).json()["runs"], json!({ "failed": 1 }));
}

#[test]
fn a_page_in_a_poll_removes_nothing() {
    let stand_in = StandIn::start();
    let poll = "name: poll\ntrigger: { poll: fitr.clients.list, every: 5m, emit: [new, changed, removed], start: now }\n\
                actions:\n- { do: log, with: { message: seen } }\n";
    let folder = workspace(&stand_in, &[poll]);
    hob(folder.path(), &ONCE).code(0);
    for body in [json!(PAGE), json!({ "message": "maintenance" }), json!(null)] {
        answer(&stand_in, "fitr.clients.list", 200, body.clone(), false, 3);
        let summary = hob(folder.path(), &ONCE).code(1).json();
        assert_eq!(summary["events"], json!(0), "{body}: {summary}");
        stand_in.sandbox.clear_faults();
    }
    assert_eq!(hob(folder.path(), &ONCE).code(0).json()["events"], json!(0));
    assert!(runs(folder.path()).is_empty());
}

#[test]
fn data_is_unchanged_and_output_hides_secrets() {
    let stand_in = StandIn::start();
    let key = "s3cr3t&key-1";
    let actions = "- { id: one, do: contacts.create, with: { email: a@example.com, website: \"{{ env.APP_URL }}/a\", \
                   firstName: \"{{ vars.key }}\" } }\n\
                   - { do: wait, with: { for: 100ms } }\n\
                   - { do: log, with: { message: \"key {{ vars.key | urlencode }} of {{ env.APP_URL }}\" } }\n\
                   - { do: contacts.update, with: { contactId: \"{{ steps.one.id }}\", \
                   website: \"{{ steps.one.website }}\", lastName: \"{{ steps.one.firstName }} {{ vars.key }}\" } }\n";
    let recipe = recipe(actions, "").replace("actions:", "vars: { key: \"{{ env.ALERT_KEY }}\" }\nactions:");
    let folder = workspace(&stand_in, &[&recipe]);
    let hob_yaml = stand_in.workspace() + "env: [APP_URL, { name: ALERT_KEY, secret: true }]\n";
    fs::write(folder.path().join("hob.yaml"), hob_yaml).unwrap();
    fs::write(folder.path().join(".env"), format!("APP_URL=https://studio.example\nALERT_KEY={key}\n"))
        .unwrap();
    trigger(folder.path());
    let ended = hob(folder.path(), &["run", "--once", "--verbose"]).code(0);
    let sent =
        stand_in.sandbox.log().into_iter().find(|entry| entry.body["lastName"].is_string()).unwrap().body;
    assert_eq!(sent["website"], "https://studio.example/a");
    assert_eq!(sent["lastName"], format!("{key} {key}"));

    let run = runs(folder.path())[0]["id"].as_str().unwrap().to_owned();
    let text = hob(folder.path(), &["runs", "show", &run]).code(0).output;
    let json = hob(folder.path(), &["runs", "show", &run, "--format", "json"]).code(0).output;
    for shown in [&text, &json, &ended.output, &ended.errors] {
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
    assert!(text.contains("https://studio.example/a") && text.contains("***"), "{text}");

    hob(folder.path(), &["store", "export", "whole.jsonl"]).code(0);
    hob(folder.path(), &["store", "export", "--redact", "shown.jsonl"]).code(0);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("whole.jsonl").contains("s3cr3t"), "a copy of the store is true");
    assert!(!read("shown.jsonl").contains("s3cr3t"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("state"), mode("state/hob.db"), mode("whole.jsonl")), (0o700, 0o600, 0o600));
    }
    fs::remove_dir_all(folder.path().join("state")).unwrap();
    let refused = hob(folder.path(), &["store", "import", "shown.jsonl"]).code(2);
    assert!(refused.errors.contains("--redact"), "{}", refused.errors);
    hob(folder.path(), &["store", "import", "whole.jsonl"]).code(0);
}

/// The next answer to `operation` is lost, though it is carried out.
fn lose(stand_in: &StandIn, operation: &str) {
    let operation = Some(operation.to_owned());
    let lost = Fault { operation, times: Some(1), what: FaultKind::Close, done: true, ..Fault::default() };
    stand_in.sandbox.add_fault(lost);
}

fn sent(stand_in: &StandIn, operation: &str) -> usize {
    stand_in.sandbox.log().iter().filter(|entry| entry.operation.as_deref() == Some(operation)).count()
}

/// An upsert, a note, and a tag for new contacts, decided by `condition`.
fn welcome(email: &str, condition: &str) -> String {
    let actions = format!(
        "- {{ id: c, do: contacts.upsert, pick: $, with: {{ email: {email} }}, {RETRY} }}\n\
         - {{ id: n, do: contacts.notes.create, with: {{ contactId: \"{{{{ steps.c.contact.id }}}}\", body: hello }} }}\n\
         - {{ id: t, do: contacts.tags.add, if: \"{{{{ {condition} }}}}\",\n    \
         with: {{ contactId: \"{{{{ steps.c.contact.id }}}}\", tags: [welcome] }} }}\n"
    );
    recipe(&actions, "")
}

#[test]
fn the_effect_of_an_upsert_with_a_lost_answer_is_found_out() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[&welcome("new@example.com", "steps.c.new")]);
    lose(&stand_in, "contacts.upsert");
    trigger(folder.path());
    hob(folder.path(), &ONCE).code(0);
    assert_eq!((made(&stand_in, "contacts"), sent(&stand_in, "contacts.upsert")), (1, 2));
    assert_eq!(sent(&stand_in, "contacts.tags.add"), 1, "it is new");

    // A contact that has existed for long is not new.
    let found = hob(folder.path(), &["call", "contacts.search", "pageLimit=5"]).code(0).json();
    let known = found.as_array().unwrap().iter().find(|contact| contact["email"] != "new@example.com");
    let email = known.expect("somebody")["email"].as_str().unwrap().to_owned();
    fs::write(folder.path().join("recipes/0.yaml"), welcome(&email, "steps.c.new")).unwrap();
    lose(&stand_in, "contacts.upsert");
    trigger(folder.path());
    hob(folder.path(), &ONCE).code(0);
    assert_eq!((made(&stand_in, "contacts"), sent(&stand_in, "contacts.upsert")), (1, 4));
    assert_eq!(sent(&stand_in, "contacts.tags.add"), 1);
}

#[test]
fn undecidable_fields_are_unknown_and_not_false() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[&welcome("new@example.com", "not steps.c.new")]);
    let unclear = json!({ "new": false, "contact": { "id": "c-1", "email": "new@example.com" } });
    let lost = |stand_in: &StandIn| {
        lose(stand_in, "contacts.upsert");
        answer(stand_in, "contacts.upsert", 200, unclear.clone(), false, 1);
        answer(stand_in, "contacts.notes.create", 201, json!({ "note": { "id": "n-1" } }), false, 1);
        answer(stand_in, "contacts.tags.add", 201, json!({ "tags": ["welcome"] }), false, 1);
    };
    lost(&stand_in);
    trigger(folder.path());
    let ended = hob(folder.path(), &ONCE).code(1);
    assert_eq!(ended.json()["runs"], json!({ "parked": 1 }));
    for word in ["`new` of step `c` is unknown", "an answer was lost", "--happened --result '{", "is defined"]
    {
        assert!(ended.errors.contains(word), "{word}: {}", ended.errors);
    }
    assert_eq!((sent(&stand_in, "contacts.notes.create"), sent(&stand_in, "contacts.tags.add")), (1, 0));

    let id = runs(folder.path())[0]["id"].as_str().unwrap().to_owned();
    let shown = hob(folder.path(), &["runs", "show", &id]).code(0).output;
    assert!(shown.contains("unknown: new"), "{shown}");
    let resolve = |more: &[&str]| hob(folder.path(), &[&["runs", "resolve", &id], more].concat());
    let refused = resolve(&["--did-not"]).code(1).errors;
    assert!(refused.contains("step `c` did happen"), "{refused}");
    let refused = resolve(&["--happened"]).code(1).errors;
    assert!(refused.contains("`new` of step `c` is unknown: give it with --result"), "{refused}");
    resolve(&["--happened", "--result", "{\"new\": false}"]).code(0);
    hob(folder.path(), &ONCE).code(0);
    assert!(runs(folder.path()).iter().all(|run| run["state"] == "succeeded"));
    // Known facts stay, and completed steps are not repeated.
    assert_eq!((sent(&stand_in, "contacts.notes.create"), sent(&stand_in, "contacts.tags.add")), (1, 1));
    assert_eq!(sent(&stand_in, "contacts.upsert"), 2);
}

#[test]
fn a_step_that_tests_for_unknown_values_continues() {
    for condition in ["steps.c.new | default(true)", "steps.c.new is undefined or steps.c.new"] {
        let stand_in = StandIn::start();
        let folder = workspace(&stand_in, &[&welcome("new@example.com", condition)]);
        lose(&stand_in, "contacts.upsert");
        let unclear = json!({ "new": false, "contact": { "id": "c-1" } });
        answer(&stand_in, "contacts.upsert", 200, unclear, false, 1);
        answer(&stand_in, "contacts.notes.create", 201, json!({ "note": { "id": "n-1" } }), false, 1);
        answer(&stand_in, "contacts.tags.add", 201, json!({ "tags": ["welcome"] }), false, 1);
        trigger(folder.path());
        hob(folder.path(), &ONCE).code(0);
        assert_eq!(sent(&stand_in, "contacts.tags.add"), 1, "{condition}");
    }
}

#[test]
fn an_upsert_that_creates_each_time_is_not_sent_again_blindly() {
    let stand_in = StandIn::start();
    let actions = "- { id: c, do: contacts.upsert, with: { email: two@example.com, createNewIfDuplicateAllowed: true } }\n\
                   - { id: d, do: contacts.upsert, with: { firstName: Nobody } }\n";
    let folder = workspace(&stand_in, &[&recipe(actions, "")]);
    lose(&stand_in, "contacts.upsert");
    trigger(folder.path());
    // The first is found by its e-mail address.
    hob(folder.path(), &ONCE).code(0);
    assert_eq!((made(&stand_in, "contacts"), sent(&stand_in, "contacts.upsert")), (2, 2));
    // Nothing finds the second.
    stand_in.sandbox.add_fault(Fault {
        operation: Some("contacts.upsert".to_owned()),
        after: 1,
        times: Some(1),
        what: FaultKind::Close,
        done: true,
        ..Fault::default()
    });
    trigger(folder.path());
    let ended = hob(folder.path(), &ONCE).code(1);
    assert_eq!(ended.json()["runs"], json!({ "parked": 1 }));
    assert_eq!(sent(&stand_in, "contacts.upsert"), 4);
}
