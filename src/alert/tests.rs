//! Alerts in time, on a clock that is set by hand and with a real destination.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveTime, TimeDelta};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::destination_failure::destination_failures;
use super::{AlertWatch, Sender, WatchSettings, rows};
use crate::clock::{Clock, ManualClock};
use crate::engine::RecipeVersions;
use crate::event::{DedupKey, EventId};
use crate::journal::{
    Access, Batch, HeldConnection, Journal, NewRun, Queries, RunFilter, RunUpdate, Slots, Sqlite,
};
use crate::request::{Client, ClientSettings};
use crate::run::testing::{event, recipe};
use crate::run::{Accounts, RunId, RunState};
use crate::secret::{Redactor, Secret};
use crate::services::Services;
use crate::source::{Span, Spanned};
use crate::value::Zone;
use crate::workspace::{AlertKind, Alerts, Channel, Destination, QuietHours, SilentRecipe};

const REASON: &str = "step `look`: 404 Not Found: no contact";

struct World {
    _folder: tempfile::TempDir,
    server: MockServer,
    clock: ManualClock,
    journal: Arc<Sqlite>,
    alerts: Alerts,
    recipes: RecipeVersions,
}

impl World {
    async fn new() -> Self {
        let (folder, server) = (tempfile::tempdir().unwrap(), MockServer::start().await);
        let journal = Arc::new(Sqlite::open(&folder.path().join("hob.db"), Access::Runner).unwrap());
        let url = Secret::new(format!("{}/secret-address-of-the-team", server.uri()));
        let destination = Destination {
            name: "team".to_owned(),
            channel: Channel::Webhook { url, header: None },
            on: AlertKind::ALL.to_vec(),
            quiet: None,
            remind: None,
        };
        let world = Self {
            _folder: folder,
            server,
            clock: ManualClock::new("2026-11-29T12:00:00Z".parse().unwrap()),
            journal,
            alerts: Alerts { to: vec![destination], ..Alerts::default() },
            recipes: RecipeVersions::new([recipe("actions: [{ do: log, with: { message: m } }]\n")]),
        };
        world.answers(200).await;
        world
    }

    async fn answers(&self, status: u16) {
        self.server.reset().await;
        let template = ResponseTemplate::new(status).set_body_string("so it says: k3y-secret");
        Mock::given(method("POST"))
            .and(path("/secret-address-of-the-team"))
            .respond_with(template)
            .mount(&self.server)
            .await;
    }

    fn watch(&self) -> AlertWatch {
        let services = Services {
            journal: Arc::<Sqlite>::clone(&self.journal),
            connections: Arc::new(IndexMap::new()),
            client: Client::new(ClientSettings::default(), Clock::system()).unwrap(),
            clock: self.clock.clock(),
            env: Arc::new(Map::new()),
            redactor: Arc::new(Redactor::new([Secret::new("k3y-secret")])),
        };
        let settings = WatchSettings {
            alerts: self.alerts.clone(),
            accounts: IndexMap::new(),
            url: Some("https://hob.example.com".to_owned()),
            once: false,
        };
        let sender = Sender { services, recipes: self.recipes.clone(), workspace: "studio".to_owned() };
        AlertWatch::new(settings, sender, "worker-1")
    }

    fn advance(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// As a process that has just begun.
    async fn look(&self) {
        self.watch().look().await;
    }

    /// What was sent since it was last asked.
    async fn sent(&self) -> Vec<Value> {
        let all = self.server.received_requests().await.unwrap();
        let bodies = all.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
        self.answers(200).await;
        bodies
    }

    /// Runs that end in `state`.
    async fn runs(&self, count: usize, state: RunState) {
        let now = self.clock.clock().now();
        for _ in 0..count.div_ceil(500) {
            let mut batch = Batch::default();
            for _ in 0..count.min(500) {
                let mut event = event(json!({}));
                event.id = EventId::new();
                event.dedup = DedupKey(event.id.0.clone());
                event.received = now;
                let run = NewRun {
                    id: RunId::new(),
                    recipe: "r".into(),
                    accounts: Accounts::default(),
                    lane: event.id.0.clone(),
                    coalesce: None,
                };
                batch.events.push((event, vec![run]));
            }
            self.journal.append(batch).await.unwrap();
        }
        let ttl = Duration::from_secs(60);
        loop {
            let leased = self.journal.lease("w", Slots::any(500), now, ttl).await.unwrap();
            if leased.is_empty() {
                break;
            }
            let ended = leased.iter().enumerate().map(|(place, run)| {
                let error = Some(format!("{REASON} id{place}8x7y6z"));
                let update = RunUpdate { error, ..RunUpdate::new(state, now) };
                self.journal.record(&run.lease, Vec::new(), update)
            });
            futures::future::try_join_all(ended).await.unwrap();
        }
    }

    /// All failed runs are given up.
    async fn skip_all(&self) {
        let filter = RunFilter { state: Some(RunState::Failed), ..RunFilter::default() };
        let now = self.clock.clock().now();
        let failed = self.journal.runs(&filter).await.unwrap();
        let skipped = failed
            .iter()
            .map(|row| self.journal.amend(&row.id, 0, Vec::new(), RunUpdate::new(RunState::Skipped, now)));
        let done = futures::future::try_join_all(skipped).await.unwrap();
        assert!(done.iter().all(|done| *done));
    }
}

fn events(message: &Value) -> Vec<(&str, &str)> {
    let alerts = message["alerts"].as_array().unwrap();
    alerts.iter().map(|alert| (alert["event"].as_str().unwrap(), alert["kind"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn many_failures_are_one_alert_and_one_recovery() {
    let world = World::new().await;
    world.runs(3, RunState::Failed).await;
    world.look().await;
    let sent = world.sent().await;
    assert_eq!(sent.len(), 1, "{sent:#?}");
    assert_eq!(events(&sent[0]), [("opened", "failed")]);
    let told = &sent[0]["alerts"][0];
    assert!(told["text"].as_str().unwrap().contains("3 runs failed"), "{told:#}");
    let link = format!("https://hob.example.com/runs?cause={}", told["id"].as_str().unwrap());
    assert_eq!((&told["link"], &told["recipe"]), (&json!(link), &json!("r")));
    for _ in 0..20 {
        world.advance(10);
        world.runs(50, RunState::Failed).await;
        world.look().await;
    }
    assert_eq!(world.sent().await, [] as [Value; 0]);
    world.skip_all().await;
    world.advance(10);
    world.look().await;
    world.advance(59);
    world.look().await;
    assert_eq!(world.sent().await, [] as [Value; 0], "it may come again");
    world.advance(1);
    world.look().await;
    let sent = world.sent().await;
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let told = &sent[0]["alerts"][0];
    assert_eq!(
        (&told["event"], &told["runs"], &told["runs_left"]),
        (&json!("recovered"), &json!(1_003), &json!(0))
    );
    assert!(
        told["text"].as_str().unwrap().starts_with(
            "Over: r: step `look`: 404 Not Found: no contact … (1003 runs, from 2026-11-29 12:00:00Z to "
        ),
        "{told:#}"
    );
    for _ in 0..3 {
        world.advance(3600);
        world.look().await;
    }
    assert_eq!(world.sent().await, [] as [Value; 0]);
}

#[tokio::test]
async fn failures_that_nobody_mends_end_when_there_are_no_new_ones() {
    let world = World::new().await;
    world.runs(2, RunState::Failed).await;
    world.look().await;
    assert_eq!(world.sent().await.len(), 1);
    world.advance(3601);
    world.look().await;
    let sent = world.sent().await;
    assert_eq!(sent.len(), 1, "{sent:#?}");
    assert_eq!(
        (&sent[0]["alerts"][0]["event"], &sent[0]["alerts"][0]["runs_left"]),
        (&json!("recovered"), &json!(2))
    );
    let text = sent[0]["alerts"][0]["text"].as_str().unwrap();
    assert!(text.contains("no further run has failed, 2 are still failed"), "{text}");
    world.look().await;
    assert_eq!(world.sent().await, [] as [Value; 0], "old failures are not told anew");
    world.runs(1, RunState::Failed).await;
    world.look().await;
    assert_eq!(events(&world.sent().await[0]), [("opened", "failed")]);
    // Parked runs stay until somebody decides.
    world.runs(1, RunState::Parked).await;
    world.look().await;
    assert_eq!(events(&world.sent().await[0]), [("opened", "parked")]);
    world.advance(2 * 3600);
    world.look().await;
    assert_eq!(events(&world.sent().await[0]), [("recovered", "failed")]);
}

#[tokio::test]
async fn a_destination_that_is_down_for_an_hour_is_told_once() {
    let world = World::new().await;
    world.answers(503).await;
    world.runs(2, RunState::Failed).await;
    let mut tried = 0;
    for _ in 0..720 {
        world.look().await;
        world.advance(5);
        let now = world.server.received_requests().await.unwrap();
        if now.len() > tried {
            tried = now.len();
        }
        if tried == 4 {
            // It is down, and not only unwilling.
            let failures = destination_failures(&rows(world.journal.alerts().await.unwrap()));
            let told = &failures[0];
            assert_eq!((told.name.as_str(), told.waiting), ("team", 1));
            assert!(told.reason.contains("503 Service Unavailable: so it says: ***"), "{told:?}");
        }
    }
    assert!((8..20).contains(&tried), "{tried} attempts within an hour");
    world.answers(200).await;
    let mut sent = Vec::new();
    for _ in 0..130 {
        world.look().await;
        sent.extend(world.sent().await);
        world.advance(5);
    }
    assert_eq!(sent.len(), 1, "{sent:#?}");
    // Meanwhile no further run has failed.
    let told = &sent[0]["alerts"][0];
    assert_eq!(told["event"], "recovered", "{told:#}");
    assert!(told["text"].as_str().unwrap().starts_with("Came and went: "), "{told:#}");
    assert!(destination_failures(&rows(world.journal.alerts().await.unwrap())).is_empty());
}

#[tokio::test]
async fn what_happens_in_quiet_hours_is_told_at_their_end_together() {
    let mut world = World::new().await;
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    // In Lagos it is 13:00.
    let zone = Zone::named("Africa/Lagos").unwrap();
    let quiet = QuietHours { from: time("12:30"), to: time("14:00"), zone, except: vec![AlertKind::Held] };
    world.alerts.to[0].quiet = Some(quiet);
    world.runs(1, RunState::Failed).await;
    world.runs(1, RunState::Parked).await;
    world.look().await;
    assert_eq!(world.sent().await, [] as [Value; 0]);
    let since = world.clock.clock().now();
    let held = HeldConnection { connection: "acme".into(), reason: "401 Unauthorized".into(), since };
    world.journal.hold(&held).await.unwrap();
    world.advance(60);
    world.look().await;
    assert_eq!(events(&world.sent().await[0]), [("opened", "held")], "it is urgent");
    world.skip_all().await;
    for _ in 0..3 {
        world.advance(61);
        world.look().await;
    }
    assert_eq!(world.sent().await, [] as [Value; 0]);
    world.advance(3600);
    world.look().await;
    let sent = world.sent().await;
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let mut told = events(&sent[0]);
    told.sort_unstable();
    assert_eq!(told, [("opened", "parked"), ("recovered", "failed")]);
    assert!(sent[0]["text"].as_str().unwrap().ends_with("1 alerts, 1 are over"), "{sent:#?}");
}

#[tokio::test]
async fn an_open_alert_is_repeated_and_told_to_those_who_are_new() {
    let mut world = World::new().await;
    world.alerts.to[0].remind = Some(Duration::from_secs(3600));
    world.runs(1, RunState::Parked).await;
    world.look().await;
    assert_eq!(events(&world.sent().await[0]), [("opened", "parked")]);
    world.advance(3599);
    world.look().await;
    assert_eq!(world.sent().await, [] as [Value; 0]);
    world.advance(1);
    world.look().await;
    assert_eq!(events(&world.sent().await[0]), [("reminder", "parked")]);
    let other = Destination { name: "other".to_owned(), remind: None, ..world.alerts.to[0].clone() };
    world.alerts.to = vec![Destination { on: vec![AlertKind::Held], ..other.clone() }];
    world.look().await;
    assert_eq!(world.sent().await, [] as [Value; 0], "that is not told to it");
    world.alerts.to = vec![other];
    world.look().await;
    assert_eq!(events(&world.sent().await[0]), [("opened", "parked")]);
}

#[tokio::test]
async fn a_recipe_is_silent_once_it_has_been_watched_for_long_enough() {
    let mut world = World::new().await;
    let recipe = Spanned::new("r".to_owned(), Span::new(0, 1));
    world.alerts.silent = vec![SilentRecipe { recipe, after: Duration::from_secs(6 * 3600) }];
    let watch = world.watch();
    watch.look().await;
    world.advance(6 * 3600 - 1);
    watch.look().await;
    assert_eq!(world.sent().await, [] as [Value; 0]);
    world.advance(1);
    world.look().await;
    assert_eq!(
        world.sent().await,
        [] as [Value; 0],
        "a process that has just begun takes in what there is first"
    );
    watch.look().await;
    let sent = world.sent().await;
    assert_eq!(events(&sent[0]), [("opened", "silent")]);
    assert!(sent[0]["text"].as_str().unwrap().contains("nothing has arrived yet"), "{sent:#?}");
    world.runs(1, RunState::Succeeded).await;
    watch.look().await;
    world.advance(60);
    watch.look().await;
    assert_eq!(events(&world.sent().await[0]), [("recovered", "silent")]);
    crate::journal::pause(
        world.journal.as_ref(),
        &crate::journal::PauseSubject::recipe("r"),
        world.clock.clock().now(),
    )
    .await
    .unwrap();
    world.advance(7 * 3600);
    watch.look().await;
    assert_eq!(world.sent().await, [] as [Value; 0], "nothing is to arrive while it is paused");
}

/// What one process decided is not sent a second time by another that decides the same.
#[tokio::test]
async fn a_decision_is_stored_before_it_is_sent() {
    let world = World::new().await;
    world.runs(1, RunState::Failed).await;
    let ids = |stored: Vec<crate::journal::StoredAlert>| -> BTreeMap<String, Vec<String>> {
        let ids = |row: super::Row| row.alert.unwrap().deliveries.into_iter().map(|it| it.id).collect();
        rows(stored).into_iter().map(|(key, row)| (key, ids(row))).collect()
    };
    world.answers(500).await;
    world.look().await;
    let before = ids(world.journal.alerts().await.unwrap());
    world.advance(20);
    world.look().await;
    assert_eq!(ids(world.journal.alerts().await.unwrap()), before, "it is the same message");
    let requests = world.server.received_requests().await.unwrap();
    let keys: Vec<&str> =
        requests.iter().map(|request| request.headers["idempotency-key"].to_str().unwrap()).collect();
    assert_eq!((keys.len(), keys[0]), (2, keys[1]));
    assert_eq!(before.values().next().unwrap()[0], keys[0]);
}
