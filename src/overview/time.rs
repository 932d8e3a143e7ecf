//! How a time is written for people.

use chrono::{DateTime, Utc};

/// A time in listings.
pub fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
