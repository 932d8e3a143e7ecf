//! Values that a template requires, and values that a condition proves to exist.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::machinery::ast::{BinOp, BinOpKind, CallArg, Expr, Filter, Stmt, UnaryOpKind};

use super::filters::result;
use super::name_use::{PathStep, Use};
use super::parse::Template;
use super::presence::{asks_for_null, asks_presence, replaces_missing};
use super::signature::is_lenient;
use super::syntax::{self, clamp, extent};

/// Prefix of a path that is known to be missing or false.
const ABSENT: &str = "!";
/// Suffix of a path that is known to exist, and may be empty, 0 or false.
const THERE: &str = "?";

/// Paths that are known to count as true, such as `event.tags[]`; with a suffix `?` those known to exist, and with a
/// prefix `!` those known to be missing or false.
pub type Present = BTreeSet<String>;

/// A value that a template requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The first name of its path.
    pub root: String,
    /// The path's steps.
    pub steps: Vec<PathStep>,
    /// The last step may be missing, because the template only tests whether it exists.
    pub tolerant: bool,
    /// It may be null, which it is compared with.
    pub beside_null: bool,
    /// The range of the path, in bytes of the template's text.
    pub range: Range<usize>,
    /// What the template itself ensures at this place.
    pub present: Present,
}

impl Template {
    /// The values that the template requires; as a condition, if it `is_one`.
    pub fn needs(&self, is_one: bool) -> Vec<Need> {
        let Ok(template) = syntax::statements(self.text()) else { return Vec::new() };
        let mut walker = Walker { text: self.text(), found: Vec::new() };
        let present = Present::new();
        match syntax::only_expression(&template) {
            Some(only) => walker.expression(&only.expr, is_one, &present),
            None => walker.statement(&template, &present),
        }
        walker.found
    }

    /// Whether this condition (one expression) follows from `known`.
    pub fn follows_from(&self, known: &Present) -> bool {
        let proven = self.proves(true);
        self.asks_for_paths()
            && !proven.is_empty()
            && proven.len() == self.uses().len()
            && proven.iter().all(|path| {
                known.contains(path) || path.strip_suffix(THERE).is_some_and(|path| known.contains(path))
            })
    }

    /// Whether this condition is false if `known` holds, which comes from conditions that ask for paths.
    pub fn contradicts(&self, known: &Present) -> bool {
        self.asks_for_paths()
            && self.proves(true).iter().any(|path| match path.strip_prefix(ABSENT) {
                Some(path) => known.contains(path),
                None => known.contains(&format!("{ABSENT}{path}")),
            })
    }

    /// Whether this condition (one expression) only asks whether paths count as true.
    pub fn asks_for_paths(&self) -> bool {
        let only_paths = self.uses().iter().all(|used| matches!(used, Use::Path { .. }));
        let compared = self.text().contains(['=', '<', '>', '+', '~', '(']) || self.text().contains(" in ");
        self.is_whole() && only_paths && !compared
    }

    /// What exists if the value of this condition (one expression) is `holds`.
    pub fn proves(&self, holds: bool) -> Present {
        let mut proven = Present::new();
        if let Ok(template) = syntax::statements(self.text())
            && let Some(only) = syntax::only_expression(&template)
        {
            prove(&only.expr, holds, &mut proven);
        }
        proven
    }
}

/// A path in the form of `Present`.
pub(super) fn written(root: &str, steps: &[PathStep]) -> String {
    let mut path = root.to_owned();
    for step in steps {
        match step {
            PathStep::Field(name) => path.extend([".", name]),
            PathStep::Item => path.push_str("[]"),
        }
    }
    path
}

impl Need {
    /// The need of the value at a path.
    pub fn of(root: &str, steps: &[PathStep]) -> Self {
        let (root, steps) = (root.to_owned(), steps.to_vec());
        Self { root, steps, tolerant: false, beside_null: false, range: 0..0, present: Present::new() }
    }

    /// Its path, as in templates.
    pub fn path(&self) -> String {
        self.path_to(self.steps.len())
    }

    /// Its path up to step `upto`, as in templates.
    pub fn path_to(&self, upto: usize) -> String {
        let mut path = self.root.clone();
        for step in &self.steps[..upto] {
            match step {
                PathStep::Field(name) => path.extend([".", name.as_str()]),
                PathStep::Item => path.push_str("[0]"),
            }
        }
        path
    }

    /// Whether the path up to step `upto` is known to exist.
    pub fn is_proven(&self, upto: usize, elsewhere: &Present) -> bool {
        self.is_known(upto, elsewhere, |rest| rest.is_empty() || rest == THERE)
    }

    /// Whether the value at the path up to step `upto` is known to have something in it.
    pub fn is_filled(&self, upto: usize, elsewhere: &Present) -> bool {
        self.is_known(upto, elsewhere, str::is_empty)
    }

    /// What exists has the values that lead to it.
    fn is_known(&self, upto: usize, elsewhere: &Present, ends: fn(&str) -> bool) -> bool {
        let path = written(&self.root, &self.steps[..upto]);
        let leads = |known: &String| {
            let rest = known.strip_prefix(&path);
            rest.is_some_and(|rest| ends(rest) || rest.starts_with(['.', '[']))
        };
        self.present.iter().chain(elsewhere).any(leads)
    }
}

struct Walker<'t> {
    text: &'t str,
    found: Vec<Need>,
}

impl Walker<'_> {
    fn statement(&mut self, stmt: &Stmt<'_>, present: &Present) {
        match stmt {
            Stmt::Template(t) => self.body(&t.children, present),
            Stmt::EmitExpr(e) => self.expression(&e.expr, false, present),
            Stmt::IfCond(c) => {
                self.expression(&c.expr, true, present);
                self.body(&c.true_body, &with(present, &c.expr, true));
                self.body(&c.false_body, &with(present, &c.expr, false));
            }
            Stmt::ForLoop(f) => {
                self.expression(&f.iter, false, present);
                self.body(&f.body, present);
                self.body(&f.else_body, present);
            }
            Stmt::Set(s) => self.expression(&s.expr, false, present),
            _ => {}
        }
    }

    fn body(&mut self, stmts: &[Stmt<'_>], present: &Present) {
        stmts.iter().for_each(|stmt| self.statement(stmt, present));
    }

    /// `tolerant`: an undefined value counts as false.
    fn expression(&mut self, expr: &Expr<'_>, tolerant: bool, present: &Present) {
        if let Some((root, steps)) = path(expr) {
            let range = clamp(self.text, extent(expr));
            let (root, present) = (root.to_owned(), present.clone());
            self.found.push(Need { root, steps, tolerant, beside_null: false, range, present });
            return;
        }
        match expr {
            Expr::BinOp(op) => self.binary(op, tolerant, present),
            Expr::UnaryOp(op) => {
                let negates = matches!(op.op, UnaryOpKind::Not);
                self.expression(&op.expr, negates, present);
            }
            Expr::IfExpr(i) => {
                self.expression(&i.test_expr, true, present);
                self.expression(&i.true_expr, tolerant, &with(present, &i.test_expr, true));
                if let Some(otherwise) = &i.false_expr {
                    self.expression(otherwise, tolerant, &with(present, &i.test_expr, false));
                }
            }
            Expr::Filter(f) => {
                // A value before `default` may be missing, not one that another filter needs before it.
                let replaced = replaces_missing(f.name);
                if let Some(input) = f.expr.as_ref().filter(|input| !replaced || path(input).is_none()) {
                    self.expression(input, replaced || accepts_missing(f), present);
                }
                // `coalesce` passes over what is missing.
                if f.name == "coalesce" {
                    f.args.iter().for_each(|argument| {
                        if let CallArg::Pos(expr) = argument {
                            self.expression(expr, true, present);
                        }
                    });
                } else {
                    self.arguments(&f.args, present);
                }
            }
            Expr::Test(t) => {
                if asks_for_null(t.name) {
                    self.beside_null(&t.expr, present);
                } else if !asks_presence(t.name) {
                    self.expression(&t.expr, false, present);
                }
                self.arguments(&t.args, present);
            }
            Expr::Call(c) => self.arguments(&c.args, present),
            Expr::Compare(c) => {
                self.expression(&c.expr, false, present);
                c.ops.iter().for_each(|op| self.expression(&op.expr, false, present));
            }
            Expr::GetAttr(get) => self.expression(&get.expr, false, present),
            Expr::GetItem(get) => self.expression(&get.expr, false, present),
            Expr::Slice(s) => self.expression(&s.expr, false, present),
            Expr::List(l) => l.items.iter().for_each(|item| self.expression(item, false, present)),
            Expr::Tuple(t) => t.items.iter().for_each(|item| self.expression(item, false, present)),
            Expr::Map(m) => m.values.iter().for_each(|value| self.expression(value, false, present)),
            Expr::Var(_) | Expr::Const(_) => {}
        }
    }

    fn binary(&mut self, op: &BinOp<'_>, tolerant: bool, present: &Present) {
        match op.op {
            BinOpKind::ScAnd => {
                self.expression(&op.left, true, present);
                self.expression(&op.right, tolerant, &with(present, &op.left, true));
            }
            BinOpKind::ScOr => {
                self.expression(&op.left, true, present);
                self.expression(&op.right, tolerant, &with(present, &op.left, false));
            }
            BinOpKind::Eq | BinOpKind::Ne if is_null(&op.right) => self.beside_null(&op.left, present),
            BinOpKind::Eq | BinOpKind::Ne if is_null(&op.left) => self.beside_null(&op.right, present),
            _ => {
                self.expression(&op.left, false, present);
                self.expression(&op.right, false, present);
            }
        }
    }

    /// A value that is compared with null.
    fn beside_null(&mut self, expr: &Expr<'_>, present: &Present) {
        let before = self.found.len();
        self.expression(expr, false, present);
        if path(expr).is_some()
            && let Some(need) = self.found.get_mut(before)
        {
            need.beside_null = true;
        }
    }

    fn arguments(&mut self, args: &[CallArg<'_>], present: &Present) {
        for arg in args {
            match arg {
                CallArg::Pos(expr) | CallArg::Kwarg(_, expr) => self.expression(expr, false, present),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {}
            }
        }
    }
}

/// Whether a filter takes a value that is missing for null.
fn accepts_missing(filter: &Filter<'_>) -> bool {
    result::accepts_missing(filter.name, is_lenient(&filter.args))
}

/// `present` and what `condition` proves if its value is `holds`.
fn with(present: &Present, condition: &Expr<'_>, holds: bool) -> Present {
    let mut present = present.clone();
    prove(condition, holds, &mut present);
    present
}

/// Adds what `condition` proves if its value is `holds`.
pub(super) fn prove(condition: &Expr<'_>, holds: bool, proven: &mut Present) {
    if let Some((root, steps)) = path(condition) {
        let path = written(root, &steps);
        proven.insert(if holds { path } else { format!("{ABSENT}{path}") });
        return;
    }
    match condition {
        Expr::UnaryOp(op) if matches!(op.op, UnaryOpKind::Not) => prove(&op.expr, !holds, proven),
        Expr::BinOp(op) => match (&op.op, holds) {
            (BinOpKind::ScAnd, true) | (BinOpKind::ScOr, false) => {
                prove(&op.left, holds, proven);
                prove(&op.right, holds, proven);
            }
            (BinOpKind::Eq, true) | (BinOpKind::Ne, false) => {
                compared(&op.left, &op.right, proven);
                compared(&op.right, &op.left, proven);
            }
            (BinOpKind::Ne, true) | (BinOpKind::Eq, false) if is_null(&op.right) => {
                there(&op.left, proven);
            }
            (BinOpKind::Ne, true) | (BinOpKind::Eq, false) if is_null(&op.left) => {
                there(&op.right, proven);
            }
            // `tags | length != 0`
            (BinOpKind::Ne, true) | (BinOpKind::Eq, false)
                if is_number(&op.right, |number| number == 0.0) =>
            {
                if matches!(&op.left, Expr::Filter(filter) if matches!(filter.name, "length" | "count")) {
                    prove(&op.left, true, proven);
                }
            }
            (BinOpKind::In, true) => {
                there(&op.left, proven);
                prove(&op.right, true, proven);
            }
            (BinOpKind::Gt, true) if is_number(&op.right, |least| least >= 0.0) => {
                prove(&op.left, true, proven);
            }
            (BinOpKind::Gte, true) if is_number(&op.right, |least| least > 0.0) => {
                prove(&op.left, true, proven);
            }
            (BinOpKind::Lt, true) if is_number(&op.left, |least| least >= 0.0) => {
                prove(&op.right, true, proven);
            }
            (BinOpKind::Lte, true) if is_number(&op.left, |least| least > 0.0) => {
                prove(&op.right, true, proven);
            }
            (BinOpKind::Gt | BinOpKind::Gte | BinOpKind::Lt | BinOpKind::Lte, true) => {
                there(&op.left, proven);
                there(&op.right, proven);
            }
            _ => {}
        },
        // What is missing or empty has no items, length or parts; as JSON it has.
        Expr::Filter(f) => {
            if let Some(input) = f.expr.as_ref().filter(|_| holds && !gives_something(&f.args)) {
                match f.name {
                    "tojson" | "hash" => there(input, proven),
                    _ => prove(input, true, proven),
                }
            }
        }
        Expr::Test(t) => match (t.name, holds) {
            ("defined", true) | ("undefined" | "none" | "null", false) => there(&t.expr, proven),
            ("defined" | "undefined" | "none" | "null" | "ne", _) => {}
            ("true", true) => prove(&t.expr, true, proven),
            (_, true) => there(&t.expr, proven),
            _ => {}
        },
        _ => {}
    }
}

/// Adds that a value exists, which may be empty, 0 or false.
fn there(expr: &Expr<'_>, proven: &mut Present) {
    if let Some((root, steps)) = path(expr) {
        proven.insert(written(root, &steps) + THERE);
    } else if let Expr::Filter(filter) = expr
        && let Some(input) = &filter.expr
        && (!replaces_missing(filter.name) || gives_null(&filter.args))
        && !gives_something(&filter.args)
    {
        there(input, proven);
    }
}

/// `default('x')` is true for a missing value, too.
fn gives_something(args: &[CallArg<'_>]) -> bool {
    args.iter().any(|arg| match arg {
        CallArg::Pos(expr) | CallArg::Kwarg(_, expr) => expr.as_const().is_none_or(|value| value.is_true()),
        _ => true,
    })
}

/// `default(none)` is null for a missing value.
fn gives_null(args: &[CallArg<'_>]) -> bool {
    matches!(args.first(), Some(CallArg::Pos(expr)) if is_null(expr))
}

/// `value == 'x'`, where the other side is written out.
fn compared(value: &Expr<'_>, other: &Expr<'_>, proven: &mut Present) {
    match other.as_const() {
        Some(other) if other.is_true() => prove(value, true, proven),
        Some(other) if !other.is_none() => there(value, proven),
        _ => {}
    }
}

fn is_null(expr: &Expr<'_>) -> bool {
    expr.as_const().is_some_and(|value| value.is_none())
}

fn is_number(expr: &Expr<'_>, fits: fn(f64) -> bool) -> bool {
    let number = expr.as_const().filter(|value| value.is_number());
    number.and_then(|number| f64::try_from(number).ok()).is_some_and(fits)
}

/// The path in `expr`, literal or with `first` and `last`.
pub(super) fn path<'e>(expr: &'e Expr<'_>) -> Option<(&'e str, Vec<PathStep>)> {
    match expr {
        Expr::Var(name) => Some((name.id, Vec::new())),
        Expr::GetAttr(get) => then(path(&get.expr)?, PathStep::Field(get.name.into())),
        Expr::GetItem(get) => {
            let key = get.subscript_expr.as_const()?;
            let step = match key.as_str() {
                Some(name) => PathStep::Field(name.into()),
                None if key.is_integer() => PathStep::Item,
                None => return None,
            };
            then(path(&get.expr)?, step)
        }
        Expr::Filter(f) if matches!(f.name, "first" | "last") && f.args.is_empty() => {
            then(path(f.expr.as_ref()?)?, PathStep::Item)
        }
        _ => None,
    }
}

fn then(path: (&str, Vec<PathStep>), step: PathStep) -> Option<(&str, Vec<PathStep>)> {
    let (root, mut steps) = path;
    steps.push(step);
    Some((root, steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Required paths that the template does not ensure, with `?` if the end may be missing.
    fn needs(text: &str) -> Vec<String> {
        let needs = Template::parse(text).unwrap().needs(false);
        let open = needs.iter().filter(|need| !need.is_proven(need.steps.len(), &Present::new()));
        open.map(|need| written(&need.root, &need.steps) + if need.tolerant { "?" } else { "" }).collect()
    }

    #[test]
    fn guarded_values_are_not_required() {
        assert_eq!(needs("{{ event.a.b | lower }} {{ event.c[0].d }}"), ["event.a.b", "event.c[].d"]);
        assert_eq!(needs("{{ event.a | default('x') | lower }}"), Vec::<String>::new());
        assert_eq!(needs("{{ event.a | lower if event.a else event.b }}"), ["event.a?", "event.b"]);
        assert_eq!(needs("{{ event.b if not event.a else event.a }}"), ["event.a?", "event.b"]);
        assert_eq!(needs("{{ event.a or event.b }}"), ["event.a?", "event.b"]);
        assert_eq!(needs("{{ event.a is defined and event.a == 'x' }}"), Vec::<String>::new());
        assert_eq!(needs("{% if event.a %}{{ event.a.b }}{% endif %}"), ["event.a?", "event.a.b"]);
        assert_eq!(needs("{{ event.a == 'x' }}"), ["event.a"]);
        assert_eq!(needs("{{ (event.notes | first).text }}"), ["event.notes[].text"]);
    }

    #[test]
    fn a_condition_follows_from_what_is_known() {
        let follows = |text: &str, known: &[&str]| {
            let known = known.iter().map(|path| (*path).to_owned()).collect();
            Template::parse(text).unwrap().follows_from(&known)
        };
        assert!(follows("{{ not steps.a }}", &["!steps.a", "event.b"]));
        assert!(follows("{{ event.a and event.b }}", &["event.a", "event.b"]));
        for open in
            ["{{ event.a == 'x' }}", "{{ event.a or event.b }}", "{{ event.a | length }}", "{{ event.c }}"]
        {
            assert!(!follows(open, &["event.a", "event.b"]), "{open}");
        }
    }

    #[test]
    fn conditions_prove_what_is_there() {
        let proves = |text: &str, holds| -> Vec<String> {
            Template::parse(text).unwrap().proves(holds).into_iter().collect()
        };
        assert_eq!(proves("{{ event.a and event.b.c }}", true), ["event.a", "event.b.c"]);
        assert_eq!(proves("{{ event.a or event.b }}", true), Vec::<String>::new());
        assert_eq!(proves("{{ event.a == 'x' }}", true), ["event.a"]);
        assert_eq!(proves("{{ event.a != 'x' }}", true), Vec::<String>::new());
        assert_eq!(proves("{{ not event.a }}", false), ["event.a"]);
        assert_eq!(proves("{{ not event.a }}", true), ["!event.a"]);
        assert_eq!(proves("{{ not event.a or not event.b }}", false), ["event.a", "event.b"]);
        assert_eq!(proves("{{ not event.a | default('') }}", false), ["event.a"]);
        assert_eq!(proves("{{ event.a | default('x') }}", true), Vec::<String>::new());
        for (condition, proven) in [
            ("event.a | length == 0", Some("event.a?")),
            ("event.a | length >= 0", Some("event.a?")),
            ("event.a | length >= 1", Some("event.a")),
            ("event.a | length != 0", Some("event.a")),
            ("0 < event.a | length", Some("event.a")),
            ("event.a < 5", Some("event.a?")),
            ("event.a == ''", Some("event.a?")),
            ("event.a | default('') == ''", None),
            ("event.a | default(none) is not none", Some("event.a?")),
            ("event.a | default('') is not none", None),
            ("event.a != ''", None),
            ("event.a != none", Some("event.a?")),
            ("event.a is not null", Some("event.a?")),
            ("event.a is null", None),
            ("event.a is ne('x')", None),
            ("event.a is mapping", Some("event.a?")),
            ("event.a in ['', 'x']", Some("event.a?")),
            ("event.a | tojson", Some("event.a?")),
        ] {
            let told = proves(&format!("{{{{ {condition} }}}}"), true);
            assert_eq!(told.first().map(String::as_str), proven, "{condition}");
        }
        let need = Need::of("event", &[PathStep::Field("a".to_owned())]);
        for (known, there, filled) in [
            ("event.a", true, true),
            ("event.a?", true, false),
            ("event.a[].b?", true, true),
            ("event.ab", false, false),
        ] {
            let known = Present::from([known.to_owned()]);
            assert_eq!((need.is_proven(1, &known), need.is_filled(1, &known)), (there, filled), "{known:?}");
        }
        assert_eq!(proves("{{ event.a | trim | length > 3 }}", true), ["event.a"]);
        assert_eq!(proves("{{ event.a is defined }}", true), ["event.a?"]);
        assert_eq!(proves("{{ 'x' in event.tags }}", true), ["event.tags"]);
    }
}
