//! The proof sees what it is there to see.

use hob::sandbox::{Change, ChangeKind, Entry};
use serde_json::{Value, json};

use super::complaints;
use crate::evidence::{Evidence, Listed};

/// Two lanes, three events each, all well: every deed done once, in order.
fn sound() -> Evidence {
    let accepted = vec![vec![0, 2, 4], vec![1, 3, 5]];
    let mut evidence = Evidence { clients: vec!["cl_1".to_owned()], ..Evidence::default() };
    for number in 0..6 {
        evidence.log.extend([
            entry("contacts.upsert", json!({ "lastName": format!("upsert {number}") }), "contacts"),
            entry("contacts.tags.add", json!({ "tags": [format!("tag {number}")] }), "contacts"),
            entry("contacts.notes.create", json!({ "body": format!("note {number}") }), "notes"),
            entry("contacts.update", json!({ "firstName": format!("update {number}") }), "contacts"),
            entry("contacts.tasks.create", json!({ "title": format!("task {number}") }), "tasks"),
        ]);
        evidence.runs.extend([run("form", &number.to_string()), run("task", &number.to_string())]);
    }
    evidence.log.push(entry("fitr.notes.create", json!({ "text": "Welcome" }), "notes"));
    evidence.runs.push(run("welcome", "cl_1"));
    evidence.contacts = (0..2).map(|lane| contact(lane, &accepted[lane])).collect();
    Evidence { accepted, ..evidence }
}

fn entry(operation: &str, body: Value, collection: &str) -> Entry {
    Entry {
        number: 0,
        at: String::new(),
        connector: String::new(),
        operation: Some(operation.to_owned()),
        method: "POST".to_owned(),
        path: "/clients/cl_1/notes".to_owned(),
        body,
        status: 200,
        changes: vec![Change {
            collection: collection.to_owned(),
            id: "x".to_owned(),
            kind: ChangeKind::Created,
        }],
        fault: None,
    }
}

fn run(recipe: &str, record: &str) -> Listed {
    Listed {
        id: format!("{recipe}-{record}"),
        recipe: recipe.to_owned(),
        state: "succeeded".to_owned(),
        record: Some(record.to_owned()),
        error: None,
    }
}

fn contact(lane: usize, numbers: &[u64]) -> Value {
    let last = numbers.last().unwrap();
    json!({
        "email": format!("lane-{lane}@example.com"),
        "firstName": format!("update {last}"),
        "lastName": format!("upsert {last}"),
        "tags": numbers.iter().map(|number| format!("tag {number}")).collect::<Vec<_>>(),
    })
}

/// Place in the log of the deed with this text.
fn place(evidence: &Evidence, text: &str) -> usize {
    evidence.log.iter().position(|entry| entry.body.to_string().contains(text)).unwrap()
}

/// Asserts that the proof complains, about this, once something was done to what is sound.
#[track_caller]
fn rejected(about: &str, tamper: impl FnOnce(&mut Evidence)) {
    let mut evidence = sound();
    tamper(&mut evidence);
    let wrong = complaints(&evidence);
    assert!(wrong.iter().any(|line| line.contains(about)), "no complaint has `{about}`: {wrong:?}");
}

fn park(evidence: &mut Evidence, record: &str) {
    let run = evidence.runs.iter_mut().find(|run| run.id == format!("task-{record}")).unwrap();
    run.state = "parked".to_owned();
    run.error = Some("step `create` may have happened: hob stopped".to_owned());
    let run = run.clone();
    evidence.parked.push(run);
}

#[test]
fn what_is_sound_is_accepted() {
    assert_eq!(complaints(&sound()), Vec::<String>::new());
    // Idempotent effects may be there twice, one right after the other.
    let mut twice = sound();
    let at = place(&twice, "tag 3");
    twice.log.insert(at, twice.log[at].clone());
    assert_eq!(complaints(&twice), Vec::<String>::new());
}

#[test]
fn a_create_in_doubt_may_be_there_or_not_when_its_run_is_parked_and_listed() {
    for lost in [false, true] {
        let mut evidence = sound();
        park(&mut evidence, "3");
        if lost {
            let at = place(&evidence, "task 3");
            evidence.log.remove(at);
        }
        assert_eq!(complaints(&evidence), Vec::<String>::new());
    }
    rejected("not listed with its reason", |evidence| {
        park(evidence, "3");
        evidence.parked.clear();
    });
    rejected("Task was done 2 times for event 3", |evidence| {
        park(evidence, "3");
        let at = place(evidence, "task 3");
        evidence.log.insert(at, evidence.log[at].clone());
    });
}

#[test]
fn a_create_that_is_missing_or_there_twice_is_seen() {
    for text in ["note 2", "task 5"] {
        rejected("was done 0 times for event", |evidence| {
            let at = place(evidence, text);
            evidence.log.remove(at);
        });
        rejected("was done 2 times for event", |evidence| {
            let at = place(evidence, text);
            evidence.log.insert(at, evidence.log[at].clone());
        });
    }
    rejected("client cl_1 was welcomed 2 times", |evidence| {
        let at = place(evidence, "Welcome");
        evidence.log.push(evidence.log[at].clone());
    });
}

#[test]
fn a_create_counts_though_its_answer_was_an_error() {
    rejected("Note was done 2 times for event 2", |evidence| {
        let mut again = evidence.log[place(evidence, "note 2")].clone();
        again.status = 500;
        evidence.log.push(again);
    });
}

#[test]
fn an_effect_that_is_missing_is_seen() {
    rejected("Tag was not done for event 1", |evidence| {
        let at = place(evidence, "tag 1");
        evidence.log.remove(at);
    });
}

#[test]
fn swapped_order_is_seen() {
    rejected("Update of event 0 came after what event 2", |evidence| {
        let (one, other) = (place(evidence, "update 0"), place(evidence, "update 2"));
        evidence.log.swap(one, other);
    });
    // What an earlier event does again, after a later one began, is out of order too.
    rejected("Upsert of event 1 came after what event 5", |evidence| {
        let late = evidence.log[place(evidence, "upsert 1")].clone();
        evidence.log.push(late);
    });
}

#[test]
fn a_wrong_end_is_seen() {
    rejected("ends with firstName `update 2` instead of `update 4`", |evidence| {
        evidence.contacts[0]["firstName"] = json!("update 2");
    });
    rejected("has no tag of event 3", |evidence| {
        evidence.contacts[1]["tags"] = json!(["tag 1", "tag 5"]);
    });
    rejected("not one contact", |evidence| {
        let again = evidence.contacts[0].clone();
        evidence.contacts.push(again);
    });
}

#[test]
fn what_was_accepted_and_lost_is_seen() {
    rejected("event 4 was accepted and has no run of form", |evidence| {
        evidence.runs.retain(|run| run.id != "form-4");
    });
    rejected("event 4 has not run", |evidence| {
        evidence.runs.iter_mut().find(|run| run.id == "form-4").unwrap().state = "waiting".to_owned();
    });
    rejected("event 4 has 2 runs of task", |evidence| evidence.runs.push(run("task", "4")));
    rejected("which nobody accepted", |evidence| {
        evidence.accepted[1].pop();
    });
    rejected("client cl_1 was not found once by the poll", |evidence| {
        evidence.runs.retain(|run| run.recipe != "welcome");
    });
}
