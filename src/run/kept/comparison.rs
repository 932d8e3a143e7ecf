//! What comes of comparing two values.

/// Whether two values are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// They are, in another form at most.
    Same,
    /// They are not.
    Different,
    /// It cannot be told.
    Unclear,
}

impl Comparison {
    pub(super) fn is_same(self) -> bool {
        self == Comparison::Same
    }

    pub(super) fn is_different(self) -> bool {
        self == Comparison::Different
    }

    pub(super) fn when(same: bool) -> Self {
        if same { Comparison::Same } else { Comparison::Different }
    }
}
