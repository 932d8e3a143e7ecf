//! The time up to which the changes of a list are known, by the API's clock. Pure.
//!
//! The newest change seen is such a time. But after a quiet period it is old, and every poll would read all changes of
//! about that time again. So the watermark advances by the time that has passed here since. Because it uses only the
//! difference between two readings of hob's own clock, it does not matter how far the clocks differ.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::value::timestamp;

/// A time by the API's clock, and a time by hob's clock at which the API's clock had reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// Time by the API's clock.
    pub time: DateTime<Utc>,
    /// Time by hob's clock; `None` in cursors of earlier versions of hob.
    pub at: Option<DateTime<Utc>>,
}

impl Watermark {
    /// Reads the form in which a cursor stores it.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Object(fields) => {
                Some(Self { time: timestamp(fields.get("time")?)?, at: fields.get("at").and_then(timestamp) })
            }
            plain => Some(Self { time: timestamp(plain)?, at: None }),
        }
    }

    /// The form in which a cursor stores it.
    pub fn to_value(self) -> Value {
        json!({ "time": self.time.to_rfc3339(), "at": self.at.map(|at| at.to_rfc3339()) })
    }

    /// The watermark after a scan that began at `started`, by hob's clock, and saw `newest`. `server` is the API's
    /// clock at the start of the scan, where answers have a date; it keeps a jump of hob's clock from hiding changes.
    pub fn after(
        before: Option<Self>,
        newest: Option<Self>,
        started: DateTime<Utc>,
        server: Option<DateTime<Utc>>,
    ) -> Option<Self> {
        let passed = before.and_then(|mark| {
            let time = mark.time + (started - mark.at.filter(|at| *at < started)?);
            let time = server.map_or(time, |server| time.min(server)).max(mark.time);
            Some(Self { time, at: Some(started) })
        });
        let kept = passed.or(before);
        match (kept, newest) {
            (Some(kept), Some(newest)) if newest.time >= kept.time => Some(newest),
            (Some(kept), _) => Some(kept),
            (None, newest) => newest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn mark(time: &str, ours: &str) -> Watermark {
        Watermark { time: at(time), at: Some(at(ours)) }
    }

    #[test]
    fn it_advances_with_local_time() {
        // The API writes local times in a zone five hours behind UTC, without the offset.
        let seen = mark("2026-03-01T07:00:00Z", "2026-03-01T12:00:10Z");
        let quiet = Watermark::after(Some(seen), Some(seen), at("2026-03-01T12:10:00Z"), None).unwrap();
        assert_eq!(quiet, mark("2026-03-01T07:09:50Z", "2026-03-01T12:10:00Z"));
        let newer = mark("2026-03-01T07:15:00Z", "2026-03-01T12:15:01Z");
        assert_eq!(Watermark::after(Some(quiet), Some(newer), at("2026-03-01T12:15:00Z"), None), Some(newer));
    }

    #[test]
    fn clocks_that_jump_hide_nothing() {
        let seen = mark("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z");
        let back = Watermark::after(Some(seen), None, at("2026-03-01T11:00:00Z"), None);
        assert_eq!(back, Some(seen), "ours was set back");
        let server = at("2026-03-01T12:05:00Z");
        let ahead = Watermark::after(Some(seen), None, server + TimeDelta::hours(1), Some(server)).unwrap();
        assert_eq!(ahead.time, server, "ours was set forward");
        let stale =
            Watermark::after(Some(seen), None, at("2026-03-01T13:00:00Z"), Some(at("2026-01-01T00:00:00Z")));
        assert_eq!(stale.unwrap().time, seen.time);
    }

    #[test]
    fn stores_of_earlier_versions_are_read() {
        let old = Watermark::read(&json!("2026-03-01T12:00:00+00:00")).unwrap();
        assert_eq!((old.time, old.at), (at("2026-03-01T12:00:00Z"), None));
        assert_eq!(Watermark::after(Some(old), None, at("2026-03-02T12:00:00Z"), None), Some(old));
        let both = mark("2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z");
        assert_eq!(Watermark::read(&both.to_value()), Some(both));
    }
}
