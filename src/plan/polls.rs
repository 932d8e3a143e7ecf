//! The polls of recipes, one for each combination of accounts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Estimate;
use super::history::PollHistory;
use super::polled_list::PolledParents;
use super::timing::DAY;
use crate::catalog::{Catalog, EventType, Operation, RecordChange};
use crate::check::{CheckedRecipe, Purpose};
use crate::event::CursorKey;
use crate::recipe::{Emit, Every, Start, Trigger, Webhook};
use crate::trigger::{PollWindow, adapted, joins_early, period, reconciled_lists, request_key};
use crate::value::{Map, Value};

/// A poll.
#[derive(Debug, Clone)]
pub(super) struct Poll {
    pub(super) recipe: String,
    pub(super) connection: String,
    pub(super) purpose: Purpose,
    pub(super) operation: Arc<Operation>,
    /// Polls with equal keys share their requests.
    pub(super) key: String,
    pub(super) every: Every,
    pub(super) emit: Vec<Emit>,
    pub(super) start: Start,
    /// Its inputs as written.
    pub(super) with: Value,
    /// Number of parts in which the window of time of the list is read.
    pub(super) parts: u64,
    /// The list of the parents for each of which it is read.
    pub(super) over: Option<PolledParents>,
    pub(super) history: PollHistory,
    /// Webhook events that tell of the same changes.
    pub(super) events: Vec<String>,
    /// Changes that it finds in a day.
    pub(super) found: f64,
}

impl Poll {
    /// All polls of a recipe, with what `history` says of their cursors.
    pub(super) fn all(recipe: &CheckedRecipe, history: &BTreeMap<String, PollHistory>) -> Vec<Self> {
        recipe.accounts().iter().flat_map(|accounts| Self::on(recipe, accounts, history)).collect()
    }

    /// Those on one combination of accounts.
    pub(super) fn on(
        recipe: &CheckedRecipe,
        accounts: &indexmap::IndexMap<String, String>,
        history: &BTreeMap<String, PollHistory>,
    ) -> Vec<Self> {
        let names: Vec<String> = accounts.values().cloned().collect();
        let cursor = CursorKey::new(recipe.name(), &names);
        let known = |key: &str| history.get(key).copied().unwrap_or_default();
        let connection = |operation: &Operation| accounts.get(&operation.connector).cloned();
        match recipe.trigger() {
            Trigger::Poll(poll) => {
                let found = recipe.poller().and_then(|operation| Some((operation, connection(operation)?)));
                let Some((operation, connection)) = found else { return Vec::new() };
                let with = poll.with.to_value();
                let window = operation
                    .list
                    .as_ref()
                    .and_then(|list| PollWindow::of(list, &with, poll.window.as_ref().map(|own| own.value)));
                let with = window.as_ref().map_or_else(|| with.clone(), |window| window.written(&with));
                let over = PolledParents::of(recipe);
                let key = request_key(&connection, operation, &poll.emit, &with);
                // Which parents are asked depends on what this recipe knows.
                let own = over.as_ref().map(|_| format!(" for {}", recipe.name()));
                vec![Self {
                    parts: window.map_or(1, |window| window.parts()),
                    over,
                    recipe: recipe.name().to_owned(),
                    key: key + &own.unwrap_or_default(),
                    connection,
                    purpose: Purpose::Poll,
                    operation: Arc::clone(operation),
                    every: poll.every.clone(),
                    emit: poll.emit.clone(),
                    start: poll.start,
                    with,
                    history: known(&cursor.0),
                    events: events(recipe.catalog(), operation, &poll.emit),
                    found: 0.0,
                }]
            }
            Trigger::Webhook(Webhook::Events { connector, types, reconcile: Some(every), .. }) => {
                let types: Vec<&str> = types.iter().map(|name| name.as_str()).collect();
                let lists = reconciled_lists(recipe.catalog(), connector, &types);
                let poll = |(id, emit): (String, Vec<Emit>)| {
                    let operation = recipe.operation_by_id(&id)?;
                    let connection = connection(operation)?;
                    let with = Value::Object(Map::new());
                    Some(Self {
                        parts: 1,
                        over: None,
                        recipe: recipe.name().to_owned(),
                        key: request_key(&connection, operation, &emit, &with),
                        connection,
                        purpose: Purpose::Reconcile,
                        operation: Arc::clone(operation),
                        every: Every::Interval(*every),
                        emit,
                        start: Start::Now,
                        with,
                        history: known(&format!("{cursor}#{id}")),
                        events: Vec::new(),
                        found: 0.0,
                    })
                };
                lists.into_iter().filter_map(poll).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Seconds between two polls, at the shortest, on average with this number of `events` a day, and at the longest;
    /// `None` at set times.
    pub(super) fn periods(&self, events: f64) -> Option<Estimate> {
        let seconds = |interval: Duration| period(&self.key, interval).as_secs_f64();
        match &self.every {
            Every::Interval(interval) => Some(Estimate::exactly(seconds(*interval))),
            Every::Adaptive { shortest, longest } => {
                let mean = mean_period(
                    &|quiet| seconds(adapted(*shortest, *longest, quiet)),
                    seconds(*longest),
                    events,
                );
                Some(Estimate::between(seconds(*shortest), mean, Some(seconds(*longest))))
            }
            Every::Cron(_) => None,
        }
    }

    /// The same, looking for `emit`. It then shares requests with others.
    pub(super) fn with_emit(&self, emit: Vec<Emit>) -> Self {
        let key = match &self.over {
            Some(_) => self.key.clone(),
            None => request_key(&self.connection, &self.operation, &emit, &self.with),
        };
        Self { key, emit, ..self.clone() }
    }

    /// By how many seconds it may be early to join others.
    pub(super) fn early(&self) -> f64 {
        joins_early(&self.every).as_secs_f64()
    }
}

/// The mean of a period that grows until the next event, if `events` come evenly over the day.
fn mean_period(after: &dyn Fn(u32) -> f64, longest: f64, events: f64) -> f64 {
    if events <= 0.0 {
        return longest;
    }
    let (gap, mut passed, mut polls) = (DAY as f64 / events, 0.0, 0);
    while passed < gap {
        let period = after(polls);
        passed += period;
        polls += 1;
        if period >= longest {
            let more = ((gap - passed) / longest).ceil().max(0.0);
            return (passed + more * longest) / (f64::from(polls) + more);
        }
    }
    passed / f64::from(polls)
}

/// The webhook events that tell of all that a poll of `operation` looks for; none if they leave something out.
fn events(catalog: &Catalog, operation: &Operation, emit: &[Emit]) -> Vec<String> {
    let Some(connector) = catalog.connector(&operation.connector) else { return Vec::new() };
    let kind = |event: &EventType| match event.change {
        Some(RecordChange::New) => Some(Emit::New),
        Some(RecordChange::Changed) => Some(Emit::Changed),
        Some(RecordChange::Removed) => Some(Emit::Removed),
        None => None,
    };
    let tells = |event: &EventType| {
        event.reconcile.as_ref() == Some(&operation.id)
            && kind(event).is_some_and(|kind| emit.contains(&kind))
    };
    let found = || connector.events.iter().filter(|(_, event)| tells(event));
    let told: Vec<Emit> = found().filter_map(|(_, event)| kind(event)).collect();
    if !emit.iter().all(|emit| told.contains(emit)) {
        return Vec::new();
    }
    found().map(|(name, _)| format!("{}.{name}", connector.connector)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_period_lies_between_the_bounds() {
        let after = |quiet: u32| (60.0 * f64::from(2_u32.pow(quiet.min(10)))).min(900.0);
        let mean = |events| mean_period(&after, 900.0, events);
        assert_eq!((mean(0.0), mean(1440.0)), (900.0, 60.0));
        // 1 + 2 + 4 + 8 minutes, and then 15 each.
        assert!((mean(24.0) - 540.0).abs() < 180.0, "{}", mean(24.0));
        assert!(mean(10.0) > mean(100.0) && mean(100.0) > mean(1000.0));
    }
}
