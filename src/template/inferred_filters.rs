//! Infers what filters come to, and finds inputs that can never work.

use std::ops::Range;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Filter, Spanned};
use minijinja::value::Value as Datum;

use super::call::{Call, Callee};
use super::conflict::ConflictKind;
use super::filter_type::Gives;
use super::filters::result;
use super::inference::Inferrer;
use super::inferred::{Class, Inferred};
use super::name_use::PathStep;
use super::operand::{compares, defaults_to_null, unordered, without_order};
use super::presence::asks_presence;
use super::required_values::{Need, path};
use super::signature::is_lenient;
use super::syntax::{bytes, clamp};
use crate::value::Value;

impl<'s> Inferrer<'_, '_, 's> {
    pub(super) fn filter(&mut self, filter: &Spanned<Filter<'_>>) -> Inferred<'s> {
        let input = filter.expr.as_ref().map_or(Inferred::Unknown, |input| self.expression(input));
        let arguments = self.arguments(&filter.args);
        let place = self.named(filter);
        let spec = result::spec(filter.name);
        if let Some(spec) = spec {
            self.unfit(spec, filter.name, &input, &place);
        }
        let by_attribute =
            filter.args.iter().any(|argument| matches!(argument, CallArg::Kwarg("attribute", _)));
        if filter.name == "map"
            && by_attribute
            && let Some(found @ (Class::Mapping | Class::Scalar)) = input.class()
        {
            let takes = "a list of mappings";
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
        self.nothing(filter, &input, &arguments, &place);
        self.order(filter, &input, &place);
        if matches!(filter.name, "join" | "join_present")
            && filter.args.len() < 2
            && let Inferred::List(members) = &input
            && let Some(found) =
                members.alternatives().into_iter().filter(|one| !one.is_null()).find_map(without_order)
        {
            self.conflict(place.clone(), ConflictKind::Member { filter: filter.name.to_owned(), found });
        }
        self.refused(&Call::new(Callee::Filter, filter.name, place.clone(), &filter.args), &arguments);
        self.members(filter, &input, &place);
        let mapped = self.applied(filter, &input, &arguments, &place);
        if let ("select" | "reject", [CallArg::Pos(test), ..], [_, (_, other)]) =
            (filter.name, filter.args.as_slice(), arguments.as_slice())
            && test.as_const().and_then(|test| test.as_str().map(compares)) == Some(true)
        {
            self.in_order(&input.step(&PathStep::Item), other, false, place.clone());
        }
        let placed: Vec<Inferred<'s>> =
            arguments.into_iter().filter(|(placed, _)| *placed).map(|(_, value)| value).collect();
        let fields = self.fields(filter, &input);
        let value = result::of(filter.name, input, &placed, !filter.args.is_empty());
        if let Some(member) = mapped.filter(|_| filter.name == "map").or(fields) {
            return Inferred::List(Box::new(member));
        }
        match spec.map(|spec| spec.gives) {
            Some(Gives::Member) if !filter.expr.as_ref().is_some_and(|list| self.has_members(list)) => {
                value.or(Inferred::Absent)
            }
            _ if filter.name == "round" && filter.args.is_empty() => Inferred::Integer,
            Some(Gives::TextOrNull) if filter.name == "e164" && !is_lenient(&filter.args) => Inferred::Text,
            _ => value,
        }
    }

    /// `first` and `last` in a path, such as `vars.names | first`, of what has no members.
    pub(super) fn ends(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::GetAttr(get) => self.ends(&get.expr),
            Expr::GetItem(get) => self.ends(&get.expr),
            Expr::Filter(filter) => {
                let (Some(before), Some(spec)) = (&filter.expr, result::spec(filter.name)) else { return };
                let input = self.expression(before);
                let place = self.named(filter);
                self.unfit(spec, filter.name, &input, &place);
                if input.may_be(&Inferred::Constant(Value::Null)) {
                    self.conflict(place, ConflictKind::MaybeNull { filter: filter.name.to_owned() });
                }
            }
            _ => {}
        }
    }

    /// The place of a filter's name; that of the whole text where it is written otherwise.
    fn named(&self, filter: &Spanned<Filter<'_>>) -> Range<usize> {
        let name = bytes(filter.span()).start;
        let name = clamp(self.text, name..name + filter.name.len());
        let own = self.text.get(name.clone()) == Some(filter.name);
        if own { name } else { 0..self.text.len() }
    }

    /// What a filter cannot read, and null or nothing that it may get.
    fn nothing(
        &mut self,
        filter: &Filter<'_>,
        input: &Inferred<'s>,
        arguments: &[(bool, Inferred<'s>)],
        place: &Range<usize>,
    ) {
        let spec = result::spec(filter.name);
        let name = || filter.name.to_owned();
        let null = Inferred::Constant(Value::Null);
        if result::needs_value(filter.name, is_lenient(&filter.args)) {
            if filter.expr.as_ref().is_some_and(defaults_to_null) {
                self.conflict(place.clone(), ConflictKind::NullInput { filter: name() });
            } else if input.may_be(&null) {
                self.conflict(place.clone(), ConflictKind::MaybeNull { filter: name() });
            }
        }
        let member = input.step(&PathStep::Item);
        if needs_members(filter) && member.may_be_nothing() {
            self.conflict(place.clone(), ConflictKind::NullMember { filter: name() });
        } else if member.may_be(&Inferred::Absent) && reads_members(filter) {
            self.conflict(place.clone(), ConflictKind::AbsentMember { by: Some(name()) });
        }
        let replaces = spec.is_some_and(|spec| matches!(spec.gives, Gives::Default | Gives::Coalesce));
        if !replaces {
            self.present_arguments(&filter.args, arguments);
        }
        if !replaces && let Some(before) = &filter.expr {
            self.there(before, input);
        }
    }

    /// What `map(attribute='name')` makes of a member: nothing where it has no such field.
    fn fields(&self, filter: &Filter<'_>, list: &Inferred<'s>) -> Option<Inferred<'s>> {
        let [CallArg::Kwarg("attribute", name)] = filter.args.as_slice() else { return None };
        let name = name.as_const().filter(|_| filter.name == "map")?;
        let name = name.as_str()?;
        let value = list.step(&PathStep::Item).field(name);
        let is_there =
            !value.may_be_nothing() || filter.expr.as_ref().is_some_and(|list| has_field(list, name));
        Some(if is_there { value.not_null() } else { value.or(Inferred::Absent) })
    }

    /// Complains about a filter that compares members, or fields of them, that have no order or may not be there.
    fn order(&mut self, filter: &Filter<'_>, list: &Inferred<'s>, place: &Range<usize>) {
        let by = match filter.name {
            "min" | "max" => None,
            "sort" => argument(filter, "attribute", 1),
            "unique" | "groupby" => argument(filter, "attribute", 0),
            _ => return,
        };
        let member = result::member(list);
        let name = || filter.name.to_owned();
        let Some(fields) = by else {
            let found = unordered(&member).filter(|_| filter.name != "unique");
            let told = found.map(|found| ConflictKind::UnorderedMembers { filter: name(), found });
            return told.into_iter().for_each(|kind| self.conflict(place.clone(), kind));
        };
        let fields = fields.as_const();
        let names = fields.as_ref().and_then(Datum::as_str).into_iter().flat_map(|names| names.split(','));
        for field in names.map(str::trim) {
            let value = member.field(field);
            let has_default = argument(filter, "default", 1).is_some() && filter.name == "groupby";
            let before = filter.expr.as_ref();
            if value.may_be_nothing() && !has_default && !before.is_some_and(|list| has_field(list, field)) {
                let kind = ConflictKind::NoSuchField { filter: name(), field: field.to_owned() };
                self.conflict(place.clone(), kind);
            } else if let Some(found) = unordered(&value).filter(|_| filter.name != "unique") {
                self.conflict(place.clone(), ConflictKind::UnorderedMembers { filter: name(), found });
            }
        }
    }

    /// Whether a list has a member, as far as it shows. Lists that are read at a path are asked elsewhere.
    fn has_members(&self, list: &Expr<'_>) -> bool {
        if let Some(value) = list.as_const() {
            return value.len().is_some_and(|length| length > 0);
        }
        if let Some((root, steps)) = path(list) {
            return Need::of(root, &steps).is_filled(steps.len(), &self.known);
        }
        match list {
            Expr::List(list) => !list.items.is_empty(),
            Expr::Filter(filter) => match (filter.name, &filter.expr) {
                ("split", _) => !filter.args.is_empty(),
                ("list" | "sort" | "unique" | "reverse" | "map", Some(before)) => self.has_members(before),
                ("chain", Some(before)) => {
                    self.has_members(before)
                        || filter
                            .args
                            .iter()
                            .any(|other| matches!(other, CallArg::Pos(other) if self.has_members(other)))
                }
                ("default" | "d", Some(_)) => match filter.args.first() {
                    Some(CallArg::Pos(instead)) => filter.args.len() > 1 && self.has_members(instead),
                    _ => false,
                },
                _ => false,
            },
            Expr::BinOp(op) if matches!(op.op, BinOpKind::ScOr) => self.has_members(&op.right),
            Expr::BinOp(op) if matches!(op.op, BinOpKind::Add) => {
                self.has_members(&op.left) || self.has_members(&op.right)
            }
            _ => false,
        }
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
            "selectattr" | "rejectattr" | "groupby" => written(0),
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

    /// Complains about arguments that may be nothing.
    pub(super) fn present_arguments(&mut self, arguments: &[CallArg<'_>], values: &[(bool, Inferred<'s>)]) {
        let given = arguments.iter().filter_map(|argument| match argument {
            CallArg::Pos(expr) | CallArg::Kwarg(_, expr) => Some(expr),
            _ => None,
        });
        for (expr, (_, value)) in given.zip(values) {
            self.there(expr, value);
        }
    }
}

/// An argument by its name or its place.
fn argument<'f, 'a>(filter: &'f Filter<'a>, name: &str, at: usize) -> Option<&'f Expr<'a>> {
    let named = filter.args.iter().find_map(|argument| match argument {
        CallArg::Kwarg(known, expr) if *known == name => Some(expr),
        _ => None,
    });
    named.or_else(|| match filter.args.get(at) {
        Some(CallArg::Pos(expr)) => Some(expr),
        _ => None,
    })
}

/// Tests that null does not pass.
const NOT_NULL: [&str; 14] = [
    "eq",
    "in",
    "gt",
    "ge",
    "lt",
    "le",
    "startingwith",
    "endingwith",
    "matching",
    "string",
    "number",
    "integer",
    "true",
    "boolean",
];

/// Whether all members of a list have this field, because it leaves out those without: `… | selectattr('field')`.
fn has_field(list: &Expr<'_>, field: &str) -> bool {
    let Expr::Filter(filter) = list else { return false };
    let written = |at: usize| match filter.args.get(at) {
        Some(CallArg::Pos(expr)) => expr.as_const(),
        _ => None,
    };
    let is = |value: Option<Datum>, known: &[&str]| {
        value.is_some_and(|value| value.as_str().is_some_and(|text| known.contains(&text)))
    };
    let keeps = match filter.name {
        "selectattr" => filter.args.len() == 1 || is(written(1), &NOT_NULL),
        "rejectattr" => is(written(1), &["none", "null"]),
        _ => false,
    };
    let hands_on = ["selectattr", "rejectattr", "select", "reject", "sort", "list", "reverse", "unique"]
        .contains(&filter.name);
    keeps && is(written(0), &[field])
        || hands_on && filter.expr.as_ref().is_some_and(|before| has_field(before, field))
}

/// Whether a filter fails on members that are missing.
fn reads_members(filter: &Filter<'_>) -> bool {
    match filter.name {
        "join" | "join_present" | "tojson" => true,
        "select" | "reject" => match filter.args.first() {
            Some(CallArg::Pos(test)) => {
                test.as_const().is_some_and(|test| test.as_str().is_some_and(|test| !asks_presence(test)))
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether a filter fails on members that are null.
fn needs_members(filter: &Filter<'_>) -> bool {
    let named = |name: &str| {
        filter.args.iter().any(|argument| matches!(argument, CallArg::Kwarg(key, _) if *key == name))
    };
    match filter.name {
        "min" | "max" | "sort" | "sum" | "groupby" => true,
        "map" => named("attribute") && !named("default"),
        _ => false,
    }
}
