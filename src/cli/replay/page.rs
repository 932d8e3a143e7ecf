//! The result of a replay as JSON.

use serde_json::{Value, json};

use super::history::Gone;
use crate::check::CheckedRecipe;
use crate::journal::RunFilter;
use crate::overview::Place;
use crate::replay::{Counts, Example, Group, GroupKey, Report, Values, What};
use crate::run::RunState;
use crate::value::Difference;

/// What is shown.
pub(super) struct Page<'a> {
    pub(super) report: &'a Report,
    pub(super) gone: &'a [Gone],
    pub(super) filter: &'a RunFilter,
    pub(super) recipes: &'a [CheckedRecipe],
}

impl Page<'_> {
    /// The recipe as it is now.
    pub(super) fn recipe(&self, name: &str) -> Option<&CheckedRecipe> {
        self.recipes.iter().find(|recipe| recipe.name() == name)
    }

    /// The place of a change in the recipe as it is now.
    pub(super) fn place(&self, key: &GroupKey) -> Option<Place> {
        let after = match key.what {
            What::Ends { after, .. } => Some(after),
            // The step is called as it was then.
            What::Removed => return None,
            _ => None,
        };
        Place::of(self.recipe(&key.recipe)?.recipe(), key.step.as_deref(), after)
    }

    /// The place of a step.
    pub(super) fn step_place(&self, recipe: &str, step: Option<&str>) -> Option<Place> {
        Place::of(self.recipe(recipe)?.recipe(), step, None)
    }

    /// Everything, for scripts.
    pub(super) fn json(&self) -> Value {
        let Self { report, gone, filter, .. } = self;
        let recipes =
            report.recipes.iter().map(|(name, counts)| with(json!({ "recipe": name }), counts_of(counts)));
        let not_replayed =
            report.not_replayed.iter().map(|(reason, runs)| json!({ "reason": reason.name(), "runs": runs }));
        let uncertainties = report.uncertainties.iter().map(|((recipe, uncertainty), group)| {
            let examples: Vec<&str> = group.examples.iter().map(|run| run.0.as_str()).collect();
            let described = json!({
                "recipe": recipe,
                "step": uncertainty.step,
                "reason": uncertainty.reason,
                "follows": uncertainty.follows,
                "runs": group.runs,
                "examples": examples,
            });
            with(described, place(self.step_place(recipe, uncertainty.step.as_deref())))
        });
        let assumed = report
            .assumed
            .iter()
            .map(|((recipe, step), runs)| json!({ "recipe": recipe, "step": step, "runs": runs }));
        let gone =
            gone.iter().map(|gone| json!({ "recipe": gone.recipe, "runs": gone.runs, "file": gone.file }));
        let page = json!({
            "since": filter.since,
            "until": filter.until,
            "recipes": recipes.collect::<Vec<_>>(),
            "changes": report.groups.iter().map(|(key, group)| self.change(key, group)).collect::<Vec<_>>(),
            "uncertainties": uncertainties.collect::<Vec<_>>(),
            "assumed": assumed.collect::<Vec<_>>(),
            "not_replayed": not_replayed.collect::<Vec<_>>(),
            "without_recipe": gone.collect::<Vec<_>>(),
        });
        with(counts_of(&report.counts), page)
    }

    fn change(&self, key: &GroupKey, group: &Group) -> Value {
        let (before, after): (Option<RunState>, Option<RunState>) = match key.what {
            What::Ends { before, after } => (Some(before), Some(after)),
            _ => (None, None),
        };
        let values = |values: &Values| json!({ "fields": fields(&values.fields), "changes": values.changes });
        let example = |example: &Example| json!({ "run": example.run.0, "record": example.record, "fields": fields(&example.fields) });
        let change = json!({
            "recipe": key.recipe,
            "what": what(&key.what),
            "before": before,
            "after": after,
            "step": key.step,
            "operation": key.operation,
            "records": group.records(),
            "runs": group.runs,
            "changes": group.changes,
            "values": group.values.iter().map(values).collect::<Vec<_>>(),
            "other_values": group.others,
            "examples": group.examples.iter().map(example).collect::<Vec<_>>(),
        });
        with(change, place(self.place(key)))
    }
}

fn what(what: &What) -> &'static str {
    match what {
        What::Ends { .. } => "ends",
        What::Changed => "changed",
        What::Added => "added",
        What::Removed => "removed",
        What::Moved => "moved",
    }
}

fn counts_of(counts: &Counts) -> Value {
    let Counts { replayed, same, different, inconclusive } = counts;
    json!({ "replayed": replayed, "same": same, "different": different, "inconclusive": inconclusive })
}

fn fields(fields: &[Difference]) -> Vec<Value> {
    let one = |field: &Difference| {
        let mut told = json!({ "field": field.path });
        for (name, value) in [("before", &field.expected), ("after", &field.found)] {
            if let Some(value) = value {
                told[name] = value.clone();
            }
        }
        told
    };
    fields.iter().map(one).collect()
}

fn place(place: Option<Place>) -> Value {
    let place = place.as_ref();
    json!({
        "file": place.map(|place| &place.file),
        "line": place.map(|place| place.position.line),
        "column": place.map(|place| place.position.column),
    })
}

/// A mapping with the fields of another.
fn with(mut one: Value, other: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut one, other) {
        fields.extend(more);
    }
    one
}
