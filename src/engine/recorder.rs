//! Writes a run's entries to the journal; retries while the store is unreachable.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::counters::RunCounters;
use super::leases::LeaseGuard;
use super::shared::Shared;
use super::store_retry::{LeaseLost, with_store_retry};
use crate::event::Event;
use crate::journal::{Lease, LeasedRun, RunUpdate};
use crate::run::{
    Entry, MirroredToken, RunId, RunState, StampedEntry, StepKey, Unsettled, Write, redact_text,
};
use crate::secret::Redactor;
use crate::services::Services;

/// A run's entries that are not yet in the journal.
pub(super) struct Recorder {
    lease: Lease,
    /// The run's recipe, for logs.
    recipe: String,
    /// Redacts texts for people; this is the only place where entries are redacted.
    redactor: Arc<Redactor>,
    /// Tokens contained in the run's event, stored with the first entry.
    event_tokens: Vec<MirroredToken>,
    version: Option<String>,
    /// A failed run holds its lane.
    blocks: bool,
    pending: Vec<StampedEntry>,
    writes: Vec<Write>,
    /// The creates with an unknown outcome, if they have changed.
    unsettled: Option<Vec<Unsettled>>,
    /// The entries include the outcome of an effect, which must be durable before anything else happens.
    urgent: bool,
    /// Counts how long writes take.
    counters: Option<Arc<RunCounters>>,
}

impl Recorder {
    /// `version`: the recipe's version, if not yet recorded. `blocks`: the run holds its lane if it fails.
    pub(super) fn new(
        leased: &LeasedRun,
        redactor: Arc<Redactor>,
        version: Option<String>,
        blocks: bool,
    ) -> Self {
        let (lease, recipe) = (leased.lease.clone(), leased.run.recipe.clone());
        let (event_tokens, pending, writes) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            lease,
            recipe,
            redactor,
            event_tokens,
            version,
            blocks,
            pending,
            writes,
            unsettled: None,
            urgent: false,
            counters: None,
        }
    }

    /// The same, counting how long writes take.
    pub(super) fn counting(self, counters: Arc<RunCounters>) -> Self {
        Self { counters: Some(counters), ..self }
    }

    /// For a run without entries: stores the event's tokens with the first entry.
    pub(super) fn begin_with(&mut self, event: &Event) {
        let tokens = self.redactor.tokens_in([&event.payload]);
        self.event_tokens = tokens.into_iter().map(MirroredToken::from).collect();
    }

    /// Adds an entry and returns it as stored. Remarks are logged at once.
    pub(super) fn add(&mut self, entry: StampedEntry) -> &StampedEntry {
        let mut entry = entry.redacted(&self.redactor);
        entry.tokens.append(&mut self.event_tokens);
        let (run, recipe) = (&self.lease.run, self.recipe.as_str());
        if let Entry::MoreRecords { step, message } = &entry.entry {
            tracing::warn!(%run, recipe, %step, "{message}");
        }
        if let Entry::NotKept { step, fields, .. } = &entry.entry {
            // What was sent may be somebody's data, which logs need not have.
            let fields: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
            let fields = fields.join(", ");
            tracing::warn!(%run, recipe, %step, fields, "the API accepted the request and did not keep all of it");
        }
        if let Entry::StepUnchanged { step, reason, .. } = &entry.entry {
            tracing::info!(%run, recipe, %step, "not sent: {reason}");
        }
        if let Entry::UnknownFields { step, fields, reason } = &entry.entry {
            let fields = fields.join(", ");
            tracing::warn!(%run, recipe, %step, fields, "a part of the result is unknown: {reason}");
        }
        if let Entry::Remark { level, message } = &entry.entry {
            match level.as_str() {
                "error" => tracing::error!(%run, recipe, "{message}"),
                "warn" => tracing::warn!(%run, recipe, "{message}"),
                _ => tracing::info!(%run, recipe, "{message}"),
            }
        }
        self.urgent |= matches!(entry.entry, Entry::Intent { .. });
        let place = self.pending.len();
        self.pending.push(entry);
        &self.pending[place]
    }

    /// Adds writes of a step, stored with its entry.
    pub(super) fn add_writes(&mut self, writes: Vec<Write>) {
        self.writes.extend(writes);
    }

    /// Sets the creates with an unknown outcome.
    pub(super) fn set_unsettled(&mut self, unsettled: Vec<Unsettled>) {
        self.unsettled = Some(unsettled);
    }

    /// Removes `step`, which was not sent after all.
    pub(super) fn remove_unsettled(&mut self, step: &StepKey) {
        if let Some(unsettled) = &mut self.unsettled {
            unsettled.retain(|known| known.step != *step);
        }
    }

    /// Requires the last entries to be durable before anything else happens.
    pub(super) fn make_urgent(&mut self) {
        self.urgent = true;
    }

    /// Writes entries that must be durable before the next action.
    pub(super) async fn flush_urgent(
        &mut self,
        services: &Services,
        guard: &LeaseGuard,
    ) -> Result<(), LeaseLost> {
        if !self.urgent {
            return Ok(());
        }
        self.write(services, guard, RunState::Running, None, None).await
    }

    /// Verifies the lease after what may have been a long wait.
    pub(super) async fn verify_lease(&self, shared: &Shared, guard: &LeaseGuard) -> Result<(), LeaseLost> {
        let (services, lease) = (&shared.services, shared.options.lease);
        let ask = || guard.holds(services.journal.as_ref(), services.clock.now(), lease);
        if with_store_retry(&self.lease.run, guard, ask).await? { Ok(()) } else { Err(LeaseLost) }
    }

    /// The run.
    pub(super) fn run(&self) -> &RunId {
        &self.lease.run
    }

    /// Writes all entries except the intent of a step that waits for its permission.
    pub(super) async fn write_without_intent(
        &mut self,
        services: &Services,
        guard: &LeaseGuard,
    ) -> Result<(), LeaseLost> {
        let intent = self.pending.pop_if(is_intent);
        if !self.pending.is_empty() {
            self.write(services, guard, RunState::Running, None, None).await?;
        }
        if let Some(intent) = intent {
            self.add(intent);
        }
        Ok(())
    }

    /// Drops the intent of a step that was not sent.
    pub(super) fn drop_intent(&mut self) {
        self.pending.pop_if(is_intent);
    }

    /// Writes all entries and the run's new state.
    pub(super) async fn write(
        &mut self,
        services: &Services,
        guard: &LeaseGuard,
        state: RunState,
        due: Option<DateTime<Utc>>,
        error: Option<String>,
    ) -> Result<(), LeaseLost> {
        let error = error.map(|error| redact_text(&error, &self.redactor));
        let begun = self.pending.iter().any(|stamped| matches!(stamped.entry, Entry::Started { .. }));
        let version = self.version.take_if(|_| begun);
        let (entries, writes) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.writes));
        self.urgent = false;
        let record = || {
            let update = RunUpdate {
                state,
                due,
                error: error.clone(),
                version: version.clone(),
                writes: writes.clone(),
                unsettled: self.unsettled.clone(),
                holds_lane: self.blocks && state == RunState::Failed,
                now: services.clock.now(),
            };
            services.journal.record(&self.lease, entries.clone(), update)
        };
        let begun = services.clock.elapsed();
        let written = with_store_retry(&self.lease.run, guard, record).await;
        if let (Some(counters), Ok(_)) = (&self.counters, &written) {
            counters.count_stored(services.clock.elapsed().saturating_sub(begun));
        }
        written
    }
}

fn is_intent(stamped: &mut StampedEntry) -> bool {
    matches!(stamped.entry, Entry::Intent { .. })
}
