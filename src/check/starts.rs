//! Which recipes start which by what they write.

use std::collections::{BTreeSet, VecDeque};

use indexmap::IndexSet;

use super::checked::CheckedRecipe;
use super::feedback::{Resource, writing_steps};
use crate::catalog::{Catalog, Operation, Place, RecordChange, WriteTarget};
use crate::recipe::{EchoPolicy, Emit, Trigger, Webhook};

/// The connections of a recipe to a connector; `None` stands for the only one.
type Connections = BTreeSet<Option<String>>;

/// What a trigger reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Read {
    resource: Resource,
    /// The changes that it reports.
    reports: Vec<Emit>,
    connections: Connections,
}

/// What a step writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Write {
    resource: Resource,
    /// The changes that it may cause.
    causes: &'static [Emit],
    connections: Connections,
}

/// For each recipe, those that it may start. Recipes that read and write the same are alike here, so that a thousand of
/// them are not compared one by one.
#[derive(Debug)]
pub(super) struct Starts {
    /// For each recipe, the number of what it writes in `started`.
    written: Vec<usize>,
    /// The recipes that are started by what is written, ascending.
    started: Vec<Vec<usize>>,
    /// For each recipe, whether its own echoes start it.
    runs_echoes: Vec<bool>,
}

impl Read {
    /// What the trigger of `recipe` reads; `None` if unknown.
    pub(super) fn of(recipe: &CheckedRecipe) -> Option<Self> {
        let resource = Resource::of_trigger(recipe)?;
        let reports = match recipe.trigger() {
            Trigger::Poll(poll) => poll.emit.clone(),
            Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
                types.iter().flat_map(|name| changes(recipe.catalog(), connector, name)).copied().collect()
            }
            _ => return None,
        };
        let connections = connections(recipe, &resource.connector);
        Some(Self { resource, reports, connections })
    }
}

impl Write {
    /// What a step of `recipe` with this operation writes.
    pub(super) fn of(recipe: &CheckedRecipe, operation: &Operation) -> Self {
        let in_path = operation.parameters.values().any(|parameter| parameter.place == Place::Path);
        let causes: &[Emit] = match operation.write_target() {
            Some(WriteTarget::Created) => &[Emit::New],
            Some(WriteTarget::Deleted) => &[Emit::Removed],
            // A write without an id may find no record and create one.
            Some(WriteTarget::Fields) if !in_path => &[Emit::New, Emit::Changed],
            _ => &[Emit::Changed],
        };
        let connections = connections(recipe, &operation.connector);
        Self { resource: Resource::of_operation(operation), causes, connections }
    }

    /// Whether it may start a recipe that reads this.
    pub(super) fn starts(&self, read: &Read) -> bool {
        self.resource.meets(&read.resource)
            && !self.connections.is_disjoint(&read.connections)
            && read.reports.iter().any(|kind| self.causes.contains(kind))
    }
}

impl Starts {
    /// Which of these recipes start each other.
    pub(super) fn among(recipes: &[CheckedRecipe]) -> Self {
        let (mut reads, mut writes) = (IndexSet::<Read>::new(), IndexSet::<Write>::new());
        let (mut readers, mut all_written) = (Vec::<Vec<usize>>::new(), IndexSet::<BTreeSet<usize>>::new());
        let mut written = Vec::new();
        for (at, recipe) in recipes.iter().enumerate() {
            if let Some(read) = Read::of(recipe) {
                let (read, _) = reads.insert_full(read);
                readers.resize_with(reads.len(), Vec::new);
                readers[read].push(at);
            }
            let of_steps = writing_steps(recipe).map(|action| Write::of(recipe, action.operation));
            let of_steps = of_steps.map(|write| writes.insert_full(write).0).collect();
            written.push(all_written.insert_full(of_steps).0);
        }
        let started = all_written.iter().map(|written| {
            let starts = |read: &Read| written.iter().any(|write| writes[*write].starts(read));
            let started = reads.iter().zip(&readers).filter(|(read, _)| starts(read));
            let mut started: Vec<usize> = started.flat_map(|(_, readers)| readers).copied().collect();
            started.sort_unstable();
            started
        });
        let runs_echoes = recipes.iter().map(|recipe| recipe.recipe().echo == EchoPolicy::Allow).collect();
        Self { started: started.collect(), written, runs_echoes }
    }

    /// The recipes that the one at `at` may start; itself only if its echoes run.
    fn started_by(&self, at: usize) -> impl Iterator<Item = usize> {
        let started = self.started[self.written[at]].iter().copied();
        started.filter(move |other| *other != at || self.runs_echoes[at])
    }

    /// The shortest path from `first` back to itself through later recipes.
    pub(super) fn shortest_cycle(&self, first: usize) -> Option<Vec<usize>> {
        let mut before = vec![None; self.written.len()];
        let mut waiting = VecDeque::from([first]);
        while let Some(last) = waiting.pop_front() {
            for at in self.started_by(last).filter(|at| *at >= first) {
                if at == first {
                    let back = std::iter::successors(Some(last), |at| before[*at]);
                    let mut cycle: Vec<usize> = back.collect();
                    cycle.reverse();
                    return Some(cycle);
                }
                if before[at].is_none() {
                    before[at] = Some(last);
                    waiting.push_back(at);
                }
            }
        }
        None
    }
}

fn connections(recipe: &CheckedRecipe, connector: &str) -> Connections {
    recipe.accounts().iter().map(|accounts| accounts.get(connector).cloned()).collect()
}

/// The changes that an event may report.
fn changes(catalog: &Catalog, connector: &str, name: &str) -> &'static [Emit] {
    let connector = catalog.connector(connector);
    match connector.and_then(|connector| connector.events.get(name)).and_then(|event| event.change) {
        Some(RecordChange::New) => &[Emit::New],
        Some(RecordChange::Removed) => &[Emit::Removed],
        Some(RecordChange::Changed) => &[Emit::Changed],
        None => &[Emit::New, Emit::Changed, Emit::Removed],
    }
}
