//! What is known afterwards: the acknowledged events, the stand-in's log and records, and hob's runs.

use std::collections::BTreeMap;
use std::path::Path;

use hob::sandbox::{Entry, Sandbox};
use serde::Deserialize;
use serde_json::Value;

use crate::effect::Effect;
use crate::event_sender::Accepted;
use crate::program::hob;

/// All that the invariants are checked on.
#[derive(Clone, Default)]
pub struct Observations {
    /// Acknowledged events by lane, in order.
    pub accepted: Accepted,
    /// The stand-in's log.
    pub log: Vec<Entry>,
    /// HighLevel's contacts.
    pub contacts: Vec<Value>,
    /// Ids of FITR's active clients.
    pub clients: Vec<String>,
    /// All runs, as hob lists them.
    pub runs: Vec<ListedRun>,
    /// The runs listed by `--state parked`.
    pub parked: Vec<ListedRun>,
}

/// A row of `hob runs list`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ListedRun {
    pub id: String,
    pub recipe: String,
    pub state: String,
    pub record: Option<String>,
    pub error: Option<String>,
}

impl Observations {
    /// Collects what the stand-in saw and what hob lists in `workspace`.
    pub fn gather(accepted: Accepted, sandbox: &Sandbox, workspace: &Path) -> Self {
        Self {
            runs: list_runs(workspace, &[]),
            parked: list_runs(workspace, &["--state", "parked"]),
            ..Self::of_stand_in(accepted, sandbox)
        }
    }

    /// The same without runs.
    pub fn of_stand_in(accepted: Accepted, sandbox: &Sandbox) -> Self {
        let all = |connector, collection| sandbox.records(connector, collection, usize::MAX).unwrap();
        let is_active = |client: &Value| client["status"] == "Active";
        let id = |client: Value| client["id"].as_str().unwrap().to_owned();
        Self {
            accepted,
            log: sandbox.log(),
            contacts: all("highlevel", "contacts"),
            clients: all("fitr", "clients").into_iter().filter(is_active).map(id).collect(),
            runs: Vec::new(),
            parked: Vec::new(),
        }
    }

    /// How often each effect happened for each event.
    pub fn effects(&self) -> BTreeMap<(Effect, u64), usize> {
        let mut effects = BTreeMap::new();
        for done in self.log.iter().filter_map(Effect::of) {
            *effects.entry(done).or_default() += 1;
        }
        effects
    }
}

/// The runs that `hob runs list` prints.
pub fn list_runs(workspace: &Path, which: &[&str]) -> Vec<ListedRun> {
    let all = ["runs", "list", "--limit", "0", "--format", "json"];
    let output = hob(workspace, &[&all[..], which].concat()).code(0).json();
    serde_json::from_value(output).unwrap()
}
