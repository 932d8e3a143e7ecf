//! The texts inside a recipe: templates and times.

use std::cmp::Ordering;
use std::ops::Range;
use std::time::Duration;

use chrono::NaiveTime;

use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::cron::{self, Cron};
use crate::recipe::dropped_fields::DroppedFields;
use crate::recipe::syntax::{DurationText, IntervalText, TemplateText};
use crate::recipe::trigger::{CronText, Every, Start};
use crate::source::{Data, Node, SourceFile, Span, Spanned};
use crate::template::{LocatedTemplate, TemplateTree, TreeShape};
use crate::value::{Backoff, DurationError, Written, parse_duration, time_in};

/// Parses texts and collects diagnostics.
pub(super) struct Reader<'f> {
    pub(super) file: &'f SourceFile,
    pub(super) found: Vec<Diagnostic>,
    pub(super) dropped_fields: DroppedFields,
}

impl Reader<'_> {
    pub(super) fn complain(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.found.push(Diagnostic::new(code, span, message));
    }

    /// `None` also for an invalid template, which is reported.
    pub(super) fn template(&mut self, node: &Node) -> Option<LocatedTemplate> {
        LocatedTemplate::parse(node, self.file).map_err(|mistake| self.found.push(mistake)).ok()
    }

    /// A template; an empty one if it is invalid.
    pub(super) fn template_text(&mut self, text: TemplateText) -> Option<LocatedTemplate> {
        self.template(&text.0.map(Data::Text))
    }

    /// Any value. Invalid entries of a mapping are dropped and recorded.
    pub(super) fn tree(&mut self, node: &Node) -> TemplateTree {
        let Data::Map(entries) = &node.value else {
            return self.whole_tree(node).unwrap_or_else(|| nothing(node.span));
        };
        let mut read = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            match self.whole_tree(value) {
                Some(tree) => read.push((key.clone(), tree)),
                None => self.dropped_fields.named(node.span, key),
            }
        }
        TemplateTree { span: node.span, shape: TreeShape::Map(read) }
    }

    pub(super) fn whole_tree(&mut self, node: &Node) -> Option<TemplateTree> {
        TemplateTree::parse(node, self.file).map_err(|mistakes| self.found.extend(mistakes)).ok()
    }

    pub(super) fn duration(&mut self, text: &DurationText) -> Option<Duration> {
        self.duration_text(&text.0)
    }

    /// A duration that may be zero.
    pub(super) fn duration_or_zero(&mut self, text: &DurationText) -> Option<Duration> {
        match parse_duration(&text.0) {
            Err(DurationError::Zero(_)) => Some(Duration::ZERO),
            _ => self.duration(text),
        }
    }

    fn duration_text(&mut self, text: &Spanned<String>) -> Option<Duration> {
        parse_duration(text)
            .map_err(|error| self.complain(Code::BadDuration, text.span, error.to_string()))
            .ok()
    }

    /// `5m`, or `1m..15m` for an interval that adapts.
    pub(super) fn interval(&mut self, text: &IntervalText) -> Option<Every> {
        let text = &text.0;
        let Some((first, last)) = text.split_once("..") else {
            return self.duration_text(text).map(Every::Interval);
        };
        if first.trim().is_empty() || last.trim().is_empty() {
            let message = format!("`{text}` lacks one of its two intervals");
            let help = "write the shortest and the longest one, as in `1m..15m`";
            self.found.push(Diagnostic::new(Code::BadDuration, text.span, message).help(help));
            return None;
        }
        let (shortest, longest) = (self.part(text, first), self.part(text, last));
        // Both may be wrong, and both are reported.
        let (shortest_time, longest_time) = (self.duration_text(&shortest), self.duration_text(&longest));
        let (shortest_time, longest_time) = (shortest_time?, longest_time?);
        let (message, help) = match shortest_time.cmp(&longest_time) {
            Ordering::Less => {
                return Some(Every::Adaptive { shortest: shortest_time, longest: longest_time });
            }
            Ordering::Equal => (
                format!("`{text}` leaves nothing to adapt: both intervals are equal"),
                format!("write `{}`, or a longer interval after the dots", shortest.value),
            ),
            Ordering::Greater => (
                format!("`{text}` begins with the longer interval"),
                format!("the shortest interval comes first: `{}..{}`", longest.value, shortest.value),
            ),
        };
        self.found.push(Diagnostic::new(Code::BadDuration, text.span, message).help(help));
        None
    }

    /// A part of `text` with its place.
    fn part(&self, text: &Spanned<String>, part: &str) -> Spanned<String> {
        let trimmed = part.trim();
        let start = trimmed.as_ptr() as usize - text.as_ptr() as usize;
        Spanned::new(trimmed.to_owned(), self.within(text, start..start + trimmed.len()))
    }

    /// `2s..5m`, or one duration for constant delays.
    pub(super) fn backoff(&mut self, text: &Spanned<String>) -> Option<Backoff> {
        let Some((first, most)) = text.split_once("..") else {
            let pause = self.duration_text(text)?;
            return Some(Backoff::new(pause, pause));
        };
        let part = |part: &str| Spanned::new(part.trim().to_owned(), text.span);
        let (first, most) = (self.duration_text(&part(first))?, self.duration_text(&part(most))?);
        if first > most {
            let message = format!("`{text}` begins with the longer pause");
            let help = "the shortest pause comes first, as in `2s..5m`";
            self.found.push(Diagnostic::new(Code::BadDuration, text.span, message).help(help));
            return None;
        }
        Some(Backoff::new(first, most))
    }

    pub(super) fn start(&mut self, text: &Spanned<String>) -> Start {
        match text.as_str() {
            "now" => return Start::Now,
            "all" => return Start::All,
            _ => {}
        }
        // Times without a zone are ambiguous; epoch numbers are not accepted in recipes.
        let number = text.parse::<f64>().is_ok();
        match time_in(text).filter(|_| !number) {
            Some(Written::Exact(time)) => return Start::At(time),
            Some(Written::Day(day)) => return Start::At(day.and_time(NaiveTime::MIN).and_utc()),
            Some(Written::Local(_)) | None => {}
        }
        let message = format!("`start` cannot be `{}`", text.chars().take(60).collect::<String>());
        let help = "it is `now`, `all`, a date such as `2026-01-31` or a time such as `2026-01-31T09:00:00Z`";
        self.found.push(
            Diagnostic::new(Code::BadDuration, text.span, message).help(help).suggest(text, ["now", "all"]),
        );
        Start::Now
    }

    pub(super) fn cron(
        &mut self,
        expression: Spanned<String>,
        timezone: Option<Spanned<String>>,
    ) -> Option<CronText> {
        // Both may be invalid, and both are reported.
        let zone = timezone.as_ref().map(|zone| zone.as_str());
        let expression_result = Cron::parse(&expression, None);
        let both_result = match (&expression_result, zone) {
            (Ok(_), _) => Cron::parse(&expression, zone),
            (Err(_), Some(zone)) => Cron::parse("0 0 * * *", Some(zone)),
            (Err(error), None) => Err(error.clone()),
        };
        let mut errors: Vec<cron::Error> = Vec::new();
        errors.extend(expression_result.err());
        let cron = both_result.map_err(|error| errors.push(error)).ok();
        errors.dedup();
        for error in &errors {
            let text = match error.part {
                cron::Part::Expression => &expression,
                cron::Part::Timezone => timezone.as_ref().unwrap_or(&expression),
            };
            let span = self.within(text, error.range.clone());
            let diagnostic = Diagnostic::new(Code::BadSchedule, span, error.message.clone());
            self.found.push(diagnostic.help(error.help.clone()));
        }
        cron.filter(|_| errors.is_empty()).map(|cron| CronText { expression, timezone, cron })
    }

    fn within(&self, text: &Spanned<String>, range: Range<usize>) -> Span {
        if range.is_empty() {
            return text.span;
        }
        self.file.span_within(text.span, text, Span::new(range.start, range.end))
    }
}

/// An empty value.
fn nothing(span: Span) -> TemplateTree {
    TemplateTree { span, shape: TreeShape::Fixed(crate::value::Value::Null) }
}

/// An empty mapping.
pub(super) fn empty(span: Span) -> TemplateTree {
    TemplateTree { span, shape: TreeShape::Map(Vec::new()) }
}
