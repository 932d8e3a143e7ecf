//! The command `hob doctor`.

use std::net::TcpListener;

use clap::Args;
use indicatif::HumanBytes;

use super::finding::{Finding, Health};
use super::online;
use crate::cli::connected_accounts::ConnectedAccounts;
use crate::cli::recipes::{Recipes, hide_webhook_keys};
use crate::cli::store::open_existing;
use crate::cli::{ExitCode, Failure, Format, Output, Session, runtime};
use crate::journal::Access;
use crate::workspace::Workspace;

/// Check that everything hob needs is there and works
#[derive(Debug, Args)]
#[command(
    after_help = "Looks at the workspace and its recipes, variables, the store, the port for webhooks, each connection's \
credential (by a few reads that the recipes make anyway), and this machine's clock against the API's. Changes nothing. Exits with 1 \
if something is broken, and says what to do.\n\nExamples:\n  hob doctor\n  hob doctor --offline\n  hob doctor --format json"
)]
pub struct Doctor {
    /// Send nothing to the APIs
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    output: Output,
}

impl Doctor {
    /// Prints what it finds.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let recipes = hide_webhook_keys(session, &workspace)?;
        let mut findings = vec![version()];
        findings.extend(of_recipes(&recipes));
        findings.extend(of_variables(&workspace));
        runtime::block_on(async {
            findings.push(of_store(&workspace).await);
            findings.extend(of_port(&workspace));
            if !self.offline {
                let connected = ConnectedAccounts::ignoring_unset_variables(&workspace)?;
                findings.extend(online::findings(&workspace, &connected, &recipes.sound).await);
                connected.finish_token_requests().await;
                // Tokens may have been fetched meanwhile.
                let secrets = connected.connections.values().flat_map(|connection| connection.secrets());
                session.streams.hide(secrets.collect::<Vec<_>>());
            }
            Ok::<_, Failure>(())
        })??;
        match self.output.format {
            Format::Json => session.streams.json(&findings)?,
            Format::Text => {
                let lines: Vec<String> = findings.iter().flat_map(Finding::lines).collect();
                lines.iter().try_for_each(|line| session.streams.say(line))?;
            }
        }
        let broken = findings.iter().any(|finding| finding.health == Health::Broken);
        Ok(if broken { ExitCode::Problems } else { ExitCode::Fine })
    }
}

fn version() -> Finding {
    Finding::ok("version", format!("hob {}", env!("CARGO_PKG_VERSION")))
}

fn of_recipes(recipes: &Recipes) -> Vec<Finding> {
    let (sound, broken) = (recipes.sound.len(), recipes.broken.len());
    let plural = if sound == 1 { "" } else { "s" };
    let mut findings = vec![Finding::ok("workspace", format!("{sound} recipe{plural} without mistakes"))];
    findings.extend(recipes.broken.iter().map(|recipe| {
        Finding::broken("recipe", recipe.reason.clone(), format!("hob validate {}", recipe.file))
            .about(&recipe.file)
    }));
    if sound + broken == 0 {
        findings.push(Finding::note("recipe", "there are none yet"));
    }
    findings
}

fn of_variables(workspace: &Workspace) -> Vec<Finding> {
    let unset = workspace.unset.diagnostics.iter();
    let found = unset.map(|unset| {
        let remedy = unset.help.clone().unwrap_or_else(|| "set it in the environment or in .env".to_owned());
        Finding::broken("variables", unset.message.clone(), remedy)
    });
    found.collect()
}

async fn of_store(workspace: &Workspace) -> Finding {
    let broken =
        |message: String| Finding::broken("store", message, "see the message; `hob store info` tells more");
    let journal = match open_existing(workspace, Access::Client).await {
        Ok(Some(journal)) => journal,
        Ok(None) => {
            return Finding::note(
                "store",
                format!("{} is not there yet; `hob run` makes it", workspace.store),
            );
        }
        Err(failure) => return broken(failure.to_string()),
    };
    let found = match (journal.healthy().await, journal.info().await) {
        (Ok(()), Ok(info)) => {
            let (format, size) = (info.format, HumanBytes(info.bytes));
            let message = format!("{} {} takes writes; format {format}, {size}", info.kind, info.place);
            Finding::ok("store", message)
        }
        (Err(error), _) | (_, Err(error)) => broken(error.to_string()),
    };
    journal.close().await;
    found
}

fn of_port(workspace: &Workspace) -> Option<Finding> {
    let address = workspace.listen?;
    Some(match TcpListener::bind(address) {
        Ok(_) => Finding::ok("port", format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::note(
            "port",
            format!("{address} is taken: by a `hob run` that works, or by another program"),
        ),
        Err(error) => Finding::broken(
            "port",
            format!("{address} cannot be used: {error}"),
            "choose another address under `server: { listen: … }` in hob.yaml",
        ),
    })
}
