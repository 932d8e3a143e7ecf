//! The link of a record that a sync keeps equal with another one.

use crate::catalog::Builtin;
use crate::check::{CheckedAction, CheckedRecipe};

/// The link of a record, by the end at which it is.
#[derive(Debug, Clone)]
pub(super) struct LinkEnd {
    pub(super) name: String,
    pub(super) is_from: bool,
    pub(super) record: String,
}

impl LinkEnd {
    /// That of `record` if `recipe` was generated from a sync that keeps pairs equal.
    pub(super) fn of(recipe: &CheckedRecipe, record: &str) -> Option<Self> {
        let base = reads_base(recipe)?;
        let name = base.with.get("name")?.as_template()?.text().to_owned();
        let is_from = base.with.get("from").is_some();
        Some(Self { name, is_from, record: record.to_owned() })
    }

    /// The record as `from`, or as `to`.
    pub(super) fn ends(&self) -> (Option<&str>, Option<&str>) {
        if self.is_from { (Some(&self.record), None) } else { (None, Some(&self.record)) }
    }
}

/// The step of a recipe that a sync stands for which reads what is noted with a link.
pub(super) fn reads_base(recipe: &CheckedRecipe) -> Option<CheckedAction<'_>> {
    let mut actions = recipe.all_actions().filter(|_| recipe.recipe().is_generated());
    actions.find(|action| action.operation.builtin == Some(Builtin::LinksBase))
}
