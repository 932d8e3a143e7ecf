//! Retries of what cannot be sent again.

use super::Rule;
use crate::catalog::{Builtin, Effect, effect};
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};

/// Warns of `retry` on steps that are not sent again once their answer is lost.
pub struct SafeRetries;

impl Rule for SafeRetries {
    fn summary(&self) -> &'static str {
        "A step with `retry` can be sent again: it reads, sending it twice does no harm, or a probe finds out whether it happened."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (call, operation) in context.known_calls() {
            let Some(action) = call.action else { continue };
            let Some(retry) = action.request_fields.iter().find(|field| field.value == "retry") else {
                continue;
            };
            let inputs = call.with.to_value();
            let inputs = inputs.as_object().cloned().unwrap_or_default();
            // A method from a template is not known.
            let is_open = operation.builtin == Some(Builtin::HttpRequest)
                && call
                    .with
                    .get("method")
                    .and_then(|method| method.as_template())
                    .is_some_and(|m| !m.is_literal());
            if is_open || operation.probe.is_some() || effect(operation, &inputs) != Effect::Create {
                continue;
            }
            if action.retry.attempts < 2 {
                continue;
            }
            let message = format!(
                "`{}` is not sent again once its answer is lost, because nothing tells whether it happened: the run is parked",
                operation.id
            );
            let help = "`retry` covers only what was refused before it happened, as with 429; `hob runs resolve` goes on with a parked run. \
                        Leave `retry` out, or allow this with a comment";
            found.push(Diagnostic::new(Code::UnprobedRetry, retry.span, message).help(help));
        }
    }
}
