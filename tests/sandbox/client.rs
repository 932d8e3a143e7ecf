//! A client that builds requests directly from the catalog, without the program's own code.

use std::sync::{Arc, Once};

use hob::catalog::{ArrayStyle, Catalog, Encoding, Operation, Place};
use hob::clock::ManualClock;
use hob::sandbox::{Budget, Options, RunningSandbox, Sandbox};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

static PROVIDER: Once = Once::new();

/// A running stand-in and a client for it.
pub struct Client {
    pub catalog: Arc<Catalog>,
    pub sandbox: Sandbox,
    pub running: RunningSandbox,
    pub clock: ManualClock,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub bytes: usize,
}

impl Answer {
    /// The body of a success.
    pub fn ok(self, what: &str) -> Value {
        assert!((200..300).contains(&self.status), "{what}: {} {}", self.status, self.body);
        self.body
    }
}

impl Client {
    /// With an unlimited budget.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With other options.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let catalog = Arc::new(Catalog::built_in());
        let clock = ManualClock::new("2026-11-23T09:00:00Z".parse().expect("a time"));
        let mut options = Options { clock: clock.clock(), budget: Budget::Unlimited, ..Options::default() };
        change(&mut options);
        let sandbox = Sandbox::new(Arc::clone(&catalog), options).expect("scripts are read");
        let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        Self { catalog, sandbox, running, clock, http: reqwest::Client::new() }
    }

    pub fn operation(&self, id: &str) -> Arc<Operation> {
        Arc::clone(self.catalog.operation(id).unwrap_or_else(|| panic!("no operation {id}")))
    }

    /// Calls an operation with the connection's settings filled in.
    pub async fn call(&self, id: &str, inputs: Value) -> Answer {
        let operation = self.operation(id);
        let mut inputs = inputs.as_object().expect("inputs").clone();
        self.fill(&operation, &mut inputs);
        self.send(self.request(&operation, &inputs)).await
    }

    /// Inputs that the connection gives.
    fn fill(&self, operation: &Operation, inputs: &mut Map<String, Value>) {
        let connector = self.catalog.connector(&operation.connector).expect("a connector");
        let settings = self.sandbox.settings(&operation.connector);
        for (name, setting) in &connector.settings {
            for input in &setting.fills {
                if operation.input(input).is_some() && !inputs.contains_key(input) {
                    inputs.insert(input.clone(), json!(settings[name]));
                }
            }
        }
    }

    /// The request of an operation.
    pub fn request(&self, operation: &Operation, inputs: &Map<String, Value>) -> reqwest::RequestBuilder {
        let mut path = operation.path.to_string();
        let mut query: Vec<String> = Vec::new();
        let mut body = Map::new();
        for (name, value) in inputs {
            let Some(parameter) = operation.parameters.get(name) else {
                body.insert(name.clone(), value.clone());
                continue;
            };
            let wire = parameter.wire.as_ref().unwrap_or(name);
            match parameter.place {
                Place::Path => path = path.replace(&format!("{{{wire}}}"), &encoded(value)),
                Place::Query => query.extend(pairs(wire, value, parameter.style)),
                Place::Header => {}
            }
        }
        let mut url = format!("{}{path}", self.running.base_url(&operation.connector));
        if !query.is_empty() {
            url = format!("{url}?{}", query.join("&"));
        }
        let method = operation.method.parse().expect("a method");
        let mut request = self.authorised(&operation.connector, self.http.request(method, url));
        let connector = self.catalog.connector(&operation.connector).expect("a connector");
        if let (Some(header), Some(version)) = (&connector.version_header, &operation.version) {
            request = request.header(header.as_str(), version.as_str());
        }
        match &operation.body {
            None => request,
            Some(described) if described.encoding == Encoding::Form => request.form(&body),
            Some(described) => match &described.whole {
                Some(name) => request.json(&body[name]),
                None => request.json(&body),
            },
        }
    }

    fn authorised(&self, connector: &str, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let auth = self.sandbox.credential(connector).expect("a credential");
        match (auth["token"].as_str(), auth["header"]["name"].as_str()) {
            (Some(token), _) => request.bearer_auth(token),
            (_, Some(name)) => request.header(name, auth["header"]["value"].as_str().expect("a value")),
            _ => panic!("{auth}"),
        }
    }

    /// A request to any path of a connector, with its credential.
    pub fn raw(&self, method: &str, connector: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.running.base_url(connector));
        self.authorised(connector, self.http.request(method.parse().expect("a method"), url))
    }

    /// A request without a credential.
    pub fn bare(&self, method: &str, url: &str) -> reqwest::RequestBuilder {
        self.http.request(method.parse().expect("a method"), url)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, body, bytes: bytes.len() }
    }
}

fn encoded(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
}

fn pairs(name: &str, value: &Value, style: ArrayStyle) -> Vec<String> {
    match (value, style) {
        (Value::Array(members), ArrayStyle::Comma) => {
            let members: Vec<String> = members.iter().map(encoded).collect();
            vec![format!("{name}={}", members.join(","))]
        }
        (Value::Array(members), ArrayStyle::Brackets) => {
            members.iter().map(|member| format!("{name}[]={}", encoded(member))).collect()
        }
        (Value::Array(members), ArrayStyle::Repeat) => {
            members.iter().map(|member| format!("{name}={}", encoded(member))).collect()
        }
        _ => vec![format!("{name}={}", encoded(value))],
    }
}
