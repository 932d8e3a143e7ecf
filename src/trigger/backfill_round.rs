//! One reading of the existing records of a list.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::check::CheckedRecipe;
use crate::journal::{Error, Journal, RunFilter};
use crate::run::{Accounts, RunState};

/// Most runs about a record that are examined for the accounts of a fan-out.
const MOST_RUNS: usize = 50;

/// One reading of a list. Its JSON is part of the cursor's subject, so that an interrupted one is continued as it was
/// begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BackfillRound {
    /// Only records made or changed since then.
    pub(super) since: Option<DateTime<Utc>>,
    /// Also records about which the recipe has a run.
    pub(super) again: bool,
    /// When it was begun.
    pub(super) begun: DateTime<Utc>,
    /// What was asked for, as text: only the same is continued.
    #[serde(default)]
    pub(super) asked: String,
}

impl BackfillRound {
    /// The state of the recipe's last run about the record, unless another run was asked for.
    pub(super) async fn last_run(
        &self,
        recipe: &CheckedRecipe,
        accounts: &Accounts,
        journal: &dyn Journal,
        record: &str,
    ) -> Result<Option<RunState>, Error> {
        if self.again { Ok(None) } else { last_run(recipe, accounts, journal, record).await }
    }

    pub(super) fn to_json(&self) -> Value {
        json!(self)
    }
}

/// The state of the recipe's last run about the record, on these accounts.
pub(super) async fn last_run(
    recipe: &CheckedRecipe,
    accounts: &Accounts,
    journal: &dyn Journal,
    record: &str,
) -> Result<Option<RunState>, Error> {
    let filter = RunFilter {
        recipe: Some(recipe.name().to_owned()),
        record: Some(record.to_owned()),
        limit: Some(MOST_RUNS),
        ..RunFilter::default()
    };
    for row in journal.runs(&filter).await? {
        let has_accounts = recipe.accounts().len() == 1
            || journal.run(&row.id).await?.is_some_and(|detail| detail.run.accounts == *accounts);
        if has_accounts {
            return Ok(Some(row.state));
        }
    }
    Ok(None)
}
