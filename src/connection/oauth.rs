//! OAuth client credentials: one token, shared by all requests, fetched when it is needed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;
use serde::Deserialize;
use url::Url;

use super::Error;
use super::credential::OauthSettings;
use super::transport::with_causes;
use crate::clock::Clock;
use crate::secret::{Redactor, Secret};

/// A token is replaced this long before it ends, so that none ends on its way.
const MARGIN: TimeDelta = TimeDelta::seconds(60);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where tokens come from, and the present one.
#[derive(Debug)]
pub struct TokenSource {
    url: Url,
    settings: OauthSettings,
    extra: IndexMap<String, String>,
    http: reqwest::Client,
    clock: Clock,
    /// Held while a token is fetched, so that only one is.
    fetching: tokio::sync::Mutex<()>,
    present: Mutex<Option<Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    text: Secret,
    ends: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<f64>,
}

impl TokenSource {
    pub(super) fn new(
        url: Url,
        settings: OauthSettings,
        extra: IndexMap<String, String>,
        http: reqwest::Client,
        clock: Clock,
    ) -> Self {
        Self {
            url,
            settings,
            extra,
            http,
            clock,
            fetching: tokio::sync::Mutex::default(),
            present: Mutex::default(),
        }
    }

    /// A token that is valid as far as we know.
    pub(super) async fn token(&self) -> Result<Secret, Error> {
        if let Some(token) = self.valid() {
            return Ok(token);
        }
        let _one = self.fetching.lock().await;
        match self.valid() {
            Some(token) => Ok(token),
            None => self.fetch().await,
        }
    }

    /// Replaces the token `refused`, unless that was done meanwhile.
    pub(super) async fn refresh(&self, refused: &str) -> Result<(), Error> {
        let _one = self.fetching.lock().await;
        match self.valid() {
            Some(token) if token.expose() != refused => Ok(()),
            _ => self.fetch().await.map(drop),
        }
    }

    pub(super) fn secrets(&self) -> Vec<Secret> {
        let present = self.present().map(|token| token.text);
        std::iter::once(self.settings.client_secret.clone()).chain(present).collect()
    }

    fn present(&self) -> Option<Token> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn valid(&self) -> Option<Secret> {
        let now = self.clock.now();
        self.present().filter(|token| token.ends.is_none_or(|ends| now < ends)).map(|token| token.text)
    }

    async fn fetch(&self) -> Result<Secret, Error> {
        let scope = self.settings.scopes.join(" ");
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &self.settings.client_id),
            ("client_secret", self.settings.client_secret.expose()),
        ];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        form.extend(self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let asked = self.clock.now();
        let sent = self.http.post(self.url.clone()).form(&form).timeout(TIMEOUT).send().await;
        let answer = sent.map_err(|error| self.no_token(with_causes(&error.without_url()), true))?;
        let status = answer.status();
        let body =
            answer.bytes().await.map_err(|error| self.no_token(with_causes(&error.without_url()), true))?;
        if !status.is_success() {
            let passing = status.is_server_error() || status.as_u16() == 429;
            return Err(self.no_token(format!("it answered {status}: {}", start_of(&body)), passing));
        }
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| self.no_token(format!("its answer is no token answer ({error})"), false))?;
        let text = Secret::new(answer.access_token);
        let lives = answer.expires_in.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        let ends = lives.map(|seconds| asked + TimeDelta::seconds(seconds.min(1e9) as i64) - MARGIN);
        *self.present.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Token { text: text.clone(), ends });
        Ok(text)
    }

    fn no_token(&self, reason: String, passing: bool) -> Error {
        let reason = Redactor::new(self.secrets()).text(&reason);
        let mut url = self.url.clone();
        url.set_query(None);
        Error::NoToken { url: url.to_string(), reason, passing }
    }
}

fn start_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HandClock;
    use chrono::DateTime;
    use wiremock::matchers::{body_string_contains, method};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    async fn source(server: &MockServer, clock: Clock) -> TokenSource {
        let http = super::super::http_client(&Default::default()).unwrap();
        let settings = OauthSettings {
            client_id: "me".into(),
            client_secret: Secret::new("very-secret"),
            scopes: vec!["a".into(), "b".into()],
        };
        TokenSource::new(Url::parse(&server.uri()).unwrap(), settings, IndexMap::new(), http, clock)
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
        let hand = HandClock::new(DateTime::UNIX_EPOCH);
        let source = source(&server, hand.clock()).await;
        let (a, b) = tokio::join!(source.token(), source.token());
        assert_eq!((a.unwrap().expose(), b.unwrap().expose()), ("token-1", "token-1"));
        hand.advance(TimeDelta::seconds(3541));
        assert_eq!(source.token().await.unwrap().expose(), "token-2");
        let (a, b) = tokio::join!(source.refresh("token-2"), source.refresh("token-2"));
        a.and(b).unwrap();
        assert_eq!(source.token().await.unwrap().expose(), "token-3");
    }

    #[tokio::test]
    async fn a_refusal_names_the_reason_but_no_secret() {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(400).set_body_string("bad client very-secret");
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let error = source(&server, Clock::system()).await.token().await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("bad client ***") && shown.contains("400"), "{shown}");
    }
}
