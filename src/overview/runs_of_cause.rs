//! The runs that a cause has.

use std::collections::HashSet;

use super::problems::RecipeTexts;
use crate::journal::{EndedIn, Error, Journal, RunRow};
use crate::run::RunState;

/// Which runs have a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsOfCause {
    /// Their recipe.
    pub recipe: String,
    /// Their state.
    pub state: RunState,
    reasons: HashSet<String>,
}

impl RunsOfCause {
    /// Whether a run has the cause.
    pub fn contains(&self, row: &RunRow) -> bool {
        let reason = row.error.as_deref().unwrap_or_default();
        row.recipe == self.recipe && row.state == self.state && self.reasons.contains(reason)
    }
}

/// The runs that have the cause whose id begins with `id`, among the newest `limit` that are parked and that failed;
/// `None` if there are none, or several such causes.
pub async fn runs_of_cause(
    journal: &dyn Journal,
    id: &str,
    limit: Option<usize>,
) -> Result<Option<RunsOfCause>, Error> {
    let mut texts = RecipeTexts::new(journal);
    let mut found: Option<(String, RunsOfCause)> = None;
    for state in [RunState::Parked, RunState::Failed] {
        for group in journal.ended_alike(&EndedIn { state, since: None, limit }).await? {
            let cause = texts.cause(&group, state).await?;
            if !cause.id.starts_with(id) {
                continue;
            }
            let new =
                || (cause.id.clone(), RunsOfCause { recipe: group.recipe, state, reasons: HashSet::new() });
            let (known, runs) = found.get_or_insert_with(new);
            if *known != cause.id {
                return Ok(None);
            }
            runs.reasons.insert(group.reason.unwrap_or_default());
        }
        // A whole id is of one state.
        if found.as_ref().is_some_and(|(whole, _)| whole == id) {
            break;
        }
    }
    Ok(found.map(|(_, runs)| runs))
}
