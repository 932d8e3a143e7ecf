//! A list that a recipe polls, on one combination of accounts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::backfill_round::BackfillRound;
use super::detect::{self, Change};
use super::new_run::new_run;
use super::next_poll;
use super::poll_requests::{self, request_key};
use super::readable_items::Unreadable;
use super::reconcile::Reconcile;
use super::shared_list::{Membership, SharedList};
use super::window::PollWindow;
use crate::catalog::{Listing, Operation};
use crate::check::{self, CheckedRecipe};
use crate::clock::Clock;
use crate::connection::Connection;
use crate::event::{
    Cursor, CursorKey, DedupKey, Event, EventId, Health, Pace, Pass, REASON, ScanPosition, Settled, Source,
    UNREADABLE,
};
use crate::journal::NewRun;
use crate::recipe::{self, Emit, Every, RemovedLimit, Start, Trigger, Webhook};
use crate::request::paging;
use crate::run::{Accounts, RunId};
use crate::services::Services;
use crate::source::Spanned;
use crate::template::{Scope, TemplateTree};

/// Why a recipe cannot poll.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It has no account to read from.
    #[error(
        "recipe `{recipe}` reads `{operation}`, but has no connection on {connector}; add one to hob.yaml"
    )]
    NoConnection {
        /// Name of the recipe.
        recipe: String,
        /// Id of the operation.
        operation: String,
        /// Name of the connector.
        connector: String,
    },
    /// The operation is not a list.
    #[error("recipe `{recipe}` reads `{operation}`, which is not a poller")]
    NoPoller {
        /// Name of the recipe.
        recipe: String,
        /// Id of the operation.
        operation: String,
    },
}

/// The read of one record by its id.
#[derive(Debug, Clone)]
pub(super) struct RecordRead {
    pub operation: Arc<Operation>,
    /// Its input for the id.
    pub input: String,
}

/// A list that a recipe polls, on one combination of accounts.
#[derive(Debug, Clone)]
pub struct Poller {
    pub(super) recipe: CheckedRecipe,
    pub(super) accounts: Accounts,
    pub(super) connection: Arc<Connection>,
    pub(super) operation: Arc<Operation>,
    pub(super) key: CursorKey,
    pub(super) every: Every,
    pub(super) emit: Vec<Emit>,
    pub(super) removed_limit: RemovedLimit,
    pub(super) start: Start,
    pub(super) with: Option<TemplateTree>,
    /// The window of time that it moves along, where the list has one.
    pub(super) window: Option<PollWindow>,
    /// What tells a record that was moved out of the window from one that was removed.
    pub(super) record_read: Option<RecordRead>,
    /// The parents for each of which the list is read.
    pub(super) parents: Option<Box<Parents>>,
    pub(super) reconcile: Option<Reconcile>,
    /// Set if it reads records from before, once.
    pub(super) backfill: Option<BackfillRound>,
    /// The part in a list that other pollers read as well.
    pub(super) shared: Option<Membership>,
}

/// The list of the parents.
#[derive(Debug, Clone)]
pub(super) struct Parents {
    /// Reads it. Its records are the parents, and all that exist are wanted at first.
    pub poller: Poller,
    /// It tells of every change that is polled for, so that only changed parents need be asked.
    pub tells: bool,
}

impl Poller {
    /// All pollers of a recipe, one for each combination of accounts: for its poll trigger, or for the lists that its
    /// webhook trigger reconciles with.
    pub fn all(recipe: &CheckedRecipe, services: &Services) -> Result<Vec<Self>, Error> {
        let mut pollers = Vec::new();
        for accounts in recipe.accounts() {
            match recipe.trigger() {
                Trigger::Poll(poll) => {
                    let name = poll.operation.as_str();
                    let (operation, connection) = place(recipe, name, accounts, services)?;
                    let key = cursor_key(recipe.name(), accounts);
                    let window = window(&operation, Some(&poll.with), poll.window.as_ref());
                    pollers.push(Self {
                        record_read: window.as_ref().and_then(|_| record_read(recipe, poll)),
                        window,
                        parents: parents(recipe, poll, &key, accounts, services)?,
                        key,
                        recipe: recipe.clone(),
                        accounts: accounts.clone(),
                        connection,
                        operation,
                        every: poll.every.clone(),
                        emit: poll.emit.clone(),
                        removed_limit: poll.removed_limit,
                        start: poll.start,
                        with: Some(poll.with.clone()),
                        reconcile: None,
                        backfill: None,
                        shared: None,
                    });
                }
                Trigger::Webhook(Webhook::Events { connector, types, reconcile: Some(every), .. }) => {
                    let types: Vec<&str> = types.iter().map(|name| name.as_str()).collect();
                    for reconcile in Reconcile::all(recipe.catalog(), connector, &types) {
                        let name = &reconcile.operation;
                        let (operation, connection) = place(recipe, name, accounts, services)?;
                        pollers.push(Self {
                            window: window(&operation, None, None),
                            record_read: None,
                            key: cursor_key(recipe.name(), accounts).of_list(name),
                            recipe: recipe.clone(),
                            accounts: accounts.clone(),
                            connection,
                            operation,
                            every: Every::Interval(*every),
                            emit: reconcile.emit(),
                            removed_limit: RemovedLimit::default(),
                            start: Start::Now,
                            with: None,
                            parents: None,
                            reconcile: Some(reconcile),
                            backfill: None,
                            shared: None,
                        });
                    }
                }
                Trigger::Webhook(_) | Trigger::Schedule(_) | Trigger::Manual(_) => {}
            }
        }
        Ok(pollers)
    }

    /// Key of its cursor.
    pub fn key(&self) -> &CursorKey {
        &self.key
    }

    /// The recipe.
    pub fn recipe(&self) -> &CheckedRecipe {
        &self.recipe
    }

    pub(super) fn listing(&self) -> &Listing {
        static NOTHING: std::sync::LazyLock<Listing> = std::sync::LazyLock::new(Listing::default);
        // The constructor has made sure that there is one.
        self.operation.list.as_ref().unwrap_or(&NOTHING)
    }

    /// What the poller reads. With another subject the list counts as new, without seen records. Inputs are included as
    /// written, so that `now()` in them does not change the subject.
    pub(super) fn subject(&self) -> String {
        let mut subject = poll_requests::subject(&self.operation, &self.written_inputs());
        if let Some(parents) = &self.parents {
            subject = format!("{subject} over {}", parents.poller.subject());
        }
        match &self.backfill {
            Some(round) => format!("{subject} {}", round.to_json()),
            None => subject,
        }
    }

    /// Identifies the requests of the poller: pollers with equal values can share answers.
    fn request(&self) -> String {
        request_key(&self.connection.name, &self.operation, &self.emit, &self.written_inputs())
    }

    fn written_inputs(&self) -> Value {
        let with = self.with.as_ref().map_or(json!({}), TemplateTree::to_value);
        self.window.as_ref().map_or_else(|| with.clone(), |window| window.written(&with))
    }

    /// The inputs for the first page of a scan that began at `started`.
    pub(super) fn first_page(&self, started: DateTime<Utc>) -> Map<String, Value> {
        let mut page = paging::first(&self.listing().paging);
        page.extend(self.window.iter().flat_map(|window| window.first(started)));
        page
    }

    /// The inputs for the first page of the next part of its window, after `page`, the last one of a part.
    pub(super) fn next_part(
        &self,
        started: DateTime<Utc>,
        page: &Map<String, Value>,
    ) -> Option<Map<String, Value>> {
        let mut next = paging::first(&self.listing().paging);
        next.extend(self.window.as_ref()?.next(started, page)?);
        Some(next)
    }

    /// Lets pollers with equal requests share answers.
    pub(super) fn share(pollers: &mut [Self]) {
        let mut equal: HashMap<String, Vec<usize>> = HashMap::new();
        // Which parents a poller asks depends on its own cursor.
        for (index, poller) in pollers.iter().enumerate().filter(|(_, poller)| poller.parents.is_none()) {
            equal.entry(poller.request()).or_default().push(index);
        }
        for members in equal.into_values().filter(|members| members.len() > 1) {
            let list = SharedList::new(members.len());
            for index in members {
                let poller = &mut pollers[index];
                poller.shared = Some(list.join(&poller.every));
            }
        }
    }

    /// Resolves once another poller reads the list, if this one is due soon as well.
    pub(super) async fn others_poll(&self, due: DateTime<Utc>, clock: &Clock) {
        match &self.shared {
            Some(shared) => shared.others_poll(due, clock).await,
            None => std::future::pending().await,
        }
    }

    /// The recipe's own inputs at this time.
    pub(super) fn inputs(&self, scope: &Scope) -> Result<Map<String, Value>, String> {
        let Some(with) = &self.with else { return Ok(Map::new()) };
        match with.evaluate(scope).map_err(|error| error.to_string())? {
            Value::Object(map) => Ok(map),
            other => Err(format!("`with` is {other} instead of a mapping")),
        }
    }

    /// A new cursor.
    pub(super) fn fresh(&self, now: DateTime<Utc>) -> Cursor {
        Cursor {
            key: self.key.clone(),
            subject: self.subject(),
            scan: 0,
            page: None,
            pages: 0,
            baseline_done: false,
            watermark: None,
            newest: None,
            settled: Settled::default(),
            pass: Pass::default(),
            over: Box::default(),
            started: now,
            due: now,
            failures: 0,
            error: None,
            held: false,
            withheld: None,
            moved: None,
            health: Health::default(),
            pace: Pace::default(),
        }
    }

    /// Begins a scan.
    pub(super) fn begin(&self, cursor: &mut Cursor, now: DateTime<Utc>) {
        cursor.scan += 1;
        (cursor.pages, cursor.newest, cursor.started) = (0, None, now);
        cursor.pass = Pass::default();
        cursor.over = cursor.over.next_pass();
        cursor.page = Some(ScanPosition::Page(self.first_page(cursor.started)));
    }

    /// The change for a record that is no longer in the list.
    pub(super) fn removed(&self, record: &str, scan: u64) -> Change {
        match &self.parents {
            Some(parents) if !self.listing().per_parent.unique_ids => {
                detect::removed_within(parents.poller.listing(), self.listing(), record, scan)
            }
            _ => detect::removed(self.listing(), record, scan),
        }
    }

    /// The pace after a poll that found something or nothing.
    pub(super) fn pace_after(&self, pace: &Pace, found: bool) -> Pace {
        next_poll::pace_after(&self.every, pace, found, self.connection.budget.is_scarce())
    }

    pub(super) fn due_after(&self, pace: &Pace, started: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        next_poll::next(&self.every, pace, &self.request(), started, now)
    }

    pub(super) fn due_after_failure(
        &self,
        failures: u32,
        asked: Option<Duration>,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        next_poll::after_failure(failures, asked, &self.request(), now)
    }

    /// The event of a change, with its run.
    pub(super) fn event(&self, change: Change, source: Source, scope: &Scope) -> (Event, Vec<NewRun>) {
        let (kind, payload) = match &self.reconcile {
            Some(reconcile) => reconcile.body(change.kind, change.item, &self.connection),
            None => (detect::name(change.kind).to_owned(), change.item),
        };
        let event = Event {
            id: EventId::new(),
            source,
            kind: kind.into(),
            connection: Some(self.connection.name.clone()),
            record: Some(change.record),
            dedup: change.dedup,
            received: scope.now(),
            payload,
        };
        let run = new_run(&self.recipe, &self.accounts, &event, scope);
        (event, vec![run])
    }
}

impl Poller {
    /// The event of an unreadable record, with its run, which fails for that reason.
    pub(super) fn unreadable(
        &self,
        bad: &Unreadable,
        page: u64,
        source: Source,
        scope: &Scope,
    ) -> (Event, Vec<NewRun>) {
        let connection = &self.connection.name;
        let reason = format!(
            "a record of `{}` ({connection}, page {page}, record {}) cannot be read: {}",
            self.operation.id, bad.position, bad.reason
        );
        let event = Event {
            id: EventId::new(),
            source,
            kind: UNREADABLE.into(),
            connection: Some(connection.clone()),
            record: bad.id.clone(),
            dedup: DedupKey(bad.name.clone()),
            received: scope.now(),
            payload: json!({ REASON: reason, "record": bad.record }),
        };
        // The recipe's lane expression needs a readable record.
        let lane = event.id.to_string();
        let run = NewRun {
            id: RunId::new(),
            recipe: self.recipe.name().to_owned(),
            accounts: self.accounts.clone(),
            lane,
            coalesce: None,
        };
        (event, vec![run])
    }
}

/// What tells a record that has left the window of the list of `poll` from one that was removed, if it reports these.
fn record_read(recipe: &CheckedRecipe, poll: &recipe::Poll) -> Option<RecordRead> {
    let (read, input) =
        check::record_read(recipe.catalog(), poll).filter(|_| poll.emit.contains(&Emit::Removed))?;
    let operation = Arc::clone(recipe.operation_by_id(&read.id)?);
    Some(RecordRead { input: input.to_owned(), operation })
}

/// The window that a poll with the inputs `with` moves along.
pub(super) fn window(
    operation: &Operation,
    with: Option<&TemplateTree>,
    own: Option<&Spanned<recipe::PollWindow>>,
) -> Option<PollWindow> {
    let with = with.map_or(Value::Null, TemplateTree::to_value);
    PollWindow::of(operation.list.as_ref()?, &with, own.map(|own| own.value))
}

/// The parents that `poll` is polled over, if it is, for the cursor `key`.
pub(super) fn parents(
    recipe: &CheckedRecipe,
    poll: &recipe::Poll,
    key: &CursorKey,
    accounts: &Accounts,
    services: &Services,
) -> Result<Option<Box<Parents>>, Error> {
    let Some(over) = &poll.over else { return Ok(None) };
    let (operation, connection) = place(recipe, &over.operation, accounts, services)?;
    let changes = detect::changes(&poll.emit);
    let listing = recipe.poller().and_then(|items| items.list.as_ref());
    let tells = listing.is_some_and(|items| items.per_parent.is_told_by(&operation.id, &changes));
    let poller = Poller {
        window: window(&operation, Some(&over.with), None),
        record_read: None,
        recipe: recipe.clone(),
        accounts: accounts.clone(),
        connection,
        operation,
        key: key.of_parents(),
        every: poll.every.clone(),
        emit: vec![Emit::New, Emit::Changed],
        removed_limit: RemovedLimit::default(),
        start: Start::All,
        with: Some(over.with.clone()),
        parents: None,
        reconcile: None,
        backfill: None,
        shared: None,
    };
    Ok(Some(Box::new(Parents { poller, tells })))
}

pub(super) fn cursor_key(recipe: &str, accounts: &Accounts) -> CursorKey {
    let names: Vec<String> = accounts.values().cloned().collect();
    CursorKey::new(recipe, &names)
}

pub(super) fn place(
    recipe: &CheckedRecipe,
    operation: &str,
    accounts: &Accounts,
    services: &Services,
) -> Result<(Arc<Operation>, Arc<Connection>), Error> {
    let (recipe_name, name) = (recipe.name().to_owned(), operation.to_owned());
    let found = recipe.operation_by_id(operation).filter(|operation| operation.list.is_some());
    let Some(operation) = found else {
        return Err(Error::NoPoller { recipe: recipe_name, operation: name });
    };
    let connection = accounts.get(&operation.connector).and_then(|name| services.connections.get(name));
    match connection {
        Some(connection) => Ok((Arc::clone(operation), Arc::clone(connection))),
        None => Err(Error::NoConnection {
            recipe: recipe_name,
            operation: name,
            connector: operation.connector.clone(),
        }),
    }
}

/// Fingerprints by record id.
pub(super) type Known = HashMap<String, String>;
