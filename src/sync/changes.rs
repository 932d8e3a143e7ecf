//! The recipe that brings changes of one side to the other.

use super::merge::Merge;
use super::resolved::ResolvedSync;
use super::side::Side;
use super::side_operations::{Named, takes};
use super::step_names::{BASE, CREATED, OTHER, OWN, SET_BACK, UPDATED};
use super::tree::{Mapping, list, member, template, text};
use crate::catalog::Catalog;
use crate::source::{Data, Node, Spanned};

/// Builds the recipe of one direction.
pub(super) struct Changes<'r, 'a> {
    pub(super) sync: &'r ResolvedSync<'a>,
    pub(super) catalog: &'a Catalog,
    /// The side whose changes it brings.
    pub(super) from: usize,
}

impl<'a> Changes<'_, 'a> {
    pub(super) fn to(&self) -> usize {
        1 - self.from
    }

    pub(super) fn source(&self) -> &Side<'a> {
        &self.sync.sides[self.from]
    }

    pub(super) fn target(&self) -> &Side<'a> {
        &self.sync.sides[self.to()]
    }

    /// Everything of the recipe but its name.
    pub(super) fn parts(&self) -> Mapping {
        let merge = Merge { sync: self.sync, from: self.from };
        let merging = merge.steps();
        let merges = !merging.is_empty();
        let mut steps = vec![self.find_link()];
        // The base comes before the records: what another run does after that changes its revision.
        steps.extend(merges.then(|| self.base()));
        steps.extend([self.read_own(), self.gone(), self.here()]);
        steps.extend(self.finding());
        if merges {
            steps.extend(self.read_other());
        }
        steps.extend(self.creating());
        steps.extend(merging);
        steps.push(self.linking());
        if merge.has_conflicts() {
            steps.push(conflict_log(self.sync));
        }
        steps.extend(merges.then(|| self.intent(&merge)));
        steps.extend(self.update(&merge, self.to(), UPDATED, "{{ steps.pair.id }}".to_owned()));
        steps.extend(self.update(&merge, self.from, SET_BACK, template(&self.source().event_id())));
        if merges {
            steps.extend(self.settling(&merge));
        }
        let span = self.sync.recipe.sync.span;
        let retry = Mapping::new(span).with_text("from", "start").node();
        Mapping::new(span)
            .with("trigger", self.trigger())
            .with("retry", retry)
            .with("actions", list(steps, span))
    }

    fn trigger(&self) -> Node {
        let side = self.source();
        let syntax = side.syntax;
        let duration = |text: &Spanned<String>| text.clone().map(Data::Text);
        if let Some(events) = &syntax.webhook {
            let span = events.0.first().map_or(side.span, |name| name.span);
            let names = events.0.iter().map(|name| name.clone().map(Data::Text)).collect();
            return Mapping::new(span)
                .with("webhook", list(names, span))
                .with_some("reconcile", syntax.reconcile.as_ref().map(|every| duration(&every.0)))
                .node();
        }
        let poll = &side.operations.list;
        let emit = ["new", "changed"].map(|kind| text(kind, poll.span)).to_vec();
        // A list that shows all that hob wrote tells an echo by itself.
        let hydrate = self.is_thin().then(|| Spanned::new(Data::Bool(true), poll.span));
        Mapping::new(poll.span)
            .with_text("poll", poll.operation.id.as_str())
            .with_some("with", syntax.with.as_ref().map(|with| with.0.clone()))
            .with_some("every", syntax.every.as_ref().map(|every| duration(&every.0)))
            .with("emit", list(emit, poll.span))
            .with_some("window", syntax.window.clone())
            .with_some("hydrate", hydrate)
            .with_some("start", syntax.start.as_ref().map(duration))
            .node()
    }

    /// Whether the list shows less of a record than the sync reads.
    fn is_thin(&self) -> bool {
        let list = self.source().operations.list.operation;
        let Some(item) = list.item_shape().filter(|item| !item.is_open()) else { return false };
        let read = self.sync.fields.iter().flat_map(|field| {
            let held = self.sync.is_written(field, self.from).then(|| field.sides[self.from].name.as_str());
            field.sides[self.to()].value.reads().into_iter().chain(held)
        });
        self.catalog.record_read(list).is_some()
            && read.into_iter().any(|name| !item.fields.contains_key(name))
    }

    /// What both records had when they were last made equal, and what was to be sent to them since.
    fn base(&self) -> Node {
        let span = self.sync.recipe.sync.span;
        let step = Mapping::new(span).with_text("id", BASE).with_text("do", self.sync.builtins.link_base);
        step.with("with", self.link_end().node()).node()
    }

    /// The event only tells which record changed: it may have been changed again since.
    fn read_own(&self) -> Node {
        let read = &self.source().operations.read;
        let id = template(&self.source().event_id());
        let with = Mapping::new(read.span).with_text(&self.source().id_input(read), id);
        Mapping::new(read.span)
            .with_text("id", OWN)
            .with_text("do", read.operation.id.as_str())
            .with_text("on_missing", "continue")
            .with("with", with.node())
            .node()
    }

    fn gone(&self) -> Node {
        let id = member(&format!("steps.{OWN}"), self.source().id_field());
        stop(self.sync, "gone", &format!("{id} | default(none) is none"), "the record is gone")
    }

    /// The values that the other side would get.
    fn here(&self) -> Node {
        let span = self.sync.recipe.sync.value.fields.span;
        let mut here = Mapping::new(span);
        for (at, field) in self.sync.fields.iter().enumerate() {
            let is_written = self.sync.is_written(field, self.to());
            let is_created = self.sync.create[self.to()] && field.flow.goes_to(self.to());
            if is_written || is_created || self.sync.matching.contains(&at) {
                let value = field.sides[self.to()].value.expression(&format!("steps.{OWN}"));
                here = here.with(&field.name, text(template(&value), field.name.span));
            }
        }
        let step = Mapping::new(span).with_text("id", "here").with_text("do", self.sync.builtins.set);
        step.with("with", here.node()).node()
    }

    /// A step that calls an operation of the other side.
    pub(super) fn on_target(&self, id: &str, named: &Named<'_>) -> Mapping {
        let step = Mapping::new(named.span).with_text("id", id).with_text("do", named.operation.id.as_str());
        let is_shared = self.target().connector.connector == self.source().connector.connector;
        let connection = self.target().syntax.connection.as_ref().filter(|_| is_shared);
        step.with_some("connection", connection.map(|name| name.clone().map(Data::Text)))
    }

    /// Reads the other record. One that is gone ends the run.
    fn read_other(&self) -> Vec<Node> {
        let read = &self.target().operations.read;
        let with = Mapping::new(read.span).with_text(&self.target().id_input(read), "{{ steps.pair.id }}");
        let step = self.on_target(OTHER, read).with_text("if", "{{ steps.pair.id }}");
        let step = step.with_text("on_missing", "continue").with("with", with.node()).node();
        let is_gone = format!("steps.pair.id and not steps.{OTHER}");
        let reason = format!("the record of {} that belongs to it is gone", self.target().name);
        let warning = warn(self.sync, "warn_gone_there", &is_gone, &reason);
        vec![step, warning, stop(self.sync, "gone_there", &is_gone, &reason)]
    }

    /// Creates the record, if it has what the API needs.
    fn creating(&self) -> Vec<Node> {
        let create = self.target().operations.create.as_ref().filter(|_| self.sync.create[self.to()]);
        let Some(create) = create else { return Vec::new() };
        let mut with = Mapping::new(create.span);
        let mut missing = Vec::new();
        for field in self.sync.fields.iter().filter(|field| field.flow.goes_to(self.to())) {
            let name = &field.sides[self.to()].name;
            if !takes(create.operation, name) {
                continue;
            }
            let is_required = create.operation.input(name).is_some_and(|input| input.shape.required);
            let now = format!("steps.here.{}", field.name);
            let value = if is_required { now.clone() } else { format!("{now} | default(omit)") };
            with = with.with(name, text(template(&value), field.name.span));
            missing.extend(is_required.then(|| (format!("{now} is none"), name.as_str())));
        }
        let mut steps = Vec::new();
        if !missing.is_empty() {
            let (conditions, names): (Vec<String>, Vec<&str>) = missing.into_iter().unzip();
            let condition = format!("not steps.pair.id and ({})", conditions.join(" or "));
            let reason = format!("{} creates no record without {}", self.target().name, names.join(" and "));
            steps.push(stop(self.sync, "incomplete", &condition, &reason));
        }
        let step = self.on_target(CREATED, create).with_text("if", "{{ not steps.pair.id }}");
        steps.push(step.with("with", with.node()).node());
        steps
    }

    fn linking(&self) -> Node {
        let span = self.sync.recipe.sync.span;
        let step = Mapping::new(span).with_text("id", "link").with_text("do", self.sync.builtins.save_link);
        step.with_text("if", "{{ not steps.linked }}").with("with", self.link().node()).node()
    }

    /// The inputs that name the link of the pair.
    pub(super) fn link(&self) -> Mapping {
        let other = match self.creates() {
            true => {
                let created = member("steps.created", self.target().id_field());
                format!("{created} if steps.created else steps.pair.id")
            }
            false => "steps.pair.id".to_owned(),
        };
        let (ours, theirs) = (template(&self.source().event_id()), template(&other));
        let (first, second) = if self.from == 0 { (ours, theirs) } else { (theirs, ours) };
        Mapping::new(self.sync.recipe.sync.span)
            .with_text("name", self.sync.recipe.name.as_str())
            .with_text("from", first)
            .with_text("to", second)
    }

    /// Whether a missing record is created on the other side.
    pub(super) fn creates(&self) -> bool {
        self.sync.creates(self.to())
    }

    /// The update of the record on the side `side` that is called `id`.
    fn update(&self, merge: &Merge<'_, '_>, side: usize, step: &str, id: String) -> Option<Node> {
        let named = self.sync.sides[side].operations.update.as_ref()?;
        let fields = merge.targets(side);
        if fields.is_empty() {
            return None;
        }
        let values = format!("steps.merge.{}", merge.key(side));
        let mut with = Mapping::new(named.span).with_text(&self.sync.sides[side].id_input(named), id);
        for field in fields {
            let name = &field.sides[side].name;
            if takes(named.operation, name) {
                let value = format!("{} | default(omit)", member(&values, name));
                with = with.with(name, text(template(&value), field.name.span));
            }
        }
        let call = if side == self.to() {
            self.on_target(step, named)
        } else {
            Mapping::new(named.span).with_text("id", step).with_text("do", named.operation.id.as_str())
        };
        Some(
            call.with_text("if", template(&format!("steps.merge and {values}")))
                .with("with", with.node())
                .node(),
        )
    }
}

/// A step that warns.
pub(super) fn warn(sync: &ResolvedSync<'_>, id: &str, condition: &str, message: &str) -> Node {
    let span = sync.recipe.sync.span;
    let with = Mapping::new(span).with_text("message", message).with_text("level", "warn");
    let step = Mapping::new(span).with_text("id", id).with_text("do", sync.builtins.log);
    step.with_text("if", template(condition)).with("with", with.node()).node()
}

/// A step that ends the run.
pub(super) fn stop(sync: &ResolvedSync<'_>, id: &str, condition: &str, reason: &str) -> Node {
    let span = sync.recipe.sync.span;
    let with = Mapping::new(span).with_text("reason", reason).node();
    Mapping::new(span)
        .with_text("id", id)
        .with_text("do", sync.builtins.stop)
        .with_text("if", template(condition))
        .with("with", with)
        .node()
}

fn conflict_log(sync: &ResolvedSync<'_>) -> Node {
    let span = sync.recipe.sync.span;
    let with = Mapping::new(span)
        .with_text("message", "{{ 'conflict: ' ~ (steps.merge.conflicts | join('; ')) }}")
        .with_text("level", "warn");
    let step = Mapping::new(span).with_text("id", "conflict").with_text("do", sync.builtins.log);
    step.with_text("if", "{{ steps.merge and steps.merge.conflicts }}").with("with", with.node()).node()
}
