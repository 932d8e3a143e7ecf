//! What hob does: it executes the runs of two recipes, as its engine does. Time and journal are simulated.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use serde_json::{Map, Value};

use super::memory::MemoryHistory;
use super::random::Random;
use super::recipes::{Mode, Recipes};
use super::timeline::{Lane, Task, Timeline};
use crate::catalog::{Effect, Operation};
use crate::engine::echo_evidence::EvidenceSearch;
use crate::event::{CursorKey, DedupKey, Event, EventId, Source};
use crate::journal::{RunDetail, RunRow, Written};
use crate::run::testing::time;
use crate::run::{
    Accounts, Command, Entry, Finding, Machine, Probe, Run, RunContext, RunId, RunState, ShownRecord,
    StampedEntry, StepCall, StepResult, item_id, writes,
};

/// The connectors of the two systems, and the names of their accounts.
const CONNECTORS: [&str; 2] = ["fitr", "highlevel"];
/// Milliseconds between polls, and between sweeps for lost webhooks.
pub(super) const POLL_INTERVAL: i64 = 5000;
const SWEEP_INTERVAL: i64 = 60_000;
/// So many milliseconds after the last edit everything has come to an end.
const NEVER_ENDS: i64 = 14_400_000;

/// The time so many milliseconds after the beginning.
pub(super) fn at(millisecond: i64) -> DateTime<Utc> {
    time(0) + TimeDelta::milliseconds(millisecond)
}

/// A run with its history.
pub(super) struct StoredRun {
    pub(super) run: Run,
    pub(super) event: Event,
    pub(super) entries: Vec<StampedEntry>,
}

/// A run in progress.
pub(super) struct ActiveRun {
    pub(super) stored: StoredRun,
    machine: Machine,
}

/// Where a lane has got to.
pub(super) enum Progress {
    /// Its run waits for something, or there is none.
    Waits,
    /// Its run looks for what a create whose answer was lost may have made.
    Probes(Box<Probe>),
    /// Its run has ended.
    Ended { stored: Box<StoredRun>, state: RunState, reason: String },
}

/// What is to be done next. `A` is what people do.
pub(super) enum Next<A> {
    Act(A),
    /// The list of a system is read.
    List {
        system: usize,
    },
    /// A request of the run of a lane arrives.
    Request {
        lane: Lane,
        call: Box<StepCall>,
    },
    /// The runs of a lane go on.
    Advance {
        lane: Lane,
    },
}

/// Executes runs. `A` is what people do to the systems.
pub(super) struct Engine<A> {
    pub(super) mode: Mode,
    pub(super) recipes: &'static Recipes,
    pub(super) random: Random,
    /// In milliseconds.
    pub(super) now: i64,
    /// In milliseconds.
    pub(super) last_edit: i64,
    /// No webhook tells of the next change.
    pub(super) loses_next: bool,
    pub(super) timeline: Timeline<A>,
    pub(super) log: Vec<String>,
    pub(super) history: MemoryHistory,
    /// Events that show only what hob wrote.
    pub(super) echoes: BTreeSet<EventId>,
    /// What templates of each recipe find as links.
    links: [Map<String, Value>; 2],
    ids: usize,
    waiting: BTreeMap<Lane, VecDeque<StoredRun>>,
    active: BTreeMap<Lane, ActiveRun>,
}

impl<A> Engine<A> {
    pub(super) fn new(
        mode: Mode,
        recipes: &'static Recipes,
        random: Random,
        links: [Map<String, Value>; 2],
    ) -> Self {
        Self {
            mode,
            recipes,
            random,
            now: 0,
            last_edit: 0,
            loses_next: false,
            timeline: Timeline::new(),
            log: Vec::new(),
            history: MemoryHistory::default(),
            echoes: BTreeSet::new(),
            links,
            ids: 0,
            waiting: BTreeMap::new(),
            active: BTreeMap::new(),
        }
    }

    /// What is to be done next; `None` if nothing happens any more.
    pub(super) fn next(&mut self) -> Option<Next<A>> {
        let (when, task) = self.timeline.next()?;
        assert!(when < self.last_edit + NEVER_ENDS, "it does not come to an end");
        self.now = when;
        Some(match task {
            Task::Act(action) => Next::Act(action),
            Task::List { system } => Next::List { system },
            Task::ReceiveRequest { lane, call } => Next::Request { lane, call },
            Task::Deliver { system, event } => {
                Next::Advance { lane: self.receive(system, Event { received: at(when), ..event }) }
            }
            Task::ReceiveAnswer { lane, call, result, shown } => {
                self.take_answer(&lane, &call, result, &shown);
                Next::Advance { lane }
            }
            Task::Resume { lane } => {
                self.rebuild_machine(&lane);
                Next::Advance { lane }
            }
        })
    }

    pub(super) fn log(&mut self, line: &str) {
        self.log.push(format!("{:>9.3} {line}", self.now as f64 / 1000.0));
    }

    pub(super) fn new_id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}_{:08}", self.ids)
    }

    pub(super) fn run_of(&self, lane: &Lane) -> Option<&StoredRun> {
        self.active.get(lane).map(|active| &active.stored)
    }

    /// Whether runs of a lane are under way, or wait.
    pub(super) fn is_busy(&self, lane: &Lane) -> bool {
        self.active.contains_key(lane) || self.waiting.get(lane).is_some_and(|waiting| !waiting.is_empty())
    }

    /// Schedules the first poll or sweep of each system.
    pub(super) fn schedule_lists(&mut self) {
        for system in 0..2 {
            let first = self.random.below(POLL_INTERVAL);
            self.timeline.add(first, Task::List { system });
        }
    }

    pub(super) fn list_again(&mut self, system: usize) {
        let interval = if self.mode == Mode::Polls { POLL_INTERVAL } else { SWEEP_INTERVAL };
        self.timeline.add(self.now + interval, Task::List { system });
    }

    /// Whether no webhook tells of a change.
    pub(super) fn loses_webhook(&mut self) -> bool {
        std::mem::take(&mut self.loses_next) || self.mode == Mode::Polls || self.random.percent(10)
    }

    /// Sends a webhook about a record: it may be late, and may come twice.
    pub(super) fn send_webhook(
        &mut self,
        system: usize,
        record: &str,
        (kind, body): (&str, Value),
        by_hob: bool,
    ) {
        let event = self.told(system, record, (kind, body), by_hob);
        let lag =
            if self.random.percent(5) { self.random.below(90_000) } else { 50 + self.random.below(2000) };
        // Sent twice under one id, it is one event; here it comes twice under two.
        if self.random.percent(5) {
            let again = self.now + lag + self.random.below(20_000);
            self.timeline.add(again, Task::Deliver { system, event: event.clone() });
        }
        self.timeline.add(self.now + lag, Task::Deliver { system, event });
    }

    /// The event of a webhook about a record.
    pub(super) fn told(&mut self, system: usize, record: &str, told: (&str, Value), by_hob: bool) -> Event {
        let source = Source::Connector(CONNECTORS[system].into());
        self.event(system, record, source, told, by_hob)
    }

    /// The event of a record that a list shows.
    pub(super) fn listed(&mut self, system: usize, record: &str, told: (&str, Value), by_hob: bool) -> Event {
        let source = Source::Poll(CursorKey::new("r", &["a".to_owned()]));
        self.event(system, record, source, told, by_hob)
    }

    fn event(
        &mut self,
        system: usize,
        record: &str,
        source: Source,
        (kind, payload): (&str, Value),
        by_hob: bool,
    ) -> Event {
        let id = self.new_id("evt");
        if by_hob {
            self.echoes.insert(EventId(id.clone()));
        }
        Event {
            id: EventId(id.clone()),
            source,
            kind: kind.into(),
            connection: Some(CONNECTORS[system].into()),
            record: Some(record.to_owned()),
            dedup: DedupKey(id),
            received: at(self.now),
            payload,
        }
    }

    /// Takes in an event. Its run waits in the lane.
    pub(super) fn receive(&mut self, system: usize, event: Event) -> Lane {
        let accounts = CONNECTORS.map(|name| (name.to_owned(), name.to_owned()));
        let record = event.record.clone().unwrap();
        let run = Run {
            id: RunId(self.new_id("run")),
            event: event.id.clone(),
            recipe: self.recipes.by_source[system].name().to_owned(),
            version: None,
            accounts: Accounts::from_iter(accounts),
            lane: record.clone(),
            created: event.received,
        };
        let row = RunRow {
            id: run.id.clone(),
            recipe: run.recipe.clone(),
            record: event.record.clone(),
            state: RunState::Waiting,
            created: run.created,
            finished: None,
            error: None,
            entries: 0,
        };
        let detail = RunDetail { row, run: run.clone(), event: event.clone(), entries: Vec::new() };
        self.history.runs.push(detail);
        self.wait(StoredRun { run, event, entries: Vec::new() })
    }

    /// Has a run wait for its turn.
    pub(super) fn wait(&mut self, stored: StoredRun) -> Lane {
        let recipes = &self.recipes.by_source;
        let system = recipes.iter().position(|recipe| recipe.name() == stored.run.recipe).unwrap();
        let lane = (system, stored.run.lane.clone());
        self.waiting.entry(lane.clone()).or_default().push_back(stored);
        lane
    }

    fn machine(&self, lane: &Lane, stored: &StoredRun) -> Machine {
        let context = RunContext {
            links: self.links[lane.0].clone(),
            feedback: Arc::clone(&self.recipes.feedback),
            ..RunContext::default()
        };
        let recipe = self.recipes.by_source[lane.0].clone();
        Machine::new(recipe, stored.run.clone(), &stored.event, &stored.entries, &context)
    }

    /// Another process, or the same one later, goes on from the history alone.
    fn rebuild_machine(&mut self, lane: &Lane) {
        if let Some(active) = self.active.remove(lane) {
            let machine = self.machine(lane, &active.stored);
            self.active.insert(lane.clone(), ActiveRun { machine, ..active });
        }
    }

    /// Goes on with the run of a lane, or with the next one.
    pub(super) fn advance(&mut self, lane: &Lane) -> Progress {
        let mut active = match self.active.remove(lane) {
            Some(active) if self.timeline.is_awaited_by(lane) => {
                self.active.insert(lane.clone(), active);
                return Progress::Waits;
            }
            Some(active) => active,
            None => {
                let next = self.waiting.get_mut(lane).and_then(VecDeque::pop_front);
                let Some(stored) = next else { return Progress::Waits };
                ActiveRun { machine: self.machine(lane, &stored), stored }
            }
        };
        let (when, task) = loop {
            let decision = active.machine.decide(at(self.now));
            active.stored.entries.extend(decision.entries);
            self.store(&active);
            match decision.command {
                Command::GatherEvidence => self.gather_evidence(lane, &mut active),
                Command::Execute(call) => {
                    let lag = if call.operation.builtin.is_some() { 1 } else { 20 + self.random.below(400) };
                    break (self.now + lag, Task::ReceiveRequest { lane: lane.clone(), call });
                }
                Command::Probe(probe) => {
                    self.active.insert(lane.clone(), active);
                    return Progress::Probes(probe);
                }
                Command::Sleep { until, reason } => {
                    self.log(&format!("{} {reason}", active.stored.run.id));
                    break ((until - at(0)).num_milliseconds() + 1, Task::Resume { lane: lane.clone() });
                }
                Command::Finish { state, reason } => {
                    return self.end(active.stored, state, reason.unwrap_or_default());
                }
                other => panic!("{other:?}"),
            }
        };
        self.active.insert(lane.clone(), active);
        self.timeline.add(when, task);
        Progress::Waits
    }

    fn gather_evidence(&self, lane: &Lane, active: &mut ActiveRun) {
        let search = EvidenceSearch {
            history: &self.history,
            recipe: &self.recipes.by_source[lane.0],
            run: &active.stored.run,
        };
        let Ok(evidence) = search.evidence(&active.stored.event, at(self.now)).now_or_never().unwrap();
        active.machine.take_evidence(evidence);
    }

    fn end(&mut self, stored: StoredRun, state: RunState, reason: String) -> Progress {
        self.log(&format!("{} {}: {} {reason}", stored.run.recipe, stored.run.id, state.name()));
        let detail = self.history.run_mut(&stored.run.id);
        detail.row.state = state;
        detail.row.finished = Some(at(self.now));
        Progress::Ended { stored: Box::new(stored), state, reason }
    }

    /// Stores what a run has come to.
    fn store(&mut self, active: &ActiveRun) {
        let run = &active.stored.run.id;
        self.history.unsettled.insert(run.clone(), active.machine.unsettled());
        let known = &mut self.history.run_mut(run).entries;
        known.extend_from_slice(&active.stored.entries[known.len()..]);
    }

    /// Tells the run of a lane what its probe has found. A record that it takes for its own counts as written.
    pub(super) fn take_finding(&mut self, lane: &Lane, probe: &Probe, finding: Finding) {
        let mut active = self.active.remove(lane).unwrap();
        let stamped = StampedEntry::new(at(self.now), probe.entry(finding, at(self.now)));
        if let Entry::StepSucceeded { result, .. } = &stamped.entry {
            let shown =
                ShownRecord { id: item_id(result), record: result.as_ref().clone() }.found(&probe.inputs);
            let of = (&*probe.operation, probe.connection.as_deref(), &probe.inputs);
            self.note_writes(&active, &stamped.entry, of, &shown);
        }
        active.machine.apply(&stamped);
        active.stored.entries.push(stamped);
        self.store(&active);
        self.active.insert(lane.clone(), active);
    }

    /// Records the answer to a request of the run of a lane, and what it wrote.
    fn take_answer(&mut self, lane: &Lane, call: &StepCall, result: StepResult, shown: &Value) {
        let mut active = self.active.remove(lane).unwrap();
        let now = at(self.now);
        let stamped = StampedEntry::new(now, call.entry(&active.stored.run.id, result, now));
        if call.effect != Effect::Read && call.operation.builtin.is_none() {
            let of = (&*call.operation, call.connection.as_deref(), &call.inputs);
            let id = shown["id"].as_str().map(str::to_owned);
            let shown = ShownRecord { id, record: shown.clone() };
            self.note_writes(&active, &stamped.entry, of, &shown);
        }
        active.machine.apply(&stamped);
        active.stored.entries.push(stamped);
        self.store(&active);
        self.active.insert(lane.clone(), active);
    }

    /// Records what a step that has succeeded wrote; `of`: its operation, connection and inputs.
    fn note_writes(
        &mut self,
        active: &ActiveRun,
        entry: &Entry,
        (operation, connection, inputs): (&Operation, Option<&str>, &Map<String, Value>),
        shown: &ShownRecord,
    ) {
        let Entry::StepSucceeded { step, result, .. } = entry else { return };
        let origin = Some(active.machine.origin(step, at(self.now)));
        let written = writes(operation, connection, inputs, result, shown, origin);
        let stored = &active.stored.run;
        self.history.writes.extend(written.into_iter().map(|write| Written {
            run: stored.id.clone(),
            recipe: stored.recipe.clone(),
            at: at(self.now),
            write,
        }));
    }
}
