//! Windows of time: which part of a list that answers only for such a window a poll reads, and what it tells of a record
//! that the list no longer shows. Pure.
//!
//! The window of a scan depends only on when the scan started, so that an interrupted one is continued with the same
//! bounds. The bounds of the part that is being read are inputs of the page.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::catalog::{ListWindow, Listing};
use crate::recipe;
use crate::request::paging::in_item;
use crate::value::timestamp;

/// What separates a record's fingerprint from its own time.
const AT: char = '@';

/// The window that a poll moves along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollWindow {
    list: ListWindow,
    past: TimeDelta,
    ahead: TimeDelta,
    /// The widest part that is asked for at once.
    part: TimeDelta,
    /// The beginning, where it does not depend on the start of the scan.
    since: Option<DateTime<Utc>>,
}

impl PollWindow {
    /// The window of a poll with the inputs `with`, as wide as `own` says; `None` where the list has none, or the inputs
    /// say which one they want.
    pub fn of(listing: &Listing, with: &Value, own: Option<recipe::PollWindow>) -> Option<Self> {
        let list = listing.moving_window(with)?.clone();
        let own = own.unwrap_or_default();
        let days = |days: u32| TimeDelta::days(days.into());
        let width = |own: Option<std::time::Duration>, usual: u32| {
            own.and_then(|own| TimeDelta::from_std(own).ok()).unwrap_or(days(usual))
        };
        let (past, ahead) = (width(own.past, list.days_past), width(own.ahead, list.days_ahead));
        let part = list.max_days.map_or(TimeDelta::MAX, days).max(TimeDelta::days(1));
        Some(Self { list, past, ahead, part, since: None })
    }

    /// The same for a backfill from `since` on. It reads part after part, each as wide as the window of a poll.
    pub(super) fn since(self, since: Option<DateTime<Utc>>) -> Self {
        let part = self.part.min((self.past + self.ahead).max(TimeDelta::days(1)));
        Self { since, part, ..self }
    }

    /// The inputs as they are written, with the bounds in relation to the poll.
    pub fn written(&self, with: &Value) -> Value {
        let mut inputs = with.as_object().cloned().unwrap_or_default();
        let bound =
            |sign: &str, width: TimeDelta| Value::from(format!("now {sign} {}s", width.num_seconds()));
        inputs.insert(self.list.from.clone(), bound("-", self.past));
        inputs.insert(self.list.to.clone(), bound("+", self.ahead));
        Value::Object(inputs)
    }

    /// The number of parts.
    pub fn parts(&self) -> u64 {
        let width = (self.past + self.ahead).num_seconds().max(1);
        u64::try_from((width - 1) / self.part.num_seconds().max(1) + 1).unwrap_or(1)
    }

    fn range(&self, started: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let from = self.since.unwrap_or(started - self.past);
        (from, (started + self.ahead).max(from))
    }

    /// The inputs for the part that begins at `from`; `None` behind the last one.
    fn part(&self, started: DateTime<Utc>, from: DateTime<Utc>) -> Option<Map<String, Value>> {
        let (first, end) = self.range(started);
        let to = from.checked_add_signed(self.part).map_or(end, |to| to.min(end));
        (from < end || from == first).then(|| self.list.between(from, to))
    }

    /// The inputs for the first part, of a scan that began at `started`.
    pub(super) fn first(&self, started: DateTime<Utc>) -> Map<String, Value> {
        let (from, _) = self.range(started);
        self.part(started, from).unwrap_or_default()
    }

    /// The inputs for the part after the one that `page` belongs to. If it belongs to none, because the clock was set back
    /// meanwhile, the scan goes through all of them again.
    pub(super) fn next(
        &self,
        started: DateTime<Utc>,
        page: &Map<String, Value>,
    ) -> Option<Map<String, Value>> {
        let (mut from, _) = self.range(started);
        while let Some(part) = self.part(started, from) {
            from = from.checked_add_signed(self.part)?;
            if part.iter().all(|(name, value)| page.get(name) == Some(value)) {
                return self.part(started, from);
            }
        }
        Some(self.first(started))
    }

    /// The fingerprint of an item with its own time.
    pub(super) fn fingerprint(&self, fingerprint: String, item: &Value) -> String {
        match in_item(item, &self.list.time).and_then(|time| timestamp(&time)) {
            Some(time) => format!("{fingerprint}{AT}{}", time.timestamp_millis()),
            None => fingerprint,
        }
    }

    /// Whether a scan that began at `started` shows the record with this fingerprint, if it is still there.
    pub(super) fn shows(&self, fingerprint: &str, started: DateTime<Utc>) -> bool {
        let (from, to) = self.range(started);
        let time = fingerprint.rsplit_once(AT).and_then(|(_, time)| time.parse().ok());
        let time = time.and_then(DateTime::from_timestamp_millis);
        time.is_some_and(|time| self.list.shows(time, from, to))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listing(more: &str) -> Listing {
        let text = format!(
            "{{ items: ['$[*]'], id: [id], window: {{ from: a, to: b, form: date-time, time: at, days_past: 1, days_ahead: 9{more} }} }}"
        );
        serde_yaml::from_str(&text).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The bounds of all parts.
    fn parts(window: &PollWindow, started: DateTime<Utc>) -> Vec<(String, String)> {
        let mut parts = Vec::new();
        let mut next = Some(window.first(started));
        while let Some(part) = next {
            let text = |name: &str| part[name].as_str().unwrap()[..10].to_owned();
            parts.push((text("a"), text("b")));
            next = window.next(started, &part);
        }
        parts
    }

    fn days(days: &[&str]) -> Vec<(String, String)> {
        days.windows(2).map(|pair| (format!("2026-{}", pair[0]), format!("2026-{}", pair[1]))).collect()
    }

    #[test]
    fn a_window_moves_and_is_read_in_parts() {
        let started = at("2026-11-23T12:00:00Z");
        let window = PollWindow::of(&listing(""), &json!({}), None).unwrap();
        assert_eq!(parts(&window, started), days(&["11-22", "12-02"]));
        let first = window.first(started);
        assert_eq!(first["a"], "2026-11-22T12:00:00Z");
        assert_eq!(window.first(started + TimeDelta::hours(1))["a"], "2026-11-22T13:00:00Z");

        let narrow = PollWindow::of(&listing(", max_days: 4"), &json!({}), None).unwrap();
        assert_eq!(parts(&narrow, started), days(&["11-22", "11-26", "11-30", "12-02"]));
        assert_eq!((window.parts(), narrow.parts()), (1, 3));
        let own = recipe::PollWindow { past: None, ahead: Some(std::time::Duration::ZERO) };
        let past = PollWindow::of(&listing(""), &json!({}), Some(own)).unwrap();
        assert_eq!(parts(&past, started), days(&["11-22", "11-23"]));

        let since = window.clone().since(Some(at("2026-11-01T00:00:00Z")));
        assert_eq!(parts(&since, started), days(&["11-01", "11-11", "11-21", "12-01", "12-02"]));
        assert_eq!(
            parts(&window.since(Some(at("2027-01-01T00:00:00Z"))), started).len(),
            1,
            "an empty one ends"
        );
        assert!(PollWindow::of(&listing(""), &json!({ "a": 1 }), None).is_none());
        let before = started - TimeDelta::hours(1);
        assert_eq!(
            narrow.next(before, &narrow.first(started)),
            Some(narrow.first(before)),
            "the clock was set back"
        );
    }

    #[test]
    fn a_record_outside_is_not_missing() {
        let window = PollWindow::of(&listing(""), &json!({}), None).unwrap();
        let started = at("2026-11-23T12:00:00Z");
        let shows = |time: &str| {
            let print = window.fingerprint("sha256:x".to_owned(), &json!({ "at": time }));
            window.shows(&print, started)
        };
        assert!(shows("2026-11-24T00:00:00Z") && shows("2026-12-02T13:00:00+02:00"));
        assert!(!shows("2026-11-22T12:00:00Z"), "on the line");
        assert!(!shows("2026-11-20T00:00:00Z") && !shows("2026-12-03T00:00:00Z"));
        assert!(!shows("soon") && !window.shows("sha256:x", started), "without a time nothing is known");
    }
}
