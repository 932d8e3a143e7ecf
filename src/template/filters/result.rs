//! What filters take and give, as far as it depends on classes of values alone.

use crate::template::inferred::{Class, Inferred};
use crate::value::{Step, Value};

const TEXTS: [&str; 23] = [
    "lower",
    "upper",
    "title",
    "capitalize",
    "trim",
    "replace",
    "remove_prefix",
    "truncate",
    "slug",
    "string",
    "indent",
    "join",
    "join_present",
    "fixed",
    "hash",
    "base64",
    "base64_decode",
    "urlencode",
    "tojson",
    "date",
    "iso8601",
    "add_time",
    "regex_replace",
];
const NUMBERS: [&str; 13] = [
    "number",
    "int",
    "float",
    "round",
    "abs",
    "sum",
    "plus",
    "minus",
    "times",
    "divided_by",
    "length",
    "count",
    "epoch",
];
/// Filters that preserve the items of a list.
const KEEPS_ITEMS: [&str; 8] =
    ["list", "sort", "unique", "reverse", "select", "reject", "selectattr", "rejectattr"];

/// What a filter takes, in words, and the classes of it.
pub(in crate::template) fn takes(filter: &str) -> Option<(&'static str, &'static [Class])> {
    match filter {
        "lower" | "upper" | "title" | "capitalize" | "trim" | "replace" | "remove_prefix" | "truncate"
        | "split" | "lines" | "slug" | "e164" | "regex_replace" | "regex_find" => {
            Some(("text", &[Class::Scalar]))
        }
        "date" | "iso8601" | "add_time" | "epoch" | "epoch_ms" => Some(("a time", &[Class::Scalar])),
        "number" | "plus" | "minus" | "times" | "divided_by" | "round" | "abs" => {
            Some(("a number", &[Class::Scalar]))
        }
        "selectattr" | "rejectattr" => Some(("a list of mappings", &[Class::List])),
        "join" | "join_present" => Some(("a list", &[Class::List])),
        _ => None,
    }
}

/// What a filter gives.
pub(in crate::template) fn of<'s>(
    filter: &str,
    input: Inferred<'s>,
    arguments: &[Inferred<'s>],
    has_arguments: bool,
) -> Inferred<'s> {
    match filter {
        name if TEXTS.contains(&name) => Inferred::Text,
        name if NUMBERS.contains(&name) => Inferred::Number,
        "bool" => Inferred::Flag,
        "e164" | "regex_find" => Inferred::Text.or(Inferred::Constant(Value::Null)),
        "split" | "lines" => Inferred::List(Box::new(Inferred::Text)),
        name if KEEPS_ITEMS.contains(&name) => match input.class() {
            Some(Class::List) => input.present(),
            _ => Inferred::List(Box::new(Inferred::Unknown)),
        },
        "chain" if input.class() == Some(Class::List) => Inferred::List(Box::new(Inferred::Unknown)),
        "map" | "batch" | "slice" | "items" | "zip" | "dictsort" | "groupby" => {
            Inferred::List(Box::new(Inferred::Unknown))
        }
        "pick" | "omit" | "merge" => Inferred::Mapping,
        "first" | "last" | "min" | "max" if !has_arguments => input.step(&Step::Item),
        "default" | "d" => match arguments.first() {
            Some(instead) => input.present().or(instead.clone()),
            None if has_arguments => Inferred::Unknown,
            None => input.present().or(Inferred::Constant(Value::String(String::new()))),
        },
        "coalesce" => arguments.iter().cloned().fold(input.present(), Inferred::or),
        _ => Inferred::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Template, filters};
    use serde_json::Value;

    /// The examples of the reference show what filters give.
    #[test]
    fn examples_give_what_is_inferred() {
        let mut known = 0;
        for spec in filters() {
            let Some(inference) = Template::parse(spec.example).unwrap().infer(&|_, _| Inferred::Unknown)
            else {
                continue;
            };
            let Some(class) = inference.value.class() else { continue };
            let result: Value = serde_json::from_str(spec.result).unwrap();
            assert!(
                result.is_null() || Class::of(&result) == class,
                "{}: {:?}",
                spec.example,
                inference.value
            );
            assert_eq!(inference.conflicts, [], "{}", spec.example);
            known += 1;
        }
        assert!(known > 30, "only {known} filters are known");
    }

    #[test]
    fn what_a_filter_does_not_take_fails() {
        for spec in filters() {
            let Some((_, classes)) = takes(spec.name) else { continue };
            let samples = [("{'a': 1}", Class::Mapping), ("[1]", Class::List), ("5", Class::Scalar)];
            for (sample, _) in samples.iter().filter(|(_, class)| !classes.contains(class)) {
                let call = spec.example.split_once('|').unwrap().1.trim_end_matches(" }}");
                let call = call.split('|').next().unwrap();
                let text = format!("{{{{ {sample} | {call} | list }}}}");
                let scope = crate::template::Scope::new(chrono::DateTime::UNIX_EPOCH);
                assert!(Template::parse(&text).unwrap().evaluate(&scope).is_err(), "{text}");
            }
        }
    }
}
