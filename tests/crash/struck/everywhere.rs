//! The same trial again and again, struck in another place each time, on a few threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::bench::Bench;

/// Tries each case on a bench; what they came to, in order. A few threads take turns.
pub fn everywhere<C, T>(
    cases: &[C],
    threads: usize,
    bench: impl AsyncFn() -> Bench + Sync,
    trial: impl AsyncFn(&Bench, &C) -> T + Sync,
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
                    let bench = bench().await;
                    loop {
                        let index = next.fetch_add(1, Ordering::SeqCst);
                        let Some(case) = cases.get(index) else { return };
                        let result = trial(&bench, case).await;
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
