//! Infers what an expression comes to, and finds operands and inputs that can never work.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CallArg, CallType, CompareOpKind, Expr, Stmt, UnaryOpKind};

use super::call::{Call, Callee};
use super::comparison;
use super::conflict::{Conflict, ConflictKind};
use super::convert;
use super::inferred::{Class, Inferred};
use super::links;
use super::misread::{self, is_flag};
use super::name_use::{PathStep, Use};
use super::omit;
use super::operand::{compares, is_text, is_whole, looked_up, no_number, writes_number};
use super::parse::{Form, Template};
use super::presence::asks_presence;
use super::required_values::{Need, Present, path, prove};
use super::syntax::{self, clamp, extent};
use crate::value::Value;

/// The inferred value of a path.
pub type Lookup<'l, 's> = dyn Fn(&str, &[PathStep]) -> Inferred<'s> + 'l;

/// What was inferred of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference<'s> {
    /// Its value.
    pub value: Inferred<'s>,
    /// What can never work in it.
    pub conflicts: Vec<Conflict>,
}

impl Template {
    /// What is known of its value and in its expressions; of a text with expressions, nothing is known of the whole.
    /// What is `known` to exist is neither null nor missing.
    pub fn infer<'s>(&self, lookup: &Lookup<'_, 's>, known: &Present) -> Option<Inference<'s>> {
        if !self.is_whole() {
            return self.infer_parts(lookup, known);
        }
        if let (Form::Access(_), [Use::Path { root, steps, .. }]) = (self.form(), self.uses()) {
            let value = lookup(root, steps);
            let value = if is_proven(root, steps, known) { value.present() } else { value };
            return Some(Inference { value, conflicts: Vec::new() });
        }
        let template = syntax::statements(self.text()).ok()?;
        let only = syntax::only_expression(&template)?;
        let mut inferrer =
            Inferrer { text: self.text(), lookup, known: known.clone(), conflicts: Vec::new() };
        let value = inferrer.expression(&only.expr);
        Some(Inference { value, conflicts: inferrer.conflicts })
    }

    /// The same of the expressions in a text.
    fn infer_parts<'s>(&self, lookup: &Lookup<'_, 's>, known: &Present) -> Option<Inference<'s>> {
        let mut inferrer =
            Inferrer { text: self.text(), lookup, known: known.clone(), conflicts: Vec::new() };
        // Nothing can be wrong with paths alone, so that they are not parsed again.
        let has_more =
            self.text().contains(['|', '=', '<', '>', '+', '-', '/']) || self.text().contains(" in ");
        if has_more && let Stmt::Template(parts) = syntax::statements(self.text()).ok()? {
            for part in &parts.children {
                if let Stmt::EmitExpr(part) = part {
                    let value = inferrer.expression(&part.expr);
                    inferrer.there(&part.expr, &value);
                    if value.may_lack_members() {
                        inferrer.conflict(extent(&part.expr), ConflictKind::AbsentMember { by: None });
                    }
                }
            }
        }
        Some(Inference { value: Inferred::Unknown, conflicts: inferrer.conflicts })
    }
}

/// An operand and what is known of it.
pub(super) type Operand<'e, 'a, 's> = (&'e Expr<'a>, Inferred<'s>);

pub(super) struct Inferrer<'t, 'l, 's> {
    pub(super) text: &'t str,
    lookup: &'t Lookup<'l, 's>,
    /// What exists where the expression is evaluated.
    pub(super) known: Present,
    conflicts: Vec<Conflict>,
}

/// Whether a path is known to exist, and not to be null.
pub(super) fn is_proven(root: &str, steps: &[PathStep], known: &Present) -> bool {
    !known.is_empty() && Need::of(root, steps).is_proven(steps.len(), known)
}

impl<'s> Inferrer<'_, '_, 's> {
    pub(super) fn expression(&mut self, expr: &Expr<'_>) -> Inferred<'s> {
        if let Some(value) = expr.as_const() {
            return convert::to_json(&value).map_or(Inferred::Unknown, Inferred::Constant);
        }
        if let Some((root, steps)) = path(expr) {
            self.ends(expr);
            return match root {
                omit::NAME if steps.is_empty() => Inferred::Omitted,
                root => {
                    let value = (self.lookup)(root, &steps);
                    if is_proven(root, &steps, &self.known) { value.present() } else { value }
                }
            };
        }
        match expr {
            Expr::GetAttr(get) => {
                let holder = self.expression(&get.expr);
                holder.step(&PathStep::Field(get.name.into()))
            }
            Expr::GetItem(get) => {
                let key = self.expression(&get.subscript_expr);
                let holder = self.expression(&get.expr);
                match get.subscript_expr.as_const() {
                    Some(key) if key.is_integer() => holder.step(&PathStep::Item),
                    Some(_) => Inferred::Unknown,
                    None => looked_up(&holder, &key),
                }
            }
            Expr::Slice(slice) => {
                let value = self.expression(&slice.expr);
                self.sliced(&slice.expr, &value);
                match value.class() {
                    Some(Class::List) => value.present(),
                    _ if is_text(&value) => Inferred::Text,
                    _ => Inferred::Unknown,
                }
            }
            Expr::UnaryOp(op) => {
                let value = self.expression(&op.expr);
                if !matches!(op.op, UnaryOpKind::Not) {
                    self.there(&op.expr, &value);
                    if is_text(&value) {
                        self.conflict(extent(&op.expr), ConflictKind::TextAndNumber { operator: "-" });
                    }
                    if let Some(found) = value.alternatives().into_iter().find(|one| is_flag(one)) {
                        let (filter, takes, found) = ("-".to_owned(), "a number", misread::describe(found));
                        self.conflict(extent(&op.expr), ConflictKind::Misread { filter, takes, found });
                    }
                    self.arithmetic(
                        "-",
                        extent(&op.expr),
                        no_number(&BinOpKind::Sub, &value, &value),
                        &[&value],
                    );
                }
                match op.op {
                    UnaryOpKind::Not => Inferred::Flag,
                    _ if is_whole(&value) => Inferred::Integer,
                    _ => Inferred::Number,
                }
            }
            Expr::BinOp(op) => self.binary(op),
            Expr::Compare(compare) => {
                let mut left = (&compare.expr, self.expression(&compare.expr));
                for op in &compare.ops {
                    let right = (&op.expr, self.expression(&op.expr));
                    [&left, &right].into_iter().for_each(|(expr, value)| self.there(expr, value));
                    match op.op {
                        CompareOpKind::In | CompareOpKind::NotIn => self.contained(&left, &right),
                        CompareOpKind::Eq => self.equal(&left, &right, false),
                        CompareOpKind::Ne => self.equal(&left, &right, true),
                        operator if comparison::chained(operator).is_some() => self.ordered(&left, &right),
                        _ => {}
                    }
                    left = right;
                }
                Inferred::Flag
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                let first = self.where_it(&choice.test_expr, true, &choice.true_expr);
                match &choice.false_expr {
                    Some(otherwise) => first.or(self.where_it(&choice.test_expr, false, otherwise)),
                    None => first.or(Inferred::Constant(Value::Null)),
                }
            }
            Expr::Filter(filter) => self.filter(filter),
            Expr::Test(test) => {
                let value = self.expression(&test.expr);
                let arguments = self.arguments(&test.args);
                self.present_arguments(&test.args, &arguments);
                if !asks_presence(test.name) {
                    self.there(&test.expr, &value);
                }
                let place = extent(&test.expr);
                let call = Call::new(Callee::Test, test.name, place.clone(), &test.args);
                // What it looks into is told below.
                if test.name != "in" {
                    self.refused(&call, &arguments);
                }
                if let Some(spec) = call.spec() {
                    self.unfit(spec, test.name, &value, &place);
                    if spec.takes.needs_value(false) && value.may_be(&Inferred::Constant(Value::Null)) {
                        self.conflict(place, ConflictKind::NullTested { test: test.name.to_owned() });
                    }
                }
                if let ([CallArg::Pos(other)], [(_, known)]) = (test.args.as_slice(), arguments.as_slice()) {
                    let range = extent(&test.expr).start..extent(other).end;
                    match test.name {
                        "in" => self.contained(&(&test.expr, value), &(other, known.clone())),
                        name if compares(name) => self.in_order(&value, known, writes_number(other), range),
                        _ => {}
                    }
                }
                Inferred::Flag
            }
            Expr::Call(call) => {
                let arguments = self.arguments(&call.args);
                let (name, value) = match call.identify_call() {
                    CallType::Function("now") => ("now", Inferred::Moment),
                    CallType::Function("range") => ("range", Inferred::List(Box::new(Inferred::Integer))),
                    CallType::Function("dict") => ("dict", Inferred::Mapping),
                    CallType::Method(Expr::Var(of), _) if of.id == links::NAMESPACE => {
                        (links::FIND.name, Inferred::Text.or_null())
                    }
                    _ => return Inferred::Unknown,
                };
                self.present_arguments(&call.args, &arguments);
                self.refused(&Call::new(Callee::Function, name, extent(&call.expr), &call.args), &arguments);
                value
            }
            Expr::List(list) => self.list(&list.items),
            Expr::Tuple(tuple) => self.list(&tuple.items),
            Expr::Map(map) => {
                map.values.iter().for_each(|value| drop(self.expression(value)));
                Inferred::Mapping
            }
            _ => Inferred::Unknown,
        }
    }

    /// The value of an expression where `condition` is known.
    pub(super) fn where_it(&mut self, condition: &Expr<'_>, holds: bool, expr: &Expr<'_>) -> Inferred<'s> {
        let before = self.known.clone();
        prove(condition, holds, &mut self.known);
        let value = self.expression(expr);
        self.known = before;
        value
    }

    /// Complains about an operand that may be nothing.
    pub(super) fn there(&mut self, expr: &Expr<'_>, value: &Inferred<'s>) {
        if value.may_be(&Inferred::Absent) {
            let kind = match expr {
                Expr::GetItem(get) if get.subscript_expr.as_const().is_none() => ConflictKind::MaybeNoEntry,
                _ => ConflictKind::MaybeAbsent,
            };
            self.conflict(extent(expr), kind);
        }
    }

    fn list(&mut self, items: &[Expr<'_>]) -> Inferred<'s> {
        let mut items = items.iter().map(|item| self.expression(item)).collect::<Vec<_>>().into_iter();
        let first = items.next().unwrap_or(Inferred::Unknown);
        Inferred::List(Box::new(items.fold(first, Inferred::or)))
    }

    /// The values of arguments, each with whether it is given by place.
    pub(super) fn arguments(&mut self, arguments: &[CallArg<'_>]) -> Vec<(bool, Inferred<'s>)> {
        let values = arguments.iter().filter_map(|argument| match argument {
            CallArg::Pos(expr) => Some((true, self.expression(expr))),
            CallArg::Kwarg(_, expr) => Some((false, self.expression(expr))),
            CallArg::PosSplat(expr) | CallArg::KwargSplat(expr) => {
                self.expression(expr);
                None
            }
        });
        values.collect()
    }

    pub(super) fn conflict(&mut self, range: Range<usize>, kind: ConflictKind) {
        self.conflicts.push(Conflict { range: clamp(self.text, range), kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Shape;
    use serde_json::json;

    fn inferred(text: &str) -> (String, usize) {
        let shape: Shape = serde_yaml::from_str(
            "{ type: object, fields: { id: { type: string }, tags: { type: array, items: { type: string } }, notes: { type: array, items: { type: object, fields: { text: { type: string }, by: { type: string, nullable: true } } } } } }",
        )
        .unwrap();
        let lookup = |root: &str, steps: &[PathStep]| {
            let start = if root == "event" { Inferred::Declared(&shape) } else { Inferred::Unknown };
            steps.iter().fold(start, |value, step| value.step(step))
        };
        let inference = Template::parse(text).unwrap().infer(&lookup, &Present::new()).unwrap();
        let class = inference.value.class();
        (class.map_or("?", Class::describe).to_owned(), inference.conflicts.len())
    }

    #[test]
    fn classes_follow_filters_and_operators() {
        for (text, class) in [
            ("{{ event }}", "a mapping"),
            ("{{ event.tags | reject('eq', 'x') | list }}", "a list"),
            ("{{ event.tags | first }}", "a single value"),
            ("{{ event.notes | map(attribute='text') | first | default('') | upper }}", "a single value"),
            ("{{ event.id if event.tags else [] }}", "?"),
            ("{{ event.id | default(none) }}", "a single value"),
            ("{{ event.other | default(event.tags) }}", "?"),
            ("{{ none }}", "null"),
            ("{{ [event.id] | chain(event.tags) }}", "a list"),
            ("{{ event.id == 'x' or 2 + 3 }}", "a single value"),
            ("{{ other.x }}", "?"),
            ("{{ event.tags[1:] }}", "a list"),
        ] {
            assert_eq!(inferred(text), (class.to_owned(), 0), "{text}");
        }
    }

    #[test]
    fn what_may_be_null_or_nothing_is_told_where_it_fails() {
        for (text, conflicts) in [
            ("{{ event.id | regex_find('x') | lower }}", 1),
            ("{{ event.id | regex_find('x') | default('') | lower }}", 0),
            ("{{ event.id | e164('GB', strict=false) | trim }}", 1),
            ("{{ event.id | e164('GB') | trim }}", 0),
            ("{{ ('x' if event.id) | upper }}", 1),
            ("{{ event.tags | select('eq', 'x') | first | upper }}", 1),
            ("{{ event.tags | select('eq', 'x') | first | default('') | upper }}", 0),
            ("{{ (event.id | split(' ') | first) ~ '' }}", 0),
            ("{{ (event.id | split | first) ~ '' }}", 1),
            ("{{ [event.id] | first | upper }}", 0),
            ("{{ (event.tags | select | max) == 'x' }}", 1),
            ("{{ event.id | jsonpath('$.a') | upper }}", 1),
            ("{{ event.id | jsonpath('$.a[*]') | length }}", 0),
            ("{{ event.id is in(event.tags | length) }}", 1),
            ("{{ -event.id }}", 1),
            ("{{ event.tags - 1 }}", 1),
            ("{{ event.tags + ['x'] }}", 0),
            ("{{ event.tags | length | length }}", 1),
            ("{{ (now() | date) < now() }}", 1),
            ("{{ (now() | iso8601) < now() }}", 0),
            ("{{ (event.id | lower) > 5 }}", 1),
            ("{{ (now() | date('%H')) > 5 }}", 0),
            ("{{ ('2026-01-01' | add_time('2d')) < now() }}", 1),
            ("{{ ('2026-01-01' | add_time('2h')) < now() }}", 0),
        ] {
            assert_eq!(inferred(text).1, conflicts, "{text}");
        }
    }

    #[test]
    fn what_has_no_order_members_or_parts_is_told() {
        for (text, conflicts) in [
            ("{{ [[1], [2]] | sort }}", 1),
            ("{{ event.tags | batch(2) | sort }}", 1),
            ("{{ event.notes | sort }}", 1),
            ("{{ event.notes | max }}", 1),
            ("{{ event.notes | sort(attribute='by') }}", 1),
            ("{{ event.notes | sort(attribute='text, by') }}", 1),
            ("{{ event.notes | unique(attribute='by') }}", 1),
            ("{{ event.notes | groupby('by') | list }}", 1),
            ("{{ event.notes | groupby('by', default='') | list }}", 0),
            ("{{ event.notes | selectattr('by') | sort(attribute='by') }}", 0),
            ("{{ event.notes | selectattr('by') | list | groupby('by') | list }}", 0),
            ("{{ event.notes | selectattr('by', 'ne', 'x') | unique('by') }}", 2),
            ("{{ event.notes | rejectattr('by', 'none') | unique('by') }}", 1),
            ("{{ event.notes | selectattr('text') | sort(attribute='by') }}", 1),
            ("{{ [1, 2] * [3] }}", 1),
            ("{{ event.notes | map(attribute='by') | join }}", 1),
            ("{{ event.notes | map(attribute='by', default='') | join }}", 0),
            ("{{ event.notes | map(attribute='by') | select | join }}", 0),
            ("{{ event.notes | map(attribute='by') | compact | map('lower') | join }}", 0),
            ("{{ event.notes | map(attribute='by') | map('lower') | list }}", 1),
            ("{{ event.notes | map(attribute='by') | sort }}", 1),
            ("{{ event.notes | map(attribute='by') | select | sort }}", 0),
            ("{{ event.notes | selectattr('by') | map(attribute='by') | map('lower') | sort | join }}", 0),
            ("{{ event.notes | map(attribute='by') | length }}", 0),
            ("x {{ event.notes | map(attribute='by') }}", 1),
            ("{{ 'x' in (event.notes | map(attribute='by')) }}", 1),
            ("{{ 'x' in (event.notes | map(attribute='by') | select('defined')) }}", 0),
            ("{{ event.notes | map(attribute='by') | select('eq', 'x') | list }}", 1),
            ("{{ event.notes | map(attribute='by') | first | default('') }}", 0),
            ("{{ event.notes | map(attribute='text') | map('lower') | join }}", 0),
            ("{{ {'a': 1}[event.id] ~ '' }}", 1),
            ("{{ {'a': 1}[event.id] | default(0) }}", 0),
            ("{{ {'a': 1, 'b': 2}['a' if event.id else 'b'] ~ '' }}", 0),
            ("{{ {'a': event.id}[event.id] ~ '' }}", 1),
            ("{{ event.tags[event.id] | default('') }}", 0),
            ("{{ event * 2 }}", 1),
            ("{{ [0] * 2 }}", 0),
            ("{{ -(event.id == 'x') }}", 1),
            ("{{ event.notes | sort(attribute='text') }}", 0),
            ("{{ event.notes | sort(false, 'text') }}", 0),
            ("{{ event.notes | groupby('text') | list }}", 0),
            ("{{ event.notes | map(attribute='text') | sort }}", 0),
            ("{{ [1, 'a'] | sort }}", 1),
            ("{{ [1, '2'] | sort }}", 0),
            ("{{ [1, event.id] | max | default(0) }}", 1),
            ("{{ [true, false] | sort }}", 1),
            ("{{ [now(), now() | date] | min | default('') }}", 1),
            ("{{ [now(), '2027-01-01T00:00:00Z'] | min }}", 0),
            ("{{ event.tags | sort | first | default('') }}", 0),
            ("{{ event.tags | chain(event.tags | map('length')) | sort }}", 1),
            ("{{ event.tags | chain([event.id]) | sort }}", 0),
            ("{{ event.tags | chain([]) | sort }}", 0),
            ("{{ event.tags | zip(event.tags) | list | sort }}", 1),
            ("{{ (event.tags + event.notes) | sort }}", 1),
            ("{{ (event.tags + [event.id]) | map('lower') | list }}", 0),
            ("{{ 5 | chain([1]) }}", 1),
            ("{{ (event.tags | length) | zip(event.tags) }}", 1),
            ("{{ -event.tags }}", 1),
            ("{{ event.id // 2 }}", 1),
            ("{{ event.id % 2 }}", 1),
            ("{{ event.id * 2 }}", 1),
            ("{{ event.id * event.id }}", 1),
            ("{{ '-' * 20 }}", 0),
            ("{{ (event.id | default('0')) * 100 }}", 1),
            ("{{ (event.id | default('0') | number) * 100 }}", 0),
            ("{{ (event.tags | length)[1:] }}", 1),
            ("{{ event[1:] }}", 1),
            ("{{ event.id[:3] }}", 0),
            ("{{ event.tags[1:] | length }}", 0),
            ("{{ (event.id | regex_find('a'))[1:] }}", 1),
        ] {
            assert_eq!(inferred(text).1, conflicts, "{text}");
        }
        let scope = crate::template::Scope::new(chrono::DateTime::UNIX_EPOCH);
        for text in [
            "{{ [[1], [2]] | sort }}",
            "{{ 5 | chain([1]) }}",
            "{{ 5[1:] }}",
            "{{ -[1] }}",
            "{{ 'a' * 'b' }}",
        ] {
            assert!(Template::parse(text).unwrap().evaluate(&scope).is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_of_a_path_is_taken_of_what_has_members() {
        let lookup = |_: &str, steps: &[PathStep]| match steps {
            [PathStep::Field(name)] if name == "n" => Inferred::Integer,
            [PathStep::Field(name)] if name == "text" => Inferred::Text.or_null(),
            _ => Inferred::Unknown,
        };
        for (text, conflicts) in [
            ("{{ vars.n | first }}", 1),
            ("{{ (vars.n | last).x }}", 1),
            ("{{ vars.text | first }}", 1),
            ("{{ vars.other | first }}", 0),
            ("{{ vars.other | first | first }}", 0),
        ] {
            let told = Template::parse(text).unwrap().infer(&lookup, &Present::new()).unwrap().conflicts;
            assert_eq!(told.len(), conflicts, "{text}: {told:?}");
        }
    }

    #[test]
    fn conflicts_are_those_that_can_never_work() {
        for text in [
            "{{ event | lower }}",
            "{{ event.tags | trim }}",
            "{{ event.tags == 0 }}",
            "{{ event.tags == none }}",
            "{{ event == '' }}",
            "{{ event.tags | list > 0 }}",
            "{{ ('a' in event.tags) >= 1 }}",
            "{{ event.id | default('') > 0 }}",
            "{{ event.tags | reject(7) }}",
            "{{ event.notes | rejectattr('txt') }}",
            "{{ event | selectattr('id') }}",
            "{{ event.notes | map(attribute='txt') }}",
        ] {
            assert_eq!(inferred(text).1, 1, "{text}");
        }
        for text in [
            "{{ event.id == 0 }}",
            "{{ event.tags == [] }}",
            "{{ event.tags | length > 0 }}",
            "{{ event.other == none }}",
            "{{ other | lower }}",
            "{{ event.tags | map('lower') | list }}",
            "{{ event.notes | selectattr('text', 'in', event.tags) | list }}",
            "{{ (event.tags | default([])) | select('in', ['a']) }}",
        ] {
            assert_eq!(inferred(text).1, 0, "{text}");
        }
        for spec in crate::template::filters() {
            let call = spec.example.split_once('|').unwrap().1;
            let call = call.trim_end_matches(" }}").split('|').next().unwrap().split(").").next().unwrap();
            if !spec.takes.needs_value(false) {
                continue;
            }
            let text = format!("{{{{ event.x | default(none) | {call} }}}}");
            assert_ne!(inferred(&text).1, 0, "{text}");
            let scope = crate::template::Scope::new(chrono::DateTime::UNIX_EPOCH);
            let null = Template::parse(&text.replace("event.x | default(none)", "none")).unwrap();
            assert!(null.evaluate(&scope).is_err(), "{text}");
        }
        for text in [
            "{{ other | default([]) > 0 }}",
            "{{ 'x' in other | default([]) > 0 }}",
            "{{ [event, event.id] | join(', ') }}",
            "{{ event.notes | rejectattr(7, 'in', ['a']) | list }}",
            "{{ event | default('none') | lower }}",
        ] {
            assert_eq!(inferred(text).1, 1, "{text}");
        }
        assert_eq!(inferred("{{ [event.id, 'x'] | join(', ') }}").1, 0);
        assert_eq!(inferred("{{ event.tags | default('') | join(', ') }}").1, 0);
        assert_eq!(inferred("{{ event.id | default('') == none }}").1, 1);
        assert_eq!(inferred("{{ event.id | default(none) == none }}").1, 0);
        let constant =
            |text: &str| Template::parse(text).unwrap().infer(&|_, _| Inferred::Unknown, &Present::new());
        assert_eq!(constant("{{ 'a' }}").unwrap().value, Inferred::Constant(json!("a")));
        assert_eq!(constant("x {{ 'a' }}").unwrap().value, Inferred::Unknown);
        assert_eq!(inferred("x {{ event | lower }} {{ event.tags | trim }}"), ("?".to_owned(), 2));
        assert_eq!(inferred("{{ event.id | e164(event.tags | first | default('GB')) }}").1, 0);
        assert_eq!(inferred("{{ event.id | e164(event.tags | first | default('XX')) }}").1, 1);
        for (text, conflicts) in [
            ("{{ 'a' in event }}", 1),
            ("{{ 'id' in event }}", 0),
            ("{{ event.tags in 'a, b' }}", 1),
            ("{{ 'a' in event.tags }}", 0),
            ("{{ (event.id | lower) == none }}", 1),
            ("{{ event.id == none }}", 0),
        ] {
            assert_eq!(inferred(text).1, conflicts, "{text}");
        }
    }
}
