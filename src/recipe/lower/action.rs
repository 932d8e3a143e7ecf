//! One step.

use std::collections::HashSet;

use super::text::{Reader, empty};
use crate::recipe::action::{Action, DEFAULT_ITEM, Retry};
use crate::recipe::syntax::{self, KeptPolicy, UnchangedPolicy};
use crate::source::{Span, Spanned};

/// What a recipe says for all its steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policies {
    pub(super) kept: KeptPolicy,
    pub(super) unchanged: UnchangedPolicy,
}

pub(super) fn lower(
    step: Spanned<syntax::Action>,
    number: usize,
    taken: &mut HashSet<String>,
    policies: Policies,
    reader: &mut Reader<'_>,
) -> Action {
    let (span, step) = (step.span, step.value);
    let id = match &step.id {
        Some(id) => id.value.clone(),
        None => derived_id(&step.operation, number, taken),
    };
    let given = [
        ("retry", step.retry.as_ref().map(|retry| retry.span)),
        ("timeout", step.timeout.as_ref().map(|timeout| timeout.0.span)),
        ("on_missing", step.on_missing.as_ref().map(|missing| missing.span)),
        ("kept", step.kept.as_ref().map(|kept| kept.span)),
        ("unchanged", step.unchanged.as_ref().map(|unchanged| unchanged.span)),
        ("version", step.version.as_ref().map(|version| version.span)),
    ];
    let request_fields = given.into_iter().filter_map(|(name, span)| Some(Spanned::new(name, span?)));
    Action {
        id,
        request_fields: request_fields.collect(),
        given_id: step.id,
        with: match &step.with {
            Some(with) => reader.tree(&with.0),
            None => empty(after(span)),
        },
        condition: step.condition.and_then(|condition| reader.template(&condition.0)),
        for_each: step.for_each.and_then(|list| {
            let template = reader.template_text(list);
            if template.is_none() {
                reader.dropped_fields.named(span, "for_each");
            }
            template
        }),
        item_span: step.item_name.as_ref().map(|name| name.span),
        item_name: step.item_name.map_or_else(|| DEFAULT_ITEM.to_owned(), |name| name.value),
        pick: step.pick,
        pages: step.pages,
        retry: step.retry.map_or_else(Retry::default, |retry| lower_retry(&retry.value, reader)),
        on_error: step.on_error.unwrap_or_default(),
        on_missing: step.on_missing.map(|missing| missing.value).unwrap_or_default(),
        kept: step.kept.map_or(policies.kept, |kept| kept.value),
        unchanged: step.unchanged.map_or(policies.unchanged, |unchanged| unchanged.value),
        connection: step.connection,
        timeout: step.timeout.and_then(|timeout| reader.duration(&timeout)),
        version: step.version,
        operation: step.operation,
        span,
    }
}

/// The place of a missing `with`: the end of the step.
fn after(span: Span) -> Span {
    Span::new(span.end, span.end)
}

/// The operation's last word and the step's number: short and stable.
fn derived_id(operation: &str, number: usize, taken: &mut HashSet<String>) -> String {
    let word = operation.rsplit('.').next().filter(|word| !word.is_empty()).unwrap_or("step");
    let mut id = format!("{word}-{number}");
    while !taken.insert(id.clone()) {
        id.push('+');
    }
    id
}

fn lower_retry(retry: &syntax::Retry, reader: &mut Reader<'_>) -> Retry {
    let default = Retry::default();
    let attempts = retry.attempts.as_ref().and_then(|attempts| u32::try_from(attempts.value).ok());
    let backoff = retry.backoff.as_ref().and_then(|backoff| reader.backoff(backoff));
    Retry { attempts: attempts.unwrap_or(default.attempts), backoff: backoff.unwrap_or(default.backoff) }
}
