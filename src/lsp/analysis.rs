//! What is known of a recipe while it is being typed: its text is mended at the cursor, so that the rest parses.

use std::sync::Arc;

use super::expression::expression;
use super::outline::{Part, Place, Role};
use crate::catalog::Catalog;
use crate::check::{Position, StepPart};
use crate::recipe::{Recipe, Trigger};
use crate::source::{Node, SourceFile, parse};
use crate::sync;

/// A mended text and what it contains. Offsets before the cursor are those of the text itself.
#[derive(Debug)]
pub struct Analysis {
    /// The tree, as far as it can be read.
    pub node: Option<Node>,
    /// The recipes, as far as they can be read.
    pub recipes: Vec<Recipe>,
}

impl Analysis {
    /// Of `file` with the cursor at `offset`, which is at `place`.
    pub fn new(file: &SourceFile, offset: usize, place: &Place, catalog: &Arc<Catalog>) -> Self {
        let text = file.text();
        let mut best: Option<(usize, SourceFile, Option<Node>)> = None;
        for mended in mended(text, offset, place) {
            let mended = SourceFile::new(file.name(), mended);
            let parsed = parse(&mended);
            let errors = parsed.errors.len();
            if best.as_ref().is_none_or(|(fewest, ..)| errors < *fewest) {
                best = Some((errors, mended, parsed.node));
            }
            if errors == 0 {
                break;
            }
        }
        match best {
            Some((_, mended, node)) => {
                let recipes = sync::recipes(&mended, catalog).recipes;
                Self { node, recipes }
            }
            None => Self { node: None, recipes: Vec::new() },
        }
    }

    /// The recipe, unless the text is a sync, which stands for several.
    pub fn recipe(&self) -> Option<&Recipe> {
        match self.recipes.as_slice() {
            [recipe] => Some(recipe),
            _ => None,
        }
    }
}

/// `text` without what is typed at the cursor, in several ways, the most careful one first.
fn mended(text: &str, offset: usize, place: &Place) -> Vec<String> {
    let line_end = text[offset..].find('\n').map_or(text.len(), |length| offset + length);
    let line_end = text[..line_end].trim_end_matches('\r').len().max(offset);
    let line_start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
    let filled = |from: usize, to: usize, fill: &str| {
        let fill = fill.repeat(to.saturating_sub(from));
        [&text[..from], fill.as_str(), &text[to.max(from)..]].concat()
    };
    let start = place.start.min(offset);
    let quote = start.saturating_sub(usize::from(place.quoted));
    let mut all = Vec::new();
    if let Some(expression) = expression(&text[..offset], start).filter(|_| place.role == Role::Value) {
        let rest = &text[offset..line_end];
        let close = rest.find("}}").or_else(|| rest.find("%}")).map_or(offset, |at| offset + at + 2);
        all.push(filled(expression.open, close, "x"));
    }
    all.push(text.to_owned());
    if place.role == Role::Value && !place.block {
        all.push(filled(quote, line_end, "x"));
    }
    if place.role == Role::Key {
        all.push(filled(quote, line_end, " "));
    }
    if let Some(flow) = place.flow {
        all.push(filled(flow, line_end, "x"));
    }
    all.push(filled(line_start, line_end, " "));
    all
}

/// When a template at `path` in `recipe` is evaluated; `None` where there is no place for one.
pub fn position<'r>(recipe: &'r Recipe, path: &[Part]) -> Option<Position<'r>> {
    let keys: Vec<Option<&str>> = path.iter().map(Part::key).collect();
    match (keys.as_slice(), path) {
        ([Some("trigger"), Some("with"), ..], _) => match &recipe.trigger {
            Trigger::Poll(poll) if poll.over.is_some() => Some(Position::ParentInput),
            _ => Some(Position::PollInput),
        },
        ([Some("trigger"), Some("over"), Some("with"), ..], _) => Some(Position::PollInput),
        ([Some("trigger"), Some("verify"), ..], _) => Some(Position::Verify),
        ([Some("when")], _) => Some(Position::When),
        ([Some("lane")], _) => Some(Position::Lane),
        ([Some("vars"), Some(name), ..], _) => {
            Some(Position::Variable(recipe.vars.get_index_of(*name).unwrap_or(recipe.vars.len())))
        }
        ([Some(list @ ("actions" | "on_failure")), None, Some(field), ..], [_, Part::Item(index), ..]) => {
            let after_failure = *list == "on_failure";
            let actions = if after_failure { &recipe.on_failure } else { &recipe.actions };
            let part = match *field {
                "for_each" => StepPart::List,
                "if" => StepPart::Condition,
                "with" => StepPart::Input,
                _ => return None,
            };
            Some(Position::Step { action: actions.get(*index)?, index: *index, after_failure, part })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::outline;

    fn analysed(text: &str) -> (Analysis, Place) {
        let (before, after) = text.split_once('|').unwrap();
        let place = outline::place(before);
        let file = SourceFile::new("r.yaml", [before, after].concat());
        (Analysis::new(&file, before.len(), &place, &Arc::new(Catalog::built_in())), place)
    }

    const BEFORE: &str = "name: a\ntrigger: { manual: {} }\nvars: { one: 1 }\nactions:\n  - { id: x, do: log, with: { message: a } }\n  - do: contacts.get\n";

    #[test]
    fn the_rest_is_known_while_an_expression_is_typed() {
        for typed in [
            "    with: { contactId: \"{{ steps.|\" }\n  - do: log\n",
            "    with: { contactId: \"{{ steps.| }}\" }\n  - do: log\n",
            "    with: { contactId: \"{{ steps.|\n  - do: log\n",
            "    with: { contactId: {{ steps.|\n  - do: log\n",
            "    with:\n      contactId: \"{{ steps.|\n  - do: log\n",
            "    with:\n      contactId: {{ steps.| }}\n  - do: log\n",
        ] {
            let (analysis, place) = analysed(&[BEFORE, typed].concat());
            let recipe = analysis.recipe().unwrap_or_else(|| panic!("{typed}"));
            assert_eq!(recipe.actions.len(), 3, "{typed}");
            let position = position(recipe, &place.path);
            let Some(Position::Step { index: 1, part: StepPart::Input, .. }) = position else {
                panic!("{typed}: {position:?}")
            };
        }
    }

    #[test]
    fn the_rest_is_known_while_a_key_is_typed() {
        for typed in
            ["    wi|\n  - do: log\n", "    |\n  - do: log\n", "    with: { con|\n  - do: log\n", "  - d|\n"]
        {
            let (analysis, _) = analysed(&[BEFORE, typed].concat());
            assert_eq!(analysis.recipe().map(|recipe| recipe.actions[0].id.as_str()), Some("x"), "{typed}");
        }
    }
}
