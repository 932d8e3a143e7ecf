//! `GET /metrics` for Prometheus.

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use indexmap::IndexMap;

use super::Server;
use super::answer::refuse;
use super::exposition::Exposition;
use super::metric_families::{
    BUILD, CONNECTION_HELD, CONNECTION_PAUSED, EVENTS, POLL_FAILURES, POLL_REMOVALS_WITHHELD, POLL_STARTED,
    REQUESTS, RUNS, RUNS_ENDED, RUNS_UNFINISHED, WEBHOOKS, WRITES_NOT_KEPT, WRITES_UNCHANGED,
};
use crate::connection::Connection;
use crate::engine::WriteCount;
use crate::event::Cursor;
use crate::journal::{Error, Totals, Unfinished};
use crate::run::RunState;

/// The version is part of the format.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    let unfinished = shared.services.journal.unfinished().await?;
    let mut cursors = shared.services.journal.cursors().await?;
    cursors.retain(|cursor| !cursor.key.is_secondary());
    let held = shared.services.journal.held_connections().await?;
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
    text.add(&CONNECTION_HELD, held.into_iter().map(|held| (vec![held.connection], 1)));
    polls(&mut text, &cursors);
    let counts = shared.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
    text.add(&WEBHOOKS, counts.iter().map(|((path, result), count)| (vec![path.as_str(), result], *count)));
    Ok(text.text())
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

fn polls(text: &mut Exposition<'_>, cursors: &[Cursor]) {
    let labels = |cursor: &Cursor| vec![cursor.key.recipe().to_owned(), cursor.key.accounts().to_owned()];
    text.add(&POLL_FAILURES, cursors.iter().map(|cursor| (labels(cursor), u64::from(cursor.failures))));
    let withheld = |cursor: &Cursor| cursor.withheld.as_ref().map_or(0, |withheld| withheld.missing);
    text.add(&POLL_REMOVALS_WITHHELD, cursors.iter().map(|cursor| (labels(cursor), withheld(cursor))));
    let started = |cursor: &Cursor| u64::try_from(cursor.started.timestamp()).unwrap_or(0);
    text.add(&POLL_STARTED, cursors.iter().map(|cursor| (labels(cursor), started(cursor))));
}
