//! The connection: one account on a connector.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use percent_encoding::percent_decode_str;
use reqwest::header::HeaderMap;
use url::Url;

use super::counter_key::CounterKey;
use super::{Breaker, Budget, BudgetSettings, Credential, Error, Hold, Rate, RequestCounts, UseCounts};
use crate::catalog::Connector;
use crate::clock::Clock;
use crate::secret::{Redactor, Secret, shown_address};

/// One account on a connector.
#[derive(Debug)]
pub struct Connection {
    /// Its name in `hob.yaml`.
    pub name: String,
    /// The API.
    pub connector: Arc<Connector>,
    /// Base URL of the API.
    pub base_url: Url,
    /// Settings such as `location`.
    pub settings: BTreeMap<String, String>,
    /// Its budget of requests.
    pub budget: Budget,
    /// Its circuit breaker.
    pub breaker: Breaker,
    /// Held while its credential is refused.
    pub hold: Hold,
    /// Its requests by outcome.
    pub request_counts: RequestCounts,
    /// Its requests by who sent them.
    pub use_counts: UseCounts,
    credential: Credential,
    /// A redactor that knows more than this connection's secrets.
    hidden_by: OnceLock<Redactor>,
}

/// The settings of a connection.
#[derive(Debug, Default)]
pub struct Setup {
    /// Base URL, if it differs from the connector's.
    pub base_url: Option<String>,
    /// Settings such as `location`.
    pub settings: BTreeMap<String, String>,
    /// The credential.
    pub credential: Credential,
    /// Overrides of the connector's limits. Limits in headers of answers override both.
    pub budget: BudgetSettings,
    /// The clock for pauses and limits.
    pub clock: Clock,
}

impl Connection {
    /// Creates the connection `name` to `connector`.
    pub fn new(name: &str, connector: Arc<Connector>, setup: Setup) -> Result<Self, Error> {
        let base_url = address(name, &connector, setup.base_url.as_deref())?;
        let known: Option<Rate> = connector.limits.burst.as_deref().map(str::parse).transpose()?;
        let budget = BudgetSettings {
            burst: setup.budget.burst.or(known),
            daily: setup.budget.daily.or(connector.limits.daily),
        };
        let key = CounterKey::for_connection(name, &connector, &base_url, &setup.settings, &setup.credential);
        Ok(Self {
            name: name.to_owned(),
            budget: Budget::new(key, budget, connector.limits.headers.clone(), setup.clock.clone()),
            breaker: Breaker::new(setup.clock.clone()),
            hold: Hold::new(setup.clock),
            request_counts: RequestCounts::default(),
            use_counts: UseCounts::default(),
            credential: setup.credential,
            hidden_by: OnceLock::new(),
            settings: setup.settings,
            base_url,
            connector,
        })
    }

    /// Whether both lead to the same records: same base URL and settings, whatever the credential.
    pub fn is_same_account(&self, other: &Self) -> bool {
        self.connector.connector == other.connector.connector
            && self.base_url == other.base_url
            && self.settings == other.settings
            && !self.settings.is_empty()
    }

    /// Headers with the credential; may fetch a token first.
    pub async fn credential_headers(&self) -> Result<HeaderMap, Error> {
        self.credential.headers(&self.name).await
    }

    /// After a 401 to a request with the headers `used`: replaces the token; returns whether there is a new one.
    pub async fn refresh(&self, used: &HeaderMap) -> Result<bool, Error> {
        self.credential.refresh(used).await
    }

    /// Whether a person has consented again after consent had ended, so that refused requests may continue.
    pub fn is_reconnected(&self) -> bool {
        self.credential.is_renewed()
    }

    /// Waits for token requests in flight, whose tokens must be stored before the program ends.
    pub async fn finish_token_requests(&self) {
        self.credential.finish_token_requests().await;
    }

    /// Stores the counters before the program ends. Waits for the store; counts that are lost are treated as sent at
    /// the next start.
    pub async fn save_counters(&self) {
        self.budget.save_counters().await;
    }

    /// Its value in templates: name and settings.
    pub fn template_values(&self) -> serde_json::Value {
        let mut facts = serde_json::Map::new();
        facts.insert("name".to_owned(), self.name.clone().into());
        facts.extend(self.settings.iter().map(|(setting, value)| (setting.clone(), value.clone().into())));
        facts.into()
    }

    /// Secrets of the credential and of the user information in the base URL.
    pub fn secrets(&self) -> Vec<Secret> {
        let user = [self.base_url.username(), self.base_url.password().unwrap_or_default()];
        let meant = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = user.into_iter().filter(|text| !text.is_empty());
        let user = user.flat_map(|text| [text.to_owned(), meant(text)]).map(Secret::new);
        self.credential.secrets().into_iter().chain(user).collect()
    }

    /// Makes `redactor`, which knows this connection's other secrets, learn fetched tokens.
    pub fn hide_tokens_in(&self, redactor: &Redactor) {
        self.hidden_by.set(redactor.clone()).ok();
        self.credential.hide_tokens_in(redactor);
    }

    /// Redacts this connection's secrets, including fetched tokens.
    pub fn redactor(&self) -> Redactor {
        // Redacted before texts are cut, so that no part of a secret remains.
        self.hidden_by.get().cloned().unwrap_or_else(|| Redactor::new(self.secrets()))
    }
}

/// Base URL: the given one, else the connector's.
pub fn address(name: &str, connector: &Connector, given: Option<&str>) -> Result<Url, Error> {
    let address = given.or(connector.base_url.as_deref()).ok_or_else(|| Error::NoAddress {
        connection: name.to_owned(),
        connector: connector.connector.clone(),
    })?;
    let wrong = |reason: String| Error::BadAddress { address: shown_address(address), reason };
    let url = Url::parse(address).map_err(|error| wrong(error.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.query().is_some() || url.fragment().is_some() => {
            Err(Error::MoreThanAddress { address: shown_address(address) })
        }
        "http" | "https" if url.has_host() => Ok(url),
        scheme => Err(wrong(format!("scheme `{scheme}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(yaml: &str) -> Arc<Connector> {
        Arc::new(serde_yaml::from_str(&format!("connector: x\ntitle: X\nabout: X\n{yaml}")).unwrap())
    }

    #[test]
    fn takes_address_and_limits_from_connection_then_connector() {
        let api = connector("base_url: https://api.example.com/v1\nlimits: { burst: 100/10s, daily: 9 }");
        let plain = Connection::new("a", Arc::clone(&api), Setup::default()).unwrap();
        assert_eq!(plain.base_url.as_str(), "https://api.example.com/v1");
        assert_eq!(plain.budget.limits().burst.unwrap().to_string(), "100/10s");
        assert_eq!(plain.budget.limits().daily, Some(9));
        let setup = Setup {
            base_url: Some("http://127.0.0.1:9/".into()),
            budget: BudgetSettings { burst: Some("5/1s".parse().unwrap()), daily: None },
            ..Setup::default()
        };
        let own = Connection::new("a", api, setup).unwrap();
        assert_eq!(own.budget.limits().burst.unwrap().to_string(), "5/1s");
    }

    #[test]
    fn says_what_is_missing() {
        let missing = Connection::new("a", connector(""), Setup::default()).unwrap_err();
        assert!(missing.to_string().contains("`base_url`"), "{missing}");
        for wrong in
            ["ftp://x/", "api.example.com", "file:///etc", "https://x/?k=1", "https://x/#k", "https://x?"]
        {
            let setup = Setup { base_url: Some(wrong.into()), ..Setup::default() };
            assert!(Connection::new("a", connector(""), setup).is_err(), "{wrong}");
        }
    }
}
