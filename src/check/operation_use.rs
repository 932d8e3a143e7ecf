//! The operations that a recipe may send, and the connections for them.

use std::sync::Arc;

use indexmap::IndexSet;

use super::CheckedRecipe;
use crate::catalog::{Catalog, Operation};
use crate::recipe::{Action, Trigger, Webhook};

/// An operation or webhook event that a recipe uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationUse {
    /// Id of the operation; `connector.Name` for an event.
    pub operation: String,
    /// Its purpose.
    pub purpose: Purpose,
    /// The connections used.
    pub connections: Vec<String>,
    /// OAuth scopes that the token needs.
    pub scopes: Vec<String>,
}

/// The purpose of an operation in a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Polled by the trigger.
    Poll,
    /// The event of the trigger.
    Webhook,
    /// Fetches the whole record of an event.
    Hydrate,
    /// Finds lost events.
    Reconcile,
    /// Called by a step.
    Step,
    /// Probes whether a create happened.
    Probe,
}

impl Purpose {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Poll => "poll",
            Purpose::Webhook => "webhook",
            Purpose::Hydrate => "hydrate",
            Purpose::Reconcile => "reconcile",
            Purpose::Step => "step",
            Purpose::Probe => "probe",
        }
    }
}

impl CheckedRecipe {
    /// Everything that it may call. Composite operations are replaced by their parts.
    pub fn operation_uses(&self) -> Vec<OperationUse> {
        let mut uses = Vec::new();
        match self.trigger() {
            Trigger::Poll(poll) => {
                if let Some(poller) = self.poller() {
                    for list in self.parents().into_iter().chain([poller]) {
                        self.add(&mut uses, list, Purpose::Poll, None);
                    }
                    let read = self.catalog().record_read(poller).filter(|_| poll.hydrate.value);
                    if let Some(read) = read.and_then(|(read, _)| self.operation_by_id(&read.id)) {
                        self.add(&mut uses, read, Purpose::Hydrate, None);
                    }
                }
            }
            Trigger::Webhook(Webhook::Events { connector, types, hydrate, reconcile, .. }) => {
                for name in types {
                    self.add_event(&mut uses, connector, name, *hydrate, reconcile.is_some());
                }
            }
            Trigger::Webhook(Webhook::Path { .. }) | Trigger::Schedule(_) | Trigger::Manual(_) => {}
        }
        for action in self.all_actions() {
            self.add(&mut uses, action.operation, Purpose::Step, Some(&action));
        }
        uses
    }

    fn add_event(
        &self,
        uses: &mut Vec<OperationUse>,
        connector: &str,
        name: &str,
        hydrate: bool,
        reconcile: bool,
    ) {
        let catalog: &Catalog = self.catalog();
        let Some(event) = catalog.connector(connector).and_then(|app| app.events.get(name)) else { return };
        uses.push(OperationUse {
            operation: format!("{connector}.{name}"),
            purpose: Purpose::Webhook,
            connections: self.connections(connector, None),
            scopes: event.scopes.clone(),
        });
        let read = event.hydrate.as_ref().filter(|_| hydrate).map(|read| &read.operation);
        let list = event.reconcile.as_ref().filter(|_| reconcile);
        for (id, purpose) in
            read.map(|id| (id, Purpose::Hydrate)).into_iter().chain(list.map(|id| (id, Purpose::Reconcile)))
        {
            if let Some(operation) = self.operation_by_id(id) {
                self.add(uses, operation, purpose, None);
            }
        }
    }

    fn add(
        &self,
        uses: &mut Vec<OperationUse>,
        operation: &Arc<Operation>,
        purpose: Purpose,
        action: Option<&Action>,
    ) {
        for alternative in &operation.composite {
            if let Some(part) = self.catalog().sibling(operation, &alternative.operation) {
                self.add(uses, part, purpose, action);
            }
        }
        if operation.builtin.is_some() || !operation.composite.is_empty() {
            return;
        }
        uses.push(OperationUse {
            operation: operation.id.clone(),
            purpose,
            connections: self.connections(&operation.connector, action),
            scopes: operation.scopes.clone(),
        });
        let probe = operation.probe.as_ref().filter(|_| purpose == Purpose::Step);
        if let Some(read) = probe.and_then(|probe| self.catalog().sibling(operation, &probe.operation)) {
            self.add(uses, read, Purpose::Probe, action);
        }
    }

    fn connections(&self, connector: &str, action: Option<&Action>) -> Vec<String> {
        if let Some(named) = action.and_then(|action| action.connection.as_ref()) {
            return vec![named.value.clone()];
        }
        let names: IndexSet<&String> =
            self.accounts().iter().filter_map(|accounts| accounts.get(connector)).collect();
        names.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{ConnectionInfo, WorkspaceInfo, check};
    use crate::source::SourceFile;

    fn uses(text: &str) -> Vec<String> {
        let mut workspace_info = WorkspaceInfo { known: true, ..WorkspaceInfo::default() };
        for name in ["one", "two"] {
            let settings = vec!["location".into()];
            let fact = ConnectionInfo { connector: "highlevel".into(), settings, version: None };
            workspace_info.connections.insert(name.into(), fact);
        }
        let file = SourceFile::new("r.yaml", format!("name: r\n{text}"));
        let recipe = check(&file, &Arc::new(Catalog::built_in()), &workspace_info)
            .into_recipe()
            .unwrap_or_else(|report| panic!("{report}"));
        let told = |used: OperationUse| {
            let OperationUse { operation, purpose, connections, scopes } = used;
            format!("{} {operation} on {} needs {}", purpose.name(), connections.join("+"), scopes.join("+"))
        };
        recipe.operation_uses().into_iter().map(told).collect()
    }

    #[test]
    fn polls_steps_and_their_probes() {
        let text = "connections: { highlevel: [one, two] }\ntrigger: { poll: contacts.search, every: 5m }\nactions:\n\
                    - { do: contacts.create, with: { email: '{{ event.email }}' } }\n\
                    - { do: contacts.notes.list, connection: two, with: { contactId: '{{ event.id }}' } }\n\
                    - { do: log, with: { message: done } }\n";
        let told = uses(text);
        for wanted in [
            "poll contacts.search on one+two needs contacts.readonly",
            "step contacts.create on one+two needs contacts.write",
            "probe contacts.get_duplicate on one+two needs contacts.readonly",
            "step contacts.notes.list on two needs contacts.readonly",
        ] {
            assert!(told.iter().any(|line| line == wanted), "{wanted} in {told:#?}");
        }
        assert!(!told.iter().any(|line| line.contains("log")), "{told:#?}");
    }

    #[test]
    fn events_their_records_and_their_sweeps() {
        let text = "connections: { highlevel: one }\ntrigger: { webhook: highlevel.ContactUpdate, hydrate: true, reconcile: 6h }\n\
                    actions:\n- { do: contacts.find, with: { email: '{{ event.email }}' } }\n";
        let told = uses(text);
        for wanted in ["webhook highlevel.ContactUpdate on one", "hydrate contacts.get on one", "reconcile "]
        {
            assert!(told.iter().any(|line| line.starts_with(wanted)), "{wanted} in {told:#?}");
        }
        assert!(told.iter().filter(|line| line.starts_with("step ")).count() > 1, "its parts: {told:#?}");
        assert!(!told.iter().any(|line| line.contains("contacts.find ")), "{told:#?}");
    }
}
