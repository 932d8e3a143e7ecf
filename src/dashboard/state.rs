//! What pages share.

use std::sync::{Arc, PoisonError, RwLock};

use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::page_error::PageError;
use super::recipe_set::RecipeSet;
use super::renderer;
use super::visitor::Visitor;
use crate::services::Services;
use crate::workspace::Workspace;

/// What the dashboard shows.
#[derive(Clone)]
pub struct Setting {
    /// Journal, clock and connections.
    pub services: Services,
    /// The workspace.
    pub workspace: Arc<Workspace>,
    /// Whether it is the workspace's sandbox.
    pub sandbox: bool,
}

/// The dashboard. Cheap to clone.
#[derive(Clone)]
pub struct Dashboard(Arc<Shared>);

struct Shared {
    setting: Setting,
    recipes: RwLock<Arc<RecipeSet>>,
}

impl Dashboard {
    /// A dashboard that shows `recipes`.
    pub fn new(setting: Setting, recipes: RecipeSet) -> Self {
        Self(Arc::new(Shared { setting, recipes: RwLock::new(Arc::new(recipes)) }))
    }

    /// Shows other recipes from now on.
    pub fn swap(&self, recipes: RecipeSet) {
        *self.0.recipes.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(recipes);
    }

    pub(super) fn setting(&self) -> &Setting {
        &self.0.setting
    }

    pub(super) fn services(&self) -> &Services {
        &self.0.setting.services
    }

    pub(super) fn recipes(&self) -> Arc<RecipeSet> {
        Arc::clone(&self.0.recipes.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What follows each command, so that it is about the same store.
    pub(super) fn command_options(&self) -> &'static str {
        if self.0.setting.sandbox { " --sandbox" } else { "" }
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
        if let Value::Object(fields) = self.services().redactor.value(&page) {
            all.extend(fields);
        }
        Ok(renderer::html(renderer::render(template, &Value::Object(all))?))
    }

    /// What every page shows.
    fn around(&self, visitor: &Visitor) -> Map<String, Value> {
        let Setting { services, workspace, sandbox } = &self.0.setting;
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
