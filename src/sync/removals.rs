//! The recipe that deletes a record when the one that it is linked with is gone.

use super::changes::stop;
use super::resolved::ResolvedSync;
use super::side_operations::Named;
use super::tree::{Mapping, list, template, text};
use crate::source::{Data, Node, Spanned};

/// Everything of the recipe but its name: what is gone on the side `from` is deleted on the other.
pub(super) fn parts(sync: &ResolvedSync<'_>, from: usize, delete: &Named<'_>) -> Mapping {
    let span = delete.span;
    let (source, target) = (&sync.sides[from], &sync.sides[1 - from]);
    let name = sync.recipe.name.as_str();
    let id = template(&super::tree::member("event", source.id_field()));
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
    let first = if from == 0 { id } else { "{{ steps.linked }}".to_owned() };
    let forget = Mapping::new(span).with_text("name", name).with_text("from", first).node();
    let forgotten = Mapping::new(span)
        .with_text("id", "forgotten")
        .with_text("do", sync.builtins.delete_link)
        .with("with", forget);
    let steps = vec![
        linked.node(),
        stop(sync, "unlinked", "not steps.linked", "the record was linked with none"),
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
        .with_some("every", every)
        .with("emit", Spanned::new(Data::List(vec![text("removed", list_of.span)]), list_of.span))
        .with_some("removed_limit", syntax.removed_limit.as_ref().map(|limit| limit.0.clone()))
        .node();
    Mapping::new(span).with("trigger", trigger).with("actions", list(steps, span))
}
