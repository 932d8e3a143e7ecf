//! The steps that find the other record: by the link, else by the fields that match.

use super::changes::{Changes, stop};
use super::tree::{Mapping, member, template, text};
use crate::catalog::{Operation, path};
use crate::source::{Data, Node, Spanned};
use crate::value::Kind;

/// A step that searches.
struct Search {
    id: String,
    /// Its result is a list.
    is_list: bool,
    step: Node,
}

impl Changes<'_, '_> {
    /// Steps up to `pair`, which has the id of the other record, or null.
    pub(super) fn finding(&self) -> Vec<Node> {
        let target = self.target().name;
        let keys: Vec<&Spanned<String>> =
            self.sync.matching.iter().map(|at| &self.sync.fields[*at].name).collect();
        let missing: Vec<String> = keys.iter().map(|name| format!("vars.now.{name} is none")).collect();
        let names: Vec<&str> = keys.iter().map(|name| name.as_str()).collect();
        let no_key = format!("not steps.linked and {}", missing.join(" and "));
        let reason = format!("the record has no {} to match by", names.join(" and no "));
        let mut steps = vec![self.find_link(), stop(self.sync, "no_key", &no_key, &reason)];
        let searches = self.searches();
        steps.extend(searches.iter().map(|search| search.step.clone()));
        for Search { id, .. } in searches.iter().filter(|search| search.is_list) {
            let several = format!("steps.{id} | default([]) | length > 1");
            let reason = format!("several records of {target} match, and none is taken");
            steps.push(self.warn(&format!("warn_{id}"), &several, &reason));
            steps.push(stop(self.sync, &format!("several_{id}"), &several, &reason));
        }
        steps.push(self.pair(&searches));
        if !self.sync.create[self.to()] {
            let reason = format!("{target} has no such record, and none is to be created there");
            steps.push(stop(self.sync, "none_there", "not steps.pair.id", &reason));
        }
        steps
    }

    fn find_link(&self) -> Node {
        let span = self.sync.recipe.sync.span;
        let end = if self.from == 0 { "from" } else { "to" };
        let with = Mapping::new(span)
            .with_text("name", self.sync.recipe.name.as_str())
            .with_text(end, template(&self.source().event_id()));
        let step = Mapping::new(span).with_text("id", "linked").with_text("do", self.sync.builtins.find_link);
        step.with("with", with.node()).node()
    }

    /// One search for each field that matches, until one finds something.
    fn searches(&self) -> Vec<Search> {
        let mut searches: Vec<Search> = Vec::new();
        for field in self.sync.matching.iter().map(|at| &self.sync.fields[*at]) {
            let (name, target) = (&field.name, &field.sides[self.to()].name);
            let Some(find) = self.target().operations.find.get(target.as_str()) else { continue };
            let id = format!("found_{name}");
            let mut conditions = vec!["not steps.linked".to_owned(), format!("vars.now.{name} is not none")];
            conditions.extend(searches.iter().map(|earlier| format!("not steps.{}", earlier.id)));
            let list = listed(find.read.operation);
            let paging = find.read.operation.list.as_ref().filter(|_| list.is_some());
            let limit = paging.and_then(|list| list.limit_input());
            let mut with =
                Mapping::new(name.span).with_text(&find.input, template(&format!("vars.now.{name}")));
            if let Some(limit) = limit {
                // A second one is asked for, so that it is seen where several match.
                with = with.with(limit, Spanned::new(Data::Int(2), name.span));
            }
            let all_pages = paging.filter(|_| limit.is_none()).map(|_| text("all", name.span));
            let step = self
                .on_target(&id, &find.read)
                .with_text("if", template(&conditions.join(" and ")))
                .with("with", with.node())
                .with_some("pick", list.as_ref().map(|pick| text(pick.as_str(), name.span)))
                .with_some("pages", all_pages);
            searches.push(Search { id, is_list: list.is_some(), step: step.node() });
        }
        searches
    }

    /// The id of the other record, from the link or the first search that found one.
    fn pair(&self, searches: &[Search]) -> Node {
        let span = self.sync.recipe.sync.span;
        let found = searches.iter().rev().fold("none".to_owned(), |otherwise, Search { id, is_list, .. }| {
            let record = format!("steps.{id}{}", if *is_list { "[0]" } else { "" });
            format!("{} if steps.{id} else {otherwise}", member(&record, self.target().id_field()))
        });
        let id = template(&format!("steps.linked if steps.linked else {found}"));
        let step = Mapping::new(span).with_text("id", "pair").with_text("do", self.sync.builtins.set);
        step.with("with", Mapping::new(span).with_text("id", id).node()).node()
    }

    fn warn(&self, id: &str, condition: &str, message: &str) -> Node {
        let span = self.sync.recipe.sync.span;
        let with = Mapping::new(span).with_text("message", message).with_text("level", "warn");
        let step = Mapping::new(span).with_text("id", id).with_text("do", self.sync.builtins.log);
        step.with_text("if", template(condition)).with("with", with.node()).node()
    }
}

/// Where the result of a read is a list: the JSONPath of the list.
fn listed(operation: &Operation) -> Option<String> {
    let first = operation.result.first().map_or("$", String::as_str);
    let is_list =
        path::is_list(first) || operation.result_shape().is_some_and(|shape| shape.kind == Kind::Array);
    is_list.then(|| first.trim_end_matches("[*]").to_owned())
}
