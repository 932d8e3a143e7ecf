//! The spans of a run. Pure.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind as Side;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use sha2::{Digest, Sha256};

use crate::overview::{SpanKind, Trace, TraceSpan, TracedOutcome, TracedStep};
use crate::run::{Entry, RunId, RunState, StampedEntry};

/// Bytes of the id of a trace.
const TRACE_BYTES: usize = 16;
/// Bytes of the id of a span.
const SPAN_BYTES: usize = 8;

/// From when to when something lasted.
type Times = (DateTime<Utc>, DateTime<Utc>);

/// The spans of `trace`, which is that of `entries`. Ids follow from those of the run and its steps: a run that is reported twice is one trace.
pub(super) fn spans(trace: &Trace, entries: &[StampedEntry]) -> Vec<Span> {
    let unannounced = unannounced(entries);
    let ids = Ids { run: &trace.run };
    let (root, from) = (ids.span(&[]), trace.began.unwrap_or(trace.created));
    let to = trace.ended.unwrap_or(from);
    let failed = matches!(trace.state, RunState::Failed | RunState::Parked);
    let mut attributes = vec![
        text("hob.run.id", &trace.run.0),
        text("hob.recipe", &trace.recipe),
        text("hob.run.state", trace.state.name()),
        text("hob.run.created", &trace.created.to_rfc3339()),
    ];
    attributes.extend(trace.reason.as_ref().map(|reason| text("hob.reason", reason)));
    let mut spans = vec![Span {
        status: status(failed, trace.reason.as_deref()),
        attributes,
        ..span(&ids, root.clone(), Vec::new(), format!("run {}", trace.recipe), (from, to))
    }];
    for step in &trace.steps {
        let attempts = unannounced.get(&step.step).map(Vec::as_slice).unwrap_or_default();
        let parts = parts(step, attempts);
        spans.extend(of_step(&ids, &root, step, &parts, to));
    }
    spans
}

/// The attempts that have no entry at their beginning, as those of reads, by step: they began after the entry before, or when the wait
/// before them was over.
fn unannounced(entries: &[StampedEntry]) -> HashMap<String, Vec<Times>> {
    let mut found: HashMap<String, Vec<Times>> = HashMap::new();
    let (mut announced, mut waits) = (HashSet::new(), HashMap::new());
    let mut before = None;
    for stamped in entries {
        let at = stamped.at;
        let (step, again) = match &stamped.entry {
            Entry::Intent { step, .. } => {
                announced.insert(step);
                (None, None)
            }
            Entry::Restarted {} => {
                found.clear();
                (None, None)
            }
            Entry::StepSucceeded { step, .. } => (Some(step), None),
            Entry::StepFailed { step, retry_at, .. } => (Some(step), *retry_at),
            _ => (None, None),
        };
        if let Some(step) = step {
            let waited = waits.remove(step);
            if !announced.remove(step) {
                let from = waited.or(before).unwrap_or(at).min(at);
                found.entry(step.to_string()).or_default().push((from, at));
            }
            waits.extend(again.map(|again| (step, again)));
        }
        before = Some(at);
    }
    found
}

/// The attempts and waits of a step in order.
fn parts(step: &TracedStep, attempts: &[Times]) -> Vec<TraceSpan> {
    let mut parts = step.spans.clone();
    for (from, to) in attempts {
        // A wait is told until the next entry.
        if let Some(wait) = parts.iter_mut().find(|part| part.to == Some(*to) && part.from <= *from) {
            wait.to = Some(*from);
        }
        parts.push(TraceSpan { kind: SpanKind::Attempt, from: *from, to: Some(*to), text: None });
    }
    parts.sort_by_key(|part| part.from);
    parts
}

/// The span of a step with those of its attempts and waits; none of a step that was not reached.
fn of_step(
    ids: &Ids<'_>,
    root: &[u8],
    step: &TracedStep,
    parts: &[TraceSpan],
    end: DateTime<Utc>,
) -> Vec<Span> {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Vec::new() };
    let sent = parts.iter().filter(|part| part.kind == SpanKind::Attempt).count();
    let own = ids.span(&[&step.step]);
    let mut attributes = vec![
        text("hob.step", &step.step),
        text("hob.outcome", outcome(step.outcome)),
        number("hob.attempts", u32::try_from(sent).unwrap_or(u32::MAX)),
    ];
    attributes.extend(step.operation.as_ref().map(|operation| text("hob.operation", operation)));
    attributes.extend(step.place.as_ref().map(|place| text("hob.place", &place.to_string())));
    attributes.extend(step.reason.as_ref().map(|reason| text("hob.reason", reason)));
    let failed = matches!(step.outcome, TracedOutcome::Failed | TracedOutcome::Parked);
    let mut spans = vec![Span {
        status: status(failed, step.reason.as_deref()),
        attributes,
        ..span(ids, own.clone(), root.to_vec(), step.step.clone(), (first.from, last.to.unwrap_or(end)))
    }];
    let mut attempts = 0;
    for (place, part) in parts.iter().enumerate() {
        let TraceSpan { kind, from, to, text: said } = part;
        let mut attributes = vec![text("hob.step", &step.step)];
        if *kind == SpanKind::Attempt {
            attempts += 1;
            attributes.push(number("hob.attempt", attempts));
        }
        attributes.extend(said.as_ref().map(|said| text("hob.reason", said)));
        let id = ids.span(&[&step.step, &place.to_string()]);
        let times = (*from, to.unwrap_or(end));
        let side = if *kind == SpanKind::Attempt { Side::Client } else { Side::Internal };
        let child = span(ids, id, own.clone(), name(*kind).to_owned(), times);
        spans.push(Span { attributes, kind: side.into(), ..child });
    }
    spans
}

fn span(
    ids: &Ids<'_>,
    span_id: Vec<u8>,
    parent_span_id: Vec<u8>,
    name: String,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Span {
    Span {
        trace_id: ids.trace(),
        span_id,
        parent_span_id,
        name,
        kind: Side::Internal.into(),
        start_time_unix_nano: nanos(from),
        end_time_unix_nano: nanos(to.max(from)),
        ..Span::default()
    }
}

struct Ids<'a> {
    run: &'a RunId,
}

impl Ids<'_> {
    /// The id of the trace is that of the run, which is a UUID.
    fn trace(&self) -> Vec<u8> {
        let plain = self.run.0.strip_prefix("run_").and_then(|id| hex::decode(id).ok());
        plain.filter(|id| id.len() == TRACE_BYTES).unwrap_or_else(|| self.hashed(&[], TRACE_BYTES))
    }

    fn span(&self, parts: &[&str]) -> Vec<u8> {
        self.hashed(parts, SPAN_BYTES)
    }

    fn hashed(&self, parts: &[&str], length: usize) -> Vec<u8> {
        let begin = Sha256::new().chain_update(&self.run.0);
        let hash = parts.iter().fold(begin, |hash, part| hash.chain_update([0]).chain_update(part));
        hash.finalize()[..length].to_vec()
    }
}

fn status(failed: bool, reason: Option<&str>) -> Option<Status> {
    let code = if failed { StatusCode::Error } else { StatusCode::Ok };
    let message = reason.filter(|_| failed).unwrap_or_default().to_owned();
    Some(Status { message, code: code.into() })
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn number(key: &str, value: u32) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::IntValue(value.into())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn nanos(at: DateTime<Utc>) -> u64 {
    at.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or(0)
}

fn outcome(outcome: TracedOutcome) -> &'static str {
    match outcome {
        TracedOutcome::Done => "done",
        TracedOutcome::Unchanged => "unchanged",
        TracedOutcome::Skipped => "skipped",
        TracedOutcome::Failed => "failed",
        TracedOutcome::Waiting => "waiting",
        TracedOutcome::Parked => "parked",
        TracedOutcome::InDoubt => "in_doubt",
        TracedOutcome::NotReached => "not_reached",
    }
}

fn name(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Attempt => "attempt",
        SpanKind::Retry => "wait to retry",
        SpanKind::Budget => "wait for the budget",
        SpanKind::Breaker => "wait for the connection",
        SpanKind::Api => "wait for the API",
        SpanKind::Held => "wait for the credential",
        SpanKind::Other => "wait",
        SpanKind::Wait => "wait of the recipe",
        SpanKind::InDoubt => "in doubt",
        SpanKind::Parked => "parked",
    }
}
