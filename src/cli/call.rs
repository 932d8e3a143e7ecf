//! `hob call`: one operation, sent as a recipe's step would send it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::catalog::unknown;
use super::connected_accounts::ConnectedAccounts;
use super::{ExitCode, Failure, Session};
use crate::catalog::Operation;
use crate::connection::Connection;
use crate::request::{
    Answer, CallOptions, FileChoice, InputProblem, OnBytes, Outcome, Refusal, input_from_text, result,
};
use crate::secret::REDACTED;
use crate::value::read_json;
use crate::workspace::Workspace;

/// Send one operation and print its result
#[derive(Debug, Args)]
#[command(after_help = "Give inputs for path, query and body side by side, as under `with` in a recipe. \
Values are read as what the operation takes: 5 is a number where it takes a number. Write lists and mappings \
as JSON; a simple list may also be a,b,c.\n\n\
Exits with 1 if the request is refused, 2 if the inputs are wrong, 3 if no answer comes.\n\n\
Examples:\n  hob call contacts.search pageLimit=5 --sandbox\n  \
hob call contacts.tags.add contactId=ocQHyuzHvysMo5N5VsXc tags=client,paid\n  \
hob call contacts.upsert --with '{\"email\": \"ada@example.com\"}'\n  \
hob call contacts.create --with @contact.json --connection studio-2")]
pub struct Call {
    /// The operation's id: `hob catalog list` finds it
    #[arg(value_name = "OP")]
    operation: String,
    /// Inputs
    #[arg(value_name = "KEY=VALUE")]
    inputs: Vec<String>,
    /// Inputs as a JSON object, or @FILE with one; KEY=VALUE takes precedence
    #[arg(long, value_name = "JSON|@FILE")]
    with: Option<String>,
    /// The connection to use, if hob.yaml has several for the operation
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Version of the API [default: the connection's, or the one that the catalog describes]
    #[arg(long, value_name = "VERSION")]
    api: Option<String>,
    /// Use a stand-in with example data instead of the real API
    #[arg(long)]
    sandbox: bool,
    /// Print status, headers and the whole answer instead of the result
    #[arg(long)]
    raw: bool,
    /// Where to save the file of an operation that downloads one
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Longest time to wait for the answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// Shows the progress of a download.
fn progress(bar: &ProgressBar) -> OnBytes {
    // Falls back to the default style if the template is invalid.
    if let Ok(style) = ProgressStyle::with_template("{bytes}/{total_bytes} [{bar:30}] {bytes_per_sec} {eta}")
    {
        bar.set_style(style);
    }
    let bar = bar.clone();
    OnBytes::new(move |bytes, length| {
        if let Some(length) = length {
            bar.set_length(length);
        }
        bar.set_position(bytes);
    })
}

impl Call {
    /// Sends it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let catalog = session.catalog()?;
        let Some(operation) = catalog.operation(&self.operation).cloned() else {
            let known = catalog.operations().map(|operation| operation.id.as_str());
            return Err(Failure::usage(unknown(&self.operation, known)));
        };
        if operation.builtin.is_some() {
            let reason = anyhow!("`{}` is built into hob and works only in recipes", operation.id);
            return Err(Failure::usage(reason));
        }
        super::runtime::block_on(self.send(session, &operation))?
    }

    async fn send(&self, session: &mut Session, usual: &Arc<Operation>) -> Result<ExitCode, Failure> {
        let workspace = match self.sandbox {
            true => session.workspace_or_sandbox(&[])?,
            false => session.workspace(&[])?,
        };
        let connected = match self.sandbox {
            true => ConnectedAccounts::to_sandbox(&workspace).await?,
            false => ConnectedAccounts::ignoring_unset_variables(&workspace)?,
        };
        let connection = self.choose(usual, &connected)?;
        let lacks =
            |name: &str| workspace.accounts.get(name).is_some_and(|account| !account.unset.is_empty());
        if !self.sandbox && lacks(&connection.name) {
            session.show(&workspace.unset);
            return Err(ConnectedAccounts::unset());
        }
        let asked = workspace.accounts.get(&connection.name).and_then(|account| account.version.as_ref());
        let operation = self.in_version(&workspace, usual, self.api.as_ref().or(asked))?;
        let inputs = self.inputs(session, operation)?;
        let options = CallOptions {
            timeout: operation.download.is_none().then_some(Duration::from_secs(self.timeout)),
            files: FileChoice::Person,
            output: self.output.as_ref().map(|path| session.path(path)),
            ..CallOptions::default()
        };
        let bar =
            if session.streams.errors_is_terminal { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let client = connected.client.clone().with_progress(progress(&bar));
        let called = client.call(&workspace.catalog, operation, &inputs, connection, &options).await;
        bar.finish_and_clear();
        // A token may have been fetched meanwhile.
        session.streams.hide(connection.secrets());
        match called {
            Err(problems) => Err(Failure::usage(anyhow!(wrong(operation, &problems)))),
            Ok(Outcome::Ok(answer)) => self.show(session, operation, &answer),
            Ok(Outcome::Refused(refusal) | Outcome::Unauthorized { refusal, .. }) => {
                Err(Failure::problem(anyhow!(refused(&refusal))))
            }
            Ok(other) => Err(Failure::unavailable(anyhow!("{}", other.describe()))),
        }
    }

    /// The operation in the requested version.
    fn in_version<'a>(
        &self,
        workspace: &'a Workspace,
        operation: &Operation,
        version: Option<&String>,
    ) -> Result<&'a Arc<Operation>, Failure> {
        let found = workspace.catalog.operation_in(&operation.id, version.map(String::as_str));
        found.ok_or_else(|| {
            let complain = |version: &String| {
                workspace.catalog.connector(&operation.connector)?.version_problem(version)
            };
            Failure::usage(match version.and_then(complain) {
                Some((message, help)) => anyhow!("{message}; {help}"),
                None => {
                    let version = version.map_or("", String::as_str);
                    anyhow!("`{}` is not known in version {version} of the API", operation.id)
                }
            })
        })
    }

    fn show(
        &self,
        session: &mut Session,
        operation: &Operation,
        answer: &Answer,
    ) -> Result<ExitCode, Failure> {
        if self.raw {
            let Answer { status, headers, body, .. } = answer;
            let headers = shown(headers);
            session.streams.json(&json!({ "status": status, "headers": headers, "body": body }))?;
        } else {
            // A composite operation answers with its result.
            let value = match operation.composite.is_empty() {
                true => result(operation, &answer.body, None)
                    .map_err(|reason| Failure::problem(anyhow!(reason)))?,
                false => answer.body.clone(),
            };
            session.streams.json(&value)?;
        }
        Ok(ExitCode::Fine)
    }

    fn choose<'a>(
        &self,
        operation: &Operation,
        connected: &'a ConnectedAccounts,
    ) -> Result<&'a Connection, Failure> {
        let fits = |c: &&Arc<Connection>| c.connector.connector == operation.connector;
        let fitting: Vec<&Arc<Connection>> = connected.connections.values().filter(fits).collect();
        let names = || fitting.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        let connector = &operation.connector;
        let wrong = match (&self.connection, fitting.as_slice()) {
            (None, [one]) => return Ok(one),
            (Some(name), _) => match fitting.iter().find(|c| c.name == *name) {
                Some(connection) => return Ok(connection),
                None if fitting.is_empty() => anyhow!("hob.yaml has no connection to {connector}"),
                None => anyhow!("no connection `{name}` to {connector}; hob.yaml has {}", names()),
            },
            (None, []) => anyhow!("hob.yaml has no connection to {connector}"),
            (None, _) => {
                anyhow!(
                    "hob.yaml has several connections to {connector}; choose one with --connection: {}",
                    names()
                )
            }
        };
        Err(Failure::usage(wrong))
    }

    fn inputs(&self, session: &Session, operation: &Operation) -> Result<Map<String, Value>, Failure> {
        let mut inputs = self.with(session).map_err(Failure::usage)?;
        for pair in &self.inputs {
            let Some((name, text)) = pair.split_once('=') else {
                return Err(Failure::usage(anyhow!("`{pair}` is not KEY=VALUE")));
            };
            let shape = operation.input(name).map(|input| input.shape.clone()).unwrap_or_default();
            let value = input_from_text(text, &shape);
            let value = value.map_err(|reason| Failure::usage(anyhow!("{name}: {reason}")))?;
            inputs.insert(name.to_owned(), value);
        }
        Ok(inputs)
    }

    fn with(&self, session: &Session) -> anyhow::Result<Map<String, Value>> {
        let Some(with) = &self.with else { return Ok(Map::new()) };
        let text = match with.strip_prefix('@') {
            Some(file) => {
                std::fs::read(session.path(file.as_ref())).with_context(|| format!("cannot read {file}"))?
            }
            None => with.clone().into_bytes(),
        };
        match read_json(&text, None).context("--with takes a JSON object")? {
            Value::Object(inputs) => Ok(inputs),
            _ => bail!("--with takes a JSON object"),
        }
    }
}

/// Headers without session cookies, which would give readers access to the session.
fn shown(headers: &IndexMap<String, String>) -> Map<String, Value> {
    const PARTS: [&str; 8] =
        ["cookie", "token", "secret", "session", "authoriz", "api-key", "apikey", "credential"];
    let value = |name: &str, value: &str| match PARTS.iter().any(|part| name.contains(part)) {
        true => REDACTED.into(),
        false => value.into(),
    };
    headers.iter().map(|(name, text)| (name.clone(), value(name, text))).collect()
}

fn wrong(operation: &Operation, problems: &[InputProblem]) -> String {
    let mut text = format!("the inputs of {} are wrong", operation.id);
    for problem in problems {
        text.push_str(&format!("\n  - {problem}"));
    }
    text.push_str(&format!("\n`hob catalog show {}` lists them", operation.id));
    text
}

fn refused(refusal: &Refusal) -> String {
    let status = refusal.status.map(|status| format!("refused ({status}): ")).unwrap_or_default();
    let help = refusal.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    format!("{status}{}{help}", refusal.message)
}
