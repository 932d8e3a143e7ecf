//! Which values go where once both records are known: the steps `there`, `known` and `merge` of a generated recipe.
//!
//! `steps.here` are the values that the other side would get from this one, `steps.there.gives` those that this side
//! would get from the other, and `steps.known` what both were when the records were last made equal, or when hob wrote
//! what the other side has now. A field was
//! changed on a side if what it gives is not what it gave then. Both directions decide alike, whichever record the
//! event is about: so each run makes up for what earlier ones could not do.

use super::base_fields::sent;
use super::comparison::equal;
use super::field::{Field, Flow};
use super::resolved::ResolvedSync;
use super::step_names::{OTHER, OWN};
use super::tree::{Mapping, list, member, quoted, template, text};
use crate::source::Node;

/// The condition that the records were made equal before.
const EVER_EQUAL: &str = "(steps.base.from or steps.base.to)";

/// The steps of one direction.
pub(super) struct Merge<'r, 'a> {
    pub(super) sync: &'r ResolvedSync<'a>,
    /// The side whose change is dealt with.
    pub(super) from: usize,
}

/// Who wins where both sides changed a field.
enum Winner {
    Side(usize),
    /// The record that was changed last.
    Newer,
}

/// Expressions about a field.
struct Terms {
    /// What the other side would get, and when the records were last equal.
    here: String,
    known_here: String,
    /// What this side would get, and when the records were last equal.
    there: String,
    known_there: String,
    /// What the sides have; `None` where they do not show it.
    held_here: Option<String>,
    held_there: Option<String>,
    /// What the side that does not own the field had when the records were last equal.
    known_held: String,
}

impl Terms {
    fn changed_here(&self) -> String {
        format!("{0} is not none and {0} != {1}", self.here, self.known_here)
    }

    fn changed_there(&self) -> String {
        format!("{0} is not none and {0} != {1}", self.there, self.known_there)
    }
}

/// `one` and what is given are not the same, as far as that is known.
fn unlike(one: &str, held: Option<&String>) -> String {
    held.map(|held| format!(" and {one} != {held}")).unwrap_or_default()
}

impl Merge<'_, '_> {
    pub(super) fn to(&self) -> usize {
        1 - self.from
    }

    /// The expression of the record of a side.
    pub(super) fn record(&self, side: usize) -> String {
        format!("steps.{}", if side == self.from { OWN } else { OTHER })
    }

    /// The condition that something goes to a side.
    pub(super) fn writes(&self) -> String {
        let sides = [self.to(), self.from].into_iter().filter(|side| !self.targets(*side).is_empty());
        let written: Vec<String> = sides.map(|side| format!("steps.merge.{}", self.key(side))).collect();
        format!("steps.merge and ({})", written.join(" or "))
    }

    /// Key below `steps.merge` of what goes to a side.
    pub(super) fn key(&self, side: usize) -> String {
        format!("to_{}", self.sync.sides[side].key())
    }

    /// The fields that may be written on the side `side`.
    pub(super) fn targets(&self, side: usize) -> Vec<&Field> {
        self.sync.fields.iter().filter(|field| self.sync.is_written(field, side)).collect()
    }

    /// The steps; none where no existing record is written.
    pub(super) fn steps(&self) -> Vec<Node> {
        let span = self.sync.recipe.sync.value.fields.span;
        let (to_other, back) = (self.values_for(self.to()), self.values_for(self.from));
        if to_other.is_empty() && back.is_empty() {
            return Vec::new();
        }
        let step = |id: &str| Mapping::new(span).with_text("id", id).with_text("do", self.sync.builtins.set);
        let when = template(&format!("steps.{OTHER}"));
        let mut merge = Mapping::new(span);
        for (side, values) in [(self.to(), to_other), (self.from, back)] {
            if !values.is_empty() {
                merge = merge.with(&self.key(side), values.node());
            }
        }
        let conflicts = self.conflicts();
        if !conflicts.is_empty() {
            merge = merge.with("conflicts", list(conflicts, span));
        }
        let known = self.known();
        let steps = [("there", self.there())].into_iter().chain(self.own_writes()).chain([("known", known)]);
        let steps = steps.chain([("merge", merge)]);
        steps
            .map(|(id, with)| step(id).with_text("if", when.clone()).with("with", with.node()).node())
            .collect()
    }

    /// Whether conflicts are looked for.
    pub(super) fn has_conflicts(&self) -> bool {
        !self.conflicts().is_empty()
    }

    fn terms(&self, field: &Field) -> Terms {
        let name = &field.name;
        let held = |group: &str, side: usize| {
            self.is_shown(field, side).then(|| format!("steps.there.{group}.{name}"))
        };
        Terms {
            here: format!("steps.here.{name}"),
            known_here: format!("steps.known.here.{name}"),
            there: format!("steps.there.gives.{name}"),
            known_there: format!("steps.known.there.{name}"),
            held_here: held("own", self.from),
            held_there: held("now", self.to()),
            known_held: format!("steps.known.held.{name}"),
        }
    }

    /// Whether the records of a side show the field.
    fn is_shown(&self, field: &Field, side: usize) -> bool {
        let name = field.sides[side].name.as_str();
        self.sync.sides[side].record().is_none_or(|record| record.fields.contains_key(name))
    }

    /// What the sides have and give now.
    fn there(&self) -> Mapping {
        let span = self.sync.recipe.sync.value.fields.span;
        let record = |side: usize| self.record(side);
        let held = |side: usize| {
            let fields = self.targets(side).into_iter().filter(|field| self.is_shown(field, side));
            fields.fold(Mapping::new(span), |values, field| {
                let value = member(&record(side), &field.sides[side].name);
                let value = format!("{value} | default(none) | coalesce(none)");
                values.with(&field.name, text(template(&value), field.name.span))
            })
        };
        let gives = self.targets(self.from).into_iter().fold(Mapping::new(span), |values, field| {
            let value = field.sides[self.from].value.expression(&record(self.to()));
            values.with(&field.name, text(template(&value), field.name.span))
        });
        let groups = [("now", held(self.to())), ("own", held(self.from)), ("gives", gives)];
        let mut there = Mapping::new(span);
        for (name, values) in groups.into_iter().filter(|(_, values)| !values.is_empty()) {
            there = there.with(name, values.node());
        }
        if let Some(is_newer) = self.is_newer() {
            there = there.with_text("is_newer", template(&is_newer));
        }
        there
    }

    /// What the sides gave when the records were last equal; null where that is not known.
    fn known(&self) -> Mapping {
        let span = self.sync.recipe.sync.value.fields.span;
        let gave = |side: usize| {
            self.targets(1 - side).into_iter().fold(Mapping::new(span), |values, field| {
                let root = self.equal(side, field);
                let value = field.sides[1 - side].value.expression(&root);
                let value = format!("({value}) if {root} | default(none) else none");
                // What the other side has is what this one gave then.
                let sent = sent(1 - side, &field.sides[1 - side].name);
                let value = format!("{sent} if {sent} is not none else {value}");
                values.with(&field.name, text(template(&value), field.name.span))
            })
        };
        let mut held = Mapping::new(span);
        for field in &self.sync.fields {
            let Flow::Owned { by } = field.flow else { continue };
            let (side, root) = (1 - by, self.equal(1 - by, field));
            if self.sync.is_written(field, side) && self.is_shown(field, side) {
                let value = format!("{} | default(none)", member(&root, &field.sides[side].name));
                let value = format!("({value}) if {root} | default(none) else none");
                held = held.with(&field.name, text(template(&value), field.name.span));
            }
        }
        let groups = [("here", gave(self.from)), ("there", gave(self.to())), ("held", held)];
        let groups = groups.into_iter().filter(|(_, values)| !values.is_empty());
        groups.fold(Mapping::new(span), |known, (name, values)| known.with(name, values.node()))
    }

    /// Whether changes of the field go both ways.
    fn is_merged(&self, field: &Field) -> bool {
        matches!(field.flow, Flow::BothWays { .. }) && self.sync.update == [true, true]
    }

    /// The expression of whether the other record was changed later; `None` if that decides nothing, or is not known.
    fn is_newer(&self) -> Option<String> {
        let by_time = |field: &Field| field.flow == Flow::BothWays { winner: None };
        self.sync.fields.iter().find(|field| self.is_merged(field) && by_time(field))?;
        let sides = &self.sync.sides;
        let theirs = member(&format!("steps.{OTHER}"), sides[self.to()].updated_field()?);
        let ours = member(&format!("steps.{OWN}"), sides[self.from].updated_field()?);
        let known = |time: &str| format!("{time} | default(none) is not none");
        // Of equal times both directions take the first side, or they would decide differently.
        let later = if self.to() == 0 { ">=" } else { ">" };
        // One API may write its times as text, the other one as numbers.
        let newer = format!("({theirs} | epoch_ms) {later} ({ours} | epoch_ms)");
        Some(format!("{newer} if {} and {} else false", known(&theirs), known(&ours)))
    }

    /// What goes to a side.
    fn values_for(&self, side: usize) -> Mapping {
        let mut values = Mapping::new(self.sync.recipe.sync.value.fields.span);
        for field in self.targets(side) {
            let terms = self.terms(field);
            let value = if side == self.from { &terms.there } else { &terms.here };
            let value = format!("{value} if {} else omit", self.is_sent(field, side, &terms));
            values = values.with(&field.sides[side].name, text(template(&value), field.name.span));
        }
        values
    }

    /// The condition under which the side gets the value of the other one.
    fn is_sent(&self, field: &Field, side: usize, terms: &Terms) -> String {
        let goes_back = side == self.from;
        let (changed, value, held) = match goes_back {
            true => (terms.changed_there(), &terms.there, &terms.held_here),
            false => (terms.changed_here(), &terms.here, &terms.held_there),
        };
        if self.is_merged(field) {
            let crossed = if goes_back { terms.changed_here() } else { terms.changed_there() };
            let lost = match (self.winner(field), goes_back) {
                (Winner::Side(winner), _) if winner == side => format!(" and not ({crossed})"),
                (Winner::Side(_), _) => String::new(),
                (Winner::Newer, true) => format!(" and not ({crossed} and not steps.there.is_newer)"),
                (Winner::Newer, false) => format!(" and not ({crossed} and steps.there.is_newer)"),
            };
            return format!("{changed} and not ({}){lost}", same(terms));
        }
        match (field.flow, held) {
            (Flow::Owned { .. }, Some(held)) => {
                let tampered = format!("{held} != {}", terms.known_held);
                format!("{value} is not none and {value} != {held} and ({changed} or {tampered})")
            }
            _ => format!("{changed}{}", unlike(value, held.as_ref())),
        }
    }

    /// Who wins where both sides changed the field. Where the APIs tell no times, that is the side of the event.
    fn winner(&self, field: &Field) -> Winner {
        match field.flow {
            Flow::BothWays { winner: Some(winner) } => Winner::Side(winner),
            _ if self.is_newer().is_some() => Winner::Newer,
            _ => Winner::Side(self.from),
        }
    }

    /// A line for each field that both sides changed, or that one changed and the other owns.
    fn conflicts(&self) -> Vec<Node> {
        let names = self.sync.sides.each_ref().map(|side| side.name.as_str());
        let (here, there) = (names[self.from], names[self.to()]);
        let mut lines = Vec::new();
        for field in &self.sync.fields {
            let (name, terms) = (&field.name, self.terms(field));
            let line = match field.flow {
                Flow::BothWays { .. } if self.is_merged(field) => {
                    let wins = match self.winner(field) {
                        Winner::Side(winner) => quoted(names[winner]),
                        Winner::Newer => {
                            format!("({} if steps.there.is_newer else {})", quoted(there), quoted(here))
                        }
                    };
                    format!(
                        "{} ~ {} | tojson ~ {} ~ {} | tojson ~ '; ' ~ {wins} ~ ' wins' if {} and {} and not ({}) else omit",
                        quoted(&format!("{name}: {here} says ")),
                        terms.here,
                        quoted(&format!(", {there} ")),
                        terms.there,
                        terms.changed_here(),
                        terms.changed_there(),
                        same(&terms)
                    )
                }
                Flow::Owned { by } if self.sync.is_written(field, 1 - by) => {
                    let (held, value) = match by == self.from {
                        true => (&terms.held_there, &terms.here),
                        false => (&terms.held_here, &terms.there),
                    };
                    let Some(held) = held else { continue };
                    format!(
                        "{} ~ {held} | tojson ~ {} ~ {value} | tojson if {EVER_EQUAL} and {held} is not none \
                         and {held} != {} and {} else omit",
                        quoted(&format!("{name}: {} says ", names[1 - by])),
                        quoted(&format!(", and {} owns it: set back to ", names[by])),
                        terms.known_held,
                        self.is_sent(field, 1 - by, &terms)
                    )
                }
                _ => continue,
            };
            lines.push(text(template(&line), name.span));
        }
        lines
    }
}

/// The condition that both sides have what they would get. Before the records were ever made equal, an address counts
/// as the same in any case.
fn same(terms: &Terms) -> String {
    let pairs = [(&terms.here, &terms.held_there), (&terms.there, &terms.held_here)];
    let pairs: Vec<_> = pairs.into_iter().filter_map(|(value, held)| Some((value, held.as_ref()?))).collect();
    let exact: Vec<String> = pairs.iter().map(|(value, held)| format!("{value} == {held}")).collect();
    let about = pairs.first().map(|(value, held)| equal(value, held));
    let about = about.map(|about| format!(" or not {EVER_EQUAL} and {about}")).unwrap_or_default();
    if exact.is_empty() { "false".to_owned() } else { format!("{}{about}", exact.join(" or ")) }
}
