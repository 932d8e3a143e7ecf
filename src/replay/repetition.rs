//! A recorded run, decided once more with the recipe as it was: this tells the requests of reads, which the history
//! does not have, and whether the run can be repeated at all.

use chrono::{DateTime, Utc};

use super::recording::Recording;
use super::replayer::{Answer, Answers, Decided, End, RecordedRun, Uncertainty, replay};
use super::request::{Answered, Request};
use crate::catalog::{Builtin, Effect, Operation};
use crate::check::CheckedRecipe;
use crate::run::{Entry, FoundLink, RunState, StampedEntry, StepCall, StepKey};
use crate::template::LinkQuery;
use crate::value::{Value, changes};

/// What the run did, if deciding it once more with `recipe` comes to the same; otherwise what differs.
pub(super) fn repeat(recipe: &CheckedRecipe, recorded_run: RecordedRun<'_>) -> Result<Decided, Uncertainty> {
    let mut answers =
        Repetition { recipe, recording: recorded_run.recording, visited: Vec::new(), wrong: None };
    let decided = replay(recipe, recorded_run, &mut answers);
    if let Some(wrong) = answers.wrong {
        return Err(wrong);
    }
    let left = recorded_run.recording.steps.iter().find(|(key, step)| {
        let is_asked =
            |id: &str| recipe.all_actions().any(|action| action.id == id && is_asked(action.operation));
        let is_answered = step.outcome.is_some_and(|outcome| is_answer(&outcome.entry));
        let happened = step.sent.is_some() || is_answered && is_asked(&key.action);
        happened && !answers.visited.contains(key)
    });
    if let Some((key, _)) = left {
        return Err(Uncertainty::new(key, unrepeatable("this step is not reached")));
    }
    let ended = recorded_run.detail.row.state;
    let is_same = match &decided.end {
        End::Unknown(uncertainty) => return Err(uncertainty.clone()),
        End::In(RunState::Parked, ..) => matches!(ended, RunState::Parked | RunState::Skipped),
        End::In(state, ..) => *state == ended,
        End::Open => match ended {
            RunState::Succeeded | RunState::Filtered => false,
            RunState::Failed => is_ended_by_hob(recorded_run),
            _ => true,
        },
    };
    match is_same {
        true => Ok(decided),
        false => {
            let end = match &decided.end {
                End::In(state, ..) => format!("it is {state}, and was {ended}"),
                _ => format!("it goes on, and was {ended}"),
            };
            Err(Uncertainty::of_run(unrepeatable(&end)))
        }
    }
}

/// Whether the run failed without a step that did.
fn is_ended_by_hob(recorded_run: RecordedRun<'_>) -> bool {
    let finished = |stamped: &StampedEntry| matches!(stamped.entry, Entry::Finished { step: None, .. });
    recorded_run.detail.entries.last().is_some_and(finished)
}

fn is_answer(outcome: &Entry) -> bool {
    matches!(outcome, Entry::StepSucceeded { .. })
}

/// Whether the machine leaves it to others to perform the operation.
fn is_asked(operation: &Operation) -> bool {
    !matches!(operation.builtin, Some(Builtin::Wait | Builtin::Stop | Builtin::Log | Builtin::Set))
}

fn unrepeatable(what: &str) -> String {
    format!(
        "the recipe as it was does not repeat the run: {what}. `env`, a connection's settings, links or a connector may \
         be others now, or it depends on the time of a read"
    )
}

/// Answers each step with what it came to.
struct Repetition<'a> {
    recipe: &'a CheckedRecipe,
    recording: &'a Recording<'a>,
    visited: Vec<StepKey>,
    wrong: Option<Uncertainty>,
}

impl Repetition<'_> {
    /// How the request differs from the one that was sent.
    fn difference(&self, call: &StepCall) -> Option<String> {
        let step = self.recording.steps.get(&call.step)?;
        let sent = step.sent.filter(|_| call.effect != Effect::Read)?;
        if sent.operation != call.operation.id {
            return Some(format!("it is {} and was {}", call.operation.id, sent.operation));
        }
        let entry = Entry::Intent {
            step: call.step.clone(),
            attempt: call.attempt,
            operation: call.operation.id.clone(),
            inputs: Value::Object(call.inputs.clone()),
        };
        let Entry::Intent { inputs, .. } = entry.truncated(self.recipe.step_reads()) else { return None };
        let differing = changes(sent.inputs, &inputs);
        let first = differing.first()?;
        Some(match first.path.as_str() {
            "" => "its inputs differ".to_owned(),
            path => format!("`{path}` differs"),
        })
    }
}

impl Answers for Repetition<'_> {
    fn decided(&self, step: &StepKey) -> Option<DateTime<Utc>> {
        self.recording.steps.get(step)?.decided()
    }

    fn answer(&mut self, call: &StepCall) -> Answer {
        self.visited.push(call.step.clone());
        let step = self.recording.steps.get(&call.step);
        let wrong = match step {
            None => None,
            Some(step) => match step.outcome.map(|outcome| &outcome.entry) {
                Some(Entry::StepSkipped { .. }) => Some("this step was left out".to_owned()),
                _ => self.difference(call),
            },
        };
        if let Some(what) = wrong {
            self.wrong = Some(Uncertainty::new(&call.step, unrepeatable(&what)));
            return Answer::Stop(End::Open);
        }
        match step.and_then(Answered::of) {
            Some(answered) => Answer::Known(Box::new(answered)),
            None => Answer::Stop(End::Open),
        }
    }

    fn links(&self, asked: &[LinkQuery]) -> Option<Vec<FoundLink>> {
        asked.iter().map(|query| self.recording.link(query)).collect()
    }
}

/// What a run did of which no version of its recipe is known: the writes that its history has. Its reads cannot be told.
pub(super) fn writes_only(now: &CheckedRecipe, recorded_run: RecordedRun<'_>) -> Vec<Request> {
    let requests = recorded_run.recording.steps.iter().filter_map(|(key, step)| {
        let sent = step.sent?;
        let operation = now.operation_by_id(sent.operation)?;
        let inputs = sent.inputs.as_object().cloned().unwrap_or_default();
        let connection = recorded_run.detail.run.accounts.get(&operation.connector).cloned();
        Some(Request::recorded(key, operation, connection, inputs, Answered::of(step)))
    });
    requests.collect()
}
