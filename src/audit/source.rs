//! Compares what a recipe's trigger shows with the events and runs of the recipe.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::finding::{Finding, What};
use super::options::Options;
use super::records::{Obstacles, by_record, decisive, finding};
use super::report::{ListAudit, RecipeAudit};
use super::unseen::{Situation, time};
use crate::check::CheckedRecipe;
use crate::journal::{self, Journal, RunFilter, all_paused};
use crate::recipe::Trigger;
use crate::run::{Accounts, RunState};
use crate::trigger::{self, CompareError, ComparedList, TriggerContext, Unseen};

/// The states of runs of which not all is known to be well.
const OPEN: [RunState; 4] = [RunState::Failed, RunState::Parked, RunState::Waiting, RunState::Running];
/// Records per question to the journal.
const AT_ONCE: usize = 512;

/// Why an audit ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A list cannot be read, or an event of it not be stored.
    #[error(transparent)]
    List(#[from] CompareError),
    /// The recipe has no account to read from.
    #[error(transparent)]
    Poller(#[from] trigger::Error),
}

/// Compares what the trigger of `recipe` shows with the recipe's events and runs, and adds what is not as it should be
/// to `findings`. Of what it read before an error, the findings stay.
pub async fn audit_source(
    recipe: &CheckedRecipe,
    options: &Options,
    context: &TriggerContext,
    findings: &mut Vec<Finding>,
) -> RecipeAudit {
    let mut audit = RecipeAudit { recipe: recipe.name().to_owned(), ..RecipeAudit::default() };
    let nothing = match recipe.trigger() {
        Trigger::Schedule(_) => Some("it starts at set times, so there is nothing to compare with"),
        Trigger::Manual(_) => Some("it is started by hand, so there is nothing to compare with"),
        Trigger::Poll(_) | Trigger::Webhook(_) => None,
    };
    match nothing {
        Some(nothing) => audit.notes.push(nothing.to_owned()),
        None => {
            let mut source = SourceAudit { recipe, options, context, audit: &mut audit, findings };
            if let Err(error) = source.run().await {
                audit.error = Some(error.to_string());
            }
        }
    }
    audit
}

struct SourceAudit<'a> {
    recipe: &'a CheckedRecipe,
    options: &'a Options,
    context: &'a TriggerContext,
    audit: &'a mut RecipeAudit,
    findings: &'a mut Vec<Finding>,
}

impl<'a> SourceAudit<'a> {
    async fn run(&mut self) -> Result<(), Error> {
        let journal = self.journal();
        let obstacles =
            Obstacles { paused: all_paused(journal).await?, held: journal.held_connections().await? };
        self.open_runs(&obstacles).await?;
        for accounts in self.recipe.accounts() {
            let lists = ComparedList::all(self.recipe, accounts, &self.context.services)?;
            if lists.is_empty() {
                self.note("no list shows what its sender has, so only what arrived was looked at".to_owned());
            }
            for list in &lists {
                self.list(list, accounts, &obstacles).await?;
            }
        }
        Ok(())
    }

    fn journal(&self) -> &'a dyn Journal {
        self.context.services.journal.as_ref()
    }

    fn note(&mut self, note: String) {
        if !self.audit.notes.contains(&note) {
            self.audit.notes.push(note);
        }
    }

    /// What arrived and did not get through.
    async fn open_runs(&mut self, obstacles: &Obstacles) -> Result<(), Error> {
        let mut records = BTreeSet::new();
        for state in OPEN {
            let filter = RunFilter {
                recipe: Some(self.recipe.name().to_owned()),
                state: Some(state),
                since: self.options.since,
                ..RunFilter::default()
            };
            for row in self.journal().runs(&filter).await? {
                match &row.record {
                    Some(record) => {
                        records.insert(record.clone());
                    }
                    None => self.findings.extend(finding(&row, &Accounts::default(), obstacles)),
                }
            }
        }
        let records: Vec<String> = records.into_iter().collect();
        for accounts in self.recipe.accounts() {
            for some in records.chunks(AT_ONCE) {
                let rows = self.journal().runs_about(self.recipe.name(), accounts, some).await?;
                let decisive = by_record(rows).into_values().filter_map(|rows| decisive(&rows).cloned());
                self.findings.extend(decisive.filter_map(|row| finding(&row, accounts, obstacles)));
            }
        }
        Ok(())
    }

    /// Since when the list is looked at; `None` if it cannot be.
    async fn since(&mut self, list: &ComparedList) -> Result<Option<Option<DateTime<Utc>>>, Error> {
        let (asked, place) = (self.options.since, format!("`{}` on {}", list.operation(), list.connection()));
        if list.has_cursor {
            if let Some(reason) = list.not_polled(&self.context.services).await? {
                self.note(format!("{place} {reason}"));
                return Ok(None);
            }
            if asked.is_some() && !list.has_times() {
                self.note(format!("the records of {place} have no times, so all were looked at"));
            }
            return Ok(Some(asked));
        }
        if !list.has_times() {
            self.note(format!("the records of {place} have no times, so only what arrived was looked at"));
            return Ok(None);
        }
        let first = self.journal().first_run(self.recipe.name()).await?;
        let Some(since) = asked.or(first) else {
            self.note("it has no run yet, so nothing tells since when it listens: --since does".to_owned());
            return Ok(None);
        };
        let since = match self.options.kept_since.filter(|kept| *kept > since) {
            Some(kept) => {
                self.note(format!("what changed before {} is unknown: the history ends there", time(kept)));
                kept
            }
            None => since,
        };
        Ok(Some(Some(since)))
    }

    async fn list(
        &mut self,
        list: &ComparedList,
        accounts: &Accounts,
        obstacles: &Obstacles,
    ) -> Result<(), Error> {
        let Some(since) = self.since(list).await? else { return Ok(()) };
        let mut comparison = list.open(self.context, since).await?;
        let mut audit = ListAudit {
            list: list.operation().to_owned(),
            connection: list.connection().to_owned(),
            since: comparison.since(),
            requests: 0,
            records: 0,
            runs: BTreeMap::new(),
        };
        let outcome = loop {
            let page = match comparison.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error.into()),
            };
            audit.records += page.records.len() as u64;
            let names: Vec<String> = page.records.into_iter().map(|(record, _)| record).collect();
            let rows = self.journal().runs_about(self.recipe.name(), accounts, &names).await?;
            let groups = by_record(rows);
            for name in &names {
                let state =
                    groups.get(name).and_then(|rows| rows.last()).map_or("none", |row| row.state.name());
                *audit.runs.entry(state).or_default() += 1;
            }
            self.unseen(page.unseen, list, accounts, obstacles).await?;
        };
        audit.requests = comparison.pages();
        self.audit.lists.push(audit);
        outcome
    }

    /// Judges changes of which there is no event, and makes the events.
    async fn unseen(
        &mut self,
        unseen: Vec<Unseen>,
        list: &ComparedList,
        accounts: &Accounts,
        obstacles: &Obstacles,
    ) -> Result<(), Error> {
        let services = &self.context.services;
        let mut open = still_unknown(unseen, list, self.context).await?;
        if open.is_empty() {
            return Ok(());
        }
        let mut cursor = list.cursor(services).await?;
        let recipe = self.recipe.name();
        let now = services.clock.now();
        let situation = Situation { recipe, accounts, list, cursor: cursor.as_ref(), obstacles, now };
        if let Some(certain) = open.iter().filter_map(|unseen| situation.certain_at(unseen)).max() {
            tokio::time::sleep((certain - now).to_std().unwrap_or_default()).await;
            open = still_unknown(open, list, self.context).await?;
            cursor = list.cursor(services).await?;
        }
        let now = services.clock.now();
        let situation = Situation { recipe, accounts, list, cursor: cursor.as_ref(), obstacles, now };
        for unseen in open {
            let mut finding = situation.finding(&unseen);
            if finding.what == What::Missed && self.options.mend {
                if !list.mend(&unseen, self.context).await? {
                    continue;
                }
                (finding.mended, finding.todo) = (true, String::new());
            }
            self.findings.push(finding);
        }
        Ok(())
    }
}

async fn still_unknown(
    unseen: Vec<Unseen>,
    list: &ComparedList,
    context: &TriggerContext,
) -> Result<Vec<Unseen>, Error> {
    let mut open = Vec::new();
    for one in unseen {
        if !list.is_known(&one, &context.services).await? {
            open.push(one);
        }
    }
    Ok(open)
}
