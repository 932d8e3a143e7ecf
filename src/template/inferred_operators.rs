//! Infers what operators come to, and finds operands that can never work.

use std::ops::Range;

use minijinja::machinery::ast::{BinOp, BinOpKind, Expr};

use super::conflict::ConflictKind;
use super::filters::result;
use super::inference::{Inferrer, Operand};
use super::inferred::{Class, Inferred};
use super::misread::{unsearchable, unsliceable};
use super::name_use::PathStep;
use super::operand::{
    both_numbers, is_list, is_number, is_text, is_whole, is_word, never_null, no_number, sides_differ,
    without_order, writes_number, zones_differ,
};
use super::required_values::path;
use super::syntax::extent;
use crate::diagnostic::closest;
use crate::value::{Kind, Value};

impl<'s> Inferrer<'_, '_, 's> {
    pub(super) fn binary(&mut self, op: &BinOp<'_>) -> Inferred<'s> {
        let left = self.expression(&op.left);
        let right = match op.op {
            BinOpKind::ScAnd => self.where_it(&op.left, true, &op.right),
            BinOpKind::ScOr => self.where_it(&op.left, false, &op.right),
            _ => self.expression(&op.right),
        };
        let sides = [(&op.left, left), (&op.right, right)];
        if !matches!(op.op, BinOpKind::ScAnd | BinOpKind::ScOr) {
            sides.iter().for_each(|(expr, value)| self.there(expr, value));
        }
        match op.op {
            BinOpKind::Eq | BinOpKind::Ne => {
                self.equal(&sides[0], &sides[1], matches!(op.op, BinOpKind::Ne));
                return Inferred::Flag;
            }
            BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte => {
                self.ordered(&sides[0], &sides[1]);
                return Inferred::Flag;
            }
            _ => {}
        }
        if matches!(op.op, BinOpKind::In) {
            self.contained(&sides[0], &sides[1]);
        }
        let [(_, left), (_, right)] = sides;
        let operator = symbol(&op.op);
        if let Some(operator) = operator {
            let range = extent(&op.left).start..extent(&op.right).end;
            self.arithmetic(operator, range, no_number(&op.op, &left, &right), &[&left, &right]);
        }
        match op.op {
            // The left operand is the value only if it counts as false.
            BinOpKind::ScAnd => {
                if right == Inferred::Omitted {
                    self.conflict(
                        extent(&op.left).start..extent(&op.right).end,
                        ConflictKind::OmittedIfThere,
                    );
                }
                Inferred::Unknown.or(right)
            }
            BinOpKind::ScOr => left.present().or(right),
            BinOpKind::In => Inferred::Flag,
            BinOpKind::Concat => Inferred::Text,
            _ if operator.is_some() && sides_differ(&op.op, &left, &right) => {
                let operator = operator.unwrap_or_default();
                let range = extent(&op.left).start..extent(&op.right).end;
                self.conflict(range, ConflictKind::TextAndNumber { operator });
                Inferred::Unknown
            }
            BinOpKind::Add if is_text(&left) && is_text(&right) => Inferred::Text,
            BinOpKind::Add if is_list(&left) && is_list(&right) => {
                Inferred::List(Box::new(result::member(&left).or(result::member(&right))))
            }
            BinOpKind::FloorDiv => Inferred::Integer,
            BinOpKind::Add | BinOpKind::Sub | BinOpKind::Mul | BinOpKind::Rem
                if is_whole(&left) && is_whole(&right) =>
            {
                Inferred::Integer
            }
            _ if operator.is_some() && both_numbers(&left, &right) => Inferred::Number,
            _ => Inferred::Unknown,
        }
    }

    /// Complains about `value[1:]` of what has no parts.
    pub(super) fn sliced(&mut self, expr: &Expr<'_>, value: &Inferred<'s>) {
        self.there(expr, value);
        let filter = "[:]".to_owned();
        if let Some(found) = unsliceable(value) {
            let takes = "text or a list";
            self.conflict(extent(expr), ConflictKind::Misread { filter, takes, found });
        } else if value.may_be(&Inferred::Constant(Value::Null)) {
            self.conflict(extent(expr), ConflictKind::MaybeNull { filter });
        }
    }

    /// Complains about an operator that takes numbers and is given something else, or null.
    pub(super) fn arithmetic(
        &mut self,
        operator: &'static str,
        range: Range<usize>,
        other: Option<Class>,
        sides: &[&Inferred<'s>],
    ) {
        let is_null = |side: &&Inferred<'s>| side.may_be(&Inferred::Constant(Value::Null));
        if let Some(found) = other {
            self.conflict(range, ConflictKind::NoNumber { operator, found });
        } else if sides.iter().any(is_null) {
            self.conflict(range, ConflictKind::MaybeNull { filter: operator.to_owned() });
        }
    }

    /// `a == b` of which one is a list, a mapping or a computed number, and the other one written out as something else.
    pub(super) fn equal(&mut self, left: &Operand<'_, '_, 's>, right: &Operand<'_, '_, 's>, negated: bool) {
        let range = extent(left.0).start..extent(right.0).end;
        let exprs = (left.0, right.0);
        let (left, right) = (&left.1, &right.1);
        let is_number = |side: &Inferred<'_>| matches!(side, Inferred::Number | Inferred::Integer);
        if is_number(left) && is_word(right) || is_number(right) && is_word(left) {
            return self.conflict(range, ConflictKind::NotANumber { negated });
        }
        self.words(left, right, &range);
        self.words(right, left, &range);
        let constant = |side: &Inferred<'s>| match side {
            Inferred::Constant(value) => Some(Class::of(value)),
            _ => None,
        };
        let (other, written) = match (constant(left), constant(right)) {
            (None, Some(written)) => (left, written),
            (Some(written), None) => (right, written),
            _ => return,
        };
        let operand = if constant(left).is_none() { exprs.0 } else { exprs.1 };
        let computed =
            matches!(other, Inferred::Text | Inferred::Number | Inferred::Integer | Inferred::Flag);
        let computed = computed || other.class() == Some(Class::Scalar) && never_null(operand);
        if written == Class::Null && computed {
            let kind = ConflictKind::Unequal { left: Class::Scalar, right: Class::Null, negated };
            return self.conflict(range, kind);
        }
        let Some(found @ (Class::List | Class::Mapping)) = other.class() else { return };
        // Null is what a list never is; a record that is not found is.
        let unequal = match written {
            Class::Null => found == Class::List && !other.may_be_null(),
            written => written != found,
        };
        if unequal {
            self.conflict(range, ConflictKind::Unequal { left: found, right: written, negated });
        }
    }

    /// `left in right` where `right` contains nothing, or words that `left` never is.
    pub(super) fn contained(&mut self, left: &Operand<'_, '_, 's>, right: &Operand<'_, '_, 's>) {
        let range = extent(left.0).start..extent(right.0).end;
        let (left, right) = (&left.1, &right.1);
        self.words(left, right, &range);
        if let Inferred::Declared(shape) = right
            && let Some(items) = shape.items.as_deref().filter(|_| shape.any_of.is_empty() && !shape.doubtful)
            && matches!(left, Inferred::Constant(Value::String(_)))
        {
            self.words(&Inferred::Declared(items), left, &range);
        }
        if let Inferred::Declared(shape) = right
            && right.class() == Some(Class::Mapping)
            && let Inferred::Constant(Value::String(name)) = left
            && shape.step(&PathStep::Field(name.clone())).is_err()
        {
            let kind = ConflictKind::ContainsNothing { found: Class::Mapping, field: Some(name.clone()) };
            return self.conflict(range, kind);
        }
        if right.may_lack_members() {
            let by = Some("in".to_owned());
            return self.conflict(range, ConflictKind::AbsentMember { by });
        }
        if let Some(found) = unsearchable(right) {
            return self.conflict(range, ConflictKind::Unsearchable { found });
        }
        let is_single = matches!(right, Inferred::Constant(Value::String(_)) | Inferred::Text);
        if is_single && matches!(left.class(), Some(Class::List | Class::Mapping)) {
            self.conflict(range, ConflictKind::ContainsNothing { found: Class::Scalar, field: None });
        }
    }

    /// A written word that the other side, one of several words, never is. Only misspelt ones are told: descriptions
    /// may lack some.
    fn words(&mut self, side: &Inferred<'s>, written: &Inferred<'s>, range: &Range<usize>) {
        let Inferred::Declared(shape) = side else { return };
        let known: Vec<&str> = shape.values.iter().filter_map(Value::as_str).collect();
        if shape.doubtful || !shape.any_of.is_empty() || known.is_empty() {
            return;
        }
        let words: Vec<&str> = match written {
            Inferred::Constant(Value::String(word)) => vec![word],
            Inferred::Constant(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        for word in words.into_iter().filter(|word| !known.contains(word)) {
            if closest(word, known.iter().copied()).is_some() {
                let known = known.iter().map(|word| (*word).to_owned()).collect();
                self.conflict(range.clone(), ConflictKind::OtherWord { name: word.to_owned(), known });
            }
        }
    }

    /// Operands that are neither paths nor constants; those are compared by their shapes.
    pub(super) fn ordered(&mut self, left: &Operand<'_, '_, 's>, right: &Operand<'_, '_, 's>) {
        let is_computed = |expr: &Expr<'_>| path(expr).is_none() && expr.as_const().is_none();
        let sides = [(left, right), (right, left)];
        let found = sides.into_iter().find_map(|((expr, side), (beside, other))| match side {
            _ if !is_computed(expr) => None,
            _ if zones_differ(side, other) => Some("a date, which has no time zone, beside a time"),
            Inferred::Day | Inferred::Moment if is_number(other) => Some("text beside a number"),
            Inferred::Text if is_number(other) && !writes_number(expr) => {
                Some("text beside a number, which fails where the text is none")
            }
            Inferred::Flag => Some("true or false"),
            Inferred::Number | Inferred::Integer if is_word(other) || other.when().is_some() => {
                Some("text beside a number")
            }
            Inferred::Number | Inferred::Integer if is_text(other) && !writes_number(beside) => {
                Some("text beside a number, which fails where the text is none")
            }
            Inferred::OneOf(all) if is_number(other) && all.iter().any(is_word) => {
                Some("text beside a number")
            }
            Inferred::OneOf(all) => all.iter().find_map(without_order),
            side => without_order(side),
        });
        if let Some(found) = found {
            let range = extent(left.0).start..extent(right.0).end;
            self.conflict(range, ConflictKind::Unordered { found });
        }
    }

    /// Two values that a test compares by order.
    pub(super) fn in_order(
        &mut self,
        one: &Inferred<'s>,
        other: &Inferred<'s>,
        numeric: bool,
        range: Range<usize>,
    ) {
        let number = |side: &Inferred<'s>| side.kind() == Some(Kind::Number);
        let beside = is_text(one) && number(other) || number(one) && is_text(other) && !numeric;
        let found = match beside {
            true => Some("text beside a number, which fails where the text is none"),
            false => [one, other].into_iter().find_map(|side| match side {
                Inferred::Flag => Some("true or false"),
                side => side.alternatives().into_iter().find_map(without_order),
            }),
        };
        if let Some(found) = found {
            self.conflict(range, ConflictKind::Unordered { found });
        }
    }
}

/// An operator that takes numbers.
fn symbol(operator: &BinOpKind) -> Option<&'static str> {
    Some(match operator {
        BinOpKind::Add => "+",
        BinOpKind::Sub => "-",
        BinOpKind::Mul => "*",
        BinOpKind::Div => "/",
        BinOpKind::FloorDiv => "//",
        BinOpKind::Rem => "%",
        BinOpKind::Pow => "**",
        _ => return None,
    })
}
