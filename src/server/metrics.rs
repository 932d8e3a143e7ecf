//! `GET /metrics`: counts in the text format that Prometheus reads.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Server;
use super::answer::refuse;
use crate::event::Cursor;
use crate::journal::{Error, HeldConnection, Totals};
use crate::run::RunState;

/// The version is part of the format.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Webhooks since the start, by what became of them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    stored: AtomicU64,
    duplicate: AtomicU64,
    refused: AtomicU64,
    not_stored: AtomicU64,
}

impl Counts {
    pub fn taken(&self, duplicate: bool) {
        let count = if duplicate { &self.duplicate } else { &self.stored };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub fn not_stored(&self) {
        self.not_stored.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) async fn metrics(State(server): State<Server>) -> Response {
    let shared = server.shared();
    let journal = &shared.journal;
    let read = async {
        Ok((journal.totals(None).await?, journal.held_connections().await?, journal.cursors().await?))
    };
    match read.await {
        Ok((totals, held, cursors)) => {
            let text = write(&totals, &held, &shared.counts, shared.client.requests()) + &polls(&cursors);
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
        }
        Err::<_, Error>(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

fn write(totals: &Totals, held: &[HeldConnection], counts: &Counts, requests: u64) -> String {
    let mut text = String::new();
    family(&mut text, "hob_events", "gauge", "Events in the journal.", &[("", totals.events)]);
    let runs: Vec<(String, u64)> = RunState::ALL
        .iter()
        .map(|state| {
            let count = totals.runs.get(state.name()).copied().unwrap_or(0);
            (format!("{{state=\"{}\"}}", state.name()), count)
        })
        .collect();
    let runs: Vec<(&str, u64)> = runs.iter().map(|(label, count)| (label.as_str(), *count)).collect();
    family(&mut text, "hob_runs", "gauge", "Runs in the journal by state.", &runs);
    let labels: Vec<String> =
        held.iter().map(|held| format!("{{connection={:?}}}", held.connection)).collect();
    let held: Vec<(&str, u64)> = labels.iter().map(|label| (label.as_str(), 1)).collect();
    let help = "Connections that are held because their credential is refused.";
    family(&mut text, "hob_connection_held", "gauge", help, &held);
    let help = "Requests sent to APIs since the start.";
    family(&mut text, "hob_requests_total", "counter", help, &[("", requests)]);
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let webhooks = [
        ("{result=\"stored\"}", read(&counts.stored)),
        ("{result=\"duplicate\"}", read(&counts.duplicate)),
        ("{result=\"refused\"}", read(&counts.refused)),
        ("{result=\"not_stored\"}", read(&counts.not_stored)),
    ];
    let help = "Webhooks received since the start by what became of them.";
    family(&mut text, "hob_webhooks_total", "counter", help, &webhooks);
    text
}

/// Failures in a row of each poller.
fn polls(cursors: &[Cursor]) -> String {
    let labels = cursors.iter().filter_map(|cursor| {
        let connection = cursor.health.connection.as_ref()?;
        let labels = format!("{{recipe={:?},connection={connection:?}}}", cursor.key.recipe());
        Some((labels, u64::from(cursor.failures)))
    });
    let labels: Vec<(String, u64)> = labels.collect();
    let samples: Vec<(&str, u64)> = labels.iter().map(|(label, count)| (label.as_str(), *count)).collect();
    let mut text = String::new();
    family(&mut text, "hob_poll_failures", "gauge", "Polls that failed since the last good one.", &samples);
    text
}

fn family(text: &mut String, name: &str, kind: &str, help: &str, samples: &[(&str, u64)]) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_line() {
        let counts = Counts::default();
        counts.taken(false);
        counts.taken(true);
        let totals = Totals { events: 7, runs: [("failed".to_owned(), 2)].into() };
        let held = HeldConnection {
            connection: "studio".into(),
            reason: "401".into(),
            since: chrono::DateTime::UNIX_EPOCH,
        };
        let text = write(&totals, &[held], &counts, 9);
        for line in [
            "# TYPE hob_events gauge",
            "hob_events 7",
            "hob_runs{state=\"failed\"} 2",
            "hob_runs{state=\"parked\"} 0",
            "hob_connection_held{connection=\"studio\"} 1",
            "hob_requests_total 9",
            "hob_webhooks_total{result=\"duplicate\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn every_poller_has_a_line() {
        let cursor = serde_json::json!({
            "key": "watch@studio-2", "subject": "", "scan": 1, "page": null, "pages": 0, "baseline_done": true,
            "watermark": null, "newest": null, "started": "2026-01-01T00:00:00Z", "due": "2026-01-01T00:00:00Z",
            "failures": 3, "error": "no", "health": { "connection": "studio-2" },
        });
        let text = polls(&[serde_json::from_value(cursor).unwrap()]);
        let line = "hob_poll_failures{recipe=\"watch\",connection=\"studio-2\"} 3";
        assert!(text.lines().any(|found| found == line), "{text}");
    }
}
