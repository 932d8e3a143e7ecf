//! The callables of templates as data, shared by the engine, the checker and the reference.

use minijinja::value::{Rest, Value as Datum, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State};

use super::bind::{bind, is_lenient};
use super::filter_type::{Gives, Takes};
use super::signature::Signature;

/// A filter, function or test.
#[derive(Clone, Copy)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// Its signature, with defaults of optional parameters: `date(format, timezone='UTC')`.
    pub signature: &'static str,
    /// One sentence: its result.
    pub summary: &'static str,
    /// A template.
    pub example: &'static str,
    /// The example's value, as JSON.
    pub result: &'static str,
    /// What it takes as a filter.
    pub(super) takes: Takes,
    /// What it gives as a filter.
    pub(super) gives: Gives,
    /// How it is added to the engine; `None` for built-in ones.
    pub(super) add: Option<Add>,
}

/// Adds a callable to an environment under a name. It takes positional arguments.
pub(super) type Add = fn(&mut Environment<'static>, String);

/// One of hob's own, added by this method of the environment: `own!(add_filter(function), signature, summary, example)`.
macro_rules! own {
    ($add:ident($function:expr), $signature:expr, $summary:expr, $example:expr $(,)?) => {
        Spec::builtin($signature, $summary, $example).added_by(|env, name| {
            env.$add(name, $function);
        })
    };
}
pub(super) use own;

impl Spec {
    /// One of the engine's.
    pub(super) const fn builtin(
        signature: &'static str,
        summary: &'static str,
        (example, result): (&'static str, &'static str),
    ) -> Self {
        let (bytes, mut end) = (signature.as_bytes(), 0);
        while end < bytes.len() && bytes[end] != b'(' {
            end += 1;
        }
        Self {
            name: signature.split_at(end).0,
            signature,
            summary,
            example,
            result,
            takes: Takes::Anything,
            gives: Gives::Anything,
            add: None,
        }
    }

    /// The same, with hob's own implementation.
    pub(super) const fn added_by(self, add: Add) -> Self {
        Self { add: Some(add), ..self }
    }

    /// The same, with what it takes and gives as a filter.
    pub(super) const fn typed(self, takes: Takes, gives: Gives) -> Self {
        Self { takes, gives, ..self }
    }

    /// The parsed signature.
    pub(super) fn parsed(&self) -> Signature {
        Signature::parse(self.signature)
    }

    /// Adds it as a filter to `env`, with the keyword arguments of its signature.
    pub(super) fn add_filter_to(&self, env: &mut Environment<'static>) {
        let Some(add) = self.add else { return };
        let placed = format!("${}", self.name);
        add(env, placed.clone());
        let (signature, usage, lenient) = (self.parsed(), self.signature, is_lenient(self.name));
        let may_be_missing = lenient || self.takes.accepts_missing(true);
        let filter = move |state: &mut State<'_, '_>, given: Rest<ValueOrKwargs>| -> Result<Datum, Error> {
            let given = given.into_values();
            check_input(&given, may_be_missing)?;
            state.apply_filter(&placed, &bound(&signature, usage, lenient, &given)?)
        };
        env.add_filter(self.name, filter);
    }

    /// Adds it as a test to `env`.
    pub(super) fn add_test_to(&self, env: &mut Environment<'static>) {
        let Some(add) = self.add else { return };
        let placed = format!("${}", self.name);
        add(env, placed.clone());
        let (signature, usage, lenient) = (self.parsed(), self.signature, is_lenient(self.name));
        let test = move |state: &mut State<'_, '_>, given: Rest<ValueOrKwargs>| -> Result<bool, Error> {
            let given = given.into_values();
            check_input(&given, lenient)?;
            state.perform_test(&placed, &bound(&signature, usage, lenient, &given)?)
        };
        env.add_test(self.name, test);
    }

    /// Adds it as a function to `env`.
    pub(super) fn add_function_to(&self, env: &mut Environment<'static>) {
        if let Some(add) = self.add {
            add(env, self.name.to_owned());
        }
    }
}

/// Refuses an undefined input, unless it may be missing.
fn check_input(given: &[Datum], may_be_missing: bool) -> Result<(), Error> {
    match given.first() {
        Some(input) if input.is_undefined() && !may_be_missing => Err(Error::from(ErrorKind::UndefinedError)),
        _ => Ok(()),
    }
}

/// The input and the bound arguments.
fn bound(signature: &Signature, usage: &str, lenient: bool, given: &[Datum]) -> Result<Vec<Datum>, Error> {
    let Some((input, arguments)) = given.split_first() else {
        return Err(Error::from(ErrorKind::MissingArgument));
    };
    let mut all = vec![input.clone()];
    all.extend(bind(signature, usage, lenient, arguments)?);
    Ok(all)
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spec").field("name", &self.name).field("signature", &self.signature).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;

    use crate::template::{Scope, Spec, Template, filters, functions, tests};
    use crate::value::{Map, Value};

    fn check(spec: &Spec) {
        let now = DateTime::parse_from_rfc3339("2026-11-23T17:30:00Z").unwrap().to_utc();
        let template = Template::parse(spec.example).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        let scope = Scope::new(now).with("links", Value::Object(Map::new())).with_links(Arc::default());
        let value = template.evaluate(&scope).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        let wanted: Value =
            serde_json::from_str(spec.result).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        assert_eq!(value, wanted, "{}", spec.name);
        let named = spec
            .example
            .split(|c: char| !c.is_alphanumeric() && !['_', '.'].contains(&c))
            .any(|word| word == spec.name);
        assert!(named, "the example of {} does not use it", spec.name);
        assert!(spec.signature.starts_with(spec.name), "{}", spec.name);
    }

    #[test]
    fn every_example_has_the_value_it_states() {
        for specs in [filters(), functions(), tests()] {
            specs.iter().for_each(check);
            let mut names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "a name is listed twice");
        }
    }
}
