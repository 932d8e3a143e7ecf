//! Executes a step: a request or a built-in operation.

use std::sync::Arc;

use super::step_context::StepContext;
use super::step_outcome::{StepOutcome, outcome_of, refuse, unusable};
use super::{builtin, dry_run, first_attempt, pages};
use crate::catalog::Effect;
use crate::connection::Connection;
use crate::recipe::KeptPolicy;
use crate::request::{Admitted, CallOptions, FileChoice, Outcome};
use crate::run::{StepCall, StepResult, differences};

/// Whether a step may be sent.
pub(super) enum Permission {
    /// Yes; a request has its share of the budget reserved.
    Granted(Option<Admitted>),
    /// No, at least not now.
    Refused(StepOutcome),
}

/// Permission to send `call` if it is available at once; `None` if it requires waiting.
pub(super) async fn try_permission(context: &StepContext<'_>, call: &StepCall) -> Option<Permission> {
    match sends_effect(context, call) {
        None => Some(Permission::Granted(None)),
        Some(Err(message)) => Some(Permission::Refused(refuse(message))),
        Some(Ok(connection)) => {
            let admitted = context.services.client.try_admit(&connection, context.priority).await?;
            Some(Permission::Granted(Some(admitted)))
        }
    }
}

/// Waits for permission to send `call`.
pub(super) async fn permission(context: &StepContext<'_>, call: &StepCall) -> Permission {
    match sends_effect(context, call) {
        None => Permission::Granted(None),
        Some(Err(message)) => Permission::Refused(refuse(message)),
        Some(Ok(connection)) => {
            match context.services.client.admit(&connection, &context.call_options()).await {
                Ok(admitted) => Permission::Granted(Some(admitted)),
                Err(outcome) => Permission::Refused(outcome_of(outcome, &call.operation, None)),
            }
        }
    }
}

/// The connection of a request with an effect. Reads and built-in operations need no permission in advance: they have
/// no intent that would be in the history while they wait.
fn sends_effect(context: &StepContext<'_>, call: &StepCall) -> Option<Result<Arc<Connection>, String>> {
    let told = call.operation.builtin.is_some() || context.options.dry_run || call.effect == Effect::Read;
    (!told).then(|| context.connection(&call.operation, call.connection.as_deref()))
}

/// Executes `call` once.
pub(super) async fn execute(
    context: &StepContext<'_>,
    call: &StepCall,
    admitted: Option<Admitted>,
) -> StepOutcome {
    if let Some(which) = call.operation.builtin {
        let mut told = builtin::execute(context, which, call).await;
        let unknown = match &mut told.step_result {
            StepResult::Done(result) => first_attempt::restore_own_answer(context, call, result),
            _ => None,
        };
        return told.unknown_for(unknown);
    }
    let connection = match context.connection(&call.operation, call.connection.as_deref()) {
        Ok(connection) => connection,
        Err(message) => return refuse(message),
    };
    if context.options.dry_run && call.effect != Effect::Read {
        return dry_run::request(call, &connection);
    }
    let options = CallOptions {
        timeout: call.timeout,
        files: FileChoice::Run(call.downloaded.clone()),
        ..context.call_options()
    };
    let operation = &call.operation;
    if call.all_pages {
        return pages::read(context, call, &connection, options).await;
    }
    let client = &context.services.client;
    let called =
        client.call_admitted(context.catalog, operation, &call.inputs, &connection, &options, admitted).await;
    match called {
        // In a dry run, a record that an earlier step would have created does not exist.
        Ok(Outcome::Refused(refusal)) if context.options.dry_run => {
            let line = format!(
                "{} on {} was refused ({}): continuing with sample data",
                operation.id, connection.name, refusal.message
            );
            dry_run::report(call, line)
        }
        Ok(mut outcome) => {
            let unknown = first_attempt::restore_answer(context, call, &mut outcome).await;
            let more = match &outcome {
                Outcome::Ok(answer) => pages::more(operation, &call.inputs, answer),
                _ => None,
            };
            let not_kept = match &outcome {
                Outcome::Ok(answer) if call.kept != KeptPolicy::Ignore => {
                    differences(operation, &call.inputs, &answer.body)
                }
                _ => Vec::new(),
            };
            let told = outcome_of(outcome, operation, call.pick.as_deref()).unknown_for(unknown);
            StepOutcome { more, not_kept, ..told }
        }
        Err(problems) => unusable(&operation.id, &problems).into(),
    }
}
