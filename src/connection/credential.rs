//! What proves who we are, and how it goes into a request.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::Error;
use super::oauth::TokenSource;
use crate::catalog::{AuthScheme, Connector};
use crate::clock::Clock;
use crate::secret::Secret;

/// A credential. Cheap to clone; clones share a fetched token.
#[derive(Debug, Clone, Default)]
pub enum Credential {
    /// Nothing is sent.
    #[default]
    None,
    /// `Authorization: Bearer …`
    Bearer(Secret),
    /// A header of the API's own.
    Header(ApiHeader),
    /// `Authorization: Basic …`
    Basic {
        /// User name.
        username: String,
        /// Password.
        password: Secret,
    },
    /// A token fetched by OAuth client credentials.
    Oauth(Arc<TokenSource>),
}

/// A header that carries a key.
#[derive(Debug, Clone)]
pub struct ApiHeader {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Secret,
}

/// `auth: { oauth: … }` of a connection.
#[derive(Debug, Clone)]
pub struct OauthSettings {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: Secret,
    /// Scopes to ask for; empty: the endpoint's default.
    pub scopes: Vec<String>,
}

impl Credential {
    /// Tokens by OAuth as `connector` describes it, its endpoint below `base_url` unless absolute.
    pub fn oauth(
        connector: &Connector,
        base_url: &Url,
        settings: OauthSettings,
        http: reqwest::Client,
        clock: Clock,
    ) -> Result<Self, Error> {
        let scheme = connector.auth.iter().find_map(|scheme| match scheme {
            AuthScheme::Oauth { token_url, authorize_url, extra } => Some((token_url, authorize_url, extra)),
            _ => None,
        });
        let Some((token_url, authorize_url, extra)) = scheme else {
            return Err(Error::NoOauth { connector: connector.connector.clone(), known: kinds(connector) });
        };
        if authorize_url.is_some() {
            return Err(Error::NeedsConsent { connector: connector.connector.clone() });
        }
        let url = token_address(base_url, token_url)?;
        Ok(Self::Oauth(Arc::new(TokenSource::new(url, settings, extra.clone(), http, clock))))
    }

    /// The headers that carry it. Fetches a token first where there is none that is valid.
    pub(super) async fn headers(&self, connection: &str) -> Result<HeaderMap, Error> {
        let (name, text) = match self {
            Credential::None => return Ok(HeaderMap::new()),
            Credential::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.expose())),
            Credential::Header(ApiHeader { name, value }) => {
                let name = HeaderName::try_from(name.as_str()).map_err(|_| Error::BadHeader {
                    connection: connection.to_owned(),
                    what: format!("header name `{name}`"),
                })?;
                (name, value.expose().to_owned())
            }
            Credential::Basic { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
                (AUTHORIZATION, format!("Basic {pair}"))
            }
            Credential::Oauth(source) => {
                (AUTHORIZATION, format!("Bearer {}", source.token().await?.expose()))
            }
        };
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| Error::BadHeader { connection: connection.to_owned(), what: "credential".into() })?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(name, value)]))
    }

    /// After a 401 to a request that carried `used`: gets another token, once for all requests that
    /// waited. `false`: there is nothing to refresh.
    pub(super) async fn refresh(&self, used: &HeaderMap) -> Result<bool, Error> {
        let Credential::Oauth(source) = self else { return Ok(false) };
        let used = used.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        source.refresh(used.strip_prefix("Bearer ").unwrap_or(used)).await?;
        Ok(true)
    }

    /// Every text that must not be shown.
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
            Credential::Oauth(source) => source.secrets(),
        }
    }
}

fn token_address(base_url: &Url, token_url: &str) -> Result<Url, Error> {
    let address = if token_url.contains("://") {
        token_url.to_owned()
    } else {
        format!("{}/{}", base_url.as_str().trim_end_matches('/'), token_url.trim_start_matches('/'))
    };
    Url::parse(&address).map_err(|error| Error::BadAddress { address, reason: error.to_string() })
}

fn kinds(connector: &Connector) -> String {
    let names: IndexMap<&str, ()> = connector
        .auth
        .iter()
        .map(|scheme| match scheme {
            AuthScheme::Bearer => ("`token`", ()),
            AuthScheme::Header => ("`header`", ()),
            AuthScheme::Basic => ("`basic`", ()),
            AuthScheme::Oauth { .. } => ("`oauth`", ()),
        })
        .collect();
    if names.is_empty() { "`token`".into() } else { names.into_keys().collect::<Vec<_>>().join(", ") }
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
    fn consent_is_refused_with_a_way_out() {
        let connector: Connector = serde_yaml::from_str(
            "connector: x\ntitle: X\nabout: X\nauth: [{ kind: bearer }, { kind: oauth, token_url: /t, authorize_url: https://x/a }]",
        )
        .unwrap();
        let settings =
            OauthSettings { client_id: "a".into(), client_secret: Secret::new("b"), scopes: vec![] };
        let url = Url::parse("https://x/").unwrap();
        let http = super::super::http_client(&Default::default()).unwrap();
        let error = Credential::oauth(&connector, &url, settings, http, Clock::system()).unwrap_err();
        assert!(error.to_string().contains("token"), "{error}");
    }
}
