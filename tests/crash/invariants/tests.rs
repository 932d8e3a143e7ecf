//! Each violation is found.

use hob::sandbox::{Change, ChangeKind, Entry};
use serde_json::{Value, json};

use super::violations;
use crate::observations::{ListedRun, Observations};

/// Two lanes of three events without violations: every effect once, in order.
fn sound() -> Observations {
    let accepted = vec![vec![0, 2, 4], vec![1, 3, 5]];
    let mut observations = Observations { clients: vec!["cl_1".to_owned()], ..Observations::default() };
    for number in 0..6 {
        observations.log.extend([
            entry("contacts.upsert", json!({ "lastName": format!("upsert {number}") }), "contacts"),
            entry("contacts.tags.add", json!({ "tags": [format!("tag {number}")] }), "contacts"),
            entry("contacts.notes.create", json!({ "body": format!("note {number}") }), "notes"),
            entry("contacts.update", json!({ "firstName": format!("update {number}") }), "contacts"),
            entry("contacts.tasks.create", json!({ "title": format!("task {number}") }), "tasks"),
        ]);
        observations.runs.extend([run("form", &number.to_string()), run("task", &number.to_string())]);
    }
    observations.log.push(entry("fitr.notes.create", json!({ "text": "Welcome" }), "notes"));
    observations.runs.push(run("welcome", "cl_1"));
    observations.contacts = (0..2).map(|lane| contact(lane, &accepted[lane])).collect();
    Observations { accepted, ..observations }
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

fn run(recipe: &str, record: &str) -> ListedRun {
    ListedRun {
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

/// Position in the log of the effect with this text.
fn position(observations: &Observations, text: &str) -> usize {
    observations.log.iter().position(|entry| entry.body.to_string().contains(text)).unwrap()
}

/// Asserts a violation that contains `about` after `tamper` changed sound observations.
#[track_caller]
fn rejected(about: &str, tamper: impl FnOnce(&mut Observations)) {
    let mut observations = sound();
    tamper(&mut observations);
    let wrong = violations(&observations);
    assert!(wrong.iter().any(|line| line.contains(about)), "no complaint has `{about}`: {wrong:?}");
}

fn park(observations: &mut Observations, record: &str) {
    let run = observations.runs.iter_mut().find(|run| run.id == format!("task-{record}")).unwrap();
    run.state = "parked".to_owned();
    run.error = Some("step `create` may have happened: hob stopped".to_owned());
    let run = run.clone();
    observations.parked.push(run);
}

#[test]
fn valid_settings_are_accepted() {
    assert_eq!(violations(&sound()), Vec::<String>::new());
    // Idempotent effects may happen twice in a row.
    let mut twice = sound();
    let at = position(&twice, "tag 3");
    twice.log.insert(at, twice.log[at].clone());
    assert_eq!(violations(&twice), Vec::<String>::new());
}

#[test]
fn a_create_in_doubt_may_be_there_or_not_when_its_run_is_parked_and_listed() {
    for lost in [false, true] {
        let mut observations = sound();
        park(&mut observations, "3");
        if lost {
            let at = position(&observations, "task 3");
            observations.log.remove(at);
        }
        assert_eq!(violations(&observations), Vec::<String>::new());
    }
    rejected("not listed with its reason", |observations| {
        park(observations, "3");
        observations.parked.clear();
    });
    rejected("Task was done 2 times for event 3", |observations| {
        park(observations, "3");
        let at = position(observations, "task 3");
        observations.log.insert(at, observations.log[at].clone());
    });
}

#[test]
fn a_create_that_is_missing_or_there_twice_is_seen() {
    for text in ["note 2", "task 5"] {
        rejected("was done 0 times for event", |observations| {
            let at = position(observations, text);
            observations.log.remove(at);
        });
        rejected("was done 2 times for event", |observations| {
            let at = position(observations, text);
            observations.log.insert(at, observations.log[at].clone());
        });
    }
    rejected("client cl_1 was welcomed 2 times", |observations| {
        let at = position(observations, "Welcome");
        observations.log.push(observations.log[at].clone());
    });
}

#[test]
fn a_create_counts_though_its_answer_was_an_error() {
    rejected("Note was done 2 times for event 2", |observations| {
        let mut again = observations.log[position(observations, "note 2")].clone();
        again.status = 500;
        observations.log.push(again);
    });
}

#[test]
fn an_effect_that_is_missing_is_seen() {
    rejected("Tag was not done for event 1", |observations| {
        let at = position(observations, "tag 1");
        observations.log.remove(at);
    });
}

#[test]
fn swapped_order_is_seen() {
    rejected("Update of event 0 came after what event 2", |observations| {
        let (one, other) = (position(observations, "update 0"), position(observations, "update 2"));
        observations.log.swap(one, other);
    });
    // An effect repeated after a later event began is out of order, too.
    rejected("Upsert of event 1 came after what event 5", |observations| {
        let late = observations.log[position(observations, "upsert 1")].clone();
        observations.log.push(late);
    });
}

#[test]
fn a_wrong_end_is_seen() {
    rejected("ends with firstName `update 2` instead of `update 4`", |observations| {
        observations.contacts[0]["firstName"] = json!("update 2");
    });
    rejected("has no tag of event 3", |observations| {
        observations.contacts[1]["tags"] = json!(["tag 1", "tag 5"]);
    });
    rejected("not one contact", |observations| {
        let again = observations.contacts[0].clone();
        observations.contacts.push(again);
    });
}

#[test]
fn lost_events_are_detected() {
    rejected("event 4 was accepted and has no run of form", |observations| {
        observations.runs.retain(|run| run.id != "form-4");
    });
    rejected("event 4 has not run", |observations| {
        observations.runs.iter_mut().find(|run| run.id == "form-4").unwrap().state = "waiting".to_owned();
    });
    rejected("event 4 has 2 runs of task", |observations| observations.runs.push(run("task", "4")));
    rejected("which nobody accepted", |observations| {
        observations.accepted[1].pop();
    });
    rejected("client cl_1 was not found once by the poll", |observations| {
        observations.runs.retain(|run| run.recipe != "welcome");
    });
}
