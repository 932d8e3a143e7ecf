//! A connection as `hob.yaml` has it, before anything is connected.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::syntax::Auth;
use crate::catalog::Connector;
use crate::clock::Clock;
use crate::connection::{ApiHeader, BudgetSettings, Connection, Credential, Error, OauthSettings, Setup};
use crate::secret::Secret;

/// A connection to be.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its API.
    pub connector: Arc<Connector>,
    /// Values of the connector's settings.
    pub settings: BTreeMap<String, String>,
    /// Where the API is, if not where its connector says.
    pub base_url: Option<String>,
    /// The version of the API to use, if not the one its connector describes.
    pub version: Option<String>,
    /// Overrides of the connector's limits.
    pub budget: BudgetSettings,
    pub(super) auth: Option<Auth>,
}

impl Account {
    /// Makes the connection. OAuth asks for its tokens through `http`.
    pub fn connect(&self, http: &reqwest::Client, clock: &Clock) -> Result<Connection, Error> {
        let credential = match &self.auth {
            None => Credential::None,
            Some(Auth::Oauth(oauth)) => {
                let settings = OauthSettings {
                    client_id: oauth.client_id.clone(),
                    client_secret: Secret::new(&oauth.client_secret),
                    scopes: oauth.scopes.clone().unwrap_or_default(),
                };
                let base_url = self.plain()?.base_url;
                Credential::oauth(&self.connector, &base_url, settings, http.clone(), clock.clone())?
            }
            Some(auth) => plain_credential(auth),
        };
        self.with(credential)
    }

    /// The connection to a stand-in for the API instead, with the credential (as under `auth` in
    /// hob.yaml) and the settings that the stand-in knows.
    pub fn stand_in(
        &self,
        base_url: &str,
        auth: Option<serde_json::Value>,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Connection, Error> {
        let mut all = self.settings.clone();
        all.retain(|_, value| !value.is_empty());
        all.extend(settings);
        let auth = auth.and_then(|auth| serde_json::from_value(auth).ok());
        let credential = auth.as_ref().map_or(Credential::None, plain_credential);
        let base_url = Some(base_url.to_owned());
        let setup = Setup { base_url, settings: all, credential, budget: BudgetSettings::default() };
        Connection::new(&self.name, Arc::clone(&self.connector), setup)
    }

    /// Without a credential: tells whether address and limits are sound.
    pub(super) fn plain(&self) -> Result<Connection, Error> {
        self.with(Credential::None)
    }

    fn with(&self, credential: Credential) -> Result<Connection, Error> {
        let setup = Setup {
            base_url: self.base_url.clone(),
            settings: self.settings.clone(),
            credential,
            budget: self.budget,
        };
        Connection::new(&self.name, Arc::clone(&self.connector), setup)
    }

    /// Texts that must not be shown.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let texts = match &self.auth {
            None => vec![],
            Some(Auth::Token(token)) => vec![token],
            Some(Auth::Header(header)) => vec![&header.value],
            Some(Auth::Basic(basic)) => vec![&basic.password],
            Some(Auth::Oauth(oauth)) => vec![&oauth.client_secret],
        };
        texts.into_iter().map(Secret::new).collect()
    }
}

/// A credential that needs nothing fetched.
fn plain_credential(auth: &Auth) -> Credential {
    match auth {
        Auth::Token(token) => Credential::Bearer(Secret::new(token)),
        Auth::Header(header) => {
            Credential::Header(ApiHeader { name: header.name.clone(), value: Secret::new(&header.value) })
        }
        Auth::Basic(basic) => {
            Credential::Basic { username: basic.username.clone(), password: Secret::new(&basic.password) }
        }
        Auth::Oauth(_) => Credential::None,
    }
}
