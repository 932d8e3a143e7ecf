//! What is told of an expression that can never work, or may not.

use crate::check::TemplateSite;
use crate::diagnostic::{Code, Diagnostic, list_some};
use crate::template::{Class, Conflict, ConflictKind, filters};

/// What is told of an entry with a computed key.
pub(super) const NO_ENTRY: &str = "the mapping may have no such entry";
/// The remedy.
pub(super) const INSTEAD: &str = "give a value for that case: `| default('…')`";

/// What is told of a list whose members may be missing.
pub(super) const ABSENT_MEMBERS: &str = "members of this list may be missing";
/// The remedy.
pub(super) const LEAVE_OUT: &str = "leave those out: `… | select | list`";

/// The diagnostic of a conflict in a template.
pub(super) fn conflicting(site: &TemplateSite<'_>, conflict: &Conflict) -> Diagnostic {
    let place = site.template.place(conflict.range.clone());
    let told = |code, message: String| Diagnostic::new(code, place, message);
    match &conflict.kind {
        ConflictKind::Input { filter, takes, found } => {
            let message = format!("`{filter}` takes {takes}, and what is before it is {}", found.describe());
            told(Code::BadArgument, message).help(match found {
                Class::Mapping => "take one of its fields".to_owned(),
                Class::List if !filters().iter().any(|known| known.name == filter) => {
                    format!("ask of each of its members: `| select('{filter}')`")
                }
                Class::List if !takes.starts_with("a list") => {
                    format!("take one of its members, as with `| first`, or each: `| map('{filter}')`")
                }
                _ => "give it another value".to_owned(),
            })
        }
        ConflictKind::Unequal { left, right, negated } => {
            let always = if *negated { "true" } else { "false" };
            let message = format!(
                "{} is never equal to {}: this is always {always}",
                left.describe(),
                right.describe()
            );
            let help = match (left, right) {
                (Class::List, Class::Scalar) | (Class::Scalar, Class::List) => {
                    "ask for a member: `{{ 'vip' in event.tags }}`, or whether there is none: `{{ not event.tags }}`"
                }
                _ => "ask whether there is something in it: `{{ steps.found }}`, `{{ not steps.found }}`",
            };
            told(Code::ConstantCondition, message).help(help)
        }
        ConflictKind::OmittedIfThere => {
            let message =
                "`and omit` leaves the input out where there is a value, and sends what counts as false";
            told(Code::Suspicious, message.to_owned())
                .help("write `… or omit` to leave it out where there is none")
        }
        ConflictKind::NotANumber { negated } => {
            let always = if *negated { "true" } else { "false" };
            let message = format!("a number is never equal to a text that is none: this is always {always}");
            told(Code::ConstantCondition, message).help("compare it with a number")
        }
        ConflictKind::OtherWord { name, known } => {
            let words: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
            let message = format!(
                "this is never `{name}`: it is one of {}",
                list_some(words.iter().map(String::as_str))
            );
            told(Code::ConstantCondition, message)
                .suggest(name, known.iter().map(String::as_str))
                .without_fix()
        }
        ConflictKind::ContainsNothing { field: Some(field), .. } => {
            let message =
                format!("there is no field `{field}` in this mapping, so that it never contains it");
            told(Code::ConstantCondition, message)
                .help("ask in one of its fields: `{{ 'vip' in event.tags }}`")
        }
        ConflictKind::ContainsNothing { .. } => {
            let message = "a text never contains a list or a mapping";
            told(Code::ConstantCondition, message.to_owned())
                .help("ask the other way round: `{{ 'vip' in event.tags }}`")
        }
        ConflictKind::Member { filter, found } => {
            let message =
                format!("`{filter}` makes text of the members of a list, and one of them is {found}");
            told(Code::BadArgument, message).help("take one of its fields")
        }
        ConflictKind::NoFieldName { filter } => {
            let message = format!("`{filter}` takes the name of a field, as text");
            told(Code::BadArgument, message).help(format!("as in `| {filter}('name', 'eq', 'value')`"))
        }
        ConflictKind::NullInput { filter } => {
            let message =
                format!("`{filter}` fails on null, which `default(none)` gives it where there is no value");
            told(Code::MaybeMissing, message)
                .help(format!("give another default, or put `{filter}` first and `| default(none)` last"))
        }
        ConflictKind::MaybeNull { filter } => {
            let message = format!("`{filter}` fails on null, which this may be");
            told(Code::MaybeMissing, message).help(match filter.as_str() {
                "[:]" => "give it a default in brackets: `(… | default([]))`".to_owned(),
                filter if filter.starts_with(char::is_alphabetic) => {
                    format!("put a default before it: `| default('…') | {filter}`")
                }
                _ => "give it a default in brackets: `(… | default(0))`".to_owned(),
            })
        }
        ConflictKind::NullMember { filter } => {
            let message = format!("`{filter}` fails on members that are null, which some may be");
            told(Code::MaybeMissing, message).help(format!("leave those out first: `| compact | {filter}`"))
        }
        ConflictKind::AbsentMember { by } => {
            let message = match by {
                Some(by) => format!("`{by}` fails on members that are missing, which some may be"),
                None => ABSENT_MEMBERS.to_owned(),
            };
            told(Code::MaybeMissing, message).help(match by.as_deref() {
                None | Some("in") => LEAVE_OUT.to_owned(),
                Some(by) => format!("leave those out first: `| select | {by}`"),
            })
        }
        ConflictKind::MaybeFraction { test } => {
            let message = format!("`is {test}` takes a whole number, and this may have a fraction");
            told(Code::Suspicious, message).help("round it in brackets: `(… | round)`")
        }
        ConflictKind::NullTested { test } => {
            let message = format!("`is {test}` fails on null, which this may be");
            told(Code::MaybeMissing, message).help("give it a default in brackets: `(… | default(''))`")
        }
        ConflictKind::NoSuchField { filter, field } => {
            let message = format!("`{filter}` fails on members without `{field}`, which some may be");
            told(Code::MaybeMissing, message)
                .help(format!("leave those out first: `| selectattr('{field}') | {filter}`"))
        }
        ConflictKind::Misread { filter, takes, found } => {
            let message = format!("`{filter}` takes {takes}, and this is {found}");
            told(Code::BadArgument, message).help("give it another value")
        }
        ConflictKind::Unsearchable { found } => {
            let message = format!("`in` looks into a list, a mapping or text, and this is {found}");
            told(Code::Suspicious, message).help("compare single values with `==`")
        }
        ConflictKind::NoNumber { operator, found } => {
            let message = format!("`{operator}` takes numbers, and this is {}", found.describe());
            told(Code::Suspicious, message).help("count its members: `… | length`; or take one of its fields")
        }
        ConflictKind::MaybeNoEntry => told(Code::MaybeMissing, NO_ENTRY.to_owned()).help(INSTEAD),
        ConflictKind::MaybeAbsent => told(Code::MaybeMissing, "this list may have no members".to_owned())
            .help("give a value for that case: `| default('…')`"),
        ConflictKind::Argument { message, help } => {
            let diagnostic = told(Code::BadArgument, message.clone());
            match help {
                Some(help) => diagnostic.help(help.clone()),
                None => diagnostic,
            }
        }
        ConflictKind::MaybeRefused { callee, parameter, takes, found } if found == "null" => {
            let message = format!("`{callee}` takes {takes} for `{parameter}`, and this may be null");
            told(Code::MaybeMissing, message).help("give it a default: `… | default('…')`")
        }
        ConflictKind::MaybeRefused { callee, parameter, takes, found } => {
            let message = format!("`{callee}` takes {takes} for `{parameter}`, and this may be {found}");
            told(Code::Suspicious, message).help("give it another value")
        }
        ConflictKind::TextAndNumber { operator } => {
            let message = match *operator {
                "+" => "`+` adds numbers or joins texts, and this is text and a number".to_owned(),
                operator => format!("`{operator}` takes numbers, and this is text"),
            };
            told(Code::Suspicious, message)
                .help("join texts with `~`, as in `a ~ b`; make a number of text with `| number`")
        }
        ConflictKind::Unordered { found } => {
            let message = format!("there is no order for {found}");
            let help = if *found == Class::List.describe() {
                "compare its number of members: `… | length > 0`"
            } else {
                "there is an order among numbers, among texts and among times"
            };
            told(Code::Suspicious, message).help(help)
        }
        ConflictKind::UnorderedMembers { filter, found } => {
            let message =
                format!("`{filter}` compares the members of a list, and there is no order for {found}");
            told(Code::Suspicious, message).help(match filter.as_str() {
                "sort" if *found == Class::Mapping.describe() => {
                    "name the field that orders them: `| sort(attribute='name')`".to_owned()
                }
                filter if *found == Class::Mapping.describe() => {
                    format!("take one of their fields: `| map(attribute='name') | {filter}`")
                }
                _ => "there is an order among numbers, among texts and among times".to_owned(),
            })
        }
        ConflictKind::NoTest { filter } => {
            let message = format!("`{filter}` takes the name of a test, as text");
            told(Code::BadArgument, message).help(format!("as in `| {filter}('eq', 'value')`"))
        }
        ConflictKind::NeverAbsent { filter } => {
            let message =
                format!("`e164` fails where there is no valid number, so that `{filter}` comes too late");
            told(Code::Suspicious, message)
                .help("give `e164` the argument `strict=false`, with which it gives null")
        }
        ConflictKind::NoField { name, known } => {
            let message = format!("the members of this list have no field `{name}`");
            let diagnostic = told(Code::UnknownResultField, message);
            let names = known.iter().map(String::as_str);
            diagnostic.help(format!("they have {}", list_some(names.clone()))).suggest(name, names)
        }
    }
}
