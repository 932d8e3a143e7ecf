//! Searches for the record of a create in doubt. Pure: answers are passed in.

use chrono::{DateTime, TimeDelta, Utc};

use super::unsettled::Unsettled;
use super::writes::item_id;
use crate::catalog::{InputName, Operation, Probe, path};
use crate::value::{Map, Value, leeway, timestamp};

/// Tolerance for records that look older than the attempt, if the server's clock is unknown.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Tolerance if the server's clock is known; it has a resolution of seconds.
const KNOWN_SKEW: TimeDelta = TimeDelta::seconds(2);
/// Larger differences of clocks are possible: records up to this much older are unclear.
const DOUBT: TimeDelta = TimeDelta::minutes(15);
/// A server may still carry out a request whose client has given up.
const LATE: TimeDelta = TimeDelta::minutes(2);

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchOutcome {
    /// The created record.
    Found(Value),
    /// Most likely the created record; the reason says what is unknown.
    Taken(Value, String),
    /// Nothing was created.
    Absent,
    /// The record may be that of another step in progress, named in the reason.
    Busy(String),
    /// Undecidable.
    Unclear(String),
}

/// The time span of the attempts with lost answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// When the first was about to be sent.
    pub sent: DateTime<Utc>,
    /// When the last answer was given up on.
    pub missed: DateTime<Utc>,
}

/// The inputs of the probe's read, taken from those of the create.
pub fn inputs(probe: &Probe, sent: &Map<String, Value>) -> Map<String, Value> {
    let given = |input: &InputName| sent.get(&input.0).filter(|value| !value.is_null()).cloned();
    let filled = probe.with.iter().map(|(name, template)| Some((name.clone(), template.fill(&given)?)));
    filled.flatten().collect()
}

/// The items of a page of the probe's read; `None` if there is no list at the place that the catalog names.
pub fn items(read: &Operation, answer: &Value) -> Option<Vec<Value>> {
    let paths = read.list.as_ref().map_or(&read.result, |list| &list.items);
    match path::read_first(answer, paths) {
        Some(Value::Array(items)) => Some(items),
        Some(single) if !single.is_null() => Some(vec![single]),
        _ => paths.iter().any(|path| path::read(answer, path).is_some()).then(Vec::new),
    }
}

/// The search for a created record through the pages of a list.
#[derive(Debug)]
pub struct Search<'a> {
    /// Path in an item and the value expected there.
    wanted: Vec<(&'a str, &'a Value)>,
    created: Option<&'a str>,
    window: Window,
    /// How far the server's clock is ahead, if known.
    ahead: Option<TimeDelta>,
    /// If set, only this record can match.
    only: Option<&'a str>,
    /// Records that match.
    ours: Vec<Value>,
    /// Records that leave the result open: why, and their ids.
    open: Vec<(&'static str, Option<String>)>,
}

/// When a record was created, relative to the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Within,
    Unknown,
    Near,
    Far,
}

impl<'a> Search<'a> {
    /// A search for a record created within `window`; the error says why it could not be recognised.
    pub fn new(probe: &'a Probe, sent: &'a Map<String, Value>, window: Window) -> Result<Self, String> {
        let wanted = wanted(probe, sent);
        let created = probe.created.as_deref();
        // If the read itself matches, nothing needs to be compared.
        if wanted.is_empty() && (created.is_none() || !probe.matching.is_empty()) {
            let names: Vec<&str> = probe.matching.values().map(String::as_str).collect();
            return Err(format!("without `{}` it cannot be recognised", names.join("`, `")));
        }
        Ok(Self { wanted, created, window, ahead: None, only: None, ours: Vec::new(), open: Vec::new() })
    }

    /// The API named a record: either the create made it, or it made nothing.
    #[must_use]
    pub fn only(self, id: Option<&'a str>) -> Self {
        Self { only: id, ..self }
    }

    /// Sets how far the server's clock is ahead.
    pub fn server_is_ahead(&mut self, ahead: TimeDelta) {
        self.ahead = Some(ahead);
    }

    /// Examines a page.
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
                // Such a read shows one of several records, not necessarily the newest.
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

    /// Whether the read may show another record instead of ours.
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

    /// Ids of the matching records that have one.
    pub fn ids(&self) -> Vec<String> {
        let open = self.open.iter().filter_map(|(_, id)| id.clone());
        self.ours.iter().filter_map(item_id).chain(open).collect()
    }

    /// Excludes records that are known to belong to other steps.
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

    /// Whether any record matches.
    pub fn has_found(&self) -> bool {
        !self.ours.is_empty()
    }

    /// The result after all pages. `rivals` are the unconfirmed creates of other steps.
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

/// An unconfirmed create of another step.
#[derive(Debug, Clone)]
pub struct Rival {
    /// What is known of it; its inputs include those that its connection provides.
    pub known: Unsettled,
    /// The step and its run, for messages.
    pub name: String,
}

impl Rival {
    /// Whether it may have created `item`.
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

    /// If only the read matches: whether `item` contains one of its inputs.
    fn is_read_alike(&self, item: &Value, probe: &Probe) -> bool {
        let fields = item.as_object();
        probe.inputs().filter_map(|input| self.known.inputs.get(input)).any(|value| {
            let holds = |fields: &Map<String, Value>| fields.values().any(|found| alike(value, found));
            !value.is_null() && fields.is_some_and(holds)
        })
    }
}

/// Paths in an item and the values expected there. Inputs that were not given are not compared.
fn wanted<'a>(probe: &'a Probe, sent: &'a Map<String, Value>) -> Vec<(&'a str, &'a Value)> {
    let given = |(place, input): (&'a String, &'a String)| {
        Some((place.as_str(), sent.get(input).filter(|value| !value.is_null())?))
    };
    probe.matching.iter().filter_map(given).collect()
}

/// Whether `item` has the expected values.
fn is_like(item: &Value, wanted: &[(&str, &Value)]) -> bool {
    wanted.iter().all(|(place, value)| field(item, place).is_some_and(|found| alike(value, &found)))
}

fn field(item: &Value, place: &str) -> Option<Value> {
    let place = if place.starts_with('$') { place.to_owned() } else { format!("$.{place}") };
    path::read(item, &place).filter(|value| !value.is_null())
}

/// Equality except for what servers change: case, white space, numbers as text, order.
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
            // Digits in text are compared as text: 007 is not 7.
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

/// The time in `value`, unless it is a placeholder (zero, the year 1) or a count.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    timestamp(value).filter(|time| time.timestamp() > 1_000_000_000)
}

#[cfg(test)]
mod tests;
