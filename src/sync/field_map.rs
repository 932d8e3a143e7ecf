//! Reads the field map of a sync, and checks that it does not contradict itself or what the sides have.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::direction::{directions, side_called};
use super::field::{Field, FieldOfSide, Flow};
use super::side::Side;
use super::tree::is_name;
use super::value::FieldValue;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::syntax::{SyncField, SyncFieldSide};
use crate::source::{Data, Node, SourceFile, Span, Spanned, read};
use crate::value::{Kind, Shape};

/// Reads fields, and collects what is wrong with them.
pub(super) struct FieldReader<'r, 'a> {
    pub(super) sides: &'r [Side<'a>; 2],
    /// The side that wins conflicts of fields without an owner.
    pub(super) winner: Option<usize>,
    /// Names of the fields by which records are matched.
    pub(super) matching: &'r [Spanned<String>],
    pub(super) file: &'r SourceFile,
    pub(super) found: &'r mut Vec<Diagnostic>,
}

/// What the text says of a field on one side.
#[derive(Default)]
struct Given {
    name: Option<Spanned<String>>,
    value: Option<Spanned<String>>,
}

impl FieldReader<'_, '_> {
    /// The fields that can be understood.
    pub(super) fn read(&mut self, fields: &Spanned<IndexMap<Spanned<String>, SyncField>>) -> Vec<Field> {
        if fields.is_empty() {
            let message = "a sync without fields keeps nothing equal";
            let help = "such as `email: {}`, or `name: { highlevel: firstName, fitr: full_name }`";
            self.found.push(Diagnostic::new(Code::MissingField, fields.span, message).help(help));
        }
        let all: Vec<Field> = fields.iter().filter_map(|(name, field)| self.field(name, &field.0)).collect();
        self.written_twice(&all);
        all
    }

    fn field(&mut self, name: &Spanned<String>, node: &Node) -> Option<Field> {
        if !is_name(name) {
            let message = format!("a field of a sync cannot be called `{name}`");
            let help = "use letters, digits and `_`, and name the field of each side: `name: { highlevel: …, fitr: … }`";
            self.found.push(Diagnostic::new(Code::NotAllowed, name.span, message).help(help));
            return None;
        }
        let before = self.found.len();
        let given = self.given(node)?;
        let flow = self.flow(node);
        let names = [0, 1].map(|at| given[at].name.clone().unwrap_or_else(|| name.clone()));
        let value = |reader: &mut Self, at: usize| match &given[at].value {
            None => Some(FieldValue::Field(names[1 - at].value.clone())),
            Some(text) => FieldValue::parse(text, reader.sides[1 - at].record(), reader.file, reader.found),
        };
        let (one, two) = (value(self, 0), value(self, 1));
        let flow = flow.filter(|_| self.found.len() == before)?;
        let is_taken = [0, 1].map(|at| flow.goes_to(at) && self.is_taken(&names[at], at));
        for at in [0, 1].into_iter().filter(|at| is_taken[*at]) {
            if given[at].value.is_none() {
                self.is_shown(&names[1 - at], 1 - at);
            }
            // Both values are compared before one is written over the other.
            if given[at].value.is_some() && flow != (Flow::OneWay { to: at }) {
                self.is_shown(&names[at], at);
            }
        }
        for at in [0, 1].into_iter().filter(|at| is_taken[*at]) {
            let value = [&one, &two][at].as_ref();
            let place = given[at].value.as_ref().map_or(names[1 - at].span, |value| value.span);
            value.into_iter().for_each(|value| self.fits(value, &names[at], at, place));
        }
        let is_key = self.matching.iter().any(|key| key.value == name.value);
        for at in [0, 1] {
            let value = [&one, &two][at].as_ref().filter(|value| !value.reads_record());
            let (Some(_), Some(text)) = (value, &given[at].value) else { continue };
            let [here, other] = [at, 1 - at].map(|at| self.sides[at].name.as_str());
            let (message, help) = if is_key {
                let message =
                    "every record would be matched with the same one: this value does not read `record`";
                (message, format!("read from `record`, the one of {other}, what tells records apart"))
            } else if flow.goes_to(at) && flow != (Flow::OneWay { to: at }) {
                let message =
                    "this value does not read `record`, so that the field is never equal on both sides";
                (message, format!("read `record`, the one of {other}, or write `direction: to-{here}`"))
            } else {
                continue;
            };
            self.found.push(Diagnostic::new(Code::FieldConflict, text.span, message).help(help));
        }
        for at in [0, 1].into_iter().filter(|at| !flow.goes_to(*at)) {
            if let Some(value) = given[at].value.as_ref().filter(|_| !is_key) {
                let side = &self.sides[at].name;
                let message = format!("this value is never written: changes of `{name}` do not go to {side}");
                let help = format!("leave it out, or let them: `direction: both` or `direction: to-{side}`");
                self.found.push(Diagnostic::new(Code::FieldConflict, value.span, message).help(help));
            }
        }
        let [first, second] = names;
        let sides = [FieldOfSide { name: first, value: one? }, FieldOfSide { name: second, value: two? }];
        (self.found.len() == before).then(|| Field { name: name.clone(), sides, flow })
    }

    /// What stands under the names of the sides.
    fn given(&mut self, node: &Node) -> Option<[Given; 2]> {
        let mut given = [Given::default(), Given::default()];
        let names = self.sides.each_ref().map(|side| side.name.as_str());
        for (key, value) in node.as_map()? {
            let Some(at) = names.iter().position(|name| *name == key.value) else {
                if !["direction", "owner"].contains(&key.as_str()) {
                    let message = format!("a synced field has no `{key}`");
                    let known = [names[0], names[1], "direction", "owner"];
                    let words = known.map(|word| format!("`{word}`")).join(", ");
                    let diagnostic = Diagnostic::new(Code::UnknownField, key.span, message);
                    self.found.push(diagnostic.help(format!("it has {words}")).suggest(key, known));
                }
                continue;
            };
            given[at] = match &value.value {
                Data::Text(text) => Given { name: Some(Spanned::new(text.clone(), value.span)), value: None },
                _ => match read::<SyncFieldSide>(value) {
                    Ok(SyncFieldSide { field, value }) => Given { name: field, value },
                    Err(error) => {
                        let place = error.span.unwrap_or(value.span);
                        let message = format!("`{key}` of a synced field: {}", error.message);
                        let help = "it is the field's name there, or `field` and `value`, both text";
                        self.found.push(Diagnostic::new(Code::WrongType, place, message).help(help));
                        return None;
                    }
                },
            };
        }
        Some(given)
    }

    fn flow(&mut self, node: &Node) -> Option<Flow> {
        let text = |key: &str| {
            let value = node.get(key)?;
            Some(Spanned::new(value.as_text()?.to_owned(), value.span))
        };
        let owner = match text("owner") {
            Some(owner) => Some(side_called(&owner, "the owner", self.sides, self.found)?),
            None => None,
        };
        let Some(direction) = text("direction") else {
            return Some(match owner {
                Some(by) => Flow::Owned { by },
                None => Flow::BothWays { winner: self.winner },
            });
        };
        match (directions(&direction, self.sides, false, self.found)?, owner) {
            ([true, true], winner) => Some(Flow::BothWays { winner: winner.or(self.winner) }),
            ([to_first, _], None) => Some(Flow::OneWay { to: usize::from(!to_first) }),
            ([to_first, _], Some(by)) if usize::from(!to_first) != by => Some(Flow::Owned { by }),
            (_, Some(by)) => {
                let names = [by, 1 - by].map(|at| self.sides[at].name.as_str());
                let message = format!("`{}` owns the field, and changes go only to it", names[0]);
                let help = format!(
                    "an owner's value goes to the other side: write `direction: to-{}`, or only `owner`",
                    names[1]
                );
                self.found.push(Diagnostic::new(Code::FieldConflict, direction.span, message).help(help));
                None
            }
        }
    }

    /// Whether a write of the side takes the field.
    fn is_taken(&mut self, name: &Spanned<String>, at: usize) -> bool {
        let side = &self.sides[at];
        let writes = [&side.operations.update, &side.operations.create];
        let writes: Vec<_> = writes.into_iter().flatten().map(|named| named.operation).collect();
        let takes = writes.iter().any(|write| {
            write.takes_any_input() || write.input(name).is_some_and(|input| input.place.is_none())
        });
        if takes || writes.is_empty() {
            return true;
        }
        let ids: Vec<String> = writes.iter().map(|write| format!("`{}`", write.id)).collect();
        let message =
            format!("{} cannot write a field `{name}`: it is no input of {}", side.name, ids.join(" or "));
        let inputs: Vec<_> = writes.iter().flat_map(|write| write.inputs()).collect();
        let known = inputs.iter().filter(|input| input.place.is_none()).map(|input| input.name);
        self.found.push(Diagnostic::new(Code::UnknownField, name.span, message).suggest(name, known));
        false
    }

    /// Reports a list where a write of the side takes none, and the other way round. Texts, numbers and flags are
    /// converted where they are sent.
    fn fits(&mut self, value: &FieldValue, name: &str, at: usize, place: Span) {
        let side = &self.sides[at];
        let writes = [&side.operations.update, &side.operations.create].into_iter().flatten();
        let Some(input) = writes.filter_map(|named| named.operation.input(name)).next() else { return };
        let Some(got) = value.shape(self.sides[1 - at].record()) else { return };
        let is_known = |shape: &Shape| shape.kind != Kind::Any && shape.any_of.is_empty() && !shape.doubtful;
        let group = |shape: &Shape| match shape.kind {
            kind @ (Kind::Array | Kind::Object) => Some(kind),
            _ => None,
        };
        if is_known(input.shape) && is_known(got) && group(input.shape) != group(got) {
            let (takes, gets) = (input.shape.describe(), got.describe());
            let message = format!("`{name}` of {} takes {takes}, and gets {gets}", side.name);
            let help = match (group(got), group(input.shape)) {
                (Some(Kind::Array), None) => {
                    "take one member, as in `{{ record.tags | first }}`, or join them"
                }
                _ => "write a `value` that makes it from the record of the other side",
            };
            self.found.push(Diagnostic::new(Code::WrongType, place, message).help(help));
        }
    }

    /// Whether the records of the side have the field.
    pub(super) fn is_shown(&mut self, name: &Spanned<String>, at: usize) {
        // A name that the writes do not know is wrong once.
        if self.found.iter().any(|found| found.span == name.span) {
            return;
        }
        let side = &self.sides[at];
        let Some(record) = side.record().filter(|record| !record.fields.contains_key(name.as_str())) else {
            return;
        };
        let read = &side.operations.read.operation.id;
        let message = format!("{} shows no field `{name}`: it is not in the answer to `{read}`", side.name);
        let known = record.fields.keys().map(String::as_str);
        self.found.push(Diagnostic::new(Code::UnknownField, name.span, message).suggest(name, known));
    }

    /// Reports fields of a side that two entries write.
    fn written_twice(&mut self, fields: &[Field]) {
        for (at, side) in self.sides.iter().enumerate() {
            let mut first: HashMap<&str, &Field> = HashMap::new();
            for field in fields.iter().filter(|field| field.flow.goes_to(at)) {
                let name = &field.sides[at].name;
                let earlier = *first.entry(name.as_str()).or_insert(field);
                if earlier.name != field.name {
                    let message = format!(
                        "`{}` and `{}` both write `{name}` of {}",
                        earlier.name, field.name, side.name
                    );
                    let help = format!(
                        "let one of them go the other way only: `direction: to-{}`",
                        self.sides[1 - at].name
                    );
                    self.found.push(Diagnostic::new(Code::FieldConflict, name.span, message).help(help));
                }
            }
        }
    }
}
