//! The page about the cost of polls.

use std::fmt::Write;

use super::connector::link;
use super::page::Page;
use super::result::quiet_polls;
use crate::catalog::{Catalog, QuietPoll};

const INTRODUCTION: &str = "# What polls cost

A poll that finds nothing is what a recipe does most of the time. Where a list can be sorted by the time of the last \
change, or by creation where only new records are wanted, it costs one request: hob reads until it meets what it knows. \
Other lists are read whole, because a change may stand anywhere. Records that are gone (`emit: [removed]`) show only at \
the end of a list, and where some are missing from one of several pages, it is read again to be sure. A recipe's own inputs that sort the list otherwise make it one that is read whole; `hob validate` \
tells which of your recipes read whole lists.

A list may show a change late, among older ones. So what is new on a list that comes newest first is read once more \
after the time that the connector states for it (`lag_seconds`; otherwise five minutes): after a bulk change of 2,000 \
records, the poll that finds them and one later poll cost 20 requests each, those in between and afterwards one. A change \
that a list shows later than that, below newer ones, is not found.

The first poll of a list of several pages reads it a second time, unless `start: all` tells everything anyway: while it is \
read, records may move between its pages. Recipes whose polls are equal, in operation, inputs and connection, share them: \
twenty of them on a quiet list that comes newest first cost one request in all.

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
