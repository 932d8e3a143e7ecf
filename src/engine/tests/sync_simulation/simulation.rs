//! Plays one seed: systems that are edited, deliveries that fail, and the runs of two recipes between them.

use std::collections::BTreeSet;

use futures::FutureExt as _;
use serde_json::{Map, Value, json};

use super::memory::MemoryHistory;
use super::random::Random;
use super::recipes::{Mode, Recipes};
use super::systems::{FIELDS, RecordVersions, SYSTEMS, Values, at};
use super::timeline::{Task, Timeline};
use crate::catalog::Effect;
use crate::engine::echo_evidence::EvidenceSearch;
use crate::event::{CursorKey, DedupKey, Event, EventId, Source};
use crate::journal::{RunDetail, RunRow, Written};
use crate::run::{
    Accounts, Command, Entry, Machine, Run, RunContext, RunId, RunState, ShownRecord, StampedEntry, StepCall,
    StepError, StepResult, writes,
};

const EDITS: usize = 200;
/// Milliseconds between polls, and between sweeps for lost webhooks.
const POLL_INTERVAL: i64 = 5000;
const SWEEP_INTERVAL: i64 = 60_000;
/// So many milliseconds after the last edit nothing is under way any more.
const SETTLED_AFTER: i64 = 600_000;
const NEVER_ENDS: i64 = 7_200_000;

/// What has happened.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) edits: usize,
    pub(super) writes: usize,
    /// Writes that changed nothing.
    pub(super) idle_writes: usize,
    pub(super) suppressed: usize,
    /// Echoes that ran because two writes may have crossed, and had not.
    pub(super) precautions: usize,
    /// Other echoes that ran.
    pub(super) echoes: usize,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.edits += other.edits;
        self.writes += other.writes;
        self.idle_writes += other.idle_writes;
        self.suppressed += other.suppressed;
        self.precautions += other.precautions;
        self.echoes += other.echoes;
    }
}

/// A run in progress.
struct ActiveRun {
    run: Run,
    event: Event,
    entries: Vec<StampedEntry>,
    machine: Machine,
}

/// The systems and the runs between them, at a time.
pub(super) struct Simulation {
    pub(super) mode: Mode,
    pub(super) systems: [RecordVersions; 2],
    pub(super) counts: Counts,
    pub(super) log: Vec<String>,
    recipes: &'static Recipes,
    random: Random,
    /// In milliseconds.
    now: i64,
    timeline: Timeline,
    ids: usize,
    last_edit: i64,
    /// Events that show only what hob wrote.
    echoes: BTreeSet<EventId>,
    history: MemoryHistory,
    waiting: [Vec<(Run, Event)>; 2],
    active: [Option<ActiveRun>; 2],
}

impl Simulation {
    pub(super) fn new(seed: u64) -> Self {
        let mode = if seed.is_multiple_of(2) { Mode::Webhooks } else { Mode::Polls };
        let values = || std::array::from_fn(|field| format!("v{field}"));
        let mut simulation = Self {
            mode,
            systems: [0, 1].map(|system: usize| RecordVersions::new(&SYSTEMS[system], values())),
            counts: Counts::default(),
            log: Vec::new(),
            recipes: Recipes::checked(mode),
            random: Random::new(seed),
            now: 0,
            timeline: Timeline::default(),
            ids: 0,
            last_edit: 0,
            echoes: BTreeSet::new(),
            history: MemoryHistory::default(),
            waiting: [Vec::new(), Vec::new()],
            active: [None, None],
        };
        simulation.schedule();
        simulation
    }

    fn schedule(&mut self) {
        let mut when = 1000;
        for _ in 0..EDITS {
            when += match self.random.below(10) {
                0..=3 => self.random.below(300),
                4..=6 => self.random.below(4000),
                _ => self.random.below(40_000),
            };
            let (system, field) = (self.random.below(2) as usize, self.random.below(FIELDS as i64) as usize);
            // Few values, so that one comes back.
            let value = format!("x{}", self.random.below(5));
            self.timeline.add(when, Task::Edit { system, field, value });
        }
        self.last_edit = when;
        for system in 0..2 {
            let first = self.random.below(POLL_INTERVAL);
            self.timeline.add(first, Task::List { system });
        }
    }

    /// Until nothing happens any more.
    pub(super) fn run(&mut self) {
        while let Some((when, task)) = self.timeline.next() {
            assert!(when < self.last_edit + NEVER_ENDS, "it does not come to an end");
            self.now = when;
            match task {
                Task::Edit { system, field, value } => self.edit(system, field, value),
                Task::Deliver { recipe, event } => {
                    self.receive(recipe, Event { received: at(when), ..event })
                }
                Task::List { system } => self.list(system),
                Task::ReceiveRequest { recipe, call } => self.handle_request(recipe, call),
                Task::ReceiveAnswer { recipe, call, result, shown } => {
                    self.handle_answer(recipe, &call, result, &shown);
                }
                Task::Resume { recipe } => {
                    self.rebuild_machine(recipe);
                    self.advance(recipe);
                }
            }
        }
    }

    fn log(&mut self, line: &str) {
        self.log.push(format!("{:>9.3} {line}", self.now as f64 / 1000.0));
    }

    fn new_id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}_{:08}", self.ids)
    }

    fn edit(&mut self, system: usize, field: usize, value: String) {
        self.log(&format!("{} edited: {field} = {value}", SYSTEMS[system].connector));
        let mut values = self.systems[system].values().clone();
        values[field] = value;
        self.counts.edits += usize::from(values != *self.systems[system].values());
        self.change(system, values, false);
    }

    /// The record has these values from now on, and a webhook may be sent.
    fn change(&mut self, system: usize, values: Values, by_hob: bool) {
        let is_idle = values == *self.systems[system].values();
        if !is_idle {
            let longest = SYSTEMS[system].list_lag;
            let lag = if longest > 0 { self.random.below(longest) } else { 0 };
            self.systems[system].change(self.now, lag, values, by_hob);
        }
        if self.mode == Mode::Polls || is_idle && self.random.percent(50) || self.random.percent(10) {
            return;
        }
        let body = SYSTEMS[system].webhook(self.systems[system].record());
        let source = Source::Connector(SYSTEMS[system].connector.into());
        let event = self.event(system, source, SYSTEMS[system].event, body);
        if by_hob {
            self.echoes.insert(event.id.clone());
        }
        let lag =
            if self.random.percent(5) { self.random.below(90_000) } else { 50 + self.random.below(2000) };
        // Sent twice under one id, it is one event; here it comes twice under two.
        if self.random.percent(5) {
            let again = self.now + lag + self.random.below(20_000);
            self.timeline.add(again, Task::Deliver { recipe: system, event: event.clone() });
        }
        self.timeline.add(self.now + lag, Task::Deliver { recipe: system, event });
    }

    fn event(&mut self, system: usize, source: Source, kind: &str, payload: Value) -> Event {
        let id = self.new_id("evt");
        Event {
            id: EventId(id.clone()),
            source,
            kind: kind.into(),
            connection: Some(SYSTEMS[system].connector.into()),
            record: Some(SYSTEMS[system].record.into()),
            dedup: DedupKey(id),
            received: at(self.now),
            payload,
        }
    }

    /// A poll, or a sweep for lost webhooks.
    fn list(&mut self, system: usize) {
        if let Some(listed) = self.systems[system].list(self.now) {
            let arrived = self.mode == Mode::Webhooks && self.has_arrived(system, listed.changed);
            if !arrived {
                let (kind, payload) = match self.mode {
                    Mode::Polls => ("changed", listed.record),
                    Mode::Webhooks => (SYSTEMS[system].event, SYSTEMS[system].reconciled(listed.record)),
                };
                let source = Source::Poll(CursorKey::new("r", &["a".to_owned()]));
                let event = self.event(system, source, kind, payload);
                if listed.by_hob {
                    self.echoes.insert(event.id.clone());
                }
                self.receive(system, event);
            }
        }
        if self.now < self.last_edit + SETTLED_AFTER {
            let interval = if self.mode == Mode::Polls { POLL_INTERVAL } else { SWEEP_INTERVAL };
            self.timeline.add(self.now + interval, Task::List { system });
        }
    }

    /// Whether a run since the change knows of it, or may fetch the record yet.
    fn has_arrived(&self, system: usize, changed: i64) -> bool {
        let knows = |detail: &RunDetail| {
            let fetched = detail.entries.iter().find_map(|stamped| match &stamped.entry {
                Entry::StepSucceeded { step, result, .. } if step.is_hydrate() => Some(result.as_ref()),
                _ => None,
            });
            let payload = &detail.event.payload;
            let shown = SYSTEMS[system].webhook_record.and_then(|field| payload.get(field));
            let known =
                crate::value::timestamp(&fetched.or(shown).unwrap_or(payload)[SYSTEMS[system].updated]);
            detail.event.received >= at(changed - 5000) && known.unwrap() >= at(changed)
        };
        let recipe = self.recipes.by_source[system].name();
        self.active[system].is_some()
            || !self.waiting[system].is_empty()
            || self.history.runs.iter().any(|detail| detail.row.recipe == recipe && knows(detail))
    }

    fn receive(&mut self, recipe: usize, event: Event) {
        let accounts =
            SYSTEMS.iter().map(|system| (system.connector.to_owned(), system.connector.to_owned()));
        let run = Run {
            id: RunId(self.new_id("run")),
            event: event.id.clone(),
            recipe: self.recipes.by_source[recipe].name().to_owned(),
            version: None,
            accounts: Accounts::from_iter(accounts),
            lane: SYSTEMS[recipe].record.to_owned(),
            created: event.received,
        };
        let row = RunRow {
            id: run.id.clone(),
            recipe: run.recipe.clone(),
            state: RunState::Waiting,
            record: event.record.clone(),
            created: run.created,
            finished: None,
            error: None,
            entries: 0,
        };
        let detail = RunDetail { row, run: run.clone(), event: event.clone(), entries: Vec::new() };
        self.history.runs.push(detail);
        self.waiting[recipe].push((run, event));
        self.advance(recipe);
    }

    fn context(&self, recipe: usize) -> RunContext {
        RunContext {
            links: Map::from_iter([("pair".to_owned(), json!(SYSTEMS[1 - recipe].record))]),
            feedback: std::sync::Arc::clone(&self.recipes.feedback),
            ..RunContext::default()
        }
    }

    /// Begins the next run of a recipe, if none is in progress.
    fn begin(&mut self, recipe: usize) {
        if self.active[recipe].is_some() || self.waiting[recipe].is_empty() {
            return;
        }
        let (run, event) = self.waiting[recipe].remove(0);
        let checked = self.recipes.by_source[recipe].clone();
        let machine = Machine::new(checked, run.clone(), &event, &[], &self.context(recipe));
        self.active[recipe] = Some(ActiveRun { run, event, entries: Vec::new(), machine });
    }

    /// Another process, or the same one later, goes on from the history alone.
    fn rebuild_machine(&mut self, recipe: usize) {
        let (checked, context) = (self.recipes.by_source[recipe].clone(), self.context(recipe));
        if let Some(active) = &mut self.active[recipe] {
            active.machine =
                Machine::new(checked, active.run.clone(), &active.event, &active.entries, &context);
        }
    }

    /// Carries on with the runs of a recipe until one waits for something.
    fn advance(&mut self, recipe: usize) {
        self.begin(recipe);
        if self.timeline.is_awaited_by(recipe) {
            return;
        }
        while let Some(mut active) = self.active[recipe].take() {
            let decision = active.machine.decide(at(self.now));
            active.entries.extend(decision.entries);
            self.note_unsettled(&active);
            let task = match decision.command {
                Command::GatherEvidence => {
                    self.gather_evidence(recipe, &mut active);
                    None
                }
                Command::Execute(call) => {
                    let lag = 20 + self.random.below(400);
                    Some((self.now + lag, Task::ReceiveRequest { recipe, call }))
                }
                Command::Sleep { until, .. } => {
                    Some(((until - at(0)).num_milliseconds() + 1, Task::Resume { recipe }))
                }
                Command::Finish { state, reason } => {
                    self.end_run(active, state, &reason.unwrap_or_default());
                    self.begin(recipe);
                    continue;
                }
                other => panic!("{other:?}"),
            };
            self.active[recipe] = Some(active);
            if let Some((when, task)) = task {
                self.timeline.add(when, task);
                return;
            }
        }
    }

    fn gather_evidence(&self, recipe: usize, active: &mut ActiveRun) {
        let search = EvidenceSearch {
            history: &self.history,
            recipe: &self.recipes.by_source[recipe],
            run: &active.run,
        };
        let Ok(evidence) = search.evidence(&active.event).now_or_never().unwrap();
        active.machine.take_evidence(evidence);
    }

    fn end_run(&mut self, active: ActiveRun, state: RunState, reason: &str) {
        assert!(matches!(state, RunState::Succeeded | RunState::Suppressed), "{state:?}: {reason}");
        self.counts.suppressed += usize::from(state == RunState::Suppressed);
        self.log(&format!("{} {}: {} {reason}", active.run.recipe, active.run.id, state.name()));
        let detail = self.history.run_mut(&active.run.id);
        detail.row.state = state;
        detail.entries = active.entries;
    }

    fn note_unsettled(&mut self, active: &ActiveRun) {
        self.history.unsettled.insert(active.run.id.clone(), active.machine.unsettled());
    }

    fn handle_request(&mut self, recipe: usize, call: Box<StepCall>) {
        let is_write = call.effect != Effect::Read;
        let system = if is_write { 1 - recipe } else { recipe };
        if is_write {
            self.write(recipe, &call);
        }
        let shown = self.systems[system].record();
        let is_lost = is_write && self.random.percent(3);
        let result = match is_lost {
            true => StepResult::Again { error: StepError::new("no answer"), not_before: None, lost: true },
            false => StepResult::Done(shown.clone()),
        };
        // A process that crashes here knows only what it meant to do.
        if is_write && self.random.percent(2) {
            self.timeline.add(self.now + 3000, Task::Resume { recipe });
            return;
        }
        let lag = 20 + self.random.below(400);
        self.timeline.add(self.now + lag, Task::ReceiveAnswer { recipe, call, result, shown });
    }

    fn write(&mut self, recipe: usize, call: &StepCall) {
        let target = 1 - recipe;
        let values: Values =
            SYSTEMS[target].fields.map(|name| call.inputs[name].as_str().unwrap().to_owned());
        let is_idle = values == *self.systems[target].values();
        self.counts.writes += 1;
        self.counts.idle_writes += usize::from(is_idle);
        self.count_echo(recipe, is_idle, &values);
        self.log(&format!("{} written: {values:?}", SYSTEMS[target].connector));
        self.change(target, values, true);
    }

    /// Counts a write whose event was an echo.
    fn count_echo(&mut self, recipe: usize, is_idle: bool, values: &Values) {
        let Some(active) = &self.active[recipe] else { unreachable!() };
        let is_remark = |stamped: &StampedEntry| matches!(stamped.entry, Entry::Remark { .. });
        let (run, is_precaution) = (active.run.id.clone(), active.entries.iter().any(is_remark));
        let is_echo = self.echoes.remove(&active.event.id)
            && is_idle
            && self.systems[recipe].written_by_hob(values) == Some(true);
        match (is_echo, is_precaution) {
            (false, _) => {}
            (true, true) => self.counts.precautions += 1,
            (true, false) => {
                self.counts.echoes += 1;
                self.log(&format!("{run} runs though its event is an echo"));
            }
        }
    }

    fn handle_answer(&mut self, recipe: usize, call: &StepCall, result: StepResult, shown: &Value) {
        let Some(mut active) = self.active[recipe].take() else { unreachable!() };
        let stamped = StampedEntry::new(at(self.now), call.entry(&active.run.id, result, at(self.now)));
        if let Entry::StepSucceeded { step, result, .. } = &stamped.entry {
            let shown =
                ShownRecord { id: Some(SYSTEMS[1 - recipe].record.to_owned()), record: shown.clone() };
            let origin = Some(active.machine.origin(step, at(self.now)));
            let writes =
                writes(&call.operation, call.connection.as_deref(), &call.inputs, result, &shown, origin);
            self.history.writes.extend(writes.into_iter().map(|write| Written {
                run: active.run.id.clone(),
                recipe: active.run.recipe.clone(),
                at: at(self.now),
                write,
            }));
        }
        active.machine.apply(&stamped);
        active.entries.push(stamped);
        self.note_unsettled(&active);
        self.active[recipe] = Some(active);
        self.advance(recipe);
    }
}
