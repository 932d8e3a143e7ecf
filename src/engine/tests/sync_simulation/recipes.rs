//! The two recipes that keep the systems equal.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use super::systems::{FIELDS, SYSTEMS};
use crate::catalog::Catalog;
use crate::check::{CheckedRecipe, Feedback, WorkspaceInfo, check_all};
use crate::source::SourceFile;

/// How the recipes learn of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// By webhooks whose record is fetched, and a sweep for lost ones.
    Webhooks,
    /// By polls.
    Polls,
}

pub(super) struct Recipes {
    /// By the system whose changes they carry over.
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
        let files = [0, 1].map(|source| SourceFile::new("r.yaml", text(mode, source)));
        let workspace_info = WorkspaceInfo { verified: vec!["fitr".into()], ..WorkspaceInfo::none() };
        let checked = check_all(&files, &Arc::new(Catalog::built_in()), &workspace_info);
        let recipes: Vec<CheckedRecipe> = checked
            .into_iter()
            .map(|checked| checked.into_recipe().unwrap_or_else(|report| panic!("{report}")))
            .collect();
        let feedback = Arc::new(Feedback::of(&recipes));
        Self { by_source: recipes.try_into().unwrap(), feedback }
    }
}

fn text(mode: Mode, source: usize) -> String {
    let (from, to) = (&SYSTEMS[source], &SYSTEMS[1 - source]);
    let (trigger, record) = match mode {
        Mode::Webhooks => {
            let trigger = format!("{{ webhook: {}.{}, hydrate: true }}", from.connector, from.event);
            (trigger, from.webhook_record.map_or_else(|| "event".to_owned(), |at| format!("event.{at}")))
        }
        Mode::Polls => (format!("{{ poll: {} }}", from.list), "event".to_owned()),
    };
    let mut text = format!(
        "name: to-{}\ntrigger: {trigger}\nactions:\n- id: put\n  do: {}\n  with:\n    {}: \"{{{{ links.pair }}}}\"\n",
        to.connector, to.update, to.id_input
    );
    for field in 0..FIELDS {
        let _ = writeln!(text, "    {}: \"{{{{ {record}.{} }}}}\"", to.fields[field], from.fields[field]);
    }
    text
}
