//! The recipes that the sync stands for.

use std::sync::{Arc, LazyLock};

use super::super::recipes::Mode;
use crate::catalog::Catalog;
use crate::check::{CheckedRecipe, Feedback, WorkspaceInfo, check};
use crate::source::SourceFile;

pub(super) struct Recipes {
    /// By the system whose changes they bring to the other.
    pub(super) by_source: [CheckedRecipe; 2],
    pub(super) feedback: Arc<Feedback>,
}

impl Recipes {
    pub(super) fn checked(mode: Mode) -> &'static Self {
        static WEBHOOKS: LazyLock<Recipes> = LazyLock::new(|| Recipes::new(Mode::Webhooks));
        static POLLS: LazyLock<Recipes> = LazyLock::new(|| Recipes::new(Mode::Polls));
        match mode {
            Mode::Webhooks => &WEBHOOKS,
            Mode::Polls => &POLLS,
        }
    }

    fn new(mode: Mode) -> Self {
        let (fitr, highlevel) = match mode {
            Mode::Webhooks => (
                "webhook: [fitr.client.created, fitr.client.updated]",
                "webhook: [highlevel.ContactCreate, highlevel.ContactUpdate]",
            ),
            Mode::Polls => ("every: 5s", "every: 5s"),
        };
        let text = format!(
            "name: people\nsync:\n  sides:\n    fitr: {{ record: client, {fitr} }}\n    \
             highlevel: {{ record: contact, {highlevel} }}\n  match: email\n  fields:\n    email: {{}}\n    \
             name: {{ fitr: full_name, highlevel: firstName }}\n    phone: {{}}\n    \
             program: {{ highlevel: city, owner: fitr }}\n"
        );
        let workspace_info = WorkspaceInfo { verified: vec!["fitr".into()], ..WorkspaceInfo::none() };
        let file = SourceFile::new("people.yaml", text);
        let checked = check(&file, &Arc::new(Catalog::built_in()), &workspace_info);
        assert!(checked.report.diagnostics.is_empty(), "{}", checked.report);
        let recipes = checked.recipes;
        let feedback = Arc::new(Feedback::of(&recipes));
        let by_source: [CheckedRecipe; 2] = recipes.try_into().unwrap();
        assert_eq!(by_source[0].name(), "people/fitr-to-highlevel");
        Self { by_source, feedback }
    }
}
