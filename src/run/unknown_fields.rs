//! The parts of a result that are not known, because an answer was lost.

/// What is not known of a step's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFields {
    /// Places in the result: `new`, `[].tagsAdded`; empty for the whole.
    pub fields: Vec<String>,
    /// Why.
    pub reason: String,
}
