//! Names that templates can use.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};

/// Names that templates already have.
const RESERVED: [&str; 10] =
    ["event", "vars", "steps", "connection", "links", "run", "env", "error", "loop", "omit"];

/// Names of steps, variables and list items can be used in templates.
pub struct UsableNames;

impl Rule for UsableNames {
    fn summary(&self) -> &'static str {
        "Steps, variables and members of lists have names that templates can use and that are not taken."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let recipe = context.recipe;
        if recipe.name.trim().is_empty() && !recipe.is_broken() {
            found.push(Diagnostic::new(Code::NotAllowed, recipe.name.span, "the recipe's name is empty"));
        }
        let ids = recipe.all_actions().filter_map(|action| action.given_id.as_ref());
        for (root, name) in ids.map(|id| ("steps", id)).chain(recipe.vars.keys().map(|name| ("vars", name))) {
            if is_plain(name) {
                continue;
            }
            let message = format!("`{{{{ {root}.{name} }}}}` would not read this name");
            let help = format!("call it `{}`, or write `{root}['{name}']`", plain(name));
            found.push(Diagnostic::new(Code::Suspicious, name.span, message).help(help));
        }
        for action in recipe.all_actions().filter(|action| action.for_each.is_some()) {
            let name = &action.item_name;
            let reserved = is_reserved(name);
            if reserved || !is_plain(name) {
                let message = match reserved {
                    true => format!("`as` cannot be `{name}`, which means something else in templates"),
                    false => format!("`as` cannot be `{name}`, which templates cannot read as a name"),
                };
                let help = "use letters, digits and `_`, such as `item`";
                let span = action.item_span.unwrap_or(action.span);
                found.push(Diagnostic::new(Code::NotAllowed, span, message).help(help));
            }
        }
    }
}

/// Whether templates can read `name` as a name.
pub fn is_plain(name: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    name.chars().all(letter) && name.starts_with(|c: char| !c.is_numeric())
}

/// Whether `name` already means something in templates.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

fn plain(name: &str) -> String {
    let kept: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    if kept.starts_with(|c: char| c.is_numeric()) || kept.is_empty() { format!("n{kept}") } else { kept }
}
