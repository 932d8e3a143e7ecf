//! A side of a sync: its connector, its operations, and what is known of its records.

use super::side_operations::{Lookup, Named, SideOperations};
use super::tree::member;
use crate::catalog::{Catalog, Connector, EventType, RecordChange};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::syntax::{Sync, SyncSide};
use crate::source::{Span, Spanned};
use crate::value::Shape;

/// Names that mean something else where a side's name may stand.
const RESERVED: [&str; 5] = ["both", "none", "last-writer", "direction", "owner"];

/// A side.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) name: &'a Spanned<String>,
    pub(super) syntax: &'a SyncSide,
    pub(super) connector: &'a Connector,
    pub(super) operations: SideOperations<'a>,
    /// Path of its records in events, as an expression: `event`, or below it.
    pub(super) event: String,
    /// Span of the whole side.
    pub(super) span: Span,
}

impl Side<'_> {
    /// Its name where templates can read it.
    pub(super) fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The field with a record's id.
    pub(super) fn id_field(&self) -> &str {
        self.listings().find_map(|list| list.id.first()).map_or("id", String::as_str)
    }

    /// The field with the time of a record's last change, if it has one.
    pub(super) fn updated_field(&self) -> Option<&str> {
        self.listings().find_map(|list| list.updated.as_deref())
    }

    fn listings(&self) -> impl Iterator<Item = &crate::catalog::Listing> {
        let operations = [&self.operations.read, &self.operations.list];
        operations.into_iter().filter_map(|named| named.operation.list.as_ref())
    }

    /// The input for a record's id.
    pub(super) fn id_input(&self, named: &Named<'_>) -> String {
        self.connector.id_input(named.operation).unwrap_or("id").to_owned()
    }

    /// The shape of its records, if known.
    pub(super) fn record(&self) -> Option<&Shape> {
        self.operations.read.operation.result_shape().filter(|shape| !shape.is_open())
    }

    /// Whether its list answers only for a window of time.
    pub(super) fn has_window(&self) -> bool {
        self.operations.list.operation.list.as_ref().is_some_and(|list| list.window.is_some())
    }

    /// The expression of the event's record's id.
    pub(super) fn event_id(&self) -> String {
        member(&self.event, self.id_field())
    }
}

/// Both sides, if they are usable, by their names: their order in the text means nothing.
pub(super) fn sides<'a>(
    sync: &'a Sync,
    catalog: &'a Catalog,
    found: &mut Vec<Diagnostic>,
) -> Option<[Side<'a>; 2]> {
    let given = &sync.sides.value;
    if given.len() != 2 {
        let message = format!("a sync has two sides, and this one has {}", given.len());
        let place = given.keys().nth(2).map_or(sync.sides.span, |name| name.span);
        let help =
            "write one for each pair: `sides: { highlevel: { record: contact }, fitr: { record: client } }`";
        found.push(Diagnostic::new(Code::NotAllowed, place, message).help(help));
        return None;
    }
    let mut sides = given.iter().map(|(name, side)| read(name, side, catalog, found)).collect::<Vec<_>>();
    let (two, one) = (sides.pop()??, sides.pop()??);
    if one.key() == two.key() {
        let message = format!("`{}` and `{}` are too much alike", one.name, two.name);
        let help = "names of sides have to differ in more than `-` and `_`";
        found.push(Diagnostic::new(Code::NotAllowed, two.name.span, message).help(help));
        return None;
    }
    let connection = |side: &Side<'_>| side.syntax.connection.as_ref().map(|name| name.value.clone());
    let (one_list, two_list) = (one.operations.list.operation, two.operations.list.operation);
    if one_list.id == two_list.id && connection(&one) == connection(&two) {
        let message = "both sides are the same records on the same connection";
        let help = "give each side its own `connection`, or another kind of record";
        found.push(Diagnostic::new(Code::FieldConflict, two.name.span, message).help(help));
        return None;
    }
    // Without its own connection, a side would be on that of the other one.
    if one.connector.connector == two.connector.connector
        && connection(&one) != connection(&two)
        && let Some(side) = [&one, &two].into_iter().find(|side| side.syntax.connection.is_none())
    {
        let message = format!("the side `{}` needs a `connection`: both are on one connector", side.name);
        found.push(Diagnostic::new(Code::MissingField, side.name.span, message));
        return None;
    }
    Some(if one.name.value < two.name.value { [one, two] } else { [two, one] })
}

fn read<'a>(
    name: &'a Spanned<String>,
    side: &'a Spanned<SyncSide>,
    catalog: &'a Catalog,
    found: &mut Vec<Diagnostic>,
) -> Option<Side<'a>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_plain = name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !is_plain || RESERVED.contains(&name.as_str()) {
        let message = format!("a side cannot be called `{name}`");
        let help = "use letters, digits, `-` and `_`, such as the name of its connector";
        found.push(Diagnostic::new(Code::NotAllowed, name.span, message).help(help));
        return None;
    }
    let connector_name = side.connector.as_ref().unwrap_or(name);
    let Some(connector) = catalog.connector(connector_name) else {
        let message = format!("there is no connector `{connector_name}`");
        let diagnostic = Diagnostic::new(Code::UnknownConnector, connector_name.span, message);
        let diagnostic = match side.connector {
            Some(_) => diagnostic,
            None => diagnostic.help("a side that is not called like its connector needs `connector`"),
        };
        let known = catalog.connectors().map(|connector| connector.connector.as_str());
        found.push(diagnostic.suggest(connector_name, known));
        return None;
    };
    let operations = Lookup { catalog, connector, name, found }.operations(&side.value)?;
    let event = event(&side.value, connector, &operations, found)?;
    let side = Side { name, syntax: &side.value, connector, operations, event, span: side.span };
    unused(&side, found);
    Some(side)
}

/// Reports what only a poll for changes has; `every` is refused with the structure. A list for a window of time may be
/// polled for removed records, and need inputs for that.
fn unused(side: &Side<'_>, found: &mut Vec<Diagnostic>) {
    let syntax = side.syntax;
    let of_poll = [
        ("with", syntax.with.as_ref().filter(|_| !side.has_window()).map(|with| with.0.span)),
        ("start", syntax.start.as_ref().map(|start| start.span)),
    ];
    for (name, span) in of_poll.into_iter().filter(|_| syntax.webhook.is_some()) {
        let Some(span) = span else { continue };
        let message = format!("`{name}` belongs to a poll, and this side has `webhook`");
        found.push(Diagnostic::new(Code::FieldConflict, span, message).help("leave out one of them"));
    }
}

/// The expression of the record in an event.
fn event(
    side: &SyncSide,
    connector: &Connector,
    operations: &SideOperations<'_>,
    found: &mut Vec<Diagnostic>,
) -> Option<String> {
    let mut expression = None;
    for name in side.webhook.iter().flat_map(|names| &names.0) {
        let event = name.split_once('.').and_then(|(app, event)| {
            (app == connector.connector).then(|| connector.events.get(event)).flatten()
        });
        let Some(event) = event else {
            let message = format!("`{}` sends no event `{name}`", connector.connector);
            let known: Vec<String> =
                connector.events.keys().map(|event| format!("{}.{event}", connector.connector)).collect();
            let diagnostic = Diagnostic::new(Code::UnknownEvent, name.span, message);
            let whole = format!("{}.{name}", connector.connector);
            found.push(match known.contains(&whole) {
                true => diagnostic.help(format!("write it with its connector: `{whole}`")),
                false => diagnostic.suggest(name, known.iter().map(String::as_str)),
            });
            return None;
        };
        if let Some((message, help)) = other_than_changes(name, event, operations) {
            found.push(Diagnostic::new(Code::NotAllowed, name.span, message).help(help));
            return None;
        }
        let within = event.record.trim_start_matches('$').split('.').filter(|name| !name.is_empty());
        let place = within.fold("event".to_owned(), |root, name| member(&root, name));
        if expression.get_or_insert_with(|| place.clone()) != &place {
            let message = format!("`{name}` shows its record elsewhere than the events before it");
            found.push(Diagnostic::new(Code::FieldConflict, name.span, message));
            return None;
        }
    }
    Some(expression.unwrap_or_else(|| "event".to_owned()))
}

/// What is wrong with an event that tells of no new or changed record of the side, as far as the connector says what its
/// events are about.
fn other_than_changes(
    name: &str,
    event: &EventType,
    operations: &SideOperations<'_>,
) -> Option<(String, String)> {
    if event.change == Some(RecordChange::Removed) {
        let message =
            format!("`{name}` tells that a record is gone, and a sync listens to what is new or changed");
        let help = "leave it out: with `delete`, a poll of the list finds what is gone";
        return Some((message, help.to_owned()));
    }
    let resource = |id: &str| id.rsplit_once('.').map(|(resource, _)| resource.to_owned());
    let own = [&operations.list, &operations.read].map(|named| resource(&named.operation.id));
    let fetch = event.hydrate.as_ref().map(|hydrate| &hydrate.operation);
    let mut about = fetch.into_iter().chain(&event.reconcile).map(|id| resource(id)).peekable();
    about.peek()?;
    let is_other = !about.any(|resource| own.contains(&resource));
    is_other.then(|| {
        let message =
            format!("`{name}` is not about the records that `{}` lists", operations.list.operation.id);
        (message, "name events of the side's own kind of record, or poll: `every: 5m`".to_owned())
    })
}
