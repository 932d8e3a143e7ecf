//! Whether the store has recovered since its last failed write.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::journal::Error;

/// After this long with a healthy store, an earlier failed write no longer counts: a server that is not ready gets no
/// requests, so no write could show the recovery.
const FORGIVEN: TimeDelta = TimeDelta::seconds(60);

/// The last failure, and since when the store has looked healthy.
#[derive(Debug, Default)]
pub(super) struct Recovery(Mutex<Option<(String, DateTime<Utc>)>>);

impl Recovery {
    /// The last failed write, unless it no longer counts.
    pub(super) fn remaining_failure(&self, last: Option<Error>, now: DateTime<Utc>) -> Result<(), Error> {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(error) = last else {
            *since = None;
            return Ok(());
        };
        let text = error.to_string();
        match &*since {
            Some((known, since)) if *known == text && now - *since >= FORGIVEN => return Ok(()),
            Some((known, _)) if *known == text => {}
            _ => *since = Some((text, now)),
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_is_remembered_until_one_succeeds_or_for_a_minute() {
        let (recovery, begun) = (Recovery::default(), DateTime::UNIX_EPOCH);
        let failed = || Some(Error::Unavailable { store: "s".into(), reason: "is full".into() });
        let at = |seconds| begun + TimeDelta::seconds(seconds);
        assert!(recovery.remaining_failure(None, at(0)).is_ok());
        assert!(
            recovery.remaining_failure(failed(), at(1)).is_err()
                && recovery.remaining_failure(failed(), at(60)).is_err()
        );
        assert!(recovery.remaining_failure(None, at(60)).is_ok(), "one has succeeded");
        assert!(
            recovery.remaining_failure(failed(), at(62)).is_err()
                && recovery.remaining_failure(failed(), at(121)).is_err()
        );
        assert!(recovery.remaining_failure(failed(), at(122)).is_ok());
    }
}
