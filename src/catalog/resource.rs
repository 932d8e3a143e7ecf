//! What an operation reads or writes: the kind of record and, for a write, the change. Derived from method and path,
//! following REST conventions, and from the operation's id; no operation is known by name.

use std::collections::BTreeSet;

use super::{Effect, Operation};

/// Last parts of paths that name an action instead of a record.
const VERBS: [&str; 5] = ["search", "upsert", "list", "query", "bulk"];
/// Words in the names of events that tell what happened.
const CHANGES: [&str; 10] = [
    "create",
    "created",
    "update",
    "updated",
    "change",
    "changed",
    "delete",
    "deleted",
    "complete",
    "completed",
];

/// Names of a kind of record, from an operation's id and path. Two operations concern the same kind if they share a
/// name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ResourceNames(BTreeSet<String>);

/// What a write does to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteTarget<'a> {
    /// Creates the record: fields that are not sent get the API's defaults.
    Created,
    /// Sets the fields that are sent.
    Fields,
    /// Adds the members that are sent to a list of the record.
    Added(&'a str),
    /// Removes them from it.
    Removed(&'a str),
    /// Deletes the record.
    Deleted,
}

impl ResourceNames {
    /// The kind of a webhook event that is only known by name.
    pub fn from_event(name: &str) -> Self {
        let mut words = vec![String::new()];
        for letter in name.chars() {
            if letter.is_uppercase() || !letter.is_alphanumeric() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
                word.extend(letter.to_lowercase());
            }
        }
        words.retain(|word| !word.is_empty() && !CHANGES.contains(&word.as_str()));
        Self(words.iter().map(|word| singular(word)).collect())
    }

    /// A kind known by these names, in the singular.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }

    /// Whether it is known by this name.
    pub fn includes(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// One of its names.
    pub fn any(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// Adds the names of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether no name is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both may be the same kind of record.
    pub fn meet(&self, other: &Self) -> bool {
        !self.0.is_disjoint(&other.0)
    }
}

impl Operation {
    /// The kind of record that it concerns.
    pub fn resource_names(&self) -> ResourceNames {
        let path: Vec<&str> = self.path.split('/').filter(|part| !part.is_empty()).collect();
        let last = path.iter().rposition(|part| is_parameter(part));
        let after = last.map_or(&path[..], |last| &path[last + 1..]);
        let own = match last {
            Some(last) if after.is_empty() || self.part().is_some() => &path[..last],
            _ => after,
        };
        let own = own.iter().rev().find(|part| !VERBS.contains(part) && !is_parameter(part));
        let mut names: BTreeSet<String> = own.map(|part| singular(part)).into_iter().collect();
        let words: Vec<&str> = self.id.split('.').collect();
        let words = words.strip_prefix(&[self.connector.as_str()]).unwrap_or(&words);
        let back = if self.part().is_some() { 3 } else { 2 };
        names.extend(words.len().checked_sub(back).and_then(|at| words.get(at)).map(|word| singular(word)));
        ResourceNames(names)
    }

    /// The change of the record; `None` for reads and built-in operations.
    pub fn write_target(&self) -> Option<WriteTarget<'_>> {
        if self.effect == Effect::Read || self.builtin.is_some() {
            return None;
        }
        Some(match (self.part(), self.method.as_str()) {
            (Some(part), "DELETE") => WriteTarget::Removed(part),
            (Some(part), "POST") => WriteTarget::Added(part),
            (None, "DELETE") => WriteTarget::Deleted,
            (None, _) if self.effect == Effect::Create => WriteTarget::Created,
            _ => WriteTarget::Fields,
        })
    }

    /// The field of the record at the end of its path: `tags` of `/contacts/{id}/tags`.
    fn part(&self) -> Option<&str> {
        let (front, last) = self.path.trim_end_matches('/').rsplit_once('/')?;
        let of_record = front.rsplit('/').next().is_some_and(is_parameter);
        let is_input = || self.inputs().iter().any(|input| input.name == last);
        (of_record && !is_parameter(last) && self.effect != Effect::Read && is_input()).then_some(last)
    }
}

fn is_parameter(part: &str) -> bool {
    part.starts_with('{')
}

/// The singular form of a name.
pub fn singular(word: &str) -> String {
    let word = word.to_lowercase();
    match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word.strip_suffix('s').map_or(word.clone(), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn operations_on_one_kind_of_record_meet() {
        let catalog = Catalog::built_in();
        let names = |id: &str| catalog.operation(id).unwrap_or_else(|| panic!("{id}")).resource_names();
        for (one, other) in [
            ("contacts.list", "contacts.update"),
            ("contacts.search", "contacts.upsert"),
            ("contacts.search", "contacts.tags.add"),
            ("contacts.search", "contacts.delete"),
            ("locations.tasks.search", "contacts.tasks.update"),
            ("fitr.clients.list", "fitr.clients.tags.remove"),
            ("fitr.tasks.list", "fitr.tasks.update"),
            ("opportunities.search", "opportunities.update"),
        ] {
            assert!(names(one).meet(&names(other)), "{one} {other}");
        }
        for (one, other) in [
            ("contacts.search", "contacts.tasks.update"),
            ("contacts.search", "contacts.notes.create"),
            ("fitr.clients.list", "fitr.tasks.create"),
            ("contacts.search", "opportunities.update"),
        ] {
            assert!(!names(one).meet(&names(other)), "{one} {other}");
        }
        assert!(ResourceNames::from_event("ContactTagUpdate").meet(&names("contacts.update")));
        assert!(ResourceNames::from_event("client.status_changed").meet(&names("fitr.clients.update")));
        assert_eq!(ResourceNames::from_event("NoteCreate").any(), Some("note"));
        assert!(!ResourceNames::from_event("task.created").meet(&names("fitr.clients.update")));
    }

    #[test]
    fn a_write_says_what_it_does() {
        let catalog = Catalog::built_in();
        let target = |id: &str| catalog.operation(id).unwrap().write_target();
        assert_eq!(target("contacts.list"), None);
        assert_eq!(target("contacts.create"), Some(WriteTarget::Created));
        assert_eq!(target("contacts.update"), Some(WriteTarget::Fields));
        assert_eq!(target("contacts.upsert"), Some(WriteTarget::Fields));
        assert_eq!(target("contacts.tags.add"), Some(WriteTarget::Added("tags")));
        assert_eq!(target("fitr.clients.tags.remove"), Some(WriteTarget::Removed("tags")));
        assert_eq!(target("contacts.delete"), Some(WriteTarget::Deleted));
        assert_eq!(target("http.request"), None);
    }
}
