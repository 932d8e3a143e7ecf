//! The connection: one account on a connector.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use percent_encoding::percent_decode_str;
use reqwest::header::HeaderMap;
use url::Url;

use super::counter_key::CounterKey;
use super::{Breaker, Budget, BudgetSettings, Credential, Error, Hold, Rate, RequestCounts};
use crate::catalog::Connector;
use crate::clock::Clock;
use crate::secret::{Redactor, Secret, shown_address};

/// One account on a connector.
#[derive(Debug)]
pub struct Connection {
    /// Name in `hob.yaml`.
    pub name: String,
    /// The API.
    pub connector: Arc<Connector>,
    /// Where the API is.
    pub base_url: Url,
    /// Settings such as `location`.
    pub settings: BTreeMap<String, String>,
    /// Requests it may send.
    pub budget: Budget,
    /// Whether it answers.
    pub breaker: Breaker,
    /// Whether its credential is refused.
    pub hold: Hold,
    /// What became of its requests.
    pub tally: RequestCounts,
    credential: Credential,
    /// Knows more secrets than this connection's own, where there are others.
    hidden_by: OnceLock<Redactor>,
}

/// What makes a connection.
#[derive(Debug, Default)]
pub struct Setup {
    /// Where the API is, if not where its connector says.
    pub base_url: Option<String>,
    /// Settings such as `location`.
    pub settings: BTreeMap<String, String>,
    /// Who we are.
    pub credential: Credential,
    /// Overrides of the connector's limits; answers' headers win over both.
    pub budget: BudgetSettings,
    /// The time, by which its pauses and limits go.
    pub clock: Clock,
}

impl Connection {
    /// The connection called `name` on `connector`.
    pub fn new(name: &str, connector: Arc<Connector>, setup: Setup) -> Result<Self, Error> {
        let base_url = address(name, &connector, setup.base_url.as_deref())?;
        let known: Option<Rate> = connector.limits.burst.as_deref().map(str::parse).transpose()?;
        let budget = BudgetSettings {
            burst: setup.budget.burst.or(known),
            daily: setup.budget.daily.or(connector.limits.daily),
        };
        let key = CounterKey::of(name, &connector, &base_url, &setup.settings, &setup.credential);
        Ok(Self {
            name: name.to_owned(),
            budget: Budget::new(key, budget, connector.limits.headers.clone(), setup.clock.clone()),
            breaker: Breaker::new(setup.clock.clone()),
            hold: Hold::new(setup.clock),
            tally: RequestCounts::default(),
            credential: setup.credential,
            hidden_by: OnceLock::new(),
            settings: setup.settings,
            base_url,
            connector,
        })
    }

    /// Whether both lead to the same records: the same place, and the same settings, whatever the credential.
    pub fn is_same_account(&self, other: &Self) -> bool {
        self.connector.connector == other.connector.connector
            && self.base_url == other.base_url
            && self.settings == other.settings
            && !self.settings.is_empty()
    }

    /// Headers that carry the credential; may fetch a token.
    pub async fn credential_headers(&self) -> Result<HeaderMap, Error> {
        self.credential.headers(&self.name).await
    }

    /// After a 401 to a request with the headers `used`: whether another token is there now.
    pub async fn refresh(&self, used: &HeaderMap) -> Result<bool, Error> {
        self.credential.refresh(used).await
    }

    /// Whether somebody has consented again after consent had ended: what was refused for that may go on.
    pub fn is_connected_again(&self) -> bool {
        self.credential.is_renewed()
    }

    /// Waits until no token is fetched that must be kept: before the program ends.
    pub async fn settle(&self) {
        self.credential.settle().await;
    }

    /// Keeps what was counted of its requests, before the program ends. Waits for the store, which may be
    /// away; what is lost then is counted as sent at the next start.
    pub async fn save_counters(&self) {
        self.budget.settle().await;
    }

    /// What templates see of it: its name and its settings.
    pub fn template_values(&self) -> serde_json::Value {
        let mut facts = serde_json::Map::new();
        facts.insert("name".to_owned(), self.name.clone().into());
        facts.extend(self.settings.iter().map(|(setting, value)| (setting.clone(), value.clone().into())));
        facts.into()
    }

    /// Every text that must not be shown: of its credential, and of the user information in its address.
    pub fn secrets(&self) -> Vec<Secret> {
        let user = [self.base_url.username(), self.base_url.password().unwrap_or_default()];
        let meant = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = user.into_iter().filter(|text| !text.is_empty());
        let user = user.flat_map(|text| [text.to_owned(), meant(text)]).map(Secret::new);
        self.credential.secrets().into_iter().chain(user).collect()
    }

    /// From now on `redactor`, which knows this connection's other secrets, knows the tokens that it fetches too.
    pub fn hide_tokens_in(&self, redactor: &Redactor) {
        self.hidden_by.set(redactor.clone()).ok();
        self.credential.hide_tokens_in(redactor);
    }

    /// Takes this connection's secrets out of texts, a fetched token included.
    pub fn redactor(&self) -> Redactor {
        // What is cut from a text later must not be the half of a secret.
        self.hidden_by.get().cloned().unwrap_or_else(|| Redactor::new(self.secrets()))
    }
}

/// Where `connector` is: as the connection says, else as the connector says.
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
