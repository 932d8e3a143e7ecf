//! Selects the runs of a command: by id, or by filters.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use anyhow::anyhow;
use clap::Args;

use super::since::Since;
use crate::cli::Failure;
use crate::cli::recipes::{meant, unknown_recipe};
use crate::clock::Clock;
use crate::journal::{Journal, RunFilter, RunRow};
use crate::overview::runs_of_cause;
use crate::run::RunState;
use crate::value::short_id;

/// Most candidates listed for an ambiguous prefix of an id.
const SHOWN: usize = 5;

/// Filters for runs.
#[derive(Debug, Clone, Default, Args)]
pub struct RunSelector {
    /// Only runs of this recipe, or of those of a sync
    #[arg(long, value_name = "NAME")]
    pub(super) recipe: Option<String>,
    /// Only runs in this state
    #[arg(long, value_name = "STATE")]
    pub(super) state: Option<RunState>,
    /// Only runs about this record, by its id
    #[arg(long, value_name = "ID")]
    pub(super) record: Option<String>,
    /// Only runs created since then: a duration such as 2h, a date or a time
    #[arg(long, value_name = "WHEN")]
    pub(super) since: Option<Since>,
    /// Only runs with this text in the record, the reason, the event or the history; case does not matter
    #[arg(long, value_name = "TEXT")]
    pub(super) text: Option<String>,
    /// Only runs that are parked or failed for this cause, by its id in `hob status`
    #[arg(long, value_name = "CAUSE")]
    pub(super) cause: Option<String>,
}

/// As on the command line, for the audit log.
impl fmt::Display for RunSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recipe, state, record, since, text, cause } = self;
        let given = [
            ("cause", cause.clone()),
            ("recipe", recipe.clone()),
            ("state", state.map(|state| state.to_string())),
            ("record", record.clone()),
            ("since", since.map(|since| since.to_string())),
            ("text", text.clone()),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
        f.write_str(&given.collect::<Vec<_>>().join(", "))
    }
}

impl RunSelector {
    /// Whether there is no filter, so that every run would match.
    pub(super) fn is_everything(&self) -> bool {
        let Self { recipe, state, record, since, text, cause } = self;
        recipe.is_none()
            && state.is_none()
            && record.is_none()
            && since.is_none()
            && text.is_none()
            && cause.is_none()
    }

    /// The runs, newest first. `known` are the names of the recipes of the workspace.
    pub(super) async fn rows(
        &self,
        journal: &dyn Journal,
        known: &BTreeSet<String>,
        limit: Option<usize>,
    ) -> Result<Vec<RunRow>, Failure> {
        let Some(id) = &self.cause else { return self.matching(journal, known, limit).await };
        let Some(cause) = runs_of_cause(journal, id, None).await.map_err(Failure::unavailable)? else {
            let reason = "no parked or failed runs have just the cause `{id}`; `hob status` lists causes";
            return Err(Failure::usage(anyhow!(reason.replace("{id}", id))));
        };
        let narrowed = Self {
            recipe: self.recipe.clone().or_else(|| Some(cause.recipe.clone())),
            state: self.state.or(Some(cause.state)),
            ..self.clone()
        };
        let mut rows = narrowed.matching(journal, known, None).await?;
        rows.retain(|row| cause.contains(row));
        rows.truncate(limit.unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// The runs that match everything but the cause.
    async fn matching(
        &self,
        journal: &dyn Journal,
        known: &BTreeSet<String>,
        limit: Option<usize>,
    ) -> Result<Vec<RunRow>, Failure> {
        let filter = self.filter(limit);
        let Some(name) = &self.recipe else {
            return journal.runs(&filter).await.map_err(Failure::unavailable);
        };
        let names = self.recipes(known);
        let mut rows = Vec::new();
        for name in &names {
            let filter = RunFilter { recipe: Some(name.clone()), ..filter.clone() };
            rows.extend(journal.runs(&filter).await.map_err(Failure::unavailable)?);
        }
        if rows.is_empty() {
            // The history may be of a recipe that is no longer there.
            let any = RunFilter { recipe: Some(name.clone()), limit: Some(1), ..RunFilter::default() };
            if journal.runs(&any).await.map_err(Failure::unavailable)?.is_empty() {
                self.check_name(known)?;
            }
        }
        rows.sort_by_key(|row| Reverse(row.created));
        rows.truncate(limit.unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// Fails if `--recipe` is no recipe or sync of `known`.
    pub(super) fn check_name(&self, known: &BTreeSet<String>) -> Result<(), Failure> {
        match &self.recipe {
            Some(name) if !self.recipes(known).iter().any(|name| known.contains(name)) => {
                Err(unknown_recipe(name, known.iter().map(String::as_str)))
            }
            _ => Ok(()),
        }
    }

    /// The names of the recipes that `--recipe` means: several, if it is a sync.
    pub(super) fn recipes(&self, known: &BTreeSet<String>) -> Vec<String> {
        let Some(name) = &self.recipe else { return Vec::new() };
        let meant = meant(name, known.iter().map(String::as_str));
        if meant.is_empty() { vec![name.clone()] } else { meant.into_iter().map(str::to_owned).collect() }
    }

    fn filter(&self, limit: Option<usize>) -> RunFilter {
        RunFilter {
            recipe: None,
            state: self.state,
            record: self.record.clone().map(short_id),
            since: self.since.as_ref().map(|since| since.before(Clock::system().now())),
            until: None,
            before: None,
            text: self.text.clone(),
            priority: None,
            limit,
        }
    }
}

/// The run with this id or unique prefix.
pub(in crate::cli) async fn find(journal: &dyn Journal, id: &str) -> Result<RunRow, Failure> {
    let full = if id.starts_with("run_") { id.to_owned() } else { format!("run_{id}") };
    let mut fitting = journal.runs_by_prefix(&full, SHOWN + 1).await.map_err(Failure::unavailable)?;
    let reason = match fitting.len() {
        1 => return Ok(fitting.remove(0)),
        0 => anyhow!("no run `{id}`; `hob runs list` lists them, with --sandbox those of the sandbox"),
        several => {
            let some: Vec<&str> = fitting.iter().take(SHOWN).map(|row| row.id.0.as_str()).collect();
            let more = if several > SHOWN { ", and more" } else { "" };
            anyhow!("several runs begin with `{id}`: {}{more}", some.join(", "))
        }
    };
    Err(Failure::usage(reason))
}
