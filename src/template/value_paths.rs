//! The paths whose value is a template's value, apart from letter case, white space and what is chosen among.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};

use super::name_use::PathStep;
use super::omit;
use super::parse::Template;
use super::required_values::path;
use super::syntax::{self, clamp, extent};

/// Filters that give their input, some of its members or another notation of it.
const HAND_ON: [&str; 11] = [
    "lower",
    "upper",
    "trim",
    "string",
    "list",
    "unique",
    "reverse",
    "sort",
    "select",
    "selectattr",
    "rejectattr",
];
/// Filters that read a time.
const TIMES: [&str; 5] = ["date", "iso8601", "epoch", "epoch_ms", "add_time"];
/// Filters that give their input or an argument.
const CHOOSE: [&str; 3] = ["default", "d", "coalesce"];

/// A path whose value a template may come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath {
    /// The first name.
    pub root: String,
    /// The path's steps.
    pub steps: Vec<PathStep>,
    /// Its range, in bytes of the template's text.
    pub range: Range<usize>,
}

impl Template {
    /// The paths whose value it may come to; none if it is not a single expression.
    pub fn value_paths(&self) -> Vec<ValuePath> {
        self.values().paths
    }

    /// The texts that are written in it which it may come to; none if it is not a single expression.
    pub fn value_texts(&self) -> Vec<String> {
        self.values().texts
    }

    fn values(&self) -> Values {
        let mut found = Values::default();
        if self.is_whole()
            && let Ok(template) = syntax::statements(self.text())
            && let Some(only) = syntax::only_expression(&template)
        {
            collect(self.text(), &only.expr, &mut found);
        }
        found
    }

    /// The paths of which the value is read as a time, by filters such as `date`.
    pub fn time_paths(&self) -> Vec<ValuePath> {
        let mut found = Values::default();
        if TIMES.iter().any(|filter| self.text().contains(filter))
            && let Ok(Stmt::Template(parts)) = syntax::statements(self.text())
        {
            for part in &parts.children {
                if let Stmt::EmitExpr(part) = part {
                    times(self.text(), &part.expr, &mut found);
                }
            }
        }
        found.paths
    }
}

/// What a template may come to.
#[derive(Default)]
struct Values {
    paths: Vec<ValuePath>,
    texts: Vec<String>,
}

/// The inputs of filters for times in an expression.
fn times(text: &str, expr: &Expr<'_>, found: &mut Values) {
    match expr {
        Expr::Filter(filter) => {
            if let Some(input) = &filter.expr {
                if TIMES.contains(&filter.name) {
                    collect(text, input, found);
                }
                times(text, input, found);
            }
        }
        Expr::BinOp(op) => {
            times(text, &op.left, found);
            times(text, &op.right, found);
        }
        Expr::IfExpr(choice) => {
            times(text, &choice.test_expr, found);
            times(text, &choice.true_expr, found);
            choice.false_expr.iter().for_each(|otherwise| times(text, otherwise, found));
        }
        Expr::Compare(compare) => {
            times(text, &compare.expr, found);
            compare.ops.iter().for_each(|op| times(text, &op.expr, found));
        }
        Expr::UnaryOp(op) => times(text, &op.expr, found),
        _ => {}
    }
}

fn collect(text: &str, expr: &Expr<'_>, found: &mut Values) {
    if let Some((root, steps)) = path(expr) {
        if root != omit::NAME {
            found.paths.push(ValuePath { root: root.to_owned(), steps, range: clamp(text, extent(expr)) });
        }
        return;
    }
    if let Some(value) = expr.as_const() {
        found.texts.extend(value.as_str().map(str::to_owned));
        return;
    }
    match expr {
        Expr::Filter(filter) if HAND_ON.contains(&filter.name) => {
            filter.expr.iter().for_each(|input| collect(text, input, found));
        }
        Expr::Filter(filter) if CHOOSE.contains(&filter.name) => {
            filter.expr.iter().for_each(|input| collect(text, input, found));
            if filter.args.is_empty() {
                found.texts.push(String::new());
            }
            for argument in &filter.args {
                if let CallArg::Pos(other) = argument {
                    collect(text, other, found);
                }
            }
        }
        Expr::BinOp(op) if matches!(op.op, BinOpKind::ScOr) => {
            collect(text, &op.left, found);
            collect(text, &op.right, found);
        }
        Expr::BinOp(op) if matches!(op.op, BinOpKind::ScAnd) => collect(text, &op.right, found),
        Expr::IfExpr(choice) => {
            collect(text, &choice.true_expr, found);
            choice.false_expr.iter().for_each(|otherwise| collect(text, otherwise, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_found() {
        for (text, wanted) in [
            ("{{ event.email }}", "event.email"),
            ("{{ event.email | lower | trim }}", "event.email"),
            ("{{ steps.a.id | default(steps.b.id | default(none)) }}", "steps.a.id steps.b.id"),
            ("{{ event.a or event.b or omit }}", "event.a event.b"),
            ("{{ event.a if event.c else event.b }}", "event.a event.b"),
            ("{{ steps.list | first }}", "steps.list | first"),
            ("{{ event.a ~ event.b }}", ""),
            ("{{ event.a | length }}", ""),
            ("x {{ event.a }}", ""),
        ] {
            let template = Template::parse(text).unwrap();
            let found: Vec<&str> = template.value_paths().into_iter().map(|path| &text[path.range]).collect();
            assert_eq!(found.join(" "), wanted, "{text}");
        }
    }

    #[test]
    fn written_texts_and_times_are_found() {
        let texts = |text: &str| Template::parse(text).unwrap().value_texts();
        assert_eq!(texts("{{ event.email | default | lower }}"), [""]);
        assert_eq!(texts("{{ event.email | default('x') or 'y' }}"), ["x", "y"]);
        assert_eq!(texts("{{ event.email | replace('a', 'b') }}"), [""; 0]);
        let text = "{{ 'x' if event.a else event.id | date('%d') }} {{ event.b | trim | add_time('1d') }}";
        let found = Template::parse(text).unwrap().time_paths();
        let found: Vec<&str> = found.into_iter().map(|path| &text[path.range]).collect();
        assert_eq!(found, ["event.id", "event.b"]);
    }
}
