//! What templates can call, as data: the engine, the checker and the reference pages read the same list.

use minijinja::Environment;

/// A filter, function or test.
#[derive(Clone, Copy)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// How it is called, with the defaults of what can be left out: `date(format, timezone='UTC')`.
    pub signature: &'static str,
    /// One sentence: what it makes.
    pub summary: &'static str,
    /// A template.
    pub example: &'static str,
    /// The example's value, as JSON.
    pub result: &'static str,
    /// How the engine learns it; `None` for what it knows by itself.
    pub(super) add: Option<Add>,
}

/// Puts something under a name into an environment.
pub(super) type Add = fn(&mut Environment<'static>, &'static str);

impl Spec {
    /// One that hob adds.
    pub(super) const fn own(
        name: &'static str,
        signature: &'static str,
        summary: &'static str,
        (example, result): (&'static str, &'static str),
        add: Add,
    ) -> Self {
        Self { name, signature, summary, example, result, add: Some(add) }
    }

    /// One that the engine has.
    pub(super) const fn builtin(
        name: &'static str,
        signature: &'static str,
        summary: &'static str,
        (example, result): (&'static str, &'static str),
    ) -> Self {
        Self { name, signature, summary, example, result, add: None }
    }

    pub(super) fn add_to(&self, env: &mut Environment<'static>) {
        if let Some(add) = self.add {
            add(env, self.name);
        }
    }
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spec").field("name", &self.name).field("signature", &self.signature).finish()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use crate::template::{Scope, Spec, Template, filters, functions, tests};
    use crate::value::Value;

    fn check(spec: &Spec) {
        let now = DateTime::parse_from_rfc3339("2026-11-23T17:30:00Z").unwrap().to_utc();
        let template = Template::parse(spec.example).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        let value = template.evaluate(&Scope::new(now)).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        let wanted: Value =
            serde_json::from_str(spec.result).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        assert_eq!(value, wanted, "{}", spec.name);
        let named =
            spec.example.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == spec.name);
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
