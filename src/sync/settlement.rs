//! The last steps of a generated recipe: both records are equal now, and what they have is noted with their link.

use super::base_fields::{base_fields, end};
use super::changes::Changes;
use super::field::Field;
use super::merge::Merge;
use super::side_operations::takes;
use super::step_names::{BASE, INTENT, OTHER, OWN, SET_BACK, UPDATED};
use super::tree::{Mapping, member, template, text};
use crate::source::Node;

impl Changes<'_, '_> {
    /// The steps `settled` and `settle`.
    pub(super) fn settling(&self, merge: &Merge<'_, '_>) -> Vec<Node> {
        Settlement { changes: self, merge }.steps()
    }
}

struct Settlement<'s, 'r, 'a> {
    changes: &'s Changes<'r, 'a>,
    merge: &'s Merge<'r, 'a>,
}

impl Settlement<'_, '_, '_> {
    fn steps(&self) -> Vec<Node> {
        let sync = self.changes.sync;
        let span = sync.recipe.sync.span;
        let mut ends = Mapping::new(span);
        let mut differs = Vec::new();
        for side in [0, 1] {
            ends = ends.with(end(side), self.values(side).node());
            differs.push(format!("steps.settled.{0} != steps.base.{0}", end(side)));
        }
        let settled = Mapping::new(span).with_text("id", "settled").with_text("do", sync.builtins.set);
        let mut conditions = Vec::new();
        if self.changes.creates() {
            conditions.push("steps.created".to_owned());
        }
        conditions.push(self.merge.writes());
        conditions.extend(differs);
        conditions.push(format!("steps.{BASE}.over"));
        let values = [0, 1].into_iter().fold(Mapping::new(span), |values, side| {
            values.with_text(end(side), template(&format!("steps.settled.{}", end(side))))
        });
        let revision = format!("(steps.{INTENT} or steps.{BASE}).revision");
        let with = self.changes.link().with_text("revision", template(&revision));
        let with =
            with.with("values", values.node()).with_text("over", template(&format!("steps.{BASE}.over")));
        let settle = Mapping::new(span)
            .with_text("id", "settle")
            .with_text("do", sync.builtins.settle_link)
            .with_text("if", template(&conditions.join(" or ")))
            .with("with", with.node());
        vec![settled.with("with", ends.node()).node(), settle.node()]
    }

    /// What the record of a side has now, by field of the sync.
    fn values(&self, side: usize) -> Mapping {
        let sync = self.changes.sync;
        let mut values = Mapping::new(sync.recipe.sync.value.fields.span);
        for field in &sync.fields {
            let names = base_fields(sync, field, side);
            let value = names.iter().fold(Mapping::new(field.name.span), |value, name| {
                value.with(name, text(template(&self.value(side, name)), field.name.span))
            });
            if !value.is_empty() {
                values = values.with(&field.name, value.node());
            }
        }
        values
    }

    /// What the field `name` of the record has that this run knows of: what the answer to a write of the field shows,
    /// else what was sent, else what was read. What an answer shows of other fields may be newer than what the other
    /// side got.
    fn value(&self, side: usize, name: &str) -> String {
        let (step, read) = if side == self.merge.from { (SET_BACK, OWN) } else { (UPDATED, OTHER) };
        let mut value = format!("{} | default(none)", member(&format!("steps.{read}"), name));
        let is_target =
            self.merge.targets(side).into_iter().any(|field| field.sides[side].name.as_str() == name);
        let update = self.changes.sync.sides[side].operations.update.as_ref();
        if let Some(update) = update.filter(|update| is_target && takes(update.operation, name)) {
            let sent = member(&format!("steps.merge.{}", self.merge.key(side)), name);
            let is_sent = format!("{sent} | default(none) is not none");
            let is_sent = if read == OWN { format!("steps.merge and {is_sent}") } else { is_sent };
            let shape = update.operation.result_shape();
            let has = match shape.is_some_and(|shape| shape.is_open() || shape.fields.contains_key(name)) {
                true => {
                    let answered = member(&format!("steps.{step}"), name);
                    // An answer with nothing in the field shows that it was not kept.
                    let answered = format!("({answered} if {answered} is defined else {sent})");
                    format!("({answered} if steps.{step} else {sent})")
                }
                false => sent,
            };
            value = format!("{has} if {is_sent} else {value}");
        }
        if side == self.merge.from {
            return value;
        }
        let created = self.created(name).unwrap_or_else(|| "none".to_owned());
        format!("({value}) if steps.{OTHER} else {created}")
    }

    /// What a record that was created has.
    fn created(&self, name: &str) -> Option<String> {
        let side = self.merge.to();
        let create =
            self.changes.sync.sides[side].operations.create.as_ref().filter(|_| self.changes.creates())?;
        let gives = |field: &&Field| {
            field.flow.goes_to(side)
                && field.sides[side].name.as_str() == name
                && takes(create.operation, name)
        };
        // What an answer shows of fields that were not sent may be newer than what the other side got.
        let sent = self.changes.sync.fields.iter().find(gives)?;
        let sent = format!("steps.here.{}", sent.name);
        let shape = create.operation.result_shape();
        let shows = shape.is_some_and(|shape| shape.is_open() || shape.fields.contains_key(name));
        Some(match shows {
            true => {
                let shown = member("steps.created", name);
                // Without an answer, what it shows may be what somebody has written since.
                let is_written = format!(
                    "'created' in run.found and {shown} | default(none) is not none and {shown} is not same({sent})"
                );
                // An answer with nothing in the field shows that it was not kept.
                let is_shown = format!("{shown} is defined and {sent} is not none and not ({is_written})");
                format!("(({shown} if {is_shown} else {sent}) if steps.created else none)")
            }
            false => sent,
        })
    }
}
