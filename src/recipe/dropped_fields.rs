//! What mending a broken recipe lost, so that nobody complains about its absence.

use std::collections::HashSet;

use crate::source::Span;

/// Fields that a broken recipe may have meant to have.
#[derive(Debug, Clone, Default)]
pub struct DroppedFields {
    everywhere: bool,
    /// The mapping that lost something, and which field it may have been.
    fields: HashSet<(Span, String)>,
    /// The fields, wherever they may have been.
    names: HashSet<String>,
}

impl DroppedFields {
    /// Nothing lost yet, or, of a text that could not be read in full, anything.
    pub(super) fn new(everywhere: bool) -> Self {
        Self { everywhere, ..Self::default() }
    }

    pub(super) fn named(&mut self, within: Span, field: &str) {
        self.fields.insert((within, field.to_owned()));
        self.names.insert(field.to_owned());
    }

    /// Whether the mapping at `within` may have had `field`.
    pub fn within(&self, within: Span, field: &str) -> bool {
        self.everywhere || self.fields.contains(&(within, field.to_owned()))
    }

    /// Whether any mapping may have had `field`.
    pub fn anywhere(&self, field: &str) -> bool {
        self.everywhere || self.names.contains(field)
    }
}
