//! Events about one record that fall together: the run of an earlier one is left to the run of a later one.

use rusqlite::OptionalExtension;

use crate::journal::encoding::code;
use crate::journal::event_row::{EventRow, RunRow, Window};
use crate::run::RunState;

use super::failure::Failure;
use super::lease::{advance, insert_entries};
use super::writer::Tx;

/// The run about the same record, in the same lane, that waits for `run` and has not begun.
const EARLIER: &str = "SELECT seq, coalesce_until, due IS NOT NULL FROM runs
     WHERE recipe = ?1 AND lane = ?2 AND finished IS NULL AND state = ?3 AND entries = 0
     AND record = ?4 AND accounts = ?5 AND coalesce_until > ?6 ORDER BY seq DESC LIMIT 1";

/// Ends the run that is left to `run` of `event`, if there is one; returns when its window ends. So the window is as
/// long as from the first event, however many follow.
pub(super) fn earlier(
    tx: &mut Tx<'_>,
    event: &EventRow,
    run: &RunRow,
    window: &Window,
) -> Result<Option<i64>, Failure> {
    let waiting = code(RunState::Waiting);
    let earlier: Option<(i64, i64, bool)> = tx
        .conn
        .prepare_cached(EARLIER)?
        .query_row((&run.recipe, &run.lane, waiting, &event.record, &run.accounts, event.received), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((seq, until, was_head)) = earlier else { return Ok(None) };
    insert_entries(tx, seq, 0, std::slice::from_ref(&window.entry))?;
    tx.conn
        .prepare_cached("UPDATE runs SET state = ?2, finished = ?3, error = ?4, due = NULL WHERE seq = ?1")?
        .execute((seq, code(RunState::Filtered), event.received, &window.reason))?;
    tx.counters.run(Some(RunState::Waiting), RunState::Filtered);
    if was_head {
        advance(tx, &run.recipe, &run.lane)?;
    }
    Ok(Some(until))
}
