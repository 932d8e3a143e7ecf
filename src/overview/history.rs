//! A run as a page of text: its event, its entries, and its state with the reason.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::journal::RunDetail;
use crate::printable;
use crate::run::{Difference, Entry, FoundLink, StampedEntry, StepError};
use crate::secret::Redactor;
use crate::template::{LinkEnd, LinkQuery};
use crate::value::shortened;

/// Longest value shown in full on one line.
const MAX_WIDTH: usize = 400;
/// Longest text shown in full.
const MAX_LENGTH: usize = 4_000;

/// The whole page. Values are redacted before they are cut, so that no part of a secret remains.
pub fn history_page(detail: &RunDetail, redactor: &Redactor) -> String {
    let RunDetail { row, run, event, entries } = detail;
    let mut lines = vec![format!("{}  {}  {}", row.id, printable::line(&row.recipe, MAX_WIDTH), row.state)];
    let mut fact = |name: &str, value: String| {
        lines.push(format!("  {name:<10}{}", indented(&value, 12)));
    };
    fact("created", time(row.created));
    if let Some(finished) = row.finished {
        fact("finished", format!("{} ({})", time(finished), took(row.created, finished)));
    }
    if let Some(error) = &row.error {
        fact("why", error.clone());
    }
    fact("lane", run.lane.clone());
    if !run.accounts.is_empty() {
        fact("accounts", run.accounts.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "));
    }
    if let Some(version) = &run.version {
        fact("recipe", format!("version {version}"));
    }
    lines.push(String::new());
    let what = printable::line(&format!("{}, {}", event.kind, event.source), MAX_WIDTH);
    lines.push(format!("Event {} ({what})", event.id));
    lines.extend(pretty(&shortened(redactor.value(&event.payload), MAX_LENGTH)));
    lines.push(String::new());
    lines.push("History".into());
    entries.iter().for_each(|entry| lines.extend(history(entry, redactor)));
    lines.push(String::new());
    lines.join("\n")
}

fn history(stamped: &StampedEntry, redactor: &Redactor) -> Vec<String> {
    let detail = |name: &str, value: &Value| detail(name, &redactor.value(value));
    let at = stamped.at.format("%H:%M:%S%.3f");
    let mut lines = Vec::new();
    let mut say = |text: String| lines.push(format!("  {at}  {}", indented(&text, 16)));
    match &stamped.entry {
        Entry::Started { vars, .. } => {
            say("started".into());
            lines.extend(vars.iter().map(|(name, value)| detail(&format!("vars.{name}"), value)));
        }
        Entry::StepSkipped { step, reason } => say(format!("{step}: skipped, {reason}")),
        Entry::Intent { step, attempt, operation, inputs } => {
            say(format!("{step}: {operation}{}", nth(*attempt)));
            lines.push(detail("with", inputs));
        }
        Entry::StepSucceeded { step, attempt, result, known_by, .. } => {
            let known = known_by.as_ref().map(|by| format!(" (known by {by})")).unwrap_or_default();
            say(format!("{step}: done{}{known}", nth(*attempt)));
            lines.push(detail("result", result));
        }
        Entry::StepFailed { step, attempt, error, retry_at, .. } => {
            let again = retry_at.map(|at| format!(", again at {}", time(at))).unwrap_or_default();
            say(format!("{step}: failed{}{again}: {}", nth(*attempt), failure(error)));
        }
        Entry::Deferred { step, reason, held: true, .. } => say(format!("{step}: waits: {reason}")),
        Entry::Deferred { step, until, reason, .. } => {
            say(format!("{step}: waits until {}: {reason}", time(*until)));
        }
        Entry::InDoubt { step, attempt, reason, .. } => {
            say(format!("{step}: in doubt{}: {reason}", nth(*attempt)));
        }
        Entry::DidNotHappen { step, attempt, known_by } => {
            say(format!("{step}: did not happen{} (known by {known_by})", nth(*attempt)));
        }
        Entry::WaitStarted { step, until, .. } => say(format!("{step}: waits until {}", time(*until))),
        Entry::Parked { step, reason } => say(format!("{step}: parked until a person decides: {reason}")),
        Entry::Restarted {} => say("started over, as a person asked".to_owned()),
        Entry::Resumed { from } => say(format!("resumed from {from}")),
        Entry::BegunAgain { steps } => {
            let names: Vec<String> = steps.iter().map(ToString::to_string).collect();
            say(format!("begins again, with what was read before forgotten: {}", names.join(", ")));
        }
        Entry::MoreRecords { step, message } => say(format!("{step}: warn: {message}")),
        Entry::UnknownFields { step, fields, reason } => {
            let what = match fields.join(", ") {
                whole if whole.is_empty() => "its result".to_owned(),
                fields => fields,
            };
            say(format!("{step}: warn: unknown: {what}: {reason}"));
        }
        Entry::Compared { changed, before } => {
            say(match changed.as_slice() {
                _ if before.is_null() => "the record was never seen before".to_owned(),
                [] => "nothing has changed since the record was seen before".to_owned(),
                changed => format!("changed since the record was seen before: {}", changed.join(", ")),
            });
            lines.push(detail("event.before", before));
        }
        Entry::LinksFound { step, links } => {
            let whose = if step.is_start() { String::new() } else { format!("{step}: ") };
            for FoundLink { query: LinkQuery { name, known }, found } in links {
                let (LinkEnd::From(known) | LinkEnd::To(known)) = known;
                let found = found.as_ref().map_or("no link".to_owned(), |found| format!("`{found}`"));
                say(redactor.text(&format!("{whose}link `{name}` of `{known}`: {found}")));
            }
        }
        Entry::NotKept { step, fields, .. } => {
            say(format!("{step}: warn: accepted and not kept:"));
            for Difference { field, sent, got } in fields {
                lines.push(detail(&format!("{field} sent"), sent));
                lines.push(detail(&format!("{field} got"), got));
            }
        }
        Entry::StepUnchanged { step, operation, result, reason } => {
            say(format!("{step}: {operation}: unchanged, not sent: {reason}"));
            lines.push(detail("result", result));
        }
        Entry::Caused { by, .. } if by.is_empty() => {}
        Entry::Caused { by, .. } => {
            let chain: Vec<String> =
                by.iter().map(|link| format!("{} ({})", link.run, link.recipe)).collect();
            say(format!("follows from {}", chain.join(" → ")));
        }
        Entry::Coalesced { into } => say(Entry::coalesced_reason(into)),
        Entry::Remark { level, message } => say(format!("{level}: {message}")),
        Entry::Finished { state, reason, .. } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            say(format!("{state}{reason}"));
        }
    }
    lines
}

/// The number of an attempt; empty for the first.
fn nth(attempt: u32) -> String {
    if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() }
}

fn failure(error: &StepError) -> String {
    let help = error.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{}{help}", error.message)
}

fn detail(name: &str, value: &Value) -> String {
    let text = value.to_string();
    let shown = match text.char_indices().nth(MAX_WIDTH) {
        Some((end, _)) => format!("{}… (--format json shows all)", &text[..end]),
        None => text,
    };
    format!("                {name} {shown}")
}

/// A text with further lines indented, so that none looks like a line of the page.
fn indented(text: &str, width: usize) -> String {
    let text = match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}… (--format json shows all)", &text[..end]),
        None => text.to_owned(),
    };
    text.replace('\n', &format!("\n{}", " ".repeat(width)))
}

fn pretty(value: &Value) -> Vec<String> {
    format!("{value:#}").lines().map(|line| format!("  {line}")).collect()
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn took(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let millis = (to - from).num_milliseconds();
    if millis < 10_000 { format!("{millis} ms") } else { format!("{} s", millis / 1000) }
}
