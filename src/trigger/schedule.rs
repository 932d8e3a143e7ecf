//! Recipes that start at set times.
//!
//! If times were missed while hob was not running, the latest of them is made up for, unless it is more than a day
//! old. A schedule begins when hob first sees it, and begins again when its times are edited. Times during a pause of
//! the recipe are not made up for. A clock that is set forward makes hob miss times; a clock that is set back never
//! repeats any.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::claims::ClaimState;
use super::context::TriggerContext;
use super::new_run::new_run;
use super::pause;
use crate::check::CheckedRecipe;
use crate::event::{Cursor, CursorKey, DedupKey, Event, EventId, Source};
use crate::journal::{Appended, Batch, Error, Progress};
use crate::recipe::{CronText, Trigger};
use crate::run::Accounts;
use crate::value::{after, timestamp};

/// A missed time older than this is not made up for.
pub const OLDEST_MISSED: TimeDelta = TimeDelta::hours(24);

/// A recipe that starts at set times.
#[derive(Debug, Clone)]
pub struct Schedule {
    recipe: CheckedRecipe,
    times: CronText,
    key: CursorKey,
}

impl Schedule {
    /// The schedule of `recipe`, if it starts at set times.
    pub fn for_recipe(recipe: &CheckedRecipe) -> Option<Self> {
        let Trigger::Schedule(schedule) = recipe.trigger() else { return None };
        let key = CursorKey(format!("{}@schedule", recipe.name()));
        Some(Self { recipe: recipe.clone(), times: schedule.cron.clone(), key })
    }

    /// The recipe.
    pub fn recipe(&self) -> &CheckedRecipe {
        &self.recipe
    }

    /// Key of its cursor.
    pub fn key(&self) -> &CursorKey {
        &self.key
    }

    /// Starts a run if one is due; returns what was done and when the next time is. Does nothing when another process
    /// acts for the schedule, and checks again soon.
    pub async fn fire(&self, context: &TriggerContext) -> Result<(Appended, Option<DateTime<Utc>>), Error> {
        let now = context.services.clock.now();
        let tenure = context.claims.take(&context.services, &self.key).await?;
        if tenure == ClaimState::Elsewhere {
            return Ok((Appended::default(), Some(after(now, context.claims.renewal_interval()))));
        }
        let subject = self.subject();
        let stored =
            context.services.journal.cursor(&self.key).await?.filter(|cursor| cursor.subject == subject);
        let fired = stored.as_ref().and_then(|cursor| timestamp(cursor.watermark.as_ref()?));
        let planned = fired.and_then(|fired| self.missed(fired, now));
        if stored.is_some() && planned.is_none() {
            return Ok((Appended::default(), self.times.cron.next_after(fired.map_or(now, |f| f.max(now)))));
        }
        let next = self.times.cron.next_after(now);
        let reached = planned.unwrap_or(now);
        let cursor = Cursor {
            key: self.key.clone(),
            subject,
            scan: stored.map_or(1, |cursor| cursor.scan + 1),
            page: None,
            pages: 0,
            baseline_done: true,
            watermark: Some(json!(reached.to_rfc3339_opts(SecondsFormat::Millis, true))),
            newest: None,
            settled: Default::default(),
            pass: Default::default(),
            over: Default::default(),
            started: now,
            due: next.unwrap_or(DateTime::<Utc>::MAX_UTC),
            failures: 0,
            error: None,
            held: false,
            withheld: None,
            moved: None,
            health: Default::default(),
            pace: Default::default(),
        };
        let progress = Progress {
            cursor,
            seen: vec![],
            forgotten: vec![],
            reset: false,
            claim: tenure.claim(),
            beside: false,
        };
        let awake = match planned {
            Some(planned) => self.awake(context, planned).await?,
            None => Vec::new(),
        };
        let happens = planned.filter(|_| !awake.is_empty());
        let events = happens.map(|planned| self.event(planned, now)).into_iter();
        let events = events
            .map(|event| {
                let run = |accounts| {
                    new_run(&self.recipe, accounts, &event, &context.services.template_scope(accounts, now))
                };
                let runs = awake.iter().copied().map(run).collect();
                (event, runs)
            })
            .collect();
        let appended = context.services.journal.append(Batch { events, progress: Some(progress) }).await?;
        Ok((appended, next))
    }

    /// The accounts on which the recipe was not paused at the planned time.
    async fn awake(&self, context: &TriggerContext, planned: DateTime<Utc>) -> Result<Vec<&Accounts>, Error> {
        let recipe = self.recipe.name();
        let mut awake = Vec::new();
        for accounts in self.recipe.accounts() {
            if pause::was_paused(&context.services, recipe, accounts, planned).await? {
                let on = accounts.values().map(String::as_str).collect::<Vec<_>>().join(", ");
                tracing::info!(recipe, %planned, on, "not started: the recipe is paused");
            } else {
                awake.push(accounts);
            }
        }
        Ok(awake)
    }

    /// The latest time after `fired` and not after `now`, unless it is too long ago.
    fn missed(&self, fired: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = |after| self.times.cron.next_after(after).filter(|time| *time <= now);
        let mut latest = next(fired.max(now - OLDEST_MISSED))?;
        while let Some(later) = next(latest) {
            latest = later;
        }
        Some(latest)
    }

    fn subject(&self) -> String {
        let zone = self.times.timezone.as_ref().map_or("UTC", |zone| zone.as_str());
        format!("{} {zone}", self.times.expression.as_str())
    }

    /// The payload of an event at this time.
    pub fn payload(&self, planned: DateTime<Utc>) -> Value {
        let local = planned.with_timezone(self.times.cron.timezone());
        json!({
            "time": planned.to_rfc3339_opts(SecondsFormat::Secs, true),
            "local": local.to_rfc3339_opts(SecondsFormat::Secs, false),
        })
    }

    fn event(&self, planned: DateTime<Utc>, now: DateTime<Utc>) -> Event {
        let time = planned.to_rfc3339_opts(SecondsFormat::Secs, true);
        Event {
            id: EventId::new(),
            source: Source::Schedule(self.recipe.name().to_owned()),
            kind: "schedule".into(),
            connection: None,
            record: None,
            dedup: DedupKey(time),
            received: now,
            payload: self.payload(planned),
        }
    }
}
