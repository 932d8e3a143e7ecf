//! Whether a value that was sent is the value that came back, as far as that can be told.

use serde_json::Number;

use super::comparison::Comparison;
use super::text::compare_texts;
use crate::catalog::Shows;
use crate::run::difference::Difference;
use crate::value::{Map, Shape, Value, from_epoch, is_nothing, is_same};

/// Fields that tell the members of a list apart.
const IDS: [&str; 4] = ["id", "_id", "key", "name"];

/// The fields of a record that are compared, and the differences so far.
pub(super) struct Fields<'a> {
    pub(super) shows: &'a Shows,
    pub(super) found: Vec<Difference>,
}

impl Fields<'_> {
    pub(super) fn add(&mut self, field: &str, sent: &Value, got: &Value) {
        self.found.push(Difference { field: field.to_owned(), sent: sent.clone(), got: got.clone() });
    }

    pub(super) fn add_if(&mut self, differs: bool, field: &str, sent: &Value, got: &Value) {
        if differs {
            self.add(field, sent, got);
        }
    }

    /// Compares the field `name`, whose input has this `shape`.
    pub(super) fn compare(&mut self, name: &str, sent: &Value, got: &Value, shape: Option<&Shape>) {
        let caseless = self.shows.is_caseless(name);
        self.compare_at(name, sent, got, shape, caseless);
    }

    fn compare_at(&mut self, at: &str, sent: &Value, got: &Value, shape: Option<&Shape>, caseless: bool) {
        match (sent, got) {
            (Value::Object(sent), Value::Object(got)) => {
                for (name, sent) in sent {
                    let shape = shape.and_then(|shape| shape.fields.get(name));
                    if let Some(got) = got.get(name).filter(|_| !is_nothing(sent)) {
                        self.compare_at(&format!("{at}.{name}"), sent, got, shape, caseless);
                    }
                }
            }
            (Value::Array(items), Value::Array(shown)) => {
                let is_shown = |item: &Value| {
                    is_nothing(item)
                        || shown.iter().any(|got| !compare_items(item, got, caseless).is_different())
                };
                if !items.iter().all(is_shown) {
                    self.add(at, sent, got);
                }
            }
            _ if compare_values(sent, got, shape, caseless).is_different() => self.add(at, sent, got),
            _ => {}
        }
    }
}

/// Whether a member of a list is the one that is shown. Members that name themselves are told apart by that.
pub(super) fn compare_items(sent: &Value, got: &Value, caseless: bool) -> Comparison {
    let (Value::Object(sent), Value::Object(got)) = (sent, got) else {
        return compare_values(sent, got, None, caseless);
    };
    let compared = sent.iter().filter_map(|(name, sent)| {
        let got = got.get(name).filter(|_| !is_nothing(sent))?;
        Some(match (sent, got) {
            (Value::Object(_), Value::Object(_)) => compare_items(sent, got, caseless),
            (Value::Array(sent), Value::Array(got)) => compare_lists(sent, got, caseless),
            _ => compare_values(sent, got, None, caseless),
        })
    });
    worst(compared).unwrap_or(if is_named(sent) && is_named(got) {
        Comparison::Different
    } else {
        Comparison::Unclear
    })
}

fn is_named(item: &Map<String, Value>) -> bool {
    IDS.iter().any(|name| item.contains_key(*name))
}

fn compare_lists(sent: &[Value], got: &[Value], caseless: bool) -> Comparison {
    let all = sent.iter().map(|item| {
        let shown = got.iter().any(|got| !compare_items(item, got, caseless).is_different());
        Comparison::when(shown || is_nothing(item))
    });
    worst(all).unwrap_or(Comparison::Same)
}

/// `None` of none.
fn worst(all: impl Iterator<Item = Comparison>) -> Option<Comparison> {
    all.reduce(|one, other| match (one, other) {
        (Comparison::Different, _) | (_, Comparison::Different) => Comparison::Different,
        (Comparison::Unclear, _) | (_, Comparison::Unclear) => Comparison::Unclear,
        _ => Comparison::Same,
    })
}

/// Whether a single value that was sent is the one that is shown.
pub(super) fn compare_values(sent: &Value, got: &Value, shape: Option<&Shape>, caseless: bool) -> Comparison {
    if is_same(sent, got) || is_nothing(sent) {
        return Comparison::Same;
    }
    match (sent, got) {
        // What an API writes for no is no value either.
        (Value::Bool(false), Value::Null) => Comparison::Same,
        (Value::Number(number), Value::Null) if number.as_f64() == Some(0.0) => Comparison::Same,
        (_, Value::Null) => Comparison::Different,
        (Value::Array(_), Value::Array(got)) if got.is_empty() => Comparison::Different,
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => {
            Comparison::Unclear
        }
        (Value::Bool(sent), got) => compare_with_truth(*sent, got),
        (sent, Value::Bool(got)) => compare_with_truth(*got, sent),
        (Value::Number(sent), Value::Number(got)) => compare_numbers(sent, got),
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            compare_number_with_text(number, text)
        }
        (Value::String(sent), Value::String(got)) => compare_texts(sent, got, shape, caseless),
        (Value::Null, _) => Comparison::Same,
    }
}

fn compare_with_truth(truth: bool, other: &Value) -> Comparison {
    let word = match other {
        Value::Bool(other) => return Comparison::when(truth == *other),
        Value::String(text) => text.trim().to_lowercase(),
        other => other.to_string(),
    };
    match word.as_str() {
        "true" | "yes" | "on" | "1" => Comparison::when(truth),
        "false" | "no" | "off" | "0" => Comparison::when(!truth),
        "" => Comparison::when(!truth),
        _ => Comparison::Unclear,
    }
}

fn compare_numbers(sent: &Number, got: &Number) -> Comparison {
    let (Some(sent), Some(got)) = (sent.as_f64(), got.as_f64()) else { return Comparison::Unclear };
    Comparison::when((sent - got).abs() <= sent.abs().max(got.abs()) * 1e-12)
}

fn compare_number_with_text(number: &Number, text: &str) -> Comparison {
    let text = text.trim();
    let time = |text: &str| from_epoch(text).map(|time| time.to_rfc3339());
    if text.contains('-')
        && let Some(time) = time(&number.to_string())
    {
        return match compare_texts(&time, text, None, false) {
            Comparison::Same => Comparison::Same,
            _ => Comparison::Unclear,
        };
    }
    // Zeros in front are lost in a number.
    let bare = text.trim_start_matches(['-', '+']);
    let is_code = bare.len() > 1 && bare.starts_with('0') && !bare.starts_with("0.");
    match (text.is_empty() || is_code, text.parse::<f64>(), number.as_f64()) {
        (true, ..) => Comparison::Different,
        (_, Ok(text), Some(number)) => Comparison::when((text - number).abs() <= number.abs() * 1e-12),
        _ => Comparison::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn compare(sent: Value, got: Value) -> Comparison {
        compare_values(&sent, &got, None, false)
    }

    #[test]
    fn forms_of_one_value_are_the_same() {
        for (sent, got) in [
            (json!("Ada"), json!(" Ada\n")),
            (json!("Ada  Lovelace"), json!("Ada Lovelace")),
            (json!("one\r\ntwo"), json!("one\ntwo")),
            (json!("Ada@Example.com"), json!("ada@example.com")),
            (json!("07700 900123"), json!("+447700900123")),
            (json!("0044 7700 900123"), json!("+447700900123")),
            (json!("07700 900123"), json!("07700900123")),
            (json!("2026-01-02"), json!("2026-01-02T00:00:00.000Z")),
            (json!("2026-01-02T10:00:00+01:00"), json!("2026-01-02T09:00:00Z")),
            (json!("2026-01-02T09:00:00.250Z"), json!("2026-01-02T09:00:00Z")),
            (json!("2026-01-02T00:00:00Z"), json!(1_767_312_000_000_i64)),
            (json!("https://Example.com"), json!("https://example.com/")),
            (json!("example.com"), json!("https://example.com")),
            (json!("Tom & Ada"), json!("Tom &amp; Ada")),
            (json!("hello"), json!("<p>hello</p>")),
            (json!("12.50"), json!(12.5)),
            (json!(true), json!("yes")),
            (json!(1), json!(true)),
            (json!(false), json!(null)),
            (json!(0.1), json!(0.1)),
        ] {
            assert_eq!(compare(sent.clone(), got.clone()), Comparison::Same, "{sent} {got}");
        }
    }

    #[test]
    fn other_values_are_different() {
        for (sent, got) in [
            (json!("Ada"), json!("ada")),
            (json!("Ada"), json!("Ad")),
            (json!("Ada"), json!(null)),
            (json!("Ada"), json!("")),
            (json!("ada@example.com"), json!("old@example.com")),
            (json!("+447700900123"), json!("+44770090012")),
            (json!("2026-01-02"), json!("2026-02-01")),
            (json!("2026-01-02T09:00:00Z"), json!("2026-01-02T10:00:00Z")),
            (json!("one\ntwo"), json!("one two")),
            (json!("007"), json!(7)),
            (json!(12.345), json!(12.35)),
            (json!(12), json!("13")),
            (json!(true), json!(false)),
            (json!(true), json!("no")),
            (json!(["a"]), json!([])),
            (json!("https://example.com/a"), json!("https://example.com/b")),
        ] {
            assert_eq!(compare(sent.clone(), got.clone()), Comparison::Different, "{sent} {got}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_not_judged() {
        for (sent, got) in [
            (json!("u1"), json!({ "id": "u1", "name": "Ada" })),
            (json!("a,b"), json!(["a", "b"])),
            (json!("2026-01-02 10:00"), json!("2026-01-02T09:00:00Z")),
            (json!("02/01/2026"), json!("2026-01-02")),
            (json!("Zoe\u{308}"), json!("Zoë")),
            (json!("4111 1111 1111 1111"), json!("**** 1111")),
            (json!("high"), json!(3)),
            (json!(true), json!("subscribed")),
        ] {
            assert_ne!(compare(sent.clone(), got.clone()), Comparison::Different, "{sent} {got}");
        }
    }
}
