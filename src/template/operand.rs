//! What is certain of an operand or an input: its type, and whether it may be null.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr};
use minijinja::value::Value as Datum;

use super::inferred::{Class, Inferred, When};
use super::misread::is_flag;
use super::presence::is_default;
use crate::value::{Kind, Value};

/// `… | default(none)`.
pub(super) fn defaults_to_null(expr: &Expr<'_>) -> bool {
    defaults_to(expr).is_some_and(|value| value.is_none())
}

/// `… | default('')`.
pub(super) fn never_null(expr: &Expr<'_>) -> bool {
    defaults_to(expr).is_some_and(|value| !value.is_none())
}

/// The value of an expression that ends with a default, where it has no other.
fn defaults_to(expr: &Expr<'_>) -> Option<Datum> {
    let Expr::Filter(filter) = expr else { return None };
    match filter.args.first() {
        _ if !is_default(filter.name) => None,
        None => Some(Datum::from("")),
        Some(CallArg::Pos(value)) => value.as_const(),
        Some(_) => None,
    }
}

/// Filters that write a number as text, as a rule.
const WRITES_NUMBERS: [&str; 6] = ["date", "fixed", "regex_find", "string", "trim", "first"];

/// Whether a text that an expression makes may well be a number.
pub(super) fn writes_number(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Filter(filter) if WRITES_NUMBERS.contains(&filter.name))
}

/// Whether a date without a time is compared with a time.
pub(super) fn zones_differ(left: &Inferred<'_>, right: &Inferred<'_>) -> bool {
    let (left, right) = (left.alternatives(), right.alternatives());
    let has = |side: &[&Inferred<'_>], when| side.iter().any(|one| one.when() == Some(when));
    has(&left, When::Day) && has(&right, When::Moment) || has(&left, When::Moment) && has(&right, When::Day)
}

/// A list or mapping that the operator, which takes numbers, fails on.
pub(super) fn no_number(operator: &BinOpKind, left: &Inferred<'_>, right: &Inferred<'_>) -> Option<Class> {
    let compound = |side: &Inferred<'_>| {
        side.alternatives()
            .into_iter()
            .filter_map(Inferred::class)
            .find(|class| matches!(class, Class::List | Class::Mapping))
    };
    match operator {
        BinOpKind::Add => match (compound(left), compound(right)) {
            (Some(Class::List), Some(Class::List)) | (None, None) => None,
            (Some(Class::List), None) if right.class().is_none() => None,
            (None, Some(Class::List)) if left.class().is_none() => None,
            (found, other) => found.or(other),
        },
        // `[0] * 3` repeats a list.
        BinOpKind::Mul => match (compound(left), compound(right)) {
            (Some(Class::List), None) | (None, Some(Class::List)) => None,
            (found, other) => found.or(other),
        },
        BinOpKind::Sub | BinOpKind::Div | BinOpKind::FloorDiv | BinOpKind::Rem | BinOpKind::Pow => {
            compound(left).or_else(|| compound(right))
        }
        _ => None,
    }
}

/// The entry of a mapping with a computed key; nothing where it has none.
pub(super) fn looked_up<'s>(holder: &Inferred<'s>, key: &Inferred<'_>) -> Inferred<'s> {
    if holder.class() != Some(Class::Mapping) {
        return Inferred::Unknown;
    }
    let Inferred::Constant(Value::Object(entries)) = holder else {
        return Inferred::Unknown.or(Inferred::Absent);
    };
    let mut words: Vec<&Value> = Vec::new();
    let mut are_known = true;
    for one in key.alternatives() {
        match one {
            Inferred::Declared(shape) if !shape.values.is_empty() && !shape.nullable => {
                words.extend(&shape.values);
            }
            Inferred::Constant(word) => words.push(word),
            _ => are_known = false,
        }
    }
    let has = |word: &&Value| word.as_str().is_some_and(|word| entries.contains_key(word));
    let value = entries.values().cloned().map(Inferred::Constant).reduce(Inferred::or);
    match value {
        Some(value) if are_known && words.iter().all(has) => value,
        Some(value) => value.or(Inferred::Absent),
        None => Inferred::Absent,
    }
}

/// Whether the operator fails on these operands.
pub(super) fn sides_differ(operator: &BinOpKind, left: &Inferred<'_>, right: &Inferred<'_>) -> bool {
    let numbers = |side: &Inferred<'_>| side.kind() == Some(Kind::Number);
    match operator {
        BinOpKind::Add => is_text(left) && numbers(right) || numbers(left) && is_text(right),
        // `'-' * 20` repeats a text.
        BinOpKind::Mul if is_word(left) || is_word(right) => is_text(left) && is_text(right),
        _ => is_text(left) || is_text(right),
    }
}

/// Why members of a list have no order, in words.
pub(super) fn unordered(member: &Inferred<'_>) -> Option<&'static str> {
    let all = member.alternatives();
    let any = |fits: &dyn Fn(&Inferred<'_>) -> bool| all.iter().any(|one| fits(one));
    let compound = all.iter().filter(|one| !one.is_null()).find_map(|one| without_order(one));
    if compound.is_some() {
        return compound;
    }
    if any(&is_flag) {
        return Some("true or false");
    }
    if any(&|one| one.kind() == Some(Kind::Number)) {
        if any(&|one| is_word(one) || one.when().is_some()) {
            return Some("text beside a number");
        }
        let is_computed = |one: &Inferred<'_>| is_text(one) && !matches!(one, Inferred::Constant(_));
        return any(&is_computed).then_some("text beside a number, which fails where the text is none");
    }
    zones_differ(member, member).then_some("a date, which has no time zone, beside a time")
}

/// What is known to have no order, in words: a list or a mapping.
pub(super) fn without_order(side: &Inferred<'_>) -> Option<&'static str> {
    if side.is_null() {
        return Some(Class::Null.describe());
    }
    side.class().filter(|class| matches!(class, Class::List | Class::Mapping)).map(Class::describe)
}

/// The class of a value, or of what it is where no default takes its place.
pub(super) fn main_class(value: &Inferred<'_>) -> Option<Class> {
    value.class().or_else(|| value.alternatives().first()?.class())
}

/// Whether it is certainly text.
pub(super) fn is_text(side: &Inferred<'_>) -> bool {
    side.kind() == Some(Kind::String)
}

/// Whether it is certainly a list.
pub(super) fn is_list(side: &Inferred<'_>) -> bool {
    side.class() == Some(Class::List)
}

pub(super) fn both_numbers(left: &Inferred<'_>, right: &Inferred<'_>) -> bool {
    [left, right].iter().all(|side| side.kind() == Some(Kind::Number))
}

pub(super) fn is_number(side: &Inferred<'_>) -> bool {
    matches!(side, Inferred::Number | Inferred::Integer | Inferred::Constant(Value::Number(_)))
}

/// Whether it is certainly a whole number.
pub(super) fn is_whole(side: &Inferred<'_>) -> bool {
    match side {
        Inferred::Integer => true,
        Inferred::Constant(Value::Number(number)) => !number.is_f64(),
        Inferred::Declared(shape) => {
            shape.kind == Kind::Integer && shape.any_of.is_empty() && !shape.doubtful
        }
        _ => false,
    }
}

/// Whether it is a text that is not a number.
pub(super) fn is_word(side: &Inferred<'_>) -> bool {
    matches!(side, Inferred::Constant(Value::String(text)) if text.trim().parse::<f64>().is_err())
}

/// Whether a test compares by order.
pub(super) fn compares(test: &str) -> bool {
    ["lt", "le", "gt", "ge"].contains(&test)
}
