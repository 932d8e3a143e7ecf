//! Explains the engine's errors in terms of recipes: what is undefined, and what exists instead.

use std::error::Error as _;
use std::ops::Range;

use minijinja::ErrorKind as Sort;

use super::error::{Error, ErrorKind, Refusal};
use super::spec::Spec;
use super::{PathStep, Scope, Template, Use, filters, functions, predicates, syntax};
use crate::diagnostic::closest;
use crate::value::Value;

/// Fields listed in a message; the others are counted.
const MAX_LISTED: usize = 12;

/// Values below this name may be secret, so messages of templates that use it show no values.
const SECRET: &str = "env";

/// Explains errors of one template in one scope.
pub(super) struct Explainer<'a> {
    template: &'a Template,
    scope: &'a Scope,
}

/// The first missing part of a path.
struct Missing {
    message: String,
    help: String,
}

impl<'a> Explainer<'a> {
    pub(super) fn new(template: &'a Template, scope: &'a Scope) -> Self {
        Self { template, scope }
    }

    /// Explains an error of the engine.
    pub(super) fn explain(&self, error: &minijinja::Error) -> Error {
        let text = self.template.text();
        let range = error.range().map(|range| syntax::clamp(text, range));
        match error.kind() {
            Sort::UndefinedError => self.undefined(range),
            Sort::OutOfFuel => Error {
                message: "the template does too much work or makes too much text".into(),
                range,
                help: Some("use a smaller list or text, or split the work into several steps".into()),
                kind: ErrorKind::Fuel,
            },
            Sort::UnknownFilter => self.unknown("filter", range, filters::all()),
            Sort::UnknownTest => self.unknown("test", range, predicates::all()),
            Sort::UnknownFunction => self.unknown("function", range, functions::all()),
            _ => self.refused(error, range),
        }
    }

    /// The error if the whole template is undefined.
    pub(super) fn undefined_result(&self) -> Error {
        self.undefined(None)
    }

    /// The error for `omit` where nothing can be omitted.
    pub(super) fn misplaced_omit(&self) -> Error {
        let at = self.template.uses().iter().find_map(|used| match used {
            Use::Omit { range, .. } => Some(range.clone()),
            _ => None,
        });
        Error {
            message: "`omit` leaves out an input of `with`, and here a value is needed".into(),
            range: at,
            help: Some("give it a value, such as `none`".into()),
            kind: ErrorKind::Other,
        }
    }

    /// The error for a path with an unknown first name, unless the template tests whether it exists.
    pub(super) fn unknown_name(&self) -> Option<Error> {
        let asked = |name: &str| {
            let guards = |used: &Use| matches!(used, Use::Path { root, guarded: true, .. } if root == name);
            self.template.uses().iter().any(guards)
        };
        self.template.uses().iter().find_map(|used| match used {
            Use::Path { root, range, .. } if self.scope.get(root).is_none() && !asked(root) => {
                Some(self.undefined(Some(range.clone())))
            }
            _ => None,
        })
    }

    /// The error for something undefined in `range`, or anywhere.
    fn undefined(&self, range: Option<Range<usize>>) -> Error {
        let text = self.template.text();
        let near = |path: &Range<usize>| match &range {
            Some(range) => {
                let gap = text.get(path.end..range.start).map(|gap| gap.trim_matches([' ', '\n', ')']));
                let operand = gap.is_some_and(|gap| matches!(gap, "|" | "is" | "is not"));
                operand || (path.start < range.end && range.start < path.end)
            }
            None => true,
        };
        for used in self.template.uses() {
            if let Use::Path { root, steps, guarded: false, range: at } = used
                && near(at)
                && let Some(Missing { message, help }) = self.missing(root, steps)
            {
                return Error {
                    message,
                    range: Some(at.clone()),
                    help: Some(help),
                    kind: ErrorKind::Undefined,
                };
            }
        }
        let range = range.unwrap_or(0..text.len());
        let shown = text.get(range.clone()).unwrap_or(text).trim_matches(['{', '}', '-', '+', ' ', '\n']);
        Error {
            message: format!("`{shown}` is undefined"),
            range: Some(range),
            help: Some("give it a value for that case: `… | default(…)`".into()),
            kind: ErrorKind::Undefined,
        }
    }

    fn missing(&self, root: &str, steps: &[PathStep]) -> Option<Missing> {
        match self.scope.get(root) {
            Some(value) => missing_in(&value, root, steps),
            None if functions::all().iter().any(|function| function.name == root) => Some(Missing {
                message: format!("`{root}` is a function"),
                help: format!("call it: `{root}()`"),
            }),
            None => {
                let names: Vec<&str> = self.scope.names().collect();
                let help = match closest(root, names.iter().copied()) {
                    Some(suggestion) => suggestion.to_string(),
                    None => "text needs quotes: `'…'`".into(),
                };
                let message = format!("`{root}` is undefined; available: {}", listed(&names));
                Some(Missing { message, help })
            }
        }
    }

    fn unknown(&self, what: &str, range: Option<Range<usize>>, known: &[Spec]) -> Error {
        let used = self.template.uses().iter().find_map(|used| match (what, used) {
            ("filter", Use::Filter { name, range: at })
            | ("test", Use::Test { name, range: at })
            | ("function", Use::Function { name, range: at })
                if !known.iter().any(|spec| spec.name == name) =>
            {
                Some((name.as_str(), at.clone()))
            }
            _ => None,
        });
        let Some((name, range)) = used else {
            // The name is computed: `map(event.filter)`.
            let message = format!("there is no such {what}");
            return Error { message, range, help: None, kind: ErrorKind::Other };
        };
        Error {
            message: format!("there is no {what} `{name}`"),
            range: Some(range),
            help: closest(name, known.iter().map(|spec| spec.name)).map(|suggestion| suggestion.to_string()),
            kind: ErrorKind::Other,
        }
    }

    /// The error of a filter or operator that rejected its operands.
    fn refused(&self, error: &minijinja::Error, range: Option<Range<usize>>) -> Error {
        let text = self.template.text();
        let secret =
            self.template.uses().iter().any(|used| matches!(used, Use::Path { root, .. } if root == SECRET));
        let detail = match error.detail() {
            Some(_) if secret => format!("refused a value; it is not shown, as the template uses `{SECRET}`"),
            Some(detail) => detail.to_owned(),
            None => error.kind().to_string(),
        };
        let filter = self.template.uses().iter().find_map(|used| match (used, &range) {
            (Use::Filter { name, range: at }, Some(range)) if at.start == range.start => Some((name, at)),
            _ => None,
        });
        let refusal = error.source().and_then(|source| source.downcast_ref::<Refusal>());
        let Some((name, at)) = filter else {
            let help = match refusal {
                Some(refusal) => refusal.help.clone(),
                None => operator_help(&detail),
            };
            let message = detail.replace("tried to use", "cannot use");
            return Error { message, range, help, kind: ErrorKind::Other };
        };
        if let Some(refusal) = refusal {
            let detail = match self.input_of(at) {
                Some(path) => detail.replacen("the value", &format!("`{}`", &text[path]), 1),
                None => detail,
            };
            let help = refusal.help.clone();
            return Error { message: format!("`{name}` {detail}"), range, help, kind: ErrorKind::Filter };
        }
        let signature = filters::all().iter().find(|spec| spec.name == name).map(|spec| spec.signature);
        let help = signature.map(|signature| format!("it is used as `… | {signature}`"));
        Error { message: format!("`{name}`: {detail}"), range, help, kind: ErrorKind::Filter }
    }

    /// The path right before the filter at `filter`.
    fn input_of(&self, filter: &Range<usize>) -> Option<Range<usize>> {
        let text = self.template.text();
        self.template.uses().iter().find_map(|used| match used {
            Use::Path { range, .. } => {
                let gap = text.get(range.end..filter.start)?;
                (gap.trim() == "|").then(|| range.clone())
            }
            _ => None,
        })
    }
}

/// The remedy for an operator with wrong types.
fn operator_help(detail: &str) -> Option<String> {
    let advice = if detail.contains("unsupported types") {
        "turn text into a number with `| number`, and a number into text with `| string`"
    } else if detail.starts_with("unable to calculate") {
        "it may divide by zero, or the result may be too large"
    } else {
        return None;
    };
    Some(advice.to_owned())
}

fn missing_in(value: &Value, shown: &str, steps: &[PathStep]) -> Option<Missing> {
    let (step, rest) = steps.split_first()?;
    match (step, value) {
        (PathStep::Field(name), Value::Object(fields)) => match fields.get(name) {
            Some(inner) => missing_in(inner, &format!("{shown}.{name}"), rest),
            None => {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                Some(missing_field(shown, name, &names))
            }
        },
        (PathStep::Field(name), other) => Some(Missing {
            message: format!("`{shown}.{name}` is undefined; `{shown}` is {}", describe(other)),
            help: default_help(&format!("{shown}.{name}")),
        }),
        (PathStep::Item, Value::Array(items)) if items.is_empty() => Some(Missing {
            message: format!("`{shown}` is an empty list"),
            help: format!("check it first: `… if {shown} else …`"),
        }),
        (PathStep::Item, Value::Array(items)) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| missing_in(item, &format!("{shown}[{index}]"), rest)),
        (PathStep::Item, Value::Object(_)) => None,
        (PathStep::Item, other) => Some(Missing {
            message: format!("`{shown}` is {}, not a list", describe(other)),
            help: default_help(shown),
        }),
    }
}

fn missing_field(holder: &str, name: &str, known: &[&str]) -> Missing {
    let path = format!("{holder}.{name}");
    let has = if known.is_empty() { "nothing".to_owned() } else { listed(known) };
    let help = match closest(name, known.iter().copied()) {
        Some(suggestion) => format!("did you mean `{holder}.{}`?", suggestion.name()),
        None => default_help(&path),
    };
    Missing { message: format!("`{path}` is undefined; `{holder}` has: {has}"), help }
}

fn default_help(path: &str) -> String {
    format!("if it may be missing, write `{path} | default(…)`")
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(MAX_LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
