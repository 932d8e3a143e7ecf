//! Replays one recorded run: what it did, and what it would do with the recipe as it is now.

use super::compare::{Change, compare};
use super::recorded_answers::RecordedAnswers;
use super::recording::Recording;
use super::repetition::{repeat, writes_only};
use super::replayer::{Decided, End, RecordedRun, Uncertainty, replay};
use super::step_map::StepMap;
use crate::catalog::Builtin;
use crate::check::{CheckedRecipe, EventReads};
use crate::journal::{Link, RunDetail};
use crate::recipe::{Trigger, Webhook};
use crate::run::{BEFORE, CHANGED, Entry, RunContext, RunState, StampedEntry};
use crate::template::{PathStep, Use};
use crate::value::id;

/// What became of a recorded run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunReplay {
    /// What would be different.
    pub changes: Vec<Change>,
    /// What cannot be known.
    pub uncertainties: Vec<Uncertainty>,
    /// Steps whose answers' ids were taken from the recording although their requests would be others.
    pub assumed: Vec<String>,
}

/// Why a run is not replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotReplayed {
    /// It has not ended.
    Unfinished,
    /// It was dropped as an echo, by what was known of its record at that time.
    Echo,
    /// It was left to the run of a later event.
    Coalesced,
    /// It was parked or given up before it began.
    NotBegun,
}

impl NotReplayed {
    /// Why the run of `detail` is not replayed, if so.
    pub fn of(detail: &RunDetail) -> Option<Self> {
        let is_left = |stamped: &StampedEntry| matches!(stamped.entry, Entry::Coalesced { .. });
        match detail.row.state {
            RunState::Waiting | RunState::Running => Some(Self::Unfinished),
            RunState::Suppressed => Some(Self::Echo),
            RunState::Filtered if detail.entries.last().is_some_and(is_left) => Some(Self::Coalesced),
            RunState::Parked | RunState::Skipped if detail.run.version.is_none() => Some(Self::NotBegun),
            RunState::Succeeded
            | RunState::Failed
            | RunState::Filtered
            | RunState::Parked
            | RunState::Skipped => None,
        }
    }

    /// The same in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Unfinished => "not ended yet",
            Self::Echo => "dropped as an echo: what was known of the record then is not in the history",
            Self::Coalesced => "left to the run of a later event",
            Self::NotBegun => "parked or given up before it began",
        }
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Echo => "echo",
            Self::Coalesced => "coalesced",
            Self::NotBegun => "not_begun",
        }
    }
}

impl RunReplay {
    /// The run of `detail`, which began with the recipe `then`, if that is known, with the recipe `now`.
    pub fn of(
        detail: &RunDetail,
        then: Option<&CheckedRecipe>,
        now: &CheckedRecipe,
        context: &RunContext,
    ) -> Self {
        let recording = Recording::of(detail);
        let recorded_run = RecordedRun { detail, recording: &recording, context };
        if let Some(uncertainty) =
            then.and_then(|then| unknown_links(then, now)).or_else(|| unseen_before(now, &recording))
        {
            return Self::unknown(uncertainty);
        }
        let (mut before, steps) = match then {
            Some(then) => match repeat(then, recorded_run) {
                Ok(decided) => (decided, StepMap::of(then, now)),
                Err(uncertainty) => return Self::unknown(uncertainty),
            },
            None => {
                let end = End::In(detail.row.state, detail.row.error.clone(), None);
                let requests = writes_only(now, recorded_run);
                let decided = Decided {
                    requests,
                    end,
                    uncertainties: Vec::new(),
                    unknown: Vec::new(),
                    assumed: Vec::new(),
                };
                (decided, StepMap::same(now))
            }
        };
        if then.is_some_and(|then| then.version() == now.version()) {
            return Self::default();
        }
        let after =
            replay(now, recorded_run, &mut RecordedAnswers::new(&before.requests, &recording, &steps));
        // It ended by what people or hob decided, and would end by itself.
        if matches!((&before.end, &after.end), (End::Open, End::In(..))) {
            before.end = End::In(detail.row.state, None, None);
        }
        let mut uncertainties = after.uncertainties.clone();
        if let End::Unknown(uncertainty) = &after.end {
            uncertainties.push(uncertainty.clone());
        }
        Self { changes: compare(&before, &after, &steps), uncertainties, assumed: after.assumed }
    }

    /// A run whose recipe, as it was then, cannot be used any more.
    pub fn unreadable(version: &str) -> Self {
        let reason = format!(
            "its recipe as it was then (version {version}) is not stored, or has mistakes by today's connectors and \
             connections"
        );
        Self::unknown(Uncertainty::of_run(reason))
    }

    fn unknown(uncertainty: Uncertainty) -> Self {
        Self { uncertainties: vec![uncertainty], ..Self::default() }
    }

    /// Whether it would do the same, for certain.
    pub fn is_same(&self) -> bool {
        self.changes.is_empty() && self.uncertainties.is_empty()
    }
}

/// Those of `links` that the run of `detail` did not save itself.
pub fn links_before(detail: &RunDetail, recipe: &CheckedRecipe, links: Vec<Link>) -> Vec<Link> {
    let saves = |operation: &str| {
        let operation = recipe.operation_by_id(operation);
        operation.is_some_and(|operation| operation.builtin == Some(Builtin::LinksSave))
    };
    let saved = |link: &Link| {
        detail.entries.iter().any(|stamped| match &stamped.entry {
            Entry::Intent { operation, inputs, .. } if saves(operation) => {
                inputs["name"] == link.name.as_str()
                    && inputs.get("from").and_then(id).as_ref() == Some(&link.from)
            }
            _ => false,
        })
    };
    links.into_iter().filter(|link| !saved(link)).collect()
}

/// Whether templates of the recipe may read links of its event's record.
pub fn reads_links(recipe: &CheckedRecipe) -> bool {
    !links_read(recipe).is_empty()
}

/// The uncertainty about links of the event's record, which are not in the history: where the recipe reads none but those that
/// it read, repeating the run shows that they are the same.
fn unknown_links(then: &CheckedRecipe, now: &CheckedRecipe) -> Option<Uncertainty> {
    let before = links_read(then);
    let name = links_read(now).into_iter().find(|name| !before.contains(name))?;
    Some(Uncertainty::of_run(format!("it reads `links{name}`, which the history does not tell")))
}

/// The names below `links` that templates read.
fn links_read(recipe: &CheckedRecipe) -> Vec<String> {
    let recipe = recipe.recipe();
    let begin = recipe.when.iter().chain(&recipe.lane);
    let vars = recipe.vars.values().flat_map(|tree| tree.templates());
    let of_actions = recipe
        .all_actions()
        .flat_map(|action| action.for_each.iter().chain(&action.condition).chain(action.with.templates()));
    let uses = begin.chain(vars).chain(of_actions).flat_map(|template| template.uses());
    let read = uses.filter_map(|used| match used {
        Use::Path { root, steps, .. } if root == "links" => Some(match steps.first() {
            Some(PathStep::Field(name)) => format!(".{name}"),
            _ => String::new(),
        }),
        _ => None,
    });
    read.collect()
}

/// The uncertainty about what was seen of the record before, of a recipe that did not ask for it.
fn unseen_before(now: &CheckedRecipe, recording: &Recording<'_>) -> Option<Uncertainty> {
    let of_records = matches!(now.trigger(), Trigger::Poll(_) | Trigger::Webhook(Webhook::Events { .. }));
    let is_added = |path: &Vec<String>| {
        let first = path.first().map(String::as_str);
        [CHANGED, BEFORE].into_iter().find(|name| first == Some(*name))
    };
    if !of_records || recording.compared.is_some() {
        return None;
    }
    let name = EventReads::from_recipe(now.recipe()).event.iter().find_map(is_added)?;
    Some(Uncertainty::of_run(format!("it reads `event.{name}`, which the history does not tell")))
}
