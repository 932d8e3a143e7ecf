//! Dispatches built-in operations.

use super::{http_request, link_bases, links, state};
use crate::catalog::Builtin;
use crate::engine::step_context::StepContext;
use crate::engine::step_outcome::{StepOutcome, refuse};
use crate::run::StepCall;

/// Executes a built-in operation.
pub(in crate::engine) async fn execute(
    context: &StepContext<'_>,
    which: Builtin,
    call: &StepCall,
) -> StepOutcome {
    let journal = context.services.journal.as_ref();
    let inputs = &call.inputs;
    match which {
        Builtin::HttpRequest => http_request::execute(context, call).await,
        Builtin::LinksSave => links::save(journal, inputs, context.options.dry_run).await,
        Builtin::LinksFind => links::find(journal, inputs).await,
        Builtin::LinksDelete => links::delete(journal, inputs).await,
        Builtin::LinksBase => link_bases::base(context, inputs).await,
        Builtin::LinksIntend => link_bases::intend(context, inputs).await,
        Builtin::LinksSettle => link_bases::settle(context, inputs).await,
        Builtin::StateGet => state::get(journal, inputs).await,
        Builtin::StatePut => state::put(journal, inputs).await,
        Builtin::Wait | Builtin::Stop | Builtin::Log | Builtin::Set => {
            refuse(format!("`{}` is not performed from outside", call.operation.id))
        }
    }
}
