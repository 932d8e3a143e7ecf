//! A path of a recipe's own, at which anyone's webhooks are received.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::receiver::{Received, Refused};
use super::verify::{self, Encoding, Hash, Verifier};
use crate::catalog::{Signature, SignatureAlgorithm, path};
use crate::check::CheckedRecipe;
use crate::event::{DedupKey, Event, EventId, Source};
use crate::recipe::{self, Trigger, Webhook};
use crate::run::Accounts;
use crate::secret::Secret;
use crate::template::LocatedTemplate;
use crate::trigger::new_run::new_run;
use crate::trigger::surroundings::Surroundings;
use crate::value;

/// A recipe that listens at a path.
pub(super) struct PathHook {
    path: String,
    recipe: CheckedRecipe,
    verifier: Verifier,
    id: Option<String>,
}

impl PathHook {
    /// The path that `recipe` listens at, if it does.
    pub fn of(recipe: &CheckedRecipe, around: &Surroundings) -> Result<Option<Self>, verify::Error> {
        let Trigger::Webhook(Webhook::Path { path, verify, id, .. }) = recipe.trigger() else {
            return Ok(None);
        };
        let verifier = verifier(verify, around)?;
        Ok(Some(Self {
            path: path.trim_start_matches('/').to_owned(),
            recipe: recipe.clone(),
            verifier,
            id: id.as_ref().map(|id| id.value.clone()),
        }))
    }

    /// Below `/webhooks/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Takes in a request for all recipes at one path that it proves itself to.
    pub fn receive<'h>(
        hooks: &[PathHook],
        around: &Surroundings,
        header: impl Fn(&str) -> Option<&'h [u8]>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Received, Refused> {
        let mut proven = Vec::new();
        let mut refusal = None;
        for hook in hooks {
            match hook.verifier.check(&header, body) {
                Ok(()) => proven.push(hook),
                Err(error) => refusal = Some(error),
            }
        }
        if let (true, Some(error)) = (proven.is_empty(), refusal) {
            return Err(error.into());
        }
        let payload: Value =
            serde_json::from_slice(body).map_err(|error| Refused::NotJson(error.to_string()))?;
        let id = proven.iter().find_map(|hook| value::id(&path::read(&payload, hook.id.as_ref()?)?));
        let path = proven.first().map_or("", |hook| hook.path());
        let event = Event {
            id: EventId::new(),
            source: Source::Path(format!("/{path}")),
            kind: "webhook".into(),
            connection: None,
            record: id.clone(),
            dedup: id.map_or_else(|| DedupKey::of_bytes(body), DedupKey),
            received: now,
            payload,
        };
        let mut runs = Vec::new();
        for hook in proven {
            for accounts in hook.recipe.accounts() {
                runs.push(new_run(&hook.recipe, accounts, &event, &around.scope(accounts, now)));
            }
        }
        Ok(Received { event, runs, remark: None })
    }
}

fn verifier(verify: &recipe::Verify, around: &Surroundings) -> Result<Verifier, verify::Error> {
    match verify {
        recipe::Verify::None => Ok(Verifier::none()),
        recipe::Verify::Header { name, value } => Ok(Verifier::header(name, &secret(name, value, around)?)),
        recipe::Verify::Hmac { header, secret: key, algorithm, encoding, prefix } => {
            let hash = match algorithm {
                recipe::Algorithm::Sha1 => Hash::Sha1,
                recipe::Algorithm::Sha256 => Hash::Sha256,
                recipe::Algorithm::Sha512 => Hash::Sha512,
            };
            let encoding = match encoding {
                recipe::Encoding::Hex => Encoding::Hex,
                recipe::Encoding::Base64 => Encoding::Base64,
            };
            Ok(Verifier::hmac(header, &secret(header, key, around)?, hash, encoding, prefix))
        }
        recipe::Verify::Ed25519 { header, key } => {
            let key = secret(header, key, around)?.expose().to_owned();
            let algorithm = SignatureAlgorithm::Ed25519;
            Verifier::signatures(&[Signature { header: header.clone(), algorithm, key }])
        }
    }
}

/// The value of a template over `env`. An empty one would let anybody in.
fn secret(header: &str, template: &LocatedTemplate, around: &Surroundings) -> Result<Secret, verify::Error> {
    let refuse = |reason: String| verify::Error::Key { header: header.to_owned(), reason };
    let scope = around.scope(&Accounts::new(), around.clock.now());
    match template.evaluate(&scope) {
        Ok(Value::String(text)) if !text.is_empty() => Ok(Secret::new(text)),
        Ok(Value::Number(number)) => Ok(Secret::new(number.to_string())),
        Ok(_) => {
            Err(refuse("it is empty or not text; set the environment variable that it comes from".into()))
        }
        Err(error) => Err(refuse(error.to_string())),
    }
}
