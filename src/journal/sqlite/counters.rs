//! Running counts, so that totals need no scan.

use rusqlite::{Connection, OptionalExtension};

use crate::journal::encoding::code;
use crate::journal::queries::import::Imported;
use crate::journal::queries::totals::EVENTS;
use crate::run::RunState;

use super::failure::Failure;

/// Changes of the counters by a transaction, and whether workers should be woken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counters {
    events: i64,
    states: [i64; RunState::ALL.len()],
    /// A run may be due, or due earlier than before.
    pub(super) work: bool,
}

impl Counters {
    /// Counts a stored event.
    pub(super) fn event(&mut self) {
        self.events += 1;
    }

    /// Counts imported items.
    pub(super) fn imported(&mut self, imported: &Imported) {
        self.events += imported.events;
        imported.runs.iter().for_each(|state| self.run(None, *state));
        self.work |= !imported.runs.is_empty();
    }

    /// Counts a deleted event.
    pub(super) fn forget_event(&mut self) {
        self.events -= 1;
    }

    /// Counts a deleted run.
    pub(super) fn forget_run(&mut self, state: RunState) {
        self.states[index(state)] -= 1;
    }

    /// Counts a new run or, with `from`, a change of state.
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

/// The number of finished runs.
pub(super) fn finished(conn: &Connection) -> Result<u64, Failure> {
    let mut read = conn.prepare_cached("SELECT value FROM counters WHERE name = ?1")?;
    let mut finished = 0;
    for state in RunState::ALL.into_iter().filter(|state| state.is_finished()) {
        let count: Option<i64> = read.query_row([state.name()], |row| row.get(0)).optional()?;
        finished += u64::try_from(count.unwrap_or(0)).unwrap_or(0);
    }
    Ok(finished)
}

fn index(state: RunState) -> usize {
    usize::try_from(code(state)).unwrap_or_default()
}
