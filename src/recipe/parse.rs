//! From text to `Recipe`, with all diagnostics.

use super::model::Recipe;
use super::{lower, schema_validation, syntax};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{self, SourceFile, Span};

/// The result of parsing a recipe.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The recipe; after errors a recovered one, so that checking finds more of them. `None` if nothing could be
    /// recovered.
    pub recipe: Option<Recipe>,
    /// The diagnostics.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a recipe and reports all mistakes at once. Never panics.
pub fn parse(file: &SourceFile) -> Parsed {
    let tree = source::parse(file);
    let mut diagnostics: Vec<Diagnostic> = tree.errors.into_iter().map(Diagnostic::from).collect();
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
    let recipe = match source::read::<syntax::Recipe>(&checked.node) {
        Ok(recipe) => recipe,
        Err(error) => {
            let place = error.span.unwrap_or(node.span);
            if diagnostics.is_empty() {
                diagnostics.push(Diagnostic::new(Code::WrongType, place, error.message));
            }
            return Parsed { recipe: None, diagnostics };
        }
    };
    let (mut recipe, mistakes) = lower::lower(recipe, file, checked.dropped_fields);
    diagnostics.extend(mistakes);
    recipe.broken = !diagnostics.is_empty();
    Parsed { recipe: Some(recipe), diagnostics }
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
