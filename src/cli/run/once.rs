//! `--once`: what is due now, then a summary.

use std::time::Instant;

use super::command::Run;
use super::house::House;
use super::summary::Summary;
use super::told::told;
use crate::cli::runtime::stop_requested;
use crate::cli::{ExitCode, Failure, Format, Session};

impl House {
    /// Takes what every trigger has due, runs until nothing is left to do now, and tells what came of
    /// it.
    pub(super) async fn once(&self, run: &Run, session: &mut Session) -> Result<ExitCode, Failure> {
        let begun = Instant::now();
        let work = async {
            self.progress.polling();
            let taken = self.triggers.once().await?;
            self.progress.running(taken.runs);
            let ended = self.progress.watch(&self.engine, self.engine.run_until_idle()).await?;
            Ok((taken, ended))
        };
        let worked = tokio::select! {
            worked = work => worked.map_err(|error: crate::journal::Error| Failure::world(error))?,
            () = stop_requested() => {
                self.progress.end();
                let reason = "stopped before the end; the next start goes on from there";
                return Err(Failure::problem(anyhow::anyhow!(reason)));
            }
        };
        self.progress.end();
        let (taken, idle) = worked;
        let requests = self.connected.client.requests();
        let summary = Summary::new(&taken, &idle, &self.engine.tally().runs(), requests, begun.elapsed());
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
}
