//! What changed of a record, read where only new or removed records are events.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{Emit, Trigger};
use crate::template::{PathStep, Use};

/// `event.changed` and `event.before` are read where the poll's `emit` has `changed`.
pub struct ChangesEmitted;

impl Rule for ChangesEmitted {
    fn summary(&self) -> &'static str {
        "`event.changed` and `event.before` are read only if the poll's `emit` has `changed`; without it, nothing is ever in them."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Poll(poll) = &context.recipe.trigger else { return };
        if poll.emit.contains(&Emit::Changed) {
            return;
        }
        let own = context.poller(poll).and_then(|operation| operation.item_shape());
        for site in &context.sites {
            for used in site.template.uses() {
                let Use::Path { root, steps, range, .. } = used else { continue };
                let ("event", Some(PathStep::Field(name))) = (root.as_str(), steps.first()) else { continue };
                let is_field =
                    own.is_none_or(|shape| shape.fields.is_empty() || shape.fields.contains_key(name));
                if !matches!(name.as_str(), "changed" | "before") || is_field {
                    continue;
                }
                let message = format!("`event.{name}` is always empty, because `emit` has no `changed`");
                let place = site.template.place(range.clone());
                let diagnostic = Diagnostic::new(Code::Suspicious, place, message);
                found.push(diagnostic.help("write `emit: [new, changed]`, or leave the question out"));
            }
        }
    }
}
