//! OAuth token endpoints: each grant is a form, each answer a token.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::Value;
use url::Url;

use super::Error;
use super::endpoint::{Endpoint, Failure, seconds, unusable};
use super::token::{Token, lifetime};
use crate::secret::{Redactor, Secret};

/// `auth: { oauth: … }` of a connection.
#[derive(Debug, Clone)]
pub struct OauthSettings {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: Secret,
    /// Requested scopes; empty for the endpoint's default.
    pub scopes: Vec<String>,
    /// The redirect address, if not the default one.
    pub redirect: Option<String>,
}

/// An OAuth app.
#[derive(Debug)]
pub(super) struct App {
    pub(super) endpoint: Endpoint,
    pub(super) settings: OauthSettings,
    /// Additional fields of every request.
    pub(super) extra: IndexMap<String, String>,
}

impl App {
    /// A token of the app itself.
    pub(super) async fn client_credentials(&self, now: DateTime<Utc>) -> Result<Token, Error> {
        let scope = self.scope();
        let mut grant = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            grant.push(("scope", &scope));
        }
        self.ask(&grant, &[], now).await.map_err(|failure| self.endpoint.no_token(failure))
    }

    /// Exchanges a code for tokens. A code can be used once.
    pub(super) async fn exchange(
        &self,
        code: &Secret,
        redirect: &Url,
        now: DateTime<Utc>,
    ) -> Result<Token, Error> {
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect.as_str()),
        ];
        let hidden = std::slice::from_ref(code);
        self.ask(&grant, hidden, now).await.map_err(|failure| self.endpoint.no_token(failure))
    }

    /// Refreshes `token`. Its refresh token may be usable only once.
    pub(super) async fn refresh(&self, token: &Token, now: DateTime<Utc>) -> Result<Token, Failure> {
        let Some(refresh) = &token.refresh else {
            return Err(unusable("there is no refresh token".into()));
        };
        let grant = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        let hidden: Vec<Secret> = token.secrets().collect();
        let next = self.ask(&grant, &hidden, now).await?;
        // Without a new refresh token, the old one stays valid.
        Ok(Token { refresh: next.refresh.or_else(|| Some(refresh.clone())), ..next })
    }

    /// Scopes as sent in requests.
    pub(super) fn scope(&self) -> String {
        self.settings.scopes.join(" ")
    }

    pub(super) fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    pub(super) fn client_secret(&self) -> &Secret {
        &self.settings.client_secret
    }

    async fn ask(
        &self,
        grant: &[(&str, &str)],
        hidden: &[Secret],
        now: DateTime<Utc>,
    ) -> Result<Token, Failure> {
        let hidden = Redactor::new(hidden.iter().chain([self.client_secret()]).cloned());
        hidden.add([Secret::new(self.client_id())]);
        let mut form = grant.to_vec();
        form.push(("client_id", &self.settings.client_id));
        form.push(("client_secret", self.client_secret().expose()));
        form.extend(self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answer = self.endpoint.ask(self.endpoint.post().form(&form), &hidden).await?;
        read(&answer, now)
    }
}

fn read(answer: &Value, asked: DateTime<Utc>) -> Result<Token, Failure> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let access = text("access_token").ok_or_else(|| {
        let reason = "its answer has no `access_token`";
        // Some endpoints answer errors with a success status.
        if answer.get("error").is_some() { unusable(reason.into()) } else { Failure::no_answer(reason) }
    })?;
    let lives = answer.get("expires_in").and_then(seconds).map(lifetime);
    Ok(Token {
        access: Secret::new(access),
        refresh: text("refresh_token").map(Secret::new),
        ends: lives.map(|lives| asked + lives),
        lives,
    })
}

#[cfg(test)]
mod tests {
    use super::super::token_source::{Origin, TokenSource};
    use super::*;
    use crate::clock::{Clock, ManualClock};
    use chrono::TimeDelta;
    use wiremock::matchers::{body_string_contains, method};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    fn source(server: &MockServer, clock: Clock) -> TokenSource {
        let http = super::super::http_client(&Default::default()).unwrap();
        let settings = OauthSettings {
            client_id: "me".into(),
            client_secret: Secret::new("very-secret"),
            scopes: vec!["a".into(), "b".into()],
            redirect: None,
        };
        let endpoint = Endpoint::new(&Url::parse(&server.uri()).unwrap(), "/token", http).unwrap();
        TokenSource::new(Origin::App(App { endpoint, settings, extra: IndexMap::new() }), clock)
    }

    fn tokens(server_answers: u64) -> Mock {
        let answers = std::sync::atomic::AtomicU64::new(0);
        Mock::given(method("POST"))
            .and(body_string_contains("grant_type=client_credentials"))
            .and(body_string_contains("scope=a+b"))
            .respond_with(move |_: &wiremock::Request| {
                let n = answers.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                ResponseTemplate::new(200).set_body_json(
                    serde_json::json!({ "access_token": format!("token-{n}"), "expires_in": 3600 }),
                )
            })
            .expect(server_answers)
    }

    #[tokio::test]
    async fn one_token_is_shared_until_it_ends_or_is_refused() {
        let server = MockServer::start().await;
        tokens(3).mount(&server).await;
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let source = source(&server, manual.clock());
        let (a, b) = tokio::join!(source.token(), source.token());
        assert_eq!((a.unwrap().expose(), b.unwrap().expose()), ("token-1", "token-1"));
        manual.advance(TimeDelta::seconds(3541));
        assert_eq!(source.token().await.unwrap().expose(), "token-2");
        let (a, b) = tokio::join!(source.refresh("token-2"), source.refresh("token-2"));
        a.and(b).unwrap();
        assert_eq!(source.token().await.unwrap().expose(), "token-3");
    }

    #[tokio::test]
    async fn a_refusal_names_the_reason_but_no_secret() {
        let server = MockServer::start().await;
        // A cut message must not contain part of a secret.
        let answer = ResponseTemplate::new(400)
            .set_body_string(format!("bad client very-secret{}very-secret", ".".repeat(175)));
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let error = source(&server, Clock::system()).token().await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("bad client ***") && shown.contains("400"), "{shown}");
        assert!(!shown.contains("very"), "{shown}");
    }

    #[test]
    fn answers_are_read_leniently() {
        let read = |answer: Value| read(&answer, DateTime::UNIX_EPOCH);
        let token = read(serde_json::json!({ "access_token": "a", "expires_in": "90" })).unwrap();
        assert_eq!(token.ends.unwrap().timestamp(), 90);
        assert!(read(serde_json::json!({ "access_token": 5 })).unwrap_err().reason.contains("access_token"));
    }
}
