//! Alerts. There are few: one for each cause, and those that ended are soon forgotten.

use chrono::{DateTime, Utc};

use crate::journal::database::{Database, Param, rows};
use crate::journal::encoding::stamp;
use crate::journal::row::{Row, Unreadable};
use crate::journal::{Error, StoredAlert};

/// Alerts stored by one statement.
const STORED_AT_ONCE: usize = 50;

/// All alerts, by what they are about.
pub(in crate::journal) async fn all(db: &impl Database) -> Result<Vec<StoredAlert>, Error> {
    let sql = "SELECT key, version, live, changed, alert FROM alerts ORDER BY key";
    rows(db, sql, vec![], decode).await
}

/// The alert of a row.
pub(in crate::journal) fn decode(row: &mut Row) -> Result<StoredAlert, Unreadable> {
    Ok(StoredAlert {
        key: row.text()?,
        version: row.integer()?,
        live: row.integer()? != 0,
        changed: row.time()?,
        alert: row.json()?,
    })
}

/// The row of an alert.
pub(in crate::journal) fn params(alert: &StoredAlert) -> Vec<Param> {
    vec![
        Param::from(&alert.key),
        alert.version.into(),
        alert.live.into(),
        stamp(alert.changed).into(),
        Param::Json(alert.alert.to_string()),
    ]
}

/// Stores alerts, each as the version after the stored one; returns whether none of them was changed meanwhile.
pub(in crate::journal) async fn put(db: &impl Database, alerts: &[StoredAlert]) -> Result<bool, Error> {
    let mut stored = 0;
    for part in alerts.chunks(STORED_AT_ONCE) {
        let places: Vec<String> = (0..part.len())
            .map(|row| {
                let first = row * 5;
                let places: Vec<String> = (1..=5).map(|place| format!("${}", first + place)).collect();
                format!("({})", places.join(", "))
            })
            .collect();
        let sql = format!(
            "INSERT INTO alerts AS a (key, version, live, changed, alert) VALUES {}
             ON CONFLICT (key) DO UPDATE SET version = excluded.version, live = excluded.live,
                 changed = excluded.changed, alert = excluded.alert
             WHERE a.version = excluded.version - 1
             RETURNING key",
            places.join(", ")
        );
        stored += db.execute(&sql, part.iter().flat_map(params).collect()).await?.len();
    }
    Ok(stored == alerts.len())
}

/// Deletes alerts that ended and were told before `before`.
pub(in crate::journal) async fn forget(db: &impl Database, before: DateTime<Utc>) -> Result<(), Error> {
    let sql = "DELETE FROM alerts WHERE live = 0 AND changed < $1";
    db.execute(sql, vec![stamp(before).into()]).await?;
    Ok(())
}
