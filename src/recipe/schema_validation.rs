//! Validates a located tree against a schema: reports all mistakes with their places, and repairs the tree so that
//! the rest can be checked in the same pass.

use std::collections::HashSet;

use serde_json::Value;

use super::dropped_fields::DroppedFields;
use super::foreign_fields;
use super::schema_node::{accepts, branches, closed, field, field_names, required, resolve, tag, word_of};
use super::schema_words::{self, AnyOf};
use crate::diagnostic::{Code, Diagnostic, Fix, closest};
use crate::source::{Data, Node, Span, Spanned};

/// The result of validating a tree.
#[derive(Debug)]
pub struct Checked {
    /// The repaired tree: unusable parts are dropped or replaced by empty values.
    pub node: Node,
    /// The mistakes.
    pub diagnostics: Vec<Diagnostic>,
    /// Fields that the repair dropped.
    pub dropped_fields: DroppedFields,
}

/// Validates `node`, called `name` in messages, against the schema `root`. If it is `incomplete`, missing fields are
/// not reported.
pub fn check(root: &'static Value, node: &Node, incomplete: bool, name: &str) -> Checked {
    let mut walker =
        Walker { root, found: Vec::new(), dropped_fields: DroppedFields::new(incomplete), incomplete };
    let mended = walker.visit(root, node, name);
    let node = mended.unwrap_or_else(|| placeholder(root, root, node.span));
    Checked { node, diagnostics: walker.found, dropped_fields: walker.dropped_fields }
}

type Entry = (Spanned<String>, Node);

struct Walker {
    root: &'static Value,
    found: Vec<Diagnostic>,
    dropped_fields: DroppedFields,
    incomplete: bool,
}

impl Walker {
    /// The repaired `node`, or `None` if it is unusable. `name` is its name in messages.
    fn visit(&mut self, schema: &'static Value, node: &Node, name: &str) -> Option<Node> {
        let schema = resolve(self.root, schema);
        if let Some(branches) = branches(schema) {
            return self.branch(schema, branches, node, name);
        }
        if !accepts(self.root, schema, node) {
            self.wrong_type(schema, node, name);
            return None;
        }
        match &node.value {
            Data::Map(entries) => Some(self.mapping(schema, node.span, entries.clone())),
            Data::List(items) => Some(self.list(schema, node, items, name)),
            Data::Int(number) => self.number(schema, node, *number, name),
            _ => Some(node.clone()),
        }
    }

    /// Selects a variant: by type, then by the distinguishing field.
    fn branch(
        &mut self,
        schema: &'static Value,
        branches: &'static [Value],
        node: &Node,
        name: &str,
    ) -> Option<Node> {
        if let Data::Text(text) = &node.value
            && branches.iter().any(|branch| resolve(self.root, branch).get("const").is_some())
        {
            return self.word(schema, branches, node, text, name);
        }
        let fitting: Vec<&'static Value> = branches
            .iter()
            .map(|branch| resolve(self.root, branch))
            .filter(|branch| accepts(self.root, branch, node))
            .collect();
        match (fitting.as_slice(), &node.value) {
            ([], _) => {
                self.wrong_type(schema, node, name);
                None
            }
            ([_, _, ..], Data::Map(entries)) => self.by_field(&fitting, node, entries, name),
            ([one, ..], _) => self.visit(one, node, name),
        }
    }

    fn word(
        &mut self,
        schema: &'static Value,
        branches: &[Value],
        node: &Node,
        text: &str,
        name: &str,
    ) -> Option<Node> {
        let allowed: Vec<&str> = branches.iter().filter_map(|branch| branch.get("const")?.as_str()).collect();
        if allowed.contains(&text) {
            return Some(node.clone());
        }
        let root = self.root;
        let message = format!("{name} cannot be `{}`", short(text));
        let diagnostic = Diagnostic::new(Code::NotAllowed, node.span, message).help(format!(
            "{name} takes {}",
            schema_words::describe(schema, &|schema| resolve(root, schema))
        ));
        self.found.push(diagnostic.suggest(text, allowed));
        None
    }

    fn by_field(
        &mut self,
        branches: &[&'static Value],
        node: &Node,
        entries: &[Entry],
        name: &str,
    ) -> Option<Node> {
        if let Some(tag) = tag(branches) {
            return self.by_tag(tag, branches, node, entries, name);
        }
        let mut known: Vec<&str> = branches.iter().flat_map(|branch| field_names(branch)).collect();
        let kinds: Vec<&str> = branches.iter().filter_map(|branch| required(branch).next()).collect();
        known.dedup();
        let entries = self.respell(entries.to_vec(), &known, name);
        let has = |field: &str| entries.iter().find(|(key, _)| key.value == field);
        let present: Vec<(&'static Value, &Spanned<String>)> = branches
            .iter()
            .filter_map(|branch| has(required(branch).next()?).map(|(key, _)| (*branch, key)))
            .collect();
        let Some(((chosen, kind), others)) = present.split_first() else {
            if !self.incomplete {
                let message = format!("{name} needs one of {}", AnyOf(&kinds));
                let place = entries.first().map_or(node.span, |(key, _)| key.span);
                let named = has("type").or_else(|| has("kind")).or_else(|| has("platform"));
                let diagnostic = Diagnostic::new(Code::MissingField, place, message);
                self.found.push(match named.and_then(|(_, value)| foreign_fields::kind(value.as_text())) {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                });
            }
            return None;
        };
        for (_, other) in others {
            let message = format!("{name} has both `{kind}` and `{other}`");
            let help = format!("keep one of them; {name} is of one kind");
            self.found.push(Diagnostic::new(Code::FieldConflict, other.span, message).help(help));
        }
        let belongs = |key: &str| field_names(chosen).any(|field| field == key);
        let elsewhere =
            |key: &str| others.iter().any(|(other, _)| field_names(other).any(|field| field == key));
        let own = entries.iter().filter(|(key, _)| belongs(key) || !elsewhere(key)).cloned().collect();
        Some(self.mapping(chosen, node.span, own))
    }

    /// The variant whose value of the field `tag` is given.
    fn by_tag(
        &mut self,
        tag: &'static str,
        branches: &[&'static Value],
        node: &Node,
        entries: &[Entry],
        name: &str,
    ) -> Option<Node> {
        let Some((_, given)) = entries.iter().find(|(key, _)| key.value == tag) else {
            let default = branches.iter().find(|branch| !required(branch).any(|name| name == tag));
            if let Some(default) = default {
                return Some(self.mapping(default, node.span, entries.to_vec()));
            }
            let message = format!("{name} needs `{tag}`");
            self.found.push(Diagnostic::new(Code::MissingField, node.span, message));
            return None;
        };
        let text = given.as_text().unwrap_or_default();
        if let Some(chosen) = branches.iter().find(|branch| word_of(branch, tag) == Some(text)) {
            return Some(self.mapping(chosen, node.span, entries.to_vec()));
        }
        let message = format!("`{tag}` of {name} cannot be `{}`", short(text));
        let words = branches.iter().filter_map(|branch| word_of(branch, tag));
        self.found.push(Diagnostic::new(Code::NotAllowed, given.span, message).suggest(text, words));
        None
    }

    fn mapping(&mut self, schema: &'static Value, span: Span, entries: Vec<Entry>) -> Node {
        let title = schema_words::title(schema);
        let mut mended: Vec<Entry> = Vec::with_capacity(entries.len());
        let mut names: HashSet<String> = HashSet::with_capacity(entries.len());
        let entries = match closed(schema) {
            true => self.respell(entries, &field_names(schema).collect::<Vec<_>>(), &title),
            false => entries,
        };
        let mut strange = false;
        for (key, value) in &entries {
            // The second of two equal keys, and merge keys, were reported.
            if names.contains(&key.value) || key.value == "<<" {
                continue;
            }
            let name = format!("`{}`", key.value);
            let inner = match field(schema, key) {
                Some(inner) => self.visit(inner, value, &name),
                None if closed(schema) => {
                    self.unknown_field(schema, key, &title);
                    strange = true;
                    continue;
                }
                None => Some(value.clone()),
            };
            match inner {
                Some(value) => {
                    names.insert(key.value.clone());
                    mended.push((key.clone(), value));
                }
                None => self.dropped_fields.named(span, key),
            }
        }
        // It may have been intended as any missing field.
        for absent in field_names(schema).filter(|name| strange && !given(&entries, name)) {
            self.dropped_fields.named(span, absent);
        }
        self.together(schema, &entries, &title);
        for name in required(schema) {
            if !entries.iter().any(|(key, _)| key.value == name) {
                self.missing_field(schema, name, span, &entries, &title);
            }
            if !names.contains(name)
                && let Some(inner) = field(schema, name)
            {
                mended.push((Spanned::new(name.to_owned(), span), placeholder(self.root, inner, span)));
            }
        }
        Spanned::new(Data::Map(mended), span)
    }

    /// Renames keys close to a known name, with a diagnostic, so that their values are validated, too.
    fn respell(&mut self, mut entries: Vec<Entry>, known: &[&str], holder: &str) -> Vec<Entry> {
        let mut taken: HashSet<String> = entries.iter().map(|(key, _)| key.value.clone()).collect();
        let free: Vec<&str> = known.iter().copied().filter(|name| !taken.contains(*name)).collect();
        for (key, _) in &mut entries {
            if known.contains(&key.value.as_str()) {
                continue;
            }
            let elsewhere = foreign_fields::field(holder, key, &free).filter(|name| !taken.contains(*name));
            if let Some(ours) = elsewhere {
                let message = format!("{holder} has no field `{}`", short(key));
                let diagnostic = Diagnostic::new(Code::UnknownField, key.span, message)
                    .help(format!("it is called `{ours}` here"))
                    .fix(Fix::rename(key.span, key, ours).map(Fix::suggested));
                self.found.push(diagnostic);
                taken.insert(ours.to_owned());
                ours.clone_into(&mut key.value);
            } else if let Some(suggestion) = closest(key, free.iter().copied()) {
                let message = format!("{holder} has no field `{}`", short(key));
                self.found
                    .push(Diagnostic::new(Code::UnknownField, key.span, message).meant(key, &suggestion));
                suggestion.name().clone_into(&mut key.value);
            }
        }
        entries
    }

    fn unknown_field(&mut self, schema: &'static Value, key: &Spanned<String>, title: &str) {
        let known: Vec<&str> = field_names(schema).collect();
        let message = format!("{title} has no field `{}`", short(key));
        let help = match known.as_slice() {
            _ if title.ends_with("trigger") && matches!(key.as_str(), "type" | "kind") => {
                "leave it out: the kind of a trigger is the name of its first field".to_owned()
            }
            [] => "leave it empty: `{}`".to_owned(),
            known => format!("{title} takes {}", AnyOf(known)),
        };
        self.found.push(Diagnostic::new(Code::UnknownField, key.span, message).help(help));
    }

    fn missing_field(
        &mut self,
        schema: &'static Value,
        name: &str,
        span: Span,
        entries: &[Entry],
        title: &str,
    ) {
        if self.incomplete {
            return;
        }
        let place = entries.first().map_or(span, |(key, _)| key.span);
        let mut diagnostic = Diagnostic::new(Code::MissingField, place, format!("{title} needs `{name}`"));
        if let Some(example) = field(schema, name).and_then(schema_words::example) {
            diagnostic = diagnostic.help(format!("such as `{name}: {example}`"));
        }
        self.found.push(diagnostic);
    }

    /// Fields that exclude or require each other.
    fn together(&mut self, schema: &Value, entries: &[Entry], title: &str) {
        let has = |name: &str| entries.iter().find(|(key, _)| key.value == name);
        let exclusive: Vec<&str> = schema.get("not").map(|not| required(not).collect()).unwrap_or_default();
        let present: Vec<&Entry> = exclusive.iter().filter_map(|name| has(name)).collect();
        if let [.., (last, _)] = present.as_slice()
            && present.len() == exclusive.len()
        {
            let message = format!("{title} cannot have {} together", AnyOf(&exclusive));
            let diagnostic = Diagnostic::new(Code::FieldConflict, last.span, message);
            self.found.push(diagnostic.help("keep one of them"));
        }
        for (name, needs) in schema.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            let Some((key, _)) = has(name) else { continue };
            for other in needs.as_array().into_iter().flatten().filter_map(Value::as_str) {
                if has(other).is_none() && !self.incomplete {
                    let message = format!("`{name}` has no meaning without `{other}`");
                    self.found.push(Diagnostic::new(Code::FieldConflict, key.span, message));
                }
            }
        }
    }

    fn list(&mut self, schema: &'static Value, node: &Node, items: &[Node], name: &str) -> Node {
        if items.is_empty() && schema.get("minItems").is_some() {
            let message = format!("{name} is an empty list");
            self.found.push(Diagnostic::new(Code::MissingField, node.span, message));
        }
        let inner = format!("an item of {name}");
        let mended = match schema.get("items") {
            Some(schema) => items.iter().filter_map(|item| self.visit(schema, item, &inner)).collect(),
            None => items.to_vec(),
        };
        Spanned::new(Data::List(mended), node.span)
    }

    fn number(&mut self, schema: &Value, node: &Node, number: i64, name: &str) -> Option<Node> {
        let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        if least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most) {
            return Some(node.clone());
        }
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("between {least} and {most}"),
            (Some(least), None) => format!("at least {least}"),
            (_, most) => format!("at most {}", most.unwrap_or_default()),
        };
        let message = format!("{name} cannot be {number}");
        let help = format!("it is {range}");
        self.found.push(Diagnostic::new(Code::NotAllowed, node.span, message).help(help));
        None
    }

    fn wrong_type(&mut self, schema: &'static Value, node: &Node, name: &str) {
        let root = self.root;
        let wanted = schema_words::describe(schema, &|schema| resolve(root, schema));
        let message = format!("{name} takes {wanted}, not {}", schema_words::found(&node.value));
        let diagnostic = Diagnostic::new(Code::WrongType, node.span, message);
        self.found.push(match schema_words::remedy(schema, &node.value) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }
}

/// The smallest value that `schema` accepts, as a placeholder for a missing one.
fn placeholder(root: &'static Value, schema: &'static Value, span: Span) -> Node {
    let schema = resolve(root, schema);
    if let Some(last) = branches(schema).and_then(<[Value]>::last) {
        return placeholder(root, last, span);
    }
    let data = match schema.get("type").and_then(Value::as_str) {
        Some("object") => Data::Map(
            required(schema)
                .filter_map(|name| {
                    let inner = placeholder(root, field(schema, name)?, span);
                    Some((Spanned::new(name.to_owned(), span), inner))
                })
                .collect(),
        ),
        Some("array") => Data::List(Vec::new()),
        Some("integer") => Data::Int(1),
        Some("boolean") => Data::Bool(false),
        _ => match schema.get("const").and_then(Value::as_str) {
            Some(word) => Data::Text(word.to_owned()),
            None => Data::Text(String::new()),
        },
    };
    Spanned::new(data, span)
}

/// A name from the file, cut to fit a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn given(entries: &[Entry], name: &str) -> bool {
    entries.iter().any(|(key, _)| key.value == name)
}
