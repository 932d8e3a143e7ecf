//! Fields that events have.

use super::Rule;
use super::foreign_name::WRAPPERS;
use super::result_field::as_filter;
use crate::catalog::{Connector, EventType};
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic, Suggestion, closest};
use crate::recipe::{Trigger, Webhook};
use crate::template::{PathStep, Use};

/// Shorter names are too close to too many others.
const MIN_LENGTH: usize = 3;

/// Fields of events that their documentation may omit.
const ALWAYS: [&str; 9] = [
    "type",
    "locationId",
    "companyId",
    "webhookId",
    "timestamp",
    "dateAdded",
    "dateUpdated",
    "changed",
    "before",
];

/// Properties of values in other languages, which are filters here and no usual names of fields.
const PROPERTIES: [&str; 8] =
    ["length", "size", "count", "toLowerCase", "toUpperCase", "lower", "upper", "trim"];

/// Warns of likely misspelt fields of a webhook's event. The documentation of events is too incomplete for errors.
pub struct EventFields;

impl Rule for EventFields {
    fn summary(&self) -> &'static str {
        "Fields read from a webhook's event are not misspelt, as far as the documentation names them."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Webhook(Webhook::Events { connector, types, hydrate: false, .. }) =
            &context.recipe.trigger
        else {
            return;
        };
        let Some(app) = context.catalog.connector(connector) else { return };
        let events: Option<Vec<&EventType>> =
            types.iter().map(|name| app.events.get(name.as_str())).collect();
        let Some(events) = events.filter(|events| events.iter().all(|event| !event.fields.is_empty())) else {
            return;
        };
        for site in &context.sites {
            for used in site.template.uses() {
                let Use::Path { root, steps, guarded: false, range } = used else { continue };
                if root != "event" {
                    continue;
                }
                if let Some((message, help)) = foreign(&events, steps) {
                    let place = site.template.place(range.clone());
                    found.push(Diagnostic::new(Code::Suspicious, place, message).help(help));
                } else if let Some(inside) = outside(&events, steps) {
                    let name = steps.first().and_then(PathStep::field).unwrap_or_default();
                    let place = site.template.place(range.clone());
                    let message = format!("the event has no documented field `{name}`; its record has");
                    let help = format!("write `{inside}`");
                    found.push(Diagnostic::new(Code::Suspicious, place, message).help(help));
                } else if let Some((name, near)) = misspelt(&events, steps) {
                    let message = format!("events of this kind have no documented field `{name}`");
                    let place = site.template.place(range.clone());
                    found.push(Diagnostic::new(Code::Suspicious, place, message).meant(name, &near));
                } else if let Some((name, other)) = elsewhere(app, &events, steps) {
                    let message = format!("events of this kind have no documented field `{name}`");
                    let place = site.template.place(range.clone());
                    let help = format!(
                        "`{other}` has it; if it is sometimes there all the same, add `| default(none)`"
                    );
                    found.push(Diagnostic::new(Code::Suspicious, place, message).help(help));
                }
            }
        }
    }
}

/// What is written for another tool: a body around the event, or a property that is a filter here.
fn foreign(events: &[&EventType], steps: &[PathStep]) -> Option<(String, String)> {
    let names: Vec<&str> = steps.iter().map_while(PathStep::field).collect();
    let documents = |name: &str| {
        ALWAYS.contains(&name)
            || events.iter().any(|event| {
                let mut ids = event.id.iter().filter_map(|path| path.rsplit('.').next());
                event.fields.iter().any(|field| field == name) || ids.any(|id| id == name)
            })
    };
    let is_record =
        |name: &str| events.iter().any(|event| event.record.split('.').skip(1).any(|part| part == name));
    match names.as_slice() {
        [wrapper, field, ..]
            if WRAPPERS.contains(wrapper)
                && !documents(wrapper)
                && !is_record(wrapper)
                && documents(field) =>
        {
            let message = format!("the event has no `{wrapper}` around it");
            Some((message, format!("write `event.{}`", names[1..].join("."))))
        }
        [field, property] if documents(field) && PROPERTIES.contains(property) => {
            let filter = as_filter(property)?;
            let message = format!("`event.{field}` has no field `{property}`");
            Some((message, format!("`{filter}` is a filter: write `event.{field} | {filter}`")))
        }
        _ => None,
    }
}

/// Fields that what is around a record may have of its own.
const AROUND: [&str; 6] = ["id", "event", "created_at", "updated_at", "createdAt", "updatedAt"];

/// The path of a field that was taken from what is around the record: `event.email` of events that have it in `data`.
fn outside(events: &[&EventType], steps: &[PathStep]) -> Option<String> {
    let name = steps.first()?.field()?;
    let is_around = ALWAYS.contains(&name) || AROUND.contains(&name);
    let record = events.first()?.record.strip_prefix("$.")?;
    let has = |event: &&EventType| {
        let at = event.record.strip_prefix("$.");
        at == Some(record)
            && record.split('.').next() != Some(name)
            && event.fields.iter().any(|field| field == name)
    };
    let rest: Vec<&str> = steps.iter().map_while(PathStep::field).collect();
    (!is_around && events.iter().all(has)).then(|| format!("event.{record}.{}", rest.join(".")))
}

/// A field of the record that none of these events documents, and another event that does.
fn elsewhere<'s>(
    app: &'s Connector,
    events: &[&EventType],
    steps: &'s [PathStep],
) -> Option<(&'s str, &'s str)> {
    let mut found = None;
    for event in events {
        let name = undocumented(event, steps)?;
        let mut others = app.events.iter();
        let other = others.find(|(_, other)| {
            other.record == event.record && other.fields.iter().any(|field| field == name)
        });
        found = Some((name, other?.0.as_str()));
    }
    found
}

/// A field of the record that this event does not document.
fn undocumented<'s>(event: &EventType, steps: &'s [PathStep]) -> Option<&'s str> {
    let record: Vec<&str> = event.record.split('.').skip(1).collect();
    let inside = record.iter().zip(steps).all(|(name, step)| *step == PathStep::Field((*name).into()));
    let name = steps.get(record.len()).filter(|_| inside)?.field()?;
    (!documented(event).any(|field| field == name)).then_some(name)
}

/// The fields of an event's record that may be expected.
fn documented(event: &EventType) -> impl Iterator<Item = &str> {
    let ids = event.id.iter().filter_map(|path| path.rsplit('.').next());
    event.fields.iter().map(String::as_str).chain(ids).chain(ALWAYS)
}

/// A field of the record that no event documents, and the likely intended one.
fn misspelt<'s>(events: &[&EventType], steps: &'s [PathStep]) -> Option<(&'s str, Suggestion)> {
    let mut found = None;
    for event in events {
        let name = undocumented(event, steps).filter(|name| name.len() >= MIN_LENGTH)?;
        found = found.or_else(|| closest(name, documented(event)).map(|near| (name, near)));
    }
    found
}
