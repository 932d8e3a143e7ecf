//! `hob find`: what happened to a customer or a record.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::recipes::hide_webhook_keys;
use super::store::open_existing;
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime};
use crate::catalog::Catalog;
use crate::journal::{Access, Error, Journal};
use crate::overview::{FieldChange, Identifiers, Moment, Timeline, What, WrittenField, time, timeline};
use crate::printable;

/// Most characters of a line.
const MAX_LENGTH: usize = 600;
/// Most characters of a value.
const MAX_VALUE: usize = 120;
/// How long the command indexes what is not indexed yet.
const INDEXING: Duration = Duration::from_secs(3);
/// Events and writes that are indexed at a time.
const PAGE: usize = 1000;

/// Tell what happened to a customer or a record: events, runs and writes, across recipes and apps
#[derive(Debug, Args)]
#[command(
    after_help = "TEXT is an e-mail address, a phone number or another value of a field by which an app finds records; the id of \
a record; or a run's id or its beginning. What follows from the events found, and what else concerns their records and the records \
linked to them, is told as well, the newest last. A write shows what hob had written to the field before, where it had.\n\n\
Values are found in an index of hashes, which a running hob fills within seconds, and this command before it answers; it says from \
when on events are not indexed yet. `hob runs list --text` finds any text, and reads every history for it.\n\n\
Examples:\n  hob find jane@example.com\n  hob find '+44 20 7946 0018'\n  hob find ocQHyuzHvysMo5N5VsXc --format json\n  \
hob find 0199d2c4"
)]
pub struct Find {
    /// An e-mail address, a phone number, the id of a record or of a run
    #[arg(value_name = "TEXT")]
    text: String,
    /// Show at most this many, the newest; 0 shows all
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

/// What is found. Scripts rely on these fields.
#[derive(Debug, Default, Serialize)]
struct Page {
    #[serde(flatten)]
    timeline: Timeline,
    /// From when on events are not indexed yet: they are found by record and run only.
    not_indexed_since: Option<DateTime<Utc>>,
}

impl Find {
    /// Prints it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        hide_webhook_keys(session, &workspace)?;
        let page = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Client).await? else {
                return Ok(Page::default());
            };
            let page = self.page(journal.as_ref(), &workspace.catalog).await.map_err(Failure::unavailable);
            journal.close().await;
            page
        })??;
        match self.output.format {
            Format::Json => session.streams.json(&page)?,
            Format::Text => {
                let lines: Vec<String> = page.timeline.moments.iter().flat_map(lines).collect();
                lines.iter().try_for_each(|line| session.streams.say(line))?;
                self.notes(session, &page);
            }
        }
        Ok(ExitCode::Fine)
    }

    async fn page(&self, journal: &dyn Journal, catalog: &Catalog) -> Result<Page, Error> {
        let (begun, identifiers) = (Instant::now(), Identifiers::of(catalog));
        let mut more = true;
        while more && begun.elapsed() < INDEXING {
            more = identifiers.index_some(journal, PAGE).await?;
        }
        let not_indexed_since = if more { journal.unindexed(1).await?.since } else { None };
        let limit = if self.limit == 0 { usize::MAX } else { self.limit };
        let timeline = timeline(journal, catalog, &self.text, limit).await?;
        Ok(Page { timeline, not_indexed_since })
    }

    fn notes(&self, session: &mut Session, page: &Page) {
        if page.timeline.moments.is_empty() {
            session.streams.note(format!(
                "nothing is known of `{}`; `hob runs list --text` looks for a text within all histories",
                self.text
            ));
        }
        if page.timeline.more {
            session.streams.note("there may be more; --limit shows more");
        }
        if let Some(since) = page.not_indexed_since {
            session.streams.note(format!(
                "events since {} are not indexed yet: `hob run` goes on with it, and so does this command when it is \
                 given again",
                time(since)
            ));
        }
    }
}

fn lines(moment: &Moment) -> Vec<String> {
    let at = time(moment.at);
    let line = |what: String| printable::line(&format!("{at}  {what}"), MAX_LENGTH);
    match &moment.what {
        What::Event { event, kind, source, connection, record } => {
            let about = record.as_ref().map(|record| format!(" of {record}")).unwrap_or_default();
            let through = connection.as_ref().map(|name| format!(" through {name}")).unwrap_or_default();
            vec![line(format!("event  {kind}{about}, {source}{through}  {event}"))]
        }
        What::Run { run, recipe, state, error, .. } => {
            let why = error.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
            let why = if why.is_empty() { why } else { format!(": {why}") };
            vec![line(format!("run    {recipe} {state}{why}  {run}"))]
        }
        What::Write { recipe, connection, operation, record, fields, .. } => {
            let mut all = vec![line(format!("write  {recipe} {operation} on {connection} to {record}"))];
            all.extend(fields.iter().map(|field| printable::line(&field_line(field), MAX_LENGTH)));
            all
        }
    }
}

fn field_line(field: &WrittenField) -> String {
    let shown = |value: &Value| printable::line(&value.to_string(), MAX_VALUE);
    let before = match (field.change, &field.before) {
        (FieldChange::Set, Some(before)) => format!("{} → ", shown(before)),
        (FieldChange::Set, None) => String::new(),
        (FieldChange::Added, _) => "added ".to_owned(),
        (FieldChange::Removed, _) => "removed ".to_owned(),
    };
    format!("{:>29}  {}: {before}{}", "", field.field, shown(&field.after))
}
