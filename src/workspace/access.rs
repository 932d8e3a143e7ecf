//! Who may use the dashboard, and under which names it is reached.

use std::collections::BTreeSet;
use std::str::FromStr;

use url::{Host, Url};

use super::access_syntax::{Dashboard, Login, Operator};
use super::env_interpolation::Unset;
use super::network::Network;
use crate::diagnostic::{Code, Diagnostic};
use crate::operator::{Account, Proof, RESERVED_NAME, Role, is_valid_name};
use crate::source::Spanned;

/// Who may use the dashboard, and under which names it is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DashboardAccess {
    /// Who may log in.
    pub operators: Vec<Account>,
    /// Whether a login is needed on this machine, too.
    pub login_always: bool,
    /// The address at which people reach it.
    pub url: Option<Url>,
    /// Further names of its host, in lower case.
    pub hosts: Vec<String>,
    /// Proxies that are believed about their clients' addresses.
    pub proxies: Vec<Network>,
}

impl DashboardAccess {
    /// The address at which people reach it, without a slash at its end.
    pub fn link_base(&self) -> Option<String> {
        self.url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned())
    }
}

/// The settings in hob.yaml.
pub(super) struct Given {
    pub(super) dashboard: Dashboard,
    pub(super) url: Option<Spanned<String>>,
    pub(super) hosts: Vec<Spanned<String>>,
    pub(super) proxies: Vec<Spanned<String>>,
}

/// Reads settings and collects mistakes. Texts with unset variables were reported before.
pub(super) struct AccessReader<'a> {
    pub(super) unset: &'a [Unset],
    pub(super) found: &'a mut Vec<Diagnostic>,
}

/// Whether others than the machine itself reach this address.
fn is_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name != "localhost",
        Some(Host::Ipv4(address)) => !address.is_loopback(),
        Some(Host::Ipv6(address)) => !address.is_loopback(),
        None => true,
    }
}

impl AccessReader<'_> {
    /// The valid settings.
    pub(super) fn read(mut self, given: Given) -> DashboardAccess {
        let Given { dashboard, url, hosts, proxies } = given;
        let url = url.and_then(|url| self.url(&url));
        let login_always = match dashboard.login {
            Some(login) => login == Login::Always,
            None => url.as_ref().is_some_and(is_public),
        };
        let mut operators = Vec::new();
        let mut names = BTreeSet::new();
        for operator in dashboard.operators.unwrap_or_default() {
            if !names.insert(operator.name.value.clone()) {
                let message = format!("there are two operators `{}`", operator.name);
                self.found.push(Diagnostic::new(Code::DuplicateName, operator.name.span, message));
            }
            operators.extend(self.account(operator));
        }
        let hosts = hosts.iter().filter_map(|host| self.host(host)).collect();
        let proxies = proxies.iter().filter_map(|proxy| self.parsed(proxy, Code::NotAllowed)).collect();
        DashboardAccess { operators, login_always, url, hosts, proxies }
    }

    fn account(&mut self, operator: Operator) -> Option<Account> {
        let Operator { name, role, password_hash, token_hash } = operator;
        if name.value == RESERVED_NAME || !is_valid_name(&name) {
            let help = format!(
                "take a name of letters, digits and . _ - @ +; `{RESERVED_NAME}` means who needs no login"
            );
            let message = format!("`{name}` cannot be the name of an operator");
            self.found.push(Diagnostic::new(Code::NotAllowed, name.span, message).help(help));
            return None;
        }
        if password_hash.is_none() && token_hash.is_none() {
            let help =
                "`hob operators password` makes a `password_hash`, `hob operators token` a `token_hash`";
            let message = format!("the operator `{name}` has neither a password nor a token");
            self.found.push(Diagnostic::new(Code::MissingField, name.span, message).help(help));
        }
        let password = password_hash.and_then(|hash| self.parsed(&hash, Code::NotAllowed));
        let token = token_hash.and_then(|hash| self.parsed(&hash, Code::NotAllowed));
        let proofs = password.map(Proof::Password).into_iter().chain(token.map(Proof::Token)).collect();
        Some(Account { name: name.value, role: role.unwrap_or(Role::View), proofs })
    }

    fn url(&mut self, text: &Spanned<String>) -> Option<Url> {
        if self.is_unset(text) {
            return None;
        }
        let url = Url::parse(text).ok().filter(|url| {
            let plain = url.username().is_empty() && url.password().is_none();
            let whole = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && plain && whole
        });
        if url.is_none() {
            let message = "this is not the address of a server";
            let help = "write it like https://hob.example.com, without a path: the dashboard is at its root";
            self.found.push(Diagnostic::new(Code::NotAllowed, text.span, message).help(help));
        }
        url
    }

    /// A host name, as browsers send it.
    fn host(&mut self, text: &Spanned<String>) -> Option<String> {
        if self.is_unset(text) {
            return None;
        }
        match Host::parse(text) {
            Ok(host) if !text.contains(['/', '@', '*']) => Some(host.to_string()),
            _ => {
                let message = format!("`{text}` is not the name of a host");
                let help = "write the name alone, such as hob.internal, without scheme and port";
                self.found.push(Diagnostic::new(Code::NotAllowed, text.span, message).help(help));
                None
            }
        }
    }

    fn parsed<T>(&mut self, text: &Spanned<String>, code: Code) -> Option<T>
    where
        T: FromStr<Err: std::error::Error>,
    {
        if self.is_unset(text) {
            return None;
        }
        let parsed = text.parse::<T>();
        parsed.map_err(|error| self.found.push(Diagnostic::new(code, text.span, error.to_string()))).ok()
    }

    fn is_unset(&self, text: &Spanned<String>) -> bool {
        self.unset.iter().any(|unset| unset.span == text.span)
    }
}
