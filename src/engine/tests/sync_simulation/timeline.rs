//! What is going to happen, by time.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::run::{StepCall, StepResult};
use crate::value::Value;

/// Something that happens at a time. Systems and recipes are given by index: recipe `n` carries over the changes of
/// system `n`.
pub(super) enum Task {
    Edit { system: usize, field: usize, value: String },
    Deliver { recipe: usize, event: Event },
    List { system: usize },
    ReceiveRequest { recipe: usize, call: Box<StepCall> },
    ReceiveAnswer { recipe: usize, call: Box<StepCall>, result: StepResult, shown: Value },
    Resume { recipe: usize },
}

impl Task {
    /// Whether the current run of a recipe waits for it.
    fn is_awaited_by(&self, number: usize) -> bool {
        match self {
            Self::ReceiveRequest { recipe, .. }
            | Self::ReceiveAnswer { recipe, .. }
            | Self::Resume { recipe } => *recipe == number,
            Self::Edit { .. } | Self::Deliver { .. } | Self::List { .. } => false,
        }
    }
}

/// Tasks by millisecond; those of one millisecond in the order in which they were added.
#[derive(Default)]
pub(super) struct Timeline {
    tasks: BTreeMap<(i64, usize), Task>,
    added: usize,
}

impl Timeline {
    pub(super) fn add(&mut self, when: i64, task: Task) {
        self.added += 1;
        self.tasks.insert((when, self.added), task);
    }

    pub(super) fn next(&mut self) -> Option<(i64, Task)> {
        self.tasks.pop_first().map(|((when, _), task)| (when, task))
    }

    /// Whether the current run of a recipe waits for something.
    pub(super) fn is_awaited_by(&self, recipe: usize) -> bool {
        self.tasks.values().any(|task| task.is_awaited_by(recipe))
    }
}
