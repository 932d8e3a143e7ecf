//! What is going to happen, by time.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::run::{StepCall, StepResult};
use crate::value::Value;

/// A recipe, by the system whose changes it brings to the other, and a record: its runs go one after the other.
pub(super) type Lane = (usize, String);

/// Something that happens at a time. `A` is what people do.
pub(super) enum Task<A> {
    Act(A),
    /// A webhook comes.
    Deliver {
        system: usize,
        event: Event,
    },
    /// A poll, or a sweep for lost webhooks.
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
}

impl<A> Task<A> {
    /// Whether the run of a lane waits for it.
    fn is_awaited_by(&self, wanted: &Lane) -> bool {
        match self {
            Self::ReceiveRequest { lane, .. } | Self::ReceiveAnswer { lane, .. } | Self::Resume { lane } => {
                lane == wanted
            }
            Self::Act(_) | Self::Deliver { .. } | Self::List { .. } => false,
        }
    }
}

/// Tasks by millisecond; those of one millisecond in the order in which they were added.
pub(super) struct Timeline<A> {
    tasks: BTreeMap<(i64, usize), Task<A>>,
    added: usize,
}

impl<A> Timeline<A> {
    pub(super) fn new() -> Self {
        Self { tasks: BTreeMap::new(), added: 0 }
    }

    pub(super) fn add(&mut self, when: i64, task: Task<A>) {
        self.added += 1;
        self.tasks.insert((when, self.added), task);
    }

    pub(super) fn next(&mut self) -> Option<(i64, Task<A>)> {
        self.tasks.pop_first().map(|((when, _), task)| (when, task))
    }

    /// Whether the run of a lane waits for something.
    pub(super) fn is_awaited_by(&self, lane: &Lane) -> bool {
        self.tasks.values().any(|task| task.is_awaited_by(lane))
    }
}
