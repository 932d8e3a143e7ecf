//! The token endpoint: gives out tokens, each refresh token good for one use.

use std::collections::HashSet;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::fill::Scope;
use super::identity::Identity;
use super::refusal::Refusal;
use super::service::Service;

/// Tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    access: HashSet<String>,
    refresh: HashSet<String>,
    made: u64,
}

impl Tokens {
    /// Whether this access token was given out.
    pub(super) fn knows(&self, token: &str) -> bool {
        self.access.contains(token)
    }

    /// Answers a token request.
    pub(super) fn grant(&mut self, service: &Service, seed: u64, body: &[u8]) -> Result<Value, Refusal> {
        let field = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(body);
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        let refused = |message: &str| Err(Refusal::new("grant").saying(message));
        match field("grant_type").as_deref() {
            Some("client_credentials" | "authorization_code") => {}
            Some("refresh_token")
                if field("refresh_token").is_some_and(|token| self.refresh.remove(&token)) => {}
            Some("refresh_token") => return refused("Invalid grant: refresh token is invalid"),
            _ => return refused("grant_type must be a valid enum value"),
        }
        let identity = Identity { length: 40, ..Identity::default() };
        self.made += 1;
        let access = identity.make(seed, "access", self.made);
        let refresh = identity.make(seed, "refresh", self.made);
        self.access.insert(access.clone());
        self.refresh.insert(refresh.clone());
        let mut scope = Scope::default().with("settings", &json!(service.script.settings));
        scope.set("access_token", &Value::from(access.clone()));
        scope.set("refresh_token", &Value::from(refresh.clone()));
        let usual = || json!({ "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600 });
        Ok(service
            .script
            .token_answer
            .as_ref()
            .and_then(|answer| answer.render(&scope))
            .unwrap_or_else(usual))
    }
}
