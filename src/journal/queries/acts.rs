//! The audit log.

use chrono::{DateTime, Utc};

use crate::journal::database::{Database, Param, rows};
use crate::journal::encoding::stamp;
use crate::journal::row::{Row, Unreadable};
use crate::journal::{ActFilter, Error, OperatorAct};

/// The columns of an act, in order.
pub(in crate::journal) const COLUMNS: &str = "id, at, operator, origin, act, target, runs";

/// Stores an act.
pub(in crate::journal) async fn save(db: &impl Database, act: &OperatorAct) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO acts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING"
    );
    db.execute(&sql, params(act)).await?;
    Ok(())
}

/// The row of an act.
pub(in crate::journal) fn params(act: &OperatorAct) -> Vec<Param> {
    let OperatorAct { id, at, operator, origin, act, target, runs } = act;
    vec![
        id.into(),
        stamp(*at).into(),
        operator.into(),
        origin.into(),
        act.into(),
        target.into(),
        Param::count(*runs),
    ]
}

/// Decodes an act.
pub(in crate::journal) fn decode(row: &mut Row) -> Result<OperatorAct, Unreadable> {
    Ok(OperatorAct {
        id: row.text()?,
        at: row.time()?,
        operator: row.text()?,
        origin: row.text()?,
        act: row.text()?,
        target: row.text()?,
        runs: row.count()?,
    })
}

/// Acts, newest first.
pub(in crate::journal) async fn list(
    db: &impl Database,
    filter: &ActFilter,
) -> Result<Vec<OperatorAct>, Error> {
    let ActFilter { operator, act, since, before, limit } = filter;
    let given: [(&str, Option<Param>); 4] = [
        ("operator =", operator.as_ref().map(Param::from)),
        ("act =", act.as_ref().map(Param::from)),
        ("at >=", since.map(|since| stamp(since).into())),
        ("id <", before.as_ref().map(Param::from)),
    ];
    let (mut conditions, mut params) = (Vec::new(), Vec::new());
    for (condition, value) in given {
        if let Some(value) = value {
            params.push(value);
            conditions.push(format!("{condition} ${}", params.len()));
        }
    }
    params.push(Param::count(limit.unwrap_or(i64::MAX as usize)));
    let those =
        if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let sql = format!("SELECT {COLUMNS} FROM acts {those} ORDER BY id DESC LIMIT ${}", params.len());
    rows(db, &sql, params, decode).await
}

/// Deletes acts before `before`.
pub(in crate::journal) async fn forget(db: &impl Database, before: DateTime<Utc>) -> Result<(), Error> {
    db.execute("DELETE FROM acts WHERE at < $1", vec![stamp(before).into()]).await?;
    Ok(())
}
