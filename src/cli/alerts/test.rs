//! `hob alerts test`.

use anyhow::anyhow;
use clap::Args;
use serde::Serialize;

use crate::alert::{Sender, test_notice};
use crate::cli::connected_accounts::ConnectedAccounts;
use crate::cli::recipes::Recipes;
use crate::cli::{ExitCode, Failure, Format, Output, Session, runtime, store};
use crate::diagnostic::closest;
use crate::engine::RecipeVersions;
use crate::journal::Access;
use crate::workspace::{Destination, Workspace};

/// Send a test to everybody who is told of alerts, and say how it went
#[derive(Debug, Args)]
#[command(
    after_help = "Sends at once, also in quiet hours. A recipe gets the test as an event, which a running `hob run` takes \
up. Exits with 1 if somebody could not be reached.\n\nExamples:\n  hob alerts test\n  hob alerts test team\n  \
hob alerts test --format json"
)]
pub struct Test {
    /// Only this destination, by its name under `alerts` in hob.yaml
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// How it went. Scripts rely on these fields.
#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    channel: &'static str,
    reached: bool,
    /// Why it was not reached.
    error: Option<String>,
}

impl Test {
    /// Sends it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let chosen = self.chosen(&workspace)?;
        if !workspace.unset.diagnostics.is_empty() {
            session.show(&workspace.unset);
        }
        if workspace.lacks_variables() {
            return Err(ConnectedAccounts::unset());
        }
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
        let connected = ConnectedAccounts::ignoring_unset_variables(&workspace)?;
        let outcomes = runtime::block_on(async {
            let journal = store::open(&workspace, Access::Client).await?;
            let services = connected.services(session, &workspace, std::sync::Arc::clone(&journal));
            let recipes = RecipeVersions::new(recipes.sound);
            let (now, link_base) = (services.clock.now(), workspace.access.link_base());
            let sender = Sender { services, recipes, workspace: workspace.name() };
            let sending = chosen.iter().map(|destination| async {
                let notice = test_notice(link_base.as_deref(), now);
                let id = notice.notice.clone();
                let error = sender.send(destination, &id, vec![notice]).await.err();
                let (name, channel) = (destination.name.clone(), destination.channel.name());
                Outcome { name, channel, reached: error.is_none(), error }
            });
            let outcomes: Vec<Outcome> = futures::future::join_all(sending).await;
            journal.close().await;
            Ok::<_, Failure>(outcomes)
        })??;
        match self.output.format {
            Format::Json => session.streams.json(&outcomes)?,
            Format::Text => {
                for Outcome { name, channel, error, .. } in &outcomes {
                    let how = error
                        .as_ref()
                        .map_or_else(|| "reached".to_owned(), |error| format!("not reached: {error}"));
                    session.streams.say(format!("{name}  {channel}  {how}"))?;
                }
            }
        }
        let all = outcomes.iter().all(|outcome| outcome.reached);
        Ok(if all { ExitCode::Fine } else { ExitCode::Problems })
    }

    fn chosen(&self, workspace: &Workspace) -> Result<Vec<Destination>, Failure> {
        let all = &workspace.alerts.to;
        if all.is_empty() {
            return Err(Failure::usage(anyhow!("hob.yaml names nobody under `alerts: {{ to: … }}`")));
        }
        let Some(name) = &self.name else { return Ok(all.clone()) };
        if let Some(found) = all.iter().find(|destination| destination.name == *name) {
            return Ok(vec![found.clone()]);
        }
        let names: Vec<&str> = all.iter().map(|destination| destination.name.as_str()).collect();
        let hint = match closest(name, names.iter().copied()) {
            Some(suggestion) => format!("did you mean `{}`?", suggestion.name()),
            None => format!("there are {}", names.join(", ")),
        };
        Err(Failure::usage(anyhow!("nobody is called `{name}` under `alerts` in hob.yaml; {hint}")))
    }
}
