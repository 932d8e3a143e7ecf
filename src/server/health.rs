//! `GET /healthz` and `GET /readyz`: the process answers; the store takes writes, and took the last one.

use std::sync::{Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use chrono::{DateTime, TimeDelta, Utc};

use super::Server;
use super::answer::refuse;
use super::local_caller::is_asked_here;
use crate::journal::Error;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Why not is for those on this machine: it names the store.
pub(super) async fn ready(State(server): State<Server>, request: Request) -> Response {
    let shared = server.shared();
    let well = shared.journal.healthy().await;
    match well.and_then(|()| shared.recovery.of(shared.journal.last_failure(), shared.clock.now())) {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            let reason = match is_asked_here(&request) {
                true => error.to_string(),
                false => "the store does not take writes now; the log says why".to_owned(),
            };
            tracing::warn!(%error, "not ready");
            refuse(StatusCode::SERVICE_UNAVAILABLE, &reason)
        }
    }
}

/// After so long in which the store would have taken writes, one that failed before counts no more: where nothing is
/// sent to a server that is not ready, no write could ever show that it is.
const FORGIVEN: TimeDelta = TimeDelta::seconds(60);

/// Since when the store looks well although its last write failed.
#[derive(Debug, Default)]
pub(super) struct Recovery(Mutex<Option<(String, DateTime<Utc>)>>);

impl Recovery {
    fn of(&self, last: Option<Error>, now: DateTime<Utc>) -> Result<(), Error> {
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
        assert!(recovery.of(None, at(0)).is_ok());
        assert!(recovery.of(failed(), at(1)).is_err() && recovery.of(failed(), at(60)).is_err());
        assert!(recovery.of(None, at(60)).is_ok(), "one has succeeded");
        assert!(recovery.of(failed(), at(62)).is_err() && recovery.of(failed(), at(121)).is_err());
        assert!(recovery.of(failed(), at(122)).is_ok());
    }
}
