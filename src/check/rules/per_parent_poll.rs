//! Polls of a list for each parent.

use super::Rule;
use crate::catalog::{Operation, Place};
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{Emit, Poll, Trigger};
use crate::template::Use;
use crate::value::{Kind, Shape};

/// `over` names the list of parents of a list that needs one, and the inputs name the parent.
pub struct ParentPolls;

impl Rule for ParentPolls {
    fn summary(&self) -> &'static str {
        "`over` of a poll names the parents of a list that answers for one parent at a time, on the same connection, and \
         the inputs name the parent."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Poll(poll) = &context.recipe.trigger else { return };
        let (Some(over), Some(poller)) = (&poll.over, context.poller(poll)) else { return };
        let Some(parents) = context.parents.filter(|parents| parents.is_poller()) else { return };
        let mut wrong = |code, span, message: String, help: &str| {
            found.push(Diagnostic::new(code, span, message).help(help));
        };
        if parents.connector != poller.connector {
            let message =
                format!("`{}` is on `{}`, and `{}` is not", poller.id, poller.connector, parents.id);
            wrong(
                Code::NotAllowed,
                over.operation.span,
                message,
                "both are read on one connection; name a list of the same app",
            );
            return;
        }
        if parents.id == poller.id {
            let message = format!("`{}` is polled over itself", poller.id);
            let help = "`over` is the list of the records of which it needs one";
            wrong(Code::NotAllowed, over.operation.span, message, help);
            return;
        }
        if !names_parent(poll) {
            let (message, help) = unnamed(context, poll, poller);
            wrong(Code::NotAllowed, over.operation.span, message, &help);
        }
        let listing = parents.list.as_ref();
        if listing.is_some_and(|listing| listing.id.is_empty()) {
            let message = format!("the items of `{}` have no id, so none can be a parent", parents.id);
            wrong(Code::NotAllowed, over.operation.span, message, "name a list of records");
        }
        if listing.is_some_and(|listing| listing.window.is_some()) && poll.emit.contains(&Emit::Removed) {
            let message = format!(
                "`{}` shows parents for a window of time only, so what it no longer shows need not be removed",
                parents.id
            );
            wrong(Code::NotAllowed, over.operation.span, message, "leave `removed` out of `emit`");
        }
        if let Some(why) = poller.item_shape().and_then(unfit) {
            let message = format!("an item of `{}` {why}", poller.id);
            wrong(
                Code::NotAllowed,
                over.operation.span,
                message,
                "poll it for one parent, without `over`, and name the parent in the recipe",
            );
        }
        let known = poller.list.as_ref().map(|listing| &listing.per_parent);
        let is_hydrated = poll.hydrate.value && context.catalog.record_read(poller).is_some();
        if is_hydrated && known.is_some_and(|known| !known.unique_ids) {
            let message =
                format!("`{}` cannot be hydrated: its ids are unique within a parent only", poller.id);
            wrong(Code::NotAllowed, poll.hydrate.span, message, "read the record in a step");
        }
        let better = known.and_then(|known| known.instead.as_deref());
        if let Some(better) = better.filter(|better| context.catalog.operation(better).is_some()) {
            let message = format!(
                "`{better}` lists the same for all parents at once, and this sends a request for each parent"
            );
            let help = format!("write `poll: {better}`, without `over`");
            wrong(Code::Suspicious, poll.operation.span, message, &help);
        }
    }
}

/// Whether an input of the list reads the parent.
fn names_parent(poll: &Poll) -> bool {
    let uses = poll.with.templates().into_iter().flat_map(|template| template.uses());
    uses.into_iter().any(|used| matches!(used, Use::Path { root, .. } if root == "parent"))
}

/// What is wrong with inputs that do not read the parent.
fn unnamed(context: &Context<'_>, poll: &Poll, poller: &Operation) -> (String, String) {
    let filled = |name: &str| {
        let connector = context.connector_of(poller);
        connector.is_some_and(|connector| {
            connector.constants.contains_key(name)
                || connector.settings.values().any(|setting| setting.fills.iter().any(|fills| fills == name))
        })
    };
    let in_path = |name: &&String| {
        poller.parameters.get(*name).is_some_and(|parameter| parameter.place == Place::Path) && !filled(name)
    };
    match poller.parameters.keys().find(in_path) {
        Some(name) => (
            "no input names the parent, so each parent would give the same list".to_owned(),
            format!("write `with: {{ {name}: \"{{{{ parent.id }}}}\" }}` beside `poll`"),
        ),
        None => (
            format!("`{}` needs no parent", poll.operation),
            "leave out `over`, or name the parent in an input: `\"{{ parent.id }}\"`".to_owned(),
        ),
    }
}

/// Why such an item cannot carry its parent.
fn unfit(item: &Shape) -> Option<String> {
    match item.kind {
        Kind::String | Kind::Integer | Kind::Number | Kind::Boolean | Kind::Array => {
            Some("is no mapping, so the event has no place for `parent`".to_owned())
        }
        _ if item.fields.contains_key("parent") => {
            Some("has a field `parent` of its own, where the event has the parent".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_that_cannot_carry_a_parent() {
        let shape = |text: &str| serde_yaml::from_str::<Shape>(text).unwrap();
        assert!(unfit(&shape("{ type: string }")).is_some());
        assert!(unfit(&shape("{ type: object, fields: { parent: { type: string } } }")).is_some());
        assert_eq!(unfit(&shape("{ type: object, fields: { id: { type: string } } }")), None);
    }
}
