//! Lists that answer only for one parent at a time, such as the notes of a contact.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RecordChange;

/// What is known of a list that is read for one parent at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PerParent {
    /// No two items have the same id, whatever their parents are. Otherwise an item is identified by its parent and its
    /// id.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unique_ids: bool,
    /// Lists of parents that tell of changes here → the changes of an item of which each changes its parent's `updated`
    /// field too, not before this list shows it. A poll for these changes asks only for the parents that changed, and
    /// for all of them once a day.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub touches: IndexMap<String, Vec<RecordChange>>,
    /// A poller that lists the same items of all parents at once, for fewer requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

impl PerParent {
    /// Whether nothing is known.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether each of the `wanted` changes shows in the list `parents` as a change of the parent.
    pub fn is_told_by(&self, parents: &str, wanted: &[RecordChange]) -> bool {
        // A removal is found by what a complete reading of all parents does not show.
        let told = self.touches.get(parents);
        told.is_some_and(|told| {
            wanted.iter().all(|change| *change != RecordChange::Removed && told.contains(change))
        })
    }

    /// The operations that it names.
    pub(super) fn operations(&self) -> impl Iterator<Item = &str> {
        self.touches.keys().chain(&self.instead).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_parents_tells_of_the_changes_that_are_declared() {
        let known: PerParent = serde_yaml::from_str("{ touches: { clients.list: [new] } }").unwrap();
        let told = |parents, wanted: &[RecordChange]| known.is_told_by(parents, wanted);
        assert!(told("clients.list", &[RecordChange::New]));
        assert!(!told("clients.list", &[RecordChange::New, RecordChange::Changed]));
        assert!(!told("leads.list", &[RecordChange::New]));
        let all: PerParent =
            serde_yaml::from_str("{ touches: { clients.list: [new, changed, removed] } }").unwrap();
        assert!(!all.is_told_by("clients.list", &[RecordChange::Removed]), "needs a complete reading");
    }
}
