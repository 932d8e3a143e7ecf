//! What can be watched.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::dashboard::now::Now;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::overview::{Problem, WorkspaceStatus};

/// Digits of a fingerprint.
const DIGITS: usize = 16;
/// How often most things are looked at.
const SELDOM: Duration = Duration::from_secs(2);
/// How often something in this process is looked at.
const OFTEN: Duration = Duration::from_millis(500);

/// Something that a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub(in crate::dashboard) enum Topic {
    /// What is wrong, and what goes on.
    Now,
    /// The recipe of this name.
    Recipe(String),
    /// The run with this id.
    Run(String),
    /// The act on all runs of a cause with this id.
    Job(String),
}

impl Topic {
    /// How often it is looked at.
    pub(super) fn interval(&self) -> Duration {
        match self {
            Self::Job(_) => OFTEN,
            Self::Now | Self::Recipe(_) | Self::Run(_) => SELDOM,
        }
    }
}

impl Dashboard {
    /// Changes when the page of `topic` does. `None` if there is no such thing.
    pub(in crate::dashboard) async fn fingerprint(&self, topic: &Topic) -> Result<Option<String>, PageError> {
        match topic {
            Topic::Now => {
                let status = self.status().await?;
                fingerprint(&Now::of(self, &status, &self.recipes()).await?).map(Some)
            }
            Topic::Recipe(name) => {
                let status = self.status().await?;
                self.of_recipe(name, &status)
            }
            Topic::Run(id) => {
                let found = self.services().journal.runs_by_prefix(id, 1).await?;
                found.first().filter(|row| row.id.0 == *id).map(fingerprint).transpose()
            }
            Topic::Job(id) => self.jobs().find(id).map(|job| fingerprint(&job.report())).transpose(),
        }
    }

    /// Not of its times, which change with every poll.
    fn of_recipe(&self, name: &str, status: &WorkspaceStatus) -> Result<Option<String>, PageError> {
        let Some(row) = status.recipes.iter().find(|row| row.recipe == name) else { return Ok(None) };
        let recipes = self.recipes();
        let is_its = |problem: &&Problem| problem.recipe.as_deref() == Some(name);
        let problems = status.problems.iter().filter(is_its).map(|problem| (&problem.cause, problem.runs));
        let shown = json!({
            "state": (row.state, row.paused_since, &row.paused_on),
            "version": recipes.find(name).map(|recipe| recipe.version()),
            "mistakes": recipes.mistakes(name).map(|broken| &broken.reason),
            "problems": problems.collect::<Vec<_>>(),
        });
        fingerprint(&shown).map(Some)
    }
}

/// Changes when `shown` does.
pub(in crate::dashboard) fn fingerprint(shown: &impl Serialize) -> Result<String, PageError> {
    let shown = serde_json::to_vec(shown).map_err(PageError::Unwritable)?;
    Ok(hex::encode(Sha256::digest(shown))[..DIGITS].to_owned())
}
