//! What is known of the values that templates walk through: results of steps, events, members of
//! lists, variables.

use super::builtin_shapes;
use super::context::Context;
use super::template_site::Position;
use crate::catalog::{Operation, path};
use crate::recipe::{Action, Trigger};
use crate::template::{LocatedTemplate, PathStep, Use};
use crate::value::{Kind, Shape};

/// Variables that are defined by variables are followed this far.
const DEEPEST: usize = 8;

/// A shape, in so many lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    shape: &'a Shape,
    lists: u32,
}

/// Why a step into a value cannot work.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Dead<'a> {
    /// The fields it does have.
    NoField(Vec<&'a str>),
    /// It is a list, and the step a field.
    List,
    /// It is neither a list nor a mapping.
    Plain(String),
}

impl Dead<'_> {
    /// The value has no fields at all.
    pub(super) fn is_no_mapping(&self) -> bool {
        matches!(self, Dead::List | Dead::Plain(_))
    }
}

impl<'a> Known<'a> {
    fn new(shape: &'a Shape) -> Self {
        Self { shape, lists: 0 }
    }

    /// The shape of the value itself, unless it is a list of them.
    pub(super) fn shape(self) -> Option<&'a Shape> {
        (self.lists == 0).then_some(self.shape)
    }

    /// The value is a list.
    pub(super) fn is_list(self) -> bool {
        self.lists > 0 || (self.shape.kind == Kind::Array && self.shape.any_of.is_empty())
    }

    /// What is known of it is not sure to be right.
    pub(super) fn is_doubtful(self) -> bool {
        self.lists == 0 && self.shape.doubtful
    }

    /// Follows `step`; `Ok(None)` when nothing is known of what is there.
    pub(super) fn step(self, step: &PathStep) -> Result<Option<Self>, Dead<'a>> {
        if self.lists > 0 {
            return match step {
                PathStep::Item => Ok(Some(Self { lists: self.lists - 1, ..self })),
                PathStep::Field(_) => Err(Dead::List),
            };
        }
        let plain = matches!(self.shape.kind, Kind::String | Kind::Integer | Kind::Number | Kind::Boolean);
        match (self.shape.kind, step) {
            _ if !self.shape.any_of.is_empty() => Ok(None),
            (Kind::Array, PathStep::Field(_)) => Err(Dead::List),
            (_, PathStep::Field(_)) if plain => Err(Dead::Plain(self.shape.describe())),
            _ => self.shape.step(step).map(|inner| inner.map(Self::new)).map_err(Dead::NoField),
        }
    }
}

/// What `root` and `steps` lead to, if that is known.
pub(super) fn reached<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
) -> Option<Known<'a>> {
    reached_within(context, position, root, steps, 0)
}

fn reached_within<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
    depth: usize,
) -> Option<Known<'a>> {
    let (mut known, taken) = origin(context, position, root, steps, depth)?;
    for step in steps.get(taken..)? {
        known = known.step(step).ok()??;
    }
    Some(known)
}

/// What a step's result is, as later steps see it.
pub(super) fn of_step<'a>(action: &Action, operation: &'a Operation) -> Option<Known<'a>> {
    if operation.download.is_some() {
        return None;
    }
    let response = operation.response.as_ref()?;
    let given = action.pick.as_ref().map(|pick| pick.as_str());
    let taken = given.or(operation.result.first().map(String::as_str)).unwrap_or("$");
    let shape = path::walk(response, taken)?;
    let lists = u32::from(path::is_list(taken)) + u32::from(action.for_each.is_some());
    Some(Known { shape, lists })
}

/// What an operation's whole answer is.
pub(super) fn of_answer(operation: &Operation) -> Option<Known<'_>> {
    operation.response.as_ref().map(Known::new)
}

/// What a poller's event is: an item of its list.
fn of_item(operation: &Operation) -> Option<Known<'_>> {
    let items = operation.list.as_ref()?.items.first()?;
    let shape = path::walk(operation.response.as_ref()?, items)?;
    match (path::is_list(items), shape.kind) {
        (false, Kind::Array) => shape.items.as_deref().map(Known::new),
        _ => Some(Known::new(shape)),
    }
}

/// What a path begins with, and how many of its steps that took.
pub(super) fn origin<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
    depth: usize,
) -> Option<(Known<'a>, usize)> {
    if let Position::Step { action, .. } = position
        && let Some(list) = &action.for_each
        && root == action.item_name
    {
        let known = of_template(context, position, list, depth)?;
        return known.step(&PathStep::Item).ok()?.map(|known| (known, 0));
    }
    match (root, steps) {
        ("run", _) if !matches!(position, Position::Lane) => Some((Known::new(builtin_shapes::run()), 0)),
        ("error", _) => Some((Known::new(builtin_shapes::error()), 0)),
        ("connection", _) => Some((Known::new(&context.connection), 0)),
        ("event", _) => match &context.recipe.trigger {
            Trigger::Poll(poll) => of_item(context.poller(poll)?).map(|known| (known, 0)),
            _ => None,
        },
        ("steps", [PathStep::Field(id), ..]) => {
            let action = context.recipe.all_actions().find(|action| action.id == *id)?;
            of_step(action, context.operation(action)?).map(|known| (known, 1))
        }
        ("vars", [PathStep::Field(name), ..]) => {
            let (index, _, value) = context.recipe.vars.get_full(name.as_str())?;
            let known = of_template(context, &Position::Variable(index), value.as_template()?, depth)?;
            Some((known, 1))
        }
        _ => None,
    }
}

/// What the whole of a path leads to, if that is known.
pub(super) fn of_path<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
) -> Option<Known<'a>> {
    let (known, taken) = origin(context, position, root, steps, 0)?;
    steps.get(taken..)?.iter().try_fold(known, |known, step| known.step(step).ok()?)
}

/// What a template that is nothing but a path leads to.
fn of_template<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    template: &LocatedTemplate,
    depth: usize,
) -> Option<Known<'a>> {
    if depth >= DEEPEST || !template.is_whole() {
        return None;
    }
    let [Use::Path { root, steps, range, .. }] = template.uses() else { return None };
    let inner = template.text().trim().trim_start_matches("{{").trim_end_matches("}}");
    if inner.trim().trim_matches('-').trim() != template.text().get(range.clone())? {
        return None;
    }
    reached_within(context, position, root, steps, depth + 1)
}
