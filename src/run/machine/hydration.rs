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
        let Trigger::Webhook(Webhook::Events { connector, hydrate: true, .. }) = recipe.trigger() else {
            return None;
        };
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
}
