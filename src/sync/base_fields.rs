//! What is kept of both records when they were made equal: for each field of the sync, the fields of the record that
//! give its value, as the record has them.

use super::field::{Field, Flow};
use super::resolved::ResolvedSync;
use super::tree::member;

/// The end of the link at which the records of a side are.
pub(super) fn end(side: usize) -> &'static str {
    ["from", "to"][side]
}

/// The expression of what a record of the side `side` had that matters for `field`.
pub(super) fn base(side: usize, field: &Field) -> String {
    member(&format!("steps.base.{}", end(side)), &field.name)
}

/// The expression of the value that hob sent and the field `name` of the record of the side `side` has; null where it
/// has another one.
pub(super) fn sent(side: usize, name: &str) -> String {
    member(&format!("steps.sent.{}", end(side)), name)
}

/// Names of the fields of a record of the side `side` that matter for `field`.
pub(super) fn base_fields<'f>(sync: &ResolvedSync<'_>, field: &'f Field, side: usize) -> Vec<&'f str> {
    if sync.is_written(field, 1 - side) {
        let mut names = field.sides[1 - side].value.reads();
        names.sort_unstable();
        names.dedup();
        return names;
    }
    match field.flow {
        Flow::Owned { by } if by != side && sync.is_written(field, side) => {
            vec![field.sides[side].name.as_str()]
        }
        _ => Vec::new(),
    }
}
