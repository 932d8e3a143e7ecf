//! How a list is read: where its items stand, how to tell them apart, and how to get the next page.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A poller's facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// JSONPaths of the items in the answer, the first that finds something wins (`$.contacts[*]`).
    /// One that names a single object makes a list of one.
    pub items: Vec<String>,
    /// Candidates for the field that identifies an item, in order. Empty: the item itself when it is
    /// text, else a hash of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id: Vec<String>,
    /// Field with the time of the last change, if items have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// Field with the time of creation, if items have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Inputs that make the API answer newest change first, so that a poll may stop early.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub newest_first: IndexMap<String, Value>,
    /// How to get the next page.
    #[serde(default)]
    pub paging: Paging,
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
        /// Page size to ask for.
        size: u32,
    },
    /// Numbered pages.
    Page {
        /// Input for the page number.
        page: String,
        /// Input for the page size, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<String>,
        /// Page size to ask for, or the API's fixed one.
        size: u32,
        /// Number of the first page.
        #[serde(default = "one")]
        first: u32,
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
        /// JSONPath of a flag that says whether there is more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<String>,
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
    },
}

impl Paging {
    /// Inputs that hob sets itself, which a recipe therefore must not.
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
