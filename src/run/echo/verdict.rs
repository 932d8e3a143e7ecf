//! Decides whether an event was caused only by hob's own writes. Pure: uses the record's earlier events and hob's
//! writes.
//!
//! The values of the watched fields are derived from the last event and the writes after it. If all of them are as
//! derived, nobody else changed anything. A field in neither an event nor a write is unknown, and an event with an
//! unknown field passes: an echo that runs costs a run, while a suppressed change is lost.

use chrono::{DateTime, TimeDelta, Utc};

use super::state::{Effect, FieldPath, Known, at};
use crate::run::{ChainLink, RunId, SourceRecord};
use crate::value::Value;

/// Maximum difference of the clocks of processes.
const CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(5);
/// How long after its start a poll may read a record.
const LONGEST_SCAN: TimeDelta = TimeDelta::seconds(30);
/// How long after a newer write, or another change, a webhook of an older one may arrive.
const LATE: TimeDelta = TimeDelta::minutes(2);
/// How long after a write its webhook may arrive.
const LONGEST_DELIVERY: TimeDelta = TimeDelta::hours(24);
/// Stands for every kind of event.
const ALL: &str = "";

/// A write of hob to the record.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnWrite {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: String,
    /// When it was about to be sent.
    pub sent: DateTime<Utc>,
    /// When its answer was recorded.
    pub done: DateTime<Utc>,
    /// Its effect.
    pub effect: Effect,
    /// The record in its answer.
    pub answer: Value,
    /// The runs that led to it, its own last.
    pub chain: Vec<ChainLink>,
    /// The record that it was derived from.
    pub source: Option<SourceRecord>,
}

/// The record's state according to an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// When hob received it; of a webhook whose record was fetched, when that was.
    pub received: DateTime<Utc>,
    /// For a record that was read: how far it may lag behind. Webhooks have no such limit.
    pub lag: Option<TimeDelta>,
    /// Whether it is a webhook whose record was fetched: each write causes its own, and all show the current record.
    pub hydrated: bool,
    /// Its kind: each write is reported once by each kind.
    pub kind: String,
    /// Whether the record was removed.
    pub removed: bool,
    /// The record.
    pub record: Value,
    /// The record's own time of its last change; null if it tells none.
    pub changed: Value,
}

/// An earlier event about the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// Its statement.
    pub report: Report,
    /// Whether it was an echo.
    pub suppressed: bool,
    /// Whether its run completed the recipe.
    pub succeeded: bool,
}

impl Report {
    /// Whether what was read shows all earlier writes.
    fn is_current(&self) -> bool {
        self.lag.is_some()
    }

    /// Whether a read began so long after the write that it must show it.
    fn must_show(&self, write: &OwnWrite) -> bool {
        self.lag.is_some_and(|lag| write.done + lag + CLOCK_DIFFERENCE < self.received)
    }

    /// Events of one kind report a write once.
    fn sort(&self) -> String {
        if self.is_current() && !self.hydrated { "poll".to_owned() } else { format!("hook {}", self.kind) }
    }
}

/// The relation of an event to hob's writes, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation {
    /// It shows only this write.
    pub echo_of: Option<usize>,
    /// It repeats the previous event, and may have been caused by this write.
    pub repeats_after: Option<usize>,
    /// It shows this write, and perhaps more.
    pub shows: Option<usize>,
    /// This event or an earlier one shows what hob wrote before this time.
    pub as_of: DateTime<Utc>,
}

/// The write that explains an event, and the oldest one that may not have been reported.
struct Explained {
    place: usize,
    oldest: usize,
}

/// The relation of `event` to `writes`, after `earlier` events. Both are sorted oldest first.
pub fn relate(watched: &[FieldPath], writes: &[OwnWrite], earlier: &[Earlier], event: &Report) -> Relation {
    let mut history = History { watched, writes, gone: vec![Vec::new(); writes.len()], states: Vec::new() };
    for earlier in earlier {
        history.take(earlier);
    }
    let echo_of = history.explain(event).map(|explained| explained.place);
    let is_dealt_with = earlier.last().is_some_and(|earlier| earlier.suppressed || earlier.succeeded);
    let repeats_after = if echo_of.is_none() && is_dealt_with { history.repeated(event) } else { None };
    Relation { echo_of, repeats_after, shows: history.cause(event), as_of: history.as_of(event) }
}

struct History<'a> {
    watched: &'a [FieldPath],
    writes: &'a [OwnWrite],
    /// For each write, the kinds of events that it no longer explains; an empty name means all.
    gone: Vec<Vec<String>>,
    /// The states reported by earlier events, with their times.
    states: Vec<(DateTime<Utc>, Known)>,
}

impl History<'_> {
    fn take(&mut self, earlier: &Earlier) {
        let report = &earlier.report;
        if earlier.suppressed {
            if let Some(Explained { place, oldest }) = self.explain(report) {
                // A polled record shows all writes; of webhooks, each write has its own.
                let first = if report.is_current() { oldest } else { place };
                for gone in &mut self.gone[first..=place] {
                    gone.push(report.sort());
                }
                // Its states before the last of them are outdated.
                if report.is_current() {
                    (oldest..place).for_each(|older| self.gone[older].push(ALL.to_owned()));
                }
            }
        } else {
            self.overtake(report);
        }
        if !report.removed {
            self.states.push((report.received, Known::of(self.watched, &report.record)));
        }
    }

    /// Handles a change by others: which writes are no longer current, and which ones the event shows as well.
    fn overtake(&mut self, report: &Report) {
        for place in 0..self.writes.len() {
            let write = &self.writes[place];
            if write.done > report.received {
                continue;
            }
            if report.must_show(write) || self.replaces(write, report) {
                self.gone[place].push(ALL.to_owned());
            } else if self.shows(write, report) {
                self.gone[place].push(report.sort());
            }
        }
    }

    /// Whether a field that hob wrote now has another value, and not the one before the write: a webhook sent before
    /// the write says nothing about it.
    fn replaces(&self, write: &OwnWrite, report: &Report) -> bool {
        let ours = self.alone(write);
        self.touched(write).any(|(index, path)| {
            let shown = at(&report.record, path);
            let is_old = self.states.last().is_some_and(|(_, before)| before.holds(index, &shown));
            !ours.holds(index, &shown) && !is_old
        })
    }

    /// Whether every watched field that hob wrote has the value that was written.
    fn shows(&self, write: &OwnWrite, report: &Report) -> bool {
        let ours = self.alone(write);
        let mut touched = self.touched(write).peekable();
        touched.peek().is_some() && touched.all(|(index, path)| ours.holds(index, &at(&report.record, path)))
    }

    fn alone(&self, write: &OwnWrite) -> Known {
        Known::nothing(self.watched).after(self.watched, &write.effect, &write.answer)
    }

    fn touched<'s>(&'s self, write: &'s OwnWrite) -> impl Iterator<Item = (usize, &'s FieldPath)> {
        self.watched.iter().enumerate().filter(|(_, path)| write.effect.touches(path))
    }

    fn explain(&self, event: &Report) -> Option<Explained> {
        let alive = self.alive(event);
        if event.removed {
            let place = *alive.last()?;
            return (self.writes[place].effect == Effect::Deleted)
                .then_some(Explained { place, oldest: place });
        }
        if self.watched.is_empty() {
            return None;
        }
        // A read shows all earlier writes, not only the first.
        let settled = alive.iter().rev().find(|place| event.must_show(&self.writes[**place]));
        for mut known in self.bases(event) {
            let mut explained = None;
            for &place in &alive {
                let write = &self.writes[place];
                known = known.after(self.watched, &write.effect, &write.answer);
                if settled.is_none_or(|settled| place >= *settled)
                    && known.explains(self.watched, &event.record)
                {
                    explained = Some(Explained { place, oldest: alive[0] });
                }
            }
            if explained.is_some() {
                return explained;
            }
        }
        None
    }

    fn as_of(&self, event: &Report) -> DateTime<Utc> {
        let may_be_missing = |place: &usize| {
            let write = &self.writes[*place];
            let is_told = !self.gone[*place].is_empty() || event.must_show(write) || self.shows(write, event);
            let is_late = event.is_current() || event.received - write.done < LATE;
            !is_told && is_late && self.touched(write).next().is_some()
        };
        let missing = (0..self.writes.len()).filter(may_be_missing).map(|place| self.writes[place].sent);
        missing.fold(event.received, DateTime::min)
    }

    /// The newest recent write, if a fetched record equals the last reported state: several webhooks in quick
    /// succession all show the same state.
    fn repeated(&self, event: &Report) -> Option<usize> {
        let (_, known) = self.states.last().filter(|_| event.hydrated && !event.removed)?;
        let is_of_late = |write: &OwnWrite| {
            write.sent < event.received && event.received - write.done < LATE && !self.watched.is_empty()
        };
        let newest = self.writes.iter().rposition(is_of_late)?;
        known.explains(self.watched, &event.record).then_some(newest)
    }

    /// The newest write that the event shows, whatever else it shows.
    fn cause(&self, event: &Report) -> Option<usize> {
        let explained = self.explain(event).map(|explained| explained.place);
        explained.or_else(|| {
            self.alive(event).into_iter().rev().find(|place| self.shows(&self.writes[*place], event))
        })
    }

    /// Possible states before the writes: the last reported one or, for a late webhook, those shortly before.
    fn bases(&self, event: &Report) -> Vec<Known> {
        let nothing = std::iter::once(Known::nothing(self.watched));
        let states = nothing.chain(self.states.iter().map(|(_, known)| known.clone()));
        let mut bases: Vec<Known> = states.collect();
        let late = |at: &DateTime<Utc>| !event.is_current() && event.received - *at < LATE;
        let followed = self.states.iter().rev().take_while(|(at, _)| late(at)).count();
        bases.drain(..self.states.len() - followed);
        bases.reverse();
        bases
    }

    fn alive(&self, event: &Report) -> Vec<usize> {
        (0..self.writes.len()).filter(|place| self.may_explain(*place, event)).collect()
    }

    /// Whether the event may be an echo of a write, by their times.
    fn may_explain(&self, place: usize, event: &Report) -> bool {
        let write = &self.writes[place];
        let again = event.hydrated && event.received - write.done < LATE;
        let is_told = |sort: &String| *sort == ALL || *sort == event.sort() && !again;
        if self.gone[place].iter().any(is_told) {
            return false;
        }
        // A poll counts from its start, and its later pages are read later.
        let is_poll = event.is_current() && !event.hydrated;
        let slack = if is_poll { LONGEST_SCAN } else { CLOCK_DIFFERENCE };
        if write.sent > event.received + slack {
            return false;
        }
        let later = self.writes[place + 1..].iter().find(|later| self.covers(later, write));
        is_poll
            || event.received - write.done < LONGEST_DELIVERY
                && (event.hydrated || later.is_none_or(|later| event.received - later.done < LATE))
    }

    /// Whether a later write wrote a field of an earlier one.
    fn covers(&self, later: &OwnWrite, earlier: &OwnWrite) -> bool {
        self.watched.iter().any(|path| later.effect.touches(path) && earlier.effect.touches(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn write(second: i64, fields: Value) -> OwnWrite {
        let Value::Object(fields) = fields else { unreachable!() };
        OwnWrite {
            run: RunId(format!("run_{second}")),
            step: "put".into(),
            sent: at(second),
            done: at(second + 1),
            effect: Effect::Fields(fields),
            answer: Value::Null,
            chain: vec![],
            source: None,
        }
    }

    fn hook(second: i64, record: Value) -> Report {
        Report {
            received: at(second),
            lag: None,
            hydrated: false,
            kind: "updated".into(),
            removed: false,
            record,
            changed: Value::Null,
        }
    }

    fn polled(second: i64, record: Value) -> Report {
        Report { lag: Some(TimeDelta::zero()), kind: "changed".into(), ..hook(second, record) }
    }

    /// The write that each of `reports` echoes, in order.
    fn echoes(watched: &[&str], writes: &[OwnWrite], reports: Vec<Report>) -> Vec<Option<usize>> {
        let watched: Vec<FieldPath> = watched.iter().map(|name| vec![(*name).to_owned()]).collect();
        let mut earlier = Vec::new();
        let mut found = Vec::new();
        for report in reports {
            let echo = relate(&watched, writes, &earlier, &report).echo_of;
            earlier.push(Earlier { report, suppressed: echo.is_some(), succeeded: echo.is_none() });
            found.push(echo);
        }
        found
    }

    #[test]
    fn a_write_is_echoed_once() {
        let writes = [write(10, json!({ "name": "Ada" }))];
        let ada = || json!({ "id": 1, "name": "Ada" });
        for report in [hook, polled] {
            let reports = vec![report(12, ada()), report(60, ada())];
            assert_eq!(echoes(&["name"], &writes, reports), [Some(0), None]);
            assert_eq!(echoes(&["name"], &writes, vec![report(12, json!({ "name": "Bob" }))]), [None]);
        }
        assert_eq!(echoes(&["name"], &writes, vec![hook(2, ada())]), [None], "it came before the write");
        assert_eq!(echoes(&[], &writes, vec![hook(12, ada())]), [None], "nothing to compare");
        let tags = Report { kind: "tags".into(), ..hook(13, ada()) };
        assert_eq!(echoes(&["name"], &writes, vec![hook(12, ada()), tags]), [Some(0), Some(0)]);
    }

    #[test]
    fn a_change_that_comes_with_our_write_passes() {
        let writes = [write(10, json!({ "name": "Ada" }))];
        let before = || json!({ "name": "A", "phone": "1" });
        let both = || json!({ "name": "Ada", "phone": "2" });
        for report in [hook, polled] {
            assert_eq!(
                echoes(&["name", "phone"], &writes, vec![report(1, before()), report(12, both())]),
                [None, None]
            );
            let own = json!({ "name": "Ada", "phone": "1" });
            assert_eq!(
                echoes(&["name", "phone"], &writes, vec![report(1, before()), report(12, own)]),
                [None, Some(0)]
            );
            assert_eq!(
                echoes(&["name", "phone"], &writes, vec![report(12, both())]),
                [None],
                "phone is unknown"
            );
        }
    }

    #[test]
    fn a_value_that_somebody_sets_again_passes() {
        let writes = [write(10, json!({ "name": "Ada" }))];
        let name = |name: &str| json!({ "name": name });
        for report in [hook, polled] {
            let there_and_back =
                vec![report(12, name("Ada")), report(30, name("Bob")), report(40, name("Ada"))];
            assert_eq!(echoes(&["name"], &writes, there_and_back), [Some(0), None, None]);
            // The echo itself never arrived, or was polled over.
            let lost = vec![report(1, name("A")), report(30, name("Bob")), report(40, name("Ada"))];
            assert_eq!(echoes(&["name"], &writes, lost), [None, None, None]);
        }
    }

    #[test]
    fn late_webhooks_of_older_writes_are_echoes() {
        let writes = [write(10, json!({ "name": "Ada" })), write(20, json!({ "name": "Bob" }))];
        let name = |second, name: &str| hook(second, json!({ "name": name }));
        assert_eq!(echoes(&["name"], &writes, vec![name(22, "Ada"), name(23, "Bob")]), [Some(0), Some(1)]);
        assert_eq!(echoes(&["name"], &writes, vec![name(22, "Bob"), name(23, "Ada")]), [Some(1), Some(0)]);
        assert_eq!(echoes(&["name"], &writes, vec![name(22, "Bob"), name(900, "Ada")]), [Some(1), None]);
        let poll = |second, name: &str| polled(second, json!({ "name": name }));
        assert_eq!(echoes(&["name"], &writes, vec![poll(40, "Bob"), poll(50, "Ada")]), [Some(1), None]);
        // Of writes to different fields, the older one's webhook shows the newer field's old value.
        let writes = [write(10, json!({ "name": "Ada" })), write(20, json!({ "phone": "2" }))];
        let reports = vec![
            hook(1, json!({ "name": "A", "phone": "1" })),
            hook(22, json!({ "name": "Ada", "phone": "2" })),
            hook(23, json!({ "name": "Ada", "phone": "1" })),
        ];
        assert_eq!(echoes(&["name", "phone"], &writes, reports), [None, Some(1), Some(0)]);
    }

    #[test]
    fn a_webhook_from_before_the_write_overtakes_nothing() {
        let writes = [write(10, json!({ "name": "Ada" }))];
        let record = |name: &str, phone: &str| json!({ "name": name, "phone": phone });
        let reports =
            vec![hook(1, record("A", "1")), hook(12, record("A", "2")), hook(13, record("Ada", "2"))];
        assert_eq!(echoes(&["name", "phone"], &writes, reports), [None, None, Some(0)]);
    }

    #[test]
    fn records_that_hob_made_or_deleted_echo_as_a_whole() {
        let made = OwnWrite {
            effect: Effect::Created(json!({ "name": "Ada" }).as_object().unwrap().clone()),
            answer: json!({ "id": 7, "name": "Ada", "status": "new" }),
            ..write(10, json!({}))
        };
        let record = |status: &str| json!({ "id": 7, "name": "Ada", "status": status, "phone": null });
        let watched = ["name", "status", "phone"];
        assert_eq!(echoes(&watched, std::slice::from_ref(&made), vec![polled(12, record("new"))]), [Some(0)]);
        assert_eq!(echoes(&watched, std::slice::from_ref(&made), vec![polled(12, record("won"))]), [None]);
        let deleted = OwnWrite { effect: Effect::Deleted, ..write(10, json!({})) };
        let gone = Report { removed: true, ..polled(12, json!({ "id": 7 })) };
        assert_eq!(echoes(&[], std::slice::from_ref(&deleted), vec![gone.clone()]), [Some(0)]);
        assert_eq!(echoes(&[], &[made], vec![gone]), [None], "somebody else deleted it");
        assert_eq!(
            echoes(&["name"], &[deleted], vec![polled(20, record("new"))]),
            [None],
            "it is there again"
        );
    }

    #[test]
    fn tags_are_added_to_those_that_were_there() {
        let add =
            OwnWrite { effect: Effect::Added("tags".into(), vec![json!("vip")]), ..write(10, json!({})) };
        let tags = |tags: &[&str]| json!({ "tags": tags });
        for report in [hook, polled] {
            let own = vec![report(1, tags(&["a"])), report(12, tags(&["vip", "a"]))];
            assert_eq!(echoes(&["tags"], std::slice::from_ref(&add), own), [None, Some(0)]);
            let more = vec![report(1, tags(&["a"])), report(12, tags(&["a", "b", "vip"]))];
            assert_eq!(echoes(&["tags"], std::slice::from_ref(&add), more), [None, None]);
            assert_eq!(
                echoes(&["tags"], std::slice::from_ref(&add), vec![report(12, tags(&["vip"]))]),
                [None]
            );
        }
        let remove = OwnWrite { effect: Effect::Removed("tags".into(), vec![json!("a")]), ..add };
        assert_eq!(
            echoes(&["tags"], &[remove], vec![hook(1, tags(&["a", "b"])), hook(12, tags(&["b"]))]),
            [None, Some(0)]
        );
    }

    #[test]
    fn a_value_that_the_answer_shows_as_dropped_is_ours() {
        let dropped = OwnWrite {
            answer: json!({ "name": "Ada", "phone": null }),
            ..write(10, json!({ "name": "Ada", "phone": "1" }))
        };
        let shows = |phone: Value| vec![hook(12, json!({ "name": "Ada", "phone": phone }))];
        let watched = ["name", "phone"];
        assert_eq!(echoes(&watched, std::slice::from_ref(&dropped), shows(Value::Null)), [Some(0)]);
        assert_eq!(
            echoes(&watched, std::slice::from_ref(&dropped), shows(json!("1"))),
            [Some(0)],
            "it comes late"
        );
        assert_eq!(echoes(&watched, &[dropped], shows(json!("2"))), [None]);
        let silent = write(10, json!({ "name": "Ada", "phone": "1" }));
        assert_eq!(echoes(&watched, &[silent], shows(Value::Null)), [None], "somebody deleted it");
    }

    #[test]
    fn an_answer_shows_how_the_api_writes_a_value() {
        let sent = json!({ "name": "ADA", "fields": [{ "id": 1, "field_value": "x" }] });
        let answered = |fields: Value| OwnWrite {
            answer: json!({ "name": "Ada", "fields": fields }),
            ..write(10, sent.clone())
        };
        let record = |fields: Value| json!({ "name": "Ada", "fields": fields });
        let (own, more) = (
            json!([{ "id": 1, "value": "x" }]),
            json!([{ "id": 1, "value": "x" }, { "id": 2, "value": "y" }]),
        );
        let watched = ["name", "fields"];
        assert_eq!(echoes(&watched, &[answered(own.clone())], vec![hook(12, record(own))]), [Some(0)]);
        assert_eq!(echoes(&watched, &[answered(more.clone())], vec![hook(12, record(more))]), [None]);
    }
}
