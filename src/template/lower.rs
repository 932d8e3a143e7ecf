//! Lowers template syntax to what the engine runs: rejects unavailable constructs, and expresses rules of the
//! language that the engine does not have.
//!
//! - With `default`, `is defined` and `is undefined`, a missing part of a path is not an error; everywhere else it
//!   is.
//! - Arithmetic keeps 15 significant digits, so that `19.9 * 100` is 1990.
//! - In conditions (`if`, `not`, operands of `and` and `or`), the texts `false`, `no`, `off` and `0` are false, see
//!   [`truthy`](super::truthy).
//! - `~` joins null as empty text; `x if y` without `else` is null.
//! - Comparisons by order require values of one kind, and filters on lists reject null.

use std::ops::Range;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{
    BinOp, BinOpKind, Call, CallArg, CallType, Compare, CompareOpKind, Const, EmitExpr, EmitRaw, Expr,
    Filter, FilterBlock, ForLoop, GetAttr, GetItem, IfCond, IfExpr, List, Map, Set, SetBlock, Slice, Spanned,
    Stmt, Template, Test, Tuple, UnaryOp, UnaryOpKind, Var, WithBlock,
};
use minijinja::value::{Value, ValueKind};

use super::foreign::instead_of;
use super::hidden_filters::{
    EQUAL, FACTOR, JOINED, LESS, LESS_OR_EQUAL, MEMBER, MORE, MORE_OR_EQUAL, PRESENT, SNAPPED, TRUTH,
    UNEQUAL, WITHIN,
};
use super::links;
use super::presence::{asks_presence, replaces_missing};
use super::syntax::{SyntaxError, bytes, extent};

pub(super) type Lowered<T> = Result<T, SyntaxError>;

/// Whether `filter` is one of the engine's own filters on lists, which accept null as an empty list.
fn is_builtin(filter: &str) -> bool {
    super::filters().iter().any(|known| known.name == filter && known.add.is_none())
}

/// Lowers an expression whose value becomes text.
pub(super) type Emit<'e, 'a> = &'e dyn Fn(&Expr<'a>) -> Lowered<Expr<'a>>;

/// Lowers a statement.
pub(super) fn statement<'a>(stmt: &Stmt<'a>) -> Lowered<Stmt<'a>> {
    statement_by(stmt, &expression)
}

/// The same, with emitted expressions lowered by `by`. Statements nest, so this is recursive: its stack frame must
/// stay small.
pub(super) fn statement_by<'a>(stmt: &Stmt<'a>, by: Emit<'_, 'a>) -> Lowered<Stmt<'a>> {
    match stmt {
        Stmt::Template(t) => {
            Ok(Stmt::Template(Spanned::new(Template { children: body(&t.children, by)? }, t.span())))
        }
        Stmt::EmitExpr(e) => Ok(Stmt::EmitExpr(Spanned::new(EmitExpr { expr: by(&e.expr)? }, e.span()))),
        Stmt::EmitRaw(raw) => Ok(Stmt::EmitRaw(Spanned::new(EmitRaw { raw: raw.raw }, raw.span()))),
        Stmt::ForLoop(f) => for_loop(f, by),
        Stmt::IfCond(c) => condition(c, by),
        Stmt::WithBlock(w) => with(w, by),
        Stmt::Set(s) => set(s),
        Stmt::SetBlock(s) => set_block(s),
        Stmt::FilterBlock(f) => filter_block(f, by),
        Stmt::AutoEscape(s) => Err(no_tag("autoescape", s.span())),
        Stmt::Block(s) => Err(no_tag("block", s.span())),
        Stmt::Import(s) => Err(no_tag("import", s.span())),
        Stmt::FromImport(s) => Err(no_tag("from", s.span())),
        Stmt::Extends(s) => Err(no_tag("extends", s.span())),
        Stmt::Include(s) => Err(no_tag("include", s.span())),
        Stmt::Macro(s) => Err(no_tag("macro", s.span())),
        Stmt::CallBlock(s) => Err(no_tag("call", s.span())),
        Stmt::Do(s) => Err(no_tag("do", s.span())),
    }
}

fn condition<'a>(c: &Spanned<IfCond<'a>>, by: Emit<'_, 'a>) -> Lowered<Stmt<'a>> {
    let (true_body, false_body) = (body(&c.true_body, by)?, body(&c.false_body, by)?);
    let lowered = IfCond { expr: test_of(&c.expr)?, true_body, false_body };
    Ok(Stmt::IfCond(Spanned::new(lowered, c.span())))
}

fn with<'a>(w: &Spanned<WithBlock<'a>>, by: Emit<'_, 'a>) -> Lowered<Stmt<'a>> {
    let assign = |(name, value): &(Expr<'a>, Expr<'a>)| Ok((target(name)?, expression(value)?));
    let assignments = w.assignments.iter().map(assign).collect::<Lowered<_>>()?;
    Ok(Stmt::WithBlock(Spanned::new(WithBlock { assignments, body: body(&w.body, by)? }, w.span())))
}

fn set<'a>(s: &Spanned<Set<'a>>) -> Lowered<Stmt<'a>> {
    let lowered = Set { target: target(&s.target)?, expr: expression(&s.expr)? };
    Ok(Stmt::Set(Spanned::new(lowered, s.span())))
}

fn set_block<'a>(s: &Spanned<SetBlock<'a>>) -> Lowered<Stmt<'a>> {
    let filter = s.filter.as_ref().map(expression).transpose()?;
    let lowered = SetBlock { target: target(&s.target)?, filter, body: body(&s.body, &expression)? };
    Ok(Stmt::SetBlock(Spanned::new(lowered, s.span())))
}

fn filter_block<'a>(f: &Spanned<FilterBlock<'a>>, by: Emit<'_, 'a>) -> Lowered<Stmt<'a>> {
    let body = body(&f.body, &expression)?;
    let lowered = FilterBlock { filter: by(&f.filter)?, filter_span: f.filter_span, body };
    Ok(Stmt::FilterBlock(Spanned::new(lowered, f.span())))
}

fn no_tag(name: &str, span: Span) -> SyntaxError {
    SyntaxError {
        message: format!("recipes have no `{{% {name} %}}`"),
        range: bytes(span),
        help: Some("use `for`, `if`, `set`, `with` or `filter`; put what is needed twice into `vars`".into()),
        mended: None,
    }
}

fn body<'a>(stmts: &[Stmt<'a>], by: Emit<'_, 'a>) -> Lowered<Vec<Stmt<'a>>> {
    stmts.iter().map(|stmt| statement_by(stmt, by)).collect()
}

fn for_loop<'a>(f: &Spanned<ForLoop<'a>>, by: Emit<'_, 'a>) -> Lowered<Stmt<'a>> {
    if f.recursive {
        let help = Some("use one `for` inside the other".to_owned());
        return Err(SyntaxError {
            message: "recipes have no `recursive`".into(),
            range: bytes(f.span()),
            help,
            mended: None,
        });
    }
    let lowered = ForLoop {
        target: target(&f.target)?,
        iter: expression(&f.iter)?,
        filter_expr: f.filter_expr.as_ref().map(test_of).transpose()?,
        recursive: false,
        body: body(&f.body, by)?,
        else_body: body(&f.else_body, by)?,
    };
    Ok(Stmt::ForLoop(Spanned::new(lowered, f.span())))
}

/// The left side of an assignment: names only, since given values are immutable.
fn target<'a>(expr: &Expr<'a>) -> Lowered<Expr<'a>> {
    match expr {
        Expr::Var(v) => Ok(Expr::Var(Spanned::new(Var { id: v.id }, v.span()))),
        Expr::List(list) => {
            let items = list.items.iter().map(target).collect::<Lowered<_>>()?;
            Ok(Expr::List(Spanned::new(List { items }, list.span())))
        }
        Expr::Tuple(tuple) => {
            let items = tuple.items.iter().map(target).collect::<Lowered<_>>()?;
            Ok(Expr::Tuple(Spanned::new(Tuple { items }, tuple.span())))
        }
        other => Err(SyntaxError {
            message: "only a new name can be set".into(),
            range: bytes(other.span()),
            help: Some("write `{% set name = … %}`".into()),
            mended: None,
        }),
    }
}

/// Lowers an expression. Expressions nest, so each kind has its own function to keep this stack frame small.
pub(super) fn expression<'a>(expr: &Expr<'a>) -> Lowered<Expr<'a>> {
    match expr {
        Expr::Var(v) => Ok(Expr::Var(Spanned::new(Var { id: v.id }, v.span()))),
        Expr::Const(c) => Ok(constant(c.value.clone(), c.span())),
        Expr::Slice(s) => slice(s),
        Expr::UnaryOp(op) => unary(op),
        Expr::BinOp(op) => binary(op),
        Expr::Compare(c) => compare(c),
        Expr::IfExpr(i) => if_expression(i),
        Expr::Filter(f) => filtered(f),
        Expr::Test(t) => test(t),
        Expr::GetAttr(get) => attribute(get),
        Expr::GetItem(get) => item(get),
        Expr::Call(c) => call(c),
        Expr::List(l) => list(&l.items, l.span()),
        Expr::Tuple(t) => list(&t.items, t.span()),
        Expr::Map(m) => map(m),
    }
}

/// Lowers a condition. Truth is the same in all operands, so that `x`, `not x` and `x and y` agree on the text
/// `false`.
pub(super) fn test_of<'a>(expr: &Expr<'a>) -> Lowered<Expr<'a>> {
    match expr {
        Expr::BinOp(op) if matches!(op.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
            let (left, right) = (test_of(&op.left)?, test_of(&op.right)?);
            Ok(Expr::BinOp(Spanned::new(BinOp { op: op.op, left, right }, op.span())))
        }
        Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => unary(op),
        Expr::BinOp(op) if compares(op) => binary(op),
        Expr::Compare(_) | Expr::Test(_) => expression(expr),
        other => Ok(filter(TRUTH, expression(other)?, Vec::new(), other.span())),
    }
}

fn compares(op: &BinOp<'_>) -> bool {
    use BinOpKind::{Eq, Gt, Gte, In, Lt, Lte, Ne};
    matches!(op.op, Eq | Ne | Lt | Lte | Gt | Gte | In)
}

fn slice<'a>(s: &Spanned<Slice<'a>>) -> Lowered<Expr<'a>> {
    let lowered = Slice {
        expr: expression(&s.expr)?,
        start: s.start.as_ref().map(expression).transpose()?,
        stop: s.stop.as_ref().map(expression).transpose()?,
        step: s.step.as_ref().map(expression).transpose()?,
    };
    Ok(Expr::Slice(Spanned::new(lowered, s.span())))
}

fn if_expression<'a>(i: &Spanned<IfExpr<'a>>) -> Lowered<Expr<'a>> {
    let otherwise = match &i.false_expr {
        Some(otherwise) => expression(otherwise)?,
        None => constant(Value::from(()), i.span()),
    };
    let lowered = IfExpr {
        test_expr: test_of(&i.test_expr)?,
        true_expr: expression(&i.true_expr)?,
        false_expr: Some(otherwise),
    };
    Ok(Expr::IfExpr(Spanned::new(lowered, i.span())))
}

fn filtered<'a>(f: &Spanned<Filter<'a>>) -> Lowered<Expr<'a>> {
    let input = match &f.expr {
        Some(input) if replaces_missing(f.name) => Some(lenient(input)?),
        Some(input) if is_builtin(f.name) => Some(filter(PRESENT, expression(input)?, Vec::new(), f.span())),
        Some(input) => Some(expression(input)?),
        None => None,
    };
    let lowered = Filter { name: f.name, expr: input, args: arguments(&f.args)? };
    Ok(Expr::Filter(Spanned::new(lowered, f.span())))
}

fn test<'a>(t: &Spanned<Test<'a>>) -> Lowered<Expr<'a>> {
    let input = if asks_presence(t.name) { lenient(&t.expr)? } else { expression(&t.expr)? };
    let lowered = Test { name: t.name, expr: input, args: arguments(&t.args)? };
    Ok(Expr::Test(Spanned::new(lowered, t.span())))
}

fn attribute<'a>(get: &Spanned<GetAttr<'a>>) -> Lowered<Expr<'a>> {
    if let Expr::Const(value) = &get.expr {
        return Err(SyntaxError {
            message: format!("{} has no field `{}`", described(&value.value), get.name),
            range: bytes(value.span()).start..bytes(get.span()).end,
            help: None,
            mended: None,
        });
    }
    let expr = expression(&get.expr)?;
    Ok(Expr::GetAttr(Spanned::new(GetAttr { expr, name: get.name }, get.span())))
}

fn described(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Number => "a number",
        ValueKind::String => "a text",
        _ => "this",
    }
}

fn item<'a>(get: &Spanned<GetItem<'a>>) -> Lowered<Expr<'a>> {
    let (expr, subscript_expr) = (expression(&get.expr)?, expression(&get.subscript_expr)?);
    Ok(Expr::GetItem(Spanned::new(GetItem { expr, subscript_expr }, get.span())))
}

fn list<'a>(items: &[Expr<'a>], span: Span) -> Lowered<Expr<'a>> {
    Ok(Expr::List(Spanned::new(List { items: all(items)? }, span)))
}

fn map<'a>(m: &Spanned<Map<'a>>) -> Lowered<Expr<'a>> {
    let lowered = Map { keys: all(&m.keys)?, values: all(&m.values)? };
    Ok(Expr::Map(Spanned::new(lowered, m.span())))
}

fn all<'a>(exprs: &[Expr<'a>]) -> Lowered<Vec<Expr<'a>>> {
    exprs.iter().map(expression).collect()
}

fn arguments<'a>(args: &[CallArg<'a>]) -> Lowered<Vec<CallArg<'a>>> {
    let lower = |arg: &CallArg<'a>| {
        Ok(match arg {
            CallArg::Pos(expr) => CallArg::Pos(expression(expr)?),
            CallArg::Kwarg(name, expr) => CallArg::Kwarg(name, expression(expr)?),
            CallArg::PosSplat(expr) => CallArg::PosSplat(expression(expr)?),
            CallArg::KwargSplat(expr) => CallArg::KwargSplat(expression(expr)?),
        })
    };
    args.iter().map(lower).collect()
}

/// A path in which any missing part makes the whole undefined instead of an error.
pub(super) fn lenient<'a>(expr: &Expr<'a>) -> Lowered<Expr<'a>> {
    let span = expr.span();
    match expr {
        Expr::GetAttr(get) => {
            let name = constant(Value::from(get.name), span);
            Ok(filter(MEMBER, lenient(&get.expr)?, vec![CallArg::Pos(name)], span))
        }
        Expr::GetItem(get) => {
            let key = CallArg::Pos(expression(&get.subscript_expr)?);
            Ok(filter(MEMBER, lenient(&get.expr)?, vec![key], span))
        }
        other => expression(other),
    }
}

pub(super) fn constant<'a>(value: Value, span: Span) -> Expr<'a> {
    Expr::Const(Spanned::new(Const { value }, span))
}

pub(super) fn filter<'a>(
    name: &'static str,
    input: Expr<'a>,
    args: Vec<CallArg<'a>>,
    span: Span,
) -> Expr<'a> {
    Expr::Filter(Spanned::new(Filter { name, expr: Some(input), args }, span))
}

fn unary<'a>(op: &Spanned<UnaryOp<'a>>) -> Lowered<Expr<'a>> {
    let negated = matches!(op.op, UnaryOpKind::Neg);
    let (kind, expr) = match negated {
        true => (UnaryOpKind::Neg, expression(&op.expr)?),
        false => (UnaryOpKind::Not, test_of(&op.expr)?),
    };
    Ok(Expr::UnaryOp(Spanned::new(UnaryOp { op: kind, expr }, op.span())))
}

fn binary<'a>(op: &Spanned<BinOp<'a>>) -> Lowered<Expr<'a>> {
    let span = op.span();
    let (left, right) = (expression(&op.left)?, expression(&op.right)?);
    if matches!(op.op, BinOpKind::Concat) {
        let (left_span, right_span) = (op.left.span(), op.right.span());
        let left = filter(JOINED, left, Vec::new(), left_span);
        let right = filter(JOINED, right, Vec::new(), right_span);
        return Ok(Expr::BinOp(Spanned::new(BinOp { op: BinOpKind::Concat, left, right }, span)));
    }
    let (left, right) = match op.op {
        BinOpKind::Mul => {
            let factor = |side| filter(FACTOR, side, Vec::new(), span);
            (factor(left), factor(right))
        }
        _ => (left, right),
    };
    let arithmetic = matches!(
        op.op,
        BinOpKind::Add
            | BinOpKind::Sub
            | BinOpKind::Mul
            | BinOpKind::Div
            | BinOpKind::FloorDiv
            | BinOpKind::Rem
            | BinOpKind::Pow
    );
    if let Some(comparison) = comparison(op.op) {
        return Ok(compared(comparison, left, right, extent(&op.left).start..extent(&op.right).end, span));
    }
    let lowered = Expr::BinOp(Spanned::new(BinOp { op: op.op, left, right }, span));
    Ok(if arithmetic { filter(SNAPPED, lowered, Vec::new(), span) } else { lowered })
}

/// `a < b < c`: compares neighbours.
fn compare<'a>(compare: &Spanned<Compare<'a>>) -> Lowered<Expr<'a>> {
    let span = compare.span();
    let start = extent(&compare.expr).start;
    let mut whole: Option<Expr<'a>> = None;
    let mut left = &compare.expr;
    for op in &compare.ops {
        let (name, negated) = match op.op {
            CompareOpKind::Eq => (EQUAL, false),
            CompareOpKind::Ne => (UNEQUAL, false),
            CompareOpKind::Lt => (LESS, false),
            CompareOpKind::Lte => (LESS_OR_EQUAL, false),
            CompareOpKind::Gt => (MORE, false),
            CompareOpKind::Gte => (MORE_OR_EQUAL, false),
            CompareOpKind::In => (WITHIN, false),
            CompareOpKind::NotIn => (WITHIN, true),
        };
        let mut pair =
            compared(name, expression(left)?, expression(&op.expr)?, start..extent(&op.expr).end, span);
        if negated {
            pair = Expr::UnaryOp(Spanned::new(UnaryOp { op: UnaryOpKind::Not, expr: pair }, span));
        }
        whole = Some(match whole {
            None => pair,
            Some(before) => {
                let both = BinOp { op: BinOpKind::ScAnd, left: before, right: pair };
                Expr::BinOp(Spanned::new(both, span))
            }
        });
        left = &op.expr;
    }
    whole.map_or_else(|| expression(&compare.expr), Ok)
}

fn comparison(op: BinOpKind) -> Option<&'static str> {
    Some(match op {
        BinOpKind::Eq => EQUAL,
        BinOpKind::Ne => UNEQUAL,
        BinOpKind::Lt => LESS,
        BinOpKind::Lte => LESS_OR_EQUAL,
        BinOpKind::Gt => MORE,
        BinOpKind::Gte => MORE_OR_EQUAL,
        BinOpKind::In => WITHIN,
        _ => return None,
    })
}

/// A comparison whose errors cover `range` of the text: the engine's own span may begin earlier.
fn compared<'a>(
    name: &'static str,
    left: Expr<'a>,
    right: Expr<'a>,
    range: Range<usize>,
    span: Span,
) -> Expr<'a> {
    let offset = |at: usize, instead: u32| u32::try_from(at).unwrap_or(instead);
    let start_offset = offset(range.start, span.start_offset);
    let end_offset = offset(range.end, span.end_offset);
    filter(name, left, vec![CallArg::Pos(right)], Span { start_offset, end_offset, ..span })
}

fn call<'a>(call: &Spanned<Call<'a>>) -> Lowered<Expr<'a>> {
    let span = call.span();
    let allowed = match call.identify_call() {
        CallType::Method(Expr::Var(of), name) if of.id == links::NAMESPACE => return links_call(call, name),
        CallType::Function(name) => name != "loop",
        CallType::Method(Expr::Var(of), name) => of.id == "loop" && matches!(name, "cycle" | "changed"),
        _ => false,
    };
    if !allowed {
        return Err(not_callable(call, span));
    }
    Ok(Expr::Call(Spanned::new(Call { expr: expression(&call.expr)?, args: arguments(&call.args)? }, span)))
}

/// A function on links, which the engine knows by its whole name.
fn links_call<'a>(call: &Spanned<Call<'a>>, name: &str) -> Lowered<Expr<'a>> {
    let (whole, span) = (format!("{}.{name}", links::NAMESPACE), call.expr.span());
    let Some(known) = super::functions().iter().find(|known| known.name == whole) else {
        return Err(SyntaxError {
            message: format!("no function is called `{whole}`"),
            range: extent(&call.expr),
            help: Some(format!("there is `{}`", links::FIND.signature)),
            mended: None,
        });
    };
    let expr = Expr::Var(Spanned::new(Var { id: known.name }, span));
    Ok(Expr::Call(Spanned::new(Call { expr, args: arguments(&call.args)? }, call.span())))
}

fn not_callable(call: &Spanned<Call<'_>>, span: Span) -> SyntaxError {
    let (message, help) = match call.identify_call() {
        CallType::Method(_, name) | CallType::Block(name) => {
            let filter = super::filters().iter().find(|known| known.name == name);
            let help = match filter {
                Some(filter) => format!("`{name}` is a filter: write `… | {}`", filter.signature),
                None => instead_of("function", name)
                    .unwrap_or_else(|| "use a filter: `value | name(…)`".to_owned()),
            };
            (format!("values have no methods such as `.{name}()`"), help)
        }
        _ => ("this cannot be called".to_owned(), "only functions such as `now()` can be called".to_owned()),
    };
    SyntaxError { message, range: bytes(span), help: Some(help), mended: None }
}
