//! What a run tells of the checker: errors that it should have told before.

use hob::run::{Entry, RunState, StepError};
use serde_json::Value;

use crate::test_bed::{CATALOG, Ended};

/// An error of shape that the checker was silent about.
#[derive(Debug, Clone)]
pub struct Problem {
    pub step: String,
    /// The same for errors with the same cause.
    pub kind: String,
    pub message: String,
}

/// A refusal that no shape declares, so that no checker can tell it before.
pub struct Excuse {
    /// Status of the answer; `None` for what hob itself refuses.
    status: Option<u16>,
    /// Parts of the message.
    contains: &'static [&'static str],
    /// Why it is excused.
    pub reason: &'static str,
}

const fn refusal(status: u16, contains: &'static [&'static str], reason: &'static str) -> Excuse {
    Excuse { status: Some(status), contains, reason }
}

const fn content(contains: &'static [&'static str], reason: &'static str) -> Excuse {
    Excuse { status: None, contains, reason }
}

/// All of them.
pub const EXCUSES: &[Excuse] = &[
    refusal(404, &[""], "the record that an id names is not there"),
    refusal(
        400,
        &["not found"],
        "the record that an id names is not there, as HighLevel says it of contacts",
    ),
    refusal(400, &["duplicated contacts"], "another contact has the e-mail address or phone number"),
    refusal(400, &["already exists"], "another record has the value that has to be unique"),
    refusal(409, &["Another record has this"], "another client or lead has the e-mail address"),
    refusal(400, &["duplicate opportunity"], "the contact has an opportunity already"),
    refusal(
        422,
        &["field is missing"],
        "what a search filter needs depends on its other parts; no shape declares it",
    ),
    refusal(422, &["cannot be used together"], "no shape declares which of two inputs excludes the other"),
    refusal(400, &["refresh token is invalid"], "no shape declares that a text is a refresh token"),
    refusal(
        400,
        &["authorization code is invalid"],
        "a code is used once; no shape declares that it was not",
    ),
    refusal(400, &["must not exceed"], "the API takes times that are close together; no shape declares it"),
    content(&["found no valid phone number"], "no shape declares that a text is a phone number of a country"),
    content(&["needs a number, but", "is the text"], "no shape declares that a text stands for a number"),
    content(&["it is part of the path"], "no shape declares that a text is not empty"),
    content(&["cannot divide by zero"], "no shape declares that a number is not zero"),
    content(&["needs something to look for"], "no shape declares that a text is not empty"),
    content(&["cannot read"], "no shape declares what a text says: a number, a time, JSON"),
    content(
        &["cannot order the text", "names no time zone"],
        "no shape declares what a text says: a time, a date",
    ),
    content(&["finds no text in"], "no shape declares that a text is Base64"),
    content(&["exact to 28 digits"], "no shape declares how large a number is"),
    content(&["more than 28 digits"], "no shape declares how large a number is"),
];

/// The problems of a run. What a recipe's own templates make of the event, and each request, has to be as declared.
pub fn problems(ended: &Ended) -> Vec<Problem> {
    let mut found = Vec::new();
    for stamped in &ended.entries {
        match &stamped.entry {
            Entry::StepFailed { step, error, .. } => {
                found.extend(failed(&step.to_string(), error));
            }
            Entry::Intent { step, operation, inputs, .. } => {
                found.extend(misshapen(&step.to_string(), operation, inputs));
            }
            Entry::Parked { step, reason } => found.push(problem(&step.to_string(), "parked", reason)),
            _ => {}
        }
    }
    let is_told = ended
        .entries
        .iter()
        .any(|stamped| matches!(stamped.entry, Entry::StepFailed { .. } | Entry::Parked { .. }));
    match ended.state {
        Some(RunState::Failed) if !is_told => {
            found.push(problem("run", "failed", ended.reason.as_deref().unwrap_or_default()));
        }
        Some(RunState::Waiting | RunState::Running) => found.push(problem("run", "unfinished", "")),
        _ => {}
    }
    found
}

/// The reasons of the refusals of a run that are excused.
pub fn excuses(ended: &Ended) -> Vec<&'static str> {
    let errors = ended.entries.iter().filter_map(|stamped| match &stamped.entry {
        Entry::StepFailed { error, .. } => excuse(error),
        _ => None,
    });
    errors.map(|excuse| excuse.reason).collect()
}

/// Which excuse holds for an error.
pub fn excuse(error: &StepError) -> Option<&'static Excuse> {
    EXCUSES.iter().find(|excuse| {
        excuse.status == error.status && excuse.contains.iter().all(|part| error.message.contains(part))
    })
}

fn failed(step: &str, error: &StepError) -> Option<Problem> {
    if excuse(error).is_some() {
        return None;
    }
    let excerpt = error.excerpt.as_deref().unwrap_or_default();
    let status = error.status.map_or_else(|| "failed".to_owned(), |status| status.to_string());
    let excerpt = if excerpt.contains(&error.message) { "" } else { excerpt };
    let mut problem = problem(step, &status, &error.message);
    problem.message.push_str(excerpt);
    Some(problem)
}

fn problem(step: &str, sort: &str, message: &str) -> Problem {
    Problem { step: step.to_owned(), kind: format!("{sort}: {}", bare(message)), message: message.to_owned() }
}

/// The beginning of a message without what differs from case to case.
fn bare(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.rsplit_once(":: ").map_or(line, |(_, line)| line);
    let mut bare = String::new();
    let mut quoted: Option<char> = None;
    for letter in line.chars() {
        match quoted {
            Some(end) if letter == end => quoted = None,
            Some(_) => {}
            None if letter == '"' || letter == '`' => {
                quoted = Some(letter);
                bare.push('…');
            }
            None if letter.is_ascii_digit() => {}
            None => bare.push(letter),
        }
    }
    bare.chars().take(70).collect()
}

/// What is wrong with the inputs of a request: null for one that is required, or another shape than declared.
fn misshapen(step: &str, operation: &str, inputs: &Value) -> Option<Problem> {
    let operation = CATALOG.operation(operation)?;
    for (name, value) in inputs.as_object()? {
        let Some(input) = operation.input(name) else { continue };
        if value.is_null() {
            let needed = input.shape.required && !input.shape.nullable;
            if needed && input.shape.kind != hob::value::Kind::Any {
                return Some(problem(
                    step,
                    "null",
                    &format!("null for the required `{name}` of `{}`", operation.id),
                ));
            }
            continue;
        }
        // Numbers are sent as text where text is taken: that is no problem.
        let is_sent = |problem: &hob::value::ShapeProblem| {
            let found = problem.path.iter().try_fold(value, |value, part| match value {
                Value::Array(items) => items.get(part.parse::<usize>().ok()?),
                value => value.get(part),
            });
            let is_wrong = matches!(problem.kind, hob::value::ProblemKind::WrongType { .. });
            is_wrong && found.is_some_and(|value| value.is_number() || value.is_boolean())
        };
        let mut problems = input.shape.check(value, &Value::is_null).into_iter();
        if let Some(first) = problems.find(|problem| problem.is_certain() && !is_sent(problem)) {
            let what = format!("{:?}", first.kind);
            let what = what.split([' ', '(']).next().unwrap_or_default().to_owned();
            let message =
                format!("`{name}` of `{}` is {value}: {:?} at {:?}", operation.id, first.kind, first.path);
            return Some(Problem { step: step.to_owned(), kind: format!("shape: {what}"), message });
        }
    }
    None
}
