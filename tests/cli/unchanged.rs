//! Writes that would change nothing are left out and counted, and only those.

use std::path::Path;

use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, workspace};

fn contact(stand_in: &StandIn) -> Value {
    stand_in.sandbox.records("highlevel", "contacts", 1).unwrap()[0].clone()
}

fn recipe(more: &str, steps: &str) -> String {
    format!("name: hand\ntrigger: {{ manual: {{}} }}\n{more}actions:\n{steps}")
}

/// Runs the recipe with `event`: what was left out, and the methods of the requests.
fn run(stand_in: &StandIn, folder: &Path, event: &Value) -> (u64, Vec<String>) {
    let before = stand_in.sandbox.log().len();
    hob_with(folder, &["trigger", "hand", "--event", "-"], &event.to_string()).code(0);
    let skipped = hob(folder, &ONCE).code(0).json()["skipped"].as_u64().unwrap();
    let sent = stand_in.sandbox.log()[before..].iter().map(|entry| entry.method.clone()).collect();
    (skipped, sent)
}

const READ_AND_WRITE: &str = "- { id: read, do: contacts.get, with: { contactId: \"{{ event.id }}\" } }\n\
    - { id: write, do: contacts.update, with: { contactId: \"{{ event.id }}\", firstName: \"{{ event.firstName }}\", \
    tags: \"{{ event.tags | default(omit) }}\" } }\n\
    - { do: log, with: { message: \"{{ steps.write.email }} {{ steps.write.id }}\" } }\n";

#[test]
fn what_the_run_has_read_is_not_written_again() {
    let stand_in = StandIn::start();
    let known = contact(&stand_in);
    let folder = workspace(&stand_in, &[&recipe("", READ_AND_WRITE)]);
    let run = |event: Value| run(&stand_in, folder.path(), &event);
    let same = json!({ "id": known["id"], "firstName": known["firstName"] });
    assert_eq!(run(same.clone()), (1, vec!["GET".to_owned()]));
    let listed = runs(folder.path());
    let id = listed[0]["id"].as_str().unwrap();
    let shown = hob(folder.path(), &["runs", "show", id, "--format", "json"]).code(0).json();
    let entries = shown["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["entry"] == "step_unchanged").unwrap();
    assert_eq!((&entry["result"]["email"], &entry["step"]["action"]), (&known["email"], &json!("write")));
    let text = hob(folder.path(), &["runs", "show", id]).code(0).output;
    assert!(text.contains("write: contacts.update: unchanged"), "{text}");

    let mut tags: Vec<Value> = known["tags"].as_array().unwrap().clone();
    let with_tags =
        |tags: &Vec<Value>| json!({ "id": known["id"], "firstName": known["firstName"], "tags": tags });
    tags.reverse();
    assert_eq!(run(with_tags(&tags)).0, 1, "tags have no order");
    tags.push(json!("another"));
    assert_eq!(run(with_tags(&tags)).0, 0);
    let other = json!({ "id": known["id"], "firstName": "Somebody" });
    assert_eq!(run(other), (0, vec!["GET".to_owned(), "PUT".to_owned()]));
    assert_eq!(run(same).0, 0, "it is another now");
}

#[test]
fn a_second_write_of_the_same_is_left_out_and_a_create_never() {
    let stand_in = StandIn::start();
    let steps = "- { id: one, do: contacts.upsert, with: { email: a@example.com, firstName: Ada, tags: [x] } }\n\
        - { id: two, do: contacts.update, with: { contactId: \"{{ steps.one.id }}\", firstName: Ada } }\n\
        - { do: contacts.tags.add, with: { contactId: \"{{ steps.one.id }}\", tags: [X] } }\n\
        - { do: contacts.tags.remove, with: { contactId: \"{{ steps.one.id }}\", tags: [gone] } }\n\
        - { do: contacts.upsert, with: { email: a@example.com, firstName: Ada } }\n\
        - { do: contacts.notes.create, with: { contactId: \"{{ steps.one.id }}\", body: hello } }\n\
        - { do: contacts.notes.create, with: { contactId: \"{{ steps.one.id }}\", body: hello } }\n\
        - { do: contacts.update, with: { contactId: \"{{ steps.one.id }}\", firstName: Ada } }\n";
    let folder = workspace(&stand_in, &[&recipe("", steps)]);
    let (skipped, sent) = run(&stand_in, folder.path(), &json!({}));
    // After a note nobody knows what the app made of the contact.
    assert_eq!((skipped, sent.join(" ")), (3, "POST POST POST POST PUT".to_owned()));
}

#[test]
fn send_switches_it_off() {
    let stand_in = StandIn::start();
    let known = contact(&stand_in);
    let event = json!({ "id": known["id"], "firstName": known["firstName"] });
    let folder = workspace(&stand_in, &[&recipe("unchanged: send\n", READ_AND_WRITE)]);
    assert_eq!(run(&stand_in, folder.path(), &event).0, 0);
    let by_step = READ_AND_WRITE.replace("do: contacts.update,", "do: contacts.update, unchanged: send,");
    let folder = workspace(&stand_in, &[&recipe("unchanged: skip\n", &by_step)]);
    assert_eq!(run(&stand_in, folder.path(), &event).0, 0);
}

#[test]
fn what_another_run_wrote_is_known_only_where_changes_are_heard_of() {
    let stand_in = StandIn::start();
    let write = "- { do: contacts.update, with: { contactId: \"{{ event.id }}\", firstName: \"{{ event.firstName }}\" } }\n";
    let listens = "name: listens\ntrigger: { webhook: highlevel.ContactUpdate }\nactions:\n- { do: log, with: { message: heard } }\n";
    let event = json!({ "id": contact(&stand_in)["id"], "firstName": "Ada" });
    let deaf = workspace(&stand_in, &[&recipe("", write)]);
    assert_eq!(run(&stand_in, deaf.path(), &event).0, 0);
    assert_eq!(run(&stand_in, deaf.path(), &event).0, 0, "nobody would tell of a change from outside");
    let folder = workspace(&stand_in, &[&recipe("", write), listens]);
    assert_eq!(run(&stand_in, folder.path(), &event).0, 0);
    assert_eq!(run(&stand_in, folder.path(), &event).0, 1);
    let other = json!({ "id": event["id"], "firstName": "Bob" });
    assert_eq!(run(&stand_in, folder.path(), &other).0, 0);
    assert_eq!(run(&stand_in, folder.path(), &event).0, 0, "it was another in between");
}
