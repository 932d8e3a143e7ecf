//! Lists: where the items are, how to identify them, and how to page.

use chrono::TimeDelta;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ListWindow, PerParent, path};

/// The list of a poller.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// JSONPaths of the items in the answer (`$.contacts[*]`); the first one with a value is used. A single object
    /// counts as a list of one.
    pub items: Vec<String>,
    /// Fields that may identify an item, in order. Empty: the item itself if it is text, otherwise its hash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id: Vec<String>,
    /// Field with the time of the last change, if there is one. Content is compared as well, because two changes may
    /// have the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// Field with the time of creation, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Inputs that sort the list by change, newest first, so that a poll can stop early.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub newest_first: IndexMap<String, Value>,
    /// Inputs that sort the list by creation, newest first; `{}` if it always is. A poll for new records only can
    /// then stop early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_created_first: Option<IndexMap<String, Value>>,
    /// Longest time in seconds until the list shows a change: lists behind a search index lag. Default: 300. Polls
    /// that can stop early look back this far for late changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<u32>,
    /// Fields of an item whose changes do not count, such as a view counter or a signed address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// JSONPath of the total number of items, if the answer states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// The list answers only for a window of time, which its inputs name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<ListWindow>,
    /// What is known of a list that is read for one parent at a time.
    #[serde(default, skip_serializing_if = "PerParent::is_default")]
    pub per_parent: PerParent,
    /// How to get the next page.
    #[serde(default)]
    pub paging: Paging,
    /// Inputs for another way to page, which the API does not take together with this one (`page` beside a
    /// cursor).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_paging: Vec<String>,
}

/// The assumed lag of a list that does not state it.
const USUAL_LAG_SECONDS: u32 = 300;

impl Listing {
    /// The input for the number of items on a page.
    pub fn limit_input(&self) -> Option<&str> {
        match &self.paging {
            Paging::Offset { limit, .. } => Some(limit),
            Paging::Page { limit, .. } | Paging::Cursor { limit, .. } => limit.as_deref(),
            _ => None,
        }
    }

    /// The total number of items that an answer states.
    pub fn total(&self, answer: &Value) -> Option<u64> {
        path::read(answer, self.total.as_deref()?)?.as_u64()
    }

    /// Inputs that a recipe must not set where hob reads page after page.
    pub fn paging_inputs(&self) -> Vec<&str> {
        let mut inputs = self.paging.inputs();
        inputs.extend(self.other_paging.iter().map(String::as_str));
        inputs
    }

    /// The window of time that polls with the inputs `with` move along; `None` if the inputs say which one they want.
    pub fn moving_window(&self, with: &Value) -> Option<&ListWindow> {
        self.window.as_ref().filter(|window| window.inputs().iter().all(|name| with.get(name).is_none()))
    }

    /// Longest time until the list shows a change.
    pub fn lag(&self) -> TimeDelta {
        TimeDelta::seconds(self.lag_seconds.unwrap_or(USUAL_LAG_SECONDS).into())
    }
}

/// A paging style. Inputs named here are inputs of the operation, in query or body.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "style", rename_all = "snake_case", deny_unknown_fields)]
pub enum Paging {
    /// One answer holds everything.
    #[default]
    None,
    /// Offset and limit.
    Offset {
        /// Input for the number of items to skip.
        offset: String,
        /// Input for the page size.
        limit: String,
        /// Page size to ask for; the API may answer fewer.
        size: u32,
        /// JSONPath of a flag for further pages. It takes precedence over the size of the page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<String>,
        /// Pages before the last always have `size` items. Otherwise a short page is followed by another request, and
        /// an empty page ends the list.
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
        /// Page size to request, or the API's fixed one; the API may answer fewer.
        size: u32,
        /// Number of the first page.
        #[serde(default = "one")]
        first: u32,
        /// The page after the last one is answered with 404. Otherwise a 404 after a full page is an error.
        #[serde(default, skip_serializing_if = "is_false")]
        not_found_ends: bool,
        /// JSONPath of a flag for further pages. It takes precedence over the size of the page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<String>,
        /// Pages before the last always have `size` items. Otherwise a short page is followed by another request, and
        /// an empty page ends the list.
        #[serde(default, skip_serializing_if = "is_false")]
        short_page_ends: bool,
    },
    /// The answer contains the cursor of the next page.
    Cursor {
        /// Input → where its value for the next page is.
        next: IndexMap<String, NextValue>,
        /// Input for the page size, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<String>,
        /// Page size to request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u32>,
        /// JSONPath of a flag for further pages. It takes precedence over the size of the page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<String>,
        /// Pages before the last always have `size` items. Otherwise a short page is followed by another request, and
        /// an empty page ends the list.
        #[serde(default, skip_serializing_if = "is_false")]
        short_page_ends: bool,
    },
    /// The answer contains the address of the next page.
    Link {
        /// JSONPath of the address; default: the `Link` header with `rel="next"`.
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

/// Where the value of an input for the next page is.
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
        /// JSONPaths in the item; the first one with a value is used.
        paths: Vec<String>,
        /// For numeric values that several items may share, where the API continues strictly after the given one: the
        /// smallest difference between two values. hob moves the value back by it and skips the items it has already
        /// read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u32>,
    },
}

impl Paging {
    /// JSONPath of the flag for further pages.
    pub fn more(&self) -> Option<&str> {
        match self {
            Paging::None | Paging::Link { .. } => None,
            Paging::Offset { more, .. } | Paging::Page { more, .. } | Paging::Cursor { more, .. } => {
                more.as_deref()
            }
        }
    }

    /// The same style, but a short page is followed by another request.
    pub fn reading_on(mut self) -> Self {
        match &mut self {
            Paging::Offset { short_page_ends, .. }
            | Paging::Page { short_page_ends, .. }
            | Paging::Cursor { short_page_ends, .. } => *short_page_ends = false,
            Paging::None | Paging::Link { .. } => {}
        }
        self
    }

    /// The number of items of a full page, if a smaller page is the last.
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
