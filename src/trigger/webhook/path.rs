//! Webhooks at a recipe's own path, from any sender.

use serde_json::Value;

use super::body::Delivery;
use super::delivery_id::Identity;
use super::received::{Received, Refused};
use super::verify::{self, Encoding, Hash, Verifier};
use crate::catalog::{Signature, SignatureAlgorithm};
use crate::check::{CheckedRecipe, weakness};
use crate::event::{Event, EventId, Source};
use crate::recipe::{self, DeliveryId, Trigger, Webhook, plain_path};
use crate::run::Accounts;
use crate::secret::Secret;
use crate::services::Services;
use crate::template::LocatedTemplate;
use crate::trigger::new_run::new_run;

/// A recipe that listens at its own path.
pub(super) struct PathHook {
    path: String,
    recipe: CheckedRecipe,
    verifier: Verifier,
    id: DeliveryId,
    origins: Vec<String>,
}

impl PathHook {
    /// The path at which `recipe` listens, if it listens at one.
    pub fn for_recipe(recipe: &CheckedRecipe, services: &Services) -> Result<Option<Self>, verify::Error> {
        let Trigger::Webhook(Webhook::Path { path, verify, id, origins, .. }) = recipe.trigger() else {
            return Ok(None);
        };
        let verifier = verifier(verify, services)?;
        Ok(Some(Self {
            path: plain_path(path),
            recipe: recipe.clone(),
            verifier,
            id: id.clone(),
            origins: origins.clone(),
        }))
    }

    /// Path below `/webhooks/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Verifies requests to this recipe.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Whether a page of `origin` may send requests from a browser.
    pub fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))
    }

    /// The hooks whose verification applies to requests at their path. If any recipe there verifies its requests,
    /// recipes that do not are started only by verified ones, because one delivery is verified as a whole.
    pub fn verifying(hooks: &[PathHook]) -> impl Iterator<Item = &PathHook> {
        let is_guarded = hooks.iter().any(|hook| !hook.verifier.is_open());
        hooks.iter().filter(move |hook| !is_guarded || !hook.verifier.is_open())
    }

    /// Receives a request for all recipes at one path whose verification it passes.
    pub fn receive(
        hooks: &[PathHook],
        services: &Services,
        delivery: &Delivery<'_>,
    ) -> Result<Received, Refused> {
        let mut proven = Vec::new();
        let mut refusal = None;
        for hook in Self::verifying(hooks) {
            match hook.verifier.check(delivery.header, delivery.body) {
                Ok(()) => proven.push(hook),
                Err(error) => refusal = Some(error),
            }
        }
        if let (true, Some(error)) = (proven.is_empty(), refusal) {
            return Err(error.into());
        }
        let is_anonymous = proven.iter().all(|hook| hook.verifier.is_open());
        let payload = delivery.payload()?;
        let id = EventId::new();
        // All recipes at one path have the same setting.
        let by = proven.first().map_or(&DeliveryId::Sender, |hook| &hook.id);
        let identity = Identity::find(delivery, &payload, by, &id);
        let path = proven.first().map_or("", |hook| hook.path());
        let event = Event {
            id,
            source: Source::Path(format!("/{path}")),
            kind: "webhook".into(),
            connection: None,
            record: identity.record,
            dedup: if is_anonymous { identity.key.anonymous() } else { identity.key },
            received: delivery.received,
            payload,
        };
        let mut runs = Vec::new();
        for hook in proven {
            for accounts in hook.recipe.accounts() {
                let scope = services.template_scope(accounts, delivery.received);
                runs.push(new_run(&hook.recipe, accounts, &event, &scope));
            }
        }
        let remark = identity.missing.map(|missing| format!("{missing}, by which `id` tells repeats"));
        Ok(Received { event, runs, remark, window: identity.window })
    }
}

fn verifier(verify: &recipe::Verify, services: &Services) -> Result<Verifier, verify::Error> {
    match verify {
        recipe::Verify::None => Ok(Verifier::none()),
        recipe::Verify::Header { name, value } => {
            Ok(Verifier::header(name, &secret(name, value, verify, services)?))
        }
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
            Ok(Verifier::hmac(header, &secret(header, key, verify, services)?, hash, encoding, prefix))
        }
        recipe::Verify::Ed25519 { header, key } => {
            let key = secret(header, key, verify, services)?.expose().to_owned();
            let algorithm = SignatureAlgorithm::Ed25519;
            Verifier::signatures(&[Signature { header: header.clone(), algorithm, key, legacy: false }])
        }
    }
}

/// The value of a template over `env`. An empty secret is refused, because anyone could use it.
fn secret(
    header: &str,
    template: &LocatedTemplate,
    verify: &recipe::Verify,
    services: &Services,
) -> Result<Secret, verify::Error> {
    let refuse = |reason: String| verify::Error::Key { header: header.to_owned(), reason };
    let scope = services.template_scope(&Accounts::new(), services.clock.now());
    let value = template.evaluate(&scope).map_err(|error| refuse(error.to_string()))?;
    match (weakness(verify, &value), value) {
        (Some((reason, _)), _) => Err(refuse(reason)),
        (None, Value::String(text)) => Ok(Secret::new(text)),
        (None, other) => Ok(Secret::new(other.to_string())),
    }
}
