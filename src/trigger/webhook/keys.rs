//! The keys by which recipes know their senders: secrets, wherever their values come from.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::check::CheckedRecipe;
use crate::recipe::{self, Trigger, Webhook};
use crate::secret::Secret;
use crate::template::Scope;

/// The keys of `recipes` at `now`, where they can be told from `env`.
pub fn keys(recipes: &[CheckedRecipe], env: &Map<String, Value>, now: DateTime<Utc>) -> Vec<Secret> {
    let scope = Scope::new(now).with("env", Value::Object(env.clone()));
    let key = |recipe: &CheckedRecipe| {
        let Trigger::Webhook(Webhook::Path { verify, .. }) = recipe.trigger() else { return None };
        let template = match verify {
            recipe::Verify::Header { value, .. } => value,
            recipe::Verify::Hmac { secret, .. } => secret,
            // A public key is no secret.
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
