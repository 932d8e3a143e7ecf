//! Plays one seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::{Map, Value};

use super::super::memory::MemoryHistory;
use super::super::random::Random;
use super::super::recipes::Mode;
use super::super::systems::at;
use super::counts::Counts;
use super::links::MemoryLinks;
use super::recipes::Recipes;
use super::systems::{EMAIL, FIELDS, KINDS, OWNED, System, Values};
use super::timeline::{Lane, Task, Timeline};
use crate::catalog::Effect;
use crate::engine::echo_evidence::EvidenceSearch;
use crate::event::{CursorKey, DedupKey, Event, EventId, Source};
use crate::journal::{RunDetail, RunRow, Written};
use crate::run::{
    Accounts, Command, Entry, Finding, Machine, OperatorAction, Probe, Run, RunContext, RunId, RunState,
    ShownRecord, StampedEntry, StepCall, StepError, StepResult, plan_intervention, writes,
};

const PAIRS: usize = 4;
const EDITS: usize = 60;
const POLL_INTERVAL: i64 = 5000;
const SWEEP_INTERVAL: i64 = 60_000;
/// So many milliseconds after the last edit nothing fails any more.
const RECOVERED_AFTER: i64 = 600_000;
const NEVER_ENDS: i64 = 14_400_000;

/// A run with its history.
struct StoredRun {
    run: Run,
    event: Event,
    entries: Vec<StampedEntry>,
}

struct ActiveRun {
    stored: StoredRun,
    machine: Machine,
}

/// The systems and the runs between them, at a time.
pub(super) struct Simulation {
    mode: Mode,
    systems: [System; 2],
    pub(super) counts: Counts,
    pub(super) log: Vec<String>,
    recipes: &'static Recipes,
    random: Random,
    now: i64,
    timeline: Timeline,
    ids: usize,
    last_edit: i64,
    fails: bool,
    /// Events that show only what hob wrote.
    echoes: BTreeSet<EventId>,
    links: MemoryLinks,
    history: MemoryHistory,
    failed: BTreeMap<RunId, StoredRun>,
    waiting: BTreeMap<Lane, VecDeque<StoredRun>>,
    active: BTreeMap<Lane, ActiveRun>,
    /// What persons last wrote, by pair and field, on each system.
    said: BTreeMap<(usize, usize), [Option<String>; 2]>,
    deleted: BTreeSet<usize>,
}

impl Simulation {
    pub(super) fn new(seed: u64) -> Self {
        let mode = if seed.is_multiple_of(2) { Mode::Webhooks } else { Mode::Polls };
        let mut simulation = Self {
            mode,
            systems: KINDS.each_ref().map(System::new),
            counts: Counts::default(),
            log: Vec::new(),
            recipes: Recipes::checked(mode),
            random: Random::new(seed),
            now: 0,
            timeline: Timeline::default(),
            ids: 0,
            last_edit: 0,
            fails: true,
            echoes: BTreeSet::new(),
            links: MemoryLinks::default(),
            history: MemoryHistory::default(),
            failed: BTreeMap::new(),
            waiting: BTreeMap::new(),
            active: BTreeMap::new(),
            said: BTreeMap::new(),
            deleted: BTreeSet::new(),
        };
        simulation.schedule();
        simulation
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.random.below(i64::try_from(end).unwrap())).unwrap()
    }

    fn schedule(&mut self) {
        for pair in 0..PAIRS {
            let (system, when) = (self.below(2), 1000 + self.random.below(60_000));
            self.timeline.add(when, Task::Make { system, pair });
        }
        let mut when = 1000;
        for _ in 0..EDITS {
            when += match self.random.below(10) {
                0..=3 => self.random.below(300),
                4..=6 => self.random.below(4000),
                _ => self.random.below(40_000),
            };
            let (system, pair) = (self.below(2), self.below(PAIRS));
            let field = 1 + self.below(FIELDS - 1);
            let value = match field {
                2 => format!("+44 7700 90{:04}", self.below(10_000)),
                // Each value comes once, so that an old one is known that comes back.
                _ => format!("v{when}x{}", self.below(1000)),
            };
            self.timeline.add(when, Task::Edit { system, pair, field, value });
        }
        if self.random.percent(50) {
            let (system, pair, when) = (self.below(2), self.below(PAIRS), self.random.below(when));
            self.timeline.add(when, Task::Delete { system, pair });
        }
        self.last_edit = when;
        self.timeline.add(when + RECOVERED_AFTER, Task::Recover);
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
                Task::Make { system, pair } => self.make(system, pair),
                Task::Edit { system, pair, field, value } => self.edit(system, pair, field, value),
                Task::Delete { system, pair } => self.delete(system, pair),
                Task::Deliver { system, event } => {
                    self.receive(system, Event { received: at(when), ..event });
                }
                Task::List { system } => self.list(system),
                Task::ReceiveRequest { lane, call } => self.handle_request(lane, call),
                Task::ReceiveAnswer { lane, call, result, shown } => {
                    self.handle_answer(&lane, &call, result, &shown);
                }
                Task::Resume { lane } => {
                    self.rebuild_machine(&lane);
                    self.advance(&lane);
                }
                Task::Retry { run } => self.retry(&run),
                Task::Recover => {
                    self.fails = false;
                    let all: Vec<RunId> = self.failed.keys().cloned().collect();
                    all.iter().for_each(|run| self.retry(run));
                }
            }
        }
    }

    /// What is wrong in the end.
    pub(super) fn mistakes(&mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (run, stored) in &self.failed {
            wrong.push(format!("{run} of {} has failed", stored.run.recipe));
        }
        for pair in (0..PAIRS).filter(|pair| !self.deleted.contains(pair)) {
            let of_pair = |system: &System| {
                let live =
                    system.records.iter().filter(|(_, record)| record.pair == pair && !record.is_deleted);
                live.map(|(id, _)| id.clone()).collect::<Vec<_>>()
            };
            let [ones, others] = [0, 1].map(|system: usize| of_pair(&self.systems[system]));
            self.counts.duplicates += ones.len().saturating_sub(1) + others.len().saturating_sub(1);
            let ([one, ..], [other, ..]) = (ones.as_slice(), others.as_slice()) else {
                wrong.push(format!("pair {pair} has {ones:?} and {others:?}"));
                continue;
            };
            let (one, other) = (self.systems[0].values(one), self.systems[1].values(other));
            for field in 0..FIELDS {
                // A sync never empties a field, neither one whose owner has nothing.
                if field == OWNED && one[field].is_empty() {
                    continue;
                }
                if KINDS[1].kept(field, &one[field]) != other[field] {
                    wrong.push(format!("pair {pair} differs: {one:?} {other:?}"));
                }
                let said = self.said.get(&(pair, field)).cloned().unwrap_or_default();
                let said: Vec<String> = match field {
                    OWNED => said[..1].iter().flatten().cloned().collect(),
                    _ => said.iter().flatten().cloned().collect(),
                };
                let is_said = said.iter().any(|said| KINDS[1].kept(field, said) == other[field]);
                if !is_said && !said.is_empty() {
                    wrong.push(format!("pair {pair}: {} is old, last said were {said:?}", other[field]));
                }
            }
        }
        wrong
    }

    fn log(&mut self, line: &str) {
        self.log.push(format!("{:>9.3} {line}", self.now as f64 / 1000.0));
    }

    fn new_id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}_{:08}", self.ids)
    }

    fn make(&mut self, system: usize, pair: usize) {
        let id = self.new_id(KINDS[system].prefix);
        let email = format!("p{pair}@example.com");
        let values: Values = [email, format!("n{pair}"), String::new(), String::new()];
        self.counts.edits += 1;
        self.said.entry((pair, 1)).or_default()[system] = Some(values[1].clone());
        self.change(system, &id, pair, values, false);
    }

    fn edit(&mut self, system: usize, pair: usize, field: usize, value: String) {
        let Some(id) = self.systems[system].of_pair(pair).map(str::to_owned) else { return };
        let mut values = self.systems[system].values(&id).clone();
        values[field].clone_from(&value);
        self.counts.edits += 1;
        self.said.entry((pair, field)).or_default()[system] = Some(value);
        self.change(system, &id, pair, values, false);
    }

    fn delete(&mut self, system: usize, pair: usize) {
        let Some(id) = self.systems[system].of_pair(pair).map(str::to_owned) else { return };
        self.log(&format!("{id} deleted"));
        self.deleted.insert(pair);
        self.systems[system].records.get_mut(&id).unwrap().is_deleted = true;
    }

    /// The record has these values from now on, and a webhook may be sent.
    fn change(&mut self, system: usize, id: &str, pair: usize, values: Values, by_hob: bool) {
        self.log(&format!("{id} {}: {values:?}", if by_hob { "written" } else { "edited" }));
        let is_new = !self.systems[system].records.contains_key(id);
        let lag = match KINDS[system].list_lag {
            0 => 0,
            longest => self.random.below(longest),
        };
        self.systems[system].change(id, pair, self.now, lag, values, by_hob);
        if self.mode == Mode::Polls || self.random.percent(10) {
            return;
        }
        let since = self.systems[system].since(id);
        let (kind, body) = KINDS[system].webhook(is_new, self.systems[system].record(id));
        self.systems[system].tell(id, since);
        let source = Source::Connector(KINDS[system].connector.into());
        let event = self.event(system, id, source, kind, body);
        if by_hob {
            self.echoes.insert(event.id.clone());
        }
        let lag =
            if self.random.percent(5) { self.random.below(90_000) } else { 50 + self.random.below(2000) };
        if self.random.percent(5) {
            let again = self.now + lag + self.random.below(20_000);
            self.timeline.add(again, Task::Deliver { system, event: event.clone() });
        }
        self.timeline.add(self.now + lag, Task::Deliver { system, event });
    }

    fn event(&mut self, system: usize, record: &str, source: Source, kind: &str, payload: Value) -> Event {
        let id = self.new_id("evt");
        Event {
            id: EventId(id.clone()),
            source,
            kind: kind.into(),
            connection: Some(KINDS[system].connector.into()),
            record: Some(record.to_owned()),
            dedup: DedupKey(id),
            received: at(self.now),
            payload,
        }
    }

    /// A poll, or a sweep for lost webhooks.
    fn list(&mut self, system: usize) {
        for listed in self.systems[system].list(self.now) {
            if self.mode == Mode::Webhooks && listed.is_told {
                continue;
            }
            let (kind, payload) = match self.mode {
                Mode::Polls => (if listed.is_new { "new" } else { "changed" }, listed.record),
                Mode::Webhooks => {
                    let (kind, body) = KINDS[system].webhook(false, listed.record.clone());
                    (kind, if system == 0 { body } else { listed.record })
                }
            };
            let source = Source::Poll(CursorKey::new("r", &["a".to_owned()]));
            let event = self.event(system, &listed.id, source, kind, payload);
            if listed.by_hob {
                self.echoes.insert(event.id.clone());
            }
            self.receive(system, event);
        }
        if self.now < self.last_edit + 2 * RECOVERED_AFTER {
            let interval = if self.mode == Mode::Polls { POLL_INTERVAL } else { SWEEP_INTERVAL };
            self.timeline.add(self.now + interval, Task::List { system });
        }
    }

    fn receive(&mut self, system: usize, event: Event) {
        let accounts = KINDS.iter().map(|kind| (kind.connector.to_owned(), kind.connector.to_owned()));
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
        self.counts.runs += 1;
        let lane = (system, record);
        self.waiting.entry(lane.clone()).or_default().push_back(StoredRun {
            run,
            event,
            entries: Vec::new(),
        });
        self.advance(&lane);
    }

    fn retry(&mut self, run: &RunId) {
        let Some(mut stored) = self.failed.remove(run) else { return };
        let lane: Lane = (self.system_of(&stored.run), stored.run.lane.clone());
        let recipe = &self.recipes.by_source[lane.0];
        let planned =
            plan_intervention(&OperatorAction::Retry, RunState::Failed, &stored.entries, Some(recipe), None);
        let now = at(self.now);
        stored
            .entries
            .extend(planned.unwrap().entries.into_iter().map(|entry| StampedEntry::new(now, entry)));
        self.history.run_mut(run).row.state = RunState::Waiting;
        self.counts.retried += 1;
        self.log(&format!("{run} retried"));
        self.waiting.entry(lane.clone()).or_default().push_back(stored);
        self.advance(&lane);
    }

    fn system_of(&self, run: &Run) -> usize {
        self.recipes.by_source.iter().position(|recipe| recipe.name() == run.recipe).unwrap()
    }

    fn machine(&self, lane: &Lane, stored: &StoredRun) -> Machine {
        let context = RunContext { feedback: Arc::clone(&self.recipes.feedback), ..RunContext::default() };
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

    /// Begins the next run of a lane, if none is in progress.
    fn advance(&mut self, lane: &Lane) {
        loop {
            if self.active.contains_key(lane) && self.is_awaited(lane) {
                return;
            }
            if !self.active.contains_key(lane) {
                let Some(stored) = self.waiting.get_mut(lane).and_then(VecDeque::pop_front) else { return };
                let machine = self.machine(lane, &stored);
                self.active.insert(lane.clone(), ActiveRun { stored, machine });
            }
            if !self.go_on(lane) {
                return;
            }
        }
    }

    fn is_awaited(&self, lane: &Lane) -> bool {
        self.timeline.is_awaited_by(lane)
    }

    /// Carries on with the run of a lane; whether it has ended.
    fn go_on(&mut self, lane: &Lane) -> bool {
        let mut active = self.active.remove(lane).unwrap();
        loop {
            let decision = active.machine.decide(at(self.now));
            active.stored.entries.extend(decision.entries);
            self.note_unsettled(&active);
            let task = match decision.command {
                Command::GatherEvidence => {
                    self.gather_evidence(lane, &mut active);
                    continue;
                }
                Command::Execute(call) => {
                    let lag = if call.operation.builtin.is_some() { 1 } else { 20 + self.random.below(400) };
                    (self.now + lag, Task::ReceiveRequest { lane: lane.clone(), call })
                }
                Command::Probe(probe) => {
                    self.probe(lane, &mut active, &probe);
                    continue;
                }
                Command::Sleep { until, .. } => {
                    ((until - at(0)).num_milliseconds() + 1, Task::Resume { lane: lane.clone() })
                }
                Command::Finish { state, reason } => {
                    self.end_run(active, state, &reason.unwrap_or_default());
                    return true;
                }
                other => panic!("{other:?}"),
            };
            self.active.insert(lane.clone(), active);
            self.timeline.add(task.0, task.1);
            return false;
        }
    }

    fn gather_evidence(&self, lane: &Lane, active: &mut ActiveRun) {
        let search = EvidenceSearch {
            history: &self.history,
            recipe: &self.recipes.by_source[lane.0],
            run: &active.stored.run,
        };
        let Ok(evidence) = search.evidence(&active.stored.event).now_or_never().unwrap();
        active.machine.take_evidence(evidence);
    }

    /// Looks for what a create whose answer was lost may have made.
    fn probe(&self, lane: &Lane, active: &mut ActiveRun, probe: &Probe) {
        let target = &self.systems[1 - lane.0];
        let email = probe.inputs["email"].as_str().unwrap();
        let mut made =
            target.records.keys().filter(|id| target.values(id)[EMAIL] == email && target.is_there(id));
        let finding = match made.next() {
            Some(id) => Finding::Happened(target.record(id)),
            None => Finding::DidNotHappen,
        };
        let stamped = StampedEntry::new(at(self.now), probe.entry(finding, at(self.now)));
        active.machine.apply(&stamped);
        active.stored.entries.push(stamped);
    }

    fn end_run(&mut self, active: ActiveRun, state: RunState, reason: &str) {
        let stored = active.stored;
        let begun = stored.entries.iter().filter(|entry| matches!(entry.entry, Entry::BegunAgain { .. }));
        self.counts.begun_again += begun.count();
        let is_echo = self.echoes.contains(&stored.event.id);
        match state {
            RunState::Suppressed => self.counts.suppressed += 1,
            RunState::Succeeded => self.counts.echo_runs += usize::from(is_echo),
            RunState::Failed => self.counts.failed += 1,
            other => panic!("{other:?}: {reason}"),
        }
        self.log(&format!("{} {}: {} {reason}", stored.run.recipe, stored.run.id, state.name()));
        let detail = self.history.run_mut(&stored.run.id);
        detail.row.state = state;
        detail.entries.clone_from(&stored.entries);
        if state == RunState::Failed {
            let run = stored.run.id.clone();
            if !self.fails {
                self.timeline.add(self.now + 1000, Task::Retry { run: run.clone() });
            } else if self.random.percent(50) {
                let when = self.now + self.random.below(300_000);
                self.timeline.add(when, Task::Retry { run: run.clone() });
            }
            self.failed.insert(run, stored);
        }
    }

    fn note_unsettled(&mut self, active: &ActiveRun) {
        self.history.unsettled.insert(active.stored.run.id.clone(), active.machine.unsettled());
    }

    fn handle_request(&mut self, lane: Lane, call: Box<StepCall>) {
        if let Some(which) = call.operation.builtin {
            let own = &self.active[&lane].stored.run.id;
            let has_ended = |run: &RunId| self.history.run(run).row.state.is_finished();
            let result = self.links.perform(which, &call.inputs, own, has_ended);
            if self.fails && self.random.percent(1) {
                self.timeline.add(self.now + 3000, Task::Resume { lane });
                return;
            }
            return self
                .timeline
                .add(self.now + 1, Task::ReceiveAnswer { lane, call, result, shown: Value::Null });
        }
        let system = KINDS.iter().position(|kind| kind.connector == call.operation.connector).unwrap();
        let is_write = call.effect != Effect::Read;
        let luck = if self.fails { self.random.below(100) } else { 99 };
        let (result, shown) = match (luck, is_write) {
            (0..=1, _) => (again("503", false), Value::Null),
            (2..=5, true) => (StepResult::Refused(StepError::new("422")), Value::Null),
            (_, false) => {
                self.counts.reads += 1;
                (self.systems[system].read(&call.operation.id, &call.inputs), Value::Null)
            }
            _ => {
                let (result, shown) = self.write(system, &lane, &call);
                // A process that crashes here knows only what it meant to do.
                if luck < 8 {
                    self.timeline.add(self.now + 3000, Task::Resume { lane });
                    return;
                }
                let is_lost = luck < 11 && matches!(result, StepResult::Done(_));
                match call.effect {
                    _ if !is_lost => (result, shown),
                    Effect::Create => {
                        (StepResult::InDoubt { reason: "no answer".into(), status: None }, shown)
                    }
                    _ => (again("no answer", true), shown),
                }
            }
        };
        let lag = 20 + self.random.below(400);
        self.timeline.add(self.now + lag, Task::ReceiveAnswer { lane, call, result, shown });
    }

    fn write(&mut self, system: usize, lane: &Lane, call: &StepCall) -> (StepResult, Value) {
        self.counts.writes += 1;
        let id = call.inputs.get(KINDS[system].id_input).and_then(Value::as_str).map(str::to_owned);
        if let Some(id) = &id
            && !self.systems[system].is_there(id)
        {
            let error = StepError { status: Some(404), ..StepError::new("404") };
            return (StepResult::Gone(error), Value::Null);
        }
        let values = self.systems[system].after(id.as_deref(), &call.inputs);
        let pair = match &id {
            Some(id) => self.systems[system].records[id].pair,
            None => self.systems[lane.0].records[&lane.1].pair,
        };
        let id = id.unwrap_or_else(|| self.new_id(KINDS[system].prefix));
        let is_idle = self.systems[system].is_there(&id) && values == *self.systems[system].values(&id);
        self.counts.idle_writes += usize::from(is_idle);
        let is_echo = self.echoes.contains(&self.active[lane].stored.event.id);
        self.counts.echo_writes += usize::from(is_echo && is_idle);
        let run = self.active[lane].stored.run.id.clone();
        self.log(&format!("{run} writes {} of {id}", call.step));
        if !is_idle {
            self.change(system, &id, pair, values, true);
        }
        let record = self.systems[system].record(&id);
        (StepResult::Done(record.clone()), record)
    }

    fn handle_answer(&mut self, lane: &Lane, call: &StepCall, result: StepResult, shown: &Value) {
        let mut active = self.active.remove(lane).unwrap();
        let run = active.stored.run.id.clone();
        let stamped = StampedEntry::new(at(self.now), call.entry(&run, result, at(self.now)));
        if let Entry::StepSucceeded { step, result, .. } = &stamped.entry
            && call.effect != Effect::Read
            && call.operation.builtin.is_none()
        {
            let id = shown["id"].as_str().map(str::to_owned);
            let shown = ShownRecord { id, record: shown.clone() };
            let origin = Some(active.machine.origin(step, at(self.now)));
            let (connection, inputs): (_, &Map<String, Value>) = (call.connection.as_deref(), &call.inputs);
            let written = writes(&call.operation, connection, inputs, result, &shown, origin);
            let (recipe, now) = (active.stored.run.recipe.clone(), at(self.now));
            self.history.writes.extend(written.into_iter().map(|write| Written {
                run: run.clone(),
                recipe: recipe.clone(),
                at: now,
                write,
            }));
        }
        active.machine.apply(&stamped);
        active.stored.entries.push(stamped);
        self.note_unsettled(&active);
        self.active.insert(lane.clone(), active);
        self.advance(lane);
    }
}

fn again(message: &str, lost: bool) -> StepResult {
    StepResult::Again { error: StepError::new(message), not_before: None, lost }
}
