//! A workspace with a sync, against the sandbox.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::program::hob;
use crate::stand_in::StandIn;

pub const ADA: &str = "ada@example.com";
/// A sync of people.
pub const PEOPLE: &str = r#"
name: people
sync:
  sides:
    highlevel: { record: contact, every: 10ms }
    fitr: { record: client, every: 10ms }
  match: email
  fields:
    email: { highlevel: { value: "{{ record.email | lower }}" } }
    name: { highlevel: firstName, fitr: full_name }
    phone: {}
    program: { highlevel: city, owner: fitr }
"#;
/// Each contact has a task of a coach, and loses it with the contact.
pub const FOLLOW_UPS: &str = r#"
name: follow-ups
sync:
  sides:
    highlevel: { record: contact, every: 10ms }
    fitr: { record: task, every: 10ms }
  match: contact
  fields:
    contact: { highlevel: id, fitr: external_id, direction: to-fitr }
    client: { fitr: { field: client_id, value: "{{ 'cl_81d5kq2v' }}" }, direction: to-fitr }
    title: { fitr: { value: "{{ 'Call ' ~ record.firstName }}" }, direction: to-fitr }
  create: to-fitr
  delete: to-fitr
"#;

/// Runs by recipe and state.
pub type Runs = BTreeMap<(String, String), usize>;

/// One run.
pub fn only(recipe: &str, state: &str) -> Runs {
    Runs::from([((recipe.to_owned(), state.to_owned()), 1)])
}

pub struct Workspace {
    pub stand_in: StandIn,
    pub folder: tempfile::TempDir,
}

impl Workspace {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let (stand_in, folder) = (StandIn::start(), tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("recipes")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join("recipes").join(name), text).unwrap();
        }
        fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
        Self { stand_in, folder }
    }

    /// The same, with the lists read once.
    pub fn begun(text: &str) -> Self {
        let workspace = Self::new(&[("sync.yaml", text)]);
        workspace.once();
        workspace
    }

    pub fn hob(&self, arguments: &[&str]) -> crate::program::EndedRun {
        hob(self.folder.path(), arguments)
    }

    /// Polls all lists, and runs what follows.
    pub fn once(&self) -> Runs {
        let before = self.runs().len();
        let recipes = self.hob(&["status", "--format", "json"]).code(0).json();
        let recipes = recipes["recipes"].as_array().unwrap().len();
        let mut polled = std::collections::BTreeSet::new();
        // A list is not due again at once.
        while polled.len() < recipes {
            let summary = self.hob(&["run", "--once", "--format", "json"]).code(0).json();
            let polls = summary["polls"].as_array().unwrap().iter();
            polled.extend(polls.map(|poll| poll["recipe"].as_str().unwrap().to_owned()));
        }
        let runs = self.runs();
        let mut counts = Runs::new();
        for run in &runs[..runs.len() - before] {
            let text = |name: &str| run[name].as_str().unwrap().to_owned();
            *counts.entry((text("recipe"), text("state"))).or_default() += 1;
        }
        counts
    }

    /// All runs, newest first.
    pub fn runs(&self) -> Vec<Value> {
        let listed = self.hob(&["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
        listed.as_array().unwrap().clone()
    }

    /// The history of the newest run in this state.
    pub fn shown(&self, state: &str) -> String {
        let run = self.runs().into_iter().find(|run| run["state"] == state).unwrap();
        self.hob(&["runs", "show", run["id"].as_str().unwrap()]).code(0).output
    }

    pub fn call(&self, operation: &str, with: &Value) {
        self.hob(&["call", operation, "--with", &with.to_string()]).code(0);
    }

    pub fn find(&self, connector: &str, collection: &str, field: &str, value: &str) -> Option<Value> {
        let records = self.stand_in.sandbox.records(connector, collection, 1000).unwrap();
        records.into_iter().find(|record| record[field] == value)
    }

    pub fn contact(&self) -> Value {
        self.find("highlevel", "contacts", "email", ADA).unwrap()
    }

    pub fn client(&self) -> Value {
        self.find("fitr", "clients", "email", ADA).unwrap()
    }

    /// Requests by operation.
    pub fn sent(&self) -> BTreeMap<String, usize> {
        self.stand_in.sandbox.totals().1.into_iter().map(|(name, count)| (name, count as usize)).collect()
    }
}
