//! `hob runs retry`: continues failed runs with the recipe as it is now.

use clap::Args;

use super::intervention::{Command, intervene};
use super::run_selector::RunSelector;
use crate::cli::{ExitCode, Failure, Output, Session, StoreChoice};
use crate::intervention::Intervention;
use crate::run::{OperatorAction, RunState};

/// Continue runs that failed, with the recipe as it is now
#[derive(Debug, Args)]
#[command(
    after_help = "A run continues from the step that failed; completed steps are not repeated. A running \
`hob run` picks it up at once; otherwise the next one does. Parked runs need `hob runs resolve` first.\n\n\
Examples:\n  hob runs retry run_0199d2c4\n  hob runs retry --recipe clients-to-contacts --since 2h\n  \
hob runs retry --state failed\n  hob runs retry --cause 5c1f0a9e3b --dry-run\n  hob runs retry run_0199d2c4 --from-start"
)]
pub struct Retry {
    /// Ids of the runs, or their beginnings
    #[arg(value_name = "RUN")]
    ids: Vec<String>,
    #[command(flatten)]
    which: RunSelector,
    /// Only tell how many runs would change and which would not
    #[arg(long)]
    dry_run: bool,
    /// Do everything again, including completed steps
    #[arg(long)]
    from_start: bool,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

impl Retry {
    /// Runs the command.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let action = if self.from_start { OperatorAction::Restart } else { OperatorAction::Retry };
        let intervention = Intervention { action, with_current_recipe: true, dry: self.dry_run };
        let command = Command { default_state: RunState::Failed, intervention };
        intervene(session, &self.ids, &self.which, self.store, &command, self.output.format)
    }
}
