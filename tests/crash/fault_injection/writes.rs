//! One fault at each write of the journal in turn: hob crashes before or after it, it fails, or it stalls.

use std::future::pending;

use super::cases::for_each_case;
use super::faulty_journal::WriteFault;
use super::store_location::StoreKind;
use super::test_bed::TestBed;
use super::trial::Trial;
use crate::effect::Effect;
use crate::invariants::violations;
use crate::observations::Observations;
use crate::rng::Rng;
use crate::settings;

/// Share of the cases on PostgreSQL: one in so many.
const PART: u64 = 4;

/// A trial without faults: its number of writes, of those that can stall, and its observations.
async fn trial_without_faults(kind: StoreKind) -> (usize, usize, Observations) {
    let test_bed = TestBed::with_manual_clock().await;
    let trial = Trial::new(&test_bed, kind);
    let store = trial.store(None).await;
    assert!(trial.run(store.clone(), pending()).await);
    (store.writes(), store.writes_that_stall(), trial.observations().await)
}

/// Every fault at every write. Trials take longer on PostgreSQL: there it is a random part of them, unless
/// there is time for all.
fn cases(kind: StoreKind, writes: usize, faults: [WriteFault; 2]) -> Vec<(usize, WriteFault)> {
    let all = (1..=writes).flat_map(|nth| faults.map(|fault| (nth, fault)));
    if kind == StoreKind::Sqlite || settings::tries_all() {
        return all.collect();
    }
    let mut rng = Rng::new(settings::seed());
    all.filter(|_| rng.once_in(PART)).collect()
}

pub async fn what_is_not_disturbed_does_everything_once(kind: StoreKind) {
    let (writes, _, observations) = trial_without_faults(kind).await;
    assert_eq!(violations(&observations), Vec::<String>::new());
    assert!(observations.parked.is_empty() && observations.effects().values().all(|times| *times == 1));
    assert!(writes > 50, "{writes} writes");
}

pub async fn hob_may_end_at_every_write(kind: StoreKind) {
    let (writes, _, reference) = trial_without_faults(kind).await;
    let cases = cases(kind, writes, [WriteFault::CrashBefore, WriteFault::CrashAfter]);
    let ended = for_each_case(&cases, 2, TestBed::with_manual_clock, async |test_bed, fault| {
        let trial = Trial::new(test_bed, kind);
        let whole = trial.run(trial.store(Some(*fault)).await, pending()).await;
        if !whole {
            assert!(trial.run(trial.store(None).await, pending()).await, "nothing strikes twice");
        }
        (whole, trial.observations().await)
    });
    let mut parked = 0;
    for ((whole, observations), case) in ended.iter().zip(&cases) {
        assert!(!whole, "{case:?} struck nothing");
        assert_eq!(violations(observations), Vec::<String>::new(), "{case:?}");
        parked += observations.parked.len();
    }
    // Only a crash between intent and outcome parks a create that cannot be probed.
    let tasks = reference.effects().keys().filter(|(effect, _)| *effect == Effect::Task).count();
    assert!(parked <= 2 * tasks && (parked == 2 * tasks || cases.len() < 2 * writes), "{parked} runs parked");
}

pub async fn every_write_may_fail_for_a_while(kind: StoreKind) {
    let (writes, _, reference) = trial_without_faults(kind).await;
    let cases = cases(kind, writes, [WriteFault::FailBefore, WriteFault::FailAfter]);
    let ended = for_each_case(&cases, 12, TestBed::with_system_clock, async |test_bed, fault| {
        let trial = Trial::new(test_bed, kind);
        trial.run_with_retries(trial.store(Some(*fault)).await).await;
        trial.observations().await
    });
    for (observations, case) in ended.iter().zip(&cases) {
        assert_eq!(violations(observations), Vec::<String>::new(), "{case:?}");
        assert_eq!(observations.effects(), reference.effects(), "{case:?}: nothing is done again");
        assert!(observations.parked.is_empty(), "{case:?}");
    }
}

pub async fn hob_may_stand_still_at_every_write_and_find_its_work_done_by_another(kind: StoreKind) {
    let (_, writes, _) = trial_without_faults(kind).await;
    let cases = cases(kind, writes, [WriteFault::StallBefore, WriteFault::StallAfter]);
    let ended = for_each_case(&cases, 2, TestBed::with_manual_clock, async |test_bed, fault| {
        let trial = Trial::new(test_bed, kind);
        trial.run_past_lease(*fault).await;
        trial.observations().await
    });
    let wrong: Vec<_> = ended
        .iter()
        .zip(&cases)
        .map(|(observations, case)| (case, violations(observations)))
        .filter(|(_, wrong)| !wrong.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}
