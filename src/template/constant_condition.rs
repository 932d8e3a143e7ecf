//! Conditions with a constant outcome: `{{ 'x' }}`, `{{ a == 'b' or 'c' }}`.

use std::ops::Range;

use minijinja::machinery::ast::{BinOp, BinOpKind, CompareOpKind, Expr, ForLoop, Spanned, Stmt, UnaryOpKind};
use minijinja::value::Value as Datum;

use super::parse::Template;
use super::required_values::{path, written};
use super::syntax::{self, bytes, extent};
use super::truth::truthy;
use super::{Scope, convert, engine, lower};

/// A constant part of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// Its range, in bytes of the template's text.
    pub range: Range<usize>,
    /// Whether it is true.
    pub holds: bool,
    /// Whether it determines the whole condition.
    pub settles: bool,
    /// The likely intended comparison: `event.status in ['a', 'b']`.
    pub meant: Option<String>,
}

impl Template {
    /// Constant parts of the conditions in this template, including the template itself if it `is_one`.
    pub fn constants(&self, is_one: bool) -> Vec<Constant> {
        let mut finder = Finder { text: self.text(), found: Vec::new() };
        let Ok(template) = syntax::statements(self.text()) else { return Vec::new() };
        if is_one && let Some(only) = syntax::only_expression(&template) {
            finder.condition(&only.expr, true);
        }
        finder.statement(&template);
        finder.found
    }
}

struct Finder<'t> {
    text: &'t str,
    found: Vec<Constant>,
}

impl Finder<'_> {
    fn statement(&mut self, stmt: &Stmt<'_>) {
        match stmt {
            Stmt::Template(t) => t.children.iter().for_each(|inner| self.statement(inner)),
            Stmt::EmitExpr(e) => self.expression(&e.expr),
            Stmt::IfCond(c) => {
                self.condition(&c.expr, true);
                c.true_body.iter().chain(&c.false_body).for_each(|inner| self.statement(inner));
            }
            Stmt::ForLoop(f) => self.for_loop(f),
            Stmt::Set(s) => self.expression(&s.expr),
            _ => {}
        }
    }

    fn for_loop(&mut self, f: &ForLoop<'_>) {
        if let Some(filter) = &f.filter_expr {
            self.condition(filter, true);
        }
        f.body.iter().chain(&f.else_body).for_each(|inner| self.statement(inner));
    }

    /// Visits conditions within a value.
    fn expression(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::IfExpr(i) => {
                self.condition(&i.test_expr, true);
                self.expression(&i.true_expr);
                i.false_expr.iter().for_each(|inner| self.expression(inner));
            }
            Expr::Filter(f) => f.expr.iter().for_each(|inner| self.expression(inner)),
            _ => {}
        }
    }

    /// `settles` is true while nothing else affects the result of `expr`.
    fn condition(&mut self, expr: &Expr<'_>, settles: bool) {
        if let Some(holds) = fixed(self.text, expr) {
            // In `a or 'b'`, the culprit is `'b'`.
            if let Expr::BinOp(op) = expr
                && is_logical(op)
                && let Some(part) =
                    [&op.right, &op.left].into_iter().find(|part| fixed(self.text, part) == Some(holds))
            {
                self.add(part, holds, settles, meant(self.text, op));
            } else {
                self.add(expr, holds, settles, None);
            }
            return;
        }
        match expr {
            Expr::BinOp(op) if is_logical(op) => {
                if let Some((holds, meant)) = contradictory(self.text, op) {
                    self.add(expr, holds, settles, meant);
                    return;
                }
                for part in [&op.left, &op.right] {
                    self.condition(part, false);
                }
            }
            Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => self.condition(&op.expr, settles),
            _ => {}
        }
    }

    fn add(&mut self, expr: &Expr<'_>, holds: bool, settles: bool, meant: Option<String>) {
        let mut range = syntax::clamp(self.text, extent(expr));
        // The engine's span of a constant-folded expression begins before the braces.
        let shown = &self.text[range.clone()];
        range.start += shown.len() - shown.trim_start_matches(['{', '%', '-', ' ']).len();
        self.found.push(Constant { range, holds, settles, meant });
    }
}

fn is_logical(op: &BinOp<'_>) -> bool {
    matches!(op.op, BinOpKind::ScAnd | BinOpKind::ScOr)
}

/// The truth of `expr` if it does not depend on data.
fn fixed(text: &str, expr: &Expr<'_>) -> Option<bool> {
    match expr {
        Expr::BinOp(op) if is_logical(op) => {
            let sides = [fixed(text, &op.left), fixed(text, &op.right)];
            let settling = matches!(op.op, BinOpKind::ScOr);
            match sides {
                [left, right] if left == Some(settling) || right == Some(settling) => Some(settling),
                [Some(_), Some(_)] => Some(!settling),
                _ => None,
            }
        }
        Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => fixed(text, &op.expr).map(|holds| !holds),
        Expr::List(list) if !list.items.is_empty() => Some(true),
        Expr::Tuple(tuple) if !tuple.items.is_empty() => Some(true),
        Expr::Map(map) if !map.keys.is_empty() => Some(true),
        Expr::IfExpr(i) => {
            let (yes, no) = (fixed(text, &i.true_expr)?, fixed(text, i.false_expr.as_ref()?)?);
            (yes == no).then_some(yes)
        }
        _ if names_nothing(expr) => evaluated(text, expr),
        _ => None,
    }
}

/// `a == 'x' and a == 'y'` is never true, and `a != 'x' or a != 'y'` always; with what was meant.
fn contradictory(text: &str, op: &Spanned<BinOp<'_>>) -> Option<(bool, Option<String>)> {
    let holds = matches!(op.op, BinOpKind::ScOr);
    let mut compared = Vec::new();
    comparisons(&op.left, holds, &mut compared);
    let before = compared.len();
    comparisons(&op.right, holds, &mut compared);
    let differ = |one: &Compared, other: &Compared| one.path == other.path && one.value != other.value;
    let mut pairs = compared
        .iter()
        .enumerate()
        .flat_map(|(at, one)| compared[..at].iter().map(move |other| (other, one)));
    let (first, second) = pairs.find(|(other, one)| differ(one, other))?;
    let is_all = before == 1 && compared.len() == 2;
    let written = |range: &Range<usize>| text.get(range.clone());
    let word = if holds { "not in" } else { "in" };
    let meant = || {
        let values = [written(&first.value_range)?, written(&second.value_range)?];
        Some(format!("{} {word} [{}]", written(&first.path_range)?, values.join(", ")))
    };
    Some((holds, if is_all { meant() } else { None }))
}

/// A path that is compared with a constant.
struct Compared {
    path: String,
    value: String,
    path_range: Range<usize>,
    value_range: Range<usize>,
}

/// The paths that the parts of a chain of `and` compare by `==`, or of a chain of `or` by `!=`, with a text or number.
fn comparisons(expr: &Expr<'_>, negated: bool, found: &mut Vec<Compared>) {
    let mut add = |left: &Expr<'_>, right: &Expr<'_>| {
        let is_plain = |value: &Datum| value.as_str().is_some() || value.is_number();
        for (side, other) in [(left, right), (right, left)] {
            if let (Some((root, steps)), Some(value)) = (path(side), other.as_const().filter(is_plain)) {
                found.push(Compared {
                    path: written(root, &steps),
                    value: value.to_string(),
                    path_range: extent(side),
                    value_range: extent(other),
                });
            }
        }
    };
    match expr {
        Expr::BinOp(op) if matches!(op.op, BinOpKind::ScOr) == negated && is_logical(op) => {
            comparisons(&op.left, negated, found);
            comparisons(&op.right, negated, found);
        }
        Expr::BinOp(op) if matches!(op.op, BinOpKind::Ne) && negated => add(&op.left, &op.right),
        Expr::BinOp(op) if matches!(op.op, BinOpKind::Eq) && !negated => add(&op.left, &op.right),
        Expr::Compare(compare) => {
            if let [only] = compare.ops.as_slice() {
                let fits = match only.op {
                    CompareOpKind::Ne => negated,
                    CompareOpKind::Eq => !negated,
                    _ => false,
                };
                if fits {
                    add(&compare.expr, &only.expr);
                }
            }
        }
        _ => {}
    }
}

fn names_nothing(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(_) => true,
        Expr::UnaryOp(op) => names_nothing(&op.expr),
        Expr::BinOp(op) => names_nothing(&op.left) && names_nothing(&op.right),
        Expr::Compare(c) => names_nothing(&c.expr) && c.ops.iter().all(|op| names_nothing(&op.expr)),
        Expr::List(l) => l.items.iter().all(names_nothing),
        Expr::Filter(f) => f.args.is_empty() && f.expr.as_ref().is_some_and(names_nothing),
        _ => false,
    }
}

fn evaluated(text: &str, expr: &Expr<'_>) -> Option<bool> {
    let lowered = lower::expression(expr).ok()?;
    let value = engine::expression(text, &lowered, &Scope::new(chrono::DateTime::UNIX_EPOCH)).ok()?;
    convert::to_json(&value).ok().map(|value| truthy(&value))
}

/// `a == 'x' or 'y'` is intended as `a in ['x', 'y']`.
fn meant(text: &str, op: &Spanned<BinOp<'_>>) -> Option<String> {
    let mut parts = vec![text.get(bytes(op.right.span()))?];
    if !matches!(op.right, Expr::Const(_)) {
        return None;
    }
    let mut left = &op.left;
    loop {
        match left {
            Expr::BinOp(inner)
                if matches!(inner.op, BinOpKind::ScOr) && matches!(inner.right, Expr::Const(_)) =>
            {
                parts.push(text.get(bytes(inner.right.span()))?);
                left = &inner.left;
            }
            Expr::BinOp(compare) => {
                parts.push(text.get(bytes(compare.right.span()))?);
                parts.reverse();
                let of = text.get(extent(&compare.left))?;
                let word = match compare.op {
                    BinOpKind::Eq => "in",
                    BinOpKind::Ne => "not in",
                    _ => return None,
                };
                return Some(format!("{of} {word} [{}]", parts.join(", ")));
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, bool, bool, Option<String>)> {
        let template = Template::parse(text).unwrap();
        let constants = template.constants(true).into_iter();
        constants.map(|c| (text[c.range].to_owned(), c.holds, c.settles, c.meant)).collect()
    }

    #[test]
    fn constant_parts_are_found() {
        let one = |part: &str, holds, settles| vec![(part.to_owned(), holds, settles, None)];
        assert_eq!(found("{{ 'x' }}"), one("'x'", true, true));
        assert_eq!(found("{{ 'no' }}"), one("'no'", false, true));
        assert_eq!(found("{{ not 'x' }}"), one("not 'x'", false, true));
        assert_eq!(found("{{ true or a }}"), one("true", true, true));
        assert_eq!(found("{{ a and false }}"), one("false", false, true));
        assert_eq!(found("{{ 1 == 1 }}"), one("1 == 1", true, true));
        assert_eq!(found("{{ [a] }}"), one("[a]", true, true));
        assert_eq!(found("{{ a and 'x' }}"), one("'x'", true, false));
        assert_eq!(found("{{ 1 if a or 'b' else 2 }}").len(), 2, "as a whole, and its test");
        assert_eq!(found("x {% if 'b' %}c{% endif %}"), one("'b'", true, true));
        assert_eq!(found("{{ a.b == 'x' and c and a.b == 'y' }}").len(), 1, "never");
        let always = found("{{ a.b != 'x' or a.b != 'y' }}").remove(0);
        assert_eq!((always.1, always.2, always.3.as_deref()), (true, true, Some("a.b not in ['x', 'y']")));
        for other in
            ["{{ a == 'x' and b == 'y' }}", "{{ a != 'x' and a != 'y' }}", "{{ a == 'x' and a == 'x' }}"]
        {
            assert_eq!(found(other), [], "{other}");
        }
        for other in
            ["{{ a }}", "{{ a or b }}", "{{ a | default('x') }}", "{{ now() }}", "{{ a == 'x' or b == 'y' }}"]
        {
            assert_eq!(found(other), [], "{other}");
        }
    }

    #[test]
    fn intended_lists_are_recognised() {
        let meant = |text: &str| found(text).remove(0).3;
        assert_eq!(meant("{{ a.b == 'x' or 'y' }}").as_deref(), Some("a.b in ['x', 'y']"));
        assert_eq!(meant("{{ a.b == 'x' or 'y' or 'z' }}").as_deref(), Some("a.b in ['x', 'y', 'z']"));
        assert_eq!(meant("{{ a.b and 'y' }}"), None);
    }
}
