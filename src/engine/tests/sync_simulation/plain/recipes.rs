//! The two recipes.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::super::recipes::{Mode, Recipes};
use super::systems::{FIELDS, SYSTEMS};
use crate::source::SourceFile;

pub(super) fn checked(mode: Mode) -> &'static Recipes {
    static WEBHOOKS: LazyLock<Recipes> = LazyLock::new(|| recipes(Mode::Webhooks));
    static POLLS: LazyLock<Recipes> = LazyLock::new(|| recipes(Mode::Polls));
    match mode {
        Mode::Webhooks => &WEBHOOKS,
        Mode::Polls => &POLLS,
    }
}

fn recipes(mode: Mode) -> Recipes {
    Recipes::of(&[0, 1].map(|source| SourceFile::new("r.yaml", text(mode, source))))
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
