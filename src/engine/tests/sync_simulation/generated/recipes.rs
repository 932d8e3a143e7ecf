//! The recipes that the sync stands for.

use std::sync::LazyLock;

use super::super::recipes::{Mode, Recipes};
use crate::source::SourceFile;

pub(super) fn checked(mode: Mode) -> &'static Recipes {
    static WEBHOOKS: LazyLock<Recipes> = LazyLock::new(|| {
        expanded(
            "webhook: [fitr.client.created, fitr.client.updated]",
            "webhook: [highlevel.ContactCreate, highlevel.ContactUpdate]",
        )
    });
    static POLLS: LazyLock<Recipes> = LazyLock::new(|| expanded("every: 5s", "every: 5s"));
    match mode {
        Mode::Webhooks => &WEBHOOKS,
        Mode::Polls => &POLLS,
    }
}

fn expanded(fitr: &str, highlevel: &str) -> Recipes {
    let text = format!(
        "name: people\nsync:\n  sides:\n    fitr: {{ record: client, {fitr} }}\n    \
         highlevel: {{ record: contact, {highlevel} }}\n  match: email\n  fields:\n    email: {{}}\n    \
         name: {{ fitr: full_name, highlevel: firstName }}\n    phone: {{}}\n    \
         program: {{ highlevel: city, owner: fitr }}\n    tags: {{}}\n"
    );
    let recipes = Recipes::of(&[SourceFile::new("people.yaml", text)]);
    let is_known = |warning: &String| warning.contains("replaces all that the record has");
    assert!(recipes.warnings.iter().all(is_known), "{:?}", recipes.warnings);
    assert_eq!(recipes.by_source[0].name(), "people/fitr-to-highlevel");
    recipes
}
