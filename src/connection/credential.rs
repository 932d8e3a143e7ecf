//! Credentials, and how requests carry them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::Error;
use super::consent::app;
use super::identity::{Identity, fingerprint};
use super::login::{LoginSettings, LoginSource};
use super::oauth::OauthSettings;
use super::stored_tokens::StoredTokens;
use super::token_file::TokenFile;
use super::token_source::{Origin, TokenSource};
use crate::catalog::{AuthScheme, Connector};
use crate::clock::Clock;
use crate::secret::{Redactor, Secret};

/// A credential. Cheap to clone; clones share fetched tokens.
#[derive(Debug, Clone, Default)]
pub enum Credential {
    /// No credential.
    #[default]
    None,
    /// `Authorization: Bearer …`
    Bearer(Secret),
    /// A header defined by the API.
    Header(ApiHeader),
    /// `Authorization: Basic …`
    Basic {
        /// User name.
        username: String,
        /// Password.
        password: Secret,
    },
    /// A token fetched by OAuth or a login, and the header that carries it.
    Fetched(Arc<TokenSource>, Carrier),
}

/// A header with a key.
#[derive(Debug, Clone)]
pub struct ApiHeader {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Secret,
}

/// The header of a fetched token.
#[derive(Debug, Clone)]
pub struct Carrier {
    header: String,
    /// Scheme before the token.
    scheme: String,
}

impl Carrier {
    fn oauth() -> Self {
        Self { header: AUTHORIZATION.as_str().into(), scheme: "Bearer".into() }
    }

    fn text(&self, token: &Secret) -> String {
        match self.scheme.is_empty() {
            true => token.expose().to_owned(),
            false => format!("{} {}", self.scheme, token.expose()),
        }
    }

    /// Extracts the token from the headers `used`.
    fn token<'a>(&self, used: &'a HeaderMap) -> &'a str {
        let text = used.get(&self.header).and_then(|value| value.to_str().ok()).unwrap_or_default();
        text.strip_prefix(&self.scheme).unwrap_or(text).trim_start()
    }
}

impl Credential {
    /// OAuth tokens as `connector` describes them; its endpoint is relative to `base_url` unless absolute. If a
    /// person has to consent, they are those that `hob connect` stored in `file` for `connection`.
    pub fn oauth(
        connection: &str,
        connector: &Connector,
        base_url: &Url,
        settings: OauthSettings,
        file: TokenFile,
        http: reqwest::Client,
        clock: Clock,
    ) -> Result<Self, Error> {
        let (app, page) = app(connector, base_url, settings, http)?;
        let origin = match page {
            None => Origin::App(app),
            Some(_) => Origin::Stored(Arc::new(StoredTokens::new(connection, app, file))),
        };
        Ok(Self::Fetched(Arc::new(TokenSource::new(origin, clock)), Carrier::oauth()))
    }

    /// Tokens from a login as `connector` describes it.
    pub fn login(
        connector: &Connector,
        base_url: &Url,
        settings: LoginSettings,
        http: reqwest::Client,
        clock: Clock,
    ) -> Result<Self, Error> {
        let login = connector.auth.iter().find_map(|scheme| match scheme {
            AuthScheme::Login(login) => Some(login.clone()),
            _ => None,
        });
        let login = login.ok_or_else(|| Error::no_scheme(connector, "login"))?;
        let carrier = Carrier { header: login.header.clone(), scheme: login.scheme.clone() };
        let source = LoginSource::new(&connector.connector, base_url, login, settings, http)?;
        Ok(Self::Fetched(Arc::new(TokenSource::new(Origin::Login(source), clock)), carrier))
    }

    /// The headers with the credential. Fetches a token first if there is no valid one.
    pub(super) async fn headers(&self, connection: &str) -> Result<HeaderMap, Error> {
        let (name, text) = match self {
            Credential::None => return Ok(HeaderMap::new()),
            Credential::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.expose())),
            Credential::Header(ApiHeader { name, value }) => {
                (header_name(connection, name)?, value.expose().to_owned())
            }
            Credential::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
                (AUTHORIZATION, format!("Basic {pair}"))
            }
            Credential::Fetched(source, carrier) => {
                (header_name(connection, &carrier.header)?, carrier.text(&source.token().await?))
            }
        };
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| Error::BadHeader { connection: connection.to_owned(), what: "credential".into() })?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(name, value)]))
    }

    /// The identity that the credential of `connection` represents at the API.
    pub(super) fn identity(&self, connection: &str) -> Identity {
        let (kind, credential, app) = match self {
            Credential::None => return Identity::default(),
            Credential::Bearer(token) => ("token", fingerprint(token.expose()), None),
            Credential::Header(ApiHeader { value, .. }) => ("header", fingerprint(value.expose()), None),
            Credential::Basic { username, .. } => ("basic", format!("user={username}"), None),
            Credential::Fetched(source, _) => match source.origin() {
                Origin::App(app) => ("oauth", format!("app={}", app.client_id()), Some(app.client_id())),
                Origin::Login(login) => ("login", format!("user={}", login.username()), None),
                // Each connection has its own tokens.
                Origin::Stored(kept) => {
                    ("oauth", format!("app={} {connection}", kept.client_id()), Some(kept.client_id()))
                }
            },
        };
        let app = app.map(|app| format!("app={app}"));
        Identity { kind: Some(kind), credential: Some(credential), app }
    }

    /// After a 401 to a request with the headers `used`: gets a new token, once for all waiting requests. `false` if
    /// there is nothing to refresh.
    pub(super) async fn refresh(&self, used: &HeaderMap) -> Result<bool, Error> {
        let Credential::Fetched(source, carrier) = self else { return Ok(false) };
        source.refresh(carrier.token(used)).await?;
        Ok(true)
    }

    /// Whether a person has consented again after consent had ended.
    pub(super) fn is_renewed(&self) -> bool {
        match self {
            Credential::Fetched(source, _) => {
                matches!(source.origin(), Origin::Stored(kept) if kept.is_renewed())
            }
            _ => false,
        }
    }

    /// Waits for token requests in flight whose tokens must be stored.
    pub(super) async fn finish_token_requests(&self) {
        if let Credential::Fetched(source, _) = self {
            source.finish_token_requests().await;
        }
    }

    /// All secrets.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        match self {
            Credential::None => vec![],
            Credential::Bearer(secret) | Credential::Header(ApiHeader { value: secret, .. }) => {
                vec![secret.clone()]
            }
            Credential::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
                vec![password.clone(), Secret::new(pair)]
            }
            Credential::Fetched(source, _) => source.secrets(),
        }
    }

    /// Makes `redactor` learn fetched tokens.
    pub(super) fn hide_tokens_in(&self, redactor: &Redactor) {
        if let Credential::Fetched(source, _) = self {
            source.hide_tokens_in(redactor);
        }
    }
}

fn header_name(connection: &str, name: &str) -> Result<HeaderName, Error> {
    HeaderName::try_from(name).map_err(|_| Error::BadHeader {
        connection: connection.to_owned(),
        what: format!("header name `{name}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_kind_becomes_its_header() {
        let secret = || Secret::new("s3cr3t-value");
        let cases = [
            (Credential::Bearer(secret()), "authorization", "Bearer s3cr3t-value"),
            (
                Credential::Header(ApiHeader { name: "X-API-Key".into(), value: secret() }),
                "x-api-key",
                "s3cr3t-value",
            ),
            (
                Credential::Basic { username: "me".into(), password: secret() },
                "authorization",
                "Basic bWU6czNjcjN0LXZhbHVl",
            ),
        ];
        for (credential, name, expected) in cases {
            let headers = credential.headers("c").await.unwrap();
            assert_eq!(headers[name], expected);
            assert!(!format!("{credential:?} {headers:?}").contains("s3cr3t"), "{credential:?}");
        }
        let broken = Credential::Bearer(Secret::new("line\nbreak"));
        assert!(!broken.headers("c").await.unwrap_err().to_string().contains("break\""));
    }

    #[test]
    fn a_fetched_token_is_found_again_in_its_header() {
        let token = Secret::new("t-123456");
        for (header, scheme, text) in [
            ("Authorization", "Bearer", "Bearer t-123456"),
            ("X-Session", "", "t-123456"),
            ("X-Session", "Token", "Token t-123456"),
        ] {
            let carrier = Carrier { header: header.into(), scheme: scheme.into() };
            assert_eq!(carrier.text(&token), text);
            let name = HeaderName::try_from(header).unwrap();
            let used = HeaderMap::from_iter([(name, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(carrier.token(&used), "t-123456");
        }
    }

    #[test]
    fn a_scheme_that_is_not_there_is_refused_with_a_way_out() {
        let connector: Connector =
            serde_yaml::from_str("connector: x\ntitle: X\nabout: X\nauth: [{ kind: bearer }]").unwrap();
        let settings = LoginSettings { username: "a".into(), password: Secret::new("b") };
        let url = Url::parse("https://x/").unwrap();
        let http = super::super::http_client(&Default::default()).unwrap();
        let error = Credential::login(&connector, &url, settings, http, Clock::system()).unwrap_err();
        assert_eq!(error.to_string(), "connector `x` takes no `login`; authenticate with `token`");
    }
}
