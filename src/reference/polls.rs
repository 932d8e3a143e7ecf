//! The page about the cost of polls.

use std::fmt::Write;

use super::connector::link;
use super::page::Page;
use super::result::quiet_polls;
use crate::catalog::{Catalog, QuietPoll};

const INTRODUCTION: &str = "# What polls cost

Most polls find nothing. If a list can be sorted by the time of the last change, or by creation for new records only, \
such a poll costs one request: hob reads until it reaches known records. Other lists are read completely, because a \
change may be anywhere. Removed records (`emit: [removed]`) are known only at the end of a list, and if some are missing \
in a list of several pages, it is read again to be sure. A list that a recipe's own inputs sort differently is read completely; \
`hob validate` lists the recipes that read whole lists.

A list may show a change late, among older ones. So the new part of a list sorted newest first is read once more \
after the time that the connector states for it (`lag_seconds`; otherwise five minutes): after a bulk change of 2,000 \
records, the poll that finds them and one later poll cost 20 requests each, those in between and afterwards one. A change \
that a list shows later than that, below newer ones, is not found.

The first poll of a list of several pages reads it a second time, unless `start: all` reports everything anyway: during the \
first scan, records may move between its pages. Recipes with equal polls (operation, inputs and connection) share requests: \
twenty of them on a quiet list sorted newest first cost one request in total.

| Poller | Usually | With `emit: [new]` | With `removed` |
| --- | --- | --- | --- |
";

pub(super) fn page(catalog: &Catalog) -> Page {
    let mut text = INTRODUCTION.to_owned();
    let pollers = catalog.operations().filter(|operation| operation.is_poller());
    for operation in pollers {
        let Some(list) = &operation.list else { continue };
        let [usual, only_new, all] = quiet_polls(list).map(QuietPoll::words);
        let _ = writeln!(text, "| {} | {usual} | {only_new} | {all} |", link(operation));
    }
    Page::new("polls.md", &text)
        .listed("What polls cost", "requests of a poll that finds nothing, by poller.")
}
