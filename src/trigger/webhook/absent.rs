//! Listeners that are temporarily absent. Senders are asked to retry, so that nothing is lost while a recipe is
//! edited or its file is moved.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

/// How long senders are asked to retry after a recipe was removed. HighLevel retries for over an hour.
pub const GRACE: TimeDelta = TimeDelta::minutes(10);

/// What a recipe listens to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Listener {
    /// A path of the recipe's own, without leading or trailing slashes.
    Path(String),
    /// An event of an app.
    Event {
        /// Name of the app.
        app: String,
        /// Name of the event.
        name: String,
    },
}

/// Absent listeners with the time at which waiting for them ends; `None` while their recipe exists and cannot run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absent(HashMap<Listener, Option<DateTime<Utc>>>);

impl Absent {
    /// Adds listeners of recipes that exist and cannot run. They stay absent until the recipe can run or is removed.
    pub(super) fn wait_for(&mut self, listeners: impl IntoIterator<Item = Listener>) {
        self.0.extend(listeners.into_iter().map(|listener| (listener, None)));
    }

    /// Adds the listeners that existed (`were`) or were absent before and are not among `present` now.
    pub(super) fn since(
        mut self,
        were: &HashSet<Listener>,
        before: &Self,
        present: &HashSet<Listener>,
        now: DateTime<Utc>,
    ) -> Self {
        let gone = were.iter().cloned().map(|listener| (listener, now + GRACE));
        let waited =
            before.0.iter().map(|(listener, until)| (listener.clone(), until.unwrap_or(now + GRACE)));
        for (listener, until) in gone.chain(waited).filter(|(_, until)| *until > now) {
            self.0.entry(listener).or_insert(Some(until));
        }
        self.0.retain(|listener, _| !present.contains(listener));
        self
    }

    /// Whether senders to `listener` are asked to retry.
    pub(super) fn is_waited_for(&self, listener: &Listener, now: DateTime<Utc>) -> bool {
        self.0.get(listener).is_some_and(|until| until.is_none_or(|until| until > now))
    }

    /// Whether any event of `app` has an absent listener.
    pub(super) fn has_app(&self, app: &str, now: DateTime<Utc>) -> bool {
        let of_app =
            |listener: &&Listener| matches!(listener, Listener::Event { app: known, .. } if known == app);
        self.0.keys().filter(of_app).any(|listener| self.is_waited_for(listener, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> Listener {
        Listener::Path(name.to_owned())
    }

    #[test]
    fn absent_listeners_are_waited_for_until_they_return_or_time_out() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let both = HashSet::from([path("a"), path("b")]);
        let one = HashSet::from([path("b")]);
        let first = Absent::default().since(&both, &Absent::default(), &one, start);
        assert!(first.is_waited_for(&path("a"), start) && !first.is_waited_for(&path("b"), start));
        assert!(!first.is_waited_for(&path("a"), start + GRACE));
        // Further reloads do not extend the time.
        let later = start + TimeDelta::minutes(1);
        let second = Absent::default().since(&one, &first, &one, later);
        assert!(second.is_waited_for(&path("a"), later) && !second.is_waited_for(&path("a"), start + GRACE));
        let back = Absent::default().since(&one, &second, &both, later);
        assert!(!back.is_waited_for(&path("a"), later));
        // A recipe that cannot run is waited for without limit; once its file is removed, for the grace period.
        let mut broken = Absent::default();
        broken.wait_for([path("c")]);
        assert!(broken.is_waited_for(&path("c"), start + GRACE + GRACE));
        let gone = Absent::default().since(&one, &broken, &one, later);
        assert!(gone.is_waited_for(&path("c"), later) && !gone.is_waited_for(&path("c"), later + GRACE));
    }
}
