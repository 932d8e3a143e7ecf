//! Names that are not known.

use std::sync::LazyLock;

use hob::source::{Data, Node, Span};
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

/// Every place with each of its typos.
fn mistyped(original: &Original, places: impl IntoIterator<Item = Span>) -> Vec<Edit> {
    let edits = places.into_iter().flat_map(|place| {
        typos(original.slice(place)).into_iter().map(move |typo| Edit::replace(place, typo))
    });
    edits.collect()
}

/// The last word of a dotted name.
fn last_word(original: &Original, place: Span) -> Span {
    let start = original.slice(place).rfind('.').map_or(0, |at| at + 1);
    Span::new(place.start + start, place.end)
}

pub fn misspelt_operation(original: &Original) -> Vec<Edit> {
    let poll = original.tree.get("trigger").and_then(|trigger| trigger.get("poll"));
    let steps = original.steps();
    let named = steps.iter().filter_map(|step| step.node.get("do")).chain(poll);
    mistyped(original, named.map(|node| last_word(original, node.span)))
}

pub fn misspelt_parameter(original: &Original) -> Vec<Edit> {
    mistyped(original, original.inputs().into_iter().map(|(_, (key, _), _)| key.span))
}

/// The keys of the recipe, its trigger and its steps.
pub fn misspelt_key(original: &Original) -> Vec<Edit> {
    let keys = |node: &Node| node.as_map().into_iter().flatten().map(|(key, _)| key.span).collect::<Vec<_>>();
    let mut found = keys(&original.tree);
    found.extend(original.tree.get("trigger").map(keys).unwrap_or_default());
    original.steps().iter().for_each(|step| found.extend(keys(step.node)));
    found.dedup();
    mistyped(original, found)
}

pub fn misspelt_step_id(original: &Original) -> Vec<Edit> {
    mistyped(original, original.steps().iter().filter_map(|step| Some(step.node.get("id")?.span)))
}

pub fn misspelt_step(original: &Original) -> Vec<Edit> {
    mistyped(original, original.in_expressions(pattern!(r"\bsteps\.(\w+)")))
}

pub fn misspelt_variable(original: &Original) -> Vec<Edit> {
    mistyped(original, original.in_expressions(pattern!(r"\bvars\.(\w+)")))
}

pub fn misspelt_variable_definition(original: &Original) -> Vec<Edit> {
    let Some(vars) = original.tree.get("vars").and_then(|vars| vars.as_map()) else { return Vec::new() };
    mistyped(original, vars.iter().map(|(key, _)| key.span))
}

pub fn misspelt_event_field(original: &Original) -> Vec<Edit> {
    mistyped(original, original.in_expressions(pattern!(r"\bevent\.(\w+)")))
}

pub fn misspelt_result_field(original: &Original) -> Vec<Edit> {
    mistyped(original, original.in_expressions(pattern!(r"\bsteps\.\w+(?:\[0\])?\.(\w+)")))
}

pub fn misspelt_filter(original: &Original) -> Vec<Edit> {
    mistyped(original, original.in_expressions(pattern!(r"\|\s*(\w+)")))
}

/// The variable of a loop, where it is named and where it is used, and its fields.
pub fn misspelt_item(original: &Original) -> Vec<Edit> {
    let mut places: Vec<Span> =
        original.steps().iter().filter_map(|step| Some(step.node.get("as")?.span)).collect();
    places.extend(original.in_expressions(pattern!(r"\b(note|task)\.\w+")));
    places.extend(original.in_expressions(pattern!(r"\b(?:note|task)\.(\w+)")));
    mistyped(original, places)
}

pub fn misspelt_root(original: &Original) -> Vec<Edit> {
    mistyped(original, original.in_expressions(pattern!(r"\b(event|steps|vars)\.")))
}

/// `contact.id` for `steps.contact.id`, `email` for `event.email`.
pub fn forgotten_root(original: &Original) -> Vec<Edit> {
    let places = original.in_expressions(pattern!(r"\b((?:event|steps|vars)\.)\w"));
    places.into_iter().map(|place| Edit::replace(place, "")).collect()
}

pub fn wrong_connection(original: &Original) -> Vec<Edit> {
    let start = original.tree.get("name").unwrap().span.start - "name: ".len();
    let top =
        ["connections: { highlevel: studoi }\n", "connections: { fitr: studio }\n", "connections: fitr\n"];
    let mut edits: Vec<Edit> = top.iter().map(|text| Edit::insert(start, *text)).collect();
    for step in original.steps() {
        let indentation = " ".repeat(4);
        edits.push(Edit::insert(step.node.span.start, format!("connection: nobody\n{indentation}")));
    }
    edits
}

pub fn wrong_webhook_event(original: &Original) -> Vec<Edit> {
    let webhook = original.tree.get("trigger").and_then(|trigger| trigger.get("webhook"));
    let names: Vec<&Node> = match webhook.map(|node| (&node.value, node)) {
        Some((Data::List(items), _)) => items.iter().collect(),
        Some((_, node)) => vec![node],
        None => Vec::new(),
    };
    let mut edits = mistyped(original, names.iter().map(|name| last_word(original, name.span)));
    edits.extend(names.iter().map(|name| {
        let word = last_word(original, name.span);
        Edit::replace(name.span, original.slice(word))
    }));
    edits
}

/// `firstName` for `first_name`, and the other way round.
pub fn other_spelling(original: &Original) -> Vec<Edit> {
    let mut places = original.in_expressions(pattern!(r"\bevent\.(\w+)"));
    places.extend(original.in_expressions(pattern!(r"\bsteps\.\w+(?:\[0\])?\.(\w+)")));
    places.extend(original.inputs().into_iter().map(|(_, (key, _), _)| key.span));
    places.into_iter().map(|place| Edit::replace(place, respelt(original.slice(place)))).collect()
}

fn respelt(name: &str) -> String {
    let mut made = String::new();
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                made.extend(c.to_uppercase());
                upper = false;
            }
            c if c.is_uppercase() => {
                made.push('_');
                made.extend(c.to_lowercase());
            }
            c => made.push(c),
        }
    }
    made
}

/// `event.text` or `item.text` for `note.text` in a loop.
pub fn event_for_item(original: &Original) -> Vec<Edit> {
    let items: Vec<&str> =
        original.steps().iter().filter_map(|step| step.node.get("as")?.as_text()).collect();
    let roots = original.in_expressions(pattern!(r"(?:^|[^.\w])(\w+)\.\w"));
    let roots = roots.into_iter().filter(|place| items.contains(&original.slice(*place)));
    roots.flat_map(|place| ["event", "item"].map(|other| Edit::replace(place, other))).collect()
}
