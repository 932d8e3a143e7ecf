//! Infers what an expression comes to, and finds operands and inputs that can never work.

use std::ops::Range;

use minijinja::machinery::ast::{
    BinOp, BinOpKind, CallArg, CallType, CompareOpKind, Expr, Filter, Spanned, Stmt, UnaryOpKind,
};
use minijinja::value::Value as Datum;

use super::call::{Call, Callee};
use super::comparison;
use super::conflict::{Conflict, ConflictKind};
use super::convert;
use super::filters::result;
use super::inferred::{Class, Inferred};
use super::name_use::{PathStep, Use};
use super::omit;
use super::operand::{
    NEEDS_VALUE, both_numbers, defaults_to_null, is_number, is_text, is_word, main_class, never_null,
    sides_differ, without_order,
};
use super::parse::{Form, Template};
use super::required_values::path;
use super::syntax::{self, bytes, clamp, extent};
use crate::diagnostic::closest;
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
    pub fn infer<'s>(&self, lookup: &Lookup<'_, 's>) -> Option<Inference<'s>> {
        if !self.is_whole() {
            return self.infer_parts(lookup);
        }
        if let (Form::Access(_), [Use::Path { root, steps, .. }]) = (self.form(), self.uses()) {
            return Some(Inference { value: lookup(root, steps), conflicts: Vec::new() });
        }
        let template = syntax::statements(self.text()).ok()?;
        let only = syntax::only_expression(&template)?;
        let mut inferrer = Inferrer { text: self.text(), lookup, conflicts: Vec::new() };
        let value = inferrer.expression(&only.expr);
        Some(Inference { value, conflicts: inferrer.conflicts })
    }

    /// The same of the expressions in a text.
    fn infer_parts<'s>(&self, lookup: &Lookup<'_, 's>) -> Option<Inference<'s>> {
        let mut inferrer = Inferrer { text: self.text(), lookup, conflicts: Vec::new() };
        // Nothing can be wrong with paths alone, so that they are not parsed again.
        let has_more =
            self.text().contains(['|', '=', '<', '>', '+', '-', '/']) || self.text().contains(" in ");
        if has_more && let Stmt::Template(parts) = syntax::statements(self.text()).ok()? {
            for part in &parts.children {
                if let Stmt::EmitExpr(part) = part {
                    inferrer.expression(&part.expr);
                }
            }
        }
        Some(Inference { value: Inferred::Unknown, conflicts: inferrer.conflicts })
    }
}

/// An operand and what is known of it.
type Operand<'e, 'a, 's> = (&'e Expr<'a>, Inferred<'s>);

struct Inferrer<'t, 'l, 's> {
    text: &'t str,
    lookup: &'t Lookup<'l, 's>,
    conflicts: Vec<Conflict>,
}

impl<'s> Inferrer<'_, '_, 's> {
    fn expression(&mut self, expr: &Expr<'_>) -> Inferred<'s> {
        if let Some(value) = expr.as_const() {
            return convert::to_json(&value).map_or(Inferred::Unknown, Inferred::Constant);
        }
        if let Some((root, steps)) = path(expr) {
            return match root {
                omit::NAME if steps.is_empty() => Inferred::Omitted,
                root => (self.lookup)(root, &steps),
            };
        }
        match expr {
            Expr::GetAttr(get) => {
                let holder = self.expression(&get.expr);
                holder.step(&PathStep::Field(get.name.into()))
            }
            Expr::GetItem(get) => {
                self.expression(&get.subscript_expr);
                let holder = self.expression(&get.expr);
                match get.subscript_expr.as_const() {
                    Some(key) if key.is_integer() => holder.step(&PathStep::Item),
                    _ => Inferred::Unknown,
                }
            }
            Expr::Slice(slice) => match self.expression(&slice.expr) {
                Inferred::Declared(shape) if Inferred::Declared(shape).class() == Some(Class::List) => {
                    Inferred::Declared(shape)
                }
                list @ Inferred::List(_) => list,
                text if is_text(&text) => Inferred::Text,
                _ => Inferred::Unknown,
            },
            Expr::UnaryOp(op) => {
                self.expression(&op.expr);
                if matches!(op.op, UnaryOpKind::Not) { Inferred::Flag } else { Inferred::Number }
            }
            Expr::BinOp(op) => self.binary(op),
            Expr::Compare(compare) => {
                let mut left = (&compare.expr, self.expression(&compare.expr));
                for op in &compare.ops {
                    let right = (&op.expr, self.expression(&op.expr));
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
                let first = self.expression(&choice.true_expr);
                match &choice.false_expr {
                    Some(otherwise) => first.or(self.expression(otherwise)),
                    None => first.or(Inferred::Unknown),
                }
            }
            Expr::Filter(filter) => self.filter(filter),
            Expr::Test(test) => {
                self.expression(&test.expr);
                self.arguments(&test.args);
                Inferred::Flag
            }
            Expr::Call(call) => {
                self.arguments(&call.args);
                match call.identify_call() {
                    CallType::Function("now") => Inferred::Text,
                    CallType::Function("range") => Inferred::List(Box::new(Inferred::Number)),
                    CallType::Function("dict") => Inferred::Mapping,
                    _ => Inferred::Unknown,
                }
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

    fn list(&mut self, items: &[Expr<'_>]) -> Inferred<'s> {
        let mut items = items.iter().map(|item| self.expression(item)).collect::<Vec<_>>().into_iter();
        let first = items.next().unwrap_or(Inferred::Unknown);
        Inferred::List(Box::new(items.fold(first, Inferred::or)))
    }

    /// The values of arguments, each with whether it is given by place.
    fn arguments(&mut self, arguments: &[CallArg<'_>]) -> Vec<(bool, Inferred<'s>)> {
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

    /// Arguments that come to a value which the filter never accepts.
    fn refused(&mut self, filter: &Filter<'_>, place: Range<usize>, arguments: &[(bool, Inferred<'s>)]) {
        let known: Vec<Option<Datum>> = arguments
            .iter()
            .map(|(_, value)| match value {
                Inferred::Constant(value) => Some(convert::from_json(value)),
                _ => None,
            })
            .collect();
        for problem in Call::new(Callee::Filter, filter.name, place, &filter.args).problems_with(&known) {
            let kind = ConflictKind::Argument { message: problem.message, help: problem.help };
            self.conflict(problem.range, kind);
        }
    }

    fn binary(&mut self, op: &BinOp<'_>) -> Inferred<'s> {
        let sides = [(&op.left, self.expression(&op.left)), (&op.right, self.expression(&op.right))];
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
            BinOpKind::Add | BinOpKind::Sub | BinOpKind::Div if sides_differ(&op.op, &left, &right) => {
                let operator = match op.op {
                    BinOpKind::Add => "+",
                    BinOpKind::Sub => "-",
                    _ => "/",
                };
                let range = extent(&op.left).start..extent(&op.right).end;
                self.conflict(range, ConflictKind::TextAndNumber { operator });
                Inferred::Unknown
            }
            BinOpKind::Add if is_text(&left) && is_text(&right) => Inferred::Text,
            _ if both_numbers(&left, &right) => Inferred::Number,
            _ => Inferred::Unknown,
        }
    }

    /// `a == b` of which one is a list, a mapping or a computed number, and the other one written out as something else.
    fn equal(&mut self, left: &Operand<'_, '_, 's>, right: &Operand<'_, '_, 's>, negated: bool) {
        let range = extent(left.0).start..extent(right.0).end;
        let exprs = (left.0, right.0);
        let (left, right) = (&left.1, &right.1);
        let is_number = |side: &Inferred<'_>| matches!(side, Inferred::Number);
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
        let computed = matches!(other, Inferred::Text | Inferred::Number | Inferred::Flag);
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
    fn contained(&mut self, left: &Operand<'_, '_, 's>, right: &Operand<'_, '_, 's>) {
        let range = extent(left.0).start..extent(right.0).end;
        let (left, right) = (&left.1, &right.1);
        self.words(left, right, &range);
        if let Inferred::Declared(shape) = right
            && right.class() == Some(Class::Mapping)
            && let Inferred::Constant(Value::String(name)) = left
            && shape.step(&PathStep::Field(name.clone())).is_err()
        {
            let kind = ConflictKind::ContainsNothing { found: Class::Mapping, field: Some(name.clone()) };
            return self.conflict(range, kind);
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
    fn ordered(&mut self, left: &Operand<'_, '_, 's>, right: &Operand<'_, '_, 's>) {
        let is_computed = |expr: &Expr<'_>| path(expr).is_none() && expr.as_const().is_none();
        let found = [(left.0, &left.1, &right.1), (right.0, &right.1, &left.1)].into_iter().find_map(
            |(expr, side, other)| match side {
                _ if !is_computed(expr) => None,
                Inferred::Flag => Some("true or false"),
                Inferred::Number if is_word(other) => Some("text beside a number"),
                Inferred::OneOf(all) if is_number(other) && all.iter().any(is_word) => {
                    Some("text beside a number")
                }
                Inferred::OneOf(all) => all.iter().find_map(without_order),
                side => without_order(side),
            },
        );
        if let Some(found) = found {
            let range = extent(left.0).start..extent(right.0).end;
            self.conflict(range, ConflictKind::Unordered { found });
        }
    }

    fn filter(&mut self, filter: &Spanned<Filter<'_>>) -> Inferred<'s> {
        let input = filter.expr.as_ref().map_or(Inferred::Unknown, |input| self.expression(input));
        let arguments = self.arguments(&filter.args);
        let name = bytes(filter.span()).start;
        let name = clamp(self.text, name..name + filter.name.len());
        let own = self.text.get(name.clone()) == Some(filter.name);
        let place = if own { name } else { 0..self.text.len() };
        if let Some((takes, classes)) = result::takes(filter.name)
            && let Some(found) =
                main_class(&input).filter(|found| *found != Class::Null && !classes.contains(found))
        {
            let kind = ConflictKind::Input { filter: filter.name.to_owned(), takes, found };
            self.conflict(place.clone(), kind);
        }
        let by_attribute =
            filter.args.iter().any(|argument| matches!(argument, CallArg::Kwarg("attribute", _)));
        if filter.name == "map" && by_attribute && input.class() == Some(Class::Mapping) {
            let (takes, found) = ("a list of mappings", Class::Mapping);
            self.conflict(place.clone(), ConflictKind::Input { filter: "map".to_owned(), takes, found });
        }
        if ["default", "d", "coalesce"].contains(&filter.name)
            && let Some(Expr::Filter(before)) = &filter.expr
            && before.name == "e164"
            && before.args.len() < 2
            && !before.args.iter().any(|argument| matches!(argument, CallArg::Kwarg("strict", _)))
        {
            self.conflict(place.clone(), ConflictKind::NeverAbsent { filter: filter.name.to_owned() });
        }
        if NEEDS_VALUE.contains(&filter.name) && filter.expr.as_ref().is_some_and(defaults_to_null) {
            self.conflict(place.clone(), ConflictKind::NullInput { filter: filter.name.to_owned() });
        }
        if matches!(filter.name, "join" | "join_present")
            && filter.args.len() < 2
            && let Inferred::List(members) = &input
            && let Some(found) = members.alternatives().into_iter().find_map(without_order)
        {
            self.conflict(place.clone(), ConflictKind::Member { filter: filter.name.to_owned(), found });
        }
        self.refused(filter, place.clone(), &arguments);
        self.members(filter, &input, &place);
        let placed: Vec<Inferred<'s>> =
            arguments.into_iter().filter(|(placed, _)| *placed).map(|(_, value)| value).collect();
        result::of(filter.name, input, &placed, !filter.args.is_empty())
    }

    /// What `select('eq', …)` and `rejectattr('id', …)` name.
    fn members(&mut self, filter: &Filter<'_>, input: &Inferred<'s>, place: &Range<usize>) {
        let written = |at: usize| match filter.args.get(at) {
            Some(CallArg::Pos(expr)) => expr.as_const(),
            _ => None,
        };
        let test = match filter.name {
            "select" | "reject" => written(0),
            "selectattr" | "rejectattr" => written(1),
            _ => None,
        };
        if test.is_some_and(|test| test.as_str().is_none()) {
            self.conflict(place.clone(), ConflictKind::NoTest { filter: filter.name.to_owned() });
        }
        let field = match filter.name {
            "selectattr" | "rejectattr" => written(0),
            "map" => filter.args.iter().find_map(|argument| match argument {
                CallArg::Kwarg("attribute", expr) if filter.args.len() == 1 => expr.as_const(),
                _ => None,
            }),
            _ => None,
        };
        let Some(field) = field else { return };
        let Some(field) = field.as_str() else {
            let kind = ConflictKind::NoFieldName { filter: filter.name.to_owned() };
            return self.conflict(place.clone(), kind);
        };
        if let Inferred::Declared(shape) = input.step(&PathStep::Item)
            && !shape.doubtful
            && let Some(name) = field.split('.').next()
            && let Err(known) = shape.step(&PathStep::Field(name.to_owned()))
        {
            let known = known.into_iter().map(str::to_owned).collect();
            self.conflict(place.clone(), ConflictKind::NoField { name: name.to_owned(), known });
        }
    }

    fn conflict(&mut self, range: Range<usize>, kind: ConflictKind) {
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
            "{ type: object, fields: { id: { type: string }, tags: { type: array, items: { type: string } }, notes: { type: array, items: { type: object, fields: { text: { type: string } } } } } }",
        )
        .unwrap();
        let lookup = |root: &str, steps: &[PathStep]| {
            let start = if root == "event" { Inferred::Declared(&shape) } else { Inferred::Unknown };
            steps.iter().fold(start, |value, step| value.step(step))
        };
        let inference = Template::parse(text).unwrap().infer(&lookup).unwrap();
        let class = inference.value.class();
        (class.map_or("?", Class::describe).to_owned(), inference.conflicts.len())
    }

    #[test]
    fn classes_follow_filters_and_operators() {
        for (text, class) in [
            ("{{ event }}", "a mapping"),
            ("{{ event.tags | reject('eq', 'x') | list }}", "a list"),
            ("{{ event.tags | first }}", "a single value"),
            ("{{ event.notes | map(attribute='text') | first | upper }}", "a single value"),
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
        for filter in NEEDS_VALUE {
            let spec = crate::template::filters().iter().find(|spec| spec.name == filter).unwrap();
            let call =
                spec.example.split_once('|').unwrap().1.trim_end_matches(" }}").split('|').next().unwrap();
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
        let constant = |text: &str| Template::parse(text).unwrap().infer(&|_, _| Inferred::Unknown);
        assert_eq!(constant("{{ 'a' }}").unwrap().value, Inferred::Constant(json!("a")));
        assert_eq!(constant("x {{ 'a' }}").unwrap().value, Inferred::Unknown);
        assert_eq!(inferred("x {{ event | lower }} {{ event.tags | trim }}"), ("?".to_owned(), 2));
        assert_eq!(inferred("{{ event.id | e164(event.tags | first | default('XX')) }}").1, 0);
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
