//! `/changes`: the stream of events for one open page.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::topic::Topic;
use super::watchers::Watcher;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;

/// A stream ends after so long. The browser opens a new one, for which it must still be logged in.
const LIFE: Duration = Duration::from_secs(120);
/// After so long without an event there is a sign of life, so that nobody on the way ends the stream.
const SIGN: Duration = Duration::from_secs(15);
/// When a browser opens a new stream after the end of one.
const AGAIN: Duration = Duration::from_secs(1);
/// The fingerprint that a browser has got last.
const LAST: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies to hand on each event at once.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Becomes true when `hob run` stops; streams end then. Among the extensions of a request.
#[derive(Debug, Clone)]
pub(in crate::dashboard) struct Stopped(pub(in crate::dashboard) watch::Receiver<bool>);

/// What the page shows already.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::dashboard) struct Asked {
    seen: Option<String>,
}

/// `GET /changes?of=…`
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    _visitor: Visitor,
    Extension(Stopped(stopped)): Extension<Stopped>,
    topic: Result<Query<Topic>, QueryRejection>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let Query(topic) =
        topic.map_err(|_| PageError::Unusable("there is no such thing to watch".to_owned()))?;
    let (shown, of) = (dashboard.clone(), topic.clone());
    let look = move || {
        let (shown, of) = (shown.clone(), of.clone());
        async move { shown.fingerprint(&of).await }
    };
    let Some(watcher) = dashboard.watchers().add(&topic, look) else {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    let last = headers.get(LAST).and_then(|last| last.to_str().ok()).map(str::to_owned);
    let events = events(watcher, last.or(asked.seen), stopped);
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN));
    Ok(([UNBUFFERED], stream).into_response())
}

/// An event for each change of what the page has `seen`.
fn events(
    watcher: Watcher,
    seen: Option<String>,
    stopped: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let end = Instant::now() + LIFE;
    futures::stream::unfold((watcher, seen, stopped), move |(mut watcher, seen, mut stopped)| async move {
        let changed = watcher.seen.wait_for(|known| known.is_some() && *known != seen);
        let now = tokio::select! {
            changed = changed => changed.ok()?.clone()?,
            _ = stopped.wait_for(|stopped| *stopped) => return None,
            () = tokio::time::sleep_until(end) => return None,
        };
        let event = Event::default().event("changed").id(&now).data(&now).retry(AGAIN);
        Some((Ok(event), (watcher, Some(now), stopped)))
    })
}
