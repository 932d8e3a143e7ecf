//! Runs that wait for an API use at least 99 % of what it allows, without a refusal, and runs of live webhooks go first.
//!
//! What is used is judged by the server's log: it counts in windows that open with their first request, so that a slow
//! machine leaves nothing unused between two windows.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hob::catalog::Catalog;
use hob::connection::http_client;
use hob::event::{CursorKey, DedupKey, Event, EventId, Source};
use hob::journal::{Access, Batch, Journal, NewRun, Postgres, Sqlite};
use hob::run::RunId;
use hob::sandbox::{Budget, Options};
use serde_json::json;
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::limits::{none_refused, on_postgres, rest, statuses, wait_until};
use crate::listening::{Listening, Running, listen};
use crate::program::hob_with;
use crate::stand_in::StandIn;

/// Requests of a window, as many as HighLevel's.
const ALLOWED: usize = 100;
/// The length of a window, instead of ten seconds.
const WINDOW: Duration = Duration::from_millis(1000);
const CALLS: usize = 3;
/// A busy machine may stop a process for so long that a window ends meanwhile. A fault would show each time.
const TRIALS: usize = 3;

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

const LIVE: &str = "name: live
connections: { highlevel: studio }
trigger: { webhook: /live, verify: none }
actions:
  - { do: contacts.tags.add, with: { contactId: \"{{ event.contact }}\", tags: [a] } }
  - { do: contacts.tags.add, with: { contactId: \"{{ event.contact }}\", tags: [b] } }
  - { do: contacts.tags.add, with: { contactId: \"{{ event.contact }}\", tags: [c] } }
";

/// A server with limits, and a workspace with recipes of three calls.
struct Setup {
    stand_in: StandIn,
    folder: TempDir,
    contact: String,
}

const TOKEN: &str = "pit-sandbox-0000-0000";

impl Setup {
    /// `recipes` are pairs of a name and a connection; each connection has a token of its own.
    fn new(daily: u64, recipes: &[(&str, &str)]) -> Self {
        let interval_ms = i64::try_from(WINDOW.as_millis()).unwrap();
        let budget = Budget::Limited { requests: ALLOWED as u64, interval_ms, daily };
        let mut connections: Vec<&str> = recipes.iter().map(|(_, connection)| *connection).collect();
        connections.dedup();
        let tokens: Vec<String> = connections.iter().map(|name| format!("{TOKEN}-{name}")).collect();
        let script = include_str!("../../schemas/connectors/highlevel/sandbox.yaml");
        let script = script.replace(&format!("[{TOKEN}]"), &format!("[{}]", tokens.join(", ")));
        let scripts = [("highlevel".to_owned(), script)].into_iter().collect();
        let options = Options { budget, log: usize::MAX, scripts, ..Options::default() };
        let stand_in = StandIn::with(Catalog::built_in(), options);
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
        Self { stand_in, folder, contact }
    }

    fn path(&self) -> &Path {
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
                    received: Utc::now(),
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

    fn queue_in_sqlite(&self, recipes: &[(&str, &str)], count: usize) {
        fs::create_dir_all(self.path().join("state")).unwrap();
        let journal = Sqlite::open(&self.path().join("state/hob.db"), Access::Runner).unwrap();
        self.queue(&journal, recipes, count);
    }

    /// The share of the full windows' requests that was used. Nothing was refused.
    fn used(&self) -> f64 {
        none_refused(&self.stand_in);
        let log = self.stand_in.sandbox.log();
        let mut windows: Vec<(DateTime<Utc>, usize)> = Vec::new();
        for at in log.iter().map(|entry| entry.at.parse::<DateTime<Utc>>().unwrap()) {
            match windows.last_mut() {
                Some((begun, count)) if at - *begun < chrono::TimeDelta::from_std(WINDOW).unwrap() => {
                    *count += 1
                }
                _ => windows.push((at, 1)),
            }
        }
        windows.pop();
        windows.iter().map(|(_, count)| count).sum::<usize>() as f64 / (windows.len() * ALLOWED) as f64
    }
}

/// Runs trials until one has used 99 %.
#[track_caller]
fn used_by_one_of(trial: impl Fn() -> f64) {
    let mut used = Vec::new();
    while used.iter().all(|share| *share < 0.99) {
        assert!(used.len() < TRIALS, "{used:?} of what is allowed was used");
        used.push(trial());
    }
}

const FOUR: [(&str, &str); 4] = [("a", "studio"), ("b", "studio"), ("c", "studio"), ("d", "studio")];
/// Runs of each of the four.
const RUNS: usize = 60;

#[test]
fn four_recipes_use_what_is_allowed() {
    used_by_one_of(|| {
        let setup = Setup::new(1_000_000, &FOUR);
        setup.queue_in_sqlite(&FOUR, RUNS);
        let _running = Running::start(setup.path());
        let all = FOUR.len() * RUNS * CALLS;
        wait_until("all requests are sent", || statuses(&setup.stand_in).len() >= all);
        setup.used()
    });
}

#[test]
fn four_processes_use_what_is_allowed() {
    let Some(cluster) = Cluster::shared() else { return };
    used_by_one_of(|| {
        let setup = Setup::new(1_000_000, &FOUR);
        let store = cluster.store();
        on_postgres(setup.path(), &store);
        let journal = setup.stand_in.runtime.block_on(Postgres::open(&store, Access::Runner)).unwrap();
        setup.queue(&journal, &FOUR, RUNS);
        let _running = [(); 4].map(|()| Running::start(setup.path()));
        let all = FOUR.len() * RUNS * CALLS;
        wait_until("all requests are sent", || statuses(&setup.stand_in).len() >= all);
        setup.used()
    });
}

#[test]
fn two_tokens_use_up_the_day_that_they_share() {
    const DAY: usize = 630;
    let recipes = [("one", "studio"), ("two", "office")];
    let setup = Setup::new(DAY as u64, &recipes);
    setup.queue_in_sqlite(&recipes, 2 * DAY / CALLS / recipes.len());
    let _running = Running::start(setup.path());
    let sent = || statuses(&setup.stand_in).len();
    wait_until("99 % are used", || sent() * 100 >= DAY * 99);
    rest(&setup.stand_in, 2 * WINDOW);
    let before = sent();
    // The rest is for those that somebody waits for.
    assert!(before <= DAY - CALLS, "{before} of {DAY}");
    let event = json!({ "id": "live", "contact": setup.contact }).to_string();
    hob_with(setup.path(), &["trigger", "one", "--event", "-"], &event).code(0);
    wait_until("a person's run goes on", || sent() >= before + CALLS);
    none_refused(&setup.stand_in);
}

#[test]
fn a_live_webhook_goes_before_a_backfill() {
    let recipes = [("a", "studio")];
    let setup = Setup::new(1_000_000, &recipes);
    fs::write(setup.path().join("recipes/live.yaml"), LIVE).unwrap();
    setup.queue_in_sqlite(&recipes, 500);
    let Listening { mut child, address } = listen(setup.path());
    let client = http_client(&Default::default()).unwrap();
    let log = || setup.stand_in.sandbox.log();
    let served = || log().iter().filter(|entry| entry.path.ends_with("/tags")).count();
    for number in 1..=4 {
        // In the middle of the backfill.
        let before = log().len();
        wait_until("the backfill goes on", || log().len() >= before + ALLOWED / 2);
        let posted = client
            .post(format!("{address}/webhooks/live"))
            .json(&json!({ "contact": setup.contact, "n": number }));
        let before = log().len();
        setup.stand_in.runtime.block_on(async { posted.send().await.unwrap().error_for_status().unwrap() });
        wait_until("the webhook is served", || served() >= CALLS * number);
        let between = log().len() - before;
        assert!(between <= 2 * ALLOWED, "{between} requests later");
    }
    assert!(log().len() < 500 * CALLS, "the backfill has ended before");
    none_refused(&setup.stand_in);
    child.kill().unwrap();
    child.wait().unwrap();
}
