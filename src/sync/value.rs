//! The value that a field gets, as an expression over a record of the other side.

use super::tree::member;
use crate::diagnostic::{Code, Diagnostic, list_some};
use crate::source::{Data, SourceFile, Span, Spanned};
use crate::template::{LocatedTemplate, PathStep, Use};
use crate::value::{Shape, Step};

/// Name of the other side's record in `value`.
const RECORD: &str = "record";
/// Names that `value` may read besides.
const ALSO: [&str; 2] = ["env", "connection"];

/// What a field gets.
#[derive(Debug)]
pub(super) enum FieldValue {
    /// A field of the other record as it is.
    Field(String),
    /// The value of a template.
    Template(LocatedTemplate),
}

impl FieldValue {
    /// Reads `value:`, a template over records of the shape `record`.
    pub(super) fn parse(
        text: &Spanned<String>,
        record: Option<&Shape>,
        file: &SourceFile,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let template = match LocatedTemplate::parse(&text.clone().map(Data::Text), file) {
            Ok(template) => template,
            Err(mistake) => {
                found.push(mistake);
                return None;
            }
        };
        if !template.is_whole() {
            let help =
                "write one expression and join texts with `~`: `{{ record.first ~ ' ' ~ record.last }}`";
            let message = "`value` is exactly one `{{ … }}`";
            found.push(Diagnostic::new(Code::WrongType, text.span, message).help(help));
            return None;
        }
        let before = found.len();
        found.extend(template.unknown_functions());
        for used in template.uses() {
            match used {
                Use::Path { root, steps, range, .. } if root == RECORD => {
                    found.extend(unknown_field(&template, steps, range.clone(), record));
                }
                Use::Path { root, range, .. } if !ALSO.contains(&root.as_str()) => {
                    found.push(unknown_root(root, template.place(range.clone()), record));
                }
                Use::Omit { range, .. } => {
                    let message = "`omit` is not needed here: where something is missing, nothing is written";
                    found.push(Diagnostic::new(Code::NotAllowed, template.place(range.clone()), message));
                }
                _ => {}
            }
        }
        (found.len() == before).then_some(Self::Template(template))
    }

    /// Names of the fields that it reads.
    pub(super) fn reads(&self) -> Vec<&str> {
        let template = match self {
            Self::Field(name) => return vec![name.as_str()],
            Self::Template(template) => template,
        };
        let fields = template.uses().iter().filter_map(|used| match used {
            Use::Path { root, steps, .. } if root == RECORD => steps.first()?.field(),
            _ => None,
        });
        fields.collect()
    }

    /// Whether it depends on the other record.
    pub(super) fn reads_record(&self) -> bool {
        match self {
            Self::Field(_) => true,
            Self::Template(template) => {
                template.uses().iter().any(|used| matches!(used, Use::Path { root, .. } if root == RECORD))
            }
        }
    }

    /// The shape of the value, if it is a part of a record (of the shape `record`) as it is and its shape is known.
    pub(super) fn shape<'s>(&self, record: Option<&'s Shape>) -> Option<&'s Shape> {
        let record = record?;
        let template = match self {
            Self::Field(name) => return record.field(name),
            Self::Template(template) => template,
        };
        let [Use::Path { root, steps, range, .. }] = template.uses() else { return None };
        let text = template.text().trim().trim_start_matches("{{").trim_end_matches("}}");
        let is_path =
            root == RECORD && text.trim_matches(['-', ' ', '\n']) == &template.text()[range.clone()];
        is_path.then_some(())?;
        steps.iter().try_fold(record, |shape, step| shape.step(step).ok().flatten())
    }

    /// The expression of the value for the record that `root` is the expression of; null where it is missing or empty.
    pub(super) fn expression(&self, root: &str) -> String {
        let template = match self {
            Self::Field(name) => return format!("{} | default(none) | coalesce(none)", member(root, name)),
            Self::Template(template) => template,
        };
        let text = template.text();
        let (mut expression, mut at) = (String::new(), 0);
        let mut conditions: Vec<String> = Vec::new();
        for used in template.uses() {
            let Use::Path { root: name, steps, guarded, range } = used else { continue };
            if name != RECORD || range.start < at {
                continue;
            }
            expression.push_str(&text[at..range.start]);
            expression.push_str(root);
            at = range.start + RECORD.len();
            for condition in presence(root, steps).filter(|_| !guarded) {
                if !conditions.contains(&condition) {
                    conditions.push(condition);
                }
            }
        }
        expression.push_str(&text[at..]);
        let inner = expression.trim().trim_start_matches("{{").trim_end_matches("}}");
        let inner = inner.trim_start_matches('-').trim_end_matches('-').trim();
        match conditions.as_slice() {
            [] => format!("({inner}) | coalesce(none)"),
            all => format!("({inner}) | coalesce(none) if {} else none", all.join(" and ")),
        }
    }
}

/// Conditions that a path exists and is not null, from the first field on.
fn presence<'s>(root: &str, steps: &'s [PathStep]) -> impl Iterator<Item = String> + use<'s> {
    let mut path = root.to_owned();
    steps.iter().map_while(Step::field).map(move |name| {
        path = member(&path, name);
        format!("{path} | default(none) is not none")
    })
}

/// The diagnostic of a name that `value` cannot read.
fn unknown_root(root: &str, place: Span, record: Option<&Shape>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownVariable, place, format!("`value` cannot read `{root}`"));
    if root == "event" {
        return diagnostic
            .help("the record of the other side is `record` here: write `record` in place of `event`");
    }
    match record {
        Some(record) if record.field(root).is_some() => {
            diagnostic.help(format!("a field of the other side's record is read as `record.{root}`"))
        }
        Some(record) => {
            diagnostic.help(format!("{}; `env` and `connection` can be read, too", fields(record)))
        }
        None => diagnostic
            .help("`record` is the record of the other side; `env` and `connection` can be read, too"),
    }
}

/// The first step of a path that records of the shape `record` do not have.
fn unknown_field(
    template: &LocatedTemplate,
    steps: &[PathStep],
    range: std::ops::Range<usize>,
    record: Option<&Shape>,
) -> Option<Diagnostic> {
    let record = record?;
    let (mut shape, mut path) = (record, RECORD.to_owned());
    for step in steps {
        let known = match shape.step(step) {
            Ok(next) => {
                shape = next?;
                path = step.field().map_or_else(|| format!("{path}[…]"), |name| member(&path, name));
                continue;
            }
            Err(known) => known,
        };
        let name = step.field()?;
        let message = match path == RECORD {
            true => format!("records of the other side have no field `{name}`"),
            false => format!("`{path}` has no field `{name}`"),
        };
        let diagnostic = Diagnostic::new(Code::UnknownField, template.place(range), message);
        let diagnostic = match (path == RECORD, known.is_empty()) {
            (true, _) => diagnostic.help(fields(record)),
            (false, false) => diagnostic.help(format!("it has {}", list_some(known.iter().copied()))),
            (false, true) => diagnostic,
        };
        return Some(diagnostic.suggest(name, known));
    }
    None
}

/// What `record` has, for people.
fn fields(record: &Shape) -> String {
    let names = list_some(record.fields.keys().map(String::as_str));
    format!("`record`, the record of the other side, is read as `record.FIELD`; its fields are {names}")
}
