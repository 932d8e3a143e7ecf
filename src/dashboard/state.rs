//! What pages share.

use std::sync::{Arc, PoisonError, RwLock};

use axum::response::Response;
use minijinja::value::merge_maps;
use minijinja::{Value, context};

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

    /// The answer with a page.
    pub(super) fn page(&self, template: &str, visitor: &Visitor, page: Value) -> Result<Response, PageError> {
        let around = context! {
            operator => visitor.operator.name,
            may_act => visitor.operator.may_act(),
            csrf => visitor.csrf,
            path => visitor.path,
            sandbox => self.0.setting.sandbox,
            store => self.0.setting.workspace.store.to_string(),
            now => self.services().clock.now(),
        };
        Ok(renderer::html(renderer::render(template, merge_maps([page, around]))?))
    }
}
