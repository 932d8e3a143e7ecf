//! Recipes at one path must agree on verification: a request is verified once, and is one event.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{DeliveryId, Recipe, Trigger, Verify, Webhook, plain_path};
use crate::source::{Span, Spanned};

/// The settings of a recipe at its path.
struct Receiving<'a> {
    recipe: &'a Recipe,
    /// The index of the recipe.
    at: usize,
    path: &'a Spanned<String>,
    verify: &'a Verify,
    id: &'a DeliveryId,
}

/// The error for each recipe. Of those that disagree at one path, the first one with verification is kept.
pub(super) fn disagreements(recipes: &[Option<&Recipe>]) -> Vec<Option<Diagnostic>> {
    let mut by_path: HashMap<String, Vec<Receiving<'_>>> = HashMap::new();
    let known = recipes.iter().enumerate().filter_map(|(at, recipe)| Some((at, (*recipe)?)));
    for (at, recipe) in known.filter(|(_, recipe)| !recipe.is_broken()) {
        if let Trigger::Webhook(Webhook::Path { path, verify, id, .. }) = &recipe.trigger {
            let receiving = Receiving { recipe, at, path, verify, id };
            by_path.entry(plain_path(path)).or_default().push(receiving);
        }
    }
    let mut found: Vec<Option<Diagnostic>> = recipes.iter().map(|_| None).collect();
    for receiving in by_path.values() {
        let Some(first) = receiving.iter().find(|one| one.verify.key().is_some()).or(receiving.first())
        else {
            continue;
        };
        for other in receiving.iter().filter(|other| other.at != first.at) {
            found[other.at] = other.disagrees_with(first);
        }
    }
    found
}

impl Receiving<'_> {
    fn disagrees_with(&self, first: &Self) -> Option<Diagnostic> {
        let (path, name) = (self.path.as_str(), first.recipe.name.as_str());
        let (code, message, field) = if self.verification() != first.verification() {
            match self.verify {
                Verify::None => {
                    let message =
                        format!("anyone may send to `{path}` here, and the recipe `{name}` wants a proof");
                    (Code::InsecureWebhook, message, "verify")
                }
                _ => (
                    Code::NotAllowed,
                    format!("the recipe `{name}` verifies `{path}` in another way"),
                    "verify",
                ),
            }
        } else if self.identity() != first.identity() {
            (Code::NotAllowed, format!("the recipe `{name}` tells repeats at `{path}` in another way"), "id")
        } else {
            return None;
        };
        let file = &first.recipe.file;
        let position = file.position(first.path.span.start);
        let help = format!(
            "the other one is at {}:{}:{}; give both the same `{field}`, or one of them another path",
            file.name(),
            position.line,
            position.column
        );
        Some(Diagnostic::new(code, self.path.span, message).help(help))
    }

    /// The verification, in a comparable form.
    fn verification(&self) -> String {
        let key = |template: Span| self.written(template);
        match self.verify {
            Verify::None => "none".to_owned(),
            Verify::Header { name, value } => {
                format!("header {} {}", name.to_ascii_lowercase(), key(value.span))
            }
            Verify::Hmac { header, secret, algorithm, encoding, prefix } => {
                let header = header.to_ascii_lowercase();
                format!("hmac {header} {algorithm:?} {encoding:?} {prefix:?} {}", key(secret.span))
            }
            Verify::Ed25519 { header, key: public } => {
                format!("ed25519 {} {}", header.to_ascii_lowercase(), key(public.span))
            }
        }
    }

    /// The delivery id, in a comparable form.
    fn identity(&self) -> String {
        match self.id {
            DeliveryId::Sender => "sender".to_owned(),
            DeliveryId::Path(at) => format!("path {}", at.value),
            DeliveryId::Header(name) => format!("header {}", name.to_ascii_lowercase()),
            DeliveryId::Body(window) => format!("body {window:?}"),
        }
    }

    /// The text without quotes and spacing.
    fn written(&self, span: Span) -> String {
        let text = self.recipe.file.text().get(span.start..span.end).unwrap_or_default();
        text.chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, '"' | '\'')).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::parse;
    use crate::source::SourceFile;

    /// Which of the recipes with these triggers are rejected, and why.
    fn refused(triggers: &[&str]) -> Vec<(usize, String)> {
        let recipes: Vec<Recipe> = triggers.iter().enumerate().map(|(n, trigger)| {
            let text = format!("name: r{n}\ntrigger: {{ webhook: {trigger} }}\nactions: [{{ do: log, with: {{ message: m }} }}]\n");
            let parsed = parse(&SourceFile::new(format!("{n}.yaml"), text));
            assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
            parsed.recipe.unwrap()
        }).collect();
        let found = disagreements(&recipes.iter().map(Some).collect::<Vec<_>>());
        let told = found.into_iter().enumerate().filter_map(|(n, found)| Some((n, found?.message)));
        told.collect()
    }

    #[test]
    fn recipes_that_agree_share_a_path() {
        for triggers in [
            &["/a, verify: none", "/b, verify: { header: { name: x, value: \"{{ env.K }}\" } }"][..],
            &["/a, verify: none", "/a/, verify: none"],
            &[
                "/a, verify: { header: { name: X-Key, value: \"{{ env.K }}\" } }",
                "/a/, verify: { header: { name: x-key, value: '{{env.K}}' } }",
            ],
            &["/a, verify: none, id: { header: X-Id }", "/a, verify: none, id: { header: x-id }"],
        ] {
            assert_eq!(refused(triggers), [], "{triggers:?}");
        }
    }

    #[test]
    fn recipes_with_weaker_verification_or_another_id_are_rejected() {
        let keyed = "/a, verify: { header: { name: x, value: \"{{ env.K }}\" } }";
        let other = "/a/, verify: { header: { name: x, value: \"{{ env.L }}\" } }";
        let hashed = "/a, verify: { hmac: { header: x, secret: \"{{ env.K }}\" } }";
        let told = refused(&["/a, verify: none", keyed, "/a, verify: none"]);
        let open = "anyone may send to `/a` here, and the recipe `r1` wants a proof".to_owned();
        assert_eq!(told, [(0, open.clone()), (2, open)]);
        assert_eq!(refused(&[keyed, other])[0].1, "the recipe `r0` verifies `/a` in another way");
        assert_eq!(refused(&[hashed, keyed]).len(), 1);
        for (one, two) in [
            ("/a, verify: none", "/a, verify: none, id: $.id"),
            ("/a, verify: none, id: $.no", "/a, verify: none, id: $.id"),
            ("/a, verify: none, id: { body: 5m }", "/a, verify: none, id: { body: 6m }"),
        ] {
            assert_eq!(
                refused(&[one, two]),
                [(1, "the recipe `r0` tells repeats at `/a` in another way".into())]
            );
        }
    }
}
