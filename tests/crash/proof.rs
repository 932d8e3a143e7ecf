//! The proof that nothing was lost and nothing done twice. It looks at what the other side saw, and
//! says what is wrong.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::deed::{Deed, welcomed};
use crate::evidence::{Evidence, Listed};

/// What `evidence` shows to be wrong; nothing, if all is well.
pub fn complaints(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let deeds = evidence.deeds();
    every_accepted_event_ran(evidence, &mut wrong);
    every_client_was_welcomed(evidence, &mut wrong);
    nothing_came_from_nowhere(evidence, &deeds, &mut wrong);
    idempotent_effects_happened(evidence, &deeds, &mut wrong);
    creates_happened_once(evidence, &deeds, &mut wrong);
    lanes_kept_their_order(evidence, &mut wrong);
    contacts_ended_right(evidence, &mut wrong);
    wrong
}

fn accepted(evidence: &Evidence) -> impl Iterator<Item = u64> {
    evidence.accepted.iter().flatten().copied()
}

/// Runs by recipe and record.
fn runs(evidence: &Evidence) -> HashMap<(&str, &str), Vec<&Listed>> {
    let mut runs: HashMap<_, Vec<_>> = HashMap::new();
    for run in &evidence.runs {
        runs.entry((run.recipe.as_str(), run.record.as_deref().unwrap_or(""))).or_default().push(run);
    }
    runs
}

/// Each has one run of each recipe, which succeeded; or is parked and listed with its reason, where
/// nothing could tell whether its create happened.
fn every_accepted_event_ran(evidence: &Evidence, wrong: &mut Vec<String>) {
    let runs = runs(evidence);
    for number in accepted(evidence).map(|number| number.to_string()) {
        for recipe in ["form", "task"] {
            match runs.get(&(recipe, number.as_str())).map(Vec::as_slice) {
                None | Some([]) => {
                    wrong.push(format!("event {number} was accepted and has no run of {recipe}"))
                }
                Some([run]) if run.state == "succeeded" => {}
                Some([run]) if recipe == "task" && run.state == "parked" => is_listed(evidence, run, wrong),
                Some([run]) => wrong.push(format!("event {number} has not run: {run:?}")),
                Some(runs) => wrong.push(format!("event {number} has {} runs of {recipe}", runs.len())),
            }
        }
    }
}

fn is_listed(evidence: &Evidence, run: &Listed, wrong: &mut Vec<String>) {
    let reason = run.error.as_deref().unwrap_or("");
    if !reason.contains("may have happened") || !evidence.parked.contains(run) {
        wrong.push(format!("a parked run is not listed with its reason: {run:?}"));
    }
}

fn every_client_was_welcomed(evidence: &Evidence, wrong: &mut Vec<String>) {
    let runs = runs(evidence);
    let mut notes: HashMap<&str, usize> = HashMap::new();
    for client in evidence.log.iter().filter_map(welcomed) {
        *notes.entry(client).or_default() += 1;
    }
    for client in &evidence.clients {
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

/// Every run and every deed belongs to an event that was accepted.
fn nothing_came_from_nowhere(
    evidence: &Evidence,
    deeds: &BTreeMap<(Deed, u64), usize>,
    wrong: &mut Vec<String>,
) {
    let known: HashSet<u64> = accepted(evidence).collect();
    for (deed, number) in deeds.keys().filter(|(_, number)| !known.contains(number)) {
        wrong.push(format!("{deed:?} was done for event {number}, which nobody accepted"));
    }
    let expected = 2 * known.len() + evidence.clients.len();
    if evidence.runs.len() != expected {
        wrong.push(format!("there are {} runs instead of {expected}", evidence.runs.len()));
    }
}

fn idempotent_effects_happened(
    evidence: &Evidence,
    deeds: &BTreeMap<(Deed, u64), usize>,
    wrong: &mut Vec<String>,
) {
    for number in accepted(evidence) {
        for deed in Deed::IDEMPOTENT {
            if !deeds.contains_key(&(deed, number)) {
                wrong.push(format!("{deed:?} was not done for event {number}"));
            }
        }
    }
}

/// Exactly once; at most once where the run is parked.
fn creates_happened_once(evidence: &Evidence, deeds: &BTreeMap<(Deed, u64), usize>, wrong: &mut Vec<String>) {
    let parked: HashSet<&str> = evidence.parked.iter().filter_map(|run| run.record.as_deref()).collect();
    for number in accepted(evidence) {
        for deed in [Deed::Note, Deed::Task] {
            let count = deeds.get(&(deed, number)).copied().unwrap_or(0);
            let in_doubt = deed == Deed::Task && parked.contains(number.to_string().as_str());
            if count > 1 || (count == 0 && !in_doubt) {
                wrong.push(format!("{deed:?} was done {count} times for event {number}"));
            }
        }
    }
}

/// Whatever a lane's events do comes in the order in which they were accepted: nothing of an event
/// after something of a later one.
fn lanes_kept_their_order(evidence: &Evidence, wrong: &mut Vec<String>) {
    let mut place: HashMap<u64, (usize, usize)> = HashMap::new();
    for (lane, numbers) in evidence.accepted.iter().enumerate() {
        place.extend(numbers.iter().enumerate().map(|(nth, &number)| (number, (lane, nth))));
    }
    let mut reached: HashMap<usize, (usize, u64)> = HashMap::new();
    for entry in &evidence.log {
        let Some((deed, number)) = Deed::of(entry).filter(|(deed, _)| *deed != Deed::Task) else { continue };
        let Some(&(lane, nth)) = place.get(&number) else { continue };
        let (furthest, latest) = reached.entry(lane).or_insert((nth, number));
        if nth < *furthest {
            wrong.push(format!("{deed:?} of event {number} came after what event {latest} of its lane did"));
        } else {
            (*furthest, *latest) = (nth, number);
        }
    }
}

/// A lane's contact shows what the last event of the lane wrote, and the tags of all.
fn contacts_ended_right(evidence: &Evidence, wrong: &mut Vec<String>) {
    for (lane, numbers) in evidence.accepted.iter().enumerate() {
        let Some(last) = numbers.last() else { continue };
        let email = format!("lane-{lane}@example.com");
        let mut alike = evidence.contacts.iter().filter(|contact| contact["email"] == email.as_str());
        let (Some(contact), None) = (alike.next(), alike.next()) else {
            wrong.push(format!("there is not one contact {email}"));
            continue;
        };
        for (field, written) in [("firstName", "update"), ("lastName", "upsert")] {
            let expected = format!("{written} {last}");
            // Servers may write names in their own way.
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
