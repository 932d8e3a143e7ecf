//! Every write of the journal is struck once: hob ends before it or after it, or it fails.

use std::future::pending;

use super::bench::Bench;
use super::everywhere::everywhere;
use super::journal::Blow;
use super::place::Kind;
use super::trial::Trial;
use crate::deed::Deed;
use crate::dice::Dice;
use crate::evidence::Evidence;
use crate::proof::complaints;
use crate::settings;

/// One in so many.
const PART: u64 = 4;

/// What all goes well with: so many writes, and this to be seen.
async fn undisturbed(kind: Kind) -> (usize, Evidence) {
    let bench = Bench::by_hand().await;
    let trial = Trial::new(&bench, kind);
    let store = trial.store(None).await;
    assert!(trial.live(store.clone(), pending()).await);
    (store.writes(), trial.evidence().await)
}

/// Every write gets every blow. Trials take longer on PostgreSQL: there it is a part of them, others each
/// time, unless there is time for all.
fn cases(kind: Kind, writes: usize, blows: [Blow; 2]) -> Vec<(usize, Blow)> {
    let all = (1..=writes).flat_map(|nth| blows.map(|blow| (nth, blow)));
    if kind == Kind::Sqlite || settings::has_time() {
        return all.collect();
    }
    let mut dice = Dice::new(settings::seed());
    all.filter(|_| dice.once_in(PART)).collect()
}

pub async fn what_is_not_disturbed_does_everything_once(kind: Kind) {
    let (writes, evidence) = undisturbed(kind).await;
    assert_eq!(complaints(&evidence), Vec::<String>::new());
    assert!(evidence.parked.is_empty() && evidence.deeds().values().all(|times| *times == 1));
    assert!(writes > 50, "{writes} writes");
}

pub async fn hob_may_end_at_every_write(kind: Kind) {
    let (writes, reference) = undisturbed(kind).await;
    let cases = cases(kind, writes, [Blow::CrashBefore, Blow::CrashAfter]);
    let ended = everywhere(&cases, 2, Bench::by_hand, async |bench, blow| {
        let trial = Trial::new(bench, kind);
        let whole = trial.live(trial.store(Some(*blow)).await, pending()).await;
        if !whole {
            assert!(trial.live(trial.store(None).await, pending()).await, "nothing strikes twice");
        }
        (whole, trial.evidence().await)
    });
    let mut parked = 0;
    for ((whole, evidence), case) in ended.iter().zip(&cases) {
        assert!(!whole, "{case:?} struck nothing");
        assert_eq!(complaints(evidence), Vec::<String>::new(), "{case:?}");
        parked += evidence.parked.len();
    }
    // Between its intent and its outcome: only there, a create that nothing can tell of is parked.
    let tasks = reference.deeds().keys().filter(|(deed, _)| *deed == Deed::Task).count();
    assert!(parked <= 2 * tasks && (parked == 2 * tasks || cases.len() < 2 * writes), "{parked} runs parked");
}

pub async fn every_write_may_fail_for_a_while(kind: Kind) {
    let (writes, reference) = undisturbed(kind).await;
    let cases = cases(kind, writes, [Blow::FailBefore, Blow::FailAfter]);
    let ended = everywhere(&cases, 12, Bench::in_time, async |bench, blow| {
        let trial = Trial::new(bench, kind);
        trial.keep_working(trial.store(Some(*blow)).await).await;
        trial.evidence().await
    });
    for (evidence, case) in ended.iter().zip(&cases) {
        assert_eq!(complaints(evidence), Vec::<String>::new(), "{case:?}");
        assert_eq!(evidence.deeds(), reference.deeds(), "{case:?}: nothing is done again");
        assert!(evidence.parked.is_empty(), "{case:?}");
    }
}

pub async fn hob_may_stand_still_at_every_write_and_find_its_work_done_by_another(kind: Kind) {
    let (writes, _) = undisturbed(kind).await;
    let cases = cases(kind, writes, [Blow::StallBefore, Blow::StallAfter]);
    let ended = everywhere(&cases, 2, Bench::by_hand, async |bench, blow| {
        let trial = Trial::new(bench, kind);
        trial.be_overtaken(*blow).await;
        trial.evidence().await
    });
    let wrong: Vec<_> = ended
        .iter()
        .zip(&cases)
        .map(|(evidence, case)| (case, complaints(evidence)))
        .filter(|(_, wrong)| !wrong.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}
