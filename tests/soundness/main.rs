//! Whether `validate` is sound: recipes are generated at random from the catalog, and those that it passes run in the
//! sandbox on random events of the declared shape. A run must not end with an undefined value, an error of type in a
//! template, or a request that the declared shape of its operation refuses.
//!
//! The generator knows the grammar of recipes and templates, and writes values mostly of the right sort; it is told
//! nothing of the checker's rules, so that many of its recipes are refused. These do not count.
//!
//! `HOB_SOUNDNESS=10000 HOB_SOUNDNESS_SEED=7 cargo test --test soundness -- --nocapture` runs so many that pass, at
//! another seed than usual.

mod expression;
mod grammar;
mod inputs;
mod minimise;
mod random;
mod recipe;
mod settings;
mod test_bed;
mod trigger;
mod values;
mod variety;
mod verdict;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use hob::check::{CheckedRecipe, WorkspaceInfo, check};
use hob::diagnostic::Code;
use hob::source::SourceFile;
use random::Random;
use recipe::Case;
use test_bed::{CATALOG, TestBed, workspace_info};
use variety::Variety;
use verdict::{Problem, problems};

/// Recipes that are generated before their number is looked at.
const BATCH: u64 = 128;
/// Batches that are worked on at once.
const WORKERS: u64 = 2;
/// Failures of a kind that are shown.
const SHOWN: usize = 2;
/// Warnings that are not about values: recipes with them pass.
const STYLE: [Code; 9] = [
    Code::UnusedVariable,
    Code::Deprecated,
    Code::ReplacesAll,
    Code::UnprobedRetry,
    Code::WrittenSecret,
    Code::ConstantCondition,
    Code::UnknownLink,
    Code::TruncatedList,
    Code::Unreachable,
];

/// What became of recipes.
#[derive(Default)]
struct Counts {
    generated: usize,
    passed: usize,
    states: BTreeMap<String, usize>,
    refused: BTreeMap<String, usize>,
    failures: BTreeMap<String, Vec<Failure>>,
    excused: BTreeMap<&'static str, usize>,
    variety: Variety,
}

/// A recipe that passed, and failed.
struct Failure {
    at: u64,
    case: Case,
    problem: Problem,
}

fn passes(case: &Case, info: &WorkspaceInfo) -> Result<CheckedRecipe, Vec<(Code, String)>> {
    let mut checked = check(&SourceFile::new("generated.yaml", case.text().as_str()), &CATALOG, info);
    let told: Vec<_> = checked
        .report
        .diagnostics
        .iter()
        .filter(|told| !STYLE.contains(&told.code))
        .map(|told| (told.code, told.message.clone()))
        .collect();
    if told.is_empty() && !checked.recipes.is_empty() { Ok(checked.recipes.remove(0)) } else { Err(told) }
}

/// Generates the recipes of these numbers, and runs those that pass.
async fn try_out(bed: &TestBed, seed: u64, numbers: impl Iterator<Item = u64>) -> Counts {
    let info = workspace_info();
    let mut counts = Counts::default();
    for at in numbers {
        bed.sandbox.reset();
        let case = Case::random(&mut Random::new(seed, at), &CATALOG, &bed.sandbox);
        counts.generated += 1;
        let recipe = match passes(&case, &info) {
            Ok(recipe) => recipe,
            Err(told) => {
                for (code, message) in told.iter().take(1) {
                    *counts.refused.entry(format!("{}: {message}", code.name())).or_default() += 1;
                }
                continue;
            }
        };
        counts.passed += 1;
        counts.variety.add(&case);
        let ended = bed.run(&recipe, &case).await;
        assert!(ended.state.is_some(), "{:?}\n{}\n{}", ended.reason, case.text(), case.event);
        *counts.states.entry(format!("{:?}", ended.state)).or_default() += 1;
        for excuse in verdict::excuses(&ended) {
            *counts.excused.entry(excuse).or_default() += 1;
        }
        if let Some(problem) = problems(&ended).into_iter().next() {
            counts.failures.entry(problem.kind.clone()).or_default().push(Failure { at, case, problem });
        }
    }
    counts
}

async fn is_alike(bed: &TestBed, case: &Case, kind: &str) -> bool {
    let Ok(recipe) = passes(case, &workspace_info()) else { return false };
    problems(&bed.run(&recipe, case).await).iter().any(|problem| problem.kind == kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipe_that_passes_runs_without_an_error_of_shape() {
    let begun = Instant::now();
    let (seed, wanted) = (settings::seed(), settings::recipes());
    let mut beds = Vec::new();
    for _ in 0..WORKERS {
        beds.push(Arc::new(TestBed::new().await));
    }
    let mut total = Counts::default();
    let mut next = 0;
    while total.passed < wanted {
        let tasks: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let bed = Arc::clone(&beds[usize::try_from(worker).unwrap()]);
                let first = next + worker * BATCH;
                tokio::spawn(async move { try_out(&bed, seed, first..first + BATCH).await })
            })
            .collect();
        next += WORKERS * BATCH;
        for task in tasks {
            add(&mut total, task.await.unwrap());
        }
    }
    let report = report(&beds[0], &total, begun).await;
    if settings::prints() {
        println!("{report}");
    }
    assert!(total.failures.is_empty(), "{report}");
    if settings::is_usual() {
        check_variety(&total);
    }
}

fn add(total: &mut Counts, more: Counts) {
    total.generated += more.generated;
    total.passed += more.passed;
    let counts = [(&mut total.states, more.states), (&mut total.refused, more.refused)];
    for (sum, more) in counts {
        more.into_iter().for_each(|(name, count)| *sum.entry(name).or_default() += count);
    }
    more.excused.into_iter().for_each(|(name, count)| *total.excused.entry(name).or_default() += count);
    for (kind, more) in more.failures {
        total.failures.entry(kind).or_default().extend(more);
    }
    total.variety.extend(more.variety);
}

async fn report(bed: &TestBed, total: &Counts, begun: Instant) -> String {
    let mut text = format!(
        "{} recipes, {} passed, {} s\nstates {:?}\nexcused {:?}\n",
        total.generated,
        total.passed,
        begun.elapsed().as_secs(),
        total.states,
        total.excused
    );
    let failed: usize = total.failures.values().map(Vec::len).sum();
    writeln!(text, "{failed} failed").unwrap();
    for (kind, failures) in &total.failures {
        writeln!(text, "=== {} × {kind}", failures.len()).unwrap();
        for failure in failures.iter().take(SHOWN) {
            let small = minimise::minimise(&failure.case, async |case| is_alike(bed, case, kind).await).await;
            let Failure { at, problem, .. } = failure;
            writeln!(text, "--- number {at}, step {}: {}", problem.step, problem.message).unwrap();
            writeln!(text, "{}event: {}\n", small.text(), small.event).unwrap();
        }
    }
    if settings::prints() {
        let mut refused: Vec<_> = total.refused.iter().collect();
        refused.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (message, count) in refused.iter().take(60) {
            writeln!(text, "{count:>5} {message}").unwrap();
        }
        writeln!(text, "{:#?}\nlacking {:?}", total.variety, total.variety.lacking()).unwrap();
    }
    text
}

/// The usual run has to try everything; the bounds are a little below what was measured.
fn check_variety(total: &Counts) {
    let Counts { variety, generated, passed, states, .. } = total;
    assert!(passed * 100 >= generated * 55, "only {passed} of {generated} pass");
    let succeeded = states.get("Some(Succeeded)").copied().unwrap_or_default();
    assert!(succeeded * 100 >= passed * 55, "only {succeeded} of {passed} runs succeed");
    assert!(variety.lacking().is_empty(), "these did not occur: {:?}", variety.lacking());
    let triggers = ["poll", "over", "webhook", "several", "hydrated", "path", "schedule", "manual"];
    assert!(triggers.iter().all(|kind| variety.triggers.contains_key(kind)), "{:?}", variety.triggers);
    let fields = ["when", "vars", "if", "for_each", "on_error", "on_failure", "pick", "pages", "retry"];
    let seldom: Vec<_> =
        fields.iter().filter(|name| variety.fields.get(**name).copied().unwrap_or_default() < 20).collect();
    assert!(seldom.is_empty(), "these are tried too seldom: {seldom:?}");
    assert!(variety.kinds.len() >= 19, "kinds of operations: {:?}", variety.kinds);
    assert!(variety.operations.len() >= 250, "only {} operations", variety.operations.len());
}
