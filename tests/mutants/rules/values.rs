//! Values of another type, form or place.

use std::sync::LazyLock;

use hob::source::{Data, Node, Span};
use hob::value::Kind;
use regex::Regex;

use super::typo::typos;
use crate::mutant::Edit;
use crate::original::Original;

macro_rules! pattern {
    ($text:expr) => {{
        static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).unwrap());
        &PATTERN
    }};
}

/// The values of inputs of this kind.
fn inputs_of(original: &Original, kind: Kind) -> Vec<&Node> {
    let inputs = original.inputs().into_iter();
    let of_kind = inputs.filter(|(_, _, input)| input.is_some_and(|input| input.shape.kind == kind));
    of_kind.map(|(_, (_, value), _)| value).collect()
}

fn rewritten(original: &Original, nodes: Vec<&Node>, by: &dyn Fn(&str) -> String) -> Vec<Edit> {
    let on_a_line = nodes.into_iter().filter(|node| !original.slice(node.span).contains('\n'));
    on_a_line.map(|node| Edit::replace(node.span, by(original.slice(node.span)))).collect()
}

pub fn number_for_text(original: &Original) -> Vec<Edit> {
    rewritten(original, inputs_of(original, Kind::String), &|_| "42".to_owned())
}

pub fn text_for_flag(original: &Original) -> Vec<Edit> {
    let words = ["yes", "\"false\"", "'no'", "1"];
    words
        .iter()
        .flat_map(|word| rewritten(original, inputs_of(original, Kind::Boolean), &|_| (*word).to_owned()))
        .collect()
}

pub fn list_for_text(original: &Original) -> Vec<Edit> {
    rewritten(original, inputs_of(original, Kind::String), &|value| format!("[{value}]"))
}

pub fn text_for_list(original: &Original) -> Vec<Edit> {
    let lists = inputs_of(original, Kind::Array);
    let bare = |value: &str| value.trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut edits = rewritten(original, lists.clone(), &bare);
    edits.extend(rewritten(original, lists, &|value| match value.starts_with('[') {
        true => format!("\"{}\"", bare(value).replace('"', "")),
        false => format!("[{value}]"),
    }));
    edits
}

pub fn mapping_for_text(original: &Original) -> Vec<Edit> {
    rewritten(original, inputs_of(original, Kind::String), &|value| format!("{{ value: {value} }}"))
}

pub fn null_for_value(original: &Original) -> Vec<Edit> {
    let inputs = original.inputs().into_iter();
    let needed = inputs.filter(|(_, _, input)| input.is_some_and(|input| input.shape.required));
    let nodes: Vec<&Node> = needed.map(|(_, (_, value), _)| value).collect();
    let mut edits = rewritten(original, nodes.clone(), &|_| "null".to_owned());
    edits.extend(rewritten(original, nodes.clone(), &|_| "\"{{ none }}\"".to_owned()));
    edits.extend(rewritten(original, nodes, &|_| "\"{{ omit }}\"".to_owned()));
    edits
}

/// `steps.contact` for `steps.contact.id`.
pub fn record_for_field(original: &Original) -> Vec<Edit> {
    let places = original.in_expressions(pattern!(r"\b(?:steps\.\w+(?:\[0\])?|event|note|task)(\.\w+)"));
    places.into_iter().map(|place| Edit::replace(place, "")).collect()
}

/// `steps.clients.id` for `steps.clients[0].id`.
pub fn list_for_member(original: &Original) -> Vec<Edit> {
    let places = original.in_expressions(pattern!(r"(\[0\])"));
    places.into_iter().map(|place| Edit::replace(place, "")).collect()
}

/// `steps.contact[0].id` for `steps.contact.id`.
pub fn member_of_record(original: &Original) -> Vec<Edit> {
    let places = original.in_expressions(pattern!(r"\b(?:steps\.\w+|event)(\.)\w"));
    places.into_iter().map(|place| Edit::replace(place, "[0].")).collect()
}

/// Another field of the same record.
pub fn sibling_field(original: &Original) -> Vec<Edit> {
    let fields = pattern!(r"\b(?:steps\.\w+(?:\[0\])?|event|note|task)\.(\w+)");
    let edits = original.in_expressions(fields).into_iter().map(|place| {
        let other = match original.slice(place) {
            "id" => "email",
            "email" | "text" | "title" => "id",
            "tags" | "notes" => "id",
            _ => "id",
        };
        Edit::replace(place, other)
    });
    edits.collect()
}

/// The result of another step.
pub fn other_step(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    let ids: Vec<&str> = steps.iter().filter_map(|step| step.node.get("id")?.as_text()).collect();
    let edits = original.in_expressions(pattern!(r"\bsteps\.(\w+)")).into_iter().filter_map(|place| {
        let at = ids.iter().position(|id| *id == original.slice(place))?;
        let other = if at > 0 { ids[at - 1] } else { *ids.get(1)? };
        Some(Edit::replace(place, other))
    });
    edits.collect()
}

/// A misspelt word of those that hob or an operation allows.
pub fn wrong_word(original: &Original) -> Vec<Edit> {
    let mut places = Vec::new();
    for step in original.steps() {
        let words = ["on_error", "pages", "unchanged", "kept"].iter().filter_map(|key| step.node.get(key));
        places.extend(words.map(|node| node.span));
    }
    let inputs = original.inputs().into_iter();
    let listed = inputs.filter(|(_, _, input)| input.is_some_and(|input| !input.shape.values.is_empty()));
    for (_, (_, value), _) in listed {
        let text = original.slice(value.span);
        let quoted = pattern!(r"'(\w+)'").captures_iter(text).map(|found| found.get(1).unwrap().range());
        places.extend(
            quoted.map(|range| Span::new(value.span.start + range.start, value.span.start + range.end)),
        );
    }
    if let Some(with) = original.tree.get("trigger").and_then(|trigger| trigger.get("with")) {
        places.extend(with.as_map().into_iter().flatten().map(|(_, value)| value.span));
    }
    let edits = places.into_iter().flat_map(|place| {
        typos(original.slice(place)).into_iter().map(move |typo| Edit::replace(place, typo))
    });
    edits.collect()
}

/// Another, as well-formed text.
pub fn wrong_literal(original: &Original) -> Vec<Edit> {
    let mut found: Vec<Edit> = original
        .quoted()
        .into_iter()
        .filter(|place| place.end - place.start > 3)
        .map(|place| Edit::insert(place.end - 1, "x"))
        .collect();
    let texts = original.inputs().into_iter().map(|(_, (_, value), _)| value);
    let vars = original.tree.get("vars").and_then(|vars| vars.as_map()).unwrap_or_default();
    for value in texts.chain(vars.iter().map(|(_, value)| value)) {
        let members: Vec<&Node> = match &value.value {
            Data::List(items) => items.iter().collect(),
            _ => vec![value],
        };
        let plain =
            members.into_iter().filter(|node| node.as_text().is_some_and(|text| !text.contains("{{")));
        found.extend(plain.map(|node| Edit::insert(node.span.end, "x")));
    }
    found
}

pub fn wrong_duration(original: &Original) -> Vec<Edit> {
    let trigger = original.tree.get("trigger");
    let mut nodes: Vec<&Node> = ["every", "reconcile"].iter().filter_map(|key| trigger?.get(key)).collect();
    let steps = original.steps();
    nodes.extend(steps.iter().filter_map(|step| step.node.get("retry")?.get("backoff")));
    let wrong = ["5", "5 minutes", "5min", "five", "-5m"];
    wrong.iter().flat_map(|text| rewritten(original, nodes.clone(), &|_| (*text).to_owned())).collect()
}

pub fn wrong_pick(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    let picks: Vec<&Node> = steps.iter().filter_map(|step| step.node.get("pick")).collect();
    let mut edits = rewritten(original, picks.clone(), &|value| value.replace("$.", ""));
    edits.extend(rewritten(original, picks.clone(), &|value| typos(value)[1].clone()));
    edits.extend(rewritten(original, picks.clone(), &|_| "$.items".to_owned()));
    edits.extend(rewritten(original, picks, &|value| format!("{value}[0]")));
    edits
}

/// A filter left out with its arguments.
pub fn deleted_filter(original: &Original) -> Vec<Edit> {
    let places = original.in_expressions(pattern!(r"(\s*\|\s*\w+(?:\((?:[^()]|\([^()]*\))*\))?)"));
    places.into_iter().map(|place| Edit::replace(place, "")).collect()
}

/// The last, or only, argument of a filter left out.
pub fn deleted_argument(original: &Original) -> Vec<Edit> {
    let mut places = original.in_expressions(pattern!(r"\|\s*\w+(\((?:[^(),]|\([^()]*\))*\))"));
    places.extend(
        original.in_expressions(pattern!(r"\|\s*\w+\((?:[^()]|\([^()]*\))*?(,(?:[^(),]|\([^()]*\))*)\)")),
    );
    places.into_iter().map(|place| Edit::replace(place, "")).collect()
}

/// A text of an argument mistyped, or a number in its place.
pub fn wrong_argument(original: &Original) -> Vec<Edit> {
    let mut edits = Vec::new();
    for place in original.quoted() {
        let before = original.text[..place.start].trim_end();
        if !before.ends_with(['(', ',']) {
            continue;
        }
        edits.push(Edit::replace(place, "7"));
        let inner = Span::new(place.start + 1, place.end - 1);
        if original.slice(inner).len() > 1 {
            edits.extend(typos(original.slice(inner)).into_iter().map(|typo| Edit::replace(inner, typo)));
        }
    }
    edits
}

/// `default(none)` in place of another default.
pub fn default_none(original: &Original) -> Vec<Edit> {
    let places = original.in_expressions(pattern!(r"default\(((?:[^()]|\([^()]*\))*)\)"));
    places.into_iter().map(|place| Edit::replace(place, "none")).collect()
}

/// A whole expression of an input replaced by a number.
pub fn number_in_template(original: &Original) -> Vec<Edit> {
    let mut texts = inputs_of(original, Kind::String);
    texts.extend(inputs_of(original, Kind::Array));
    let mut edits = rewritten(original, texts.clone(), &|_| "\"{{ 2 + 3 }}\"".to_owned());
    edits.extend(rewritten(original, texts, &|_| "\"{{ event }}\"".to_owned()));
    edits
}

pub fn wrong_email(original: &Original) -> Vec<Edit> {
    let inputs = original.inputs().into_iter().filter(|(_, (key, _), _)| key.value == "email");
    let nodes: Vec<&Node> = inputs.map(|(_, (_, value), _)| value).collect();
    let mut edits = rewritten(original, nodes.clone(), &|_| "ada at example".to_owned());
    edits.extend(rewritten(original, nodes, &|_| "\"{{ event.id }}\"".to_owned()));
    edits
}

/// Tags given to an update, which replaces all others.
pub fn replaced_tags(original: &Original) -> Vec<Edit> {
    let inputs = original.inputs();
    let steps = original.steps();
    let updates = steps.iter().filter(|step| step.operation.replaces_all.contains_key("tags"));
    let edits = updates.filter_map(|step| {
        let (key, _) = step.node.get("with")?.as_map()?.first()?;
        inputs.iter().any(|(_, entry, _)| entry.0.span == key.span).then(|| {
            let line = original.text[..key.span.start].rfind('\n')? + 1;
            let before = &original.text[line..key.span.start];
            let separator = if before.trim().is_empty() { format!("\n{before}") } else { ", ".to_owned() };
            Some(Edit::insert(key.span.start, format!("tags: [vip]{separator}")))
        })?
    });
    edits.collect()
}

/// A text where a list belongs: for `for_each`, or the list of a variable.
pub fn wrong_list(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    let loops: Vec<&Node> = steps.iter().filter_map(|step| step.node.get("for_each")).collect();
    let mut edits: Vec<Edit> = Vec::new();
    for node in loops {
        let end = node.span.start + original.slice(node.span).trim_end().len();
        let place = Span::new(node.span.start, end);
        for text in ["\"{{ event.id }}\"", "\"{{ event }}\"", "\"{{ event.id | length }}\"", "all of them"] {
            edits.push(Edit::replace(place, text));
        }
    }
    let vars = original.tree.get("vars").and_then(|vars| vars.as_map()).unwrap_or_default();
    let lists = vars.iter().filter(|(_, value)| matches!(value.value, Data::List(_)));
    edits.extend(lists.map(|(_, value)| Edit::replace(value.span, "fitr-active")));
    edits
}

/// The same word with another first letter: `active`, `Fitr-client`.
pub fn other_case(original: &Original) -> Vec<Edit> {
    let inner = original.quoted().into_iter().map(|place| Span::new(place.start + 1, place.end - 1));
    let inputs = original.inputs().into_iter().map(|(_, (_, value), _)| value.span);
    let edits = inner.chain(inputs).filter_map(|place| {
        let text = original.slice(place);
        let first = text.chars().next().filter(char::is_ascii_alphabetic)?;
        let other = match first.is_ascii_uppercase() {
            true => first.to_ascii_lowercase(),
            false => first.to_ascii_uppercase(),
        };
        Some(Edit::replace(Span::new(place.start, place.start + 1), other.to_string()))
    });
    edits.collect()
}

/// `[1]` for `[0]`, which people who count from one write.
pub fn other_member(original: &Original) -> Vec<Edit> {
    original
        .in_expressions(pattern!(r"(\[0\])"))
        .into_iter()
        .map(|place| Edit::replace(place, "[1]"))
        .collect()
}

/// The id of the event, or of another step, for the value of an input that takes an id.
pub fn other_id(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    let ids: Vec<&str> = steps.iter().filter_map(|step| step.node.get("id")?.as_text()).collect();
    let others: Vec<String> =
        ids.iter().map(|id| format!("steps.{id}.id")).chain(["event.id".to_owned()]).collect();
    let inputs = original.inputs().into_iter();
    let of_ids = inputs.filter(|(_, (key, _), _)| {
        key.value == "id" || key.value.ends_with("Id") || key.value.ends_with("_id")
    });
    let nodes: Vec<&Node> = of_ids.map(|(_, (_, value), _)| value).collect();
    let edits = others.iter().flat_map(|other| {
        let value = format!("\"{{{{ {other} }}}}\"");
        rewritten(original, nodes.clone(), &|_| value.clone())
    });
    edits.collect()
}
