//! Samples of stored entries, one file per format. They never change, because stored entries must stay readable.

use std::collections::BTreeSet;

use hob::journal::{read_entry, write_entry};
use hob::run::Entry;
use serde_json::Value;

const FORMAT_1: &str = include_str!("entries-v1.json");

/// The tags of all variants. A new variant is added here and gets a sample.
const TAGS: [&str; 23] = [
    "started",
    "step_skipped",
    "intent",
    "step_succeeded",
    "step_failed",
    "deferred",
    "in_doubt",
    "did_not_happen",
    "wait_started",
    "parked",
    "resumed",
    "remark",
    "finished",
    "restarted",
    "more_records",
    "unknown_fields",
    "caused",
    "not_kept",
    "step_unchanged",
    "compared",
    "links_found",
    "coalesced",
    "begun_again",
];

fn tag(entry: &Entry) -> &'static str {
    match entry {
        Entry::Started { .. } => TAGS[0],
        Entry::StepSkipped { .. } => TAGS[1],
        Entry::Intent { .. } => TAGS[2],
        Entry::StepSucceeded { .. } => TAGS[3],
        Entry::StepFailed { .. } => TAGS[4],
        Entry::Deferred { .. } => TAGS[5],
        Entry::InDoubt { .. } => TAGS[6],
        Entry::DidNotHappen { .. } => TAGS[7],
        Entry::WaitStarted { .. } => TAGS[8],
        Entry::Parked { .. } => TAGS[9],
        Entry::Resumed { .. } => TAGS[10],
        Entry::Restarted {} => TAGS[13],
        Entry::MoreRecords { .. } => TAGS[14],
        Entry::UnknownFields { .. } => TAGS[15],
        Entry::Caused { .. } => TAGS[16],
        Entry::NotKept { .. } => TAGS[17],
        Entry::StepUnchanged { .. } => TAGS[18],
        Entry::Compared { .. } => TAGS[19],
        Entry::LinksFound { .. } => TAGS[20],
        Entry::Coalesced { .. } => TAGS[21],
        Entry::BegunAgain { .. } => TAGS[22],
        Entry::Remark { .. } => TAGS[11],
        Entry::Finished { .. } => TAGS[12],
    }
}

#[test]
fn every_variant_of_format_1_stays_readable() {
    let samples: Vec<Value> = serde_json::from_str(FORMAT_1).unwrap();
    let mut tags = BTreeSet::new();
    for sample in samples {
        let entry = read_entry(&sample.to_string()).unwrap_or_else(|error| panic!("{error}: {sample}"));
        assert_eq!(tag(&entry.entry), sample["entry"]);
        tags.insert(tag(&entry.entry));
        let written: Value = serde_json::from_str(&write_entry(&entry).unwrap()).unwrap();
        assert_eq!(written, sample);
    }
    assert_eq!(tags, TAGS.into_iter().collect());
}
