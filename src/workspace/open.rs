//! Reads `hob.yaml` into a workspace; reports every mistake with its place.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::access::{AccessReader, DashboardAccess, Given};
use super::alerts::Alerts;
use super::collector::Collector;
use super::env_interpolation::{Unset, fill, mask};
use super::folder::{self, FILE, TOKENS};
use super::redact::{redact, without_secrets};
use super::resolve::Resolver;
use super::secret_spans::{self, SecretSpan};
use super::syntax::{File, Loops, Webhooks};
use super::{ConnectionConfig, Error, History, Metrics, Store};
use crate::catalog::Catalog;
use crate::check::{ConnectionInfo, WorkspaceInfo};
use crate::connection::TokenFile;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::recipe::schema_validation;
use crate::secret::{MIN_LENGTH, Redactor, Secret};
use crate::source::{SourceFile, Span, parse, read};

/// A workspace with a valid `hob.yaml`.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// All operations, including those of the workspace's connectors.
    pub catalog: Arc<Catalog>,
    /// Connections by name.
    pub accounts: IndexMap<String, ConnectionConfig>,
    /// Names of variables that recipes may read.
    pub env_allowlist: Vec<String>,
    /// Their values, if set.
    pub env: BTreeMap<String, String>,
    /// Folders whose files recipes may send.
    pub files: Vec<PathBuf>,
    /// The store.
    pub store: Store,
    /// Retention.
    pub history: History,
    /// When runs that start each other are a loop.
    pub loops: Loops,
    /// Address for webhooks, if any.
    pub listen: Option<SocketAddr>,
    /// Who may read metrics.
    pub metrics: Metrics,
    /// Who may use the dashboard.
    pub access: DashboardAccess,
    /// Overrides of how connectors' events are verified.
    pub webhooks: IndexMap<String, Webhooks>,
    /// Whom alerts go to.
    pub alerts: Alerts,
    /// Where traces go to.
    pub collector: Option<Collector>,
    /// Unset variables that `hob.yaml` needs, with their places.
    pub unset: Report,
    /// Redacts credentials, the store's password, and variables marked as secret.
    pub redactor: Redactor,
}

/// The result of opening a workspace.
#[derive(Debug)]
pub struct Opened {
    /// The workspace, if its `hob.yaml` is valid.
    pub workspace: Option<Workspace>,
    /// The mistakes in its `hob.yaml`.
    pub report: Report,
    /// Redacts secrets, also if the file is invalid.
    pub redactor: Redactor,
    /// Warnings for every run, by file: secrets that cannot be masked.
    pub remarks: Vec<Report>,
}

impl Workspace {
    /// Opens the workspace at `root`; messages call its file `shown`.
    pub fn open(root: &Path, shown: &str, variables: &BTreeMap<String, String>) -> Result<Opened, Error> {
        let text = folder::read(&root.join(FILE))?;
        let catalog = Arc::new(folder::catalog(root)?);
        Ok(Self::read(root, SourceFile::new(shown, text), catalog, variables))
    }

    /// A folder without `hob.yaml`, with a connection to every connector: enough for a sandbox.
    pub fn bare(root: &Path, catalog: Arc<Catalog>) -> Self {
        let accounts = catalog.connectors().map(|connector| {
            let name = connector.connector.clone();
            let account = ConnectionConfig {
                name: name.clone(),
                connector: Arc::clone(connector),
                settings: BTreeMap::new(),
                base_url: None,
                version: None,
                budget: Default::default(),
                unset: Vec::new(),
                auth: None,
                tokens: TokenFile::new(&root.join(TOKENS), &name),
                redactor: Redactor::default(),
            };
            (name, account)
        });
        Self {
            root: root.to_path_buf(),
            accounts: accounts.collect(),
            env_allowlist: Vec::new(),
            env: BTreeMap::new(),
            files: Vec::new(),
            store: Store::usual(root),
            history: History::default(),
            loops: Loops::default(),
            listen: None,
            metrics: Metrics::default(),
            access: DashboardAccess::default(),
            webhooks: IndexMap::new(),
            alerts: Alerts::default(),
            collector: None,
            unset: Report { file: SourceFile::new(FILE, ""), diagnostics: Vec::new() },
            redactor: Redactor::default(),
            catalog,
        }
    }

    /// The same workspace as its sandbox: with a separate store, without the webhook address of `hob.yaml`, which
    /// real senders could reach, and without alerts and traces, which are about
    /// real runs.
    pub fn in_sandbox(self) -> Self {
        let metrics = match self.metrics {
            Metrics::At(_) => Metrics::Closed,
            as_it_is => as_it_is,
        };
        Self {
            store: Store::sandbox(&self.root),
            listen: None,
            metrics,
            alerts: Alerts::default(),
            collector: None,
            ..self
        }
    }

    /// The name of its folder.
    pub fn name(&self) -> String {
        self.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether it is the sandbox of a workspace.
    pub fn is_sandbox(&self) -> bool {
        self.store == Store::sandbox(&self.root)
    }

    /// Whether its sandbox has a store.
    pub fn has_sandbox_store(&self) -> bool {
        matches!(Store::sandbox(&self.root), Store::Sqlite(path) if path.exists())
    }

    /// The folder for downloads.
    pub fn downloads(&self) -> PathBuf {
        self.root.join(if self.is_sandbox() { "state/sandbox-downloads" } else { "downloads" })
    }

    /// Whether anything besides connections and webhook keys needs an unset variable.
    pub fn lacks_variables(&self) -> bool {
        let of_connections: usize = self.accounts.values().map(|account| account.unset.len()).sum();
        let keys = self.webhooks.values().flat_map(|webhooks| webhooks.signatures.iter().flatten());
        let keys: Vec<Span> = keys.map(|signature| signature.span).collect();
        let of_a_key = |unset: &&Diagnostic| {
            keys.iter().any(|key| key.start <= unset.span.start && unset.span.end <= key.end)
        };
        self.unset.diagnostics.len() > of_connections + self.unset.diagnostics.iter().filter(of_a_key).count()
    }

    /// What the checker knows of it.
    pub fn info(&self) -> WorkspaceInfo {
        let connections = self.accounts.values().map(|account| {
            let settings = account.settings.keys().cloned().collect();
            let (connector, version) = (account.connector.connector.clone(), account.version.clone());
            (account.name.clone(), ConnectionInfo { connector, settings, version })
        });
        let says = |webhooks: &Webhooks| webhooks.unverified.is_some() || webhooks.signatures.is_some();
        let verified = self.webhooks.iter().filter(|(_, webhooks)| says(webhooks));
        let verified = verified.map(|(connector, _)| connector.clone()).collect();
        WorkspaceInfo {
            known: true,
            connections: connections.collect(),
            env: self.env_allowlist.clone(),
            whole: false,
            verified,
            files: Some((self.root.clone(), self.files.clone())),
        }
    }

    /// The value of `env` in templates.
    pub fn env_values(&self) -> Map<String, Value> {
        self.env.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
    }

    /// The workspace of the folder `root` with the text `file` as its `hob.yaml`.
    pub fn read(
        root: &Path,
        file: SourceFile,
        catalog: Arc<Catalog>,
        variables: &BTreeMap<String, String>,
    ) -> Opened {
        let parsed = parse(&SourceFile::new(file.name(), mask(file.text())));
        let parses = parsed.errors.is_empty();
        let mut found: Vec<Diagnostic> = parsed.errors.into_iter().map(Diagnostic::from).collect();
        let mut unset = Vec::new();
        let mut content = File::default();
        let mut hidden = Vec::new();
        if let Some(mut node) = parsed.node {
            fill(&mut node, variables, &mut unset);
            hidden = secret_spans::find(&file, &node);
            let checked = schema_validation::check(super::schema(), &node, parsed.incomplete, "a workspace");
            found.extend(checked.diagnostics);
            match read(&checked.node) {
                Ok(file) => content = file,
                Err(error) => found.push(Diagnostic::new(
                    Code::WrongType,
                    error.span.unwrap_or(node.span),
                    error.message,
                )),
            }
        }
        let shown = redact(&file, &hidden, parses);
        let redactor = Redactor::default();
        let mut resolver = Resolver { root, catalog: &catalog, unset: &unset, redactor: &redactor, found };
        let accounts = resolver.accounts(content.connections.unwrap_or_default());
        let (env_allowlist, marked) = resolver.env_allowlist(content.env.unwrap_or_default());
        let files = resolver.files(content.files.unwrap_or_default());
        let store = resolver.store(content.store, root);
        let history = History::read(content.history.unwrap_or_default(), &mut resolver.found);
        let server = content.server.unwrap_or_default();
        let listen = resolver.listen(server.listen);
        let metrics = resolver.metrics(server.metrics, listen);
        let webhooks = resolver.webhooks(server.webhooks.unwrap_or_default());
        let given = Given {
            dashboard: server.dashboard.unwrap_or_default(),
            url: server.url,
            hosts: server.hosts.unwrap_or_default(),
            proxies: server.proxies.unwrap_or_default(),
        };
        let access = AccessReader { unset: &unset, found: &mut resolver.found }.read(given);
        let alerts = resolver.alerts(content.alerts.unwrap_or_default());
        let collector = resolver.collector(content.telemetry.unwrap_or_default());
        let mut found = resolver.found;
        let sound =
            !found.iter().any(|diagnostic| diagnostic.code.severity() == crate::diagnostic::Severity::Error);
        let unset: Vec<Diagnostic> = unset.iter().map(warn).collect();
        found.extend(unset.iter().cloned());
        let env = values(&env_allowlist, variables);
        let marked_hidden = marked.iter().filter_map(|name| {
            Some(SecretSpan { span: name.span, text: env.get(&name.value)?.clone(), is_name: false })
        });
        let remarks: Vec<Diagnostic> =
            if sound { too_short(&file, hidden.iter().cloned().chain(marked_hidden)) } else { Vec::new() };
        found.extend(remarks.iter().cloned());
        let marked = marked.iter().filter_map(|name| env.get(&name.value)).map(Secret::new);
        let secrets = accounts.values().flat_map(ConnectionConfig::secrets).chain(marked);
        redactor.add(secrets.chain(store.secrets()).chain(alerts.secrets()));
        redactor.add(collector.iter().flat_map(Collector::secrets));
        let is_own = |text: &str| is_own_word(text, &accounts, catalog.as_ref());
        let kept = hidden.iter().filter(|hidden| !hidden.is_name || !is_own(&hidden.text));
        redactor.add(kept.map(|hidden| Secret::new(hidden.text.as_str())));
        let workspace = Workspace {
            root: root.to_path_buf(),
            redactor: redactor.clone(),
            unset: Report { file: shown.clone(), diagnostics: unset },
            catalog: Arc::clone(&catalog),
            accounts,
            env_allowlist,
            env,
            files,
            store,
            history,
            loops: content.loops.unwrap_or_default(),
            listen,
            metrics,
            access,
            webhooks,
            alerts,
            collector,
        };
        found.sort_by_key(|diagnostic| diagnostic.span);
        let diagnostics = found.into_iter().map(|found| without_secrets(found, &hidden)).collect();
        let report = Report { file: shown.clone(), diagnostics };
        let remarks = vec![Report { file: shown, diagnostics: remarks }];
        Opened { workspace: sound.then_some(workspace), report, redactor, remarks }
    }
}

/// Whether a user name is a word that messages need and therefore cannot be masked.
fn is_own_word(text: &str, accounts: &IndexMap<String, ConnectionConfig>, catalog: &Catalog) -> bool {
    let connectors = catalog.connectors().map(|connector| connector.connector.as_str());
    let own =
        accounts.keys().map(String::as_str).chain(connectors).chain(["postgres", "postgresql", "sqlite"]);
    own.into_iter().any(|word| word.contains(text))
}

/// Secrets too short to be masked everywhere, once for each place.
fn too_short(file: &SourceFile, hidden: impl Iterator<Item = SecretSpan>) -> Vec<Diagnostic> {
    // A default is a placeholder for an unset secret.
    let is_default = |hidden: &SecretSpan| file.slice(hidden.span).contains(&format!(":-{}}}", hidden.text));
    let short = |hidden: &SecretSpan| {
        !hidden.is_name && !is_default(hidden) && (1..MIN_LENGTH).contains(&hidden.text.trim().len())
    };
    let mut places: Vec<Span> = hidden.filter(short).map(|hidden| hidden.span).collect();
    places.sort_unstable();
    places.dedup();
    let told = |place| {
        let message = format!(
            "this secret has fewer than {MIN_LENGTH} characters, so hob does not mask it where it occurs"
        );
        Diagnostic::new(Code::Suspicious, place, message).help("use a longer one if the app lets you")
    };
    places.into_iter().map(told).collect()
}

fn warn(unset: &Unset) -> Diagnostic {
    let message = format!("the variable `{}` is not set", unset.name);
    Diagnostic::new(Code::UnsetVariable, unset.span, message)
        .help("set it in the environment or in .env beside hob.yaml, or give a default: ${NAME:-default}")
}

fn values(env_allowlist: &[String], variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    env_allowlist.iter().filter_map(|name| Some((name.clone(), variables.get(name)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::render;
    use crate::operator::Role;

    fn opened(text: &str, variables: &[(&str, &str)]) -> Opened {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let file = SourceFile::new("hob.yaml", text);
        Workspace::read(Path::new("/w"), file, Arc::new(Catalog::built_in()), &variables.collect())
    }

    fn complaints(text: &str) -> String {
        let opened = opened(text, &[]);
        assert!(opened.workspace.is_none());
        render(&opened.report.file, &opened.report.diagnostics, false)
    }

    const WHOLE: &str = "connections:
  studio:
    connector: highlevel
    location: ${LOCATION}
    auth: { token: ${TOKEN} }
    base_url: http://127.0.0.1:9/
    budget: { burst: 25/10s, daily: 10000 }
env: [APP_URL, { name: ALERT_KEY, secret: true }, COLOUR]
store: sqlite:data/x.db
history: { keep: 30d, runs: 1000, dedup: forever }
loops: { runs_per_record: 9 }
server: { listen: 127.0.0.1:8787 }
";

    #[test]
    fn reads_everything() {
        let app = ("APP_URL", "https://app/1");
        let variables = [("LOCATION", "loc-1"), ("TOKEN", "pit-12345"), ("ALERT_KEY", "alert-key-1"), app];
        let workspace = opened(WHOLE, &variables).workspace.expect("a workspace");
        let account = &workspace.accounts["studio"];
        assert_eq!(account.settings["location"], "loc-1");
        assert_eq!(account.budget.burst.unwrap().to_string(), "25/10s");
        assert_eq!(account.budget.daily, Some(10_000));
        assert_eq!(workspace.env_allowlist, ["APP_URL", "ALERT_KEY", "COLOUR"]);
        assert_eq!(workspace.env.len(), 2, "COLOUR is not set");
        assert_eq!(workspace.store, Store::Sqlite("/w/data/x.db".into()));
        let month = std::time::Duration::from_secs(30 * 24 * 3600);
        assert_eq!(workspace.history, History { keep: Some(month), runs: Some(1000), dedup: None });
        assert_eq!((workspace.loops.runs_per_record, workspace.loops.runs_per_recipe), (Some(9), None));
        assert_eq!(workspace.listen.unwrap().port(), 8787);
        let shown = workspace.redactor.text("token pit-12345 and alert-key-1 for https://app/1");
        assert_eq!(shown, "token *** and *** for https://app/1");
        assert!(!format!("{:?}", workspace.accounts["studio"].plain().unwrap()).contains("pit-12345"));
    }

    #[test]
    fn metrics_are_open_to_whom_it_says() {
        let of =
            |server: &str| opened(&format!("server: {server}"), &[]).workspace.expect("a workspace").metrics;
        assert_eq!(of("{ listen: 127.0.0.1:1 }"), Metrics::Closed);
        assert_eq!(of("{ metrics: true }"), Metrics::Open);
        assert_eq!(of("{ metrics: false }"), Metrics::Closed);
        let at = Metrics::At(([127, 0, 0, 1], 9464).into());
        assert_eq!((of("{ metrics: '9464' }"), of("{ metrics: localhost:9464 }")), (at, at));
        let sandbox =
            opened("server: { metrics: ':9464' }", &[]).workspace.expect("a workspace").in_sandbox();
        assert_eq!(sandbox.metrics, Metrics::Closed);
        for (server, wanted) in [
            ("{ listen: 127.0.0.1:1, metrics: :1 }", "webhooks are received at this address"),
            ("{ metrics: nowhere }", "`nowhere` is not an address and a port"),
            ("{ metrics: off }", "or `true` or `false`"),
            ("{ metrics: [1] }", "metrics"),
        ] {
            let shown = complaints(&format!("server: {server}"));
            assert!(shown.contains(wanted), "{wanted} in {shown}");
        }
    }

    #[test]
    fn the_dashboard_is_open_to_its_operators() {
        let of =
            |server: &str| opened(&format!("server: {server}"), &[]).workspace.expect("a workspace").access;
        assert_eq!(of("{}"), DashboardAccess::default());
        let token = format!("sha256:{}", "0a".repeat(32));
        let operators = format!(
            "operators: [{{ name: ada, role: act, token_hash: '{token}' }}, {{ name: bob, token_hash: '{token}' }}]"
        );
        let access = of(&format!(
            "{{ url: https://hob.example.com, hosts: [Hob.Internal], proxies: [10.0.0.0/8], dashboard: {{ {operators} }} }}"
        ));
        let known: Vec<_> = access.operators.iter().map(|known| (known.name.as_str(), known.role)).collect();
        assert_eq!(known, [("ada", Role::Act), ("bob", Role::View)]);
        assert!(access.login_always, "a proxy may be on this machine");
        assert_eq!((access.hosts[0].as_str(), access.proxies.len()), ("hob.internal", 1));
        assert!(!of("{ url: https://h, dashboard: { login: remote } }").login_always);
        assert!(!of("{ url: 'http://localhost:8787' }").login_always);
        assert!(!of("{ url: 'http://[::1]:8787' }").login_always);
        assert!(of("{ dashboard: { login: always } }").login_always);
        for (server, wanted) in [
            ("{ dashboard: { operators: [{ name: ada }] } }", "hob.yaml:1:44"),
            ("{ dashboard: { operators: [{ name: ada }] } }", "`ada` has neither a password nor a token"),
            ("{ dashboard: { operators: [{ name: local, token_hash: x }] } }", "cannot be the name"),
            ("{ dashboard: { operators: [{ name: a b, token_hash: x }] } }", "cannot be the name"),
            (
                "{ dashboard: { operators: [{ name: a, token_hash: hob_secret-1 }] } }",
                "not the hash of a token",
            ),
            (
                "{ dashboard: { operators: [{ name: a, password_hash: secret-12345 }] } }",
                "`hob operators password`",
            ),
            ("{ dashboard: { operators: [{ name: a, role: admin, token_hash: x }] } }", "`view` or `act`"),
            ("{ dashboard: { operators: [{ name: a, password: secret-12345 }] } }", "no field `password`"),
            ("{ dashboard: { login: never } }", "`remote` or `always`"),
            ("{ url: hob.example.com }", "not the address of a server"),
            ("{ url: https://hob.example.com/hob }", "without a path"),
            ("{ hosts: ['https://x'] }", "is not the name of a host"),
            ("{ proxies: [nginx] }", "is not an address or a range"),
        ] {
            let shown = complaints(&format!("server: {server}"));
            assert!(shown.contains(wanted), "{wanted} in {shown}");
            assert!(!shown.contains("secret-1"), "{shown}");
        }
        let twice = format!(
            "server: {{ dashboard: {{ operators: [{{ name: a, token_hash: '{token}' }}, {{ name: a, token_hash: '{token}' }}] }} }}"
        );
        assert!(complaints(&twice).contains("there are two operators `a`"));
    }

    #[test]
    fn an_empty_file_is_a_workspace() {
        let workspace = opened("", &[]).workspace.expect("a workspace");
        assert_eq!(workspace.store, Store::Sqlite("/w/state/hob.db".into()));
        assert!(workspace.accounts.is_empty());
        assert_eq!(workspace.history, History::default());
    }

    #[test]
    fn unset_variables_are_warnings_with_their_places() {
        let opened = opened(WHOLE, &[("LOCATION", "loc-1"), ("APP_URL", "")]);
        assert!(opened.workspace.is_some());
        let shown = render(&opened.report.file, &opened.report.diagnostics, false);
        assert!(shown.contains("hob.yaml:5:20"), "{shown}");
        assert!(shown.contains("warning[unset-variable]: the variable `TOKEN` is not set"), "{shown}");
        assert_eq!(opened.report.diagnostics.len(), 1);
    }

    #[test]
    fn all_mistakes_are_shown_at_once() {
        let shown = complaints(
            "connections:
  a: { connector: highlvel, auth: { token: x } }
  b: { connector: highlevel, locatoin: y, auth: { basic: { username: u, password: p } } }
  c: { connector: highlevel }
  d: { connector: fitr-none, auth: x, budget: { burst: fast } }
  e: { connector: highlevel, auth: { token: x }, base_url: ftp://x, budget: { burst: fast, daily: 0 } }
  f: { connector: fitr, base_url: http://h, auth: { header: { name: X Key, value: ' ' } } }
  g: { connector: highlevel, auth: { token: '{{ env.TOKEN }}' } }
env: [1A, OK, OK]
store: mysql://u:secret@h/db
history: { keep: long, runs: 0 }
loops: { runs_per_record: 0, runs_per_recipe: 1001, every: 1m }
server: { listne: nowhere }
stroe: x
",
        );
        for wanted in [
            "no connector `highlvel`",
            "did you mean `highlevel`?",
            "a connection to highlevel has no field `locatoin`",
            "did you mean `location`?",
            "highlevel does not take `basic` as credential",
            "the connection `c` needs `auth`",
            "`auth` takes",
            "`fast` is not a rate",
            "scheme `ftp`",
            "`daily` cannot be 0",
            "`1A` is not the name of a variable",
            "the variable `OK` is listed twice",
            "`mysql:…` is not a store",
            "`long` is not a duration",
            "or `forever`",
            "`runs` cannot be 0",
            "`runs_per_record` cannot be 0",
            "`runs_per_recipe` cannot be 1001",
            "has no field `every`",
            "has no field `listne`",
            "`X Key` is not the name of a header",
            "`value` is blank",
            "`token` holds a template",
            "`nowhere` is not an address and a port",
            "a workspace has no field `stroe`",
        ] {
            assert!(shown.contains(wanted), "{wanted} is missing in:\n{shown}");
        }
        assert!(!shown.contains("secret@h"), "{shown}");
    }
}
