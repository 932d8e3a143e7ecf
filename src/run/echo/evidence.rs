//! What hob knows about a record when it receives an event about it, and the verdict for the event's run.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use super::state::{Effect, FieldPath};
use super::subject::Subject;
use super::verdict::{Earlier, OwnWrite, Report, relate};
use crate::catalog::{Operation, Place, WriteTarget};
use crate::event::Event;
use crate::run::{ChainLink, RunId, Unsettled, Write};
use crate::value::{Map, Value, id};

/// Maximum difference of the clocks of processes.
const CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(5);
/// How long an event waits for the answer to a write that it may echo.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(2);
/// Interval between checks of a write in progress.
const PAUSE: TimeDelta = TimeDelta::milliseconds(500);
/// Maximum number of field names in a reason.
const NAMED: usize = 5;

/// What hob knows about a record when it receives an event about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The record of the event.
    pub subject: Subject,
    /// hob's writes to the record, oldest first.
    pub writes: Vec<OwnWrite>,
    /// Writes without a known outcome.
    pub pending: Vec<Pending>,
    /// Earlier events of the same recipe about it, oldest first, with whole payloads.
    pub earlier: Vec<Earlier>,
    /// Whether echoes run like other events.
    pub allow: bool,
}

/// A write in progress that may concern the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Set if it certainly concerns this record, with its effect.
    pub write: Option<OwnWrite>,
    /// The run and the step.
    pub run: RunId,
    /// The step.
    pub step: String,
    /// When it was about to be sent.
    pub sent: DateTime<Utc>,
}

/// The verdict for the event's run.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is an echo, for this reason.
    Echo(String),
    /// Undecidable before a write in progress is answered.
    Wait {
        /// When to check again.
        until: DateTime<Utc>,
        /// What is waited for.
        reason: String,
    },
    /// It runs. These runs led to it, the last one by a write that the event shows.
    Run(Vec<ChainLink>),
}

impl OwnWrite {
    /// The effect on its record of `write`, recorded at `done` by `operation`; `None` if unknown, or if the record
    /// itself is unaffected.
    pub fn of(write: &Write, operation: &Operation, run: &RunId, done: DateTime<Utc>) -> Option<Self> {
        let origin = write.origin.as_ref();
        Some(Self {
            run: run.clone(),
            step: origin.map_or_else(|| write.operation.clone(), |origin| origin.step.clone()),
            sent: origin.map_or(done, |origin| origin.sent),
            done,
            effect: effect(operation, write.fields.as_object()?)?,
            answer: origin.map_or(Value::Null, |origin| origin.answer.clone()),
            chain: origin
                .map(|origin| {
                    let (run, recipe) = (run.clone(), origin.recipe.clone());
                    let link = ChainLink { run, recipe, record: write.record.clone(), at: done };
                    origin.chain.iter().cloned().chain([link]).collect()
                })
                .unwrap_or_default(),
        })
    }
}

fn effect(operation: &Operation, sent: &Map<String, Value>) -> Option<Effect> {
    let items = |name: &str| match sent.get(name)? {
        Value::Array(items) => Some(items.clone()),
        item => Some(vec![item.clone()]),
    };
    Some(match operation.write_target()? {
        WriteTarget::Created => Effect::Created(sent.clone()),
        WriteTarget::Fields => Effect::Fields(sent.clone()),
        WriteTarget::Added(list) => Effect::Added(list.to_owned(), items(list)?),
        WriteTarget::Removed(list) => Effect::Removed(list.to_owned(), items(list)?),
        WriteTarget::Deleted => Effect::Deleted,
    })
}

impl Pending {
    /// The possible effect of `unsettled` on the record `record`; `None` if it concerns another one.
    pub fn of(unsettled: &Unsettled, operation: &Operation, run: &RunId, record: &str) -> Option<Self> {
        let in_path =
            |name: &String| operation.parameters.get(name).is_some_and(|known| known.place == Place::Path);
        let named =
            unsettled.inputs.iter().filter(|(name, _)| in_path(name)).filter_map(|(_, value)| id(value));
        let named: Vec<String> = named.collect();
        let (step, sent) = (unsettled.step.to_string(), unsettled.sent);
        let is_made = operation.write_target() == Some(WriteTarget::Created) || named.is_empty();
        if !is_made && !named.iter().any(|named| named == record) {
            return None;
        }
        let fields = unsettled.inputs.iter().filter(|(name, _)| !in_path(name));
        let fields: Map<String, Value> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        let effect = if is_made { None } else { effect(operation, &fields) };
        let write = effect.map(|effect| OwnWrite {
            run: run.clone(),
            step: step.clone(),
            sent,
            done: sent,
            effect,
            answer: Value::Null,
            chain: Vec::new(),
        });
        Some(Self { write, run: run.clone(), step, sent })
    }
}

impl Evidence {
    /// The verdict for the run of `event`, whose payload is now `payload`.
    pub fn verdict(&self, event: &Event, payload: &Value, now: DateTime<Utc>) -> Verdict {
        let report = self.subject.report(event, payload);
        let before = self.earlier.last().map(|earlier| &earlier.report.record);
        let Some(watched) = self.subject.watched(&report.record, before) else {
            return Verdict::Run(Vec::new());
        };
        let relation = relate(&watched, &self.writes, &self.earlier, &report);
        if let Some(write) = relation.echo_of.map(|place| &self.writes[place]).filter(|_| !self.allow) {
            return Verdict::Echo(reason(write, &watched));
        }
        if self.allow {
            return Verdict::Run(self.chain(relation.shows));
        }
        let under_way =
            self.pending.iter().filter(|pending| pending.sent <= report.received + CLOCK_DIFFERENCE);
        for pending in under_way {
            if let Some(write) = self.echo_of_pending(pending, &watched, &report) {
                return Verdict::Echo(reason(write, &watched));
            }
            if now - pending.sent < LONGEST_WAIT {
                let reason = format!(
                    "waits for the answer to step `{}` of run {}: the event may be its echo",
                    pending.step, pending.run
                );
                return Verdict::Wait { until: now + PAUSE, reason };
            }
        }
        Verdict::Run(self.chain(relation.shows))
    }

    /// The write in progress, if the event shows what it writes.
    fn echo_of_pending<'p>(
        &self,
        pending: &'p Pending,
        watched: &[FieldPath],
        report: &Report,
    ) -> Option<&'p OwnWrite> {
        let write = pending.write.as_ref()?;
        let writes: Vec<OwnWrite> = self.writes.iter().chain([write]).cloned().collect();
        let relation = relate(watched, &writes, &self.earlier, report);
        relation.echo_of.is_some().then_some(write)
    }

    fn chain(&self, place: Option<usize>) -> Vec<ChainLink> {
        place.map(|place| self.writes[place].chain.clone()).unwrap_or_default()
    }
}

fn reason(write: &OwnWrite, watched: &[FieldPath]) -> String {
    let touched: Vec<String> =
        watched.iter().filter(|path| write.effect.touches(path)).map(|path| path.join(".")).collect();
    let mut told = match (&write.effect, touched.as_slice()) {
        (Effect::Deleted, _) => "an echo: the record was deleted by hob itself".to_owned(),
        (_, []) => {
            "an echo: nothing that the recipe reads has changed, and the record was written by hob".to_owned()
        }
        (Effect::Created(_), _) => "an echo: the record is as hob itself made it".to_owned(),
        (_, fields) => {
            let mut names = fields[..fields.len().min(NAMED)].join(", ");
            if fields.len() > NAMED {
                let _ = write!(names, " and {} more", fields.len() - NAMED);
            }
            format!("an echo: {names} as hob itself wrote")
        }
    };
    let _ = write!(
        told,
        " (run {}, step `{}`, {})",
        write.run,
        write.step,
        write.done.format("%Y-%m-%d %H:%M:%SZ")
    );
    told
}
