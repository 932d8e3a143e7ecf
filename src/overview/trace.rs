//! The path that a run took: each step with its attempts, its waits told apart, and how long each lasted; and why what did not
//! run did not.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Place;
use crate::journal::{RunDetail, RunRow};
use crate::recipe::{Action, Recipe};
use crate::run::{Entry, RunId, RunState, StampedEntry, StepKey, WaitKind};

/// The path of a run. Scripts rely on these fields.
#[derive(Debug, Serialize)]
pub struct Trace {
    /// The run.
    pub run: RunId,
    /// Its recipe.
    pub recipe: String,
    /// Its state.
    pub state: RunState,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When its history begins.
    pub began: Option<DateTime<Utc>>,
    /// When it ended, or its last entry if it has not.
    pub ended: Option<DateTime<Utc>>,
    /// The run that it waits for in its lane.
    pub behind: Option<RunId>,
    /// The variables.
    pub vars: Map<String, Value>,
    /// The steps in the order in which they came, then those that were not reached.
    pub steps: Vec<TracedStep>,
}

/// A step, or an item of one.
#[derive(Debug, Serialize)]
pub struct TracedStep {
    /// Its id, with the number of the item.
    pub step: String,
    /// Its operation.
    pub operation: Option<String>,
    /// Where it is in the recipe.
    pub place: Option<Place>,
    /// Its condition.
    pub condition: Option<String>,
    /// What became of it.
    pub outcome: TracedOutcome,
    /// Why, for what was not simply done.
    pub reason: Option<String>,
    /// Attempts that were sent.
    pub attempts: u32,
    /// What it was sent with, the last time.
    pub inputs: Option<Value>,
    /// Its result.
    pub result: Option<Value>,
    /// Requests and waits, in order.
    pub spans: Vec<TraceSpan>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TracedOutcome {
    /// It was done.
    Done,
    /// Its write was left out, because it would have changed nothing.
    Unchanged,
    /// Its condition was false, or its list empty.
    Skipped,
    /// It failed.
    Failed,
    /// It waits.
    Waiting,
    /// A person must decide.
    Parked,
    /// It was sent, and whether it was done is not known yet.
    InDoubt,
    /// The run ended, or waits, before it.
    NotReached,
}

/// A stretch of time of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceSpan {
    /// What happened in it.
    pub kind: SpanKind,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when; null if it goes on.
    pub to: Option<DateTime<Utc>>,
    /// What is known of it.
    pub text: Option<String>,
}

/// What happens in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// The step is performed: for a request, from the intent to the answer.
    Attempt,
    /// It waits to be tried again after a failure.
    Retry,
    /// It waits for the connection's budget of requests.
    Budget,
    /// The connection is given a rest because its requests fail.
    Breaker,
    /// The API said to come back later.
    Api,
    /// The connection is held until its credential works.
    Held,
    /// It waits for another reason.
    Other,
    /// A `wait` of the recipe.
    Wait,
    /// hob finds out whether it happened.
    InDoubt,
    /// It waits for a person.
    Parked,
}

impl Trace {
    /// The path of a run, with places in `recipe`. `ahead` is the first unfinished run of its lane.
    pub fn new(detail: &RunDetail, recipe: Option<&Recipe>, ahead: Option<&RunRow>) -> Self {
        let RunDetail { row, entries, .. } = detail;
        let mut folded = Folded { steps: IndexMap::new(), recipe };
        entries.iter().for_each(|entry| folded.apply(entry));
        let vars = entries.iter().rev().find_map(|stamped| match &stamped.entry {
            Entry::Started { vars, .. } => Some(vars.clone()),
            _ => None,
        });
        let ended = row.finished.or(entries.last().map(|entry| entry.at));
        Self {
            run: row.id.clone(),
            recipe: row.recipe.clone(),
            state: row.state,
            reason: row.error.clone(),
            created: row.created,
            began: entries.first().map(|entry| entry.at),
            ended,
            behind: ahead
                .map(|ahead| ahead.id.clone())
                .filter(|id| *id != row.id && !row.state.is_finished()),
            vars: vars.unwrap_or_default(),
            steps: folded.finish(row.state, row.finished),
        }
    }
}

/// Steps while their history is read.
struct Folded<'a> {
    steps: IndexMap<StepKey, TracedStep>,
    recipe: Option<&'a Recipe>,
}

impl Folded<'_> {
    fn action(&self, id: &str) -> Option<&Action> {
        self.recipe?.all_actions().find(|action| action.id == id)
    }

    fn new_step(&self, key: &StepKey) -> TracedStep {
        let action = self.action(&key.action);
        TracedStep {
            step: key.to_string(),
            operation: action.map(|action| action.operation.value.clone()),
            place: self.recipe.and_then(|recipe| Place::of(recipe, Some(&key.action), None)),
            condition: action.and_then(|action| Some(action.condition.as_ref()?.text().to_owned())),
            outcome: TracedOutcome::NotReached,
            reason: None,
            attempts: 0,
            inputs: None,
            result: None,
            spans: Vec::new(),
        }
    }

    /// The step, for what happens to it at `at`: what went on before ends.
    fn step(&mut self, key: &StepKey, at: DateTime<Utc>) -> &mut TracedStep {
        if !self.steps.contains_key(key) {
            let step = self.new_step(key);
            self.steps.insert(key.clone(), step);
        }
        let step = &mut self.steps[key];
        step.close(at);
        step
    }

    fn apply(&mut self, stamped: &StampedEntry) {
        let at = stamped.at;
        match &stamped.entry {
            Entry::Intent { step, attempt, operation, inputs } => {
                let step = self.step(step, at);
                (step.attempts, step.operation) = (*attempt, Some(operation.clone()));
                step.inputs = Some(inputs.clone());
                step.begins(SpanKind::Attempt, at, None);
            }
            Entry::StepSucceeded { step, result, known_by, .. } => {
                let reason = known_by.as_ref().map(|by| format!("known by {by}"));
                let step = self.step(step, at);
                step.result = Some(Value::clone(result));
                step.ends(TracedOutcome::Done, reason);
            }
            Entry::StepUnchanged { step, operation, result, reason } => {
                let step = self.step(step, at);
                (step.operation, step.result) = (Some(operation.clone()), Some(Value::clone(result)));
                step.ends(TracedOutcome::Unchanged, Some(reason.clone()));
            }
            Entry::StepSkipped { step, reason } => {
                self.step(step, at).ends(TracedOutcome::Skipped, Some(reason.clone()));
            }
            Entry::StepFailed { step, error, retry_at, read, .. } => {
                let step = self.step(step, at);
                step.inputs = read.clone().or(step.inputs.take());
                let waits = retry_at.is_some();
                step.ends(
                    if waits { TracedOutcome::Waiting } else { TracedOutcome::Failed },
                    Some(error.message.clone()),
                );
                if waits {
                    step.begins(SpanKind::Retry, at, Some(error.message.clone()));
                }
            }
            Entry::Deferred { step, reason, held, kind, .. } => {
                let kind = match kind {
                    _ if *held => SpanKind::Held,
                    Some(WaitKind::Budget) => SpanKind::Budget,
                    Some(WaitKind::Breaker) => SpanKind::Breaker,
                    Some(WaitKind::Api) => SpanKind::Api,
                    None => SpanKind::Other,
                };
                let step = self.step(step, at);
                step.ends(TracedOutcome::Waiting, Some(reason.clone()));
                step.begins(kind, at, Some(reason.clone()));
            }
            Entry::WaitStarted { step, until, .. } => {
                let step = self.step(step, at);
                step.ends(TracedOutcome::Waiting, None);
                step.begins(
                    SpanKind::Wait,
                    at,
                    Some(format!("until {}", until.format("%Y-%m-%d %H:%M:%SZ"))),
                );
            }
            Entry::InDoubt { step, reason, .. } => {
                let step = self.step(step, at);
                step.ends(TracedOutcome::InDoubt, Some(reason.clone()));
                step.begins(SpanKind::InDoubt, at, Some(reason.clone()));
            }
            Entry::Parked { step, reason } => {
                let step = self.step(step, at);
                step.ends(TracedOutcome::Parked, Some(reason.clone()));
                step.begins(SpanKind::Parked, at, Some(reason.clone()));
            }
            Entry::DidNotHappen { step, known_by, .. } => {
                self.step(step, at).reason = Some(format!("did not happen (known by {known_by})"));
            }
            Entry::Resumed { from } if !from.is_start() => {
                self.step(from, at);
            }
            Entry::Restarted {} => self.steps.clear(),
            _ => {}
        }
    }

    /// The steps, with those of the recipe that were not reached.
    fn finish(mut self, state: RunState, finished: Option<DateTime<Utc>>) -> Vec<TracedStep> {
        if let Some(at) = finished {
            self.steps.values_mut().for_each(|step| step.close(at));
        }
        let reached: Vec<String> = self.steps.keys().map(|key| key.action.clone()).collect();
        let succeeded = state == RunState::Succeeded;
        let actions = self.recipe.into_iter().flat_map(|recipe| &recipe.actions);
        let missing = actions.filter(|action| !succeeded && !reached.contains(&action.id));
        let missing: Vec<TracedStep> =
            missing.map(|action| self.new_step(&StepKey::new(action.id.as_str()))).collect();
        self.steps.into_values().chain(missing).collect()
    }
}

impl TracedStep {
    /// What goes on ends.
    fn close(&mut self, at: DateTime<Utc>) {
        if let Some(open) = self.spans.last_mut().filter(|span| span.to.is_none()) {
            open.to = Some(at);
        }
    }

    fn begins(&mut self, kind: SpanKind, from: DateTime<Utc>, text: Option<String>) {
        self.spans.push(TraceSpan { kind, from, to: None, text });
    }

    fn ends(&mut self, outcome: TracedOutcome, reason: Option<String>) {
        (self.outcome, self.reason) = (outcome, reason);
    }
}
