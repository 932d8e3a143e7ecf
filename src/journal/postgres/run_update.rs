//! Records the results of leased runs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::encoding::{AT_ONCE, due, stamp, unsettled_text, write_text};
use crate::journal::{Error, Lease, RunUpdate};
use crate::run::{RunId, RunState};

use super::batcher::{Batcher, Job};
use super::failure::Failure;
use super::retry::RetryBackoff;
use super::row::{code, escape_nul, escape_nul_some};
use super::server::Server;
use super::session::Params;

/// Runs per group: the number of lanes that are locked one by one.
pub(super) const MAX_GROUP: usize = 128;

const RECORD: &str = "SELECT done, work FROM hob_record_vN($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
                      $13, $14, $15, $16, $17, $18, $19)";

/// The update of a run.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) lease: Lease,
    pub(super) texts: Vec<String>,
    pub(super) update: RunUpdate,
    /// Unique number of this write; if the answer is lost, it shows whether the write was committed.
    number: i64,
}

/// A unique number.
pub(super) fn number() -> i64 {
    let bytes = *uuid::Uuid::now_v7().as_bytes();
    let mut last = [0; 8];
    last.copy_from_slice(&bytes[8..]);
    i64::from_be_bytes(last)
}

/// Writes with an unknown outcome. The caller got an error and will repeat the write, which then uses the same
/// number.
#[derive(Default)]
pub(super) struct UnconfirmedWrites(Mutex<HashMap<RunId, Outcome>>);

impl UnconfirmedWrites {
    /// Records the update of a run.
    pub(super) async fn record(
        &self,
        groups: &Batcher<Outcome>,
        lease: Lease,
        texts: Vec<String>,
        update: RunUpdate,
    ) -> Result<(), Error> {
        let run = lease.run.clone();
        let mut written = Outcome { lease, texts, update, number: number() };
        if let Some(before) = self.map().get(&run).filter(|before| before.is_same(&written)) {
            written.number = before.number;
        }
        let escape_nul = written.clone();
        let answer = groups.perform(written).await;
        match &answer {
            Err(Error::Unavailable { .. }) => drop(self.map().insert(run, escape_nul)),
            _ => drop(self.map().remove(&run)),
        }
        answer
    }

    fn map(&self) -> MutexGuard<'_, HashMap<RunId, Outcome>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outcome {
    /// Whether both are the same write, whatever the time of the attempt.
    fn is_same(&self, other: &Outcome) -> bool {
        let update = RunUpdate { now: other.update.now, ..self.update.clone() };
        self.lease == other.lease && self.texts == other.texts && update == other.update
    }

    /// When the run ended and released its lane.
    fn ended(&self) -> Option<i64> {
        let ended = self.update.state.is_finished() && !self.update.holds_lane;
        ended.then(|| stamp(self.update.now))
    }

    fn due(&self) -> Option<i64> {
        let waits = self.update.state == RunState::Waiting;
        waits.then(|| self.update.due.map_or(AT_ONCE, due))
    }
}

impl Job for Outcome {
    type Answer = ();

    fn size(&self) -> usize {
        1
    }

    fn key(&self) -> Option<&str> {
        Some(&self.lease.run.0)
    }

    async fn perform(
        server: &Server,
        jobs: &[Self],
        maybe_done: &mut bool,
    ) -> Result<Vec<Result<(), Failure>>, Failure> {
        // In order of ids, so that writers cannot deadlock.
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        order.sort_by(|a, b| jobs[*a].lease.run.cmp(&jobs[*b].lease.run));
        let sorted: Vec<&Self> = order.iter().map(|place| &jobs[*place]).collect();
        let (done, work) = write(server, &sorted, maybe_done).await?;
        if work {
            server.listener.notify();
        }
        let mut answers: Vec<_> =
            jobs.iter().map(|job| Err(Failure::Fenced(job.lease.run.clone()))).collect();
        for (place, _) in order.iter().zip(done).filter(|(_, done)| *done) {
            answers[*place] = Ok(());
        }
        Ok(answers)
    }
}

/// Which of `jobs` are done, and whether there is work.
async fn write(
    server: &Server,
    jobs: &[&Outcome],
    maybe_done: &mut bool,
) -> Result<(Vec<bool>, bool), Failure> {
    let ids: Vec<_> = jobs.iter().map(|job| escape_nul(&job.lease.run.0)).collect();
    let epochs: Vec<i64> = jobs.iter().map(|job| job.lease.epoch).collect();
    let numbers: Vec<i64> = jobs.iter().map(|job| job.number).collect();
    let states: Vec<i32> = jobs.iter().map(|job| code(job.update.state)).collect();
    let dues: Vec<_> = jobs.iter().map(|job| job.due()).collect();
    let errors: Vec<_> = jobs.iter().map(|job| escape_nul_some(job.update.error.as_deref())).collect();
    let versions: Vec<_> = jobs.iter().map(|job| escape_nul_some(job.update.version.as_deref())).collect();
    let ends: Vec<_> = jobs.iter().map(|job| job.ended()).collect();
    let unsettled = jobs.iter().map(|job| job.update.unsettled.as_deref().map(unsettled_text).transpose());
    let unsettled = unsettled.collect::<Result<Vec<_>, _>>()?;
    let sizes: Vec<i32> = jobs.iter().map(|job| int(job.texts.len())).collect();
    let (mut entry_jobs, mut entry_places, mut entry_texts) = (Vec::new(), Vec::new(), Vec::new());
    for (job, written) in jobs.iter().enumerate() {
        for (place, text) in written.texts.iter().enumerate() {
            entry_jobs.push(int(job + 1));
            entry_places.push(int(place));
            entry_texts.push(text);
        }
    }
    let writes = Writes::from_jobs(jobs)?;
    #[rustfmt::skip]
    let params: Params<'_> = &[
        &ids, &epochs, &numbers, &states, &dues, &errors, &versions, &ends, &sizes,
        &entry_jobs, &entry_places, &entry_texts,
        &writes.jobs, &writes.records, &writes.connections, &writes.operations, &writes.fields, &writes.times,
        &unsettled,
    ];
    let mut backoff = RetryBackoff::new();
    loop {
        match server.pool.attempt(RECORD, params).await {
            Ok(rows) => {
                let row = rows.first().ok_or(Failure::Closed)?;
                return Ok((row.try_get(0)?, row.try_get(1)?));
            }
            Err(failure) => {
                *maybe_done |= failure.ends_connection();
                backoff.pause_before_retry(failure).await?;
            }
        }
    }
}

/// Writes as columns.
#[derive(Default)]
struct Writes<'a> {
    /// The place of the job, from 1.
    jobs: Vec<i32>,
    records: Vec<Cow<'a, str>>,
    connections: Vec<Cow<'a, str>>,
    operations: Vec<Cow<'a, str>>,
    fields: Vec<String>,
    times: Vec<i64>,
}

impl<'a> Writes<'a> {
    fn from_jobs(jobs: &[&'a Outcome]) -> Result<Self, Failure> {
        let mut columns = Self::default();
        for (job, outcome) in jobs.iter().enumerate() {
            for write in &outcome.update.writes {
                columns.jobs.push(int(job + 1));
                columns.records.push(escape_nul(&write.record));
                columns.connections.push(escape_nul(&write.connection));
                columns.operations.push(escape_nul(&write.operation));
                columns.fields.push(write_text(write)?);
                columns.times.push(stamp(outcome.update.now));
            }
        }
        Ok(columns)
    }
}

fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
