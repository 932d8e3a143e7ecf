//! What parameters of filters, tests and functions take, and checks of literal arguments.

use minijinja::Error;
use minijinja::value::{Value as Datum, ValueKind};

use super::error::{Refusal, refusal};
use super::exact_number::Exact;
use super::filters::{MAX_PLACES, METHODS, SIGNS};
use super::filters::{
    check_country, check_duration, check_path, check_pattern, decimal, strftime, unfit, zone,
};
use super::links::FIND;

/// The values that a parameter accepts. Parameters of the same name accept the same everywhere.
pub(super) enum Takes {
    Anything,
    Text,
    /// Text, a number or a flag.
    Scalar,
    /// Non-empty text.
    Something,
    /// The name of a link.
    Link,
    /// A record's id, or null.
    Id,
    Flag,
    /// A whole number from 0.
    Whole,
    /// Any whole number.
    Integer,
    /// A positive integer.
    Count,
    Places,
    Number,
    Divisor,
    List,
    Mapping,
    Format,
    Zone,
    Duration,
    Country,
    Pattern,
    JsonPath,
    OneOf(&'static [&'static str]),
}

/// Why `callee` never accepts `value` for `parameter` (completing a sentence that begins with the callee's name), and
/// the remedy.
pub(super) fn complaint(callee: &str, parameter: &str, value: &Datum) -> Option<(String, Option<String>)> {
    let error = check(&takes(callee, parameter)?, value).err()?;
    let detail = error.detail().unwrap_or_default().replace("the value is", "it is given");
    let help = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Refusal>());
    Some((detail, help.and_then(|refusal| refusal.help.clone())))
}

/// What `callee` takes for `parameter`.
pub(super) fn takes(callee: &str, parameter: &str) -> Option<Takes> {
    Some(match (callee, parameter) {
        (callee, "name") if callee == FIND.name => Takes::Link,
        (callee, "from" | "to") if callee == FIND.name => Takes::Id,
        ("range", _) => Takes::Integer,
        ("divided_by" | "divisibleby", "number") => Takes::Divisor,
        ("replace", "old") => Takes::Something,
        ("replace", "new") | ("startingwith" | "endingwith", "text") => Takes::Scalar,
        ("tojson", "indent") => Takes::Anything,
        (_, "value" | "default" | "fill") => Takes::Anything,
        (_, "separator" | "attribute" | "field" | "characters" | "end" | "text" | "new") => Takes::Text,
        (_, "empty" | "reverse" | "case_sensitive" | "strict" | "first" | "blank") => Takes::Flag,
        (_, "length" | "limit" | "width") => Takes::Whole,
        (_, "size" | "count") => Takes::Count,
        (_, "places") => Takes::Places,
        (_, "number") => Takes::Number,
        (_, "list") => Takes::List,
        (_, "mapping") => Takes::Mapping,
        (_, "format" | "input") => Takes::Format,
        (_, "timezone" | "from") => Takes::Zone,
        (_, "duration") => Takes::Duration,
        (_, "country") => Takes::Country,
        (_, "pattern") => Takes::Pattern,
        (_, "path") => Takes::JsonPath,
        (_, "decimal") => Takes::OneOf(&SIGNS),
        (_, "method") => Takes::OneOf(&METHODS),
        (_, "by") => Takes::OneOf(&["key", "value"]),
        _ => return None,
    })
}

/// Refuses a value that is not what a parameter takes.
pub(super) fn check(takes: &Takes, value: &Datum) -> Result<(), Error> {
    let text = || value.as_str().ok_or_else(|| unfit(value, "text"));
    match takes {
        Takes::Anything => Ok(()),
        Takes::Text => text().map(|_| ()),
        Takes::Scalar => super::filters::text(value).map(|_| ()),
        Takes::Something => match super::filters::text(value)?.is_empty() {
            true => Err(refusal("needs something to look for; its first argument is empty")),
            false => Ok(()),
        },
        Takes::Link if text()?.is_empty() => Err(refusal("needs the name of the link, and it is empty")),
        Takes::Link => Ok(()),
        Takes::Id if value.kind() == ValueKind::Number => Ok(()),
        Takes::Id if text()?.is_empty() => Err(refusal("needs a record, and the text is empty")),
        Takes::Id => Ok(()),
        Takes::Flag if value.kind() == ValueKind::Bool => Ok(()),
        Takes::Flag => Err(unfit(value, "true or false")),
        Takes::Whole => whole(value).map(|_| ()),
        Takes::Integer if value.is_integer() => Ok(()),
        Takes::Integer => Err(unfit(value, "a whole number")),
        Takes::Count if whole(value)? == 0 => Err(refusal("needs a number of at least 1")),
        Takes::Places if whole(value)? > MAX_PLACES => {
            Err(refusal(format!("has {MAX_PLACES} places at most")))
        }
        Takes::Count | Takes::Places => Ok(()),
        Takes::Number => decimal(value).map(|_| ()),
        Takes::Divisor
            if value.as_str().and_then(Exact::read).or_else(|| Exact::from_number(value))
                == Exact::read("0") =>
        {
            Err(refusal("cannot divide by zero"))
        }
        Takes::Divisor => decimal(value).map(|_| ()),
        Takes::List => match value.kind() {
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::String => Ok(()),
            _ => Err(unfit(value, "a list")),
        },
        Takes::Mapping if value.kind() == ValueKind::Map => Ok(()),
        Takes::Mapping => Err(unfit(value, "a mapping")),
        Takes::Format => strftime::items(text()?).map(|_| ()),
        Takes::Zone => zone(text()?).map(|_| ()),
        Takes::Duration => check_duration(text()?),
        Takes::Country => check_country(text()?),
        Takes::Pattern => check_pattern(text()?),
        Takes::JsonPath => check_path(text()?),
        Takes::OneOf(known) => {
            let text = text()?;
            if known.contains(&text) {
                return Ok(());
            }
            let listed: Vec<String> = known.iter().map(|known| format!("'{known}'")).collect();
            Err(refusal(format!("knows {} only, not {text:?}", listed.join(", "))))
        }
    }
}

fn whole(value: &Datum) -> Result<u32, Error> {
    let whole =
        if value.is_integer() { value.as_i64().and_then(|whole| u32::try_from(whole).ok()) } else { None };
    whole.ok_or_else(|| unfit(value, "a whole number that is not negative"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{filters, functions, tests};

    #[test]
    fn it_is_known_what_every_parameter_takes() {
        for spec in
            filters().iter().chain(tests()).chain(functions().iter().filter(|known| known.name != "dict"))
        {
            for name in spec.parsed().keywords() {
                assert!(takes(spec.name, name).is_some(), "`{name}` of `{}`", spec.signature);
            }
        }
    }
}
