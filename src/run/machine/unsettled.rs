//! The unconfirmed writes of a run. Other runs need them when they probe, or when an event may show one of them.

use super::Machine;
use crate::catalog::{Effect, Probe, effect};
use crate::run::entry::StepKey;
use crate::run::status::Phase;
use crate::run::unsettled::Unsettled;
use crate::value::{Map, Value};

impl Machine {
    /// Creates without an answer that can be probed, and unanswered writes that a trigger may read.
    pub fn unsettled(&self) -> Vec<Unsettled> {
        let one = |(step, inputs): (&StepKey, &Value)| self.unsettled_step(step, inputs.as_object()?);
        self.status.unsettled.iter().filter_map(one).collect()
    }

    fn unsettled_step(&self, step: &StepKey, inputs: &Map<String, Value>) -> Option<Unsettled> {
        let action = self.recipe.all_actions().find(|action| action.id == step.action)?;
        let operation = action.operation;
        let probe = operation.probe.as_ref().filter(|_| effect(operation, inputs) == Effect::Create);
        let not_probed = probe.is_none();
        if not_probed && !self.feedback.is_read(operation) {
            return None;
        }
        let status = self.status.step(step);
        Some(Unsettled {
            step: step.clone(),
            operation: operation.id.clone(),
            connection: self.connection(&action, operation)?,
            inputs: probe.map_or_else(|| inputs.clone(), |probe| compared(probe, inputs)),
            sent: self.wall(status.lost.or(status.sent)?),
            missed: match status.phase {
                Phase::InDoubt { since, interrupted: false, .. } => Some(self.wall(since)),
                Phase::InDoubt { .. } | Phase::Parked { .. } => Some(self.wall(status.sent?)),
                _ => None,
            },
            not_probed,
        })
    }
}

/// The inputs that the probe compares.
fn compared(probe: &Probe, inputs: &Map<String, Value>) -> Map<String, Value> {
    let is_compared = |name: &str| {
        probe.matching.values().map(String::as_str).chain(probe.inputs()).any(|used| used == name)
    };
    inputs
        .iter()
        .filter(|(name, _)| is_compared(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
