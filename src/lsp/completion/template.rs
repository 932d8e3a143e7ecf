//! Names within `{{ … }}`.

use lsp_types::CompletionItemKind;

use super::item::Items;
use crate::check::{Context, Position};
use crate::lsp::analysis::position;
use crate::lsp::cursor_context::CursorContext;
use crate::lsp::expression::{Expression, Word};
use crate::recipe::{Recipe, Trigger, Webhook};
use crate::reference::words;
use crate::template::{self, PathStep, Spec};
use crate::value::Shape;

/// Names that can be written at the cursor, which is in `expression`.
pub(super) fn complete(cursor: &CursorContext<'_>, expression: &Expression) -> Items {
    let mut items = Items::new(cursor.word(expression.start, is_letter));
    match &expression.word {
        Word::Filter => callables(template::filters(), &mut items),
        Word::Test => callables(template::tests(), &mut items),
        Word::Other => {}
        Word::Name => {
            roots(cursor, &mut items);
            callables(template::functions(), &mut items);
        }
        Word::Field { root, steps } => fields(cursor, expression, root, steps, &mut items),
    }
    items
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn callables(specs: &[Spec], items: &mut Items) {
    for spec in specs {
        let text = if spec.signature.ends_with("()") { spec.signature } else { spec.name };
        items.add(spec.name, CompletionItemKind::FUNCTION, spec.signature, &about(spec), text);
    }
}

/// What a filter, function or test is for, with an example.
pub fn about(spec: &Spec) -> String {
    format!("{}\n\n`{}` → `{}`", spec.summary, spec.example, spec.result)
}

/// Names of which every template could begin with some.
const USUAL: [&str; 6] = ["event", "vars", "steps", "connection", "run", "env"];

fn roots(cursor: &CursorContext<'_>, items: &mut Items) {
    let place = cursor.analysis.recipe().and_then(|recipe| position(recipe, &cursor.place.path));
    let roots = place.as_ref().map_or_else(|| USUAL.to_vec(), Position::roots);
    // What a list is taken through comes first.
    let (usual, own): (Vec<&str>, Vec<&str>) =
        roots.into_iter().filter(|root| *root != "links").partition(|root| meaning(root).is_some());
    for root in own.into_iter().chain(usual) {
        let about = meaning(root).unwrap_or("The item of the list in `for_each`.");
        items.add(root, CompletionItemKind::VARIABLE, "", about, root);
    }
    if matches!(place, Some(Position::Step { part: crate::check::StepPart::Input, .. })) {
        items.add("omit", CompletionItemKind::KEYWORD, "", "Leaves the input out.", "omit");
    }
}

/// What the names that hob gives to templates mean.
pub fn meaning(root: &str) -> Option<&'static str> {
    Some(match root {
        "event" => "The record or request that started the run.",
        "vars" => "Values that the recipe computes once, under `vars`.",
        "steps" => "Results of earlier steps, by their ids.",
        "connection" => "Names and settings of the connections, by connector.",
        "links" => "Links between records: `links.find(name, from=…)`.",
        "run" => "The run: its id, its recipe and its event.",
        "env" => "Variables of the environment that `hob.yaml` lists.",
        "error" => "The failure that led to `on_failure`.",
        _ => return None,
    })
}

fn fields(
    cursor: &CursorContext<'_>,
    expression: &Expression,
    root: &str,
    steps: &[PathStep],
    items: &mut Items,
) {
    if root == "env" && steps.is_empty() {
        let names = cursor.state.info.env.iter();
        return names.for_each(|name| items.add(name, CompletionItemKind::CONSTANT, "", "", name));
    }
    if root == "links" && steps.is_empty() {
        let functions = template::functions().iter();
        for (name, spec) in functions.filter_map(|spec| Some((spec.name.strip_prefix("links.")?, spec))) {
            items.add(name, CompletionItemKind::FUNCTION, spec.signature, &about(spec), name);
        }
        return;
    }
    let Some(recipe) = cursor.analysis.recipe() else { return };
    let Some(place) = position(recipe, &cursor.place.path) else { return };
    match (root, steps) {
        ("steps", []) => earlier_steps(cursor, recipe, &place, items),
        ("vars", []) => {
            let count = if let Position::Variable(index) = place { index } else { recipe.vars.len() };
            let names = recipe.vars.keys().take(count);
            names.for_each(|name| items.add(name, CompletionItemKind::VARIABLE, "", "", name));
        }
        _ => {
            let context = Context::new(recipe, &cursor.state.catalog, &cursor.state.info);
            if let Some(shape) = context.shape_at(&place, root, steps) {
                of_shape(cursor, expression, &shape, items);
            }
            if root == "event" && steps.is_empty() {
                documented(cursor, recipe, items);
            }
        }
    }
}

fn earlier_steps(cursor: &CursorContext<'_>, recipe: &Recipe, place: &Position<'_>, items: &mut Items) {
    let Position::Step { index, after_failure, .. } = place else { return };
    let count = if *after_failure { recipe.actions.len() + index } else { *index };
    let (given, derived): (Vec<_>, Vec<_>) =
        recipe.all_actions().take(count).partition(|action| action.given_id.is_some());
    // The last one is the likeliest; ids that hob makes are no names for templates.
    for action in given.into_iter().rev().chain(derived).filter(|action| action.id.chars().all(is_letter)) {
        let title =
            cursor.catalog().operation(&action.operation).map_or("", |operation| operation.title.as_str());
        let detail = format!("{} ({title})", action.operation.value);
        items.add(&action.id, CompletionItemKind::VARIABLE, &detail, "", &action.id);
    }
}

fn of_shape(cursor: &CursorContext<'_>, expression: &Expression, shape: &Shape, items: &mut Items) {
    let variants = std::iter::once(shape).chain(&shape.any_of);
    let (plain, odd): (Vec<_>, Vec<_>) = variants
        .flat_map(|shape| &shape.fields)
        .partition(|(name, _)| name.chars().all(is_letter) && !name.starts_with(|c: char| c.is_numeric()));
    for (name, field) in plain {
        items.add(name, CompletionItemKind::FIELD, &words(field), "", name);
    }
    // `event.first-name` would be a difference.
    let mut subscripts = Items::new(cursor.word(expression.start - 1, is_letter));
    for (name, field) in odd.into_iter().filter(|(name, _)| !name.contains(['\'', '"', '\\'])) {
        subscripts.add(
            &format!(".{name}"),
            CompletionItemKind::FIELD,
            &words(field),
            "",
            &format!("['{name}']"),
        );
    }
    items.extend(subscripts);
}

/// Documented fields of an app's event.
fn documented(cursor: &CursorContext<'_>, recipe: &Recipe, items: &mut Items) {
    let Trigger::Webhook(Webhook::Events { connector, types, hydrate, .. }) = &recipe.trigger else { return };
    let Some(connector) = cursor.catalog().connector(connector) else { return };
    for event in types.iter().filter_map(|name| connector.events.get(name.as_str())) {
        let read = event.hydrate.as_ref().filter(|_| *hydrate);
        let whole = read.and_then(|read| cursor.catalog().operation(&read.operation)?.item_shape().cloned());
        for (name, field) in whole.iter().flat_map(|shape| &shape.fields) {
            items.add(name, CompletionItemKind::FIELD, &words(field), "", name);
        }
        for name in event.fields.iter().filter(|name| name.chars().all(is_letter)) {
            items.add(name, CompletionItemKind::FIELD, &event.title, "", name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_hob_gives_has_a_meaning() {
        assert!(USUAL.iter().all(|root| meaning(root).is_some()));
        let spec = &template::filters()[0];
        assert!(about(spec).contains(spec.example));
    }
}
