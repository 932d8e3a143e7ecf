//! What pages share.

use std::sync::{Arc, PoisonError, RwLock};

use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::access::Access;
use super::activity_cache::{ActivityCache, LastHour};
use super::changes::Watchers;
use super::context::DashboardContext;
use super::fix::Jobs;
use super::page_error::PageError;
use super::recipe_set::RecipeSet;
use super::recipes::{Stats, StatsCache};
use super::renderer;
use super::status_cache::StatusCache;
use super::try_out::TrialSandbox;
use super::under_way::{UnderWay, UnderWayCache};
use super::visitor::Visitor;
use crate::journal::Error;
use crate::overview::WorkspaceStatus;
use crate::secret::Redactor;
use crate::services::Services;

/// The dashboard. Cheap to clone.
#[derive(Clone)]
pub struct Dashboard(Arc<Shared>);

struct Shared {
    context: DashboardContext,
    /// When it was made.
    began: DateTime<Utc>,
    access: Access,
    recipes: RwLock<Arc<RecipeSet>>,
    status: StatusCache,
    activity: ActivityCache,
    under_way: UnderWayCache,
    watchers: Watchers,
    trial: TrialSandbox,
    jobs: Jobs,
    stats: StatsCache,
}

impl Dashboard {
    /// A dashboard that shows `recipes`.
    pub fn new(context: DashboardContext, recipes: RecipeSet) -> Self {
        let access = Access::new(context.workspace.access.clone());
        Self(Arc::new(Shared {
            began: context.services.clock.now(),
            context,
            access,
            recipes: RwLock::new(Arc::new(recipes)),
            status: StatusCache::default(),
            activity: ActivityCache::default(),
            under_way: UnderWayCache::default(),
            watchers: Watchers::default(),
            trial: TrialSandbox::default(),
            jobs: Jobs::default(),
            stats: StatsCache::default(),
        }))
    }

    /// Shows other recipes from now on.
    pub fn swap(&self, recipes: RecipeSet) {
        *self.0.recipes.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(recipes);
    }

    pub(super) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(super) fn context(&self) -> &DashboardContext {
        &self.0.context
    }

    pub(super) fn began(&self) -> DateTime<Utc> {
        self.0.began
    }

    pub(super) fn services(&self) -> &Services {
        &self.0.context.services
    }

    /// How the workspace stands.
    pub(super) async fn status(&self) -> Result<Arc<WorkspaceStatus>, Error> {
        self.0.status.ask(&self.0.context, self.recipes()).await
    }

    /// Something was changed: how the workspace stands is asked anew.
    pub(super) fn changed(&self) {
        self.0.status.forget();
    }

    /// The runs of the last hour.
    pub(super) async fn last_hour(&self) -> Result<LastHour, Error> {
        let services = self.services();
        self.0.activity.last_hour(services.journal.as_ref(), services.clock.now()).await
    }

    /// What runs and waits.
    pub(super) async fn under_way(&self) -> Result<Arc<UnderWay>, Error> {
        self.0.under_way.ask(self.services().journal.as_ref()).await
    }

    /// Where operations are tried.
    pub(super) fn trial(&self) -> &TrialSandbox {
        &self.0.trial
    }

    pub(super) fn watchers(&self) -> &Watchers {
        &self.0.watchers
    }

    /// How the newest runs of a recipe ended.
    pub(super) async fn stats(&self, recipe: &str) -> Result<Stats, Error> {
        self.0.stats.ask(self.services().journal.as_ref(), recipe).await
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    pub(super) fn recipes(&self) -> Arc<RecipeSet> {
        Arc::clone(&self.0.recipes.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The answer with a page: the template with the fields of `page`, without secrets.
    pub(super) fn page(
        &self,
        template: &str,
        visitor: &Visitor,
        page: &impl Serialize,
    ) -> Result<Response, PageError> {
        let page = serde_json::to_value(page).map_err(PageError::Unwritable)?;
        let mut all = self.around(visitor);
        if let Value::Object(fields) = without_secrets(page, &self.services().redactor) {
            all.extend(fields);
        }
        Ok(renderer::html(renderer::render(template, &Value::Object(all))?))
    }

    /// What every page shows.
    fn around(&self, visitor: &Visitor) -> Map<String, Value> {
        let DashboardContext { services, workspace, sandbox } = &self.0.context;
        let around = json!({
            "operator": visitor.operator.name,
            "may_act": visitor.operator.may_act(),
            "csrf": visitor.csrf,
            "path": services.redactor.text(&visitor.path),
            "sandbox": sandbox,
            "store": workspace.store.to_string(),
            "now": services.clock.now(),
        });
        if let Value::Object(around) = around { around } else { Map::new() }
    }
}

/// `page` without secrets. The names of its fields are those that templates know, and stay: a page hands on no names of fields
/// that come from outside.
fn without_secrets(page: Value, redactor: &Redactor) -> Value {
    match page {
        Value::Array(items) => items.into_iter().map(|item| without_secrets(item, redactor)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, without_secrets(value, redactor))).collect()
        }
        other => redactor.value(&other),
    }
}
