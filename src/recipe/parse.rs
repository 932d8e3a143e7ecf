//! From text to `Recipe`, with all diagnostics.

use serde::Deserialize;

use super::model::Recipe;
use super::{lower, schema_validation, syntax};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{self, Node, SourceFile, Span};

/// The result of parsing a recipe.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The recipe; after errors a recovered one, so that checking finds more of them. `None` if nothing could be
    /// recovered.
    pub recipe: Option<Recipe>,
    /// The diagnostics.
    pub diagnostics: Vec<Diagnostic>,
}

/// The YAML of a recipe's file.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The tree; `None` if there is nothing in the file, or nothing readable.
    pub node: Option<Node>,
    /// Mistakes in the YAML.
    pub diagnostics: Vec<Diagnostic>,
    /// Parts of the text could not be read.
    pub incomplete: bool,
}

impl Tree {
    /// Whether it is a sync, which stands for several recipes.
    pub fn is_sync(&self) -> bool {
        self.node.as_ref().is_some_and(|node| node.get("sync").is_some())
    }
}

/// Reads the YAML of `file`.
pub fn read_tree(file: &SourceFile) -> Tree {
    let source::Parsed { node, errors, incomplete } = source::parse(file);
    Tree { node, diagnostics: errors.into_iter().map(Diagnostic::from).collect(), incomplete }
}

/// Parses an ordinary recipe and reports all mistakes at once. Never panics.
pub fn parse(file: &SourceFile) -> Parsed {
    parse_tree(read_tree(file), file)
}

/// Parses the ordinary recipe in `tree`, which was read from `file`.
pub fn parse_tree(tree: Tree, file: &SourceFile) -> Parsed {
    let mut diagnostics = tree.diagnostics;
    let Some(node) = tree.node else {
        if diagnostics.is_empty() {
            let place = Span::new(0, file.text().len());
            let message = "the file is empty; a recipe needs `name`, `trigger` and `actions`";
            diagnostics.push(Diagnostic::new(Code::MissingField, place, message));
        }
        return Parsed { recipe: None, diagnostics };
    };
    let checked = schema_validation::check(super::schema(), &node, tree.incomplete, "a recipe");
    diagnostics.extend(checked.diagnostics);
    let Some(recipe) = deserialize::<syntax::Recipe>(&checked.node, &mut diagnostics) else {
        return Parsed { recipe: None, diagnostics };
    };
    let (mut recipe, mistakes) = lower::lower(recipe, file, checked.dropped_fields);
    diagnostics.extend(mistakes);
    recipe.broken = !diagnostics.is_empty();
    Parsed { recipe: Some(recipe), diagnostics }
}

/// Parses a recipe that was generated from `file`; `text` is its own text. The spans of `node` lead into `file`.
pub fn parse_generated(node: Node, text: String, file: &SourceFile) -> Parsed {
    let mut parsed = parse_tree(Tree { node: Some(node), diagnostics: Vec::new(), incomplete: false }, file);
    if let Some(recipe) = &mut parsed.recipe {
        recipe.generated = Some(text.into());
    }
    parsed
}

/// Parses the structure of the sync in `tree`; `None` if it cannot be recovered.
pub fn parse_sync(tree: &Tree) -> (Option<syntax::SyncRecipe>, Vec<Diagnostic>) {
    let mut diagnostics = tree.diagnostics.clone();
    let Some(node) = &tree.node else { return (None, diagnostics) };
    let checked = schema_validation::check(super::sync_schema(), node, tree.incomplete, "a sync recipe");
    diagnostics.extend(checked.diagnostics);
    (deserialize(&checked.node, &mut diagnostics), diagnostics)
}

fn deserialize<T: for<'de> Deserialize<'de>>(node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<T> {
    match source::read::<T>(node) {
        Ok(read) => Some(read),
        Err(error) => {
            if diagnostics.is_empty() {
                let place = error.span.unwrap_or(node.span);
                diagnostics.push(Diagnostic::new(Code::WrongType, place, error.message));
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::recipe::{DeliveryId, Emit, Every, OnError, Start, Trigger, Verify, Webhook};

    fn parsed(text: &str) -> Parsed {
        parse(&SourceFile::new("r.yaml", text))
    }

    fn recipe(text: &str) -> Recipe {
        let parsed = parsed(text);
        assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
        parsed.recipe.expect("a recipe")
    }

    #[test]
    fn omitted_settings_have_defaults() {
        let recipe = recipe(
            "name: a\ntrigger: { poll: x.list }\nactions: [{ do: x.y }, { do: x.y, id: y-3 }, { do: x.y }]\n",
        );
        let Trigger::Poll(poll) = &recipe.trigger else { panic!("a poll") };
        assert!(matches!(poll.every, Every::Interval(every) if every == Duration::from_secs(300)));
        assert_eq!((poll.emit.as_slice(), poll.start), ([Emit::New, Emit::Changed].as_slice(), Start::Now));
        let ids: Vec<&str> = recipe.actions.iter().map(|action| action.id.as_str()).collect();
        assert_eq!(ids, ["y-1", "y-3", "y-3+"], "derived ids are unique");
        let action = &recipe.actions[0];
        assert_eq!((action.item_name.as_str(), action.on_error), ("item", OnError::Fail));
        assert_eq!(action.retry.attempts, 5);
        assert_eq!(action.retry.backoff.most, Duration::from_secs(300));
    }

    #[test]
    fn everything_that_is_given_is_read() {
        let recipe = recipe(
            "name: a\ntrigger: { webhook: /in, verify: { hmac: { header: X, secret: '{{ env.S }}', encoding: base64 } }, id: $.id }\nwhen: false\nvars: { one: { two: ['{{ event.x }}', 3] } }\nactions:\n  - do: x.y\n    for_each: '{{ event.list }}'\n    as: member\n    retry: { attempts: 2, backoff: 1s..1m }\n    on_error: continue\n    timeout: 10s\non_failure: [{ do: x.z }]\nlane_on_failure: skip\ntimeout: 1h\n",
        );
        let Trigger::Webhook(Webhook::Path { path, verify: Verify::Hmac { header, prefix, .. }, id, .. }) =
            &recipe.trigger
        else {
            panic!("a verified path")
        };
        assert_eq!((path.as_str(), header.as_str(), prefix.as_str()), ("/in", "X", ""));
        assert!(matches!(id, DeliveryId::Path(path) if path.as_str() == "$.id"));
        assert_eq!(recipe.when.as_ref().map(|when| when.text()), Some("false"));
        assert_eq!(recipe.vars["one"].to_value(), serde_json::json!({ "two": ["{{ event.x }}", 3] }));
        let action = &recipe.actions[0];
        assert_eq!((action.item_name.as_str(), action.retry.attempts), ("member", 2));
        assert_eq!(recipe.all_actions().last().map(|action| action.id.as_str()), Some("z-2"));
    }

    #[test]
    fn a_broken_recipe_is_mended_so_that_the_rest_can_be_checked() {
        let parsed = parsed(
            "name: 3\ntriger: { manual: {} }\nactions:\n  - do: x.y\n    retry: often\n    wth: { a: 1 }\n",
        );
        let codes: Vec<Code> = parsed.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes, [Code::UnknownField, Code::WrongType, Code::UnknownField, Code::WrongType]);
        let recipe = parsed.recipe.expect("mended");
        assert!(recipe.is_broken());
        assert_eq!(
            recipe.actions[0].with.to_value(),
            serde_json::json!({ "a": 1 }),
            "the misspelt field is read"
        );
    }

    #[test]
    fn a_text_that_cannot_be_read_in_full_lacks_nothing() {
        let parsed = parsed("name: a\ntrigger: : {\nactions:\n  - do: log\n");
        assert!(parsed.diagnostics.iter().all(|d| d.code == Code::Syntax), "{:#?}", parsed.diagnostics);
        assert!(parsed.recipe.expect("mended").dropped_fields().anywhere("vars"));
    }
}
