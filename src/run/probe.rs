//! Looking for what a create in doubt would have made. Pure: the answers are given.

use chrono::{DateTime, TimeDelta, Utc};

use super::unsettled::Unsettled;
use super::writes::item_id;
use crate::catalog::{Operation, Probe, path};
use crate::value::{Map, Value, leeway, timestamp};

/// Clocks differ: what seems to be this much older than the attempt may still come from it, where nothing is
/// known of the server's clock.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// The same where the server's clock is known: it tells whole seconds.
const KNOWN_SKEW: TimeDelta = TimeDelta::seconds(2);
/// Some clocks differ by more: what seems to be no older than this may or may not come from it.
const DOUBT: TimeDelta = TimeDelta::minutes(15);
/// A server may go on with a request that nobody waits for any more.
const LATE: TimeDelta = TimeDelta::minutes(2);

/// What the answers to a probe tell.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchOutcome {
    /// This is what the create made.
    Found(Value),
    /// This is what the create made, as far as can be told: the reason says what is not known.
    Taken(Value, String),
    /// It made nothing.
    Absent,
    /// Another step that may have made what is found is under way: the reason says which.
    Busy(String),
    /// It cannot be told.
    Unclear(String),
}

/// When the attempts were under way of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// When the first was about to be sent.
    pub sent: DateTime<Utc>,
    /// When the last answer was missed.
    pub missed: DateTime<Utc>,
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
    window: Window,
    /// How far the server's clock is ahead of ours, where it is known.
    ahead: Option<TimeDelta>,
    /// Nothing but the record with this id is in question.
    only: Option<&'a str>,
    /// Records that may be what was made.
    ours: Vec<Value>,
    /// Records that leave it open whether the create happened: why, and their ids.
    open: Vec<(&'static str, Option<String>)>,
}

/// When a record came to be, as seen from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Within,
    Unknown,
    Near,
    Far,
}

impl<'a> Search<'a> {
    /// For what was sent within `window`; or why it could not be recognised.
    pub fn new(probe: &'a Probe, sent: &'a Map<String, Value>, window: Window) -> Result<Self, String> {
        let wanted = wanted(probe, sent);
        let created = probe.created.as_deref();
        // Where the read itself finds nothing but what is like it, nothing has to be compared.
        if wanted.is_empty() && (created.is_none() || !probe.matching.is_empty()) {
            let names: Vec<&str> = probe.matching.values().map(String::as_str).collect();
            return Err(format!("without `{}` it cannot be recognised", names.join("`, `")));
        }
        Ok(Self { wanted, created, window, ahead: None, only: None, ours: Vec::new(), open: Vec::new() })
    }

    /// The API has named a record: either it is what was made, or nothing was.
    #[must_use]
    pub fn only(self, id: Option<&'a str>) -> Self {
        Self { only: id, ..self }
    }

    /// The server's clock is `ahead` of ours.
    pub fn server_is_ahead(&mut self, ahead: TimeDelta) {
        self.ahead = Some(ahead);
    }

    /// Looks through one more page.
    pub fn page(&mut self, items: &[Value]) {
        let wanted = std::mem::take(&mut self.wanted);
        for item in items {
            if !self.is_in_question(item) || !is_like(item, &wanted) {
                continue;
            }
            let reason = match self.created.map_or(Age::Within, |place| self.age(item, place)) {
                Age::Within => {
                    self.ours.push(item.clone());
                    continue;
                }
                Age::Unknown => "one like it is there, of unknown age",
                Age::Near => "one like it is there, made a little earlier or later if both clocks are right",
                // Such a read may show one of several, and not the newest.
                Age::Far if self.hides(&wanted) => "an older one is there, which may hide it",
                Age::Far => continue,
            };
            self.open.push((reason, item_id(item)));
        }
        self.wanted = wanted;
    }

    fn is_in_question(&self, item: &Value) -> bool {
        self.only.is_none_or(|id| item_id(item).as_deref() == Some(id))
    }

    /// Whether the read may show another record in the place of ours.
    fn hides(&self, wanted: &[(&str, &Value)]) -> bool {
        wanted.is_empty() && self.only.is_none()
    }

    fn age(&self, item: &Value, place: &str) -> Age {
        let created = field(item, place).unwrap_or_default();
        let Some(time) = time(&created) else { return Age::Unknown };
        let (ahead, skew, doubt) = match self.ahead {
            Some(ahead) => (ahead, KNOWN_SKEW, SKEW),
            None => (TimeDelta::zero(), SKEW, DOUBT),
        };
        let (first, last) = (self.window.sent + ahead - skew, self.window.missed + ahead + skew + LATE);
        match time {
            time if (first..=last).contains(&time) => Age::Within,
            time if time >= first - doubt - leeway(&created) && time <= last + DOUBT => Age::Near,
            _ => Age::Far,
        }
    }

    /// Ids of the records that may be what was made, as far as they have one.
    pub fn ids(&self) -> Vec<String> {
        let open = self.open.iter().filter_map(|(_, id)| id.clone());
        self.ours.iter().filter_map(item_id).chain(open).collect()
    }

    /// These records are known to be another step's: they are not what was made.
    pub fn leave_out(&mut self, known: &[String]) {
        let is_known = |id: &Option<String>| id.as_ref().is_some_and(|id| known.contains(id));
        let hides = self.hides(&self.wanted);
        let (theirs, ours): (Vec<Value>, Vec<Value>) =
            std::mem::take(&mut self.ours).into_iter().partition(|item| is_known(&item_id(item)));
        self.ours = ours;
        self.open.retain(|(_, id)| hides || !is_known(id));
        if hides {
            let hiding = theirs
                .iter()
                .map(|item| ("one that another step made is there, which may hide it", item_id(item)));
            self.open.extend(hiding);
        }
    }

    /// Whether anything that was found may be what was made.
    pub fn has_found(&self) -> bool {
        !self.ours.is_empty()
    }

    /// What it means, when all pages were looked through. `rivals` are the creates of other steps of which nothing
    /// is known either.
    pub fn end(mut self, probe: &Probe, rivals: &[Rival]) -> SearchOutcome {
        let ids = self.ours.iter().filter_map(item_id).collect::<Vec<_>>().join(", ");
        let ours = match self.ours.len() {
            0 => return self.nothing_found(),
            1 => self.ours.remove(0),
            _ => return SearchOutcome::Unclear(format!("several like it were made since ({ids})")),
        };
        let mut rivals = rivals.iter().filter(|rival| rival.may_have_made(&ours, probe, self.ahead));
        if let Some(rival) = rivals.next() {
            let Rival { known, name } = rival;
            return match known.missed {
                None => SearchOutcome::Busy(format!("{name} is creating one like it right now")),
                Some(_) => SearchOutcome::Unclear(format!(
                    "one like it is there ({ids}), and {name} may have created it as well as this one"
                )),
            };
        }
        match self.created {
            Some(_) => SearchOutcome::Found(ours),
            None => SearchOutcome::Taken(
                ours,
                format!("{ids} is taken for what it made: the API does not tell whether it was there before"),
            ),
        }
    }

    fn nothing_found(&self) -> SearchOutcome {
        let Some((reason, _)) = self.open.first() else { return SearchOutcome::Absent };
        let ids: Vec<&str> = self.open.iter().filter_map(|(_, id)| id.as_deref()).collect();
        let ids = if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) };
        SearchOutcome::Unclear(format!("{reason}{ids}"))
    }
}

/// A create of another step of which nothing is known yet.
#[derive(Debug, Clone)]
pub struct Rival {
    /// What is known of it; what its connection fills in is among its inputs.
    pub known: Unsettled,
    /// The step and its run, for people.
    pub name: String,
}

impl Rival {
    /// Whether what was found may be its.
    fn may_have_made(&self, item: &Value, probe: &Probe, ahead: Option<TimeDelta>) -> bool {
        let Unsettled { sent, missed, inputs, .. } = &self.known;
        let window = Window { sent: *sent, missed: missed.unwrap_or(*sent + TimeDelta::days(3650)) };
        let Ok(mut search) = Search::new(probe, inputs, window) else { return true };
        search.ahead = ahead;
        if !is_like(item, &search.wanted) || search.wanted.is_empty() && !self.is_read_alike(item, probe) {
            return false;
        }
        probe.created.as_deref().is_none_or(|place| search.age(item, place) != Age::Far)
    }

    /// Where only the read compares: one of its inputs is in what was found.
    fn is_read_alike(&self, item: &Value, probe: &Probe) -> bool {
        let fields = item.as_object();
        probe.with.values().filter_map(|input| self.known.inputs.get(input)).any(|value| {
            let holds = |fields: &Map<String, Value>| fields.values().any(|found| alike(value, found));
            !value.is_null() && fields.is_some_and(holds)
        })
    }
}

/// Place in an item and the value that it must have there. What was not given is not compared.
fn wanted<'a>(probe: &'a Probe, sent: &'a Map<String, Value>) -> Vec<(&'a str, &'a Value)> {
    let given = |(place, input): (&'a String, &'a String)| {
        Some((place.as_str(), sent.get(input).filter(|value| !value.is_null())?))
    };
    probe.matching.iter().filter_map(given).collect()
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
mod tests;
