//! One use of a name in a template, with its place.

use std::ops::Range;

pub use crate::value::Step as PathStep;

/// One thing that a template names. Ranges are bytes of the template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// A value: `steps.contact.contact.email`, the longest path that is written out. Names that the
    /// template itself sets are not reported; a loop's variable is, as an item of what is looped over.
    Path {
        /// The first name.
        root: String,
        /// What follows.
        steps: Vec<PathStep>,
        /// It may be undefined: it stands before `| default(…)`, `is defined` or `is undefined`.
        guarded: bool,
        /// The path as it is written.
        range: Range<usize>,
    },
    /// `| name`
    Filter {
        /// Its name.
        name: String,
        /// The name as it is written.
        range: Range<usize>,
    },
    /// `name(…)`
    Function {
        /// Its name.
        name: String,
        /// The name as it is written.
        range: Range<usize>,
    },
    /// `is name`
    Test {
        /// Its name.
        name: String,
        /// The name as it is written.
        range: Range<usize>,
    },
    /// `omit`
    Omit {
        /// It can be the value of a whole `{{ … }}`: not a member or field within it.
        whole: bool,
        /// The name as it is written.
        range: Range<usize>,
    },
}

impl Use {
    /// Where it is written.
    pub fn range(&self) -> Range<usize> {
        match self {
            Use::Path { range, .. }
            | Use::Filter { range, .. }
            | Use::Function { range, .. }
            | Use::Test { range, .. }
            | Use::Omit { range, .. } => range.clone(),
        }
    }
}
