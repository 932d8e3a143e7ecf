//! Work that ends when hob stops.

use tokio::sync::watch;

/// The output of `work`; `None` if shutdown starts first.
pub(super) async fn unless_stopped<T>(
    mut stop: watch::Receiver<bool>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        Ok(_) = stop.wait_for(|stop| *stop) => None,
    }
}
