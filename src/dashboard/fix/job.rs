//! An act on all runs of a cause, or its preview, while it goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::act::Act;
use crate::check::CheckedRecipe;
use crate::intervention::{Continued, Intervention, Left, OutcomeCounts, apply};
use crate::journal::{Error, Journal, RunFilter, RunRow};
use crate::overview::runs_of_cause;
use crate::services::Services;

/// Runs that are read at a time.
const PAGE: usize = 500;
/// Most reasons that are shown.
const MAX_REASONS: usize = 20;

/// A job.
pub(in crate::dashboard) struct Job {
    pub(super) id: String,
    pub(super) act: Act,
    pub(super) cause: String,
    /// Whether it only looks what would become of the runs.
    pub(super) dry: bool,
    progress: Mutex<Progress>,
    stop: AtomicBool,
    /// Whether it has ended, or the request that began it was answered, whichever was first.
    parted: AtomicBool,
}

#[derive(Default)]
struct Progress {
    total: Option<usize>,
    counts: OutcomeCounts,
    end: Option<End>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum End {
    /// All runs were gone through.
    Done,
    /// A person stopped it.
    Stopped,
    /// There are no such runs.
    NoRuns,
    /// The store failed.
    Failed(String),
}

/// What a page shows of a job.
#[derive(Debug, Serialize)]
pub(in crate::dashboard) struct Report {
    job: String,
    act: &'static str,
    done: &'static str,
    cause: String,
    dry: bool,
    /// How many runs there are, once that is known.
    total: Option<usize>,
    seen: usize,
    changed: usize,
    left: Vec<Left>,
    /// With which versions of their recipes the runs go on.
    continued: Vec<Continued>,
    end: Option<End>,
}

impl Job {
    pub(super) fn new(act: Act, cause: &str, dry: bool) -> Arc<Self> {
        Arc::new(Self {
            id: Uuid::now_v7().simple().to_string(),
            act,
            cause: cause.to_owned(),
            dry,
            progress: Mutex::default(),
            stop: AtomicBool::new(false),
            parted: AtomicBool::new(false),
        })
    }

    /// Asks it to stop; what is done stays done.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.with(|progress| progress.end.is_some())
    }

    pub(in crate::dashboard) fn report(&self) -> Report {
        self.with(|progress| Report {
            job: self.id.clone(),
            act: self.act.word(),
            done: self.act.done(),
            cause: self.cause.clone(),
            dry: self.dry,
            total: progress.total,
            seen: progress.counts.seen(),
            changed: progress.counts.changed(),
            left: progress.counts.left().into_iter().take(MAX_REASONS).collect(),
            continued: progress.counts.continued(),
            end: progress.end.clone(),
        })
    }

    /// Called by the job at its end and by the request that began it at its own: whether the other one was first. So one of them
    /// knows how many runs were changed and that it has to record it.
    pub(super) fn part(&self) -> bool {
        self.parted.swap(true, Ordering::AcqRel)
    }

    /// The number of runs that were changed.
    pub(super) fn changed(&self) -> usize {
        self.with(|progress| progress.counts.changed())
    }

    fn with<T>(&self, with: impl FnOnce(&mut Progress) -> T) -> T {
        with(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes through the runs, in the order of their events, because of lanes.
    pub(super) async fn run(&self, services: &Services, recipes: &[CheckedRecipe]) {
        let end = match self.all(services, recipes).await {
            Ok(end) => end,
            Err(error) => End::Failed(error.to_string()),
        };
        self.with(|progress| progress.end = Some(end));
    }

    async fn all(&self, services: &Services, recipes: &[CheckedRecipe]) -> Result<End, Error> {
        let journal = services.journal.as_ref();
        let rows = self.rows(journal).await?;
        self.with(|progress| progress.total = Some(rows.len()));
        if rows.is_empty() {
            return Ok(End::NoRuns);
        }
        let intervention: Intervention = self.act.intervention(Value::Null, self.dry);
        for row in rows.into_iter().rev() {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(End::Stopped);
            }
            let outcome = apply(journal, row, &intervention, recipes, services.clock.now()).await?;
            self.with(|progress| progress.counts.add(outcome));
        }
        Ok(End::Done)
    }

    /// The runs of the cause, newest first.
    async fn rows(&self, journal: &dyn Journal) -> Result<Vec<RunRow>, Error> {
        let Some(of_cause) = runs_of_cause(journal, &self.cause, None).await? else { return Ok(Vec::new()) };
        let mut filter = RunFilter {
            recipe: Some(of_cause.recipe.clone()),
            state: Some(of_cause.state),
            limit: Some(PAGE),
            ..RunFilter::default()
        };
        let mut rows = Vec::new();
        loop {
            let page = journal.runs(&filter).await?;
            let Some(last) = page.last() else { return Ok(rows) };
            filter.before = Some(last.id.clone());
            rows.extend(page.into_iter().filter(|row| of_cause.contains(row)));
        }
    }
}
