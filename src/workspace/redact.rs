//! Removes secrets from the lines and values of `hob.yaml` that messages quote.

use std::collections::HashSet;

use super::secret_spans::{self, SecretSpan};
use crate::diagnostic::Diagnostic;
use crate::secret::{MIN_LENGTH, REDACTED};
use crate::source::{SourceFile, Span};

/// Number of secrets that are also searched for in the rest of the file; each search reads the whole file.
const MAX_ELSEWHERE: usize = 200;

/// `file` with its secrets replaced by asterisks, except those from variables. If it is not valid YAML (not `sound`),
/// the tree may be incomplete.
pub(super) fn redact(file: &SourceFile, hidden: &[SecretSpan], sound: bool) -> SourceFile {
    let text = file.text();
    let mut places: Vec<Span> = Vec::new();
    let mut elsewhere: HashSet<&str> = HashSet::new();
    for SecretSpan { span, text: secret, .. } in hidden {
        let written = file.slice(*span);
        let is_variable = written.trim_matches(['"', '\'']).strip_prefix("${").is_some_and(|rest| {
            rest.find('}').is_some_and(|end| end + 1 == rest.len() && !rest.contains(":-"))
        });
        let within: Vec<Span> = written
            .match_indices(secret.as_str())
            .map(|(at, _)| Span::new(span.start + at, span.start + at + secret.len()))
            .collect();
        match within.is_empty() {
            _ if is_variable => {}
            // Not written literally: with escapes, over several lines, or with a default.
            true => places.push(inside_quotes(*span, written)),
            false => places.extend(within),
        }
        if secret.len() >= MIN_LENGTH && elsewhere.len() < MAX_ELSEWHERE && elsewhere.insert(secret.as_str())
        {
            places
                .extend(text.match_indices(secret.as_str()).map(|(at, _)| Span::new(at, at + secret.len())));
        }
    }
    if !sound {
        places.extend(secret_spans::guess(text));
    }
    file.masked(places)
}

fn inside_quotes(span: Span, written: &str) -> Span {
    let quoted =
        written.len() >= 2 && ["\"", "'"].iter().any(|q| written.starts_with(q) && written.ends_with(q));
    if quoted { Span::new(span.start + 1, span.end - 1) } else { span }
}

/// `found` without the secret at its place, however short.
pub(super) fn without_secrets(mut found: Diagnostic, hidden: &[SecretSpan]) -> Diagnostic {
    let near =
        |hidden: &&SecretSpan| hidden.span.start <= found.span.end && found.span.start <= hidden.span.end;
    let secrets: Vec<String> = hidden.iter().filter(near).map(|hidden| hidden.text.clone()).collect();
    for secret in secrets {
        found.message = masked(&found.message, &secret);
        found.help = found.help.map(|help| masked(&help, &secret));
    }
    found
}

/// A short secret may be part of any word, so it is masked only where a message quotes it.
fn masked(text: &str, secret: &str) -> String {
    match secret.len() >= MIN_LENGTH {
        true => text.replace(secret, REDACTED),
        false => text.replace(&format!("`{secret}`"), &format!("`{REDACTED}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::parse;

    #[test]
    fn hides_what_is_written_out_and_keeps_places() {
        let text = "a: { auth: { token: pit-1 } }\nb: { header: { name: X, value: 'k ü' } }\nstore: postgres://me:pw@host/db\nc: { auth: { token: \"p\\u0069t\" } } # pit-1 token-7\nd: { token: token-7 }\n";
        let wanted = "a: { auth: { token: ***** } }\nb: { header: { name: X, value: '**·' } }\nstore: postgres://**:**@host/db\nc: { auth: { token: \"********\" } } # pit-1 *******\nd: { token: ******* }\n";
        let file = SourceFile::new("hob.yaml", text);
        let node = parse(&file).node.unwrap();
        let shown = redact(&file, &secret_spans::find(&file, &node), true);
        assert_eq!(shown.text(), wanted);
        assert_eq!(shown.position(text.len()), file.position(text.len()));
    }
}
