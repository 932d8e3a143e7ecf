//! The steps that find the other record: by the link, else by the fields that match.

use super::changes::{Changes, stop, warn};
use super::comparison::equal;
use super::field::Field;
use super::side_operations::Find;
use super::step_names::{FOUND, OWN};
use super::tree::{Mapping, member, template, text};
use super::value::FieldValue;
use crate::catalog::{Operation, path};
use crate::source::{Data, Node, Spanned};
use crate::value::Kind;

/// A step that searches.
struct Search {
    id: String,
    /// Step that compares what it found.
    matched: String,
    /// Its result is a list.
    is_list: bool,
    step: Node,
    /// Compare what was found with the key.
    comparison: Vec<Node>,
}

impl Search {
    /// The condition that a record was found and is taken.
    fn has_match(&self) -> String {
        format!("(steps.{0} and steps.{0}.id)", self.matched)
    }
}

impl Changes<'_, '_> {
    /// Steps up to `pair`, which has the id of the other record, or null.
    pub(super) fn finding(&self) -> Vec<Node> {
        let target = self.target().name;
        let keys: Vec<&Spanned<String>> =
            self.sync.matching.iter().map(|at| &self.sync.fields[*at].name).collect();
        let missing: Vec<String> = keys.iter().map(|name| format!("steps.here.{name} is none")).collect();
        let names: Vec<&str> = keys.iter().map(|name| name.as_str()).collect();
        let no_key = format!("not steps.linked and {}", missing.join(" and "));
        let reason = format!("the record has no {} to match by", names.join(" and no "));
        let mut steps = vec![stop(self.sync, "no_key", &no_key, &reason)];
        let searches = self.searches();
        for search in &searches {
            steps.push(search.step.clone());
            steps.extend(search.comparison.iter().cloned());
        }
        for Search { id, .. } in searches.iter().filter(|search| search.is_list) {
            let several = format!("steps.{id} | default([]) | length > 1");
            let reason = format!("several records of {target} match, and none is taken");
            steps.push(warn(self.sync, &format!("warn_{id}"), &several, &reason));
            steps.push(stop(self.sync, &format!("several_{id}"), &several, &reason));
        }
        steps.push(self.pair(&searches));
        if !self.sync.create[self.to()] {
            let reason = format!("{target} has no such record, and none is to be created there");
            steps.push(stop(self.sync, "none_there", "not steps.pair.id", &reason));
        }
        steps
    }

    pub(super) fn find_link(&self) -> Node {
        let span = self.sync.recipe.sync.span;
        let step = Mapping::new(span).with_text("id", "linked").with_text("do", self.sync.builtins.find_link);
        step.with("with", self.link_end().node()).node()
    }

    /// The inputs that name the link by the end that is known.
    pub(super) fn link_end(&self) -> Mapping {
        let end = if self.from == 0 { "from" } else { "to" };
        Mapping::new(self.sync.recipe.sync.span)
            .with_text("name", self.sync.recipe.name.as_str())
            .with_text(end, template(&self.source().event_id()))
    }

    /// One search for each field that matches, until one finds something.
    fn searches(&self) -> Vec<Search> {
        let mut searches: Vec<Search> = Vec::new();
        for field in self.sync.matching.iter().map(|at| &self.sync.fields[*at]) {
            let (name, target) = (&field.name, &field.sides[self.to()].name);
            let Some(find) = self.target().operations.find.get(target.as_str()) else { continue };
            let id = format!("{FOUND}{name}");
            let mut conditions =
                vec!["not steps.linked".to_owned(), format!("steps.here.{name} is not none")];
            conditions.extend(searches.iter().map(|earlier| format!("not {}", earlier.has_match())));
            let list = listed(find.read.operation);
            let paging = find.read.operation.list.as_ref().filter(|_| list.is_some());
            let limit = paging.and_then(|list| list.limit_input());
            let mut with =
                Mapping::new(name.span).with_text(&find.input, template(&format!("steps.here.{name}")));
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
            let matched = format!("matched_{name}");
            let comparison = self.comparison(field, find, &id, &matched);
            searches.push(Search { id, matched, is_list: list.is_some(), step: step.node(), comparison });
        }
        searches
    }

    /// The id of the other record, from the link or the first search that found one.
    fn pair(&self, searches: &[Search]) -> Node {
        let span = self.sync.recipe.sync.span;
        let found = searches.iter().rev().fold("none".to_owned(), |otherwise, search| {
            format!("steps.{}.id if {} else {otherwise}", search.matched, search.has_match())
        });
        let id = template(&format!("steps.linked if steps.linked else {found}"));
        let step = Mapping::new(span).with_text("id", "pair").with_text("do", self.sync.builtins.set);
        step.with("with", Mapping::new(span).with_text("id", id).node()).node()
    }

    /// Takes what the search `found` has found if its key is the one that was asked for: some APIs ignore a filter, or
    /// find what only begins with it.
    fn comparison(&self, field: &Field, find: &Find<'_>, found: &str, matched: &str) -> Vec<Node> {
        let name = &field.name;
        let hit = match listed(find.read.operation) {
            Some(_) => format!("steps.{found}[0]"),
            None => format!("steps.{found}"),
        };
        let id = member(&hit, self.target().id_field());
        let set = |step: &str, with: Mapping| {
            let step = Mapping::new(name.span).with_text("id", step).with_text("do", self.sync.builtins.set);
            step.with_text("if", template(&format!("steps.{found}"))).with("with", with.node()).node()
        };
        let compared = format!("compared_{name}");
        let Some((values, same)) = self.values(field, find, &hit, &format!("steps.{compared}")) else {
            return vec![set(matched, Mapping::new(name.span).with_text("id", template(&id)))];
        };
        let id = template(&format!("{id} if {same} else none"));
        let differs = format!("steps.{matched} and not steps.{matched}.id");
        let message =
            format!("{} found a record with another {name}, and it is not taken", self.target().name);
        vec![
            set(&compared, values),
            set(matched, Mapping::new(name.span).with_text("id", id)),
            warn(self.sync, &format!("warn_{matched}"), &differs, &message),
        ]
    }

    /// What is compared, and the condition on it (below `root`) that a record which was found has the key; none where
    /// the answer does not show it.
    fn values(&self, field: &Field, find: &Find<'_>, hit: &str, root: &str) -> Option<(Mapping, String)> {
        let (here, there) = (&field.sides[self.from], &field.sides[self.to()]);
        let shape = find.read.operation.item_shape().or(find.read.operation.result_shape());
        let shape = shape.filter(|shape| !shape.is_open());
        let shows = |name: &str| shape.is_none_or(|shape| shape.fields.contains_key(name));
        if !shows(&there.name) {
            return None;
        }
        let (its, key) = (member(hit, &there.name), format!("steps.here.{}", field.name));
        let mut values = Mapping::new(field.name.span)
            .with_text("is_shown", template(&format!("{its} is defined")))
            .with_text("there", template(&format!("{its} | default(none)")));
        let mut same = format!("not {root}.is_shown or {}", equal(&format!("{root}.there"), &key));
        // What this side would get from it may be what it has, such as a phone number in another notation.
        let read = here.value.reads();
        let is_same_field = read.contains(&there.name.as_str()) && read.iter().all(|name| shows(name));
        if is_same_field && matches!(here.value, FieldValue::Template(_)) {
            let own = format!("{} | default(none)", member(&format!("steps.{OWN}"), &here.name));
            values = values
                .with_text("would_be_here", template(&here.value.expression(hit)))
                .with_text("here", template(&own));
            let back = equal(&format!("{root}.would_be_here"), &format!("{root}.here"));
            same = format!("{same} or {back}");
        }
        Some((values, same))
    }
}

/// Where the result of a read is a list: the JSONPath of the list.
fn listed(operation: &Operation) -> Option<String> {
    let first = operation.result.first().map_or("$", String::as_str);
    let is_list =
        path::is_list(first) || operation.result_shape().is_some_and(|shape| shape.kind == Kind::Array);
    is_list.then(|| first.trim_end_matches("[*]").to_owned())
}
