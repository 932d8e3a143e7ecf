//! Whatever happens to a list while it is read, each created record is reported once as new, each last change as
//! changed, each deleted record once as removed, and nothing else; also where answers lack most of a list now and then.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hob::catalog::{Catalog, Paging};
use hob::trigger::Poller;

use crate::business::{Business, LISTS, PAGE, Record};
use crate::fixture::Fixture;

/// Default number of seeds; `HOB_POLL_SEEDS` sets another.
const USUAL: u64 = 24;
/// Polls of each list during changes.
const ROUNDS: usize = 8;
/// Longer than any lag or recheck of late changes.
const REST: [i64; 4] = [30, 301, 301, 301];

/// Reported changes by record, in order: kind and content.
type Told = BTreeMap<String, Vec<(String, u64)>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_a_list_is_reported_once() {
    #[expect(clippy::disallowed_methods, reason = "settings of the tests")]
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds: Vec<u64> = match number("HOB_POLL_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("HOB_POLL_SEEDS").unwrap_or(USUAL)).collect(),
    };
    let catalog = Arc::new(with_small_pages());
    let mut wrong = String::new();
    for pair in seeds.chunks(2) {
        let run = |seed: &u64| (*seed, tokio::spawn(complaints(Arc::clone(&catalog), *seed)));
        let runs: Vec<_> = pair.iter().map(run).collect();
        for (seed, run) in runs {
            let found = run.await.unwrap_or_else(|error| vec![error.to_string()]);
            for complaint in &found {
                let _ = writeln!(wrong, "HOB_POLL_SEED={seed}: {complaint}");
            }
        }
    }
    assert!(wrong.is_empty(), "{} complaints:\n{wrong}", wrong.lines().count());
}

/// The app with shorter pages, so that long lists are read quickly.
fn with_small_pages() -> Catalog {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/connectors/highlevel");
    let names = ["connector", "contacts", "opportunities", "conversations", "calendars", "locations"];
    let files = names.map(|name| {
        let name = format!("{name}.yaml");
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        (name, text.replace("size: 100", &format!("size: {PAGE}")))
    });
    let mut catalog = Catalog::built_in();
    catalog.add_folder("highlevel", files.to_vec()).unwrap();
    let size = |name: &str| match &catalog.operation(name).unwrap().list.as_ref().unwrap().paging {
        Paging::Cursor { size, .. } => *size,
        _ => None,
    };
    assert!(LISTS[..4].iter().all(|name| size(name) == Some(PAGE as u32)));
    catalog
}

/// The trigger of a list's recipe, and whether removals are reported.
fn trigger(business: &Business, list: usize) -> (String, &'static str) {
    let name = LISTS[list];
    let emit = match (list, business.chance(|chance| chance.below(4))) {
        (0, 0..3) => "[new, changed]",
        (1 | 2, 0) => "[new]",
        // Faulty answers lack more than that.
        _ => "[new, changed, removed], removed_limit: 60%",
    };
    let with = match name {
        "contacts.tasks.list" => ", with: { contactId: c }",
        "calendars.events.list" => ", with: { calendarId: c, startTime: \"1\", endTime: \"2\" }",
        _ => "",
    };
    let start = if business.chance(|chance| chance.once_in(3)) { "all" } else { "now" };
    (format!("trigger: {{ poll: {name}, start: {start}, emit: {emit}{with} }}"), emit)
}

struct Watched {
    list: usize,
    name: String,
    trigger: String,
    emit: &'static str,
    poller: Poller,
    /// When its first poll started and ended.
    began: DateTime<Utc>,
    ended: DateTime<Utc>,
}

async fn complaints(catalog: Arc<Catalog>, seed: u64) -> Vec<String> {
    let clock = hob::clock::ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap());
    let business = Business::new(seed, clock.clone());
    let address = business.serve().await;
    let account = ("one", "highlevel", address.as_str(), &[("location", "L")][..]);
    let fixture = &Fixture::at(catalog, &[account], &clock);
    business.set_busy(true);
    let mut watched = Vec::new();
    for list in 0..LISTS.len() {
        let (trigger, emit) = trigger(&business, list);
        let name = format!("r{list}");
        let began = fixture.context.services.clock.now();
        let poller = new_poller(fixture, &name, &trigger);
        let mut one = Watched { list, name, trigger, emit, poller, began, ended: began };
        one.poll(fixture, &business).await;
        one.ended = fixture.context.services.clock.now();
        watched.push(one);
    }
    business.set_faulty(true);
    for _ in 0..ROUNDS {
        for one in &mut watched {
            let pause = business.chance(|chance| chance.below(40_000) as i64);
            clock.advance(TimeDelta::milliseconds(pause));
            for _ in 0..business.chance(|chance| chance.below(6)) {
                business.change(one.list);
            }
            one.poll(fixture, &business).await;
        }
    }
    business.set_busy(false);
    business.set_faulty(false);
    for pause in REST {
        clock.advance(TimeDelta::seconds(pause));
        for one in &mut watched {
            one.poll(fixture, &business).await;
        }
    }
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for run in fixture.runs().await {
        let event = fixture.context.services.journal.run(&run.id).await.unwrap().unwrap().event;
        let rev = event.payload["rev"].as_u64().unwrap_or(0);
        let of_list = told.entry(run.recipe).or_default();
        of_list.entry(event.record.unwrap_or_default()).or_default().push((event.kind.to_string(), rev));
    }
    let mut wrong = Vec::new();
    for one in &watched {
        let told = told.remove(&one.name).unwrap_or_default();
        let about = format!("{} ({:?})", one.trigger, business.look(one.list, |kept| kept.times));
        let found = business.look(one.list, |kept| one.judge(&kept.records, &told));
        wrong.extend(found.into_iter().map(|found| format!("{about}: {found}")));
    }
    wrong
}

fn new_poller(fixture: &Fixture, name: &str, trigger: &str) -> Poller {
    let recipe = fixture.named(name, trigger);
    Poller::all(&recipe, &fixture.context.services).unwrap().remove(0)
}

impl Watched {
    /// Polls until one completes. If a request hangs, the process is killed and restarted.
    async fn poll(&mut self, fixture: &Fixture, business: &Business) {
        loop {
            let polled = tokio::select! {
                polled = self.poller.poll(&fixture.context) => Some(polled.unwrap()),
                () = business.stop.notified() => None,
            };
            match polled {
                Some(polled) => {
                    assert_eq!((polled.error, polled.finished), (None, true), "{}", self.trigger);
                    return;
                }
                None => self.poller = new_poller(fixture, &self.name, &self.trigger),
            }
        }
    }

    fn judge(&self, records: &BTreeMap<String, Record>, told: &Told) -> Vec<String> {
        let mut wrong = Vec::new();
        for (id, told) in told {
            if !records.contains_key(id) {
                wrong.push(format!("{id} was told {told:?}, and never was there"));
            }
        }
        for (id, record) in records {
            let told = told.get(id).map(Vec::as_slice).unwrap_or_default();
            if let Some(complaint) = self.judge_one(record, told) {
                wrong.push(format!(
                    "{id} {complaint}; told {told:?}; polled first {} to {}; {record:?}",
                    self.began, self.ended
                ));
            }
        }
        wrong
    }

    fn judge_one(&self, record: &Record, told: &[(String, u64)]) -> Option<&'static str> {
        let count = |kind: &str| told.iter().filter(|(told, _)| told == kind).count();
        let (new, removed) = (count("new"), count("removed"));
        let all = self.trigger.contains("start: all");
        let before = record.versions[0].made < self.began;
        let after = record.versions[0].made > self.ended;
        let alive = record.deleted.is_none();
        if new > 1 || removed > 1 {
            return Some("is told more than once");
        }
        if before && new > 0 && !all && !record.lagged(self.began) {
            return Some("was there, and is told as new");
        }
        if alive && new == 0 && (after || all) {
            return Some("is not told as new");
        }
        if alive && removed > 0 {
            return Some("is there, and is told as removed");
        }
        let wants = |kind: &str| self.emit.contains(kind);
        let gone = record.deleted.is_some_and(|(deleted, _)| deleted > self.ended);
        // With `start: all`, a record that moved during the first scan and was removed before the next one was never
        // seen.
        let known = new == 1 || before && !all && !record.lagged(self.began);
        if wants("removed") && gone && removed == 0 && known {
            return Some("is gone, and is not told as removed");
        }
        if told.iter().position(|(kind, _)| kind == "removed").is_some_and(|at| at + 1 < told.len()) {
            return Some("is told of after its end");
        }
        let touched = record.last().made >= self.began;
        if !touched && !all && !told.is_empty() && alive && !record.lagged(self.began) {
            return Some("was not touched, and is told");
        }
        let contents: Vec<u64> =
            told.iter().filter(|(kind, _)| kind != "removed").map(|(_, rev)| *rev).collect();
        if !contents.is_sorted_by(|one, next| one < next) {
            return Some("is told with the same or an older content again");
        }
        let changed_since = record.last().made > self.ended;
        if wants("changed") && alive && changed_since && contents.last() != Some(&record.last().rev) {
            return Some("is not told as it is now");
        }
        None
    }
}
