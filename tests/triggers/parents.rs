//! Lists that answer for one parent at a time.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use chrono::TimeDelta;
use hob::event::CursorKey;
use hob::trigger::{Backfill, BackfillOptions, ComparedList, Polled, Poller};
use serde_json::json;

use crate::business::Chance;
use crate::fixture::Fixture;
use crate::studio::{Studio, catalog};

const WITH: &str = "over: studio.clients.list, with: { client: '{{ parent.id }}' }";

struct Watched {
    studio: Arc<Studio>,
    fixture: Fixture,
    trigger: String,
}

impl Watched {
    async fn new(list: &str, clients: usize, notes: usize, fields: &str) -> Self {
        let clock = hob::clock::ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap());
        let studio = Studio::with(&clock, clients, notes);
        Self::of(studio, list, fields).await
    }

    async fn of(studio: Arc<Studio>, list: &str, fields: &str) -> Self {
        let address = studio.serve().await;
        let fixture = Fixture::at(Arc::new(catalog()), &[("one", "studio", &address, &[])], &studio.clock);
        let trigger = format!("trigger: {{ poll: studio.{list}.list, {WITH}{fields} }}");
        Self { studio, fixture, trigger }
    }

    fn poller(&self) -> Poller {
        let recipe = self.fixture.recipe(&self.trigger);
        Poller::all(&recipe, &self.fixture.context.services).unwrap().remove(0)
    }

    /// Polls in a new process, a minute later.
    async fn poll(&self) -> Polled {
        self.studio.clock.advance(TimeDelta::seconds(60));
        self.poller().poll(&self.fixture.context).await.unwrap()
    }

    /// Polls to the end; returns the requests.
    async fn requests(&self) -> Vec<String> {
        let polled = self.poll().await;
        assert_eq!((polled.error, polled.finished), (None, true));
        self.studio.take_requests()
    }

    /// Polls until the request with this number, where the process is killed; whether it came to it.
    async fn killed_at(&self, request: usize) -> bool {
        self.studio.take_requests();
        self.studio.hang_at.store(request, Ordering::SeqCst);
        let poller = self.poller();
        let killed = tokio::select! {
            polled = poller.poll(&self.fixture.context) => { polled.unwrap(); false }
            () = self.studio.hangs.notified() => true,
        };
        self.studio.hang_at.store(0, Ordering::SeqCst);
        killed
    }

    async fn told(&self) -> Vec<String> {
        let changes = self.fixture.changes().await;
        changes.into_iter().map(|(kind, record)| format!("{kind} {record}")).collect()
    }
}

#[tokio::test]
async fn each_parent_is_asked_and_the_event_has_it() {
    let watched = Watched::new("plain", 4, 1, "").await;
    // Two pages of clients and the notes of each; the first pass is repeated, because clients may have moved.
    assert_eq!(watched.requests().await.len(), 2 + 8 + 2);
    assert_eq!(watched.told().await, [""; 0], "what exists is known");
    let asked = watched.requests().await;
    let of_notes = asked.iter().filter(|request| request.starts_with("notes")).count();
    assert_eq!((asked.len(), of_notes), (2 + 8, 8), "one page, and one to see its end, for each of four");
    watched.studio.add_note("cl0002");
    let polled = watched.poll().await;
    assert_eq!((polled.events, polled.pages), (1, 10));
    assert_eq!(watched.told().await, ["new cl0002/n001"]);
    let payload = watched.fixture.payload().await;
    assert_eq!((&payload["id"], &payload["parent"]["name"]), (&json!("n001"), &json!("Client cl0002")));
    let new = watched.studio.add_client();
    watched.studio.add_note(&new);
    watched.studio.change_note("cl0000", "n000");
    watched.poll().await;
    assert_eq!(
        watched.told().await[1..],
        ["changed cl0000/n000", &format!("new {new}/n000")],
        "equal ids of two parents are two records, and what a new parent has is new"
    );
}

#[tokio::test]
async fn where_parents_tell_only_changed_ones_are_asked() {
    let watched = Watched::new("notes", 7, 1, "").await;
    watched.requests().await;
    watched.studio.clock.advance(TimeDelta::minutes(10));
    watched.studio.add_note("cl0006");
    // The clients that were all made at once are read once more for late changes among them.
    for _ in 0..3 {
        watched.requests().await;
    }
    for _ in 0..5 {
        assert_eq!(watched.requests().await, ["clients"], "a quiet poll");
    }
    watched.studio.add_note("cl0003");
    watched.studio.clock.advance(TimeDelta::minutes(1));
    watched.studio.change_note("cl0005", "n000");
    let notes = |id: &str| format!("notes of {id}");
    let each = [notes("cl0005"), notes("cl0005"), notes("cl0003"), notes("cl0003")];
    assert_eq!(watched.requests().await, [&["clients".to_owned()][..], &each].concat());
    let told = ["new cl0006/n001", "changed cl0005/n000", "new cl0003/n001"];
    assert_eq!(watched.told().await, told);
    // A day later, all of them.
    watched.studio.clock.advance(TimeDelta::hours(24));
    let asked = watched.requests().await;
    assert_eq!(asked.iter().filter(|request| *request == "clients").count(), 3);
    assert!((0..7).all(|n| asked.contains(&notes(&format!("cl{n:04}")))), "{asked:?}");
    assert_eq!(watched.requests().await, ["clients"]);
    assert_eq!(watched.told().await.len(), 3);
}

#[tokio::test]
async fn removed_records_need_a_pass_over_all_parents() {
    let emit = ", emit: [new, removed], removed_limit: 100%";
    let watched = Watched::new("notes", 5, 3, emit).await;
    watched.requests().await;
    watched.studio.remove_note("cl0001", "n000");
    watched.studio.remove_client("cl0003");
    watched.studio.clients.lock().unwrap().get_mut("cl0004").unwrap().refused = Some(StatusCode::FORBIDDEN);
    let polled = watched.poll().await;
    assert_eq!((polled.error, polled.finished, polled.events), (None, true, 0), "one parent was not read");
    let cursor =
        watched.fixture.context.services.journal.cursor(watched.poller().key()).await.unwrap().unwrap();
    let last = cursor.over.last.unwrap();
    assert_eq!((last.complete, last.asked, last.skipped), (true, 3, 1));
    assert!(last.reason.unwrap().contains("403"));
    watched.studio.clients.lock().unwrap().get_mut("cl0004").unwrap().refused = None;
    watched.poll().await;
    let mut told = watched.told().await;
    told.sort();
    let gone = ["cl0001/n000", "cl0003/n000", "cl0003/n001", "cl0003/n002"];
    assert_eq!(told, gone.map(|record| format!("removed {record}")));
    assert_eq!(watched.poll().await.events, 0);
    let run = &watched.fixture.runs().await[0];
    let event = watched.fixture.context.services.journal.run(&run.id).await.unwrap().unwrap().event;
    let ids = event.record.unwrap();
    let (parent, own) = ids.split_once('/').unwrap();
    assert_eq!(event.payload, json!({ "id": own, "parent": { "id": parent } }));
}

#[tokio::test]
async fn a_parent_that_is_gone_or_refused_stops_nothing_and_a_fault_of_all_does() {
    let watched = Watched::new("plain", 4, 1, ", start: all").await;
    let refuse = |id: &str, status| {
        watched.studio.clients.lock().unwrap().get_mut(id).unwrap().refused = status;
    };
    refuse("cl0001", Some(StatusCode::NOT_FOUND));
    refuse("cl0002", Some(StatusCode::UNPROCESSABLE_ENTITY));
    let polled = watched.poll().await;
    assert_eq!((polled.error, polled.events), (None, 2));
    refuse("cl0001", None);
    refuse("cl0002", None);
    assert_eq!(watched.poll().await.events, 2, "they are asked again");
    for id in ["cl0000", "cl0001", "cl0002", "cl0003"] {
        refuse(id, Some(StatusCode::FORBIDDEN));
    }
    let polled = watched.poll().await;
    assert!(!polled.finished);
    let error = polled.error.unwrap();
    assert!(error.contains("none of the lists of 4 parents can be read") && error.contains("403"), "{error}");
    for id in ["cl0000", "cl0001", "cl0002", "cl0003"] {
        refuse(id, None);
    }
    watched.studio.add_note("cl0001");
    assert_eq!(watched.poll().await.events, 1);
}

#[tokio::test]
async fn a_parent_that_the_first_pass_could_not_read_has_its_first_pass_later() {
    for list in ["plain", "notes"] {
        let watched = Watched::new(list, 4, 3, "").await;
        let refuse = |id: &str, status| {
            watched.studio.clients.lock().unwrap().get_mut(id).unwrap().refused = status;
        };
        refuse("cl0001", Some(StatusCode::FORBIDDEN));
        refuse("cl0002", Some(StatusCode::FORBIDDEN));
        for _ in 0..2 {
            let polled = watched.poll().await;
            assert_eq!((polled.error, polled.events), (None, 0));
        }
        // Killed within the list of a parent that is read at last: it is read on as it began.
        refuse("cl0001", None);
        watched.studio.add_note("cl0003");
        let mut request = 2;
        while watched.killed_at(request).await {
            request += 1;
        }
        assert_eq!(watched.told().await, ["new cl0003/n003"], "{list}");
        watched.studio.add_note("cl0001");
        watched.poll().await;
        refuse("cl0002", None);
        // Where parents tell of changes, one that does not change is asked again with all others, once a day.
        watched.studio.clock.advance(TimeDelta::hours(24));
        watched.poll().await;
        // One that is made later is new with all its records, also if it is refused at first.
        let late = watched.studio.add_client();
        watched.studio.add_note(&late);
        refuse(&late, Some(StatusCode::FORBIDDEN));
        watched.poll().await;
        refuse(&late, None);
        watched.studio.add_note("cl0002");
        for _ in 0..3 {
            watched.poll().await;
        }
        let mut told = watched.told().await;
        told.sort();
        let wanted = ["new cl0001/n003", "new cl0002/n003", "new cl0003/n003", "new cl0004/n000"];
        assert_eq!(told, wanted, "{list}");
    }
}

#[tokio::test]
async fn a_killed_pass_goes_on_where_it_was() {
    let watched = Watched::new("plain", 6, 3, ", start: all").await;
    // Within the second page of the notes of the fifth client.
    assert!(watched.killed_at(1 + 3 * 3 + 1 + 3 + 2).await);
    assert_eq!(watched.fixture.runs().await.len(), 4 * 3 + 2);
    let (fifth, sixth) = ("notes of cl0004", "notes of cl0005");
    watched.studio.take_requests();
    let left = ["clients", fifth, fifth, sixth, sixth, sixth, "clients"];
    assert_eq!(watched.requests().await, left, "what is left");
    assert_eq!(watched.fixture.records().await.len(), 18);
    let key = CursorKey::new("r", &["one".to_owned()]);
    assert_eq!(watched.poller().key(), &key);
}

#[tokio::test]
async fn backfills_read_all_parents() {
    let watched = Watched::new("notes", 4, 3, "").await;
    // Clients that were all made at once are read once more for late changes among them.
    for _ in 0..4 {
        watched.requests().await;
    }
    assert_eq!(watched.told().await, [""; 0]);
    let recipe = watched.fixture.recipe(&watched.trigger);
    let context = &watched.fixture.context;
    let backfills = Backfill::all(&recipe, &BackfillOptions::default(), context).await.unwrap();
    assert_eq!(backfills.len(), 1);
    let read = backfills[0].read(context).await.unwrap();
    assert_eq!((read.events, read.finished), (12, true));
    watched.studio.take_requests();
    assert_eq!(watched.requests().await, ["clients"], "the poll has kept its position");
}

#[tokio::test]
async fn an_audit_asks_each_parent_and_makes_what_is_missing() {
    for list in ["plain", "notes"] {
        let watched = Watched::new(list, 4, 3, "").await;
        let refuse = |id: &str, status| {
            watched.studio.clients.lock().unwrap().get_mut(id).unwrap().refused = status;
        };
        refuse("cl0003", Some(StatusCode::FORBIDDEN));
        watched.poll().await;
        watched.studio.clock.advance(TimeDelta::seconds(60));
        let late = watched.studio.add_client();
        watched.studio.add_note(&late);
        watched.studio.add_note("cl0000");
        watched.studio.change_note("cl0001", "n001");
        refuse("cl0003", None);
        refuse("cl0002", Some(StatusCode::FORBIDDEN));
        let recipe = watched.fixture.recipe(&watched.trigger);
        let context = &watched.fixture.context;
        let audited = ComparedList::all(&recipe, &recipe.accounts()[0], &context.services).unwrap().remove(0);
        let mut comparison = audited.open(context, None).await.unwrap();
        let (mut records, mut unseen) = (0, Vec::new());
        let error = loop {
            match comparison.next().await {
                Ok(Some(page)) => {
                    records += page.records.len();
                    unseen.extend(page.unseen);
                }
                Ok(None) => panic!("a list could not be read"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("for 1 of its parents; the last one: ") && error.contains("403"), "{error}");
        let mut missed: Vec<&str> = unseen.iter().map(|unseen| unseen.record.as_str()).collect();
        missed.sort_unstable();
        // What no poll could read so far may have been there before.
        assert_eq!(
            (records, missed),
            (4 + 3 + 1, vec!["cl0000/n003", "cl0001/n001", "cl0004/n000"]),
            "{list}"
        );
        for missed in &unseen {
            assert!(audited.mend(missed, context).await.unwrap());
        }
        refuse("cl0002", None);
        watched.poll().await;
        let mut told = watched.told().await;
        told.sort();
        assert_eq!(told, ["changed cl0001/n001", "new cl0000/n003", "new cl0004/n000"], "{list}: each once");
        let run = &watched.fixture.runs().await[0];
        let event = context.services.journal.run(&run.id).await.unwrap().unwrap().event;
        assert!(event.payload["parent"]["id"].is_string(), "{}", event.payload);
    }
}

/// Random changes, also while the lists are read, and kills at random requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_told_once_through_kills() {
    #[expect(clippy::disallowed_methods, reason = "a setting of the test")]
    let seeds = std::env::var("HOB_PARENT_SEEDS").map_or(8, |seeds| seeds.parse::<u64>().unwrap());
    let mut wrong = String::new();
    for seed in 1..=seeds {
        for complaint in complaints(seed).await {
            let _ = writeln!(wrong, "seed {seed}: {complaint}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

async fn complaints(seed: u64) -> Vec<String> {
    let mut chance = Chance(seed);
    let list = if chance.once_in(2) { "notes" } else { "plain" };
    let removes = chance.once_in(2);
    let emit = if removes { ", emit: [new, changed, removed], removed_limit: 100%" } else { "" };
    let all = chance.once_in(2);
    let start = if all { ", start: all" } else { "" };
    let clock = hob::clock::ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap());
    let (clients, notes) = (2 + chance.below(7) as usize, chance.below(5) as usize);
    let studio = Studio::with(&clock, clients, notes);
    let watched = Watched::of(Arc::clone(&studio), list, &format!("{emit}{start}")).await;
    let existing = contents(&studio);
    // Without changes meanwhile, so that what existed at the first poll is known.
    while chance.once_in(2) && watched.killed_at(1 + chance.below(12) as usize).await {}
    watched.requests().await;
    for _ in 0..12 {
        *studio.busy.lock().unwrap() = Some(Chance(chance.next()));
        for _ in 0..chance.below(4) {
            studio.change_something(&mut chance);
        }
        clock.advance(TimeDelta::milliseconds(chance.below(90_000) as i64));
        if chance.once_in(2) {
            watched.killed_at(1 + chance.below(20) as usize).await;
        } else {
            watched.poll().await;
        }
    }
    *studio.busy.lock().unwrap() = None;
    for rest in [1, 70, 70, 25 * 3600, 70] {
        clock.advance(TimeDelta::seconds(rest));
        let polled = watched.poll().await;
        assert_eq!((polled.error, polled.finished), (None, true), "seed {seed}");
    }
    let mut told: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    for run in watched.fixture.runs().await {
        let event = watched.fixture.context.services.journal.run(&run.id).await.unwrap().unwrap().event;
        let (record, rev) = (event.record.unwrap(), event.payload["rev"].as_u64().unwrap_or(0));
        let parent = event.payload["parent"]["id"].as_str().unwrap();
        assert_eq!(record, format!("{parent}/{}", event.payload["id"].as_str().unwrap()));
        told.entry(record).or_default().push((event.kind.to_string(), rev));
    }
    let now = contents(&studio);
    let mut wrong = Vec::new();
    for record in existing.keys().chain(now.keys()).chain(told.keys()) {
        let mut told = told.get(record).cloned().unwrap_or_default();
        let known = existing.get(record).filter(|_| !all);
        let last =
            told.iter().rev().find(|(kind, _)| kind != "removed").map(|(_, rev)| *rev).or(known.copied());
        let says = format!(
            "{record}: existed {known:?}, is {:?}, told {told:?} ({list}{emit}{start})",
            now.get(record)
        );
        let ended = told.last().is_some_and(|(kind, _)| kind == "removed");
        let was_seen = known.is_some() || told.iter().any(|(kind, _)| kind != "removed");
        let is_here = now.contains_key(record);
        if is_here && ended || removes && was_seen && !is_here && !ended {
            wrong.push(format!("removed wrongly or not: {says}"));
        }
        if now.get(record).is_some_and(|rev| Some(*rev) != last) {
            wrong.push(format!("not up to date: {says}"));
        }
        if told.iter().filter(|(kind, _)| kind == "new").count() > usize::from(known.is_none()) {
            wrong.push(format!("new twice: {says}"));
        }
        let count = told.len();
        told.sort();
        told.dedup();
        if told.len() != count {
            wrong.push(format!("told twice: {says}"));
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

/// The revision of each note.
fn contents(studio: &Studio) -> BTreeMap<String, u64> {
    let clients = studio.clients.lock().unwrap();
    let notes = clients
        .iter()
        .flat_map(|(id, client)| client.notes.iter().map(move |(note, rev)| (format!("{id}/{note}"), *rev)));
    notes.collect()
}
