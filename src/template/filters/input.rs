//! Conversion of filters' inputs, with errors that describe the input.

use std::borrow::Cow;

use minijinja::value::{Value as Datum, ValueKind};
use minijinja::{Error, ErrorKind};
use rust_decimal::Decimal;

use crate::template::error::{advised, refusal};
use crate::template::exact_number::Exact;
use crate::template::number;
use crate::template::omit::is_omit;

/// The input as text; numbers and flags are accepted.
pub(in crate::template) fn text(value: &Datum) -> Result<Cow<'_, str>, Error> {
    match value.kind() {
        ValueKind::Number => Ok(Cow::Owned(number::text(value))),
        ValueKind::Bool => Ok(Cow::Borrowed(if value.is_true() { "true" } else { "false" })),
        _ => match value.as_str() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => Err(unfit(value, "text")),
        },
    }
}

/// The input as an exact decimal; numbers as text are accepted.
pub(in crate::template) fn decimal(value: &Datum) -> Result<Decimal, Error> {
    if let Some(text) = value.as_str() {
        let number = Exact::read(text).and_then(|_| {
            let text = text.trim();
            text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
        });
        return number.ok_or_else(|| {
            advised(
                format!("needs a number, but the value is the text {:?}", shortened(text)),
                "turn it into one with `| number`",
            )
        });
    }
    if value.kind() != ValueKind::Number {
        return Err(unfit(value, "a number"));
    }
    number::decimal(value)
        .ok_or_else(|| refusal(format!("can be exact to 28 digits only, but the value is {value}")))
}

/// The error that `value` is not `wanted`.
pub(in crate::template) fn unfit(value: &Datum, wanted: &str) -> Error {
    if value.is_undefined() {
        return Error::from(ErrorKind::UndefinedError);
    }
    let message = format!("needs {wanted}, but the value is {}", describe(value));
    if value.is_none() {
        let instead = if wanted.starts_with("a list") { "[]" } else { "…" };
        let help = format!("give it a value for that case: `| default({instead})` before the filter");
        return advised(message, help);
    }
    if is_omit(value) {
        return advised(message, "`omit` comes last: let `| default(omit)` follow the other filters");
    }
    refusal(message)
}

/// A value in a few words.
pub(in crate::template) fn describe(value: &Datum) -> String {
    match value.kind() {
        ValueKind::None => "null".into(),
        _ if is_omit(value) => "`omit`".into(),
        ValueKind::Bool => value.is_true().to_string(),
        ValueKind::Number => format!("the number {}", number::text(value)),
        ValueKind::String => format!("the text {:?}", shortened(value.as_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => "a list".into(),
        ValueKind::Map => "a mapping".into(),
        kind => kind.to_string(),
    }
}

/// The beginning of a text, for messages.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
