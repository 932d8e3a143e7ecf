//! A server with six lists that keep changing, also between the requests of a poll: with times in any order, an index
//! that lags, and a poller that is stopped at any page. Randomised, from one seed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use hob::clock::ManualClock;
use serde_json::{Value, json};

/// The longest lag of a list.
const MAX_LAG: i64 = 25_000;
/// How long before a change its record's time may be.
const LATEST: i64 = 10_000;

/// The lists, as the app names them.
pub const LISTS: [&str; 6] = [
    "contacts.search",
    "contacts.list",
    "opportunities.search",
    "conversations.search",
    "contacts.tasks.list",
    "calendars.events.list",
];

const CONVERSATIONS: usize = 3;
const TASKS: usize = 4;
const EVENTS: usize = 5;
/// Lists of at least this many records have faulty answers.
const MANY: usize = 16;

/// Records per page, if there are pages.
pub const PAGE: u64 = 20;

/// Pseudo-random numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// One time in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// How a list writes times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    Milliseconds,
    Seconds,
    None,
}

/// A version of a record.
#[derive(Debug, Clone)]
pub struct Version {
    pub rev: u64,
    /// The record's updated time.
    pub updated: DateTime<Utc>,
    /// When the change was made.
    pub made: DateTime<Utc>,
    /// When the list shows it.
    shown: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub struct Record {
    /// The record's created time.
    pub created: DateTime<Utc>,
    pub versions: Vec<Version>,
    /// When it was deleted, and when the list shows that.
    pub deleted: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Record {
    /// Whether the list showed it after `time` only.
    pub fn lagged(&self, time: DateTime<Utc>) -> bool {
        self.versions[0].shown > time
    }

    pub fn last(&self) -> &Version {
        self.versions.last().unwrap()
    }
}

/// A list.
#[derive(Debug)]
pub struct Kept {
    pub times: Times,
    pub records: BTreeMap<String, Record>,
    lags: bool,
    made: u64,
}

#[derive(Debug)]
struct Inner {
    chance: Chance,
    lists: Vec<Kept>,
    busy: bool,
    faulty: bool,
}

/// The simulated app. Clones share it.
#[derive(Clone)]
pub struct Business {
    inner: Arc<Mutex<Inner>>,
    clock: ManualClock,
    /// Notified of each request that is never answered.
    pub stop: Arc<tokio::sync::Notify>,
}

impl Business {
    pub fn new(seed: u64, clock: ManualClock) -> Self {
        let mut chance = Chance(seed);
        let now = clock.clock().now();
        let lists = LISTS.map(|_| {
            let times = match chance.below(5) {
                0 => Times::None,
                1 | 2 => Times::Seconds,
                _ => Times::Milliseconds,
            };
            let mut kept = Kept { times, records: BTreeMap::new(), lags: chance.once_in(2), made: 0 };
            for _ in 0..PAGE / 2 + chance.below(3 * PAGE) {
                let age = TimeDelta::milliseconds(60_000 + chance.below(40_000_000) as i64);
                kept.add(now - age, now - age, now - age);
            }
            kept
        });
        let inner = Inner { chance, lists: lists.into_iter().collect(), busy: false, faulty: false };
        Self { inner: Arc::new(Mutex::new(inner)), clock, stop: Arc::default() }
    }

    /// Whether it changes while it is read, and requests may hang.
    pub fn set_busy(&self, busy: bool) {
        self.inner.lock().unwrap().busy = busy;
    }

    /// Whether it answers with an empty or cut list now and then.
    pub fn set_faulty(&self, faulty: bool) {
        self.inner.lock().unwrap().faulty = faulty;
    }

    pub fn chance<T>(&self, draw: impl FnOnce(&mut Chance) -> T) -> T {
        draw(&mut self.inner.lock().unwrap().chance)
    }

    /// Number of changes of a list.
    pub fn change(&self, list: usize) {
        let now = self.clock.clock().now();
        let mut inner = self.inner.lock().unwrap();
        let Inner { chance, lists, .. } = &mut *inner;
        // If more than a page of conversations share one time, the API hides the others.
        let most = if list == CONVERSATIONS { 4 } else { PAGE + PAGE / 2 };
        lists[list].change(chance, now, most);
    }

    pub fn look<T>(&self, list: usize, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.inner.lock().unwrap().lists[list])
    }

    pub async fn serve(&self) -> String {
        let router = Router::new()
            .route("/contacts/search", any(search))
            .route("/contacts/", get(contacts))
            .route("/contacts/{id}/tasks", get(tasks))
            .route("/opportunities/search", get(opportunities))
            .route("/conversations/search", get(conversations))
            .route("/calendars/events", get(events))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// Answers `page` of the list's rows, unless the poller is stopped here. Faulty answers lack most of a long list.
    async fn answer(
        &self,
        list: usize,
        first: bool,
        page: impl FnOnce(&Kept, Vec<Row>) -> Value,
    ) -> Response {
        let now = self.clock.clock().now();
        let (body, pause) = {
            let mut inner = self.inner.lock().unwrap();
            if inner.busy && inner.chance.once_in(24) {
                (None, 0)
            } else {
                let Inner { chance, lists, faulty, .. } = &mut *inner;
                let kept = &lists[list];
                let mut rows = kept.rows(now);
                if *faulty && first && rows.len() >= MANY && chance.once_in(8) {
                    let unpaged = list == TASKS || list == EVENTS;
                    rows.truncate(if unpaged { chance.below(MANY as u64 / 4) as usize } else { 0 });
                }
                let body = page(kept, rows);
                let pause = if inner.busy { inner.chance.below(900) as i64 } else { 0 };
                (Some(body), pause)
            }
        };
        let Some(body) = body else {
            self.stop.notify_one();
            return std::future::pending().await;
        };
        self.clock.advance(TimeDelta::milliseconds(pause));
        while self.inner.lock().unwrap().busy && self.chance(|chance| chance.once_in(2)) {
            self.change(list);
        }
        Json(body).into_response()
    }
}

/// A record as a list shows it.
#[derive(Debug)]
struct Row {
    id: String,
    created: i64,
    updated: i64,
    rev: u64,
}

impl Kept {
    fn add(&mut self, made: DateTime<Utc>, told: DateTime<Utc>, shown: DateTime<Utc>) {
        self.made += 1;
        // In no particular order.
        let id = format!("r{:05}", (self.made * 7_919) % 99_991);
        let version = Version { rev: 1, updated: told, made, shown };
        self.records.insert(id, Record { created: told, versions: vec![version], deleted: None });
    }

    fn change(&mut self, chance: &mut Chance, now: DateTime<Utc>, most: u64) {
        let lag = if self.lags && chance.once_in(2) { chance.below(MAX_LAG as u64) as i64 } else { 0 };
        let late = if chance.once_in(3) { chance.below(LATEST as u64) as i64 } else { 0 };
        let (told, shown) = (now - TimeDelta::milliseconds(late), now + TimeDelta::milliseconds(lag));
        let alive: Vec<String> = self
            .records
            .iter()
            .filter(|(_, record)| record.deleted.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        match chance.below(20) {
            0..4 => self.add(now, told, shown),
            // Several at once, with one time.
            4 => (0..1 + chance.below(most.min(PAGE / 3))).for_each(|_| self.add(now, told, shown)),
            5 => {
                let from = chance.below(alive.len() as u64) as usize;
                let most = if chance.once_in(4) { most } else { most.min(PAGE / 3) };
                let count = 1 + chance.below(most) as usize;
                alive.iter().skip(from).take(count).for_each(|id| self.update(id, now, told, shown));
            }
            6..9 => {
                let id = &alive[chance.below(alive.len() as u64) as usize];
                let record = self.records.get_mut(id).unwrap();
                record.deleted = Some((now, shown.max(record.last().shown)));
            }
            _ => {
                let id = &alive[chance.below(alive.len() as u64) as usize];
                self.update(id, now, told, shown);
                // A second change at the same time.
                if chance.once_in(4) {
                    self.update(id, now, told, shown + TimeDelta::milliseconds(chance.below(900) as i64));
                }
            }
        }
    }

    fn update(&mut self, id: &str, now: DateTime<Utc>, told: DateTime<Utc>, shown: DateTime<Utc>) {
        let record = self.records.get_mut(id).unwrap();
        let last = record.last();
        let version = Version {
            rev: last.rev + 1,
            updated: told.max(last.updated),
            made: now,
            shown: shown.max(last.shown),
        };
        record.versions.push(version);
    }

    fn rows(&self, now: DateTime<Utc>) -> Vec<Row> {
        let row = |(id, record): (&String, &Record)| {
            if record.deleted.is_some_and(|(_, shown)| shown <= now) {
                return None;
            }
            let version = record.versions.iter().rev().find(|version| version.shown <= now)?;
            let told = |time: DateTime<Utc>| match self.times {
                Times::Seconds => time.timestamp() * 1000,
                _ => time.timestamp_millis(),
            };
            Some(Row {
                id: id.clone(),
                created: told(record.created),
                updated: told(version.updated),
                rev: version.rev,
            })
        };
        self.records.iter().filter_map(row).collect()
    }

    fn time(&self, time: i64) -> Value {
        let time = DateTime::from_timestamp_millis(time).unwrap();
        match self.times {
            Times::None => Value::Null,
            Times::Seconds => json!(time.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Times::Milliseconds => json!(time.to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
    }

    fn item(&self, row: &Row, created: &str, updated: &str) -> Value {
        let mut item = json!({ "id": row.id, "rev": row.rev });
        if self.times != Times::None {
            item[created] = self.time(row.created);
            item[updated] = self.time(row.updated);
        }
        item
    }
}

type Asked = HashMap<String, String>;

/// Rows after a position, descending, up to the page size.
fn page(mut rows: Vec<Row>, key: fn(&Row) -> i64, after: Option<(i64, String)>, limit: usize) -> Vec<Row> {
    rows.sort_by(|one, other| (key(other), &other.id).cmp(&(key(one), &one.id)));
    rows.retain(|row| after.as_ref().is_none_or(|(at, id)| (key(row), &row.id) < (*at, id)));
    rows.truncate(limit);
    rows
}

async fn search(State(business): State<Business>, Json(body): Json<Value>) -> Response {
    let after = body["searchAfter"]
        .as_array()
        .map(|after| (after[0].as_i64().unwrap(), after[1].as_str().unwrap().to_owned()));
    let first = after.is_none();
    let limit = body["pageLimit"].as_u64().unwrap() as usize;
    let by_change = body["sort"][0]["field"] == "dateUpdated";
    let key: fn(&Row) -> i64 = if by_change { |row| row.updated } else { |row| row.created };
    let answer = |kept: &Kept, rows: Vec<Row>| {
        let total = rows.len();
        let rows = page(rows, key, after, limit);
        let item = |row: &Row| {
            let mut item = kept.item(row, "dateAdded", "dateUpdated");
            item["searchAfter"] = json!([key(row), row.id]);
            item
        };
        json!({ "contacts": rows.iter().map(item).collect::<Vec<_>>(), "total": total })
    };
    business.answer(0, first, answer).await
}

async fn by_creation(
    business: Business,
    asked: Asked,
    list: usize,
    name: &str,
    fields: [&str; 2],
) -> Response {
    let after = asked.get("startAfter").map(|at| (at.parse().unwrap(), asked["startAfterId"].clone()));
    let first = after.is_none();
    let limit = asked["limit"].parse().unwrap();
    let answer = |kept: &Kept, rows: Vec<Row>| {
        let rows = page(rows, |row| row.created, after, limit);
        let items: Vec<Value> = rows.iter().map(|row| kept.item(row, fields[0], fields[1])).collect();
        let last = rows.last();
        let meta =
            json!({ "startAfter": last.map(|row| row.created), "startAfterId": last.map(|row| &row.id) });
        json!({ name: items, "meta": meta })
    };
    business.answer(list, first, answer).await
}

async fn contacts(State(business): State<Business>, Query(asked): Query<Asked>) -> Response {
    by_creation(business, asked, 1, "contacts", ["dateAdded", "dateUpdated"]).await
}

async fn opportunities(State(business): State<Business>, Query(asked): Query<Asked>) -> Response {
    by_creation(business, asked, 2, "opportunities", ["createdAt", "updatedAt"]).await
}

/// Sorted by the last message: changed ones move up.
async fn conversations(State(business): State<Business>, Query(asked): Query<Asked>) -> Response {
    let before: Option<i64> = asked.get("startAfterDate").map(|at| at.parse().unwrap());
    let limit = asked["limit"].parse().unwrap();
    let answer = |kept: &Kept, mut rows: Vec<Row>| {
        rows.retain(|row| before.is_none_or(|before| row.updated < before));
        let rows = page(rows, |row| row.updated, None, limit);
        let item = |row: &Row| {
            let mut item = json!({ "id": row.id, "rev": row.rev, "sort": [row.updated], "lastMessageDate": row.updated });
            if kept.times != Times::None {
                item["dateAdded"] = json!(row.created);
                item["dateUpdated"] = json!(row.updated);
            }
            item
        };
        json!({ "conversations": rows.iter().map(item).collect::<Vec<_>>() })
    };
    business.answer(CONVERSATIONS, before.is_none(), answer).await
}

async fn tasks(State(business): State<Business>, Path(_): Path<String>) -> Response {
    let answer = |kept: &Kept, rows: Vec<Row>| json!({ "tasks": rows.iter().map(|row| kept.item(row, "dateAdded", "at")).collect::<Vec<_>>() });
    business.answer(TASKS, true, answer).await
}

async fn events(State(business): State<Business>) -> Response {
    let answer = |kept: &Kept, rows: Vec<Row>| json!({ "events": rows.iter().map(|row| kept.item(row, "dateAdded", "dateUpdated")).collect::<Vec<_>>() });
    business.answer(EVENTS, true, answer).await
}
