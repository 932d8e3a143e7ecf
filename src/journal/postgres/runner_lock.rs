//! Counts the processes that work on a store: the listening connection of each holds a shared advisory lock.

use super::failure::Failure;
use super::pool::Pool;

/// The statement that takes the lock on the listening connection.
pub(super) fn acquire(schema: &str) -> String {
    format!("SELECT pg_advisory_lock_shared({})", key(schema))
}

/// The number of the lock. The schema's name was validated and is safe in SQL.
fn key(schema: &str) -> String {
    format!("hashtextextended('hob runner {schema}', 0)")
}

/// The number of processes that work on the store, except this one.
pub(super) async fn count_others(pool: &Pool, schema: &str) -> Result<u64, Failure> {
    let sql = format!(
        "SELECT count(DISTINCT l.pid) FROM pg_locks l, (SELECT {} AS number) k
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
         AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
         AND l.classid = ((k.number >> 32) & 4294967295)::oid AND l.objid = (k.number & 4294967295)::oid",
        key(schema)
    );
    let rows = pool.query(&sql, &[]).await?;
    let count: i64 = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
    Ok(u64::try_from(count - 1).unwrap_or(0))
}
