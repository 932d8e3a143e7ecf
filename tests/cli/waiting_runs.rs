//! Many runs that wait for an API with limits, and what is used of these.
//!
//! What is used is judged by the server's log: it counts in windows that open with their first request, so that a slow
//! machine leaves nothing unused between two windows.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use hob::clock::Clock;
use hob::event::{CursorKey, DedupKey, Event, EventId, Source};
use hob::journal::{Access, Batch, Journal, NewRun, Postgres, Sqlite};
use hob::run::RunId;
use hob::sandbox::{Budget, Options};
use serde_json::json;
use tempfile::TempDir;

use crate::cluster::PASSWORD;
use crate::stand_in::{StandIn, built_in};

/// Longest wait for anything.
const LONG: Duration = Duration::from_secs(90);

/// Requests of a window, as many as HighLevel's.
pub const ALLOWED: usize = 100;
/// Requests of a run.
pub const CALLS: usize = 3;

fn three_calls(name: &str, connection: &str) -> String {
    format!(
        "name: {name}
connections: {{ highlevel: {connection} }}
trigger: {{ manual: {{}} }}
actions:
  - {{ do: contacts.get, with: {{ contactId: \"{{{{ event.contact }}}}\" }} }}
  - {{ do: contacts.update, with: {{ contactId: \"{{{{ event.contact }}}}\", city: \"{{{{ event.id }}}}\" }} }}
  - {{ do: contacts.notes.create, with: {{ contactId: \"{{{{ event.contact }}}}\", body: \"{{{{ event.id }}}}\" }} }}
"
    )
}

/// A server with limits, and a workspace with recipes of three calls.
pub struct Setup {
    pub stand_in: StandIn,
    pub contact: String,
    folder: TempDir,
    window: Duration,
}

const TOKEN: &str = "pit-sandbox-0000-0000";

impl Setup {
    /// `recipes` are pairs of a name and a connection; each connection has a token of its own.
    pub fn new(daily: u64, window: Duration, recipes: &[(&str, &str)]) -> Self {
        let interval_ms = i64::try_from(window.as_millis()).unwrap();
        let budget = Budget::Limited { requests: ALLOWED as u64, interval_ms, daily };
        let mut connections: Vec<&str> = recipes.iter().map(|(_, connection)| *connection).collect();
        connections.dedup();
        let tokens: Vec<String> = connections.iter().map(|name| format!("{TOKEN}-{name}")).collect();
        let script = include_str!("../../schemas/connectors/highlevel/sandbox.yaml");
        let script = script.replace(&format!("[{TOKEN}]"), &format!("[{}]", tokens.join(", ")));
        let scripts = [("highlevel".to_owned(), script)].into_iter().collect();
        let options = Options { budget, log: usize::MAX, scripts, ..Options::default() };
        let stand_in = StandIn::with(built_in(), options);
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("recipes")).unwrap();
        let mut text = "connections:\n".to_owned();
        for (name, token) in connections.iter().zip(&tokens) {
            let url = stand_in.base_url("highlevel");
            text += &format!(
                "  {name}:\n    connector: highlevel\n    base_url: {url}\n    auth: {{ token: {token} }}\n"
            );
            for (setting, value) in stand_in.sandbox.settings("highlevel") {
                text += &format!("    {setting}: {value}\n");
            }
        }
        fs::write(folder.path().join("hob.yaml"), text).unwrap();
        for (name, connection) in recipes {
            fs::write(folder.path().join(format!("recipes/{name}.yaml")), three_calls(name, connection))
                .unwrap();
        }
        let contacts = stand_in.sandbox.records("highlevel", "contacts", 1).unwrap();
        let contact = contacts[0]["id"].as_str().unwrap().to_owned();
        Self { stand_in, contact, folder, window }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Stores `count` waiting runs of each of these recipes.
    fn queue(&self, journal: &dyn Journal, recipes: &[(&str, &str)], count: usize) {
        let mut events = Vec::new();
        for (recipe, connection) in recipes {
            for number in 0..count {
                let id = format!("{recipe}-{number}");
                let run = NewRun {
                    id: RunId::new(),
                    recipe: (*recipe).to_owned(),
                    accounts: [("highlevel".to_owned(), (*connection).to_owned())].into_iter().collect(),
                    lane: id.clone(),
                    coalesce: None,
                };
                let event = Event {
                    id: EventId::new(),
                    source: Source::Backfill(CursorKey::new(recipe, &[(*connection).to_owned()])),
                    kind: "new".into(),
                    connection: Some((*connection).to_owned()),
                    record: Some(id.clone()),
                    dedup: DedupKey(id.clone()),
                    received: Clock::system().now(),
                    payload: json!({ "id": id, "contact": self.contact }),
                };
                events.push((event, vec![run]));
            }
        }
        self.stand_in.runtime.block_on(async {
            journal.append(Batch { events, progress: None }).await.unwrap();
            journal.close().await;
        });
    }

    pub fn queue_in_sqlite(&self, recipes: &[(&str, &str)], count: usize) {
        fs::create_dir_all(self.path().join("state")).unwrap();
        let journal = Sqlite::open(&self.path().join("state/hob.db"), Access::Runner).unwrap();
        self.queue(&journal, recipes, count);
    }

    /// Moves the store to `url`, and stores runs there.
    pub fn queue_in_postgres(&self, url: &str, recipes: &[(&str, &str)], count: usize) {
        on_postgres(self.path(), url);
        let journal = self.stand_in.runtime.block_on(Postgres::open(url, Access::Runner)).unwrap();
        self.queue(&journal, recipes, count);
    }

    /// The share of the full windows' requests that was used. Nothing was refused.
    pub fn used(&self) -> f64 {
        none_refused(&self.stand_in);
        let log = self.stand_in.sandbox.log();
        let mut windows: Vec<(DateTime<Utc>, usize)> = Vec::new();
        for at in log.iter().map(|entry| entry.at.parse::<DateTime<Utc>>().unwrap()) {
            match windows.last_mut() {
                Some((begun, count)) if at - *begun < TimeDelta::from_std(self.window).unwrap() => {
                    *count += 1
                }
                _ => windows.push((at, 1)),
            }
        }
        windows.pop();
        windows.iter().map(|(_, count)| count).sum::<usize>() as f64 / (windows.len() * ALLOWED) as f64
    }
}

/// Statuses of all requests so far.
pub fn statuses(stand_in: &StandIn) -> Vec<u16> {
    stand_in.sandbox.log().iter().map(|entry| entry.status).collect()
}

#[track_caller]
pub fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < LONG, "{what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[track_caller]
pub fn none_refused(stand_in: &StandIn) {
    let refused = statuses(stand_in).iter().filter(|status| **status == 429).count();
    assert_eq!(refused, 0, "of {} requests", statuses(stand_in).len());
}

/// Waits until there was no request for `quiet`.
pub fn rest(stand_in: &StandIn, quiet: Duration) {
    let (mut count, mut since) = (0, Instant::now());
    while since.elapsed() < quiet {
        std::thread::park_timeout(Duration::from_millis(10));
        let now = statuses(stand_in).len();
        if now != count {
            (count, since) = (now, Instant::now());
        }
    }
}

/// Moves the workspace's store to PostgreSQL.
pub fn on_postgres(folder: &Path, url: &str) {
    let path = folder.join("hob.yaml");
    let (before, after) = url.split_once(PASSWORD).unwrap();
    fs::write(folder.join(".env"), format!("DB_PASSWORD={PASSWORD}\n")).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{text}store: {before}${{DB_PASSWORD}}{after}\n")).unwrap();
}
