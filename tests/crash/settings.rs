//! Settings by environment: more kills, or the seed of an earlier run.

use hob::clock::Clock;

/// Number of kills: `HOB_CRASHES`, or `usual`.
pub fn kills(usual: u32) -> u32 {
    number("HOB_CRASHES").map_or(usual, |number| u32::try_from(number).unwrap())
}

/// Whether all cases shall be tried, however long it takes.
pub fn tries_all() -> bool {
    number("HOB_CRASHES").is_some()
}

/// The random seed: `HOB_CRASH_SEED`, or the time.
pub fn seed() -> u64 {
    number("HOB_CRASH_SEED").unwrap_or_else(|| Clock::system().now().timestamp_micros().unsigned_abs())
}

#[expect(clippy::disallowed_methods, reason = "settings of the tests")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}` and should be a number")))
}
