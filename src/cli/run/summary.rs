//! The summary of `--once`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::Serialize;

use crate::cli::dry_run::DryRow;
use crate::cli::recipes::BrokenRecipe;
use crate::connection::Connection;
use crate::engine::{Idle, RunCounters, WriteCount};
use crate::event::WithheldRemovals;
use crate::printable;
use crate::run::RunState;
use crate::trigger::PollSummary;

/// Most characters of a line.
const MAX_LENGTH: usize = 2_000;

/// The counts of one `--once`. Scripts rely on these fields.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Events stored.
    events: usize,
    /// Ended runs by state.
    runs: BTreeMap<&'static str, u64>,
    /// Requests sent.
    requests: u64,
    /// Writes skipped because they would have changed nothing.
    skipped: u64,
    /// Writes that an API accepted without keeping all that was sent.
    not_kept: u64,
    /// Events dropped as echoes of hob's own writes.
    echoes: u64,
    /// The polls.
    polls: Vec<Poll>,
    /// When the next waiting run is due.
    next_due: Option<DateTime<Utc>>,
    /// Recipes that runs need and that were not selected.
    missing: Vec<String>,
    /// Paused recipes.
    paused: Vec<String>,
    /// Connections with a refused credential: their polls and runs wait.
    held: Vec<Held>,
    /// Recipes that could not run.
    left_out: Vec<BrokenRecipe>,
    /// Duration.
    milliseconds: u128,
    /// In a dry run: what each run would have done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dry_run: Option<Vec<DryRow>>,
}

/// A connection that is held.
#[derive(Debug, Serialize)]
struct Held {
    connection: String,
    reason: String,
}

/// A poll.
#[derive(Debug, Serialize)]
struct Poll {
    recipe: String,
    connection: String,
    pages: u64,
    items: u64,
    events: usize,
    error: Option<String>,
    /// Removed records that it does not report, because too many are gone at once.
    withheld: Option<Box<WithheldRemovals>>,
    /// Number of records that its list shows no more, although they are there.
    moved: u64,
    /// When it polls next.
    next_due: DateTime<Utc>,
    /// The API asked to wait; the poll continues by itself.
    #[serde(skip)]
    held: bool,
}

impl Summary {
    pub(super) fn new(
        taken: &PollSummary,
        idle: &Idle,
        counters: &RunCounters,
        requests: u64,
        took: Duration,
    ) -> Self {
        let polls = taken.polls.iter().map(|poll| Poll {
            recipe: poll.recipe.clone(),
            connection: poll.connection.clone(),
            pages: poll.pages,
            items: poll.items,
            events: poll.events,
            error: poll.error.clone(),
            withheld: poll.withheld.clone(),
            moved: poll.moved,
            next_due: poll.due,
            held: poll.held.is_some(),
        });
        let runs = counters.runs();
        Self {
            events: taken.events,
            requests,
            skipped: counters.writes_of(WriteCount::Unchanged),
            not_kept: counters.writes_of(WriteCount::NotKept),
            echoes: runs.get(RunState::Suppressed.name()).copied().unwrap_or_default(),
            polls: polls.collect(),
            next_due: idle.next_due,
            missing: idle.missing.clone(),
            paused: taken.paused.clone(),
            held: Vec::new(),
            left_out: Vec::new(),
            milliseconds: took.as_millis(),
            dry_run: None,
            runs,
        }
    }

    /// Adds those of `connections` that are held.
    pub(super) fn holding(self, connections: &IndexMap<String, Arc<Connection>>) -> Self {
        let held = connections.values().filter_map(|connection| {
            Some(Held { connection: connection.name.clone(), reason: connection.hold.reason()? })
        });
        Self { held: held.collect(), ..self }
    }

    /// Adds the recipes that were left out.
    pub(super) fn without(self, left_out: &[BrokenRecipe]) -> Self {
        Self { left_out: left_out.to_vec(), ..self }
    }

    /// Whether a run failed or waits for a person, a poll failed or withholds removed records, a connection is held, or a recipe was left out.
    pub(super) fn has_problems(&self) -> bool {
        !self.left_out.is_empty() || self.has_failures()
    }

    fn has_failures(&self) -> bool {
        let bad = [RunState::Failed, RunState::Parked];
        !self.held.is_empty()
            || self.has_bad_runs(&bad)
            || self.polls.iter().any(|poll| poll.error.is_some() && !poll.held || poll.withheld.is_some())
    }

    fn has_bad_runs(&self, bad: &[RunState]) -> bool {
        bad.iter().any(|state| self.runs.get(state.name()).is_some_and(|count| *count > 0))
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let widest = |name: fn(&Poll) -> &str| {
            self.polls.iter().map(|poll| name(poll).chars().count()).max().unwrap_or_default()
        };
        let (wide, wider) = (widest(|poll| &poll.recipe), widest(|poll| &poll.connection));
        for poll in &self.polls {
            let Poll { recipe, connection, items, events, error, .. } = poll;
            let (recipe, connection) = (one_line(recipe), one_line(connection));
            let read = format!("read {}", counted(*items, "record"));
            let _ = write!(
                text,
                "{recipe:<wide$}  {connection:<wider$}  {read}, {}",
                counted(*events as u64, "event")
            );
            match error {
                Some(error) if poll.held => {
                    let until = poll.next_due.format("%Y-%m-%d %H:%M:%SZ");
                    _ = writeln!(text, "\n  waits until {until}: {}", one_line(error));
                }
                Some(error) => _ = writeln!(text, "\n  error: {}", one_line(error)),
                None => text.push('\n'),
            }
            if let Some(withheld) = &poll.withheld {
                let reason = one_line(&withheld.reason);
                let missing = counted(withheld.missing, "removed record");
                let _ = writeln!(text, "  {missing} not reported: {reason}; `hob status` says what to do");
            }
            if poll.moved > 0 {
                let moved = counted(poll.moved, "record");
                let _ = writeln!(text, "  {moved} moved out of the window of time: not reported as removed");
            }
        }
        if !self.polls.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "events    {}", self.events);
        let _ = writeln!(text, "runs      {}", self.states());
        let _ = writeln!(text, "requests  {}", self.requests);
        if self.skipped > 0 {
            let _ = writeln!(
                text,
                "skipped   {} that would have changed nothing",
                counted(self.skipped, "write")
            );
        }
        if self.not_kept > 0 {
            let _ = writeln!(
                text,
                "not kept  {}: `hob runs show` tells which fields",
                counted(self.not_kept, "accepted write")
            );
        }
        if self.echoes > 0 {
            let _ = writeln!(text, "echoes    {}", self.echoes);
        }
        let _ = writeln!(text, "time      {:.1} s", self.milliseconds as f64 / 1000.0);
        if let Some(due) = self.next_due {
            let _ = writeln!(
                text,
                "\nsome runs are waiting; the next is due at {}",
                due.format("%Y-%m-%d %H:%M:%SZ")
            );
        }
        if !self.missing.is_empty() {
            let _ = writeln!(
                text,
                "\nsome runs are waiting for recipes that were not run: {}",
                one_line(&self.missing.join(", "))
            );
        }
        if !self.paused.is_empty() {
            let _ = writeln!(
                text,
                "\npaused, `hob resume` lets them go on: {}",
                one_line(&self.paused.join(", "))
            );
        }
        for Held { reason, .. } in &self.held {
            let reason = one_line(reason);
            let _ = writeln!(text, "\n{reason}\nits polls and runs wait until the credential works");
        }
        if !self.left_out.is_empty() {
            let left_out: Vec<String> = self.left_out.iter().map(|recipe| format!("\n  {recipe}")).collect();
            let _ = writeln!(text, "\nrecipes left out:{}", left_out.concat());
        }
        if self.has_bad_runs(&[RunState::Failed, RunState::Parked]) {
            text.push_str(
                "\nthere were problems: `hob runs list --state failed` and `--state parked` show runs, `hob status` \
                 shows polls\n",
            );
        }
        text
    }

    fn states(&self) -> String {
        let ended = RunState::ALL.iter().filter_map(|state| {
            self.runs.get(state.name()).filter(|count| **count > 0).map(|count| format!("{count} {state}"))
        });
        let ended: Vec<String> = ended.collect();
        if ended.is_empty() { "none".into() } else { ended.join(", ") }
    }
}

/// Foreign text as one line.
fn one_line(text: &str) -> String {
    printable::line(text, MAX_LENGTH)
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(runs: &[(&'static str, u64)]) -> Summary {
        let (counters, none) = (RunCounters::default(), PollSummary::default());
        let summary = Summary::new(&none, &Idle::default(), &counters, 7, Duration::from_millis(1250));
        Summary { runs: runs.iter().copied().collect(), ..summary }
    }

    #[test]
    fn says_what_happened_in_the_order_of_a_runs_life() {
        let text = summary(&[("filtered", 1), ("succeeded", 3)]).text();
        assert_eq!(text, "events    0\nruns      3 succeeded, 1 filtered\nrequests  7\ntime      1.2 s\n");
    }

    #[test]
    fn recipes_that_were_left_out_are_a_problem_and_named() {
        let broken = BrokenRecipe {
            recipe: Some("form".to_owned()),
            file: "recipes/form.yaml".to_owned(),
            reason: "it has mistakes".to_owned(),
            listeners: vec![],
        };
        let summary = summary(&[("succeeded", 1)]).without(&[broken]);
        assert!(summary.has_problems());
        let text = summary.text();
        assert!(text.ends_with("recipes left out:\n  form (recipes/form.yaml): it has mistakes\n"), "{text}");
    }

    #[test]
    fn failed_and_parked_runs_are_problems() {
        assert!(!summary(&[("succeeded", 1), ("failed", 0)]).has_problems());
        assert!(summary(&[("failed", 1)]).has_problems());
        assert!(summary(&[("parked", 1)]).has_problems());
    }
}
