//! Resolves the syntax of `hob.yaml` into settings.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::env_interpolation::Unset;
use super::folder::{STATE, TOKENS};
use super::syntax::{Auth, Budget, Connection, EnvVariable, MarkedVariable, MetricsText, Webhooks};
use super::{ConnectionConfig, Metrics, Store, store};
use crate::catalog::{AuthScheme, Catalog, Connector};
use crate::connection::{BudgetSettings, Error, TokenFile};
use crate::diagnostic::{Code, Diagnostic};
use crate::secret::Redactor;
use crate::source::{Node, Span, Spanned, read};
use crate::value::is_header_name;
use crate::value::normalized;

/// Resolves settings and collects mistakes.
pub(super) struct Resolver<'a> {
    pub(super) root: &'a Path,
    pub(super) catalog: &'a Catalog,
    pub(super) unset: &'a [Unset],
    /// Learns fetched tokens.
    pub(super) redactor: &'a Redactor,
    pub(super) found: Vec<Diagnostic>,
}

impl Resolver<'_> {
    /// The valid connections.
    pub(super) fn accounts(
        &mut self,
        entries: IndexMap<Spanned<String>, Node>,
    ) -> IndexMap<String, ConnectionConfig> {
        let mut accounts = IndexMap::new();
        for (name, node) in entries {
            if let Some(account) = self.account(&name, &node) {
                accounts.insert(name.value, account);
            }
        }
        accounts
    }

    fn account(&mut self, name: &Spanned<String>, node: &Node) -> Option<ConnectionConfig> {
        // Structural mistakes were reported before.
        let entry: Connection = read(node).ok()?;
        if entry.connector.value.is_empty() {
            return None;
        }
        let Some(connector) = self.catalog.connector(&entry.connector).cloned() else {
            self.unknown_connector(&entry.connector);
            return None;
        };
        let mut settings = std::collections::BTreeMap::new();
        for (key, value) in node.as_map().unwrap_or_default() {
            if Connection::FIELDS.contains(&key.value.as_str()) {
                continue;
            }
            match value.as_text() {
                Some(text) if connector.settings.contains_key(&key.value) => {
                    settings.insert(key.value.clone(), text.to_owned());
                }
                Some(_) => self.unknown_setting(key, &connector),
                None => {}
            }
        }
        self.credential(name, entry.auth.as_ref(), &connector);
        if let Some(version) = &entry.version {
            self.version(version, &connector);
        }
        let account = ConnectionConfig {
            name: name.value.clone(),
            budget: self.budget(entry.budget.unwrap_or_default()),
            base_url: entry.base_url.as_ref().map(|url| url.value.clone()),
            auth: entry.auth.map(|auth| auth.value),
            version: entry.version.map(|version| version.value),
            tokens: TokenFile::new(&self.root.join(TOKENS), name),
            redactor: self.redactor.clone(),
            unset: self.unset_within(node.span),
            settings,
            connector,
        };
        self.sound(&account, name.span, entry.base_url.map(|url| url.span));
        Some(account)
    }

    /// Names of unset variables within `span`.
    fn unset_within(&self, span: Span) -> Vec<String> {
        let within = |unset: &&Unset| span.start <= unset.span.start && unset.span.end <= span.end;
        self.unset.iter().filter(within).map(|unset| unset.name.clone()).collect()
    }

    fn version(&mut self, version: &Spanned<String>, connector: &Connector) {
        if let Some(complaint) = connector.version_problem(version) {
            let names = connector.versions.names();
            let diagnostic =
                Diagnostic::new(Code::UnknownVersion, version.span, complaint.0).help(complaint.1);
            self.found.push(diagnostic.suggest(version, names));
        }
    }

    fn unknown_connector(&mut self, name: &Spanned<String>) {
        let known: Vec<&str> =
            self.catalog.connectors().map(|c| c.connector.as_str()).filter(|n| *n != "hob").collect();
        let help = format!("connectors are {}, and folders of your own under connectors/", known.join(", "));
        let message = format!("no connector `{name}`");
        self.found.push(
            Diagnostic::new(Code::UnknownConnector, name.span, message).help(help).suggest(name, known),
        );
    }

    fn unknown_setting(&mut self, key: &Spanned<String>, connector: &Connector) {
        let known = || connector.settings.keys().map(String::as_str).chain(Connection::FIELDS);
        let name = &connector.connector;
        let message = format!("a connection to {name} has no field `{key}`");
        let help = format!("it takes {}", known().collect::<Vec<_>>().join(", "));
        self.found
            .push(Diagnostic::new(Code::UnknownField, key.span, message).help(help).suggest(key, known()));
    }

    fn credential(&mut self, name: &Spanned<String>, auth: Option<&Spanned<Auth>>, connector: &Connector) {
        let kinds: Vec<&str> = connector.auth.iter().map(AuthScheme::name).collect();
        let title = &connector.connector;
        match auth {
            None if !kinds.is_empty() => {
                let message = format!("the connection `{name}` needs `auth`");
                let help = format!("{title} takes {}", kinds.join(", "));
                self.found.push(Diagnostic::new(Code::MissingField, name.span, message).help(help));
            }
            Some(auth) if !kinds.contains(&auth.name()) => {
                let message = format!("{title} does not take `{}` as credential", auth.name());
                let help = match kinds.is_empty() {
                    true => format!("{title} takes none: leave `auth` out"),
                    false => format!("{title} takes {}", kinds.join(", ")),
                };
                self.found.push(Diagnostic::new(Code::NotAllowed, auth.span, message).help(help));
            }
            Some(auth) => self.usable(auth),
            None => {}
        }
    }

    /// Reports a credential that is empty or cannot be sent in a request. Unset variables are reported anyway.
    fn usable(&mut self, auth: &Spanned<Auth>) {
        let mut complain = |message: String, help: &str| {
            self.found.push(Diagnostic::new(Code::NotAllowed, auth.span, message).help(help));
        };
        if let Auth::Header(header) = &auth.value
            && !is_header_name(&header.name)
        {
            complain(format!("`{}` is not the name of a header", header.name), "write it like `X-API-Key`");
        }
        for (field, text) in auth.value.secrets() {
            if !text.is_empty() && text.trim().is_empty() {
                complain(format!("`{field}` is blank"), "take it from the environment: ${NAME}");
            } else if text.contains("{{") && text.contains("}}") {
                let help = "hob.yaml has variables as ${NAME}; `{{ … }}` is for recipes";
                complain(format!("`{field}` holds a template, which nothing fills in here"), help);
            }
        }
    }

    fn budget(&mut self, budget: Budget) -> BudgetSettings {
        let burst = budget.burst.and_then(|text| match text.parse() {
            Ok(rate) => Some(rate),
            Err(error) => {
                self.complain(Code::NotAllowed, text.span, &error);
                None
            }
        });
        BudgetSettings { burst, daily: budget.daily }
    }

    /// Checks everything about a connection except its credential.
    fn sound(&mut self, account: &ConnectionConfig, name: Span, base_url: Option<Span>) {
        let span = base_url.unwrap_or(name);
        if self.unset.iter().any(|unset| unset.span == span) {
            return;
        }
        match account.check() {
            Err(error @ Error::NoAddress { .. }) => self.complain(Code::MissingField, span, &error),
            Err(error) => self.complain(Code::NotAllowed, span, &error),
            Ok(()) => {}
        }
    }

    /// Variables that recipes may read, and which of them are secret.
    pub(super) fn env_allowlist(
        &mut self,
        variables: Vec<EnvVariable>,
    ) -> (Vec<String>, Vec<Spanned<String>>) {
        let (mut env_allowlist, mut secret): (Vec<String>, Vec<Spanned<String>>) = Default::default();
        for variable in variables {
            let MarkedVariable { name, secret: marked } = match variable {
                EnvVariable::Name(name) => MarkedVariable { name, secret: false },
                EnvVariable::Marked(variable) => variable,
            };
            if marked {
                secret.push(name.clone());
            }
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !plain || name.bytes().next().is_none_or(|first| first.is_ascii_digit()) {
                let message = format!("`{name}` is not the name of a variable");
                let help = "list names only, such as ALERT_URL; their values come from the environment";
                self.found.push(Diagnostic::new(Code::NotAllowed, name.span, message).help(help));
            } else if env_allowlist.contains(&name.value) {
                let message = format!("the variable `{name}` is listed twice");
                self.found.push(Diagnostic::new(Code::DuplicateName, name.span, message));
            } else {
                env_allowlist.push(name.value);
            }
        }
        (env_allowlist, secret)
    }

    /// Folders whose files recipes may send. They must not contain the workspace's own files.
    pub(super) fn files(&mut self, folders: Vec<Spanned<String>>) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for folder in folders {
            let path = normalized(&self.root.join(folder.value.trim()));
            let root = normalized(self.root);
            if root.starts_with(&path) || path.starts_with(root.join(STATE)) {
                let message = format!("`{folder}` holds hob's own files, secrets among them");
                let help = "name a folder for nothing but files to send, such as attachments";
                self.found.push(Diagnostic::new(Code::NotAllowed, folder.span, message).help(help));
            } else {
                found.push(path);
            }
        }
        found
    }

    /// The store.
    pub(super) fn store(&mut self, text: Option<Spanned<String>>, root: &Path) -> Store {
        let Some(text) = text else { return Store::usual(root) };
        let parsed = Store::parse(&text, root).and_then(|store| {
            if store == Store::sandbox(root) { Err(store::Error::Sandbox) } else { Ok(store) }
        });
        parsed.unwrap_or_else(|error| {
            self.complain(Code::NotAllowed, text.span, &error);
            Store::usual(root)
        })
    }

    /// The address for webhooks.
    pub(super) fn listen(&mut self, text: Option<Spanned<String>>) -> Option<SocketAddr> {
        let text = text?;
        if self.unset.iter().any(|unset| unset.span == text.span) {
            return None;
        }
        let address = super::listen_address::parse(&text);
        address.map_err(|error| self.complain(Code::NotAllowed, text.span, &error)).ok()
    }

    /// Who may read metrics, given the webhook address.
    pub(super) fn metrics(&mut self, given: Option<MetricsText>, webhooks: Option<SocketAddr>) -> Metrics {
        let text = match given {
            None | Some(MetricsText::Open(false)) => return Metrics::Closed,
            Some(MetricsText::Open(true)) => return Metrics::Open,
            Some(MetricsText::At(text)) => text,
        };
        let span = text.span;
        let told = self.found.len();
        let address = self.listen(Some(text));
        for found in &mut self.found[told..] {
            found.help = Some("write an address such as 127.0.0.1:9464, or `true` or `false`".to_owned());
        }
        if address.is_some_and(|address| address.port() != 0 && Some(address) == webhooks) {
            let diagnostic = Diagnostic::new(Code::NotAllowed, span, "webhooks are received at this address");
            self.found.push(
                diagnostic.help("`metrics: true` opens metrics there; else give them a port of their own"),
            );
        }
        address.map_or(Metrics::Closed, Metrics::At)
    }

    /// Verification overrides by connector.
    pub(super) fn webhooks(
        &mut self,
        given: IndexMap<Spanned<String>, Webhooks>,
    ) -> IndexMap<String, Webhooks> {
        let catalog = self.catalog;
        let senders = || catalog.connectors().filter(|c| c.webhooks.is_some()).map(|c| c.connector.as_str());
        for name in given.keys().filter(|name| !senders().any(|sender| sender == name.as_str())) {
            let message = format!("no connector `{name}` sends webhooks");
            let help = format!("those that do are {}", senders().collect::<Vec<_>>().join(", "));
            let diagnostic = Diagnostic::new(Code::UnknownConnector, name.span, message);
            self.found.push(diagnostic.help(help).suggest(name, senders()));
        }
        for signature in given.values().flat_map(|webhooks| webhooks.signatures.iter().flatten()) {
            if !self.unset_within(signature.span).is_empty() {
                continue;
            }
            if let Some(reason) = signature.complaint() {
                let message =
                    format!("the signature in the header `{}` proves nothing: {reason}", signature.header);
                let help = "take the public key that the sender shows, whole";
                self.found.push(Diagnostic::new(Code::InsecureWebhook, signature.span, message).help(help));
            }
        }
        given.into_iter().map(|(name, webhooks)| (name.value, webhooks)).collect()
    }

    fn complain(&mut self, code: Code, span: Span, error: &dyn std::error::Error) {
        self.found.push(Diagnostic::new(code, span, error.to_string()));
    }
}
