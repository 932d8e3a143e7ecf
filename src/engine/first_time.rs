//! What the answer to a request that was sent again tells of the first time: found out by when the record was
//! created and by what the journal knows of it, or marked as not known.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::act::Surroundings;
use crate::catalog::{Effect, Place, path};
use crate::request::{Answer, Outcome};
use crate::run::{Attempts, Perform, asks_for_others, tell_first};
use crate::value::id;

/// Clocks that are no further apart, as far as can be told, agree.
const AGREED: TimeDelta = TimeDelta::milliseconds(1500);

/// Most writes to one record that are looked through: the one that made it is the oldest.
const MOST_WRITES: usize = 1000;

/// Puts into a good answer what the attempts of `perform` did; the reason why something of it is not known.
pub(super) async fn tell(
    around: &Surroundings<'_>,
    perform: &Perform,
    outcome: &mut Outcome,
) -> Option<String> {
    let Outcome::Ok(answer) = outcome else { return None };
    let attempts = attempts(around, perform, answer)?;
    let others = match asks_for_others(&perform.operation, &answer.body, attempts) {
        true => others(around, perform, &answer.body).await,
        false => None,
    };
    tell_first(&perform.operation, &mut answer.body, attempts, others.as_deref())
}

/// The same of what hob did itself.
pub(super) fn tell_own(around: &Surroundings<'_>, perform: &Perform, result: &mut Value) -> Option<String> {
    let since = perform.first_lost?;
    let attempts = Attempts { since, answered: wall(around), ahead: None };
    tell_first(&perform.operation, result, attempts, None)
}

fn wall(around: &Surroundings<'_>) -> DateTime<Utc> {
    around.world.clock.now() - around.world.clock.ahead()
}

fn attempts(around: &Surroundings<'_>, perform: &Perform, answer: &Answer) -> Option<Attempts> {
    let since = perform.first_lost?;
    let answered = wall(around);
    let date = answer.headers.get("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    // It is told in whole seconds: what is less than that is no difference.
    let ahead = date.map(|date| date.with_timezone(&Utc) + TimeDelta::milliseconds(500) - answered);
    let ahead = ahead.map(|ahead| if ahead.abs() < AGREED { TimeDelta::zero() } else { ahead });
    Some(Attempts { since, answered, ahead })
}

/// Who else may have created the record that `body` shows.
async fn others(around: &Surroundings<'_>, perform: &Perform, body: &Value) -> Option<String> {
    let record = path::read_first(body, &perform.operation.result);
    let record = record
        .as_ref()
        .and_then(|record| ["id", "_id"].iter().find_map(|name| record.get(name).and_then(id)));
    let Some(record) = record else { return Some("the answer does not tell which record it is".to_owned()) };
    let written = match around.world.journal.written(&record, None, MOST_WRITES).await {
        Ok(written) => written,
        Err(error) => return Some(format!("whether another step created it cannot be told: {error}")),
    };
    let creates = |name: &str| {
        around.catalog.operation(name).is_some_and(|operation| {
            let names_it = |parameter: &crate::catalog::Parameter| parameter.place == Place::Path;
            operation.effect != Effect::Read && !operation.parameters.values().any(names_it)
        })
    };
    // This step itself has not noted anything yet.
    let other = written.iter().find(|written| creates(&written.write.operation))?;
    Some(format!("`{}` in run {} may have created the record", other.write.operation, other.run))
}
