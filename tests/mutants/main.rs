//! What `validate` lets through: each recipe of the gallery gets a mistake at a time, by rule, as people make them.
//! Where the checker is silent about one, the recipe's own tests run it.
//!
//! A mutant is harmful if a run fails that succeeds without the mistake, or a request is wrong: the declared shape of
//! its operation refuses it, or it lacks an input because the value that the recipe gives for it is null or empty. A
//! mutant that sends another, as well-formed value is harmless here: what was meant is in the tests, not in the recipe.
//! These mutants show how much the tests of the gallery see.
//!
//! `HOB_MUTANTS=all HOB_MUTANT_TABLE=1 cargo test --test mutants -- --nocapture` tries all of them, and prints the table
//! of rules with every mutant that slips through.

mod behaviour;
mod mutant;
mod original;
mod random;
mod rules;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use behaviour::{Behaviour, TestBed, workspace_info};
use futures::StreamExt;
use hob::check::{Checked, check};
use hob::source::SourceFile;
use mutant::Mutant;
use original::{CATALOG, Original};
use settings::line;

/// Least share of harmful mutants that are told, in per cent.
const TOLD: f64 = 99.0;
/// Least share of harmless mutants with other requests that tests see, in per cent.
const KILLED: f64 = 95.0;

/// Numbers of mutants.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    all: usize,
    refused: usize,
    warned: usize,
    /// Silent, and a run fails or a request is wrong.
    harmful: usize,
    /// Warned of or silent, and other requests.
    other: usize,
    /// Those of them that a test sees.
    killed: usize,
    /// Silent, and everything is as before.
    same: usize,
    /// Silent, of a recipe without tests.
    unknown: usize,
}

/// What became of a mutant.
enum Fate {
    Refused,
    Passed { warned: bool, outcome: Option<behaviour::Outcome> },
}

fn checked(name: &str, text: &str) -> Checked {
    check(&SourceFile::new(name, text), &CATALOG, &workspace_info())
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_that_do_harm_are_told_before_a_recipe_runs() {
    let bed = TestBed::new().await;
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut report = String::new();
    for original in Original::all() {
        let mutants = Mutant::some(&original, settings::mutants(), settings::seed());
        for (mutant, fate) in fates(&bed, &original, mutants).await {
            let count = counts.entry(mutant.rule).or_default();
            count_fate(count, &fate);
            tell(&mut report, &mutant, &fate);
        }
    }
    let total = counts.values().fold(Counts::default(), sum);
    table(&mut report, &counts, &total);
    if settings::prints() {
        println!("{report}");
    }
    let least = counts.len() * 3;
    assert!(total.all >= least.min(settings::mutants() * 7), "only {} mutants", total.all);
    let told = share(total.refused + total.warned, total.refused + total.warned + total.harmful);
    assert!(told >= TOLD, "{report}\nonly {told:.2} % of the harmful mutants are told");
    let killed = share(total.killed, total.other);
    assert!(
        killed >= KILLED,
        "{report}\nonly {killed:.2} % of the mutants with other requests are seen by tests"
    );
}

/// Checks the mutants of a recipe, and runs those that may run.
async fn fates(bed: &Arc<TestBed>, original: &Original, mutants: Vec<Mutant>) -> Vec<(Mutant, Fate)> {
    let whole = checked(&original.name, &original.text);
    assert!(whole.report.diagnostics.is_empty(), "{}", whole.report);
    let baseline = match original.tests {
        Some(_) => Some(Arc::new(bed.baseline(original, &whole.recipes[0]).await)),
        None => None,
    };
    let trials = mutants.into_iter().map(|mutant| {
        let (bed, baseline, name) = (Arc::clone(bed), baseline.clone(), original.name.clone());
        tokio::spawn(async move {
            let checked = checked(&name, &mutant.text);
            let warned = !checked.report.diagnostics.is_empty();
            if checked.recipes.is_empty() {
                return (mutant, Fate::Refused);
            }
            let outcome = match baseline {
                Some(baseline) => Some(bed.trial(&checked.recipes[0], &baseline).await),
                None => None,
            };
            (mutant, Fate::Passed { warned, outcome })
        })
    });
    futures::stream::iter(trials).buffered(4).map(|fate| fate.unwrap()).collect().await
}

fn count_fate(count: &mut Counts, fate: &Fate) {
    count.all += 1;
    let Fate::Passed { warned, outcome } = fate else {
        count.refused += 1;
        return;
    };
    count.warned += usize::from(*warned);
    let Some(outcome) = outcome else {
        count.unknown += usize::from(!warned);
        return;
    };
    match &outcome.behaviour {
        Behaviour::Same => count.same += usize::from(!warned),
        Behaviour::Fails(_) | Behaviour::Wrong(_) => count.harmful += usize::from(!warned),
        Behaviour::Other => {}
    }
    if outcome.behaviour != Behaviour::Same {
        count.other += 1;
        count.killed += usize::from(outcome.killed);
    }
}

fn tell(report: &mut String, mutant: &Mutant, fate: &Fate) {
    let Fate::Passed { warned, outcome: Some(outcome) } = fate else { return };
    let Mutant { rule, change, .. } = mutant;
    match &outcome.behaviour {
        Behaviour::Fails(reason) if !warned => line(report, format_args!("FAILS {rule}: {change}: {reason}")),
        Behaviour::Wrong(reason) if !warned => line(report, format_args!("WRONG {rule}: {change}: {reason}")),
        _ => {}
    }
    if outcome.behaviour != Behaviour::Same && !outcome.killed {
        line(report, format_args!("UNSEEN {rule}: {change}"));
    }
}

fn sum(total: Counts, more: &Counts) -> Counts {
    Counts {
        all: total.all + more.all,
        refused: total.refused + more.refused,
        warned: total.warned + more.warned,
        harmful: total.harmful + more.harmful,
        other: total.other + more.other,
        killed: total.killed + more.killed,
        same: total.same + more.same,
        unknown: total.unknown + more.unknown,
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn table(report: &mut String, counts: &BTreeMap<&str, Counts>, total: &Counts) {
    let head = ["mutants", "refused", "warned", "HARMFUL", "same", "untested", "other", "killed"];
    line(report, format_args!("{:<30}{}", "rule", head.map(|name| format!("{name:>9}")).concat()));
    for (name, count) in counts.iter().map(|(name, count)| (*name, count)).chain([("all", total)]) {
        let Counts { all, refused, warned, harmful, other, killed, same, unknown } = count;
        let numbers = [all, refused, warned, harmful, same, unknown, other, killed];
        line(report, format_args!("{name:<30}{}", numbers.map(|number| format!("{number:>9}")).concat()));
    }
}
