//! Which results of earlier steps a recipe reads.

use std::collections::BTreeSet;

use crate::recipe::{Action, Recipe};
use crate::template::{PathStep, Use};

/// Steps whose results templates read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepReads {
    /// A template reads all of `steps` or uses a computed name, so any may be read.
    all: bool,
    named: BTreeSet<String>,
}

impl StepReads {
    /// What the templates of `action` read.
    pub fn from_action(action: &Action) -> Self {
        let mut reads = Self::default();
        let templates = action.for_each.iter().chain(&action.condition).chain(action.with.templates());
        for used in templates.flat_map(|template| template.uses()) {
            let Use::Path { root, steps, .. } = used else { continue };
            if root != "steps" {
                continue;
            }
            match steps.first() {
                Some(PathStep::Field(step)) => {
                    reads.named.insert(step.clone());
                }
                _ => reads.all = true,
            }
        }
        reads
    }

    /// What any action of `recipe` reads.
    pub fn from_recipe(recipe: &Recipe) -> Self {
        recipe.all_actions().map(Self::from_action).fold(Self::default(), |mut reads, more| {
            reads.all |= more.all;
            reads.named.extend(more.named);
            reads
        })
    }

    /// Whether the result of the action `step` may be read.
    pub fn contains(&self, step: &str) -> bool {
        self.all || self.named.contains(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::parse;
    use crate::source::SourceFile;

    fn reads(template: &str) -> StepReads {
        let text = format!(
            "name: r\ntrigger: {{ manual: {{}} }}\nactions:\n- do: log\n  with: {{ message: {} }}\n",
            serde_json::to_string(template).unwrap()
        );
        StepReads::from_recipe(&parse(&SourceFile::new("r.yaml", text)).recipe.unwrap())
    }

    #[test]
    fn a_result_is_read_however_its_name_is_written() {
        for template in [
            "{{ steps.a }}",
            "{{ steps. a .b }}",
            "{{ steps['a'] }}",
            "{{ steps [ \"a\" ].x }}",
            "{{ steps.a[0] }}",
            "{{ steps\n.a }}",
            "{{ steps | length }}",
            "{{ steps[event.step] }}",
            "{% set s = steps %}{{ s.a }}",
            "{% for name in steps %}{{ name }}{% endfor %}",
            "{{ {'all': steps} | tojson }}",
        ] {
            assert!(reads(template).contains("a"), "{template}");
        }
        for template in
            ["steps.a", "{{ event.steps.a }}", "{{ steps.ab.x }}", "{{ steps.b['a'] }}", "{{ 'steps.a' }}"]
        {
            assert!(!reads(template).contains("a"), "{template}");
        }
    }
}
