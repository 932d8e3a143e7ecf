//! Lists that answer only for a window of time, which moves along with the polls.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hob::catalog::Catalog;
use hob::clock::ManualClock;
use hob::connection::Credential;
use hob::sandbox::{Budget, Fault, FaultKind, Options, RunningSandbox, Sandbox};
use hob::secret::Secret;
use hob::trigger::{Backfill, BackfillOptions, ComparedList, Polled, Poller};
use serde_json::{Value, json};

use crate::fixture::Fixture;

/// Where no appointment of the stand-in is.
const START: &str = "2031-03-03T12:00:00Z";
const TRIGGER: &str =
    "trigger: { poll: calendars.events.list, emit: [new, changed, removed], with: { calendarId: CALENDAR } }";

/// A calendar of the stand-in, at a time of its own.
struct Calendar {
    sandbox: Sandbox,
    _running: RunningSandbox,
    address: String,
    token: String,
    fixture: Fixture,
    id: String,
    contact: String,
}

impl Calendar {
    async fn new() -> Self {
        let manual = ManualClock::new(START.parse().unwrap());
        let catalog = Arc::new(Catalog::built_in());
        let options = Options {
            budget: Budget::Unlimited,
            clock: manual.clock(),
            log: usize::MAX,
            ..Options::default()
        };
        let sandbox = Sandbox::new(Arc::clone(&catalog), options).unwrap();
        let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = running.base_url("highlevel");
        let token = sandbox.credential("highlevel").unwrap()["token"].as_str().unwrap().to_owned();
        let settings = sandbox.settings("highlevel");
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let account = ("one", "highlevel", address.as_str(), &settings[..]);
        let credential = Credential::Bearer(Secret::new(token.clone()));
        let fixture = Fixture::with_credential(Catalog::built_in(), &[account], credential);
        fixture.clock.advance(day(0) - fixture.clock.clock().now());
        let first = |collection: &str| {
            let records = sandbox.records("highlevel", collection, 1).unwrap();
            records[0]["id"].as_str().unwrap().to_owned()
        };
        let (id, contact) = (first("calendars"), first("contacts"));
        Self { sandbox, _running: running, address, token, fixture, id, contact }
    }

    fn trigger(&self, text: &str) -> String {
        text.replace("CALENDAR", &self.id)
    }

    /// Polls in a new process.
    async fn poll(&self, text: &str) -> Polled {
        let recipe = self.fixture.recipe(&self.trigger(text));
        let poller = Poller::all(&recipe, &self.fixture.context.services).unwrap().remove(0);
        let polled = poller.poll(&self.fixture.context).await.unwrap();
        assert_eq!((polled.error.clone(), polled.finished), (None, true));
        polled
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let request = reqwest::Client::new()
            .request(method, format!("{}/calendars/events/{path}", self.address))
            .bearer_auth(&self.token)
            .header("version", "2021-04-15")
            .json(body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// An appointment so many days after the start.
    async fn book(&self, days: i64) -> String {
        let body = json!({
            "calendarId": self.id,
            "contactId": self.contact,
            "locationId": self.sandbox.settings("highlevel")["location"],
            "startTime": day(days),
        });
        let booked = self.send(reqwest::Method::POST, "appointments", &body).await;
        booked["id"].as_str().unwrap().to_owned()
    }

    async fn reschedule(&self, id: &str, days: i64) {
        let body = json!({ "startTime": day(days) });
        self.send(reqwest::Method::PUT, &format!("appointments/{id}"), &body).await;
    }

    async fn delete(&self, id: &str) {
        self.send(reqwest::Method::DELETE, id, &json!({})).await;
    }

    fn advance(&self, days: i64) {
        self.fixture.clock.advance(TimeDelta::days(days));
    }
}

fn day(days: i64) -> DateTime<Utc> {
    START.parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(days)
}

fn change(kind: &str, id: &str) -> (String, String) {
    (kind.to_owned(), id.to_owned())
}

#[tokio::test]
async fn what_leaves_the_window_is_not_removed_and_what_enters_it_is_new() {
    let calendar = Calendar::new().await;
    let (soon, later) = (calendar.book(1).await, calendar.book(40).await);
    let others = [calendar.book(20).await, calendar.book(21).await];
    assert_eq!(calendar.poll(TRIGGER).await.events, 0, "`start: now`");
    calendar.reschedule(&soon, 2).await;
    calendar.poll(TRIGGER).await;
    // By the passing of time: one has left the window, and another has come into it.
    calendar.advance(12);
    calendar.poll(TRIGGER).await;
    assert_eq!(calendar.poll(TRIGGER).await.events, 0);
    calendar.delete(&others[0]).await;
    calendar.poll(TRIGGER).await;
    let seen = [change("changed", &soon), change("new", &later), change("removed", &others[0])];
    assert_eq!(calendar.fixture.changes().await, seen);
    // It was forgotten, so its loss is none.
    calendar.delete(&soon).await;
    assert_eq!(calendar.poll(TRIGGER).await.events, 0);
}

#[tokio::test]
async fn a_record_that_is_moved_out_of_the_window_is_told_from_a_removed_one_by_its_id() {
    let calendar = Calendar::new().await;
    let mut booked = Vec::new();
    for days in 1..6 {
        booked.push(calendar.book(days).await);
    }
    calendar.poll(TRIGGER).await;
    calendar.reschedule(&booked[0], 90).await;
    calendar.reschedule(&booked[1], -30).await;
    calendar.delete(&booked[2]).await;
    let reads = || calendar.sandbox.totals().1.get("calendars.appointments.get").copied().unwrap_or_default();
    let polled = calendar.poll(TRIGGER).await;
    assert_eq!((polled.events, polled.moved, reads()), (1, 2, 3));
    assert_eq!(calendar.fixture.changes().await, [change("removed", &booked[2])]);
    let cursors = calendar.fixture.context.services.journal.cursors().await.unwrap();
    let moved = cursors[0].moved.clone().unwrap();
    assert_eq!((moved.count, booked[..2].contains(&moved.record)), (2, true));
    // They are forgotten: nothing is read again, and one that comes back is new.
    calendar.reschedule(&booked[0], 3).await;
    let polled = calendar.poll(TRIGGER).await;
    assert_eq!((polled.events, polled.moved, reads()), (1, 0, 3));
    let changes = calendar.fixture.changes().await;
    assert_eq!(changes.last(), Some(&change("new", &booked[0])));
    // What was found stays to be looked up.
    let cursors = calendar.fixture.context.services.journal.cursors().await.unwrap();
    assert_eq!(cursors[0].moved.as_ref().map(|moved| moved.count), Some(2));
}

#[tokio::test]
async fn nothing_counts_as_removed_that_cannot_be_looked_up() {
    let calendar = Calendar::new().await;
    let gone = calendar.book(1).await;
    calendar.book(2).await;
    calendar.book(3).await;
    calendar.poll(TRIGGER).await;
    calendar.delete(&gone).await;
    calendar.sandbox.add_fault(Fault {
        operation: Some("calendars.appointments.get".into()),
        times: Some(1),
        what: FaultKind::Status { status: 403, body: None, headers: Vec::new() },
        ..Fault::default()
    });
    let fresh = calendar.book(4).await;
    let recipe = calendar.fixture.recipe(&calendar.trigger(TRIGGER));
    let poller = Poller::all(&recipe, &calendar.fixture.context.services).unwrap().remove(0);
    let polled = poller.poll(&calendar.fixture.context).await.unwrap();
    let error = polled.error.unwrap();
    assert!(error.contains(&format!("whether `{gone}` is still there")) && error.contains("403"), "{error}");
    assert_eq!(calendar.fixture.changes().await, [change("new", &fresh)], "others go on");
    calendar.poll(TRIGGER).await;
    assert_eq!(calendar.fixture.changes().await, [change("new", &fresh), change("removed", &gone)]);
}

#[tokio::test]
async fn the_guard_does_not_count_what_left_the_window() {
    let calendar = Calendar::new().await;
    for days in [1, 1, 1, 1, 1, 1, 1, 1, 20, 21] {
        calendar.book(days).await;
    }
    assert_eq!(calendar.poll(TRIGGER).await.items, 10);
    calendar.advance(5);
    let polled = calendar.poll(TRIGGER).await;
    assert_eq!((polled.items, polled.events, polled.withheld), (2, 0, None));
    let left: Vec<Value> = calendar.sandbox.records("highlevel", "events", 1000).unwrap();
    let left = left.iter().filter(|event| event["startTime"].as_str().unwrap() > "2031-03-10");
    for event in left {
        calendar.delete(event["id"].as_str().unwrap()).await;
    }
    let withheld = calendar.poll(TRIGGER).await.withheld.unwrap();
    assert_eq!((withheld.missing, withheld.known), (2, 2), "all that are known are gone");
}

#[tokio::test]
async fn a_recipe_sets_the_width_and_a_quiet_poll_is_one_request() {
    let calendar = Calendar::new().await;
    let (before, after) = (calendar.book(-5).await, calendar.book(50).await);
    let wide = TRIGGER.replace(", with", ", start: all, window: { past: 7d, ahead: 60d }, with");
    calendar.poll(&wide).await;
    let mut seen = calendar.fixture.changes().await;
    let mut booked = [change("new", &before), change("new", &after)];
    seen.sort();
    booked.sort();
    assert_eq!(seen, booked);
    let sent = calendar.sandbox.totals().0;
    assert_eq!(calendar.poll(&wide).await.events, 0);
    assert_eq!(calendar.sandbox.totals().0 - sent, 1);
    // With another width, what existed counts as it did at the first poll.
    calendar.poll(TRIGGER).await;
    assert_eq!(calendar.fixture.changes().await, seen);
}

#[tokio::test]
async fn a_backfill_walks_from_window_to_window() {
    let calendar = Calendar::new().await;
    let trigger = TRIGGER.replace(", removed", "");
    calendar.poll(&trigger).await;
    let mut booked = vec![calendar.book(-80).await, calendar.book(-40).await, calendar.book(10).await];
    calendar.book(-200).await;
    let recipe = calendar.fixture.recipe(&calendar.trigger(&trigger));
    let since = Some(day(-100));
    let options = BackfillOptions { since, ..BackfillOptions::default() };
    let context = &calendar.fixture.context;
    let sent = calendar.sandbox.totals().0;
    let list = Backfill::all(&recipe, &options, context).await.unwrap().remove(0);
    let read = list.read(context).await.unwrap();
    // Twice, as every list that takes several requests: a record may move meanwhile.
    assert_eq!((read.error, read.finished, read.items), (None, true, 6));
    // 130 days in parts of 31.
    assert_eq!((read.pages, calendar.sandbox.totals().0 - sent), (10, 10));
    booked.sort();
    assert_eq!(calendar.fixture.records().await, booked);
}

#[tokio::test]
async fn an_audit_compares_the_window_that_was_polled() {
    let calendar = Calendar::new().await;
    let known = calendar.book(3).await;
    calendar.book(31).await;
    calendar.poll(TRIGGER).await;
    // The second one comes into the window, and is not due: the next poll has not been.
    calendar.advance(2);
    let missed = calendar.book(5).await;
    let recipe = calendar.fixture.recipe(&calendar.trigger(TRIGGER));
    let services = &calendar.fixture.context.services;
    let list = ComparedList::all(&recipe, &recipe.accounts()[0], services).unwrap().remove(0);
    let mut comparison = list.open(&calendar.fixture.context, None).await.unwrap();
    let page = comparison.next().await.unwrap().unwrap();
    let records: Vec<&str> = page.records.iter().map(|(record, _)| record.as_str()).collect();
    assert_eq!(records, [known.as_str(), missed.as_str()]);
    let unseen: Vec<&str> = page.unseen.iter().map(|unseen| unseen.record.as_str()).collect();
    assert_eq!(unseen, [missed.as_str()]);
}
