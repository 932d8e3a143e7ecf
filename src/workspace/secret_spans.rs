//! The secret parts of `hob.yaml`: everything below `auth`, where alerts go to, and user information in addresses.

use std::sync::LazyLock;

use regex::Regex;

use crate::source::{Data, Node, SourceFile, Span, ValueFinder};

/// A secret with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretSpan {
    /// The value that contains it.
    pub(super) span: Span,
    /// The secret, with variables replaced.
    pub(super) text: String,
    /// Whether it may be a word that occurs elsewhere, such as a user name.
    pub(super) is_name: bool,
}

/// Fields below `auth` that are not secret.
const OPEN: [&str; 3] = ["name", "scopes", "redirect"];
/// Fields below `auth` that identify the user.
const NAMES: [&str; 2] = ["username", "client_id"];
/// All fields below `auth`.
const KNOWN: [&str; 14] = [
    "token",
    "header",
    "basic",
    "oauth",
    "login",
    "name",
    "url",
    "value",
    "username",
    "password",
    "client_id",
    "client_secret",
    "scopes",
    "redirect",
];

/// Whether a field of this name holds secrets, wherever it is.
fn is_secretive(key: &str) -> bool {
    let key = key.to_lowercase();
    matches!(key.as_str(), "value" | "slack" | "webhook")
        || ["auth", "token", "secret", "passw", "pwd", "credential", "apikey", "api_key", "api-key", "bearer"]
            .iter()
            .any(|part| key.contains(part))
}

/// Whether a mapping describes a connection: its name may be any word, such as `token`, and makes nothing secret.
fn is_connection(node: &Node) -> bool {
    node.as_map().is_some_and(|entries| entries.iter().any(|(key, _)| key.value == "connector"))
}

/// The secrets below `node`, a tree with variables replaced.
pub(super) fn find(file: &SourceFile, node: &Node) -> Vec<SecretSpan> {
    let mut found = Vec::new();
    walk(file, node, false, false, &mut found);
    found
}

fn walk(file: &SourceFile, node: &Node, secretive: bool, is_name: bool, found: &mut Vec<SecretSpan>) {
    let hide = |text: &str, is_name: bool| SecretSpan { span: node.span, text: text.to_owned(), is_name };
    match &node.value {
        Data::List(items) => items.iter().for_each(|item| walk(file, item, secretive, is_name, found)),
        Data::Map(entries) => {
            for (key, value) in entries {
                if secretive && !KNOWN.contains(&key.value.as_str()) {
                    found.push(SecretSpan { span: key.span, text: key.value.clone(), is_name: false });
                }
                // A query in an address is rejected; it may contain a key.
                if let ("base_url", Some((_, query))) =
                    (key.as_str(), value.as_text().and_then(|url| url.split_once(['?', '#'])))
                {
                    found.push(SecretSpan { span: value.span, text: query.to_owned(), is_name: false });
                    let values = query.split('&').filter_map(|pair| pair.split_once('='));
                    found.extend(values.map(|(_, text)| SecretSpan {
                        span: value.span,
                        text: text.to_owned(),
                        is_name: false,
                    }));
                }
                let named = is_secretive(key) && !is_connection(value);
                let inside = (secretive || named) && !OPEN.contains(&key.value.as_str());
                walk(file, value, inside, inside && NAMES.contains(&key.value.as_str()), found);
            }
        }
        Data::Text(text) if secretive => found.push(hide(text, is_name)),
        Data::Int(_) | Data::Float(_) if secretive => {
            found.push(hide(&node.to_value().to_string(), is_name));
            // As written: 007, 1_000.
            found.push(hide(file.slice(node.span), is_name));
        }
        Data::Text(text) => found.extend(
            user_information(text)
                .into_iter()
                .flat_map(|(user, password)| {
                    let written =
                        [(user, true)].into_iter().chain(password.map(|password| (password, false)));
                    let meant = |text: &str| {
                        percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
                    };
                    written
                        .flat_map(move |(text, is_name)| [(text.to_owned(), is_name), (meant(text), is_name)])
                })
                .map(|(text, is_name)| hide(&text, is_name)),
        ),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Float(_) => {}
    }
    found.retain(|hidden| !hidden.text.trim().is_empty());
}

/// User name and password of an address (RFC 3986, 3.2.1), also of a malformed one.
pub(super) fn user_information(address: &str) -> Option<(&str, Option<&str>)> {
    let (user, _) = address.split_once("://")?.1.rsplit_once('@')?;
    match user.split_once(':') {
        Some((user, password)) => Some((user, Some(password))),
        None => Some((user, None)),
    }
}

/// Spans of likely secrets in a text that does not parse. Errs on the side of too much.
pub(super) fn guess(text: &str) -> Vec<Span> {
    static VALUES: LazyLock<Option<ValueFinder>> = LazyLock::new(|| {
        let word = "auth|token|secret|passw|pwd|credential|api[_-]?key|bearer";
        let field = format!(r#"(?i)["']?(?:[\w.-]*(?:{word})[\w.-]*|\bvalue)["']?\s*[:=]"#);
        let known = KNOWN.join("|");
        ValueFinder::new(&field, &format!(r#"["']?\b(?:{known})["']?\s*:(?:\s|$)|\$\{{\w+\}}"#)).ok()
    });
    static USER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"://([^\s"']*)@"#).ok());
    let (Some(values), Some(user)) = (VALUES.as_ref(), USER.as_ref()) else {
        return vec![Span::new(0, text.len())];
    };
    let users = user.captures_iter(text).filter_map(|captures| captures.get(1));
    let users = users.map(|user| Span::new(user.start(), user.end()));
    values.find(text).into_iter().chain(users).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::parse;

    fn found(text: &str) -> Vec<(String, bool)> {
        let file = SourceFile::new("hob.yaml", text);
        let node = parse(&file).node.unwrap();
        find(&file, &node).into_iter().map(|hidden| (hidden.text, hidden.is_name)).collect()
    }

    #[test]
    fn all_below_auth_is_secret_and_so_are_users_in_addresses() {
        let text = "connections:
  a: { auth: { token: pit-1 }, base_url: 'https://me:p%40w@h/v1' }
  b: { auth: { header: { name: X-Key, value: 0123 } } }
  c: { auth: { basic: { username: u1, password: 55.50 } } }
  d: { auth: { oauth: { client_id: id1, client_secret: s1, scopes: [a.b], redirect: http://x } } }
  e: { auth: { tokn: t1, other: [t2, { x: t3 }] } }
  f: { auth: t4, base_url: https://t5@h }
store: postgres://me:pw@h/db
";
        let (names, secrets): (Vec<_>, Vec<_>) = found(text).into_iter().partition(|(_, is_name)| *is_name);
        let texts = |all: Vec<(String, bool)>| all.into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        let wanted = [
            "pit-1", "p%40w", "p@w", "0123", "55.5", "55.50", "s1", "tokn", "t1", "other", "t2", "x", "t3",
            "t4", "pw", "pw",
        ];
        let mut secrets = texts(secrets);
        secrets.retain(|text| text != "123");
        assert_eq!(secrets, wanted);
        assert_eq!(texts(names), ["me", "me", "u1", "id1", "t5", "t5", "me", "me"]);
    }

    #[test]
    fn the_name_of_a_connection_makes_nothing_secret() {
        let text = "connections:
  token: { connector: highlevel, location: loc-1, auth: { token: pit-1 } }
  bearer: pit-2
";
        let secrets: Vec<String> = found(text).into_iter().map(|(text, _)| text).collect();
        assert_eq!(secrets, ["pit-1", "pit-2"]);
    }

    fn guessed(text: &str) -> String {
        let file = SourceFile::new("hob.yaml", text);
        file.masked(guess(text)).text().to_owned()
    }

    #[test]
    fn unparsable_texts_are_masked_generously() {
        for (text, wanted) in [
            ("  auth: { token: pit-1\n  b: c\n", "  auth: { token: *****\n  b: c\n"),
            (
                "auth:\n  token: pit-1\n  header: { name: X, value: k-1 }\nx: [\n",
                "auth:\n  token: *****\n  header: { name: *, value: *** }\nx: [\n",
            ),
            ("auth:\ntoken: \"a b: c\n", "auth:\ntoken: \"* *: *\n"),
            (
                "  password: |\n    line 1\n    line 2\nnext: 1: 2\n",
                "  password: |\n    **** *\n    **** *\nnext: 1: 2\n",
            ),
            ("my-api-key = abc # x: y: z\n", "my-api-key = *** * *: *: *\n"),
            ("token: ${TOKEN}\nsecret: ${S:-abc}\n", "token: ${TOKEN}\nsecret: *{*:-***}\n"),
            ("base_url: https://me:p@w@host/x: y: z\n", "base_url: https://******@host/x: y: z\n"),
        ] {
            assert_eq!(guessed(text), wanted, "{text}");
        }
    }
}
