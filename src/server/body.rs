//! Reads the body of an unverified request, with limits of size, time, and total memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Time limit for a whole body.
const WHOLE: Duration = Duration::from_secs(60);
/// Longest pause within one.
const SILENCE: Duration = Duration::from_secs(10);
/// Memory reserved for the beginning of each body, so that a few large ones do not block the usual ones; one
/// reservation per connection.
const BEGINNING: usize = 32 << 10;
/// Memory of all bodies beyond that, in units.
const MAX_UNITS: usize = 64 << 10;
/// Bytes of a unit.
const UNIT: usize = 1 << 10;
/// How much of a rejected body is read, and for how long: senders still writing when the connection is closed often
/// miss the answer.
const UNWANTED: (usize, Duration) = (1 << 20, Duration::from_secs(2));

/// Memory for unverified bodies. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_UNITS)))
    }
}

/// A body, which holds its memory until dropped.
#[derive(Debug)]
pub(super) struct UnverifiedBody {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    #[error("the body is larger than the limit of {0} bytes")]
    TooLarge(usize),
    #[error("the body comes too slowly")]
    TooSlow,
    #[error("the body is incomplete")]
    BrokeOff,
    #[error("too much is received at the same time; send it again later")]
    NoRoom,
}

impl Unread {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Unread::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Unread::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Unread::BrokeOff => StatusCode::BAD_REQUEST,
            Unread::NoRoom => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl Room {
    /// Reads a body of at most `limit` bytes.
    pub(super) async fn read(&self, body: Body, limit: usize) -> Result<UnverifiedBody, Unread> {
        timeout(WHOLE, self.collect(body, limit)).await.unwrap_or(Err(Unread::TooSlow))
    }

    async fn collect(&self, body: Body, limit: usize) -> Result<UnverifiedBody, Unread> {
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        let mut units = 0;
        while let Some(chunk) = timeout(SILENCE, chunks.next()).await.map_err(|_| Unread::TooSlow)? {
            let chunk = chunk.map_err(|_| Unread::BrokeOff)?;
            let length = bytes.len() + chunk.len();
            if length > limit {
                discard(Body::from_stream(chunks));
                return Err(Unread::TooLarge(limit));
            }
            let more = length.saturating_sub(BEGINNING).div_ceil(UNIT) - units;
            if more > 0 {
                let taken = u32::try_from(more).ok();
                let taken = taken.and_then(|more| Arc::clone(&self.0).try_acquire_many_owned(more).ok());
                let Some(taken) = taken else {
                    discard(Body::from_stream(chunks));
                    return Err(Unread::NoRoom);
                };
                units += more;
                match &mut room {
                    Some(room) => room.merge(taken),
                    None => room = Some(taken),
                }
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(UnverifiedBody { bytes: bytes.into(), _room: room })
    }
}

/// Briefly reads and discards more of the body while the answer is sent.
pub(super) fn discard(body: Body) {
    let (most, time) = UNWANTED;
    tokio::spawn(timeout(time, async move {
        let mut read = 0;
        let mut chunks = body.into_data_stream();
        while let Some(Ok(chunk)) = chunks.next().await {
            read += chunk.len();
            if read > most {
                break;
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = BEGINNING + 10 * UNIT;

    fn body(bytes: usize) -> Body {
        Body::from(vec![b'x'; bytes])
    }

    #[tokio::test]
    async fn bodies_share_the_room_and_give_it_back() {
        let room = Room(Arc::new(Semaphore::new(4)));
        let first = room.read(body(BEGINNING + 3 * UNIT), MOST).await.unwrap();
        assert_eq!(first.bytes.len(), BEGINNING + 3 * UNIT);
        assert_eq!(room.read(body(BEGINNING + UNIT + 1), MOST).await.unwrap_err(), Unread::NoRoom);
        assert!(room.read(body(BEGINNING + UNIT), MOST).await.is_ok());
        assert_eq!(room.read(body(10), 9).await.unwrap_err(), Unread::TooLarge(9));
        let _second = room.read(body(BEGINNING + UNIT), MOST).await.unwrap();
        assert!(room.read(body(BEGINNING), MOST).await.is_ok(), "what is small has room");
        drop(first);
        assert!(room.read(body(BEGINNING + 3 * UNIT), MOST).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_says_nothing_is_not_waited_for() {
        let silent = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(Room::default().read(silent, 10).await.unwrap_err(), Unread::TooSlow);
    }

    #[tokio::test(start_paused = true)]
    async fn nor_one_that_says_little_for_long() {
        let drip = futures::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(9)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        assert_eq!(Room::default().read(Body::from_stream(drip), 100).await.unwrap_err(), Unread::TooSlow);
    }
}
