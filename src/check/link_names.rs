//! Names of links: what a recipe looks for should be saved by one.

use std::collections::BTreeSet;

use super::template_site;
use crate::catalog::{Builtin, Catalog};
use crate::diagnostic::{Code, Diagnostic, closest};
use crate::recipe::{Action, Recipe};
use crate::source::Span;
use crate::template::{PathStep, TemplateTree, TreeShape, Use};

/// A link's name with its place.
struct LinkName {
    name: String,
    span: Span,
}

/// For each use of a name that no recipe saves, a warning for the file at this index. Unless `whole`, other recipes
/// may save names, and only what resembles a saved one is taken for a mistake.
pub(super) fn link_warnings(
    recipes: &[(usize, &Recipe)],
    catalog: &Catalog,
    whole: bool,
) -> Vec<(usize, Diagnostic)> {
    let Some(saved) = saved_names(recipes.iter().map(|(_, recipe)| *recipe), catalog) else {
        return Vec::new();
    };
    let used = recipes
        .iter()
        .flat_map(|(at, recipe)| used_names(recipe, catalog).into_iter().map(move |used| (*at, used)));
    let unknown = used.filter(|(_, used)| !saved.contains(&used.name));
    let names = || saved.iter().map(String::as_str);
    let likely = unknown.filter(|(_, used)| whole || closest(&used.name, names()).is_some());
    likely.map(|(at, used)| (at, warning(&used, &saved))).collect()
}

fn warning(LinkName { name, span }: &LinkName, saved: &BTreeSet<String>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Code::UnknownLink, *span, format!("no recipe saves a link called `{name}`"));
    let listed: Vec<String> = saved.iter().map(|name| format!("`{name}`")).collect();
    let diagnostic = match listed.is_empty() {
        true => diagnostic.help("a link is made by a step with `do: links.save`"),
        false => diagnostic.help(format!("recipes save {}", listed.join(", "))),
    };
    diagnostic.suggest(name, saved.iter().map(String::as_str))
}

/// The names that steps save; `None` if one of them is known only when it runs.
fn saved_names<'a>(recipes: impl Iterator<Item = &'a Recipe>, catalog: &Catalog) -> Option<BTreeSet<String>> {
    let saves = recipes.flat_map(Recipe::all_actions).filter(|action| {
        catalog.operation(&action.operation).is_some_and(|save| save.builtin == Some(Builtin::LinksSave))
    });
    saves.map(|action| input(action, "name").map(|name| name.name)).collect()
}

/// The names that steps and templates look for, as far as they are written out.
fn used_names(recipe: &Recipe, catalog: &Catalog) -> Vec<LinkName> {
    let looks = |action: &&Action| {
        let builtin = catalog.operation(&action.operation).and_then(|operation| operation.builtin);
        matches!(builtin, Some(Builtin::LinksFind | Builtin::LinksDelete))
    };
    let mut names: Vec<LinkName> =
        recipe.all_actions().filter(looks).filter_map(|action| input(action, "name")).collect();
    for site in template_site::all(recipe) {
        let called = site.template.calls().iter().filter_map(|call| call.link_name());
        let read = site.template.uses().iter().filter_map(|used| match used {
            Use::Path { root, steps, range, .. } if root == "links" => match steps.first()? {
                PathStep::Field(name) => Some((name.clone(), range.clone())),
                PathStep::Item => None,
            },
            _ => None,
        });
        names.extend(
            called.chain(read).map(|(name, range)| LinkName { name, span: site.template.place(range) }),
        );
    }
    // One without a name is an error.
    names.retain(|link| !link.name.is_empty());
    names
}

/// The input of a step, if it is a text without expressions.
fn input(action: &Action, name: &str) -> Option<LinkName> {
    let TreeShape::Map(entries) = &action.with.shape else { return None };
    let (_, TemplateTree { shape: TreeShape::Text(text), span }) =
        entries.iter().find(|(key, _)| key.value == name)?
    else {
        return None;
    };
    text.is_literal().then(|| LinkName { name: text.text().to_owned(), span: *span })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::check::{WorkspaceInfo, check_all};
    use crate::source::SourceFile;

    /// The warnings about recipes with these actions, as `place: message`.
    fn warnings(actions: &[&str], whole: bool) -> Vec<String> {
        let text = |(at, actions): (usize, &&str)| {
            let text = format!("name: r{at}\ntrigger: {{ manual: {{}} }}\nactions:\n{actions}\n");
            SourceFile::new(format!("r{at}.yaml"), text)
        };
        let files: Vec<SourceFile> = actions.iter().enumerate().map(text).collect();
        let info = WorkspaceInfo { whole, ..WorkspaceInfo::none() };
        let checked = check_all(&files, &Arc::new(Catalog::built_in()), &info);
        let all = checked.iter().flat_map(|checked| {
            let found = checked.report.diagnostics.iter().filter(|found| found.code == Code::UnknownLink);
            found.map(|found| {
                let text = &checked.report.file.text()[found.span.start..found.span.end];
                format!("{text}: {} ({})", found.message, found.help.as_deref().unwrap_or_default())
            })
        });
        all.collect()
    }

    const SAVES: &str = "- { do: links.save, with: { name: client-contact, from: '{{ event.id }}', to: b } }";
    const FINDS: &str = "- { do: log, with: { message: \"{{ links.find('client-contct', event.id) }}\" } }";

    #[test]
    fn a_name_that_no_recipe_saves_is_a_warning() {
        let reads = "- { do: log, if: \"{{ links['clients-contact'] | default(none) }}\", with: { message: a } }\n\
                     - { do: links.find, with: { name: order, from: '{{ event.id }}' } }";
        let found = warnings(&[SAVES, FINDS, reads], true);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].starts_with("'client-contct': no recipe saves a link called `client-contct`"),
            "{found:?}"
        );
        assert!(found[0].contains("client-contact"), "{found:?}");
        assert!(found[2].starts_with("order"), "{found:?}");
        assert!(found[1].starts_with("links['clients-contact']"), "{found:?}");
        assert_eq!(warnings(&[&FINDS.replace("contct", "contact"), SAVES], true), Vec::<String>::new());
        assert_eq!(warnings(&[FINDS], true).len(), 1);
    }

    #[test]
    fn what_other_recipes_may_save_is_none() {
        assert_eq!(warnings(&[FINDS], false), Vec::<String>::new());
        assert_eq!(warnings(&[SAVES, &FINDS.replace("client-contct", "order")], false), Vec::<String>::new());
        assert_eq!(warnings(&[SAVES, FINDS], false).len(), 1);
        let any = SAVES.replace("client-contact", "'{{ event.kind }}'");
        assert_eq!(warnings(&[&any, FINDS], true), Vec::<String>::new());
        let computed = FINDS.replace("'client-contct'", "event.kind");
        assert_eq!(warnings(&[SAVES, &computed], true), Vec::<String>::new());
    }
}
