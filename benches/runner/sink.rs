//! A server that answers after a fixed delay and records the times.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::Router;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Result;

/// Its connector.
pub const CONNECTOR: &str = "connector: sink
title: Sink
about: Answers at once.
";
pub const OPERATIONS: &str = "operations:
  sink.things.get:
    title: Get
    summary: Reads.
    kinds: [action]
    method: GET
    path: /things/{id}
    parameters: { id: { in: path, shape: { type: string, required: true } } }
    response: { type: object, fields: { id: { type: string }, name: { type: string } } }
    result: [$]
    effect: read
  sink.things.put:
    title: Put
    summary: Changes.
    kinds: [action]
    method: PUT
    path: /things/{id}
    parameters: { id: { in: path, shape: { type: string, required: true } } }
    body: { shape: { type: object, fields: { name: { type: string } } } }
    response: { type: object, fields: { id: { type: string } } }
    result: [$]
    effect: idempotent
  sink.things.create:
    title: Create
    summary: Makes.
    kinds: [action]
    method: POST
    path: /things
    body: { shape: { type: object, fields: { name: { type: string } } } }
    response: { type: object, fields: { id: { type: string } } }
    result: [$]
    effect: create
";

/// The server; stops with the program.
#[derive(Clone)]
pub struct Sink {
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    count: AtomicU64,
    span: Mutex<Option<(Instant, Instant)>>,
}

impl Seen {
    fn one(&self) -> Json<Value> {
        let now = Instant::now();
        let mut span = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        *span = Some((span.map_or(now, |(first, _)| first), now));
        drop(span);
        self.count.fetch_add(1, Ordering::AcqRel);
        Json(json!({ "id": "thing-1", "name": "a thing" }))
    }
}

impl Sink {
    /// Starts it with this delay.
    pub async fn start(delay: Duration) -> Result<Self> {
        let seen = Arc::new(Seen::default());
        let answer = |seen: &Arc<Seen>| {
            let seen = Arc::clone(seen);
            move || async move {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                seen.one()
            }
        };
        let things = get(answer(&seen)).put(answer(&seen));
        let router = Router::new().route("/things/{id}", things).route("/things", post(answer(&seen)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        // Otherwise delays of the server's socket would be measured.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, seen })
    }

    /// Forgets all requests.
    pub fn reset(&self) {
        *self.seen.span.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.seen.count.store(0, Ordering::Release);
    }

    /// Requests since the last reset.
    pub fn count(&self) -> u64 {
        self.seen.count.load(Ordering::Acquire)
    }

    /// Waits for `count` requests; returns the time from the first to the last.
    pub async fn took(&self, count: u64) -> Result<Duration> {
        let begun = Instant::now();
        while self.seen.count.load(Ordering::Acquire) < count {
            if begun.elapsed() > Duration::from_secs(300) {
                let came = self.seen.count.load(Ordering::Acquire);
                return Err(format!("only {came} of {count} requests came").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let span = *self.seen.span.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, last) = span.ok_or("nothing came")?;
        Ok(last - first)
    }
}
