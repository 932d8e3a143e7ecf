//! Conditions that are none, or others.

use std::sync::LazyLock;

use hob::source::{Node, Span};
use regex::Regex;

use super::order::whole_entry;
use crate::mutant::Edit;
use crate::original::{Entry, Original};

macro_rules! pattern {
    ($text:expr) => {{
        static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).unwrap());
        &PATTERN
    }};
}

/// `when` and every `if`.
fn conditions(original: &Original) -> Vec<Entry> {
    let steps = original.steps();
    let holders = steps.iter().map(|step| step.node).chain([&original.tree]);
    let entries = holders.flat_map(|node: &Node| node.as_map().into_iter().flatten());
    entries.filter(|(key, _)| ["if", "when"].contains(&key.as_str())).cloned().collect()
}

/// The content of the braces of every condition on one line.
fn inner(original: &Original) -> Vec<Span> {
    let spans = conditions(original).into_iter().map(|(_, value)| value.span);
    let inner = spans.filter_map(|span| {
        let text = original.slice(span);
        let (start, end) = (text.find("{{")? + 2, text.rfind("}}")?);
        Some(Span::new(span.start + start, span.start + end))
    });
    inner.collect()
}

pub fn deleted_condition(original: &Original) -> Vec<Edit> {
    conditions(original).iter().map(|entry| Edit::replace(whole_entry(original, entry), "")).collect()
}

pub fn negated_condition(original: &Original) -> Vec<Edit> {
    let edits = inner(original).into_iter().map(|place| {
        let text = original.slice(place).trim();
        match text.strip_prefix("not ") {
            Some(rest) if !rest.contains(" or ") && !rest.contains(" and ") => {
                Edit::replace(place, format!(" {rest} "))
            }
            _ => Edit::replace(place, format!(" not ({text}) ")),
        }
    });
    edits.collect()
}

pub fn text_beside_condition(original: &Original) -> Vec<Edit> {
    let places = inner(original).into_iter();
    places
        .flat_map(|place| [Edit::insert(place.end + 2, " == true"), Edit::insert(place.start - 2, "not ")])
        .collect()
}

/// A condition without its braces.
pub fn bare_condition(original: &Original) -> Vec<Edit> {
    let places = inner(original).into_iter();
    places
        .map(|place| Edit::replace(Span::new(place.start - 2, place.end + 2), original.slice(place).trim()))
        .collect()
}

/// `not steps.clients` as it is written elsewhere: compared with a number.
pub fn compared_with_number(original: &Original) -> Vec<Edit> {
    let edits = inner(original).into_iter().flat_map(|place| {
        let text = original.slice(place).trim().to_owned();
        match text.strip_prefix("not ") {
            Some(rest) => vec![Edit::replace(place, format!(" {rest} == 0 "))],
            None => vec![
                Edit::replace(place, format!(" {text} > 0 ")),
                Edit::replace(place, format!(" ({text}) >= 1 ")),
            ],
        }
    });
    edits.collect()
}

/// The same, compared with a text.
pub fn compared_with_text(original: &Original) -> Vec<Edit> {
    let edits = inner(original).into_iter().map(|place| {
        let text = original.slice(place).trim();
        match text.strip_prefix("not ") {
            Some(rest) => Edit::replace(place, format!(" {rest} == '' ")),
            None => Edit::replace(place, format!(" {text} == 'true' ")),
        }
    });
    edits.collect()
}

/// A list or record compared with a text.
pub fn list_compared(original: &Original) -> Vec<Edit> {
    let edits = inner(original).into_iter().map(|place| {
        let text = original.slice(place).trim();
        let rest = text.strip_prefix("not ").unwrap_or(text);
        Edit::replace(place, format!(" ({rest}) == none "))
    });
    edits.collect()
}

/// The opposite of an operator.
pub fn other_operator(original: &Original) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (pattern, by) in [
        (pattern!(r"\b(not in)\b"), "in"),
        (pattern!(r"\s(and)\s"), "or"),
        (pattern!(r"\s(or)\s"), "and"),
        (pattern!(r"(!=)"), "=="),
    ] {
        edits.extend(original.in_expressions(pattern).into_iter().map(|place| Edit::replace(place, by)));
    }
    edits
}

/// Operators of other languages.
pub fn strange_operator(original: &Original) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (pattern, by) in [
        (pattern!(r"\b(not )\w"), "!"),
        (pattern!(r"\s(and)\s"), "&&"),
        (pattern!(r"\s(or)\s"), "||"),
        (pattern!(r"(!=)"), "<>"),
        (pattern!(r"(!=)"), "="),
    ] {
        edits.extend(original.in_expressions(pattern).into_iter().map(|place| Edit::replace(place, by)));
    }
    edits
}

pub fn wrong_emit(original: &Original) -> Vec<Edit> {
    let Some(emit) = original.tree.get("trigger").and_then(|trigger| trigger.get("emit")) else {
        return Vec::new();
    };
    let wrong = ["[updated]", "created", "[new, update]", "all", "[]"];
    wrong.iter().map(|text| Edit::replace(emit.span, *text)).collect()
}
