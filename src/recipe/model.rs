//! A recipe as the rest of hob sees it: templates parsed, times read, defaults filled in.

use std::time::Duration;

use indexmap::IndexMap;

use super::action::Action;
use super::dropped_fields::DroppedFields;
use super::syntax::{EchoPolicy, LaneOnFailure, UnchangedPolicy};
use super::trigger::Trigger;
use crate::source::{SourceFile, Span, Spanned};
use crate::template::{LocatedTemplate, TemplateTree};

/// One thing that starts it, and what is done then.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The text it was read from.
    pub file: SourceFile,
    /// Its name: the identity of its cursor and history.
    pub name: Spanned<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Connector → the connections it may use there; never an empty list.
    pub connections: IndexMap<Spanned<String>, Vec<Spanned<String>>>,
    /// What starts it.
    pub trigger: Trigger,
    /// Where the trigger stands.
    pub trigger_span: Span,
    /// Events for which this does not hold are filtered out.
    pub when: Option<LocatedTemplate>,
    /// Key of runs that go one at a time. Default: the record's id.
    pub lane: Option<LocatedTemplate>,
    /// Values worked out once, in this order.
    pub vars: IndexMap<Spanned<String>, TemplateTree>,
    /// The steps.
    pub actions: Vec<Action>,
    /// The steps after a failure.
    pub on_failure: Vec<Action>,
    /// What to do with echoes of our own writes.
    pub echo: EchoPolicy,
    /// What to do with writes that change nothing, where the recipe says so.
    pub unchanged: Option<Spanned<UnchangedPolicy>>,
    /// Longest time a run may take.
    pub timeout: Option<Duration>,
    /// What a failed run means for its lane.
    pub lane_on_failure: LaneOnFailure,
    pub(super) dropped_fields: DroppedFields,
    pub(super) broken: bool,
}

impl Recipe {
    /// All steps, those after a failure last.
    pub fn all_actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().chain(&self.on_failure)
    }

    /// What mending lost: complaints about its absence would only be noise.
    pub fn dropped_fields(&self) -> &DroppedFields {
        &self.dropped_fields
    }

    /// Its text has mistakes; it was mended only so that more of them can be found.
    pub fn is_broken(&self) -> bool {
        self.broken
    }
}
