//! The async runtime, and the signals that stop it.

use std::time::Duration;

use anyhow::Context;

use super::Failure;

/// Threads for blocking work (rendering, reading the journal). More would only cost memory.
const BLOCKING_THREADS: usize = 8;
/// How long an idle thread is kept.
const IDLE_THREAD: Duration = Duration::from_secs(2);

/// Runs `work` to completion.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(IDLE_THREAD)
        .build()
        .context("cannot start the async runtime")
        .map_err(Failure::unavailable)?;
    let result = runtime.block_on(work);
    // Blocked threads (DNS lookups) must not delay the end.
    runtime.shutdown_background();
    Ok(result)
}

/// The signals that ask the process to stop: Ctrl-C and, on Unix, SIGTERM and SIGHUP (its terminal is closed). Once
/// created, they no longer end the process by themselves, so create it before announcing that the work has started.
#[derive(Debug)]
pub(super) struct StopSignal {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
    #[cfg(windows)]
    signals: tokio::signal::windows::CtrlC,
}

impl StopSignal {
    /// Listens for signals; must be called within the runtime.
    pub(super) fn listen() -> Result<Self, Failure> {
        Self::register().context("cannot listen for signals").map_err(Failure::unavailable)
    }

    #[cfg(unix)]
    fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    #[cfg(windows)]
    fn register() -> std::io::Result<Self> {
        Ok(Self { signals: tokio::signal::windows::ctrl_c()? })
    }

    /// Resolves when the process is asked to stop.
    pub(super) async fn requested(mut self) {
        self.next().await;
    }

    /// Resolves at the second request: the user does not want to wait.
    pub(super) async fn requested_twice(mut self) {
        self.next().await;
        self.next().await;
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    #[cfg(windows)]
    async fn next(&mut self) {
        self.signals.recv().await;
    }
}
