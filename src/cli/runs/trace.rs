//! The path of a run as a waterfall of text.

use chrono::{DateTime, Utc};

use crate::overview::{SpanKind, Trace, TraceSpan, TracedOutcome, TracedStep};
use crate::printable;
use crate::secret::Redactor;
use crate::value::shortened;

/// Characters of a bar.
const WIDTH: usize = 40;
/// Most characters of a line.
const MAX_LENGTH: usize = 400;
/// Most characters of a value.
const MAX_VALUE: usize = 200;

/// The page. Values are redacted before they are cut.
pub(super) fn waterfall(trace: &Trace, redactor: &Redactor) -> String {
    let end = trace.ended.unwrap_or(trace.created).max(trace.created);
    let scale = Scale { begin: trace.created, end };
    let why = trace.reason.as_ref().map(|reason| format!(": {}", one_line(reason))).unwrap_or_default();
    let mut lines = vec![line(&format!("{}  {}  {}{why}", trace.run, trace.recipe, trace.state))];
    if let Some(ahead) = &trace.behind {
        lines.push(format!("  waits in its lane behind {ahead}"));
    }
    let longest = trace.steps.iter().map(|step| step.step.chars().count()).max().unwrap_or(0).max(5);
    if let Some(began) = trace.began.filter(|began| *began > trace.created) {
        let bar = scale.bar(&[(trace.created, began, '·')]);
        lines.push(format!(
            "  {:<longest$}  {bar}  {:>9}  before it began",
            "",
            lasted(trace.created, began)
        ));
    }
    for (name, value) in &trace.vars {
        lines.push(line(&format!(
            "  {:<longest$}  {name} = {}",
            "vars",
            shortened(redactor.value(value), MAX_VALUE)
        )));
    }
    for step in &trace.steps {
        lines.extend(lines_of(step, &scale, longest, redactor));
    }
    lines.push(format!("\n  {LEGEND}"));
    lines.push(String::new());
    lines.join("\n")
}

const LEGEND: &str = "█ attempt  ░ wait  ? in doubt or parked  · before it began";

fn lines_of(step: &TracedStep, scale: &Scale, longest: usize, redactor: &Redactor) -> Vec<String> {
    let spans: Vec<(DateTime<Utc>, DateTime<Utc>, char)> =
        step.spans.iter().map(|span| (span.from, span.to.unwrap_or(scale.end), sign(span.kind))).collect();
    let bar = scale.bar(&spans);
    let time = match (step.spans.first(), step.spans.last()) {
        (Some(first), Some(last)) => lasted(first.from, last.to.unwrap_or(scale.end)),
        _ => String::new(),
    };
    let what = outcome(step.outcome);
    let attempts = if step.attempts > 1 { format!(", {} attempts", step.attempts) } else { String::new() };
    let operation = step.operation.as_deref().unwrap_or_default();
    let place = step.place.as_ref().map(|place| format!("  ({place})")).unwrap_or_default();
    let mut lines = vec![line(&format!(
        "  {:<longest$}  {bar}  {time:>9}  {operation} {what}{attempts}{place}",
        step.step
    ))];
    let indent = format!("  {:<longest$}  ", "");
    let mut say = |text: String| lines.push(line(&format!("{indent}{text}")));
    match (step.outcome, &step.condition) {
        // Its reason tells the condition with its value.
        (TracedOutcome::Skipped | TracedOutcome::NotReached, _) | (_, None) => {}
        (_, Some(condition)) => say(format!("if {condition}: true")),
    }
    if let Some(reason) = &step.reason {
        say(one_line(reason));
    }
    for span in step.spans.iter().filter(|span| is_wait(span.kind)) {
        let to = span.to.unwrap_or(scale.end);
        let text = span.text.as_deref().map(|text| format!(": {}", one_line(text))).unwrap_or_default();
        say(format!("waited {} for {}{text}", lasted(span.from, to), wait(span)));
    }
    if let Some(inputs) = &step.inputs {
        say(format!("with {}", shortened(redactor.value(inputs), MAX_VALUE)));
    }
    if let Some(result) = &step.result {
        say(format!("result {}", shortened(redactor.value(result), MAX_VALUE)));
    }
    lines
}

fn outcome(outcome: TracedOutcome) -> &'static str {
    match outcome {
        TracedOutcome::Done => "done",
        TracedOutcome::Unchanged => "unchanged, not sent",
        TracedOutcome::Skipped => "skipped",
        TracedOutcome::Failed => "failed",
        TracedOutcome::Waiting => "waits",
        TracedOutcome::Parked => "parked",
        TracedOutcome::InDoubt => "in doubt",
        TracedOutcome::NotReached => "not reached",
    }
}

fn sign(kind: SpanKind) -> char {
    match kind {
        SpanKind::Attempt => '█',
        SpanKind::InDoubt | SpanKind::Parked => '?',
        _ => '░',
    }
}

fn is_wait(kind: SpanKind) -> bool {
    !matches!(kind, SpanKind::Attempt | SpanKind::InDoubt | SpanKind::Parked)
}

fn wait(span: &TraceSpan) -> &'static str {
    match span.kind {
        SpanKind::Attempt => "the answer",
        SpanKind::Retry => "another attempt",
        SpanKind::Budget => "the budget of requests",
        SpanKind::Breaker => "the connection, whose requests failed",
        SpanKind::Api => "the API, which said to wait",
        SpanKind::Held => "a credential that works",
        SpanKind::Other => "its turn",
        SpanKind::Wait => "the recipe",
        SpanKind::InDoubt => "what happened",
        SpanKind::Parked => "a person",
    }
}

/// From the creation of a run to its end.
struct Scale {
    begin: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Scale {
    /// A bar with these stretches.
    fn bar(&self, spans: &[(DateTime<Utc>, DateTime<Utc>, char)]) -> String {
        let mut cells = vec![' '; WIDTH];
        for (from, to, sign) in spans {
            let (first, last) = (self.cell(*from), self.cell(*to));
            for cell in &mut cells[first..=last.max(first)] {
                if *cell == ' ' || *sign == '█' {
                    *cell = *sign;
                }
            }
        }
        cells.into_iter().collect()
    }

    fn cell(&self, at: DateTime<Utc>) -> usize {
        let whole = (self.end - self.begin).num_microseconds().unwrap_or(i64::MAX).max(1);
        let part = (at - self.begin).num_microseconds().unwrap_or(i64::MAX).clamp(0, whole);
        let cell = i128::from(part) * (WIDTH as i128 - 1) / i128::from(whole);
        usize::try_from(cell).unwrap_or(0)
    }
}

fn lasted(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let milliseconds = (to - from).num_milliseconds().max(0);
    match milliseconds {
        0..10_000 => format!("{milliseconds} ms"),
        10_000..600_000 => format!("{} s", milliseconds / 1000),
        600_000..36_000_000 => format!("{} min", milliseconds / 60_000),
        _ => format!("{} h", milliseconds / 3_600_000),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line(text: &str) -> String {
    printable::line(text, MAX_LENGTH)
}
