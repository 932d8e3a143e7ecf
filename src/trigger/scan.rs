//! Reads a list page by page. Each page, its events and the cursor are stored together, so a scan can
//! stop anywhere and go on later; no more than a page is ever held.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::claims::Tenure;
use super::detect::{self, Change, Scan};
use super::poller::{Known, Poller};
use super::progress::{PageRead, total};
use super::reading::{Answered, NotRead, Reading};
use super::surroundings::Surroundings;
use crate::catalog::Paging;
use crate::event::{Cursor, CursorKey, DedupKey, Event, EventId, Seen, Source};
use crate::journal::{Batch, Claim, Error, Journal, NewRun, Progress};
use crate::recipe::Emit;
use crate::request::paging::{self, Page, Rounds};
use crate::template::Scope;
use crate::value::{after, moment};

/// In the place of a page's inputs: all pages are read, and records that are gone come next.
const SWEEP: &str = "$gone_after";
/// Records that are gone, at a time.
const GONE_AT_ONCE: usize = 500;

/// What a poll came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled {
    /// The cursor.
    pub key: CursorKey,
    /// The recipe.
    pub recipe: String,
    /// The connection that it reads.
    pub connection: String,
    /// Pages read.
    pub pages: u64,
    /// Items read.
    pub items: u64,
    /// Events stored.
    pub events: usize,
    /// Runs that came to be.
    pub runs: usize,
    /// The scan has come to its end.
    pub finished: bool,
    /// Why it did not, for people.
    pub error: Option<String>,
    /// It goes on by itself then: the error is only that the API asked to wait.
    pub held: Option<Duration>,
    /// When the next poll is due.
    pub due: DateTime<Utc>,
}

/// A poll under way.
struct Poll<'a> {
    poller: &'a Poller,
    around: &'a Surroundings,
    journal: &'a dyn Journal,
    cursor: Cursor,
    scope: Scope,
    reset: bool,
    /// The right to move the cursor, where there are others that might.
    claim: Option<Claim>,
    stops_early: bool,
    rounds: Rounds,
    polled: Polled,
}

impl Poller {
    /// When it is due next; now, if it has never polled.
    pub async fn due(&self, around: &Surroundings) -> Result<DateTime<Utc>, Error> {
        let cursor = around.journal.cursor(&self.key).await?;
        let now = around.clock.now();
        let held = self.connection.hold.reason().is_some();
        Ok(match cursor {
            // What waited for the credential has waited long enough.
            Some(cursor) if !cursor.held || held => super::due::of(&cursor, now),
            _ => now,
        })
    }

    /// Polls now, whether it is due or not: goes on with the scan that was interrupted, or begins one,
    /// and reads to its end. What was read is stored even if the scan fails later. Where another process
    /// reads this list, or takes it over meanwhile, it is left to that one.
    pub async fn poll(&self, around: &Surroundings) -> Result<Polled, Error> {
        let tenure = around.claims.take(around, &self.key).await?;
        if tenure == Tenure::Elsewhere {
            return Ok(self.elsewhere(around));
        }
        let poll = self.begin(around, tenure.claim()).await?;
        match around.claims.keep(around, &self.key, poll.run()).await {
            None | Some(Err(Error::Overtaken { .. })) => Ok(self.elsewhere(around)),
            Some(polled) => polled,
        }
    }

    fn elsewhere(&self, around: &Surroundings) -> Polled {
        Polled {
            error: Some("another process is polling it".to_owned()),
            held: Some(around.claims.pulse()),
            ..self.polled(around.clock.now())
        }
    }

    fn polled(&self, due: DateTime<Utc>) -> Polled {
        Polled {
            key: self.key.clone(),
            recipe: self.recipe.name().to_owned(),
            connection: self.connection.name.clone(),
            pages: 0,
            items: 0,
            events: 0,
            runs: 0,
            finished: false,
            error: None,
            held: None,
            due,
        }
    }

    async fn begin<'a>(&'a self, around: &'a Surroundings, claim: Option<Claim>) -> Result<Poll<'a>, Error> {
        let now = around.clock.now();
        let stored = around.journal.cursor(&self.key).await?;
        let subject = self.subject();
        let changed = stored.as_ref().is_some_and(|cursor| cursor.subject != subject);
        if changed {
            tracing::warn!(
                recipe = self.recipe.name(),
                "the recipe polls something else now, so it starts over, as its `start` says"
            );
        }
        let mut cursor = match stored {
            // Numbers of scans go on: they are part of what makes an event this one.
            Some(old) if changed => Cursor { scan: old.scan, ..self.fresh(now) },
            Some(cursor) => cursor,
            None => self.fresh(now),
        };
        if cursor.page.is_none() {
            cursor.scan += 1;
            (cursor.pages, cursor.newest, cursor.started) = (0, None, now);
            cursor.page = Some(paging::first(&self.listing().paging));
        }
        cursor.held = false;
        cursor.health.connection = Some(self.connection.name.clone());
        // By a clock that has been set back since.
        cursor.started = cursor.started.min(now);
        Ok(Poll {
            poller: self,
            around,
            journal: around.journal.as_ref(),
            polled: self.polled(cursor.due),
            cursor,
            scope: around.scope(&self.accounts, now),
            reset: changed,
            claim,
            stops_early: false,
            rounds: Rounds::default(),
        })
    }
}

impl Poll<'_> {
    async fn run(mut self) -> Result<Polled, Error> {
        let with = match self.poller.inputs(&self.scope) {
            Ok(with) => with,
            Err(reason) => return self.fail(NotRead::Failed { reason, asked: None, refused: false }).await,
        };
        let listing = self.poller.listing();
        let own = Value::Object(with);
        self.stops_early = detect::can_stop_early(listing, &self.poller.emit, &own);
        let Value::Object(mut with) = own else { return Ok(self.polled) };
        if self.stops_early {
            with.extend(listing.newest_first.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        let mut reading = Reading::new(self.poller, self.around, !self.cursor.baseline_done);
        while let Some(page) = self.cursor.page.clone() {
            if page.contains_key(SWEEP) {
                return self.sweep(&page).await;
            }
            let mut inputs = with.clone();
            inputs.extend(page.clone());
            match reading.read(&inputs).await {
                Ok(answer) => {
                    if let Err(error) = self.take(answer, &page).await? {
                        return self.lost_the_way(&error).await;
                    }
                }
                Err(not_read) => return self.fail(not_read).await,
            }
        }
        Ok(self.polled)
    }

    /// Takes in a page and moves the cursor on. The inner error is one of paging; what the page held
    /// is stored all the same.
    async fn take(
        &mut self,
        answer: Answered,
        page: &Map<String, Value>,
    ) -> Result<Result<(), paging::Error>, Error> {
        let listing = self.poller.listing();
        let operation = &self.poller.operation;
        let number = self.cursor.pages + 1;
        let total = total(&answer.body);
        let items = match paging::items(&operation.id, listing, &answer.body) {
            Ok(items) => items,
            Err(error) => return Ok(Err(error)),
        };
        let records = detect::records(listing, &items);
        let at = Page { answer: &answer.body, link: answer.link.as_deref(), items: &items, number };
        let next = paging::next(operation, &listing.paging, page, at).and_then(|next| {
            self.rounds.check(&operation.id, page, number, &records, next.as_ref()).map(|()| next)
        });
        let count = items.len() as u64;
        let known = self.known(&records).await?;
        let scan = self.scan();
        let findings = detect::detect(scan, items, known);
        (self.cursor.pages, self.cursor.health.waits) = (number, None);
        self.cursor.newest = findings.newest.map(|time| json!(time.to_rfc3339()));
        let (next, lost) = match next {
            Ok(next) => (next.filter(|_| !findings.enough), None),
            // The list ends for this scan before the cursor goes astray.
            Err(_) if findings.enough => (None, None),
            Err(error) => (Some(page.clone()), Some(error)),
        };
        let last = next.is_none();
        self.cursor.page = next;
        let sweeps = last && self.poller.emit.contains(&Emit::Removed) && self.cursor.baseline_done;
        if sweeps {
            self.cursor.page = Some(Map::from_iter([(SWEEP.to_owned(), Value::Null)]));
        } else if last {
            self.finish();
        }
        self.polled.items += count;
        self.polled.pages += 1;
        self.store(findings.changes, findings.seen, vec![]).await?;
        self.tell(total, last);
        Ok(lost.map_or(Ok(()), Err))
    }

    fn scan(&self) -> Scan<'_> {
        let time = |value: &Option<Value>| value.as_ref().and_then(moment);
        Scan {
            listing: self.poller.listing(),
            emit: &self.poller.emit,
            start: self.poller.start,
            stops_early: self.stops_early,
            first: !self.cursor.baseline_done,
            number: self.cursor.scan,
            watermark: time(&self.cursor.watermark),
            newest: time(&self.cursor.newest),
            now: self.around.clock.now(),
        }
    }

    async fn known(&self, records: &[String]) -> Result<Known, Error> {
        // Until the first page of another subject is stored, the old one's records are still there.
        if self.reset || records.is_empty() {
            return Ok(Known::new());
        }
        self.journal.seen(&self.cursor.key, records).await
    }

    /// Reports the records that this scan did not meet.
    async fn sweep(mut self, from: &Map<String, Value>) -> Result<Polled, Error> {
        let mut after = from.get(SWEEP).and_then(Value::as_str).map(str::to_owned);
        let missing_since = self.missing_since();
        loop {
            let gone = self
                .journal
                .vanished(&self.cursor.key, missing_since, after.as_deref(), GONE_AT_ONCE)
                .await?;
            let changes: Vec<Change> = gone
                .iter()
                .map(|record| detect::removed(self.poller.listing(), record, self.cursor.scan))
                .collect();
            after = gone.last().cloned();
            let done = gone.len() < GONE_AT_ONCE;
            if done {
                self.finish();
            } else {
                self.cursor.page = Some(Map::from_iter([(SWEEP.to_owned(), json!(after))]));
            }
            self.store(changes, vec![], gone).await?;
            if done {
                return Ok(self.polled);
            }
        }
    }

    /// A record is gone when it was last seen before this scan. Between counted pages a record can slip
    /// through while another one is deleted, so there it must be missing twice.
    fn missing_since(&self) -> u64 {
        let counted = matches!(self.poller.listing().paging, Paging::Offset { .. } | Paging::Page { .. });
        if counted && self.cursor.pages > 1 { self.cursor.scan.saturating_sub(1) } else { self.cursor.scan }
    }

    /// The scan has come to its end.
    fn finish(&mut self) {
        let now = self.around.clock.now();
        let cursor = &mut self.cursor;
        let later = |value: &Option<Value>| value.as_ref().and_then(moment);
        if later(&cursor.newest) > later(&cursor.watermark) {
            cursor.watermark = cursor.newest.take();
        }
        (cursor.page, cursor.newest, cursor.baseline_done) = (None, None, true);
        (cursor.failures, cursor.error) = (0, None);
        cursor.health.succeeded(now);
        cursor.due = self.poller.due_after(cursor.started, now);
        self.polled.finished = true;
    }

    /// Stores changes with their runs, what to remember and the cursor, all or nothing.
    async fn store(
        &mut self,
        changes: Vec<Change>,
        seen: Vec<Seen>,
        forgotten: Vec<String>,
    ) -> Result<(), Error> {
        let mut events: Vec<(Event, Vec<NewRun>)> = Vec::with_capacity(changes.len());
        for change in changes {
            if !self.arrived(&change).await? {
                events.push(self.poller.event(change, &self.scope));
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
        Progress { cursor: self.cursor.clone(), seen, forgotten, reset, claim: self.claim.clone() }
    }

    async fn arrived(&self, change: &Change) -> Result<bool, Error> {
        let Some(reconcile) = &self.poller.reconcile else { return Ok(false) };
        let listing = self.poller.listing();
        reconcile.arrived(self.journal, self.poller.recipe.name(), listing, change, self.cursor.started).await
    }

    /// The cursor leads nowhere: the scan is given up, and the history says so.
    async fn lost_the_way(mut self, error: &paging::Error) -> Result<Polled, Error> {
        let message = error.to_string();
        let event = Event {
            id: EventId::new(),
            source: Source::Poll(self.cursor.key.clone()),
            kind: "error".into(),
            connection: Some(self.poller.connection.name.clone()),
            record: None,
            dedup: DedupKey(format!("error:{}", self.cursor.scan)),
            received: self.around.clock.now(),
            payload: json!({ "operation": self.poller.operation.id, "page": self.cursor.pages, "message": message }),
        };
        self.failed(message, None);
        self.cursor.page = None;
        self.polled.due = self.cursor.due;
        let progress = self.progress(vec![], vec![]);
        self.journal.append(Batch { events: vec![(event, vec![])], progress: Some(progress) }).await?;
        Ok(self.polled)
    }

    /// A page could not be read. The scan goes on there, unless the API refuses the page itself.
    async fn fail(mut self, not_read: NotRead) -> Result<Polled, Error> {
        match not_read {
            NotRead::Held { wait, reason } => self.put_off(wait, reason),
            NotRead::OnHold { wait, reason } => {
                self.cursor.held = true;
                self.put_off(wait, reason);
            }
            NotRead::Failed { reason, asked, refused } => {
                self.failed(reason, asked);
                if refused || self.polled.pages == 0 && self.cursor.pages == 0 {
                    // The scan begins anew, with cursors that the API may still know.
                    self.cursor.page = None;
                }
            }
        }
        self.store(vec![], vec![], vec![]).await?;
        Ok(self.polled)
    }

    fn put_off(&mut self, wait: Duration, reason: String) {
        self.cursor.due = after(self.around.clock.now(), wait);
        self.cursor.health.waits = Some(reason.clone());
        self.polled.held = Some(wait);
        self.polled.error = Some(reason);
    }

    fn failed(&mut self, message: String, asked: Option<Duration>) {
        let now = self.around.clock.now();
        tracing::warn!(
            recipe = self.polled.recipe,
            connection = self.polled.connection,
            operation = self.poller.operation.id,
            failures = self.cursor.failures + 1,
            "poll failed: {message}"
        );
        self.cursor.failures += 1;
        self.cursor.health.failed(now);
        self.cursor.error = Some(message.clone());
        self.cursor.due = self.poller.due_after_failure(self.cursor.failures, asked, now);
        self.polled.error = Some(message);
    }

    fn tell(&self, total: Option<u64>, last: bool) {
        let page = PageRead {
            recipe: self.polled.recipe.clone(),
            pages: self.cursor.pages,
            items: self.polled.items,
            total,
            started: self.cursor.started,
            last,
        };
        tracing::debug!(recipe = page.recipe, pages = page.pages, items = page.items, ?total, "page read");
        self.around.on_page.tell(&page);
    }
}
