//! Hydration: fetching the whole record of a thin webhook before the run starts.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::Machine;
use super::hydration::Hydration;
use super::progress::Progress;
use crate::catalog::Effect;
use crate::recipe::{KeptPolicy, OnMissing, Retry, Trigger};
use crate::run::RunState;
use crate::run::command::{Command, StepCall};
use crate::run::entry::{Entry, StepKey};
use crate::run::status::{Phase, StepStatus};
use crate::value::address::Reach;
use crate::value::{Value, after};

impl Machine {
    /// Hydrates the event; `None` once that is done or not needed.
    pub(super) fn hydrate(&mut self, now: DateTime<Utc>) -> Option<Progress> {
        self.restore_record();
        let step = StepKey::hydrate();
        // A poll's list may show a record that was deleted since.
        let is_gone = matches!(&self.status.step(&step).phase, Phase::Done(record) if record.is_null());
        if is_gone && self.status.started.is_none() && matches!(self.recipe.trigger(), Trigger::Poll(_)) {
            self.finish(RunState::Filtered, Some("the record is gone".to_owned()), None, now);
            return Some(Progress::More);
        }
        let hydration = self.hydration.clone()?;
        let status = self.status.step(&step);
        match status.phase.clone() {
            Phase::Failed(error) => Some(Progress::Failed(step, error)),
            Phase::Waiting { until, reason, .. } if now < until => {
                Some(Progress::Command(Command::Sleep { until, reason }))
            }
            Phase::InDoubt { until, reason, .. } if now < after(until, Retry::default().backoff.first) => {
                let until = after(until, Retry::default().backoff.first);
                Some(Progress::Command(Command::Sleep { until, reason }))
            }
            _ => Some(self.fetch(&hydration, step, &status, now)),
        }
    }

    /// Applies the fetched record, if there is one.
    pub(super) fn restore_record(&mut self) {
        match self.status.step(&StepKey::hydrate()).phase {
            Phase::Done(result) => {
                if let Some(hydration) = self.hydration.take() {
                    self.merge_record(&hydration.record, Value::clone(&result));
                }
            }
            Phase::Skipped => self.hydration = None,
            _ => {}
        }
    }

    fn fetch(
        &mut self,
        hydration: &Hydration,
        step: StepKey,
        status: &StepStatus,
        now: DateTime<Utc>,
    ) -> Progress {
        let attempt = status.attempts + 1;
        let operation = hydration.operation.clone();
        match &hydration.inputs {
            Ok(inputs) => Progress::Command(Command::Execute(Box::new(StepCall {
                step,
                attempt,
                may_try_again: attempt.saturating_sub(status.forgiven) < Retry::default().attempts,
                connection: self.run.accounts.get(&operation.connector).cloned(),
                operation,
                inputs: inputs.clone(),
                reach: Reach::Anywhere,
                downloaded: Vec::new(),
                effect: Effect::Read,
                timeout: None,
                pick: None,
                all_pages: false,
                retry: Retry::default(),
                on_missing: match self.recipe.trigger() {
                    Trigger::Poll(_) => OnMissing::Continue,
                    _ => OnMissing::Fail,
                },
                kept: KeptPolicy::Ignore,
                may_be_left_out: false,
                result_is_read: true,
                deferred: status.deferrals > 0,
                first_lost: None,
            }))),
            Err(absent) => {
                let reason = format!("the event came without {absent}, which {} needs", operation.id);
                self.record(Entry::StepSkipped { step, reason }, now);
                Progress::More
            }
        }
    }

    /// Replaces the thin record by the fetched one; fields that only the event has (type, time stamp) stay.
    fn merge_record(&mut self, at: &str, fetched: Value) {
        let Some(mut event) = self.scope.get("event").map(Cow::into_owned) else { return };
        let mut names = at.trim_start_matches('$').split('.').filter(|name| !name.is_empty());
        let thin = names.try_fold(&mut event, |value, name| value.get_mut(name));
        match (thin, fetched) {
            (Some(Value::Object(thin)), Value::Object(whole)) => thin.extend(whole),
            (Some(thin), whole) if !whole.is_null() => *thin = whole,
            _ => {}
        }
        self.scope.set("event", event);
    }
}
