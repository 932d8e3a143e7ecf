//! `--once`: does what is due now, then prints a summary.

use std::time::Instant;

use anyhow::anyhow;
use futures::FutureExt;

use super::service::Service;
use super::summary::Summary;
use crate::check::CheckedRecipe;
use crate::cli::runtime::StopSignal;
use crate::cli::{ExitCode, Failure, Format, Session, dry_run};
use crate::recipe::Trigger;

impl Service {
    /// Fires all triggers, runs until idle, and prints a summary.
    pub(super) async fn once(&self, session: &mut Session, format: Format) -> Result<ExitCode, Failure> {
        let begun = Instant::now();
        let stop = StopSignal::listen()?.requested().shared();
        let stop_requested_twice = StopSignal::listen()?.requested_twice();
        self.progress.polling();
        // A poll can stop anywhere: a page that was not stored is read again.
        let taken = tokio::select! {
            taken = self.triggers.once() => Some(taken),
            () = stop.clone() => None,
        };
        let Some(taken) = taken else { return Err(self.stopped()) };
        let taken = taken.map_err(Failure::unavailable)?;
        self.progress.running(taken.runs);
        let work = self.engine.run_until_idle_or(stop.clone());
        let idle = tokio::select! {
            idle = self.progress.watch(&self.engine, work) => idle.map_err(Failure::unavailable)?,
            // Requests in flight are in doubt at the next start, as after a crash.
            () = stop_requested_twice => return Err(self.stopped()),
        };
        if stop.peek().is_some() {
            return Err(self.stopped());
        }
        self.progress.end();
        let requests = self.services.client.requests();
        let mut summary = Summary::new(&taken, &idle, self.engine.counters(), requests, begun.elapsed())
            .holding(&self.services.connections)
            .without(&self.left_out);
        if self.options.dry_run {
            let rows = dry_run::rows(self.services.journal.as_ref(), &self.recipe_versions, None).await;
            let rows = rows.map_err(Failure::unavailable)?;
            if format == Format::Text {
                dry_run::print(&rows, &mut session.streams)?;
            }
            summary.dry_run = Some(rows);
            self.hint_at_other_triggers(session);
        }
        match format {
            Format::Json => session.streams.json(&summary)?,
            Format::Text => session.streams.print(&summary.text())?,
        }
        Ok(if summary.has_problems() { ExitCode::Problems } else { ExitCode::Fine })
    }

    /// A dry run fires what is due; triggers that others start have their own dry run.
    fn hint_at_other_triggers(&self, session: &mut Session) {
        let polls = |recipe: &&CheckedRecipe| matches!(recipe.trigger(), Trigger::Poll(_));
        let others: Vec<&str> =
            self.recipes.iter().filter(|recipe| !polls(recipe)).map(CheckedRecipe::name).collect();
        if !others.is_empty() {
            session.streams.note(format!(
                "what an event would do to {}: `hob trigger RECIPE --event FILE --dry-run` shows it, and \
                 `hob run --dry-run --listen ADDR` that of webhooks",
                others.join(", ")
            ));
        }
    }

    fn stopped(&self) -> Failure {
        self.progress.end();
        Failure::problem(anyhow!("stopped early; the next `hob run` continues from there"))
    }
}
