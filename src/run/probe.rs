//! Looking for what a create in doubt would have made. Pure: the answers are given.

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalog::{Operation, Probe, path};
use crate::value::{Map, Value, leeway, timestamp};

/// Clocks differ: what seems to be this much older than the attempt may still come from it.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Some clocks differ by more: what seems to be no older than this may or may not come from it.
const DOUBT: TimeDelta = TimeDelta::minutes(15);

/// What the answers to a probe tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    /// This is what the create made.
    Found(Value),
    /// It made nothing.
    Absent,
    /// It cannot be told.
    Unclear(String),
}

/// The inputs of the probe's read: those of the create that it asks for.
pub fn inputs(probe: &Probe, sent: &Map<String, Value>) -> Map<String, Value> {
    let given = |(name, from): (&String, &String)| {
        let value = sent.get(from).filter(|value| !value.is_null())?;
        Some((name.clone(), value.clone()))
    };
    probe.with.iter().filter_map(given).collect()
}

/// The items of an answer to the probe's read; `None` when there is no list where the catalog says,
/// which is something else than an empty one.
pub fn items(read: &Operation, answer: &Value) -> Option<Vec<Value>> {
    let paths = read.list.as_ref().map_or(&read.result, |list| &list.items);
    match path::read_first(answer, paths) {
        Some(Value::Array(items)) => Some(items),
        Some(single) if !single.is_null() => Some(vec![single]),
        _ => paths.iter().any(|path| path::read(answer, path).is_some()).then(Vec::new),
    }
}

/// The search for what a create made, through the pages of a list.
#[derive(Debug)]
pub struct Search<'a> {
    /// Place in an item and the value that it must have there.
    wanted: Vec<(&'a str, &'a Value)>,
    created: Option<&'a str>,
    at: DateTime<Utc>,
    /// Why what was seen so far leaves it open whether the create happened.
    open: Option<&'static str>,
}

impl<'a> Search<'a> {
    /// For what was sent at `at`; or why it could not be recognised.
    pub fn new(probe: &'a Probe, sent: &'a Map<String, Value>, at: DateTime<Utc>) -> Result<Self, String> {
        let given = |(place, input): (&'a String, &String)| {
            Some((place.as_str(), sent.get(input).filter(|value| !value.is_null())?))
        };
        let wanted: Vec<_> = probe.matching.iter().filter_map(given).collect();
        let created = probe.created.as_deref();
        // Where the read itself finds nothing but what is like it, nothing has to be compared.
        if wanted.is_empty() && (created.is_none() || !probe.matching.is_empty()) {
            let names: Vec<&str> = probe.matching.values().map(String::as_str).collect();
            return Err(format!("without `{}` it cannot be recognised", names.join("`, `")));
        }
        Ok(Self { wanted, created, at, open: None })
    }

    /// Looks through one more page; `None` when the next one has to be looked through, too.
    pub fn page(&mut self, items: &[Value]) -> Option<Sighting> {
        let Self { wanted, created, at, open } = self;
        let mut ours: Option<&Value> = None;
        for item in items.iter().filter(|item| is_like(item, wanted)) {
            let Some(created) = *created else { return Some(Sighting::Found(item.clone())) };
            let created = field(item, created).unwrap_or_default();
            let Some(time) = time(&created) else {
                return Some(Sighting::Unclear("one like it is there, of unknown age".into()));
            };
            let age = at.signed_duration_since(time);
            if age <= SKEW {
                if ours.replace(item).is_some() {
                    return Some(Sighting::Unclear("several like it were made since".into()));
                }
            } else if age <= DOUBT + leeway(&created) {
                *open = Some("one like it is there, made a little earlier if both clocks are right");
            } else if wanted.is_empty() {
                // Such a read may show one of several, and not the newest.
                *open = open.or(Some("an older one is there, which may hide it"));
            }
        }
        ours.cloned().map(Sighting::Found)
    }

    /// What it means that there are no more pages.
    pub fn end(self) -> Sighting {
        self.open.map_or(Sighting::Absent, |reason| Sighting::Unclear(reason.to_owned()))
    }
}

/// Whether `item` has what is wanted in each of its places.
fn is_like(item: &Value, wanted: &[(&str, &Value)]) -> bool {
    wanted.iter().all(|(place, value)| field(item, place).is_some_and(|found| alike(value, &found)))
}

fn field(item: &Value, place: &str) -> Option<Value> {
    let place = if place.starts_with('$') { place.to_owned() } else { format!("$.{place}") };
    path::read(item, &place).filter(|value| !value.is_null())
}

/// Equal but for what servers do to values: case, white space, numbers as text, order.
fn alike(sent: &Value, found: &Value) -> bool {
    match (sent, found) {
        (Value::Array(sent), Value::Array(found)) => {
            sent.iter().all(|one| found.iter().any(|other| alike(one, other)))
        }
        (Value::Object(sent), Value::Object(found)) => sent
            .iter()
            .filter(|(_, value)| !value.is_null())
            .all(|(name, value)| found.get(name).is_some_and(|other| alike(value, other))),
        _ => match (time(sent), time(found)) {
            // Digits in text are compared as such: 007 is not 7.
            (Some(one), Some(other)) if !(is_digits(sent) && is_digits(found)) => one == other,
            _ => folded(sent) == folded(found),
        },
    }
}

fn folded(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_lowercase(),
        other => other.to_string(),
    }
}

fn is_digits(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok())
}

/// The time of `value`, unless it is one that stands for none: zero, the year 1, a count.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    timestamp(value).filter(|time| time.timestamp() > 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sighting(sent: Value, answer: Value) -> Sighting {
        sighting_by("{ body: body }", sent, answer)
    }

    fn sighting_by(matching: &str, sent: Value, answer: Value) -> Sighting {
        let probe = format!(
            "operation: notes.list\nwith: {{ contactId: contactId }}\nmatch: {matching}\ncreated: dateAdded"
        );
        let probe: Probe = serde_yaml::from_str(&probe).unwrap();
        let read: Operation =
            serde_yaml::from_str("title: t\nsummary: s\nkinds: [poller]\nlist: { items: ['$.notes[*]'] }")
                .unwrap();
        let at = DateTime::parse_from_rfc3339("2026-11-23T10:00:00Z").unwrap().with_timezone(&Utc);
        let Some(items) = items(&read, &answer) else { return Sighting::Unclear("no list".into()) };
        match Search::new(&probe, sent.as_object().unwrap(), at) {
            Ok(mut search) => search.page(&items).unwrap_or_else(|| search.end()),
            Err(reason) => Sighting::Unclear(reason),
        }
    }

    #[test]
    fn recognises_its_own_and_no_older_one() {
        let note = |body: &str, added: &str| json!({ "body": body, "dateAdded": added });
        let sent = json!({ "contactId": "c", "body": "Hello " });
        let old = note("hello", "2026-11-20T10:00:00Z");
        let new = note("hello", "2026-11-23T09:59:30Z");
        let other = note("bye", "2026-11-23T10:00:01Z");
        let found = sighting(sent.clone(), json!({ "notes": [old, other, new] }));
        assert_eq!(found, Sighting::Found(new));
        assert_eq!(sighting(sent.clone(), json!({ "notes": [old, other] })), Sighting::Absent);
        assert_eq!(sighting(sent.clone(), json!({ "notes": [] })), Sighting::Absent);
        let ageless = json!({ "notes": [{ "body": "hello" }] });
        assert!(matches!(sighting(sent, ageless), Sighting::Unclear(_)));
        assert!(matches!(sighting(json!({ "contactId": "c" }), json!({})), Sighting::Unclear(_)));
    }

    #[test]
    fn one_that_seems_a_little_too_old_may_be_ours_by_another_clock() {
        let note = |added: &str| json!({ "body": "Hello", "dateAdded": added });
        let sent = json!({ "contactId": "c", "body": "Hello" });
        let little = sighting(sent.clone(), json!({ "notes": [note("2026-11-23T09:50:00Z")] }));
        assert!(matches!(little, Sighting::Unclear(_)), "{little:?}");
        let new = note("2026-11-23T10:00:01Z");
        let both = json!({ "notes": [note("2026-11-23T09:50:00Z"), new] });
        assert_eq!(sighting(sent.clone(), both), Sighting::Found(new));
        let old = json!({ "notes": [note("2026-11-23T09:40:00Z")] });
        assert_eq!(sighting(sent, old), Sighting::Absent);
    }

    #[test]
    fn a_time_that_leaves_something_open_is_not_taken_to_be_old() {
        let sent = json!({ "contactId": "c", "body": "Hello" });
        // The day only; a local time of some zone; a zero that stands for no time.
        for vague in ["2026-11-23", "2026-11-23 02:00:00", "0001-01-01T00:00:00Z"] {
            let found = sighting(sent.clone(), json!({ "notes": [{ "body": "Hello", "dateAdded": vague }] }));
            assert!(matches!(found, Sighting::Unclear(_)), "{vague}: {found:?}");
        }
        let old = json!({ "notes": [{ "body": "Hello", "dateAdded": "2026-11-20" }] });
        assert_eq!(sighting(sent, old), Sighting::Absent);
    }

    #[test]
    fn alike_is_what_servers_make_of_it() {
        for (sent, found) in [
            (json!("2026-11-23"), json!("2026-11-23T00:00:00.000Z")),
            (json!(1_795_455_000), json!("2026-11-23T17:30:00Z")),
            (json!(7), json!("7")),
            (json!(["a", "b"]), json!(["B", "A", "c"])),
        ] {
            assert!(alike(&sent, &found), "{sent} {found}");
        }
        assert!(!alike(&json!("07700900123"), &json!("7700900123")));
        assert!(!alike(&json!("007"), &json!("7")));
    }

    #[test]
    fn which_of_several_is_ours_cannot_be_told() {
        let note = json!({ "body": "Hello", "dateAdded": "2026-11-23T10:00:00Z" });
        let two = sighting(json!({ "contactId": "c", "body": "Hello" }), json!({ "notes": [note, note] }));
        assert!(matches!(two, Sighting::Unclear(_)), "{two:?}");
    }

    #[test]
    fn an_answer_without_a_list_tells_nothing() {
        let sent = json!({ "contactId": "c", "body": "Hello" });
        let odd = sighting(sent.clone(), json!({ "error": "busy" }));
        assert!(matches!(odd, Sighting::Unclear(_)), "{odd:?}");
    }

    #[test]
    fn where_the_read_itself_recognises_it_its_age_decides() {
        let by_read = |notes: Value| {
            sighting_by("{}", json!({ "contactId": "c", "body": "Hello" }), json!({ "notes": notes }))
        };
        assert_eq!(by_read(json!([])), Sighting::Absent);
        let new = json!({ "dateAdded": "2026-11-23T10:00:01Z" });
        assert_eq!(by_read(json!([new])), Sighting::Found(new.clone()));
        // The read may show but one of several, and an older one would hide ours.
        for unclear in [json!([{ "dateAdded": "2020-11-23T10:00:00Z" }]), json!([new, new]), json!([{}])] {
            assert!(matches!(by_read(unclear.clone()), Sighting::Unclear(_)), "{unclear}");
        }
    }
}
