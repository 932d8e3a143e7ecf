//! Values of inputs.

use super::Rule;
use crate::catalog::{Input, Operation, Place};
use crate::check::{Context, locate};
use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::recipe::parse_duration;
use crate::source::{SourceFile, Span, Spanned};
use crate::template::{LocatedTemplate, TemplateTree, TreeShape};
use crate::value::address::segment;
use crate::value::{Kind, ProblemKind, Shape, ShapeProblem, Value};

/// Maximum number of allowed values in a message.
const MAX_VALUES: usize = 12;

/// Values under `with` have the type of the operation's inputs.
pub struct ParameterValues;

impl Rule for ParameterValues {
    fn summary(&self) -> &'static str {
        "Values under `with` that are written out have the type, and are among the values, that the operation takes."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (call, operation) in context.known_calls() {
            for (key, value) in call.inputs() {
                if let Some(input) = operation.input(key) {
                    check_input(&context.recipe.file, operation, key, value, &input, found);
                }
            }
        }
    }
}

fn check_input(
    file: &SourceFile,
    operation: &Operation,
    key: &Spanned<String>,
    tree: &TemplateTree,
    input: &Input<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let shape = input.shape;
    if input.place == Some(Place::Path)
        && let Some(text) = tree.as_template().filter(|text| text.is_literal())
        && let Err(reason) = segment(text.text())
    {
        found.push(Diagnostic::new(Code::NotAllowed, tree.span, format!("`{}` {reason}", key.value)));
        return;
    }
    for problem in ShapeProblem::without_duplicates(shape.check(&tree.to_value(), &is_template)) {
        let mut path = vec![key.value.clone()];
        path.extend(problem.path.iter().cloned());
        found.push(complaint(file, operation, &path.join("."), tree, &problem));
    }
    mixed(&key.value, tree, shape, found);
    if shape.format.as_deref() == Some("duration")
        && let Some(text) = tree.as_template().filter(|text| text.is_literal())
        && let Err(error) = parse_duration(text.text())
    {
        found.push(Diagnostic::new(Code::BadDuration, tree.span, error.to_string()));
    }
}

/// Whether the text contains a template.
fn is_template(value: &Value) -> bool {
    value.as_str().is_some_and(|text| ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)))
}

fn complaint(
    file: &SourceFile,
    operation: &Operation,
    name: &str,
    tree: &TemplateTree,
    problem: &ShapeProblem,
) -> Diagnostic {
    let value = locate::value_at(tree, &problem.path);
    match &problem.kind {
        ProblemKind::WrongType { expected, found } => {
            let message = format!("`{name}` takes {expected}, not {found}");
            let diagnostic = Diagnostic::new(Code::WrongType, value, message);
            match remedy(expected, found) {
                Some(help) => diagnostic.help(help).fix(requoted(file.slice(value), value, expected)),
                None => diagnostic,
            }
        }
        ProblemKind::NotAllowed { allowed, found } => not_allowed(name, value, allowed, found),
        ProblemKind::UnknownField { name: field, known } => {
            let place = locate::key_at(tree, &problem.path);
            let holder = name.rsplit_once('.').map_or(name, |(holder, _)| holder);
            let message = format!("`{holder}` of `{}` has no field `{field}`", operation.id);
            Diagnostic::new(Code::UnknownParameter, place, message)
                .help(format!("it takes {}", known.join(", ")))
                .suggest(field, known.iter().map(String::as_str))
        }
        ProblemKind::NoneOf { names } => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let message = format!("`{name}` needs one of {}", names.join(", "));
            Diagnostic::new(Code::MissingParameter, value, message)
        }
        ProblemKind::GivenTwice { name: field } => {
            let place = locate::key_at(tree, &problem.path);
            let message = format!("`{name}` is another name for `{field}`, which is given too");
            Diagnostic::new(Code::FieldConflict, place, message).help("keep one of them")
        }
        ProblemKind::Misfit(misfit) => {
            let code = if misfit.certain { Code::NotAllowed } else { Code::Suspicious };
            let message = format!("`{name}` is {:?}, which {}", misfit.found, misfit.reason);
            Diagnostic::new(code, value, message).help(misfit.remedy.clone())
        }
        ProblemKind::MissingField { name: field } => {
            Diagnostic::new(Code::MissingParameter, value, format!("`{name}` needs `{field}`"))
        }
        ProblemKind::TooSmall { minimum } => {
            Diagnostic::new(Code::NotAllowed, value, format!("`{name}` cannot be less than {minimum}"))
        }
        ProblemKind::TooLarge { maximum } => {
            Diagnostic::new(Code::NotAllowed, value, format!("`{name}` cannot be more than {maximum}"))
        }
    }
}

fn not_allowed(name: &str, place: Span, allowed: &[Value], found: &Value) -> Diagnostic {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let names: Vec<String> = allowed.iter().map(shown).collect();
    let mut listed: Vec<String> = names.iter().take(MAX_VALUES).map(|name| format!("`{name}`")).collect();
    if names.len() > MAX_VALUES {
        listed.push("…".to_owned());
    }
    let found = shown(found);
    Diagnostic::new(Code::NotAllowed, place, format!("`{name}` cannot be `{found}`"))
        .help(format!("it is one of {}", listed.join(", ")))
        .suggest(&found, names.iter().map(String::as_str))
}

fn remedy(expected: &str, found: &str) -> Option<&'static str> {
    if found.starts_with("nothing") {
        return Some("give it a value, or leave the line out");
    }
    let scalar = found.starts_with("the number") || found == "true" || found == "false";
    if expected == "text" && scalar {
        return Some("put it in quotes to make it text");
    }
    let wants_scalar = expected.contains("number") || expected.contains("true or false");
    if wants_scalar && !expected.starts_with("a list") && found.starts_with("the text") {
        return Some("write it without quotes");
    }
    match expected.starts_with("a list") {
        true if found.starts_with("the text") => Some("write a list: `[…]`"),
        true if found == "a mapping" => Some("write a list of such mappings: each begins with `-`"),
        _ => None,
    }
}

/// Adds or removes quotes if the value, `raw` in the file, is of the type `expected` then.
fn requoted(raw: &str, span: Span, expected: &str) -> Option<Fix> {
    let is_number = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_whole && (digits == "0" || !digits.starts_with('0'))
    };
    let is_flag = |text: &str| text == "true" || text == "false";
    let edit = |replacement: String| vec![Edit { span, replaced: raw.to_owned(), replacement }];
    if expected == "text" {
        return (is_number(raw) || is_flag(raw))
            .then(|| Fix::new("put it in quotes", edit(format!("\"{raw}\""))));
    }
    let inner = ['"', '\''].iter().find_map(|quote| raw.strip_prefix(*quote)?.strip_suffix(*quote))?;
    let fits = match expected {
        _ if expected.starts_with("a list") => false,
        _ if expected.contains("number") => is_number(inner),
        _ => expected.contains("true or false") && is_flag(inner),
    };
    fits.then(|| Fix::new("leave out the quotes", edit(inner.to_owned())))
}

/// A template with surrounding text always produces text.
fn mixed(name: &str, tree: &TemplateTree, shape: &Shape, found: &mut Vec<Diagnostic>) {
    match &tree.shape {
        TreeShape::Text(template) if makes_text(template) && !takes_text(shape) => {
            let message =
                format!("`{name}` takes {}, but a template with text beside it makes text", shape.describe());
            let help = "a value that is exactly one `{{ … }}` keeps its type";
            found.push(Diagnostic::new(Code::WrongType, tree.span, message).help(help));
        }
        TreeShape::List(items) => {
            let inner = shape.items.as_deref().filter(|_| shape.any_of.is_empty());
            for item in items {
                inner.into_iter().for_each(|shape| mixed(name, item, shape, found));
            }
        }
        TreeShape::Map(entries) if shape.any_of.is_empty() => {
            for (key, value) in entries {
                if let Some(inner) = shape.field(key.as_str()) {
                    mixed(&format!("{name}.{key}"), value, inner, found);
                }
            }
        }
        _ => {}
    }
}

fn makes_text(template: &LocatedTemplate) -> bool {
    !template.is_literal() && !template.is_whole()
}

fn takes_text(shape: &Shape) -> bool {
    !shape.any_of.is_empty() || matches!(shape.kind, Kind::Any | Kind::String)
}
