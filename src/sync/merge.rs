//! Which values go where once both records are known: the steps `there` and `merge` of a generated recipe.
//!
//! `vars.now` are the values that the other side would get, `vars.before` what they were when hob last saw the record,
//! and `steps.there.now` what the other side has. A field was changed here if `now` differs from `before`, and there if
//! what is there is neither.

use super::field::{Field, Flow};
use super::resolved::ResolvedSync;
use super::tree::{Mapping, list, member, quoted, template, text};
use crate::source::Node;

/// Step that reads the other record.
pub(super) const OTHER: &str = "other";

/// The steps of one direction.
pub(super) struct Merge<'r, 'a> {
    pub(super) sync: &'r ResolvedSync<'a>,
    /// The side whose change is dealt with.
    pub(super) from: usize,
}

impl Merge<'_, '_> {
    fn to(&self) -> usize {
        1 - self.from
    }

    /// Key below `steps.merge` of what goes to a side.
    pub(super) fn key(&self, side: usize) -> String {
        format!("to_{}", self.sync.sides[side].key())
    }

    fn written(&self) -> impl Iterator<Item = &Field> {
        self.sync.fields.iter().filter(|field| self.sync.is_written(field, self.to()))
    }

    /// Fields of which the record that changed may get the other side's value.
    fn may_come_back(&self) -> impl Iterator<Item = &Field> {
        self.sync.fields.iter().filter(|field| match field.flow {
            Flow::OneWay { .. } => false,
            Flow::Owned { .. } => self.sync.is_set_back(field, self.from),
            Flow::BothWays { winner } => {
                self.sync.update[0] && self.sync.update[1] && winner != Some(self.from)
            }
        })
    }

    /// Names, on the side `side`, of the fields that may be written there.
    pub(super) fn targets(&self, side: usize) -> Vec<&Field> {
        if side == self.to() { self.written().collect() } else { self.may_come_back().collect() }
    }

    /// Both steps; none where no existing record is written.
    pub(super) fn steps(&self) -> Vec<Node> {
        let span = self.sync.recipe.sync.value.fields.span;
        let (to_other, back) = (self.to_other(), self.back());
        if to_other.is_empty() && back.is_empty() {
            return Vec::new();
        }
        let when = template(&format!("steps.{OTHER}"));
        let mut steps = Vec::new();
        let there = self.there();
        if !there.is_empty() {
            let step = Mapping::new(span).with_text("id", "there").with_text("do", self.sync.builtins.set);
            steps.push(step.with_text("if", when.clone()).with("with", there.node()).node());
        }
        let mut merge = Mapping::new(span).with(&self.key(self.to()), to_other.node());
        if !back.is_empty() {
            merge = merge.with(&self.key(self.from), back.node());
        }
        let conflicts = self.conflicts();
        if !conflicts.is_empty() {
            merge = merge.with("conflicts", list(conflicts, span));
        }
        let step = Mapping::new(span).with_text("id", "merge").with_text("do", self.sync.builtins.set);
        steps.push(step.with_text("if", when).with("with", merge.node()).node());
        steps
    }

    /// Whether conflicts are looked for.
    pub(super) fn has_conflicts(&self) -> bool {
        !self.conflicts().is_empty()
    }

    /// What the other side has.
    fn there(&self) -> Mapping {
        let span = self.sync.recipe.sync.value.fields.span;
        let other = format!("steps.{OTHER}");
        let mut now = Mapping::new(span);
        let mut back = Mapping::new(span);
        for field in &self.sync.fields {
            let span = field.name.span;
            if self.is_compared(field) {
                let name = &field.sides[self.to()].name;
                let value = format!("{} | default(none) | coalesce(none)", member(&other, name));
                now = now.with(&field.name, text(template(&value), span));
            }
            if self.may_come_back().any(|other| other.name == field.name) {
                let value = field.sides[self.from].value.expression(&other);
                back = back.with(&field.name, text(template(&value), span));
            }
        }
        let mut there = Mapping::new(span);
        if !now.is_empty() {
            there = there.with("now", now.node());
        }
        if !back.is_empty() {
            there = there.with("back", back.node());
        }
        if let Some(is_newer) = self.is_newer() {
            there = there.with_text("is_newer", template(&is_newer));
        }
        there
    }

    /// Whether what is there is compared with what the other side gets.
    fn is_compared(&self, field: &Field) -> bool {
        matches!(field.flow, Flow::BothWays { .. }) && self.sync.is_written(field, self.to())
    }

    /// The expression of whether the other record was changed later; `None` if that decides nothing, or is not known.
    fn is_newer(&self) -> Option<String> {
        let by_time = |field: &Field| matches!(field.flow, Flow::BothWays { winner: None });
        self.sync.fields.iter().find(|field| self.is_compared(field) && by_time(field))?;
        let sides = &self.sync.sides;
        let theirs = member(&format!("steps.{OTHER}"), sides[self.to()].updated_field()?);
        let ours = member(&sides[self.from].event, sides[self.from].updated_field()?);
        let known = |time: &str| format!("{time} | default(none) is not none");
        // Of equal times both directions take the first side, or two runs at once would exchange the values.
        let later = if self.to() == 0 { ">=" } else { ">" };
        Some(format!("{theirs} {later} {ours} if {} and {} else false", known(&theirs), known(&ours)))
    }

    /// What goes to the other side.
    fn to_other(&self) -> Mapping {
        let mut values = Mapping::new(self.sync.recipe.sync.value.fields.span);
        for field in self.written() {
            let now = format!("vars.now.{}", field.name);
            let value = match self.wins(field) {
                None => format!("{now} | default(omit)"),
                Some(condition) => format!("{now} if {condition} else omit"),
            };
            values = values.with(&field.sides[self.to()].name, text(template(&value), field.name.span));
        }
        values
    }

    /// The condition under which the value of this side is written; none for a field that it owns.
    fn wins(&self, field: &Field) -> Option<String> {
        let changed = changed(field);
        match field.flow {
            Flow::Owned { .. } => None,
            Flow::OneWay { .. } => Some(changed),
            Flow::BothWays { winner: Some(winner) } if winner == self.from => Some(changed),
            Flow::BothWays { winner: Some(_) } => Some(format!("{changed} and not ({})", crossed(field))),
            Flow::BothWays { winner: None } => Some(match self.is_newer() {
                Some(_) => format!("{changed} and not ({} and steps.there.is_newer)", crossed(field)),
                None => changed,
            }),
        }
    }

    /// What comes back to the record that changed.
    fn back(&self) -> Mapping {
        let mut values = Mapping::new(self.sync.recipe.sync.value.fields.span);
        for field in self.may_come_back() {
            let Some(condition) = self.loses(field) else { continue };
            let value = format!("steps.there.back.{} if {condition} else omit", field.name);
            values = values.with(&field.sides[self.from].name, text(template(&value), field.name.span));
        }
        values
    }

    /// The condition under which this record gets the value of the other side; none if it never does.
    fn loses(&self, field: &Field) -> Option<String> {
        let back = format!("steps.there.back.{}", field.name);
        let crossed = format!("{} and {} and {back} is not none", changed(field), crossed(field));
        match field.flow {
            Flow::OneWay { .. } => None,
            Flow::Owned { .. } => {
                let here = member(&self.sync.sides[self.from].event, &field.sides[self.from].name);
                Some(format!("{back} is not none and {back} != {here} | default(none)"))
            }
            Flow::BothWays { winner: Some(_) } => Some(crossed),
            Flow::BothWays { winner: None } => {
                self.is_newer().map(|_| format!("{crossed} and steps.there.is_newer"))
            }
        }
    }

    /// A line for each field that both sides changed, or that one changed and the other owns.
    fn conflicts(&self) -> Vec<Node> {
        let names = self.sync.sides.each_ref().map(|side| side.name.as_str());
        let (here, there) = (names[self.from], names[self.to()]);
        let mut lines = Vec::new();
        for field in &self.sync.fields {
            let name = &field.name;
            let line = match field.flow {
                Flow::BothWays { winner } if self.is_compared(field) => {
                    let wins = match winner {
                        Some(winner) => quoted(names[winner]),
                        None if self.is_newer().is_some() => {
                            format!("({} if steps.there.is_newer else {})", quoted(there), quoted(here))
                        }
                        None => quoted(here),
                    };
                    format!(
                        "{} ~ vars.now.{name} | tojson ~ {} ~ steps.there.now.{name} | tojson ~ '; ' ~ {wins} ~ ' wins' if {} and {} else omit",
                        quoted(&format!("{name}: {here} says ")),
                        quoted(&format!(", {there} ")),
                        changed(field),
                        crossed(field)
                    )
                }
                Flow::Owned { .. } if self.may_come_back().any(|other| other.name == *name) => {
                    let Some(condition) = self.loses(field) else { continue };
                    let own = member(&self.sync.sides[self.from].event, &field.sides[self.from].name);
                    format!(
                        "{} ~ {own} | default(none) | tojson ~ {} ~ steps.there.back.{name} | tojson if {condition} else omit",
                        quoted(&format!("{name}: {here} says ")),
                        quoted(&format!(", and {there} owns it: set back to "))
                    )
                }
                _ => continue,
            };
            lines.push(text(template(&line), name.span));
        }
        lines
    }
}

/// Whether the field was changed on this side since hob last saw the record.
fn changed(field: &Field) -> String {
    let name = &field.name;
    format!("vars.now.{name} is not none and vars.now.{name} != vars.before.{name}")
}

/// Whether it was changed on the other side, too.
fn crossed(field: &Field) -> String {
    let name = &field.name;
    format!("steps.there.now.{name} not in [vars.now.{name}, vars.before.{name}, none]")
}
