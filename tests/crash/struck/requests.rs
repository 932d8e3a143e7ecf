//! Every request is struck once: hob ends while it is under way, or its answer is lost, late or an
//! error, each before and after it took effect.

use std::future::pending;
use std::time::Duration;

use hob::sandbox::{Fault, Sandbox, What};

use super::bench::Bench;
use super::everywhere::everywhere;
use super::place::Kind;
use super::trial::Trial;
use crate::evidence::Evidence;
use crate::proof::complaints;

/// What becomes of one request.
#[derive(Debug, Clone)]
struct Case {
    /// So many go well first.
    after: u32,
    what: What,
    /// It takes effect all the same.
    done: bool,
}

async fn requests(kind: Kind) -> u32 {
    let bench = Bench::by_hand().await;
    let trial = Trial::new(&bench, kind);
    assert!(trial.live(trial.store(None).await, pending()).await);
    u32::try_from(bench.sandbox.totals().0).unwrap()
}

fn cases(requests: u32, kinds: &[(What, bool)]) -> Vec<Case> {
    let case = |after| kinds.iter().map(move |(what, done)| Case { after, what: what.clone(), done: *done });
    (0..requests).flat_map(case).collect()
}

fn strike(sandbox: &Sandbox, case: &Case) {
    let Case { after, what, done } = case.clone();
    sandbox.add_fault(Fault { after, times: Some(1), what, done, ..Fault::default() });
}

/// Resolves when the request that is to be struck has come, and has taken effect if it is to.
async fn struck(sandbox: &Sandbox, case: &Case) {
    while sandbox.totals().0 <= u64::from(case.after) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn parked(ended: &[Evidence]) -> usize {
    ended.iter().map(|evidence| evidence.parked.len()).sum()
}

fn assert_sound(ended: &[Evidence], cases: &[Case]) {
    assert_eq!(ended.len(), cases.len());
    for (evidence, case) in ended.iter().zip(cases) {
        assert_eq!(complaints(evidence), Vec::<String>::new(), "{case:?}");
        let seen = evidence.log.iter().any(|entry| entry.fault.as_ref() == Some(&case.what));
        assert!(seen, "{case:?} struck nothing");
    }
}

/// Creates that nothing can tell of, in what goes well.
const TASKS: usize = 3;

pub async fn hob_may_end_in_every_request(kind: Kind) {
    // The answer never comes, and hob ends while it waits for it.
    let cases = cases(requests(kind).await, &[(What::Hang, false), (What::Hang, true)]);
    let ended = everywhere(&cases, 2, Bench::by_hand, async |bench, case| {
        let trial = Trial::new(bench, kind);
        strike(&bench.sandbox, case);
        assert!(!trial.live(trial.store(None).await, struck(&bench.sandbox, case)).await, "{case:?}");
        assert!(trial.live(trial.store(None).await, pending()).await);
        trial.evidence().await
    });
    assert_sound(&ended, &cases);
    assert_eq!(parked(&ended), 2 * TASKS);
}

/// Longest wait for an answer, where one never comes. All others come much sooner, on any machine.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn every_answer_may_be_lost_or_an_error(kind: Kind) {
    let status = |status| What::Status { status, body: None, headers: Vec::new() };
    let limited =
        What::Status { status: 429, body: None, headers: vec![("retry-after".to_owned(), "0".to_owned())] };
    let in_doubt = [
        (What::Close, false),
        (What::Close, true),
        (What::Truncate, true),
        (What::Hang, false),
        (What::Hang, true),
        (status(500), false),
        (status(502), true),
        (status(503), false),
        (status(408), true),
    ];
    let harmless = [(limited, false), (What::Delay(20), false)];
    let kinds = [&in_doubt[..], &harmless].concat();
    let cases = cases(requests(kind).await, &kinds);
    let (hanging, cases): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.what == What::Hang);
    let trial = async |bench: &Bench, case: &Case| {
        let trial = Trial::new(bench, kind);
        strike(&bench.sandbox, case);
        assert!(trial.live(trial.store(None).await, pending()).await);
        trial.evidence().await
    };
    let mut ended = everywhere(&cases, 4, Bench::by_hand, trial);
    // Those mostly wait.
    let impatient = async || Bench::by_hand_waiting(PATIENCE).await;
    ended.extend(everywhere(&hanging, 32, impatient, trial));
    let cases = [cases, hanging].concat();
    assert_sound(&ended, &cases);
    assert_eq!(parked(&ended), in_doubt.len() * TASKS);
    // hob itself did not end: what is known to have been done is not done again.
    for (evidence, case) in ended.iter().zip(&cases) {
        let deeds = evidence.deeds();
        let again = deeds.values().filter(|times| **times > 1).count();
        assert!(again <= usize::from(case.done), "{case:?}: {deeds:?}");
    }
}
