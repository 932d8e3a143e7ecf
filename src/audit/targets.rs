//! Compares the records that recipes wrote to with what they wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::DateTime;
use serde::Serialize;

use super::finding::{Finding, What};
use super::options::Options;
use super::target_read::{NotRead, read};
use super::unseen::time;
use super::written_fields::{Differing, differing, is_written};
use crate::catalog::Operation;
use crate::check::CheckedRecipe;
use crate::connection::Connection;
use crate::journal::{Error, RunFilter, Written};
use crate::run::{Difference, Entry, RunState};
use crate::services::Services;
use crate::value::{Map, Value};

/// Most writes to a record that are looked at, and most runs about it.
const MAX_WRITES: usize = 200;

/// Records that recipes wrote to and that can be read.
#[derive(Debug, Default)]
pub struct Targets {
    records: Vec<Target>,
    /// How many are not read, by the reason.
    left_out: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Target {
    record: String,
    connection: Arc<Connection>,
    read: Arc<Operation>,
    id_input: String,
    written: Vec<Written>,
}

/// What was read of the records that recipes wrote to.
#[derive(Debug, Default, Serialize)]
pub struct TargetAudit {
    /// The number of records to read, each with one request.
    pub requests: usize,
    /// The number of records read.
    pub records: u64,
    /// The number of records that the catalog has no read for, by the reason.
    pub left_out: BTreeMap<String, u64>,
    /// The number of records that could not be read, by the reason.
    pub failed: BTreeMap<String, u64>,
}

impl Targets {
    /// The records that `recipes` wrote to, as far as the history knows, at most `limit` of each recipe, the last
    /// written ones.
    pub async fn find(
        recipes: &[CheckedRecipe],
        options: &Options,
        limit: Option<usize>,
        services: &Services,
    ) -> Result<Self, Error> {
        let mut targets = Self::default();
        let mut known = BTreeSet::new();
        let since = options.since.unwrap_or(DateTime::UNIX_EPOCH);
        for recipe in recipes {
            let limit = limit.unwrap_or(usize::MAX);
            for place in services.journal.written_records(recipe.name(), since, limit).await? {
                if known.insert(place.clone()) {
                    let (connection, record) = place;
                    targets.add(recipe, connection, record, services).await?;
                }
            }
        }
        Ok(targets)
    }

    async fn add(
        &mut self,
        recipe: &CheckedRecipe,
        connection: String,
        record: String,
        services: &Services,
    ) -> Result<(), Error> {
        let Some(account) = services.connections.get(&connection) else {
            let reason = format!("the connection `{connection}` is not in hob.yaml");
            *self.left_out.entry(reason).or_default() += 1;
            return Ok(());
        };
        let catalog = recipe.catalog();
        let written = services.journal.written(&record, Some(&connection), MAX_WRITES).await?;
        let reads = account.connector.records.values().filter_map(|kind| {
            let read = catalog.operation(&kind.read)?;
            Some((Arc::clone(read), account.connector.id_input(read)?.to_owned()))
        });
        let mut fitting = reads.filter(|(read, _)| is_written(&written, read, catalog));
        if let Some((read, id_input)) = fitting.next() {
            drop(fitting);
            self.records.push(Target { record, connection: Arc::clone(account), read, id_input, written });
        } else if let Some(written) = written.first() {
            let reason = format!("no read shows what `{}` wrote", written.write.operation);
            drop(fitting);
            *self.left_out.entry(reason).or_default() += 1;
        }
        Ok(())
    }

    /// The number of requests that reading them takes.
    pub fn requests(&self) -> usize {
        self.records.len()
    }

    /// What is known without reading them.
    pub fn unread(self) -> TargetAudit {
        let requests = self.records.len();
        TargetAudit { requests, left_out: self.left_out, ..TargetAudit::default() }
    }

    /// Reads and compares them; `on_read` is called after each. What was found before an error stays in `findings`.
    pub async fn compare(
        self,
        recipes: &[CheckedRecipe],
        services: &Services,
        on_read: &(dyn Fn() + Send + Sync),
        findings: &mut Vec<Finding>,
    ) -> Result<TargetAudit, Error> {
        let Self { records, left_out } = self;
        let mut audit = Self { records: vec![], left_out }.unread();
        audit.requests = records.len();
        let mut broken: BTreeMap<&str, String> = BTreeMap::new();
        let Some(catalog) = recipes.first().map(CheckedRecipe::catalog) else { return Ok(audit) };
        for target in &records {
            let name = target.connection.name.as_str();
            if let Some(reason) = broken.get(name) {
                *audit.failed.entry(reason.clone()).or_default() += 1;
                continue;
            }
            let inputs = Map::from_iter([(target.id_input.clone(), target.record.clone().into())]);
            let answer = read(&services.client, catalog, &target.read, &inputs, &target.connection).await;
            on_read();
            match answer {
                Err(NotRead { reason, is_refused }) => {
                    let reason = format!("`{}` on {name}: {reason}", target.read.id);
                    *audit.failed.entry(reason.clone()).or_default() += 1;
                    // The next one would wait as long for the same reason.
                    if !is_refused {
                        broken.insert(name, reason);
                    }
                    continue;
                }
                Ok(None) => findings.extend(target.gone()),
                Ok(Some(body)) => {
                    let all = differing(&target.written, &target.read, &target.id_input, &body, catalog);
                    for differing in all {
                        for differing in target.with_history(differing, services).await? {
                            findings.extend(target.finding(differing));
                        }
                    }
                }
            }
            audit.records += 1;
        }
        Ok(audit)
    }
}

impl Target {
    fn gone(&self) -> Option<Finding> {
        let written = self.written.first()?;
        let why = format!("`{}` does not find it on {}", self.read.id, self.connection.name);
        let todo = "restore it there, or remove what refers to it".to_owned();
        Some(self.about(written, What::Gone, why, todo, Vec::new()))
    }

    fn finding(&self, differing: Differing<'_>) -> Option<Finding> {
        let Differing { written, not_kept, fields } = differing;
        let first = fields.first()?;
        let more = match fields.len() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        let (what, since, todo) = match not_kept {
            true => {
                (What::NotKept, "already in the answer to the write", "write it in a form that the API keeps")
            }
            false => {
                (What::Changed, "changed there since", "correct it there, or change its source once more")
            }
        };
        let why = format!("{first}{more}; {since}, {}", time(written.at));
        Some(self.about(written, what, why, todo.to_owned(), fields))
    }

    fn about(
        &self,
        written: &Written,
        what: What,
        why: String,
        todo: String,
        fields: Vec<Difference>,
    ) -> Finding {
        Finding {
            record: Some(self.record.clone()),
            recipe: written.recipe.clone(),
            what,
            since: Some(written.at),
            why,
            run: Some(written.run.clone()),
            todo,
            fields,
            mended: false,
        }
    }

    /// What the history knows of the fields: which were not kept when they were written, and which have changes that
    /// hob has heard of.
    async fn with_history<'a>(
        &self,
        mut differing: Differing<'a>,
        services: &Services,
    ) -> Result<Vec<Differing<'a>>, Error> {
        if differing.not_kept {
            return Ok(vec![differing]);
        }
        let written = differing.written;
        let detail = services.journal.run(&written.run).await?;
        let told: Vec<Difference> = detail
            .into_iter()
            .flat_map(|detail| detail.entries)
            .filter_map(|stamped| match stamped.entry {
                Entry::NotKept { fields, .. } => Some(fields),
                _ => None,
            })
            .flatten()
            .collect();
        let is_told =
            |field: &Difference| told.iter().any(|told| told.field == field.field && told.got == field.got);
        let (not_kept, changed) = std::mem::take(&mut differing.fields).into_iter().partition(is_told);
        differing.fields = changed;
        self.leave_out_known(&mut differing, services).await?;
        Ok(vec![Differing { written, not_kept: true, fields: not_kept }, differing])
    }

    /// Leaves out fields whose change hob has heard of: a recipe had an event about the record since.
    async fn leave_out_known(&self, differing: &mut Differing<'_>, services: &Services) -> Result<(), Error> {
        let filter = RunFilter {
            record: Some(self.record.clone()),
            since: Some(differing.written.at),
            limit: Some(MAX_WRITES),
            ..RunFilter::default()
        };
        for row in services.journal.runs(&filter).await? {
            if !matches!(row.state, RunState::Succeeded | RunState::Filtered | RunState::Skipped) {
                continue;
            }
            let Some(detail) = services.journal.run(&row.id).await? else { continue };
            if detail.event.connection.as_ref().is_some_and(|name| *name != self.connection.name) {
                continue;
            }
            differing.fields.retain(|field| !shows(&detail.event.payload, field));
        }
        Ok(())
    }
}

/// Whether an event shows the field as it is now; also if it does not show the field at all.
fn shows(payload: &Value, difference: &Difference) -> bool {
    let name = difference.field.split(['.', '[']).next().unwrap_or_default();
    let records =
        payload.as_object().into_iter().flat_map(|fields| fields.values().filter(|value| value.is_object()));
    let mut shown = std::iter::once(payload).chain(records).filter_map(|record| record.get(name));
    shown.next().is_none_or(|shown| *shown == difference.got || name != difference.field)
}
