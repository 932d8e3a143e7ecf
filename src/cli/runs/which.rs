//! Which runs a command is about: by id, or by what is known of them.

use anyhow::anyhow;
use clap::Args;

use super::since::Since;
use crate::cli::Failure;
use crate::clock::Clock;
use crate::journal::{Error, Journal, RunDetail, RunFilter};
use crate::run::{RunId, RunState};

/// Newest runs among which a shortened id is looked for.
const LOOKED_AT: usize = 100_000;

/// What is known of the runs that are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct Which {
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

impl Which {
    /// Nothing is said, so that every run would be meant.
    pub(super) fn is_everything(&self) -> bool {
        let Self { recipe, state, record, since, text } = self;
        recipe.is_none() && state.is_none() && record.is_none() && since.is_none() && text.is_none()
    }

    pub(super) fn filter(&self, limit: Option<usize>) -> RunFilter {
        RunFilter {
            recipe: self.recipe.clone(),
            state: self.state,
            record: self.record.clone(),
            since: self.since.as_ref().map(|since| since.before(Clock::system().now())),
            text: self.text.clone(),
            limit,
        }
    }
}

/// The run whose id is `id` or begins with it.
pub(super) async fn find(journal: &dyn Journal, id: &str) -> Result<RunDetail, Failure> {
    let full = if id.starts_with("run_") { id.to_owned() } else { format!("run_{id}") };
    let fitting = fitting(journal, &full).await.map_err(Failure::world)?;
    let reason = match fitting.as_slice() {
        [one] => match journal.run(one).await.map_err(Failure::world)? {
            Some(detail) => return Ok(detail),
            None => anyhow!("run `{one}` is gone"),
        },
        [] => anyhow!("no run `{id}`; `hob runs list` lists them"),
        several => {
            let some: Vec<&str> = several.iter().take(5).map(|run| run.0.as_str()).collect();
            anyhow!("several runs begin with `{id}`: {}", some.join(", "))
        }
    };
    Err(Failure::usage(reason))
}

async fn fitting(journal: &dyn Journal, id: &str) -> Result<Vec<RunId>, Error> {
    if let Some(detail) = journal.run(&RunId(id.to_owned())).await? {
        return Ok(vec![detail.row.id]);
    }
    let rows = journal.runs(&RunFilter { limit: Some(LOOKED_AT), ..RunFilter::default() }).await?;
    Ok(rows.into_iter().map(|row| row.id).filter(|run| run.0.starts_with(id)).collect())
}
