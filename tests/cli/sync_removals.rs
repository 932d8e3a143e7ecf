//! Syncs delete a record only if the one that it is linked with is gone, whatever a list shows.

use chrono::{DateTime, TimeDelta, Utc};
use hob::clock::Clock;
use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::sync_workspace::{ADA, FOLLOW_UPS, Workspace, only};

/// Each appointment in a calendar has a task of a coach.
const VISITS: &str = r#"
name: visits
sync:
  sides:
    highlevel:
      record: appointment
      with: { calendarId: CALENDAR }
      window: { past: 1d, ahead: 10d }
      every: 10ms
    fitr: { record: task, every: 10ms }
  match: visit
  fields:
    visit: { highlevel: id, fitr: external_id, direction: to-fitr }
    client: { fitr: { field: client_id, value: "{{ 'cl_81d5kq2v' }}" }, direction: to-fitr }
    title: { direction: to-fitr }
  create: to-fitr
  delete: to-fitr
"#;
const REMOVED: &str = "visits/highlevel-to-fitr/removed";

fn in_days(days: i64) -> DateTime<Utc> {
    Clock::system().now() + TimeDelta::days(days)
}

#[test]
fn a_visit_that_is_moved_out_of_the_window_keeps_its_task() {
    let workspace = Workspace::new(&[]);
    let first = |collection: &str| {
        let records = workspace.stand_in.sandbox.records("highlevel", collection, 1).unwrap();
        records[0]["id"].as_str().unwrap().to_owned()
    };
    let (calendar, contact) = (first("calendars"), first("contacts"));
    let text = VISITS.replace("CALENDAR", &calendar);
    std::fs::write(workspace.folder.path().join("recipes/visits.yaml"), text).unwrap();
    workspace.once();
    for (title, days) in [("one", 5), ("two", 6), ("far", 15)] {
        let with = json!({ "calendarId": calendar, "contactId": contact, "title": title, "startTime": in_days(days) });
        workspace.call("calendars.appointments.create", &with);
    }
    workspace.once();
    let task = |title: &str| workspace.find("fitr", "tasks", "title", title);
    assert!(task("one").is_some() && task("two").is_some() && task("far").is_none());
    let visit = |title: &str| workspace.find("highlevel", "events", "title", title).unwrap()["id"].clone();

    workspace
        .call("calendars.appointments.update", &json!({ "eventId": visit("one"), "startTime": in_days(60) }));
    workspace.once();
    assert!(task("one").is_some() && task("two").is_some());
    let status = workspace.hob(&["status"]).code(0).output;
    let line = format!("{REMOVED} on ");
    let section = status.split("moved out of the window").nth(1).unwrap_or_else(|| panic!("{status}"));
    assert!(section.contains(&line) && section.contains(visit("one").as_str().unwrap()), "{status}");

    workspace.call("calendars.events.delete", &json!({ "eventId": visit("two") }));
    assert_eq!(workspace.once(), only(REMOVED, "succeeded"));
    assert!(task("one").is_some() && task("two").is_none());
}

#[test]
fn a_record_that_its_list_does_not_show_is_not_deleted_on_the_other_side() {
    let workspace = Workspace::begun(FOLLOW_UPS);
    workspace.call("contacts.create", &json!({ "firstName": "Ada", "email": ADA }));
    workspace.once();
    let id = workspace.contact()["id"].as_str().unwrap().to_owned();
    let task = || workspace.find("fitr", "tasks", "external_id", &id);
    assert!(task().is_some());
    let hour = FaultKind::Lag(3_600_000);
    let list = Some("contacts.search".to_owned());
    workspace.stand_in.sandbox.add_fault(Fault { operation: list, what: hour, ..Fault::default() });
    let removed = "follow-ups/highlevel-to-fitr/removed";
    let told = |run: &Value| run["recipe"] == removed;
    let mut passes = 0;
    while !workspace.runs().iter().any(told) {
        passes += 1;
        assert!(passes < 5, "the list shows it still");
        workspace.once();
    }
    let shown = workspace.shown("succeeded");
    assert!(shown.contains("the record is still there, although its list does not show it"), "{shown}");
    assert!(task().is_some());
}
