//! What is going to happen, by time.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::run::{RunId, StepCall, StepResult};
use crate::value::Value;

/// A recipe, by the system whose changes it brings to the other, and a record.
pub(super) type Lane = (usize, String);

/// Something that happens at a time.
pub(super) enum Task {
    /// Somebody changes a field of a record.
    Edit {
        system: usize,
        pair: usize,
        field: usize,
        value: String,
    },
    /// Somebody makes the first record of a pair.
    Make {
        system: usize,
        pair: usize,
    },
    /// Somebody deletes a record.
    Delete {
        system: usize,
        pair: usize,
    },
    Deliver {
        system: usize,
        event: Event,
    },
    List {
        system: usize,
    },
    ReceiveRequest {
        lane: Lane,
        call: Box<StepCall>,
    },
    ReceiveAnswer {
        lane: Lane,
        call: Box<StepCall>,
        result: StepResult,
        shown: Value,
    },
    Resume {
        lane: Lane,
    },
    /// A person retries a failed run.
    Retry {
        run: RunId,
    },
    /// Nothing fails from now on, and a person retries all that has failed.
    Recover,
}

impl Task {
    /// Whether the run of a lane waits for it.
    fn is_awaited_by(&self, wanted: &Lane) -> bool {
        match self {
            Self::ReceiveRequest { lane, .. } | Self::ReceiveAnswer { lane, .. } | Self::Resume { lane } => {
                lane == wanted
            }
            _ => false,
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

    /// Whether the run of a lane waits for something.
    pub(super) fn is_awaited_by(&self, lane: &Lane) -> bool {
        self.tasks.values().any(|task| task.is_awaited_by(lane))
    }
}
