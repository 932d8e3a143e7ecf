//! The tables, their migrations, and checks before use.

use chrono::{DateTime, TimeDelta, Utc};
use tokio_postgres::Row;

use crate::clock::Clock;
use crate::journal::{Access, Error};

use super::address::Target;
use super::failure::Failure;
use super::functions;
use super::session::Session;

/// Each migrates from the format equal to its index to the next one. Only append.
const MIGRATIONS: &[&str] = &[
    include_str!("sql/tables-1.sql"),
    include_str!("sql/holds-2.sql"),
    include_str!("sql/limits-3.sql"),
    include_str!("sql/unsettled-4.sql"),
    include_str!("sql/markers-5.sql"),
    include_str!("sql/due-6.sql"),
    include_str!("sql/coalesce-7.sql"),
    include_str!("sql/base-8.sql"),
    include_str!("sql/turns-9.sql"),
    include_str!("sql/identifiers-10.sql"),
    include_str!("sql/operators-11.sql"),
    include_str!("sql/alerts-12.sql"),
];

/// The oldest supported server.
const OLDEST_SERVER: i32 = 130_000;

/// Clocks that differ by more are reported.
const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(2);

/// The format of this version.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Migrates the tables if `access` allows it; with `create` also creates them. Returns whether they exist.
pub(super) async fn prepare(
    session: &Session,
    target: &Target,
    access: Access,
    create: bool,
) -> Result<bool, Error> {
    let into_error = |failure: Failure| failure.into_error(&target.name);
    ensure_supported(session).await.map_err(into_error)?;
    let format = inspect(session, target, access).await?;
    match format {
        None if !create => return Ok(false),
        Some(format) if format == newest() => {}
        _ => migrate(session, target, access).await?,
    }
    functions::install(session, &target.schema).await.map_err(into_error)?;
    Ok(true)
}

/// Rejects servers that are too old or not UTF-8; warns if their clock differs.
async fn ensure_supported(session: &Session) -> Result<(), Failure> {
    let clock = Clock::system();
    let asked = clock.now();
    let sql = "SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
                   pg_encoding_to_char(d.encoding), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
               FROM pg_database d WHERE d.datname = current_database()";
    let rows = session.query(sql, &[]).await?;
    let answered = clock.now();
    let row = rows.first().ok_or(Failure::Closed)?;
    let (number, version, encoding): (i32, String, String) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if number < OLDEST_SERVER {
        let reason = format!("runs PostgreSQL {version}; hob needs 13 or later");
        return Err(Failure::Refused(reason));
    }
    if encoding != "UTF8" {
        let reason = format!(
            "is a database with encoding {encoding}, which cannot hold every text; create one with ENCODING 'UTF8'"
        );
        return Err(Failure::Refused(reason));
    }
    let there = DateTime::<Utc>::from_timestamp_micros(row.try_get(3)?).unwrap_or(asked);
    if there < asked - MAX_CLOCK_DIFFERENCE || there > answered + MAX_CLOCK_DIFFERENCE {
        let seconds = (there - asked).num_seconds();
        tracing::warn!(
            seconds,
            "this machine's clock differs from the database server's; set both by NTP, or other processes may take over runs too early"
        );
    }
    Ok(())
}

/// The format of the tables, if they exist. Rejects schemas that hob must not write to.
async fn inspect(session: &Session, target: &Target, access: Access) -> Result<Option<i64>, Error> {
    let into_error = |failure: Failure| failure.into_error(&target.name);
    let refuse = |reason: String| Err(into_error(Failure::Refused(reason)));
    let sql = "SELECT count(*), count(*) FILTER (WHERE c.relname = 'store') FROM pg_class c
               WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = $1)
               AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    let rows = session.query(sql, &[&target.schema]).await.map_err(into_error)?;
    let count = |place: usize| -> Result<i64, Error> {
        rows.first().map_or(Ok(0), |row: &Row| row.try_get(place)).map_err(|error| into_error(error.into()))
    };
    let foreign = || {
        let reason = format!(
            "has a schema {} that belongs to another program; name another one with ?schema=",
            target.schema
        );
        refuse(reason)
    };
    match (count(0)?, count(1)?) {
        (0, _) => return Ok(None),
        (_, 0) => return foreign(),
        _ => {}
    }
    let rows = match session.query("SELECT format FROM store", &[]).await {
        Ok(rows) => rows,
        Err(Failure::Sql(error)) if error.code().is_some_and(|code| code.code() == "42703") => {
            return foreign();
        }
        Err(failure) => return Err(into_error(failure)),
    };
    let Some(row) = rows.first() else { return foreign() };
    let found: i64 = row.try_get(0).map_err(|error| into_error(error.into()))?;
    let known = newest();
    if found > known {
        return Err(Error::Newer { store: target.name.to_string(), found, known });
    }
    if found < known && access == Access::Client {
        return refuse("has an older format; start `hob run` once to update it".to_owned());
    }
    Ok(Some(found))
}

/// Runs the missing migrations in one transaction, one process at a time.
async fn migrate(session: &Session, target: &Target, access: Access) -> Result<(), Error> {
    let into_error = |failure: Failure| failure.into_error(&target.name);
    session.batch("BEGIN").await.map_err(into_error)?;
    let result = migrate_within(session, target, access, MIGRATIONS).await;
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = session.batch(end).await.map_err(into_error);
    result.and(ended)
}

async fn migrate_within(
    session: &Session,
    target: &Target,
    access: Access,
    migrations: &[&str],
) -> Result<(), Error> {
    let into_error = |failure: Failure| failure.into_error(&target.name);
    let schema = &target.schema;
    session.query(functions::LOCK_SCHEMA, &[schema]).await.map_err(into_error)?;
    // Another process may have migrated meanwhile.
    let done = inspect(session, target, access).await?;
    if done.is_none() {
        let there = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
        if session.query(there, &[schema]).await.map_err(into_error)?.is_empty() {
            session.batch(&format!("CREATE SCHEMA \"{schema}\"")).await.map_err(into_error)?;
        }
    }
    let done = usize::try_from(done.unwrap_or(0)).unwrap_or(0);
    for migration in migrations.iter().skip(done) {
        session.batch(migration).await.map_err(into_error)?;
    }
    let format = i64::try_from(migrations.len().max(done)).unwrap_or(i64::MAX);
    let note =
        "INSERT INTO store (format) VALUES ($1) ON CONFLICT (one) DO UPDATE SET format = excluded.format";
    session.query(note, &[&format]).await.map_err(into_error)?;
    Ok(())
}
