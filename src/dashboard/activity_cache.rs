//! The runs of the last hour by minute, for the plot. Of minutes that are long over the counts are kept, so that a busy
//! store is not counted again and again.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::journal::{Error, Journal};
use crate::run::RunState;

/// What is plotted.
const HOUR: TimeDelta = TimeDelta::hours(1);
/// For how long runs of a minute may still change their state.
const UNSETTLED: TimeDelta = TimeDelta::minutes(5);
/// How long an answer is used.
const FRESH: TimeDelta = TimeDelta::seconds(4);
/// Minutes of a row of the table.
const ROW: usize = 10;

/// The counts of a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Minute {
    succeeded: u64,
    failed: u64,
    parked: u64,
    /// Waiting and running.
    under_way: u64,
    /// Filtered, suppressed and skipped.
    left_out: u64,
}

impl Minute {
    fn add(&mut self, state: RunState, runs: u64) {
        *match state {
            RunState::Succeeded => &mut self.succeeded,
            RunState::Failed => &mut self.failed,
            RunState::Parked => &mut self.parked,
            RunState::Waiting | RunState::Running => &mut self.under_way,
            RunState::Filtered | RunState::Suppressed | RunState::Skipped => &mut self.left_out,
        } += runs;
    }

    fn plus(self, other: Self) -> Self {
        Self {
            succeeded: self.succeeded + other.succeeded,
            failed: self.failed + other.failed,
            parked: self.parked + other.parked,
            under_way: self.under_way + other.under_way,
            left_out: self.left_out + other.left_out,
        }
    }
}

/// What was counted.
#[derive(Default)]
pub(super) struct ActivityCache(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    asked: Option<DateTime<Utc>>,
    minutes: BTreeMap<i64, Minute>,
}

/// The last hour, the oldest minute first.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LastHour {
    /// The beginnings of its minutes, in seconds since 1970.
    minutes: Vec<i64>,
    counts: Vec<Minute>,
}

/// A row of the table.
#[derive(Debug, Serialize)]
pub(super) struct Stretch {
    from: DateTime<Utc>,
    #[serde(flatten)]
    counts: Minute,
}

impl ActivityCache {
    /// The last hour before `now`.
    pub(super) async fn last_hour(
        &self,
        journal: &dyn Journal,
        now: DateTime<Utc>,
    ) -> Result<LastHour, Error> {
        let mut counted = self.0.lock().await;
        let begin = minute(now - HOUR) + 60;
        if counted.asked.is_none_or(|asked| now - asked >= FRESH || now < asked) {
            let known = counted.asked.filter(|asked| *asked <= now).map(|asked| minute(asked - UNSETTLED));
            let from = known.map_or(begin, |known| known.max(begin));
            let since = DateTime::from_timestamp(from, 0).unwrap_or(now);
            // Runs of the same moment count as well.
            let found = journal.activity(since, now + TimeDelta::seconds(1)).await?;
            counted.minutes.retain(|minute, _| (begin..from).contains(minute));
            for part in found {
                let place = counted.minutes.entry(part.minute.timestamp()).or_default();
                place.add(part.state, part.runs);
            }
            counted.asked = Some(now);
        }
        let minutes: Vec<i64> = (0..60).map(|place| begin + 60 * place).collect();
        let count = |minute: &i64| counted.minutes.get(minute).copied().unwrap_or_default();
        let counts = minutes.iter().map(count).collect();
        Ok(LastHour { minutes, counts })
    }
}

impl LastHour {
    /// All of it.
    pub(super) fn total(&self) -> Minute {
        self.counts.iter().copied().fold(Minute::default(), Minute::plus)
    }

    /// The rows of the table.
    pub(super) fn rows(&self) -> Vec<Stretch> {
        let rows = self.minutes.chunks(ROW).zip(self.counts.chunks(ROW));
        let row = |(minutes, counts): (&[i64], &[Minute])| Stretch {
            from: minutes.first().and_then(|from| DateTime::from_timestamp(*from, 0)).unwrap_or_default(),
            counts: counts.iter().copied().fold(Minute::default(), Minute::plus),
        };
        rows.map(row).collect()
    }
}

/// The beginning of the minute of `at`, in seconds since 1970.
fn minute(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60) * 60
}
