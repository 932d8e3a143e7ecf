//! Requests of one run: what each step sends, and how often.

use std::sync::Arc;

use super::Estimate;
use super::assumptions::Assumptions;
use super::constant::constant;
use super::history::{HYDRATE, RecipeHistory};
use super::model::Note;
use super::polled_list::whole_list;
use crate::catalog::{Builtin, Operation};
use crate::check::{CheckedAction, CheckedRecipe};
use crate::recipe::{Trigger, UnchangedPolicy, Webhook};
use crate::sync::is_occasional;
use crate::template::{LocatedTemplate, truthy};
use crate::value::Value;

/// What a step sends in one run.
#[derive(Debug, Clone)]
pub(super) struct StepCalls {
    /// Its id; [`HYDRATE`] for the fetching of the whole record.
    pub(super) step: String,
    pub(super) operation: Arc<Operation>,
    /// The connection, if the step names one.
    pub(super) connection: Option<String>,
    /// How often it is performed.
    pub(super) times: Estimate,
    /// Requests each time.
    pub(super) each: Estimate,
}

impl StepCalls {
    /// Requests of a run.
    pub(super) fn calls(&self) -> Estimate {
        self.times * self.each
    }
}

/// The requests of a run of a recipe.
#[derive(Debug, Default)]
pub(super) struct RunCalls {
    pub(super) steps: Vec<StepCalls>,
    /// What the numbers depend on.
    pub(super) notes: Vec<Note>,
}

/// How often the steps after a stop are reached.
fn after_stop(reach: Estimate, stops: Estimate) -> Estimate {
    match stops {
        Estimate { most: Some(most), .. } if most <= 0.0 => reach,
        _ if stops.is_exact() => Estimate {
            least: (reach.least - stops.least).max(0.0),
            expected: (reach.expected - stops.expected).max(0.0),
            most: reach.most,
        },
        _ => reach.or_none(),
    }
}

/// How the steps of a recipe are counted.
struct Counting<'a> {
    recipe: &'a CheckedRecipe,
    assumptions: &'a Assumptions,
    history: Option<&'a RecipeHistory>,
    notes: Vec<Note>,
}

impl RunCalls {
    /// The requests of a run of `recipe`. Counts of the history take the place of what depends on data.
    pub(super) fn count(
        recipe: &CheckedRecipe,
        assumptions: &Assumptions,
        history: Option<&RecipeHistory>,
    ) -> Self {
        let history = history.filter(|history| history.sampled > 0);
        let mut counting = Counting { recipe, assumptions, history, notes: Vec::new() };
        let mut steps: Vec<StepCalls> = counting.hydration().into_iter().collect();
        let mut reach = counting.reach();
        for action in recipe.actions() {
            let noted = counting.notes.len();
            let times = counting.times(&action, reach);
            match action.operation.builtin {
                Some(Builtin::Stop) if times.least >= 1.0 => break,
                Some(Builtin::Stop) => {
                    counting.stop(&action, noted);
                    reach = after_stop(reach, times);
                }
                Some(Builtin::HttpRequest) if times.most != Some(0.0) => counting.note(
                    Some(&action.id),
                    "no counter covers the address of an `http.request`, so it is not counted".to_owned(),
                    &[],
                    None,
                ),
                // It sends nothing, so it does not matter how often.
                Some(_) if action.operation.builtin != Some(Builtin::HttpRequest) => {
                    counting.notes.truncate(noted);
                }
                Some(_) => {}
                None => steps.push(counting.step(&action, times)),
            }
        }
        Self { steps, notes: counting.notes }
    }
}

impl Counting<'_> {
    fn note(&mut self, step: Option<&str>, assumed: String, assume: &[&str], own: Option<&str>) {
        let name = self.recipe.name();
        let about = step.map_or_else(|| name.to_owned(), |step| format!("{name}/{step}"));
        let own = own.map(|value| format!("{about}={value}"));
        let assume = assume.iter().map(|text| (*text).to_owned()).chain(own).collect();
        self.notes.push(Note { about, assumed, assume });
    }

    /// Replaces what is noted of a stop since `noted` by what it means for the later steps.
    fn stop(&mut self, action: &CheckedAction<'_>, noted: usize) {
        let depends_on_data = self.notes.len() > noted;
        self.notes.truncate(noted);
        // A sync stops where a record is gone or cannot be matched.
        if depends_on_data && !self.recipe.recipe().is_generated() {
            let assumed = "it may end the run before the later steps, which are counted as if it did not";
            self.note(Some(&action.id), assumed.to_owned(), &["if=50%"], Some("0.5"));
        }
    }

    /// The read that fetches the whole record of a thin event.
    fn hydration(&mut self) -> Option<StepCalls> {
        let (operation, all) = match self.recipe.trigger() {
            Trigger::Poll(poll) if poll.hydrate.value => {
                let (read, _) = self.recipe.catalog().record_read(self.recipe.poller()?)?;
                (read.id.clone(), true)
            }
            Trigger::Webhook(Webhook::Events { connector, types, hydrate: true, .. }) => {
                let events = &self.recipe.catalog().connector(connector)?.events;
                let reads: Vec<_> =
                    types.iter().map(|name| events.get(name.as_str())?.hydrate.as_ref()).collect();
                let all = reads.iter().all(Option::is_some);
                (reads.iter().flatten().next()?.operation.clone(), all)
            }
            _ => return None,
        };
        let operation = Arc::clone(self.recipe.operation_by_id(&operation)?);
        let times = match self.history.and_then(|history| history.steps.get(HYDRATE)) {
            Some(mean) => Estimate::exactly(*mean),
            None if all => Estimate::exactly(1.0),
            None => Estimate::exactly(1.0).or_none(),
        };
        let each = Estimate::exactly(operation.composite.len().max(1) as f64);
        Some(StepCalls { step: HYDRATE.to_owned(), operation, connection: None, times, each })
    }

    /// How often the steps are reached at all.
    fn reach(&mut self) -> Estimate {
        let Some(when) = self.recipe.recipe().when.as_ref() else { return Estimate::exactly(1.0) };
        if let Some(share) = self.assumptions.when() {
            return Estimate::exactly(share);
        }
        if let Some(holds) = self.constant(when).map(|value| truthy(&value)) {
            return Estimate::exactly(f64::from(u8::from(holds)));
        }
        if self.history.is_none() {
            self.note(None, "`when` holds for every event".to_owned(), &["when=80%"], None);
        }
        Estimate::exactly(1.0).or_none()
    }

    /// How often a step is performed.
    fn times(&mut self, action: &CheckedAction<'_>, reach: Estimate) -> Estimate {
        let name = self.recipe.name().to_owned();
        if let Some(times) = self.assumptions.step(&name, &action.id) {
            return Estimate::exactly(times);
        }
        if let Some(history) = self.history {
            return Estimate::exactly(history.steps.get(&action.id).copied().unwrap_or_default());
        }
        let mut times = reach;
        if let Some(condition) = &action.condition {
            times = times * self.share(action, condition);
        }
        if let Some(list) = &action.for_each {
            times = times * self.items(action, list);
        }
        let may_be_left_out = action.operation.updates.is_some() && action.unchanged == UnchangedPolicy::Skip;
        if may_be_left_out { times.or_none() } else { times }
    }

    fn share(&mut self, action: &CheckedAction<'_>, condition: &LocatedTemplate) -> Estimate {
        if let Some(value) = self.constant(condition) {
            return Estimate::exactly(f64::from(u8::from(truthy(&value))));
        }
        if let Some(share) = self.assumptions.conditions() {
            return Estimate::exactly(share);
        }
        if self.recipe.recipe().is_generated() && is_occasional(&action.id) {
            let assumed = "each event tells of a change of a record that is linked already, which goes to the other side";
            self.note(Some(&action.id), assumed.to_owned(), &[], Some("0.5"));
            return Estimate::between(0.0, 0.0, Some(1.0));
        }
        self.note(Some(&action.id), "its `if` holds always".to_owned(), &["if=50%"], Some("0.5"));
        Estimate::exactly(1.0).or_none()
    }

    fn items(&mut self, action: &CheckedAction<'_>, list: &LocatedTemplate) -> Estimate {
        if let Some(Value::Array(items)) = self.constant(list) {
            return Estimate::exactly(items.len() as f64);
        }
        if let Some(items) = self.assumptions.items() {
            return Estimate::exactly(items);
        }
        self.note(
            Some(&action.id),
            "its `for_each` has one item, as the list depends on data".to_owned(),
            &["items=3"],
            Some("3"),
        );
        Estimate::between(0.0, 1.0, None)
    }

    /// The value of a template that depends on nothing but constants.
    fn constant(&self, template: &LocatedTemplate) -> Option<Value> {
        constant(self.recipe, template)
    }

    /// What a step sends.
    fn step(&mut self, action: &CheckedAction<'_>, times: Estimate) -> StepCalls {
        StepCalls {
            step: action.id.clone(),
            operation: Arc::clone(action.operation),
            connection: action.connection.as_ref().map(|name| name.value.clone()),
            times,
            each: self.each(action),
        }
    }

    /// Requests of the step each time.
    fn each(&mut self, action: &CheckedAction<'_>) -> Estimate {
        let operation = action.operation;
        if !operation.composite.is_empty() {
            let given = |name: &String| action.with.get(name).is_some();
            let ways = operation.composite.iter().filter(|way| way.when.iter().any(given)).count() as f64;
            if ways > 1.0 {
                self.note(
                    Some(&action.id),
                    format!(
                        "all of its {ways} requests are sent: it stops at the first that finds something"
                    ),
                    &[],
                    None,
                );
            }
            return Estimate::between(ways.min(1.0), ways, Some(ways));
        }
        if action.pages.is_none() {
            return Estimate::exactly(1.0);
        }
        let (calls, note) = whole_list(operation, self.assumptions);
        self.notes.extend(note);
        calls
    }
}
