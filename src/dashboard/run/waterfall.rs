//! The stretches of a trace as bars.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::overview::{SpanKind, Trace, TraceSpan};

/// Units of the whole width.
const WIDTH: i64 = 1000;
/// The least width of a bar.
const LEAST: i64 = 4;

/// From the creation of a run to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    begin: DateTime<Utc>,
    end: DateTime<Utc>,
}

/// A stretch of time.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Bar {
    kind: SpanKind,
    x: i64,
    width: i64,
    milliseconds: i64,
    /// What it is, in a few words.
    what: &'static str,
    text: Option<String>,
    goes_on: bool,
}

impl Scale {
    /// The scale of a trace; what goes on lasts until `now`.
    pub(super) fn of(trace: &Trace, now: DateTime<Utc>) -> Self {
        let goes_on = !trace.state.is_finished();
        let end = if goes_on { Some(now) } else { trace.ended };
        Self { begin: trace.created, end: end.unwrap_or(trace.created).max(trace.created) }
    }

    /// How long it is.
    pub(super) fn milliseconds(self) -> i64 {
        (self.end - self.begin).num_milliseconds()
    }

    /// The bar of a stretch.
    pub(super) fn bar(self, span: &TraceSpan) -> Bar {
        let to = span.to.unwrap_or(self.end).max(span.from);
        let (x, end) = (self.place(span.from), self.place(to));
        let width = (end - x).max(LEAST);
        Bar {
            kind: span.kind,
            x: x.min(WIDTH - width),
            width,
            milliseconds: (to - span.from).num_milliseconds(),
            what: what(span.kind),
            text: span.text.clone(),
            goes_on: span.to.is_none(),
        }
    }

    /// The bar of the time before the run began, if there was any.
    pub(super) fn before(self, began: Option<DateTime<Utc>>) -> Option<Bar> {
        let to = Some(began.unwrap_or(self.end)).filter(|to| *to > self.begin);
        let text = Some("before it began".to_owned());
        let bar = self.bar(&TraceSpan { kind: SpanKind::Other, from: self.begin, to, text });
        to.map(|_| bar)
    }

    fn place(self, at: DateTime<Utc>) -> i64 {
        let whole = (self.end - self.begin).num_microseconds().unwrap_or(i64::MAX).max(1);
        let part = (at - self.begin).num_microseconds().unwrap_or(i64::MAX).clamp(0, whole);
        i64::try_from(i128::from(part) * i128::from(WIDTH) / i128::from(whole)).unwrap_or(0)
    }
}

fn what(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Attempt => "sent",
        SpanKind::Retry => "waited to be tried again",
        SpanKind::Budget => "waited for the budget of requests",
        SpanKind::Breaker => "waited for the connection, whose requests failed",
        SpanKind::Api => "waited, as the API said",
        SpanKind::Held => "waited for a credential that works",
        SpanKind::Other => "waited for its turn",
        SpanKind::Wait => "waited, as the recipe says",
        SpanKind::InDoubt => "in doubt",
        SpanKind::Parked => "waited for a person",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_bar_stays_within_the_width_however_short_it_is() {
        let begin = DateTime::UNIX_EPOCH;
        let scale = Scale { begin, end: begin + TimeDelta::seconds(10) };
        let span = |from: i64, to: Option<i64>| TraceSpan {
            kind: SpanKind::Attempt,
            from: begin + TimeDelta::milliseconds(from),
            to: to.map(|to| begin + TimeDelta::milliseconds(to)),
            text: None,
        };
        let at = |from, to| {
            let bar = scale.bar(&span(from, to));
            (bar.x, bar.width, bar.milliseconds)
        };
        assert_eq!(at(0, Some(5_000)), (0, 500, 5_000));
        assert_eq!(at(9_999, Some(10_000)), (996, 4, 1));
        assert_eq!(at(2_500, None), (250, 750, 7_500));
        // The clock was set back.
        assert_eq!(at(5_000, Some(1_000)), (500, 4, 0));
    }
}
