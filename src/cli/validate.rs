//! `hob validate`: every mistake in hob.yaml and recipes, with its place.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::alerts;
use super::fixes::Fixes;
use super::recipes::Recipes;
use super::test::check_tests;
use super::{ExitCode, Failure, Session, schema};
use crate::catalog::{Catalog, Listing, Operation, QuietPoll, Wanted};
use crate::diagnostic::{Report, Severity, render, to_github, to_json, to_sarif};
use crate::recipe::{Poll, Trigger};
use crate::trigger::detect::{changes, wanted};
use crate::value::Value;
use crate::workspace::{self, Workspace, is_test_file};

/// Check hob.yaml, recipes and their tests, and show every mistake with its place
#[derive(Debug, Args)]
#[command(after_help = "Exits with 1 if there are errors; warnings do not count.\n\n\
Examples:\n  hob validate\n  hob validate recipes/new-client.yaml\n  cat recipe.yaml | hob validate -\n  \
hob validate --format github    in a GitHub workflow: mistakes beside the lines of a pull request\n  \
hob validate --fix              mend what can only have been meant one way")]
pub struct Validate {
    /// Files of recipes or tests, or folders; - is standard input [default: the workspace]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write for people, for scripts, or for code hosts
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
    /// Mend in the files what can only have been meant one way, and show what is left
    #[arg(long)]
    fix: bool,
    /// Show what --fix would change, and change nothing
    #[arg(long, conflicts_with = "format")]
    diff: bool,
}

/// The format of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people.
    #[default]
    Text,
    /// An array of rows.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitHub's workflow commands.
    Github,
}

impl Validate {
    /// Prints what is wrong.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        if self.fix || self.diff {
            let fixes = self.fixes(session)?;
            let (made, files) = (some(fixes.made(), "mistake"), some(fixes.files(), "file"));
            if self.diff {
                session.streams.show(fixes.diff().trim_end())?;
                session.streams.note(format!("`--fix` would mend {made} in {files}"));
                let is_changed = fixes.made() > 0;
                return Ok(if is_changed { ExitCode::Problems } else { ExitCode::Fine });
            }
            fixes.write(session)?;
            session.streams.note(format!("mended {made} in {files}"));
        }
        let Checked { reports, whole_lists } = self.check(session)?;
        match self.format {
            ReportFormat::Text => {
                let colour = session.colour();
                for report in reports.iter().filter(|report| !report.diagnostics.is_empty()) {
                    session.streams.show_coloured(&format!(
                        "{}
",
                        render(&report.file, &report.diagnostics, colour)
                    ))?;
                }
            }
            ReportFormat::Json => session.streams.json(&to_json(&reports))?,
            ReportFormat::Sarif => session.streams.json(&to_sarif(&reports))?,
            ReportFormat::Github => session.streams.print(&to_github(&reports))?,
        }
        whole_lists.iter().for_each(|told| session.streams.note(told));
        session.streams.note(summary(&reports));
        let fixable = reports.iter().flat_map(Report::safe_fixes).count();
        if fixable > 0 && !self.fix {
            session.streams.note(format!("`hob validate --fix` mends {fixable} of them"));
        }
        let failed = reports.iter().any(Report::has_errors);
        Ok(if failed { ExitCode::Problems } else { ExitCode::Fine })
    }

    /// The fixes that need no asking, made in memory.
    fn fixes(&self, session: &mut Session) -> Result<Fixes, Failure> {
        if self.paths.iter().any(|path| path.as_os_str() == "-") {
            return Err(Failure::usage(anyhow!("standard input cannot be mended; name a file")));
        }
        Fixes::make(session, |session| Ok(self.check(session)?.reports))
    }

    fn check(&self, session: &mut Session) -> Result<Checked, Failure> {
        let Some(root) = session.root(&self.paths)? else {
            if self.paths.is_empty() {
                let reason =
                    "no hob.yaml here or in a folder above, and no PATH given; `hob init` makes a workspace";
                return Err(Failure::usage(anyhow!(reason)));
            }
            let catalog = Arc::new(Catalog::built_in());
            let recipes = load(session, &self.paths, &catalog, None)?;
            let whole_lists = whole_lists(&recipes);
            let mut reports = recipes.reports;
            reports.extend(check_tests(session, &self.paths, &catalog, None)?);
            reports.iter_mut().for_each(Report::locate_fixes);
            return Ok(Checked { whole_lists, reports });
        };
        let opened = match session.open(&root) {
            Ok(opened) => opened,
            Err(failure) => return Ok(Checked { reports: mistakes_of(failure)?, whole_lists: vec![] }),
        };
        // With a broken hob.yaml, the connections are unknown.
        let catalog = match &opened.workspace {
            Some(workspace) => Arc::clone(&workspace.catalog),
            None => session.catalog()?,
        };
        schema::refresh(&root, &catalog);
        let sandbox =
            workspace::sandbox_scripts(&root).err().map(|error| Failure::workspace(session.as_shown(error)));
        let paths = if self.paths.is_empty() { vec![root] } else { self.paths.clone() };
        let mut recipes = load(session, &paths, &catalog, opened.workspace.as_ref())?;
        if let Some(workspace) = &opened.workspace {
            recipes.warn_of_unusable_keys(workspace);
        }
        let whole_lists = whole_lists(&recipes);
        let mut report = opened.report;
        if let Some(workspace) = opened.workspace.as_ref().filter(|_| self.paths.is_empty()) {
            report.diagnostics.extend(alerts::unknown_recipes(workspace, &recipes));
            report.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        }
        let mut reports = vec![report];
        let odd = |report: &Report| report.file.name().ends_with(".env") && !report.diagnostics.is_empty();
        reports.extend(opened.remarks.into_iter().filter(odd));
        reports.extend(recipes.reports);
        reports.extend(check_tests(session, &paths, &catalog, opened.workspace.as_ref())?);
        reports.extend(sandbox.map(mistakes_of).transpose()?.into_iter().flatten());
        reports.iter_mut().for_each(Report::locate_fixes);
        Ok(Checked { reports, whole_lists })
    }
}

/// The recipes at `paths`, of which some may be files of tests.
fn load(
    session: &mut Session,
    paths: &[PathBuf],
    catalog: &Arc<Catalog>,
    workspace: Option<&Workspace>,
) -> Result<Recipes, Failure> {
    let recipes: Vec<PathBuf> = paths.iter().filter(|path| !is_test_file(path)).cloned().collect();
    match recipes.is_empty() {
        true => Ok(Recipes::default()),
        false => Recipes::load(session, &recipes, catalog, workspace),
    }
}

/// The findings.
struct Checked {
    reports: Vec<Report>,
    /// The cost of polls that read whole lists, for people.
    whole_lists: Vec<String>,
}

/// A line for each valid recipe that reads a whole list with each poll.
fn whole_lists(recipes: &Recipes) -> Vec<String> {
    let told = recipes.sound.iter().filter_map(|recipe| {
        let Trigger::Poll(poll) = recipe.trigger() else { return None };
        let listing = recipe.poller()?.list.as_ref()?;
        if let Some(parents) = recipe.parents() {
            return Some(per_parent(recipe.name(), poll, listing, parents));
        }
        let quiet = listing.quiet_poll(wanted(&poll.emit), &poll.with.to_value());
        let QuietPoll::WholeList { .. } = quiet else { return None };
        let (name, operation) = (recipe.name(), poll.operation.as_str());
        Some(format!("{name}: each poll of `{operation}` reads the whole list: {}", quiet.words()))
    });
    told.collect()
}

/// What a poll costs that reads a list for each parent.
fn per_parent(name: &str, poll: &Poll, items: &Listing, parents: &Operation) -> String {
    let (operation, over) = (&poll.operation, &parents.id);
    if items.per_parent.is_told_by(over, &changes(&poll.emit)) {
        return format!(
            "{name}: each poll of `{operation}` reads it for the records of `{over}` that changed, and once a day for all \
             of them"
        );
    }
    let all = Wanted { only_new: false, removed: true };
    let cost = |listing: &Listing| listing.quiet_poll(all, &Value::Null).words();
    let list = parents.list.as_ref().map(cost).unwrap_or_default();
    format!(
        "{name}: each poll of `{operation}` reads it for each record of `{over}`, because nothing tells which of them \
         changed: to list them, {list}; and for each of them, {}",
        cost(items)
    )
}

/// The reports about invalid connectors, without which nothing else can be checked.
fn mistakes_of(failure: Failure) -> Result<Vec<Report>, Failure> {
    match failure.reason.as_ref().and_then(|reason| reason.downcast_ref()) {
        Some(workspace::Error::Connectors(reports)) => Ok(reports.clone()),
        _ => Err(failure),
    }
}

/// `1 file`, `2 files`
fn some(count: usize, name: &str) -> String {
    match count {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

/// `3 files, 2 errors, 1 warning`
fn summary(reports: &[Report]) -> String {
    let count = |severity| {
        let all = reports.iter().flat_map(|report| &report.diagnostics);
        all.filter(|diagnostic| diagnostic.code.severity() == severity).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut text = format!("{}, {}", some(reports.len(), "file"), some(errors, "error"));
    if warnings > 0 {
        text.push_str(&format!(", {}", some(warnings, "warning")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Diagnostic};
    use crate::source::{SourceFile, Span};

    #[test]
    fn counts_in_words() {
        let complaint = |code| Diagnostic::new(code, Span::default(), "x");
        let report = |diagnostics| Report { file: SourceFile::new("a", ""), diagnostics };
        assert_eq!(summary(&[report(vec![])]), "1 file, 0 errors");
        let reports = [report(vec![complaint(Code::Syntax), complaint(Code::Deprecated)]), report(vec![])];
        assert_eq!(summary(&reports), "2 files, 1 error, 1 warning");
    }
}
