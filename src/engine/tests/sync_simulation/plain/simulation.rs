//! Plays one seed: systems that are edited, deliveries that fail, and the runs of two recipes between them.

use serde_json::{Map, json};

use super::super::counts::Counts;
use super::super::engine::{Engine, Progress, at};
use super::super::environment::Environment;
use super::super::random::Random;
use super::super::recipes::Mode;
use super::super::timeline::{Lane, Task};
use super::recipes::checked;
use super::systems::{FIELDS, RecordVersions, SYSTEMS, System, Values};
use crate::catalog::Effect;
use crate::journal::RunDetail;
use crate::run::{Entry, RunState, StampedEntry, StepCall, StepError, StepResult};

const EDITS: usize = 200;
/// So many milliseconds after the last edit nothing is under way any more.
const SETTLED_AFTER: i64 = 600_000;

/// Somebody changes a field of a record.
pub(super) struct Edit {
    system: usize,
    field: usize,
    value: String,
}

/// The systems and the runs between them, at a time.
pub(super) struct Simulation {
    pub(super) engine: Engine<Edit>,
    pub(super) systems: [RecordVersions; 2],
    pub(super) counts: Counts,
}

/// The lane of all runs of a recipe.
fn lane(system: usize) -> Lane {
    (system, SYSTEMS[system].record.to_owned())
}

impl Simulation {
    pub(super) fn new(seed: u64) -> Self {
        let mode = Mode::of(seed);
        let values = || std::array::from_fn(|field| format!("v{field}"));
        let links =
            [1, 0].map(|other: usize| Map::from_iter([("pair".to_owned(), json!(SYSTEMS[other].record))]));
        let mut simulation = Self {
            engine: Engine::new(mode, checked(mode), Random::new(seed), links),
            systems: [0, 1].map(|system: usize| RecordVersions::new(&SYSTEMS[system], values())),
            counts: Counts::default(),
        };
        simulation.schedule();
        simulation
    }

    fn schedule(&mut self) {
        let Engine { random, timeline, .. } = &mut self.engine;
        let mut when = 1000;
        for _ in 0..EDITS {
            when += random.until_edit();
            let (system, field) = (random.index(2), random.index(FIELDS));
            // Few values, so that one comes back.
            let value = format!("x{}", random.below(5));
            timeline.add(when, Task::Act(Edit { system, field, value }));
        }
        self.engine.last_edit = when;
        self.engine.schedule_lists();
    }

    /// The record has these values from now on, and a webhook may be sent.
    fn change(&mut self, system: usize, values: Values, by_hob: bool) {
        let engine = &mut self.engine;
        let is_idle = values == *self.systems[system].values();
        if !is_idle {
            let longest = SYSTEMS[system].list_lag;
            let lag = if longest > 0 { engine.random.below(longest) } else { 0 };
            self.systems[system].change(engine.now, lag, values, by_hob);
        }
        if is_idle && engine.mode == Mode::Webhooks && engine.random.percent(50) || engine.loses_webhook() {
            return;
        }
        let System { record, event, .. } = &SYSTEMS[system];
        let body = SYSTEMS[system].webhook(self.systems[system].record());
        engine.send_webhook(system, record, (*event, body), by_hob);
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
        let recipe = self.engine.recipes.by_source[system].name();
        self.engine.is_busy(&lane(system))
            || self.engine.history.runs.iter().any(|detail| detail.row.recipe == recipe && knows(detail))
    }

    fn write(&mut self, lane: &Lane, call: &StepCall) {
        let target = 1 - lane.0;
        let values: Values =
            SYSTEMS[target].fields.map(|name| call.inputs[name].as_str().unwrap().to_owned());
        let is_idle = values == *self.systems[target].values();
        self.counts.writes += 1;
        self.counts.idle_writes += usize::from(is_idle);
        self.count_echo(lane, is_idle, &values);
        self.engine.log(&format!("{} written: {values:?}", SYSTEMS[target].connector));
        self.change(target, values, true);
    }

    /// Counts a write whose event was an echo.
    fn count_echo(&mut self, lane: &Lane, is_idle: bool, values: &Values) {
        let stored = self.engine.run_of(lane).unwrap();
        let is_remark = |stamped: &StampedEntry| matches!(stamped.entry, Entry::Remark { .. });
        let (run, event) = (stored.run.id.clone(), stored.event.id.clone());
        let is_precaution = stored.entries.iter().any(is_remark);
        let is_echo = self.engine.echoes.remove(&event)
            && is_idle
            && self.systems[lane.0].written_by_hob(values) == Some(true);
        match (is_echo, is_precaution) {
            (false, _) => {}
            (true, true) => self.counts.precautions += 1,
            (true, false) => {
                self.counts.echo_writes += 1;
                self.engine.log(&format!("{run} runs though its event is an echo"));
            }
        }
    }
}

impl Environment for Simulation {
    type Action = Edit;

    fn engine(&mut self) -> &mut Engine<Edit> {
        &mut self.engine
    }

    fn act(&mut self, Edit { system, field, value }: Edit) {
        self.engine.log(&format!("{} edited: {field} = {value}", SYSTEMS[system].connector));
        let mut values = self.systems[system].values().clone();
        values[field] = value;
        self.counts.edits += usize::from(values != *self.systems[system].values());
        self.change(system, values, false);
    }

    fn list(&mut self, system: usize) {
        if let Some(listed) = self.systems[system].list(self.engine.now) {
            let is_sweep = self.engine.mode == Mode::Webhooks;
            if !(is_sweep && self.has_arrived(system, listed.changed)) {
                let told = match is_sweep {
                    false => ("changed", listed.record),
                    true => (SYSTEMS[system].event, SYSTEMS[system].reconciled(listed.record)),
                };
                let event = self.engine.listed(system, SYSTEMS[system].record, told, listed.by_hob);
                let lane = self.engine.receive(system, event);
                self.advance(&lane);
            }
        }
        if self.engine.now < self.engine.last_edit + SETTLED_AFTER {
            self.engine.list_again(system);
        }
    }

    fn handle_request(&mut self, lane: Lane, call: Box<StepCall>) {
        let is_write = call.effect != Effect::Read;
        let system = if is_write { 1 - lane.0 } else { lane.0 };
        if is_write {
            self.write(&lane, &call);
        }
        let shown = self.systems[system].record();
        let Engine { random, timeline, now, .. } = &mut self.engine;
        let is_lost = is_write && random.percent(3);
        let result = match is_lost {
            true => StepResult::Again { error: StepError::new("no answer"), not_before: None, lost: true },
            false => StepResult::Done(shown.clone()),
        };
        // A process that crashes here knows only what it meant to do.
        if is_write && random.percent(2) {
            timeline.add(*now + 3000, Task::Resume { lane });
            return;
        }
        let lag = 20 + random.below(400);
        timeline.add(*now + lag, Task::ReceiveAnswer { lane, call, result, shown });
    }

    fn advance(&mut self, lane: &Lane) {
        loop {
            match self.engine.advance(lane) {
                Progress::Waits => return,
                Progress::Ended { state, reason, .. } => {
                    assert!(
                        matches!(state, RunState::Succeeded | RunState::Suppressed),
                        "{state:?}: {reason}"
                    );
                    self.counts.suppressed += usize::from(state == RunState::Suppressed);
                }
                Progress::Probes(probe) => panic!("{probe:?}"),
            }
        }
    }
}
