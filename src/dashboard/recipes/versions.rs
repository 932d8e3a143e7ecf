//! The versions of a recipe that runs began with, and what differs between two.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};

use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::journal::RecipeText;

/// Most versions that are listed.
const MOST: usize = 50;
/// Lines around a change.
const AROUND: usize = 4;

/// The versions to compare; the newer one is that in use unless it is named.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::dashboard) struct Asked {
    old: Option<String>,
    new: Option<String>,
}

#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    current: Option<&'a str>,
    versions: Vec<&'a str>,
    old: Option<&'a str>,
    new: Option<&'a str>,
    /// Groups of lines around changes.
    groups: Vec<Vec<Line>>,
}

#[derive(Serialize)]
struct Line {
    /// `added`, `removed` or nothing.
    change: &'static str,
    old: Option<usize>,
    new: Option<usize>,
    text: String,
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let mut versions = dashboard.services().journal.recipe_versions(&name, MOST).await?;
    let recipes = dashboard.recipes();
    let current = recipes.find(&name);
    if let Some(recipe) = current
        && !versions.iter().any(|version| version.version == recipe.version())
    {
        versions.insert(0, RecipeText::from_recipe(recipe));
    }
    if versions.is_empty() {
        return Err(PageError::NotFound(format!("no version of a recipe {name} is known")));
    }
    let current = current.map(|recipe| recipe.version());
    let find = |version: &str| versions.iter().find(|known| known.version == version);
    let new = asked.new.as_deref().or(current).and_then(find);
    let other = || versions.iter().find(|version| Some(&version.version) != new.map(|new| &new.version));
    let old = match asked.old.as_deref() {
        Some(old) => find(old),
        None => other(),
    };
    let groups = match (old, new) {
        (Some(old), Some(new)) => difference(&old.text, &new.text),
        _ => Vec::new(),
    };
    let page = Page {
        name: &name,
        current,
        versions: versions.iter().map(|version| version.version.as_str()).collect(),
        old: old.map(|old| old.version.as_str()),
        new: new.map(|new| new.version.as_str()),
        groups,
    };
    dashboard.page("versions.html", &visitor, &page)
}

fn difference(old: &str, new: &str) -> Vec<Vec<Line>> {
    let diff = TextDiff::from_lines(old, new);
    let group = |operations: &Vec<similar::DiffOp>| {
        let changes = operations.iter().flat_map(|operation| diff.iter_changes(operation));
        let line = |change: similar::Change<&str>| Line {
            change: match change.tag() {
                ChangeTag::Delete => "removed",
                ChangeTag::Insert => "added",
                ChangeTag::Equal => "",
            },
            old: change.old_index().map(|place| place + 1),
            new: change.new_index().map(|place| place + 1),
            text: change.value().trim_end_matches('\n').to_owned(),
        };
        changes.map(line).collect()
    };
    diff.grouped_ops(AROUND).iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_on_both_sides() {
        let groups = difference("a\nb\nc\n", "a\nx\nc\n");
        let lines: Vec<(&str, Option<usize>, Option<usize>, &str)> =
            groups[0].iter().map(|line| (line.change, line.old, line.new, line.text.as_str())).collect();
        assert_eq!(
            lines,
            [
                ("", Some(1), Some(1), "a"),
                ("removed", Some(2), None, "b"),
                ("added", None, Some(2), "x"),
                ("", Some(3), Some(3), "c"),
            ]
        );
        assert!(difference("same\n", "same\n").is_empty());
    }
}
