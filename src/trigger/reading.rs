//! Asks for a page until it is answered, as long as that makes sense within one poll.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::page_answer::{Answered, NotRead};
use super::poller::Poller;
use super::shared_list::Shared;
use super::surroundings::Surroundings;
use crate::connection::Priority;
use crate::request::{CallOptions, Outcome, list};
use crate::value::timestamp;

/// Longest wait within a poll; beyond it the poll ends and goes on later.
const LONGEST_WAIT: Duration = Duration::from_secs(90);
/// Requests for one page that may get no good answer.
const TRIES: u32 = 3;
/// Pause after the first of them; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Reads pages of one poll.
pub(super) struct Reading<'a> {
    poller: &'a Poller,
    around: &'a Surroundings,
    options: CallOptions,
    waited: Duration,
}

impl<'a> Reading<'a> {
    /// For a first scan, everything else goes first.
    pub fn new(poller: &'a Poller, around: &'a Surroundings, first: bool) -> Self {
        let priority = if first { Priority::Backfill } else { Priority::Poll };
        let options = CallOptions { priority, patience: LONGEST_WAIT, ..CallOptions::default() };
        Self { poller, around, options, waited: Duration::ZERO }
    }

    /// Asks with these inputs, or takes what equal polls were answered.
    pub async fn read(&mut self, inputs: &Map<String, Value>) -> Shared {
        let (poller, around) = (self.poller, self.around);
        match &poller.shared {
            Some(shared) => shared.read(inputs, &around.clock, self.ask_until_answered(inputs)).await,
            None => self.ask_until_answered(inputs).await.map(Arc::new),
        }
    }

    async fn ask_until_answered(&mut self, inputs: &Map<String, Value>) -> Result<Answered, NotRead> {
        self.waited = Duration::ZERO;
        let mut tries = 0;
        loop {
            let outcome = self.ask(inputs).await?;
            match outcome {
                Outcome::Ok(answer) => {
                    let link = answer.headers.get("link").cloned();
                    let date = answer.headers.get("date").and_then(|date| timestamp(&date.as_str().into()));
                    return Ok(Answered { body: answer.body, link, date });
                }
                Outcome::RateLimited { retry_after } => {
                    self.wait(retry_after, "the API's rate limit is reached").await?;
                }
                Outcome::Held { wait, reason } => self.wait(wait, &reason).await?,
                Outcome::Unauthorized { wait, reason, .. } => return Err(NotRead::OnHold { wait, reason }),
                Outcome::Refused(refusal) => {
                    let help = refusal.help.map(|help| format!("; {help}")).unwrap_or_default();
                    let status = refusal.status.map(|status| format!(" ({status})")).unwrap_or_default();
                    return Err(NotRead::Failed {
                        reason: format!("{}{status}{help}", refusal.message),
                        asked: None,
                        refused: refusal.status.is_some(),
                        not_found: refusal.status == Some(404),
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

    async fn ask(&self, inputs: &Map<String, Value>) -> Result<Outcome, NotRead> {
        let Poller { recipe, operation, connection, .. } = self.poller;
        let called =
            self.around.client.call(recipe.catalog(), operation, inputs, connection, &self.options).await;
        called.map_err(|problems| NotRead::Failed {
            reason: list(&problems),
            asked: None,
            refused: false,
            not_found: false,
        })
    }

    async fn wait(&mut self, wait: Duration, reason: &str) -> Result<(), NotRead> {
        if self.waited + wait > LONGEST_WAIT {
            return Err(NotRead::Held { wait, reason: reason.to_owned() });
        }
        // A server that says "at once" over and over is not asked in a busy loop.
        let wait = wait.max(Duration::from_millis(50));
        self.waited += wait;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    async fn pause(&self, tries: u32, reason: String, asked: Option<Duration>) -> Result<(), NotRead> {
        let pause = asked.unwrap_or(FIRST_PAUSE * 2_u32.pow(tries - 1));
        if tries >= TRIES || pause > LONGEST_WAIT {
            return Err(NotRead::Failed { reason, asked, refused: false, not_found: false });
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
