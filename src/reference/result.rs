//! The result of an operation, and how it is polled.

use std::fmt::Write;

use super::shape::{tree, words};
use crate::catalog::{Listing, Operation, Paging, PerParent, QuietPoll, Wanted};
use crate::value::Value;

/// Levels of a result that are shown; deeper ones are shown as a type.
const MAX_DEPTH: usize = 3;

/// Adds the result's place in the answer and its content.
pub(super) fn result(operation: &Operation, text: &mut String) {
    let paths: Vec<String> = operation.result.iter().map(|path| format!("`{path}`")).collect();
    let place = if paths.is_empty() { "the whole answer".to_owned() } else { paths.join(" or ") };
    let _ = write!(text, "\n**Result**, {place}: ");
    if let Some(media) = &operation.download {
        let _ = writeln!(text, "a file ({media}): its path `file`, `bytes`, `media_type` and `sha256`");
        return;
    }
    let Some(shape) = operation.result_shape() else {
        text.push_str("any value\n");
        return;
    };
    let _ = writeln!(text, "{}", words(shape));
    let mut lines = String::new();
    tree(shape, MAX_DEPTH, &mut |depth, names, part| {
        let _ = writeln!(lines, "{}{}: {}", "  ".repeat(depth), names.join(" or "), words(part));
    });
    if !lines.is_empty() {
        let _ = write!(text, "\n```text\n{lines}```\n");
    }
}

/// Adds how a list is paged, if the operation is one.
pub(super) fn polling(operation: &Operation, text: &mut String) {
    let Some(list) = &operation.list else { return };
    let joined =
        |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    let id = if list.id.is_empty() { "the item itself".to_owned() } else { joined(&list.id) };
    let changes = match list.updated.as_ref().or(list.created.as_ref()) {
        Some(field) => format!("by `{field}` and content"),
        None => "by content".to_owned(),
    };
    let costs = costs(list);
    let _ = write!(
        text,
        "\n**Polling**\n\n- items: {}\n- id: {id}\n- changes: {changes}\n- pages: {}\n",
        joined(&list.items),
        pages(&list.paging) + end(&list.paging)
    );
    if let Some(window) = &list.window {
        let _ = writeln!(
            text,
            "- window of time: a poll fills in `{}` and `{}`, by default {} before it and {} after it; an item is in the \
             window by its `{}`",
            window.from,
            window.to,
            days(window.days_past),
            days(window.days_ahead),
            window.time
        );
    }
    per_parent(&list.per_parent, text);
    let _ = writeln!(text, "- a poll that finds nothing costs {costs}");
}

/// Adds what is known of a list that is read for one parent at a time.
fn per_parent(known: &PerParent, text: &mut String) {
    if known.unique_ids {
        text.push_str("- with `over`: ids are unique across all parents\n");
    }
    for (list, told) in &known.touches {
        let told: Vec<&str> = told.iter().map(|change| change.name()).collect();
        let _ = writeln!(
            text,
            "- over `{list}`: only parents that changed are asked, for `emit: [{}]`",
            told.join(", ")
        );
    }
    if let Some(better) = &known.instead {
        let _ = writeln!(text, "- `{better}` lists the same for all parents at once");
    }
}

fn days(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// The cost of a quiet poll, by the wanted changes.
fn costs(list: &Listing) -> String {
    let [usual, only_new, all] = quiet_polls(list).map(QuietPoll::words);
    if usual == all {
        return usual;
    }
    match only_new == usual {
        true => format!("{usual}; with `emit: [removed]` {all}"),
        false => format!("{usual}; with `emit: [new]` {only_new}"),
    }
}

/// The cost of a poll that finds nothing: by default, with `emit: [new]`, and with `removed`.
pub(super) fn quiet_polls(list: &Listing) -> [QuietPoll; 3] {
    let wanted = |only_new, removed| list.quiet_poll(Wanted { only_new, removed }, &Value::Null);
    [wanted(false, false), wanted(true, false), wanted(false, true)]
}

/// How the last page is recognised, unless the style implies it.
fn end(paging: &Paging) -> &'static str {
    match paging {
        Paging::None | Paging::Link { .. } => "",
        paging if paging.more().is_some() => "; a flag in the answer tells the last page",
        Paging::Page { not_found_ends: true, .. } => "; until a 404 or an empty page",
        paging if paging.full().is_some() => "; a short page is the last",
        _ => "; until an empty page",
    }
}

fn pages(paging: &Paging) -> String {
    match paging {
        Paging::None => "one answer holds everything".to_owned(),
        Paging::Offset { offset, limit, size, .. } => {
            format!("by `{offset}` and `{limit}`, {size} at a time")
        }
        Paging::Page { page, size, .. } => format!("numbered by `{page}`, {size} at a time"),
        Paging::Cursor { next, .. } => {
            let inputs: Vec<String> = next.keys().map(|name| format!("`{name}`")).collect();
            format!("the answer says where to go on: {}", inputs.join(", "))
        }
        Paging::Link { .. } => "the answer links to the next one".to_owned(),
    }
}
