//! What hob knows about a record when it receives an event about it, and the verdict for the event's run.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use super::known_write::{Pending, SourceWrite};
use super::pair_base::PairBase;
use super::state::{Effect, FieldPath};
use super::subject::Subject;
use super::verdict::{Earlier, OwnWrite, Relation, Report, relate};
use crate::event::Event;
use crate::run::ChainLink;
use crate::value::Value;

/// Maximum difference of the clocks of processes.
const CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(5);
/// How long an event waits for the answer to a write that it may echo, or for a run about the other record of its pair.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(2);
/// Shortest and longest interval between checks of a write or a run in progress: a quarter of the time that the event
/// has waited.
const PAUSES: [TimeDelta; 2] = [TimeDelta::milliseconds(500), TimeDelta::seconds(5)];
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
    /// What hob wrote, derived from this record, to the records from which `writes` were derived.
    pub crossing: Vec<SourceWrite>,
    /// What the sync that the recipe was generated from knows of the record.
    pub pair: Option<PairBase>,
    /// Whether echoes run like other events (`echo: allow`).
    pub allow: bool,
}

/// Whether nothing but a run about the other record of its pair matters for an event as long as there is one. Shorter
/// than the event waits, so that what it waits for is known at the end.
pub fn may_wait(subject: &Subject, event: &Event, now: DateTime<Utc>) -> bool {
    let report = subject.report(event, &event.payload, None);
    !report.removed && now - report.received < LONGEST_WAIT - CLOCK_DIFFERENCE
}

/// When to check again what an event that was received then waits for.
fn check_again(received: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let [shortest, longest] = PAUSES;
    now + ((now - received) / 4).clamp(shortest, longest)
}

/// What follows for the event's run.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is an echo, for this reason.
    Echo(String),
    /// Undecided until a write in progress is answered.
    Wait {
        /// When to check again.
        until: DateTime<Utc>,
        /// Why it waits.
        reason: String,
    },
    /// It runs.
    Run {
        /// These runs led to it, the last of them by a write that the event shows.
        chain: Vec<ChainLink>,
        /// The run knows what hob wrote to the record before this time.
        as_of: DateTime<Utc>,
        /// Why it runs although it is an echo.
        remark: Option<String>,
    },
}

impl Evidence {
    /// What follows for the run of `event`, whose payload is now `payload`. `fetched`: when its record was fetched, if
    /// it was.
    pub fn verdict(
        &self,
        event: &Event,
        payload: &Value,
        fetched: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Verdict {
        let report = self.subject.report(event, payload, fetched);
        let before = self.earlier.last().map(|earlier| &earlier.report.record);
        let Some(watched) = self.subject.watched(&report.record, before) else {
            let as_of = self.oldest(report.received);
            return Verdict::Run { chain: Vec::new(), as_of, remark: None };
        };
        let relation = relate(&watched, &self.writes, &self.earlier, &report);
        if self.allow {
            return self.run(&relation, None);
        }
        if let Some(pair) = self.pair.as_ref().filter(|_| !report.removed) {
            return self.of_pair(pair, &relation, &watched, &report, now);
        }
        if let Some(write) = relation.echo_of.map(|place| &self.writes[place]) {
            return match self.crossed(write) {
                Some(other) => self.run(&relation, Some(crossed_reason(write, other))),
                None => Verdict::Echo(reason(write, &watched)),
            };
        }
        if let Some(write) = relation.repeats_after.map(|place| &self.writes[place]) {
            let told =
                "nothing that the recipe reads has changed since the event before, and hob itself wrote";
            return Verdict::Echo(format!("an echo: {told}{}", of_run(write)));
        }
        let under_way =
            self.pending.iter().filter(|pending| pending.sent <= report.received + CLOCK_DIFFERENCE);
        for pending in under_way {
            // Also for a certain echo: whether the write crossed another one is known only once it is done.
            if now - pending.sent < LONGEST_WAIT {
                let reason = format!(
                    "waits for the answer to step `{}` of run {}: the event may be its echo",
                    pending.step, pending.run
                );
                return Verdict::Wait { until: check_again(report.received, now), reason };
            }
            if let Some(write) = self.echo_of_pending(pending, &watched, &report) {
                return Verdict::Echo(reason(write, &watched));
            }
        }
        self.run(&relation, None)
    }

    /// The verdict for the run of a sync about a record that belongs to a pair. What another recipe wrote is news to it.
    fn of_pair(
        &self,
        pair: &PairBase,
        relation: &Relation,
        watched: &[FieldPath],
        report: &Report,
        now: DateTime<Utc>,
    ) -> Verdict {
        let is_known = pair.has_dealt_with(watched, report, relation.echo_of.is_some());
        match &pair.under_way {
            // It may have read what this record had before, and write that: only then is it known what both have. With news,
            // both runs would look at the pair twice.
            Some(run) if now - report.received < LONGEST_WAIT => {
                let reason = format!("waits for run {run}, which is about the other record of the pair");
                Verdict::Wait { until: check_again(report.received, now), reason }
            }
            None if is_known => {
                let told = "it shows nothing that the sync has not dealt with";
                let wrote = relation
                    .shows
                    .map(|place| format!(", and what hob wrote{}", of_run(&self.writes[place])));
                Verdict::Echo(format!("an echo: {told}{}", wrote.unwrap_or_default()))
            }
            _ => self.run(relation, None),
        }
    }

    /// What hob derived from this record and wrote to the one from which it derived `write`, after it had read that one
    /// and before `write` was done: two people changed both at once. Each record may have the other one's value then,
    /// and so the echo of the later one of the two writes has to run, unless an event after it did.
    fn crossed(&self, write: &OwnWrite) -> Option<&SourceWrite> {
        let source = write.source.as_ref()?;
        let is_carried = |earlier: &Earlier| earlier.succeeded && earlier.report.received > write.done;
        let is_crossing = |other: &SourceWrite| {
            other.connection == source.connection
                && other.record == source.record
                && other.done > source.as_of
                && (other.done, &other.run) < (write.done, &write.run)
                && !write.chain.iter().any(|link| link.run == other.run)
        };
        if self.earlier.iter().any(is_carried) {
            return None;
        }
        self.crossing.iter().find(|other| is_crossing(other))
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

    fn run(&self, relation: &Relation, remark: Option<String>) -> Verdict {
        let chain = relation.shows.map(|place| self.writes[place].chain.clone());
        Verdict::Run { chain: chain.unwrap_or_default(), as_of: self.oldest(relation.as_of), remark }
    }

    /// That time, or when the oldest write under way was sent.
    fn oldest(&self, time: DateTime<Utc>) -> DateTime<Utc> {
        self.pending.iter().map(|pending| pending.sent).fold(time, DateTime::min)
    }
}

fn reason(write: &OwnWrite, watched: &[FieldPath]) -> String {
    let touched: Vec<String> =
        watched.iter().filter(|path| write.effect.touches(path)).map(|path| path.join(".")).collect();
    let told = match (&write.effect, touched.as_slice()) {
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
    told + &of_run(write)
}

fn crossed_reason(write: &OwnWrite, other: &SourceWrite) -> String {
    format!(
        "an echo of run {}, which runs all the same: run {} wrote to record {} at the same time, so the two may differ",
        write.run, other.run, other.record
    )
}

fn of_run(write: &OwnWrite) -> String {
    format!(" (run {}, step `{}`, {})", write.run, write.step, write.done.format("%Y-%m-%d %H:%M:%SZ"))
}
