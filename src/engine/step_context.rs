//! What all steps of a run share.

use std::sync::Arc;
use std::time::Duration;

use super::options::Options;
use crate::catalog::{Catalog, Operation};
use crate::connection::Connection;
use crate::event::Priority;
use crate::request::{CallOptions, SendGuard};
use crate::run::RunId;
use crate::services::Services;

/// Longest wait for the budget while holding the lease; beyond it the run is requeued.
const MAX_BUDGET_WAIT: Duration = Duration::from_secs(15);

/// What all steps of a run share.
pub(super) struct StepContext<'a> {
    pub(super) services: &'a Services,
    pub(super) recipe: &'a str,
    pub(super) run: &'a RunId,
    pub(super) options: &'a Options,
    pub(super) catalog: &'a Catalog,
    pub(super) priority: Priority,
    /// Allows requests only while the lease is valid.
    pub(super) guard: SendGuard,
    /// Shortest wait for a held connection.
    pub(super) min_hold: Duration,
}

impl StepContext<'_> {
    /// How long to wait for a connection that is held for `wait`.
    pub(super) fn hold(&self, wait: Duration) -> Duration {
        wait.max(self.min_hold)
    }

    /// How its requests are sent.
    pub(super) fn call_options(&self) -> CallOptions {
        CallOptions {
            priority: self.priority,
            recipe: Some(self.recipe.into()),
            max_wait: MAX_BUDGET_WAIT,
            guard: Some(self.guard.clone()),
            ..CallOptions::default()
        }
    }

    /// The connection `name`, if it belongs to the connector of `operation`.
    pub(super) fn connection(
        &self,
        operation: &Operation,
        name: Option<&str>,
    ) -> Result<Arc<Connection>, String> {
        let connector = &operation.connector;
        let Some(name) = name else {
            return Err(format!(
                "no connection is chosen for `{connector}`; name one in the recipe, `connections: {{ {connector}: NAME }}`"
            ));
        };
        match self.services.connections.get(name) {
            Some(connection) if connection.connector.connector == *connector => Ok(Arc::clone(connection)),
            Some(other) => {
                let theirs = &other.connector.connector;
                Err(format!(
                    "the connection `{name}` is on `{theirs}`, and `{}` needs one on `{connector}`",
                    operation.id
                ))
            }
            None => Err(format!("hob.yaml has no connection `{name}`")),
        }
    }
}
