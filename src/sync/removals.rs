//! The recipe that deletes a record when the one that it is linked with is gone. A list that does not show a record may
//! be wrong, or the record may have left the part of it that is read: so the record itself is asked for first.

use super::changes::stop;
use super::resolved::ResolvedSync;
use super::side_operations::Named;
use super::step_names::OWN;
use super::tree::{Mapping, list, member, template, text};
use crate::source::{Data, Node, Spanned};

/// Everything of the recipe but its name: what is gone on the side `from` is deleted on the other.
pub(super) fn parts(sync: &ResolvedSync<'_>, from: usize, delete: &Named<'_>) -> Mapping {
    let span = delete.span;
    let (source, target) = (&sync.sides[from], &sync.sides[1 - from]);
    let name = sync.recipe.name.as_str();
    let id = template(&member("event", source.id_field()));
    let ends = if from == 0 { ["from", "to"] } else { ["to", "from"] };
    let find = Mapping::new(span).with_text("name", name).with_text(ends[0], id.clone()).node();
    let linked = Mapping::new(span)
        .with_text("id", "linked")
        .with_text("do", sync.builtins.find_link)
        .with("with", find);
    let with = Mapping::new(span).with_text(&target.id_input(delete), "{{ steps.linked }}").node();
    let is_shared = source.connector.connector == target.connector.connector;
    let connection = target.syntax.connection.as_ref().filter(|_| is_shared);
    let deleted = Mapping::new(span)
        .with_text("id", "deleted")
        .with_text("do", delete.operation.id.as_str())
        .with_some("connection", connection.map(|name| name.clone().map(Data::Text)))
        .with_text("on_missing", "continue")
        .with("with", with);
    let read = &source.operations.read;
    let with = Mapping::new(read.span).with_text(&source.id_input(read), id.clone()).node();
    let own = Mapping::new(read.span)
        .with_text("id", OWN)
        .with_text("do", read.operation.id.as_str())
        .with_text("on_missing", "continue")
        .with("with", with);
    let is_there =
        format!("{} | default(none) is not none", member(&format!("steps.{OWN}"), source.id_field()));
    let first = if from == 0 { id } else { "{{ steps.linked }}".to_owned() };
    let forget = Mapping::new(span).with_text("name", name).with_text("from", first).node();
    let forgotten = Mapping::new(span)
        .with_text("id", "forgotten")
        .with_text("do", sync.builtins.delete_link)
        .with("with", forget);
    let steps = vec![
        linked.node(),
        stop(sync, "unlinked", "not steps.linked", "the record was linked with none"),
        own.node(),
        stop(sync, "still_there", &is_there, "the record is still there, although its list does not show it"),
        deleted.node(),
        forgotten.node(),
    ];
    let list_of = &source.operations.list;
    let syntax = source.syntax;
    let every = syntax.every.as_ref().map(|every| &every.0);
    let every = every.or(syntax.reconcile.as_ref().map(|reconcile| &reconcile.0));
    let every = every.map(|every| every.clone().map(Data::Text));
    let trigger: Node = Mapping::new(list_of.span)
        .with_text("poll", list_of.operation.id.as_str())
        .with_some(
            "with",
            source.has_window().then(|| syntax.with.as_ref().map(|with| with.0.clone())).flatten(),
        )
        .with_some("every", every)
        .with("emit", Spanned::new(Data::List(vec![text("removed", list_of.span)]), list_of.span))
        .with_some("window", syntax.window.clone())
        .with_some("removed_limit", syntax.removed_limit.as_ref().map(|limit| limit.0.clone()))
        .node();
    Mapping::new(span).with("trigger", trigger).with("actions", list(steps, span))
}
