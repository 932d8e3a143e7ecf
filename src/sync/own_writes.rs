//! Writes of hob whose answers were lost, or that were noted nowhere else as hob was stopped: what was about to be sent
//! is noted with the link before it is sent. A record that has such a value has it from hob, and from no person: what
//! counts as equal then is that write, and not the last time that both records were known to be equal.

use super::base_fields::{base, base_fields, end, sent};
use super::changes::Changes;
use super::field::Field;
use super::merge::Merge;
use super::step_names::{BASE, INTENT};
use super::tree::{Mapping, member, template, text};
use crate::source::Node;

impl Merge<'_, '_> {
    /// The steps `sent`, which recognises hob's own writes, and `equal`, what both records had when they were last
    /// equal as far as such writes tell.
    pub(super) fn own_writes(&self) -> [(&'static str, Mapping); 2] {
        let span = self.sync.recipe.sync.value.fields.span;
        let (mut sent, mut equal) = (Mapping::new(span), Mapping::new(span));
        for side in [0, 1] {
            sent = sent.with(end(side), self.recognised(side).node());
            equal = equal.with(end(side), self.last_equal(side).node());
        }
        [("sent", sent), ("equal", equal)]
    }

    /// The expression of what a record of the side `side` had that matters for `field`; null or empty where that is
    /// not known.
    pub(super) fn equal(&self, side: usize, field: &Field) -> String {
        match self.may_be_sent(side, field) {
            true => member(&format!("steps.equal.{}", end(side)), &field.name),
            false => base(side, field),
        }
    }

    /// Whether hob writes something of what a record of the side gives for `field`.
    fn may_be_sent(&self, side: usize, field: &Field) -> bool {
        base_fields(self.sync, field, side).into_iter().any(|name| self.is_target(side, name))
    }

    fn is_target(&self, side: usize, name: &str) -> bool {
        self.targets(side).into_iter().any(|field| field.sides[side].name.as_str() == name)
    }

    fn recognised(&self, side: usize) -> Mapping {
        let noted = format!("steps.{BASE}.sent.{}", end(side));
        let mut values = Mapping::new(self.sync.recipe.sync.value.fields.span);
        for field in self.targets(side) {
            let name = &field.sides[side].name;
            let has = format!("{} | default(none)", member(&self.record(side), name));
            let same = |list: &str| format!("({list} | select('same', {has}) | list | last | default(none))");
            let mut value = same(&format!("{} | default([])", member(&noted, name)));
            if side == self.to() && self.sync.creates(side) {
                // The record that this run has created, before it began again. One that was found may have been changed.
                let created = member("steps.created", name);
                let created = same(&format!("[{created} | default(none)]"));
                value = format!(
                    "{value} | coalesce({created} if steps.created and 'created' not in run.found else none)"
                );
            }
            let value = format!("{value} if {has} is not none else none");
            values = values.with(name, text(template(&value), field.name.span));
        }
        values
    }

    fn last_equal(&self, side: usize) -> Mapping {
        let sync = self.sync;
        let mut values = Mapping::new(sync.recipe.sync.value.fields.span);
        for field in sync.fields.iter().filter(|field| self.may_be_sent(side, field)) {
            let root = base(side, field);
            let mut value = Mapping::new(field.name.span);
            for name in base_fields(sync, field, side) {
                let had = format!(
                    "{} | default(omit) if {root} | default(none) is not none else omit",
                    member(&root, name)
                );
                let had = match self.is_target(side, name) {
                    true => {
                        let has = member(&self.record(side), name);
                        format!("({has} | default(none)) if {} is not none else {had}", sent(side, name))
                    }
                    false => had,
                };
                value = value.with(name, text(template(&had), field.name.span));
            }
            values = values.with(&field.name, value.node());
        }
        values
    }
}

impl Changes<'_, '_> {
    /// Notes what is about to be sent.
    pub(super) fn intent(&self, merge: &Merge<'_, '_>) -> Node {
        let span = self.sync.recipe.sync.span;
        let sides = [0, 1].into_iter().filter(|side| !merge.targets(*side).is_empty());
        let values = sides.fold(Mapping::new(span), |values, side| {
            values.with_text(end(side), template(&format!("steps.merge.{}", merge.key(side))))
        });
        let with = self.link().with_text("revision", template(&format!("steps.{BASE}.revision")));
        Mapping::new(span)
            .with_text("id", INTENT)
            .with_text("do", self.sync.builtins.intend_link)
            .with_text("if", template(&merge.writes()))
            .with("with", with.with("values", values.node()).node())
            .node()
    }
}
