//! Advances one run as far as possible: decide, record, execute, record.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::counters::WriteCount;
use super::echo_evidence::EvidenceSearch;
use super::found_links::find_links;
use super::leases::LeaseGuard;
use super::link_end::reads_base;
use super::missing_recipe::wait_for_recipe;
use super::not_kept::not_kept;
use super::probe_runner::{ProbeResult, run_probe};
use super::recipe_choice::{RecipeChoice, choose_recipe, save_recipe};
use super::recorder::Recorder;
use super::run_context::run_context;
use super::shared::Shared;
use super::step_context::StepContext;
use super::step_executor::{self, Permission};
use super::store_retry::LeaseLost;
use super::unchanged_writes::UnchangedSearch;
use super::unless_stopped::unless_stopped;
use crate::catalog::{Effect, Operation};
use crate::check::CheckedRecipe;
use crate::event::Priority;
use crate::journal::LeasedRun;
use crate::recipe::{LaneOnFailure, OnMissing};
use crate::run::{
    Accounts, Command, Decision, Difference, Entry, KnownBy, Machine, RunState, ShownRecord, StampedEntry,
    StepCall, StepResult, UnknownFields, redact_text, writes,
};

/// Waits from this length on are reported.
const REPORTED_WAIT: chrono::TimeDelta = chrono::TimeDelta::seconds(2);

/// A run in progress.
struct RunWorker {
    shared: Arc<Shared>,
    guard: LeaseGuard,
    recorder: Recorder,
    machine: Option<Machine>,
    recipe: CheckedRecipe,
    accounts: Accounts,
    priority: Priority,
    stop: watch::Receiver<bool>,
}

/// Works on `leased` until it ends or waits, or hob stops.
pub(super) async fn work(
    shared: Arc<Shared>,
    leased: LeasedRun,
    guard: LeaseGuard,
    stop: watch::Receiver<bool>,
) {
    let (id, recipe) = (leased.run.id.clone(), leased.run.recipe.clone());
    if go_on(shared, leased, guard, stop).await.is_err() {
        tracing::warn!(run = %id, recipe, "another process has taken over this run");
    }
}

async fn go_on(
    shared: Arc<Shared>,
    leased: LeasedRun,
    guard: LeaseGuard,
    stop: watch::Receiver<bool>,
) -> Result<(), LeaseLost> {
    match choose_recipe(&shared, &leased, &guard).await? {
        RecipeChoice::Recipe(recipe, remark) => {
            begin(shared, leased, guard, stop, recipe, remark).await?.go_on().await
        }
        RecipeChoice::Missing => {
            wait_for_recipe(&shared, &leased, &guard).await;
            Ok(())
        }
        RecipeChoice::Incompatible(reason) => incompatibility(&shared, &leased, &guard, reason).await,
    }
}

/// Ends a run that has no usable recipe: a person can fix the recipe and retry it.
async fn incompatibility(
    shared: &Shared,
    leased: &LeasedRun,
    guard: &LeaseGuard,
    reason: String,
) -> Result<(), LeaseLost> {
    tracing::error!(run = %leased.run.id, recipe = leased.run.recipe, reason, "run ended: failed");
    let mut recorder = Recorder::new(leased, Arc::clone(&shared.services.redactor), None, false);
    let entry = Entry::Finished { state: RunState::Failed, reason: Some(reason.clone()), step: None };
    recorder.add(StampedEntry::new(shared.services.clock.now(), entry));
    recorder.write(&shared.services, guard, RunState::Failed, None, Some(reason)).await?;
    shared.counters.count(&leased.run.recipe, &leased.run.accounts, RunState::Failed);
    shared.counters.ended(&leased.run.id);
    Ok(())
}

async fn begin(
    shared: Arc<Shared>,
    leased: LeasedRun,
    guard: LeaseGuard,
    stop: watch::Receiver<bool>,
    recipe: CheckedRecipe,
    remark: Option<String>,
) -> Result<RunWorker, LeaseLost> {
    let version = leased.run.version.is_none().then(|| recipe.version().to_owned());
    if version.is_some() {
        save_recipe(&shared, &recipe).await;
    }
    let blocks = recipe.recipe().lane_on_failure == LaneOnFailure::Block;
    let mut recorder = Recorder::new(&leased, Arc::clone(&shared.services.redactor), version, blocks)
        .counting(Arc::clone(&shared.counters));
    if leased.entries.is_empty() {
        recorder.begin_with(&leased.event);
    }
    let already_noted = |message: &str| {
        leased
            .entries
            .iter()
            .any(|stamped| matches!(&stamped.entry, Entry::Remark { message: m, .. } if m == message))
    };
    if let Some(message) = remark.filter(|message| !already_noted(message)) {
        let entry = Entry::Remark { level: "warn".into(), message };
        recorder.add(StampedEntry::new(shared.services.clock.now(), entry));
    }
    let run_context = run_context(&shared, &leased, &recipe, &guard).await?;
    let priority = leased.event.source.priority();
    let accounts = leased.run.accounts.clone();
    let (for_machine, LeasedRun { run, event, entries, .. }) = (recipe.clone(), leased);
    let machine = move || Machine::new(for_machine, run, &event, &entries, &run_context);
    let machine = shared.offload.run(recipe.name(), machine).await;
    Ok(RunWorker { shared, guard, recorder, machine, recipe, accounts, priority, stop })
}

/// The progress of a step.
enum StepProgress {
    /// Its outcome is recorded.
    Recorded,
    /// It was waiting before and must wait longer: until when, and why. Not recorded, so that the history does not
    /// grow during a long outage.
    Deferred(DateTime<Utc>, String),
    /// Shutdown started before an effect was sent.
    Stopped,
}

impl RunWorker {
    async fn go_on(&mut self) -> Result<(), LeaseLost> {
        loop {
            let Some(decision) = self.decide().await else {
                return self
                    .give_up("hob itself failed while deciding; this is a bug, please report it")
                    .await;
            };
            for stamped in decision.entries {
                if matches!(stamped.entry, Entry::Started { .. }) && reads_base(&self.recipe).is_some() {
                    // Before it reads: a run about the other record of the pair asks for it.
                    self.recorder.make_urgent();
                }
                if matches!(stamped.entry, Entry::StepUnchanged { .. }) {
                    let counters = &self.shared.counters;
                    counters.count_write(self.recipe.name(), &self.accounts, WriteCount::Unchanged);
                }
                let entry = self.truncated(stamped.entry);
                self.recorder.add(StampedEntry { entry, ..stamped });
            }
            self.update_unsettled();
            match decision.command {
                Command::Execute(call) => match self.execute(&call).await? {
                    StepProgress::Recorded => {}
                    StepProgress::Deferred(until, reason) => {
                        self.report_wait(until, &reason);
                        return self.write(RunState::Waiting, Some(until), Some(reason)).await;
                    }
                    StepProgress::Stopped => return self.write(RunState::Waiting, None, None).await,
                },
                Command::Probe(probe) => {
                    self.recorder.flush_urgent(&self.shared.services, &self.guard).await?;
                    let context = self.context();
                    let looking = run_probe(&context, self.recorder.run(), &probe);
                    let Some(ProbeResult { finding, shown, remark }) =
                        unless_stopped(self.stop.clone(), looking).await
                    else {
                        return self.write(RunState::Waiting, None, None).await;
                    };
                    if let Some(message) = remark {
                        self.add_entry(Entry::Remark { level: "warn".into(), message }, false);
                    }
                    let entry = probe.entry(finding, self.now());
                    let (connection, inputs) = (probe.connection.as_deref(), &probe.inputs);
                    self.record_writes(&entry, &probe.operation, connection, inputs, &shown.found(inputs));
                    self.add_entry(entry, true);
                }
                Command::GatherEvidence => self.gather_evidence().await?,
                Command::FindLinks { step, links } => {
                    let links = find_links(&self.shared, self.recorder.run(), links, &self.guard).await?;
                    self.add_entry(Entry::LinksFound { step, links }, false);
                }
                Command::Sleep { until, reason } => {
                    self.report_wait(until, &reason);
                    return self.write(RunState::Waiting, Some(until), Some(reason)).await;
                }
                Command::Park { reason } => return self.end(RunState::Parked, Some(reason)).await,
                Command::Finish { state, reason } => return self.end(state, reason).await,
            }
            if *self.stop.borrow() || self.is_paused() {
                return self.write(RunState::Waiting, None, None).await;
            }
            if self.guard.is_lost() {
                return Err(LeaseLost);
            }
        }
    }

    /// Whether the recipe is paused, everywhere or on an account of the run.
    fn is_paused(&self) -> bool {
        self.shared.paused.contains(self.recipe.name(), &self.accounts)
    }

    async fn gather_evidence(&mut self) -> Result<(), LeaseLost> {
        let Some(machine) = &mut self.machine else { return Ok(()) };
        let history = self.shared.history(self.recorder.run(), &self.guard);
        let search = EvidenceSearch { history, recipe: &self.recipe, run: machine.run() };
        let evidence = match machine.event() {
            Some(event) => search.evidence(event, self.shared.services.clock.now()).await?,
            None => None,
        };
        machine.take_evidence(evidence);
        Ok(())
    }

    /// In `run --once`, tells the user what is being waited for.
    fn report_wait(&self, until: DateTime<Utc>, reason: &str) {
        // Held connections are reported already.
        let connections = &self.shared.services.connections;
        let mut held = connections.values().filter_map(|connection| connection.hold.reason());
        let known = held.any(|held| reason.contains(&held));
        if !known && self.shared.once() && until > self.now() + REPORTED_WAIT {
            let (run, recipe) = (self.recorder.run(), self.recipe.name());
            let reason = redact_text(reason, &self.shared.services.redactor);
            tracing::warn!(%run, recipe, "the run waits until {}: {reason}", until.format("%H:%M:%SZ"));
        }
    }

    /// Executes a step.
    async fn execute(&mut self, call: &StepCall) -> Result<StepProgress, LeaseLost> {
        if let Some(entry) = self.left_out(call).await? {
            self.recorder.drop_intent();
            self.shared.counters.count_write(self.recipe.name(), &self.accounts, WriteCount::Unchanged);
            self.add_entry(entry, false);
            return Ok(StepProgress::Recorded);
        }
        let admitted = match step_executor::try_permission(&self.context(), call).await {
            Some(leave) => leave,
            None => {
                // Known entries must be durable before waiting for the budget; the intent must not be, so that a stop
                // during the wait leaves no doubt.
                self.recorder.write_without_intent(&self.shared.services, &self.guard).await?;
                match unless_stopped(self.stop.clone(), step_executor::permission(&self.context(), call))
                    .await
                {
                    Some(leave) => leave,
                    None => {
                        self.recorder.drop_intent();
                        self.recorder.remove_unsettled(&call.step);
                        return Ok(StepProgress::Stopped);
                    }
                }
            }
        };
        let mut unsent = call.effect == Effect::Read;
        let outcome = match admitted {
            Permission::Refused(outcome) => {
                unsent = true;
                self.recorder.drop_intent();
                outcome
            }
            Permission::Granted(admitted) => {
                self.recorder.flush_urgent(&self.shared.services, &self.guard).await?;
                self.recorder.verify_lease(&self.shared, &self.guard).await?;
                let context = self.context();
                let begun = self.shared.services.clock.elapsed();
                let performed = step_executor::execute(&context, call, admitted);
                // A read may wait for the budget for long, and can be repeated.
                let outcome = if call.effect == Effect::Read && call.operation.builtin.is_none() {
                    match unless_stopped(self.stop.clone(), performed).await {
                        Some(outcome) => outcome,
                        None => return Ok(StepProgress::Stopped),
                    }
                } else {
                    performed.await
                };
                let took = self.shared.services.clock.elapsed().saturating_sub(begun);
                self.shared.counters.count_step(self.recipe.name(), &call.operation.id, took);
                outcome
            }
        };
        let step_result = match outcome.step_result {
            StepResult::Held { wait, reason } => StepResult::Held { wait: self.context().hold(wait), reason },
            step_result => step_result,
        };
        if let Some(message) = outcome.remark {
            self.add_entry(Entry::Remark { level: "info".into(), message }, false);
        }
        if let Some(message) = outcome.more {
            self.add_entry(Entry::MoreRecords { step: call.step.clone(), message }, false);
        }
        if let Some(UnknownFields { fields, reason }) = outcome.unknown {
            self.add_entry(Entry::UnknownFields { step: call.step.clone(), fields, reason }, false);
        }
        let id = self.machine.as_ref().map(|machine| machine.run().id.clone()).unwrap_or_default();
        let entry = call.entry(&id, step_result, self.now());
        if let Entry::Deferred { until, reason, .. } = &entry
            && unsent
            && call.deferred
        {
            self.recorder.remove_unsettled(&call.step);
            return Ok(StepProgress::Deferred(*until, reason.clone()));
        }
        if !self.shared.options.dry_run {
            let (connection, inputs) = (call.connection.as_deref(), &call.inputs);
            self.record_writes(&entry, &call.operation, connection, inputs, &outcome.shown);
        }
        let entry = self.report_not_kept(call, entry, outcome.not_kept);
        if let Entry::StepSucceeded { step, known_by: Some(KnownBy::Gone), .. } = &entry {
            let told = match call.on_missing {
                OnMissing::Continue => "the record is not there",
                OnMissing::Fail => {
                    "there is nothing left to remove: the attempt whose answer was lost did it"
                }
            };
            let message = format!("{step}: {told}");
            self.add_entry(Entry::Remark { level: "info".into(), message }, false);
        }
        self.add_entry(entry, call.effect != Effect::Read);
        Ok(StepProgress::Recorded)
    }

    /// The entry of a step that is left out, as it would change nothing.
    async fn left_out(&self, call: &StepCall) -> Result<Option<Entry>, LeaseLost> {
        let history = self.shared.history(self.recorder.run(), &self.guard);
        let search = UnchangedSearch { shared: &self.shared, history, catalog: self.recipe.catalog() };
        search.entry(call).await
    }

    /// Tells what the API did not keep; what the step comes to then.
    fn report_not_kept(&mut self, call: &StepCall, entry: Entry, fields: Vec<Difference>) -> Entry {
        let Some((told, entry)) = not_kept(call, &entry, fields) else { return entry };
        self.shared.counters.count_write(self.recipe.name(), &self.accounts, WriteCount::NotKept);
        self.add_entry(told, false);
        entry
    }

    /// Records what a completed step wrote, and to which records.
    fn record_writes(
        &mut self,
        entry: &Entry,
        operation: &Operation,
        connection: Option<&str>,
        inputs: &Map<String, Value>,
        shown: &ShownRecord,
    ) {
        if let Entry::StepSucceeded { step, result, .. } = entry {
            let origin = self.machine.as_ref().map(|machine| machine.origin(step, self.now()));
            self.recorder.add_writes(writes(operation, connection, inputs, result, shown, origin));
        }
    }

    /// Applies an outcome. The machine sees the entry as stored, so that a restart makes no difference.
    fn add_entry(&mut self, entry: Entry, urgent: bool) {
        let stamped = StampedEntry::new(self.now(), self.truncated(entry));
        let stamped = self.recorder.add(stamped);
        if let Some(machine) = &mut self.machine {
            machine.apply(stamped);
        }
        self.update_unsettled();
        if urgent {
            self.recorder.make_urgent();
        }
    }

    /// Records the creates with an unknown outcome, for the probes of other steps.
    fn update_unsettled(&mut self) {
        if let Some(machine) = &self.machine {
            self.recorder.set_unsettled(machine.unsettled());
        }
    }

    /// The entry as stored, with oversized values cut.
    fn truncated(&self, entry: Entry) -> Entry {
        entry.truncated(self.recipe.step_reads())
    }

    /// `None` if it panicked.
    async fn decide(&mut self) -> Option<Decision> {
        let (mut machine, now) = (self.machine.take()?, self.now());
        let decide = move || {
            let decision = machine.decide(now);
            (machine, decision)
        };
        let (machine, decision) = self.shared.offload.run(self.recipe.name(), decide).await?;
        self.machine = Some(machine);
        Some(decision)
    }

    async fn give_up(&mut self, reason: &str) -> Result<(), LeaseLost> {
        let (state, reason) = (RunState::Failed, Some(reason.to_owned()));
        let entry = Entry::Finished { state, reason: reason.clone(), step: None };
        self.recorder.add(StampedEntry::new(self.now(), entry));
        self.end(state, reason).await
    }

    async fn end(&mut self, state: RunState, reason: Option<String>) -> Result<(), LeaseLost> {
        self.write(state, None, reason.clone()).await?;
        self.shared.counters.count(self.recipe.name(), &self.accounts, state);
        self.shared.counters.ended(self.recorder.run());
        let loud = matches!(state, RunState::Failed | RunState::Parked);
        let (run, recipe, state) = (self.recorder.run(), self.recipe.name(), state.name());
        match reason.map(|reason| redact_text(&reason, &self.shared.services.redactor)) {
            // Needs someone's attention.
            Some(reason) if loud => tracing::warn!(%run, recipe, state, reason, "run ended"),
            Some(reason) => tracing::info!(%run, recipe, state, reason, "run ended"),
            None => tracing::info!(%run, recipe, state, "run ended"),
        }
        Ok(())
    }

    async fn write(
        &mut self,
        state: RunState,
        due: Option<DateTime<Utc>>,
        reason: Option<String>,
    ) -> Result<(), LeaseLost> {
        self.recorder.write(&self.shared.services, &self.guard, state, due, reason).await
    }

    fn context(&self) -> StepContext<'_> {
        StepContext {
            services: &self.shared.services,
            recipe: self.recipe.name(),
            run: self.recorder.run(),
            options: &self.shared.options,
            catalog: self.recipe.catalog(),
            priority: self.priority,
            guard: self.guard.send_guard(&self.shared.services.clock, self.shared.options.lease),
            min_hold: self.shared.min_hold(),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.services.clock.now()
    }
}
