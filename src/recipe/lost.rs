//! What mending a broken recipe lost, so that nobody complains about its absence.

use crate::source::Span;

/// Fields that a broken recipe may have meant to have.
#[derive(Debug, Clone, Default)]
pub struct Lost {
    everywhere: bool,
    /// The mapping that lost something, and which field; `None` when that cannot be told.
    fields: Vec<(Span, Option<String>)>,
}

impl Lost {
    /// Nothing lost yet, or, of a text that could not be read in full, anything.
    pub(super) fn new(everywhere: bool) -> Self {
        Self { everywhere, fields: Vec::new() }
    }

    pub(super) fn named(&mut self, within: Span, field: &str) {
        self.fields.push((within, Some(field.to_owned())));
    }

    pub(super) fn unnamed(&mut self, within: Span) {
        self.fields.push((within, None));
    }

    /// Whether the mapping at `within` may have had `field`.
    pub fn within(&self, within: Span, field: &str) -> bool {
        self.everywhere
            || self.fields.iter().any(|(span, name)| *span == within && matches(name.as_deref(), field))
    }

    /// Whether any mapping may have had `field`.
    pub fn anywhere(&self, field: &str) -> bool {
        self.everywhere || self.fields.iter().any(|(_, name)| matches(name.as_deref(), field))
    }
}

fn matches(name: Option<&str>, field: &str) -> bool {
    name.is_none_or(|name| name == field)
}
