//! Decides a run anew, step by step, with answers that come from its history. Nothing is sent.

use chrono::{DateTime, Utc};

use super::knowledge::{Knowledge, Known, Reads};
use super::recording::Recording;
use super::request::{Answered, Request};
use crate::catalog::Builtin;
use crate::check::{CheckedAction, CheckedRecipe};
use crate::journal::RunDetail;
use crate::run::{
    Command, Decision, Entry, FoundLink, Machine, RunContext, RunState, StampedEntry, StepCall, StepKey,
};
use crate::template::LinkQuery;

/// Most decisions of a run.
const MAX_DECISIONS: usize = 200_000;

/// Where answers come from.
pub(super) trait Answers {
    /// When the step was decided, if it was.
    fn decided(&self, step: &StepKey) -> Option<DateTime<Utc>>;
    /// The answer to a request.
    fn answer(&mut self, call: &StepCall) -> Answer;
    /// The other ends of links, if they are known.
    fn links(&self, asked: &[LinkQuery]) -> Option<Vec<FoundLink>>;
}

/// An answer to a request.
pub(super) enum Answer {
    /// It is known.
    Known(Box<Answered>),
    /// The step is taken to succeed; no more than this is known of its result.
    Assumed(Known, Box<Answered>),
    /// The same of a request without an answer that could stand for it; in words, why, if that is an uncertainty.
    Missing(Option<String>),
    /// What follows is not known.
    Stop(End),
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// In this state, for this reason, because of this step.
    In(RunState, Option<String>, Option<StepKey>),
    /// The history ends here.
    Open,
    /// It cannot be known, for this reason.
    Unknown(Uncertainty),
}

/// Something that cannot be known from the history.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uncertainty {
    /// The step; none for the start of the run.
    pub step: Option<String>,
    /// What is not known, and why.
    pub reason: String,
    /// It only follows from another uncertainty about the run.
    pub follows: bool,
}

impl Uncertainty {
    /// An uncertainty about the run as a whole.
    pub(super) fn of_run(reason: impl Into<String>) -> Self {
        Self { step: None, reason: reason.into(), follows: false }
    }

    pub(super) fn new(step: &StepKey, reason: impl Into<String>) -> Self {
        let step = (!step.action.starts_with('(')).then(|| step.action.clone());
        Self { step, reason: reason.into(), follows: false }
    }
}

/// What a run did or would do.
#[derive(Debug)]
pub(super) struct Decided {
    /// Its requests, in order.
    pub(super) requests: Vec<Request>,
    pub(super) end: End,
    /// What cannot be known.
    pub(super) uncertainties: Vec<Uncertainty>,
    /// Actions of which it is not known what they would do.
    pub(super) unknown: Vec<String>,
    /// Steps whose ids are taken from the recording, although their requests would be others.
    pub(super) assumed: Vec<String>,
}

/// A run with what was recorded of it, and what its templates can read beside its event.
#[derive(Clone, Copy)]
pub(super) struct RecordedRun<'a> {
    pub(super) detail: &'a RunDetail,
    pub(super) recording: &'a Recording<'a>,
    pub(super) context: &'a RunContext,
}

/// Decides the run with `recipe`.
pub(super) fn replay(
    recipe: &CheckedRecipe,
    recorded_run: RecordedRun<'_>,
    answers: &mut impl Answers,
) -> Decided {
    let mut replayer = Replayer {
        recipe,
        recorded_run,
        history: recorded_run.recording.compared.into_iter().cloned().collect(),
        clock: recorded_run.recording.began,
        earliest: DateTime::<Utc>::MIN_UTC,
        knowledge: Knowledge::default(),
        decided: Decided {
            requests: Vec::new(),
            end: End::Open,
            uncertainties: Vec::new(),
            unknown: Vec::new(),
            assumed: Vec::new(),
        },
    };
    replayer.decided.end = replayer.until_the_end(answers);
    replayer.decided
}

struct Replayer<'a> {
    recipe: &'a CheckedRecipe,
    recorded_run: RecordedRun<'a>,
    /// The entries so far.
    history: Vec<StampedEntry>,
    clock: DateTime<Utc>,
    /// The end of the last wait.
    earliest: DateTime<Utc>,
    knowledge: Knowledge,
    decided: Decided,
}

impl Replayer<'_> {
    fn machine(&self) -> Machine {
        let RecordedRun { detail, context, .. } = self.recorded_run;
        Machine::new(self.recipe.clone(), detail.run.clone(), &detail.event, &self.history, context)
    }

    fn until_the_end(&mut self, answers: &mut impl Answers) -> End {
        let mut machine = self.machine();
        for _ in 0..MAX_DECISIONS {
            let mut decision = machine.decide(self.clock);
            // `now()` is as it was when the step was decided.
            if let Some(at) = self.other_time(&decision.command, answers) {
                machine = self.machine();
                self.clock = at;
                decision = machine.decide(at);
            }
            match self.leave_out_unknown(&decision) {
                Ok(false) => {}
                Ok(true) => {
                    machine = self.machine();
                    continue;
                }
                Err(end) => return end,
            }
            let Decision { entries, command } = decision;
            self.history.extend(entries);
            match command {
                Command::Execute(call) => match answers.answer(&call) {
                    Answer::Stop(end) => {
                        self.decided.requests.push(Request::of(&call, None));
                        return end;
                    }
                    answer => self.take(&mut machine, &call, answer),
                },
                Command::FindLinks { step, links } => match answers.links(&links) {
                    Some(links) => self.apply(&mut machine, Entry::LinksFound { step, links }, self.clock),
                    None => {
                        let reason = "it finds a link that the recorded run did not look up";
                        if let Err(end) = self.leave_out(&step, Uncertainty::new(&step, reason)) {
                            return end;
                        }
                        machine = self.machine();
                    }
                },
                Command::GatherEvidence => machine.take_evidence(None),
                Command::Sleep { until, .. } => {
                    self.clock = self.clock.max(until);
                    self.earliest = until;
                }
                Command::Park { reason } => return End::In(RunState::Parked, Some(reason), None),
                Command::Finish { state, reason } => return End::In(state, reason, self.failed_step()),
                // No answer is given up on here.
                Command::Probe(probe) => {
                    return End::Unknown(Uncertainty::new(
                        &probe.step,
                        "what its probe would find is not recorded",
                    ));
                }
            }
        }
        End::Unknown(Uncertainty::of_run(format!("it takes more than {MAX_DECISIONS} decisions")))
    }

    /// The time at which the step that `command` executes was decided, if that is another one than the clock shows.
    fn other_time(&self, command: &Command, answers: &impl Answers) -> Option<DateTime<Utc>> {
        let Command::Execute(call) = command else { return None };
        let at = answers.decided(&call.step)?;
        (at != self.clock && at >= self.earliest && !call.step.is_hydrate()).then_some(at)
    }

    /// Leaves out the first step of `decision` that reads something that is not known; whether there is one.
    fn leave_out_unknown(&mut self, decision: &Decision) -> Result<bool, End> {
        let of_command = match &decision.command {
            Command::Execute(call) => Some(&call.step),
            Command::FindLinks { step, .. } => Some(step),
            _ => None,
        };
        let keys = decision.entries.iter().map(|stamped| step_of(&stamped.entry)).chain([of_command]);
        for (at, key) in keys.enumerate() {
            let Some((key, action)) = key.and_then(|key| Some((key, self.action(key)?))) else { continue };
            match self.knowledge.reads(&action) {
                Reads::Known => {}
                Reads::Assumed(step) => {
                    if !self.decided.assumed.contains(&step) {
                        self.decided.assumed.push(step);
                    }
                }
                Reads::Unknown { path, step } => {
                    let reason = format!("it reads `{path}`, which the history does not tell");
                    let follows = self
                        .decided
                        .uncertainties
                        .iter()
                        .any(|uncertainty| uncertainty.step.as_ref() == Some(&step));
                    self.history.extend(decision.entries.iter().take(at).cloned());
                    let uncertainty = Uncertainty { follows, ..Uncertainty::new(key, reason) };
                    return self.leave_out(key, uncertainty).map(|()| true);
                }
            }
        }
        Ok(false)
    }

    /// Goes on without the step, of which it is not known what it would do.
    fn leave_out(&mut self, key: &StepKey, uncertainty: Uncertainty) -> Result<(), End> {
        let Some(action) = self.action(key) else { return Err(End::Unknown(uncertainty)) };
        if action.operation.builtin == Some(Builtin::Stop) {
            return Err(End::Unknown(uncertainty));
        }
        let id = action.id.clone();
        let skipped =
            Entry::StepSkipped { step: StepKey::new(id.as_str()), reason: uncertainty.reason.clone() };
        self.history.push(StampedEntry::new(self.clock, skipped));
        self.knowledge.limit(&id, Known::Nothing);
        self.decided.unknown.push(id);
        self.decided.uncertainties.push(uncertainty);
        Ok(())
    }

    fn take(&mut self, machine: &mut Machine, call: &StepCall, answer: Answer) {
        let action = call.step.action.as_str();
        let answered = match answer {
            Answer::Known(answered) => Some(answered),
            Answer::Assumed(known, answered) => {
                self.knowledge.limit(action, known);
                Some(answered)
            }
            Answer::Missing(uncertainty) => {
                self.knowledge.limit(action, Known::Nothing);
                self.decided
                    .uncertainties
                    .extend(uncertainty.map(|reason| Uncertainty::new(&call.step, reason)));
                None
            }
            Answer::Stop(_) => return,
        };
        self.decided.requests.push(Request::of(call, answered.as_deref().cloned()));
        let Some(Answered { facts, outcome, at, next, .. }) = answered.map(|answered| *answered) else {
            let (step, attempt) = (call.step.clone(), call.attempt);
            let nothing = std::sync::Arc::default();
            let done =
                Entry::StepSucceeded { step, attempt, result: nothing, known_by: None, truncated: false };
            return self.apply(machine, done, self.clock);
        };
        let at = at.max(self.earliest);
        for entry in facts.into_iter().chain([outcome]) {
            self.apply(machine, of_step(entry, &call.step), at);
        }
        self.clock = self.clock.max(next);
    }

    fn apply(&mut self, machine: &mut Machine, entry: Entry, at: DateTime<Utc>) {
        let stamped = StampedEntry::new(at, entry);
        machine.apply(&stamped);
        self.history.push(stamped);
    }

    fn action(&self, key: &StepKey) -> Option<CheckedAction<'_>> {
        self.recipe.all_actions().find(|action| action.id == key.action)
    }

    fn failed_step(&self) -> Option<StepKey> {
        self.history.iter().rev().find_map(|stamped| match &stamped.entry {
            Entry::Finished { step, .. } => step.clone(),
            _ => None,
        })
    }
}

/// The step that an entry is about.
fn step_of(entry: &Entry) -> Option<&StepKey> {
    match entry {
        Entry::StepSkipped { step, .. }
        | Entry::Intent { step, .. }
        | Entry::StepSucceeded { step, .. }
        | Entry::StepFailed { step, .. }
        | Entry::StepUnchanged { step, .. }
        | Entry::WaitStarted { step, .. } => Some(step),
        _ => None,
    }
}

/// The entry as one of `key`: the recorded step may have another name.
fn of_step(mut entry: Entry, key: &StepKey) -> Entry {
    match &mut entry {
        Entry::StepSucceeded { step, .. }
        | Entry::StepFailed { step, .. }
        | Entry::StepUnchanged { step, .. }
        | Entry::MoreRecords { step, .. }
        | Entry::UnknownFields { step, .. }
        | Entry::NotKept { step, .. } => step.clone_from(key),
        _ => {}
    }
    entry
}
