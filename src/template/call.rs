//! Calls of filters, tests and functions, and errors in their arguments that are independent of data.

use std::ops::Range;

use minijinja::machinery::ast::CallArg;
use minijinja::value::Value as Datum;

use super::argument::{self, Refused};
use super::constant;
use super::convert;
use super::inferred::Inferred;
use super::links;
use super::signature::{Form, Signature};
use super::spec::Spec;
use super::syntax::{SyntaxError, extent};
use super::{filters, functions, predicates};
use crate::diagnostic::closest;

/// The kind of callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callee {
    /// `| name(…)`
    Filter,
    /// `is name(…)`
    Test,
    /// `name(…)`
    Function,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The kind of callee.
    pub callee: Callee,
    /// Its name.
    pub name: String,
    /// The range of the name, in bytes of the template's text.
    pub range: Range<usize>,
    arguments: Vec<Argument>,
    /// Some arguments are computed as a whole (`*list`), so their number is unknown.
    spread: bool,
}

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Argument {
    keyword: Option<String>,
    /// Its value, if literal.
    value: Option<Datum>,
    range: Range<usize>,
}

impl Call {
    pub(super) fn new(callee: Callee, name: &str, range: Range<usize>, arguments: &[CallArg<'_>]) -> Self {
        let mut call = Self { callee, name: name.to_owned(), range, arguments: Vec::new(), spread: false };
        for argument in arguments {
            let (keyword, expr) = match argument {
                CallArg::Pos(expr) => (None, expr),
                CallArg::Kwarg(keyword, expr) => (Some((*keyword).to_owned()), expr),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                    call.spread = true;
                    continue;
                }
            };
            call.arguments.push(Argument { keyword, value: expr.as_const(), range: extent(expr) });
        }
        call
    }

    /// The call that a filter on lists applies to each item; its name is the argument `at`.
    pub(super) fn applied(callee: Callee, name: &str, range: Range<usize>, whole: &Self, at: usize) -> Self {
        let arguments = whole.arguments.get(at + 1..).unwrap_or_default().to_vec();
        Self { callee, name: name.to_owned(), range, arguments, spread: whole.spread }
    }

    /// Whether it is `links.find`.
    pub fn finds_links(&self) -> bool {
        self.callee == Callee::Function && self.name == links::FIND.name
    }

    /// The name of the link that `links.find` looks for, if it is written out, and its range.
    pub fn link_name(&self) -> Option<(String, Range<usize>)> {
        let named = |argument: &&Argument| argument.keyword.as_deref() == Some("name");
        let placed = || self.arguments.first().filter(|first| first.keyword.is_none());
        let name = self.arguments.iter().find(named).or_else(placed).filter(|_| self.finds_links())?;
        Some((name.value.as_ref()?.as_str()?.to_owned(), name.range.clone()))
    }

    /// Errors independent of data: unknown, surplus or missing arguments, and invalid literal values.
    pub fn problems(&self) -> Vec<SyntaxError> {
        let Some(spec) = self.spec() else { return Vec::new() };
        let signature = spec.parsed();
        let mut problems = self.unknown_keywords(spec, &signature);
        if let Some(form) = signature.fixed().filter(|_| !self.spread) {
            problems.extend(self.wrong_count(spec, form));
        }
        if problems.is_empty() && !self.spread {
            problems.extend(self.nothing_given(spec, &signature));
        }
        if problems.is_empty() {
            problems.extend(self.wrong_ends());
        }
        if problems.is_empty() {
            problems.extend(self.arguments.iter().enumerate().filter_map(|(at, argument)| {
                let parameter = self.parameter(&signature, at, argument)?;
                self.wrong_value(parameter.0, parameter.1, argument)
            }));
        }
        problems
    }

    /// Errors in arguments that are not written out, of which this is known, in the order of the arguments.
    pub(super) fn problems_with(&self, values: &[Inferred<'_>]) -> Vec<SyntaxError> {
        let known = self.computed(values).filter_map(|(argument, parameter, optional, value)| {
            let Inferred::Constant(value) = value else { return None };
            let argument = Argument { value: Some(convert::from_json(value)), ..argument.clone() };
            self.wrong_value(parameter, optional, &argument)
        });
        known.collect()
    }

    /// What arguments that are not written out may be and their parameters refuse: place, parameter, value.
    pub(super) fn refusals(&self, values: &[Inferred<'_>]) -> Vec<(Range<usize>, &'static str, Refused)> {
        let open = self.computed(values).filter(|(.., value)| !matches!(value, Inferred::Constant(_)));
        let refused = open.filter_map(|(argument, parameter, optional, value)| {
            let refused = argument::refused(&self.name, parameter, optional, value)?;
            Some((argument.range.clone(), parameter, refused))
        });
        refused.collect()
    }

    /// The arguments that are not written out: with the parameter, whether it is optional, and what is known of it.
    fn computed<'c, 's>(
        &'c self,
        values: &'c [Inferred<'s>],
    ) -> impl Iterator<Item = (&'c Argument, &'static str, bool, &'c Inferred<'s>)> {
        let signature = self.spec().map(Spec::parsed);
        let known = self.arguments.iter().zip(values).enumerate();
        known.filter(|(_, (argument, _))| argument.value.is_none()).filter_map(
            move |(at, (argument, value))| {
                let (parameter, optional) = self.parameter(signature.as_ref()?, at, argument)?;
                Some((argument, parameter, optional, value))
            },
        )
    }

    /// What it calls.
    pub(super) fn spec(&self) -> Option<&'static Spec> {
        let known = match self.callee {
            Callee::Filter => filters(),
            Callee::Test => predicates::all(),
            Callee::Function => functions(),
        };
        known.iter().find(|spec| spec.name == self.name)
    }

    /// Whether it is called with `strict=false`, its second argument.
    pub(super) fn is_lenient(&self) -> bool {
        let strict = |(at, argument): (usize, &Argument)| match argument.keyword.as_deref() {
            Some(keyword) => keyword == "strict",
            None => at == 1,
        };
        let given = self.arguments.iter().enumerate().find(|(at, argument)| strict((*at, argument)));
        given.is_some_and(|(_, argument)| argument.value.as_ref().is_none_or(|value| !value.is_true()))
    }

    fn unknown_keywords(&self, spec: &Spec, signature: &Signature) -> Vec<SyntaxError> {
        let placed = self.arguments.iter().any(|argument| argument.keyword.is_none());
        let named = |form: &Form| form.parameters.iter().all(|parameter| parameter.name.is_some());
        // If a filter or test is applied, keywords are passed on to it; `dict` accepts any.
        let own = signature.forms.iter().all(named) || (self.name == "map" && !placed);
        if !own || self.name == "dict" {
            return Vec::new();
        }
        let known = signature.keywords();
        let unknown = |argument: &&Argument| {
            argument.keyword.as_deref().is_some_and(|keyword| !known.contains(&keyword))
        };
        let complain = |argument: &Argument| {
            let keyword = argument.keyword.as_deref().unwrap_or_default();
            let help = match closest(keyword, known.iter().copied()) {
                Some(suggestion) => suggestion.to_string(),
                None => usage(self.callee, spec),
            };
            self.problem(format!("has no argument `{keyword}`"), argument.range.clone(), help)
        };
        self.arguments.iter().filter(unknown).map(complain).collect()
    }

    fn wrong_count(&self, spec: &Spec, form: &Form) -> Option<SyntaxError> {
        let most = form.parameters.len();
        let placed = self.arguments.iter().filter(|argument| argument.keyword.is_none()).count();
        if let Some(extra) = self.arguments.get(most).filter(|_| placed > most) {
            let takes = match most {
                0 => "takes no argument".to_owned(),
                1 => "takes one argument at most".to_owned(),
                _ => format!("takes {most} arguments at most"),
            };
            return Some(self.problem(takes, extra.range.clone(), usage(self.callee, spec)));
        }
        let given =
            |name: &str| self.arguments.iter().any(|argument| argument.keyword.as_deref() == Some(name));
        let twice = form
            .parameters
            .iter()
            .take(placed)
            .filter_map(|parameter| parameter.name)
            .find(|name| given(name));
        if let Some(name) = twice {
            let message = format!("is given `{name}` twice, by place and by name");
            return Some(self.problem(message, self.range.clone(), usage(self.callee, spec)));
        }
        let missing = form.parameters.iter().skip(placed).filter(|parameter| parameter.required);
        let missing = missing.filter_map(|parameter| parameter.name).find(|name| !given(name))?;
        Some(self.problem(
            format!("needs the argument `{missing}`"),
            self.range.clone(),
            usage(self.callee, spec),
        ))
    }

    /// A filter that takes any number of values, and is given none. `coalesce` also replaces empty text by null.
    fn nothing_given(&self, spec: &Spec, signature: &Signature) -> Option<SyntaxError> {
        let [form] = signature.forms.as_slice() else { return None };
        let first = form.parameters.first().filter(|first| form.open && first.required)?;
        let name = first.name.filter(|_| self.arguments.is_empty() && self.name != "coalesce")?;
        Some(self.problem(
            format!("needs the argument `{name}`"),
            self.range.clone(),
            usage(self.callee, spec),
        ))
    }

    /// A link is found by one of its ends.
    fn wrong_ends(&self) -> Option<SyntaxError> {
        if !self.finds_links() || self.spread {
            return None;
        }
        let is_null = |argument: &Argument| argument.value.as_ref().is_some_and(Datum::is_none);
        let name = |argument: &&Argument| argument.keyword.as_deref() != Some("name");
        let named = self.arguments.iter().any(|argument| argument.keyword.as_deref() == Some("name"));
        let ends: Vec<&Argument> = self.arguments.iter().filter(name).skip(usize::from(!named)).collect();
        let (message, range) = match ends.as_slice() {
            [] => (links::NO_END, self.range.clone()),
            [_] => return None,
            ends if ends.iter().any(|end| is_null(end)) => return None,
            ends => (links::BOTH_ENDS, ends.last()?.range.clone()),
        };
        let help = Some(links::END_HELP.to_owned());
        Some(SyntaxError { message: message.to_owned(), range, help, mended: None })
    }

    /// The parameter of `argument`, the one at `at`, and whether it is optional.
    fn parameter(
        &self,
        signature: &Signature,
        at: usize,
        argument: &Argument,
    ) -> Option<(&'static str, bool)> {
        let form = match signature.forms.as_slice() {
            [form] => form,
            // How many arguments there are tells the forms of a function apart.
            forms if self.callee == Callee::Function && !self.spread => {
                forms.iter().find(|form| self.arguments.len() <= form.parameters.len())?
            }
            forms => forms
                .iter()
                .find(|form| argument.keyword.as_deref().is_some_and(|name| form.place(name).is_some()))?,
        };
        let place = match &argument.keyword {
            Some(keyword) => form.place(keyword)?,
            None if form.open => at.min(form.parameters.len().checked_sub(1)?),
            None => at,
        };
        let parameter = form.parameters.get(place)?;
        Some((parameter.name?, !parameter.required))
    }

    fn wrong_value(&self, parameter: &str, optional: bool, argument: &Argument) -> Option<SyntaxError> {
        let value = argument.value.as_ref()?;
        if optional && value.is_none() {
            return None;
        }
        let (message, help) = constant::complaint(&self.name, parameter, value)?;
        Some(SyntaxError {
            message: format!("`{}` {message}", self.name),
            range: argument.range.clone(),
            help,
            mended: None,
        })
    }

    fn problem(&self, message: String, range: Range<usize>, help: String) -> SyntaxError {
        SyntaxError { message: format!("`{}` {message}", self.name), range, help: Some(help), mended: None }
    }
}

fn usage(callee: Callee, spec: &Spec) -> String {
    match callee {
        Callee::Filter => format!("it is used as `… | {}`", spec.signature),
        Callee::Test => format!("it is used as `… is {}`", spec.signature),
        Callee::Function => format!("it is used as `{}`", spec.signature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Template, tests};

    fn problems(text: &str) -> Vec<(String, String)> {
        let template = Template::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = template.calls().iter().flat_map(Call::problems);
        found
            .map(|problem| {
                (
                    text[problem.range.clone()].to_owned(),
                    format!("{problem}; {}", problem.help.clone().unwrap_or_default()),
                )
            })
            .collect()
    }

    #[test]
    fn impossible_arguments_are_reported_with_their_place() {
        for (text, at, told) in [
            ("{{ now() | date('YYYY-MM-DD') }}", "'YYYY-MM-DD'", "%Y-%m-%d"),
            ("{{ now() | date(format='DD/MM/YYYY') }}", "'DD/MM/YYYY'", "%d/%m/%Y"),
            ("{{ now() | date('%Q') }}", "'%Q'", "cannot read the format"),
            ("{{ now() | date('%Y', 'Berlin') }}", "'Berlin'", "Europe/Berlin"),
            ("{{ now() | date(timezone='CEST') }}", "'CEST'", "no time zone"),
            ("{{ event.t | date(input='DD.MM.YYYY') }}", "'DD.MM.YYYY'", "%d.%m.%Y"),
            ("{{ event.t | iso8601(from='London') }}", "'London'", "Europe/London"),
            ("{{ event.t | epoch(zone='UTC') }}", "'UTC'", "no argument `zone`"),
            ("{{ event.t | add_time('2 fortnights') }}", "'2 fortnights'", "duration"),
            ("{{ event.l | chain }}", "chain", "needs the argument `list`"),
            ("{{ event.t | add_time }}", "add_time", "needs the argument `duration`"),
            ("{{ event.p | e164('UK') }}", "'UK'", "GB"),
            ("{{ event.p | e164(country='England') }}", "'England'", "country"),
            ("{{ event.p | e164(44) }}", "44", "text"),
            ("{{ event.p | e164('GB', strict='no') }}", "'no'", "true or false"),
            ("{{ event.s | regex_find('(') }}", "'('", "pattern"),
            ("{{ event.s | regex_replace(pattern='[', new='') }}", "'['", "pattern"),
            ("{{ event.s is matching('*') }}", "'*'", "pattern"),
            ("{{ event.l | select('matching', '(') | list }}", "'('", "pattern"),
            ("{{ event.l | map('date', 'YYYY') | list }}", "'YYYY'", "%Y"),
            ("{{ event.l | map('truncate', lenght=5) | list }}", "5", "length"),
            ("{{ event.l | map(atribute='id') | list }}", "'id'", "attribute"),
            ("{{ event.l | selectattr('d', 'gt') | list }}", "gt", "needs the argument `value`"),
            ("{{ event.x | jsonpath('$.[') }}", "'$.['", "path"),
            ("{{ event.n | fixed(-2) }}", "-2", "whole number"),
            ("{{ event.n | fixed(places='2') }}", "'2'", "whole number"),
            ("{{ event.n | fixed(40) }}", "40", "28"),
            ("{{ event.n | round(2, 'up') }}", "'up'", "ceil"),
            ("{{ event.n | round(precision=2) }}", "2", "places"),
            ("{{ event.n | number(decimal=';') }}", "';'", "','"),
            ("{{ event.n | number(',') }}", "", ""),
            ("{{ event.n | divided_by(0) }}", "0", "zero"),
            ("{{ event.n | plus('abc') }}", "'abc'", "number"),
            ("{{ event.n is divisibleby(0) }}", "0", "zero"),
            ("{{ event.s | truncate(-1) }}", "-1", "whole number"),
            ("{{ event.s | truncate('5') }}", "'5'", "whole number"),
            ("{{ event.s | split(',', -1) }}", "-1", "whole number"),
            ("{{ event.s | split(sep=',') }}", "','", "separator"),
            ("{{ event.s | replace('', 'x') }}", "''", "empty"),
            ("{{ event.s | replace('a') }}", "replace", "needs the argument `new`"),
            ("{{ event.s | hash('md5') }}", "'md5'", "takes no argument"),
            ("{{ event.s | lower(1) }}", "1", "takes no argument"),
            ("{{ event.l | join(', ', 'name', 3) }}", "3", "two arguments"),
            ("{{ event.l | join(seperator=', ') }}", "', '", "separator"),
            ("{{ event.l | join(', ', separator=';') }}", "join", "twice"),
            ("{{ event.l | batch(0) | list }}", "0", "at least 1"),
            ("{{ event.l | slice(count=0) | list }}", "0", "at least 1"),
            ("{{ event.l | sort(reverse='yes') }}", "'yes'", "true or false"),
            ("{{ event.l | sort(key='a') }}", "'a'", "attribute"),
            ("{{ event.m | dictsort(by='size') }}", "'size'", "'key'"),
            ("{{ event.x is in(5) }}", "5", "a list"),
            ("{{ event.x | default(boolean=true) }}", "true", "default(value"),
            ("{{ links.find('c') }}", "links.find", "needs the record"),
            ("{{ links.find(from='a') }}", "links.find", "needs the argument `name`"),
            ("{{ links.find('c', event.a, event.b) }}", "event.b", "two are given"),
            ("{{ links.find('c', to=event.a, from=event.b) }}", "event.b", "two are given"),
            ("{{ links.find('c', event.a, 1, 2) }}", "2", "takes 3 arguments at most"),
            ("{{ links.find('c', form=event.a) }}", "event.a", "did you mean `from`"),
            ("{{ links.find('', event.a) }}", "''", "empty"),
            ("{{ links.find(7, event.a) }}", "7", "text"),
            ("{{ links.find('c', [1]) }}", "[1]", "text"),
            ("{{ links.find('c', to=true) }}", "true", "text"),
            ("{{ now('UTC') }}", "'UTC'", "takes no argument"),
        ] {
            let found = problems(text);
            if at.is_empty() {
                assert!(found.is_empty(), "{text}: {found:?}");
                continue;
            }
            let told = told.replace("two arguments", "2 arguments");
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].0, at, "{text}");
            assert!(found[0].1.contains(&told), "{text}: {found:?}");
        }
    }

    #[test]
    fn arguments_that_may_work_are_accepted() {
        for text in [
            "{{ event.x | default }}{{ event.x | default(none, true) }}{{ event.x | d(value=omit, empty=true) }}",
            "{{ event.t | date(event.format, vars.zone) }}{{ event.t | date(timezone=none) }}",
            "{{ event.p | e164(vars.country, strict=false) }}{{ event.p | e164('gb') }}",
            "{{ event.l | map(attribute='a', default=1) | map('replace', old='a', new='b') | list }}",
            "{{ event.l | select | reject('none') | selectattr('a') | selectattr('n', 'gt', 5) | list }}",
            "{{ event.n | coalesce(1, 'b', value) }}{{ event.m | merge({'a': 1}, {}) | pick('a', 'b') | omit('c') }}",
            "{{ links.find('c', 7) }}{{ links.find('c', to=event.a) }}{{ links.find(event.b, none, event.a) }}",
            "{{ range(3) }}{{ range(1, 3, step=2) }}{{ dict(a=1) }}{{ event.s | join(*event.args) }}",
            "{{ event.l | groupby(attribute='a', default=none) }}{{ event.s | tojson(indent=2) }}{{ 1 | tojson(true) }}",
        ] {
            assert_eq!(problems(text), [], "{text}");
        }
    }

    #[test]
    fn no_example_of_the_reference_is_complained_about() {
        for spec in [filters(), functions(), tests()].concat() {
            assert_eq!(problems(spec.example), [], "{}", spec.name);
        }
    }
}
