//! An operation as Markdown, for its page and for `hob catalog show`.

use std::fmt::Write;

use super::result::{polling, result};
use super::shape::{tree, words};
use super::snippet::snippets;
use crate::catalog::{
    ArrayStyle, Catalog, Change, Connector, CreatesWhen, Effect, Encoding, Input, Operation, OperationKind,
    Place, Setting,
};
use crate::value::Kind;

/// Levels of an input that are shown; deeper ones are shown as a type.
const MAX_DEPTH: usize = 3;

/// The section of an operation.
pub fn operation(operation: &Operation, catalog: &Catalog) -> String {
    let connector = catalog.connector(&operation.connector).map(AsRef::as_ref);
    let mut text = brief(operation, catalog);
    alternatives(operation, &mut text);
    inputs(operation, catalog, &mut text);
    result(operation, &mut text);
    polling(operation, &mut text);
    versions(operation, connector, &mut text);
    if !operation.notes.is_empty() {
        text.push_str("\n**Notes**\n\n");
        operation.notes.iter().for_each(|note| text.push_str(&format!("- {note}\n")));
    }
    for recipe in snippets(operation) {
        let _ = write!(text, "\n**A recipe to start from**\n\n```yaml\n{recipe}```\n");
    }
    text
}

/// Its beginning: what the operation does, and the facts about its request.
pub fn brief(operation: &Operation, catalog: &Catalog) -> String {
    let connector = catalog.connector(&operation.connector).map(AsRef::as_ref);
    let mut text = format!("## {}\n\n{}. {}\n\n", operation.id, operation.title, operation.summary);
    for (name, value) in facts(operation, connector) {
        let _ = writeln!(text, "- {name}: {value}");
    }
    text
}

/// The line of one of its inputs: `email` (body): text
pub fn input(operation: &Operation, input: &Input<'_>, catalog: &Catalog) -> String {
    let connector = catalog.connector(&operation.connector).map(AsRef::as_ref);
    let marks = marks(operation, input, connector);
    let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
    format!("{}{marks}: {}", code(input.name), words(input.shape))
}

/// `poller, action`
pub fn kinds(operation: &Operation) -> String {
    let names = operation.kinds.iter().map(|kind| match kind {
        OperationKind::Poller => "poller",
        OperationKind::Action => "action",
    });
    names.collect::<Vec<_>>().join(", ")
}

/// `GET /contacts/{contactId}`, or its substitute.
pub fn request_line(operation: &Operation) -> String {
    match (&operation.builtin, operation.composite.is_empty()) {
        (Some(_), _) => "built in".into(),
        (None, false) => "several requests".into(),
        (None, true) => format!("{} {}", operation.method, operation.path),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
}

fn facts(operation: &Operation, connector: Option<&Connector>) -> Vec<(&'static str, String)> {
    let effect = match operation.effect {
        Effect::Read => "read: changes nothing",
        Effect::Idempotent => "idempotent: twice is the same as once",
        Effect::Create => "create: twice makes two",
    };
    let request = match operation.method.is_empty() {
        true => request_line(operation),
        false => code(&request_line(operation)),
    };
    let mut facts = vec![
        ("request", request),
        ("connector", connector.map_or_else(|| operation.connector.clone(), |c| c.connector.clone())),
        ("kinds", kinds(operation)),
        ("effect", format!("{effect}{}", cases(operation))),
    ];
    facts.extend(operation.version.as_deref().map(|version| ("version", code(version))));
    let encoding = operation.body.as_ref().map(|body| body.encoding);
    facts.extend(match encoding {
        None | Some(Encoding::Json) => None,
        Some(Encoding::Form) => Some(("body", "form".to_owned())),
        Some(Encoding::Multipart) => {
            Some(("body", "multipart; an input of format binary takes the path of a file, which the run has downloaded or which lies in a folder that `files` in hob.yaml lists".to_owned()))
        }
    });
    if !operation.scopes.is_empty() {
        facts.push(("scopes", codes(&operation.scopes)));
    }
    if !operation.access.is_empty() {
        facts.push(("token", operation.access.join(", ")));
    }
    facts.extend(operation.probe.as_ref().map(|probe| {
        let mut found = format!(
            "{} finds out whether a create happened when its answer was lost",
            code(&probe.operation)
        );
        if !probe.matching.is_empty() {
            found += &format!(", by comparing {}", codes(probe.matching.keys()));
        }
        ("probe", found)
    }));
    if operation.deprecated {
        facts.push(("deprecated", "the vendor advises against it".to_owned()));
    }
    facts
}

/// The inputs with which an idempotent operation creates.
fn cases(operation: &Operation) -> String {
    let case = |case: &CreatesWhen| {
        let equal =
            case.equal.iter().map(|(name, value)| format!("{} is {}", code(name), code(&value.to_string())));
        let without =
            (!case.without.is_empty()).then(|| format!("none of {} is given", codes(&case.without)));
        equal.chain(without).collect::<Vec<_>>().join(" and ")
    };
    match operation.creates_when.as_slice() {
        [] => String::new(),
        cases => format!("; a create where {}", cases.iter().map(case).collect::<Vec<_>>().join(", or ")),
    }
}

fn alternatives(operation: &Operation, text: &mut String) {
    if operation.composite.is_empty() {
        return;
    }
    text.push_str("\n**Made of**, the first that finds something:\n\n");
    for alternative in &operation.composite {
        let _ = writeln!(text, "- {}, given {}", code(&alternative.operation), codes(&alternative.when));
    }
}

fn inputs(operation: &Operation, catalog: &Catalog, text: &mut String) {
    let inputs = operation.inputs();
    if inputs.is_empty() && !operation.takes_any_input() {
        text.push_str("\n**No inputs**\n");
        return;
    }
    text.push_str("\n**Inputs**\n\n");
    for known in &inputs {
        let _ = writeln!(text, "- {}", input(operation, known, catalog));
        tree(known.shape, MAX_DEPTH - 1, &mut |depth, names, part| {
            let indent = "  ".repeat(depth + 1);
            let names: Vec<String> = names.iter().map(|name| code(name)).collect();
            let required = if part.required { " (required)" } else { "" };
            let _ = writeln!(text, "{indent}- {}{required}: {}", names.join(" or "), words(part));
        });
    }
    if operation.takes_any_input() {
        text.push_str("- others are passed on as they are\n");
    }
    if !operation.one_of.is_empty() {
        let _ = writeln!(text, "\nAt least one of {} is needed.", codes(&operation.one_of));
    }
}

fn marks(operation: &Operation, input: &Input<'_>, connector: Option<&Connector>) -> Vec<String> {
    let mut marks: Vec<String> = Vec::new();
    let filled = filled(input.name, connector);
    if input.shape.required {
        marks.push(if filled.is_some() { "needed" } else { "required" }.into());
    }
    let style = operation.parameters.get(input.name).map(|parameter| parameter.style);
    marks.extend(
        match input.place {
            Some(Place::Path) => Some("path"),
            Some(Place::Query) if input.shape.kind == Kind::Array && style == Some(ArrayStyle::Comma) => {
                Some("query, comma-separated")
            }
            Some(Place::Query) => Some("query"),
            Some(Place::Header) => Some("header"),
            None => operation.body.as_ref().map(|_| "body"),
        }
        .map(str::to_owned),
    );
    marks.extend(filled);
    let own = operation.list.as_ref().map(|list| list.paging.inputs()).unwrap_or_default();
    if own.contains(&input.name) {
        marks.push("set by hob when it polls".into());
    }
    marks
}

/// Differences in other versions of the API.
fn versions(operation: &Operation, connector: Option<&Connector>, text: &mut String) {
    for (name, version) in connector.iter().flat_map(|connector| &connector.versions.versions) {
        let Some(change) = version.operations.get(&operation.id) else { continue };
        let _ = write!(text, "\n**In version {name}** (`version: {name}`)");
        let lines = differences(change);
        if lines.is_empty() {
            text.push_str(", nothing is different.\n");
            continue;
        }
        text.push_str("\n\n");
        lines.iter().for_each(|line| text.push_str(&format!("- {line}\n")));
    }
}

fn differences(change: &Change) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(change.path.as_ref().map(|path| format!("path: {}", code(path))));
    if change.deprecated {
        lines.push("the vendor advises against it".to_owned());
    }
    if !change.parameters.is_empty() {
        lines.push(format!("new inputs: {}", codes(change.parameters.keys())));
    }
    for (what, fields) in [("input", &change.inputs), ("answer's field", &change.answer)] {
        for (path, now) in &fields.renamed {
            lines.push(format!("{what} {} is called {}", code(path), code(now)));
        }
        for path in &fields.removed {
            lines.push(format!("{what} {} is gone", code(path)));
        }
        if !fields.added.is_empty() {
            lines.push(format!("new {what}s: {}", codes(fields.added.keys())));
        }
        for (path, values) in &fields.values {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            let now = if values.is_empty() { "any value".to_owned() } else { codes(&values) };
            lines.push(format!("{what} {} may be {now}", code(path)));
        }
    }
    lines
}

/// The source of an input that a recipe does not give.
fn filled(name: &str, connector: Option<&Connector>) -> Option<String> {
    let connector = connector?;
    let fills = |(_, setting): &(&String, &Setting)| setting.fills.iter().any(|f| f == name);
    if let Some((setting, _)) = connector.settings.iter().find(fills) {
        return Some(format!("from the connection's {}", code(setting)));
    }
    connector.constants.get(name).map(|value| format!("{} unless given", code(&value.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_inputs_where_they_go_and_what_fills_them() {
        let catalog = Catalog::built_in();
        let text = operation(catalog.operation("contacts.create").unwrap(), &catalog);
        assert!(text.contains("- request: `POST /contacts/`\n"), "{text}");
        assert!(
            text.contains("- `locationId` (needed, body, from the connection's `location`): text\n"),
            "{text}"
        );
        assert!(text.contains("\n  - "), "nested fields: {text}");
        assert!(text.contains("- probe: `"), "{text}");
    }

    #[test]
    fn says_what_hob_sets_when_it_polls() {
        let catalog = Catalog::built_in();
        let text = operation(catalog.operation("fitr.tasks.list").unwrap(), &catalog);
        assert!(text.contains("- `page` (query, set by hob when it polls): a whole number\n"), "{text}");
        assert!(text.contains("- pages: numbered by `page`, 50 at a time; until an empty page\n"), "{text}");
    }
}
