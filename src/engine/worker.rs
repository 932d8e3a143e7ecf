//! Takes one run as far as it goes now: decide, record, act, record.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::act::{self, Leave, Surroundings};
use super::choice::{Choice, choose, keep};
use super::dispatch::Shared;
use super::held::Grip;
use super::look::{Look, look};
use super::persist::{Gone, persist};
use super::recorder::Recorder;
use crate::catalog::{Effect, Operation};
use crate::check::CheckedRecipe;
use crate::connection::Priority;
use crate::event::{Event, Source};
use crate::journal::LeasedRun;
use crate::recipe::LaneOnFailure;
use crate::run::{
    Accounts, Act, Decision, Entry, Facts, GONE, Machine, Perform, Report, RunState, StampedEntry,
    UnknownFields, told, writes,
};

/// How long a run waits whose recipe is not loaded, before it is looked at again.
const ABSENT: chrono::TimeDelta = chrono::TimeDelta::minutes(10);
/// The same where another process may have the recipe.
const ELSEWHERE: chrono::TimeDelta = chrono::TimeDelta::seconds(15);

/// A wait as long as this is told.
const WORTH_A_WORD: chrono::TimeDelta = chrono::TimeDelta::seconds(2);

/// A run in a worker's hands.
struct Work {
    shared: Arc<Shared>,
    grip: Grip,
    recorder: Recorder,
    machine: Option<Machine>,
    recipe: CheckedRecipe,
    accounts: Accounts,
    priority: Priority,
    stop: watch::Receiver<bool>,
}

/// Works on `leased` until it ends, waits, or hob stops.
pub(super) async fn work(shared: Arc<Shared>, leased: LeasedRun, grip: Grip, stop: watch::Receiver<bool>) {
    let id = leased.run.id.clone();
    if go_on(shared, leased, grip, stop).await.is_err() {
        tracing::warn!(run = %id, "another process has taken over this run");
    }
}

async fn go_on(
    shared: Arc<Shared>,
    leased: LeasedRun,
    grip: Grip,
    stop: watch::Receiver<bool>,
) -> Result<(), Gone> {
    match choose(&shared, &leased, &grip).await? {
        Choice::Recipe(recipe, remark) => {
            begin(shared, leased, grip, stop, recipe, remark).await?.go_on().await
        }
        Choice::Absent => {
            absent(&shared, &leased, &grip).await;
            Ok(())
        }
        Choice::Misfit(reason) => misfit(&shared, &leased, &grip, reason).await,
    }
}

async fn absent(shared: &Shared, leased: &LeasedRun, grip: &Grip) {
    let recipe = &leased.run.recipe;
    let error = format!(
        "waits for its recipe `{recipe}`, which is not loaded; put it back, or give up with `hob runs skip`"
    );
    tracing::warn!(run = %leased.run.id, recipe, "the run waits for its recipe, which is not loaded");
    shared.missing(recipe);
    let mut recorder = Recorder::new(leased.lease.clone(), Arc::clone(&shared.world.redactor), None, false);
    // Whoever works until nothing is left does not wait for another process.
    let wait = if shared.world.journal.is_shared() && !shared.once() { ELSEWHERE } else { ABSENT };
    let due = Some(shared.world.clock.now() + wait);
    // Nothing is lost if this cannot be written: the lease runs out.
    let _ = recorder.write(&shared.world, grip, RunState::Waiting, due, Some(error)).await;
}

/// Ends a run that nothing is there to go on with: a person can mend the recipe and retry it.
async fn misfit(shared: &Shared, leased: &LeasedRun, grip: &Grip, reason: String) -> Result<(), Gone> {
    tracing::error!(run = %leased.run.id, recipe = leased.run.recipe, reason, "run ended: failed");
    let mut recorder = Recorder::new(leased.lease.clone(), Arc::clone(&shared.world.redactor), None, false);
    let entry = Entry::Finished { state: RunState::Failed, reason: Some(reason.clone()), step: None };
    recorder.add(StampedEntry::new(shared.world.clock.now(), entry));
    recorder.write(&shared.world, grip, RunState::Failed, None, Some(reason)).await?;
    shared.tally.count(&leased.run.recipe, &leased.run.accounts, RunState::Failed);
    Ok(())
}

async fn begin(
    shared: Arc<Shared>,
    leased: LeasedRun,
    grip: Grip,
    stop: watch::Receiver<bool>,
    recipe: CheckedRecipe,
    remark: Option<String>,
) -> Result<Work, Gone> {
    let version = leased.run.version.is_none().then(|| recipe.version().to_owned());
    if version.is_some() {
        keep(&shared, &recipe).await;
    }
    let blocks = recipe.recipe().lane_on_failure == LaneOnFailure::Block;
    let mut recorder =
        Recorder::new(leased.lease.clone(), Arc::clone(&shared.world.redactor), version, blocks);
    if leased.entries.is_empty() {
        recorder.begin_with(&leased.event);
    }
    let told = |message: &str| {
        leased
            .entries
            .iter()
            .any(|stamped| matches!(&stamped.entry, Entry::Remark { message: m, .. } if m == message))
    };
    if let Some(message) = remark.filter(|message| !told(message)) {
        let entry = Entry::Remark { level: "warn".into(), message };
        recorder.add(StampedEntry::new(shared.world.clock.now(), entry));
    }
    let facts = facts(&shared, &leased, &recipe, &grip).await?;
    let priority = priority(&leased.event);
    let accounts = leased.run.accounts.clone();
    let (for_machine, LeasedRun { run, event, entries, .. }) = (recipe.clone(), leased);
    let machine = move || Machine::new(for_machine, run, &event, &entries, &facts);
    let machine = shared.thinking.think(recipe.name(), machine).await;
    Ok(Work { shared, grip, recorder, machine, recipe, accounts, priority, stop })
}

async fn facts(
    shared: &Shared,
    leased: &LeasedRun,
    recipe: &CheckedRecipe,
    grip: &Grip,
) -> Result<Facts, Gone> {
    let world = &shared.world;
    let accounts = leased.run.accounts.iter();
    let connections = accounts
        .filter_map(|(connector, name)| Some((connector.clone(), world.connections.get(name)?.facts())))
        .collect();
    let mut links = Map::new();
    // Most recipes have no links; they need not ask for them.
    if let Some(record) =
        leased.event.record.as_ref().filter(|_| recipe.recipe().file.text().contains("links"))
    {
        let known = persist(&leased.run.id, grip, || world.journal.links_of(record)).await?;
        links.extend(known.into_iter().map(|link| {
            let other = if link.from == *record { link.to } else { link.from };
            (link.name, Value::from(other))
        }));
    }
    let skip_waits = shared.options.dry_run;
    let ahead = world.clock.ahead();
    Ok(Facts { env: Arc::clone(&shared.env), connections, links, ahead, skip_waits })
}

fn priority(event: &Event) -> Priority {
    match event.source {
        Source::Poll(_) => Priority::Poll,
        Source::Connector(_) | Source::Path(_) | Source::Schedule(_) | Source::Manual(_) => Priority::Webhook,
    }
}

/// What became of a step.
enum Performed {
    /// Its outcome is in the history.
    Noted,
    /// It had to wait already, and has to wait further: until when, and why. A history does not grow while an app is
    /// away for days.
    PutOff(DateTime<Utc>, String),
    /// The program was asked to stop before anything was sent that has an effect.
    Stopped,
}

/// What `work` comes to, unless the program is asked to stop first.
async fn unless_stopped<T>(mut stop: watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        Ok(_) = stop.wait_for(|stop| *stop) => None,
    }
}

impl Work {
    async fn go_on(&mut self) -> Result<(), Gone> {
        loop {
            let Some(decision) = self.decide().await else {
                return self
                    .give_up("hob itself failed while deciding; this is a bug, please report it")
                    .await;
            };
            for stamped in decision.entries {
                let entry = self.kept(stamped.entry);
                self.recorder.add(StampedEntry { entry, ..stamped });
            }
            self.tell_unsettled();
            match decision.act {
                Act::Perform(perform) => match self.perform(&perform).await? {
                    Performed::Noted => {}
                    Performed::PutOff(until, reason) => {
                        self.tell_of_wait(until, &reason);
                        return self.write(RunState::Waiting, Some(until), Some(reason)).await;
                    }
                    Performed::Stopped => return self.write(RunState::Waiting, None, None).await,
                },
                Act::Probe(probe) => {
                    self.recorder.before_acting(&self.shared.world, &self.grip).await?;
                    let around = self.around();
                    let looking = look(&around, self.recorder.run(), &probe);
                    let Some(Look { finding, record, remark }) =
                        unless_stopped(self.stop.clone(), looking).await
                    else {
                        return self.write(RunState::Waiting, None, None).await;
                    };
                    if let Some(message) = remark {
                        self.settle(Entry::Remark { level: "warn".into(), message }, false);
                    }
                    let entry = probe.settle(finding, self.now());
                    let (connection, inputs) = (probe.connection.as_deref(), &probe.inputs);
                    self.note(&entry, &probe.operation, connection, inputs, record.as_deref());
                    self.settle(entry, true);
                }
                Act::Sleep { until, reason } => {
                    self.tell_of_wait(until, &reason);
                    return self.write(RunState::Waiting, Some(until), Some(reason)).await;
                }
                Act::Park { reason } => return self.end(RunState::Parked, Some(reason)).await,
                Act::Finish { state, reason } => return self.end(state, reason).await,
            }
            if *self.stop.borrow() || self.shared.paused.contains(self.recipe.name()) {
                return self.write(RunState::Waiting, None, None).await;
            }
            if self.grip.is_lost() {
                return Err(Gone);
            }
        }
    }

    /// Whoever watches until nothing is left is told what is waited for.
    fn tell_of_wait(&self, until: DateTime<Utc>, reason: &str) {
        // Of connections that are held it is told already.
        let connections = &self.shared.world.connections;
        let mut held = connections.values().filter_map(|connection| connection.hold.reason());
        let known = held.any(|held| reason.contains(&held));
        if !known && self.shared.once() && until > self.now() + WORTH_A_WORD {
            let (run, recipe) = (self.recorder.run(), self.recipe.name());
            let reason = told(reason, &self.shared.world.redactor);
            tracing::warn!(%run, recipe, "the run waits until {}: {reason}", until.format("%H:%M:%SZ"));
        }
    }

    /// Performs a step.
    async fn perform(&mut self, perform: &Perform) -> Result<Performed, Gone> {
        let admitted = match act::leave_at_once(&self.around(), perform).await {
            Some(leave) => leave,
            None => {
                // What is known must not wait for the budget, and the intent must: a stop while it
                // waits leaves nothing in doubt.
                self.recorder.write_before_intent(&self.shared.world, &self.grip).await?;
                match unless_stopped(self.stop.clone(), act::leave(&self.around(), perform)).await {
                    Some(leave) => leave,
                    None => {
                        self.recorder.forget_intent();
                        self.recorder.settled(&perform.step);
                        return Ok(Performed::Stopped);
                    }
                }
            }
        };
        let mut unsent = perform.effect == Effect::Read;
        let told = match admitted {
            Leave::Refused(told) => {
                unsent = true;
                self.recorder.forget_intent();
                told
            }
            Leave::Granted(admitted) => {
                self.recorder.before_acting(&self.shared.world, &self.grip).await?;
                self.recorder.still_ours(&self.shared, &self.grip).await?;
                let around = self.around();
                let performed = act::perform(&around, perform, admitted);
                // A read may wait for the budget for long, and can be sent again.
                if perform.effect == Effect::Read && perform.operation.builtin.is_none() {
                    match unless_stopped(self.stop.clone(), performed).await {
                        Some(told) => told,
                        None => return Ok(Performed::Stopped),
                    }
                } else {
                    performed.await
                }
            }
        };
        let report = match told.report {
            Report::Held { wait, reason } => Report::Held { wait: self.around().hold(wait), reason },
            report => report,
        };
        if let Some(message) = told.remark {
            self.settle(Entry::Remark { level: "info".into(), message }, false);
        }
        if let Some(dropped) = told.dropped {
            let message = format!("{}: {dropped}", perform.step);
            self.settle(Entry::Remark { level: "warn".into(), message }, false);
        }
        if let Some(message) = told.more {
            self.settle(Entry::MoreRecords { step: perform.step.clone(), message }, false);
        }
        if let Some(UnknownFields { fields, reason }) = told.unknown {
            self.settle(Entry::UnknownFields { step: perform.step.clone(), fields, reason }, false);
        }
        let id = self.machine.as_ref().map(|machine| machine.run().id.clone()).unwrap_or_default();
        let entry = perform.settle(&id, report, self.now());
        if let Entry::Deferred { until, reason, .. } = &entry
            && unsent
            && perform.deferred
        {
            self.recorder.settled(&perform.step);
            return Ok(Performed::PutOff(*until, reason.clone()));
        }
        if !self.shared.options.dry_run {
            let (connection, inputs) = (perform.connection.as_deref(), &perform.inputs);
            self.note(&entry, &perform.operation, connection, inputs, told.record.as_deref());
        }
        if let Entry::StepSucceeded { step, known_by: Some(by), .. } = &entry
            && by == GONE
        {
            let message =
                format!("{step}: there is nothing left to remove: the attempt whose answer was lost did it");
            self.settle(Entry::Remark { level: "info".into(), message }, false);
        }
        self.settle(entry, perform.effect != Effect::Read);
        Ok(Performed::Noted)
    }

    /// Notes what a step that is done wrote, and to which records.
    fn note(
        &mut self,
        entry: &Entry,
        operation: &Operation,
        connection: Option<&str>,
        inputs: &Map<String, Value>,
        shown: Option<&str>,
    ) {
        if let Entry::StepSucceeded { result, .. } = entry {
            self.recorder.add_writes(writes(operation, connection, inputs, result, shown));
        }
    }

    /// Takes an outcome into account. The machine sees what the history keeps, so that a restart
    /// changes nothing.
    fn settle(&mut self, entry: Entry, urgent: bool) {
        let stamped = StampedEntry::new(self.now(), self.kept(entry));
        let stamped = self.recorder.add(stamped);
        if let Some(machine) = &mut self.machine {
            machine.apply(stamped);
        }
        self.tell_unsettled();
        if urgent {
            self.recorder.make_urgent();
        }
    }

    /// Notes the creates of which nothing is known yet, for whoever looks for the like.
    fn tell_unsettled(&mut self) {
        if let Some(machine) = &self.machine {
            self.recorder.set_unsettled(machine.unsettled());
        }
    }

    /// What the history keeps of an entry: no megabytes that nobody reads.
    fn kept(&self, entry: Entry) -> Entry {
        entry.bounded(self.recipe.step_reads())
    }

    /// `None`: it panicked.
    async fn decide(&mut self) -> Option<Decision> {
        let (mut machine, now) = (self.machine.take()?, self.now());
        let decide = move || {
            let decision = machine.decide(now);
            (machine, decision)
        };
        let (machine, decision) = self.shared.thinking.think(self.recipe.name(), decide).await?;
        self.machine = Some(machine);
        Some(decision)
    }

    async fn give_up(&mut self, reason: &str) -> Result<(), Gone> {
        let (state, reason) = (RunState::Failed, Some(reason.to_owned()));
        let entry = Entry::Finished { state, reason: reason.clone(), step: None };
        self.recorder.add(StampedEntry::new(self.now(), entry));
        self.end(state, reason).await
    }

    async fn end(&mut self, state: RunState, reason: Option<String>) -> Result<(), Gone> {
        self.write(state, None, reason.clone()).await?;
        self.shared.tally.count(self.recipe.name(), &self.accounts, state);
        let loud = matches!(state, RunState::Failed | RunState::Parked);
        let (run, recipe, state) = (self.recorder.run(), self.recipe.name(), state.name());
        match reason.map(|reason| told(&reason, &self.shared.world.redactor)) {
            // Somebody has to do something.
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
    ) -> Result<(), Gone> {
        self.recorder.write(&self.shared.world, &self.grip, state, due, reason).await
    }

    fn around(&self) -> Surroundings<'_> {
        Surroundings {
            world: &self.shared.world,
            options: &self.shared.options,
            catalog: self.recipe.catalog(),
            priority: self.priority,
            gate: self.grip.gate(&self.shared.world.clock, self.shared.options.lease),
            least_hold: self.shared.least_hold(),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.world.clock.now()
    }
}
