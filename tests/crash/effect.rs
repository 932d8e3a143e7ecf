//! What a request did, according to the stand-in's log.

use hob::sandbox::{ChangeKind, Entry};

/// What a recipe does for an event; each contains the event's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    Upsert,
    Tag,
    Note,
    Update,
    Task,
}

impl Effect {
    /// Effects that may be repeated without harm.
    pub const IDEMPOTENT: [Self; 3] = [Self::Upsert, Self::Tag, Self::Update];

    /// The effect of a request and the number of its event. `None`: it has no effect of these, or did not take effect.
    pub fn of(entry: &Entry) -> Option<(Self, u64)> {
        let (effect, text) = match entry.operation.as_deref()? {
            "contacts.upsert" => (Self::Upsert, &entry.body["lastName"]),
            "contacts.tags.add" => (Self::Tag, &entry.body["tags"][0]),
            "contacts.notes.create" => (Self::Note, &entry.body["body"]),
            "contacts.update" => (Self::Update, &entry.body["firstName"]),
            "contacts.tasks.create" => (Self::Task, &entry.body["title"]),
            _ => return None,
        };
        let number = text.as_str()?.rsplit(' ').next()?.parse().ok()?;
        was_done(entry).then_some((effect, number))
    }
}

/// The client that a request created a note about.
pub fn noted_client(entry: &Entry) -> Option<&str> {
    let create = entry.operation.as_deref() == Some("fitr.notes.create");
    let made =
        entry.changes.iter().any(|change| change.collection == "notes" && change.kind == ChangeKind::Created);
    if create && made { entry.path.split('/').nth(2) } else { None }
}

/// The request took effect, whether or not its answer arrived.
fn was_done(entry: &Entry) -> bool {
    !entry.changes.is_empty() || (200..300).contains(&entry.status)
}
