//! The subject of an event: its record, and the fields that the recipe watches.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::known_write::Pending;
use super::state::FieldPath;
use super::verdict::{Earlier, OwnWrite, Report};
use super::within_parent::{finds_by_id_alone, is_within_parent, names_parent};
use crate::catalog::{Catalog, EventType, Listing, RecordChange, path};
use crate::check::{CheckedRecipe, EventReads, Resource, event_names};
use crate::event::{Event, Source, apart};
use crate::recipe::{Trigger, Webhook};
use crate::run::comparison::{BEFORE, CHANGED};
use crate::run::{Accounts, Entry, RunId, RunState, StampedEntry, Unsettled, Write};
use crate::value::Value;

/// The subject of a trigger's events.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The kind of record.
    pub resource: Resource,
    /// The record's connection.
    pub connection: String,
    /// The record's id, by which writes name it.
    pub record: String,
    /// The id of its parent, where its own is unique within that only.
    pub parent: Option<String>,
    /// The id by which events name it.
    pub event_record: String,
    /// JSONPath of the record in the event.
    at: String,
    /// Fields of the record in the catalog; empty if it may have any.
    fields: Vec<String>,
    /// Fields that a list declares: one that an item lacks is empty.
    listed: Vec<String>,
    /// Fields that identify the record, or change with every write.
    aside: BTreeSet<String>,
    /// Kinds of events about removed records.
    removals: Vec<String>,
    /// Whether it is known what happened to the record.
    tells_change: bool,
    list_lag: TimeDelta,
    reads: EventReads,
    /// Steps that read such records.
    reading_steps: Vec<String>,
    /// Fields with the time of the record's last change.
    updated: BTreeSet<String>,
}

impl Subject {
    /// The subject of an event about a connector's record; `None` for others.
    pub fn of(recipe: &CheckedRecipe, event: &Event, accounts: &Accounts) -> Option<Self> {
        let event_record = event.record.clone().filter(|_| event.unreadable().is_none())?;
        let mut resource = Resource::of_trigger(recipe)?;
        // Not every webhook names its account.
        let connection = accounts.get(&resource.connector).or(event.connection.as_ref())?.clone();
        let catalog = recipe.catalog();
        let connector = catalog.connector(&resource.connector)?;
        let lists: Vec<&Listing>;
        let (mut at, mut fields, mut ids) = ("$".to_owned(), Vec::new(), Vec::<String>::new());
        let mut listed = Vec::new();
        match (recipe.trigger(), &event.source) {
            (Trigger::Poll(poll), source) if source.is_list() => {
                let poller = recipe.poller()?;
                listed.extend(poller.item_shape().into_iter().flat_map(|item| item.fields.keys().cloned()));
                let read = catalog.record_read(poller).filter(|_| poll.hydrate.value);
                let whole = read.and_then(|(read, _)| read.result_shape());
                listed.extend(whole.into_iter().flat_map(|whole| whole.fields.keys().cloned()));
                lists = poller.list.iter().chain(read.and_then(|(read, _)| read.list.as_ref())).collect();
            }
            (
                Trigger::Webhook(Webhook::Events { connector: name, types, .. }),
                Source::Poll(_) | Source::Backfill(_) | Source::Connector(_),
            ) => {
                let told = event.kind.names().find(|kind| types.iter().any(|known| known.value == *kind))?;
                let event_type = connector.events.get(told)?;
                resource.names = event_names(catalog, name, told);
                at.clone_from(&event_type.record);
                fields.clone_from(&event_type.fields);
                ids = ids_within(event_type);
                if let Some(hooks) = connector.webhooks.as_ref().filter(|_| at == "$") {
                    let envelope = hooks.route.values().flatten().chain([&hooks.r#type]).chain(&hooks.id);
                    ids.extend(envelope.filter_map(|path| path.strip_prefix("$.").map(str::to_owned)));
                }
                let fetch = event_type.hydrate.as_ref().map(|hydrate| &hydrate.operation);
                let operations = fetch.into_iter().chain(&event_type.reconcile);
                lists = operations.filter_map(|id| catalog.operation(id)?.list.as_ref()).collect();
            }
            _ => return None,
        }
        let updated = lists.iter().filter_map(|list| list.updated.clone()).collect();
        let mut aside: BTreeSet<String> = ids.into_iter().collect();
        for list in lists {
            aside.extend(
                list.id.iter().chain(&list.updated).chain(&list.created).chain(&list.ignore).cloned(),
            );
        }
        aside.insert("id".to_owned());
        if recipe.parents().is_some() {
            aside.insert("parent".to_owned());
        }
        let (parent, record) = match is_within_parent(recipe, event) {
            true => apart(&event_record).map(|(parent, own)| (Some(parent), own.to_owned()))?,
            false => (None, event_record.clone()),
        };
        let removals = match recipe.trigger() {
            Trigger::Poll(_) => vec!["removed".to_owned()],
            _ => {
                let removals =
                    connector.events.iter().filter(|(_, event)| event.change == Some(RecordChange::Removed));
                removals.map(|(name, _)| name.clone()).collect()
            }
        };
        let tells_change = match recipe.trigger() {
            Trigger::Poll(_) => true,
            _ => {
                let mut told = event.kind.names().filter_map(|name| connector.events.get(name));
                told.all(|event_type| event_type.change.is_some())
            }
        };
        let list_lag = TimeDelta::seconds(connector.list_lag_seconds.into());
        let reading = recipe.all_actions().filter(|action| {
            action.operation.write_target().is_none()
                && Resource::of_operation(action.operation).meets(&resource)
        });
        let reading_steps = reading.map(|action| action.id.clone()).collect();
        let reads = EventReads::from_recipe(recipe.recipe());
        Some(Self {
            resource,
            connection,
            record,
            parent,
            event_record,
            at,
            fields,
            listed,
            aside,
            removals,
            tells_change,
            list_lag,
            reads,
            reading_steps,
            updated,
        })
    }

    /// What `event`, whose payload is now `payload`, says of the record. `fetched`: when its record was fetched, if it
    /// was.
    pub fn report(&self, event: &Event, payload: &Value, fetched: Option<DateTime<Utc>>) -> Report {
        let polled = event.source.is_list().then_some(self.list_lag);
        let record = path::read(payload, &self.at).unwrap_or_default();
        Report {
            received: fetched.unwrap_or(event.received),
            lag: fetched.map(|_| TimeDelta::zero()).or(polled),
            hydrated: fetched.is_some(),
            kind: event.kind.as_str().to_owned(),
            removed: event.kind.names().any(|name| self.removals.iter().any(|removal| removal == name)),
            changed: self.changed(&record),
            record,
        }
    }

    /// Whether its event may be an echo of hob's own write. One of which it is not known what happened to the record may
    /// tell that it is gone, with all that hob wrote.
    pub fn may_be_echo(&self) -> bool {
        self.tells_change
    }

    /// The effect of `write`, recorded at `done`, on the record; `None` if it had none.
    pub fn own_write(
        &self,
        catalog: &Catalog,
        write: &Write,
        run: &RunId,
        done: DateTime<Utc>,
    ) -> Option<OwnWrite> {
        let operation = catalog.operation(&write.operation)?;
        let is_of = Resource::of_operation(operation).meets(&self.resource)
            && self
                .parent
                .as_ref()
                .is_none_or(|parent| finds_by_id_alone(catalog, operation) || names_parent(write, parent));
        is_of.then(|| OwnWrite::of(write, operation, run, done)).flatten()
    }

    /// The possible effect on the record of a write in progress; `None` if it concerns another record.
    pub fn pending(&self, catalog: &Catalog, unsettled: &Unsettled, run: &RunId) -> Option<Pending> {
        let here = unsettled.connection == self.connection;
        let operation = catalog.operation(&unsettled.operation).filter(|_| here)?;
        let is_of = Resource::of_operation(operation).meets(&self.resource);
        let record = (self.parent.as_deref(), self.record.as_str());
        is_of.then(|| Pending::of(unsettled, operation, run, record)).flatten()
    }

    /// The state reported by an earlier event, whose run has this history and state.
    pub fn earlier(&self, event: &Event, history: &[StampedEntry], state: RunState) -> Earlier {
        let fetched = history.iter().rev().find_map(|stamped| match &stamped.entry {
            Entry::StepSucceeded { step, result, .. } if step.is_hydrate() => Some((stamped.at, result)),
            _ => None,
        });
        let mut report = self.report(event, &event.payload, fetched.map(|(at, _)| at));
        if let (Value::Object(thin), Some((_, Value::Object(whole)))) =
            (&mut report.record, fetched.map(|(at, result)| (at, result.as_ref())))
        {
            thin.extend(whole.clone());
        }
        let (suppressed, succeeded) = (state == RunState::Suppressed, state == RunState::Succeeded);
        Earlier { report, suppressed, succeeded }
    }

    /// When `record` was changed last, as it says itself.
    pub fn changed(&self, record: &Value) -> Value {
        self.updated.iter().find_map(|name| record.get(name)).cloned().unwrap_or_default()
    }

    /// The fields by which the record is compared: those that the recipe reads, or all where it reads none. `None` if
    /// it reads one of which `record` says nothing.
    pub fn watched(&self, record: &Value, before: Option<&Value>) -> Option<Vec<FieldPath>> {
        let mut watched: BTreeSet<FieldPath> = BTreeSet::new();
        let mut all = false;
        for read in &self.reads.event {
            // What hob adds to an event (`changed`, `before`) depends on every field, `before.x` on one.
            if self.reads_comparison(read, record) {
                match read.as_slice() {
                    [before, field @ ..] if before == BEFORE && !field.is_empty() => {
                        if self.is_compared(&field[0]) {
                            watched.insert(field.to_vec());
                        }
                    }
                    _ => all = true,
                }
                continue;
            }
            match self.within_record(read) {
                Some([]) => all = true,
                Some(field) if self.is_compared(&field[0]) => _ = watched.insert(field.to_vec()),
                _ => {}
            }
        }
        for read in &self.reads.steps {
            let Some((_, field)) = read.split_first().filter(|(step, _)| self.reading_steps.contains(step))
            else {
                continue;
            };
            match self.within_result(record, field)? {
                [] => all = true,
                field if self.is_compared(&field[0]) => _ = watched.insert(field.to_vec()),
                _ => {}
            }
        }
        if all || watched.is_empty() {
            let records = [Some(record), before].into_iter().flatten();
            let names = records.filter_map(Value::as_object).flat_map(|record| record.keys());
            let is_named = |name: &&String| self.fields.is_empty() || self.fields.contains(name);
            let names = names.filter(is_named).filter(|name| self.is_compared(name));
            watched.extend(names.map(|name| vec![name.clone()]));
        }
        Some(watched.into_iter().collect())
    }

    /// Whether the path below `event` leads to what hob adds to it, and not to fields of its own.
    fn reads_comparison(&self, path: &[String], record: &Value) -> bool {
        let first = path.first().filter(|first| [CHANGED, BEFORE].contains(&first.as_str()));
        first.is_some_and(|first| self.at != "$" || record.get(first).is_none())
    }

    /// Whether the field `name` is one of the record's own, and does not change with every write.
    pub fn is_field(&self, name: &str) -> bool {
        let is_named = self.fields.is_empty() || self.fields.iter().any(|field| field == name);
        is_named && !self.aside.contains(name)
    }

    /// The part of a path below `event` that is below its record; `None` if it leads elsewhere. All of the event is
    /// all of the record.
    fn within_record<'p>(&self, path: &'p [String]) -> Option<&'p [String]> {
        let mut rest = path;
        for name in self.at.trim_start_matches('$').split('.').filter(|name| !name.is_empty()) {
            match rest.split_first() {
                None => return Some(&[]),
                Some((first, behind)) if first == name => rest = behind,
                Some(_) => return None,
            }
        }
        Some(rest)
    }

    /// The part of a path below a read's result that is below the record: results contain a record directly or under
    /// a name.
    fn within_result<'p>(&self, record: &Value, path: &'p [String]) -> Option<&'p [String]> {
        let is_there = |name: &String| {
            let is_declared = self.fields.contains(name) || self.listed.contains(name);
            record.get(name).is_some() || is_declared || self.aside.contains(name)
        };
        match path {
            [] => Some(path),
            [first, ..] if is_there(first) => Some(path),
            [_] => None,
            [_, second, ..] if is_there(second) => Some(&path[1..]),
            _ => None,
        }
    }

    fn is_compared(&self, name: &String) -> bool {
        !self.aside.contains(name)
    }
}

/// Names of the record's fields with its id.
fn ids_within(event: &EventType) -> Vec<String> {
    let at = event.record.as_str();
    let within = |id: &String| id.strip_prefix(at)?.strip_prefix('.').map(str::to_owned);
    event.id.iter().filter_map(within).filter(|name| !name.contains('.')).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::check::{self, WorkspaceInfo};
    use crate::run::testing;
    use crate::source::SourceFile;
    use serde_json::json;

    #[test]
    fn an_event_that_may_tell_of_a_removal_is_no_echo() {
        let catalog = Arc::new(Catalog::built_in());
        // Of the first kind nothing says what happened.
        for (kind, may_be_echo) in [("LCEmailStats", false), ("ContactUpdate", true), ("ContactDelete", true)]
        {
            let text =
                format!("name: r\ntrigger: {{ webhook: highlevel.{kind} }}\nactions: [{{ do: stop }}]\n");
            let file = SourceFile::new("r.yaml", text);
            let recipe = check::check(&file, &catalog, &WorkspaceInfo::none()).into_recipe().unwrap();
            let source = Source::Connector("highlevel".to_owned());
            let event = Event { source, kind: kind.into(), ..testing::event(json!({ "id": "rec-1" })) };
            let accounts = Accounts::from([("highlevel".to_owned(), "studio".to_owned())]);
            let subject = Subject::of(&recipe, &event, &accounts).unwrap();
            assert_eq!(subject.may_be_echo(), may_be_echo, "{kind}");
            let report = subject.report(&event, &event.payload, None);
            assert_eq!(report.removed, kind == "ContactDelete");
        }
    }
}
