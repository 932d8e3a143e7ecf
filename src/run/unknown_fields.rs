//! Parts of a result that are unknown because an answer was lost.

/// The unknown parts of a step's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFields {
    /// Places in the result, such as `new` and `[].tagsAdded`; empty for all of it.
    pub fields: Vec<String>,
    /// Why.
    pub reason: String,
}
