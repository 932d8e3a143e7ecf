//! What is known after the end: who was told what, what the stand-in saw, and what hob says.

use std::collections::BTreeMap;
use std::path::Path;

use hob::sandbox::{Entry, Sandbox};
use serde::Deserialize;
use serde_json::Value;

use crate::deed::Deed;
use crate::feeder::Accepted;
use crate::program::hob;

/// All that the proof looks at.
#[derive(Clone, Default)]
pub struct Evidence {
    /// Acknowledged events by lane, in order.
    pub accepted: Accepted,
    /// The stand-in's log.
    pub log: Vec<Entry>,
    /// HighLevel's contacts.
    pub contacts: Vec<Value>,
    /// Ids of FITR's active clients.
    pub clients: Vec<String>,
    /// All runs, as hob lists them.
    pub runs: Vec<Listed>,
    /// The runs that hob lists when it is asked for parked ones.
    pub parked: Vec<Listed>,
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Listed {
    pub id: String,
    pub recipe: String,
    pub state: String,
    pub record: Option<String>,
    pub error: Option<String>,
}

impl Evidence {
    /// What the stand-in and the program in `home` have to say.
    pub fn gather(accepted: Accepted, sandbox: &Sandbox, home: &Path) -> Self {
        Self {
            runs: listed(home, &[]),
            parked: listed(home, &["--state", "parked"]),
            ..Self::of_stand_in(accepted, sandbox)
        }
    }

    /// Without any runs.
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

    /// How often each deed was done for each event.
    pub fn deeds(&self) -> BTreeMap<(Deed, u64), usize> {
        let mut deeds = BTreeMap::new();
        for done in self.log.iter().filter_map(Deed::of) {
            *deeds.entry(done).or_default() += 1;
        }
        deeds
    }
}

/// The runs that `hob runs list` tells of.
pub fn listed(home: &Path, which: &[&str]) -> Vec<Listed> {
    let all = ["runs", "list", "--limit", "0", "--format", "json"];
    let output = hob(home, &[&all[..], which].concat()).code(0).json();
    serde_json::from_value(output).unwrap()
}
