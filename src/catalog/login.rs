//! Logins: the request that exchanges user name and password for a token.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Placeholder of the user name in a login's body.
const USERNAME: &str = "{username}";
/// Placeholder of the password.
const PASSWORD: &str = "{password}";

/// How an API exchanges user name and password for a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Login address, absolute or relative to the base URL.
    pub url: String,
    /// The body, with the placeholders `{username}` and `{password}`.
    pub body: IndexMap<String, Value>,
    /// Sent as a form instead of JSON.
    #[serde(default)]
    pub form: bool,
    /// JSONPath of the token in the answer.
    pub token: String,
    /// JSONPath of the token's lifetime in seconds.
    #[serde(default)]
    pub expires_in: Option<String>,
    /// The token's lifetime if the answer does not state it, such as `12h`.
    #[serde(default)]
    pub lifetime: Option<String>,
    /// Header for the token.
    #[serde(default = "authorization")]
    pub header: String,
    /// Scheme before the token; empty for the token alone.
    #[serde(default = "bearer")]
    pub scheme: String,
}

fn authorization() -> String {
    "Authorization".into()
}

fn bearer() -> String {
    "Bearer".into()
}

impl Login {
    /// Whether the body has a place for the password.
    pub fn sends_password(&self) -> bool {
        self.body.values().any(|value| value.to_string().contains(PASSWORD))
    }

    /// The body for this user.
    pub fn filled(&self, username: &str, password: &str) -> Value {
        let filled = |(name, value): (&String, &Value)| (name.clone(), fill(value, username, password));
        Value::Object(self.body.iter().map(filled).collect())
    }

    /// The form fields for this user.
    pub fn form_fields(&self, username: &str, password: &str) -> Vec<(String, String)> {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let filled = self.body.iter().map(|(name, value)| (name.clone(), fill(value, username, password)));
        filled.map(|(name, value)| (name, text(value))).collect()
    }
}

fn fill(value: &Value, username: &str, password: &str) -> Value {
    match value {
        Value::String(text) => Value::String(fill_text(text, username, password)),
        Value::Array(items) => items.iter().map(|item| fill(item, username, password)).collect(),
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.clone(), fill(value, username, password))).collect()
        }
        other => other.clone(),
    }
}

/// Replaced in one pass, because a password may look like a placeholder.
fn fill_text(text: &str, username: &str, password: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let (value, length) = match rest {
            _ if rest.starts_with(USERNAME) => (username, USERNAME.len()),
            _ if rest.starts_with(PASSWORD) => (password, PASSWORD.len()),
            _ => ("{", 1),
        };
        filled.push_str(value);
        rest = &rest[length..];
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::super::AuthScheme;
    use super::*;
    use serde_json::json;

    fn login(yaml: &str) -> Login {
        match serde_yaml::from_str(&format!("{{ kind: login, {yaml} }}")).expect("a scheme") {
            AuthScheme::Login(login) => login,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn user_and_password_are_filled_in_wherever_they_stand() {
        let login = login(
            "url: /login, token: $.token, \
             body: { user: { name: '{username}' }, secret: 'p={password}{x}', days: 3 }",
        );
        assert_eq!((login.header.as_str(), login.scheme.as_str()), ("Authorization", "Bearer"));
        let filled = login.filled("{password}", "s3cret");
        assert_eq!(filled, json!({ "user": { "name": "{password}" }, "secret": "p=s3cret{x}", "days": 3 }));
        let fields = login.form_fields("me", "s3cret");
        assert_eq!(fields[0], ("user".into(), r#"{"name":"me"}"#.into()));
        assert_eq!(fields[2], ("days".into(), "3".into()));
    }

    #[test]
    fn a_field_that_is_none_is_refused() {
        let text = "{ kind: login, url: /login, body: {}, token: $.token, tokn: x }";
        let error = serde_yaml::from_str::<AuthScheme>(text).unwrap_err();
        assert!(error.to_string().contains("tokn"), "{error}");
    }
}
