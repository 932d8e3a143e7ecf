//! Events of webhooks, and their verification.

use chrono::DateTime;

use super::Rule;
use crate::catalog::Connector;
use crate::check::{Context, weakness};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{Trigger, Verify, Webhook, plain_path};
use crate::source::Spanned;
use crate::template::Scope;

/// Events of webhook triggers are events that the connector sends.
pub struct KnownEvents;

impl Rule for KnownEvents {
    fn summary(&self) -> &'static str {
        "Events of a webhook trigger are events that the connector sends, and can be hydrated and reconciled if asked for."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Webhook(Webhook::Events { connector, types, hydrate, reconcile, .. }) =
            &context.recipe.trigger
        else {
            return;
        };
        let Some(first) = types.first() else { return };
        let Some(app) = context.catalog.connector(connector) else {
            let message = format!("no connector is called `{connector}`");
            let names = context.catalog.connectors().map(|known| known.connector.as_str());
            let diagnostic = Diagnostic::new(Code::UnknownConnector, first.span, message)
                .help("a path of your own begins with `/`");
            found.push(diagnostic.suggest(connector, names));
            return;
        };
        for event in types {
            match app.events.get(event.as_str()) {
                None => found.push(unknown(app, event)),
                Some(known) => {
                    if *hydrate && known.hydrate.is_none() {
                        let message = format!("`{connector}.{event}` cannot be hydrated");
                        let help = "the catalog knows no read that fetches its record; leave `hydrate` out";
                        found.push(Diagnostic::new(Code::NotAllowed, event.span, message).help(help));
                    }
                    if reconcile.is_some() && known.reconcile.is_none() {
                        let message = format!("`{connector}.{event}` cannot be reconciled");
                        let help =
                            "the catalog knows no poller that finds what was lost; leave `reconcile` out";
                        found.push(Diagnostic::new(Code::NotAllowed, event.span, message).help(help));
                    }
                }
            }
        }
    }
}

fn unknown(app: &Connector, event: &Spanned<String>) -> Diagnostic {
    let message = format!("{} sends no event `{event}`", app.connector);
    let diagnostic = Diagnostic::new(Code::UnknownEvent, event.span, message);
    let diagnostic = match app.events.is_empty() {
        true => diagnostic.help(format!("the connector `{}` describes no events", app.connector)),
        false => diagnostic,
    };
    let full: Vec<String> = app.events.keys().map(|name| format!("{}.{name}", app.connector)).collect();
    diagnostic.suggest(&format!("{}.{event}", app.connector), full.iter().map(String::as_str))
}

/// Webhooks without verification are reported.
pub struct SignedEvents;

impl Rule for SignedEvents {
    fn summary(&self) -> &'static str {
        "Events come from a connector that signs them, or hob.yaml says how they are verified."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Webhook(Webhook::Events { connector, types, .. }) = &context.recipe.trigger else {
            return;
        };
        let (Some(first), Some(app)) = (types.first(), context.catalog.connector(connector)) else { return };
        let signed = app.webhooks.as_ref().is_none_or(|webhooks| !webhooks.signatures.is_empty());
        if signed || context.workspace_info.verified.contains(connector) {
            return;
        }
        let message =
            format!("anyone can send events of `{connector}`: its connector describes no signature");
        let help = format!(
            "name its public key in hob.yaml, `server: {{ webhooks: {{ {connector}: {{ signatures: […] }} }} }}`, or \
             receive at a path of your own with `verify`; `unverified: true` there takes them from anyone"
        );
        found.push(Diagnostic::new(Code::Suspicious, first.span, message).help(help));
    }
}

/// Paths do not collide with the addresses of apps.
pub struct OwnPaths;

impl Rule for OwnPaths {
    fn summary(&self) -> &'static str {
        "A path of your own is not the address of an app's signed events."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Webhook(Webhook::Path { path, .. }) = &context.recipe.trigger else { return };
        let own = plain_path(path);
        let mut senders = context.catalog.connectors().filter(|app| app.webhooks.is_some());
        let Some(app) = senders.find(|app| app.connector == own) else { return };
        let name = &app.connector;
        let message = format!("`{path}` is the address of the signed events of {name}");
        let help = format!("choose another path, or receive the events: `webhook: {name}.EVENT`");
        found.push(Diagnostic::new(Code::NotAllowed, path.span, message).help(help));
    }
}

/// Paths without verification say so.
pub struct VerifiedPaths;

impl Rule for VerifiedPaths {
    fn summary(&self) -> &'static str {
        "A path of your own says how requests prove where they come from, even if that is `none`."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Webhook(Webhook::Path { path, verify: Verify::None, verify_given: false, .. }) =
            &context.recipe.trigger
        else {
            return;
        };
        if context.recipe.dropped_fields().within(context.recipe.trigger_span, "verify") {
            return;
        }
        let message = format!("anyone who knows the address of `{path}` can start this recipe");
        let help = "add `verify:`, or `verify: none` if that is what you want";
        found.push(Diagnostic::new(Code::InsecureWebhook, path.span, message).help(help));
    }
}

/// Literal keys are strong enough.
pub struct ProtectingKeys;

impl Rule for ProtectingKeys {
    fn summary(&self) -> &'static str {
        "The key of `verify` protects: it is not blank, and no weak point of its curve."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Webhook(Webhook::Path { verify, .. }) = &context.recipe.trigger else { return };
        // Values from the environment are known only at run time.
        let Some(key) = verify.key().filter(|key| key.uses().is_empty()) else { return };
        let Ok(value) = key.evaluate(&Scope::new(DateTime::UNIX_EPOCH)) else { return };
        if let Some((message, help)) = weakness(verify, &value) {
            found.push(Diagnostic::new(Code::InsecureWebhook, key.span, message).help(help));
        }
    }
}
