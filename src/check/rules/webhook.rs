//! Webhooks that come, and come from whom they should.

use super::Rule;
use crate::catalog::Connector;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{Trigger, Verify, Webhook};
use crate::source::Spanned;

/// Events of webhook triggers are events that the connector sends.
pub struct KnownEvents;

impl Rule for KnownEvents {
    fn summary(&self) -> &'static str {
        "Events of a webhook trigger are events that the connector sends, and can be hydrated and reconciled if asked for."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Webhook(Webhook::Events { connector, types, hydrate, reconcile }) =
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

/// Paths that anyone may call say so.
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
        if context.recipe.lost().within(context.recipe.trigger_span, "verify") {
            return;
        }
        let message = format!("anyone who knows the address of `{path}` can start this recipe");
        let help = "add `verify:`, or `verify: none` if that is what you want";
        found.push(Diagnostic::new(Code::Suspicious, path.span, message).help(help));
    }
}
