use serde_json::json;

use super::*;
use crate::run::StepKey;

const NOTES: &str = "operation: notes.list\nwith: { contactId: '{{ contactId }}' }\nmatch: { body: body }\ncreated: dateAdded";
/// The read itself finds only matching records.
const BY_READ: &str =
    "operation: notes.list\nwith: { contactId: '{{ contactId }}' }\nmatch: {}\ncreated: dateAdded";
/// Records without a creation time.
const AGELESS: &str = "operation: notes.list\nwith: { contactId: '{{ contactId }}' }\nmatch: { body: body }";

fn probe(text: &str) -> Probe {
    serde_yaml::from_str(text).unwrap()
}

fn at(time: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("2026-11-{time}Z")).unwrap().to_utc()
}

fn sent() -> Map<String, Value> {
    json!({ "contactId": "c", "body": "Hello " }).as_object().unwrap().clone()
}

/// Sent at ten o'clock; the answer was given up on ten seconds later.
fn window() -> Window {
    Window { sent: at("23T10:00:00"), missed: at("23T10:00:10") }
}

/// The result of a search of `items`. `known` belong to other steps; the server's clock is `ahead` seconds ahead.
fn seen(text: &str, items: Value, known: &[&str], ahead: Option<i64>, rivals: &[Rival]) -> SearchOutcome {
    let (probe, sent) = (probe(text), sent());
    let mut search = Search::new(&probe, &sent, window()).unwrap();
    if let Some(ahead) = ahead {
        search.server_is_ahead(TimeDelta::seconds(ahead));
    }
    search.page(items.as_array().unwrap());
    search.leave_out(&known.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    search.end(&probe, rivals)
}

fn note(id: &str, added: &str) -> Value {
    json!({ "id": id, "body": "hello", "dateAdded": format!("2026-11-{added}Z") })
}

fn unclear(sighting: &SearchOutcome) -> bool {
    matches!(sighting, SearchOutcome::Unclear(_))
}

#[test]
fn recognises_its_own_and_no_older_one() {
    let (old, new) = (note("old", "20T10:00:00"), note("new", "23T10:00:05"));
    let other = json!({ "id": "other", "body": "bye", "dateAdded": "2026-11-23T10:00:01Z" });
    let found = seen(NOTES, json!([old, other, new]), &[], Some(0), &[]);
    assert_eq!(found, SearchOutcome::Found(new));
    assert_eq!(seen(NOTES, json!([old, other]), &[], None, &[]), SearchOutcome::Absent);
    assert_eq!(seen(NOTES, json!([]), &[], None, &[]), SearchOutcome::Absent);
    assert!(unclear(&seen(NOTES, json!([{ "body": "hello" }]), &[], None, &[])));
    assert!(Search::new(&probe(NOTES), &Map::new(), window()).is_err());
}

#[test]
fn the_window_goes_by_the_servers_clock_where_that_is_known() {
    let of = |added: &str, ahead| match seen(NOTES, json!([note("n", added)]), &[], ahead, &[]) {
        SearchOutcome::Found(_) => "ours",
        SearchOutcome::Absent => "absent",
        _ => "unclear",
    };
    for (added, unknown, known, ahead) in [
        ("23T09:00:00", "absent", "absent", "absent"),
        ("23T09:50:00", "unclear", "absent", "absent"),
        ("23T09:59:30", "ours", "unclear", "absent"),
        ("23T09:59:59", "ours", "ours", "absent"),
        ("23T10:00:07", "ours", "ours", "absent"),
        ("23T10:01:59", "ours", "ours", "ours"),
        ("23T10:04:00", "unclear", "unclear", "ours"),
        ("23T11:00:00", "absent", "absent", "absent"),
    ] {
        let told = (of(added, None), of(added, Some(0)), of(added, Some(120)));
        assert_eq!(told, (unknown, known, ahead), "{added}");
    }
}

#[test]
fn another_steps_result_is_not_taken_for_its_own() {
    let (theirs, ours) = (note("theirs", "23T10:00:01"), note("ours", "23T10:00:02"));
    let items = json!([theirs, ours]);
    assert_eq!(seen(NOTES, items.clone(), &["theirs"], None, &[]), SearchOutcome::Found(ours));
    assert_eq!(seen(NOTES, items.clone(), &["theirs", "ours"], None, &[]), SearchOutcome::Absent);
    let SearchOutcome::Unclear(reason) = seen(NOTES, items, &[], None, &[]) else {
        panic!("two are one too many")
    };
    assert!(reason.contains("theirs, ours"), "{reason}");
    // The record that left it open belongs to another step.
    let near = json!([note("near", "23T09:50:00")]);
    assert_eq!(seen(NOTES, near, &["near"], None, &[]), SearchOutcome::Absent);
    // A read that shows one of several records may hide ours.
    assert!(unclear(&seen(BY_READ, json!([theirs]), &["theirs"], None, &[])));
}

#[test]
fn two_rival_creates_are_undecidable() {
    let rival = |body: &str, sent: &str, missed: Option<&str>| Rival {
        known: Unsettled {
            step: StepKey::new("b"),
            operation: "notes.create".into(),
            connection: "x".into(),
            inputs: json!({ "contactId": "c", "body": body }).as_object().unwrap().clone(),
            sent: at(sent),
            missed: missed.map(at),
            not_probed: false,
        },
        name: "step `b` of run run_2".into(),
    };
    let ours = note("n", "23T10:00:05");
    let with = |text, rival| seen(text, json!([ours]), &[], Some(0), &[rival]);
    let SearchOutcome::Unclear(reason) = with(NOTES, rival("HELLO", "23T10:00:04", Some("23T10:00:06")))
    else {
        panic!("it may be either's")
    };
    assert!(reason.contains("(n)") && reason.contains("step `b` of run run_2"), "{reason}");
    assert!(matches!(with(NOTES, rival("hello", "23T10:00:04", None)), SearchOutcome::Busy(_)));
    assert_eq!(with(NOTES, rival("bye", "23T10:00:04", None)), SearchOutcome::Found(ours.clone()));
    assert_eq!(
        with(NOTES, rival("hello", "22T10:00:04", Some("22T10:00:09"))),
        SearchOutcome::Found(ours.clone())
    );
    assert!(unclear(&with(AGELESS, rival("hello", "22T10:00:04", Some("22T10:00:09")))));
    // Without a match, rivals do not matter.
    assert_eq!(
        seen(NOTES, json!([]), &[], None, &[rival("hello", "23T10:00:04", Some("23T10:00:06"))]),
        SearchOutcome::Absent
    );
}

#[test]
fn a_record_of_unknown_age_is_taken_with_a_remark_if_it_is_the_only_one() {
    let (one, two) = (json!({ "id": "one", "body": "hello" }), json!({ "id": "two", "body": "hello" }));
    let found = seen(AGELESS, json!([one]), &[], None, &[]);
    assert!(
        matches!(&found, SearchOutcome::Taken(item, told) if *item == one && told.contains("one")),
        "{found:?}"
    );
    assert!(unclear(&seen(AGELESS, json!([one, two]), &[], None, &[])));
    assert!(matches!(seen(AGELESS, json!([one, two]), &["two"], None, &[]), SearchOutcome::Taken(..)));
}

#[test]
fn a_record_that_the_api_named_is_ours_or_nothing_is() {
    let named = |added: &str, known: &[&str]| {
        let (probe, sent) = (probe(BY_READ), sent());
        let mut search = Search::new(&probe, &sent, window()).unwrap().only(Some("n"));
        search.page(&[note("n", added), note("other", "23T10:00:04")]);
        search.leave_out(&known.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        search.end(&probe, &[])
    };
    assert!(matches!(named("23T10:00:05", &[]), SearchOutcome::Found(_)));
    assert_eq!(named("20T10:00:05", &[]), SearchOutcome::Absent);
    assert_eq!(named("23T10:00:05", &["n"]), SearchOutcome::Absent);
}

#[test]
fn a_time_that_leaves_something_open_is_not_taken_to_be_old() {
    // A day without a time; a local time without a zone; a zero time.
    for vague in ["2026-11-23", "2026-11-23 02:00:00", "0001-01-01T00:00:00Z"] {
        let items = json!([{ "body": "Hello", "dateAdded": vague }]);
        assert!(unclear(&seen(NOTES, items.clone(), &[], None, &[])), "{vague}");
        assert!(unclear(&seen(NOTES, items, &[], Some(0), &[])), "{vague}");
    }
    let old = json!([{ "body": "Hello", "dateAdded": "2026-11-20" }]);
    assert_eq!(seen(NOTES, old, &[], None, &[]), SearchOutcome::Absent);
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
fn an_answer_without_a_list_is_inconclusive() {
    let read: Operation =
        serde_yaml::from_str("title: t\nsummary: s\nkinds: [poller]\nlist: { items: ['$.notes[*]'] }")
            .unwrap();
    assert_eq!(items(&read, &json!({ "error": "busy" })), None);
    assert_eq!(items(&read, &json!({ "notes": [] })), Some(vec![]));
}

#[test]
fn where_the_read_itself_recognises_it_its_age_decides() {
    let by_read = |notes: Value| seen(BY_READ, notes, &[], None, &[]);
    assert_eq!(by_read(json!([])), SearchOutcome::Absent);
    let new = note("n", "23T10:00:01");
    assert_eq!(by_read(json!([new])), SearchOutcome::Found(new.clone()));
    // The read may show one of several records, and an older one would hide ours.
    for open in [json!([{ "dateAdded": "2020-11-23T10:00:00Z" }]), json!([new, new]), json!([{}])] {
        assert!(unclear(&by_read(open.clone())), "{open}");
    }
}
