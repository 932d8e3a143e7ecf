//! Order comparisons in templates, for checking their operands without evaluation.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CompareOpKind};

use super::PathStep;
use crate::value::Value;

/// `left < right`, or an equivalent test.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The operator.
    pub operator: &'static str,
    /// The left operand.
    pub left: Side,
    /// The right operand.
    pub right: Side,
    /// The range of both, in bytes of the template's text.
    pub range: Range<usize>,
}

/// An operand.
#[derive(Debug, Clone, PartialEq)]
pub enum Side {
    /// A path, possibly with a default.
    Path {
        /// The first name.
        root: String,
        /// The path's steps.
        steps: Vec<PathStep>,
    },
    /// A literal.
    Constant(Value),
    /// A time with a zone: `now()`.
    Moment,
    /// Anything else.
    Other,
}

/// The operator, if it compares order.
pub(super) fn ordering(operator: BinOpKind) -> Option<&'static str> {
    match operator {
        BinOpKind::Lt => Some("<"),
        BinOpKind::Lte => Some("<="),
        BinOpKind::Gt => Some(">"),
        BinOpKind::Gte => Some(">="),
        _ => None,
    }
}

/// The same for a chain: `a < b < c`.
pub(super) fn chained(operator: CompareOpKind) -> Option<&'static str> {
    match operator {
        CompareOpKind::Lt => Some("<"),
        CompareOpKind::Lte => Some("<="),
        CompareOpKind::Gt => Some(">"),
        CompareOpKind::Gte => Some(">="),
        _ => None,
    }
}

/// The operator equivalent to a test.
pub(super) fn test(name: &str) -> Option<&'static str> {
    match name {
        "lt" => Some("<"),
        "le" => Some("<="),
        "gt" => Some(">"),
        "ge" => Some(">="),
        _ => None,
    }
}
