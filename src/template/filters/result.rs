//! What filters take and give, as far as it depends on classes of values alone.

use crate::template::filter_type::{Gives, Takes};
use crate::template::inferred::{Class, Inferred, When};
use crate::template::spec::Spec;
use crate::value::{Step, Value};

/// The specification of a filter.
pub(in crate::template) fn spec(filter: &str) -> Option<&'static Spec> {
    super::all().iter().find(|spec| spec.name == filter)
}

/// Whether a filter fails on null; `lenient` with `strict=false`.
pub(in crate::template) fn needs_value(filter: &str, lenient: bool) -> bool {
    spec(filter).map_or(Takes::Anything, |spec| spec.takes).needs_value(lenient)
}

/// Whether a filter takes a missing value for null; `lenient` with `strict=false`.
pub(in crate::template) fn accepts_missing(filter: &str, lenient: bool) -> bool {
    spec(filter).is_some_and(|spec| spec.takes.accepts_missing(lenient))
}

/// What a filter gives.
pub(in crate::template) fn of<'s>(
    filter: &str,
    input: Inferred<'s>,
    arguments: &[Inferred<'s>],
    has_arguments: bool,
) -> Inferred<'s> {
    let list = |members| Inferred::List(Box::new(members));
    match spec(filter).map_or(Gives::Anything, |spec| spec.gives) {
        Gives::Anything => Inferred::Unknown,
        Gives::Text => Inferred::Text,
        Gives::TextOrNull => Inferred::Text.or(Inferred::Constant(Value::Null)),
        Gives::Day if has_arguments => Inferred::Text,
        Gives::Day => Inferred::Day,
        Gives::Moment => Inferred::Moment,
        Gives::Moved => {
            let moved = |one: &Inferred<'s>| match one.when() {
                Some(When::Moment) => Inferred::Moment,
                Some(When::Day) if moves_days(arguments) => Inferred::Day,
                _ => Inferred::Text,
            };
            let all = input.alternatives().into_iter().map(moved);
            all.reduce(Inferred::or).unwrap_or(Inferred::Text)
        }
        Gives::Found => match arguments {
            [Inferred::Constant(Value::String(path))]
                if path.contains(['*', '?', ',', ':']) || path.contains("..") =>
            {
                list(Inferred::Unknown)
            }
            _ => Inferred::Unknown.or(Inferred::Absent),
        },
        Gives::Number => Inferred::Number,
        Gives::WholeNumber => Inferred::Integer,
        Gives::Flag => Inferred::Flag,
        Gives::Texts => list(Inferred::Text),
        Gives::Reversed => match input.class() {
            Some(Class::List) => input.present(),
            Some(Class::Scalar) => Inferred::Text,
            Some(Class::Mapping) => list(Inferred::Unknown),
            _ => Inferred::Unknown,
        },
        // What counts as false is left out, and with it what is missing.
        Gives::SameMembers if filter == "select" && !has_arguments && input.class() == Some(Class::List) => {
            list(member(&input).not_null())
        }
        Gives::SameMembers if asks_for_those_there(filter, arguments) => list(member(&input).there()),
        Gives::SameMembers | Gives::Members => match input.class() {
            Some(Class::List) => input.present(),
            _ => list(Inferred::Unknown),
        },
        Gives::List => list(Inferred::Unknown),
        Gives::Lists => list(list(Inferred::Unknown)),
        // An unknown number of lists, or an empty one, which tells nothing of the members.
        Gives::Chained | Gives::Zipped => {
            let known = if arguments.is_empty() { vec![Inferred::Unknown] } else { arguments.to_vec() };
            let all = std::iter::once(input).chain(known).filter(|one| !is_empty(one));
            let members = all.map(|one| member(&one)).reduce(Inferred::or).unwrap_or(Inferred::Unknown);
            match spec(filter).map(|spec| spec.gives) {
                Some(Gives::Zipped) => list(list(members)),
                _ => list(members),
            }
        }
        Gives::Mapping => Inferred::Mapping,
        Gives::Same => match input.class() {
            Some(Class::List) => list(member(&input).not_null()),
            Some(Class::Mapping) => Inferred::Mapping,
            _ => Inferred::Unknown,
        },
        Gives::Member if has_arguments => Inferred::Unknown,
        Gives::Member => input.step(&Step::Item),
        Gives::Default => match arguments.first() {
            Some(instead) => input.present().or(instead.clone()),
            None if has_arguments => Inferred::Unknown,
            None => input.present().or(Inferred::Constant(Value::String(String::new()))),
        },
        Gives::Coalesce => {
            let never_null = |one: &Inferred<'_>| match one {
                Inferred::Constant(Value::String(text)) => !text.is_empty(),
                Inferred::Constant(value) => !value.is_null(),
                Inferred::Number
                | Inferred::Integer
                | Inferred::Flag
                | Inferred::Mapping
                | Inferred::List(_) => true,
                _ => false,
            };
            let is_sure = never_null(&input) || arguments.iter().any(never_null);
            let present =
                arguments.iter().cloned().map(Inferred::present).fold(input.present(), Inferred::or);
            if is_sure { present } else { present.or(Inferred::Constant(Value::Null)) }
        }
    }
}

/// `select('defined')`.
fn asks_for_those_there(filter: &str, arguments: &[Inferred<'_>]) -> bool {
    let test = match filter {
        "select" => "defined",
        "reject" => "undefined",
        _ => return false,
    };
    matches!(arguments.first(), Some(Inferred::Constant(Value::String(text))) if text == test)
}

/// A member of a list, a letter of a text or a key of a mapping.
pub(in crate::template) fn member<'s>(whole: &Inferred<'s>) -> Inferred<'s> {
    match whole.class() {
        Some(Class::Scalar | Class::Mapping) => Inferred::Text,
        _ => whole.step(&Step::Item),
    }
}

fn is_empty(list: &Inferred<'_>) -> bool {
    matches!(list, Inferred::Constant(Value::Array(items)) if items.is_empty())
}

/// Whether a date that is moved by this duration stays a date.
fn moves_days(arguments: &[Inferred<'_>]) -> bool {
    match arguments.first() {
        Some(Inferred::Constant(Value::String(duration))) => {
            let is_unit = |letter: char| letter.is_ascii_alphabetic();
            let units = duration.split(|letter: char| !is_unit(letter)).filter(|unit| !unit.is_empty());
            units.into_iter().all(|unit| ["d", "w", "mo", "y"].contains(&unit))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Present, Template, filters};
    use serde_json::Value;

    /// The examples of the reference show what filters give.
    #[test]
    fn examples_give_what_is_inferred() {
        let mut known = 0;
        for spec in filters() {
            let Some(inference) =
                Template::parse(spec.example).unwrap().infer(&|_, _| Inferred::Unknown, &Present::default())
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
            let Some((_, classes)) = spec.takes.classes() else { continue };
            let samples = [("{'a': 1}", Class::Mapping), ("[1]", Class::List), ("5", Class::Scalar)];
            for (sample, _) in samples.iter().filter(|(_, class)| !classes.contains(class)) {
                let call = spec.example.split_once('|').unwrap().1.trim_end_matches(" }}");
                let call = call.split('|').next().unwrap().split(").").next().unwrap();
                let text = format!("{{{{ {sample} | {call} | list }}}}");
                let scope = crate::template::Scope::new(chrono::DateTime::UNIX_EPOCH);
                assert!(Template::parse(&text).unwrap().evaluate(&scope).is_err(), "{text}");
            }
        }
    }
}
