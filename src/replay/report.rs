//! Collects what would be different in many runs: alike changes become one group, with as many examples as are asked
//! for.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{Hash, Hasher};

use indexmap::IndexMap;

use super::compare::{Change, What};
use super::replayer::Uncertainty;
use super::run_replay::{NotReplayed, RunReplay};
use crate::run::RunId;
use crate::value::Difference;

/// Most groups of values that are told apart.
const MAX_VALUES: usize = 10;

/// A run that was replayed.
#[derive(Debug, Clone)]
pub struct ReplayedRun {
    /// Its id.
    pub id: RunId,
    /// Its recipe.
    pub recipe: String,
    /// The record of its event.
    pub record: Option<String>,
}

/// The result of a replay.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Of all runs.
    pub counts: Counts,
    /// The same by recipe.
    pub recipes: BTreeMap<String, Counts>,
    /// Why runs were not replayed, and how many.
    pub not_replayed: BTreeMap<NotReplayed, u64>,
    /// What would be different.
    pub groups: IndexMap<GroupKey, Group>,
    /// What cannot be known.
    pub uncertainties: IndexMap<(String, Uncertainty), UncertaintyGroup>,
    /// Runs in which an id was taken from an answer to another request, by recipe and step.
    pub assumed: BTreeMap<(String, String), u64>,
    /// Most examples of a group.
    most: usize,
}

/// Counts of runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Replayed.
    pub replayed: u64,
    /// Of these, those that would do the same.
    pub same: u64,
    /// Those in which something would be different.
    pub different: u64,
    /// Those in which something cannot be known; something else may be different.
    pub inconclusive: u64,
}

/// What a group has in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupKey {
    /// The recipe.
    pub recipe: String,
    /// In which way it is different.
    pub what: What,
    /// The step.
    pub step: Option<String>,
    /// The operation.
    pub operation: Option<String>,
    /// The names of the inputs that differ.
    pub fields: BTreeSet<String>,
}

/// Alike changes.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// In how many runs.
    pub runs: u64,
    /// How many changes.
    pub changes: u64,
    /// Records, by hashes of their ids.
    records: HashSet<u64>,
    /// The values that differ, and how often.
    pub values: Vec<Values>,
    /// Changes whose values are not among those.
    pub others: u64,
    /// Some of them.
    pub examples: Vec<Example>,
    last: Option<RunId>,
}

/// The values of alike changes.
#[derive(Debug, Clone)]
pub struct Values {
    /// Before and after.
    pub fields: Vec<Difference>,
    /// How many changes have them.
    pub changes: u64,
}

/// A change in one run.
#[derive(Debug, Clone)]
pub struct Example {
    /// The run.
    pub run: RunId,
    /// The record.
    pub record: Option<String>,
    /// What differs.
    pub fields: Vec<Difference>,
}

/// Runs with the same uncertainty.
#[derive(Debug, Clone, Default)]
pub struct UncertaintyGroup {
    /// How many.
    pub runs: u64,
    /// Some of them.
    pub examples: Vec<RunId>,
}

impl Counts {
    fn add(&mut self, replay: &RunReplay) {
        self.replayed += 1;
        self.same += u64::from(replay.is_same());
        self.different += u64::from(!replay.changes.is_empty());
        self.inconclusive += u64::from(!replay.uncertainties.is_empty());
    }
}

impl Group {
    /// The number of records.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    fn add(&mut self, run: &ReplayedRun, change: Change, most: usize) {
        self.changes += 1;
        if self.last.as_ref() != Some(&run.id) {
            self.runs += 1;
            self.last = Some(run.id.clone());
        }
        let record = change.record.or_else(|| run.record.clone());
        let mut hasher = DefaultHasher::new();
        // Without a record, each run stands for itself.
        record.as_ref().unwrap_or(&run.id.0).hash(&mut hasher);
        self.records.insert(hasher.finish());
        let known = self.values.len();
        match self.values.iter_mut().find(|values| values.fields == change.fields) {
            Some(values) => values.changes += 1,
            None if known < MAX_VALUES => {
                self.values.push(Values { fields: change.fields.clone(), changes: 1 });
            }
            None => self.others += 1,
        }
        if self.examples.len() < most {
            self.examples.push(Example { run: run.id.clone(), record, fields: change.fields });
        }
    }
}

impl Report {
    /// An empty report that keeps at most so many examples of each group.
    pub fn keeping(examples: usize) -> Self {
        Self { most: examples, ..Self::default() }
    }

    /// Adds what became of a run.
    pub fn add(&mut self, run: &ReplayedRun, replay: RunReplay) {
        self.counts.add(&replay);
        self.recipes.entry(run.recipe.clone()).or_default().add(&replay);
        let RunReplay { changes, uncertainties, assumed } = replay;
        for change in changes {
            let key = GroupKey {
                recipe: run.recipe.clone(),
                what: change.what.clone(),
                step: change.step.clone(),
                operation: change.operation.clone(),
                fields: change.fields.iter().map(|field| field.path.clone()).collect(),
            };
            self.groups.entry(key).or_default().add(run, change, self.most);
        }
        for uncertainty in uncertainties.into_iter().collect::<BTreeSet<_>>() {
            let group = self.uncertainties.entry((run.recipe.clone(), uncertainty)).or_default();
            group.runs += 1;
            if group.examples.len() < self.most {
                group.examples.push(run.id.clone());
            }
        }
        for step in assumed {
            *self.assumed.entry((run.recipe.clone(), step)).or_default() += 1;
        }
    }

    /// Counts a run that is not replayed.
    pub fn leave_out(&mut self, reason: NotReplayed) {
        *self.not_replayed.entry(reason).or_default() += 1;
    }

    /// Whether every replayed run would do the same.
    pub fn is_same(&self) -> bool {
        self.counts.same == self.counts.replayed
    }
}
