//! Logins: tokens for user name and password.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderName;
use serde_json::Value;
use url::Url;

use super::Error;
use super::endpoint::{Endpoint, Failure, seconds, unusable};
use super::token::{Token, lifetime};
use crate::catalog::{Login, path};
use crate::secret::{Redactor, Secret};
use crate::value::parse_duration;

/// `auth: { login: … }` of a connection.
#[derive(Debug, Clone)]
pub struct LoginSettings {
    /// User name.
    pub username: String,
    /// Password.
    pub password: Secret,
}

/// A source of tokens by login.
#[derive(Debug)]
pub(super) struct LoginSource {
    endpoint: Endpoint,
    login: Login,
    settings: LoginSettings,
    lifetime: Option<Duration>,
}

impl LoginSource {
    /// A login as the connector `connector` describes it.
    pub(super) fn new(
        connector: &str,
        base_url: &Url,
        login: Login,
        settings: LoginSettings,
        http: reqwest::Client,
    ) -> Result<Self, Error> {
        let lifetime = check(connector, &login)?;
        Ok(Self { endpoint: Endpoint::new(base_url, &login.url, http)?, login, settings, lifetime })
    }

    pub(super) fn username(&self) -> &str {
        &self.settings.username
    }

    /// Requests a token.
    pub(super) async fn log_in(&self, now: DateTime<Utc>) -> Result<Token, Error> {
        let hidden = Redactor::new(self.secrets());
        let (user, password) = (&self.settings.username, self.settings.password.expose());
        let question = match self.login.form {
            true => self.endpoint.post().form(&self.login.form_fields(user, password)),
            false => self.endpoint.post().json(&self.login.filled(user, password)),
        };
        let answer = self.endpoint.ask(question, &hidden).await;
        answer.and_then(|answer| self.read(&answer, now)).map_err(|failure| self.endpoint.no_token(failure))
    }

    pub(super) fn secrets(&self) -> Vec<Secret> {
        vec![self.settings.password.clone(), Secret::new(self.settings.username.as_str())]
    }

    fn read(&self, answer: &Value, asked: DateTime<Utc>) -> Result<Token, Failure> {
        let found = path::read(answer, &self.login.token);
        let access = found.as_ref().and_then(Value::as_str).filter(|text| !text.is_empty());
        let nothing = || unusable(format!("its answer has no token at `{}`", self.login.token));
        let access = Secret::new(access.ok_or_else(nothing)?);
        let told = self.login.expires_in.as_ref().and_then(|at| path::read(answer, at));
        let lives = told.as_ref().and_then(seconds).or(self.lifetime.map(|lifetime| lifetime.as_secs_f64()));
        let lives = lives.map(lifetime);
        Ok(Token { access, refresh: None, ends: lives.map(|lives| asked + lives), lives })
    }
}

/// Checks `login` of `connector`; returns the token lifetime that it states.
pub fn check(connector: &str, login: &Login) -> Result<Option<Duration>, Error> {
    let wrong = |what: String| Error::BadLogin { connector: connector.to_owned(), what };
    for at in std::iter::once(&login.token).chain(&login.expires_in) {
        path::check(at).map_err(|reason| wrong(format!("`{at}` is not a JSONPath ({reason})")))?;
    }
    HeaderName::try_from(login.header.as_str())
        .map_err(|_| wrong(format!("`{}` is not a header name", login.header)))?;
    if !login.sends_password() {
        return Err(wrong("its body has no `{{ password }}`".into()));
    }
    let lifetime = login.lifetime.as_deref().map(parse_duration).transpose();
    lifetime.map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::token_source::{Origin, TokenSource};
    use super::*;
    use crate::clock::ManualClock;
    use chrono::TimeDelta;
    use serde_json::json;
    use wiremock::matchers::{body_json, body_string, path as at};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    fn source(server: &MockServer, manual: &ManualClock, yaml: &str) -> TokenSource {
        let login: Login = serde_yaml::from_str(&format!(
            "{{ url: /login, body: {{ email: '{{{{ username }}}}', password: '{{{{ password }}}}' }}, {yaml} }}"
        ))
        .unwrap();
        let settings =
            LoginSettings { username: "me@example.com".into(), password: Secret::new("pass word") };
        let http = super::super::http_client(&Default::default()).unwrap();
        let base_url = Url::parse(&server.uri()).unwrap();
        let login = LoginSource::new("x", &base_url, login, settings, http).unwrap();
        TokenSource::new(Origin::Login(login), manual.clock())
    }

    #[tokio::test]
    async fn json_and_forms_are_sent_and_lifetimes_kept() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        for (yaml, told, seconds) in [
            ("token: $.data.token, expires_in: $.data.ttl, lifetime: 2h", json!(600), 600),
            ("token: $.data.token, expires_in: $.ttl, lifetime: 2h", json!(600), 7200),
            ("token: $.data.token, form: true, expires_in: $.data.ttl", json!("600"), 600),
        ] {
            let server = MockServer::start().await;
            let answer = ResponseTemplate::new(200)
                .set_body_json(json!({ "data": { "token": "t-123456", "ttl": told } }));
            let asked = Mock::given(at("/login"));
            let asked = match yaml.contains("form") {
                true => asked.and(body_string("email=me%40example.com&password=pass+word")),
                false => asked.and(body_json(json!({ "email": "me@example.com", "password": "pass word" }))),
            };
            asked.respond_with(answer).expect(2).mount(&server).await;
            let source = source(&server, &manual, yaml);
            assert_eq!(source.token().await.unwrap().expose(), "t-123456");
            manual.advance(TimeDelta::seconds(seconds - 61));
            source.token().await.unwrap();
            manual.advance(TimeDelta::seconds(1));
            source.token().await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_out_of_proportion_is_none() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let long = format!("{{\"token\":\"{}\"}}", "x".repeat(2 << 20));
        let many = format!("{{\"token\":\"t-123456\",\"x\":[{}0]}}", "[],".repeat(20_000));
        for (body, part) in [(long, "larger than any"), (many, "not JSON")] {
            let server = MockServer::start().await;
            let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
            Mock::given(at("/login")).respond_with(answer).mount(&server).await;
            let shown = source(&server, &manual, "token: $.token").token().await.unwrap_err().to_string();
            assert!(shown.contains(part) && shown.len() < 400, "{shown}");
        }
    }

    #[tokio::test]
    async fn a_refusal_names_the_reason_but_no_secret() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(401).set_body_string("`pass word` is wrong");
        Mock::given(at("/login")).respond_with(answer).up_to_n_times(1).mount(&server).await;
        let source = source(&server, &manual, "token: $.token");
        let shown = source.token().await.unwrap_err().to_string();
        assert!(shown.contains("401") && shown.contains("`***` is wrong"), "{shown}");
        let answer = ResponseTemplate::new(200).set_body_json(json!({ "tokn": "t-123456" }));
        Mock::given(at("/login")).respond_with(answer).mount(&server).await;
        let shown = source.token().await.unwrap_err().to_string();
        assert!(shown.contains("no token at `$.token`") && !shown.contains("t-123456"), "{shown}");
    }

    #[test]
    fn unusable_values_are_reported() {
        for (yaml, part) in [
            ("token: $.t", "no `{{ password }}`"),
            ("token: '$.['", "JSONPath"),
            ("token: $.t, lifetime: soon, body: { p: ['{{ password }}'] }", "`soon` is not a duration"),
            ("token: $.t, header: 'a b'", "`a b` is not a header name"),
        ] {
            let body = if yaml.contains("body") { "" } else { "body: {}, " };
            let login: Login = serde_yaml::from_str(&format!("{{ url: /l, {body}{yaml} }}")).unwrap();
            let shown = check("x", &login).unwrap_err().to_string();
            assert!(shown.contains(part) && shown.contains("`x`"), "{shown}");
        }
    }
}
