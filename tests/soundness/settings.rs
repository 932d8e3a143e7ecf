//! Settings by environment.

/// Recipes that must pass by default.
const RECIPES: usize = 600;
/// The seed by default.
const SEED: u64 = 1;

/// How many recipes that pass the checker are run: `HOB_SOUNDNESS`.
pub fn recipes() -> usize {
    number("HOB_SOUNDNESS").unwrap_or(RECIPES)
}

/// The seed of the recipes and events: `HOB_SOUNDNESS_SEED`.
pub fn seed() -> u64 {
    number("HOB_SOUNDNESS_SEED").unwrap_or(SEED)
}

/// Whether this is the usual run, of which the variety is measured.
pub fn is_usual() -> bool {
    recipes() == RECIPES && seed() == SEED
}

/// Whether to print why recipes were refused, and all failures: `HOB_SOUNDNESS_TABLE`.
pub fn prints() -> bool {
    text("HOB_SOUNDNESS_TABLE").is_some()
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    let given = text(name)?;
    Some(given.parse().unwrap_or_else(|_| panic!("{name} is `{given}`")))
}

#[expect(clippy::disallowed_methods, reason = "settings of the tests")]
fn text(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
