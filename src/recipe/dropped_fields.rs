//! Fields that recovery from mistakes may have dropped, so that their absence is not reported.

use std::collections::HashSet;

use crate::source::Span;

/// Fields that a broken recipe may have had.
#[derive(Debug, Clone, Default)]
pub struct DroppedFields {
    everywhere: bool,
    /// Mappings that dropped something, with the possible field.
    fields: HashSet<(Span, String)>,
    /// The fields, in any mapping.
    names: HashSet<String>,
}

impl DroppedFields {
    /// Nothing dropped, or, for an incompletely parsed text, anything.
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
