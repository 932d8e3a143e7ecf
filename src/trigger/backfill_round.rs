//! One reading of the existing records of a list.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::check::CheckedRecipe;
use crate::journal::{Error, Journal, RunFilter};
use crate::run::Accounts;

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
    /// Whether the recipe has a run about the record, and another one was not asked for.
    pub(super) async fn is_known(
        &self,
        recipe: &CheckedRecipe,
        accounts: &Accounts,
        journal: &dyn Journal,
        record: &str,
    ) -> Result<bool, Error> {
        Ok(!self.again && has_run(recipe, accounts, journal, record).await?)
    }

    pub(super) fn to_json(&self) -> Value {
        json!(self)
    }
}

/// Whether the recipe has a run about the record, on these accounts.
pub(super) async fn has_run(
    recipe: &CheckedRecipe,
    accounts: &Accounts,
    journal: &dyn Journal,
    record: &str,
) -> Result<bool, Error> {
    let filter = RunFilter {
        recipe: Some(recipe.name().to_owned()),
        record: Some(record.to_owned()),
        limit: Some(MOST_RUNS),
        ..RunFilter::default()
    };
    let rows = journal.runs(&filter).await?;
    if rows.is_empty() || recipe.accounts().len() == 1 {
        return Ok(!rows.is_empty());
    }
    for row in rows {
        if journal.run(&row.id).await?.is_some_and(|detail| detail.run.accounts == *accounts) {
            return Ok(true);
        }
    }
    Ok(false)
}
