//! Answers for a recipe as it is now, from what was recorded of a run of it as it was.

use chrono::{DateTime, Utc};

use super::knowledge::Known;
use super::recording::{Recording, result};
use super::replayer::{Answer, Answers, End, Uncertainty};
use super::request::{Answered, Request};
use super::step_map::StepMap;
use crate::catalog::{Effect, path};
use crate::recipe::OnMissing;
use crate::run::{Entry, FoundLink, KnownBy, StepCall, StepError, StepKey};
use crate::template::LinkQuery;
use crate::value::Value;

/// HTTP: there is no such record.
const NOT_FOUND: u16 = 404;

/// What was recorded of a run.
pub(super) struct RecordedAnswers<'a> {
    /// The requests, in order.
    recorded: &'a [Request],
    recording: &'a Recording<'a>,
    steps: &'a StepMap,
    /// Which of them were made as they were recorded.
    repeated: Vec<bool>,
    /// Writes that were not recorded, or otherwise.
    other_writes: Vec<Request>,
}

impl<'a> RecordedAnswers<'a> {
    pub(super) fn new(recorded: &'a [Request], recording: &'a Recording<'a>, steps: &'a StepMap) -> Self {
        Self { recorded, recording, steps, repeated: vec![false; recorded.len()], other_writes: Vec::new() }
    }

    /// The recorded request that is the same, rather that of the same step, and rather one that was not repeated yet.
    fn same(&self, request: &Request) -> Option<usize> {
        let step = self.steps.before(&request.step);
        let same = self.recorded.iter().enumerate().filter(|(_, known)| known.is_same(request));
        let rank =
            |(at, known): &(usize, &Request)| (self.repeated[*at], Some(&known.step) != step.as_ref(), *at);
        same.min_by_key(rank).map(|(at, _)| at)
    }

    fn read(&mut self, call: &StepCall, request: &Request) -> Answer {
        let Some(at) = self.same(request) else {
            return Answer::Missing(Some(format!("{} was not read with these inputs", request.operation.id)));
        };
        self.repeated[at] = true;
        let known = &self.recorded[at];
        let Some(answered) = &known.answer else { return Answer::Stop(End::Open) };
        if self.may_be_otherwise(at) {
            let mut answered = answered.clone();
            answered.facts.clear();
            return match result(&answered.outcome) {
                Some(_) => Answer::Assumed(Known::Ids, Box::new(answered)),
                None => stop(request, "what it reads may be otherwise after writes that differ"),
            };
        }
        as_read_now(call, request, known, answered)
    }

    /// Whether what the recorded read at `at` shows depends on writes before it that would differ.
    fn may_be_otherwise(&self, at: usize) -> bool {
        let read = &self.recorded[at];
        let of_place = |(place, write): (usize, &Request)| {
            // Not made by now although it came before, or made by now although it came after.
            write.is_sent_write() && (place < at) != self.repeated[place] && write.may_change(read)
        };
        self.recorded.iter().enumerate().any(of_place)
            || self.other_writes.iter().any(|write| write.may_change(read))
    }

    fn write(&mut self, call: &StepCall, request: Request) -> Answer {
        if let Some(at) = self.same(&request) {
            self.repeated[at] = true;
            let known = &self.recorded[at];
            return match &known.answer {
                Some(answered) => as_read_now(call, &request, known, answered),
                None => Answer::Stop(End::Open),
            };
        }
        let instead = self.instead(&request);
        let answer = match instead.map(|known| &known.answer) {
            None => Answer::Missing(None),
            Some(None) => stop(&request, "its answer was never known, and the request would be another one"),
            Some(Some(answered)) => match result(&answered.outcome) {
                Some(_) if instead.is_some_and(|known| known.reading.pick == request.reading.pick) => {
                    let outcome = done(&request.step, &answered.outcome);
                    let changed = Answered { facts: Vec::new(), outcome, ..answered.clone() };
                    Answer::Assumed(Known::Ids, Box::new(changed))
                }
                Some(_) => Answer::Missing(None),
                None if matches!(answered.outcome, Entry::StepFailed { .. }) => {
                    stop(&request, "it failed, and whether the other request would is not known")
                }
                None => Answer::Missing(None),
            },
        };
        self.other_writes.push(request);
        answer
    }

    /// The recorded write in whose place `request` is made: of the same step, to the same record.
    fn instead(&self, request: &Request) -> Option<&'a Request> {
        let step = self.steps.before(&request.step)?;
        let fits = |known: &&Request| {
            let is_of_step = match request.step.item {
                None => known.step == step,
                // Members of a list may have moved.
                Some(_) => known.step.action == step.action && !request.named().is_empty(),
            };
            is_of_step && known.is_alike(request) && known.named() == request.named()
        };
        self.recorded.iter().find(fits)
    }
}

impl Answers for RecordedAnswers<'_> {
    fn decided(&self, step: &StepKey) -> Option<DateTime<Utc>> {
        self.recording.steps.get(&self.steps.before(step)?)?.decided()
    }

    fn answer(&mut self, call: &StepCall) -> Answer {
        let request = Request::of(call, None);
        if call.step.is_hydrate() {
            // All that follows depends on the event.
            return match self.recording.steps.get(&call.step).and_then(Answered::of) {
                Some(answered) => Answer::Known(Box::new(answered)),
                None => stop(&request, "the whole record of the event was not read"),
            };
        }
        match call.effect {
            Effect::Read => self.read(call, &request),
            _ => self.write(call, request),
        }
    }

    fn links(&self, asked: &[LinkQuery]) -> Option<Vec<FoundLink>> {
        asked.iter().map(|query| self.recording.link(query)).collect()
    }
}

fn stop(request: &Request, reason: &str) -> Answer {
    Answer::Stop(End::Unknown(Uncertainty::new(&request.step, reason)))
}

/// The answer to a repeated request, as the step takes it now.
fn as_read_now(call: &StepCall, request: &Request, known: &Request, answered: &Answered) -> Answer {
    let mut answered = answered.clone();
    let (new, old) = (&request.reading, &known.reading);
    if let Some(answer) = after_fewer_attempts(request, known, &answered) {
        return answer;
    }
    let is_not_kept = answered.facts.iter().any(|fact| matches!(fact, Entry::NotKept { .. }));
    if new.kept != old.kept && is_not_kept {
        return stop(request, "the API did not keep what was sent, for which `kept` says something else now");
    }
    if new.on_missing != old.on_missing {
        match (&answered.outcome, new.on_missing) {
            (Entry::StepFailed { error, .. }, OnMissing::Continue) if error.status == Some(NOT_FOUND) => {
                answered.outcome = gone(call);
            }
            (Entry::StepSucceeded { known_by: Some(KnownBy::Gone), .. }, OnMissing::Fail) => {
                let error =
                    StepError { status: Some(NOT_FOUND), ..StepError::new("the record is not there") };
                answered.outcome = failed(call, error);
            }
            _ => {}
        }
    }
    let is_list_complete = new.all_pages == old.all_pages || new.all_pages && !answered.has_more();
    if let Entry::StepSucceeded { truncated: true, .. } = &answered.outcome {
        return nothing_known(call, answered);
    }
    if !call.result_is_read || is_list_complete && new.pick == old.pick {
        return Answer::Known(Box::new(answered));
    }
    let picked = result(&answered.outcome)
        .filter(|_| is_list_complete)
        .and_then(|result| picked(request, known, result));
    match (picked, &mut answered.outcome) {
        (Some(picked), Entry::StepSucceeded { result, .. } | Entry::StepUnchanged { result, .. }) => {
            *result = picked.into();
            Answer::Known(Box::new(answered))
        }
        (None, Entry::StepSucceeded { .. } | Entry::StepUnchanged { .. }) => nothing_known(call, answered),
        _ => Answer::Known(Box::new(answered)),
    }
}

/// What the request comes to if the step has other attempts than it had.
fn after_fewer_attempts(request: &Request, known: &Request, answered: &Answered) -> Option<Answer> {
    if request.attempts == known.attempts {
        return None;
    }
    let enough = usize::try_from(request.attempts).unwrap_or(usize::MAX);
    if let Some(error) = answered.failures.get(enough - 1) {
        let message = format!("gave up after {enough} attempts: {}", error.message);
        let error = StepError { message, ..error.clone() };
        let outcome = Entry::StepFailed {
            step: request.step.clone(),
            attempt: request.attempts,
            error,
            retry_at: None,
            lost: false,
            read: None,
        };
        return Some(Answer::Known(Box::new(Answered { facts: Vec::new(), outcome, ..answered.clone() })));
    }
    let gave_up = matches!(answered.outcome, Entry::StepFailed { .. }) && !answered.failures.is_empty();
    (gave_up && request.attempts > known.attempts)
        .then(|| stop(request, "it gave up, and whether one more attempt would succeed is not known"))
}

/// The result at the new `pick`, where the recorded one was the whole answer.
fn picked(request: &Request, known: &Request, result: &Value) -> Option<Value> {
    if request.reading.pick == known.reading.pick {
        return Some(result.clone());
    }
    let is_whole = match known.reading.pick.as_deref() {
        Some(pick) => pick == "$",
        None => known.operation.result.is_empty() && known.operation.composite.is_empty(),
    };
    match &request.reading.pick {
        _ if !is_whole => None,
        Some(pick) => path::read(result, pick),
        None => path::read_first(result, &request.operation.result),
    }
}

/// The step is done; of its result nothing is known.
fn nothing_known(call: &StepCall, mut answered: Answered) -> Answer {
    answered.facts.clear();
    answered.outcome = succeeded(call, Value::Null, None);
    Answer::Assumed(Known::Nothing, Box::new(answered))
}

fn gone(call: &StepCall) -> Entry {
    succeeded(call, Value::Null, Some(KnownBy::Gone))
}

fn succeeded(call: &StepCall, result: Value, known_by: Option<KnownBy>) -> Entry {
    let (step, attempt) = (call.step.clone(), call.attempt);
    Entry::StepSucceeded { step, attempt, result: result.into(), known_by, truncated: false }
}

fn failed(call: &StepCall, error: StepError) -> Entry {
    Entry::StepFailed {
        step: call.step.clone(),
        attempt: call.attempt,
        error,
        retry_at: None,
        lost: false,
        read: None,
    }
}

/// The outcome as that of a request that was sent: a write that was left out would not be, if it is another one.
fn done(step: &StepKey, outcome: &Entry) -> Entry {
    match outcome {
        Entry::StepUnchanged { result, .. } => Entry::StepSucceeded {
            step: step.clone(),
            attempt: 1,
            result: result.clone(),
            known_by: None,
            truncated: false,
        },
        other => other.clone(),
    }
}
