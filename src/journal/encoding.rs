//! How values are kept in columns, by every store alike: times as nanoseconds, states as numbers,
//! dedup keys as short hashes. Stored: none of this may change.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

use crate::run::{Origin, RunState, Unsettled, Write};
use crate::value::Value;

/// Nanoseconds since 1970; what does not fit (before 1677, after 2262) counts as the nearest that does.
pub(super) fn stamp(time: DateTime<Utc>) -> i64 {
    time.timestamp_nanos_opt().unwrap_or(if time.timestamp() < 0 { i64::MIN } else { i64::MAX })
}

/// Dues below this are no times: a run with such a one may go on at once, and it is the run's priority.
pub(super) const TIMES: i64 = 2;

/// When a run may go on, as a due; `None` for at once, which stands for its priority.
pub(super) fn due(time: DateTime<Utc>) -> i64 {
    stamp(time).max(TIMES)
}

/// The due of a run that sleeps until it is woken: no time ever comes to it.
pub(super) const NEVER: i64 = i64::MAX;

/// The time of a stamp.
pub(super) fn time(stamp: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(stamp)
}

/// The end of what begins at `now` and lasts for `ttl`.
pub(super) fn until(now: DateTime<Utc>, ttl: Duration) -> i64 {
    let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
    stamp(now.checked_add_signed(ttl).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// A state's number. Never change one.
pub(super) fn code(state: RunState) -> i64 {
    match state {
        RunState::Waiting => 0,
        RunState::Running => 1,
        RunState::Succeeded => 2,
        RunState::Failed => 3,
        RunState::Filtered => 4,
        RunState::Suppressed => 5,
        RunState::Parked => 6,
        RunState::Skipped => 7,
    }
}

/// The state of a number; why not, if it has none.
pub(super) fn state(number: i64) -> Result<RunState, String> {
    RunState::ALL
        .into_iter()
        .find(|state| code(*state) == number)
        .ok_or_else(|| format!("a run has the unknown state {number}"))
}

/// The key under which it is remembered that an event has come: short, so that millions of them fit in
/// memory. `source` is its JSON text. Keys move from store to store.
pub(super) fn receipt(source: &str, dedup: &str) -> [u8; 16] {
    let hash = Sha256::new().chain_update(source).chain_update([0]).chain_update(dedup).finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    key
}

/// What LIKE finds `text` with: in a plain column, and in one of JSON, where it stands as JSON writes it.
pub(super) fn patterns(text: &str) -> (String, String) {
    let json = serde_json::Value::from(text).to_string();
    let inner = json.get(1..json.len() - 1).unwrap_or_default();
    (pattern(text), pattern(inner))
}

fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Creates of which nothing is known yet, as a text; empty where there are none.
pub(super) fn unsettled_text(unsettled: &[Unsettled]) -> serde_json::Result<String> {
    if unsettled.is_empty() { Ok(String::new()) } else { serde_json::to_string(unsettled) }
}

/// In the place of the run of a write whose run is forgotten: no run has this number.
pub(super) const ORPHAN: i64 = 0;

/// Stands first in the text of a write that says where it came from. No input of an operation is called so.
const ORIGIN: &str = "$origin";

/// What a write sent and where it came from, as a text.
pub(super) fn write_text(write: &Write) -> serde_json::Result<String> {
    match &write.origin {
        None => serde_json::to_string(&write.fields),
        origin => {
            let (origin, fields) = (origin.clone(), write.fields.clone());
            serde_json::to_string(&StoredWrite { origin, fields })
        }
    }
}

/// Both of what is stored; a write of an older version is what was sent alone.
pub(super) fn write_of(stored: Value) -> serde_json::Result<(Value, Option<Origin>)> {
    if stored.get(ORIGIN).is_none() {
        return Ok((stored, None));
    }
    let StoredWrite { origin, fields } = serde_json::from_value(stored)?;
    Ok((fields, origin))
}

#[derive(Serialize, Deserialize)]
struct StoredWrite {
    #[serde(rename = "$origin")]
    origin: Option<Origin>,
    fields: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_times_come_back() {
        for original in RunState::ALL {
            assert_eq!(state(code(original)).unwrap(), original);
        }
        assert!(state(99).is_err());
        let now = DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap();
        assert_eq!(time(stamp(now)), now);
        assert_eq!(stamp(DateTime::<Utc>::MAX_UTC), i64::MAX);
        assert_eq!(stamp(DateTime::<Utc>::MIN_UTC), i64::MIN);
    }

    #[test]
    fn what_is_sought_stands_for_itself() {
        assert_eq!(patterns("a_b"), ("%a\\_b%".to_owned(), "%a\\_b%".to_owned()));
        assert_eq!(patterns("say \"no\"").1, "%say \\\\\"no\\\\\"%");
    }
}
