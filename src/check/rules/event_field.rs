//! Fields that events have.

use super::Rule;
use crate::catalog::EventType;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic, closest};
use crate::recipe::{Trigger, Webhook};
use crate::template::{PathStep, Use};

/// Shorter names are too close to too many others.
const MIN_LENGTH: usize = 3;

/// Fields of events that their documentation may omit.
const ALWAYS: [&str; 9] = [
    "type",
    "locationId",
    "companyId",
    "webhookId",
    "timestamp",
    "dateAdded",
    "dateUpdated",
    "changed",
    "before",
];

/// Warns of likely misspelt fields of a webhook's event. The documentation of events is too incomplete for errors.
pub struct EventFields;

impl Rule for EventFields {
    fn summary(&self) -> &'static str {
        "Fields read from a webhook's event are not misspelt, as far as the documentation names them."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Trigger::Webhook(Webhook::Events { connector, types, hydrate: false, .. }) =
            &context.recipe.trigger
        else {
            return;
        };
        let Some(app) = context.catalog.connector(connector) else { return };
        let events: Option<Vec<&EventType>> =
            types.iter().map(|name| app.events.get(name.as_str())).collect();
        let Some(events) = events.filter(|events| events.iter().all(|event| !event.fields.is_empty())) else {
            return;
        };
        for site in &context.sites {
            for used in site.template.uses() {
                let Use::Path { root, steps, guarded: false, range } = used else { continue };
                if root != "event" {
                    continue;
                }
                if let Some((name, near)) = misspelt(&events, steps) {
                    let message = format!("events of this kind have no documented field `{name}`");
                    let place = site.template.place(range.clone());
                    found.push(Diagnostic::new(Code::Suspicious, place, message).help(near));
                }
            }
        }
    }
}

/// A field of the record that no event documents, and the likely intended one.
fn misspelt<'s>(events: &[&EventType], steps: &'s [PathStep]) -> Option<(&'s str, String)> {
    let mut found = None;
    for event in events {
        let record: Vec<&str> = event.record.split('.').skip(1).collect();
        let inside = record.iter().zip(steps).all(|(name, step)| *step == PathStep::Field((*name).into()));
        let PathStep::Field(name) = steps.get(record.len()).filter(|_| inside)? else { return None };
        let ids = || event.id.iter().filter_map(|path| path.rsplit('.').next());
        let documented = || event.fields.iter().map(String::as_str).chain(ids()).chain(ALWAYS);
        if name.len() < MIN_LENGTH || documented().any(|field| field == name) {
            return None;
        }
        found = found.or_else(|| closest(name, documented()).map(|near| (name.as_str(), near.to_string())));
    }
    found
}
