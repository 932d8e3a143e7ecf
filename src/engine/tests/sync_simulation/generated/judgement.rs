//! What is wrong with both systems in the end.

use std::collections::BTreeSet;

use super::simulation::Simulation;
use super::systems::{FIELDS, KINDS, OWNED, System};

impl Simulation {
    /// What is wrong in the end.
    pub(super) fn mistakes(&mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.counts.runs = self.engine.history.runs.len();
        for (run, stored) in &self.failed {
            wrong.push(format!("{run} of {} has failed", stored.run.recipe));
        }
        let made: BTreeSet<usize> = self.said.keys().map(|(pair, _)| *pair).collect();
        for pair in made.difference(&self.deleted).copied().collect::<Vec<_>>() {
            let of_pair = |system: &System| {
                let live =
                    system.records.iter().filter(|(_, record)| record.pair == pair && !record.is_deleted);
                live.map(|(id, _)| id.clone()).collect::<Vec<_>>()
            };
            let [ones, others] = [0, 1].map(|system: usize| of_pair(&self.systems[system]));
            self.counts.duplicates += ones.len().saturating_sub(1) + others.len().saturating_sub(1);
            let ([one, ..], [other, ..]) = (ones.as_slice(), others.as_slice()) else {
                wrong.push(format!("pair {pair} has {ones:?} and {others:?}"));
                continue;
            };
            let (one, other) = (self.systems[0].values(one), self.systems[1].values(other));
            for field in 0..FIELDS {
                // A sync never empties a field, neither one whose owner has nothing.
                if field == OWNED && one[field].is_empty() {
                    continue;
                }
                // What the API took and did not keep is told by the run.
                if KINDS[1].drops(field, &one[field]) {
                    continue;
                }
                if KINDS[1].kept(field, &one[field]) != other[field] {
                    wrong.push(format!("pair {pair} differs: {one:?} {other:?}"));
                }
                let said = self.said.get(&(pair, field)).cloned().unwrap_or_default();
                let said: Vec<String> = match field {
                    OWNED => said[..1].iter().flatten().cloned().collect(),
                    _ => said.iter().flatten().cloned().collect(),
                };
                let is_said = said.iter().any(|said| KINDS[1].kept(field, said) == other[field]);
                if !is_said && !said.is_empty() {
                    wrong.push(format!("pair {pair}: {} is old, last said were {said:?}", other[field]));
                }
            }
        }
        wrong
    }
}
