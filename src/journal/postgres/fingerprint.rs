//! A short text by which what is stored can be known again, and any change of it seen.

use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::session::Ask;

/// All in one statement, so that it is of one moment. Sums do not depend on an order. What a run did
/// shows in the number of its entries and of its leases, what a poller did in its cursor.
const ALL: &str = "SELECT concat_ws(' ',
    (SELECT row(count(*), max(e.seq))::text FROM events e),
    (SELECT row(count(*), max(k.received))::text FROM receipts k),
    (SELECT sum(hashtextextended(
        row(r.seq, r.id, r.state, r.entries, r.epoch, r.due, r.finished, r.error, r.version)::text, 0))
     FROM runs r),
    (SELECT sum(hashtextextended(row(c.key, c.cursor)::text, 1)) FROM cursors c),
    (SELECT sum(hashtextextended(row(t.name, t.version)::text, 2)) FROM recipes t),
    (SELECT sum(hashtextextended(row(l.name, l.from_record, l.to_record)::text, 3)) FROM links l),
    (SELECT sum(hashtextextended(row(s.key, s.value)::text, 4)) FROM state s))";

/// The fingerprint.
pub(super) async fn of(asked: &impl Ask) -> Result<String, Failure> {
    let rows = asked.ask(ALL, &[]).await?;
    let text: &str = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
    Ok(hex::encode(&Sha256::digest(text)[..16]))
}
