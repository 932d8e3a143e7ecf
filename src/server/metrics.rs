//! `GET /metrics` for Prometheus.

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;

use super::Server;
use super::answer::refuse;
use super::exposition::Exposition;
use super::metric_families::{
    ALERTS_OPEN, ALERTS_WAITING, BUDGET_LIMIT, BUDGET_REMAINING, BUILD, CONNECTION_HELD, CONNECTION_PAUSED,
    EVENTS, POLL_FAILURES, POLL_LAG, POLL_REMOVALS_WITHHELD, POLL_STARTED, PROCESS_CPU, PROCESS_MEMORY,
    PROCESS_START, QUEUE_AGE, QUEUE_RUNS, REQUESTS, RUNS, RUNS_ENDED, RUNS_UNFINISHED, STEP_SECONDS,
    STORE_BYTES, STORE_WRITE_SECONDS, TRACES, WEBHOOKS, WRITES_NOT_KEPT, WRITES_UNCHANGED,
};
use super::process;
use crate::connection::Connection;
use crate::engine::WriteCount;
use crate::event::Cursor;
use crate::journal::{Error, StoredAlert, Totals, Unfinished};
use crate::run::RunState;
use crate::value::Value;

/// The version is part of the format.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn metrics(State(server): State<Server>) -> Response {
    match collect(&server).await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::warn!(%error, "metrics cannot be read");
            refuse(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read now")
        }
    }
}

async fn collect(server: &Server) -> Result<String, Error> {
    let shared = server.shared();
    let totals = shared.services.journal.totals(None).await?;
    let unfinished = shared.services.journal.unfinished(None).await?;
    let mut cursors = shared.services.journal.cursors().await?;
    cursors.retain(|cursor| !cursor.key.is_secondary());
    let held = shared.services.journal.held_connections().await?;
    let queue = shared.services.journal.queue().await?;
    let bytes = shared.services.journal.bytes().await?;
    let alerts = shared.services.journal.alerts().await?;
    let budgets = budgets(server).await?;
    let now = shared.services.clock.now();
    let none = Vec::<&str>::new;
    let mut names = shared.names.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = Exposition::new(&mut names);
    text.add(&BUILD, [(vec![env!("CARGO_PKG_VERSION")], 1)]);
    stored(&mut text, &totals, &unfinished);
    text.add(
        &RUNS_ENDED,
        shared.runs.by_recipe().into_iter().map(|(labels, count)| {
            (vec![labels.recipe, labels.connections.join("+"), labels.state.name().to_owned()], count)
        }),
    );
    let writes = shared.runs.writes();
    for (family, counted) in
        [(&WRITES_UNCHANGED, WriteCount::Unchanged), (&WRITES_NOT_KEPT, WriteCount::NotKept)]
    {
        let writes = writes.iter().filter(|((_, _, what), _)| *what == counted);
        text.add(
            family,
            writes.map(|((recipe, connections, _), count)| {
                (vec![recipe.clone(), connections.join("+")], *count)
            }),
        );
    }
    requests(&mut text, &shared.services.connections);
    let limits = budgets.iter().map(|(name, limit, _)| (vec![name.as_str()], *limit));
    text.add(&BUDGET_LIMIT, limits);
    let left = budgets.iter().map(|(name, _, remaining)| (vec![name.as_str()], *remaining));
    text.add(&BUDGET_REMAINING, left);
    text.add(&CONNECTION_HELD, held.into_iter().map(|held| (vec![held.connection], 1)));
    polls(&mut text, &cursors, now);
    text.add(&QUEUE_RUNS, [(none(), queue.runs)]);
    let age = queue.oldest.map_or(0.0, |oldest| seconds(now - oldest));
    text.add(&QUEUE_AGE, [(none(), age)]);
    let steps = shared.runs.steps().into_iter();
    text.add(&STEP_SECONDS, steps.map(|((recipe, operation), took)| (vec![recipe, operation], took)));
    text.add(&STORE_BYTES, [(none(), bytes)]);
    text.add(&STORE_WRITE_SECONDS, [(none(), shared.runs.stored())]);
    alerted(&mut text, &alerts);
    let traces = shared.runs.traces().into_iter();
    text.add(&TRACES, traces.map(|(result, count)| (vec![result], count)));
    let usage = process::usage();
    text.add(&PROCESS_MEMORY, [(none(), usage.memory)]);
    text.add(&PROCESS_CPU, [(none(), usage.cpu)]);
    text.add(&PROCESS_START, [(none(), shared.began.timestamp_millis() as f64 / 1000.0)]);
    let counts = shared.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
    text.add(&WEBHOOKS, counts.iter().map(|((path, result), count)| (vec![path.as_str(), result], *count)));
    // Writing into a text does not fail.
    Ok(text.text().unwrap_or_default())
}

fn stored(text: &mut Exposition<'_>, totals: &Totals, unfinished: &[Unfinished]) {
    text.add(&EVENTS, [(Vec::<&str>::new(), totals.events)]);
    let of_state = |state: &RunState| totals.runs.get(state.name()).copied().unwrap_or(0);
    text.add(&RUNS, RunState::ALL.iter().map(|state| (vec![state.name()], of_state(state))));
    text.add(
        &RUNS_UNFINISHED,
        unfinished.iter().map(|runs| {
            (vec![runs.recipe.clone(), runs.connections.join("+"), runs.state.name().to_owned()], runs.count)
        }),
    );
}

fn requests(text: &mut Exposition<'_>, connections: &IndexMap<String, Arc<Connection>>) {
    let counts = connections.values().flat_map(|connection| {
        let counts = connection.request_counts.counts().into_iter();
        counts.map(|(outcome, count)| (vec![connection.name.clone(), outcome.to_owned()], count))
    });
    text.add(&REQUESTS, counts);
    let paused = connections.values();
    let paused =
        paused.map(|connection| (vec![connection.name.as_str()], u64::from(connection.breaker.is_open())));
    text.add(&CONNECTION_PAUSED, paused);
}

/// Limit and rest of the day's requests, by connection.
async fn budgets(server: &Server) -> Result<Vec<(String, u64, u64)>, Error> {
    let services = &server.shared().services;
    let mut found = Vec::new();
    for connection in services.connections.values() {
        let stored = services.journal.limits(connection.budget.account()).await?.text;
        let state = connection.budget.state(&stored, services.clock.now());
        if let (Some(limit), Some(remaining)) = (state.daily, state.remaining.or(state.daily)) {
            found.push((connection.name.clone(), limit, remaining));
        }
    }
    Ok(found)
}

/// Open alerts, and messages that wait.
fn alerted(text: &mut Exposition<'_>, alerts: &[StoredAlert]) {
    let text_of = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let open = alerts.iter().filter(|stored| stored.live && stored.alert["ended"].is_null());
    text.add(&ALERTS_OPEN, open.map(|stored| (vec![text_of(&stored.alert, "kind")], 1)));
    let waiting = alerts.iter().filter_map(|stored| stored.alert["deliveries"].as_array()).flatten();
    text.add(&ALERTS_WAITING, waiting.map(|delivery| (vec![text_of(delivery, "to")], 1)));
}

fn seconds(time: TimeDelta) -> f64 {
    (time.num_milliseconds().max(0) as f64) / 1000.0
}

fn polls(text: &mut Exposition<'_>, cursors: &[Cursor], now: DateTime<Utc>) {
    let labels = |cursor: &Cursor| vec![cursor.key.recipe().to_owned(), cursor.key.accounts().to_owned()];
    text.add(&POLL_FAILURES, cursors.iter().map(|cursor| (labels(cursor), u64::from(cursor.failures))));
    let withheld = |cursor: &Cursor| cursor.withheld.as_ref().map_or(0, |withheld| withheld.missing);
    text.add(&POLL_REMOVALS_WITHHELD, cursors.iter().map(|cursor| (labels(cursor), withheld(cursor))));
    let lag = |cursor: &Cursor| seconds(now - cursor.due);
    text.add(&POLL_LAG, cursors.iter().map(|cursor| (labels(cursor), lag(cursor))));
    let started = |cursor: &Cursor| u64::try_from(cursor.started.timestamp()).unwrap_or(0);
    text.add(&POLL_STARTED, cursors.iter().map(|cursor| (labels(cursor), started(cursor))));
}
