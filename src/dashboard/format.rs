//! How values are written in pages: everything from outside is made printable, then escaped.

use chrono::{DateTime, Utc};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, Output, State, escape_formatter};

use crate::printable;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Writes the value of an expression. Only what hob marked as HTML itself is written as it is.
pub(super) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_none() || value.is_undefined() {
        return Ok(());
    }
    if value.is_safe() {
        return escape_formatter(out, state, value);
    }
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    escape_formatter(out, state, &Value::from(printable::lines(&text).as_ref()))
}

/// `at` as a `<time>` element in UTC; `short` leaves out the date.
pub(super) fn time(at: &Value, options: Kwargs) -> Result<Value, Error> {
    let short: Option<bool> = options.get("short")?;
    options.assert_all_used()?;
    let Some(at) = at.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok()) else {
        return Ok(Value::from("–"));
    };
    let shown = match short {
        Some(true) => at.format("%H:%M:%S"),
        _ => at.format("%Y-%m-%d %H:%M:%SZ"),
    };
    Ok(Value::from_safe_string(format!(
        "<time datetime=\"{}\">{shown}</time>",
        at.format("%Y-%m-%dT%H:%M:%S%.3fZ")
    )))
}

/// All but what RFC 3986 leaves unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The text as a part of an address, such as of a path or a query.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `1 run`, `3 runs`
pub(super) fn counted(count: u64, thing: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{ending}")
}

/// The text in one line, cut if it is long.
pub(super) fn line(text: &str, most: Option<usize>) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    printable::line(&text, most.unwrap_or(300))
}

/// A duration given in milliseconds.
pub(super) fn duration(milliseconds: i64) -> String {
    let seconds = milliseconds as f64 / 1000.0;
    match milliseconds {
        ..1_000 => format!("{milliseconds} ms"),
        1_000..10_000 => format!("{seconds:.1} s"),
        10_000..120_000 => format!("{seconds:.0} s"),
        120_000..7_200_000 => format!("{:.0} min", seconds / 60.0),
        7_200_000..172_800_000 => format!("{:.0} h", seconds / 3600.0),
        _ => format!("{:.0} d", seconds / 86_400.0),
    }
}

/// A value as JSON in one line, cut if it is long.
pub(super) fn json_line(value: &Value) -> String {
    let mut text = String::new();
    write_json(value, &mut text);
    printable::line(&text, MAX_JSON)
}

/// Most characters of a value in a line.
const MAX_JSON: usize = 400;

fn write_json(value: &Value, text: &mut String) {
    match value.kind() {
        ValueKind::String => text.push_str(&quoted(value.as_str().unwrap_or_default())),
        ValueKind::None | ValueKind::Undefined => text.push_str("null"),
        ValueKind::Seq => {
            text.push('[');
            for (place, item) in value.try_iter().into_iter().flatten().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_json(&item, text);
            }
            text.push(']');
        }
        ValueKind::Map => {
            text.push('{');
            for (place, key) in value.try_iter().into_iter().flatten().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&quoted(key.as_str().unwrap_or_default()));
                text.push(':');
                write_json(&value.get_item(&key).unwrap_or_default(), text);
            }
            text.push('}');
        }
        _ => text.push_str(&value.to_string()),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
