//! Real input, changed at random, for the functions of the fuzz targets: none may panic or take long. For a compiler
//! without support for fuzzing; the targets themselves, in `tests/fuzz`, are guided by coverage.
//!
//! `HOB_FUZZ_SECONDS=600 cargo test --test robustness yaml -- --nocapture` does so for ten minutes, and prints how often
//! and what took longest. The input at hand is in a file while it is tried, so that a hang leaves it behind.

mod corpus;
#[path = "../fuzz/src/lib.rs"]
mod fuzz;
mod mutation;
#[expect(dead_code, reason = "it also shuffles")]
#[path = "../mutants/random.rs"]
mod random;

use std::time::{Duration, Instant};

use mutation::Mutation;

/// How long each is tried by default.
const TIME: Duration = Duration::from_millis(400);
/// The longest that an input may take. Tests run unoptimised and beside others.
const LONGEST: Duration = Duration::from_secs(20);

fn try_for_a_while(name: &str, corpus: &[Vec<u8>], run: fn(&[u8])) {
    let (time, seed) = settings();
    let mut mutation = Mutation::new(corpus, seed);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let current = folder.join(format!("{name}.input"));
    let (begun, mut count, mut slowest) = (Instant::now(), 0_u64, (Duration::ZERO, Vec::new()));
    while begun.elapsed() < time {
        let input = mutation.next();
        std::fs::write(&current, &input).unwrap();
        let started = Instant::now();
        run(&input);
        let took = started.elapsed();
        assert!(took < LONGEST, "{name} takes {took:?} for {}", current.display());
        count += 1;
        if took > slowest.0 {
            slowest = (took, input);
        }
    }
    std::fs::remove_file(&current).unwrap();
    let (longest, input) = slowest;
    let shown: String = String::from_utf8_lossy(&input).chars().take(200).collect();
    println!(
        "{name}: {count} inputs from seed {seed} in {:?}; the slowest took {longest:?}: {shown:?}",
        begun.elapsed()
    );
}

/// How long to try (`HOB_FUZZ_SECONDS`), and the seed (`HOB_FUZZ_SEED`).
#[expect(clippy::disallowed_methods, reason = "settings of the tests")]
fn settings() -> (Duration, u64) {
    let number = |name: &str| {
        let given = std::env::var(name).ok()?;
        Some(given.parse::<u64>().unwrap_or_else(|_| panic!("{name} is `{given}`, which is no number")))
    };
    (number("HOB_FUZZ_SECONDS").map_or(TIME, Duration::from_secs), number("HOB_FUZZ_SEED").unwrap_or(1))
}

#[test]
fn yaml() {
    try_for_a_while("yaml", &corpus::recipes(), fuzz::yaml);
}

#[test]
fn tests() {
    try_for_a_while("tests", &corpus::tests(), fuzz::tests);
}

#[test]
fn templates() {
    try_for_a_while("templates", &corpus::templates(), fuzz::template);
}

#[test]
fn jsonpath() {
    try_for_a_while("jsonpath", &corpus::paths(), fuzz::jsonpath);
}

#[test]
fn cron() {
    try_for_a_while("cron", &corpus::schedules(), fuzz::cron);
}

#[test]
fn messages() {
    try_for_a_while("messages", &corpus::messages(), fuzz::lsp);
}

#[test]
fn webhooks() {
    try_for_a_while("webhooks", &corpus::bodies(), fuzz::webhook);
}

#[test]
fn answers() {
    try_for_a_while("answers", &corpus::answers(), fuzz::answer);
}
