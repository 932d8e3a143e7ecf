//! When polls of a list can stop before its last page, and the cost of a poll that finds nothing.

use std::ops::RangeInclusive;

use indexmap::IndexMap;
use serde_json::Value;

use super::{Listing, NextValue, Paging};

/// Which changes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// New records only.
    pub only_new: bool,
    /// Removed records, which requires reading the list to its end.
    pub removed: bool,
}

/// An order with the newest records first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order<'a> {
    /// Inputs that request it.
    pub inputs: &'a IndexMap<String, Value>,
    /// By creation instead of change.
    pub by_creation: bool,
}

/// The cost of a poll that finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuietPoll {
    /// One request, however long the list is.
    OneRequest,
    /// The whole list is read, page by page.
    WholeList {
        /// Items per page; unknown if the API decides.
        page: Option<u32>,
        /// How the end of the list is recognised.
        end: End,
    },
}

/// How the end of a list is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By the last page itself.
    LastPage,
    /// By a page that is not full.
    ShortPage,
    /// By an empty page after it.
    EmptyPage,
    /// By the last page if it has no successor, as in some APIs; otherwise by an empty page.
    Either,
}

impl Listing {
    /// The order that allows polls of this list to stop before its last page. `with` are the recipe's inputs; a
    /// different order there disables it.
    pub fn stops_early(&self, wanted: Wanted, with: &Value) -> Option<Order<'_>> {
        // Without a creation time, an unseen record may be new or old; and what comes into a window of time by the
        // passing of time is not among the newest.
        if self.created.is_none() || wanted.removed || self.window.is_some() {
            return None;
        }
        let by_change = (!self.newest_first.is_empty() && self.updated.is_some())
            .then_some(Order { inputs: &self.newest_first, by_creation: false });
        let created = self.newest_created_first.as_ref().filter(|_| wanted.only_new);
        let by_creation = created.map(|inputs| Order { inputs, by_creation: true });
        let fits = |order: &Order<'_>| {
            order.inputs.iter().all(|(name, value)| with.get(name).is_none_or(|own| own == value))
        };
        by_creation.filter(fits).or(by_change.filter(fits))
    }

    /// The cost of a poll that finds nothing.
    pub fn quiet_poll(&self, wanted: Wanted, with: &Value) -> QuietPoll {
        if matches!(self.paging, Paging::None) || self.stops_early(wanted, with).is_some() {
            return QuietPoll::OneRequest;
        }
        let page = match &self.paging {
            Paging::Offset { size, .. } | Paging::Page { size, .. } => Some(*size),
            Paging::Cursor { size, .. } => *size,
            Paging::None | Paging::Link { .. } => None,
        };
        let from_answer = |next: &NextValue| matches!(next, NextValue::Answer { .. });
        let end = match &self.paging {
            _ if self.paging.more().is_some() => End::LastPage,
            _ if self.paging.full().is_some() => End::ShortPage,
            Paging::Link { .. } => End::LastPage,
            Paging::Cursor { next, .. } if next.values().any(from_answer) => End::Either,
            _ => End::EmptyPage,
        };
        QuietPoll::WholeList { page, end }
    }
}

impl QuietPoll {
    /// The number of requests for a list of `records`, if known: an API may answer smaller pages than requested.
    pub fn requests(self, records: u64) -> Option<RangeInclusive<u64>> {
        match self {
            QuietPoll::OneRequest => Some(1..=1),
            QuietPoll::WholeList { page, end } => {
                let page = u64::from(page?).max(1);
                let pages = records.div_ceil(page).max(1);
                // An empty list needs no further empty page.
                let more = pages + u64::from(records > 0);
                Some(match end {
                    End::LastPage => pages..=pages,
                    End::ShortPage => records / page + 1..=records / page + 1,
                    End::EmptyPage => more..=more,
                    End::Either => pages..=more,
                })
            }
        }
    }

    /// The cost in words.
    pub fn words(self) -> String {
        match self {
            QuietPoll::OneRequest => "1 request".to_owned(),
            QuietPoll::WholeList { page, end } => {
                let each = match page {
                    Some(page) => format!("1 request for each {page} records"),
                    None => "1 request for each page of the list".to_owned(),
                };
                each + match end {
                    End::LastPage | End::ShortPage => "",
                    End::EmptyPage => ", and 1 more to see its end",
                    End::Either => ", and perhaps 1 more to see its end",
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USUAL: Wanted = Wanted { only_new: false, removed: false };
    const NEW: Wanted = Wanted { only_new: true, removed: false };
    const ALL: Wanted = Wanted { only_new: false, removed: true };

    fn listing(yaml: &str) -> Listing {
        serde_yaml::from_str(yaml).unwrap()
    }

    #[test]
    fn a_sorted_list_costs_one_request_and_others_all_their_pages() {
        let sorted = listing(
            "{ items: [$], id: [id], created: c, updated: u, newest_first: { sort: desc }, paging: { style: page, page: page, size: 50 } }",
        );
        assert_eq!(sorted.quiet_poll(USUAL, &json!({})), QuietPoll::OneRequest);
        assert_eq!(sorted.quiet_poll(USUAL, &json!({ "sort": "asc" })).requests(100), Some(3..=3));
        assert_eq!(sorted.quiet_poll(ALL, &json!({})).requests(101), Some(4..=4));
        assert_eq!(sorted.quiet_poll(ALL, &json!({})).requests(0), Some(1..=1));
        let by_creation = listing(
            "{ items: [$], id: [id], created: c, newest_created_first: {}, paging: { style: offset, offset: skip, limit: limit, size: 20, more: $.more } }",
        );
        assert_eq!(by_creation.quiet_poll(NEW, &json!({})), QuietPoll::OneRequest);
        assert_eq!(by_creation.quiet_poll(USUAL, &json!({})).requests(40), Some(2..=2));
        assert_eq!(listing("{ items: [$], id: [id] }").quiet_poll(ALL, &json!({})), QuietPoll::OneRequest);
    }

    #[test]
    fn the_cost_in_words() {
        let words = |page, end| QuietPoll::WholeList { page, end }.words();
        let numbered = words(Some(100), End::EmptyPage);
        assert_eq!(numbered, "1 request for each 100 records, and 1 more to see its end");
        assert_eq!(words(None, End::LastPage), "1 request for each page of the list");
        let cursor = listing(
            "{ items: [$], paging: { style: cursor, next: { cursor: { from: answer, path: $.next } }, size: 50 } }",
        );
        assert_eq!(cursor.quiet_poll(USUAL, &json!({})).requests(60), Some(2..=3));
        assert_eq!(QuietPoll::WholeList { page: None, end: End::EmptyPage }.requests(5), None);
    }
}
