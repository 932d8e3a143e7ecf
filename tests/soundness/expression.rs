//! Random expressions over the fields that a template can read.

use hob::template::filters;
use hob::value::{Kind, Shape};

use crate::grammar::Sort;
use crate::random::Random;
use crate::values::{self, Named};

/// Deepest nesting of calls.
const MAX_DEPTH: usize = 3;
const WORDS: [&str; 6] = ["'a'", "' '", "','", "'-'", "'x'", "'Ada'"];

/// What a template can read.
#[derive(Debug, Clone)]
pub struct Field {
    pub path: String,
    pub shape: Shape,
    /// It may be missing or null.
    pub missing: bool,
    /// What it is a part of may be missing.
    pub deep: bool,
    /// Its type is declared; of webhooks, only the names of fields are.
    pub typed: bool,
}

impl Field {
    pub fn new(path: impl Into<String>, shape: &Shape) -> Self {
        Self { path: path.into(), shape: shape.clone(), missing: shape.nullable, deep: false, typed: true }
    }

    pub fn name(&self) -> &str {
        self.path.rsplit(['.', ']']).next().unwrap_or(&self.path)
    }

    /// Whether a type is declared of it.
    fn is_known(&self) -> bool {
        let Shape { kind, any_of, doubtful, .. } = &self.shape;
        self.typed && *kind != Kind::Any && any_of.is_empty() && !doubtful
    }

    fn is(&self, sort: Sort) -> bool {
        if !self.shape.any_of.is_empty() || self.shape.doubtful {
            return false;
        }
        let items =
            self.shape.items.as_ref().map(|items| (items.kind, items.nullable || !items.any_of.is_empty()));
        match sort {
            Sort::Text => self.shape.kind == Kind::String,
            Sort::Number => matches!(self.shape.kind, Kind::Number | Kind::Integer),
            Sort::Flag => self.shape.kind == Kind::Boolean,
            Sort::Texts => items == Some((Kind::String, false)),
            Sort::Numbers => matches!(items, Some((Kind::Number | Kind::Integer, false))),
            Sort::Records => items == Some((Kind::Object, false)),
            Sort::Mapping => self.shape.kind == Kind::Object,
            Sort::List => self.shape.kind == Kind::Array,
            Sort::Time => {
                self.shape.kind == Kind::String
                    && match self.shape.format.as_deref() {
                        // That it has no time is not declared of what a webhook brings.
                        Some("date") => self.typed,
                        format => format == Some("date-time"),
                    }
            }
        }
    }
}

/// Writes expressions.
pub struct Writer<'a> {
    pub random: &'a mut Random,
    pub fields: &'a [Field],
    /// Whether mistakes are made on purpose.
    pub careless: bool,
}

impl Writer<'_> {
    /// An expression of this sort, without operators that are not in brackets.
    pub fn expression(&mut self, sort: Sort) -> String {
        let depth = self.random.below(MAX_DEPTH + 1);
        self.at(sort, depth)
    }

    /// A template that is one expression of this sort.
    pub fn template(&mut self, sort: Sort) -> String {
        format!("{{{{ {} }}}}", self.expression(sort))
    }

    fn at(&mut self, sort: Sort, depth: usize) -> String {
        if depth > 0 && self.careless && self.random.percent(14) {
            return self.wild();
        }
        if depth == 0 || self.random.percent(25) {
            return self.leaf(sort);
        }
        let rule = *self.random.one(sort.rules());
        self.expand(rule, depth - 1)
    }

    /// Any filter on any field, with the arguments of the filter's example.
    fn wild(&mut self) -> String {
        let spec = self.random.one(filters());
        let call =
            spec.example.split_once('|').map_or("list", |(_, rest)| rest.trim_end_matches("}}").trim());
        let call =
            call.split('|').next().unwrap_or(call).split(").").next().unwrap_or(call).trim().to_owned();
        let fields: Vec<&Field> = self.fields.iter().filter(|field| field.typed).collect();
        let field = self.random.pick(&fields).map_or("run.id", |field| &field.path);
        format!("{field} | {call}")
    }

    /// A field, or a literal.
    pub fn leaf(&mut self, sort: Sort) -> String {
        let all = self.fields;
        let fields: Vec<&Field> = all.iter().filter(|field| field.is(sort)).collect();
        let literal = *self.random.one(sort.literals());
        let Some(field) = self.random.pick(&fields).copied().filter(|_| self.random.percent(85)) else {
            return literal.to_owned();
        };
        let (path, deep) = (field.path.clone(), field.deep);
        let sure = !field.missing && !path.ends_with(']');
        match self.random.below(100) {
            _ if sure => path,
            0..20 if self.careless => path,
            0..70 => format!("{path} | default({literal})"),
            _ if deep && !self.careless => format!("{path} | default({literal})"),
            70..85 => format!("({path} or {literal})"),
            _ => format!("({path} if {path} else {literal})"),
        }
    }

    /// A path of any kind, whether or not its type is declared.
    pub fn any_field(&mut self) -> String {
        self.field(false)
    }

    fn field(&mut self, known_only: bool) -> String {
        let known = self.fields;
        let fields: Vec<&Field> =
            known.iter().filter(|field| !field.path.ends_with(']') && !field.missing).collect();
        let all: Vec<&Field> = known.iter().filter(|field| field.is_known()).collect();
        let fields: Vec<&Field> =
            fields.into_iter().filter(|field| !known_only || field.is_known()).collect();
        let chosen = if self.careless { self.random.pick(&all) } else { self.random.pick(&fields) };
        chosen.map_or_else(|| "run.id".to_owned(), |field| field.path.clone())
    }

    /// Replaces the letters in braces of a rule.
    fn expand(&mut self, rule: &str, depth: usize) -> String {
        let mut text = String::new();
        let mut rest = rule;
        let mut members: Option<String> = None;
        while let Some(at) = rest.find('{') {
            let letters: Vec<char> = rest[at..].chars().take(3).collect();
            let &[_, letter, '}'] = letters.as_slice() else {
                text.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
                continue;
            };
            text.push_str(&rest[..at]);
            rest = &rest[at + 3..];
            match letter {
                'i' => text.push_str(&(1 + self.random.below(5)).to_string()),
                'w' => text.push_str(self.random.one::<&str>(&WORDS)),
                'f' => text.push_str(&self.any_field()),
                'k' => text.push_str(&self.field(true)),
                'a' => text.push_str(members.as_deref().unwrap_or("a")),
                'p' => text.push_str(&self.phone()),
                'r' => {
                    let (list, member) = self.records();
                    text.push_str(&list);
                    members = Some(member);
                }
                letter => {
                    let sort = Sort::of(letter).unwrap_or_else(|| panic!("no rule for {letter} in {rule}"));
                    text.push_str(&self.at(sort, depth));
                }
            }
        }
        text + rest
    }

    fn phone(&mut self) -> String {
        let known = self.fields;
        let fields: Vec<&Field> = known
            .iter()
            .filter(|field| field.is(Sort::Text) && Named(field.name()).is_phone() && !field.missing)
            .collect();
        match self.random.pick(&fields) {
            Some(field) => field.path.clone(),
            None => format!("'{}'", values::text(self.random, None, Named("phone"))),
        }
    }

    /// A list of mappings, and a field that holds text in all of them.
    fn records(&mut self) -> (String, String) {
        let (known, careless) = (self.fields, self.careless);
        let lists: Vec<(&Field, Vec<&String>)> = known
            .iter()
            .filter(|field| field.is(Sort::Records) && (!field.missing || careless))
            .filter_map(|field| {
                let members = field.shape.items.as_ref()?;
                let named = members.fields.iter().filter(|(_, shape)| {
                    careless
                        || shape.kind == Kind::String
                            && !shape.nullable
                            && shape.any_of.is_empty()
                            && !shape.doubtful
                });
                let names: Vec<&String> = named.map(|(name, _)| name).collect();
                (!names.is_empty()).then_some((field, names))
            })
            .collect();
        match self.random.pick(&lists) {
            Some((field, names)) => (field.path.clone(), (*self.random.one(names)).clone()),
            None => ("[{'a': 'x'}, {'a': 'y'}]".to_owned(), "a".to_owned()),
        }
    }
}

/// The fields below `path` that a template can read.
pub fn fields_below(path: &str, shape: &Shape, missing: bool) -> Vec<Field> {
    let mut found = Vec::new();
    add(&mut found, path, shape, missing, 3);
    found
}

fn add(found: &mut Vec<Field>, path: &str, shape: &Shape, missing: bool, depth: usize) {
    let deep = missing;
    let missing = missing || shape.nullable;
    found.push(Field { path: path.to_owned(), shape: shape.clone(), missing, deep, typed: true });
    if depth == 0 || !shape.any_of.is_empty() {
        return;
    }
    for (name, field) in &shape.fields {
        if name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') && !is_reserved(name) {
            add(found, &format!("{path}.{name}"), field, missing, depth - 1);
        }
    }
    if let Some(items) = shape.items.as_deref().filter(|_| depth > 1) {
        add(found, &format!("{path}[0]"), items, true, depth - 2);
    }
}

/// Names that mean something else to a template.
fn is_reserved(name: &str) -> bool {
    ["items", "keys", "values", "get", "not", "in", "is", "or", "and", "if", "else", "true", "false", "none"]
        .contains(&name)
        || name.starts_with(|first: char| first.is_ascii_digit())
}
