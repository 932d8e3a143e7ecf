//! Redacts webhook keys in lines that messages quote. They belong in the environment, but some are in recipes.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::model::Recipe;
use super::trigger::{Trigger, Verify, Webhook};
use crate::secret::{MIN_LENGTH, credential_in};
use crate::source::{SourceFile, Span, ValueFinder};

/// `file` with its keys replaced by asterisks. `recipe` is its parsed form, if any; `sound` if it was parsed
/// completely.
pub fn redact(file: &SourceFile, recipe: Option<&Recipe>, sound: bool) -> SourceFile {
    let key = recipe.and_then(|recipe| match &recipe.trigger {
        Trigger::Webhook(Webhook::Path { verify: Verify::Header { value: key, .. }, .. })
        | Trigger::Webhook(Webhook::Path { verify: Verify::Hmac { secret: key, .. }, .. }) => Some(key),
        _ => None,
    });
    let mut places: Vec<Span> = Vec::new();
    if let Some(key) = key.filter(|key| key.uses().is_empty() && !key.text().trim().is_empty()) {
        places.push(key.span);
        let text = key.text();
        // A short one may be part of many words.
        if text.len() >= MIN_LENGTH {
            places.extend(file.text().match_indices(text).map(|(at, _)| Span::new(at, at + text.len())));
        }
    }
    places.extend(recipe.into_iter().flat_map(Recipe::credentials).map(|found| found.span));
    if !sound {
        places.extend(guess_spans(file.text()));
        let lines = (1..=file.position(file.text().len()).line).map(|line| file.line_span(line));
        places.extend(lines.filter_map(|line| {
            let (found, _) = credential_in(file.slice(line))?;
            Some(Span::new(line.start + found.start, line.start + found.end))
        }));
    }
    if places.is_empty() { file.clone() } else { file.masked(places) }
}

fn guess_spans(text: &str) -> Vec<Span> {
    // What follows `verify: none` in its line is no key, but may be the very mistake.
    static NONE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"["']?\bverify["']?\s*:\s*["']?none["']?\s*[,}]"#).ok());
    let blank = |found: &Captures| " ".repeat(found[0].len());
    let text = NONE.as_ref().map_or(Cow::Borrowed(text), |none| none.replace_all(text, blank));
    static VALUES: LazyLock<Option<ValueFinder>> = LazyLock::new(|| {
        let names = r#"["']?\b(?:name|header|prefix|algorithm|encoding|key)["']?\s*:\s+(?:"[^"]*"|'[^']*'|[^\s,{}]+)"#;
        let fields = r#"["']?\b(?:header|hmac|ed25519|value|secret|verify)["']?\s*:(?:\s|$)"#;
        ValueFinder::new(
            r#"["']?\b(?:verify|secret)["']?\s*:"#,
            &format!(r"\{{\{{.*?\}}\}}|{names}|{fields}|\bnone\b"),
        )
        .ok()
    });
    VALUES.as_ref().map_or_else(|| vec![Span::new(0, text.len())], |values| values.find(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::parse;

    fn shown(text: &str) -> String {
        let file = SourceFile::new("a.yaml", text);
        let parsed = parse(&file);
        redact(&file, parsed.recipe.as_ref(), parsed.diagnostics.is_empty()).text().to_owned()
    }

    #[test]
    fn what_follows_no_verification_is_shown() {
        let recipe = |rest: &str| {
            format!(
                "name: a\ntrigger: {{ webhook: /in, verify: none, {rest} }}\nactions: [{{ do: log, with: {{ message: m }} }}]\n"
            )
        };
        for (rest, wanted) in [
            ("id: $.number, record: $.id", "id: $.number, record: $.id"),
            ("secret: k-1", "secret: ***"),
            ("verify: k-1", "verify: ***"),
        ] {
            assert_eq!(shown(&recipe(rest)), recipe(wanted));
        }
    }

    #[test]
    fn keys_that_are_written_out_are_not_shown() {
        let recipe = |verify: &str, rest: &str| {
            format!(
                "name: a\ntrigger:\n  webhook: /in\n  verify: {verify}\nactions: [{{ do: log, with: {{ message: m }} }}]\n{rest}"
            )
        };
        for (verify, wanted) in [
            ("{ header: { name: X-Key, value: k-1 } }", "{ header: { name: X-Key, value: *** } }"),
            ("{ hmac: { header: X-Sig, secret: '12 34' } }", "{ hmac: { header: X-Sig, secret: ******* } }"),
            ("{ header: { name: X-Key, value: 1234 } }", "{ header: { name: X-Key, value: **** } }"),
            (
                "{ header: { name: X-Key, value: \"{{ env.K }}\" } }",
                "{ header: { name: X-Key, value: \"{{ env.K }}\" } }",
            ),
            ("{ header: { name: X-Key, valeu: k-1 } }", "{ header: { name: X-Key, *****: *** } }"),
            (
                "{ header: { name: 'X Key', value: \"{{ env.K }}\" } }",
                "{ header: { name: 'X Key', value: \"{{ env.K }}\" } }",
            ),
            ("{ hmac: { header: X-Sig, secret: k-1 }", "{ hmac: { header: X-Sig, secret: *** }"),
            (
                "\n    hmac:\n      header: X-Sig\n      secret: k-1: 2",
                "\n    hmac:\n      header: X-Sig\n      secret: ***: *",
            ),
            ("k-1", "***"),
        ] {
            let shown = shown(&recipe(verify, ""));
            assert_eq!(shown, recipe(wanted, ""), "{verify}");
        }
    }
}
