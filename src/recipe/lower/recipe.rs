//! The recipe as a whole.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::text::Reader;
use super::{action, trigger};
use crate::diagnostic::Diagnostic;
use crate::recipe::Recipe;
use crate::recipe::dropped_fields::DroppedFields;
use crate::recipe::syntax;
use crate::source::{SourceFile, Spanned};

/// Parses the texts in `recipe`. Invalid ones are dropped, with a diagnostic.
pub(in crate::recipe) fn lower(
    recipe: syntax::Recipe,
    file: &SourceFile,
    dropped_fields: DroppedFields,
) -> (Recipe, Vec<Diagnostic>) {
    let mut reader = Reader { file, found: Vec::new(), dropped_fields };
    let trigger_span = recipe.trigger.span;
    let trigger = trigger::lower(recipe.trigger, &mut reader);
    let when = recipe.when.and_then(|when| reader.template(&when.0));
    let lane = recipe.lane.and_then(|lane| reader.template_text(lane));
    let mut vars = IndexMap::new();
    for (name, value) in recipe.vars.unwrap_or_default() {
        match reader.whole_tree(&value.0) {
            Some(tree) => {
                vars.insert(name, tree);
            }
            None => reader.dropped_fields.named(name.span, "vars"),
        }
    }
    let on_failure = recipe.on_failure.unwrap_or_default();
    let given = |actions: &[Spanned<syntax::Action>]| -> Vec<String> {
        actions.iter().filter_map(|action| action.id.as_ref().map(|id| id.value.clone())).collect()
    };
    let mut taken: HashSet<String> = given(&recipe.actions).into_iter().chain(given(&on_failure)).collect();
    let steps = recipe.actions.len();
    let policies = action::Policies {
        kept: recipe.kept.map(|kept| kept.value).unwrap_or_default(),
        unchanged: recipe.unchanged.map(|unchanged| unchanged.value).unwrap_or_default(),
    };
    let actions = numbered(recipe.actions, 1, &mut taken, policies, &mut reader);
    let on_failure = numbered(on_failure, steps + 1, &mut taken, policies, &mut reader);
    let timeout = recipe.timeout.and_then(|timeout| reader.duration(&timeout));
    let connections = recipe.connections.unwrap_or_default();
    let model = Recipe {
        file: file.clone(),
        generated: None,
        name: recipe.name,
        description: recipe.description,
        connections: connections.into_iter().map(|(name, chosen)| (name, chosen.0)).collect(),
        trigger,
        trigger_span,
        when,
        lane,
        vars,
        actions,
        on_failure,
        echo: recipe.echo.unwrap_or_default(),
        retry_from: recipe.retry.map(|retry| retry.from.value).unwrap_or_default(),
        timeout,
        lane_on_failure: recipe.lane_on_failure.unwrap_or_default(),
        dropped_fields: reader.dropped_fields,
        broken: !reader.found.is_empty(),
    };
    (model, reader.found)
}

fn numbered(
    actions: Vec<Spanned<syntax::Action>>,
    first: usize,
    taken: &mut HashSet<String>,
    policies: action::Policies,
    reader: &mut Reader<'_>,
) -> Vec<crate::recipe::Action> {
    let numbers = first..;
    actions
        .into_iter()
        .zip(numbers)
        .map(|(step, number)| action::lower(step, number, taken, policies, reader))
        .collect()
}
