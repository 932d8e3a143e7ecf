//! `hob audit`: tells which records hob missed and which did not get through, and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;

use super::backfill::{on_page, progress_bar};
use super::connected_accounts::ConnectedAccounts;
use super::recipes::{Recipes, unset_variables};
use super::runs::Since;
use super::runtime::StopSignal;
use super::table::table;
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime, store};
use crate::audit::{Finding, Options, RecipeAudit, Report, TargetAudit, Targets, What, audit_source};
use crate::check::CheckedRecipe;
use crate::clock::Clock;
use crate::engine::{self, JournalLimits};
use crate::journal::Access;
use crate::services::Services;
use crate::trigger::{Claims, TriggerContext};
use crate::workspace::Workspace;

/// The error of an audit that a person stopped.
const STOPPED: &str = "stopped";

/// Tell which records hob missed and which did not get through, and why
#[derive(Debug, Args)]
#[command(
    after_help = "Reads the lists that recipes poll, and for webhooks the lists that show the same records, and compares \
them with the history. It stores nothing and runs nothing, so it can be used at any time, also while hob runs. WHAT is\n\n\
missed       made or changed, and hob has no event of it; --mend makes the event\n\
failed       its last run failed\n\
parked       its run waits for a person\n\
paused       the recipe is paused\n\
held         the credential of a connection is refused\n\
not kept     with --targets: fields that a recipe wrote and the API did not keep\n\
changed      with --targets: fields that a recipe wrote and others changed since\n\
gone         with --targets: a record that a recipe wrote to and that does not exist any more\n\
unclear      changed, and the list does not show whether the recipe should know; no difference\n\
on its way   its poll is not due yet, or its run is under way; no difference\n\n\
What `when` filtered, what was dropped as an echo of hob's own write, what a person skipped and what was there before \
the recipe began is no difference. Exits with 1 if there are differences that are not mended.\n\n\
Examples:\n  hob audit\n  hob audit clients-to-contacts --since 24h\n  hob audit --since 24h --mend\n  \
hob audit --since 24h --targets --dry-run\n  \
hob audit --format json"
)]
pub struct Audit {
    /// The recipes' names [default: all recipes of the workspace]
    #[arg(value_name = "RECIPE")]
    recipes: Vec<String>,
    /// Only what was made or changed since then: an age such as 24h, a date, or a time
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Make the events that are missing
    #[arg(long)]
    mend: bool,
    /// Also read the records that recipes wrote to, each with a request, and compare them with what was written
    #[arg(long)]
    targets: bool,
    /// With --targets: only count the requests that it takes
    #[arg(long, requires = "targets", conflicts_with = "mend")]
    dry_run: bool,
    /// With --targets: at most this many records of each recipe, the last written ones
    #[arg(long, value_name = "NUMBER", requires = "targets")]
    limit: Option<usize>,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

/// The report as JSON. Scripts rely on these fields.
#[derive(Debug, Serialize)]
struct Page<'a> {
    since: Option<DateTime<Utc>>,
    /// The number of differences that are not mended.
    differences: usize,
    /// The number of events made.
    mended: usize,
    #[serde(flatten)]
    report: &'a Report,
}

impl Audit {
    /// Reads, compares and prints.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let loaded = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
        let recipes = self.select(&loaded, &workspace, session)?;
        let now = Clock::system().now();
        let history = workspace.history;
        let kept =
            history.keep.and_then(|keep| now.checked_sub_signed(chrono::TimeDelta::from_std(keep).ok()?));
        let options =
            Options { since: self.since.map(|since| since.before(now)), kept_since: kept, mend: self.mend };
        let bar = progress_bar(session.streams.errors_is_terminal);
        let report = runtime::block_on(self.read(session, &workspace, &recipes, &options, &bar))??;
        let mended = report.findings.iter().filter(|finding| finding.mended).count();
        let differences = report.open();
        match self.output.format {
            Format::Json => {
                session.streams.json(&Page { since: options.since, differences, mended, report: &report })?;
            }
            Format::Text if self.dry_run => {
                let requests = report.targets.as_ref().map_or(0, |targets| targets.requests);
                session.streams.say(format!("{requests} records would be read, each with one request"))?;
            }
            Format::Text => session.streams.print(&text(&report))?,
        }
        for audit in &report.recipes {
            if let Some(error) = &audit.error {
                session.streams.note(format!("error: {}: {error}", audit.recipe));
            }
        }
        if mended > 0 {
            session.streams.note("a running `hob run` does the new runs now, otherwise the next one does");
        }
        Ok(match (report.is_incomplete(), differences) {
            (true, _) => ExitCode::Unavailable,
            (false, 0) => ExitCode::Fine,
            (false, _) => ExitCode::Problems,
        })
    }

    fn select(
        &self,
        loaded: &Recipes,
        workspace: &Workspace,
        session: &mut Session,
    ) -> Result<Vec<CheckedRecipe>, Failure> {
        let mut recipes = loaded.sound.clone();
        if !self.recipes.is_empty() {
            recipes.clear();
            for name in &self.recipes {
                // A sync is audited by the recipes that it stands for.
                recipes.extend(loaded.find_all(name, session)?);
            }
        }
        for broken in loaded.broken.iter().filter(|_| self.recipes.is_empty()) {
            session.streams.note(format!("left out: {broken}"));
        }
        if self.store.sandbox {
            return Ok(recipes);
        }
        let (usable, unset): (Vec<_>, Vec<_>) =
            recipes.into_iter().partition(|recipe| unset_variables(recipe, workspace).is_none());
        for recipe in &unset {
            let reason = unset_variables(recipe, workspace).unwrap_or_default();
            session.streams.note(format!("left out: {}: {reason}", recipe.name()));
        }
        match usable.is_empty() && !unset.is_empty() {
            true => {
                Err(Failure::problem(anyhow!("no recipe can be read; set the variables, or use --sandbox")))
            }
            false => Ok(usable),
        }
    }

    async fn read(
        &self,
        session: &mut Session,
        workspace: &Workspace,
        recipes: &[CheckedRecipe],
        options: &Options,
        bar: &ProgressBar,
    ) -> Result<Report, Failure> {
        let connected = match self.store.sandbox {
            true => ConnectedAccounts::to_sandbox(workspace).await?,
            false => ConnectedAccounts::to_apis(session, workspace)?,
        };
        let Some(journal) = store::open_present(workspace, Access::Client).await? else {
            return Err(Failure::usage(anyhow!(
                "there is no history yet, so there is nothing to compare with"
            )));
        };
        connected.share_limits((!self.store.sandbox).then(|| JournalLimits::shared(&journal)));
        let settings = engine::Options::default();
        let context = TriggerContext {
            services: connected.services(session, workspace, Arc::clone(&journal)),
            claims: Claims::new(settings.owner, settings.lease),
            on_page: on_page(bar),
        };
        let mut report = Report::default();
        let mut stop = Box::pin(StopSignal::listen()?.requested());
        for recipe in recipes.iter().filter(|_| !self.dry_run) {
            bar.set_message(recipe.name().to_owned());
            let audited = tokio::select! {
                audited = audit_source(recipe, options, &context, &mut report.findings) => audited,
                () = &mut stop => RecipeAudit {
                    recipe: recipe.name().to_owned(),
                    error: Some(STOPPED.to_owned()),
                    ..RecipeAudit::default()
                },
            };
            let stopped = audited.error.as_deref() == Some(STOPPED);
            report.recipes.push(audited);
            if stopped {
                break;
            }
        }
        let stopped = report.recipes.iter().any(|audit| audit.error.as_deref() == Some(STOPPED));
        if self.targets && !stopped {
            let (services, findings) = (&context.services, &mut report.findings);
            let reading = self.read_targets(session, recipes, options, services, bar, findings);
            let read = tokio::select! {
                read = reading => read,
                () = &mut stop => Err(Failure::unavailable(anyhow!("stopped"))),
            };
            report.targets = Some(read?);
        }
        bar.finish_and_clear();
        connected.finish_token_requests().await;
        connected.save_counters().await;
        journal.close().await;
        report.findings.sort_by(|one, other| (one.what, &one.recipe).cmp(&(other.what, &other.recipe)));
        Ok(report)
    }
}

impl Audit {
    /// Reads what recipes wrote to, or only tells how many requests that takes.
    async fn read_targets(
        &self,
        session: &mut Session,
        recipes: &[CheckedRecipe],
        options: &Options,
        services: &Services,
        bar: &ProgressBar,
        findings: &mut Vec<Finding>,
    ) -> Result<TargetAudit, Failure> {
        let targets =
            Targets::find(recipes, options, self.limit, services).await.map_err(Failure::unavailable)?;
        if self.dry_run {
            return Ok(targets.unread());
        }
        let requests = targets.requests();
        session.streams.note(format!("reads {requests} records, each with one request"));
        bar.reset();
        bar.set_length(requests as u64);
        targets.compare(recipes, services, &|| bar.inc(1), findings).await.map_err(Failure::unavailable)
    }
}

/// The report for people: what was looked at, counts, and a table of what is not as it should be.
fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    for audit in &report.recipes {
        for list in &audit.lists {
            let states: Vec<String> =
                list.runs.iter().map(|(state, count)| format!("{count} {}", state_name(state))).collect();
            let since = list.since.map(|since| format!(" since {}", time(since))).unwrap_or_default();
            let runs = if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) };
            let records = if list.records == 1 { "record" } else { "records" };
            lines.push(format!(
                "{}: {} on {}, {} {records}{since}{runs}",
                audit.recipe, list.list, list.connection, list.records
            ));
        }
        lines.extend(audit.notes.iter().map(|note| format!("{}: {note}", audit.recipe)));
    }
    if let Some(targets) = &report.targets {
        lines.push(format!("records written to: {} read", targets.records));
        let not_read = targets.left_out.iter().chain(&targets.failed);
        lines.extend(not_read.map(|(reason, count)| format!("{count} not read: {reason}")));
    }
    let mut counts: BTreeMap<(What, bool), usize> = BTreeMap::new();
    for finding in &report.findings {
        *counts.entry((finding.what, finding.mended)).or_default() += 1;
    }
    let counted = |(&(what, mended), count): (&(What, bool), &usize)| match mended {
        true => format!("{count} mended"),
        false => format!("{count} {what}"),
    };
    let all: Vec<String> = counts.iter().map(counted).collect();
    lines.push(match (all.is_empty(), report.is_incomplete()) {
        (false, _) => all.join(", "),
        (true, false) => "no differences".to_owned(),
        (true, true) => "not everything could be read; no differences in what was".to_owned(),
    });
    if !report.findings.is_empty() {
        let header = ["RECORD", "RECIPE", "WHAT", "SINCE", "RUN", "WHY", "WHAT TO DO"];
        lines.push(table(&header, report.findings.iter().map(row)));
    }
    lines.join("\n") + "\n"
}

fn row(finding: &Finding) -> Vec<String> {
    vec![
        finding.record.clone().unwrap_or_else(|| "-".to_owned()),
        finding.recipe.clone(),
        if finding.mended { "mended".to_owned() } else { finding.what.to_string() },
        finding.since.map_or_else(|| "-".to_owned(), time),
        finding.run.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        finding.why.clone(),
        finding.todo.clone(),
    ]
}

fn state_name(state: &str) -> &str {
    if state == "none" { "without a run" } else { state }
}

fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
