//! Finds events whose webhooks were lost by polling: which list finds which events, and what their bodies would
//! have been.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::detect::Change;
use crate::catalog::{Catalog, Listing, RecordChange};
use crate::connection::Connection;
use crate::journal::{Error, Journal, RunDetail, RunFilter};
use crate::recipe::Emit;
use crate::request::paging::in_item;
use crate::run::{Entry, RunState};
use crate::value::timestamp;

/// A webhook may appear to arrive this much earlier than the change that caused it, because clocks differ.
const CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(5);
/// Runs about the record that are looked through, the newest.
const MOST_RUNS: usize = 12;

/// A list to poll, and the events that it can find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reconcile {
    /// Poller of the list.
    pub operation: String,
    events: Vec<Lost>,
    type_field: Option<String>,
}

/// An event whose webhook may have been lost.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lost {
    name: String,
    kind: Emit,
    /// Only some changes of the record cause it.
    partial: bool,
    /// Field of the body that holds the record; `None` when the body is the record.
    field: Option<String>,
}

impl Reconcile {
    /// The lists that find lost events of these types.
    pub fn all(catalog: &Catalog, connector: &str, types: &[&str]) -> Vec<Self> {
        let mut sweeps: Vec<Self> = Vec::new();
        let Some(app) = catalog.connector(connector) else { return sweeps };
        let type_field =
            app.webhooks.as_ref().and_then(|hooks| hooks.r#type.strip_prefix("$.")).map(str::to_owned);
        for name in types {
            let Some(event) = app.events.get(*name) else { continue };
            let Some(operation) = &event.reconcile else { continue };
            let lost = Lost {
                name: (*name).to_owned(),
                kind: match event.change {
                    Some(RecordChange::New) => Emit::New,
                    Some(RecordChange::Removed) => Emit::Removed,
                    Some(RecordChange::Changed) | None => Emit::Changed,
                },
                partial: event.partial,
                field: event.record.strip_prefix("$.").map(str::to_owned),
            };
            match sweeps.iter_mut().find(|sweep| sweep.operation == *operation) {
                Some(sweep) => sweep.events.push(lost),
                None => sweeps.push(Self {
                    operation: operation.clone(),
                    events: vec![lost],
                    type_field: type_field.clone(),
                }),
            }
        }
        sweeps
    }

    /// The kinds of change to look for.
    pub fn emit(&self) -> Vec<Emit> {
        let mut kinds: Vec<Emit> = Vec::new();
        for event in &self.events {
            if !kinds.contains(&event.kind) {
                kinds.push(event.kind);
            }
        }
        kinds
    }

    /// Whether a change of this kind need not have caused any of the events.
    pub fn is_vague(&self, kind: Emit) -> bool {
        self.events.iter().filter(|event| event.kind == kind).all(|event| event.partial)
    }

    /// The type of the event and the body that it would have had, as far as the item shows it.
    pub fn body(&self, kind: Emit, item: Value, connection: &Connection) -> (String, Value) {
        let lost = self.events.iter().find(|event| event.kind == kind).or(self.events.first());
        let Some(lost) = lost else { return (super::detect::name(kind).to_owned(), item) };
        let mut body = match (&lost.field, item) {
            (None, Value::Object(map)) => map,
            (field, item) => Map::from_iter([(field.clone().unwrap_or_else(|| "record".into()), item)]),
        };
        if let Some(field) = &self.type_field {
            // The record may have a field of this name, which the webhook does not show.
            body.insert(field.clone(), lost.name.as_str().into());
        }
        for (setting, paths) in connection.connector.webhooks.iter().flat_map(|hooks| &hooks.route) {
            let field = paths.first().and_then(|path| path.strip_prefix("$."));
            if let Some((field, value)) = field.zip(connection.settings.get(setting)) {
                body.entry(field.to_owned()).or_insert_with(|| value.as_str().into());
            }
        }
        (lost.name.clone(), Value::Object(body))
    }

    /// Whether the webhook of this change arrived: the recipe has a run about the record since the change was made (since
    /// the record was, for a recipe that listens to new ones only), or
    /// since `before` where the item has no time, and does not know the record by its own time as it was earlier.
    pub async fn arrived(
        &self,
        journal: &dyn Journal,
        recipe: &str,
        listing: &Listing,
        change: &Change,
        before: DateTime<Utc>,
    ) -> Result<bool, Error> {
        // A recipe that listens to new records only has no webhooks of later changes.
        let only_new = self.events.iter().all(|event| event.kind == Emit::New);
        let updated = listing.updated.as_ref().filter(|_| !only_new);
        let made = [updated, listing.created.as_ref()]
            .into_iter()
            .flatten()
            .find_map(|name| timestamp(&in_item(&change.item, name)?));
        let filter = RunFilter {
            recipe: Some(recipe.to_owned()),
            record: Some(change.record.clone()),
            since: Some(made.unwrap_or(before) - CLOCK_DIFFERENCE),
            limit: Some(MOST_RUNS),
            ..RunFilter::default()
        };
        let updated = updated.filter(|name| in_item(&change.item, name).is_some());
        let Some((made, updated)) = made.zip(updated) else {
            return Ok(!journal.runs(&filter).await?.is_empty());
        };
        for row in journal.runs(&filter).await? {
            let Some(run) = journal.run(&row.id).await? else { continue };
            // Times may be told in whole seconds.
            if self.known_of(&run, updated).is_none_or(|known| known.timestamp() >= made.timestamp()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// As of when a run knows its record, by the record's own time of change; `None` where it has none, or where the
    /// record may be fetched yet.
    fn known_of(&self, run: &RunDetail, updated: &str) -> Option<DateTime<Utc>> {
        let fetched = run.entries.iter().rev().find_map(|stamped| match &stamped.entry {
            Entry::StepSucceeded { step, result, .. } if step.is_hydrate() => Some(result.as_ref()),
            _ => None,
        });
        if fetched.is_none() && matches!(run.row.state, RunState::Waiting | RunState::Running) {
            return None;
        }
        let told = self.events.iter().find_map(|event| match &event.field {
            Some(field) => run.event.payload.get(field),
            None => Some(&run.event.payload),
        });
        timestamp(&in_item(fetched.or(told)?, updated)?)
    }
}
