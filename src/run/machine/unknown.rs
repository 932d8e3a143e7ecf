//! Steps that read unknown parts of earlier results.

use chrono::{DateTime, Utc};

use super::Machine;
use super::progress::Progress;
use crate::recipe::Action;
use crate::run::entry::{Entry, StepError, StepKey};
use crate::run::status::Phase;
use crate::run::unknown::unknown_read;

impl Machine {
    /// If `action` reads an unknown value, a person must supply it: the run is parked at the step with that result. A
    /// run that has failed already does not wait for one.
    pub(super) fn reads_unknown(
        &mut self,
        action: &Action,
        key: &StepKey,
        after_failure: bool,
        now: DateTime<Utc>,
    ) -> Option<Progress> {
        let (step, reason) = unknown_read(&self.status, action)?;
        if after_failure {
            let error = StepError::new(reason);
            self.record(
                Entry::StepFailed {
                    step: key.clone(),
                    attempt: 1,
                    error,
                    retry_at: None,
                    lost: false,
                    read: None,
                },
                now,
            );
            return Some(Progress::More);
        }
        if !matches!(self.status.step(&step).phase, Phase::Parked { .. }) {
            self.record(Entry::Parked { step: step.clone(), reason: reason.clone() }, now);
        }
        Some(Progress::Parked(step, reason))
    }
}
