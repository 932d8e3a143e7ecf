//! `hob runs skip`: gives up on runs that failed, wait or are parked.

use clap::Args;

use super::intervention::{Command, intervene};
use super::run_selector::RunSelector;
use crate::cli::{ExitCode, Failure, Output, Session, StoreChoice};
use crate::intervention::Intervention;
use crate::run::{OperatorAction, RunState};

/// Give up on runs that failed, wait or are parked, so that the runs behind them continue
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hob runs skip run_0199d2c4\n  hob runs skip --state parked --recipe leads\n  \
hob runs skip --cause 5c1f0a9e3b --dry-run"
)]
pub struct Skip {
    /// Ids of the runs, or their beginnings
    #[arg(value_name = "RUN")]
    ids: Vec<String>,
    #[command(flatten)]
    which: RunSelector,
    /// Only tell how many runs would change and which would not
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

impl Skip {
    /// Runs the command.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let intervention =
            Intervention { action: OperatorAction::Skip, with_current_recipe: false, dry: self.dry_run };
        let command = Command { default_state: RunState::Failed, intervention };
        intervene(session, &self.ids, &self.which, self.store, &command, self.output.format)
    }
}
