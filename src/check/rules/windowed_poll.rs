//! Windows of time of polls.

use super::Rule;
use crate::check::{Context, record_read};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{Emit, Poll, Trigger};
use crate::source::Span;
use crate::template::TemplateTree;

/// A window of time belongs to a list that has one, and moves along.
pub struct MovingWindows;

impl Rule for MovingWindows {
    fn summary(&self) -> &'static str {
        "`window` of a poll is used where the list answers only for a window of time, and that window is left to hob."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Poll(poll) = &context.recipe.trigger else { return };
        let Some(listing) = context.poller(poll).and_then(|poller| poller.list.as_ref()) else { return };
        let Some(window) = &listing.window else {
            if let Some(own) = &poll.window {
                let message =
                    format!("`{}` has no window of time: it always shows everything", poll.operation);
                found.push(Diagnostic::new(Code::NotAllowed, own.span, message).help("leave out `window`"));
            }
            return;
        };
        let bounds = window.inputs().into_iter().filter_map(|name| Some((name, poll.with.get(name)?)));
        for (name, value) in bounds {
            found.extend(bound(poll, name, value.span, is_fixed(value)));
        }
        let moves = listing.moving_window(&poll.with.to_value()).is_some();
        if moves && poll.emit.contains(&Emit::Removed) && record_read(context.catalog, poll).is_none() {
            found.push(moved_or_removed(poll));
        }
    }
}

/// That nobody can tell a record that was moved out of the window from one that was removed.
fn moved_or_removed(poll: &Poll) -> Diagnostic {
    let name = &poll.operation;
    let message = format!(
        "`{name}` shows a window of time, and no operation reads one of its records by its id: a record that is moved \
         out of the window counts as removed"
    );
    let help = "leave `removed` out of `emit`; in a connector of your own, name such a read with the list under `records`";
    Diagnostic::new(Code::Suspicious, name.span, message).help(help)
}

/// What is wrong with a bound that the recipe sets itself.
fn bound(poll: &Poll, name: &str, place: Span, is_fixed: bool) -> Option<Diagnostic> {
    if let Some(own) = &poll.window {
        let message = format!("`window` says how far the poll looks, and `{name}` says it again");
        let help = format!("leave out `{name}`, with the other bound");
        return Some(Diagnostic::new(Code::FieldConflict, own.span, message).help(help));
    }
    let message = if is_fixed {
        format!("`{name}` is one end of a window of time, which never moves if it is fixed")
    } else if poll.emit.contains(&Emit::Removed) {
        format!(
            "with its own `{name}`, this poll takes records that leave the window of time for removed ones"
        )
    } else {
        return None;
    };
    let help = "leave out both ends: hob moves the window along, and `window: { past: 1d, ahead: 30d }` sets its width";
    Some(Diagnostic::new(Code::Suspicious, place, message).help(help))
}

/// Whether a value is the same whenever it is evaluated.
fn is_fixed(value: &TemplateTree) -> bool {
    value.as_template().is_none_or(|template| template.uses().is_empty())
}
