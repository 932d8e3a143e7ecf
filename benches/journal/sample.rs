//! Events of typical size, each with a run.

use chrono::{DateTime, TimeDelta, Utc};
use hob::event::{DedupKey, Event, EventId, Source};
use hob::journal::NewRun;
use hob::run::RunId;
use serde_json::json;

/// A time, in milliseconds after an origin.
pub fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::milliseconds(milliseconds)
}

/// An event with this dedup key.
pub fn event(dedup: String) -> Event {
    Event {
        id: EventId::new(),
        source: Source::Connector("highlevel".to_owned()),
        kind: "ContactUpdate".into(),
        connection: Some("studio-1".to_owned()),
        record: Some(format!("contact-{dedup}")),
        dedup: DedupKey(dedup),
        received: at(0),
        payload: json!({
            "type": "ContactUpdate", "locationId": "ve9EPM428h8vShlRW1KT", "id": "nmFmQEsNgz6AVpgLVUJ0",
            "firstName": "Ada", "lastName": "Example", "email": "ada@example.com", "tags": ["a", "b"],
            "customFields": [{ "id": "BcdmQEsNgz6AVpgLVUJ0", "value": "something of a usual length" }],
        }),
    }
}

/// An event and its run in a lane of its own.
pub fn with_run(dedup: String, recipe: &str) -> (Event, Vec<NewRun>) {
    let run = NewRun {
        id: RunId::new(),
        recipe: recipe.to_owned(),
        accounts: [("highlevel".to_owned(), "studio-1".to_owned())].into_iter().collect(),
        lane: format!("contact-{dedup}"),
        coalesce: None,
    };
    (event(dedup), vec![run])
}
