//! What is right in another tool.

use std::sync::LazyLock;

use hob::source::Span;
use regex::Regex;

use crate::mutant::Edit;
use crate::original::Original;

macro_rules! pattern {
    ($text:expr) => {{
        static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).unwrap());
        &PATTERN
    }};
}

/// The expressions in values of inputs, with their braces.
fn of_inputs(original: &Original) -> Vec<Span> {
    let inputs = original.inputs();
    let within = |span: &Span| {
        inputs.iter().any(|(_, (_, value), _)| value.span.start <= span.start && span.end <= value.span.end)
    };
    let expressions = original.expressions().into_iter();
    expressions.map(|span| Span::new(span.start - 2, span.end + 2)).filter(within).collect()
}

/// Those that are a path only, without their braces and white space.
fn paths(original: &Original) -> Vec<(Span, String)> {
    let path = pattern!(r"^\{\{ (event|steps)\.([\w.]+) \}\}$");
    let found = of_inputs(original).into_iter().filter_map(|span| {
        let captures = path.captures(original.slice(span))?;
        Some((span, captures[2].to_owned()))
    });
    found.collect()
}

/// `${{ … }}`
pub fn dollar_braces(original: &Original) -> Vec<Edit> {
    of_inputs(original).into_iter().map(|span| Edit::insert(span.start, "$")).collect()
}

/// `{{ $json.email }}`
pub fn dollar_json(original: &Original) -> Vec<Edit> {
    paths(original)
        .into_iter()
        .map(|(span, path)| Edit::replace(span, format!("{{{{ $json.{path} }}}}")))
        .collect()
}

/// `{{1.email}}`
pub fn numbered_module(original: &Original) -> Vec<Edit> {
    paths(original).into_iter().map(|(span, path)| Edit::replace(span, format!("{{{{1.{path}}}}}"))).collect()
}

/// `{{ trigger.email }}`, `{{ contact.email }}`
pub fn trigger_path(original: &Original) -> Vec<Edit> {
    let roots = ["trigger", "contact", "trigger.contact", "payload", "record"];
    let edits = paths(original).into_iter().flat_map(|(span, path)| {
        roots
            .iter()
            .map(move |root| Edit::replace(span, format!("{{{{ {root}.{path} }}}}")))
            .collect::<Vec<_>>()
    });
    edits.collect()
}

/// `event.email` without braces.
pub fn plain_path(original: &Original) -> Vec<Edit> {
    let edits = of_inputs(original).into_iter().map(|span| {
        let text = original.slice(span);
        Edit::replace(span, text[2..text.len() - 2].trim())
    });
    edits.collect()
}

/// `event.email.lower()`
pub fn method_call(original: &Original) -> Vec<Edit> {
    let filters = original.in_expressions(pattern!(r"[\w\])](\s*\|\s*\w+)(?:\s|$)"));
    let edits = filters.into_iter().map(|place| {
        let name = original.slice(place).trim_start_matches([' ', '|', '\n']);
        Edit::replace(place, format!(".{name}()"))
    });
    edits.collect()
}

/// `lower(event.email)`
pub fn filter_as_function(original: &Original) -> Vec<Edit> {
    let filters = original.in_expressions(pattern!(r"([\w.]+\s*\|\s*\w+)(?:\s|$)"));
    let edits = filters.into_iter().filter_map(|place| {
        let (path, name) = original.slice(place).split_once('|')?;
        Some(Edit::replace(place, format!("{}({})", name.trim(), path.trim())))
    });
    edits.collect()
}

/// The name of a filter in another tool.
pub fn foreign_filter(original: &Original) -> Vec<Edit> {
    let filters = original.in_expressions(pattern!(r"\|\s*(\w+)"));
    let edits = filters.into_iter().filter_map(|place| {
        let other = match original.slice(place) {
            "lower" => "downcase",
            "trim" => "strip",
            "default" => "ifempty",
            "date" => "formatDate",
            "split" => "explode",
            "join_present" => "join",
            "reject" => "filter",
            "first" => "head",
            "slug" => "slugify",
            _ => return None,
        };
        Some(Edit::replace(place, other))
    });
    edits.collect()
}

/// The format of a date in another tool.
pub fn foreign_date(original: &Original) -> Vec<Edit> {
    let formats = ["'YYYY-MM-DD'", "'yyyy-MM-dd'", "'Y-m-d'", "'%d/%m/%Y'", "'%Y-%m-%d %H:%M'"];
    let places: Vec<Span> =
        original.quoted().into_iter().filter(|place| original.slice(*place).starts_with("'%")).collect();
    let edits = places.into_iter().flat_map(|place| formats.iter().map(move |by| Edit::replace(place, *by)));
    edits.collect()
}

/// `create_contact` for `contacts.create`, and `contact.create`.
pub fn foreign_operation(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    let named = steps.iter().filter_map(|step| step.node.get("do"));
    let edits = named.flat_map(|node| {
        let parts: Vec<&str> = original.slice(node.span).split('.').collect();
        let (verb, nouns) = parts.split_last().unwrap();
        let nouns: Vec<&str> = nouns.iter().map(|noun| noun.trim_end_matches('s')).collect();
        let turned = format!("{verb}_{}", nouns.join("_"));
        [turned, format!("{}.{verb}", nouns.join("."))].map(|other| Edit::replace(node.span, other))
    });
    edits.collect()
}
