//! What changes when a page does.

use serde_json::json;

use super::topic::{Topic, fingerprint};
use crate::dashboard::now::Now;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::overview::{Problem, WorkspaceStatus};

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
