//! The immutable part of a connector's stand-in: catalog, script, routes.

use std::sync::Arc;

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::config::Script;
use super::route::{Found, Routes};
use super::template::Scope;
use crate::catalog::{Address, AuthScheme, Catalog, Change, Connector, CountedBy, Login, Operation};
use crate::value::{ProblemKind, ShapeProblem};

/// A connector with its script.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) connector: Arc<Connector>,
    pub(super) script: Script,
    catalog: Arc<Catalog>,
    routes: Routes,
    /// Other versions of the API.
    versions: Vec<Version>,
    /// Inputs that must name the token's account, with their values.
    bound: Vec<(String, String)>,
    /// Paths of token endpoints.
    token_paths: Vec<String>,
}

/// Another version of the API.
#[derive(Debug)]
struct Version {
    name: String,
    /// Value of the version header.
    header: String,
    routes: Routes,
}

impl Service {
    /// The service of `connector` with `script`.
    pub(super) fn new(catalog: &Arc<Catalog>, connector: &Arc<Connector>, script: Script) -> Self {
        let mut bound = Vec::new();
        for name in &script.bound {
            let (Some(setting), Some(value)) = (connector.settings.get(name), script.settings.get(name))
            else {
                continue;
            };
            bound.extend(setting.fills.iter().map(|input| (input.clone(), value.clone())));
        }
        let token_paths = connector.auth.iter().filter_map(|scheme| match scheme {
            AuthScheme::Oauth { token_url, .. } => Some(path_of(token_url)),
            _ => None,
        });
        let (mut routes, mut versions) = (Routes::default(), Vec::new());
        let addresses: Vec<Address> = catalog.addresses(&connector.connector).collect();
        for Address { id, method, path, .. } in &addresses {
            routes.add(id, method, path);
        }
        for (name, version) in &connector.versions.versions {
            let Some(header) = version.header.clone() else { continue };
            let mut routes = Routes::default();
            for Address { id, method, path, .. } in &addresses {
                if let Some(change) = version.operations.get(id) {
                    routes.add(id, method, change.path.as_deref().unwrap_or(path));
                }
            }
            versions.push(Version { name: name.clone(), header, routes });
        }
        Self {
            token_paths: token_paths.collect(),
            connector: Arc::clone(connector),
            catalog: Arc::clone(catalog),
            routes,
            versions,
            script,
            bound,
        }
    }

    /// The operation of a request, in the requested version.
    pub(super) fn find(&self, method: &str, path: &str, headers: &HeaderMap) -> Found<&Arc<Operation>> {
        let name = self.connector.version_header.as_deref();
        let given = name.and_then(|name| headers.get(name)?.to_str().ok());
        let version = self.versions.iter().find(|version| Some(version.header.as_str()) == given);
        let routes = version.map_or(&self.routes, |version| &version.routes);
        match routes.find(method, path) {
            Found::Operation(id, parameters) => {
                match self.catalog.operation_in(id, version.map(|version| version.name.as_str())) {
                    Some(operation) => Found::Operation(operation, parameters),
                    None => Found::Nothing,
                }
            }
            Found::OtherCase => Found::OtherCase,
            Found::Nothing => Found::Nothing,
        }
    }

    /// The differences of an operation in its version.
    pub(super) fn change(&self, operation: &Operation) -> Option<&Change> {
        let version = self.connector.versions.versions.get(operation.api.as_ref()?)?;
        version.operations.get(&operation.id)
    }

    /// Inputs that must name the token's account, with their values.
    pub(super) fn bound_inputs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.bound.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether `path` is a token endpoint.
    pub(super) fn is_token_path(&self, path: &str) -> bool {
        self.token_paths.iter().any(|token| token == path)
    }

    /// The login at `path`, if there is one.
    pub(super) fn login_at(&self, path: &str) -> Option<&Login> {
        self.logins().find(|login| path_of(&login.url) == path)
    }

    /// Whether each token has its own burst limit.
    pub(super) fn counts_by_credential(&self) -> bool {
        let counters = self.connector.limits.counters.get("token");
        counters.is_none_or(|counters| counters.burst.contains(&CountedBy::Credential))
    }

    /// Its logins.
    pub(super) fn logins(&self) -> impl Iterator<Item = &Login> {
        self.connector.auth.iter().filter_map(|scheme| match scheme {
            AuthScheme::Login(login) => Some(login),
            _ => None,
        })
    }

    /// Passwords of its user.
    pub(super) fn passwords(&self) -> impl Iterator<Item = &str> {
        let own = self.script.auth["login"]["password"].as_str();
        own.into_iter().chain(self.script.tokens.iter().map(String::as_str))
    }

    /// The connector's message about a mistake.
    pub(super) fn complaint(&self, problem: &ShapeProblem) -> String {
        let mut field = problem.path.join(".");
        let (name, facts) = match &problem.kind {
            ProblemKind::WrongType { expected, .. } => ("wrong_type", json!({ "expected": expected })),
            ProblemKind::NotAllowed { allowed, .. } => ("not_allowed", json!({ "allowed": allowed })),
            ProblemKind::UnknownField { .. } | ProblemKind::GivenTwice { .. } => ("unknown", json!({})),
            ProblemKind::NoneOf { names } => return self.one_of_complaint(names),
            // The API drops such a field silently; the sandbox reports it as a mistake.
            ProblemKind::Misfit(misfit) => return format!("{field} {}", misfit.reason),
            ProblemKind::TooSmall { minimum } => ("too_small", json!({ "minimum": minimum })),
            ProblemKind::TooLarge { maximum } => ("too_large", json!({ "maximum": maximum })),
            ProblemKind::MissingField { name } => {
                if !field.is_empty() {
                    field.push('.');
                }
                field.push_str(name);
                ("missing", json!({}))
            }
        };
        self.complaint_text(name, &field, &facts)
    }

    /// The connector's message if none of several inputs is given.
    pub(super) fn one_of_complaint(&self, names: &[String]) -> String {
        self.complaint_text("one_of", &names.join(", "), &json!({ "names": names }))
    }

    fn complaint_text(&self, name: &str, field: &str, facts: &Value) -> String {
        let mut scope = Scope::default().with("field", &Value::from(field));
        for (fact, value) in facts.as_object().into_iter().flatten() {
            scope.set(fact.clone(), value);
        }
        let said = self.script.complaints.get(name).and_then(|template| template.text(&scope));
        said.unwrap_or_else(|| format!("{field}: {}", name.replace('_', " ")))
    }
}

/// The path of a possibly absolute URL.
fn path_of(url: &str) -> String {
    url::Url::parse(url)
        .map_or_else(|_| format!("/{}", url.trim_start_matches('/')), |url| url.path().to_owned())
}
