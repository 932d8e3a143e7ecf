//! The async runtime, and the signals that ask it to stop.

use std::time::Duration;

use anyhow::Context;

use super::Failure;

/// Threads for work that blocks (rendering, reading the journal). On a few cores more of them only
/// cost memory.
const BLOCKING_THREADS: usize = 8;
/// How long such a thread stays without work.
const IDLE_THREAD: Duration = Duration::from_secs(2);

/// Runs `work` to its end.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(IDLE_THREAD)
        .build()
        .context("cannot start the async runtime")
        .map_err(Failure::world)?;
    let result = runtime.block_on(work);
    // What blocks a thread (a DNS lookup) must not hold up the end.
    runtime.shutdown_background();
    Ok(result)
}

/// Resolves when the process is asked to stop: Ctrl-C or SIGTERM.
pub(super) async fn stop_requested() {
    let interrupt = async {
        // Without a handler nothing ever asks.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
