//! The command `hob test`.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, anyhow};
use clap::Args;
use futures::StreamExt;

use super::discovery::{Suites, TestSuite};
use super::report::{self, ResultFormat, Results, SuiteResult};
use super::watch;
use crate::cli::{ExitCode, Failure, Session, runtime};
use crate::recipe_test::{Case, CaseOutcome, CoveredRecipe, Runner, to_junit};
use crate::workspace::Workspace;

/// Run the tests beside recipes
#[derive(Debug, Args)]
#[command(after_help = "A test is an event, the answers of the APIs, and what the recipe should send: see \
docs/testing.md. Nothing is sent and nothing is stored. Exits with 1 if a test fails, a recipe or a test file has \
mistakes, or less is covered than --min.\n\n\
Examples:\n  hob test\n  hob test recipes/new-client.yaml\n  hob test --name 'without e-mail'\n  \
hob test --coverage --min 90\n  hob test --junit results.xml\n  \
hob test --format github    in a GitHub workflow: failures beside the lines of a pull request\n  hob test --watch")]
pub struct Test {
    /// Test files, recipes or folders, or names of recipes [default: all tests of the workspace]
    #[arg(value_name = "PATH|NAME")]
    paths: Vec<PathBuf>,
    /// Only tests with this text in their name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Show which steps and conditions of the recipes the tests reach
    #[arg(long)]
    coverage: bool,
    /// Fail if the tests reach less than so much of a recipe, in percent
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = clap::value_parser!(u8).range(0..=100))]
    min: Option<u8>,
    /// Also write the results to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run the tests again whenever a file changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Write for people, for scripts, or for code hosts
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ResultFormat,
}

impl Test {
    /// Runs the tests.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        if !self.watch {
            return self.round(session);
        }
        let root = session.workspace(&self.paths)?.root;
        runtime::block_on(watch::rounds(session, &root, |session| self.round(session)))?
    }

    /// Runs all tests once.
    fn round(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let begun = Instant::now();
        let workspace = session.workspace(&self.paths)?;
        session.remarks.clear();
        let suites = Suites::load(session, &self.paths, &workspace)?;
        if suites.suites.is_empty() && suites.broken.is_empty() {
            let reason =
                anyhow!("no tests here: a test file is called like its recipe, with .test.yaml at its end");
            return Err(Failure::usage(reason));
        }
        let files = self.perform(&workspace, &suites.suites)?;
        let whole = self.paths.is_empty() && self.name.is_none();
        let coverage = if self.coverage { coverage(&suites, &files, whole) } else { Vec::new() };
        let results =
            Results { broken: suites.broken, files, coverage, min: self.min, took: begun.elapsed() };
        if let Some(path) = &self.junit {
            let path = session.path(path);
            let tests: Vec<_> =
                results.files.iter().map(|suite| (suite.file.clone(), suite.cases.clone())).collect();
            std::fs::write(&path, to_junit(&tests))
                .with_context(|| format!("cannot write {}", path.display()))
                .map_err(Failure::unavailable)?;
        }
        report::print(&results, session, self.format)?;
        if results.count() == 0 && results.broken.is_empty() {
            return Err(Failure::usage(anyhow!("no test has this text in its name")));
        }
        Ok(if results.passed() { ExitCode::Fine } else { ExitCode::Problems })
    }

    /// Runs the chosen tests of `suites`, several at a time.
    fn perform(&self, workspace: &Workspace, suites: &[TestSuite]) -> Result<Vec<SuiteResult>, Failure> {
        let chosen = |case: &&Case| self.name.as_ref().is_none_or(|text| case.name.contains(text.as_str()));
        let tests: Vec<(usize, &Case)> = suites
            .iter()
            .enumerate()
            .flat_map(|(at, suite)| suite.tests.cases.iter().filter(chosen).map(move |case| (at, case)))
            .collect();
        // A test waits for its store more than half of its time.
        let at_once = std::thread::available_parallelism().map_or(1, NonZero::get) * 4;
        let outcomes = runtime::block_on(async {
            let runner = Arc::new(Runner::new(workspace).map_err(Failure::unavailable)?);
            let tasks = tests.iter().map(|(at, case)| {
                let (runner, case) = (Arc::clone(&runner), (*case).clone());
                let (recipe, folder) = (suites[*at].recipe.clone(), suites[*at].folder.clone());
                let at = *at;
                tokio::spawn(async move { (at, runner.run(&recipe, &case, &folder).await) })
            });
            let outcomes: Vec<_> = futures::stream::iter(tasks).buffered(at_once).collect().await;
            Ok::<_, Failure>(outcomes)
        })??;
        let mut files: Vec<SuiteResult> = suites
            .iter()
            .map(|suite| SuiteResult {
                file: suite.tests.file.clone(),
                recipe: suite.recipe.clone(),
                cases: Vec::new(),
            })
            .collect();
        for outcome in outcomes {
            let (at, outcome) = outcome.map_err(Failure::unavailable)?;
            files[at].cases.push(outcome.map_err(Failure::unavailable)?);
        }
        files.retain(|suite| !suite.cases.is_empty());
        Ok(files)
    }
}

/// What the tests reach of each recipe that has some; where the `whole` workspace is tested, of all recipes.
fn coverage(suites: &Suites, files: &[SuiteResult], whole: bool) -> Vec<CoveredRecipe> {
    let mut runs: BTreeMap<&str, Vec<&CaseOutcome>> = BTreeMap::new();
    for suite in files {
        runs.entry(suite.recipe.name()).or_default().extend(&suite.cases);
    }
    let covered = suites.recipes.iter().filter_map(|recipe| {
        let cases = runs.get(recipe.name());
        let cases = cases.or(whole.then_some(const { &Vec::new() }))?;
        Some(CoveredRecipe::new(recipe, cases.iter().map(|case| &case.coverage)))
    });
    covered.collect()
}
