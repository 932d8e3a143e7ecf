//! Filters with regular expressions.

use minijinja::value::Value as Datum;
use minijinja::{Error, State};
use regex::{Regex, RegexBuilder};

use super::input;
use crate::template::error::refusal;
use crate::template::filter_type::{Gives, Takes};
use crate::template::spec::{Spec, own};

/// Maximum compiled size of a pattern, in bytes.
const MAX_SIZE: usize = 1 << 18;
/// Fuel for compiling a pattern.
const COMPILING: u64 = 2_000;

pub(super) const SPECS: [Spec; 2] = [
    own!(
        add_filter(regex_replace),
        "regex_replace(pattern, new)",
        "The text with everything that the pattern finds replaced; `$1` stands for the first group.",
        (r"{{ 'call 0151-23 45' | regex_replace('[^0-9]', '') }}", r#""01512345""#)
    )
    .typed(Takes::Text, Gives::Text),
    own!(
        add_filter(regex_find),
        "regex_find(pattern)",
        "The first thing that the pattern finds (its first group, if it has one), or null.",
        (r"{{ 'Order #1234 paid' | regex_find('#([0-9]+)') }}", r#""1234""#)
    )
    .typed(Takes::Text, Gives::TextOrNull),
];

/// The compiled `pattern`, with bounded time and size.
pub(in crate::template) fn compiled(state: &State<'_, '_>, pattern: &str) -> Result<Regex, Error> {
    state.consume_fuel(COMPILING + pattern.len() as u64)?;
    compile(pattern)
}

/// Checks that `pattern` is a regular expression of acceptable size.
pub(in crate::template) fn check_pattern(pattern: &str) -> Result<(), Error> {
    compile(pattern).map(|_| ())
}

fn compile(pattern: &str) -> Result<Regex, Error> {
    RegexBuilder::new(pattern).size_limit(MAX_SIZE).dfa_size_limit(MAX_SIZE).build().map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        refusal(format!("cannot read the pattern {:?}: {last}", input::shortened(pattern)))
    })
}

fn regex_replace(state: &State<'_, '_>, value: &Datum, pattern: &str, new: &str) -> Result<String, Error> {
    let text = input::text(value)?;
    let regex = compiled(state, pattern)?;
    let mut result = String::new();
    let mut copied = 0;
    for found in regex.captures_iter(&text) {
        let whole = found.get_match();
        result.push_str(&text[copied..whole.start()]);
        let before = result.len();
        found.expand(new, &mut result);
        state.consume_fuel(1 + ((result.len() - before) / 64) as u64)?;
        copied = whole.end();
    }
    result.push_str(&text[copied..]);
    Ok(result)
}

fn regex_find(state: &State<'_, '_>, value: &Datum, pattern: &str) -> Result<Datum, Error> {
    let text = input::text(value)?;
    let Some(found) = compiled(state, pattern)?.captures(&text).map(|found| {
        let group = found.get(1).unwrap_or_else(|| found.get_match());
        group.as_str().to_owned()
    }) else {
        return Ok(Datum::from(()));
    };
    Ok(Datum::from(found))
}

#[cfg(test)]
mod tests {
    use crate::template::ErrorKind;
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn groups_and_misses() {
        assert_eq!(value("{{ 'a1b22' | regex_replace('([0-9]+)', '<$1>') }}", json!({})), json!("a<1>b<22>"));
        assert_eq!(value("{{ 'abc' | regex_find('[0-9]') }}", json!({})), json!(null));
    }

    #[test]
    fn bad_and_monstrous_patterns_are_refused() {
        let error = failure("{{ 'a' | regex_find('(') }}", json!({}));
        assert_eq!(error.message, "`regex_find` cannot read the pattern \"(\": unclosed group");
        failure("{{ 'a' | regex_find('((a{500}){500}){500}') }}", json!({}));
        let error = failure("{{ ('a' * 200000) | regex_replace('a', 'b' * 20000) }}", json!({}));
        assert_eq!(error.kind, ErrorKind::Fuel);
    }
}
