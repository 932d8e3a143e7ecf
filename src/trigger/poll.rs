//! Reads a list page by page. Each page is stored together with its events and the cursor, so a scan can stop anywhere
//! and continue later, and at most one page is held in memory.

mod early_stop;
mod finish;
mod passes;
mod removals;
mod unreadable_items;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::claims::ClaimState;
use super::context::TriggerContext;
use super::detect::{self, Change, Scan};
use super::page_answer::{PageAnswer, ReadFailure};
use super::page_reader::PageReader;
use super::poller::{Known, Poller};
use super::progress::PageRead;
use super::readable_items::split_unreadable;
use super::watermark::Watermark;
use crate::catalog::Paging;
use crate::event::{Cursor, CursorKey, Event, Pass, ScanPosition, Seen, Source, WithheldRemovals};
use crate::journal::{Batch, Claim, Error, Journal, NewRun, Progress};
use crate::request::paging::{self, Page, Rounds};
use crate::run::RunState;
use crate::template::Scope;

/// Number of removed records that are processed at a time.
const REMOVED_PER_BATCH: usize = 500;

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
        if changed && self.backfill.is_none() {
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
            cursor.scan += 1;
            (cursor.pages, cursor.newest, cursor.started) = (0, None, now);
            cursor.pass = Pass::default();
            cursor.page = Some(ScanPosition::Page(self.first_page(cursor.started)));
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
            failed_events: Vec::new(),
        })
    }
}

impl Poll<'_> {
    async fn run(mut self) -> Result<Polled, Error> {
        let with = match self.poller.inputs(&self.scope) {
            Ok(with) => with,
            Err(reason) => {
                return self.fail(ReadFailure::unread(reason)).await;
            }
        };
        let listing = self.poller.listing();
        let own = Value::Object(with);
        let order = detect::can_stop_early(listing, &self.poller.emit, &own);
        self.stops_early = order.is_some();
        self.by_creation = order.is_some_and(|order| order.by_creation);
        let Value::Object(mut with) = own else { return Ok(self.polled) };
        let inputs = order.into_iter().flat_map(|order| order.inputs);
        with.extend(inputs.map(|(name, value)| (name.clone(), value.clone())));
        let mut reading = PageReader::new(self.poller, self.context, !self.cursor.baseline_done);
        while let Some(position) = self.cursor.page.clone() {
            let page = match position {
                ScanPosition::Page(page) => page,
                ScanPosition::Removed { after } => match self.sweep(after).await? {
                    true => continue,
                    false => return Ok(self.polled),
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
                Err(ReadFailure::Failed { not_found: true, .. }) if self.may_be_over => {
                    self.end(&page).await?
                }
                Err(not_read) => return self.fail(not_read).await,
            }
        }
        Ok(self.polled)
    }

    /// Processes a page and advances the cursor. The inner error is a paging error; the page's content is stored
    /// nevertheless.
    async fn take(
        &mut self,
        answer: Arc<PageAnswer>,
        page: &Map<String, Value>,
    ) -> Result<Result<(), paging::Error>, Error> {
        let listing = self.poller.listing();
        let operation = &self.poller.operation;
        let number = self.cursor.pages + 1;
        let total = listing.total(&answer.body);
        let items = match paging::items(operation, listing, &answer.body) {
            Ok(items) => items,
            Err(error) => return Ok(Err(error)),
        };
        self.server = self.server.or(answer.date);
        if paging::hides_some(&listing.paging, &items) {
            self.warn_hidden(number);
        }
        let records = detect::records(listing, &items);
        let at = Page { answer: &answer.body, link: answer.link.as_deref(), items: &items, number };
        let next = paging::next(operation, &listing.paging, page, at).and_then(|next| {
            self.rounds.check(&operation.id, page, number, &records, next.as_ref()).map(|()| next)
        });
        if items.is_empty()
            && next == Ok(None)
            && let Err(error) = self.ensure_complete(total, number)
        {
            return Ok(Err(error));
        }
        // The next part of a window may begin with the record that this one ends with.
        let next = next.map(|next| next.or_else(|| self.next_part(page)));
        let (count, sifted) = (items.len(), split_unreadable(listing, items));
        self.may_be_over =
            matches!(listing.paging, Paging::Page { .. }) && paging::is_short(&listing.paging, count);
        let names = detect::records(listing, &sifted.good);
        let bad = sifted.bad.iter().map(|bad| bad.name.clone());
        let known = self.known(&names.into_iter().chain(bad).collect::<Vec<_>>()).await?;
        let unreadable = self.record_unreadable(sifted.bad, &known, number);
        let scan = self.scan();
        let mut findings = detect::detect(scan, sifted.good, known);
        findings.seen.extend(unreadable);
        self.warn_odd_times(&findings);
        self.total = total.or(self.total);
        self.new += findings.new;
        self.found |= !findings.changes.is_empty();
        self.cursor.pass.fresh += findings.fresh;
        self.polled.fresh += findings.fresh;
        self.cursor.pass.filled += u64::from(count > 0);
        self.cursor.settled.undated |= findings.undated && self.stops_early && !self.cursor.baseline_done;
        let enough = self.is_enough(&findings);
        (self.cursor.pages, self.cursor.health.waits) = (number, None);
        self.update_newest(findings.newest);
        let (next, lost) = match next {
            Ok(next) => (next.filter(|_| !enough), None),
            // This scan ends here, so a broken cursor for the next page does not matter.
            Err(_) if enough => (None, None),
            Err(error) => (Some(page.clone()), Some(error)),
        };
        let last = next.is_none();
        self.cursor.page = next.map(ScanPosition::Page);
        if last {
            self.last_page();
        }
        self.polled.items += count as u64;
        self.polled.pages += 1;
        self.store(findings.changes, findings.seen, vec![]).await?;
        self.report_progress(total, last);
        Ok(lost.map_or(Ok(()), Err))
    }

    /// The first page of the next part of the window that is read, after `page`, the last one of a part.
    fn next_part(&mut self, page: &Map<String, Value>) -> Option<Map<String, Value>> {
        let next = self.poller.next_part(self.cursor.started, page)?;
        self.rounds = Rounds::default();
        Some(next)
    }

    fn scan(&self) -> Scan<'_> {
        let time = |value: &Option<Value>| Some(value.as_ref().and_then(Watermark::read)?.time);
        let now = self.context.services.clock.now();
        Scan {
            listing: self.poller.listing(),
            window: self.poller.window.as_ref(),
            emit: &self.poller.emit,
            start: self.poller.start,
            stops_early: self.may_stop_early(),
            by_creation: self.by_creation,
            first: !self.cursor.baseline_done,
            number: self.cursor.scan,
            settled: self.stable_until(),
            baseline: self.cursor.settled.baseline.or_else(|| self.stable_until()),
            newest: time(&self.cursor.newest),
            now: self.server.map_or(now, |server| server.min(now)),
        }
    }

    /// Updates the newest change seen in this scan, and when it was seen.
    fn update_newest(&mut self, newest: Option<DateTime<Utc>>) {
        let before = self.cursor.newest.as_ref().and_then(Watermark::read);
        let later = newest.filter(|newest| before.is_none_or(|before| *newest > before.time));
        if let Some(time) = later {
            let mark = Watermark { time, at: Some(self.context.services.clock.now()) };
            self.cursor.newest = Some(mark.to_value());
        }
    }

    async fn known(&self, records: &[String]) -> Result<Known, Error> {
        // The records of the previous subject stay in the store until the first page of the new one is stored.
        if self.reset || records.is_empty() {
            return Ok(Known::new());
        }
        self.journal.seen(&self.cursor.key, records).await
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
