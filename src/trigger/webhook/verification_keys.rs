//! Secret keys with which recipes verify requests, whatever their templates read them from.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::check::{CheckedRecipe, weakness};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{self, Trigger, Verify, Webhook};
use crate::secret::{MIN_LENGTH, Secret};
use crate::source::Span;
use crate::template::{LocatedTemplate, PathStep, Scope, Use};

/// The secret keys of `recipes` at `now`, as far as they can be evaluated from `env`.
pub fn keys(recipes: &[CheckedRecipe], env: &Map<String, Value>, now: DateTime<Utc>) -> Vec<Secret> {
    let scope = scope(env, now);
    let key = |recipe: &CheckedRecipe| {
        let template = match verification(recipe)? {
            recipe::Verify::Header { value, .. } => value,
            recipe::Verify::Hmac { secret, .. } => secret,
            // A public key is not a secret.
            recipe::Verify::None | recipe::Verify::Ed25519 { .. } => return None,
        };
        match template.evaluate(&scope).ok()? {
            Value::String(text) => Some(Secret::new(text)),
            Value::Number(number) => Some(Secret::new(number.to_string())),
            _ => None,
        }
    };
    recipes.iter().filter_map(key).collect()
}

/// A diagnostic when the key of `recipe`, evaluated from `env`, cannot be used: no request could be verified with it,
/// or anyone could pass.
pub fn unusable_key(
    recipe: &CheckedRecipe,
    env: &Map<String, Value>,
    now: DateTime<Utc>,
) -> Option<Diagnostic> {
    let verify = verification(recipe)?;
    let key = verify.key()?;
    let told = |span: Span, message: String, help: String| {
        Some(Diagnostic::new(Code::InsecureWebhook, span, message).help(help))
    };
    let found = key.evaluate(&scope(env, now)).map(|value| weakness(verify, &value));
    let found = match found {
        Ok(None) => return None,
        Ok(Some(weakness)) => Ok(weakness),
        Err(error) => Err(error),
    };
    if let Some((name, span)) = missing(key, env) {
        let state = if env.contains_key(&name) { "blank" } else { "not set" };
        let message =
            format!("the variable `{name}` is {state}, so that nothing can prove itself to this recipe");
        let help = format!("set {name} in the environment or in .env beside hob.yaml");
        return told(span, message, help);
    }
    match found {
        Ok((message, help)) => told(key.span, message, help),
        Err(error) => {
            told(error.span, error.to_string(), "nothing can prove itself to this recipe".to_owned())
        }
    }
}

/// A diagnostic when the key of `recipe`, evaluated from `env`, is short: it can be guessed, and it is not redacted.
pub fn short_key(recipe: &CheckedRecipe, env: &Map<String, Value>, now: DateTime<Utc>) -> Option<Diagnostic> {
    let place = verification(recipe)?.key()?.span;
    let [key] = keys(std::slice::from_ref(recipe), env, now).try_into().ok()?;
    let is_short = (1..MIN_LENGTH).contains(&key.expose().trim().len());
    let message = format!(
        "this key has fewer than {MIN_LENGTH} characters: it is soon guessed, and hob does not mask it"
    );
    is_short.then(|| Diagnostic::new(Code::Suspicious, place, message).help("use a long random one"))
}

/// The first variable that `key` reads and that has no value, with its span.
fn missing(key: &LocatedTemplate, env: &Map<String, Value>) -> Option<(String, Span)> {
    key.uses().iter().find_map(|used| {
        let Use::Path { root, steps, range, .. } = used else { return None };
        let ("env", Some(PathStep::Field(name))) = (root.as_str(), steps.first()) else { return None };
        let value = env.get(name).and_then(Value::as_str).unwrap_or_default();
        value.trim().is_empty().then(|| (name.clone(), key.place(range.clone())))
    })
}

fn verification(recipe: &CheckedRecipe) -> Option<&Verify> {
    match recipe.trigger() {
        Trigger::Webhook(Webhook::Path { verify, .. }) => Some(verify),
        _ => None,
    }
}

fn scope(env: &Map<String, Value>, now: DateTime<Utc>) -> Scope {
    Scope::new(now).with("env", Value::Object(env.clone()))
}
