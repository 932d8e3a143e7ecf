//! Requests of the runs: what the systems answer, and what fails.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::engine::Engine;
use super::super::environment::Environment as _;
use super::super::memory::MemoryHistory;
use super::super::timeline::{Lane, Task};
use super::simulation::{Action, Simulation};
use super::systems::{EMAIL, FIELDS, KINDS, Values};
use crate::catalog::Effect;
use crate::run::{Finding, Probe, RunId, StepCall, StepError, StepResult, WaitKind};

/// What happens at the next request of a step, once.
pub(super) struct Planned {
    /// The step.
    pub(super) step: &'static str,
    /// What people do right before it arrives.
    pub(super) before: Vec<Action>,
    /// What becomes of it.
    pub(super) fault: Fault,
    /// What people do right after it was executed, before its answer comes.
    pub(super) after: Vec<Action>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    None,
    /// It is not executed: 503.
    Unavailable,
    /// It is not executed: 422.
    Refused,
    /// It is executed, and the process crashes before the answer comes.
    Crash,
    /// It is executed, and its answer is lost.
    Lost,
}

impl Fault {
    /// That of a number below 100.
    fn by_chance(luck: i64) -> Self {
        match luck {
            0..=1 => Self::Unavailable,
            2..=5 => Self::Refused,
            6..=7 => Self::Crash,
            8..=10 => Self::Lost,
            _ => Self::None,
        }
    }
}

impl Simulation {
    /// The fault of a request, after what people do before it.
    fn fault(&mut self, call: &StepCall) -> Fault {
        let planned = self.planned.iter().position(|planned| planned.step == call.step.action);
        if let Some(planned) = planned.map(|at| self.planned.remove(at)) {
            planned.before.into_iter().for_each(|action| self.act(action));
            let Engine { timeline, now, .. } = &mut self.engine;
            planned.after.into_iter().for_each(|action| timeline.add(*now + 1, Task::Act(action)));
            return planned.fault;
        }
        let is_internal = call.operation.builtin.is_some();
        match (self.fails, is_internal) {
            (false, _) => Fault::None,
            (true, true) if self.engine.random.percent(1) => Fault::Crash,
            (true, true) => Fault::None,
            (true, false) => Fault::by_chance(self.engine.random.below(100)),
        }
    }

    pub(super) fn answer(&mut self, lane: Lane, call: Box<StepCall>) {
        let fault = self.fault(&call);
        if fault != Fault::None {
            let run = &self.engine.run_of(&lane).unwrap().run.id;
            let line = format!("{run} {}: {fault:?}", call.step);
            self.engine.log(&line);
        }
        let (result, shown) = match call.operation.builtin {
            Some(which) => {
                let own = &self.engine.run_of(&lane).unwrap().run.id;
                let own = own.clone();
                let MemoryHistory { links, runs, .. } = &mut self.engine.history;
                let row =
                    |run: &RunId| runs.iter().rfind(|detail| detail.run.id == *run).map(|detail| &detail.row);
                let has_ended = |run: &RunId| row(run).is_some_and(|row| row.state.is_finished());
                (links.perform(which, &call.inputs, &own, has_ended), Value::Null)
            }
            None => self.execute(&lane, &call, fault),
        };
        let now = self.engine.now;
        let is_internal = call.operation.builtin.is_some();
        // A process that crashes here knows only what it meant to do. Reads are read again.
        if fault == Fault::Crash && (is_internal || call.effect != Effect::Read) {
            self.engine.timeline.add(now + 3000, Task::Resume { lane });
            return;
        }
        let lag = if is_internal { 1 } else { 20 + self.engine.random.below(400) };
        self.engine.timeline.add(now + lag, Task::ReceiveAnswer { lane, call, result, shown });
    }

    fn execute(&mut self, lane: &Lane, call: &StepCall, fault: Fault) -> (StepResult, Value) {
        let system = KINDS.iter().position(|kind| kind.connector == call.operation.connector).unwrap();
        let is_write = call.effect != Effect::Read;
        if let Some(wait) = self.systems[system].refuses_until(self.engine.now) {
            self.counts.limited += 1;
            let wait = Duration::from_millis(wait.unsigned_abs());
            let (reason, kind) = ("429".into(), Some(WaitKind::Api));
            return (StepResult::Later { wait, reason, kind }, Value::Null);
        }
        match (fault, is_write) {
            (Fault::Unavailable, _) => (again("503", false), Value::Null),
            (Fault::Refused, true) => (StepResult::Refused(StepError::new("422")), Value::Null),
            (_, false) => {
                self.counts.reads += 1;
                let result = self.systems[system].read(&call.operation.id, &call.inputs);
                if let StepResult::Done(shown) = &result {
                    let run = self.engine.run_of(lane).unwrap().run.id.clone();
                    let shown = shown.as_array().map_or(std::slice::from_ref(shown), Vec::as_slice);
                    for id in shown.iter().filter_map(|record| record["id"].as_str()) {
                        self.systems[system].note_read(id, &run);
                    }
                }
                (result, Value::Null)
            }
            (fault, true) => {
                let (result, shown) = self.write(system, lane, call);
                let is_lost = fault == Fault::Lost && matches!(result, StepResult::Done(_));
                match call.effect {
                    _ if !is_lost => (result, shown),
                    Effect::Create => {
                        (StepResult::InDoubt { reason: "no answer".into(), status: None }, shown)
                    }
                    _ => (again("no answer", true), shown),
                }
            }
        }
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
        let inputs: &Map<String, Value> = &call.inputs;
        let values = self.systems[system].after(id.as_deref(), inputs);
        let pair = match &id {
            Some(id) => self.systems[system].records[id].pair,
            None => self.systems[lane.0].records[&lane.1].pair,
        };
        let id = id.unwrap_or_else(|| self.engine.new_id(KINDS[system].prefix));
        let is_idle = self.systems[system].is_there(&id) && values == *self.systems[system].values(&id);
        self.counts.idle_writes += usize::from(is_idle);
        self.counts.stale_writes += usize::from(self.is_stale(system, &id, pair, &values));
        let stored = self.engine.run_of(lane).unwrap();
        let is_echo = self.engine.echoes.contains(&stored.event.id);
        self.counts.echo_writes += usize::from(is_echo && is_idle);
        let run = stored.run.id.clone();
        self.engine.log(&format!("{run} writes {} of {id}", call.step));
        let kept = self.systems[system].kept(&id, values);
        if !self.systems[system].is_there(&id) || kept != *self.systems[system].values(&id) {
            self.change(system, &id, pair, kept, true);
        }
        let record = self.systems[system].record(&id);
        (StepResult::Done(record.clone()), record)
    }

    /// Whether a write puts something in place that nobody said last on either side.
    fn is_stale(&self, system: usize, id: &str, pair: usize, values: &Values) -> bool {
        let before = self.systems[system].is_there(id).then(|| self.systems[system].values(id));
        let kept = |field: usize, value: &str| KINDS[1].kept(field, value);
        (0..FIELDS).any(|field| {
            let value = kept(field, &values[field]);
            let is_written = before.is_some_and(|before| kept(field, &before[field]) != value);
            let said = self.said.get(&(pair, field));
            let mut said = said.iter().flat_map(|said| said.iter().flatten());
            is_written && !said.any(|said| kept(field, said) == value)
        })
    }

    /// Looks for what a create whose answer was lost may have made.
    pub(super) fn probe(&self, lane: &Lane, probe: &Probe) -> Finding {
        let target = &self.systems[1 - lane.0];
        let email = probe.inputs["email"].as_str().unwrap();
        let mut made =
            target.records.keys().filter(|id| target.values(id)[EMAIL] == email && target.is_there(id));
        match made.next() {
            Some(id) => Finding::Happened(target.record(id)),
            None => Finding::DidNotHappen,
        }
    }
}

fn again(message: &str, lost: bool) -> StepResult {
    StepResult::Again { error: StepError::new(message), not_before: None, lost }
}
