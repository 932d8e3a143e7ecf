//! What a mutant does where the checker is silent: its recipe's own tests run it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hob::check::{CheckedRecipe, WorkspaceInfo};
use hob::recipe_test::{Case, CaseOutcome, Runner, SentRequest, parse};
use hob::run::RunState;
use hob::source::SourceFile;
use hob::workspace::Workspace;
use indexmap::IndexMap;
use serde_json::Value;

use crate::original::{CATALOG, Original};

const HOB_YAML: &str = "connections:\n  studio: { connector: highlevel, location: loc1, auth: { token: '${NOT_SET}' } }\n  fitr: { connector: fitr, base_url: 'http://127.0.0.1:9', auth: { header: { name: X-API-Key, value: '${NOT_SET}' } } }\n";

/// What a mutant does in the tests of its recipe.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// The same as the recipe.
    Same,
    /// Other requests, all of them well-formed, or another end: what the recipe should do is not the checker's to know.
    Other,
    /// A run fails that succeeds without the mistake.
    Fails(String),
    /// A request is wrong: the declared shape of the operation refuses it, or it lacks an input that it has without the
    /// mistake because the value that the recipe gives for it is null or empty.
    Wrong(String),
}

/// What became of a mutant in the tests.
pub struct Outcome {
    pub behaviour: Behaviour,
    /// Whether a test failed.
    pub killed: bool,
}

/// Runs recipes on the tests of the gallery.
pub struct TestBed {
    runner: Runner,
    folder: tempfile::TempDir,
}

/// The tests of a recipe, and what it does in them as it is.
pub struct Baseline {
    cases: Vec<Case>,
    outcomes: Vec<CaseOutcome>,
}

/// The connections of the workspace of the gallery.
pub fn workspace_info() -> WorkspaceInfo {
    let connection = |connector: &str, settings: &[&str]| hob::check::ConnectionInfo {
        connector: connector.to_owned(),
        settings: settings.iter().map(|name| (*name).to_owned()).collect(),
        version: None,
    };
    let connections = [("studio", connection("highlevel", &["location"])), ("fitr", connection("fitr", &[]))];
    let connections: IndexMap<_, _> =
        connections.into_iter().map(|(name, connection)| (name.to_owned(), connection)).collect();
    WorkspaceInfo { known: true, connections, ..WorkspaceInfo::default() }
}

impl TestBed {
    pub async fn new() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("hob.yaml"), HOB_YAML).unwrap();
        let workspace =
            Workspace::open(folder.path(), "hob.yaml", &BTreeMap::new()).unwrap().workspace.unwrap();
        let runner = Runner::new(&workspace).unwrap();
        Arc::new(Self { runner, folder })
    }

    /// Runs the tests of `original` on `recipe`, the recipe as it is.
    pub async fn baseline(&self, original: &Original, recipe: &CheckedRecipe) -> Baseline {
        let file =
            SourceFile::new(format!("{}.test.yaml", original.name), original.tests.as_deref().unwrap());
        let (tests, found) = parse(&file, &CATALOG);
        assert!(found.is_empty(), "{found:?}");
        let mut outcomes = Vec::new();
        for case in &tests.cases {
            let outcome = self.run(recipe, case).await;
            assert!(outcome.passed(), "{}: {}: {:?}", original.name, case.name, outcome.failures);
            outcomes.push(outcome);
        }
        Baseline { cases: tests.cases, outcomes }
    }

    /// What `mutant` does in these tests.
    pub async fn trial(&self, mutant: &CheckedRecipe, baseline: &Baseline) -> Outcome {
        let mut behaviour = Behaviour::Same;
        let mut killed = false;
        for (case, usual) in baseline.cases.iter().zip(&baseline.outcomes) {
            let outcome = self.run(mutant, case).await;
            killed |= !outcome.passed();
            behaviour = worse(behaviour, compare(mutant, usual, &outcome));
        }
        Outcome { behaviour, killed }
    }

    async fn run(&self, recipe: &CheckedRecipe, case: &Case) -> CaseOutcome {
        self.runner.run(recipe, case, Path::new(self.folder.path())).await.unwrap()
    }
}

fn worse(first: Behaviour, second: Behaviour) -> Behaviour {
    let rank = |behaviour: &Behaviour| match behaviour {
        Behaviour::Same => 0,
        Behaviour::Other => 1,
        Behaviour::Wrong(_) => 2,
        Behaviour::Fails(_) => 3,
    };
    if rank(&second) > rank(&first) { second } else { first }
}

fn compare(mutant: &CheckedRecipe, usual: &CaseOutcome, found: &CaseOutcome) -> Behaviour {
    let failed =
        |outcome: &CaseOutcome| matches!(outcome.state, Some(RunState::Failed | RunState::Parked) | None);
    if failed(found) && !failed(usual) {
        let reason = found.reason.clone();
        let reason = reason.or_else(|| Some(found.failures.first()?.message.clone()));
        return Behaviour::Fails(format!("{}: {}", usual.name, reason.unwrap_or_default()));
    }
    let wrong = found.sent.iter().enumerate().find_map(|(at, sent)| {
        let nth = found.sent[..at].iter().filter(|earlier| earlier.operation == sent.operation).count();
        let mut same = usual.sent.iter().filter(|usual| usual.operation == sent.operation);
        what_is_wrong(mutant, sent, same.nth(nth))
    });
    match wrong {
        Some(reason) => Behaviour::Wrong(format!("{}: {reason}", usual.name)),
        None if found.sent == usual.sent && found.state == usual.state && found.passed() => Behaviour::Same,
        None => Behaviour::Other,
    }
}

/// What is wrong with a request; `usual` is the one in its place without the mistake.
fn what_is_wrong(mutant: &CheckedRecipe, sent: &SentRequest, usual: Option<&SentRequest>) -> Option<String> {
    let operation = CATALOG.operation(&sent.operation)?;
    let none = Value::Null;
    for (name, value) in &sent.inputs {
        let Some(input) = operation.input(name) else { continue };
        let usual = usual.and_then(|usual| usual.inputs.get(name)).unwrap_or(&none);
        let problems = |value: &Value| {
            let all = input.shape.check(value, &|_| false);
            all.into_iter().filter(|problem| problem.is_certain()).map(|problem| problem.kind).next()
        };
        if let Some(problem) = problems(value)
            && problems(usual).is_none()
        {
            return Some(format!("`{}`: {name}: {value}: {problem:?}", sent.operation));
        }
        let text = value.to_string();
        if ["{{", "}}", "event.", "steps.", "vars."].iter().any(|part| text.contains(part)) {
            return Some(format!("`{}`: {name}: {value} is a template", sent.operation));
        }
    }
    let given = |name: &str| {
        let mut steps = mutant.all_actions().filter(|step| step.operation.id == sent.operation);
        steps.any(|step| step.with.get(name).is_some())
    };
    let is_empty = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        _ => false,
    };
    let lost = usual?
        .inputs
        .iter()
        .find(|(name, value)| !is_empty(Some(value)) && is_empty(sent.inputs.get(*name)) && given(name));
    lost.map(|(name, value)| format!("`{}`: {name} is missing, which was {value}", sent.operation))
}
