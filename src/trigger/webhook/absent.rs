//! Listeners that are away: senders are asked to try again, so that nothing is lost while a recipe is edited or its
//! file is moved.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

/// So long after a recipe has gone, senders are asked to try again. HighLevel does so for over an hour.
pub const GRACE: TimeDelta = TimeDelta::minutes(10);

/// What a recipe listens to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Listener {
    /// A path of its own, without slashes around it.
    Path(String),
    /// An event of an app.
    Event {
        /// The app.
        app: String,
        /// The event.
        name: String,
    },
}

/// Listeners that are away, and until when they are waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absent(HashMap<Listener, Option<DateTime<Utc>>>);

impl Absent {
    /// Those of recipes that are there and cannot run: they are waited for as long as that is so.
    pub(super) fn wait_for(&mut self, listeners: impl IntoIterator<Item = Listener>) {
        self.0.extend(listeners.into_iter().map(|listener| (listener, None)));
    }

    /// With those that `were` there or waited for before and are not among `present` now.
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

    /// Whether `listener` is waited for.
    pub(super) fn is_waited_for(&self, listener: &Listener, now: DateTime<Utc>) -> bool {
        self.0.get(listener).is_some_and(|until| until.is_none_or(|until| until > now))
    }

    /// Whether an event of `app` is waited for.
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
    fn what_has_gone_is_waited_for_until_it_is_back_or_its_time_is_over() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let both = HashSet::from([path("a"), path("b")]);
        let one = HashSet::from([path("b")]);
        let first = Absent::default().since(&both, &Absent::default(), &one, start);
        assert!(first.is_waited_for(&path("a"), start) && !first.is_waited_for(&path("b"), start));
        assert!(!first.is_waited_for(&path("a"), start + GRACE));
        // Other reloads do not prolong it.
        let later = start + TimeDelta::minutes(1);
        let second = Absent::default().since(&one, &first, &one, later);
        assert!(second.is_waited_for(&path("a"), later) && !second.is_waited_for(&path("a"), start + GRACE));
        let back = Absent::default().since(&one, &second, &both, later);
        assert!(!back.is_waited_for(&path("a"), later));
        // A broken one is waited for without end; once its file is gone too, for some time.
        let mut broken = Absent::default();
        broken.wait_for([path("c")]);
        assert!(broken.is_waited_for(&path("c"), start + GRACE + GRACE));
        let gone = Absent::default().since(&one, &broken, &one, later);
        assert!(gone.is_waited_for(&path("c"), later) && !gone.is_waited_for(&path("c"), later + GRACE));
    }
}
