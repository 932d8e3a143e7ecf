//! Applies all rules to recipes.

use std::collections::HashMap;
use std::sync::Arc;

use super::checked::CheckedRecipe;
use super::context::Context;
use super::rules;
use super::shared_path::disagreements;
use super::workspace_info::WorkspaceInfo;
use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::recipe::Recipe;
use crate::source::SourceFile;

/// What checking a recipe found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The file.
    pub file: SourceFile,
    /// The recipe, if nothing is an error.
    pub recipe: Option<CheckedRecipe>,
    /// What is wrong, in the order of the text. What parsing found is not repeated.
    pub diagnostics: Vec<Diagnostic>,
}

/// Applies all rules to `recipe`. A recipe that parsing had to mend is checked but never passes.
pub fn check(recipe: Recipe, catalog: &Arc<Catalog>, workspace_info: &WorkspaceInfo) -> Checked {
    let diagnostics = diagnostics_of(&recipe, catalog, workspace_info);
    into_checked(recipe, diagnostics, catalog, workspace_info)
}

/// The same for a recipe whose runs have begun: what starts it is not looked at any more.
pub fn check_begun(recipe: Recipe, catalog: &Arc<Catalog>, workspace_info: &WorkspaceInfo) -> Checked {
    let mut diagnostics = diagnostics_of(&recipe, catalog, workspace_info);
    let trigger = recipe.trigger_span;
    diagnostics.retain(|found| found.span.start < trigger.start || found.span.end > trigger.end);
    into_checked(recipe, diagnostics, catalog, workspace_info)
}

/// Applies all rules to each recipe, and those that look at all of them together.
pub fn check_all(
    recipes: Vec<Recipe>,
    catalog: &Arc<Catalog>,
    workspace_info: &WorkspaceInfo,
) -> Vec<Checked> {
    let mut first_with: HashMap<String, String> = HashMap::new();
    let mut checked = Vec::with_capacity(recipes.len());
    let disagreements = disagreements(&recipes);
    for (recipe, disagreement) in recipes.into_iter().zip(disagreements) {
        let mut diagnostics = diagnostics_of(&recipe, catalog, workspace_info);
        diagnostics.extend(disagreement);
        let name = &recipe.name;
        match first_with.get(name.as_str()) {
            _ if name.is_empty() => {}
            Some(place) => {
                let message = format!("another recipe is called `{name}` already");
                let help = format!("the other one is at {place}; give one of them another name");
                diagnostics.push(Diagnostic::new(Code::DuplicateName, name.span, message).help(help));
            }
            None => {
                let position = recipe.file.position(name.span.start);
                let place = format!("{}:{}:{}", recipe.file.name(), position.line, position.column);
                first_with.insert(name.value.clone(), place);
            }
        }
        checked.push(into_checked(recipe, diagnostics, catalog, workspace_info));
    }
    checked
}

fn diagnostics_of(
    recipe: &Recipe,
    catalog: &Arc<Catalog>,
    workspace_info: &WorkspaceInfo,
) -> Vec<Diagnostic> {
    let context = Context::new(recipe, catalog, workspace_info);
    let mut found = Vec::new();
    for rule in rules::ALL {
        rule.check(&context, &mut found);
    }
    found
}

fn into_checked(
    recipe: Recipe,
    mut diagnostics: Vec<Diagnostic>,
    catalog: &Arc<Catalog>,
    workspace_info: &WorkspaceInfo,
) -> Checked {
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    let file = recipe.file.clone();
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.code.severity() == Severity::Error);
    let recipe =
        if failed || recipe.is_broken() { None } else { CheckedRecipe::new(recipe, catalog, workspace_info) };
    Checked { file, recipe, diagnostics }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ConnectionInfo;
    use crate::recipe::parse;

    fn catalog() -> Arc<Catalog> {
        let mut catalog = Catalog::default();
        for (name, operations) in [
            (
                "crm",
                "operations:\n  people.list: { title: T, summary: S, kinds: [poller, action], response: { type: object, fields: { people: { type: array, items: { type: object, fields: { id: { type: string } } } } } }, result: ['$.people[*]'], list: { items: ['$.people[*]'] } }\n  people.get: { title: T, summary: S, kinds: [action], parameters: { id: { in: path, shape: { type: string, required: true } } }, response: { type: object, fields: { name: { type: string } } } }\n",
            ),
            ("shop", "operations:\n  orders.get: { title: T, summary: S, kinds: [action] }\n"),
        ] {
            let files = vec![
                (format!("{name}/connector.yaml"), format!("connector: {name}\ntitle: T\nabout: A.\n")),
                (format!("{name}/operations.yaml"), operations.to_owned()),
            ];
            catalog.add_folder(name, files).unwrap();
        }
        Arc::new(catalog)
    }

    fn workspace_info(connections: &[(&str, &str)]) -> WorkspaceInfo {
        let connections = connections.iter().map(|(name, connector)| {
            (
                (*name).to_owned(),
                ConnectionInfo { connector: (*connector).into(), settings: Vec::new(), version: None },
            )
        });
        WorkspaceInfo { known: true, connections: connections.collect(), ..WorkspaceInfo::default() }
    }

    fn recipe(name: &str, text: &str) -> Recipe {
        let parsed = parse(&SourceFile::new(name, text));
        assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
        parsed.recipe.expect("a recipe")
    }

    const FAN_OUT: &str = "name: a\nconnections: { crm: [c1, c2] }\ntrigger: { poll: people.list }\nactions: [{ do: orders.get }]\n";

    #[test]
    fn a_recipe_fans_out_over_its_connections() {
        let workspace_info = workspace_info(&[("c1", "crm"), ("c2", "crm"), ("c3", "crm"), ("s", "shop")]);
        let checked = check(recipe("a.yaml", FAN_OUT), &catalog(), &workspace_info);
        let checked = checked.recipe.expect("sound");
        let accounts: Vec<Vec<&str>> =
            checked.accounts().iter().map(|a| a.values().map(String::as_str).collect()).collect();
        assert_eq!(accounts, [["c1", "s"], ["c2", "s"]]);
        assert_eq!(checked.poller().map(|poller| poller.id.as_str()), Some("people.list"));
        assert_eq!(checked.operation(&checked.recipe().actions[0]).connector, "shop");
    }

    #[test]
    fn a_run_that_has_begun_does_not_mind_how_its_recipe_would_be_started() {
        let text = "name: a\ntrigger: { webhook: /in }\nactions: [{ do: orders.get }]\n";
        assert!(check(recipe("a.yaml", text), &catalog(), &WorkspaceInfo::none()).recipe.is_none());
        assert!(check_begun(recipe("a.yaml", text), &catalog(), &WorkspaceInfo::none()).recipe.is_some());
        let broken = text.replace("orders.get", "orders.got");
        assert!(check_begun(recipe("a.yaml", &broken), &catalog(), &WorkspaceInfo::none()).recipe.is_none());
    }

    #[test]
    fn another_text_is_another_version() {
        let version = |text: &str| {
            let recipe =
                check(recipe("a.yaml", text), &catalog(), &WorkspaceInfo::none()).recipe.expect("sound");
            recipe.version().to_owned()
        };
        assert_eq!(version(FAN_OUT), version(FAN_OUT));
        assert_ne!(version(FAN_OUT), version(&format!("{FAN_OUT}echo: allow\n")));
    }

    #[test]
    fn two_recipes_of_one_name_are_told_from_each_other() {
        let recipes = vec![recipe("a.yaml", FAN_OUT), recipe("b.yaml", FAN_OUT)];
        let checked = check_all(recipes, &catalog(), &WorkspaceInfo::none());
        assert!(checked[0].recipe.is_some());
        assert!(checked[1].recipe.is_none());
        let [complaint] = checked[1].diagnostics.as_slice() else { panic!("one complaint") };
        assert_eq!(complaint.code, Code::DuplicateName);
        assert!(complaint.help.as_ref().is_some_and(|help| help.contains("a.yaml:1:7")), "{complaint:?}");
    }

    #[test]
    fn results_are_followed_through_loops_and_variables() {
        let text = "name: a\ntrigger: { manual: {} }\nactions:\n  - { id: all, do: people.list }\n  - { id: each, do: people.get, for_each: '{{ steps.all }}', with: { id: '{{ item.id }}' } }\n  - { do: orders.get, if: '{{ steps.all and steps.each and steps.all[0].id and steps.each[0].name }}' }\n  - { do: orders.get, if: '{{ steps.all[0].idd }}' }\n  - { do: orders.get, if: '{{ steps.each.name }}' }\n  - { do: orders.get, for_each: '{{ steps.each }}', if: '{{ item.nmae }}' }\n";
        let checked = check(recipe("a.yaml", text), &catalog(), &WorkspaceInfo::none());
        let lines: Vec<(usize, Code)> =
            checked.diagnostics.iter().map(|d| (checked.file.position(d.span.start).line, d.code)).collect();
        let wrong = Code::UnknownResultField;
        assert_eq!(lines, [(7, wrong), (8, wrong), (9, wrong)], "{:#?}", checked.diagnostics);
    }

    #[test]
    fn a_thousand_recipes_are_checked_quickly() {
        let recipes: Vec<Recipe> = (0..1000)
            .map(|n| recipe("a.yaml", &FAN_OUT.replace("name: a", &format!("name: a{n}"))))
            .collect();
        let started = std::time::Instant::now();
        let checked = check_all(recipes, &catalog(), &WorkspaceInfo::none());
        assert!(checked.iter().all(|checked| checked.recipe.is_some()));
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }
}
