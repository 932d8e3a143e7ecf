//! What somebody may ask for by environment: more kills, or those of another time.

use hob::clock::Clock;

/// How often the program is killed; nightly, `HOB_CRASHES=1000`.
pub fn kills(usual: u32) -> u32 {
    number("HOB_CRASHES").map_or(usual, |number| u32::try_from(number).unwrap())
}

/// Whether somebody has the time to try everything, as nightly.
pub fn has_time() -> bool {
    number("HOB_CRASHES").is_some()
}

/// Where chance comes from: `HOB_CRASH_SEED`, or the time.
pub fn seed() -> u64 {
    number("HOB_CRASH_SEED").unwrap_or_else(|| Clock::system().now().timestamp_micros().unsigned_abs())
}

#[expect(clippy::disallowed_methods, reason = "the only way in for whoever runs the tests")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}` and should be a number")))
}
