//! Reads a list page by page. Each page is stored together with its events and the cursor, so a scan can stop anywhere
//! and continue later, and at most one page is held in memory.

mod early_stop;
mod examine;
mod finish;
mod moved;
mod over_parents;
mod passes;
mod removals;
mod unreadable_items;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::claims::ClaimState;
use super::context::TriggerContext;
use super::detect::{self, Change};
use super::page_answer::{PageAnswer, ReadFailure};
use super::page_reader::PageReader;
use super::parent::Parent;
use super::poller::Poller;
use super::progress::PageRead;
use crate::event::{Cursor, CursorKey, Event, ScanPosition, Seen, Source, WithheldRemovals};
use crate::journal::{Batch, Claim, Error, Journal, NewRun, Progress};
use crate::request::paging::{self, Rounds};
use crate::run::RunState;
use crate::template::Scope;

/// Number of removed records that are processed at a time.
const REMOVED_PER_BATCH: usize = 500;
/// The same where each is read first.
const READ_PER_BATCH: usize = 20;

/// The result of a poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled {
    /// Key of the cursor.
    pub key: CursorKey,
    /// Name of the recipe.
    pub recipe: String,
    /// Name of the connection that was read from.
    pub connection: String,
    /// Number of pages read.
    pub pages: u64,
    /// Number of items read.
    pub items: u64,
    /// Number of records that were not known before, each counted once.
    pub fresh: u64,
    /// Number of changes that the recipe knew already, from webhooks or, in a backfill, from any event.
    pub known: usize,
    /// Of these, in a backfill, those whose last run was filtered.
    pub filtered: usize,
    /// Number of events stored.
    pub events: usize,
    /// Number of runs started.
    pub runs: usize,
    /// The scan reached its end.
    pub finished: bool,
    /// Why the scan did not finish, for people.
    pub error: Option<String>,
    /// The removals that the scan did not report because too many records were gone at once.
    pub withheld: Option<Box<WithheldRemovals>>,
    /// Number of records that the list shows no more, although they are there.
    pub moved: u64,
    /// Set when the scan continues by itself because the API only asked to wait.
    pub held: Option<Duration>,
    /// When the next poll is due.
    pub due: DateTime<Utc>,
}

/// A poll in progress.
struct Poll<'a> {
    poller: &'a Poller,
    context: &'a TriggerContext,
    journal: &'a dyn Journal,
    cursor: Cursor,
    scope: Scope,
    reset: bool,
    /// Claim on the cursor, where other processes share the store.
    claim: Option<Claim>,
    stops_early: bool,
    by_creation: bool,
    /// The API's clock at the first answer, where answers have a date.
    server: Option<DateTime<Utc>>,
    /// Some records could not be reached, so none is reported as removed.
    hidden: bool,
    /// The previous page was a short one of a list with page numbers.
    may_be_over: bool,
    rounds: Rounds,
    /// Length of the list as stated by the answers.
    total: Option<u64>,
    /// The scan ended at a page of known records that are newer than the stable part of the list.
    stopped_short: bool,
    /// Number of new records since the last poll.
    new: u64,
    /// This poll ended the first scan.
    ended_first_scan: bool,
    /// Something was reported.
    found: bool,
    /// The parent whose list is being read.
    parent: Option<Parent>,
    /// All items of a page are kept, not only the changed ones.
    keeps_items: bool,
    /// Events of unreadable records, to be stored with their page.
    failed_events: Vec<(Event, Vec<NewRun>)>,
    polled: Polled,
}

impl Poller {
    /// When the next poll is due; now, if the list was never polled.
    pub async fn due(&self, context: &TriggerContext) -> Result<DateTime<Utc>, Error> {
        let cursor = context.services.journal.cursor(&self.key).await?;
        let now = context.services.clock.now();
        let held = self.connection.hold.reason().is_some();
        Ok(match cursor {
            // A poll that waited for the credential is due as soon as the credential works.
            Some(cursor) if !cursor.held || held => super::next_poll::due(&cursor, now),
            _ => now,
        })
    }

    /// Polls now, whether it is due or not: continues an interrupted scan or starts one, and reads to its end. Pages
    /// that were read stay stored if the scan fails later. Does nothing when another process reads this list, and
    /// stops when another process takes it over.
    pub async fn poll(&self, context: &TriggerContext) -> Result<Polled, Error> {
        let tenure = context.claims.take(&context.services, &self.key).await?;
        if tenure == ClaimState::Elsewhere {
            return Ok(self.polled_elsewhere(context));
        }
        let poll = self.open(context, tenure.claim()).await?;
        match context.claims.while_held(&context.services, &self.key, poll.run()).await {
            None | Some(Err(Error::Overtaken { .. })) => Ok(self.polled_elsewhere(context)),
            Some(polled) => polled,
        }
    }

    fn polled_elsewhere(&self, context: &TriggerContext) -> Polled {
        Polled {
            error: Some("another process is polling it".to_owned()),
            held: Some(context.claims.renewal_interval()),
            ..self.polled(context.services.clock.now())
        }
    }

    fn polled(&self, due: DateTime<Utc>) -> Polled {
        Polled {
            key: self.key.clone(),
            recipe: self.recipe.name().to_owned(),
            connection: self.connection.name.clone(),
            pages: 0,
            items: 0,
            fresh: 0,
            known: 0,
            filtered: 0,
            events: 0,
            runs: 0,
            finished: false,
            error: None,
            withheld: None,
            moved: 0,
            held: None,
            due,
        }
    }

    async fn open<'a>(
        &'a self,
        context: &'a TriggerContext,
        claim: Option<Claim>,
    ) -> Result<Poll<'a>, Error> {
        let stored = context.services.journal.cursor(&self.key).await?;
        let now = context.services.clock.now();
        // Pollers that read a list together use the same time, so that `now()` gives them the same inputs.
        let now = self.shared.as_ref().map_or(now, |shared| shared.join_round(now));
        let subject = self.subject();
        let changed = stored.as_ref().is_some_and(|cursor| cursor.subject != subject);
        if changed && !self.key.is_secondary() {
            tracing::warn!(
                recipe = self.recipe.name(),
                "the recipe polls something else now, so it starts over, as its `start` says"
            );
        }
        let mut cursor = match stored {
            // Scan numbers continue, because they are part of each event's key.
            Some(old) if changed => Cursor { scan: old.scan, ..self.fresh(now) },
            Some(cursor) => cursor,
            None => self.fresh(now),
        };
        if cursor.page.is_none() {
            self.begin(&mut cursor, now);
        }
        cursor.held = false;
        cursor.health.connection = Some(self.connection.name.clone());
        // The start may lie in the future if the clock has been set back.
        cursor.started = cursor.started.min(now);
        Ok(Poll {
            poller: self,
            context,
            journal: context.services.journal.as_ref(),
            polled: self.polled(cursor.due),
            cursor,
            scope: context.services.template_scope(&self.accounts, now),
            reset: changed,
            claim,
            stops_early: false,
            by_creation: false,
            server: None,
            hidden: false,
            may_be_over: false,
            rounds: Rounds::default(),
            total: None,
            stopped_short: false,
            new: 0,
            ended_first_scan: false,
            found: false,
            parent: None,
            keeps_items: false,
            failed_events: Vec::new(),
        })
    }
}

impl Poll<'_> {
    async fn run(mut self) -> Result<Polled, Error> {
        if let Some(parents) = &self.poller.parents {
            return self.run_over(parents).await;
        }
        let with = match self.prepare() {
            Ok(with) => with,
            Err(reason) => {
                return self.fail(ReadFailure::unread(reason)).await;
            }
        };
        let mut reading = PageReader::new(self.poller, self.context, !self.cursor.baseline_done);
        while let Some(position) = self.cursor.page.clone() {
            let page = match position {
                ScanPosition::Page(page) => page,
                ScanPosition::Removed { after } => match self.sweep(after).await? {
                    Ok(true) => continue,
                    Ok(false) => return Ok(self.polled),
                    Err(not_read) => return self.fail(not_read).await,
                },
            };
            let mut inputs = with.clone();
            inputs.extend(page.clone());
            match reading.read(&inputs).await {
                Ok(answer) => match self.take(answer, &page).await? {
                    Ok(()) => {}
                    Err(error @ paging::Error::Incomplete { .. }) => {
                        let reason = error.to_string();
                        return self.fail(ReadFailure::unread(reason)).await;
                    }
                    Err(error) => return self.abort(&error).await,
                },
                // Some APIs answer a request for the page after the last with 404.
                Err(ReadFailure::Failed { not_found: true, .. }) if self.has_ended(&page) => {
                    if self.past_end(&page).last {
                        self.last_page();
                    }
                    self.store(vec![], vec![], vec![]).await?;
                }
                Err(not_read) => return self.fail(not_read).await,
            }
        }
        Ok(self.polled)
    }

    /// The inputs, with those for the order in which the list is read until what is known.
    fn prepare(&mut self) -> Result<Map<String, Value>, String> {
        let own = Value::Object(self.poller.inputs(&self.scope)?);
        let order = detect::can_stop_early(self.poller.listing(), &self.poller.emit, &own);
        self.stops_early = order.is_some();
        self.by_creation = order.is_some_and(|order| order.by_creation);
        let Value::Object(mut with) = own else { return Ok(Map::new()) };
        let inputs = order.into_iter().flat_map(|order| order.inputs);
        with.extend(inputs.map(|(name, value)| (name.clone(), value.clone())));
        Ok(with)
    }

    /// Processes a page and advances the cursor. The inner error is a paging error; the page's content is stored
    /// nevertheless.
    async fn take(
        &mut self,
        answer: Arc<PageAnswer>,
        page: &Map<String, Value>,
    ) -> Result<Result<(), paging::Error>, Error> {
        let examined = match self.examine(answer, page).await? {
            Ok(examined) => examined,
            Err(error) => return Ok(Err(error)),
        };
        if examined.last {
            self.last_page();
        }
        self.store(examined.changes, examined.seen, vec![]).await?;
        self.report_progress(examined.total, examined.last);
        Ok(examined.lost.map_or(Ok(()), Err))
    }

    /// Stores the changes with their runs, the seen records and the cursor in one transaction.
    async fn store(
        &mut self,
        changes: Vec<Change>,
        seen: Vec<Seen>,
        forgotten: Vec<String>,
    ) -> Result<(), Error> {
        let mut events = std::mem::take(&mut self.failed_events);
        for change in changes {
            if self.is_known(&change).await? {
                self.polled.known += 1;
            } else {
                events.push(self.poller.event(change, self.source(), &self.scope));
            }
        }
        self.polled.due = self.cursor.due;
        let progress = self.progress(seen, forgotten);
        let appended = self.journal.append(Batch { events, progress: Some(progress) }).await?;
        self.polled.events += appended.events;
        self.polled.runs += appended.runs;
        Ok(())
    }

    fn progress(&mut self, seen: Vec<Seen>, forgotten: Vec<String>) -> Progress {
        let reset = std::mem::take(&mut self.reset);
        Progress {
            cursor: self.cursor.clone(),
            seen,
            forgotten,
            reset,
            claim: self.claim.clone(),
            beside: false,
        }
    }

    /// The source of its events: those of a first scan existed before.
    fn source(&self) -> Source {
        let key = self.cursor.key.clone();
        match self.poller.backfill.is_some() || !self.cursor.baseline_done || self.ended_first_scan {
            true => Source::Backfill(key),
            false => Source::Poll(key),
        }
    }

    /// Whether the recipe knows of the change already, from a webhook or, in a backfill, from any event.
    async fn is_known(&mut self, change: &Change) -> Result<bool, Error> {
        if let Some(backfill) = &self.poller.backfill {
            let Poller { recipe, accounts, .. } = self.poller;
            let state = backfill.last_run(recipe, accounts, self.journal, &change.record).await?;
            self.polled.filtered += usize::from(state == Some(RunState::Filtered));
            return Ok(state.is_some());
        }
        let Some(reconcile) = &self.poller.reconcile else { return Ok(false) };
        let listing = self.poller.listing();
        reconcile.arrived(self.journal, self.poller.recipe.name(), listing, change, self.cursor.started).await
    }

    fn report_progress(&self, total: Option<u64>, last: bool) {
        let page = PageRead {
            recipe: self.polled.recipe.clone(),
            pages: self.cursor.pages,
            items: self.polled.items,
            total,
            started: self.cursor.started,
            last,
        };
        tracing::debug!(recipe = page.recipe, pages = page.pages, items = page.items, ?total, "page read");
        self.context.on_page.report(&page);
    }
}
