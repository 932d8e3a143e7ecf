//! A recipe as used by the rest of hob: templates and times parsed, defaults set.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::action::Action;
use super::dropped_fields::DroppedFields;
use super::syntax::{EchoPolicy, LaneOnFailure, RetryFrom};
use super::trigger::Trigger;
use crate::source::{SourceFile, Span, Spanned};
use crate::template::{LocatedTemplate, TemplateTree};

/// A trigger and the actions it starts.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The text it was read from, into which its spans lead.
    pub file: SourceFile,
    pub(super) generated: Option<Arc<str>>,
    /// Its name, which identifies its cursor and history.
    pub name: Spanned<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Connector → its connections; never empty.
    pub connections: IndexMap<Spanned<String>, Vec<Spanned<String>>>,
    /// The trigger.
    pub trigger: Trigger,
    /// Span of the trigger.
    pub trigger_span: Span,
    /// Events for which this is false are filtered out.
    pub when: Option<LocatedTemplate>,
    /// Key of runs that are executed one at a time. Default: the record's id.
    pub lane: Option<LocatedTemplate>,
    /// Values evaluated once, in this order.
    pub vars: IndexMap<Spanned<String>, TemplateTree>,
    /// The steps.
    pub actions: Vec<Action>,
    /// The steps after a failure.
    pub on_failure: Vec<Action>,
    /// Handling of echoes of hob's own writes.
    pub echo: EchoPolicy,
    /// Where a run goes on when a step is tried again.
    pub retry_from: RetryFrom,
    /// Time limit of a run.
    pub timeout: Option<Duration>,
    /// The effect of a failed run on its lane.
    pub lane_on_failure: LaneOnFailure,
    pub(super) dropped_fields: DroppedFields,
    pub(super) broken: bool,
}

impl Recipe {
    /// Its text: what a file would hold that contains this recipe alone.
    pub fn text(&self) -> &str {
        self.generated.as_deref().unwrap_or(self.file.text())
    }

    /// Whether its file is a sync that stands for several recipes.
    pub fn is_generated(&self) -> bool {
        self.generated.is_some()
    }

    /// All steps, those of `on_failure` last.
    pub fn all_actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().chain(&self.on_failure)
    }

    /// Fields that recovery may have dropped; their absence is not reported.
    pub fn dropped_fields(&self) -> &DroppedFields {
        &self.dropped_fields
    }

    /// Whether its text has errors. It was parsed with recovery only to find more of them.
    pub fn is_broken(&self) -> bool {
        self.broken
    }
}
