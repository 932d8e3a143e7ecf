//! Filters that change text.

use minijinja::value::Value as Datum;
use minijinja::{Error, State};

use super::input;
use crate::template::error::refusal;
use crate::template::filter_type::{Gives, Takes};
use crate::template::spec::{Spec, own};

pub(super) const SPECS: [Spec; 14] = [
    own!(add_filter(lower), "lower", "The text in lower case.", ("{{ 'A@B.com' | lower }}", r#""a@b.com""#)).typed(Takes::Text, Gives::Text),
    own!(add_filter(upper), "upper", "The text in upper case.", ("{{ 'gb' | upper }}", r#""GB""#)).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(title),
        "title",
        "Every word with a capital, the rest in lower case.",
        ("{{ 'ada LOVELACE' | title }}", r#""Ada Lovelace""#)
    ).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(capitalize),
        "capitalize",
        "The first letter as a capital, the rest in lower case.",
        ("{{ 'heLLo you' | capitalize }}", r#""Hello you""#)
    ).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(trim),
        "trim(characters=white space)",
        "The text without white space, or the characters given, at both ends.",
        ("{{ '  hi ' | trim }}", r#""hi""#)
    ).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(replace),
        "replace(old, new)",
        "The text with every `old` replaced by `new`.",
        ("{{ 'a-b-c' | replace('-', '') }}", r#""abc""#)
    ).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(remove_prefix),
        "remove_prefix(text)",
        "The text without this beginning, if it has it.",
        ("{{ '+44201' | remove_prefix('+44') }}", r#""201""#)
    ).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(truncate),
        "truncate(length=255, end='…')",
        "At most `length` characters, with `end` in place of what was cut off.",
        ("{{ 'a long story' | truncate(6) }}", r#""a lon…""#)
    ).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(split),
        "split(separator=white space, limit=none)",
        "The parts of the text as a list; at most `limit` cuts.",
        ("{{ 'Ada King Lovelace' | split(' ', 1) }}", r#"["Ada", "King Lovelace"]"#)
    ).typed(Takes::Text, Gives::Texts),
    own!(
        add_filter(lines),
        "lines",
        "The lines of the text as a list.",
        ("{{ 'a\\nb' | lines }}", r#"["a", "b"]"#)
    ).typed(Takes::Text, Gives::Texts),
    own!(
        add_filter(slug),
        "slug(separator='-')",
        "Lower-case letters and digits, everything else as one separator: for tags and addresses.",
        ("{{ 'New Client: Gold!' | slug }}", r#""new-client-gold""#)
    ).typed(Takes::Text, Gives::Text),
    own!(add_filter(string), "string", "Numbers and flags as text.", ("{{ 12.50 | string }}", r#""12.5""#)).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(indent),
        "indent(width=4, first=false, blank=false)",
        "The lines of the text with spaces before them, except the first (`first=true`: that too) and empty ones (`blank=true`: those too).",
        ("{{ 'a\\nb' | indent(2) }}", r#""a\n  b""#)
    ).typed(Takes::Text, Gives::Text),
    own!(
        add_filter(bool),
        "bool",
        "Whether the value counts as true; the texts `false`, `no`, `off` and `0` do not.",
        ("{{ 'no' | bool }}", "false")
    ).typed(Takes::Anything, Gives::Flag),
];

fn lower(value: &Datum) -> Result<String, Error> {
    Ok(input::text(value)?.to_lowercase())
}

fn upper(value: &Datum) -> Result<String, Error> {
    Ok(input::text(value)?.to_uppercase())
}

fn title(value: &Datum) -> Result<String, Error> {
    let mut inside = false;
    let mut result = String::new();
    for c in input::text(value)?.chars() {
        if inside {
            result.extend(c.to_lowercase());
        } else {
            result.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || c == '\'' || c == '’';
    }
    Ok(result)
}

fn capitalize(value: &Datum) -> Result<String, Error> {
    let text = input::text(value)?;
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    Ok(first + &chars.as_str().to_lowercase())
}

fn trim(value: &Datum, characters: Option<&str>) -> Result<String, Error> {
    let text = input::text(value)?;
    Ok(match characters {
        Some(characters) => text.trim_matches(|c| characters.contains(c)).to_owned(),
        None => text.trim_matches(is_blank).to_owned(),
    })
}

/// White space, and the zero-width characters of copied text.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{2060}')
}

fn replace(state: &State<'_, '_>, value: &Datum, old: &Datum, new: &Datum) -> Result<String, Error> {
    let (text, old, new) = (input::text(value)?, input::text(old)?, input::text(new)?);
    if old.is_empty() {
        return Err(refusal("needs something to look for; its first argument is empty"));
    }
    let grown = text.matches(old.as_ref()).count().saturating_mul(new.len());
    state.consume_fuel((grown / 64) as u64)?;
    Ok(text.replace(old.as_ref(), &new))
}

fn remove_prefix(value: &Datum, prefix: &str) -> Result<String, Error> {
    let text = input::text(value)?;
    Ok(text.strip_prefix(prefix).unwrap_or(&text).to_owned())
}

fn truncate(value: &Datum, length: Option<usize>, end: Option<&str>) -> Result<String, Error> {
    let (length, end) = (length.unwrap_or(255), end.unwrap_or("…"));
    let text = input::text(value)?;
    if text.chars().count() <= length {
        return Ok(text.into_owned());
    }
    let kept = length.saturating_sub(end.chars().count());
    Ok(text.chars().take(kept).chain(end.chars()).take(length).collect())
}

fn split(
    state: &State<'_, '_>,
    value: &Datum,
    by: Option<&str>,
    limit: Option<usize>,
) -> Result<Vec<Datum>, Error> {
    let text = input::text(value)?;
    let by = by.filter(|by| !by.is_empty());
    let most = limit.map_or(usize::MAX, |limit| limit.saturating_add(1));
    let parts: Vec<Datum> = match by {
        Some(by) => text.splitn(most, by).map(Datum::from).collect(),
        None if limit.is_none() => text.split_whitespace().map(Datum::from).collect(),
        None => text.trim().splitn(most, char::is_whitespace).map(|part| Datum::from(part.trim())).collect(),
    };
    state.consume_fuel(parts.len() as u64)?;
    Ok(parts)
}

fn lines(state: &State<'_, '_>, value: &Datum) -> Result<Vec<Datum>, Error> {
    let parts: Vec<Datum> = input::text(value)?.lines().map(Datum::from).collect();
    state.consume_fuel(parts.len() as u64)?;
    Ok(parts)
}

fn indent(
    state: &State<'_, '_>,
    value: &Datum,
    width: Option<usize>,
    first: Option<bool>,
    blank: Option<bool>,
) -> Result<String, Error> {
    let text = input::text(value)?;
    let (width, first, blank) = (width.unwrap_or(4), first.unwrap_or(false), blank.unwrap_or(false));
    let grown = text.split('\n').count().saturating_mul(width);
    state.consume_fuel((grown / 64) as u64)?;
    let spaces = " ".repeat(width);
    let mut indented = String::with_capacity(text.len() + grown);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            indented.push('\n');
        }
        if (index > 0 || first) && (blank || !line.is_empty()) {
            indented.push_str(&spaces);
        }
        indented.push_str(line);
    }
    Ok(indented)
}

fn slug(value: &Datum, separator: Option<&str>) -> Result<String, Error> {
    let text = input::text(value)?.to_lowercase();
    let separator = separator.unwrap_or("-");
    let words =
        text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’').filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(|word| word.replace(['\'', '’'], "")).collect();
    Ok(words.join(separator))
}

fn string(value: &Datum) -> Result<String, Error> {
    Ok(input::text(value)?.into_owned())
}

fn bool(value: &Datum) -> Result<bool, Error> {
    if value.is_undefined() {
        return Err(input::unfit(value, "a value"));
    }
    Ok(match value.as_str() {
        Some(text) => crate::template::truthy(&text.into()),
        None => value.is_true(),
    })
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn text_filters_say_what_they_got() {
        let error = failure("{{ event.email | lower }}", json!({ "email": null }));
        assert_eq!(error.message, "`lower` needs text, but `event.email` is null");
        assert!(error.help.unwrap().contains("default"));
        let error = failure("x {{ event.tags | upper }}", json!({ "tags": [] }));
        assert_eq!(error.message, "`upper` needs text, but `event.tags` is a list");
        assert_eq!(error.range, Some(18..23));
    }

    #[test]
    fn words_and_letters() {
        assert_eq!(value("{{ \"o'neil-smith\" | title }}", json!({})), json!("O'neil-Smith"));
        assert_eq!(value("{{ ' a  b ' | split }}", json!({})), json!(["a", "b"]));
        assert_eq!(value("{{ 'a,b,c' | split(',') | last }}", json!({})), json!("c"));
        assert_eq!(value("{{ \"Zoë's  #1 Plan\" | slug('_') }}", json!({})), json!("zoës_1_plan"));
        assert_eq!(value("{{ 'abc' | truncate(2, end='') }}", json!({})), json!("ab"));
        assert_eq!(value("{{ 42 | lower }}", json!({})), json!("42"));
    }

    #[test]
    fn growing_text_without_end_is_refused() {
        let error = failure("{{ ('a' * 100000) | replace('a', 'b' * 100000) }}", json!({}));
        assert_eq!(error.kind, crate::template::ErrorKind::Fuel);
    }
}
