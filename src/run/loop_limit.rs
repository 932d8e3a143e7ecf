//! Limits of chains of runs in which each was started by a write of the previous one.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::entry::ChainLink;
use crate::value::before;

/// How long a chain that returns to a recipe may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopLimit {
    /// Maximum number of earlier runs of the recipe.
    pub of_recipe: usize,
    /// Maximum number of earlier runs about one record, of any recipe.
    pub of_record: usize,
    /// Only runs of at most this age count.
    pub within: Duration,
}

impl Default for LoopLimit {
    fn default() -> Self {
        Self { of_recipe: 4, of_record: 5, within: Duration::from_secs(60) }
    }
}

impl LoopLimit {
    /// Why a run of `recipe` after `chain` must not start, if so.
    pub(super) fn exceeded(self, recipe: &str, chain: &[ChainLink], now: DateTime<Utc>) -> Option<String> {
        let since = before(now, self.within);
        let recent: Vec<&ChainLink> = chain.iter().filter(|link| link.at >= since).collect();
        let own = recent.iter().filter(|link| link.recipe == recipe).count();
        let about = |record: &str| recent.iter().filter(|link| link.record == record).count();
        let most = recent.iter().map(|link| about(&link.record)).max().unwrap_or_default();
        if own == 0 || own < self.of_recipe && most < self.of_record {
            return None;
        }
        let runs: Vec<String> = recent
            .iter()
            .map(|link| format!("{} ({}, record {})", link.run, link.recipe, link.record))
            .collect();
        Some(format!(
            "a loop: each of these {} runs wrote what started the next one within {}, and so came back to `{recipe}`: \
             {}. `hob runs retry` runs it all the same, `hob runs skip` leaves it; `loops` in hob.yaml sets the limit",
            recent.len(),
            spoken(self.within),
            runs.join(" → ")
        ))
    }
}

fn spoken(span: Duration) -> String {
    match span.as_secs() {
        60 => "a minute".to_owned(),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunId;
    use crate::run::testing::time;

    /// How many runs of `recipes` in turn, each about the next of `records`, start before one is stopped.
    fn runs_before_the_end(recipes: &[&str], records: &[&str], seconds: i64) -> Option<usize> {
        let mut chain = Vec::new();
        for turn in 0..20 {
            let at = time(turn * seconds);
            let turn = usize::try_from(turn).unwrap();
            let recipe = recipes[turn % recipes.len()];
            if LoopLimit::default().exceeded(recipe, &chain, at).is_some() {
                return Some(turn);
            }
            let record = records[turn % records.len()].to_owned();
            chain.push(ChainLink { run: RunId(turn.to_string()), recipe: recipe.to_owned(), record, at });
        }
        None
    }

    #[test]
    fn a_loop_ends_after_a_few_runs() {
        assert_eq!(runs_before_the_end(&["a"], &["1"], 1), Some(4));
        assert_eq!(runs_before_the_end(&["a", "b", "c"], &["1"], 1), Some(5));
        assert_eq!(runs_before_the_end(&["a", "b"], &["1", "2"], 1), Some(8));
        // Each run creates the record of the next one.
        let records: Vec<String> = (0..20).map(|record| record.to_string()).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        assert_eq!(runs_before_the_end(&["a"], &records, 1), Some(4));
    }

    #[test]
    fn slow_chains_and_chains_without_a_return_continue() {
        assert_eq!(runs_before_the_end(&["a"], &["1"], 20), None);
        let chain: Vec<ChainLink> = ["a", "b", "c", "d", "e", "f"]
            .iter()
            .map(|name| ChainLink {
                run: RunId((*name).to_owned()),
                recipe: (*name).to_owned(),
                record: "1".to_owned(),
                at: time(0),
            })
            .collect();
        assert_eq!(LoopLimit::default().exceeded("g", &chain, time(1)), None);
        assert!(LoopLimit::default().exceeded("a", &chain, time(1)).is_some());
    }
}
