//! Token endpoints and logins. Codes and refresh tokens can be used once.

use std::collections::HashSet;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::config::USER;
use super::identity::Identity;
use super::refusal::Refusal;
use super::service::Service;
use super::template::Scope;
use crate::catalog::Login;
use crate::value::read_json;

/// Lifetime of tokens in seconds; not enforced.
const LIFETIME: u32 = 3600;

/// Issued tokens.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    access: HashSet<String>,
    refresh: HashSet<String>,
    /// Used codes.
    codes: HashSet<String>,
    made: u64,
}

impl Tokens {
    /// Whether this access token was issued.
    pub(super) fn knows(&self, token: &str) -> bool {
        self.access.contains(token)
    }

    /// Answers a token request.
    pub(super) fn grant(&mut self, service: &Service, seed: u64, body: &[u8]) -> Result<Value, Refusal> {
        let field = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(body);
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        let refused = |message: &str| Err(Refusal::new("grant").message(message));
        match field("grant_type").as_deref() {
            Some("client_credentials") => {}
            Some("authorization_code")
                if field("code").is_some_and(|code| !code.is_empty() && self.codes.insert(code)) => {}
            Some("authorization_code") => return refused("Invalid grant: authorization code is invalid"),
            Some("refresh_token")
                if field("refresh_token").is_some_and(|token| self.refresh.remove(&token)) => {}
            Some("refresh_token") => return refused("Invalid grant: refresh token is invalid"),
            _ => return refused("grant_type must be a valid enum value"),
        }
        let access = self.make(seed);
        let refresh = Self::identity().make(seed, "refresh", self.made);
        self.refresh.insert(refresh.clone());
        let mut scope = Scope::default().with("settings", &json!(service.script.settings));
        scope.set("access_token", &Value::from(access.clone()));
        scope.set("refresh_token", &Value::from(refresh.clone()));
        let usual = || json!({ "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": LIFETIME });
        Ok(service
            .script
            .token_answer
            .as_ref()
            .and_then(|answer| answer.render(&scope))
            .unwrap_or_else(usual))
    }
    /// Answers a login.
    pub(super) fn log_in(
        &mut self,
        service: &Service,
        login: &Login,
        seed: u64,
        body: &[u8],
    ) -> Result<Value, Refusal> {
        if !service.passwords().any(|password| is_login(login, password, body)) {
            return Err(Refusal::new("unauthorized").message("user name or password is wrong"));
        }
        let mut answer = json!({});
        put(&mut answer, &login.token, self.make(seed).into());
        if let Some(at) = &login.expires_in {
            put(&mut answer, at, LIFETIME.into());
        }
        Ok(answer)
    }

    /// A new access token.
    fn make(&mut self, seed: u64) -> String {
        self.made += 1;
        let access = Self::identity().make(seed, "access", self.made);
        self.access.insert(access.clone());
        access
    }

    fn identity() -> Identity {
        Identity { length: 40, ..Identity::default() }
    }
}

/// Whether `body` is a login of the user with this password.
fn is_login(login: &Login, password: &str, body: &[u8]) -> bool {
    if login.form {
        let given: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        return given == login.form_fields(USER, password);
    }
    read_json(body, None).is_ok_and(|given| given == login.filled(USER, password))
}

/// Puts `value` at `path`, a JSONPath of plain names.
fn put(answer: &mut Value, path: &str, value: Value) {
    let names = path.trim_start_matches('$').split('.').filter(|name| !name.is_empty());
    let place = names.fold(answer, |place, name| {
        if !place.is_object() {
            *place = json!({});
        }
        &mut place[name]
    });
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_where_paths_find_them() {
        let mut answer = json!({});
        put(&mut answer, "$.data.token", "t".into());
        put(&mut answer, "$.data.ttl", 5.into());
        assert_eq!(answer, json!({ "data": { "token": "t", "ttl": 5 } }));
    }
}
