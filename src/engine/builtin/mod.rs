//! Operations that hob performs itself and that need the journal or the network. Those that only
//! write history are the machine's own.

mod http_request;
mod links;
mod state;

use serde_json::{Map, Value};

use super::step_executor::StepContext;
use super::step_outcome::{StepOutcome, refuse};
use crate::catalog::Builtin;
use crate::journal::Error;
use crate::run::{StepCall, StepError, StepResult};

/// Performs a built-in operation.
pub(super) async fn execute(context: &StepContext<'_>, which: Builtin, call: &StepCall) -> StepOutcome {
    let journal = context.services.journal.as_ref();
    let inputs = &call.inputs;
    match which {
        Builtin::HttpRequest => http_request::execute(context, call).await,
        Builtin::LinksSave => links::save(journal, inputs).await,
        Builtin::LinksFind => links::find(journal, inputs).await,
        Builtin::LinksDelete => links::delete(journal, inputs).await,
        Builtin::StateGet => state::get(journal, inputs).await,
        Builtin::StatePut => state::put(journal, inputs).await,
        Builtin::Wait | Builtin::Stop | Builtin::Log => {
            refuse(format!("`{}` is not performed from outside", call.operation.id))
        }
    }
}

/// Text under `name`; numbers are taken for text, as ids often are numbers.
fn text(inputs: &Map<String, Value>, name: &str) -> Result<String, String> {
    optional_text(inputs, name)?.ok_or_else(|| format!("`{name}` is missing"))
}

fn optional_text(inputs: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match inputs.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Err(format!("`{name}` is empty")),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(format!("`{name}` must be text, not {other}")),
    }
}

/// The store's trouble passes; the step is tried again.
fn away(error: &Error) -> StepOutcome {
    StepResult::Again { error: StepError::new(error.to_string()), not_before: None, lost: false }.into()
}
