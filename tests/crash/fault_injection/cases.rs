//! Runs one trial for many cases on a few threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::test_bed::TestBed;

/// Runs `trial` for each case on a test bed; the results in the order of the cases.
pub fn for_each_case<C, T>(
    cases: &[C],
    threads: usize,
    test_bed: impl AsyncFn() -> TestBed + Sync,
    trial: impl AsyncFn(&TestBed, &C) -> T + Sync,
) -> Vec<T>
where
    C: Sync,
    T: Send,
{
    let next = AtomicUsize::new(0);
    let came_to = Mutex::new(Vec::with_capacity(cases.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let test_bed = test_bed().await;
                    loop {
                        let index = next.fetch_add(1, Ordering::SeqCst);
                        let Some(case) = cases.get(index) else { return };
                        let result = trial(&test_bed, case).await;
                        came_to.lock().unwrap().push((index, result));
                    }
                });
            });
        }
    });
    let mut came_to = came_to.into_inner().unwrap();
    came_to.sort_by_key(|(index, _)| *index);
    came_to.into_iter().map(|(_, result)| result).collect()
}
