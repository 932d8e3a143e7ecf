//! A step: whether it runs, when, and what to do about a lost answer.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Machine;
use super::begin::unmet_reason;
use super::progress::{CurrentStep, Progress, after};
use super::template_error::template_error;
use super::unchanged::Unchanged;
use crate::catalog::{Builtin, Effect, Operation, Place, effect};
use crate::recipe::Action;
use crate::run::builtin;
use crate::run::command::{Command, Probe, StepCall};
use crate::run::entry::{Entry, StepError};
use crate::run::status::{Phase, StepStatus};
use crate::run::truncate::truncated_read;
use crate::template::{self, ErrorKind, LocatedError};
use crate::value::address::Reach;
use crate::value::{self, Map, Value};

impl Machine {
    pub(super) fn step(&mut self, current: &CurrentStep<'_>) -> Progress {
        let status = self.status.step(&current.key);
        match self.find_step_links(current, &status) {
            Ok(None) => {}
            Ok(Some(command)) => return Progress::Command(command),
            Err(error) => return self.fail(current, status.attempts.max(1), error),
        }
        match &status.phase {
            Phase::Done(result) => Progress::Complete(Arc::clone(result)),
            Phase::Skipped => Progress::Complete(Arc::default()),
            Phase::Failed(error) => {
                after(&current.action, current.key.clone(), error.clone(), Arc::default())
            }
            Phase::Open => self.open(current, &status),
            Phase::Waiting { until, reason, .. } if current.now < *until => sleep(*until, reason),
            Phase::Waiting { .. } => self.send(current, &status, status.attempts + 1, current.now),
            Phase::Paused { until, by_wall } => self.paused(current, *until, *by_wall),
            Phase::Intended => self.after_interruption(current, &status),
            Phase::InDoubt { .. } => self.in_doubt(current, &status),
            Phase::Parked { reason } => Progress::Parked(current.key.clone(), reason.clone()),
        }
    }

    fn open(&mut self, current: &CurrentStep<'_>, status: &StepStatus) -> Progress {
        if let Some(progress) =
            self.reads_unknown(&current.action, &current.key, current.after_failure, current.now)
        {
            return progress;
        }
        if let Some(error) = truncated_read(&self.status, &current.action) {
            return self.fail(current, status.attempts.max(1), error);
        }
        if (status.has_no_attempt() || status.reopened)
            && let Some(condition) = &current.action.condition
        {
            match condition.holds(&current.scope) {
                Ok(true) => {}
                Ok(false) => {
                    let reason = unmet_reason("if", condition, &current.scope);
                    self.record(Entry::StepSkipped { step: current.key.clone(), reason }, current.now);
                    return Progress::More;
                }
                Err(error) => {
                    let error = template_error(&self.recipe.recipe().file, &error);
                    return self.fail(current, 1, error);
                }
            }
        }
        self.send(current, status, status.attempts + 1, current.now)
    }

    /// A `wait` until a time of the run's clock or of the wall clock.
    fn paused(&mut self, current: &CurrentStep<'_>, until: DateTime<Utc>, by_wall: bool) -> Progress {
        let ours = if by_wall { until.checked_add_signed(self.ahead).unwrap_or(until) } else { until };
        if current.now < ours && !self.skip_waits {
            return sleep(ours, "waits");
        }
        self.succeed(current, 1, builtin::wait::result(if by_wall { until } else { self.wall(until) }));
        Progress::More
    }

    /// The last entry is an intent: hob stopped before the answer was recorded.
    fn after_interruption(&mut self, current: &CurrentStep<'_>, status: &StepStatus) -> Progress {
        let sent = status.sent.unwrap_or(current.now);
        let operation = Arc::clone(current.action.operation);
        // The step is sent again with the same time, so that it is the same request.
        let (inputs, _) = match self.inputs(current, sent) {
            Ok(inputs) => inputs,
            Err(error) => return self.fail(current, status.attempts, error),
        };
        if effect(&operation, &inputs) == Effect::Create {
            let reason = "hob stopped before the answer came".to_owned();
            let (step, attempt) = (current.key.clone(), status.attempts);
            let doubt =
                Entry::InDoubt { step, attempt, reason, status: None, interrupted: true, existing: None };
            self.record(doubt, current.now);
            return Progress::More;
        }
        self.send(current, status, status.attempts, sent)
    }

    /// Probes at once, because an existing record may be visible already; a missing one may appear later.
    fn in_doubt(&mut self, current: &CurrentStep<'_>, status: &StepStatus) -> Progress {
        let Phase::InDoubt { since, until, reason, interrupted, existing, .. } = &status.phase else {
            return Progress::More;
        };
        let operation = Arc::clone(current.action.operation);
        let sent = status.sent.unwrap_or(current.now);
        let Some(probe) = &operation.probe else {
            return self.park_or_fail(current, status, reason);
        };
        if current.now < *until {
            return sleep(*until, reason);
        }
        let connector = self.recipe.catalog().connector(&operation.connector);
        let lag = probe.delay_seconds.or(connector.map(|connector| connector.list_lag_seconds));
        let missed = if *interrupted { sent } else { *since };
        let shown = value::after(missed, std::time::Duration::from_secs(lag.unwrap_or_default().into()));
        match self.inputs(current, sent) {
            Ok((inputs, _)) => Progress::Command(Command::Probe(Box::new(Probe {
                step: current.key.clone(),
                attempt: status.attempts,
                connection: self.connection(&current.action, &operation),
                inputs,
                // The server uses wall-clock times.
                sent: self.wall(status.lost.unwrap_or(sent)),
                missed: self.wall(missed),
                shown,
                existing: existing.clone(),
                pick: current.action.pick.as_ref().map(|pick| pick.value.clone()),
                deferrals: status.deferrals,
                operation,
            }))),
            Err(error) => self.fail(current, status.attempts, error),
        }
    }

    /// Only a person can tell. A run that has failed already does not wait for one.
    fn park_or_fail(&mut self, current: &CurrentStep<'_>, status: &StepStatus, reason: &str) -> Progress {
        if current.after_failure {
            let error = StepError::new(format!("sent, but hob cannot tell whether it arrived: {reason}"));
            return self.fail(current, status.attempts, error);
        }
        let step = current.key.clone();
        let reason = format!("step `{step}` may have happened: {reason}");
        self.record(Entry::Parked { step, reason }, current.now);
        Progress::More
    }

    /// Sends attempt `attempt`, evaluated with `now()` equal to `at`.
    fn send(
        &mut self,
        current: &CurrentStep<'_>,
        status: &StepStatus,
        attempt: u32,
        at: DateTime<Utc>,
    ) -> Progress {
        if let Some(error) = self.too_late(current, status, attempt) {
            return self.fail(current, attempt.saturating_sub(1).max(1), error);
        }
        let (inputs, reach) = match self.inputs(current, at) {
            Ok(inputs) => inputs,
            Err(error) => return self.fail(current, attempt, error),
        };
        let operation = Arc::clone(current.action.operation);
        if let Some(builtin) = operation.builtin
            && let Some(progress) = self.pure_builtin(current, builtin, &inputs)
        {
            return progress;
        }
        let may_be_left_out = match self.unchanged(current, status, &operation, &inputs) {
            Unchanged::LeftOut(progress) => return progress,
            Unchanged::Unknown => true,
            Unchanged::Sent => false,
        };
        let effect = effect(&operation, &inputs);
        if effect != Effect::Read && status.phase != Phase::Intended {
            let entry = Entry::Intent {
                step: current.key.clone(),
                attempt,
                operation: operation.id.clone(),
                inputs: Value::Object(inputs.clone()),
            };
            self.record(entry, current.now);
        }
        // The request before a crash may have been carried out, too. The server uses wall-clock times.
        let interrupted = status.sent.filter(|_| status.phase == Phase::Intended);
        let first_lost = status.lost.or(interrupted).map(|at| self.wall(at));
        Progress::Command(Command::Execute(Box::new(StepCall {
            step: current.key.clone(),
            attempt,
            may_try_again: attempt.saturating_sub(status.forgiven) < current.action.retry.attempts,
            connection: self.connection(&current.action, &operation),
            operation,
            inputs,
            reach,
            downloaded: self.downloaded(),
            effect,
            timeout: current.action.timeout,
            pick: current.action.pick.as_ref().map(|pick| pick.value.clone()),
            all_pages: current.action.pages.is_some(),
            retry: current.action.retry,
            on_missing: current.action.on_missing,
            kept: current.action.kept,
            may_be_left_out,
            result_is_read: self.recipe.step_reads().contains(&current.key.action),
            deferred: status.deferrals > 0,
            first_lost,
        })))
    }

    fn too_late(&self, current: &CurrentStep<'_>, status: &StepStatus, attempt: u32) -> Option<StepError> {
        let used = attempt.saturating_sub(status.forgiven + 1);
        if used >= current.action.retry.attempts {
            return Some(StepError::new(format!("gave up after {used} attempts: none of them happened")));
        }
        let longest = self.recipe.recipe().timeout?;
        let started = self.status.started.as_ref()?.at;
        let over = !current.after_failure && current.now > value::after(started, longest);
        over.then(|| StepError::new(format!("the run has taken longer than its `timeout` of {longest:?}")))
    }

    /// Built-in operations that need no I/O.
    fn pure_builtin(
        &mut self,
        current: &CurrentStep<'_>,
        which: Builtin,
        inputs: &Map<String, Value>,
    ) -> Option<Progress> {
        let done = match which {
            Builtin::Wait => builtin::wait::begin(&current.key, inputs, current.now),
            Builtin::Stop => Ok(builtin::stop::entries(&current.key, inputs)),
            Builtin::Log => builtin::log::entries(&current.key, inputs),
            Builtin::Set => Ok(builtin::set::entries(&current.key, inputs)),
            _ => return None,
        };
        match done {
            Ok(entries) => entries.into_iter().for_each(|entry| self.record(entry, current.now)),
            Err(message) => return Some(self.fail(current, 1, StepError::new(message))),
        }
        Some(Progress::More)
    }

    /// The inputs, and where an address among them may lead.
    fn inputs(
        &self,
        current: &CurrentStep<'_>,
        at: DateTime<Utc>,
    ) -> Result<(Map<String, Value>, Reach), StepError> {
        let file = &self.recipe.recipe().file;
        let scope = current.scope.clone().at(self.wall(at));
        match current.action.with.evaluate(&scope).map_err(|error| template_error(file, &error))? {
            Value::Object(mut inputs) => match self.missing_required(current, &inputs) {
                Some(error) => Err(template_error(file, &error)),
                None => self.addresses(current, &scope, &mut inputs).map(|reach| (inputs, reach)),
            },
            Value::Null => Ok((Map::new(), Reach::Anywhere)),
            other => Err(StepError::new(format!("`with` must be a mapping, not {other}"))),
        }
    }

    /// The error for a required input that `omit` removed and that no connection provides.
    fn missing_required(
        &self,
        current: &CurrentStep<'_>,
        inputs: &Map<String, Value>,
    ) -> Option<LocatedError> {
        let operation = current.action.operation;
        let connector = self.recipe.catalog().connector(&operation.connector);
        let filled = |name: &str| {
            connector.is_some_and(|connector| {
                let fills =
                    connector.settings.values().any(|setting| setting.fills.iter().any(|fill| fill == name));
                fills || connector.constants.contains_key(name)
            })
        };
        let needed = |name: &str| {
            let input = operation.input(name);
            input.is_some_and(|input| input.shape.required || input.place == Some(Place::Path))
                && !filled(name)
        };
        let (name, tree) = current.action.with.omitted(inputs).find(|(name, _)| needed(name))?;
        let error = template::Error {
            message: format!("`{}` needs `{}`, and `omit` leaves it out", operation.id, name.value),
            range: None,
            help: Some("give it another value, or skip the step with `if`".into()),
            kind: ErrorKind::Other,
        };
        Some(LocatedError { error, span: tree.span })
    }

    pub(super) fn connection(&self, action: &Action, operation: &Operation) -> Option<String> {
        if operation.builtin.is_some() {
            return None;
        }
        let own = action.connection.as_ref().map(|name| name.value.clone());
        own.or_else(|| self.run.accounts.get(&operation.connector).cloned())
    }

    fn succeed(&mut self, current: &CurrentStep<'_>, attempt: u32, result: Value) {
        let step = current.key.clone();
        self.record(
            Entry::StepSucceeded { step, attempt, result: result.into(), known_by: None, truncated: false },
            current.now,
        );
    }

    fn fail(&mut self, current: &CurrentStep<'_>, attempt: u32, error: StepError) -> Progress {
        let step = current.key.clone();
        self.record(
            Entry::StepFailed { step, attempt, error, retry_at: None, lost: false, read: None },
            current.now,
        );
        Progress::More
    }
}

fn sleep(until: DateTime<Utc>, reason: &str) -> Progress {
    Progress::Command(Command::Sleep { until, reason: reason.to_owned() })
}
