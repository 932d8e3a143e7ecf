//! Shapes of the names that hob provides to templates: `run`, `error`, `connection`.

use std::sync::LazyLock;

use super::accounts;
use crate::catalog::{Catalog, EventType, Operation};
use crate::recipe::Recipe;
use crate::value::{Kind, Shape, Value};

static RUN: LazyLock<Shape> = LazyLock::new(|| {
    let event = ["id", "kind", "record", "received", "source", "connection"];
    let mut run = texts(&["id", "recipe", "created"]);
    run.fields.insert("event".into(), texts(&event));
    let time = || Shape { format: Some("date-time".into()), ..Shape::new(Kind::String) };
    run.fields.insert("created".into(), time());
    if let Some(event) = run.fields.get_mut("event") {
        event.fields.insert("received".into(), time());
    }
    for steps in ["more", "found"] {
        let names = Shape { items: Some(Box::new(Shape::new(Kind::String))), ..Shape::new(Kind::Array) };
        run.fields.insert(steps.into(), names);
    }
    run
});

static ERROR: LazyLock<Shape> = LazyLock::new(|| {
    let mut error = texts(&["message", "help", "step"]);
    for number in ["status", "item"] {
        error.fields.insert(number.into(), Shape::new(Kind::Integer));
    }
    error.fields.insert("parked".into(), Shape::new(Kind::Boolean));
    error
});

static MAPPING: LazyLock<Shape> = LazyLock::new(|| Shape::new(Kind::Object));

static TEXT: LazyLock<Shape> = LazyLock::new(|| Shape::new(Kind::String));

/// Text.
pub(super) fn text() -> &'static Shape {
    &TEXT
}

/// A mapping of which nothing else is known.
pub(super) fn mapping() -> &'static Shape {
    &MAPPING
}

/// `run`: the run and its event.
pub(super) fn run() -> &'static Shape {
    &RUN
}

/// `event` of a poll: the item, with what changed of it and as it was before; `None` where nothing is known of it.
/// `read` fetches the whole record, and `parents` lists what the item belongs to.
pub(super) fn event(
    poller: &Operation,
    read: Option<&Operation>,
    parents: Option<&Operation>,
) -> Option<Shape> {
    let is_known = |item: &&Shape| item.kind == Kind::Object && !item.fields.is_empty();
    let mut event = poller.item_shape().filter(is_known)?.clone();
    if let Some(read) = read {
        event.fields.extend(read.item_shape().filter(is_known)?.fields.clone());
    }
    let before = Shape { nullable: true, ..event.clone() };
    let names = Shape { values: field_names(&event), ..Shape::new(Kind::String) };
    let changed = Shape { items: Some(Box::new(names)), ..Shape::new(Kind::Array) };
    event.fields.entry("changed".into()).or_insert(changed);
    event.fields.entry("before".into()).or_insert(before);
    if let Some(parents) = parents {
        let parent = parents.item_shape().cloned().unwrap_or_else(|| Shape::new(Kind::Any));
        event.fields.insert("parent".into(), parent);
    }
    Some(event)
}

/// Names of the fields of records of this shape, those below mappings with dots.
fn field_names(record: &Shape) -> Vec<Value> {
    let names = record.fields.iter().flat_map(|(name, field)| {
        let below = field_names(field).into_iter();
        let below = below.filter_map(move |field| Some(Value::from(format!("{name}.{}", field.as_str()?))));
        std::iter::once(Value::from(name.as_str())).chain(below)
    });
    names.collect()
}

/// `event` of a webhook: of what is documented, what may be missing, or is there in some of these events only; anything
/// else is unknown.
pub(super) fn webhook_event(events: &[&EventType]) -> Shape {
    let mut event = Shape { open: true, ..Shape::new(Kind::Object) };
    let are_documented = events.iter().all(|event| !event.fields.is_empty());
    let elsewhere = |name: &&String| {
        are_documented && !events.iter().all(|event| event.fields.iter().any(|known| known == *name))
    };
    let optional = events.iter().flat_map(|event| &event.optional);
    let sometimes = events.iter().flat_map(|event| event.fields.iter().filter(elsewhere));
    for name in optional.chain(sometimes) {
        event.fields.insert(name.clone(), Shape { nullable: true, ..Shape::new(Kind::Any) });
    }
    event
}

/// `event` of a webhook whose record is read first; `None` where not all are read by one operation.
pub(super) fn hydrated_event(events: &[&EventType], catalog: &Catalog) -> Option<Shape> {
    let read = |event: &EventType| Some((event.hydrate.as_ref()?.operation.clone(), event.record.clone()));
    let (operation, place) = read(events.first()?)?;
    if events.iter().any(|event| read(event).as_ref() != Some(&(operation.clone(), place.clone()))) {
        return None;
    }
    let record = catalog.operation(&operation)?.result_shape()?;
    if record.kind != Kind::Object || !record.any_of.is_empty() || record.doubtful {
        return None;
    }
    // It is laid over what came in, which may have other fields.
    let record = Shape { open: true, nullable: false, ..record.clone() };
    let mut event = Shape { open: true, ..Shape::new(Kind::Object) };
    match place.strip_prefix("$.") {
        Some(name) if !name.contains(['.', '[']) => drop(event.fields.insert(name.to_owned(), record)),
        Some(_) => return None,
        None => event = record,
    }
    Some(event)
}

/// Whether an event may come without what the read of its record needs: it is then left as it came in.
pub(super) fn may_stay_unread(events: &[&EventType]) -> bool {
    events.iter().any(|event| {
        let read = event.hydrate.iter().flat_map(|read| read.with.values());
        let mut needed = read.flat_map(|value| value.names()).filter_map(|path| path.0.rsplit('.').next());
        needed.any(|name| event.optional.iter().any(|optional| optional == name))
    })
}

/// The same where the record could not be read: what came in has only some of its fields.
pub(super) fn unread_event(events: &[&EventType], hydrated: &Shape) -> Shape {
    let comes_in = |name: &str| {
        events.iter().all(|event| {
            let named = |names: &[String]| names.iter().any(|known| known == name);
            let is_id = matches!(event.id.as_slice(), [id] if id.rsplit('.').next() == Some(name));
            is_id || named(&event.fields) && !named(&event.optional)
        })
    };
    let mut event = hydrated.clone();
    let place = events.first().and_then(|event| event.record.strip_prefix("$."));
    let record = match place {
        Some(name) => event.fields.get_mut(name),
        None => Some(&mut event),
    };
    for (name, field) in record.into_iter().flat_map(|record| &mut record.fields) {
        field.nullable |= !comes_in(name);
    }
    event
}

/// The same of a poll: the record of the list has only some fields of the whole one.
pub(super) fn unread_item(poller: &Operation, event: &Shape) -> Shape {
    let mut event = event.clone();
    let listed = |name: &str| poller.item_shape().is_some_and(|item| item.fields.contains_key(name));
    for (name, field) in &mut event.fields {
        field.nullable |= !listed(name) && !["changed", "parent"].contains(&name.as_str());
    }
    event
}

/// `error`: the failure that triggered `on_failure`.
pub(super) fn error() -> &'static Shape {
    &ERROR
}

/// `connection`: name and settings of the connection, for each connector that the recipe uses.
pub(super) fn connection(recipe: &Recipe, catalog: &Catalog) -> Shape {
    let mut all = texts(&[]);
    for name in accounts::connectors(recipe, catalog) {
        let Some(connector) = catalog.connector(name) else { continue };
        let mut one = texts(&["name"]);
        one.fields.extend(connector.settings.keys().map(|name| (name.clone(), Shape::new(Kind::String))));
        all.fields.insert(name.to_owned(), one);
    }
    all
}

fn texts(names: &[&str]) -> Shape {
    let fields = names.iter().map(|name| ((*name).to_owned(), Shape::new(Kind::String))).collect();
    Shape { fields, ..Shape::new(Kind::Object) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_sure_to_be_read_only_where_it_always_has_what_the_read_needs() {
        let catalog = Catalog::built_in();
        let app = catalog.connector("highlevel").unwrap();
        let event = |name: &str| app.events.get(name).unwrap();
        assert!(may_stay_unread(&[event("TaskComplete")]), "it may come without its contact");
        assert!(!may_stay_unread(&[event("ContactCreate")]));
        assert!(may_stay_unread(&[event("ContactCreate"), event("TaskComplete")]));
    }
}
