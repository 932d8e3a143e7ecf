//! The two recipes that keep the systems equal.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::check::{CheckedRecipe, Feedback, WorkspaceInfo, check_all};
use crate::source::SourceFile;

/// How the recipes learn of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// By webhooks, and a sweep for lost ones.
    Webhooks,
    /// By polls.
    Polls,
}

impl Mode {
    /// That of a seed.
    pub(super) fn of(seed: u64) -> Self {
        if seed.is_multiple_of(2) { Mode::Webhooks } else { Mode::Polls }
    }
}

pub(super) struct Recipes {
    /// By the system whose changes they bring to the other.
    pub(super) by_source: [CheckedRecipe; 2],
    pub(super) feedback: Arc<Feedback>,
    /// What was found in them, which are no errors.
    pub(super) warnings: Vec<String>,
}

impl Recipes {
    /// Those of the files: the one of the first system first.
    pub(super) fn of(files: &[SourceFile]) -> Self {
        let workspace_info = WorkspaceInfo { verified: vec!["fitr".into()], ..WorkspaceInfo::none() };
        let checked = check_all(files, &Arc::new(Catalog::built_in()), &workspace_info);
        let mut warnings = Vec::new();
        let mut recipes = Vec::new();
        for checked in checked {
            assert!(!checked.report.has_errors(), "{}", checked.report);
            warnings.extend(checked.report.rows().into_iter().map(|row| row.message));
            recipes.extend(checked.recipes);
        }
        let feedback = Arc::new(Feedback::of(&recipes));
        Self { by_source: recipes.try_into().unwrap(), feedback, warnings }
    }
}
