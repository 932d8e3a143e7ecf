//! Cycles of recipes that write what starts the next one.

use std::collections::VecDeque;

use super::checked::{CheckedAction, CheckedRecipe};
use super::feedback::{Resource, writing_steps};
use crate::catalog::{Catalog, Operation, Place, RecordChange, WriteTarget};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{EchoPolicy, Emit, Trigger, Webhook};

/// A warning for each cycle, at its first recipe. A recipe that starts itself is a cycle only if its echoes run.
pub(super) fn cycle_warnings(recipes: &[CheckedRecipe]) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    let next: Vec<Vec<usize>> = (0..recipes.len()).map(|at| started_by(at, recipes)).collect();
    for first in 0..recipes.len() {
        let Some(cycle) = shortest_cycle(&next, first) else { continue };
        let cycle: Vec<&CheckedRecipe> = cycle.iter().map(|at| &recipes[*at]).collect();
        if is_one_sync(&cycle) {
            continue;
        }
        found.push((first, warning(&cycle)));
    }
    found
}

/// Whether it is the recipes of one sync, which are meant to write what starts the other one: they write only what
/// differs, and their echoes are suppressed.
fn is_one_sync(cycle: &[&CheckedRecipe]) -> bool {
    let file = |recipe: &&CheckedRecipe| recipe.recipe().file.name().to_owned();
    let first = cycle.first().map(file);
    cycle.iter().all(|recipe| recipe.recipe().is_generated() && Some(file(recipe)) == first)
}

/// The recipes that the one at `at` may start by its writes; itself only if its echoes run.
fn started_by(at: usize, all: &[CheckedRecipe]) -> Vec<usize> {
    let recipe = &all[at];
    let runs_echoes = recipe.recipe().echo == EchoPolicy::Allow;
    let starts = |other: &CheckedRecipe| starting_steps(recipe, other).next().is_some();
    let others = (0..all.len()).filter(|other| *other != at || runs_echoes);
    others.filter(|other| starts(&all[*other])).collect()
}

/// The steps of `recipe` whose writes start `other`.
fn starting_steps<'r>(
    recipe: &'r CheckedRecipe,
    other: &'r CheckedRecipe,
) -> impl Iterator<Item = CheckedAction<'r>> {
    let read = Resource::of_trigger(other);
    let read = read.filter(|read| share_a_connection(recipe, other, &read.connector));
    read.into_iter().flat_map(move |read| {
        writing_steps(recipe).filter(move |action| {
            Resource::of_operation(action.operation).meets(&read) && is_told(action.operation, other)
        })
    })
}

fn share_a_connection(one: &CheckedRecipe, other: &CheckedRecipe, connector: &str) -> bool {
    let named = |recipe: &CheckedRecipe| -> Vec<Option<String>> {
        recipe.accounts().iter().map(|accounts| accounts.get(connector).cloned()).collect()
    };
    let (ones, others) = (named(one), named(other));
    ones.iter().any(|one| others.contains(one))
}

/// Whether the trigger of `recipe` reports the effect of the operation: one for new records only reports no changes.
fn is_told(operation: &Operation, recipe: &CheckedRecipe) -> bool {
    let in_path = operation.parameters.values().any(|parameter| parameter.place == Place::Path);
    let kinds: &[Emit] = match operation.write_target() {
        Some(WriteTarget::Created) => &[Emit::New],
        Some(WriteTarget::Deleted) => &[Emit::Removed],
        // A write without an id may find no record and create one.
        Some(WriteTarget::Fields) if !in_path => &[Emit::New, Emit::Changed],
        _ => &[Emit::Changed],
    };
    match recipe.trigger() {
        Trigger::Poll(poll) => poll.emit.iter().any(|kind| kinds.contains(kind)),
        Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
            types.iter().any(|name| kinds.contains(&change(recipe.catalog(), connector, name)))
        }
        _ => false,
    }
}

/// The kind of change that an event reports.
fn change(catalog: &Catalog, connector: &str, name: &str) -> Emit {
    let connector = catalog.connector(connector);
    match connector.and_then(|connector| connector.events.get(name)).and_then(|event| event.change) {
        Some(RecordChange::New) => Emit::New,
        Some(RecordChange::Removed) => Emit::Removed,
        Some(RecordChange::Changed) | None => Emit::Changed,
    }
}

/// The shortest path from `first` back to itself through later recipes.
fn shortest_cycle(next: &[Vec<usize>], first: usize) -> Option<Vec<usize>> {
    let mut ways: VecDeque<Vec<usize>> = VecDeque::from([vec![first]]);
    let mut seen = vec![false; next.len()];
    while let Some(way) = ways.pop_front() {
        let last = *way.last()?;
        for &at in next[last].iter().filter(|at| **at >= first) {
            if at == first {
                return Some(way);
            }
            if !std::mem::replace(&mut seen[at], true) {
                let mut longer = way.clone();
                longer.push(at);
                ways.push_back(longer);
            }
        }
    }
    None
}

fn warning(cycle: &[&CheckedRecipe]) -> Diagnostic {
    let names: Vec<String> =
        cycle.iter().chain(cycle.first()).map(|recipe| format!("`{}`", recipe.name())).collect();
    let message = match cycle {
        [_] => format!("{} writes what starts it", names[0]),
        _ => format!("these recipes start each other by what they write: {}", names.join(" → ")),
    };
    let listed = |recipes: Vec<&&CheckedRecipe>| {
        recipes.iter().map(|recipe| format!("`{}`", recipe.name())).collect::<Vec<_>>().join(" and ")
    };
    let suppressed: Vec<_> = cycle.iter().filter(|recipe| recipe.recipe().echo == EchoPolicy::Drop).collect();
    let conditional: Vec<_> =
        (0..cycle.len()).filter(|at| is_conditional(cycle[*at], cycle[(at + 1) % cycle.len()])).collect();
    let help = if !suppressed.is_empty() {
        format!(
            "the suppression of echoes ends it at {}: an event that only tells what hob itself wrote is not run",
            listed(suppressed)
        )
    } else if !conditional.is_empty() {
        format!(
            "only the conditions of {} can end it, as `echo: allow` is set",
            listed(conditional.into_iter().map(|at| &cycle[at]).collect())
        )
    } else {
        "nothing ends it, as `echo: allow` is set: after a few runs in a minute hob parks the record; take `echo: \
         allow` out, or write only what differs"
            .to_owned()
    };
    Diagnostic::new(Code::RecipeCycle, cycle[0].recipe().trigger_span, message).help(help)
}

/// Whether `recipe` starts `other` only under a condition.
fn is_conditional(recipe: &CheckedRecipe, other: &CheckedRecipe) -> bool {
    recipe.recipe().when.is_some() || starting_steps(recipe, other).all(|action| action.condition.is_some())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::check::{WorkspaceInfo, check_all};
    use crate::source::SourceFile;

    fn warnings(recipes: &[(&str, &str, &str)]) -> Vec<String> {
        let parsed = recipes.iter().map(|(name, trigger, lines)| {
            let text = format!("name: {name}\ntrigger: {trigger}\n{lines}\n");
            SourceFile::new(*name, text)
        });
        let checked =
            check_all(&parsed.collect::<Vec<_>>(), &Arc::new(Catalog::built_in()), &WorkspaceInfo::none());
        let found = checked.iter().flat_map(|checked| &checked.report.diagnostics);
        let cycles = found.filter(|found| found.code == Code::RecipeCycle);
        cycles
            .map(|found| format!("{} ({})", found.message, found.help.as_deref().unwrap_or_default()))
            .collect()
    }

    const CLIENTS: &str = "{ poll: fitr.clients.list }";
    const CONTACTS: &str = "{ webhook: highlevel.ContactUpdate }";
    const TASKS: &str = "{ poll: fitr.tasks.list }";
    const TO_CONTACTS: &str = "actions: [{ do: contacts.upsert, with: { email: a@example.com } }]";
    const TO_CLIENTS: &str = "actions: [{ do: fitr.clients.update, with: { id: a, full_name: b } }]";
    const TO_TASKS: &str = "actions: [{ do: fitr.tasks.update, with: { id: a, title: b } }]";

    #[test]
    fn a_cycle_is_reported_once_with_a_remedy() {
        let found =
            warnings(&[("a", CLIENTS, TO_CONTACTS), ("b", CONTACTS, TO_TASKS), ("c", TASKS, TO_CLIENTS)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`a` → `b` → `c` → `a`") && found[0].contains("suppression"), "{found:?}");
        let allow = format!("{TO_CONTACTS}\necho: allow");
        let when = format!("when: \"{{{{ event.id }}}}\"\n{TO_CLIENTS}\necho: allow");
        let found = warnings(&[("a", CLIENTS, &allow), ("b", CONTACTS, &when)]);
        assert!(found[0].contains("only the conditions of `b`"), "{found:?}");
        let found =
            warnings(&[("a", CLIENTS, &allow), ("b", CONTACTS, &format!("{TO_CLIENTS}\necho: allow"))]);
        assert!(found[0].contains("nothing ends it"), "{found:?}");
    }

    #[test]
    fn a_chain_that_ends_is_not_a_cycle() {
        assert_eq!(warnings(&[("a", CLIENTS, TO_CONTACTS), ("b", TASKS, TO_CLIENTS)]), Vec::<String>::new());
        assert_eq!(warnings(&[("a", CLIENTS, TO_CLIENTS)]), Vec::<String>::new(), "its own echo is dropped");
        assert_eq!(warnings(&[("a", CLIENTS, &format!("{TO_CLIENTS}\necho: allow"))]).len(), 1);
        let found =
            warnings(&[("a", CLIENTS, TO_CLIENTS), ("b", CLIENTS, TO_CLIENTS), ("c", CLIENTS, TO_CLIENTS)]);
        assert!(found[0].contains("`a` → `b` → `a`"), "though each drops its own echo: {found:?}");
        let new = "{ poll: fitr.clients.list, emit: new }";
        assert_eq!(warnings(&[("a", new, TO_CONTACTS), ("b", CONTACTS, TO_CLIENTS)]), Vec::<String>::new());
    }
}
