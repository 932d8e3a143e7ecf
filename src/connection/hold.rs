//! Holds: while a connection's credential is refused, its requests wait, except for one now and then that checks
//! whether it works again.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::value::Backoff;

/// Pauses between checks.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(300));

/// The hold of a connection.
#[derive(Default)]
pub struct Hold {
    clock: Clock,
    state: Mutex<State>,
    released: Notify,
    on_change: OnceLock<OnChange>,
}

type OnChange = Box<dyn Fn(HoldChange) + Send + Sync>;

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// Operations that are answered 401 although the credential works for others: it lacks a permission for them.
    refused_alone: BTreeSet<String>,
}

#[derive(Debug)]
struct Held {
    reason: String,
    /// The operation that was refused first.
    by: Option<String>,
    checks: u32,
    /// By [`Clock::elapsed`].
    next: Duration,
    /// A checking request is in flight.
    checking: bool,
}

/// The connection sends nothing for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnHold {
    /// Time until the next check.
    pub wait: Duration,
    /// Why, with the connection's name. The same text for the whole hold.
    pub reason: String,
}

/// A hold started or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldChange {
    /// The connection.
    pub connection: String,
    /// Why it is held; `None` when the hold has ended.
    pub reason: Option<String>,
}

impl Hold {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// Reports every change to `tell`. To be called once.
    pub fn on_change(&self, tell: impl Fn(HoldChange) + Send + Sync + 'static) {
        // An existing listener stays.
        let _ = self.on_change.set(Box::new(tell));
    }

    /// Whether a request is allowed. While held, one is allowed after each pause, as a check.
    pub fn check(&self) -> Result<(), OnHold> {
        let now = self.clock.elapsed();
        match &mut self.state().held {
            Some(held) if held.next > now => {
                Err(OnHold { wait: held.next - now, reason: held.reason.clone() })
            }
            Some(held) => {
                held.next = now + BACKOFF.pause(held.checks + 2);
                held.checking = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Why the connection is held, if it is.
    pub fn reason(&self) -> Option<String> {
        self.state().held.as_ref().map(|held| held.reason.clone())
    }

    /// Resolves when the next hold ends.
    pub async fn released(&self) {
        self.released.notified().await;
    }

    /// The credential of `connection` was refused, to a request of `operation` if one was sent. `None`: not
    /// the credential is refused, but its use for this operation, for it works for others.
    pub fn refuse(&self, connection: &str, operation: Option<&str>, reason: &str) -> Option<OnHold> {
        let now = self.clock.elapsed();
        let mut state = self.state();
        if let Some(held) = &mut state.held {
            // Requests in flight when the hold started do not count.
            if std::mem::take(&mut held.checking) {
                held.checks += 1;
                held.next = now + BACKOFF.pause(held.checks + 1);
            }
            let wait = held.next.saturating_sub(now);
            return Some(OnHold { wait, reason: held.reason.clone() });
        }
        if operation.is_some_and(|operation| state.refused_alone.contains(operation)) {
            return None;
        }
        state.refused_alone.clear();
        let reason = format!("connection `{connection}` is held: {reason}");
        state.held = Some(Held {
            reason: reason.clone(),
            by: operation.map(str::to_owned),
            checks: 0,
            next: now + BACKOFF.first,
            checking: false,
        });
        drop(state);
        self.report_change(connection, Some(reason.clone()));
        Some(OnHold { wait: BACKOFF.first, reason })
    }

    /// Reports that the credential of `connection` was replaced; its requests will show whether the new one works.
    pub fn renew(&self, connection: &str) {
        let mut state = self.state();
        if state.held.take().is_some() {
            drop(state);
            self.report_change(connection, None);
            self.released.notify_waiters();
        }
    }

    /// Reports that the credential of `connection` was accepted for `operation`.
    pub fn accept(&self, connection: &str, operation: &str) {
        let mut state = self.state();
        state.refused_alone.remove(operation);
        let Some(held) = state.held.take() else { return };
        // Only this operation is refused.
        state.refused_alone.extend(held.by.filter(|by| by != operation));
        drop(state);
        self.report_change(connection, None);
        self.released.notify_waiters();
    }

    fn report_change(&self, connection: &str, reason: Option<String>) {
        if let Some(tell) = self.on_change.get() {
            tell(HoldChange { connection: connection.to_owned(), reason });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hold").field(&self.state()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn one_request_after_each_pause_finds_out() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let hold = Hold::new(manual.clock());
        assert_eq!(hold.check(), Ok(()));
        let on_hold = hold.refuse("studio", Some("a"), "401").unwrap();
        assert_eq!(on_hold.reason, "connection `studio` is held: 401");
        // In flight when the hold started.
        hold.refuse("studio", Some("b"), "401 again");
        assert_eq!(hold.check(), Err(on_hold));
        manual.advance(TimeDelta::from_std(BACKOFF.first).unwrap());
        assert_eq!(hold.check(), Ok(()));
        assert!(hold.check().is_err(), "only one goes to see");
        assert_eq!(hold.refuse("studio", Some("b"), "401").unwrap().wait, 2 * BACKOFF.first);
        hold.accept("studio", "a");
        assert_eq!((hold.check(), hold.reason()), (Ok(()), None));
    }

    #[test]
    fn a_refusal_of_one_operation_is_not_a_hold() {
        let hold = Hold::default();
        assert!(hold.refuse("studio", Some("agency"), "401").is_some());
        hold.accept("studio", "contacts");
        assert_eq!(hold.refuse("studio", Some("agency"), "401"), None);
        assert_eq!(hold.reason(), None);
        // Now the credential itself is refused.
        assert!(hold.refuse("studio", Some("contacts"), "401").is_some());
        hold.accept("studio", "contacts");
        assert!(hold.refuse("studio", Some("agency"), "401").is_some());
    }

    #[test]
    fn each_change_is_reported_once() {
        let hold = Hold::default();
        let (told, heard) = std::sync::mpsc::channel();
        hold.on_change(move |change| told.send(change).unwrap());
        hold.accept("studio", "a");
        hold.refuse("studio", None, "no token");
        hold.refuse("studio", None, "no token");
        hold.accept("studio", "a");
        hold.accept("studio", "a");
        let reasons: Vec<Option<String>> = heard.try_iter().map(|change| change.reason).collect();
        assert_eq!(reasons, [Some("connection `studio` is held: no token".to_owned()), None]);
    }
}
