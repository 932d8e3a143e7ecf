//! `hob runs resolve`: tells hob whether the unclear step of parked runs happened.

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::Value;

use super::intervention::{Command, intervene};
use super::run_selector::RunSelector;
use crate::cli::{ExitCode, Failure, Output, Session, StoreChoice};
use crate::intervention::Intervention;
use crate::run::{OperatorAction, RunState};
use crate::value::read_json_text;

/// Tell hob whether the unclear step of parked runs happened
#[derive(Debug, Args)]
#[command(
    after_help = "Check in the app whether the record is there. With --happened a run continues after \
the step; with --did-not it sends the step again. It goes on with the recipe that it began with, unless \
--with-current-recipe is given.\n\n\
Examples:\n  hob runs resolve run_0199d2c4 --did-not\n  \
hob runs resolve run_0199d2c4 --happened --result '{\"id\": \"ocQHyuzHvysMo5N5VsXc\"}'\n  \
hob runs resolve --recipe leads --since 2h --did-not --with-current-recipe\n  \
hob runs resolve --cause 5c1f0a9e3b --did-not --dry-run"
)]
pub struct Resolve {
    /// Ids of the runs, or their beginnings
    #[arg(value_name = "RUN")]
    ids: Vec<String>,
    #[command(flatten)]
    which: RunSelector,
    /// Only tell how many runs would change and which would not
    #[arg(long)]
    dry_run: bool,
    /// The step happened
    #[arg(long, required_unless_present = "did_not", conflicts_with = "did_not")]
    happened: bool,
    /// The step did not happen
    #[arg(long)]
    did_not: bool,
    /// What later steps see as its result, as JSON [default: null]
    #[arg(long, value_name = "JSON", requires = "happened")]
    result: Option<String>,
    /// Continue with the recipe as it is now
    #[arg(long)]
    with_current_recipe: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    store: StoreChoice,
}

impl Resolve {
    /// Runs the command.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let action = match &self.result {
            _ if self.did_not => OperatorAction::DidNotHappen,
            None => OperatorAction::Happened(Value::Null),
            Some(text) => OperatorAction::Happened(
                read_json_text(text).context("--result is not JSON").map_err(Failure::usage)?,
            ),
        };
        if self.result.is_some() && self.ids.len() != 1 {
            return Err(Failure::usage(anyhow!("--result is the result of one step; name one run")));
        }
        let intervention =
            Intervention { action, with_current_recipe: self.with_current_recipe, dry: self.dry_run };
        let command = Command { default_state: RunState::Parked, intervention };
        intervene(session, &self.ids, &self.which, self.store, &command, self.output.format)
    }
}
