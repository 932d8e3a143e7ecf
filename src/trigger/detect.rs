//! Detects new and changed records on one page of a list. Pure: it takes what was seen before and returns what to
//! remember, one page at a time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::readable_items::odd_time;
use super::window::PollWindow;
use crate::catalog::{Listing, NextValue, Order, Paging, RecordChange, Wanted};
use crate::event::{DedupKey, Seen, apart, within};
use crate::recipe::{Emit, Start};
use crate::request::paging::in_item;
use crate::value::{short_id, timestamp};

/// The field of an event with the parent of its record.
pub(super) const PARENT: &str = "parent";

/// A scan and what it looks for.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    /// Description of the list.
    pub listing: &'a Listing,
    /// The window of time that the scan reads, where the list answers only for one.
    pub window: Option<&'a PollWindow>,
    /// The parent whose items these are, where their ids are unique within it only.
    pub parent: Option<&'a str>,
    /// Kinds of change to report.
    pub emit: &'a [Emit],
    /// What the first scan does with records that already exist.
    pub start: Start,
    /// The list is sorted by change, newest first, so a scan need not read it to its end.
    pub stops_early: bool,
    /// The list is sorted by creation instead, newest first.
    pub by_creation: bool,
    /// This is the first scan.
    pub first: bool,
    /// Number of the scan.
    pub number: u64,
    /// All changes before this time are known, for a list that is sorted newest first.
    pub settled: Option<DateTime<Utc>>,
    /// Records created before this time existed when the recipe started; a difference in one of them is a change.
    pub baseline: Option<DateTime<Utc>>,
    /// Newest change seen on earlier pages of this scan.
    pub newest: Option<DateTime<Utc>>,
    /// Current time. Later changes count as made at this time, so that they do not hide changes still to come.
    pub now: DateTime<Utc>,
}

/// What was found on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Changes, in the order of the page.
    pub changes: Vec<Change>,
    /// Records to remember.
    pub seen: Vec<Seen>,
    /// Newest change seen in this scan so far.
    pub newest: Option<DateTime<Utc>>,
    /// All later items are older than what this scan looks for.
    pub enough: bool,
    /// No record has changed, and the page is in the order that the connector promises.
    pub known: bool,
    /// Number of records that were not known.
    pub fresh: u64,
    /// Number of those that were created since the recipe started.
    pub new: u64,
    /// Some records have no time.
    pub undated: bool,
    /// New or changed records with an invalid time: record, field, value.
    pub odd_times: Vec<(String, String, Value)>,
}

/// A new, changed or removed record.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Kind of change.
    pub kind: Emit,
    /// The record's id.
    pub record: String,
    /// Key that identifies this change.
    pub dedup: DedupKey,
    /// The item; for a removed record, only its id.
    pub item: Value,
}

/// The order in which polls of this list may end before its last page, see [`Listing::stops_early`].
pub fn can_stop_early<'a>(listing: &'a Listing, emit: &[Emit], with: &Value) -> Option<Order<'a>> {
    listing.stops_early(wanted(emit), with)
}

/// The changes that `emit` asks for.
pub fn wanted(emit: &[Emit]) -> Wanted {
    Wanted { only_new: emit == [Emit::New], removed: emit.contains(&Emit::Removed) }
}

/// The changes that `emit` asks for, in the words of a connector.
pub fn changes(emit: &[Emit]) -> Vec<RecordChange> {
    let change = |emit: &Emit| match emit {
        Emit::New => RecordChange::New,
        Emit::Changed => RecordChange::Changed,
        Emit::Removed => RecordChange::Removed,
    };
    emit.iter().map(change).collect()
}

/// The id of each item.
pub fn records(listing: &Listing, items: &[Value]) -> Vec<String> {
    items.iter().map(|item| record(listing, item)).collect()
}

pub(super) fn record(listing: &Listing, item: &Value) -> String {
    let id = listing.id.iter().find_map(|name| in_item(item, name));
    match id.as_ref().unwrap_or(item) {
        Value::String(text) => short_id(text.clone()),
        Value::Number(number) => number.to_string(),
        _ => content(listing, item),
    }
}

/// Compares a page with what was seen before: `known` holds the fingerprints of the records that were.
pub fn detect(scan: Scan<'_>, items: Vec<Value>, mut known: HashMap<String, String>) -> Findings {
    let times: Vec<_> = items.iter().map(|item| Times::of(scan, item)).collect();
    let newest = times.iter().filter_map(Times::last).chain(scan.newest).max().map(|time| time.min(scan.now));
    let cutoff = scan.cutoff(newest);
    let undated = times.iter().any(|times| times.last().is_none());
    let in_order = newest_first(&times) && !(scan.first && undated);
    let mut findings = Findings {
        changes: Vec::new(),
        seen: Vec::new(),
        newest,
        enough: in_order && is_older(times.last().and_then(Times::last), cutoff),
        known: in_order && !undated && !items.is_empty(),
        fresh: 0,
        new: 0,
        undated,
        odd_times: Vec::new(),
    };
    for (item, times) in items.into_iter().zip(&times) {
        if !scan.first && is_older(times.last(), cutoff) {
            continue;
        }
        let record = record(scan.listing, &item);
        let record = scan.parent.map_or(record.clone(), |parent| within(parent, &record));
        let fingerprint = scan.fingerprint(&item);
        let before = known.insert(record.clone(), fingerprint.clone());
        let changed =
            !before.as_ref().is_some_and(|old| *old == fingerprint || is_time(scan.listing, &item, old));
        if changed && let Some((field, value)) = odd_time(scan.listing, &item) {
            findings.odd_times.push((record.clone(), field.to_owned(), value));
        }
        let kind = scan.kind(before.is_some(), times);
        findings.known &= !changed;
        findings.fresh += u64::from(before.is_none());
        findings.new += u64::from(before.is_none() && kind == Some(Emit::New));
        if let Some(kind) = kind.filter(|kind| changed && scan.emit.contains(kind)) {
            let dedup = dedup(kind, &record, &fingerprint, scan.number);
            findings.changes.push(Change { kind, record: record.clone(), dedup, item });
        }
        // An unchanged record is stored again only if a missing record would be reported as removed.
        if before.as_ref() != Some(&fingerprint) || scan.emit.contains(&Emit::Removed) {
            findings.seen.push(Seen { record, fingerprint });
        }
    }
    findings
}

/// The change for a record that is no longer in the list.
pub fn removed(listing: &Listing, record: &str, scan: u64) -> Change {
    Change {
        kind: Emit::Removed,
        record: record.to_owned(),
        dedup: dedup(Emit::Removed, record, "", scan),
        item: json!({ id_field(listing): record }),
    }
}

/// The same for a record that is identified within its parent, an item of the list `parents`.
pub(super) fn removed_within(parents: &Listing, listing: &Listing, record: &str, scan: u64) -> Change {
    let mut change = removed(listing, record, scan);
    if let Some((parent, own)) = apart(record) {
        change.item = json!({ id_field(listing): own, PARENT: { id_field(parents): parent } });
    }
    change
}

fn id_field(listing: &Listing) -> &str {
    listing.id.first().filter(|name| !name.starts_with('$')).map_or("id", String::as_str)
}

impl Scan<'_> {
    /// The time before which this scan ignores changes; `None` when it ignores none.
    fn cutoff(&self, newest: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        if !self.stops_early {
            return None;
        }
        match (self.first, self.start) {
            (false, _) => self.settled,
            (true, Start::Now) => newest.map(|time| time - self.listing.lag()),
            (true, Start::At(time)) => Some(time),
            (true, Start::All) => None,
        }
    }

    /// The fingerprint of an item; in a window of time, with the time by which it is in it.
    fn fingerprint(&self, item: &Value) -> String {
        let content = content(self.listing, item);
        match self.window {
            Some(window) => window.fingerprint(content, item),
            None => content,
        }
    }

    /// The kind of change of a record that differs from what was seen; `None` when it is not reported.
    fn kind(&self, known: bool, times: &Times) -> Option<Emit> {
        if self.first {
            return match self.start {
                Start::Now => None,
                Start::All => Some(if known { Emit::Changed } else { Emit::New }),
                Start::At(start) if times.created.is_some_and(|time| time >= start) => Some(Emit::New),
                Start::At(start) => times.updated.filter(|time| *time >= start).map(|_| Emit::Changed),
            };
        }
        // Scans that ended early have not seen every existing record.
        let was_there =
            self.stops_early && self.start != Start::All && is_older(times.created, self.baseline);
        Some(if known || was_there { Emit::Changed } else { Emit::New })
    }
}

struct Times {
    created: Option<DateTime<Utc>>,
    updated: Option<DateTime<Utc>>,
}

impl Times {
    fn of(scan: Scan<'_>, item: &Value) -> Self {
        let read = |name: &Option<String>| timestamp(&in_item(item, name.as_ref()?)?);
        let updated = read(&scan.listing.updated).filter(|_| !scan.by_creation);
        Self { created: read(&scan.listing.created), updated }
    }

    fn last(&self) -> Option<DateTime<Utc>> {
        self.updated.or(self.created)
    }
}

/// Whether the page is sorted newest first, as the connector promises. In another order, old records could hide new
/// ones.
fn newest_first(times: &[Times]) -> bool {
    let known: Vec<_> = times.iter().filter_map(Times::last).collect();
    known.is_sorted_by(|one, next| one >= next)
}

fn is_older(time: Option<DateTime<Utc>>, than: Option<DateTime<Utc>>) -> bool {
    time.zip(than).is_some_and(|(time, than)| time < than)
}

/// The key of a change. It contains the scan's number, so that a record that changes to a value and back makes an event
/// each time, while a page that is read again after a crash makes none.
pub(super) fn dedup(kind: Emit, record: &str, fingerprint: &str, scan: u64) -> DedupKey {
    DedupKey(format!("{}:{scan}:{record}:{fingerprint}", name(kind)))
}

/// Name of a kind of change in recipes and events.
pub fn name(kind: Emit) -> &'static str {
    match kind {
        Emit::New => "new",
        Emit::Changed => "changed",
        Emit::Removed => "removed",
    }
}

/// Whether `fingerprint` is the item's time of change, which earlier versions of hob stored instead of a hash. Without
/// this check, an update of hob would report every record as changed.
fn is_time(listing: &Listing, item: &Value, fingerprint: &str) -> bool {
    let Some(time) = fingerprint.strip_prefix("at:") else { return false };
    let updated = listing.updated.as_ref().and_then(|name| in_item(item, name));
    updated.is_some_and(|now| now.as_str().map_or_else(|| now.to_string(), str::to_owned) == time)
}

/// A fingerprint of the item: a hash of its content, including its time of change. It ignores the order of fields and
/// the sort values that some APIs add to each item for paging.
pub(super) fn content(listing: &Listing, item: &Value) -> String {
    let mut hash = Sha256::new();
    let paging = paging_fields(listing);
    let ignored = |name: &str| listing.ignore.iter().any(|ignored| ignored == name);
    write(item, &|name, value| ignored(name) || value.is_array() && paging.contains(&name), true, &mut hash);
    format!("sha256:{}", hex::encode(&hash.finalize()[..16]))
}

/// Fields of an item that paging reads.
fn paging_fields(listing: &Listing) -> Vec<&str> {
    let Paging::Cursor { next, .. } = &listing.paging else { return vec![] };
    next.values()
        .filter_map(|place| match place {
            NextValue::LastItem { paths, .. } => Some(paths),
            NextValue::Answer { .. } => None,
        })
        .flatten()
        .map(|path| path.trim_start_matches("$.").split(['.', '[']).next().unwrap_or_default())
        .collect()
}

fn write(value: &Value, leave_out: &dyn Fn(&str, &Value) -> bool, top: bool, hash: &mut Sha256) {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> =
                map.iter().filter(|(name, value)| !(top && leave_out(name, value))).collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            hash.update(b"{");
            for (name, value) in fields {
                hash.update(Value::from(name.as_str()).to_string());
                hash.update(b":");
                write(value, leave_out, false, hash);
                hash.update(b",");
            }
            hash.update(b"}");
        }
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                write(item, leave_out, false, hash);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        other => hash.update(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Emit; 3] = [Emit::New, Emit::Changed, Emit::Removed];
    const USUAL: [Emit; 2] = [Emit::New, Emit::Changed];

    fn listing(text: &str) -> Listing {
        serde_yaml::from_str(text).unwrap()
    }

    fn plain() -> Listing {
        listing("{ items: ['$.items[*]'], id: [id] }")
    }

    fn timed() -> Listing {
        listing(
            "{ items: ['$[*]'], id: [id], updated: updated, created: created, newest_first: { sort: desc } }",
        )
    }

    fn scan<'a>(listing: &'a Listing, emit: &'a [Emit], start: Start, first: bool) -> Scan<'a> {
        Scan {
            listing,
            window: None,
            parent: None,
            emit,
            start,
            stops_early: false,
            by_creation: false,
            first,
            number: 2,
            settled: None,
            baseline: None,
            newest: None,
            now: at("2026-11-23T00:00:00Z"),
        }
    }

    fn kinds(findings: &Findings) -> Vec<(&str, &str)> {
        findings.changes.iter().map(|change| (name(change.kind), change.record.as_str())).collect()
    }

    fn remembered(findings: &Findings) -> HashMap<String, String> {
        findings.seen.iter().map(|seen| (seen.record.clone(), seen.fingerprint.clone())).collect()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_scan_fires_as_start_says() {
        let list = timed();
        let items = vec![
            json!({ "id": "a", "created": "2026-01-01T00:00:00Z", "updated": "2026-03-01T00:00:00Z" }),
            json!({ "id": "b", "created": "2026-02-10T00:00:00Z", "updated": "2026-02-10T00:00:00Z" }),
            json!({ "id": "c", "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z" }),
        ];
        let fired = |start| {
            let findings = detect(scan(&list, &USUAL, start, true), items.clone(), HashMap::new());
            assert_eq!(findings.seen.len(), 3, "all are remembered whatever fires");
            kinds(&findings).iter().map(|(kind, id)| format!("{kind} {id}")).collect::<Vec<_>>()
        };
        assert_eq!(fired(Start::Now), [] as [&str; 0]);
        assert_eq!(fired(Start::All), ["new a", "new b", "new c"]);
        assert_eq!(fired(Start::At(at("2026-02-01T00:00:00Z"))), ["changed a", "new b"]);
    }

    #[test]
    fn later_scans_tell_new_from_changed_and_stay_silent_otherwise() {
        let list = plain();
        let first = detect(
            scan(&list, &ALL, Start::Now, true),
            vec![json!({ "id": 1, "tags": ["x"] })],
            HashMap::new(),
        );
        let known = remembered(&first);
        let same = detect(
            scan(&list, &ALL, Start::Now, false),
            vec![json!({ "tags": ["x"], "id": 1 })],
            known.clone(),
        );
        assert_eq!((same.changes.len(), same.seen.len()), (0, 1), "the order of fields means nothing");
        let later = vec![json!({ "id": 1, "tags": ["x", "y"] }), json!({ "id": 2 }), json!({ "id": 2 })];
        let findings = detect(scan(&list, &USUAL, Start::Now, false), later.clone(), known.clone());
        assert_eq!(kinds(&findings), [("changed", "1"), ("new", "2")]);
        let only_new = detect(scan(&list, &[Emit::New], Start::Now, false), later, known);
        assert_eq!(kinds(&only_new), [("new", "2")]);
        assert_eq!(only_new.seen.len(), 2, "the change is remembered although nobody asked for it");
    }

    #[test]
    fn there_and_back_again_is_two_changes() {
        let list = plain();
        let change = |number, from: &str, to: &str| {
            let fingerprint = |name: &str| content(&list, &json!({ "id": 1, "name": name }));
            let scan = Scan { number, ..scan(&list, &USUAL, Start::Now, false) };
            let known = HashMap::from([("1".to_owned(), fingerprint(from))]);
            detect(scan, vec![json!({ "id": 1, "name": to })], known).changes.remove(0).dedup
        };
        assert_ne!(change(2, "a", "b"), change(4, "a", "b"));
        assert_eq!(change(2, "a", "b"), change(2, "a", "b"), "a page read again is the same event");
    }

    #[test]
    fn other_content_at_the_same_time_is_a_change_and_an_update_of_hob_is_none() {
        for time in [
            json!("2026-03-01T12:00:00.125Z"),
            json!("2026-03-01T12:00:00Z"),
            json!(1_772_366_400),
            json!(null),
        ] {
            let item = |name: &str| json!({ "id": "a", "created": "2026-01-01T00:00:00Z", "updated": time, "name": name });
            let list = timed();
            let first = detect(scan(&list, &USUAL, Start::Now, true), vec![item("x")], HashMap::new());
            let scan = scan(&list, &USUAL, Start::Now, false);
            assert_eq!(detect(scan, vec![item("x")], remembered(&first)).changes, []);
            let second = detect(scan, vec![item("y")], remembered(&first));
            assert_eq!(kinds(&second), [("changed", "a")], "{time}");
            let back = detect(scan, vec![item("x")], remembered(&second));
            assert_eq!(kinds(&back), [("changed", "a")], "{time}");
            let shown = time.as_str().map_or_else(|| time.to_string(), str::to_owned);
            let old = HashMap::from([("a".to_owned(), format!("at:{shown}"))]);
            let after_update = detect(scan, vec![item("x")], old);
            assert_eq!(
                (after_update.changes.len(), after_update.seen.len()),
                (usize::from(time.is_null()), 1)
            );
        }
    }

    #[test]
    fn ignored_fields_are_no_content() {
        let list = listing("{ items: ['$[*]'], id: [id], ignore: [views, photo] }");
        let item = |views: u32, name: &str| json!({ "id": 1, "views": views, "photo": format!("?sig={views}"), "name": name });
        assert_eq!(content(&list, &item(1, "x")), content(&list, &item(2, "x")));
        assert_ne!(content(&list, &item(1, "x")), content(&list, &item(1, "y")));
    }

    #[test]
    fn sort_values_in_items_are_no_content() {
        let list = listing(
            "{ items: ['$.c[*]'], id: [id], paging: { style: cursor, next: { searchAfter: { from: last_item, paths: [$.searchAfter] } } } }",
        );
        let print = |value| content(&list, &value);
        assert_eq!(
            print(json!({ "id": 1, "searchAfter": [1] })),
            print(json!({ "id": 1, "searchAfter": [2] }))
        );
        assert_ne!(print(json!({ "id": 1, "x": [1] })), print(json!({ "id": 1, "x": [2] })));
    }

    #[test]
    fn a_quiet_poll_stops_at_the_watermark_and_does_not_look_behind_it() {
        let list = timed();
        assert!(can_stop_early(&list, &USUAL, &json!({})).is_some());
        assert!(can_stop_early(&list, &ALL, &json!({})).is_none());
        assert!(can_stop_early(&list, &USUAL, &json!({ "sort": "asc" })).is_none());
        let scan = Scan {
            stops_early: true,
            settled: Some(at("2026-03-01T11:55:00Z")),
            baseline: Some(at("2026-03-01T11:55:00Z")),
            ..scan(&list, &USUAL, Start::Now, false)
        };
        let item = |id: &str, created: &str, updated: &str| json!({ "id": id, "created": created, "updated": updated });
        let items = vec![
            item("new", "2026-03-01T12:03:00Z", "2026-03-01T12:03:00Z"),
            item("old", "2020-01-01T00:00:00Z", "2026-03-01T12:02:00Z"),
            item("late", "2026-03-01T11:58:00Z", "2026-03-01T11:58:00Z"),
            item("seen", "2026-03-01T11:57:00Z", "2026-03-01T11:57:00Z"),
            item("behind", "2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ];
        let known = HashMap::from([("seen".to_owned(), "at:2026-03-01T11:57:00Z".to_owned())]);
        let findings = detect(scan, items, known);
        assert_eq!(kinds(&findings), [("new", "new"), ("changed", "old"), ("new", "late")]);
        assert!(findings.enough);
        assert_eq!(findings.newest, Some(at("2026-03-01T12:03:00Z")));
        let future =
            detect(scan, vec![item("x", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z")], HashMap::new());
        assert_eq!(future.newest, Some(scan.now), "a wrong clock elsewhere hides nothing");
    }

    #[test]
    fn the_first_scan_of_a_sorted_list_reads_only_the_newest() {
        let list = timed();
        let scan = Scan { stops_early: true, ..scan(&list, &USUAL, Start::Now, true) };
        let item = |id: &str, updated: &str| json!({ "id": id, "updated": updated });
        let items = vec![item("a", "2026-03-01T12:00:00Z"), item("b", "2026-03-01T11:57:00Z")];
        let findings = detect(scan, items, HashMap::new());
        assert!(!findings.enough, "still within the overlap");
        let next = Scan { newest: findings.newest, ..scan };
        assert!(detect(next, vec![item("c", "2026-02-01T00:00:00Z")], HashMap::new()).enough);
        let all = Scan { start: Start::All, ..scan };
        assert!(!detect(all, vec![item("c", "2020-02-01T00:00:00Z")], HashMap::new()).enough);
    }

    #[test]
    fn new_records_alone_are_found_in_a_list_by_creation() {
        let list = listing(
            "{ items: ['$[*]'], id: [id], updated: updated, created: created, newest_created_first: { order: desc } }",
        );
        assert!(can_stop_early(&list, &USUAL, &json!({})).is_none(), "a change may be anywhere");
        assert!(can_stop_early(&list, &[Emit::New], &json!({ "order": "asc" })).is_none());
        assert!(can_stop_early(&list, &[Emit::New], &json!({})).unwrap().by_creation);
        let scan = Scan {
            stops_early: true,
            by_creation: true,
            settled: Some(at("2026-03-01T11:55:00Z")),
            baseline: Some(at("2026-03-01T11:55:00Z")),
            ..scan(&list, &[Emit::New], Start::Now, false)
        };
        let item = |id: &str, created: &str| json!({ "id": id, "created": created, "updated": "2026-03-02T00:00:00Z" });
        let items = vec![
            item("new", "2026-03-01T12:03:00Z"),
            item("late", "2026-03-01T11:57:00Z"),
            item("old", "2026-03-01T11:00:00Z"),
        ];
        let findings = detect(scan, items.clone(), HashMap::new());
        assert_eq!(kinds(&findings), [("new", "new"), ("new", "late")]);
        assert!(findings.enough);
        let shuffled =
            detect(scan, vec![items[2].clone(), items[0].clone(), items[2].clone()], HashMap::new());
        assert!(!shuffled.enough, "a list in another order is read on");
    }

    #[test]
    fn items_without_an_id_are_their_own() {
        let list = listing("{ items: ['$[*]'] }");
        assert_eq!(records(&list, &[json!("vip"), json!(7)]), ["vip", "7"]);
        assert!(records(&list, &[json!({ "a": 1 })])[0].starts_with("sha256:"));
        assert_eq!(removed(&plain(), "x", 3).item, json!({ "id": "x" }));
        let nested = listing("{ items: ['$[*]'], id: [_id, contact.id] }");
        assert_eq!(records(&nested, &[json!({ "contact": { "id": "n" } })]), ["n"]);
    }
}
