//! Comparisons between values that have no order.

use super::Rule;
use crate::check::{Context, TemplateSite, result_shape};
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{Comparison, Inferred, Side};
use crate::value::{Kind, Shape, Value, Written, time_in};

/// Compared values have an order, as far as the catalog knows.
pub struct OrderedSides;

impl Rule for OrderedSides {
    fn summary(&self) -> &'static str {
        "What is compared with `<`, `<=`, `>` and `>=` has an order, as far as it is known: numbers, texts, or times."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.sites {
            for comparison in site.template.comparisons() {
                if let Some((message, help)) = complaint(context, site, comparison) {
                    let place = site.template.place(comparison.range.clone());
                    found.push(Diagnostic::new(Code::Suspicious, place, message).help(help));
                }
            }
        }
    }
}

/// What is known of an operand.
#[derive(Debug, Clone, Copy, PartialEq)]
enum OperandKind {
    Number,
    /// Text that may be a number.
    Text,
    /// Text that is not a number.
    Word,
    /// A date without a time.
    Day,
    /// A time with a zone.
    Moment,
    /// A time without a zone.
    Local,
    /// Without an order; a description.
    Unordered(&'static str),
}

fn complaint(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    comparison: &Comparison,
) -> Option<(String, &'static str)> {
    let (left, right) = (sort(context, site, &comparison.left), sort(context, site, &comparison.right));
    let operator = comparison.operator;
    let unordered = [left, right].into_iter().flatten().find_map(|sort| match sort {
        OperandKind::Unordered(what) => Some(what),
        _ => None,
    });
    if let Some(what) = unordered {
        let message = format!("`{operator}` has no order for {what}");
        return Some((message, "there is an order among numbers, among texts and among times"));
    }
    match (left?, right?) {
        (OperandKind::Text, OperandKind::Number) | (OperandKind::Number, OperandKind::Text) => Some((
            format!("`{operator}` compares text with a number, which fails where the text is none"),
            "a text such as `50` counts as that number; turn other ways of writing one into it with `| number`",
        )),
        (
            OperandKind::Word | OperandKind::Day | OperandKind::Moment | OperandKind::Local,
            OperandKind::Number,
        )
        | (
            OperandKind::Number,
            OperandKind::Word | OperandKind::Day | OperandKind::Moment | OperandKind::Local,
        ) => Some((format!("`{operator}` compares text with a number"), "compare values of one kind")),
        (OperandKind::Day | OperandKind::Moment, OperandKind::Word)
        | (OperandKind::Word, OperandKind::Day | OperandKind::Moment) => Some((
            format!("`{operator}` compares a time with a text that is none, letter by letter"),
            "times are written as in `2026-01-31T09:00:00Z`, days as in `2026-01-31`",
        )),
        (OperandKind::Local, OperandKind::Moment) | (OperandKind::Moment, OperandKind::Local) => Some((
            format!("`{operator}` compares a time that names no time zone with one that does"),
            "write the zone, as in `2026-01-31T09:00:00Z`",
        )),
        (OperandKind::Day, OperandKind::Moment) | (OperandKind::Moment, OperandKind::Day) => Some((
            format!("`{operator}` compares a date, which has no time zone, with a time"),
            "compare days: `… | date('%Y-%m-%d', 'Europe/London')` on the time",
        )),
        _ => None,
    }
}

fn sort(context: &Context<'_>, site: &TemplateSite<'_>, side: &Side) -> Option<OperandKind> {
    match side {
        Side::Path { root, steps } => match result_shape::value(context, &site.position, root, steps) {
            Inferred::Declared(shape) => kind_of_shape(shape),
            Inferred::Constant(value) => Some(kind_of_constant(&value)),
            Inferred::Number | Inferred::Integer => Some(OperandKind::Number),
            Inferred::Flag => Some(OperandKind::Unordered("true and false")),
            Inferred::List(_) => Some(OperandKind::Unordered("lists")),
            Inferred::Mapping => Some(OperandKind::Unordered("mappings")),
            Inferred::Day => Some(OperandKind::Day),
            Inferred::Moment => Some(OperandKind::Moment),
            // It may be a number or a time.
            Inferred::Text
            | Inferred::Unknown
            | Inferred::Omitted
            | Inferred::Absent
            | Inferred::OneOf(_) => None,
        },
        Side::Constant(value) => Some(kind_of_constant(value)),
        Side::Moment => Some(OperandKind::Moment),
        Side::Other => None,
    }
}

fn kind_of_shape(shape: &Shape) -> Option<OperandKind> {
    if !shape.any_of.is_empty() {
        return None;
    }
    Some(match shape.kind {
        Kind::Integer | Kind::Number => OperandKind::Number,
        Kind::String => match shape.format.as_deref() {
            Some("date-time") => OperandKind::Moment,
            Some("date") => OperandKind::Day,
            _ if !shape.values.is_empty() => OperandKind::Word,
            _ => OperandKind::Text,
        },
        Kind::Boolean => OperandKind::Unordered("true and false"),
        Kind::Array => OperandKind::Unordered("lists"),
        Kind::Object => OperandKind::Unordered("mappings"),
        Kind::Any => return None,
    })
}

fn kind_of_constant(value: &Value) -> OperandKind {
    match value {
        Value::Number(_) => OperandKind::Number,
        Value::String(text) if text.trim().parse::<f64>().is_ok() => OperandKind::Number,
        Value::String(text) => match time_in(text) {
            Some(Written::Day(_)) => OperandKind::Day,
            Some(Written::Exact(_)) => OperandKind::Moment,
            Some(Written::Local(_)) => OperandKind::Local,
            None => OperandKind::Word,
        },
        Value::Null => OperandKind::Unordered("null"),
        Value::Bool(_) => OperandKind::Unordered("true and false"),
        Value::Array(_) => OperandKind::Unordered("lists"),
        Value::Object(_) => OperandKind::Unordered("mappings"),
    }
}
