//! Reports ended runs in the background.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::{Mutex, mpsc};

use super::queue::{reported, unreported};
use super::request::{Refusal, send};
use super::spans::spans;
use crate::check::CheckedRecipe;
use crate::engine::{RecipeVersions, RunCounters};
use crate::journal::Error;
use crate::overview::Trace;
use crate::run::RunId;
use crate::services::Services;
use crate::value::Backoff;
use crate::workspace::Collector;

/// Ended runs that wait to be reported; more are dropped.
const MAX_WAITING: usize = 4_096;
/// Runs that are reported together.
const TOGETHER: usize = 100;
/// Pause after a report, in which more runs end.
const PAUSE: Duration = Duration::from_secs(1);
/// Pauses while the collector does not answer.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// Attempts after which runs are dropped, so that newer ones are reported.
const MAX_ATTEMPTS: u32 = 10;

/// Reports ended runs to a collector.
pub struct TraceExport {
    collector: Collector,
    services: Services,
    recipes: RecipeVersions,
    counters: Arc<RunCounters>,
    workspace: String,
    ended: Mutex<mpsc::Receiver<RunId>>,
}

impl TraceExport {
    /// Reports the runs that end on the engine of `counters` from now on, and those that an earlier process did not report.
    pub fn new(
        collector: Collector,
        services: Services,
        recipes: RecipeVersions,
        counters: Arc<RunCounters>,
        workspace: String,
    ) -> Self {
        let ended = Mutex::new(counters.tell_ended(MAX_WAITING));
        Self { collector, services, recipes, counters, workspace, ended }
    }

    /// Reports whatever ends. Never returns.
    pub async fn regularly(&self) {
        self.earlier(MAX_ATTEMPTS).await;
        let mut ended = self.ended.lock().await;
        loop {
            let mut runs = Vec::new();
            if ended.recv_many(&mut runs, TOGETHER).await == 0 {
                return std::future::pending().await;
            }
            self.report(runs, MAX_ATTEMPTS).await;
            if ended.is_empty() {
                // Runs that end between the two are told later, and reported twice at most.
                self.mark(self.services.clock.now() - PAUSE).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reports what has ended, once.
    pub async fn once(&self) {
        self.earlier(1).await;
        let now = self.services.clock.now();
        let mut ended = self.ended.lock().await;
        let mut all = true;
        while !ended.is_empty() {
            let mut runs = Vec::new();
            ended.recv_many(&mut runs, TOGETHER).await;
            all &= self.report(runs, 1).await;
        }
        if all {
            self.mark(now).await;
        }
    }

    /// Reports what an earlier process has left.
    async fn earlier(&self, attempts: u32) {
        match unreported(self.services.journal.as_ref(), self.services.clock.now()).await {
            Ok(runs) => {
                for part in runs.chunks(TOGETHER) {
                    self.report(part.to_vec(), attempts).await;
                }
            }
            Err(error) => tracing::debug!(%error, "runs that were not reported yet cannot be read"),
        }
    }

    async fn mark(&self, until: DateTime<Utc>) {
        if let Err(error) = reported(self.services.journal.as_ref(), until).await {
            tracing::debug!(%error, "how far runs are reported cannot be stored");
        }
    }

    /// Reports `runs`; returns whether they were taken.
    async fn report(&self, mut runs: Vec<RunId>, attempts: u32) -> bool {
        runs.retain(|run| is_sampled(run, self.collector.sample));
        if runs.is_empty() {
            return true;
        }
        let count = runs.len() as u64;
        let spans = match self.spans(&runs).await {
            Ok(spans) => spans,
            Err(error) => {
                tracing::warn!(%error, "runs cannot be reported as traces");
                self.counters.count_traces(0, count);
                return false;
            }
        };
        let http = self.services.client.http();
        let mut attempt = 1;
        loop {
            match send(&http, &self.collector, &self.workspace, spans.clone()).await {
                Ok(()) => {
                    self.counters.count_traces(count, 0);
                    return true;
                }
                Err(Refusal::Later(reason)) if attempt < attempts => {
                    tracing::debug!(
                        "the collector of traces is not reached: {reason}; it will be tried again"
                    );
                    tokio::time::sleep(BACKOFF.pause(attempt)).await;
                    attempt += 1;
                }
                Err(Refusal::Later(reason) | Refusal::Never(reason)) => {
                    let reason = self.services.redactor.text(&reason);
                    tracing::warn!(runs = count, "the collector of traces has not taken them: {reason}");
                    self.counters.count_traces(0, count);
                    return false;
                }
            }
        }
    }

    async fn spans(&self, runs: &[RunId]) -> Result<Vec<Span>, Error> {
        let mut all = Vec::new();
        for run in runs {
            let detail = match self.services.journal.run(run).await {
                Ok(Some(detail)) => detail,
                Ok(None) | Err(Error::Corrupt { .. }) => continue,
                Err(error) => return Err(error),
            };
            let recipe = self.recipes.current(&detail.row.recipe);
            let trace = Trace::new(&detail, recipe.as_ref().map(CheckedRecipe::recipe), None);
            all.extend(spans(&trace, &detail.entries));
        }
        Ok(all)
    }
}

/// Whether a run belongs to the reported part: always the same for the same run.
fn is_sampled(run: &RunId, percent: u32) -> bool {
    // The end of the id is random.
    let end = run.0.get(run.0.len().saturating_sub(8)..).unwrap_or_default();
    u32::from_str_radix(end, 16).map_or(true, |number| number % 100 < percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_runs_is_reported() {
        let runs: Vec<RunId> = (0..2000).map(|_| RunId::new()).collect();
        let count = |percent| runs.iter().filter(|run| is_sampled(run, percent)).count();
        assert_eq!(count(100), runs.len());
        assert!((100..300).contains(&count(10)), "{}", count(10));
    }
}
