//! What a request did, as the stand-in's own log tells it.

use hob::sandbox::{ChangeKind, Entry};

/// What a recipe does for an event, each with the event's number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deed {
    Upsert,
    Tag,
    Note,
    Update,
    Task,
}

impl Deed {
    /// Those that may be done again without harm.
    pub const IDEMPOTENT: [Self; 3] = [Self::Upsert, Self::Tag, Self::Update];

    /// The deed of a request, and the number of its event. `None`: it is no deed, or was not done.
    pub fn of(entry: &Entry) -> Option<(Self, u64)> {
        let (deed, text) = match entry.operation.as_deref()? {
            "contacts.upsert" => (Self::Upsert, &entry.body["lastName"]),
            "contacts.tags.add" => (Self::Tag, &entry.body["tags"][0]),
            "contacts.notes.create" => (Self::Note, &entry.body["body"]),
            "contacts.update" => (Self::Update, &entry.body["firstName"]),
            "contacts.tasks.create" => (Self::Task, &entry.body["title"]),
            _ => return None,
        };
        let number = text.as_str()?.rsplit(' ').next()?.parse().ok()?;
        was_done(entry).then_some((deed, number))
    }
}

/// The client that a request wrote a note about.
pub fn welcomed(entry: &Entry) -> Option<&str> {
    let create = entry.operation.as_deref() == Some("fitr.notes.create");
    let made =
        entry.changes.iter().any(|change| change.collection == "notes" && change.kind == ChangeKind::Created);
    if create && made { entry.path.split('/').nth(2) } else { None }
}

/// It took effect, whether or not anybody heard of it.
fn was_done(entry: &Entry) -> bool {
    !entry.changes.is_empty() || (200..300).contains(&entry.status)
}
