//! Which counters of its API a connection uses, according to its connector.

use std::collections::BTreeMap;

use url::Url;

use super::Credential;
use crate::catalog::{Connector, CountedBy};

/// The names of the counters that a connection uses. Connections with equal names share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CounterKey {
    /// Name of the account's counters, including the daily one.
    pub(super) account: String,
    /// Name of the burst counter within the account.
    pub(super) window: String,
}

impl CounterKey {
    /// The counters of the connection `name`.
    pub(super) fn for_connection(
        name: &str,
        connector: &Connector,
        base_url: &Url,
        settings: &BTreeMap<String, String>,
        credential: &Credential,
    ) -> Self {
        let identity = credential.identity(name);
        let setting = |by: &CountedBy| match by {
            CountedBy::Setting(name) => {
                let value = settings.get(name).filter(|value| !value.is_empty())?;
                Some(format!("{name}={value}"))
            }
            CountedBy::Credential | CountedBy::App => None,
        };
        let key = |by: Option<&Vec<CountedBy>>| {
            let by = by.map_or([CountedBy::Credential].as_slice(), Vec::as_slice);
            let own = by.iter().filter_map(|by| match by {
                CountedBy::Credential => identity.credential.clone(),
                CountedBy::App => identity.app.clone(),
                CountedBy::Setting(_) => None,
            });
            let parts: Vec<String> = own.chain(by.iter().find_map(setting)).collect();
            match parts.is_empty() {
                true => identity.credential.clone().unwrap_or_default(),
                false => parts.join(" "),
            }
        };
        let own = identity.kind.and_then(|kind| connector.limits.counters.get(kind));
        let place = base_url.origin().ascii_serialization();
        let day = key(own.map(|own| &own.daily));
        Self {
            account: format!("{} {place} {day}", connector.connector),
            window: key(own.map(|own| &own.burst)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const API: &str = "connector: x
title: X
about: X
limits:
  counters:
    token: { burst: [credential], daily: [location, company] }
";

    fn key(token: &str, location: &str) -> CounterKey {
        let connector: Connector = serde_yaml::from_str(API).unwrap();
        let url = Url::parse("https://api.example.com/v1").unwrap();
        let settings = BTreeMap::from([("location".to_owned(), location.to_owned())]);
        CounterKey::for_connection("a", &connector, &url, &settings, &Credential::Bearer(Secret::new(token)))
    }

    #[test]
    fn counters_are_shared_by_what_the_connector_says() {
        let (one, other, elsewhere) = (key("t-1", "here"), key("t-2", "here"), key("t-1", "there"));
        assert_eq!(one.account, "x https://api.example.com location=here");
        assert_eq!((one.account == other.account, one.window == other.window), (true, false));
        assert_eq!((one.account == elsewhere.account, one.window == elsewhere.window), (false, true));
        assert!(!format!("{one:?}").contains("t-1"), "{one:?}");
    }

    #[test]
    fn by_default_each_credential_has_its_own_counters() {
        let connector: Connector = serde_yaml::from_str("connector: x\ntitle: X\nabout: X").unwrap();
        let url = Url::parse("https://api.example.com/v1").unwrap();
        let basic = |username: &str| {
            let credential = Credential::Basic { username: username.into(), password: Secret::new("p") };
            CounterKey::for_connection("a", &connector, &url, &BTreeMap::new(), &credential)
        };
        assert_eq!(basic("me"), basic("me"));
        assert_ne!(basic("me").account, basic("you").account);
    }
}
