//! Splits a template's text into pieces: from its author, and from outside.
//!
//! Values from outside are put between marks during evaluation, so that the pieces are right through loops and
//! conditions. `~` and `+` between texts, both sides of an `if`, `| join` of a literal list and `| replace` in a
//! literal text preserve the pieces, and so do texts of other templates with pieces.

use minijinja::machinery::ast::{BinOp, BinOpKind, CallArg, Expr, Filter, IfExpr, List, Spanned};
use minijinja::value::{Value as Datum, ValueKind};
use std::ops::Range;

use super::engine;
use super::error::Error;
use super::explain::Explainer;
use super::hidden_filters::{FILLED, JOINED, PRESENT, SNAPPED};
use super::lower::{self, Lowered, constant, filter};
use super::marks::{BEGIN, END, TEXT, mark};
use super::origin::{Sources, Walk};
use super::parse::Template;
use super::presence::is_default;
use super::scope::Scope;
use super::syntax::{self, extent};
use crate::value::address::{Origin, Piece};

impl Template {
    /// The pieces of its text; `None` if its value is not text, or `omit`.
    pub fn pieces(&self, scope: &Scope, sources: &Sources) -> Result<Option<Vec<Piece>>, Error> {
        let template = syntax::statements(self.text())?;
        let walk = Walk::analyse(&template, sources);
        let explainer = Explainer::new(self, scope);
        if !self.is_whole() {
            let lowered = lower::statement_by(&template, &|expr| marked(&walk, expr, true))?;
            let text = engine::render(self.text(), &lowered, scope);
            return text.map(|text| Some(split(&text))).map_err(|error| explainer.explain(&error));
        }
        let Some(only) = syntax::only_expression(&template) else { return Ok(None) };
        let lowered = marked(&walk, &only.expr, false)?;
        let value = engine::expression(self.text(), &lowered, scope);
        let value = value.map_err(|error| explainer.explain(&error))?;
        Ok(value.as_str().map(split))
    }
}

/// `expr` with marks around texts from outside; converted like operands of `~` if `joined`.
fn marked<'a>(walk: &Walk<'_, 'a>, expr: &Expr<'a>, joined: bool) -> Lowered<Expr<'a>> {
    if let Some(text) = made_of_pieces(walk, expr) {
        return Ok(constant(Datum::from(text), expr.span()));
    }
    match expr {
        Expr::BinOp(op) if matches!(op.op, BinOpKind::Concat) => binary(walk, op, true),
        Expr::BinOp(op) if is_text(expr) => {
            Ok(filter(SNAPPED, binary(walk, op, false)?, Vec::new(), op.span()))
        }
        // Both operands are marked individually; which one is used is decided before.
        Expr::BinOp(op) if matches!(op.op, BinOpKind::ScOr) => {
            let lowered = IfExpr {
                test_expr: lower::expression(&op.left)?,
                true_expr: marked(walk, &op.left, joined)?,
                false_expr: Some(marked(walk, &op.right, joined)?),
            };
            Ok(Expr::IfExpr(Spanned::new(lowered, op.span())))
        }
        Expr::IfExpr(i) => {
            let otherwise = match &i.false_expr {
                Some(otherwise) => marked(walk, otherwise, joined)?,
                None => constant(Datum::from(()), i.span()),
            };
            let lowered = IfExpr {
                test_expr: lower::test_of(&i.test_expr)?,
                true_expr: marked(walk, &i.true_expr, joined)?,
                false_expr: Some(otherwise),
            };
            Ok(Expr::IfExpr(Spanned::new(lowered, i.span())))
        }
        Expr::Filter(f) => filtered(walk, expr, f, joined),
        _ => leaf(walk, expr, joined),
    }
}

fn binary<'a>(walk: &Walk<'_, 'a>, op: &Spanned<BinOp<'a>>, joined: bool) -> Lowered<Expr<'a>> {
    let side = |side: &Expr<'a>| {
        let lowered = marked(walk, side, joined)?;
        Ok(if joined { filter(JOINED, lowered, Vec::new(), side.span()) } else { lowered })
    };
    let lowered = BinOp { op: op.op, left: side(&op.left)?, right: side(&op.right)? };
    Ok(Expr::BinOp(Spanned::new(lowered, op.span())))
}

fn filtered<'a>(
    walk: &Walk<'_, 'a>,
    expr: &Expr<'a>,
    f: &Spanned<Filter<'a>>,
    joined: bool,
) -> Lowered<Expr<'a>> {
    let input = match (f.name, &f.expr) {
        ("join", Some(Expr::List(list))) => {
            let items = list.items.iter().map(|item| marked(walk, item, true)).collect::<Lowered<_>>()?;
            let list = Expr::List(Spanned::new(List { items }, list.span()));
            filter(PRESENT, list, Vec::new(), f.span())
        }
        // Undefined values have no marks.
        (name, Some(input)) if is_default(name) && f.args.len() == 1 => {
            filled_in(lower::lenient(input)?, walk.origin(input), input, joined)
        }
        ("replace", Some(input)) if walk.origin(input) == Origin::Author => lower::expression(input)?,
        _ => return leaf(walk, expr, joined),
    };
    let argument = |arg: &CallArg<'a>| {
        Ok(match arg {
            CallArg::Pos(expr) => CallArg::Pos(marked(walk, expr, false)?),
            CallArg::Kwarg(name, expr) => CallArg::Kwarg(name, marked(walk, expr, false)?),
            CallArg::PosSplat(expr) => CallArg::PosSplat(marked(walk, expr, false)?),
            CallArg::KwargSplat(expr) => CallArg::KwargSplat(marked(walk, expr, false)?),
        })
    };
    let args = f.args.iter().map(argument).collect::<Lowered<_>>()?;
    Ok(Expr::Filter(Spanned::new(Filter { name: f.name, expr: Some(input), args }, f.span())))
}

fn leaf<'a>(walk: &Walk<'_, 'a>, expr: &Expr<'a>, joined: bool) -> Lowered<Expr<'a>> {
    let (lowered, origin) = (lower::expression(expr)?, walk.origin(expr));
    Ok(match origin {
        Origin::Outside if joined => {
            filled_in(filter(JOINED, lowered, Vec::new(), expr.span()), origin, expr, joined)
        }
        _ => filled_in(lowered, origin, expr, joined),
    })
}

/// `lowered`, the lowered `expr`, with marks around it if it comes from outside.
fn filled_in<'a>(lowered: Expr<'a>, origin: Origin, expr: &Expr<'a>, joined: bool) -> Expr<'a> {
    if origin == Origin::Author {
        return lowered;
    }
    let encoded = matches!(expr, Expr::Filter(f) if f.name == "urlencode");
    let range = extent(expr);
    let argument = |value: Datum| CallArg::Pos(constant(value, expr.span()));
    let about = about(&range, encoded);
    let args = vec![argument(about.into()), argument(joined.into())];
    filter(FILLED, lowered, args, expr.span())
}

/// The text of `vars.name` with marks, if its pieces are known.
fn made_of_pieces<'a>(walk: &Walk<'_, 'a>, expr: &Expr<'a>) -> Option<String> {
    let (of, name) = match expr {
        Expr::GetAttr(get) => (&get.expr, get.name.to_owned()),
        Expr::GetItem(get) => (&get.expr, get.subscript_expr.as_const()?.as_str()?.to_owned()),
        _ => return None,
    };
    let pieces = walk.sources().pieces(walk.root(of)?, &name)?;
    let range = extent(expr);
    let text = |piece: &Piece| match piece.origin {
        Origin::Author => piece.text.clone(),
        Origin::Outside => mark(&piece.text, &about(&range, piece.encoded)),
    };
    Some(pieces.iter().map(text).collect())
}

/// Whether `+` in `expr` joins texts, as far as it can be seen.
fn is_text(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(constant) => constant.value.kind() == ValueKind::String,
        Expr::BinOp(op) => match op.op {
            BinOpKind::Concat => true,
            BinOpKind::Add => is_text(&op.left) || is_text(&op.right),
            _ => false,
        },
        _ => false,
    }
}

/// The content of a piece's mark.
fn about(range: &Range<usize>, encoded: bool) -> String {
    format!("{} {} {encoded}", range.start, range.end)
}

/// Splits a text with marks into pieces.
fn split(text: &str) -> Vec<Piece> {
    let said =
        |text: &str| Piece { text: text.to_owned(), origin: Origin::Author, encoded: false, range: 0..0 };
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        pieces.push(said(before));
        let (about, after) = after.split_once(TEXT).unwrap_or(("", after));
        let (text, after) = after.split_once(END).unwrap_or((after, ""));
        let mut about = about.split(' ');
        let mut number = || about.next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let range = number()..number();
        let encoded = about.next() == Some("true");
        pieces.push(Piece { text: text.to_owned(), origin: Origin::Outside, encoded, range });
        rest = after;
    }
    pieces.push(said(rest));
    pieces.retain(|piece| piece.origin == Origin::Outside || !piece.text.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use serde_json::json;

    /// The pieces of `text`, with `<…>` around those from outside.
    fn shown(text: &str) -> Option<String> {
        let event =
            json!({ "id": "a/b", "n": 7, "list": ["x", "y"], "none": null, "mark": "\u{fdd2}/\u{fdd0}" });
        let scope = Scope::new(DateTime::UNIX_EPOCH)
            .with("event", event)
            .with("env", json!({ "BASE": "http://a" }))
            .with("vars", json!({ "url": "http://a/a/b", "base": "http://b" }));
        let own = Template::parse("{{ env.BASE }}/{{ event.id }}").unwrap();
        let sources = Sources::default().with("env", Origin::Author);
        let pieces = own.pieces(&scope, &sources).unwrap();
        let sources = sources.with_member(("vars", "url"), Origin::Outside, pieces).with_member(
            ("vars", "base"),
            Origin::Author,
            None,
        );
        let pieces = Template::parse(text).unwrap().pieces(&scope, &sources).unwrap()?;
        let show = |piece: &Piece| match piece.origin {
            Origin::Author => piece.text.clone(),
            Origin::Outside if piece.encoded => format!("<={}>", piece.text),
            Origin::Outside => format!("<{}>", piece.text),
        };
        Some(pieces.iter().map(show).collect())
    }

    #[test]
    fn values_from_outside_are_separate_pieces() {
        for (text, expected) in [
            ("http://a/", "http://a/"),
            ("http://a/{{ event.id }}/x", "http://a/<a/b>/x"),
            ("{{ env.BASE }}/{{ event.id }}", "http://a/<a/b>"),
            ("{{ env.BASE ~ '/' ~ event.id ~ '/' ~ event.n }}", "http://a/<a/b>/<7>"),
            ("{{ env.BASE + '/' + event.id }}", "http://a/<a/b>"),
            ("{{ 'http://a/' ~ event.id if event.n else event.id }}", "http://a/<a/b>"),
            ("{{ [env.BASE, event.id, event.n] | join('/') }}", "http://a/<a/b>/<7>"),
            ("{{ 'http://a/ID' | replace('ID', event.id) }}", "http://a/<a/b>"),
            ("{{ event.id | default('http://b') }}/{{ event.x | default('c') }}", "<a/b>/c"),
            ("{{ event.x.y | d(env.BASE) }}/{{ event.none | default(event.n) }}", "http://a/7"),
            ("{{ event.none or env.BASE }}/{{ event.id or 'x' }}/{{ event.x or 'y' }}", "http://a/<a/b>/y"),
            ("{{ event.id | default('x', true) }}", "<a/b>"),
            ("http://a/{{ event.list | default('x') }}", "http://a/<[\"x\",\"y\"]>"),
            ("{{ vars.url }}/{{ vars['url'] }}", "http://a/<a/b>/http://a/<a/b>"),
            ("{{ vars.base }}/{{ vars.url | upper }}", "http://b/<HTTP://A/A/B>"),
            ("http://a{% for x in event.list %}/{{ x }}{% endfor %}", "http://a/<x>/<y>"),
            ("http://a/{% set x %}{{ event.id }}{% endset %}{{ x }}", "http://a/<a/b>"),
            ("http://a/{% filter upper %}{{ event.id }}/..{% endfilter %}", "http://a/<A/B/..>"),
            ("{% filter lower | trim %} HTTP://{{ event.id }} {% endfilter %}/x", "<http://a/b>/x"),
            (
                "http://a{% for x in event.list %}/{{ loop.nextitem | default('z') }}{% endfor %}",
                "http://a/<y>/z",
            ),
            ("http://a/{{ event.list }}", "http://a/<[\"x\",\"y\"]>"),
            ("http://a/{{ event.none }}", "http://a/<>"),
            ("http://a/{{ event.id | urlencode }}", "http://a/<=a%2Fb>"),
            ("http://a/{{ event.mark }}", "http://a/<\u{fffd}/\u{fffd}>"),
            ("{{ event.id }}", "<a/b>"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["{{ event.n }}", "{{ event.list }}", "{{ omit }}"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn together_they_are_what_the_template_comes_to() {
        let scope =
            Scope::new(DateTime::UNIX_EPOCH).with("event", json!({ "a": 1.50, "b": "x", "c": [true] }));
        for text in ["{{ event.a }} {{ event.b ~ event.c }}", "{% if event.b %}{{ event.a * 2 }}{% endif %}x"]
        {
            let template = Template::parse(text).unwrap();
            let pieces = template.pieces(&scope, &Sources::default()).unwrap().unwrap();
            let together: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            assert_eq!(json!(together), template.evaluate(&scope).unwrap());
        }
    }
}
