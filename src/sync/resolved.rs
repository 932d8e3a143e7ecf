//! A sync that is understood: its sides, fields and policies, checked against each other and the catalog.

use super::builtins::Builtins;
use super::direction::{Directions, directions};
use super::field::Field;
use super::field_map::FieldReader;
use super::side::{Side, sides};
use super::side_operations::Named;
use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::syntax::{Sync, SyncRecipe};
use crate::source::{SourceFile, Span, Spanned};

/// A sync.
#[derive(Debug)]
pub(super) struct ResolvedSync<'a> {
    pub(super) recipe: &'a SyncRecipe,
    pub(super) builtins: Builtins<'a>,
    pub(super) sides: [Side<'a>; 2],
    pub(super) fields: Vec<Field>,
    /// The fields by which records are matched, by their place in `fields`.
    pub(super) matching: Vec<usize>,
    /// Where missing records are created.
    pub(super) create: Directions,
    /// Where fields of existing records are written.
    pub(super) update: Directions,
    /// Where records are deleted.
    pub(super) delete: Directions,
}

impl<'a> ResolvedSync<'a> {
    /// The sync of `recipe`; `None` if it has mistakes, which are added to `found`.
    pub(super) fn new(
        recipe: &'a SyncRecipe,
        catalog: &'a Catalog,
        file: &SourceFile,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let builtins = Builtins::of(catalog)?;
        if recipe.name.trim().is_empty() {
            found.push(Diagnostic::new(Code::NotAllowed, recipe.name.span, "the sync's name is empty"));
        }
        let sync = &recipe.sync.value;
        let sides = sides(sync, catalog, found)?;
        let winner = winner(sync, &sides, found);
        mismatched_connections(recipe, &sides, found);
        let matching = &sync.matching.0;
        let mut reader = FieldReader { sides: &sides, winner, matching, file, found };
        let fields = reader.read(&sync.fields);
        let mut policy = |given: &Option<Spanned<String>>, default: Directions| match given {
            Some(text) => directions(text, &sides, true, found).unwrap_or([false, false]),
            None => default,
        };
        let goes = [0, 1].map(|at| fields.iter().any(|field| field.flow.goes_to(at)));
        let can_create = sides.each_ref().map(|side| side.operations.create.is_some());
        let create = policy(&sync.create, [goes[0] && can_create[0], goes[1] && can_create[1]]);
        let update = policy(&sync.update, [true, true]);
        let delete = policy(&sync.delete, [false, false]);
        let mut resolved =
            Self { recipe, builtins, sides, fields, matching: Vec::new(), create, update, delete };
        resolved.can_do(sync, found);
        // A field with a mistake of its own may be what is missing.
        if resolved.fields.len() == sync.fields.len() {
            resolved.can_create(sync, found);
        }
        resolved.find_matching(sync, file, found);
        found.is_empty().then_some(resolved)
    }

    /// Whether changes of one side lead to something on the other, or are set back.
    pub(super) fn follows(&self, from: usize) -> bool {
        self.create[1 - from]
            || self
                .fields
                .iter()
                .any(|field| self.is_written(field, 1 - from) || self.is_set_back(field, from))
    }

    /// Whether missing records are created on the side `to`.
    pub(super) fn creates(&self, to: usize) -> bool {
        self.create[to] && self.sides[to].operations.create.is_some()
    }

    /// Whether changes of the field are written to existing records of the side `to`.
    pub(super) fn is_written(&self, field: &Field, to: usize) -> bool {
        self.update[to] && field.flow.goes_to(to)
    }

    /// Whether a change of the field on the side `on`, which does not own it, is set back.
    pub(super) fn is_set_back(&self, field: &Field, on: usize) -> bool {
        self.update[on] && field.flow == (super::field::Flow::Owned { by: 1 - on })
    }

    /// Reports policies that need an operation which the side has not.
    fn can_do(&self, sync: &Sync, found: &mut Vec<Diagnostic>) {
        for (at, side) in self.sides.iter().enumerate() {
            let operations = &side.operations;
            let is_written = self.fields.iter().any(|field| self.is_written(field, at));
            let policies: [(&str, bool, Option<&Named<'_>>, Option<Span>); 3] = [
                ("create", self.create[at], operations.create.as_ref(), span(&sync.create)),
                ("update", is_written, operations.update.as_ref(), span(&sync.update)),
                ("delete", self.delete[at], operations.delete.as_ref(), span(&sync.delete)),
            ];
            for (what, _, _, place) in
                policies.into_iter().filter(|(_, wanted, has, _)| *wanted && has.is_none())
            {
                let records = side.syntax.record.as_ref().map_or("record", |record| record.as_str());
                let message = format!("{} has no operation that would {what} a {records}", side.name);
                let help = format!(
                    "write `{what}: to-{}` or `{what}: none`, or name the operation in the side",
                    self.sides[1 - at].name
                );
                found.push(
                    Diagnostic::new(Code::NotAllowed, place.unwrap_or(side.name.span), message).help(help),
                );
            }
        }
    }

    /// Reports what an API needs of new records and no field gives.
    fn can_create(&self, sync: &Sync, found: &mut Vec<Diagnostic>) {
        for (at, side) in self.sides.iter().enumerate().filter(|(at, _)| self.create[*at]) {
            let Some(create) = &side.operations.create else { continue };
            let gives = |name: &str| {
                self.fields.iter().any(|field| field.flow.goes_to(at) && field.sides[at].name.value == name)
            };
            let needed = create.operation.inputs().into_iter().filter(|input| input.shape.required);
            let missing: Vec<String> = needed
                .filter(|input| !gives(input.name) && !side.connector.fills(input.name))
                .map(|input| format!("`{}`", input.name))
                .collect();
            if !missing.is_empty() {
                let message = format!(
                    "`{}` needs {}, which no field gives",
                    create.operation.id,
                    missing.join(" and ")
                );
                let help = format!(
                    "add a field that goes to {}, or create none there: `create: to-{}`",
                    side.name,
                    self.sides[1 - at].name
                );
                let place = span(&sync.create).unwrap_or(side.name.span);
                found.push(Diagnostic::new(Code::MissingParameter, place, message).help(help));
            }
        }
    }

    fn find_matching(&mut self, sync: &Sync, file: &SourceFile, found: &mut Vec<Diagnostic>) {
        for name in &sync.matching.0 {
            let Some(at) = self.fields.iter().position(|field| field.name.value == name.value) else {
                if sync.fields.is_empty() || sync.fields.keys().any(|field| field.value == name.value) {
                    // It has mistakes of its own.
                    continue;
                }
                let message = format!("`match` names `{name}`, which is not one of the fields");
                let diagnostic = Diagnostic::new(Code::UnknownField, name.span, message);
                let diagnostic =
                    diagnostic.help("a key stands under `fields`, too, with its name on each side");
                found.push(diagnostic.suggest(name, sync.fields.keys().map(|field| field.as_str())));
                continue;
            };
            let field = &self.fields[at];
            for to in [0, 1].into_iter().filter(|to| self.follows(1 - to)) {
                self.is_searchable(name, field, to, file, found);
            }
            if self.matching.contains(&at) {
                let message = format!("`match` names `{name}` twice");
                found.push(Diagnostic::new(Code::FieldConflict, name.span, message));
            } else {
                self.matching.push(at);
            }
        }
    }

    fn is_searchable(
        &self,
        name: &Spanned<String>,
        field: &Field,
        to: usize,
        file: &SourceFile,
        found: &mut Vec<Diagnostic>,
    ) {
        let side = &self.sides[to];
        let known = &side.operations.find;
        if known.contains_key(field.sides[to].name.as_str()) {
            if let super::value::FieldValue::Field(source) = &field.sides[to].value {
                let source = Spanned::new(source.clone(), field.sides[1 - to].name.span);
                let sides = &self.sides;
                let mut reader = FieldReader { sides, winner: None, matching: &[], file, found };
                if !field.flow.goes_to(to) {
                    reader.is_shown(&source, 1 - to);
                }
            }
            return;
        }
        let message = format!("no record of {} can be found by `{}`", side.name, field.sides[to].name);
        let names: Vec<String> = known.keys().map(|name| format!("`{name}`")).collect();
        let help = match names.as_slice() {
            [] => {
                "name a read under `find` of the side, such as `find: { email: crm.people.list }`".to_owned()
            }
            names => {
                format!("it finds records by {}; name other reads under `find` of the side", names.join(", "))
            }
        };
        found.push(Diagnostic::new(Code::NotAllowed, name.span, message).help(help));
    }
}

fn span(text: &Option<Spanned<String>>) -> Option<Span> {
    text.as_ref().map(|text| text.span)
}

/// Reports connections that the recipe chooses and a side does not take.
fn mismatched_connections(recipe: &SyncRecipe, sides: &[Side<'_>; 2], found: &mut Vec<Diagnostic>) {
    for (connector, name) in recipe.connections.iter().flatten() {
        let others = sides.iter().filter(|side| side.connector.connector == connector.value);
        let other = others.filter_map(|side| Some((side, side.syntax.connection.as_ref()?)));
        if let Some((side, own)) = other.into_iter().find(|(_, own)| own.value != name.value) {
            let message = format!("the side `{}` is on the connection `{own}`, not on `{name}`", side.name);
            let help = "leave out one of them: the `connection` of a side is that of its connector for the whole sync";
            found.push(Diagnostic::new(Code::FieldConflict, name.span, message).help(help));
        }
    }
}

/// The side that wins conflicts; none for the last writer.
fn winner(sync: &Sync, sides: &[Side<'_>; 2], found: &mut Vec<Diagnostic>) -> Option<usize> {
    let given = sync.conflict.as_ref().filter(|given| given.value != "last-writer")?;
    let at = sides.iter().position(|side| side.name.value == given.value);
    if at.is_none() {
        let names = sides.each_ref().map(|side| side.name.as_str());
        let message = format!("`{given}` wins no conflict of this sync");
        let help = format!("it is `last-writer`, `{}` or `{}`", names[0], names[1]);
        let known = ["last-writer", names[0], names[1]];
        found.push(Diagnostic::new(Code::NotAllowed, given.span, message).help(help).suggest(given, known));
    }
    at
}
