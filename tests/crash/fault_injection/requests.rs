//! One fault at each request in turn: hob crashes while it is under way, or its answer is lost, late or an
//! error; each before and after it took effect.

use std::future::pending;
use std::time::Duration;

use hob::sandbox::{Fault, FaultKind, Sandbox};

use super::cases::for_each_case;
use super::store_location::StoreKind;
use super::test_bed::TestBed;
use super::trial::Trial;
use crate::invariants::violations;
use crate::observations::Observations;

/// The fault of one request.
#[derive(Debug, Clone)]
struct Case {
    /// Number of requests before it without a fault.
    after: u32,
    what: FaultKind,
    /// Whether the request takes effect all the same.
    done: bool,
}

async fn requests(kind: StoreKind) -> u32 {
    let test_bed = TestBed::with_manual_clock().await;
    let trial = Trial::new(&test_bed, kind);
    assert!(trial.run(trial.store(None).await, pending()).await);
    u32::try_from(test_bed.sandbox.totals().0).unwrap()
}

fn cases(requests: u32, kinds: &[(FaultKind, bool)]) -> Vec<Case> {
    let case = |after| kinds.iter().map(move |(what, done)| Case { after, what: what.clone(), done: *done });
    (0..requests).flat_map(case).collect()
}

fn inject(sandbox: &Sandbox, case: &Case) {
    let Case { after, what, done } = case.clone();
    sandbox.add_fault(Fault { after, times: Some(1), what, done, ..Fault::default() });
}

/// Resolves when the faulty request has arrived, and has taken effect if it shall.
async fn injected(sandbox: &Sandbox, case: &Case) {
    while sandbox.totals().0 <= u64::from(case.after) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn parked(ended: &[Observations]) -> usize {
    ended.iter().map(|observations| observations.parked.len()).sum()
}

fn assert_sound(ended: &[Observations], cases: &[Case]) {
    assert_eq!(ended.len(), cases.len());
    for (observations, case) in ended.iter().zip(cases) {
        assert_eq!(violations(observations), Vec::<String>::new(), "{case:?}");
        let seen = observations.log.iter().any(|entry| entry.fault.as_ref() == Some(&case.what));
        assert!(seen, "{case:?} struck nothing");
    }
}

/// Creates without a probe in a trial without faults.
const TASKS: usize = 3;

pub async fn hob_may_end_in_every_request(kind: StoreKind) {
    // The answer never comes, and hob crashes while it waits.
    let cases = cases(requests(kind).await, &[(FaultKind::Hang, false), (FaultKind::Hang, true)]);
    let ended = for_each_case(&cases, 2, TestBed::with_manual_clock, async |test_bed, case| {
        let trial = Trial::new(test_bed, kind);
        inject(&test_bed.sandbox, case);
        assert!(!trial.run(trial.store(None).await, injected(&test_bed.sandbox, case)).await, "{case:?}");
        assert!(trial.run(trial.store(None).await, pending()).await);
        trial.observations().await
    });
    assert_sound(&ended, &cases);
    assert_eq!(parked(&ended), 2 * TASKS);
}

/// Timeout where an answer never comes. All others come much sooner, on any machine.
const HANG_TIMEOUT: Duration = Duration::from_secs(10);

pub async fn every_answer_may_be_lost_or_an_error(kind: StoreKind) {
    let status = |status| FaultKind::Status { status, body: None, headers: Vec::new() };
    let limited = FaultKind::Status {
        status: 429,
        body: None,
        headers: vec![("retry-after".to_owned(), "0".to_owned())],
    };
    let in_doubt = [
        (FaultKind::Close, false),
        (FaultKind::Close, true),
        (FaultKind::Truncate, true),
        (FaultKind::Hang, false),
        (FaultKind::Hang, true),
        (status(500), false),
        (status(502), true),
        (status(503), false),
        (status(408), true),
    ];
    let harmless = [(limited, false), (FaultKind::Delay(20), false)];
    let kinds = [&in_doubt[..], &harmless].concat();
    let cases = cases(requests(kind).await, &kinds);
    let (hanging, cases): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.what == FaultKind::Hang);
    let trial = async |test_bed: &TestBed, case: &Case| {
        let trial = Trial::new(test_bed, kind);
        inject(&test_bed.sandbox, case);
        assert!(trial.run(trial.store(None).await, pending()).await);
        trial.observations().await
    };
    let mut ended = for_each_case(&cases, 4, TestBed::with_manual_clock, trial);
    // These mostly wait.
    let impatient = async || TestBed::with_manual_clock_and_timeout(HANG_TIMEOUT).await;
    ended.extend(for_each_case(&hanging, 32, impatient, trial));
    let cases = [cases, hanging].concat();
    assert_sound(&ended, &cases);
    assert_eq!(parked(&ended), in_doubt.len() * TASKS);
    // hob itself did not crash: what is known to have been done is not repeated.
    for (observations, case) in ended.iter().zip(&cases) {
        let effects = observations.effects();
        let again = effects.values().filter(|times| **times > 1).count();
        assert!(again <= usize::from(case.done), "{case:?}: {effects:?}");
    }
}
