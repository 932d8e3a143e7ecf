//! How the workspace stands, asked of the store at most once a second however many pages ask.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::recipe_set::RecipeSet;
use super::setting::Setting;
use crate::alert::unreached_destinations;
use crate::journal::Error;
use crate::overview::{Known, Standing, Subject};

/// How long an answer is used.
const FRESH: Duration = Duration::from_secs(1);
/// How long a failed run counts as a problem.
const LATELY: TimeDelta = TimeDelta::days(7);

/// The last answer.
#[derive(Default)]
pub(super) struct StandingCache(Mutex<Option<(Instant, Arc<Standing>)>>);

impl StandingCache {
    /// Forgets the last answer, because something was changed.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }

    /// How the workspace stands.
    pub(super) async fn ask(&self, setting: &Setting, recipes: &RecipeSet) -> Result<Arc<Standing>, Error> {
        let mut last = self.0.lock().await;
        if let Some((_, standing)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(Arc::clone(standing));
        }
        let standing = Arc::new(asked(setting, recipes).await?);
        *last = Some((Instant::now(), Arc::clone(&standing)));
        Ok(standing)
    }
}

async fn asked(setting: &Setting, recipes: &RecipeSet) -> Result<Standing, Error> {
    let Setting { services, workspace, sandbox } = setting;
    let now = services.clock.now();
    let subject = Subject {
        recipes: &recipes.used,
        names: recipes.names(),
        connections: workspace.accounts.keys().cloned().collect(),
        ending: workspace.ending_consents(now),
        options: if *sandbox { " --sandbox" } else { "" },
    };
    let known = Known::load(services.journal.as_ref(), &subject, now - LATELY).await?;
    let mut standing = Standing::new(&subject, known);
    standing.add_problems(unreached_destinations(services.journal.alerts().await?, &workspace.alerts));
    Ok(standing)
}
