//! All uses of names in a template, found statically.

use std::collections::HashMap;
use std::ops::Range;

use minijinja::machinery::ast::{self, BinOpKind, CallArg, CallType, Expr, Filter, ForLoop, Spanned, Stmt};
use minijinja::value::Value as Datum;

use super::call::{Call, Callee};
use super::comparison::{self, Comparison, Side};
use super::convert;
use super::links;
use super::name_use::{PathStep, Use};
use super::omit;
use super::presence::{asks_presence, is_default};
use super::syntax::{bytes, extent};

/// The names that a template uses.
#[derive(Default)]
pub(super) struct Named {
    pub(super) uses: Vec<Use>,
    pub(super) calls: Vec<Call>,
    pub(super) comparisons: Vec<Comparison>,
}

/// All uses in `template`, in order of the text.
pub(super) fn find(template: &Stmt<'_>) -> Named {
    let mut finder = Finder { locals: vec![HashMap::new()], ..Finder::default() };
    finder.statement(template);
    finder.found.sort_by_key(|found| (found.range().start, found.range().end));
    finder.found.dedup();
    finder.calls.sort_by_key(|call| call.range.start);
    finder.calls.dedup();
    Named { uses: finder.found, calls: finder.calls, comparisons: finder.comparisons }
}

/// The value at a path.
#[derive(Clone)]
struct Place {
    root: String,
    steps: Vec<PathStep>,
}

#[derive(Default)]
struct Finder<'a> {
    found: Vec<Use>,
    calls: Vec<Call>,
    comparisons: Vec<Comparison>,
    /// Places where `omit` may be the value of a whole expression.
    whole_omits: Vec<usize>,
    /// Names set by the template, innermost scope last, with the path they refer to, if known.
    locals: Vec<HashMap<&'a str, Option<Place>>>,
}

/// Filters that preserve the items of a list.
const KEEPS_ITEMS: [&str; 8] =
    ["list", "sort", "unique", "reverse", "select", "reject", "selectattr", "rejectattr"];
/// Filters that select an item of a list.
const TAKES_ITEM: [&str; 4] = ["first", "last", "min", "max"];

impl<'a> Finder<'a> {
    fn statement(&mut self, stmt: &Stmt<'a>) {
        match stmt {
            Stmt::Template(t) => self.body(&t.children),
            Stmt::EmitExpr(e) => {
                omits(&e.expr, &mut self.whole_omits);
                self.expression(&e.expr, false);
            }
            Stmt::ForLoop(f) => self.for_loop(f),
            Stmt::IfCond(c) => {
                self.expression(&c.expr, false);
                self.scoped(&c.true_body);
                self.scoped(&c.false_body);
            }
            Stmt::WithBlock(w) => {
                self.locals.push(HashMap::new());
                for (target, value) in &w.assignments {
                    self.assign(target, value);
                }
                self.body(&w.body);
                self.locals.pop();
            }
            Stmt::Set(s) => self.assign(&s.target, &s.expr),
            Stmt::SetBlock(s) => {
                self.optional(s.filter.as_ref());
                self.scoped(&s.body);
                self.define(&s.target, None);
            }
            Stmt::FilterBlock(f) => {
                self.expression(&f.filter, false);
                self.scoped(&f.body);
            }
            _ => {}
        }
    }

    fn body(&mut self, stmts: &[Stmt<'a>]) {
        for stmt in stmts {
            self.statement(stmt);
        }
    }

    fn scoped(&mut self, stmts: &[Stmt<'a>]) {
        self.locals.push(HashMap::new());
        self.body(stmts);
        self.locals.pop();
    }

    fn for_loop(&mut self, f: &ForLoop<'a>) {
        self.expression(&f.iter, false);
        let item = self.place(&f.iter).map(|mut place| {
            place.steps.push(PathStep::Item);
            place
        });
        self.locals.push(HashMap::from([("loop", None)]));
        self.define(&f.target, item);
        self.optional(f.filter_expr.as_ref());
        self.body(&f.body);
        self.locals.pop();
        self.scoped(&f.else_body);
    }

    fn assign(&mut self, target: &Expr<'a>, value: &Expr<'a>) {
        self.expression(value, false);
        let place = self.place(value);
        self.define(target, place);
    }

    fn define(&mut self, target: &Expr<'a>, place: Option<Place>) {
        match target {
            Expr::Var(name) => {
                if let Some(locals) = self.locals.last_mut() {
                    locals.insert(name.id, place);
                }
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.define(item, None)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.define(item, None)),
            _ => {}
        }
    }

    fn optional(&mut self, expr: Option<&Expr<'a>>) {
        if let Some(expr) = expr {
            self.expression(expr, false);
        }
    }

    fn expression(&mut self, expr: &Expr<'a>, guarded: bool) {
        match expr {
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.path(expr, guarded),
            Expr::Const(_) => {}
            Expr::Slice(s) => {
                self.expression(&s.expr, false);
                [&s.start, &s.stop, &s.step].into_iter().for_each(|part| self.optional(part.as_ref()));
            }
            Expr::UnaryOp(op) => self.expression(&op.expr, false),
            Expr::BinOp(op) => {
                if let Some(operator) = comparison::ordering(op.op) {
                    self.compared(operator, &op.left, &op.right);
                }
                self.expression(&op.left, false);
                self.expression(&op.right, false);
            }
            Expr::Compare(c) => {
                let sides = std::iter::once(&c.expr).chain(c.ops.iter().map(|op| &op.expr));
                for (left, op) in sides.zip(&c.ops) {
                    if let Some(operator) = comparison::chained(op.op) {
                        self.compared(operator, left, &op.expr);
                    }
                }
                self.expression(&c.expr, false);
                c.ops.iter().for_each(|op| self.expression(&op.expr, false));
            }
            Expr::IfExpr(i) => {
                self.expression(&i.test_expr, false);
                self.expression(&i.true_expr, false);
                self.optional(i.false_expr.as_ref());
            }
            Expr::Filter(f) => {
                if let Some(input) = &f.expr {
                    self.expression(input, is_default(f.name));
                }
                self.found.push(Use::Filter { name: f.name.into(), range: named(expr, f.name) });
                let call = Call::new(Callee::Filter, f.name, named(expr, f.name), &f.args);
                if let Some((used, at)) = applied(f) {
                    let (callee, name) = match &used {
                        Use::Test { name, .. } => (Callee::Test, name.as_str()),
                        Use::Filter { name, .. } => (Callee::Filter, name.as_str()),
                        _ => return,
                    };
                    self.calls.push(Call::applied(callee, name, used.range(), &call, at));
                    self.compared_members(f, name, at);
                    self.found.push(used);
                }
                self.calls.push(call);
                self.arguments(&f.args);
            }
            Expr::Test(t) => {
                if let (Some(operator), [CallArg::Pos(other)]) = (comparison::test(t.name), &t.args[..]) {
                    self.compared(operator, &t.expr, other);
                }
                self.expression(&t.expr, asks_presence(t.name));
                self.found.push(Use::Test { name: t.name.into(), range: named(expr, t.name) });
                self.calls.push(Call::new(Callee::Test, t.name, named(expr, t.name), &t.args));
                self.arguments(&t.args);
            }
            Expr::Call(c) => self.call(c),
            Expr::List(l) => l.items.iter().for_each(|item| self.expression(item, false)),
            Expr::Tuple(t) => t.items.iter().for_each(|item| self.expression(item, false)),
            Expr::Map(m) => m.keys.iter().chain(&m.values).for_each(|part| self.expression(part, false)),
        }
    }

    fn compared(&mut self, operator: &'static str, left: &Expr<'a>, right: &Expr<'a>) {
        let range = extent(left).start..extent(right).end;
        let (left, right) = (self.side(left), self.side(right));
        self.comparisons.push(Comparison { operator, left, right, range });
    }

    /// `selectattr('total', 'gt', 100)`, `select('lt', 5)`
    fn compared_members(&mut self, filter: &Spanned<Filter<'a>>, test: &str, at: usize) {
        let place = filter.expr.as_ref().and_then(|list| self.place(list)?.then(PathStep::Item));
        let (Some(operator), Some(mut member)) = (comparison::test(test), place) else { return };
        if let (1, Some(CallArg::Pos(Expr::Const(field)))) = (at, filter.args.first()) {
            let path = field.value.as_str().unwrap_or_default();
            member.steps.extend(path.split('.').map(|name| PathStep::Field(name.into())));
        }
        if let Some(CallArg::Pos(other)) = filter.args.get(at + 1) {
            let left = Side::Path { root: member.root, steps: member.steps };
            let comparison = Comparison { operator, left, right: self.side(other), range: extent(other) };
            self.comparisons.push(comparison);
        }
    }

    fn side(&self, expr: &Expr<'a>) -> Side {
        if let Some(value) = expr.as_const() {
            return convert::to_json(&value).map_or(Side::Other, Side::Constant);
        }
        match expr {
            Expr::Filter(f) if is_default(f.name) => {
                f.expr.as_ref().map_or(Side::Other, |input| self.side(input))
            }
            Expr::Filter(f) if f.name == "iso8601" => Side::Moment,
            Expr::Call(c) if matches!(c.identify_call(), CallType::Function("now")) => Side::Moment,
            _ => self.place(expr).map_or(Side::Other, |Place { root, steps }| Side::Path { root, steps }),
        }
    }

    fn arguments(&mut self, args: &[CallArg<'a>]) {
        for arg in args {
            match arg {
                CallArg::Pos(expr)
                | CallArg::Kwarg(_, expr)
                | CallArg::PosSplat(expr)
                | CallArg::KwargSplat(expr) => self.expression(expr, false),
            }
        }
    }

    fn call(&mut self, call: &ast::Call<'a>) {
        match call.identify_call() {
            CallType::Function(name) => {
                let range = bytes(call.expr.span());
                self.calls.push(Call::new(Callee::Function, name, range.clone(), &call.args));
                self.found.push(Use::Function { name: name.into(), range });
            }
            CallType::Method(holder @ Expr::Var(of), name) if of.id == links::NAMESPACE => {
                self.expression(holder, false);
                let (name, range) = (format!("{}.{name}", links::NAMESPACE), extent(&call.expr));
                self.calls.push(Call::new(Callee::Function, &name, range.clone(), &call.args));
                self.found.push(Use::Function { name, range });
            }
            _ => self.expression(&call.expr, false),
        }
        self.arguments(&call.args);
    }

    /// A chain of names and subscripts: the literal path, and other expressions in it.
    fn path(&mut self, expr: &Expr<'a>, guarded: bool) {
        match self.place(expr) {
            Some(Place { root, steps }) if root == omit::NAME && steps.is_empty() => {
                let range = extent(expr);
                let whole = self.whole_omits.contains(&range.start);
                self.found.push(Use::Omit { whole, range });
            }
            Some(Place { root, steps }) => {
                self.found.push(Use::Path { root, steps, guarded, range: extent(expr) });
                self.inside(expr);
            }
            None => match expr {
                Expr::GetAttr(get) => self.expression(&get.expr, guarded),
                Expr::GetItem(get) => {
                    self.expression(&get.expr, guarded);
                    self.expression(&get.subscript_expr, false);
                }
                _ => {}
            },
        }
    }

    /// Filters and subscripts within a path: `(event.notes | first)[n].text`.
    fn inside(&mut self, expr: &Expr<'a>) {
        match expr {
            Expr::GetAttr(get) => self.inside(&get.expr),
            Expr::GetItem(get) => {
                self.inside(&get.expr);
                self.expression(&get.subscript_expr, false);
            }
            Expr::Var(_) => {}
            other => self.expression(other, false),
        }
    }

    /// The path of the value of `expr`, if there is one.
    fn place(&self, expr: &Expr<'a>) -> Option<Place> {
        match expr {
            Expr::Var(name) => {
                for locals in self.locals.iter().rev() {
                    if let Some(place) = locals.get(name.id) {
                        return place.clone();
                    }
                }
                Some(Place { root: name.id.into(), steps: Vec::new() })
            }
            Expr::GetAttr(get) => self.place(&get.expr)?.then(PathStep::Field(get.name.into())),
            Expr::GetItem(get) => match subscript(&get.subscript_expr) {
                Some(step) => self.place(&get.expr)?.then(step),
                None => None,
            },
            Expr::Filter(f) if KEEPS_ITEMS.contains(&f.name) => self.place(f.expr.as_ref()?),
            Expr::Filter(f) if TAKES_ITEM.contains(&f.name) && f.args.is_empty() => {
                self.place(f.expr.as_ref()?)?.then(PathStep::Item)
            }
            _ => None,
        }
    }
}

impl Place {
    fn then(mut self, step: PathStep) -> Option<Self> {
        self.steps.push(step);
        Some(self)
    }
}

fn subscript(expr: &Expr<'_>) -> Option<PathStep> {
    let key: Datum = expr.as_const()?;
    match key.as_str() {
        Some(name) => Some(PathStep::Field(name.into())),
        None => key.is_integer().then_some(PathStep::Item),
    }
}

/// The filter or test that a filter on lists applies to items, and the argument that names it: `map('lower')`,
/// `select('even')`.
pub(super) fn applied(filter: &Filter<'_>) -> Option<(Use, usize)> {
    let at = match filter.name {
        "map" | "select" | "reject" => 0,
        "selectattr" | "rejectattr" => 1,
        _ => return None,
    };
    let CallArg::Pos(Expr::Const(name)) = filter.args.get(at)? else { return None };
    let written = bytes(name.span());
    let name = name.value.as_str()?.to_owned();
    let range = if written.len() == name.len() + 2 { written.start + 1..written.end - 1 } else { written };
    let used = if filter.name == "map" { Use::Filter { name, range } } else { Use::Test { name, range } };
    Some((used, at))
}

/// Places in `expr` where `omit` may be its value.
fn omits(expr: &Expr<'_>, found: &mut Vec<usize>) {
    match expr {
        Expr::Var(name) if name.id == omit::NAME => found.push(extent(expr).start),
        Expr::IfExpr(i) => {
            omits(&i.true_expr, found);
            i.false_expr.iter().for_each(|otherwise| omits(otherwise, found));
        }
        Expr::BinOp(op) if matches!(op.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
            omits(&op.left, found);
            omits(&op.right, found);
        }
        Expr::Filter(f) if is_default(f.name) || f.name == "coalesce" => {
            f.expr.iter().for_each(|input| omits(input, found));
            for argument in &f.args {
                if let CallArg::Pos(value) | CallArg::Kwarg(_, value) = argument {
                    omits(value, found);
                }
            }
        }
        _ => {}
    }
}

/// The range of the name at the beginning of a filter's or test's span.
fn named(expr: &Expr<'_>, name: &str) -> Range<usize> {
    let start = bytes(expr.span()).start;
    start..start + name.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    /// All uses as `kind@text`, with `?` after a guarded path.
    fn uses(text: &str) -> Vec<String> {
        let template = Template::parse(text).unwrap();
        let shown = template.uses().iter().map(|used| {
            let at = &text[used.range()];
            match used {
                Use::Path { root, steps, guarded, .. } => {
                    let steps: String = steps
                        .iter()
                        .map(|step| match step {
                            PathStep::Field(name) => format!(".{name}"),
                            PathStep::Item => "[]".into(),
                        })
                        .collect();
                    format!("{root}{steps}{}@{at}", if *guarded { "?" } else { "" })
                }
                Use::Filter { name, .. } => format!("|{name}@{at}"),
                Use::Function { name, .. } => format!("{name}()@{at}"),
                Use::Test { name, .. } => format!("is {name}@{at}"),
                Use::Omit { whole, .. } => format!("{at}{}", if *whole { "!" } else { "" }),
            }
        });
        shown.collect()
    }

    #[test]
    fn paths_are_reported_whole_and_in_order() {
        assert_eq!(
            uses("{{ steps.contact.contact.email | lower }} {{ event['full name'] }}"),
            [
                "steps.contact.contact.email@steps.contact.contact.email",
                "|lower@lower",
                "event.full name@event['full name']",
            ]
        );
        assert_eq!(uses("{{ a.b[0].c[1:2] }}"), ["a.b[].c@a.b[0].c"]);
        assert_eq!(uses("{{ a[b.c].d }}"), ["a@a", "b.c@b.c"]);
    }

    #[test]
    fn functions_tests_and_arguments_are_found() {
        assert_eq!(
            uses("{{ now() | date(event.format, timezone=vars.zone) }}"),
            ["now()@now", "|date@date", "event.format@event.format", "vars.zone@vars.zone"]
        );
        assert_eq!(
            uses("{{ 1 if x is divisibleby(y) else z }}"),
            ["x@x", "is divisibleby@divisibleby", "y@y", "z@z"]
        );
    }

    #[test]
    fn filters_applied_to_items_are_found() {
        assert_eq!(
            uses("{{ a | map('lower') | selectattr('n', 'gt', 1) | map(attribute='n') }}"),
            ["a@a", "|map@map", "|lower@lower", "|selectattr@selectattr", "is gt@gt", "|map@map"]
        );
    }

    #[test]
    fn guards_are_known() {
        assert_eq!(uses("{{ a.b.c | default(d.e) }}"), ["a.b.c?@a.b.c", "|default@default", "d.e@d.e"]);
        assert_eq!(uses("{{ a.b is defined and a.b.c }}"), ["a.b?@a.b", "is defined@defined", "a.b.c@a.b.c"]);
    }

    #[test]
    fn omit_is_no_path() {
        assert_eq!(uses("{{ a.b | default(omit) }}"), ["a.b?@a.b", "|default@default", "omit!"]);
        assert_eq!(uses("{{ a if a else omit }}"), ["a@a", "a@a", "omit!"]);
        assert_eq!(uses("{{ {'x': omit, 'y': [omit]} }}"), ["omit", "omit"]);
        assert_eq!(uses("{% set omit = 1 %}{{ omit }}"), [""; 0]);
    }

    #[test]
    fn loops_and_assignments_are_followed() {
        assert_eq!(
            uses("{% for note in event.notes | sort %}{{ note.text }}{{ loop.index }}{% endfor %}{{ note }}"),
            ["event.notes@event.notes", "|sort@sort", "event.notes[].text@note.text", "note@note"]
        );
        assert_eq!(
            uses("{% set c = steps.a.contact %}{{ c.email }}{{ (c.tags | first).id }}"),
            [
                "steps.a.contact@steps.a.contact",
                "steps.a.contact.email@c.email",
                "steps.a.contact.tags[].id@(c.tags | first).id",
                "steps.a.contact.tags@c.tags",
                "|first@first",
            ]
        );
        assert_eq!(
            uses("{% for k, v in event | items %}{{ k.x }}{{ v }}{% endfor %}"),
            ["event@event", "|items@items"]
        );
    }
}
