//! What processes share of the limits of accounts.

use std::time::Duration;

use crate::journal::{RequestEnd, RequestLeave, RequestLimits};

use super::failure::Failure;
use super::pool::Pool;
use super::row::{kept, number};

/// Asks for leave to send a request.
pub(super) async fn admit(
    pool: &Pool,
    connection: &str,
    limits: &RequestLimits,
) -> Result<RequestLeave, Failure> {
    let (burst, per) = limits.burst.unzip();
    let (burst, per, daily) = (burst.map(i64::from), per.map(micros), limits.daily.map(number));
    let sql = "SELECT verdict, slot, wait FROM hob_admit($1, $2, $3, $4)";
    let rows = pool.query(sql, &[&kept(connection), &burst, &per, &daily]).await?;
    let row = rows.first().ok_or(Failure::Closed)?;
    let wait = Duration::from_micros(u64::try_from(row.try_get::<_, i64>(2)?).unwrap_or(0));
    Ok(match row.try_get(0)? {
        0_i32 => RequestLeave::Go(row.try_get(1)?),
        1 => RequestLeave::Wait(wait),
        _ => RequestLeave::LeftAlone(wait),
    })
}

/// Tells what became of a request that had leave.
pub(super) async fn settle(
    pool: &Pool,
    connection: &str,
    slot: i64,
    end: &RequestEnd,
) -> Result<(), Failure> {
    let pause = end.pause.map(micros);
    pool.query("SELECT hob_settle($1, $2, $3, $4)", &[&kept(connection), &slot, &end.alive, &pause]).await?;
    Ok(())
}

fn micros(duration: Duration) -> i64 {
    number(duration.as_micros())
}
