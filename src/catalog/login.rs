//! Logins: the request that exchanges user name and password for a token.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::placeholder::{PlaceholderName, ValueTemplate};

/// How an API exchanges user name and password for a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Login address, absolute or relative to the base URL.
    pub url: String,
    /// The body, with the placeholders `{{ username }}` and `{{ password }}`.
    #[schemars(with = "IndexMap<String, Value>")]
    pub body: IndexMap<String, ValueTemplate<LoginField>>,
    /// Sent as a form instead of JSON.
    #[serde(default)]
    pub form: bool,
    /// JSONPath of the token in the answer.
    pub token: String,
    /// JSONPath of the token's lifetime in seconds.
    pub expires_in: Option<String>,
    /// The token's lifetime if the answer does not state it, such as `12h`.
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

/// What a placeholder in a login's body may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginField {
    /// The user name.
    Username,
    /// The password.
    Password,
}

impl PlaceholderName for LoginField {
    fn read(text: &str) -> Result<Self, String> {
        let named = [Self::Username, Self::Password].into_iter().find(|field| field.text() == text);
        named.ok_or_else(|| {
            format!(
                "`{{{{ {text} }}}}` is unknown; a login has `{{{{ username }}}}` and `{{{{ password }}}}`"
            )
        })
    }

    fn text(&self) -> &str {
        match self {
            Self::Username => "username",
            Self::Password => "password",
        }
    }

    fn old_notation(text: &str) -> Option<String> {
        let field =
            ["username", "password"].into_iter().find(|field| text.contains(&format!("{{{field}}}")))?;
        Some(format!("a placeholder has two braces: write `{{{{ {field} }}}}` instead of `{{{field}}}`"))
    }
}

impl Login {
    /// Whether the body has a place for the password.
    pub fn sends_password(&self) -> bool {
        self.body.values().flat_map(ValueTemplate::names).any(|field| *field == LoginField::Password)
    }

    /// The body for this user.
    pub fn filled(&self, username: &str, password: &str) -> Value {
        let value = |field: &LoginField| {
            Some(Value::from(match field {
                LoginField::Username => username,
                LoginField::Password => password,
            }))
        };
        let filled = self.body.iter().map(|(name, field)| Some((name.clone(), field.fill(&value)?)));
        filled.flatten().collect()
    }

    /// The form fields for this user.
    pub fn form_fields(&self, username: &str, password: &str) -> Vec<(String, String)> {
        let Value::Object(fields) = self.filled(username, password) else { return Vec::new() };
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        fields.into_iter().map(|(name, value)| (name, text(value))).collect()
    }
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
             body: { user: { name: '{{ username }}' }, secret: 'p={{password}}{x}', days: 3 }",
        );
        assert_eq!((login.header.as_str(), login.scheme.as_str()), ("Authorization", "Bearer"));
        let filled = login.filled("{{ password }}", "s3cret");
        assert_eq!(
            filled,
            json!({ "user": { "name": "{{ password }}" }, "secret": "p=s3cret{x}", "days": 3 })
        );
        let fields = login.form_fields("me", "s3cret");
        assert_eq!(fields[0], ("user".into(), r#"{"name":"me"}"#.into()));
        assert_eq!(fields[2], ("days".into(), "3".into()));
    }

    #[test]
    fn a_placeholder_that_is_none_is_refused() {
        for (text, part) in [
            ("{{ user }}", "`{{ user }}` is unknown"),
            ("{{ username", "not closed by `}}`"),
            ("p={password}", "write `{{ password }}` instead of `{password}`"),
        ] {
            let error = serde_yaml::from_str::<AuthScheme>(&format!(
                "{{ kind: login, url: /login, body: {{ a: [{{ b: '{text}' }}] }}, token: $.t }}"
            ));
            assert!(error.unwrap_err().to_string().contains(part), "{text}");
        }
    }

    #[test]
    fn a_field_that_is_none_is_refused() {
        let text = "{ kind: login, url: /login, body: {}, token: $.token, tokn: x }";
        let error = serde_yaml::from_str::<AuthScheme>(text).unwrap_err();
        assert!(error.to_string().contains("tokn"), "{error}");
    }
}
