//! When things happen in a day.

use chrono::{DateTime, TimeDelta, Utc};

/// Seconds of a day.
pub(super) const DAY: usize = 86_400;

/// When something happens in a day.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Timing {
    /// At these seconds of the day, each of them equally often.
    At(Vec<usize>),
    /// At any time, evenly.
    Even,
}

impl Timing {
    /// Adds `calls`, which are sent in the course of a day, to each second of it.
    pub(super) fn spread(&self, calls: f64, seconds: &mut [f64]) {
        match self {
            Timing::At(at) => {
                let each = calls / at.len().max(1) as f64;
                for at in at {
                    if let Some(second) = seconds.get_mut(*at) {
                        *second += each;
                    }
                }
            }
            Timing::Even => {
                let each = calls / seconds.len().max(1) as f64;
                seconds.iter_mut().for_each(|second| *second += each);
            }
        }
    }
}

/// The second of the day that began at `start`.
pub(super) fn second(start: DateTime<Utc>, at: DateTime<Utc>) -> usize {
    usize::try_from((at - start).num_seconds()).unwrap_or_default()
}

/// `HH:MM:SS`
pub(super) fn clock(second: usize) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The end of the day that begins at `start`.
pub(super) fn end(start: DateTime<Utc>) -> DateTime<Utc> {
    start + TimeDelta::seconds(DAY as i64)
}
