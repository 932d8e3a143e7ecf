//! `hydrate` of polls.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::Trigger;

/// `hydrate` of a poll needs a read of one record that the catalog knows.
pub struct HydratedPolls;

impl Rule for HydratedPolls {
    fn summary(&self) -> &'static str {
        "`hydrate` of a poll is used where the connector names the read of a whole record."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Poll(poll) = &context.recipe.trigger else { return };
        let Some(poller) = context.poller(poll).filter(|_| poll.hydrate.value) else { return };
        if context.catalog.record_read(poller).is_none() {
            let message = format!("`{}` cannot be hydrated: no read of one such record is known", poller.id);
            let help = "read it in a step, or name both under `records` of the connector";
            found.push(Diagnostic::new(Code::NotAllowed, poll.hydrate.span, message).help(help));
        }
    }
}
