//! Comparisons between values that have no order.

use super::Rule;
use crate::check::{Context, TemplateSite, result_shape};
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{Comparison, Side};
use crate::value::{Kind, Shape, Value, Written, time_in};

/// What is compared has an order, as far as the catalog knows it.
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

/// What is known of one side.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sort {
    Number,
    /// Text that may be a number.
    Text,
    /// Text that is no number.
    Word,
    /// A date without a time.
    Day,
    /// A time with a zone.
    Moment,
    /// It has no order; its description.
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
        Sort::Unordered(what) => Some(what),
        _ => None,
    });
    if let Some(what) = unordered {
        let message = format!("`{operator}` has no order for {what}");
        return Some((message, "there is an order among numbers, among texts and among times"));
    }
    match (left?, right?) {
        (Sort::Text, Sort::Number) | (Sort::Number, Sort::Text) => Some((
            format!("`{operator}` compares text with a number, which fails where the text is none"),
            "a text such as `50` counts as that number; turn other ways of writing one into it with `| number`",
        )),
        (Sort::Word | Sort::Day | Sort::Moment, Sort::Number)
        | (Sort::Number, Sort::Word | Sort::Day | Sort::Moment) => {
            Some((format!("`{operator}` compares text with a number"), "compare values of one kind"))
        }
        (Sort::Day, Sort::Moment) | (Sort::Moment, Sort::Day) => Some((
            format!("`{operator}` compares a date, which has no time zone, with a time"),
            "compare days: `… | date('%Y-%m-%d', 'Europe/London')` on the time",
        )),
        _ => None,
    }
}

fn sort(context: &Context<'_>, site: &TemplateSite<'_>, side: &Side) -> Option<Sort> {
    match side {
        Side::Path { root, steps } => {
            result_shape::reached(context, &site.position, root, steps)?.shape().and_then(of_shape)
        }
        Side::Constant(value) => Some(of_constant(value)),
        Side::Moment => Some(Sort::Moment),
        Side::Other => None,
    }
}

fn of_shape(shape: &Shape) -> Option<Sort> {
    if !shape.any_of.is_empty() {
        return None;
    }
    Some(match shape.kind {
        Kind::Integer | Kind::Number => Sort::Number,
        Kind::String => match shape.format.as_deref() {
            Some("date-time") => Sort::Moment,
            Some("date") => Sort::Day,
            _ if !shape.values.is_empty() => Sort::Word,
            _ => Sort::Text,
        },
        Kind::Boolean => Sort::Unordered("true and false"),
        Kind::Array => Sort::Unordered("lists"),
        Kind::Object => Sort::Unordered("mappings"),
        Kind::Any => return None,
    })
}

fn of_constant(value: &Value) -> Sort {
    match value {
        Value::Number(_) => Sort::Number,
        Value::String(text) if text.trim().parse::<f64>().is_ok() => Sort::Number,
        Value::String(text) => match time_in(text) {
            Some(Written::Day(_)) => Sort::Day,
            Some(Written::Exact(_)) => Sort::Moment,
            Some(Written::Local(_)) | None => Sort::Word,
        },
        Value::Null => Sort::Unordered("null"),
        Value::Bool(_) => Sort::Unordered("true and false"),
        Value::Array(_) => Sort::Unordered("lists"),
        Value::Object(_) => Sort::Unordered("mappings"),
    }
}
