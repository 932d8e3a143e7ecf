//! Requests a page until it is answered, with retries within one poll.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::context::TriggerContext;
use super::page_answer::{PageAnswer, ReadFailure};
use super::poller::Poller;
use super::shared_list::Shared;
use crate::catalog::Operation;
use crate::event::Priority;
use crate::request::{CallOptions, Outcome, list};
use crate::value::{Backoff, timestamp};

/// Longest wait within a poll; when it would take longer, the poll ends and continues later.
const MAX_WAIT: Duration = Duration::from_secs(90);
/// Maximum number of attempts for one page.
const MAX_ATTEMPTS: u32 = 3;
/// Delays between attempts.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), MAX_WAIT);

/// Reads the pages of one poll.
pub(super) struct PageReader<'a> {
    poller: &'a Poller,
    operation: &'a Arc<Operation>,
    context: &'a TriggerContext,
    options: CallOptions,
    waited: Duration,
}

impl<'a> PageReader<'a> {
    /// A first scan has the lowest priority.
    pub fn new(poller: &'a Poller, context: &'a TriggerContext, first: bool) -> Self {
        let priority = if first { Priority::Backfill } else { Priority::Poll };
        let recipe = Some(poller.recipe().name().into());
        let options = CallOptions { priority, recipe, max_wait: MAX_WAIT, ..CallOptions::default() };
        Self { poller, operation: &poller.operation, context, options, waited: Duration::ZERO }
    }

    /// Reads with `operation` instead, as a part of a poll.
    pub fn of(operation: &'a Arc<Operation>, poller: &'a Poller, context: &'a TriggerContext) -> Self {
        Self { operation, ..Self::new(poller, context, false) }
    }

    /// Requests an answer that no other poller has.
    pub async fn read_own(&mut self, inputs: &Map<String, Value>) -> Result<PageAnswer, ReadFailure> {
        self.ask_until_answered(inputs).await
    }

    /// Requests the page with these inputs, or uses the answer that another poller of the same list got.
    pub async fn read(&mut self, inputs: &Map<String, Value>) -> Shared {
        let (poller, context) = (self.poller, self.context);
        match &poller.shared {
            Some(shared) => {
                shared.read(inputs, &context.services.clock, self.ask_until_answered(inputs)).await
            }
            None => self.ask_until_answered(inputs).await.map(Arc::new),
        }
    }

    async fn ask_until_answered(&mut self, inputs: &Map<String, Value>) -> Result<PageAnswer, ReadFailure> {
        self.waited = Duration::ZERO;
        let mut tries = 0;
        loop {
            let outcome = self.ask(inputs).await?;
            match outcome {
                Outcome::Ok(answer) => {
                    let link = answer.headers.get("link").cloned();
                    let date = answer.headers.get("date").and_then(|date| timestamp(&date.as_str().into()));
                    return Ok(PageAnswer { body: answer.body, link, date });
                }
                Outcome::RateLimited { retry_after } => {
                    self.wait(retry_after, "the API's rate limit is reached").await?;
                }
                Outcome::Held { wait, reason, .. } => self.wait(wait, &reason).await?,
                Outcome::Unauthorized { wait, reason, .. } => {
                    return Err(ReadFailure::OnHold { wait, reason });
                }
                Outcome::Refused(refusal) => {
                    let help = refusal.help.map(|help| format!("; {help}")).unwrap_or_default();
                    let status = refusal.status.map(|status| format!(" ({status})")).unwrap_or_default();
                    return Err(ReadFailure::Failed {
                        reason: format!("{}{status}{help}", refusal.message),
                        asked: None,
                        refused: refusal.status.is_some(),
                        not_found: refusal.status == Some(404),
                        gone: refusal.gone || refusal.status == Some(404),
                    });
                }
                Outcome::TryAgain { reason, retry_after: asked, .. } => {
                    tries += 1;
                    self.pause(tries, reason, asked).await?;
                }
                Outcome::InDoubt { reason, .. } => {
                    tries += 1;
                    self.pause(tries, reason, None).await?;
                }
            }
        }
    }

    async fn ask(&self, inputs: &Map<String, Value>) -> Result<Outcome, ReadFailure> {
        let (Poller { recipe, connection, .. }, operation) = (self.poller, self.operation);
        let called = self
            .context
            .services
            .client
            .call(recipe.catalog(), operation, inputs, connection, &self.options)
            .await;
        called.map_err(|problems| ReadFailure::unread(list(&problems)))
    }

    async fn wait(&mut self, wait: Duration, reason: &str) -> Result<(), ReadFailure> {
        if self.waited + wait > MAX_WAIT {
            return Err(ReadFailure::Held { wait, reason: reason.to_owned() });
        }
        // A server that asks for no wait must not be polled in a busy loop.
        let wait = wait.max(Duration::from_millis(50));
        self.waited += wait;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    async fn pause(&self, tries: u32, reason: String, asked: Option<Duration>) -> Result<(), ReadFailure> {
        let pause = asked.unwrap_or(BACKOFF.pause(tries));
        if tries >= MAX_ATTEMPTS || pause > MAX_WAIT {
            return Err(ReadFailure::Failed { reason, asked, refused: false, not_found: false, gone: false });
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
