//! Random triggers, each with the shape of its events.

use hob::catalog::{Catalog, EventType, Operation, Place};
use hob::sandbox::Sandbox;
use hob::value::{Kind, Shape};
use serde_json::{Value, json};

use crate::random::Random;

/// A trigger, and what its events are.
pub struct Trigger {
    pub yaml: Value,
    pub kind: &'static str,
    /// The shape of the payload; `None` where nothing declares it.
    pub event: Option<Shape>,
    /// The shape of what comes in, where it is another one: the record is read first.
    pub body: Option<Shape>,
    /// Values that the payload has to have, so that the record is there: pointer and value.
    pub ids: Vec<(String, Value)>,
    /// The kind of the event, where the payload does not show it.
    pub event_kind: Option<String>,
}

impl Trigger {
    pub fn random(random: &mut Random, catalog: &Catalog, sandbox: &Sandbox) -> Self {
        match random.below(100) {
            0..48 => Self::poll(random, catalog, sandbox),
            48..88 => Self::webhook(random, catalog, sandbox),
            88..92 => Self::plain("path", json!({ "webhook": "/soundness", "verify": "none", "id": "$.id" })),
            92..96 => Self::plain(
                "schedule",
                json!({ "schedule": { "cron": "0 9 * * 1", "timezone": "Europe/London" } }),
            ),
            _ => Self::plain("manual", json!({ "manual": {} })),
        }
    }

    fn plain(kind: &'static str, yaml: Value) -> Self {
        Self { yaml, kind, event: None, body: None, ids: Vec::new(), event_kind: None }
    }

    fn poll(random: &mut Random, catalog: &Catalog, sandbox: &Sandbox) -> Self {
        let pollers: Vec<&Operation> = catalog
            .operations()
            .map(AsRef::as_ref)
            .filter(|operation| operation.is_poller() && operation.composite.is_empty())
            .filter(|operation| operation.item_shape().is_some_and(|item| item.kind == Kind::Object))
            .collect();
        let poller = *random.one(&pollers);
        let mut yaml = json!({ "poll": poller.id, "every": "5m" });
        let example = sandbox.example(&poller.id).unwrap_or_default();
        let is_needed = |name: &String| {
            poller.input(name).is_some_and(|input| input.shape.required || input.place == Some(Place::Path))
                || poller.one_of.contains(name)
        };
        let with: serde_json::Map<_, _> = example.into_iter().filter(|(name, _)| is_needed(name)).collect();
        if !with.is_empty() {
            yaml["with"] = Value::Object(with);
        }
        let parents = over(poller, catalog).filter(|_| random.percent(60));
        if let Some((input, parents)) = &parents {
            yaml["over"] = json!(parents.id);
            yaml["with"][input.as_str()] = json!("{{ parent.id }}");
        }
        let mut kind = "new";
        if random.percent(30) {
            yaml["emit"] = json!(["new", "changed"]);
            kind = *random.one(&["new", "changed"]);
        }
        let mut event = poller.item_shape().cloned().unwrap_or_default();
        let before = Shape { nullable: true, ..event.clone() };
        event.fields.entry("changed".into()).or_insert(Shape::list(Shape::new(Kind::String)));
        event.fields.entry("before".into()).or_insert(before);
        let named = if parents.is_some() { "over" } else { "poll" };
        if let Some((_, parents)) = parents {
            event.fields.insert("parent".into(), parents.item_shape().cloned().unwrap_or_default());
        }
        Self { event: Some(event), event_kind: Some(kind.to_owned()), ..Self::plain(named, yaml) }
    }

    fn webhook(random: &mut Random, catalog: &Catalog, sandbox: &Sandbox) -> Self {
        let mut events: Vec<(String, &EventType)> = Vec::new();
        for connector in catalog.connectors() {
            let named = connector.events.iter();
            events.extend(named.map(|(name, event)| (format!("{}.{name}", connector.connector), event)));
        }
        let (name, event) = random.one(&events).clone();
        let mut yaml = json!({ "webhook": name });
        // Another event of the same record: what comes in is one of both.
        let alike: Vec<_> = events
            .iter()
            .filter(|(other, alike)| {
                let same = |event: &EventType| event.hydrate.as_ref().map(|read| read.operation.clone());
                *other != name && alike.record == event.record && same(alike) == same(event)
            })
            .collect();
        let other = random.pick(&alike).copied().filter(|_| random.percent(35));
        if let Some((other, _)) = other {
            yaml["webhook"] = json!([name, other]);
        }
        let read = event.hydrate.as_ref().and_then(|hydrate| catalog.operation(&hydrate.operation));
        let kind = name.split_once('.').map(|(_, kind)| kind.to_owned());
        if let Some(read) = read
            && random.percent(25)
            && let Some(whole) = read.result_shape().filter(|shape| shape.kind == Kind::Object)
        {
            yaml["hydrate"] = json!(true);
            let record = Shape { nullable: false, ..whole.clone() };
            let mut whole = Shape::new(Kind::Object);
            match event.record.strip_prefix("$.") {
                Some(place) => drop(whole.fields.insert(place.to_owned(), record)),
                None => whole = record,
            }
            let whole = Some(whole);
            let example = sandbox.example(&read.id).unwrap_or_default();
            // Some records are gone when they are to be read.
            let gone = random.percent(12);
            // What the connection fills in is not in the example.
            let account = sandbox.settings("highlevel").get("location").cloned().unwrap_or_default();
            let given = example.values().cloned().chain([Value::from(account)]);
            let given = given.map(|value| if gone { json!("gone") } else { value });
            let id = event.id.iter().zip(given);
            let ids = id.map(|(path, value)| (path.replace('$', "").replace('.', "/"), value)).collect();
            let body = Some(body(event, Some(read)));
            return Self { event: whole, body, ids, event_kind: kind, ..Self::plain("hydrated", yaml) };
        }
        let read = read.map(AsRef::as_ref);
        let arrives = body(event, read);
        let Some((_, other)) = other else {
            return Self { event: Some(arrives), event_kind: kind, ..Self::plain("webhook", yaml) };
        };
        let either = either(&arrives, &body(other, read));
        Self { event: Some(either), body: Some(arrives), event_kind: kind, ..Self::plain("several", yaml) }
    }
}

/// The body of a webhook. Only the names of its fields are declared; each is what the read of the record declares.
fn body(event: &EventType, read: Option<&Operation>) -> Shape {
    let whole = read.and_then(Operation::result_shape);
    let mut record = Shape::new(Kind::Object);
    for name in &event.fields {
        let declared = whole.and_then(|whole| whole.fields.get(name)).cloned();
        let mut shape = declared.unwrap_or_else(|| Shape::new(Kind::String));
        shape.nullable = event.optional.contains(name);
        record.fields.insert(name.clone(), shape);
    }
    let mut body = Shape::new(Kind::Object);
    match event.record.strip_prefix("$.") {
        Some(place) => drop(body.fields.insert(place.to_owned(), record)),
        None => body = record,
    }
    if let Some(kind) = event.types.first() {
        let word = Shape { values: vec![kind.as_str().into()], ..Shape::new(Kind::String) };
        body.fields.insert("type".to_owned(), word);
    }
    body
}

/// What is declared of an event that is one of two: fields of only one of them may be missing.
fn either(one: &Shape, other: &Shape) -> Shape {
    let mut either = one.clone();
    for (name, field) in &other.fields {
        let added = Shape { nullable: true, ..field.clone() };
        match either.fields.get_mut(name) {
            Some(known) if !known.fields.is_empty() => *known = self::either(known, field),
            Some(known) => known.nullable |= field.nullable,
            None => drop(either.fields.insert(name.clone(), added)),
        }
    }
    for (name, field) in &mut either.fields {
        field.nullable |= !other.fields.contains_key(name);
    }
    // Which of both it is: not declared as one word.
    if let Some(kind) = either.fields.get_mut("type") {
        kind.values.clear();
    }
    either
}

/// The input of a list that names what its records belong to, and the list of these.
fn over<'c>(poller: &Operation, catalog: &'c Catalog) -> Option<(String, &'c Operation)> {
    let lists = [("contactId", "contacts.search"), ("conversationId", "conversations.search")];
    let names_parent = |name: &str| poller.input(name).is_some_and(|input| input.place == Some(Place::Path));
    let (input, parents) = lists.into_iter().find(|(input, _)| names_parent(input))?;
    Some((input.to_owned(), catalog.operation(parents)?.as_ref()))
}
