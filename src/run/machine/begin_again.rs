//! A run that goes on from its first step when a step is tried again.

use chrono::{DateTime, Utc};

use super::Machine;
use crate::run::begun_again::{begun_again, repeatable};
use crate::run::status::Phase;

impl Machine {
    /// Begins again if a step is about to be tried again and the recipe says so (`retry: { from: start }`); whether it
    /// does.
    pub(super) fn begin_again(&mut self, now: DateTime<Utc>) -> bool {
        let Some(steps) = repeatable(&self.recipe, &self.status) else { return false };
        let is_due = steps.iter().any(|key| match &self.status.step(key).phase {
            // hob was interrupted.
            Phase::Intended => true,
            Phase::Waiting { until, .. } => *until <= now,
            _ => false,
        });
        // Where no record was read, nothing that was read can be out of date.
        let has_read = steps.iter().any(|key| {
            let is_done = matches!(self.status.step(key).phase, Phase::Done(_));
            is_done
                && self
                    .recipe
                    .actions()
                    .any(|action| action.id == key.action && action.operation.builtin.is_none())
        });
        if !is_due || !has_read {
            return false;
        }
        self.record(begun_again(steps), now);
        (self.done, self.members) = (0, None);
        true
    }
}
