//! The invariants: nothing is lost and nothing is done twice. They are checked on what the stand-in saw
//! and on the runs that hob lists.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::effect::{Effect, noted_client};
use crate::observations::{ListedRun, Observations};

/// The violated invariants of `observations`; empty if none.
pub fn violations(observations: &Observations) -> Vec<String> {
    let mut wrong = Vec::new();
    let effects = observations.effects();
    every_accepted_event_ran(observations, &mut wrong);
    every_client_was_welcomed(observations, &mut wrong);
    everything_belongs_to_an_event(observations, &effects, &mut wrong);
    idempotent_effects_happened(observations, &effects, &mut wrong);
    creates_happened_once(observations, &effects, &mut wrong);
    lanes_kept_their_order(observations, &mut wrong);
    contacts_ended_right(observations, &mut wrong);
    wrong
}

fn accepted(observations: &Observations) -> impl Iterator<Item = u64> {
    observations.accepted.iter().flatten().copied()
}

/// Runs by recipe and record.
fn runs(observations: &Observations) -> HashMap<(&str, &str), Vec<&ListedRun>> {
    let mut runs: HashMap<_, Vec<_>> = HashMap::new();
    for run in &observations.runs {
        runs.entry((run.recipe.as_str(), run.record.as_deref().unwrap_or(""))).or_default().push(run);
    }
    runs
}

/// Each event has one run of each recipe, which succeeded, or is parked and listed with its reason where
/// no probe can tell whether its create happened.
fn every_accepted_event_ran(observations: &Observations, wrong: &mut Vec<String>) {
    let runs = runs(observations);
    for number in accepted(observations).map(|number| number.to_string()) {
        for recipe in ["form", "task"] {
            match runs.get(&(recipe, number.as_str())).map(Vec::as_slice) {
                None | Some([]) => {
                    wrong.push(format!("event {number} was accepted and has no run of {recipe}"))
                }
                Some([run]) if run.state == "succeeded" => {}
                Some([run]) if recipe == "task" && run.state == "parked" => {
                    is_listed(observations, run, wrong)
                }
                Some([run]) => wrong.push(format!("event {number} has not run: {run:?}")),
                Some(runs) => wrong.push(format!("event {number} has {} runs of {recipe}", runs.len())),
            }
        }
    }
}

fn is_listed(observations: &Observations, run: &ListedRun, wrong: &mut Vec<String>) {
    let reason = run.error.as_deref().unwrap_or("");
    if !reason.contains("may have happened") || !observations.parked.contains(run) {
        wrong.push(format!("a parked run is not listed with its reason: {run:?}"));
    }
}

fn every_client_was_welcomed(observations: &Observations, wrong: &mut Vec<String>) {
    let runs = runs(observations);
    let mut notes: HashMap<&str, usize> = HashMap::new();
    for client in observations.log.iter().filter_map(noted_client) {
        *notes.entry(client).or_default() += 1;
    }
    for client in &observations.clients {
        let count = notes.get(client.as_str()).copied().unwrap_or(0);
        if count != 1 {
            wrong.push(format!("client {client} was welcomed {count} times"));
        }
        match runs.get(&("welcome", client.as_str())).map(Vec::as_slice) {
            Some([run]) if run.state == "succeeded" => {}
            runs => wrong.push(format!("client {client} was not found once by the poll: {runs:?}")),
        }
    }
}

/// Every run and every effect belongs to an accepted event.
fn everything_belongs_to_an_event(
    observations: &Observations,
    effects: &BTreeMap<(Effect, u64), usize>,
    wrong: &mut Vec<String>,
) {
    let known: HashSet<u64> = accepted(observations).collect();
    for (effect, number) in effects.keys().filter(|(_, number)| !known.contains(number)) {
        wrong.push(format!("{effect:?} was done for event {number}, which nobody accepted"));
    }
    let expected = 2 * known.len() + observations.clients.len();
    if observations.runs.len() != expected {
        wrong.push(format!("there are {} runs instead of {expected}", observations.runs.len()));
    }
}

fn idempotent_effects_happened(
    observations: &Observations,
    effects: &BTreeMap<(Effect, u64), usize>,
    wrong: &mut Vec<String>,
) {
    for number in accepted(observations) {
        for effect in Effect::IDEMPOTENT {
            if !effects.contains_key(&(effect, number)) {
                wrong.push(format!("{effect:?} was not done for event {number}"));
            }
        }
    }
}

/// Exactly once; at most once where the run is parked.
fn creates_happened_once(
    observations: &Observations,
    effects: &BTreeMap<(Effect, u64), usize>,
    wrong: &mut Vec<String>,
) {
    let parked: HashSet<&str> = observations.parked.iter().filter_map(|run| run.record.as_deref()).collect();
    for number in accepted(observations) {
        for effect in [Effect::Note, Effect::Task] {
            let count = effects.get(&(effect, number)).copied().unwrap_or(0);
            let in_doubt = effect == Effect::Task && parked.contains(number.to_string().as_str());
            if count > 1 || (count == 0 && !in_doubt) {
                wrong.push(format!("{effect:?} was done {count} times for event {number}"));
            }
        }
    }
}

/// The effects of a lane's events come in the order of acceptance: none of an event after one of a
/// later event.
fn lanes_kept_their_order(observations: &Observations, wrong: &mut Vec<String>) {
    let mut place: HashMap<u64, (usize, usize)> = HashMap::new();
    for (lane, numbers) in observations.accepted.iter().enumerate() {
        place.extend(numbers.iter().enumerate().map(|(nth, &number)| (number, (lane, nth))));
    }
    let mut reached: HashMap<usize, (usize, u64)> = HashMap::new();
    for entry in &observations.log {
        let Some((effect, number)) = Effect::of(entry).filter(|(effect, _)| *effect != Effect::Task) else {
            continue;
        };
        let Some(&(lane, nth)) = place.get(&number) else { continue };
        let (furthest, latest) = reached.entry(lane).or_insert((nth, number));
        if nth < *furthest {
            wrong
                .push(format!("{effect:?} of event {number} came after what event {latest} of its lane did"));
        } else {
            (*furthest, *latest) = (nth, number);
        }
    }
}

/// A lane's contact shows what the last event of the lane wrote, and the tags of all.
fn contacts_ended_right(observations: &Observations, wrong: &mut Vec<String>) {
    for (lane, numbers) in observations.accepted.iter().enumerate() {
        let Some(last) = numbers.last() else { continue };
        let email = format!("lane-{lane}@example.com");
        let mut alike = observations.contacts.iter().filter(|contact| contact["email"] == email.as_str());
        let (Some(contact), None) = (alike.next(), alike.next()) else {
            wrong.push(format!("there is not one contact {email}"));
            continue;
        };
        for (field, written) in [("firstName", "update"), ("lastName", "upsert")] {
            let expected = format!("{written} {last}");
            // Servers may change the case of names.
            let found = contact[field].as_str().unwrap_or("");
            if !found.eq_ignore_ascii_case(&expected) {
                wrong.push(format!("{email} ends with {field} `{found}` instead of `{expected}`"));
            }
        }
        let tags: HashSet<&str> =
            contact["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for number in numbers.iter().filter(|number| !tags.contains(format!("tag {number}").as_str())) {
            wrong.push(format!("{email} has no tag of event {number}"));
        }
    }
}

#[cfg(test)]
mod tests;
