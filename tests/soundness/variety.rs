//! What occurred in the recipes that passed.

use std::collections::BTreeMap;

use hob::template::{Callee, Template, filters, tests};
use serde_json::Value;

use crate::recipe::Case;
use crate::test_bed::CATALOG;

/// How often things occurred.
#[derive(Debug, Default)]
pub struct Variety {
    pub filters: BTreeMap<String, usize>,
    pub tests: BTreeMap<String, usize>,
    pub triggers: BTreeMap<&'static str, usize>,
    pub operations: BTreeMap<String, usize>,
    pub kinds: BTreeMap<String, usize>,
    pub fields: BTreeMap<String, usize>,
}

impl Variety {
    /// Counts what is in a recipe.
    pub fn add(&mut self, case: &Case) {
        *self.triggers.entry(case.trigger).or_default() += 1;
        self.texts(&case.recipe);
        let steps = case.recipe["actions"].as_array().into_iter().flatten();
        for step in steps {
            let Some(operation) = step["do"].as_str().and_then(|id| CATALOG.operation(id)) else { continue };
            *self.operations.entry(operation.id.clone()).or_default() += 1;
            let kind = match operation.builtin {
                Some(builtin) => format!("{builtin:?}"),
                None => format!("{:?} of {}", operation.effect, operation.connector),
            };
            *self.kinds.entry(kind).or_default() += 1;
            for name in step.as_object().into_iter().flat_map(|step| step.keys()) {
                *self.fields.entry(name.clone()).or_default() += 1;
            }
        }
        for name in case.recipe.as_object().into_iter().flat_map(|recipe| recipe.keys()) {
            *self.fields.entry(name.clone()).or_default() += 1;
        }
    }

    /// Adds what others counted.
    pub fn extend(&mut self, other: Self) {
        let pairs = [
            (&mut self.filters, other.filters),
            (&mut self.tests, other.tests),
            (&mut self.operations, other.operations),
            (&mut self.kinds, other.kinds),
            (&mut self.fields, other.fields),
        ];
        for (sum, more) in pairs {
            more.into_iter().for_each(|(name, count)| *sum.entry(name).or_default() += count);
        }
        other.triggers.into_iter().for_each(|(name, count)| *self.triggers.entry(name).or_default() += count);
    }

    fn texts(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                let Ok(template) = Template::parse(text) else { return };
                for call in template.calls() {
                    match call.callee {
                        Callee::Filter => *self.filters.entry(call.name.clone()).or_default() += 1,
                        Callee::Test => *self.tests.entry(call.name.clone()).or_default() += 1,
                        Callee::Function => {}
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.texts(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.texts(field)),
            _ => {}
        }
    }

    /// The filters and tests that did not occur.
    pub fn lacking(&self) -> Vec<&'static str> {
        let filters = filters().iter().map(|spec| spec.name).filter(|name| !self.filters.contains_key(*name));
        let tests = tests().iter().map(|spec| spec.name).filter(|name| !self.tests.contains_key(*name));
        filters.chain(tests).collect()
    }
}
