//! Finds the connections of an app that an event belongs to.

use serde_json::Value;

use super::identify_event::IdentifiedEvent;
use crate::catalog::{Webhooks, path};
use crate::connection::Connection;

/// The owner of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// These connections.
    Connections(Vec<String>),
    /// An account that has no connection; the text names it.
    UnknownAccount(String),
    /// Unknown: the body names no account, or no connection can be compared with it.
    Unknown,
}

/// Compares the account in the body with the settings of `connections`, which belong to the app.
pub fn owner<'c>(
    webhooks: &Webhooks,
    recognised: &IdentifiedEvent<'_>,
    body: &Value,
    connections: impl Iterator<Item = &'c Connection> + Clone,
) -> Owner {
    for (setting, paths) in &webhooks.route {
        if !connections.clone().any(|connection| connection.settings.contains_key(setting)) {
            continue;
        }
        for (index, path) in paths.iter().enumerate() {
            let Some(value) = path::read(body, path).and_then(|value| value.as_str().map(str::to_owned))
            else {
                continue;
            };
            let fits = |connection: &&Connection| connection.settings.get(setting) == Some(&value);
            let names: Vec<String> = connections.clone().filter(fits).map(|c| c.name.clone()).collect();
            if !names.is_empty() {
                return Owner::Connections(names);
            }
            // In an event about the account itself, a record's id holds the account's id. The first path always holds
            // the account's id.
            let is_record = recognised.events.is_empty()
                || recognised.events.iter().any(|(_, event)| event.id.contains(path));
            if index == 0 || !is_record {
                return Owner::UnknownAccount(format!("no connection has {setting} `{value}`"));
            }
        }
    }
    Owner::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::catalog::Connector;
    use crate::connection::Setup;
    use crate::trigger::webhook::identify_event::identify_event;
    use serde_json::json;

    fn app() -> Arc<Connector> {
        let mut app: Connector = serde_yaml::from_str(
            "{ connector: x, title: X, about: X, base_url: 'http://localhost', webhooks: { type: $.type, \
             route: { location: [$.locationId, $.altId, $.id], company: [$.companyId] } } }",
        )
        .unwrap();
        app.events = serde_yaml::from_str(
            "{ UserCreate: { title: t, types: [UserCreate], id: [$.id] }, Place: { title: t, types: [Place], id: [$.id] } }",
        )
        .unwrap();
        Arc::new(app)
    }

    fn from_body(body: Value) -> Owner {
        let app = app();
        let make = |name: &str, location: &str| {
            let settings = [("location", location), ("company", "c")];
            let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            Connection::new(name, Arc::clone(&app), Setup { settings, ..Setup::default() }).unwrap()
        };
        let connections = [make("one", "L1"), make("two", "L2")];
        let hooks = app.webhooks.as_ref().unwrap();
        owner(hooks, &identify_event(&app, hooks, &body), &body, connections.iter())
    }

    #[test]
    fn by_location_then_by_company() {
        let connections =
            |names: &[&str]| Owner::Connections(names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(from_body(json!({ "type": "UserCreate", "locationId": "L2" })), connections(&["two"]));
        assert_eq!(from_body(json!({ "altId": "L1", "_id": "x" })), connections(&["one"]));
        assert_eq!(
            from_body(json!({ "type": "Place", "id": "L1", "companyId": "c" })),
            connections(&["one"])
        );
        let agency = json!({ "type": "UserCreate", "id": "u1", "companyId": "c" });
        assert_eq!(from_body(agency), connections(&["one", "two"]));
    }

    #[test]
    fn another_location_of_the_same_company_is_a_stranger() {
        let other =
            from_body(json!({ "type": "UserCreate", "id": "u1", "locationId": "L3", "companyId": "c" }));
        assert_eq!(other, Owner::UnknownAccount("no connection has location `L3`".into()));
        assert_eq!(from_body(json!({ "type": "UserCreate" })), Owner::Unknown);
    }
}
