//! Comparisons by order as they are written, for what is known of their sides without evaluating them.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CompareOpKind};

use super::PathStep;
use crate::value::Value;

/// `left < right`, or a test that means the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The operator.
    pub operator: &'static str,
    /// What stands before it.
    pub left: Side,
    /// What stands after it.
    pub right: Side,
    /// Both as they are written, in bytes of the template's text.
    pub range: Range<usize>,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Side {
    /// A value that a path leads to, or a default for it.
    Path {
        /// The first name.
        root: String,
        /// What follows.
        steps: Vec<PathStep>,
    },
    /// A value that is written out.
    Constant(Value),
    /// A time with a zone: `now()`.
    Moment,
    /// Anything else.
    Other,
}

/// The operator, if it is one of order.
pub(super) fn ordering(operator: BinOpKind) -> Option<&'static str> {
    match operator {
        BinOpKind::Lt => Some("<"),
        BinOpKind::Lte => Some("<="),
        BinOpKind::Gt => Some(">"),
        BinOpKind::Gte => Some(">="),
        _ => None,
    }
}

/// The same in a chain: `a < b < c`.
pub(super) fn chained(operator: CompareOpKind) -> Option<&'static str> {
    match operator {
        CompareOpKind::Lt => Some("<"),
        CompareOpKind::Lte => Some("<="),
        CompareOpKind::Gt => Some(">"),
        CompareOpKind::Gte => Some(">="),
        _ => None,
    }
}

/// The operator that a test means.
pub(super) fn test(name: &str) -> Option<&'static str> {
    match name {
        "lt" => Some("<"),
        "le" => Some("<="),
        "gt" => Some(">"),
        "ge" => Some(">="),
        _ => None,
    }
}
