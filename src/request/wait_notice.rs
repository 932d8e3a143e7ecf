//! Reports requests that wait long for their connection's budget.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Wait from which a notice is given.
const NOTICE: Duration = Duration::from_secs(2);

type Tell = dyn Fn(&str, Duration) + Send + Sync;

/// Callback for every long wait, with the connection and the longest possible wait. Must return at once.
#[derive(Clone, Default)]
pub struct OnWait(Option<Arc<Tell>>);

impl OnWait {
    /// Reports to `tell`.
    pub fn new(tell: impl Fn(&str, Duration) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    /// Runs `wait`, which takes at most `max_wait`, and reports when it is long.
    pub(super) async fn follow<T>(
        &self,
        connection: &str,
        max_wait: Duration,
        wait: impl Future<Output = T>,
    ) -> T {
        let Some(tell) = &self.0 else { return wait.await };
        let mut wait = std::pin::pin!(wait);
        match tokio::time::timeout(NOTICE, &mut wait).await {
            Ok(done) => done,
            Err(_) => {
                tell(connection, max_wait.saturating_sub(NOTICE));
                wait.await
            }
        }
    }
}

impl fmt::Debug for OnWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnWait")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test(start_paused = true)]
    async fn only_long_waits_are_reported() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let on_wait = OnWait::new({
            let told = Arc::clone(&told);
            move |connection, at_most| told.lock().unwrap().push((connection.to_owned(), at_most))
        });
        let (short, long) = (Duration::from_secs(1), Duration::from_secs(5));
        on_wait.follow("a", long, tokio::time::sleep(short)).await;
        on_wait.follow("b", long, tokio::time::sleep(long)).await;
        assert_eq!(*told.lock().unwrap(), [("b".to_owned(), Duration::from_secs(3))]);
    }
}
