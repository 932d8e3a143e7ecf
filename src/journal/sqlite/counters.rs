//! Running counts, so that a summary of everything costs nothing however much there is.

use rusqlite::Connection;

use crate::run::RunState;

use super::failure::Failure;
use super::row::code;

/// What a write changed: counts to be saved with it, and whether workers should look.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counters {
    events: i64,
    states: [i64; RunState::ALL.len()],
    /// There may be something to lease, or a nearer time to wait for.
    pub(super) work: bool,
}

/// Name of the counter of events.
const EVENTS: &str = "events";

impl Counters {
    /// An event was stored.
    pub(super) fn event(&mut self) {
        self.events += 1;
    }

    /// An event was forgotten.
    pub(super) fn forget_event(&mut self) {
        self.events -= 1;
    }

    /// A run in this state was forgotten.
    pub(super) fn forget_run(&mut self, state: RunState) {
        self.states[index(state)] -= 1;
    }

    /// A run came to be or, with `from`, changed its state.
    pub(super) fn run(&mut self, from: Option<RunState>, to: RunState) {
        if let Some(from) = from {
            self.states[index(from)] -= 1;
        }
        self.states[index(to)] += 1;
    }

    /// Adds the changes to the stored counters.
    pub(super) fn save(&self, conn: &Connection) -> Result<(), Failure> {
        let states = RunState::ALL.map(|state| (state.name(), self.states[index(state)]));
        for (name, change) in states.into_iter().chain([(EVENTS, self.events)]) {
            if change != 0 {
                conn.prepare_cached(
                    "INSERT INTO counters (name, value) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET value = value + excluded.value",
                )?
                .execute((name, change))?;
            }
        }
        Ok(())
    }
}

/// How many there are.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) events: u64,
    /// Runs, by state; in the order of [`RunState::ALL`].
    pub(super) runs: Vec<(RunState, u64)>,
}

/// The stored counters.
pub(super) fn stored(conn: &Connection) -> Result<Counts, Failure> {
    let mut read = conn.prepare_cached("SELECT value FROM counters WHERE name = ?1")?;
    let mut count = |name: &str| -> Result<u64, Failure> {
        let mut rows = read.query([name])?;
        let value: i64 = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
        Ok(u64::try_from(value).unwrap_or(0))
    };
    let mut counts = Counts { events: count(EVENTS)?, runs: Vec::new() };
    for state in RunState::ALL {
        counts.runs.push((state, count(state.name())?));
    }
    Ok(counts)
}

fn index(state: RunState) -> usize {
    usize::try_from(code(state)).unwrap_or_default()
}
