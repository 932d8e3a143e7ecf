//! A small API and recipes for tests.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Accounts, Entry, Run, RunId, StampedEntry, StepError, StepKey};
use crate::catalog::Catalog;
use crate::check::{self, CheckedRecipe, ConnectionInfo};
use crate::event::{DedupKey, Event, EventId, Source};
use crate::source::SourceFile;

pub(crate) const CONNECTOR: &str = "connector: x\ntitle: X\nabout: X\nauth: [{ kind: bearer }]\n\
    errors: { message: [$.message], in_doubt: [422] }";

pub(crate) const OPERATIONS: &str = r#"
operations:
  things.get:
    { title: t, summary: s, kinds: [action], method: GET, path: "/things/{id}", effect: read,
      parameters: { id: { in: path, shape: { type: string } } } }
  things.list:
    { title: t, summary: s, kinds: [action, poller], method: GET, path: /things, effect: read,
      list: { items: ["$.things[*]"], id: [id] } }
  things.update:
    { title: t, summary: s, kinds: [action], method: PUT, path: "/things/{id}", effect: idempotent,
      parameters: { id: { in: path, shape: { type: string } } }, body: { shape: { type: object } } }
  things.create:
    { title: t, summary: s, kinds: [action], method: POST, path: /things, effect: create,
      body: { shape: { type: object } }, result: [$.thing],
      probe: { operation: things.list, with: {}, match: { name: name }, created: at } }
  rows.list:
    { title: t, summary: s, kinds: [action, poller], method: GET, path: /rows, effect: read,
      parameters: { skip: { in: query, shape: { type: integer } }, limit: { in: query, shape: { type: integer } } },
      list: { items: ["$.rows[*]"], id: [id], paging: { style: offset, offset: skip, limit: limit, size: 2 } } }
  rows.create:
    { title: t, summary: s, kinds: [action], method: POST, path: /rows, effect: create,
      body: { shape: { type: object } },
      probe: { operation: rows.list, with: {}, match: { name: name }, created: at } }
  things.shout:
    { title: t, summary: s, kinds: [action], method: POST, path: /shouts, effect: create,
      body: { shape: { type: object } } }
"#;

/// The built-in catalog and the small API.
pub(crate) fn catalog() -> Arc<Catalog> {
    static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| {
        let mut catalog = Catalog::built_in();
        let files = vec![
            ("x/connector.yaml".to_owned(), CONNECTOR.to_owned()),
            ("x/operations.yaml".to_owned(), OPERATIONS.to_owned()),
        ];
        catalog.add_folder("x", files).expect("a connector");
        Arc::new(catalog)
    });
    Arc::clone(&CATALOG)
}

/// A recipe with these lines besides its name and trigger.
pub(crate) fn recipe(lines: &str) -> CheckedRecipe {
    let text = format!("name: r\ntrigger: {{ manual: {{}} }}\n{lines}");
    let file = SourceFile::new("r.yaml", text);
    let mut workspace_info =
        check::WorkspaceInfo { known: true, env: vec!["KEY".into()], ..check::WorkspaceInfo::none() };
    let connection = ConnectionInfo { connector: "x".into(), settings: vec![], version: None };
    workspace_info.connections.insert("acme".into(), connection);
    check::check(&file, &catalog(), &workspace_info).into_recipe().unwrap_or_else(|report| panic!("{report}"))
}

pub(crate) fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).expect("a time")
}

pub(crate) fn event(payload: Value) -> Event {
    Event {
        id: EventId("evt_1".into()),
        source: Source::Manual("r".into()),
        kind: "manual".into(),
        connection: None,
        record: Some("rec-1".into()),
        dedup: DedupKey("1".into()),
        received: time(0),
        payload,
    }
}

pub(crate) fn run() -> Run {
    Run {
        id: RunId("run_1".into()),
        event: EventId("evt_1".into()),
        recipe: "r".into(),
        version: None,
        accounts: Accounts::from([("x".to_owned(), "acme".to_owned())]),
        lane: "rec-1".into(),
        created: time(0),
    }
}

/// A history of these entries, all at one time.
pub(crate) fn history_of(entries: Vec<Entry>) -> Vec<StampedEntry> {
    entries.into_iter().map(|entry| StampedEntry::new(time(0), entry)).collect()
}

/// The step `id` succeeded.
pub(crate) fn done_step(id: &str) -> Entry {
    let (step, result) = (StepKey::new(id), Arc::new(1.into()));
    Entry::StepSucceeded { step, attempt: 1, result, known_by: None, truncated: false }
}

/// The step `id` failed permanently.
pub(crate) fn failed_step(id: &str) -> Entry {
    let (step, error) = (StepKey::new(id), StepError::new("no"));
    Entry::StepFailed { step, attempt: 1, error, retry_at: None, lost: false, read: None }
}
