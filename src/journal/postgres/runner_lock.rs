//! Counts the processes that work on a store: the connection by which each of them listens holds a lock that it
//! shares with the others, and that ends with it.

use super::failure::Failure;
use super::pool::Pool;

/// What shows that a process works on the store in `schema`, on the connection that does it.
pub(super) fn show(schema: &str) -> String {
    format!("SELECT pg_advisory_lock_shared({})", key(schema))
}

/// The number of the lock. A schema's name has been checked and can stand in a text.
fn key(schema: &str) -> String {
    format!("hashtextextended('hob runner {schema}', 0)")
}

/// How many other processes than this one, which is one of them, work on the store.
pub(super) async fn others(pool: &Pool, schema: &str) -> Result<u64, Failure> {
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
