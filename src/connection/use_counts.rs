//! Who uses a connection: its requests by recipe and priority, as far as this process has sent them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::event::Priority;

/// Seconds of the stretches in which requests are counted.
const STRETCH: i64 = 3600;
/// Stretches that are kept: a day, and the one that it begins in.
const KEPT: i64 = 25;

/// A recipe, if there was one, and the priority of its requests.
type User = (Option<Arc<str>>, Priority);

/// The requests of the last day by who sent them.
#[derive(Debug, Default)]
pub struct UseCounts(Mutex<BTreeMap<i64, HashMap<User, u64>>>);

/// How many requests a recipe has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The recipe; none for what people and checks send.
    pub recipe: Option<Arc<str>>,
    /// The priority.
    pub priority: Priority,
    /// The requests.
    pub requests: u64,
}

impl UseCounts {
    /// Counts a request.
    pub fn count(&self, recipe: Option<&Arc<str>>, priority: Priority, now: DateTime<Utc>) {
        let mut stretches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stretch = stretch(now);
        *stretches.entry(stretch).or_default().entry((recipe.cloned(), priority)).or_default() += 1;
        while stretches.first_key_value().is_some_and(|(first, _)| *first <= stretch - KEPT) {
            stretches.pop_first();
        }
    }

    /// The requests since `since`, rounded down to an hour, the most first.
    pub fn since(&self, since: DateTime<Utc>) -> Vec<Use> {
        let stretches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums: HashMap<&User, u64> = HashMap::new();
        for (user, requests) in stretches.range(stretch(since)..).flat_map(|(_, counts)| counts) {
            *sums.entry(user).or_default() += requests;
        }
        let used = |((recipe, priority), requests): (&User, u64)| Use {
            recipe: recipe.clone(),
            priority: *priority,
            requests,
        };
        let mut uses: Vec<Use> = sums.into_iter().map(used).collect();
        uses.sort_by(|one, other| {
            let key = |used: &Use| (std::cmp::Reverse(used.requests), used.recipe.clone(), used.priority);
            key(one).cmp(&key(other))
        });
        uses
    }
}

fn stretch(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(STRETCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_recipe_and_priority_for_a_day() {
        let at = |hour: i64| DateTime::from_timestamp(hour * STRETCH + 5, 0).unwrap();
        let (counts, leads): (_, Arc<str>) = (UseCounts::default(), "leads".into());
        for (recipe, priority, hour) in [
            (Some(&leads), Priority::Poll, 0),
            (Some(&leads), Priority::Poll, 1),
            (Some(&leads), Priority::Webhook, 1),
            (Some(&leads), Priority::Poll, 2),
            (None, Priority::Webhook, 2),
        ] {
            counts.count(recipe, priority, at(hour));
        }
        let told = |since: i64| {
            let uses = counts.since(at(since)).into_iter();
            uses.map(|used| (used.recipe.is_some(), used.priority, used.requests)).collect::<Vec<_>>()
        };
        assert_eq!(
            told(0),
            [(true, Priority::Poll, 3), (false, Priority::Webhook, 1), (true, Priority::Webhook, 1)]
        );
        assert_eq!(told(2), [(false, Priority::Webhook, 1), (true, Priority::Poll, 1)]);
        counts.count(None, Priority::Webhook, at(26));
        assert_eq!(
            told(0).iter().map(|used| used.2).sum::<u64>(),
            3,
            "what is older than a day is forgotten"
        );
    }
}
