//! Selects the runs of a command: by id, or by filters.

use anyhow::anyhow;
use clap::Args;

use super::since::Since;
use crate::cli::Failure;
use crate::clock::Clock;
use crate::journal::{Journal, RunFilter, RunRow};
use crate::run::RunState;
use crate::value::short_id;

/// Most candidates listed for an ambiguous prefix of an id.
const SHOWN: usize = 5;

/// Filters for runs.
#[derive(Debug, Clone, Default, Args)]
pub struct RunSelector {
    /// Only runs of this recipe
    #[arg(long, value_name = "NAME")]
    pub(super) recipe: Option<String>,
    /// Only runs in this state
    #[arg(long, value_name = "STATE")]
    pub(super) state: Option<RunState>,
    /// Only runs about this record, by its id
    #[arg(long, value_name = "ID")]
    pub(super) record: Option<String>,
    /// Only runs created since then: a duration such as 2h, a date or a time
    #[arg(long, value_name = "WHEN")]
    pub(super) since: Option<Since>,
    /// Only runs with this text in the record, the reason, the event or the history; case does not matter
    #[arg(long, value_name = "TEXT")]
    pub(super) text: Option<String>,
}

impl RunSelector {
    /// Whether there is no filter, so that every run would match.
    pub(super) fn is_everything(&self) -> bool {
        let Self { recipe, state, record, since, text } = self;
        recipe.is_none() && state.is_none() && record.is_none() && since.is_none() && text.is_none()
    }

    pub(super) fn filter(&self, limit: Option<usize>) -> RunFilter {
        RunFilter {
            recipe: self.recipe.clone(),
            state: self.state,
            record: self.record.clone().map(short_id),
            since: self.since.as_ref().map(|since| since.before(Clock::system().now())),
            until: None,
            text: self.text.clone(),
            priority: None,
            limit,
        }
    }
}

/// The run with this id or unique prefix.
pub(super) async fn find(journal: &dyn Journal, id: &str) -> Result<RunRow, Failure> {
    let full = if id.starts_with("run_") { id.to_owned() } else { format!("run_{id}") };
    let mut fitting = journal.runs_by_prefix(&full, SHOWN + 1).await.map_err(Failure::unavailable)?;
    let reason = match fitting.len() {
        1 => return Ok(fitting.remove(0)),
        0 => anyhow!("no run `{id}`; `hob runs list` lists them, with --sandbox those of the sandbox"),
        several => {
            let some: Vec<&str> = fitting.iter().take(SHOWN).map(|row| row.id.0.as_str()).collect();
            let more = if several > SHOWN { ", and more" } else { "" };
            anyhow!("several runs begin with `{id}`: {}{more}", some.join(", "))
        }
    };
    Err(Failure::usage(reason))
}
