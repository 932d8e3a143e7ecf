//! Random values of a declared shape: what an event, or an input that is written out, may be.

use hob::value::{Kind, Shape};
use serde_json::{Map, Value, json};

use crate::random::Random;

/// Deep enough for everything that a recipe reads; shapes may be recursive.
const MAX_DEPTH: usize = 5;
/// What people and programs write where text is free.
const TEXTS: [&str; 20] = [
    "",
    " ",
    "Ada",
    "Zoë O'Brien",
    "a, b; c",
    "12",
    "007",
    "-3.50",
    "1e3",
    "true",
    "null",
    "{{ event.id }}",
    "two\nlines",
    "tab\tand \"quotes\" 'too'",
    "<b>bold</b>",
    "日本語 😀",
    "50% off/week?a=b&c=d#e",
    "[1, 2]",
    "2026-03-01",
    "a word that goes on and on, so that whatever cuts texts has something to cut off at the end of it",
];
const PHONES: [&str; 3] = ["+44 20 7946 0018", "+442079460018", "020 7946 0018"];
const TIMES: [&str; 4] = [
    "2026-05-04T10:00:00Z",
    "2026-12-31T23:59:59.999Z",
    "2027-01-01T00:00:00+02:00",
    "2024-02-29T12:30:00.000Z",
];
const DATES: [&str; 3] = ["2026-05-04", "2024-02-29", "1999-12-31"];
const NUMBERS: [i64; 8] = [0, 1, 2, 7, -1, 100, 2026, 99_999];

/// The name of a field, where it says more than its shape.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a>(pub &'a str);

impl Named<'_> {
    fn ends(self, endings: &[&str]) -> bool {
        let name = self.0.to_ascii_lowercase();
        endings.iter().any(|ending| name.ends_with(ending))
    }

    /// Whether it names a record: such texts have no spaces, and are not empty.
    pub fn is_id(self) -> bool {
        self.0 == "id" || self.0 == "_id" || self.0.ends_with("Id") || self.ends(&["_id", "key", "ids"])
    }

    /// Whether it is a phone number.
    pub fn is_phone(self) -> bool {
        self.ends(&["phone", "phonenumber", "phone_number"])
    }
}

/// A random value of this shape, with everything that may be missing missing at times.
pub fn value(random: &mut Random, shape: &Shape, name: Named<'_>) -> Value {
    value_at(random, shape, name, MAX_DEPTH)
}

fn value_at(random: &mut Random, shape: &Shape, name: Named<'_>, depth: usize) -> Value {
    if let Some(word) = random.pick(&shape.values) {
        return word.clone();
    }
    if let Some(one) = random.pick(&shape.any_of) {
        return value_at(random, one, name, depth);
    }
    match shape.kind {
        Kind::Any => any(random),
        Kind::String => Value::from(text(random, shape.format.as_deref(), name)),
        Kind::Integer => Value::from(whole(random, shape)),
        Kind::Number if random.percent(40) => Value::from(whole(random, shape) as f64 + 0.25),
        Kind::Number => Value::from(whole(random, shape)),
        Kind::Boolean => Value::from(random.percent(50)),
        Kind::Array => {
            let length = if depth == 0 { 0 } else { random.below(4) };
            let items = shape.items.as_deref().cloned().unwrap_or_else(|| Shape::new(Kind::String));
            (0..length).map(|_| value_at(random, &items, name, depth - 1)).collect()
        }
        Kind::Object => Value::Object(object(random, shape, depth)),
    }
}

fn object(random: &mut Random, shape: &Shape, depth: usize) -> Map<String, Value> {
    let mut found = Map::new();
    if let Some(entries) = shape.entries.as_deref().filter(|_| depth > 0) {
        for key in ["one", "2026-05-04"].iter().take(random.below(3)) {
            found.insert((*key).to_owned(), value_at(random, entries, Named(key), depth - 1));
        }
    }
    for (name, field) in &shape.fields {
        if field.nullable && random.percent(45) {
            if random.percent(50) {
                found.insert(name.clone(), Value::Null);
            }
            continue;
        }
        if depth == 0 && matches!(field.kind, Kind::Object) {
            found.insert(name.clone(), json!({}));
            continue;
        }
        found.insert(name.clone(), value_at(random, field, Named(name), depth.saturating_sub(1)));
    }
    found
}

fn any(random: &mut Random) -> Value {
    let some = [json!("x"), json!(3), json!(true), json!([1, "a"]), json!({ "a": 1 }), json!("")];
    random.one(&some).clone()
}

fn whole(random: &mut Random, shape: &Shape) -> i64 {
    if shape.format.as_deref() == Some("epoch-ms") {
        return 1_795_000_000_000 + i64::try_from(random.below(1_000_000)).unwrap();
    }
    let number = *random.one(&NUMBERS);
    number.clamp(shape.minimum.unwrap_or(i64::MIN), shape.maximum.unwrap_or(i64::MAX))
}

/// A text of this format.
pub fn text(random: &mut Random, format: Option<&str>, name: Named<'_>) -> String {
    let number = random.below(900);
    match format {
        Some("date-time") => (*random.one(&TIMES)).to_owned(),
        Some("date") => (*random.one(&DATES)).to_owned(),
        Some("email") => format!("ada.{number}@example.com"),
        Some("uri" | "url") => format!("https://example.com/{number}?a=b%20c"),
        Some("uuid") => format!("0c9f1f6e-0000-4000-8000-000000000{number:03}"),
        Some("duration") => format!("{}m", number + 1),
        Some("epoch-ms") => format!("17950000{number:05}"),
        Some("record-id") => format!("rec{number}"),
        Some("field-key") => format!("key_{number}"),
        _ if name.is_phone() => (*random.one(&PHONES)).to_owned(),
        _ if name.is_id() => format!("id{number}"),
        _ if name.ends(&["email"]) => format!("bob.{number}@example.com"),
        _ => (*random.one(&TEXTS)).to_owned(),
    }
}
