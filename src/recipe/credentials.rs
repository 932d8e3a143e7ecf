//! Credentials that are written out in a recipe.

use super::model::Recipe;
use crate::secret::credential_in;
use crate::source::Span;
use crate::template::{TemplateTree, TreeShape};

/// Ends of the names of inputs and headers whose values are credentials, in small letters and without signs.
const NAMES: [&str; 10] = [
    "password",
    "passwd",
    "secret",
    "apikey",
    "apitoken",
    "accesstoken",
    "authtoken",
    "refreshtoken",
    "privatekey",
    "authorization",
];
/// Shorter values are words or placeholders.
const MIN_LENGTH: usize = 8;

/// A credential that is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its span.
    pub span: Span,
    /// What it looks like, in words.
    pub what: String,
}

impl Recipe {
    /// Credentials that its steps and its poll write out.
    pub fn credentials(&self) -> Vec<Credential> {
        let mut found = Vec::new();
        let poll = match &self.trigger {
            super::trigger::Trigger::Poll(poll) => Some(&poll.with),
            _ => None,
        };
        let inputs = poll.into_iter().chain(self.all_actions().map(|action| &action.with));
        inputs.for_each(|tree| collect(tree, None, &mut found));
        self.vars.iter().for_each(|(name, tree)| collect(tree, Some(name), &mut found));
        found
    }
}

/// `name` is that of the field that holds the value.
fn collect(tree: &TemplateTree, name: Option<&str>, found: &mut Vec<Credential>) {
    match &tree.shape {
        TreeShape::Text(template) => {
            let text = template.text();
            let recognised: Vec<Credential> = template
                .literal_parts()
                .into_iter()
                .filter_map(|part| {
                    let (range, what) = credential_in(&text[part.clone()])?;
                    let span = template.place(part.start + range.start..part.start + range.end);
                    Some(Credential { span, what: what.to_owned() })
                })
                .collect();
            let by_name = name.filter(|name| {
                recognised.is_empty() && template.is_literal() && is_secret(name) && looks_made(text)
            });
            found.extend(recognised);
            found.extend(
                by_name
                    .map(|name| Credential { span: template.span, what: format!("the value of `{name}`") }),
            );
        }
        TreeShape::List(items) => items.iter().for_each(|item| collect(item, name, found)),
        TreeShape::Map(entries) => {
            entries.iter().for_each(|(key, value)| collect(value, Some(key), found));
        }
        TreeShape::Fixed(_) => {}
    }
}

fn is_secret(name: &str) -> bool {
    let folded: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    NAMES.iter().any(|name| folded.ends_with(name))
}

/// Whether it may be a credential: a long word that is no placeholder.
fn looks_made(text: &str) -> bool {
    let word = text.trim();
    let word =
        ["Bearer ", "Basic ", "Token "].iter().find_map(|scheme| word.strip_prefix(scheme)).unwrap_or(word);
    let distinct = word.chars().collect::<std::collections::BTreeSet<char>>().len();
    word.len() >= MIN_LENGTH
        && distinct >= 4
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && !word.contains([' ', '<', '>', '…', '$', '{'])
        && !word.contains("...")
}

#[cfg(test)]
mod tests {
    use crate::recipe::parse;
    use crate::source::SourceFile;

    fn found(with: &str) -> Vec<String> {
        let text =
            format!("name: r\ntrigger: {{ manual: {{}} }}\nactions:\n- do: http.request\n  with: {with}\n");
        let file = SourceFile::new("r.yaml", text);
        let recipe = parse(&file).recipe.unwrap();
        recipe.credentials().iter().map(|found| file.slice(found.span).to_owned()).collect()
    }

    #[test]
    fn credentials_are_recognised_by_their_form_and_by_their_name() {
        for (with, wanted) in [
            (
                "{ url: 'https://a.test', headers: { Authorization: 'Bearer pit-11111111-2222-3333-4444-555555555555' } }",
                "pit-11111111-2222-3333-4444-555555555555",
            ),
            ("{ url: 'https://a.test', headers: { X-API-Key: q8w7e6r5t4 } }", "q8w7e6r5t4"),
            ("{ url: 'https://a.test', json: { login: { password: 'hunter2222' } } }", "'hunter2222'"),
            ("{ url: 'https://a.test/?api_key=8f14e45fceea167a&x={{ event.id }}' }", "8f14e45fceea167a"),
            ("{ url: 'https://me:hunter2@a.test/x' }", "me:hunter2"),
        ] {
            assert_eq!(found(with), [wanted], "{with}");
        }
    }

    #[test]
    fn ordinary_values_are_no_credentials() {
        for with in [
            "{ url: 'https://a.test', headers: { Authorization: 'Bearer {{ env.TOKEN }}' } }",
            "{ url: 'https://a.test', headers: { Authorization: '{{ env.TOKEN }}' } }",
            "{ url: 'https://a.test', headers: { Authorization: 'Bearer YOUR_TOKEN_HERE' } }",
            "{ url: 'https://a.test', headers: { X-API-Key: '<your key 1>' } }",
            "{ url: 'https://a.test', headers: { X-API-Key: xxxxxxxx1 } }",
            "{ url: 'https://a.test', json: { password: changeme, secret: none, token: page-2-of-300 } }",
            "{ url: 'https://a.test/{{ event.id }}?token={{ env.T }}&page=12345678' }",
            "{ url: 'https://a.test/contacts/BnYxBcLqKz5m2vT8sHdE/notes' }",
            "{ url: 'https://a.test', json: { contactId: BnYxBcLqKz5m2vT8sHdE, note: 'the secret of 12345678' } }",
            "{ url: 'https://a.test', json: { id: 3f2504e0-4f89-11d3-9a0c-0305e82c3301 } }",
        ] {
            assert_eq!(found(with), Vec::<String>::new(), "{with}");
        }
    }
}
