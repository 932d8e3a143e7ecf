//! Every template of a recipe with the position where it is evaluated, which determines the names it may use.

use crate::recipe::{Action, Recipe, Trigger, Webhook};
use crate::template::LocatedTemplate;

/// A text with its position.
#[derive(Debug, Clone, Copy)]
pub struct TemplateSite<'a> {
    /// The template.
    pub template: &'a LocatedTemplate,
    /// When it is evaluated.
    pub position: Position<'a>,
}

/// When a template is evaluated.
#[derive(Debug, Clone, Copy)]
pub enum Position<'a> {
    /// Before each poll.
    PollInput,
    /// Before each parent's list is read.
    ParentInput,
    /// When a request is received.
    Verify,
    /// When there is an event: `when`.
    When,
    /// When there is an event, before it is stored: `lane`.
    Lane,
    /// When a run starts: the variable with this index.
    Variable(usize),
    /// When a step starts.
    Step {
        /// The step.
        action: &'a Action,
        /// Its index in its list.
        index: usize,
        /// Whether it belongs to `on_failure`.
        after_failure: bool,
        /// The part of it.
        part: StepPart,
    },
}

/// A part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepPart {
    /// `for_each`, evaluated once.
    List,
    /// `if`, evaluated for each item.
    Condition,
    /// `with`, evaluated for each item.
    Input,
}

impl Position<'_> {
    /// The names that templates may begin with here.
    pub fn roots(&self) -> Vec<&str> {
        match self {
            Position::PollInput => vec!["connection", "env"],
            Position::ParentInput => vec!["parent", "connection", "env"],
            Position::Verify => vec!["env"],
            Position::When => vec!["event", "connection", "links", "run", "env"],
            Position::Lane => vec!["event", "connection", "run", "env"],
            Position::Variable(_) => vec!["event", "vars", "connection", "links", "run", "env"],
            Position::Step { action, after_failure, part, .. } => {
                let mut roots = vec!["event", "vars", "steps", "connection", "links", "run", "env"];
                if *after_failure {
                    roots.push("error");
                }
                if *part != StepPart::List && has_item(action) {
                    roots.push(&action.item_name);
                }
                roots
            }
        }
    }
}

/// Whether the step has a variable for the item of a list.
pub(super) fn has_item(action: &Action) -> bool {
    action.for_each.is_some()
}

/// All texts of `recipe` that may contain templates, in order of evaluation.
pub(super) fn all(recipe: &Recipe) -> Vec<TemplateSite<'_>> {
    let mut sites = Vec::new();
    match &recipe.trigger {
        Trigger::Poll(poll) => {
            let parents = poll.over.iter().flat_map(|over| over.with.templates());
            add(&mut sites, parents, Position::PollInput);
            let position = if poll.over.is_some() { Position::ParentInput } else { Position::PollInput };
            add(&mut sites, poll.with.templates(), position);
        }
        Trigger::Webhook(Webhook::Path { verify, .. }) => {
            add(&mut sites, verify.key(), Position::Verify);
        }
        Trigger::Webhook(Webhook::Events { .. }) | Trigger::Schedule(_) | Trigger::Manual(_) => {}
    }
    add(&mut sites, &recipe.when, Position::When);
    add(&mut sites, &recipe.lane, Position::Lane);
    for (index, value) in recipe.vars.values().enumerate() {
        add(&mut sites, value.templates(), Position::Variable(index));
    }
    steps(&mut sites, &recipe.actions, false);
    steps(&mut sites, &recipe.on_failure, true);
    sites
}

fn steps<'a>(sites: &mut Vec<TemplateSite<'a>>, actions: &'a [Action], after_failure: bool) {
    for (index, action) in actions.iter().enumerate() {
        let position = |part| Position::Step { action, index, after_failure, part };
        add(sites, &action.for_each, position(StepPart::List));
        add(sites, &action.condition, position(StepPart::Condition));
        add(sites, action.with.templates(), position(StepPart::Input));
    }
}

fn add<'a>(
    sites: &mut Vec<TemplateSite<'a>>,
    templates: impl IntoIterator<Item = &'a LocatedTemplate>,
    position: Position<'a>,
) {
    sites.extend(templates.into_iter().map(|template| TemplateSite { template, position }));
}
