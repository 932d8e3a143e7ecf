//! What hob wrote, or is about to write, as the journal knows it.

use chrono::{DateTime, Utc};

use super::state::Effect;
use super::verdict::OwnWrite;
use crate::catalog::{Operation, Place, WriteTarget};
use crate::run::{ChainLink, RunId, Unsettled, Write};
use crate::value::{Map, Value, id};

/// A write in progress that may concern the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Set if it certainly concerns this record, with its effect.
    pub write: Option<OwnWrite>,
    /// The run and the step.
    pub run: RunId,
    /// The step.
    pub step: String,
    /// When it was about to be sent.
    pub sent: DateTime<Utc>,
}

/// A write, derived from the record, to a record from which something was written to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceWrite {
    /// The account of the record that was written.
    pub connection: String,
    /// The record that was written.
    pub record: String,
    /// The run.
    pub run: RunId,
    /// When its answer was recorded.
    pub done: DateTime<Utc>,
}

impl OwnWrite {
    /// The effect on its record of `write`, recorded at `done` by `operation`; `None` if unknown, or if the record
    /// itself is unaffected.
    pub fn of(write: &Write, operation: &Operation, run: &RunId, done: DateTime<Utc>) -> Option<Self> {
        let origin = write.origin.as_ref();
        Some(Self {
            run: run.clone(),
            step: origin.map_or_else(|| write.operation.clone(), |origin| origin.step.clone()),
            sent: origin.map_or(done, |origin| origin.sent),
            done,
            effect: effect(operation, write.fields.as_object()?)?,
            answer: origin.map_or(Value::Null, |origin| origin.answer.clone()),
            chain: origin
                .map(|origin| {
                    let (run, recipe) = (run.clone(), origin.recipe.clone());
                    let link = ChainLink { run, recipe, record: write.record.clone(), at: done };
                    origin.chain.iter().cloned().chain([link]).collect()
                })
                .unwrap_or_default(),
            source: origin.and_then(|origin| origin.source.clone()),
        })
    }
}

impl SourceWrite {
    /// `write`, recorded at `done`, if it was derived from this record of this account.
    pub fn of(
        (connection, record): (&str, &str),
        write: &Write,
        run: &RunId,
        done: DateTime<Utc>,
    ) -> Option<Self> {
        let source = write.origin.as_ref()?.source.as_ref()?;
        let is_derived = source.connection == connection && source.record == record;
        let (connection, record) = (write.connection.clone(), write.record.clone());
        is_derived.then(|| Self { connection, record, run: run.clone(), done })
    }
}

fn effect(operation: &Operation, sent: &Map<String, Value>) -> Option<Effect> {
    let items = |name: &str| match sent.get(name)? {
        Value::Array(items) => Some(items.clone()),
        item => Some(vec![item.clone()]),
    };
    Some(match operation.write_target()? {
        WriteTarget::Created => Effect::Created(sent.clone()),
        WriteTarget::Fields => Effect::Fields(sent.clone()),
        WriteTarget::Added(list) => Effect::Added(list.to_owned(), items(list)?),
        WriteTarget::Removed(list) => Effect::Removed(list.to_owned(), items(list)?),
        WriteTarget::Deleted => Effect::Deleted,
    })
}

impl Pending {
    /// The possible effect of `unsettled` on a record, given the parent that it is unique within and its id; `None` if it
    /// concerns another one.
    pub fn of(
        unsettled: &Unsettled,
        operation: &Operation,
        run: &RunId,
        (parent, record): (Option<&str>, &str),
    ) -> Option<Self> {
        let in_path =
            |name: &String| operation.parameters.get(name).is_some_and(|known| known.place == Place::Path);
        let named =
            unsettled.inputs.iter().filter(|(name, _)| in_path(name)).filter_map(|(_, value)| id(value));
        let named: Vec<String> = named.collect();
        let (step, sent) = (unsettled.step.to_string(), unsettled.sent);
        let is_made = operation.write_target() == Some(WriteTarget::Created) || named.is_empty();
        let is_named = |id: &str| named.is_empty() || named.iter().any(|named| named == id);
        if !is_made && !is_named(record) || parent.is_some_and(|parent| !is_named(parent)) {
            return None;
        }
        let fields = unsettled.inputs.iter().filter(|(name, _)| !in_path(name));
        let fields: Map<String, Value> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        let effect = if is_made { None } else { effect(operation, &fields) };
        let write = effect.map(|effect| OwnWrite {
            run: run.clone(),
            step: step.clone(),
            sent,
            done: sent,
            effect,
            answer: Value::Null,
            chain: Vec::new(),
            source: None,
        });
        Some(Self { write, run: run.clone(), step, sent })
    }
}
