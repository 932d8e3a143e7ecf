//! How a list is read: where its items stand, how to tell them apart, and how to get the next page.

use chrono::TimeDelta;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path;

/// A poller's facts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// JSONPaths of the items in the answer, the first that finds something wins (`$.contacts[*]`).
    /// One that names a single object makes a list of one.
    pub items: Vec<String>,
    /// Candidates for the field that identifies an item, in order. Empty: the item itself when it is
    /// text, else a hash of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id: Vec<String>,
    /// Field with the time of the last change, if items have one. Content is compared all the same: two
    /// changes may carry one time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// Field with the time of creation, if items have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Inputs that make the API answer newest change first, so that a poll may stop early.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub newest_first: IndexMap<String, Value>,
    /// Inputs that make the API answer the newest record first, by its time of creation; `{}` where it
    /// does so by itself. A poll that looks for new records only may then stop early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_created_first: Option<IndexMap<String, Value>>,
    /// Longest time in seconds until the list shows a change: lists behind a search index lag. Absent: it
    /// is not known, and taken for 300. Polls that may stop early look so far back for late changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<u32>,
    /// Fields of an item that say nothing of a change, such as a counter of views or an address that is
    /// signed anew for each answer. They count neither as new nor as changed content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// JSONPath of the number of items on all pages, where the answer has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// How to get the next page.
    #[serde(default)]
    pub paging: Paging,
    /// Inputs for another way to page, which the API does not take together with this one (`page` beside a
    /// cursor).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_paging: Vec<String>,
}

/// How long a list may lag that does not say.
const USUAL_LAG_SECONDS: u32 = 300;

impl Listing {
    /// The number of items on all pages, as an answer has it.
    pub fn total(&self, answer: &Value) -> Option<u64> {
        path::read(answer, self.total.as_deref()?)?.as_u64()
    }

    /// Inputs that a recipe must not set where hob reads page after page.
    pub fn paging_inputs(&self) -> Vec<&str> {
        let mut inputs = self.paging.inputs();
        inputs.extend(self.other_paging.iter().map(String::as_str));
        inputs
    }

    /// Longest time until the list shows a change.
    pub fn lag(&self) -> TimeDelta {
        TimeDelta::seconds(self.lag_seconds.unwrap_or(USUAL_LAG_SECONDS).into())
    }
}

/// A paging style. All inputs named here are inputs of the operation, in query or body.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "style", rename_all = "snake_case", deny_unknown_fields)]
pub enum Paging {
    /// One answer holds everything.
    #[default]
    None,
    /// Skip so many items: `offset` and `limit`, whatever they are called.
    Offset {
        /// Input that counts the items to skip.
        offset: String,
        /// Input for the page size.
        limit: String,
        /// Page size to ask for; the API may answer fewer.
        size: u32,
        /// JSONPath of a flag that says whether there is more. It decides, whatever the page holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<String>,
        /// The API never answers fewer items than `size` before the last page. Without it a short
        /// page is followed by another request, and an empty page ends the list.
        #[serde(default, skip_serializing_if = "is_false")]
        short_page_ends: bool,
    },
    /// Numbered pages.
    Page {
        /// Input for the page number.
        page: String,
        /// Input for the page size, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<String>,
        /// Page size to ask for, or the API's fixed one; it may answer fewer.
        size: u32,
        /// Number of the first page.
        #[serde(default = "one")]
        first: u32,
        /// JSONPath of a flag that says whether there is more. It decides, whatever the page holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<String>,
        /// The API never answers fewer items than `size` before the last page. Without it a short
        /// page is followed by another request, and an empty page ends the list.
        #[serde(default, skip_serializing_if = "is_false")]
        short_page_ends: bool,
    },
    /// The answer says where the next page begins.
    Cursor {
        /// Input → where its value for the next page stands.
        next: IndexMap<String, NextValue>,
        /// Input for the page size, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<String>,
        /// Page size to ask for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u32>,
        /// JSONPath of a flag that says whether there is more. It decides, whatever the page holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<String>,
        /// The API never answers fewer items than `size` before the last page. Without it a short
        /// page is followed by another request, and an empty page ends the list.
        #[serde(default, skip_serializing_if = "is_false")]
        short_page_ends: bool,
    },
    /// The answer holds the address of the next page.
    Link {
        /// JSONPath of the address; absent: the `Link` header with `rel="next"`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
}

fn one() -> u32 {
    1
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Where the value of an input for the next page stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum NextValue {
    /// In the answer.
    Answer {
        /// JSONPath.
        path: String,
    },
    /// In the last item of the page.
    LastItem {
        /// JSONPaths within the item, the first that finds something wins.
        paths: Vec<String>,
        /// Several items may have the same value, a number, and the API goes on strictly after it: the
        /// smallest difference between two values. hob asks with the value moved back by so much, and
        /// leaves out what it has read already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u32>,
    },
}

impl Paging {
    /// JSONPath of the flag that says whether there is more.
    pub fn more(&self) -> Option<&str> {
        match self {
            Paging::None | Paging::Link { .. } => None,
            Paging::Offset { more, .. } | Paging::Page { more, .. } | Paging::Cursor { more, .. } => {
                more.as_deref()
            }
        }
    }

    /// The same, where a short page may be followed by another one.
    pub fn reading_on(mut self) -> Self {
        match &mut self {
            Paging::Offset { short_page_ends, .. }
            | Paging::Page { short_page_ends, .. }
            | Paging::Cursor { short_page_ends, .. } => *short_page_ends = false,
            Paging::None | Paging::Link { .. } => {}
        }
        self
    }

    /// So many items make a page full, where one that is not full is the last.
    pub fn full(&self) -> Option<u32> {
        match self {
            Paging::Offset { size, short_page_ends: true, .. }
            | Paging::Page { size, short_page_ends: true, .. } => Some(*size),
            Paging::Cursor { size, short_page_ends: true, .. } => *size,
            _ => None,
        }
    }

    /// Inputs that hob sets itself.
    pub fn inputs(&self) -> Vec<&str> {
        match self {
            Paging::None | Paging::Link { .. } => vec![],
            Paging::Offset { offset, limit, .. } => vec![offset, limit],
            Paging::Page { page, limit, .. } => {
                std::iter::once(page).chain(limit).map(String::as_str).collect()
            }
            Paging::Cursor { next, limit, .. } => next.keys().chain(limit).map(String::as_str).collect(),
        }
    }
}
