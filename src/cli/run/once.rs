//! `--once`: what is due now, then a summary.

use std::time::Instant;

use anyhow::anyhow;
use futures::FutureExt;

use super::command::Run;
use super::house::House;
use super::summary::Summary;
use super::told::told;
use crate::cli::runtime::StopSignal;
use crate::cli::{ExitCode, Failure, Format, Session};

impl House {
    /// Takes what every trigger has due, runs until nothing is left to do now, and tells what came of
    /// it.
    pub(super) async fn once(&self, run: &Run, session: &mut Session) -> Result<ExitCode, Failure> {
        let begun = Instant::now();
        let stop = StopSignal::listen()?.requested().shared();
        self.progress.polling();
        // A page that was not stored is read again: a poll can end anywhere.
        let taken = tokio::select! {
            taken = self.triggers.once() => Some(taken),
            () = stop.clone() => None,
        };
        let Some(taken) = taken else { return Err(self.stopped()) };
        let taken = taken.map_err(Failure::world)?;
        self.progress.running(taken.runs);
        let work = self.engine.run_until_idle_or(stop.clone());
        let idle = self.progress.watch(&self.engine, work).await.map_err(Failure::world)?;
        if stop.peek().is_some() {
            return Err(self.stopped());
        }
        self.progress.end();
        let requests = self.connected.client.requests();
        let summary = Summary::new(&taken, &idle, &self.engine.tally().runs(), requests, begun.elapsed())
            .holding(&self.connected.connections);
        if run.dry_run && run.output.format == Format::Text {
            for line in told(self.journal.as_ref()).await.map_err(Failure::world)? {
                session.streams.say(line)?;
            }
        }
        match run.output.format {
            Format::Json => session.streams.json(&summary)?,
            Format::Text => session.streams.output.write_all(summary.text().as_bytes())?,
        }
        Ok(if summary.has_problems() { ExitCode::Problems } else { ExitCode::Fine })
    }

    fn stopped(&self) -> Failure {
        self.progress.end();
        Failure::problem(anyhow!("stopped early; the next `hob run` continues from there"))
    }
}
