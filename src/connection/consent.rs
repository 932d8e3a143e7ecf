//! The first half of OAuth's authorization code grant: a person consents, and the returned code is exchanged for
//! tokens.

use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};
use url::{Host, Url};

use super::Error;
use super::endpoint::{Endpoint, address};
use super::oauth::{App, OauthSettings};
use super::token_file::TokenFile;
use crate::catalog::{AuthScheme, Connector};
use crate::clock::Clock;
use crate::secret::{Secret, shown_address};

/// The default redirect address.
const USUAL_REDIRECT: &str = "http://127.0.0.1:8788/callback";

/// A request for consent.
#[derive(Debug)]
pub struct Consent {
    app: App,
    page: Url,
    redirect: Url,
    /// Returned with the code; protects against forged redirects.
    state: String,
    file: TokenFile,
    clock: Clock,
}

impl Consent {
    /// Prepares consent as `connector` describes it; tokens will be stored in `file`.
    pub fn new(
        connector: &Connector,
        base_url: &Url,
        settings: OauthSettings,
        file: TokenFile,
        http: reqwest::Client,
        clock: Clock,
    ) -> Result<Self, Error> {
        let (app, page) = app(connector, base_url, settings, http)?;
        let Some(page) = page else {
            return Err(Error::NoConsent { connector: connector.connector.clone() });
        };
        let redirect = redirect(app.settings.redirect.as_deref())?;
        Ok(Self { app, page, redirect, state: random()?, file, clock })
    }

    /// The consent page.
    pub fn page(&self) -> Url {
        let mut page = self.page.clone();
        let scope = self.app.scope();
        let mut query = page.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.app.settings.client_id)
            .append_pair("redirect_uri", self.redirect.as_str());
        if !scope.is_empty() {
            query.append_pair("scope", &scope);
        }
        query.append_pair("state", &self.state);
        drop(query);
        page
    }

    /// The redirect address.
    pub fn redirect(&self) -> &Url {
        &self.redirect
    }

    /// The token file.
    pub fn file(&self) -> &Path {
        self.file.path()
    }

    /// Whether `state` belongs to this request.
    pub fn is_answered_by(&self, state: &str) -> bool {
        self.state == state
    }

    /// Exchanges `code` for tokens and stores them.
    pub async fn exchange(&self, code: &Secret) -> Result<(), Error> {
        // A concurrent refresh of the old tokens must not overwrite the new ones.
        let held = self.file.hold().await?;
        let token = self.app.exchange(code, &self.redirect, self.clock.now()).await?;
        self.file.write(held, &token)
    }
}

/// The OAuth app of a connection, and its consent page if it has one.
pub(super) fn app(
    connector: &Connector,
    base_url: &Url,
    settings: OauthSettings,
    http: reqwest::Client,
) -> Result<(App, Option<Url>), Error> {
    let scheme = connector.auth.iter().find_map(|scheme| match scheme {
        AuthScheme::Oauth { token_url, authorize_url, extra } => Some((token_url, authorize_url, extra)),
        _ => None,
    });
    let (token_url, authorize_url, extra) = scheme.ok_or_else(|| Error::no_scheme(connector, "oauth"))?;
    let page = authorize_url.as_ref().map(|url| address(base_url, url)).transpose()?;
    let endpoint = Endpoint::new(base_url, token_url, http)?;
    Ok((App { endpoint, settings, extra: extra.clone() }, page))
}

/// Parses a redirect address.
pub fn redirect(given: Option<&str>) -> Result<Url, Error> {
    let address = given.unwrap_or(USUAL_REDIRECT);
    let wrong = |reason: String| Error::BadAddress { address: shown_address(address), reason };
    let url = Url::parse(address).map_err(|error| wrong(error.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        scheme => Err(wrong(format!("scheme `{scheme}`"))),
    }
}

/// Whether `url` is a plain HTTP address of this machine.
pub fn is_loopback(url: &Url) -> bool {
    let own = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    own && url.scheme() == "http"
}

fn random() -> Result<String, Error> {
    let mut bytes = [0; 24];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::Transport { reason: "the system provides no random numbers".into() })?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(authorize_url: &str, redirect: Option<&str>) -> Result<Consent, Error> {
        let connector: Connector = serde_yaml::from_str(&format!(
            "connector: x\ntitle: X\nabout: X\nauth: [{{ kind: bearer }}, {{ kind: oauth, token_url: /t{authorize_url} }}]",
        ))
        .unwrap();
        let settings = OauthSettings {
            client_id: "me & you".into(),
            client_secret: Secret::new("very-secret"),
            scopes: vec!["a.read".into(), "b".into()],
            redirect: redirect.map(str::to_owned),
        };
        let url = Url::parse("https://x.example.com/").unwrap();
        let http = super::super::http_client(&Default::default()).unwrap();
        let file = TokenFile::new(Path::new("/nowhere"), "x");
        Consent::new(&connector, &url, settings, file, http, Clock::system())
    }

    #[test]
    fn the_page_gets_everything_except_the_secret() {
        let consent = asked(", authorize_url: 'https://x.example.com/a?v=2'", None).unwrap();
        let page = consent.page();
        let start = "https://x.example.com/a?v=2&response_type=code&client_id=me+%26+you\
            &redirect_uri=http%3A%2F%2F127.0.0.1%3A8788%2Fcallback&scope=a.read+b&state=";
        assert!(page.as_str().starts_with(start), "{page}");
        assert!(!page.as_str().contains("very-secret"));
        let (_, state) = page.as_str().rsplit_once('=').unwrap();
        assert!(consent.is_answered_by(state) && !consent.is_answered_by("") && state.len() == 48);
        let other = asked(", authorize_url: 'https://x.example.com/a'", None).unwrap();
        assert!(!other.is_answered_by(state), "another question has another state");
    }

    #[test]
    fn unanswerable_requests_are_reported() {
        let error = asked("", None).unwrap_err().to_string();
        assert!(error.contains("client credentials"), "{error}");
        let error = asked(", authorize_url: 'https://x.example.com/a'", Some("nowhere")).unwrap_err();
        assert!(error.to_string().contains("`nowhere`"), "{error}");
    }

    #[test]
    fn own_addresses_are_known() {
        for (address, own) in [
            ("http://127.0.0.1:8788/callback", true),
            ("http://[::1]:8788/", true),
            ("http://localhost:1/x", true),
            ("https://localhost:1/x", false),
            ("https://app.example.com/callback", false),
        ] {
            assert_eq!(is_loopback(&redirect(Some(address)).unwrap()), own, "{address}");
        }
    }
}
