//! How values are encoded in columns of every store: times as nanoseconds, states as numbers, dedup keys as short
//! hashes. This is the stored format; it must not change.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

use crate::run::{Origin, RunState, Unsettled, Write};
use crate::value::Value;

/// Nanoseconds since 1970, saturated for times before 1677 and after 2262.
pub(super) fn stamp(time: DateTime<Utc>) -> i64 {
    time.timestamp_nanos_opt().unwrap_or(if time.timestamp() < 0 { i64::MIN } else { i64::MAX })
}

/// The `due` of a run that waits for no time: it may be leased at once. SQL states it as `due = 0`, as partial indexes
/// ask for a literal.
pub(super) const AT_ONCE: i64 = 0;

/// The `due` of a run whose wait is over.
pub(super) const WOKEN: i64 = 1;

/// How many runs are found at a time whose wait is over, so that taking runs stays short however many there are.
pub(super) const MAX_WOKEN: i64 = 1000;

/// The `due` of a run that waits until `time`.
pub(super) fn due(time: DateTime<Utc>) -> i64 {
    stamp(time).max(WOKEN)
}

/// The `due` of a run that sleeps until it is woken.
pub(super) const NEVER: i64 = i64::MAX;

/// The time of a stamp.
pub(super) fn time(stamp: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(stamp)
}

/// The stamp `ttl` after `now`.
pub(super) fn until(now: DateTime<Utc>, ttl: Duration) -> i64 {
    let ttl = TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
    stamp(now.checked_add_signed(ttl).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// The stored number of a state. Must not change.
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

/// The state with this number, or an error that says it is unknown.
pub(super) fn state(number: i64) -> Result<RunState, String> {
    RunState::ALL
        .into_iter()
        .find(|state| code(*state) == number)
        .ok_or_else(|| format!("a run has the unknown state {number}"))
}

/// The key by which an event is deduplicated, short so that the index of millions stays in memory. `source` is its
/// JSON text. The same in every store, because exports contain it.
pub(super) fn receipt(source: &str, dedup: &str) -> [u8; 16] {
    let hash = Sha256::new().chain_update(source).chain_update([0]).chain_update(dedup).finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    key
}

/// Patterns for LIKE that find `text`: in a plain column, and in a JSON column, where it is escaped.
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

/// Creates with an unknown outcome as text; empty if there are none.
pub(super) fn unsettled_text(unsettled: &[Unsettled]) -> serde_json::Result<String> {
    if unsettled.is_empty() { Ok(String::new()) } else { serde_json::to_string(unsettled) }
}

/// The run number of writes whose run was pruned. No run has it.
pub(super) const ORPHAN: i64 = 0;

/// The first element of a write's text that records its origin. No operation has an input of this name.
const ORIGIN: &str = "$origin";

/// A write's text: its inputs and its origin.
pub(super) fn write_text(write: &Write) -> serde_json::Result<String> {
    match &write.origin {
        None => serde_json::to_string(&write.fields),
        origin => {
            let (origin, fields) = (origin.clone(), write.fields.clone());
            serde_json::to_string(&StoredWrite { origin, fields })
        }
    }
}

/// Inputs and origin of a stored write. Writes of older versions have no origin.
pub(super) fn parse_write(stored: Value) -> serde_json::Result<(Value, Option<Origin>)> {
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
    fn search_patterns_are_literal() {
        assert_eq!(patterns("a_b"), ("%a\\_b%".to_owned(), "%a\\_b%".to_owned()));
        assert_eq!(patterns("say \"no\"").1, "%say \\\\\"no\\\\\"%");
    }
}
