//! A field of a sync: what it is on each side, and where its changes go.

use super::value::FieldValue;
use crate::source::Spanned;

/// Where changes of a field go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// To this side.
    OneWay { to: usize },
    /// To the side that does not own it; a change there is set back.
    Owned { by: usize },
    /// Both ways. Where both sides were changed, this one wins, or the record that was changed last.
    BothWays { winner: Option<usize> },
}

impl Flow {
    /// Whether changes go to the side `to`.
    pub(super) fn goes_to(self, to: usize) -> bool {
        match self {
            Self::OneWay { to: target } => target == to,
            Self::Owned { by } => by != to,
            Self::BothWays { .. } => true,
        }
    }
}

/// What a field is on one side.
#[derive(Debug)]
pub(super) struct FieldOfSide {
    /// Its name there.
    pub(super) name: Spanned<String>,
    /// What it gets.
    pub(super) value: FieldValue,
}

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name in the sync.
    pub(super) name: Spanned<String>,
    pub(super) sides: [FieldOfSide; 2],
    pub(super) flow: Flow,
}
