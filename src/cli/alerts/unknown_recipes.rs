//! Recipes that `alerts` in hob.yaml names.

use crate::cli::recipes::Recipes;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::Trigger;
use crate::source::Spanned;
use crate::workspace::{Channel, Workspace};

/// Mistakes in names of recipes under `alerts`, if `recipes` are all of them.
pub(in crate::cli) fn unknown_recipes(workspace: &Workspace, recipes: &Recipes) -> Vec<Diagnostic> {
    let known = recipes.names();
    let unknown = |name: &Spanned<String>| {
        let diagnostic = Diagnostic::new(Code::NotAllowed, name.span, format!("no recipe `{name}`"));
        let diagnostic = match known.is_empty() {
            true => diagnostic.help("the workspace has no recipes yet"),
            false => diagnostic.help("write the `name` of a recipe of this workspace"),
        };
        diagnostic.suggest(name, known.iter().map(String::as_str))
    };
    let silent = workspace.alerts.silent.iter().map(|silent| &silent.recipe);
    let mut found: Vec<Diagnostic> =
        silent.filter(|name| !known.contains(&name.value)).map(&unknown).collect();
    let told = workspace.alerts.to.iter().filter_map(|destination| match &destination.channel {
        Channel::Recipe(name) => Some(name),
        _ => None,
    });
    for name in told {
        if !known.contains(&name.value) {
            found.push(unknown(name));
            continue;
        }
        let recipe = recipes.sound.iter().find(|recipe| recipe.name() == name.value);
        if recipe.is_some_and(|recipe| !matches!(recipe.trigger(), Trigger::Manual(_))) {
            let message =
                format!("the recipe `{name}` has a trigger of its own, so alerts are not its events");
            let help = "name a recipe with `trigger: { manual: {} }`";
            found.push(Diagnostic::new(Code::NotAllowed, name.span, message).help(help));
        }
    }
    found
}
