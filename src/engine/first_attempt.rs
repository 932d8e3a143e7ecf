//! Interprets the answer to a repeated request: what its first attempt must have done is derived from the record's
//! creation time and the journal, or marked as unknown.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::step_context::StepContext;
use crate::catalog::{Effect, Place, path};
use crate::request::{Answer, Outcome};
use crate::run::{Attempts, StepCall, depends_on_other_writers, restore_first_answer};
use crate::value::id;

/// Clocks that differ by less count as synchronised.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::milliseconds(1500);

/// Most writes to one record that are examined. The one that created it is the oldest.
const MAX_WRITES: usize = 1000;

/// Restores in a good answer what the first attempt of `call` did; returns why a part of it is unknown.
pub(super) async fn restore_answer(
    context: &StepContext<'_>,
    call: &StepCall,
    outcome: &mut Outcome,
) -> Option<String> {
    let Outcome::Ok(answer) = outcome else { return None };
    let attempts = attempts(context, call, answer)?;
    let others = match depends_on_other_writers(&call.operation, &answer.body, attempts) {
        true => others(context, call, &answer.body).await,
        false => None,
    };
    restore_first_answer(&call.operation, &mut answer.body, attempts, others.as_deref())
}

/// The same for operations that hob performs itself.
pub(super) fn restore_own_answer(
    context: &StepContext<'_>,
    call: &StepCall,
    result: &mut Value,
) -> Option<String> {
    let since = call.first_lost?;
    let attempts = Attempts { since, answered: wall(context), ahead: None };
    restore_first_answer(&call.operation, result, attempts, None)
}

fn wall(context: &StepContext<'_>) -> DateTime<Utc> {
    context.services.clock.now() - context.services.clock.ahead()
}

fn attempts(context: &StepContext<'_>, call: &StepCall, answer: &Answer) -> Option<Attempts> {
    let since = call.first_lost?;
    let answered = wall(context);
    let date = answer.headers.get("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    // `Date` has whole seconds, so smaller differences do not count.
    let ahead = date.map(|date| date.with_timezone(&Utc) + TimeDelta::milliseconds(500) - answered);
    let ahead = ahead.map(|ahead| if ahead.abs() < CLOCK_TOLERANCE { TimeDelta::zero() } else { ahead });
    Some(Attempts { since, answered, ahead })
}

/// The reason why somebody else may have created the record in `body`.
async fn others(context: &StepContext<'_>, call: &StepCall, body: &Value) -> Option<String> {
    let record = path::read_first(body, &call.operation.result);
    let record = record
        .as_ref()
        .and_then(|record| ["id", "_id"].iter().find_map(|name| record.get(name).and_then(id)));
    let Some(record) = record else { return Some("the answer does not tell which record it is".to_owned()) };
    let written = match context.services.journal.written(&record, None, MAX_WRITES).await {
        Ok(written) => written,
        Err(error) => return Some(format!("whether another step created it cannot be told: {error}")),
    };
    let creates = |name: &str| {
        context.catalog.operation(name).is_some_and(|operation| {
            let names_it = |parameter: &crate::catalog::Parameter| parameter.place == Place::Path;
            operation.effect != Effect::Read && !operation.parameters.values().any(names_it)
        })
    };
    // This step has not recorded a write yet.
    let other = written.iter().find(|written| creates(&written.write.operation))?;
    Some(format!("`{}` in run {} may have created the record", other.write.operation, other.run))
}
