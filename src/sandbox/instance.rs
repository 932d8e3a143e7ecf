//! The stand-in for all connectors of a catalog.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::config::Script;
use super::fault::{Fault, FaultKind, Faults, Target};
use super::handler::{Incoming, Served, handle};
use super::log::{Entry, Log};
use super::options::Options;
use super::route::Found;
use super::service::Service;
use super::state::State;
use super::time;
use crate::catalog::{Catalog, FileKind};
use crate::source::{Position, ReadError, SourceFile, read_text};
use crate::value::read_json;

/// Why a stand-in cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An invalid script.
    #[error("{connector}/{}:{}:{}: {reason}", FileKind::Sandbox, at.line, at.column)]
    Script {
        /// The connector.
        connector: String,
        /// Where in the file.
        at: Position,
        /// What is wrong.
        reason: String,
    },
}

/// A stateful stand-in for the APIs of a catalog. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Sandbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    catalog: Arc<Catalog>,
    options: Options,
    services: IndexMap<String, ServiceState>,
    faults: Mutex<Faults>,
    log: Mutex<Log>,
}

/// One connector.
#[derive(Debug)]
struct ServiceState {
    service: Service,
    state: Mutex<State>,
}

impl Sandbox {
    /// A stand-in for all connectors of `catalog` with HTTP requests.
    pub fn new(catalog: Arc<Catalog>, options: Options) -> Result<Self, Error> {
        let mut services = IndexMap::new();
        for connector in catalog.connectors() {
            let name = &connector.connector;
            if catalog.addresses(name).next().is_none() {
                continue;
            }
            let own = options.scripts.get(name).map(String::as_str);
            let script = match own.or_else(|| Catalog::built_in_sandbox(name)) {
                Some(text) => read(name, text)?,
                None => Script::default(),
            };
            let script = script.with_credential(connector);
            let service = Service::new(&catalog, connector, script);
            let state = Mutex::new(State::new(&service, &options));
            services.insert(name.clone(), ServiceState { service, state });
        }
        let log = Mutex::new(Log::new(options.log));
        Ok(Self(Arc::new(Shared { catalog, options, services, faults: Mutex::default(), log })))
    }

    /// The connectors it stands in for.
    pub fn connectors(&self) -> impl Iterator<Item = &str> {
        self.0.services.keys().map(String::as_str)
    }

    /// The credential of a connection to it, under `auth` in `hob.yaml`. Not secret.
    pub fn credential(&self, connector: &str) -> Option<Value> {
        let auth = &self.0.services.get(connector)?.service.script.auth;
        Some(auth.clone()).filter(|auth| !auth.is_null())
    }

    /// The settings (`location`) of a connection to it.
    pub fn settings(&self, connector: &str) -> IndexMap<String, String> {
        self.0
            .services
            .get(connector)
            .map(|connector_state| connector_state.service.script.settings.clone())
            .unwrap_or_default()
    }

    /// Inputs, as in a recipe's `with`, with which an operation succeeds on a fresh stand-in.
    pub fn example(&self, operation: &str) -> Option<Map<String, Value>> {
        let operation = self.0.catalog.operation(operation)?;
        let connector_state = self.0.services.get(&operation.connector)?;
        Some(super::example::example(&connector_state.service, &lock(&connector_state.state), operation))
    }

    /// The latest requests served, oldest first.
    pub fn log(&self) -> Vec<Entry> {
        lock(&self.0.log).entries()
    }

    /// The number of requests served, in total and by operation.
    pub fn totals(&self) -> (u64, IndexMap<String, u64>) {
        let log = lock(&self.0.log);
        (log.served(), log.totals().clone())
    }

    /// The first `limit` records of a collection, as they are stored.
    pub fn records(&self, connector: &str, collection: &str, limit: usize) -> Option<Vec<Value>> {
        let state = lock(&self.0.services.get(connector)?.state);
        let table = state.tables.get(collection)?;
        let records = table.all().take(limit).filter_map(|slot| table.record(slot));
        Some(records.map(|record| Value::Object(record.as_ref().clone())).collect())
    }

    /// The number of records by collection.
    pub fn counts(&self, connector: &str) -> IndexMap<String, usize> {
        let Some(connector_state) = self.0.services.get(connector) else { return IndexMap::new() };
        lock(&connector_state.state).tables.iter().map(|(name, table)| (name.clone(), table.len())).collect()
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.0.faults).add(fault);
    }

    /// The faults that still apply.
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.0.faults).list().to_vec()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.0.faults).clear();
    }

    /// Resets everything to the start: records, budgets, tokens, faults and log.
    pub fn reset(&self) {
        for connector_state in self.0.services.values() {
            *lock(&connector_state.state) = State::new(&connector_state.service, &self.0.options);
        }
        lock(&self.0.faults).clear();
        *lock(&self.0.log) = Log::new(self.0.options.log);
    }

    /// Answers a request below a connector's prefix, with the fault for the connection. `None` if there is no such
    /// connector.
    pub(super) fn answer(
        &self,
        connector: &str,
        incoming: Incoming<'_>,
    ) -> Option<(Served, Option<FaultKind>)> {
        let connector_state = self.0.services.get(connector)?;
        let found = connector_state.service.find(incoming.method, incoming.path, incoming.headers);
        let operation = match found {
            Found::Operation(operation, _) => Some(operation.id.clone()),
            _ => None,
        };
        let mut path = incoming.path.to_owned();
        if !incoming.query.is_empty() {
            path.push('?');
            path.push_str(incoming.query);
        }
        let target =
            Target { connector, operation: operation.as_deref(), method: incoming.method, path: &path };
        let fault = lock(&self.0.faults).apply_fault(target);
        let now = self.0.options.clock.now().timestamp_millis();
        let lost = |fault: &Fault| {
            !fault.done && matches!(fault.what, FaultKind::Close | FaultKind::Hang | FaultKind::Truncate)
        };
        let served = if fault.as_ref().is_some_and(lost) {
            Served::unanswered()
        } else {
            handle(
                &connector_state.service,
                &mut lock(&connector_state.state),
                self.0.options.seed,
                incoming,
                now,
                fault.as_ref(),
            )
        };
        let what = fault.map(|fault| fault.what);
        let unanswered = matches!(what, Some(FaultKind::Close | FaultKind::Hang | FaultKind::Truncate));
        lock(&self.0.log).add(Entry {
            number: 0,
            at: time::iso(now),
            connector: connector.to_owned(),
            operation,
            method: incoming.method.to_owned(),
            path,
            body: read_json(incoming.body, None).unwrap_or(Value::Null),
            status: if unanswered { 0 } else { served.status },
            changes: served.changes.clone(),
            fault: what.clone(),
        });
        Some((served, what))
    }
}

fn read(connector: &str, text: &str) -> Result<Script, Error> {
    let file = SourceFile::new(format!("{connector}/{}", FileKind::Sandbox), text);
    read_text(&file).map_err(|ReadError { message: reason, span }| Error::Script {
        connector: connector.to_owned(),
        at: file.position(span.unwrap_or_default().start),
        reason,
    })
}

/// A panic in one request must not affect others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
