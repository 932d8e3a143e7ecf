//! The read that hydrates a thin event.

use std::sync::Arc;

use crate::catalog::{BodyPath, Catalog, Hydrate, Operation, path};
use crate::check::CheckedRecipe;
use crate::event::{Event, Source};
use crate::recipe::{Trigger, Webhook};
use crate::value::{Map, Value};

/// The read that hydrates an event, prepared when the run is loaded.
#[derive(Debug, Clone)]
pub(super) struct Hydration {
    pub(super) operation: Arc<Operation>,
    /// Its inputs, or the place in the body where one is missing.
    pub(super) inputs: Result<Map<String, Value>, String>,
    /// JSONPath of the record within the body.
    pub(super) record: String,
}

impl Hydration {
    /// The read for `event`, if its recipe asks for whole records and the catalog has one.
    pub(super) fn for_event(recipe: &CheckedRecipe, event: &Event) -> Option<Self> {
        let (connector, hydrate) = match recipe.trigger() {
            Trigger::Poll(poll) if poll.hydrate.value => return Self::for_item(recipe, event),
            Trigger::Webhook(Webhook::Events { connector, hydrate, .. }) => (connector, hydrate),
            _ => return None,
        };
        if !hydrate {
            return None;
        }
        // Records found by polling were read from the API just now.
        if !matches!(event.source, Source::Connector(_)) {
            return None;
        }
        let catalog: &Catalog = recipe.catalog();
        let events = &catalog.connector(connector)?.events;
        // The body may match several kinds of events.
        let kind =
            event.kind.names().filter_map(|kind| events.get(kind)).find(|kind| kind.hydrate.is_some())?;
        let Hydrate { operation, with } = kind.hydrate.as_ref()?;
        let operation = recipe.operation_by_id(operation)?.clone();
        let found = |at: &BodyPath| path::read(&event.payload, &at.0).filter(|value| !value.is_null());
        let inputs = with
            .iter()
            .map(|(name, template)| match template.names().into_iter().find(|at| found(at).is_none()) {
                Some(missing) => Err(missing.0.clone()),
                None => {
                    let name = operation.renamed.get(name).unwrap_or(name).clone();
                    Ok((name, template.fill(&found).unwrap_or_default()))
                }
            })
            .collect();
        Some(Self { operation, inputs, record: kind.record.clone() })
    }

    /// The read for an item of a poll's list. A removed one cannot be fetched any more.
    fn for_item(recipe: &CheckedRecipe, event: &Event) -> Option<Self> {
        let (read, input) = recipe.catalog().record_read(recipe.poller()?)?;
        if !event.source.is_list() || event.kind.names().any(|name| name == "removed") {
            return None;
        }
        let operation = recipe.operation_by_id(&read.id)?.clone();
        let name = operation.renamed.get(input).map_or(input, String::as_str).to_owned();
        let id = event.record.clone().map(Value::from).ok_or_else(|| "the record's id".to_owned());
        let inputs = id.map(|id| Map::from_iter([(name, id)]));
        Some(Self { operation, inputs, record: "$".to_owned() })
    }
}
