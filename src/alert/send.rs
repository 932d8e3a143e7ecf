//! Sends a message on its way.

use std::time::Duration;

use serde_json::Value;

use super::message::Message;
use super::notice::Notice;
use super::{http, mail};
use crate::engine::RecipeVersions;
use crate::event::DedupKey;
use crate::journal::Batch;
use crate::services::Services;
use crate::trigger::manual;
use crate::workspace::{Channel, Destination};

/// Longest time that a message may take.
const MAX_TIME: Duration = Duration::from_secs(30);

/// Sends messages to destinations.
#[derive(Clone)]
pub struct Sender {
    /// The client, the journal and what masks secrets.
    pub services: Services,
    /// The recipes that can be told.
    pub recipes: RecipeVersions,
    /// The name of the workspace.
    pub workspace: String,
}

impl Sender {
    /// Sends `notices` together, as the message `id`; if it cannot be sent, the reason.
    pub async fn send(
        &self,
        destination: &Destination,
        id: &str,
        notices: Vec<Notice>,
    ) -> Result<(), String> {
        let message = Message { id: id.to_owned(), workspace: self.workspace.clone(), notices };
        let sent = match tokio::time::timeout(MAX_TIME, self.perform(destination, &message)).await {
            Ok(sent) => sent,
            Err(_) => Err("it took too long".to_owned()),
        };
        sent.map_err(|reason| self.services.redactor.text(&reason))
    }

    async fn perform(&self, destination: &Destination, message: &Message) -> Result<(), String> {
        let http = self.services.client.http();
        let masked = |value: Value| self.services.redactor.value(&value);
        match &destination.channel {
            Channel::Slack(url) => http::post(&http, url, None, &message.id, &masked(message.slack())).await,
            Channel::Webhook { url, header } => {
                http::post(&http, url, header.as_ref(), &message.id, &masked(message.json())).await
            }
            Channel::Email(settings) => {
                let message = self.masked(message);
                mail::send(settings, &message, self.services.clock.now()).await
            }
            Channel::Recipe(name) => self.trigger(name, message).await,
        }
    }

    /// Gives each notice to a recipe, as an event that is known if it is given again.
    async fn trigger(&self, name: &str, message: &Message) -> Result<(), String> {
        let Some(recipe) = self.recipes.current(name) else {
            return Err(format!("there is no recipe `{name}` that can run"));
        };
        let events = message.notices.iter().map(|notice| {
            let payload = serde_json::to_value(notice).unwrap_or_default();
            let payload = self.services.redactor.value(&payload);
            let (mut event, runs) = manual::event(&recipe, payload, &self.services);
            event.dedup = DedupKey(format!("alert {}", notice.notice));
            (event, runs)
        });
        let batch = Batch { events: events.collect(), progress: None };
        self.services.journal.append(batch).await.map(drop).map_err(|error| error.to_string())
    }

    fn masked(&self, message: &Message) -> Message {
        let mut message = message.clone();
        let redactor = &self.services.redactor;
        message.workspace = redactor.text(&message.workspace);
        for notice in &mut message.notices {
            notice.text = redactor.text(&notice.text);
            notice.about.help = notice.about.help.as_ref().map(|help| redactor.text(help));
            notice.about.commands.iter_mut().for_each(|command| *command = redactor.text(command));
            notice.about.place = notice.about.place.as_ref().map(|place| redactor.text(place));
        }
        message
    }
}
