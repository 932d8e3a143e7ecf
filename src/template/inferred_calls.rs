//! Finds inputs and arguments that a filter, test or function refuses, or may refuse.

use std::ops::Range;

use minijinja::machinery::ast::{CallArg, Filter};

use super::call::{Call, Callee};
use super::conflict::ConflictKind;
use super::filter_type::Takes;
use super::filters::result;
use super::inference::Inferrer;
use super::inferred::{Class, Inferred};
use super::misread::misread;
use super::name_use::{PathStep, Use};
use super::operand::main_class;
use super::presence::asks_presence;
use super::spec::Spec;
use super::uses::applied;
use crate::value::Kind;

impl<'s> Inferrer<'_, '_, 's> {
    /// Complains about an input of another class or form than `spec` takes. Null is told elsewhere.
    pub(super) fn unfit(&mut self, spec: &Spec, name: &str, input: &Inferred<'s>, place: &Range<usize>) {
        let name = || name.to_owned();
        if let Some((takes, classes)) = spec.takes.classes()
            && let Some(found) =
                main_class(input).filter(|found| *found != Class::Null && !classes.contains(found))
        {
            self.conflict(place.clone(), ConflictKind::Input { filter: name(), takes, found });
        }
        let may_have_fraction = |one: &&Inferred<'_>| match one {
            Inferred::Number => true,
            Inferred::Declared(shape) => {
                shape.kind == Kind::Number && shape.any_of.is_empty() && !shape.doubtful
            }
            _ => false,
        };
        if spec.takes == Takes::WholeNumber && input.alternatives().iter().any(may_have_fraction) {
            self.conflict(place.clone(), ConflictKind::MaybeFraction { test: name() });
        }
        if let Some((takes, found)) = misread(spec.takes, input) {
            self.conflict(place.clone(), ConflictKind::Misread { filter: name(), takes, found });
        }
    }

    /// Complains about arguments that are refused, or may be.
    pub(super) fn refused(&mut self, call: &Call, arguments: &[(bool, Inferred<'s>)]) {
        let values: Vec<Inferred<'s>> = arguments.iter().map(|(_, value)| value.clone()).collect();
        for problem in call.problems_with(&values) {
            let kind = ConflictKind::Argument { message: problem.message, help: problem.help };
            self.conflict(problem.range, kind);
        }
        for (range, parameter, refused) in call.refusals(&values) {
            let (callee, takes, found) = (call.name.clone(), refused.takes, refused.found);
            let kind = match refused.always {
                true => {
                    let message = format!("`{callee}` takes {takes} for `{parameter}`, and this is {found}");
                    ConflictKind::Argument { message, help: None }
                }
                false => ConflictKind::MaybeRefused { callee, parameter, takes, found },
            };
            self.conflict(range, kind);
        }
    }

    /// Complains about members that the filter or test in `map('lower')` and `select('even')` refuses. Gives what `map`
    /// makes of a member.
    pub(super) fn applied(
        &mut self,
        filter: &Filter<'_>,
        list: &Inferred<'s>,
        arguments: &[(bool, Inferred<'s>)],
        place: &Range<usize>,
    ) -> Option<Inferred<'s>> {
        let (used, at) = applied(filter)?;
        let named = used.range();
        let (callee, name) = match used {
            Use::Filter { name, .. } => (Callee::Filter, name),
            Use::Test { name, .. } => (Callee::Test, name),
            _ => return None,
        };
        let own = self.text.get(named.clone()) == Some(name.as_str());
        let place = if own { &named } else { place };
        let whole = Call::new(Callee::Filter, filter.name, place.clone(), &filter.args);
        let call = Call::applied(callee, &name, place.clone(), &whole, at);
        let given = arguments.get(at + 1..).unwrap_or_default();
        self.refused(&call, given);
        let spec = call.spec()?;
        let field = if at == 1 { filter.args.first().and_then(written) } else { None };
        let member = list.step(&PathStep::Item);
        let member = field.iter().fold(member, |member, field| member.field(field));
        self.unfit(spec, &name, &member, place);
        if at == 1 && list.step(&PathStep::Item).may_be_nothing() {
            let filter = format!("{}('…', '{name}')", filter.name);
            self.conflict(place.clone(), ConflictKind::NullMember { filter });
        }
        let lenient = call.is_lenient() || asks_presence(&name);
        let shown = format!("{}('{name}')", filter.name);
        match field {
            Some(field) if spec.add.is_some() && !lenient && member.may_be_nothing() => {
                self.conflict(
                    place.clone(),
                    ConflictKind::NoSuchField { filter: filter.name.to_owned(), field },
                );
            }
            None if spec.takes.needs_value(lenient) && member.may_be_nothing() => {
                self.conflict(place.clone(), ConflictKind::NullMember { filter: shown });
            }
            _ => {}
        }
        let placed: Vec<Inferred<'s>> =
            given.iter().filter(|(placed, _)| *placed).map(|(_, value)| value.clone()).collect();
        Some(result::of(&name, member, &placed, !given.is_empty()))
    }
}

/// An argument that is a text written out.
fn written(argument: &CallArg<'_>) -> Option<String> {
    let CallArg::Pos(expr) = argument else { return None };
    expr.as_const()?.as_str().map(str::to_owned)
}
