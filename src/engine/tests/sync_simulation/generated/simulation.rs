//! Plays a story: what people do, and the runs that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::counts::Counts;
use super::super::engine::{Engine, Progress, StoredRun, at};
use super::super::environment::Environment;
use super::super::random::Random;
use super::super::recipes::Mode;
use super::super::timeline::{Lane, Task};
use super::recipes::checked;
use super::requests::Planned;
use super::systems::{FIELDS, KINDS, PHONE, System, TAGS, Values};
use crate::event::Event;
use crate::journal::RunDetail;
use crate::run::{Entry, OperatorAction, RunId, RunState, StampedEntry, StepCall, plan_intervention};

const PAIRS: usize = 4;
const EDITS: usize = 200;
/// So many milliseconds after the last edit nothing fails any more.
const RECOVERED_AFTER: i64 = 600_000;

/// What people do.
#[derive(Clone)]
pub(super) enum Action {
    /// Change a field of a record.
    Edit { system: usize, pair: usize, field: usize, value: String },
    /// Make the first record of a pair.
    Make { system: usize, pair: usize },
    /// The same, and no webhook tells of it.
    EditUntold { system: usize, pair: usize, field: usize, value: String },
    /// A webhook about a record comes at once.
    Tell { system: usize, pair: usize },
    /// Delete a record.
    Delete { system: usize, pair: usize },
    /// Retry a failed run.
    Retry { run: RunId },
    /// Nothing fails from now on: retry all that has failed.
    Recover,
}

/// The systems and the runs between them, at a time.
pub(super) struct Simulation {
    pub(super) engine: Engine<Action>,
    pub(super) systems: [System; 2],
    pub(super) counts: Counts,
    pub(super) fails: bool,
    /// What happens at requests, besides what happens by chance.
    pub(super) planned: Vec<Planned>,
    pub(super) failed: BTreeMap<RunId, StoredRun>,
    /// What persons last wrote, by pair and field, on each system.
    pub(super) said: BTreeMap<(usize, usize), [Option<String>; 2]>,
    pub(super) deleted: BTreeSet<usize>,
}

impl Simulation {
    /// The story of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut simulation = Self::empty(Mode::of(seed), Random::new(seed));
        simulation.schedule();
        simulation
    }

    /// One in which nobody does anything.
    pub(super) fn empty(mode: Mode, random: Random) -> Self {
        Self {
            engine: Engine::new(mode, checked(mode), random, [Map::new(), Map::new()]),
            systems: KINDS.each_ref().map(System::new),
            counts: Counts::default(),
            fails: true,
            planned: Vec::new(),
            failed: BTreeMap::new(),
            said: BTreeMap::new(),
            deleted: BTreeSet::new(),
        }
    }

    fn schedule(&mut self) {
        let Engine { random, timeline, .. } = &mut self.engine;
        for pair in 0..PAIRS {
            let (system, when) = (random.index(2), 1000 + random.below(60_000));
            timeline.add(when, Task::Act(Action::Make { system, pair }));
        }
        let mut when = 1000;
        for _ in 0..EDITS {
            when += random.until_edit();
            let (system, pair) = (random.index(2), random.index(PAIRS));
            let field = 1 + random.index(FIELDS - 1);
            let value = match field {
                PHONE => format!("+44 7700 90{:04}", random.index(10_000)),
                TAGS => format!("t{when} a{}", random.index(1000)),
                // Each value comes once, so that an old one is known that comes back.
                _ => format!("v{when}x{}", random.index(1000)),
            };
            timeline.add(when, Task::Act(Action::Edit { system, pair, field, value }));
        }
        if random.percent(50) {
            let (system, pair, when) = (random.index(2), random.index(PAIRS), random.below(when));
            timeline.add(when, Task::Act(Action::Delete { system, pair }));
        }
        timeline.add(when + RECOVERED_AFTER, Task::Act(Action::Recover));
        self.engine.last_edit = when;
        self.engine.schedule_lists();
    }

    fn make(&mut self, system: usize, pair: usize) {
        let id = self.engine.new_id(KINDS[system].prefix);
        let email = format!("p{pair}@example.com");
        let values: Values = [email, format!("n{pair}"), String::new(), String::new(), String::new()];
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

    fn tell(&mut self, system: usize, pair: usize) {
        let id = self.systems[system].of_pair(pair).unwrap().to_owned();
        let since = self.systems[system].since(&id);
        let told = KINDS[system].webhook(false, self.systems[system].record(&id));
        self.systems[system].tell(&id, since);
        let event = self.engine.told(system, &id, told, false);
        self.receive(system, event);
    }

    fn delete(&mut self, system: usize, pair: usize) {
        let Some(id) = self.systems[system].of_pair(pair).map(str::to_owned) else { return };
        self.engine.log(&format!("{id} deleted"));
        self.deleted.insert(pair);
        self.systems[system].records.get_mut(&id).unwrap().is_deleted = true;
    }

    /// The record has these values from now on, and a webhook may be sent.
    pub(super) fn change(&mut self, system: usize, id: &str, pair: usize, values: Values, by_hob: bool) {
        let engine = &mut self.engine;
        engine.log(&format!("{id} {}: {values:?}", if by_hob { "written" } else { "edited" }));
        let is_new = !self.systems[system].records.contains_key(id);
        let lag = match KINDS[system].list_lag {
            0 => 0,
            longest => engine.random.below(longest),
        };
        self.systems[system].change(id, pair, engine.now, lag, values, by_hob);
        if engine.loses_webhook() {
            return;
        }
        let since = self.systems[system].since(id);
        let told = KINDS[system].webhook(is_new, self.systems[system].record(id));
        self.systems[system].tell(id, since);
        engine.send_webhook(system, id, told, by_hob);
    }

    fn receive(&mut self, system: usize, event: Event) {
        let lane = self.engine.receive(system, event);
        self.advance(&lane);
    }

    fn retry(&mut self, run: &RunId) {
        let Some(mut stored) = self.failed.remove(run) else { return };
        let recipes = &self.engine.recipes.by_source;
        let recipe = recipes.iter().find(|recipe| recipe.name() == stored.run.recipe);
        let planned =
            plan_intervention(&OperatorAction::Retry, RunState::Failed, &stored.entries, recipe, None);
        let now = at(self.engine.now);
        stored
            .entries
            .extend(planned.unwrap().entries.into_iter().map(|entry| StampedEntry::new(now, entry)));
        let row = &mut self.engine.history.run_mut(run).row;
        (row.state, row.finished) = (RunState::Waiting, None);
        self.counts.retried += 1;
        self.engine.log(&format!("{run} retried"));
        let lane = self.engine.wait(stored);
        self.advance(&lane);
    }

    /// Whether the event of a run shows nothing but what hob wrote, and what earlier runs have dealt with.
    fn is_echo(&mut self, stored: &StoredRun) -> bool {
        let system = usize::from(stored.run.recipe != self.engine.recipes.by_source[0].name());
        let began =
            stored.entries.iter().find(|stamped| matches!(stamped.entry, Entry::Started { .. })).unwrap().at;
        let record = stored.event.record.as_ref().unwrap();
        let shown = |event: &Event, entries: &[StampedEntry]| {
            let fetched = entries.iter().find_map(|stamped| match &stamped.entry {
                Entry::StepSucceeded { step, result, .. } if step.is_hydrate() => {
                    Some(result.as_ref().clone())
                }
                _ => None,
            });
            fetched.unwrap_or_else(|| KINDS[system].shown(&event.payload))
        };
        let is_over = |detail: &RunDetail| {
            let is_dealt_with = matches!(detail.row.state, RunState::Succeeded | RunState::Suppressed);
            is_dealt_with && detail.entries.last().is_some_and(|entry| entry.at <= began)
        };
        let history = &self.engine.history;
        let told: Vec<Value> = history
            .runs
            .iter()
            .filter(|detail| detail.event.record.as_ref() == Some(record) && is_over(detail))
            .map(|detail| shown(&detail.event, &detail.entries))
            .collect();
        let counts = |run: &RunId| is_over(history.run(run));
        let shown = shown(&stored.event, &stored.entries);
        let is_echo = self.systems[system].is_echo(record, &shown, &told, counts);
        if is_echo {
            let run = &stored.run.id;
            let ends =
                if system == 0 { (Some(record.as_str()), None) } else { (None, Some(record.as_str())) };
            let base = history.links.find(ends.0, ends.1).map(|link| &link.2);
            let line =
                format!("{run}, begun {began}, runs though its event is an echo: {shown}, noted is {base:?}");
            self.engine.log(&line);
        }
        is_echo
    }

    fn count_end(&mut self, stored: StoredRun, state: RunState, reason: &str) {
        let begun = stored.entries.iter().filter(|entry| matches!(entry.entry, Entry::BegunAgain { .. }));
        self.counts.begun_again += begun.count();
        let is_echo = self.engine.echoes.contains(&stored.event.id)
            && state == RunState::Succeeded
            && self.is_echo(&stored);
        match state {
            RunState::Suppressed => self.counts.suppressed += 1,
            RunState::Succeeded => self.counts.echo_runs += usize::from(is_echo),
            RunState::Failed => self.counts.failed += 1,
            // Its record was deleted meanwhile.
            RunState::Filtered => {}
            other => panic!("{other:?}: {reason}"),
        }
        if state == RunState::Failed {
            let run = stored.run.id.clone();
            let Engine { random, timeline, now, .. } = &mut self.engine;
            let when = match self.fails {
                false => Some(*now + 1000),
                true => random.percent(50).then(|| *now + random.below(300_000)),
            };
            if let Some(when) = when {
                timeline.add(when, Task::Act(Action::Retry { run: run.clone() }));
            }
            self.failed.insert(run, stored);
        }
    }
}

impl Environment for Simulation {
    type Action = Action;

    fn engine(&mut self) -> &mut Engine<Action> {
        &mut self.engine
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Make { system, pair } => self.make(system, pair),
            Action::Edit { system, pair, field, value } => self.edit(system, pair, field, value),
            Action::EditUntold { system, pair, field, value } => {
                self.engine.loses_next = true;
                self.edit(system, pair, field, value);
            }
            Action::Tell { system, pair } => self.tell(system, pair),
            Action::Delete { system, pair } => self.delete(system, pair),
            Action::Retry { run } => self.retry(&run),
            Action::Recover => {
                self.fails = false;
                let all: Vec<RunId> = self.failed.keys().cloned().collect();
                all.iter().for_each(|run| self.retry(run));
            }
        }
    }

    fn list(&mut self, system: usize) {
        for listed in self.systems[system].list(self.engine.now, &mut self.engine.random) {
            let is_sweep = self.engine.mode == Mode::Webhooks;
            if is_sweep && listed.is_told {
                continue;
            }
            let told = match is_sweep {
                false => (if listed.is_new { "new" } else { "changed" }, listed.record),
                true => {
                    let (kind, body) = KINDS[system].webhook(false, listed.record.clone());
                    (kind, if system == 0 { body } else { listed.record })
                }
            };
            let event = self.engine.listed(system, &listed.id, told, listed.by_hob);
            self.receive(system, event);
        }
        if self.engine.now < self.engine.last_edit + 2 * RECOVERED_AFTER {
            self.engine.list_again(system);
        }
    }

    fn handle_request(&mut self, lane: Lane, call: Box<StepCall>) {
        self.answer(lane, call);
    }

    fn advance(&mut self, lane: &Lane) {
        loop {
            match self.engine.advance(lane) {
                Progress::Waits => return,
                Progress::Probes(probe) => {
                    let finding = self.probe(lane, &probe);
                    self.engine.take_finding(lane, &probe, finding);
                }
                Progress::Ended { stored, state, reason } => self.count_end(*stored, state, &reason),
            }
        }
    }
}
