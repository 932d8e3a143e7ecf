//! `hob runs fixture`: makes a test of a recorded run.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Map, Value};

use super::run_selector::find;
use crate::check::CheckedRecipe;
use crate::cli::connected_accounts::ConnectedAccounts;
use crate::cli::recipes::{Recipes, hide_webhook_keys};
use crate::cli::store::open_existing;
use crate::cli::{ExitCode, Failure, Session, StoreChoice, runtime};
use crate::engine::RecipeVersions;
use crate::journal::{Access, RunDetail};
use crate::recipe_test::{CaseOutcome, Fixture, Runner, anonymize, parse, recorded_context};
use crate::run::MirroredToken;
use crate::source::SourceFile;
use crate::workspace::Workspace;

/// Make a test of a run: its event, the answers that it got, and what it did
#[derive(Debug, Args)]
#[command(
    after_help = "Prints a test file for `hob test`: see docs/testing.md. The test is tried at once with the recipe \
as it was and as it is now; how it differs is told. Secrets are left out. --anonymize also replaces e-mail addresses, names, \
phone numbers, addresses and dates of birth, everywhere the same by the same.\n\n\
Examples:\n  hob runs fixture run_0199d2c4\n  \
hob runs fixture run_0199d2c4 --anonymize --output recipes/new-client.test.yaml"
)]
pub struct MakeFixture {
    /// The run's id, or its beginning
    #[arg(value_name = "RUN")]
    id: String,
    /// Replace personal data by invented data
    #[arg(long)]
    anonymize: bool,
    /// Write the test to this file, which must not exist
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    store: StoreChoice,
}

/// A run, with its recipe as it was and, if it is another one, as it is now.
struct Recorded {
    detail: RunDetail,
    then: CheckedRecipe,
    now: Option<CheckedRecipe>,
}

impl MakeFixture {
    /// Prints or writes it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        hide_webhook_keys(session, &workspace)?;
        let recorded = self.recorded(session, &workspace)?;
        let tokens = recorded.detail.entries.iter().flat_map(|entry| &entry.tokens);
        session.streams.redactor.add_short_lived(tokens.map(MirroredToken::secret));
        let text = runtime::block_on(self.make(session, &workspace, &recorded))??;
        match &self.output {
            None => session.streams.print(&text)?,
            Some(path) => {
                write_new(&session.path(path), &text)?;
                session.streams.note(format!("wrote {}", path.display()));
            }
        }
        Ok(ExitCode::Fine)
    }

    fn recorded(&self, session: &mut Session, workspace: &Workspace) -> Result<Recorded, Failure> {
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(workspace))?;
        let (detail, stored) = runtime::block_on(async {
            let Some(journal) = open_existing(workspace, Access::Client).await? else {
                return Err(Failure::usage(anyhow!("no run `{}`: there is no history yet", self.id)));
            };
            let row = find(journal.as_ref(), &self.id).await?;
            let detail = journal.run(&row.id).await.map_err(Failure::unavailable)?;
            let detail = detail.ok_or_else(|| Failure::usage(anyhow!("run `{}` is gone", row.id)))?;
            let stored = match &detail.run.version {
                Some(version) => journal.recipe(&detail.run.recipe, version).await,
                None => Ok(None),
            };
            let stored = stored.map_err(Failure::unavailable)?;
            journal.close().await;
            Ok((detail, stored))
        })??;
        let current = recipes.sound.iter().find(|recipe| recipe.name() == detail.run.recipe).cloned();
        if let Some(current) = &current
            && detail.run.version.as_deref().is_none_or(|version| version == current.version())
        {
            return Ok(Recorded { detail, then: current.clone(), now: None });
        }
        let versions = RecipeVersions::default().with_checker(workspace.catalog.clone(), workspace.info());
        match stored.and_then(|stored| versions.read(&stored)) {
            Some(then) => Ok(Recorded { detail, then, now: current }),
            None => {
                let reason = anyhow!("the recipe of this run, as it was then, cannot be used any more");
                Err(Failure::usage(reason))
            }
        }
    }

    async fn make(
        &self,
        session: &mut Session,
        workspace: &Workspace,
        recorded: &Recorded,
    ) -> Result<String, Failure> {
        let Recorded { detail, then, now } = recorded;
        let runner = Runner::new(workspace).map_err(Failure::unavailable)?;
        let context = runner.run_context(detail).map_err(Failure::unavailable)?;
        let mut fixture = match workspace.is_sandbox() {
            false => Fixture::new(then, detail, &context).map_err(Failure::usage)?,
            true => {
                // The run has read the settings of the sandbox, and tests read those of hob.yaml.
                let sandbox = ConnectedAccounts::to_sandbox(workspace).await?;
                let accounts = &detail.run.accounts;
                let recorded = recorded_context(&sandbox.connections, &workspace.env_values(), accounts);
                let mut fixture = Fixture::new(then, detail, &recorded).map_err(Failure::usage)?;
                fixture.move_to(&recorded, &context);
                fixture
            }
        };
        for what in &fixture.unknown {
            session.streams.note(format!("note: {what}"));
        }
        hide_secrets(session, &mut fixture.test);
        let mut first = try_it(&runner, then, &fixture).await?;
        if !first.passed() && fixture.expect_times(&first.sent) {
            session
                .streams
                .note("note: times that are reckoned from the clock are expected as of the test's `now`");
            first = try_it(&runner, then, &fixture).await?;
        }
        for failure in &first.failures {
            session.streams.note(format!("warning: the test does not repeat the run: {}", failure.message));
        }
        if self.anonymize {
            if !first.passed() {
                let reason =
                    anyhow!("what does not repeat the run cannot be anonymized: try without --anonymize");
                return Err(Failure::usage(reason));
            }
            let count = anonymize(&mut fixture.test);
            session.streams.note(format!("replaced {count} texts"));
            // What is derived from a text is not found in place of it, so that what is sent is read off once more.
            let sent = try_it(&runner, then, &fixture).await?;
            fixture.expect_sent(&sent);
        }
        if let Some(now) = now {
            let outcome = try_it(&runner, now, &fixture).await?;
            for failure in &outcome.failures {
                let message = &failure.message;
                session.streams.note(format!("note: the recipe as it is now does otherwise: {message}"));
            }
        }
        text(&fixture, then)
    }
}

fn text(fixture: &Fixture, recipe: &CheckedRecipe) -> Result<String, Failure> {
    fixture.file(recipe.name()).context("cannot write the test").map_err(Failure::unavailable)
}

/// Runs the test.
async fn try_it(runner: &Runner, recipe: &CheckedRecipe, fixture: &Fixture) -> Result<CaseOutcome, Failure> {
    let file = SourceFile::new("fixture.test.yaml", text(fixture, recipe)?);
    let (tests, mistakes) = parse(&file, recipe.catalog());
    let Some(case) = tests.cases.first() else {
        let found: Vec<String> = mistakes.iter().map(|mistake| mistake.message.clone()).collect();
        return Err(Failure::usage(anyhow!("no test can be made of this run: {}", found.join("; "))));
    };
    runner.run(recipe, case, Path::new(".")).await.map_err(Failure::unavailable)
}

/// Redacts secrets; requests are not expected to have them.
fn hide_secrets(session: &mut Session, test: &mut Map<String, Value>) {
    let redacted = session.streams.redactor.value(&Value::Object(test.clone()));
    let Value::Object(mut redacted) = redacted else { return };
    let requests = |test: &mut Map<String, Value>| -> Vec<Value> {
        let requests = test.get_mut("expect").and_then(|expect| expect.get_mut("requests"));
        requests.and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default()
    };
    let (plain, mut hidden) = (requests(test), requests(&mut redacted));
    let mut left_out = Vec::new();
    for (plain, hidden) in plain.iter().zip(&mut hidden) {
        let Some(inputs) = hidden.get_mut("with").and_then(Value::as_object_mut) else { continue };
        inputs.retain(|name, value| {
            let is_plain = plain["with"].get(name) == Some(value);
            if !is_plain {
                left_out.push(name.clone());
            }
            is_plain
        });
    }
    redacted["expect"]["requests"] = hidden.into();
    *test = redacted;
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        session.streams.note(format!("note: not expected, because there are secrets in it: {names}"));
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write {}", path.display())).map_err(Failure::usage)
}
