//! How the workspace stands, asked of the store at most once a second however many pages ask, and without a page
//! waiting for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;

use super::context::DashboardContext;
use super::recipe_set::RecipeSet;
use crate::alert::unreached_destinations;
use crate::journal::Error;
use crate::overview::{Known, Subject, WorkspaceStatus};

/// How long an answer is right.
const FRESH: Duration = Duration::from_secs(1);
/// How long an answer is shown while the next one is found: with very many failed runs that takes a while.
const SHOWN: Duration = Duration::from_secs(30);
/// How long a failed run counts as a problem.
const LATELY: TimeDelta = TimeDelta::days(7);

/// The last answer. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct StatusCache(Arc<Shared>);

#[derive(Default)]
struct Shared {
    last: Mutex<Last>,
    /// Held while the store is asked.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Last {
    answer: Option<(Instant, Arc<WorkspaceStatus>)>,
    /// How often something was changed.
    changes: u64,
}

impl StatusCache {
    /// Something was changed: what was asked before is not right any more.
    pub(super) fn forget(&self) {
        self.with(|last| {
            last.answer = None;
            last.changes += 1;
        });
    }

    /// How the workspace stands.
    pub(super) async fn ask(
        &self,
        context: &DashboardContext,
        recipes: Arc<RecipeSet>,
    ) -> Result<Arc<WorkspaceStatus>, Error> {
        match self.answer(SHOWN) {
            Some((at, status)) => {
                if at.elapsed() >= FRESH && self.0.asking.try_lock().is_ok() {
                    let (cache, context) = (self.clone(), context.clone());
                    tokio::spawn(async move {
                        if let Err(error) = cache.renewed(&context, &recipes).await {
                            tracing::debug!(%error, "what the dashboard shows could not be asked anew");
                        }
                    });
                }
                Ok(status)
            }
            None => self.renewed(context, &recipes).await,
        }
    }

    /// A fresh answer: one that somebody else has just got, or a new one.
    async fn renewed(
        &self,
        context: &DashboardContext,
        recipes: &RecipeSet,
    ) -> Result<Arc<WorkspaceStatus>, Error> {
        let _asking = self.0.asking.lock().await;
        if let Some((_, status)) = self.answer(FRESH) {
            return Ok(status);
        }
        let changes = self.with(|last| last.changes);
        let status = Arc::new(asked(context, recipes).await?);
        self.with(|last| {
            if last.changes == changes {
                last.answer = Some((Instant::now(), Arc::clone(&status)));
            }
        });
        Ok(status)
    }

    fn answer(&self, age: Duration) -> Option<(Instant, Arc<WorkspaceStatus>)> {
        self.with(|last| last.answer.clone()).filter(|(at, _)| at.elapsed() < age)
    }

    fn with<T>(&self, with: impl FnOnce(&mut Last) -> T) -> T {
        with(&mut self.0.last.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn asked(context: &DashboardContext, recipes: &RecipeSet) -> Result<WorkspaceStatus, Error> {
    let DashboardContext { services, workspace, sandbox } = context;
    let now = services.clock.now();
    let subject = Subject {
        recipes: &recipes.used,
        names: recipes.names(),
        connections: workspace.accounts.keys().cloned().collect(),
        ending: workspace.ending_consents(now),
        options: if *sandbox { " --sandbox" } else { "" },
    };
    let known = Known::load(services.journal.as_ref(), &subject, now - LATELY).await?;
    let mut status = WorkspaceStatus::new(&subject, known);
    status.add_problems(unreached_destinations(services.journal.alerts().await?, &workspace.alerts));
    Ok(status)
}
