//! Lists as polls read them.

use std::sync::Arc;

use super::Estimate;
use super::assumptions::Assumptions;
use super::history::PollHistory;
use super::model::Note;
use crate::catalog::{Listing, Operation, Paging, QuietPoll, Wanted};
use crate::recipe::{Emit, Start};
use crate::value::Value;

/// A list as a poll reads it.
pub(super) struct PolledList<'a> {
    pub(super) operation: &'a Operation,
    pub(super) emit: &'a [Emit],
    pub(super) start: Start,
    /// Its inputs as written.
    pub(super) with: &'a Value,
    /// Number of parts in which its window of time is read; 1 for a list without one.
    pub(super) parts: u64,
    /// The list of the parents for each of which it is read.
    pub(super) over: Option<&'a PolledParents>,
    pub(super) history: PollHistory,
}

/// The list of the parents, as a poll reads it.
#[derive(Debug, Clone)]
pub(super) struct PolledParents {
    pub(super) operation: Arc<Operation>,
    /// Its inputs as written.
    pub(super) with: Value,
}

/// Whether the list is known to take several pages.
pub(super) fn takes_pages(operation: &Operation, assumptions: &Assumptions) -> bool {
    let size = operation.list.as_ref().and_then(page_size);
    let records = assumptions.records(&operation.id);
    size.zip(records).is_some_and(|(size, records)| records > f64::from(size))
}

/// Items of a full page, if known.
pub(super) fn page_size(listing: &Listing) -> Option<u32> {
    match &listing.paging {
        Paging::Offset { size, .. } | Paging::Page { size, .. } => Some(*size),
        Paging::Cursor { size, .. } => *size,
        Paging::None | Paging::Link { .. } => None,
    }
}

/// Requests that read a list to its end, and what that depends on.
pub(super) fn whole_list(operation: &Operation, assumptions: &Assumptions) -> (Estimate, Option<Note>) {
    list_of(operation, assumptions.records(&operation.id))
}

/// The same for one parent's list. `records` is about whole lists, and says nothing of it.
pub(super) fn list_of_parent(operation: &Operation, assumptions: &Assumptions) -> (Estimate, Option<Note>) {
    list_of(operation, assumptions.named(&operation.id))
}

fn list_of(operation: &Operation, records: Option<f64>) -> (Estimate, Option<Note>) {
    let Some(listing) = &operation.list else { return (Estimate::exactly(1.0), None) };
    let all = Wanted { only_new: false, removed: true };
    let cost = listing.quiet_poll(all, &Value::Null);
    match records.and_then(|records| cost.requests(records as u64)) {
        Some(requests) => {
            let (least, most) = (*requests.start() as f64, *requests.end() as f64);
            (Estimate::between(least, most, Some(most)), None)
        }
        None if cost == QuietPoll::OneRequest => (Estimate::exactly(1.0), None),
        None => {
            let id = &operation.id;
            let note = Note {
                about: id.clone(),
                assumed: format!(
                    "the list is read to its end ({}), and as its length is not known, one page is assumed",
                    cost.words()
                ),
                assume: vec![format!("{id}=2000")],
            };
            (Estimate::between(1.0, 1.0, None), Some(note))
        }
    }
}
