//! What a filter takes and gives, as part of its specification: the checker infers from it.

use super::inferred::Class;

/// What a filter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Whatever there is, null too.
    Anything,
    /// Whatever is not null.
    Something,
    /// Text; numbers and flags count as text.
    Text,
    /// Text alone, such as JSON.
    TextAlone,
    /// A phone number; null too with `strict=false`.
    Phone,
    /// A time, as text or a number.
    Time,
    /// A number, also as text.
    Number,
    /// A number, also as text, or a flag.
    NumberOrFlag,
    /// A whole number, also as text.
    WholeNumber,
    /// A list.
    List,
    /// A list of numbers.
    Numbers,
    /// A list of mappings.
    Records,
    /// What has a length: text, a list or a mapping.
    Sized,
    /// Text, or what has members.
    Members,
    /// A list or a mapping.
    Compound,
    /// A mapping.
    Mapping,
    /// Text or a mapping.
    TextOrMapping,
}

/// What a filter gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Nothing is known of it.
    Anything,
    /// Text.
    Text,
    /// Text, or null where there is none.
    TextOrNull,
    /// A date without a time, or text in the format that is given.
    Day,
    /// A time with a zone.
    Moment,
    /// A time, or a date if it takes a date.
    Moved,
    /// What a path finds; undefined where it finds nothing.
    Found,
    /// A number.
    Number,
    /// A whole number.
    WholeNumber,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A list.
    List,
    /// A list of lists.
    Lists,
    /// A list of the members of what it takes and of the arguments.
    Chained,
    /// A list of lists, each with a member of what it takes and of each argument.
    Zipped,
    /// A list of the members of what it takes.
    Members,
    /// What it takes, backwards: text, or a list of the members.
    Reversed,
    /// The members of the list that it takes; something else where it takes none.
    SameMembers,
    /// One of the members of what it takes; undefined where there is none.
    Member,
    /// A mapping.
    Mapping,
    /// What it takes, in the same form.
    Same,
    /// What it takes, or the first argument.
    Default,
    /// What it takes, one of the arguments, or null.
    Coalesce,
}

impl Takes {
    /// In words, with the classes of values that it may be; `None` if it may be anything.
    pub(super) fn classes(self) -> Option<(&'static str, &'static [Class])> {
        use Class::{List, Mapping, Scalar};
        Some(match self {
            Self::Anything | Self::Something => return None,
            Self::Text => ("text", &[Scalar]),
            Self::TextAlone => ("JSON text", &[Scalar]),
            Self::Phone => ("text", &[Scalar]),
            Self::Time => ("a time", &[Scalar]),
            Self::Number | Self::NumberOrFlag => ("a number", &[Scalar]),
            Self::WholeNumber => ("a whole number", &[Scalar]),
            Self::List => ("a list", &[List]),
            Self::Numbers => ("a list of numbers", &[List]),
            Self::Records => ("a list of mappings", &[List]),
            Self::Sized | Self::Members => ("a list", &[Scalar, List, Mapping]),
            Self::Compound => ("a list or mapping", &[List, Mapping]),
            Self::Mapping => ("a mapping", &[Mapping]),
            Self::TextOrMapping => ("text or a mapping", &[Scalar, Mapping]),
        })
    }

    /// Whether it takes a missing value for null; `lenient` with `strict=false`.
    pub(super) fn accepts_missing(self, lenient: bool) -> bool {
        self == Self::Phone && lenient
    }

    /// Whether it fails on null; `lenient` with `strict=false`.
    pub(super) fn needs_value(self, lenient: bool) -> bool {
        match self {
            Self::Anything => false,
            Self::Phone => !lenient,
            _ => true,
        }
    }
}
