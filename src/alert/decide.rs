//! Decides, from what is stored and what is seen, which alerts open and end and who is told. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::model::{Alert, Delivery, End, EndReason, Told};
use super::observation::{Observation, Seen};
use super::row::Row;
use crate::workspace::{AlertKind, Alerts, Channel, Destination};

/// The rows that change. Those that stay as they are are left out.
pub(super) fn decide(
    rows: &BTreeMap<String, Row>,
    seen: &Seen,
    settings: &Alerts,
    now: DateTime<Utc>,
) -> Vec<Row> {
    let decision = Decision { settings, now };
    let mut changed = Vec::new();
    for observation in &seen.observations {
        let row = rows.get(&observation.key);
        let open = row.and_then(|row| row.alert.as_ref()).filter(|alert| alert.is_open());
        let next = match open {
            Some(alert) => decision.goes_on(alert, observation),
            None if observation.is_active => decision.opens(row, observation),
            None => continue,
        };
        let is_new = row.and_then(|row| row.alert.as_ref()) != Some(&next);
        if is_new {
            let version = row.map_or(0, |row| row.version);
            changed.push(Row { key: observation.key.clone(), version, alert: Some(next) });
        }
    }
    let observed: BTreeSet<&str> =
        seen.observations.iter().map(|observation| observation.key.as_str()).collect();
    for row in rows.values().filter(|row| !observed.contains(row.key.as_str())) {
        let Some(alert) = &row.alert else { continue };
        let next = match alert.is_open() {
            true => decision.is_gone(&row.key, alert, seen),
            false => decision.without_strangers(alert.clone()),
        };
        if next != *alert {
            changed.push(Row { alert: Some(next), ..row.clone() });
        }
    }
    changed
}

struct Decision<'a> {
    settings: &'a Alerts,
    now: DateTime<Utc>,
}

impl Decision<'_> {
    /// Who is told of alerts of a kind about a recipe.
    fn audience<'s>(
        &'s self,
        kind: AlertKind,
        recipe: Option<&'s str>,
    ) -> impl Iterator<Item = &'s Destination> {
        self.settings.to.iter().filter(move |destination| {
            // A recipe that fails must not be told so by itself.
            let is_itself = match &destination.channel {
                Channel::Recipe(name) => recipe == Some(name.as_str()),
                _ => false,
            };
            destination.on.contains(&kind) && !is_itself
        })
    }

    fn opens(&self, row: Option<&Row>, observation: &Observation) -> Alert {
        let Observation { key, kind, id, about, runs, last, .. } = observation;
        // What is still to be told of its last end goes first.
        let before = row.and_then(|row| row.alert.as_ref());
        let mut alert = Alert {
            kind: *kind,
            id: id.clone(),
            about: about.clone(),
            runs: *runs,
            opened: self.now,
            gone: None,
            last: *last,
            ended: None,
            told: BTreeMap::new(),
            deliveries: Vec::new(),
        };
        for destination in self.audience(*kind, about.recipe.as_deref()) {
            let name = &destination.name;
            // Its end was not told yet: to this destination it never ended.
            let untold = before.and_then(|before| {
                let waits = before.deliveries.iter().any(|delivery| delivery.to == *name);
                before.told.get(name).filter(|_| waits)
            });
            match untold {
                Some(at) => drop(alert.told.insert(name.clone(), *at)),
                None => alert.deliveries.push(Delivery::new(key, name, Told::Opened, self.now)),
            }
        }
        alert
    }

    fn goes_on(&self, alert: &Alert, observation: &Observation) -> Alert {
        let mut next = alert.clone();
        next.about.clone_from(&observation.about);
        next.runs = next.runs.max(observation.runs);
        next.last = observation.last.or(next.last);
        if !observation.is_active {
            return self.ends(&observation.key, next, EndReason::NoNewRuns, observation.runs);
        }
        next.gone = None;
        self.remind(&observation.key, self.without_strangers(next))
    }

    /// Tells destinations that were not told yet, or want to be told again.
    fn remind(&self, key: &str, mut alert: Alert) -> Alert {
        let recipe = alert.about.recipe.clone();
        for destination in self.audience(alert.kind, recipe.as_deref()) {
            let name = &destination.name;
            if alert.deliveries.iter().any(|delivery| delivery.to == *name) {
                continue;
            }
            let what = match (alert.told.get(name), destination.remind) {
                (None, _) => Told::Opened,
                (Some(last), Some(every)) if *last <= ago(self.now, every) => Told::Reminder,
                _ => continue,
            };
            alert.deliveries.push(Delivery::new(key, name, what, self.now));
        }
        alert
    }

    fn is_gone(&self, key: &str, alert: &Alert, seen: &Seen) -> Alert {
        let mut next = alert.clone();
        let is_of_runs = matches!(alert.kind, AlertKind::Failed | AlertKind::Parked);
        if is_of_runs && !seen.complete {
            // It may be one of those that were not read.
            let is_old = alert.last.is_some_and(|last| last <= ago(self.now, self.settings.no_new_for));
            return match is_old {
                true => self.ends(key, next, EndReason::NoNewRuns, 0),
                false => next,
            };
        }
        let since = *next.gone.get_or_insert(self.now);
        match since <= ago(self.now, self.settings.gone_for) {
            true => self.ends(key, next, EndReason::Gone, 0),
            false => next,
        }
    }

    /// Everybody who was told of it is told of its end, and who was not is told of both at once.
    fn ends(&self, key: &str, mut alert: Alert, reason: EndReason, left: u64) -> Alert {
        alert.ended = Some(End { at: alert.gone.unwrap_or(self.now), reason, left });
        let waiting = std::mem::take(&mut alert.deliveries);
        let names: BTreeSet<String> =
            alert.told.keys().cloned().chain(waiting.iter().map(|delivery| delivery.to.clone())).collect();
        let known = names.into_iter().filter(|name| self.knows(name));
        let new = known.map(|name| {
            let before = waiting.iter().find(|delivery| delivery.to == name);
            let mut delivery = Delivery::new(key, &name, Told::Recovered, self.now);
            if let Some(before) = before {
                // It is still the same destination that cannot be reached.
                delivery.due = before.due;
                delivery.attempts = before.attempts;
                delivery.error.clone_from(&before.error);
                delivery.failing_since = before.failing_since;
            }
            delivery
        });
        alert.deliveries = new.collect();
        alert
    }

    fn knows(&self, name: &str) -> bool {
        self.settings.to.iter().any(|destination| destination.name == name)
    }

    /// Without what was for destinations that hob.yaml has no more.
    fn without_strangers(&self, mut alert: Alert) -> Alert {
        alert.deliveries.retain(|delivery| self.knows(&delivery.to));
        alert.told.retain(|name, _| self.knows(name));
        alert
    }
}

fn ago(now: DateTime<Utc>, time: Duration) -> DateTime<Utc> {
    let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    now.checked_sub_signed(time).unwrap_or(DateTime::<Utc>::MIN_UTC)
}
