//! What a single value is, as far as its name, its format and the catalog tell: an e-mail address, a phone number, a
//! time, or the id of a kind of record.

use super::context::Context;
use super::result_shape::path_shape;
use super::template_site::{Position, TemplateSite};
use crate::catalog::{Connector, Input, Operation, Place, ResourceNames, singular};
use crate::recipe::{Trigger, Webhook};
use crate::template::{LocatedTemplate, PathStep, ValuePath};
use crate::value::{Kind, Shape};

/// Maximum depth of variables defined by variables.
const MAX_DEPTH: usize = 3;
/// Names of fields that hold a person's name, without underscores.
const NAMES: [&str; 3] = ["fullname", "firstname", "lastname"];
/// Kinds of records that may be of any other kind.
const GENERIC: [&str; 4] = ["record", "object", "item", "data"];

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning<'a> {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A time or a day.
    Time,
    /// A person's name.
    Name,
    /// One of a few words.
    Word,
    /// The id of a record.
    Id(RecordId<'a>),
}

/// The id of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RecordId<'a> {
    connector: &'a Connector,
    /// Names of the kind of record.
    names: ResourceNames,
    /// The name for people.
    shown: String,
}

impl Meaning<'_> {
    /// A few words for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Meaning::Email => "an e-mail address".to_owned(),
            Meaning::Phone => "a phone number".to_owned(),
            Meaning::Time => "a time".to_owned(),
            Meaning::Name => "a name".to_owned(),
            Meaning::Word => "one of a few words".to_owned(),
            Meaning::Id(id) => {
                format!("the id of {} of `{}`", with_article(&id.shown), id.connector.connector)
            }
        }
    }

    /// Whether it is what is `wanted`.
    pub(super) fn is_one_of(&self, wanted: &Meaning<'_>) -> bool {
        match (self, wanted) {
            (Meaning::Id(id), Meaning::Id(wanted)) => {
                id.connector.connector == wanted.connector.connector && id.names.meet(&wanted.names)
            }
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }

    /// Whether a value that is `self` is certainly none that is `wanted`.
    pub(super) fn is_never(&self, wanted: &Meaning<'_>) -> bool {
        match (self, wanted) {
            (Meaning::Id(id), Meaning::Id(wanted)) => id.is_never(wanted),
            (one, other) => std::mem::discriminant(one) != std::mem::discriminant(other),
        }
    }
}

impl RecordId<'_> {
    /// Whether they are of different kinds of records. Of one app, one of them must be a kind that the connector
    /// describes as such; of another app, the given one, because connectors may describe parts of the same app.
    fn is_never(&self, wanted: &RecordId<'_>) -> bool {
        let is_described =
            |id: &RecordId<'_>| id.connector.records.keys().any(|kind| id.names.includes(&singular(kind)));
        let is_known = is_described(self)
            || self.connector.connector == wanted.connector.connector && is_described(wanted);
        is_known && !self.names.meet(&wanted.names)
    }
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// What an input of an operation takes.
pub(super) fn of_input<'a>(
    context: &'a Context<'_>,
    operation: &'a Operation,
    input: &Input<'_>,
) -> Option<Meaning<'a>> {
    if let Some(plain) = plain(input.name, Some(input.shape)) {
        return Some(plain).filter(|plain| !matches!(plain, Meaning::Name | Meaning::Word));
    }
    if !matches!(input.shape.kind, Kind::String | Kind::Any) || !input.shape.any_of.is_empty() {
        return None;
    }
    let connector = context.connector_of(operation)?.as_ref();
    let named = id_prefix(input.name);
    if input.place == Some(Place::Path) {
        let own = before(&operation.path, input.name)?;
        let mut names = ResourceNames::of([own.as_str()]);
        named.iter().for_each(|kind| names.extend(ResourceNames::of([kind.as_str()])));
        if named.is_none() && input.name != "id" {
            return None;
        }
        if operation.path.trim_end_matches('/').ends_with(&format!("{{{}}}", input.name)) {
            names.extend(operation.resource_names());
        }
        return id(connector, names, named.unwrap_or(own));
    }
    of_kind(connector, named?)
}

/// What the values of a template may be, each with its path.
pub(super) fn of_template<'a>(
    context: &'a Context<'_>,
    site: &TemplateSite<'_>,
) -> Vec<(ValuePath, Meaning<'a>)> {
    of_paths(context, site, site.template.value_paths())
}

/// What is known of these paths of a template, each with its path.
pub(super) fn of_paths<'a>(
    context: &'a Context<'_>,
    site: &TemplateSite<'_>,
    paths: Vec<ValuePath>,
) -> Vec<(ValuePath, Meaning<'a>)> {
    let known = paths.into_iter().flat_map(|path| {
        let meanings = of_path(context, &site.position, &path.root, &path.steps, 0).into_iter();
        meanings.map(move |meaning| (path.clone(), meaning))
    });
    known.collect()
}

/// What the value at a path may be.
pub(super) fn of_path<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
    depth: usize,
) -> Vec<Meaning<'a>> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    if let ("vars", [PathStep::Field(name), rest @ ..]) = (root, steps) {
        let Some((index, _, value)) = context.recipe.vars.get_full(name.as_str()) else { return Vec::new() };
        let Some(template) = value.as_template() else { return Vec::new() };
        return of_parts(context, &Position::Variable(index), template, rest, depth + 1);
    }
    if let Position::Step { action, .. } = position
        && let Some(list) = &action.for_each
        && root == action.item_name
    {
        let rest: Vec<PathStep> = [PathStep::Item].into_iter().chain(steps.iter().cloned()).collect();
        return of_parts(context, position, list, &rest, depth + 1);
    }
    of_field(context, position, root, steps).into_iter().collect()
}

/// What is at `rest` below the values of a template.
fn of_parts<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    template: &LocatedTemplate,
    rest: &[PathStep],
    depth: usize,
) -> Vec<Meaning<'a>> {
    let paths = template.value_paths().into_iter();
    let known = paths.flat_map(|path| {
        let steps: Vec<PathStep> = path.steps.iter().chain(rest).cloned().collect();
        of_path(context, position, &path.root, &steps, depth)
    });
    known.collect()
}

/// What a field of the event or of a result is.
fn of_field<'a>(
    context: &'a Context<'_>,
    position: &Position<'_>,
    root: &str,
    steps: &[PathStep],
) -> Option<Meaning<'a>> {
    let name = steps.last()?.field()?;
    let (connector, names) = record(context, root, steps)?;
    let shape = path_shape(context, position, root, steps).and_then(|known| known.shape());
    if shape.is_some_and(|shape| !matches!(shape.kind, Kind::String | Kind::Any) || !shape.any_of.is_empty())
    {
        return None;
    }
    let is_own = matches!((root, steps), ("event", [_]) | ("steps", [_, PathStep::Item, _] | [_, _]));
    if let Some(plain) = plain(name, shape).filter(|_| shape.is_some() || is_own) {
        return Some(plain);
    }
    match name {
        "id" if is_own => {
            let names = names?;
            let shown = names.any()?.to_owned();
            id(connector, names, shown)
        }
        _ => of_kind(connector, id_prefix(name)?),
    }
}

/// The connector of the record that a path leads into, and the kind of record if it begins with one.
fn record<'a>(
    context: &'a Context<'_>,
    root: &str,
    steps: &[PathStep],
) -> Option<(&'a Connector, Option<ResourceNames>)> {
    match (root, steps) {
        ("steps", [PathStep::Field(step), ..]) => {
            let action = context.recipe.all_actions().find(|action| action.id == *step)?;
            let operation = context.operation(action)?;
            let names = action.pick.is_none().then(|| operation.resource_names());
            Some((context.connector_of(operation)?.as_ref(), names.filter(|_| operation.builtin.is_none())))
        }
        ("event", _) => match &context.recipe.trigger {
            Trigger::Poll(poll) => {
                let operation = context.poller(poll)?;
                Some((context.connector_of(operation)?.as_ref(), Some(operation.resource_names())))
            }
            Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
                let app = context.catalog.connector(connector)?.as_ref();
                let mut names = ResourceNames::default();
                types.iter().for_each(|name| names.extend(ResourceNames::from_event(name.as_str())));
                let is_flat = types
                    .iter()
                    .all(|name| app.events.get(name.as_str()).is_some_and(|event| event.record == "$"));
                Some((app, Some(names).filter(|_| is_flat)))
            }
            _ => None,
        },
        _ => None,
    }
}

/// What is told by name and format alone.
fn plain<'a>(name: &str, shape: Option<&Shape>) -> Option<Meaning<'a>> {
    let is_text =
        shape.is_none_or(|shape| matches!(shape.kind, Kind::String | Kind::Any) && shape.any_of.is_empty());
    let name = name.to_ascii_lowercase().replace('_', "");
    match shape.and_then(|shape| shape.format.as_deref()) {
        _ if !is_text => None,
        _ if shape.is_some_and(|shape| !shape.values.is_empty()) => Some(Meaning::Word),
        Some("email") => Some(Meaning::Email),
        Some("date-time" | "date") => Some(Meaning::Time),
        Some(_) => None,
        None if name == "email" => Some(Meaning::Email),
        None if name == "phone" => Some(Meaning::Phone),
        None if NAMES.contains(&name.as_str()) => Some(Meaning::Name),
        None => None,
    }
}

/// `contact` of `contactId` and `contact_id`.
fn id_prefix(name: &str) -> Option<String> {
    let prefix = name.strip_suffix("Id").or_else(|| name.strip_suffix("_id"))?;
    Some(singular(prefix)).filter(|prefix| !prefix.is_empty())
}

/// The id of a record that the connector describes under this name.
fn of_kind(connector: &Connector, kind: String) -> Option<Meaning<'_>> {
    let is_described = connector.records.contains_key(&kind);
    id(connector, ResourceNames::of([kind.as_str()]), kind).filter(|_| is_described)
}

fn id(connector: &Connector, names: ResourceNames, shown: String) -> Option<Meaning<'_>> {
    let is_generic = GENERIC.iter().any(|name| names.includes(name));
    if is_generic || names.is_empty() {
        return None;
    }
    let shown = connector.records.keys().find(|kind| names.includes(kind)).cloned().unwrap_or(shown);
    Some(Meaning::Id(RecordId { connector, names, shown }))
}

/// The part of a path before a parameter, in the singular: `contact` of `/contacts/{contactId}`.
fn before(path: &str, parameter: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.iter().position(|part| part.trim_matches(['{', '}']) == parameter)?;
    let own = parts.get(at.checked_sub(1)?)?;
    (!own.is_empty() && !own.starts_with('{')).then(|| singular(own))
}
