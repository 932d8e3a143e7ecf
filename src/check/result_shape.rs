//! Known shapes of values in templates: results of steps, events, list items, variables.

use super::builtin_shapes;
use super::context::Context;
use super::proven::present;
use super::template_site::{Position, StepPart};
use crate::catalog::{Operation, path};
use crate::recipe::{Action, OnError, OnMissing, Trigger, Webhook};
use crate::template::{Class, Inference, Inferred, LocatedTemplate, PathStep, TreeShape, Use};
use crate::value::{Kind, Shape};

/// Maximum depth of variables defined by variables.
const MAX_DEPTH: usize = 8;
/// The same for values without a declared shape: each may name several variables.
const MAX_VARIABLES: usize = 3;

/// A shape inside a number of nested lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    shape: &'a Shape,
    lists: u32,
    /// Members of the outermost list may be null, or, of no list, the value itself.
    gaps: bool,
}

/// Why a path step into a value cannot work.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum InvalidStep<'a> {
    /// The fields that it has.
    NoField(Vec<&'a str>),
    /// It is a list, but the step is a field.
    List,
    /// It is a mapping, but the step is an index.
    Mapping,
    /// It is neither a list nor a mapping.
    Plain(String),
}

impl InvalidStep<'_> {
    /// Whether the value has no fields.
    pub(super) fn is_no_mapping(&self) -> bool {
        matches!(self, InvalidStep::List | InvalidStep::Plain(_))
    }
}

impl<'a> Known<'a> {
    fn new(shape: &'a Shape) -> Self {
        Self { shape, lists: 0, gaps: false }
    }

    /// The shape of the value, unless it is a list.
    pub(super) fn shape(self) -> Option<&'a Shape> {
        (self.lists == 0).then_some(self.shape)
    }

    /// The shape with the lists around it.
    fn whole(self) -> Shape {
        (0..self.lists).fold(self.shape.clone(), |shape, _| Shape::list(shape))
    }

    /// The same as a value.
    fn inferred(self) -> Inferred<'a> {
        let value = Inferred::Declared(self.shape);
        let inner = (1..self.lists).fold(value, |value, _| Inferred::List(Box::new(value)));
        let inner = if self.gaps { inner.or_null() } else { inner };
        if self.lists > 0 { Inferred::List(Box::new(inner)) } else { inner }
    }

    /// Whether the value may be null.
    pub(super) fn may_be_null(self) -> bool {
        self.lists == 0 && (self.shape.nullable || self.gaps)
    }

    /// Whether it is a member of a list of which some members are null.
    pub(super) fn has_gaps(self) -> bool {
        self.lists == 0 && self.gaps
    }

    /// Whether the value is text that is not one of several words.
    pub(super) fn is_text(self) -> bool {
        let Shape { kind, any_of, values, format, doubtful, .. } = self.shape;
        self.lists == 0
            && *kind == Kind::String
            && any_of.is_empty()
            && values.is_empty()
            && format.is_none()
            && !doubtful
    }

    /// Whether the value is a list.
    pub(super) fn is_list(self) -> bool {
        self.lists > 0 || (self.shape.kind == Kind::Array && self.shape.any_of.is_empty())
    }

    /// Whether its shape is uncertain.
    pub(super) fn is_doubtful(self) -> bool {
        self.lists == 0 && self.shape.doubtful
    }

    /// Follows `step`; `Ok(None)` if the shape there is unknown.
    pub(super) fn step(self, step: &PathStep) -> Result<Option<Self>, InvalidStep<'a>> {
        if self.lists > 0 {
            return match step {
                PathStep::Item if self.lists == 1 => Ok(Some(Self { lists: 0, ..self })),
                PathStep::Item => Ok(Some(Self { lists: self.lists - 1, gaps: false, ..self })),
                PathStep::Field(_) => Err(InvalidStep::List),
            };
        }
        let plain = matches!(self.shape.kind, Kind::String | Kind::Integer | Kind::Number | Kind::Boolean);
        match (self.shape.kind, step) {
            _ if !self.shape.any_of.is_empty() => Ok(None),
            (Kind::Array, PathStep::Field(_)) => Err(InvalidStep::List),
            (Kind::Object, PathStep::Item) if self.shape.entries.is_none() => Err(InvalidStep::Mapping),
            (Kind::String, PathStep::Item) => Ok(Some(Self::new(builtin_shapes::text()))),
            (_, PathStep::Field(_)) if plain => Err(InvalidStep::Plain(self.shape.describe())),
            _ => self.shape.step(step).map(|inner| inner.map(Self::new)).map_err(InvalidStep::NoField),
        }
    }
}

/// The shape at `steps` below `root`, if known.
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

impl Context<'_> {
    /// The shape of what a template at `position` reads at `steps` below `root`, if known.
    pub fn shape_at(&self, position: &Position<'_>, root: &str, steps: &[PathStep]) -> Option<Shape> {
        reached_within(self, position, root, steps, 0).map(Known::whole)
    }
}

/// The shape of a step's result for later steps.
pub(super) fn step_shape<'a>(action: &Action, operation: &'a Operation) -> Option<Known<'a>> {
    if operation.download.is_some() {
        return None;
    }
    let response = operation.response.as_ref()?;
    let given = action.pick.as_ref().map(|pick| pick.as_str());
    let taken = given.or(operation.result.first().map(String::as_str)).unwrap_or("$");
    let (list, member) = member_of(taken);
    let shape = path::walk(response, list)?;
    let shape = if member { shape.items.as_deref()? } else { shape };
    let lists = u32::from(path::is_list(taken)) + u32::from(action.for_each.is_some());
    let skipped = action.condition.is_some()
        || action.on_error == OnError::Continue
        || action.on_missing == OnMissing::Continue;
    // A list that has no such member gives null.
    let is_index = |index: &str| index.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let picks_member = given.is_some_and(|given| given.split('[').skip(1).any(is_index));
    let gaps = action.for_each.is_some() && skipped || picks_member && !path::is_list(taken);
    Some(Known { shape, lists, gaps })
}

/// The path of the list of which `path` takes a member, as in `$.data[0]`, and whether it does.
fn member_of(path: &str) -> (&str, bool) {
    let index = path.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    match index {
        Some((list, index)) if index.parse::<usize>().is_ok() => (list, true),
        _ => (path, false),
    }
}

/// The shape of an operation's whole answer.
pub(super) fn answer_shape(operation: &Operation) -> Option<Known<'_>> {
    operation.response.as_ref().map(Known::new)
}

/// What a poller's event is: an item of its list.
fn of_item(operation: &Operation) -> Option<Known<'_>> {
    operation.item_shape().map(Known::new)
}

/// The shape of the beginning of a path, and the number of steps it covers.
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
        let known = template_shape(context, position, list, depth)?;
        return known.step(&PathStep::Item).ok()?.map(|known| (known, 0));
    }
    match (root, steps) {
        ("run", _) if !matches!(position, Position::Lane) => Some((Known::new(builtin_shapes::run()), 0)),
        ("error", _) => Some((Known::new(builtin_shapes::error()), 0)),
        ("connection", _) => Some((Known::new(&context.connection), 0)),
        ("event", _) => match (&context.recipe.trigger, context.event_at(position)) {
            (Trigger::Poll(_), Some(event)) if !matches!(position, Position::Lane) => {
                Some((Known::new(event), 0))
            }
            (Trigger::Poll(poll), _) => of_item(context.poller(poll)?).map(|known| (known, 0)),
            // Its fields are not all documented.
            (Trigger::Webhook(Webhook::Events { .. }), event) => {
                Some((Known::new(event.unwrap_or(builtin_shapes::mapping())), 0))
            }
            _ => None,
        },
        ("parent", _) if matches!(position, Position::ParentInput) => {
            of_item(context.parents?).map(|known| (known, 0))
        }
        ("steps", [PathStep::Field(id), ..]) => {
            let action = context.recipe.all_actions().find(|action| action.id == *id)?;
            step_shape(action, context.operation(action)?).map(|known| (known, 1))
        }
        ("vars", [PathStep::Field(name), ..]) => {
            let (index, _, value) = context.recipe.vars.get_full(name.as_str())?;
            let known = template_shape(context, &Position::Variable(index), value.as_template()?, depth)?;
            Some((known, 1))
        }
        _ => None,
    }
}

/// The shape at the end of a path, if known.
pub(super) fn path_shape<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
) -> Option<Known<'a>> {
    let (known, taken) = origin(context, position, root, steps, 0)?;
    steps.get(taken..)?.iter().try_fold(known, |known, step| known.step(step).ok()?)
}

/// What is known of the value of a template with a single expression.
pub(super) fn infer<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    template: &LocatedTemplate,
) -> Option<Inference<'a>> {
    infer_within(context, position, template, 0)
}

fn infer_within<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    template: &LocatedTemplate,
    depth: usize,
) -> Option<Inference<'a>> {
    let known = present(context, position);
    template.infer(&|root, steps| value_within(context, position, root, steps, depth), &known)
}

/// What is known of the value at `steps` below `root`.
pub(super) fn value<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
) -> Inferred<'a> {
    value_within(context, position, root, steps, 0)
}

fn value_within<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
    depth: usize,
) -> Inferred<'a> {
    let known = reached_within(context, position, root, steps, depth).map(Known::inferred);
    known
        .or_else(|| variable(context, root, steps, depth))
        .or_else(|| item(context, position, root, steps, depth))
        .unwrap_or(Inferred::Unknown)
}

/// What is known of the value at `steps` below the item of `for_each`, where the list has no declared shape.
fn item<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
    depth: usize,
) -> Option<Inferred<'a>> {
    let Position::Step { action, part, .. } = position else { return None };
    let list = action.for_each.as_ref().filter(|_| root == action.item_name && *part != StepPart::List)?;
    if depth >= MAX_VARIABLES {
        return None;
    }
    let list = infer_within(context, position, list, depth + 1)?.value;
    Some(steps.iter().fold(list.step(&PathStep::Item), |value, step| value.step(step)))
}

/// What is known of the value at `steps` below `vars`, where it has no declared shape.
fn variable<'a>(
    context: &'a Context<'_>,
    root: &str,
    steps: &[PathStep],
    depth: usize,
) -> Option<Inferred<'a>> {
    let ("vars", [PathStep::Field(name), rest @ ..]) = (root, steps) else { return None };
    let (index, _, tree) = context.recipe.vars.get_full(name.as_str())?;
    let value = match &tree.shape {
        TreeShape::Fixed(value) => Inferred::Constant(value.clone()),
        TreeShape::List(_) => Inferred::List(Box::new(Inferred::Unknown)),
        TreeShape::Map(_) => Inferred::Mapping,
        TreeShape::Text(text) if text.is_literal() => Inferred::Constant(text.text().into()),
        TreeShape::Text(text) if !text.is_whole() => Inferred::Text,
        TreeShape::Text(_) if depth >= MAX_VARIABLES => return None,
        TreeShape::Text(text) => infer_within(context, &Position::Variable(index), text, depth + 1)?.value,
    };
    Some(rest.iter().fold(value, |value, step| value.step(step)))
}

/// The shape of the value of a template.
fn template_shape<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    template: &LocatedTemplate,
    depth: usize,
) -> Option<Known<'a>> {
    if depth >= MAX_DEPTH || !template.is_whole() {
        return None;
    }
    let inner = template.text().trim().trim_start_matches("{{").trim_end_matches("}}");
    let inner = inner.trim().trim_matches('-').trim();
    match template.uses() {
        [Use::Path { root, steps, range, .. }] if template.text().get(range.clone()) == Some(inner) => {
            reached_within(context, position, root, steps, depth + 1)
        }
        _ => list_shape(&infer_within(context, position, template, depth + 1)?.value),
    }
}

/// The shape of a computed list, whose alternatives are empty.
fn list_shape<'a>(value: &Inferred<'a>) -> Option<Known<'a>> {
    let is_empty = |value: &Inferred<'_>| match value {
        Inferred::Constant(value) => value.is_null() || value.as_array().is_some_and(Vec::is_empty),
        _ => false,
    };
    let mut lists = value.alternatives().into_iter().filter(|one| !is_empty(one));
    let (Some(list), None) = (lists.next(), lists.next()) else { return None };
    match list {
        Inferred::List(items) => match items.as_ref() {
            Inferred::Declared(shape) => Some(Known { shape, lists: 1, gaps: false }),
            _ => None,
        },
        Inferred::Declared(shape) if list.class() == Some(Class::List) => {
            Some(Known { shape: shape.items.as_deref()?, lists: 1, gaps: false })
        }
        _ => None,
    }
}
