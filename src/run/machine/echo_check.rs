//! What a run that has not begun needs to tell whether its event is an echo.

use std::sync::Arc;

use crate::check::{CheckedRecipe, Resource};
use crate::event::Event;
use crate::run::echo::Evidence;
use crate::run::entry::{Entry, StampedEntry};
use crate::run::template_scope::RunContext;
use crate::run::{Run, SourceRecord};

/// Whether it is to be found out that the event is an echo.
#[derive(Debug, Clone)]
pub(super) enum EchoCheck {
    /// It cannot be one, or it is decided.
    Done,
    /// What is known of its record has to be gathered: after the record is fetched, so that nothing that it shows is
    /// missing.
    Needed(Box<Event>),
    /// It is gathered.
    Gathered(Box<Event>, Arc<Evidence>),
}

impl EchoCheck {
    /// For the run of `event` with this history. A run that a person wants is none to suppress.
    pub(super) fn of(
        recipe: &CheckedRecipe,
        event: &Event,
        entries: &[StampedEntry],
        run_context: &RunContext,
    ) -> Self {
        let decided = |stamped: &StampedEntry| {
            matches!(
                stamped.entry,
                Entry::Started { .. } | Entry::Caused { .. } | Entry::Resumed { .. } | Entry::Restarted {}
            )
        };
        let is_written =
            Resource::of_trigger(recipe).is_some_and(|read| run_context.feedback.is_written(&read));
        if is_written && !run_context.skip_waits && !entries.iter().any(decided) {
            Self::Needed(Box::new(event.clone()))
        } else {
            Self::Done
        }
    }
}

/// The record that `event` is about.
pub(super) fn source(recipe: &CheckedRecipe, run: &Run, event: &Event) -> Option<SourceRecord> {
    let read = Resource::of_trigger(recipe)?;
    let connection = run.accounts.get(&read.connector).or(event.connection.as_ref())?.clone();
    Some(SourceRecord { connection, record: event.record.clone()?, as_of: event.received })
}
