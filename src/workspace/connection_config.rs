//! A connection as configured in `hob.yaml`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use url::Url;

use super::syntax::{Auth, Oauth};
use crate::catalog::{AuthScheme, Connector};
use crate::clock::Clock;
use crate::connection::{
    ApiHeader, BudgetSettings, Connection, Consent, Credential, Error, LoginSettings, OauthSettings, Rate,
    Setup, TokenFile, address, check_login, redirect,
};
use crate::secret::{Redactor, Secret};

/// The address of an API without one, for requests that are not sent (RFC 2606).
const NOWHERE: &str = "https://api.invalid";

/// The configuration of a connection.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// Its name.
    pub name: String,
    /// Its API.
    pub connector: Arc<Connector>,
    /// Values of the connector's settings.
    pub settings: BTreeMap<String, String>,
    /// Base URL, if not the connector's. May contain a secret: see `shown_address`.
    pub base_url: Option<String>,
    /// API version, if not the connector's default.
    pub version: Option<String>,
    /// Overrides of the connector's limits.
    pub budget: BudgetSettings,
    /// Unset variables that it needs, one per place.
    pub unset: Vec<String>,
    pub(super) auth: Option<Auth>,
    /// The token file, if a person has to consent.
    pub(super) tokens: TokenFile,
    /// Learns fetched tokens.
    pub(super) redactor: Redactor,
}

impl ConnectionConfig {
    /// Creates the connection. Tokens are requested through `http`.
    pub fn connect(&self, http: &reqwest::Client, clock: &Clock) -> Result<Connection, Error> {
        let connection = self.plain()?;
        let credential = match &self.auth {
            Some(Auth::Oauth(oauth)) => Credential::oauth(
                &self.name,
                &self.connector,
                &connection.base_url,
                settings(oauth),
                self.tokens.clone(),
                http.clone(),
                clock.clone(),
            )?,
            auth => self.credential(auth.as_ref(), &connection.base_url, http, clock)?,
        };
        self.with(credential, clock)
    }

    /// The connection to a simulated API, with the credential (as under `auth` in hob.yaml) and the settings that it
    /// knows.
    pub fn stand_in(
        &self,
        base_url: &str,
        auth: Option<serde_json::Value>,
        settings: impl IntoIterator<Item = (String, String)>,
        http: &reqwest::Client,
        clock: &Clock,
    ) -> Result<Connection, Error> {
        let mut all = self.settings.clone();
        all.retain(|_, value| !value.is_empty());
        all.extend(settings);
        let auth: Option<Auth> = auth.and_then(|auth| serde_json::from_value(auth).ok());
        let url = address(&self.name, &self.connector, Some(base_url))?;
        let credential = self.credential(auth.as_ref(), &url, http, clock)?;
        let base_url = Some(base_url.to_owned());
        let setup = Setup { base_url, settings: all, credential, clock: clock.clone(), ..Setup::default() };
        Connection::new(&self.name, Arc::clone(&self.connector), setup)
    }

    /// The connection for requests that are answered without a network: without a credential or limits, and with
    /// `sample-SETTING` for each setting that is not set.
    pub fn unconnected(&self, clock: &Clock) -> Result<Connection, Error> {
        let mut settings = self.settings.clone();
        for name in self.connector.settings.keys() {
            let value = settings.entry(name.clone()).or_default();
            if value.is_empty() {
                *value = format!("sample-{name}");
            }
        }
        let given = self.base_url.clone().filter(|url| !url.is_empty());
        let unlimited = Rate { requests: u32::MAX, per: Duration::from_secs(1) };
        let setup = Setup {
            base_url: given.or(self.connector.base_url.is_none().then(|| NOWHERE.to_owned())),
            settings,
            budget: BudgetSettings { burst: Some(unlimited), daily: Some(u64::MAX) },
            clock: clock.clone(),
            ..Setup::default()
        };
        Connection::new(&self.name, Arc::clone(&self.connector), setup)
    }

    /// The consent request, if this is an OAuth app that needs it.
    pub fn consent(&self, http: &reqwest::Client, clock: &Clock) -> Result<Consent, Error> {
        let Some(Auth::Oauth(oauth)) = &self.auth else {
            return Err(Error::NoConsentNeeded { connection: self.name.clone() });
        };
        let base_url = self.plain()?.base_url;
        let tokens = self.tokens.clone();
        Consent::new(&self.connector, &base_url, settings(oauth), tokens, http.clone(), clock.clone())
    }

    /// Whether a person has consented; `None` if not needed.
    pub fn is_connected(&self, clock: &Clock) -> Option<bool> {
        self.needs_consent().then(|| self.tokens.is_connected(clock.now()))
    }

    /// If a person must consent, now or later, as nothing renews the token by itself: when, or `Some(None)` for at once.
    pub fn consent_ends(&self, now: DateTime<Utc>) -> Option<Option<DateTime<Utc>>> {
        match self.needs_consent() {
            false => None,
            true if !self.tokens.is_connected(now) => Some(None),
            true => self.tokens.ends().map(Some),
        }
    }

    fn needs_consent(&self) -> bool {
        let asks = |scheme: &AuthScheme| matches!(scheme, AuthScheme::Oauth { authorize_url: Some(_), .. });
        matches!(self.auth, Some(Auth::Oauth(_))) && self.connector.auth.iter().any(asks)
    }

    /// The scopes listed in hob.yaml, if any.
    pub fn listed_scopes(&self) -> Option<&[String]> {
        match &self.auth {
            Some(Auth::Oauth(oauth)) => oauth.scopes.as_deref().filter(|scopes| !scopes.is_empty()),
            _ => None,
        }
    }

    /// Checks everything except the credential's values.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.auth {
            Some(Auth::Login(_)) => {
                for scheme in &self.connector.auth {
                    if let AuthScheme::Login(login) = scheme {
                        check_login(&self.connector.connector, login)?;
                    }
                }
            }
            // Unset variables are reported elsewhere.
            Some(Auth::Oauth(oauth)) if oauth.redirect.as_deref() != Some("") => {
                redirect(oauth.redirect.as_deref())?;
            }
            _ => {}
        }
        self.plain().map(drop)
    }

    /// The credential.
    fn credential(
        &self,
        auth: Option<&Auth>,
        base_url: &Url,
        http: &reqwest::Client,
        clock: &Clock,
    ) -> Result<Credential, Error> {
        Ok(match auth {
            None | Some(Auth::Oauth(_)) => Credential::None,
            Some(Auth::Token(token)) => Credential::Bearer(bearer(token)),
            Some(Auth::Header(header)) => Credential::Header(ApiHeader {
                name: header.name.clone(),
                value: Secret::new(tidy(&header.value)),
            }),
            Some(Auth::Basic(basic)) => {
                Credential::Basic { username: basic.username.clone(), password: Secret::new(&basic.password) }
            }
            Some(Auth::Login(login)) => {
                let password = Secret::new(&login.password);
                let settings = LoginSettings { username: login.username.clone(), password };
                Credential::login(&self.connector, base_url, settings, http.clone(), clock.clone())?
            }
        })
    }

    /// The connection without a credential, to check address and limits.
    pub(super) fn plain(&self) -> Result<Connection, Error> {
        self.with(Credential::None, &Clock::default())
    }

    fn with(&self, credential: Credential, clock: &Clock) -> Result<Connection, Error> {
        let setup = Setup {
            base_url: self.base_url.clone(),
            settings: self.settings.clone(),
            credential,
            budget: self.budget,
            clock: clock.clone(),
        };
        let connection = Connection::new(&self.name, Arc::clone(&self.connector), setup)?;
        connection.hide_tokens_in(&self.redactor);
        Ok(connection)
    }

    /// Its secrets.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let texts = match &self.auth {
            None => vec![],
            Some(Auth::Token(token)) => return vec![bearer(token)],
            Some(Auth::Header(header)) => return vec![Secret::new(tidy(&header.value))],
            Some(Auth::Basic(basic)) => vec![&basic.password],
            Some(Auth::Oauth(oauth)) => vec![&oauth.client_secret],
            Some(Auth::Login(login)) => vec![&login.password],
        };
        texts.into_iter().map(Secret::new).chain(self.tokens.secrets()).collect()
    }
}

/// A pasted text without surrounding white space and invisible characters.
fn tidy(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '\u{2060}'))
}

/// A pasted bearer token, possibly with its scheme.
fn bearer(text: &str) -> Secret {
    let text = tidy(text);
    let word = text.get(..6).filter(|word| word.eq_ignore_ascii_case("bearer"));
    let rest = word.and_then(|_| text.get(6..)).filter(|rest| rest.starts_with(char::is_whitespace));
    Secret::new(rest.map_or(text, tidy))
}

fn settings(oauth: &Oauth) -> OauthSettings {
    OauthSettings {
        client_id: oauth.client_id.clone(),
        client_secret: Secret::new(&oauth.client_secret),
        scopes: oauth.scopes.clone().unwrap_or_default(),
        redirect: oauth.redirect.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_as_it_was_copied() {
        for text in
            ["pit-1", " pit-1 ", "pit-1\r\n", "Bearer pit-1", "bearer\tpit-1 ", "\u{feff}BEARER  pit-1"]
        {
            assert_eq!(bearer(text).expose(), "pit-1", "{text:?}");
        }
        assert_eq!(bearer("bearerpit-1").expose(), "bearerpit-1");
        assert_eq!(bearer("").expose(), "");
    }
}
