//! Runs recorded with one recipe and replayed with another.

mod compared;
mod unknown;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Change, ReplayedRun, Report, RunReplay, What};
use crate::check::CheckedRecipe;
use crate::journal::{RunDetail, RunRow};
use crate::run::testing::{event, recipe, run, time};
use crate::run::{
    Command, Entry, Machine, RunContext, RunId, RunState, StampedEntry, StepCall, StepError, StepResult,
};

/// An API that knows every record: a `things.get` shows the id that it is given, writes show an id and what was sent.
fn world(call: &StepCall) -> StepResult {
    let mut shown = call.inputs.clone();
    match call.operation.id.as_str() {
        "things.get" => StepResult::Done(json!({ "id": call.inputs["id"], "name": "Ada", "level": 3 })),
        "things.list" => StepResult::Done(json!([{ "id": "a" }, { "id": "b" }])),
        "state.get" => StepResult::Done(json!(7)),
        _ => {
            shown.entry("id").or_insert_with(|| json!("new-1"));
            shown.insert("new".to_owned(), json!(true));
            StepResult::Done(Value::Object(shown))
        }
    }
}

/// A run of `recipe` on an event with this payload, a second for each decision and answer.
fn record(
    recipe: &CheckedRecipe,
    payload: Value,
    mut answer: impl FnMut(&StepCall) -> StepResult,
) -> RunDetail {
    let run = crate::run::Run { version: Some(recipe.version().to_owned()), ..run() };
    let event = event(payload);
    let mut machine = Machine::new(recipe.clone(), run.clone(), &event, &[], &context());
    let (mut entries, mut now): (Vec<StampedEntry>, _) = (Vec::new(), time(0));
    let (state, error) = loop {
        now += TimeDelta::seconds(1);
        let decision = machine.decide(now);
        entries.extend(decision.entries);
        now += TimeDelta::seconds(1);
        match decision.command {
            Command::Execute(call) => {
                let entry = StampedEntry::new(now, call.entry(&run.id, answer(&call), now));
                machine.apply(&entry);
                entries.push(entry);
            }
            Command::Sleep { until, .. } => now = until,
            Command::Finish { state, reason } => break (state, reason),
            other => panic!("{other:?}"),
        }
    };
    let row = RunRow {
        id: run.id.clone(),
        recipe: recipe.name().to_owned(),
        state,
        record: event.record.clone(),
        created: run.created,
        finished: Some(now),
        error,
        entries: entries.len(),
    };
    RunDetail { row, run, event, entries }
}

fn context() -> RunContext {
    RunContext::default()
}

fn replay(then: &str, now: &str) -> RunReplay {
    replay_of(json!({ "id": "e1", "name": "Ada", "list": ["x", "y", "z"] }), then, now, world)
}

fn replay_of(
    payload: Value,
    then: &str,
    now: &str,
    answer: impl FnMut(&StepCall) -> StepResult,
) -> RunReplay {
    let (then, now) = (recipe(then), recipe(now));
    RunReplay::of(&record(&then, payload, answer), Some(&then), &now, &context())
}

/// Each change in short: `changed update-2 name`.
fn told(replay: &RunReplay) -> Vec<String> {
    let what = |change: &Change| match &change.what {
        What::Ends { before, after } => format!("{before} {after}"),
        other => format!("{other:?}").to_lowercase(),
    };
    let one = |change: &Change| {
        let fields: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
        let step = change.step.clone().unwrap_or_default();
        format!("{} {step} {}", what(change), fields.join(",")).trim_end().to_owned()
    };
    replay.changes.iter().map(one).collect()
}

fn uncertainties(replay: &RunReplay) -> Vec<String> {
    let one = |uncertainty: &super::Uncertainty| {
        format!("{}: {}", uncertainty.step.clone().unwrap_or_default(), uncertainty.reason)
    };
    replay.uncertainties.iter().map(one).collect()
}

const READ: &str = "- { id: read, do: things.get, with: { id: \"{{ event.id }}\" } }\n";
const WRITE: &str = "- { id: write, do: things.update, with: { id: \"{{ steps.read.id }}\", name: \"{{ event.name }}\", at: \"{{ now() }}\" } }\n";
const SHOUT: &str = "- { id: shout, do: things.shout, with: { text: \"{{ steps.read.level }}\" } }\n";

fn lines(actions: &[&str]) -> String {
    format!("actions:\n{}", actions.concat())
}
