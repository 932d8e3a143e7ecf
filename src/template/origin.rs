//! Taint analysis: whether the text of a template comes from its author or from outside. Static; in doubt, from
//! outside.

use std::collections::HashMap;

use minijinja::machinery::ast::{BinOpKind, CallArg, CallType, Expr, Stmt, UnaryOpKind};

use super::parse::Template;
use super::syntax;
use crate::value::address::{Origin, Piece};

/// Names whose values the author of a recipe or its workspace controls. All others come from outside.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    names: HashMap<String, Origin>,
    members: HashMap<(String, String), Member>,
}

#[derive(Debug, Clone)]
struct Member {
    origin: Origin,
    /// The pieces of its text, if it is text.
    pieces: Option<Vec<Piece>>,
}

impl Sources {
    /// Adds `name`, whose values come from `origin`.
    pub fn with(mut self, name: &str, origin: Origin) -> Self {
        self.names.insert(name.to_owned(), origin);
        self
    }

    /// Adds `name.member`, which comes from `origin`; its text consists of `pieces`.
    pub fn with_member(
        mut self,
        (name, member): (&str, &str),
        origin: Origin,
        pieces: Option<Vec<Piece>>,
    ) -> Self {
        self.members.insert((name.to_owned(), member.to_owned()), Member { origin, pieces });
        self
    }

    /// The pieces of the text of `name.member`.
    pub(super) fn pieces(&self, name: &str, member: &str) -> Option<&[Piece]> {
        self.member(name, member)?.pieces.as_deref()
    }

    fn member(&self, name: &str, member: &str) -> Option<&Member> {
        self.members.get(&(name.to_owned(), member.to_owned()))
    }
}

impl Template {
    /// Who controls its value.
    pub fn origin(&self, sources: &Sources) -> Origin {
        match syntax::statements(self.text()) {
            Ok(template) => Walk::analyse(&template, sources).emitted,
            Err(_) => Origin::Outside,
        }
    }
}

/// The state of the analysis.
pub(super) struct Walk<'s, 'a> {
    sources: &'s Sources,
    /// Names set by the template.
    locals: HashMap<&'a str, Origin>,
    /// The origin of emitted text.
    emitted: Origin,
}

impl<'s, 'a> Walk<'s, 'a> {
    pub(super) fn analyse(template: &Stmt<'a>, sources: &'s Sources) -> Self {
        let mut walk = Self { sources, locals: HashMap::new(), emitted: Origin::Author };
        walk.statement(template);
        walk
    }

    fn statement(&mut self, stmt: &Stmt<'a>) {
        match stmt {
            Stmt::Template(t) => self.body(&t.children),
            Stmt::EmitExpr(e) => self.emitted = self.emitted.max(self.origin(&e.expr)),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(f) => {
                // `loop` also contains the previous and next items.
                let origin = self.origin(&f.iter);
                let known = self.locals.entry("loop").or_insert(origin);
                *known = origin.max(*known);
                self.define(&f.target, origin);
                self.body(&f.body);
                self.body(&f.else_body);
            }
            Stmt::IfCond(c) => {
                self.body(&c.true_body);
                self.body(&c.false_body);
            }
            Stmt::WithBlock(w) => {
                for (target, value) in &w.assignments {
                    self.define(target, self.origin(value));
                }
                self.body(&w.body);
            }
            Stmt::Set(s) => self.define(&s.target, self.origin(&s.expr)),
            Stmt::SetBlock(s) => {
                self.define(&s.target, Origin::Outside);
                self.body(&s.body);
            }
            Stmt::FilterBlock(f) => {
                self.emitted = Origin::Outside;
                self.body(&f.body);
            }
            _ => self.emitted = Origin::Outside,
        }
    }

    fn body(&mut self, stmts: &[Stmt<'a>]) {
        stmts.iter().for_each(|stmt| self.statement(stmt));
    }

    /// Defines a name. If set twice, the less trusted origin counts.
    fn define(&mut self, target: &Expr<'a>, origin: Origin) {
        match target {
            Expr::Var(name) => {
                let known = self.locals.entry(name.id).or_insert(origin);
                *known = origin.max(*known);
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.define(item, origin)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.define(item, origin)),
            _ => {}
        }
    }

    /// The origin of the text of `expr`. Conditions that choose between texts do not count.
    pub(super) fn origin(&self, expr: &Expr<'a>) -> Origin {
        let worst = |exprs: &[Expr<'a>]| exprs.iter().map(|e| self.origin(e)).max().unwrap_or(Origin::Author);
        match expr {
            Expr::Const(_) | Expr::Test(_) | Expr::Compare(_) => Origin::Author,
            Expr::Var(name) => self.named(name.id),
            Expr::GetAttr(get) => self.field(&get.expr, get.name),
            Expr::GetItem(get) => match get.subscript_expr.as_const() {
                Some(key) if key.as_str().is_some() => {
                    self.field(&get.expr, key.as_str().unwrap_or_default())
                }
                _ => self.origin(&get.expr),
            },
            Expr::Slice(slice) => self.origin(&slice.expr),
            Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => Origin::Author,
            Expr::UnaryOp(op) => self.origin(&op.expr),
            Expr::BinOp(op) => match op.op {
                BinOpKind::Eq
                | BinOpKind::Ne
                | BinOpKind::Lt
                | BinOpKind::Lte
                | BinOpKind::Gt
                | BinOpKind::Gte
                | BinOpKind::In => Origin::Author,
                _ => self.origin(&op.left).max(self.origin(&op.right)),
            },
            Expr::IfExpr(i) => {
                let otherwise = i.false_expr.as_ref().map_or(Origin::Author, |expr| self.origin(expr));
                self.origin(&i.true_expr).max(otherwise)
            }
            Expr::Filter(f) => {
                // Without an input it is that of a block, whose text may come from anywhere.
                let input = f.expr.as_ref().map_or(Origin::Outside, |expr| self.origin(expr));
                input.max(self.arguments(&f.args))
            }
            // The other end of a link may come from anywhere.
            Expr::Call(call) if matches!(call.identify_call(), CallType::Method(..)) => Origin::Outside,
            Expr::Call(call) => self.arguments(&call.args),
            Expr::List(list) => worst(&list.items),
            Expr::Tuple(tuple) => worst(&tuple.items),
            Expr::Map(map) => worst(&map.keys).max(worst(&map.values)),
        }
    }

    fn arguments(&self, args: &[CallArg<'a>]) -> Origin {
        let of = |arg: &CallArg<'a>| match arg {
            CallArg::Pos(expr)
            | CallArg::Kwarg(_, expr)
            | CallArg::PosSplat(expr)
            | CallArg::KwargSplat(expr) => self.origin(expr),
        };
        args.iter().map(of).max().unwrap_or(Origin::Author)
    }

    fn named(&self, name: &str) -> Origin {
        let known = self.locals.get(name).or_else(|| self.sources.names.get(name));
        known.copied().unwrap_or(Origin::Outside)
    }

    fn field(&self, of: &Expr<'a>, field: &str) -> Origin {
        match self.root(of).and_then(|root| self.sources.member(root, field)) {
            Some(member) => member.origin,
            None => self.origin(of),
        }
    }

    /// The name in `expr`, unless set by the template.
    pub(super) fn root(&self, expr: &Expr<'a>) -> Option<&'a str> {
        match expr {
            Expr::Var(name) if !self.locals.contains_key(name.id) => Some(name.id),
            _ => None,
        }
    }

    pub(super) fn sources(&self) -> &'s Sources {
        self.sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_do_not_taint_texts() {
        let sources = Sources::default()
            .with("env", Origin::Author)
            .with_member(("vars", "base"), Origin::Author, None)
            .with_member(("vars", "id"), Origin::Outside, None);
        for (text, author) in [
            ("http://10.0.0.1/", true),
            ("{{ env.BASE }}/x", true),
            ("{{ env['BASE'] | lower }}", true),
            ("{{ vars.base }}/{{ env.X }}", true),
            ("{{ vars.base }}/{{ vars.id }}", false),
            ("{{ vars['id'] }}", false),
            ("{{ vars[event.name] }}", false),
            ("{{ {'a': 'http://10.0.0.1', 'b': env.B}[event.kind] }}", true),
            ("{{ ['http://10.0.0.1', 'http://10.0.0.2'][event.n] }}", true),
            ("{{ 'http://10.0.0.1' if event.x == 1 else env.B }}", true),
            ("{{ 'http://10.0.0.1' if event.x else event.y }}", false),
            ("{% if event.x %}http://a{% else %}http://b{% endif %}", true),
            ("{% set host = env.HOST %}http://{{ host }}/", true),
            ("{% set host = env.HOST %}{% set host = event.host %}http://{{ host }}/", false),
            ("{% for part in event.parts %}{{ part }}{% endfor %}", false),
            ("{% for part in ['a', 'b'] %}{{ part }}{{ loop.index }}{% endfor %}", true),
            ("{% set x %}{{ event.x }}{% endset %}{{ x }}", false),
            ("{% filter trim %}{{ event.x }}{% endfilter %}", false),
            ("{% filter trim %}{% set env = event %}{% endfilter %}{{ env.BASE }}", false),
            ("{% for x in event.list %}{{ loop.previtem | default('') }}{% endfor %}", false),
            ("{{ env.X | default(event.x) }}", false),
            ("{{ steps.a.url }}", false),
            ("{{ 'a' ~ event.x }}", false),
            ("{{ now() }}", true),
            ("{{ links.find('host', 'a') }}", false),
        ] {
            let origin = Template::parse(text).unwrap().origin(&sources);
            assert_eq!(origin == Origin::Author, author, "{text}");
        }
    }
}
