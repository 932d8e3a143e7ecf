//! Why hob has no event of a change that a list shows.

use chrono::{DateTime, TimeDelta, Utc};

use super::finding::{Finding, What};
use super::records::{Obstacles, resume};
use crate::event::Cursor;
use crate::run::Accounts;
use crate::trigger::{ComparedList, Unseen};

/// How long a webhook or a poll may take: what is younger is looked for once more.
pub(super) const UNDER_WAY: TimeDelta = TimeDelta::seconds(10);
/// How much later than its lag a list may show a change before that is worth a remark.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// What is known of a list when a change is judged.
pub(super) struct Situation<'a> {
    pub(super) recipe: &'a str,
    pub(super) accounts: &'a Accounts,
    pub(super) list: &'a ComparedList,
    /// The progress of the poller that reads it, if one does.
    pub(super) cursor: Option<&'a Cursor>,
    pub(super) obstacles: &'a Obstacles,
    pub(super) now: DateTime<Utc>,
}

impl Situation<'_> {
    /// When it will be certain that the change was missed; `None` if it is now, or if a poll is going to find it.
    pub(super) fn certain_at(&self, unseen: &Unseen) -> Option<DateTime<Utc>> {
        let expected = match (self.list.is_polled, self.cursor) {
            (true, Some(cursor)) => cursor.due,
            _ => unseen.changed?,
        };
        let certain = expected + UNDER_WAY;
        (expected <= self.now && certain > self.now).then_some(certain)
    }

    /// The finding of a change that is still not known.
    pub(super) fn finding(&self, unseen: &Unseen) -> Finding {
        let (what, why, todo) =
            if self.list.is_polled { self.not_polled(unseen) } else { self.not_sent(unseen) };
        Finding {
            record: Some(unseen.record.clone()),
            recipe: self.recipe.to_owned(),
            what,
            since: unseen.changed,
            why,
            run: None,
            todo,
            fields: Vec::new(),
            mended: false,
        }
    }

    fn not_polled(&self, unseen: &Unseen) -> (What, String, String) {
        let recipe = self.recipe;
        let Some(cursor) = self.cursor else {
            return (What::OnItsWay, "the first poll has not ended".to_owned(), String::new());
        };
        if let Some((what, since)) = self.obstacles.pause(recipe, self.accounts) {
            let why = format!("{what} is paused since {} and polls nothing", time(since));
            return (What::Paused, why, resume(&what));
        }
        if let Some(held) = self.obstacles.hold(self.accounts) {
            let why = format!("the connection `{}` is held: {}", held.connection, held.reason);
            return (What::Held, why, "give it a credential that works".to_owned());
        }
        if self.was_late(unseen, cursor) {
            let why = format!("the list did not show it yet when it was polled at {}", time(cursor.started));
            return (What::Missed, why, mend());
        }
        if cursor.failures > 0 {
            let error = cursor.error.as_deref().unwrap_or("unknown");
            let since =
                cursor.health.failing_since.map(|at| format!(" since {}", time(at))).unwrap_or_default();
            return (What::Missed, format!("its polls fail{since}: {error}"), mend());
        }
        if cursor.due > self.now || cursor.page.is_some() && cursor.due + UNDER_WAY > self.now {
            let why = format!("its poll is due at {}", time(cursor.due));
            return (What::OnItsWay, why, String::new());
        }
        let last = cursor.health.succeeded.unwrap_or(cursor.started);
        let why = format!("not polled since {}, though due at {}", time(last), time(cursor.due));
        (What::Missed, why, format!("start `hob run`; or {}", mend()))
    }

    /// Whether a poll after the change did not see it, though the list should have shown it.
    fn was_late(&self, unseen: &Unseen, cursor: &Cursor) -> bool {
        let Some(changed) = unseen.changed.filter(|_| cursor.page.is_none()) else { return false };
        let lag = self.list.lag();
        // The last poll may have ended before it came to the record, so what counts is the last that read far enough.
        let read = match cursor.settled.again {
            Some(again) => again - lag - lag,
            None => cursor.started - lag,
        };
        changed + LATE < read.min(cursor.started)
    }

    fn not_sent(&self, unseen: &Unseen) -> (What, String, String) {
        if unseen.is_vague {
            let why = "it was changed, and the list does not show in what";
            return (What::Unclear, why.to_owned(), String::new());
        }
        let todo = match self.cursor {
            Some(cursor) => format!("the next sweep is due at {}; or {}", time(cursor.due), mend()),
            None => format!("{}; `reconcile: 6h` at the trigger would find it", mend()),
        };
        (What::Missed, "no webhook of it arrived".to_owned(), todo)
    }
}

fn mend() -> String {
    "--mend makes its event".to_owned()
}

/// A time, for people.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
