//! Settings by environment.

use std::fmt::Write as _;
use std::sync::OnceLock;

/// Mutants of each recipe by default.
const MUTANTS: usize = 24;
/// The seed by default.
const SEED: u64 = 1;

/// Most mutants of each recipe: `HOB_MUTANTS`, a number or `all`.
pub fn mutants() -> usize {
    match text("HOB_MUTANTS").as_deref() {
        None => MUTANTS,
        Some("all") => usize::MAX,
        Some(number) => number.parse().unwrap_or_else(|_| panic!("HOB_MUTANTS is `{number}`")),
    }
}

/// Which of the mutants are taken: `HOB_MUTANT_SEED`.
pub fn seed() -> u64 {
    let given = text("HOB_MUTANT_SEED");
    given.map_or(SEED, |number| number.parse().unwrap_or_else(|_| panic!("HOB_MUTANT_SEED is `{number}`")))
}

/// Whether to print the table of rules and every mutant that was let through: `HOB_MUTANT_TABLE`.
pub fn prints() -> bool {
    static PRINTS: OnceLock<bool> = OnceLock::new();
    *PRINTS.get_or_init(|| text("HOB_MUTANT_TABLE").is_some())
}

/// Adds a line to a report.
pub fn line(report: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(report, "{text}").unwrap();
}

#[expect(clippy::disallowed_methods, reason = "settings of the tests")]
fn text(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
