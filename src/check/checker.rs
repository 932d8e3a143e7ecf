//! The only way from a file to checked recipes: reads them and applies all rules.

use std::collections::HashMap;
use std::sync::Arc;

use super::allowances;
use super::checked::CheckedRecipe;
use super::context::Context;
use super::cycles::cycle_warnings;
use super::link_names::link_warnings;
use super::rules;
use super::shared_path::disagreements;
use super::workspace_info::WorkspaceInfo;
use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::recipe::{Recipe, redact};
use crate::source::SourceFile;
use crate::sync::{self, Expansion};

/// The result of checking a recipe's file.
#[derive(Debug, Clone)]
pub struct Checked {
    /// All findings, in the order of the text, and the file as messages may quote it.
    pub report: Report,
    /// The recipe, or those that a sync stands for, if there are no errors.
    pub recipes: Vec<CheckedRecipe>,
    /// The parsed parts of invalid recipes.
    pub broken: Vec<Recipe>,
}

impl Checked {
    /// The recipe (of a sync, the first), or the report if there are errors.
    pub fn into_recipe(mut self) -> Result<CheckedRecipe, Report> {
        if self.recipes.is_empty() { Err(self.report) } else { Ok(self.recipes.swap_remove(0)) }
    }
}

/// Reads the recipe in `file` and applies all rules. Never panics. If parsing had to recover from mistakes, the
/// recipe is checked to find more of them, but never passes.
pub fn check(file: &SourceFile, catalog: &Arc<Catalog>, workspace_info: &WorkspaceInfo) -> Checked {
    check_all(std::slice::from_ref(file), catalog, workspace_info).swap_remove(0)
}

/// The same for a recipe with runs in progress: its trigger is not checked any more.
pub fn check_begun(file: &SourceFile, catalog: &Arc<Catalog>, workspace_info: &WorkspaceInfo) -> Checked {
    let mut checked = check_alone(file, catalog, workspace_info);
    if let Some(trigger) = checked.broken.first().map(|recipe| recipe.trigger_span) {
        let inside = |found: &Diagnostic| found.span.start >= trigger.start && found.span.end <= trigger.end;
        checked.report.diagnostics.retain(|found| !inside(found));
    }
    let mut checked = finish(checked, catalog, workspace_info);
    complete(&mut checked.report);
    checked
}

/// Checks each file, and applies the rules that concern several recipes.
pub fn check_all(
    files: &[SourceFile],
    catalog: &Arc<Catalog>,
    workspace_info: &WorkspaceInfo,
) -> Vec<Checked> {
    check_across(
        files.iter().map(|file| check_alone(file, catalog, workspace_info)).collect(),
        catalog,
        workspace_info,
    )
}

/// Applies the rules that concern several recipes to the results of `check_alone`.
pub fn check_across(
    mut all: Vec<Checked>,
    catalog: &Arc<Catalog>,
    workspace_info: &WorkspaceInfo,
) -> Vec<Checked> {
    let recipes: Vec<(usize, &Recipe)> = all
        .iter()
        .enumerate()
        .flat_map(|(at, file)| file.broken.iter().map(move |recipe| (at, recipe)))
        .collect();
    let mut found = repeated_names(&recipes);
    let disagreements = disagreements(&recipes.iter().map(|(_, recipe)| Some(*recipe)).collect::<Vec<_>>());
    let disagreements = recipes.iter().zip(disagreements);
    found.extend(disagreements.filter_map(|((at, _), disagreement)| Some((*at, disagreement?))));
    let whole = workspace_info.whole && all.iter().all(|file| !file.broken.is_empty());
    found.extend(link_warnings(&recipes, catalog, whole));
    for (at, diagnostic) in found {
        let diagnostics = &mut all[at].report.diagnostics;
        // All recipes of a sync have their names from one place.
        let is_known = |known: &&Diagnostic| known.code == diagnostic.code && known.span == diagnostic.span;
        if !diagnostics.iter().any(|known| is_known(&known)) {
            diagnostics.push(diagnostic);
        }
    }
    let all = all.into_iter().map(|checked| finish(checked, catalog, workspace_info));
    let mut all = with_cycle_warnings(all.collect());
    all.iter_mut().for_each(|checked| complete(&mut checked.report));
    all
}

/// Applies what concerns all findings of a file.
fn complete(report: &mut Report) {
    allowances::apply(report);
    report.locate_fixes();
}

/// For each recipe with the name of an earlier one, the error. Recipes come with their file's number.
fn repeated_names(recipes: &[(usize, &Recipe)]) -> Vec<(usize, Diagnostic)> {
    let mut first_with: HashMap<&str, &Recipe> = HashMap::new();
    let repeated = recipes.iter().filter_map(|(at, recipe)| {
        let name = &recipe.name;
        if name.is_empty() {
            return None;
        }
        let first = *first_with.entry(name.as_str()).or_insert(recipe);
        if std::ptr::eq(first, *recipe) {
            return None;
        }
        let position = first.file.position(first.name.span.start);
        let place = format!("{}:{}:{}", first.file.name(), position.line, position.column);
        let message = format!("another recipe is called `{name}` already");
        let help = format!("the other one is at {place}; give one of them another name");
        Some((*at, Diagnostic::new(Code::DuplicateName, name.span, message).help(help)))
    });
    repeated.collect()
}

/// Reads the recipes of `file` and applies the rules for a single recipe. None of them counts as sound until
/// `check_across` has seen it beside the others.
pub fn check_alone(file: &SourceFile, catalog: &Arc<Catalog>, workspace_info: &WorkspaceInfo) -> Checked {
    let Expansion { recipes, mut diagnostics } = sync::recipes(file, catalog);
    let shown = redact(file, recipes.first(), diagnostics.is_empty());
    for recipe in &recipes {
        let context = Context::new(recipe, catalog, workspace_info);
        let mut found = Vec::new();
        rules::ALL.iter().for_each(|rule| rule.check(&context, &mut found));
        // What several recipes have from one place is one mistake.
        found.retain(|found| !recipe.is_generated() || !diagnostics.contains(found));
        diagnostics.extend(found);
    }
    Checked { report: Report { file: shown, diagnostics }, recipes: Vec::new(), broken: recipes }
}

/// Sets the recipes if there are no errors.
fn finish(mut checked: Checked, catalog: &Arc<Catalog>, workspace_info: &WorkspaceInfo) -> Checked {
    checked.report.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    if checked.report.has_errors() || checked.broken.iter().any(Recipe::is_broken) {
        return checked;
    }
    let recipes = std::mem::take(&mut checked.broken).into_iter();
    checked.recipes =
        recipes.filter_map(|recipe| CheckedRecipe::new(recipe, catalog, workspace_info)).collect();
    checked
}

/// Adds warnings about cycles of recipes.
fn with_cycle_warnings(mut all: Vec<Checked>) -> Vec<Checked> {
    let recipes =
        all.iter().enumerate().flat_map(|(at, file)| file.recipes.iter().map(move |recipe| (at, recipe)));
    let (places, recipes): (Vec<usize>, Vec<CheckedRecipe>) =
        recipes.map(|(at, recipe)| (at, recipe.clone())).unzip();
    for (at, warning) in cycle_warnings(&recipes) {
        let diagnostics = &mut all[places[at]].report.diagnostics;
        if !diagnostics.contains(&warning) {
            diagnostics.push(warning);
            diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ConnectionInfo;

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

    fn checked(text: &str) -> Checked {
        check(&SourceFile::new("a.yaml", text), &catalog(), &WorkspaceInfo::none())
    }

    const FAN_OUT: &str = "name: a\nconnections: { crm: [c1, c2] }\ntrigger: { poll: people.list }\nactions: [{ do: orders.get }]\n";

    #[test]
    fn a_recipe_fans_out_over_its_connections() {
        let workspace_info = workspace_info(&[("c1", "crm"), ("c2", "crm"), ("c3", "crm"), ("s", "shop")]);
        let file = SourceFile::new("a.yaml", FAN_OUT);
        let checked = check(&file, &catalog(), &workspace_info).into_recipe().expect("sound");
        let accounts: Vec<Vec<&str>> =
            checked.accounts().iter().map(|a| a.values().map(String::as_str).collect()).collect();
        assert_eq!(accounts, [["c1", "s"], ["c2", "s"]]);
        assert_eq!(checked.poller().map(|poller| poller.id.as_str()), Some("people.list"));
        assert_eq!(checked.actions().next().expect("a step").operation.connector, "shop");
    }

    #[test]
    fn a_run_that_has_begun_does_not_mind_how_its_recipe_would_be_started() {
        let text = "name: a\ntrigger: { webhook: /in }\nactions: [{ do: orders.get }]\n";
        let begun = |text: &str| {
            check_begun(&SourceFile::new("a.yaml", text), &catalog(), &WorkspaceInfo::none()).into_recipe()
        };
        assert!(checked(text).recipes.is_empty());
        assert!(begun(text).is_ok());
        assert!(begun(&text.replace("orders.get", "orders.got")).is_err());
    }

    #[test]
    fn another_text_is_another_version() {
        let version = |text: &str| checked(text).into_recipe().expect("sound").version().to_owned();
        assert_eq!(version(FAN_OUT), version(FAN_OUT));
        assert_ne!(version(FAN_OUT), version(&format!("{FAN_OUT}echo: allow\n")));
    }

    #[test]
    fn duplicate_names_are_reported() {
        let files = ["a.yaml", "b.yaml"].map(|name| SourceFile::new(name, FAN_OUT));
        let checked = check_all(&files, &catalog(), &WorkspaceInfo::none());
        assert_eq!(checked[0].recipes.len(), 1);
        assert!(checked[1].recipes.is_empty());
        let [complaint] = checked[1].report.diagnostics.as_slice() else { panic!("one complaint") };
        assert_eq!(complaint.code, Code::DuplicateName);
        assert!(complaint.help.as_ref().is_some_and(|help| help.contains("a.yaml:1:7")), "{complaint:?}");
    }

    #[test]
    fn results_are_followed_through_loops_and_variables() {
        let text = "name: a\ntrigger: { manual: {} }\nactions:\n  - { id: all, do: people.list }\n  - { id: each, do: people.get, for_each: '{{ steps.all }}', with: { id: '{{ item.id }}' } }\n  - { do: orders.get, if: '{{ steps.all and steps.each and steps.all[0].id and steps.each[0].name }}' }\n  - { do: orders.get, if: '{{ steps.all[0].idd }}' }\n  - { do: orders.get, if: '{{ steps.each.name }}' }\n  - { do: orders.get, for_each: '{{ steps.each }}', if: '{{ item.nmae }}' }\n";
        let Report { file, diagnostics } = checked(text).report;
        let lines: Vec<(usize, Code)> =
            diagnostics.iter().map(|d| (file.position(d.span.start).line, d.code)).collect();
        let wrong = Code::UnknownResultField;
        assert_eq!(lines, [(7, wrong), (8, wrong), (9, wrong)], "{diagnostics:#?}");
    }

    #[test]
    fn a_thousand_recipes_are_checked_quickly() {
        let files: Vec<SourceFile> = (0..1000)
            .map(|n| SourceFile::new("a.yaml", FAN_OUT.replace("name: a", &format!("name: a{n}"))))
            .collect();
        let started = std::time::Instant::now();
        let checked = check_all(&files, &catalog(), &WorkspaceInfo::none());
        assert!(checked.iter().all(|checked| checked.recipes.len() == 1));
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }
}
