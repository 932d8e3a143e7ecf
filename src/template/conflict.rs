//! What can never work in an expression.

use std::ops::Range;

use super::inferred::Class;

/// An operand or input that can never work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its place, in bytes of the template's text.
    pub range: Range<usize>,
    /// What is wrong.
    pub kind: ConflictKind,
}

/// What is wrong with an operand or input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictKind {
    /// The filter does not take such a value.
    Input {
        /// The filter.
        filter: String,
        /// What it takes, in words.
        takes: &'static str,
        /// What it is given.
        found: Class,
    },
    /// The values are never equal.
    Unequal {
        /// What the left operand is.
        left: Class,
        /// What the right operand is.
        right: Class,
        /// Whether the operator is `!=`.
        negated: bool,
    },
    /// `value and omit`, which leaves out just what is there.
    OmittedIfThere,
    /// A number is compared with a text that is none.
    NotANumber {
        /// Whether the operator is `!=`.
        negated: bool,
    },
    /// A word that is not among those that the other side may be, but close to one.
    OtherWord {
        /// The word.
        name: String,
        /// The words that there are.
        known: Vec<String>,
    },
    /// The right operand of `in` can contain nothing, or not this.
    ContainsNothing {
        /// What it is.
        found: Class,
        /// The field that it does not have, if it is a mapping.
        field: Option<String>,
    },
    /// A filter that fails on null gets it from `default(none)`.
    NullInput {
        /// The filter.
        filter: String,
    },
    /// What `in` looks into contains nothing.
    Unsearchable {
        /// What it is, in words.
        found: String,
    },
    /// A filter that reads texts, or takes numbers, of another kind.
    Misread {
        /// The filter.
        filter: String,
        /// What it takes, in words.
        takes: &'static str,
        /// What it is given, in words.
        found: String,
    },
    /// An operator that takes numbers.
    NoNumber {
        /// The operator.
        operator: &'static str,
        /// What it is given.
        found: Class,
    },
    /// A filter or operator that fails on null, which it may get.
    MaybeNull {
        /// The filter.
        filter: String,
    },
    /// A test of whole numbers, of a number that may have a fraction.
    MaybeFraction {
        /// The test.
        test: String,
    },
    /// A test that fails on null, which it may get.
    NullTested {
        /// The test.
        test: String,
    },
    /// A filter that fails on members that are null, which some may be.
    NullMember {
        /// The filter.
        filter: String,
    },
    /// Members of a list that may be missing, which a filter, a test or what is made of the list fails on.
    AbsentMember {
        /// The filter or test; `None` where the list itself is the value.
        by: Option<String>,
    },
    /// A filter that looks at a field of each member, which some may not have.
    NoSuchField {
        /// The filter.
        filter: String,
        /// The field.
        field: String,
    },
    /// The first or last member of a list that may have none.
    MaybeAbsent,
    /// The entry of a mapping with a computed key, which it may not have.
    MaybeNoEntry,
    /// An argument that is refused whenever it is evaluated.
    Argument {
        /// Why.
        message: String,
        /// The remedy.
        help: Option<String>,
    },
    /// An argument that may be what its parameter refuses.
    MaybeRefused {
        /// The filter, test or function.
        callee: String,
        /// The parameter.
        parameter: &'static str,
        /// What it takes, in words.
        takes: &'static str,
        /// What it may be given, in words.
        found: String,
    },
    /// Text and a number are added, or text is subtracted or divided.
    TextAndNumber {
        /// The operator.
        operator: &'static str,
    },
    /// The operands have no order.
    Unordered {
        /// The operand without an order, in words.
        found: &'static str,
    },
    /// A filter that puts members in order, which have none.
    UnorderedMembers {
        /// The filter.
        filter: String,
        /// What has no order, in words.
        found: &'static str,
    },
    /// The filter applies a test to each member, and is given something else.
    NoTest {
        /// The filter.
        filter: String,
    },
    /// A member of a list that the filter makes text of, which is none.
    Member {
        /// The filter.
        filter: String,
        /// What the member is, in words.
        found: &'static str,
    },
    /// The filter looks at a field of each member, and is given something else than its name.
    NoFieldName {
        /// The filter.
        filter: String,
    },
    /// A default for what fails where it has no value.
    NeverAbsent {
        /// The filter that gives the default.
        filter: String,
    },
    /// A field that the members of a list do not have.
    NoField {
        /// Its name.
        name: String,
        /// The fields that they have.
        known: Vec<String>,
    },
}
