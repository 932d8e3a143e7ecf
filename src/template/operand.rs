//! What is certain of an operand or an input: its type, and whether it may be null.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr};
use minijinja::value::Value as Datum;

use super::inferred::{Class, Inferred};
use super::presence::is_default;
use crate::value::{Kind, Value};

/// Filters that fail on null.
pub(super) const NEEDS_VALUE: [&str; 18] = [
    "lower",
    "upper",
    "title",
    "capitalize",
    "trim",
    "replace",
    "remove_prefix",
    "truncate",
    "split",
    "lines",
    "slug",
    "date",
    "iso8601",
    "add_time",
    "epoch",
    "epoch_ms",
    "number",
    "plus",
];

/// `… | default(none)`.
pub(super) fn defaults_to_null(expr: &Expr<'_>) -> bool {
    defaults_to(expr).is_some_and(|value| value.is_none())
}

/// `… | default('')`.
pub(super) fn never_null(expr: &Expr<'_>) -> bool {
    defaults_to(expr).is_some_and(|value| !value.is_none())
}

/// The value of an expression that ends with a default, where it has no other.
fn defaults_to(expr: &Expr<'_>) -> Option<Datum> {
    let Expr::Filter(filter) = expr else { return None };
    match filter.args.first() {
        _ if !is_default(filter.name) => None,
        None => Some(Datum::from("")),
        Some(CallArg::Pos(value)) => value.as_const(),
        Some(_) => None,
    }
}

/// Whether the operator fails on these operands.
pub(super) fn sides_differ(operator: &BinOpKind, left: &Inferred<'_>, right: &Inferred<'_>) -> bool {
    let numbers = |side: &Inferred<'_>| is_number(side) || side.kind() == Some(Kind::Number);
    match operator {
        BinOpKind::Add => is_text(left) && numbers(right) || numbers(left) && is_text(right),
        _ => is_text(left) || is_text(right),
    }
}

/// What is known to have no order, in words: a list or a mapping.
pub(super) fn without_order(side: &Inferred<'_>) -> Option<&'static str> {
    side.class().filter(|class| matches!(class, Class::List | Class::Mapping)).map(Class::describe)
}

/// The class of a value, or of what it is where no default takes its place.
pub(super) fn main_class(value: &Inferred<'_>) -> Option<Class> {
    value.class().or_else(|| value.alternatives().first()?.class())
}

/// Whether it is certainly text.
pub(super) fn is_text(side: &Inferred<'_>) -> bool {
    side.kind() == Some(Kind::String)
}

pub(super) fn both_numbers(left: &Inferred<'_>, right: &Inferred<'_>) -> bool {
    is_number(left) && is_number(right)
}

pub(super) fn is_number(side: &Inferred<'_>) -> bool {
    matches!(side, Inferred::Number | Inferred::Constant(Value::Number(_)))
}

/// Whether it is a text that is not a number.
pub(super) fn is_word(side: &Inferred<'_>) -> bool {
    matches!(side, Inferred::Constant(Value::String(text)) if text.trim().parse::<f64>().is_err())
}
