//! The use of a name in a template, with its place.

use std::ops::Range;

pub use crate::value::Step as PathStep;

/// The use of a name. Ranges are bytes of the template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// A value: `steps.contact.contact.email`, the longest literal path. Names set by the template are not reported;
    /// a loop variable is reported as an item of the list.
    Path {
        /// The first name.
        root: String,
        /// The path's steps.
        steps: Vec<PathStep>,
        /// It may be undefined: it is before `| default(…)`, `is defined` or `is undefined`.
        guarded: bool,
        /// The range of the path.
        range: Range<usize>,
    },
    /// `| name`
    Filter {
        /// Its name.
        name: String,
        /// The range of the name.
        range: Range<usize>,
    },
    /// `name(…)`
    Function {
        /// Its name.
        name: String,
        /// The range of the name.
        range: Range<usize>,
    },
    /// `is name`
    Test {
        /// Its name.
        name: String,
        /// The range of the name.
        range: Range<usize>,
    },
    /// `omit`
    Omit {
        /// It may be the value of a whole `{{ … }}`, rather than an item or field in it.
        whole: bool,
        /// The range of the name.
        range: Range<usize>,
    },
}

impl Use {
    /// Its range.
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
