//! Cycles of recipes that write what starts the next one.

use super::checked::{CheckedAction, CheckedRecipe};
use super::feedback::writing_steps;
use super::starts::{Read, Starts, Write};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::EchoPolicy;

/// A warning for each cycle, at its first recipe. A recipe that starts itself is a cycle only if its echoes run.
pub(super) fn cycle_warnings(recipes: &[CheckedRecipe]) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    let starts = Starts::among(recipes);
    for first in 0..recipes.len() {
        let Some(cycle) = starts.shortest_cycle(first) else { continue };
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

/// The steps of `recipe` whose writes start `other`.
fn starting_steps<'r>(
    recipe: &'r CheckedRecipe,
    other: &CheckedRecipe,
) -> impl Iterator<Item = CheckedAction<'r>> {
    let read = Read::of(other);
    writing_steps(recipe).filter(move |action| {
        read.as_ref().is_some_and(|read| Write::of(recipe, action.operation).starts(read))
    })
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
    use crate::catalog::Catalog;
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
        let note = "actions: [{ do: contacts.notes.create, with: { contactId: c, body: b } }]\necho: allow";
        let found =
            |event: &str| warnings(&[("a", &format!("{{ webhook: highlevel.{event} }}"), note)]).len();
        assert_eq!((found("NoteCreate"), found("NoteUpdate"), found("NoteDelete")), (1, 0, 0));
        let new = "{ poll: fitr.clients.list, emit: new }";
        assert_eq!(warnings(&[("a", new, TO_CONTACTS), ("b", CONTACTS, TO_CLIENTS)]), Vec::<String>::new());
    }
}
