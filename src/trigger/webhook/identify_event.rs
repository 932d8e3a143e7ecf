//! Identifies which of an app's events a body is.

use serde_json::Value;

use crate::catalog::{Connector, EventType, Webhooks, path};
use crate::event::EventKind;

/// The event that a body was identified as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifiedEvent<'a> {
    /// The events that it may be: one, several that look alike, or none that the catalog knows.
    pub events: Vec<(&'a str, &'a EventType)>,
    /// Value of the body's type field.
    pub stated: Option<String>,
}

impl IdentifiedEvent<'_> {
    /// The kind of the stored event: the event's name, the names of all candidates, or the type that the body itself
    /// states.
    pub fn kind(&self) -> EventKind {
        match (&self.events[..], &self.stated) {
            ([], Some(stated)) => stated.as_str().into(),
            ([], None) => "unknown".into(),
            (events, _) => EventKind::one_of(events.iter().map(|(name, _)| *name)),
        }
    }
}

/// Identifies the events of `app` that the body may be: by its type, otherwise by its fields. A type field whose value
/// no event has is treated as data, for example the kind of a price.
pub fn identify_event<'a>(app: &'a Connector, webhooks: &Webhooks, body: &Value) -> IdentifiedEvent<'a> {
    let stated = path::read(body, &webhooks.r#type).and_then(|value| value.as_str().map(str::to_owned));
    let typed = stated.as_ref().map_or(vec![], |stated| {
        let claims = |(name, event): &(&String, &EventType)| event.types.contains(stated) || *name == stated;
        events(app).filter(claims).collect()
    });
    let found = if typed.is_empty() { by_fields(app, body) } else { typed };
    IdentifiedEvent {
        events: found.into_iter().map(|(name, event)| (name.as_str(), event)).collect(),
        stated,
    }
}

fn events(app: &Connector) -> impl Iterator<Item = (&String, &EventType)> {
    app.events.iter()
}

/// Events whose characteristic fields are all present. Those that also match by a value are preferred to those that
/// match only by fields.
fn by_fields<'a>(app: &'a Connector, body: &Value) -> Vec<(&'a String, &'a EventType)> {
    let fits = |event: &EventType| {
        !(event.signs.is_empty() && event.values.is_empty())
            && event.signs.iter().all(|sign| path::read(body, sign).is_some())
            && has_values(event, body)
    };
    let found: Vec<_> = events(app).filter(|(_, event)| fits(event)).collect();
    let telling: Vec<_> = found.iter().copied().filter(|(_, event)| !event.values.is_empty()).collect();
    if telling.is_empty() { found } else { telling }
}

fn has_values(event: &EventType, body: &Value) -> bool {
    event.values.iter().all(|(path, expected)| {
        path::read(body, path).is_some_and(|value| match &value {
            Value::String(text) => text == expected,
            other => expected.parse::<Value>().is_ok_and(|expected| *other == expected),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn app() -> Connector {
        let mut app: Connector = serde_yaml::from_str(
            "{ connector: x, title: X, about: X, webhooks: { type: $.type, id: $.webhookId } }",
        )
        .unwrap();
        app.events = serde_yaml::from_str(
            "
            ContactUpdate: { title: t, types: [ContactUpdate], id: [$.id] }
            Unread: { title: t, types: [UnreadUpdate], id: [$.id] }
            Channel: { title: t, types: [SMS, Email], id: [$.messageId] }
            PriceCreate: { title: t, types: [PriceCreate], signs: [$._id, $.product], id: [$._id] }
            PriceDelete: { title: t, types: [PriceDelete], signs: [$._id, $.product], id: [$._id] }
            Sent: { title: t, signs: [$.number], values: { $.status: sent }, id: [$._id] }
            Made: { title: t, signs: [$.number], id: [$._id] }
            ",
        )
        .unwrap();
        app
    }

    fn kind(body: Value) -> String {
        let app = app();
        identify_event(&app, app.webhooks.as_ref().unwrap(), &body).kind().to_string()
    }

    #[test]
    fn by_type_by_name_and_by_fields() {
        assert_eq!(kind(json!({ "type": "ContactUpdate" })), "ContactUpdate");
        assert_eq!(kind(json!({ "type": "UnreadUpdate" })), "Unread");
        assert_eq!(kind(json!({ "type": "Unread" })), "Unread");
        assert_eq!(kind(json!({ "type": "Email" })), "Channel");
        let price = json!({ "_id": "p", "product": "q", "type": "one_time" });
        assert_eq!(kind(price), "PriceCreate|PriceDelete", "its type is the kind of price");
        assert_eq!(kind(json!({ "_id": "p", "product": "q", "type": "PriceDelete" })), "PriceDelete");
        assert_eq!(kind(json!({ "number": 1, "status": "sent" })), "Sent");
        assert_eq!(kind(json!({ "number": 1, "status": "draft" })), "Made");
        assert_eq!(kind(json!({ "type": "Sent", "status": "paid" })), "Sent", "its own word counts more");
    }

    #[test]
    fn unknown_events_keep_their_stated_type() {
        assert_eq!(kind(json!({ "type": "BusinessCreate" })), "BusinessCreate");
        assert_eq!(kind(json!({ "type": 7 })), "unknown");
    }
}
