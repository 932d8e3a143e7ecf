//! The operations of a side: those of its kind of record in the catalog, and those that the sync names itself.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::catalog::{Catalog, Connector, Operation, RecordKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::syntax::SyncSide;
use crate::source::{Span, Spanned};

/// An operation, with the place where the sync names it or its kind of record.
#[derive(Debug, Clone)]
pub(super) struct Named<'a> {
    pub(super) operation: &'a Arc<Operation>,
    pub(super) span: Span,
}

/// A read that finds a record by a field.
#[derive(Debug, Clone)]
pub(super) struct Find<'a> {
    pub(super) read: Named<'a>,
    /// The input for the field's value.
    pub(super) input: String,
}

/// The operations of a side.
#[derive(Debug)]
pub(super) struct SideOperations<'a> {
    pub(super) list: Named<'a>,
    pub(super) read: Named<'a>,
    /// By the field that they find a record by.
    pub(super) find: IndexMap<String, Find<'a>>,
    pub(super) create: Option<Named<'a>>,
    pub(super) update: Option<Named<'a>>,
    pub(super) delete: Option<Named<'a>>,
}

/// Finds the operations of a side, and collects what is wrong with them.
pub(super) struct Lookup<'a, 'f> {
    pub(super) catalog: &'a Catalog,
    pub(super) connector: &'a Connector,
    pub(super) name: &'f Spanned<String>,
    pub(super) found: &'f mut Vec<Diagnostic>,
}

impl<'a> Lookup<'a, '_> {
    /// The operations of `side`; `None` if a needed one is missing, which is reported.
    pub(super) fn operations(&mut self, side: &SyncSide) -> Option<SideOperations<'a>> {
        let kind = match &side.record {
            Some(name) => Some((self.kind(name)?, name.span)),
            None => None,
        };
        let of_kind = |pick: fn(&RecordKind) -> Option<&String>| {
            kind.and_then(|(kind, span)| Some(Spanned::new(pick(kind)?.clone(), span)))
        };
        let given = |own: &Option<Spanned<String>>, pick| own.clone().or_else(|| of_kind(pick));
        let list = given(&side.list, |kind| Some(&kind.list));
        let read = given(&side.read, |kind| Some(&kind.read));
        let (Some(list), Some(read)) = (list, read) else {
            let message =
                format!("the side `{}` names neither `record` nor both `list` and `read`", self.name);
            let help = self.known_kinds();
            self.found.push(Diagnostic::new(Code::MissingField, self.name.span, message).help(help));
            return None;
        };
        let writes = [
            given(&side.create, |kind| kind.create.as_ref()),
            given(&side.update, |kind| kind.update.as_ref()),
            given(&side.delete, |kind| kind.delete.as_ref()),
        ];
        let (list, read) = (self.operation(&list), self.by_id(&read));
        let [create, update, delete] = writes;
        let create = create.and_then(|id| self.operation(&id));
        let update = update.and_then(|id| self.by_id(&id));
        let delete = delete.and_then(|id| self.by_id(&id));
        let mut find = IndexMap::new();
        if let Some((kind, span)) = kind {
            for (field, by) in &kind.find {
                let read = self.operation(&Spanned::new(by.operation.clone(), span))?;
                let input = by.input.clone().unwrap_or_else(|| field.clone());
                find.insert(field.clone(), Find { read, input });
            }
        }
        for (field, id) in side.find.iter().flatten() {
            let read = self.operation(id)?;
            if read.operation.input(field).is_none() {
                let message = format!("`{id}` has no input `{field}`, so it finds nothing by it");
                let inputs = read.operation.inputs();
                let names = inputs.iter().map(|input| input.name);
                self.found
                    .push(Diagnostic::new(Code::UnknownParameter, field.span, message).suggest(field, names));
            }
            find.insert(field.value.clone(), Find { read, input: field.value.clone() });
        }
        Some(SideOperations { list: list?, read: read?, find, create, update, delete })
    }

    fn kind(&mut self, name: &Spanned<String>) -> Option<&'a RecordKind> {
        let kind = self.connector.records.get(name.as_str());
        if kind.is_none() {
            let message = format!("`{}` has no kind of record `{name}`", self.connector.connector);
            let diagnostic = Diagnostic::new(Code::NotAllowed, name.span, message).help(self.known_kinds());
            let kinds = self.connector.records.keys().map(String::as_str);
            self.found.push(diagnostic.suggest(name, kinds));
        }
        kind
    }

    fn known_kinds(&self) -> String {
        let kinds: Vec<String> = self.connector.records.keys().map(|kind| format!("`{kind}`")).collect();
        match kinds.as_slice() {
            [] => {
                "the connector lists no `records`: name the operations, such as `list`, `read` and `update`"
                    .to_owned()
            }
            kinds => format!("it has {}; of others, name the operations `list` and `read`", kinds.join(", ")),
        }
    }

    fn operation(&mut self, id: &Spanned<String>) -> Option<Named<'a>> {
        let Some(operation) = self.catalog.operation(id) else {
            let message = format!("no connector has an operation `{id}`");
            let diagnostic = Diagnostic::new(Code::UnknownOperation, id.span, message);
            self.found.push(diagnostic.suggest(id, self.catalog.ids()));
            return None;
        };
        if operation.connector != self.connector.connector {
            let message = format!("`{id}` is no operation of `{}`", self.connector.connector);
            let help = format!("the side `{}` is on that connector", self.name);
            self.found.push(Diagnostic::new(Code::WrongOperationKind, id.span, message).help(help));
            return None;
        }
        Some(Named { operation, span: id.span })
    }

    /// An operation on one record.
    fn by_id(&mut self, id: &Spanned<String>) -> Option<Named<'a>> {
        let named = self.operation(id)?;
        if self.connector.id_input(named.operation).is_none() {
            let message = format!("`{id}` does not take just the id of one record in its path");
            let help = "a sync needs an operation whose only path parameter is the record's id";
            self.found.push(Diagnostic::new(Code::WrongOperationKind, id.span, message).help(help));
            return None;
        }
        Some(named)
    }
}

/// Whether a write takes the field `name`.
pub(super) fn takes(write: &Operation, name: &str) -> bool {
    write.input(name).is_some() || write.takes_any_input()
}
