//! Events that arrive at an even rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::Result;

/// The most events that are sent at the same time.
const IN_FLIGHT: usize = 64;
/// How often events are sent.
const BEAT: Duration = Duration::from_millis(20);

/// Sends events until it is stopped.
pub struct Load {
    stopped: Arc<AtomicBool>,
    sender: JoinHandle<Result<(u64, Duration)>>,
}

impl Load {
    /// Starts sending `rate` events a second to the webhook of the live recipe.
    pub fn start(address: SocketAddr, rate: u32) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let sender = tokio::spawn(send(format!("http://{address}/webhooks/in"), rate, Arc::clone(&stopped)));
        Self { stopped, sender }
    }

    /// Stops; returns how many events were acknowledged, and in which time.
    pub async fn stop(self) -> Result<(u64, Duration)> {
        self.stopped.store(true, Ordering::Release);
        self.sender.await?
    }
}

async fn send(url: String, rate: u32, stopped: Arc<AtomicBool>) -> Result<(u64, Duration)> {
    let http = reqwest::Client::builder().tcp_nodelay(true).pool_max_idle_per_host(IN_FLIGHT).build()?;
    let (free, acknowledged) = (Arc::new(Semaphore::new(IN_FLIGHT)), Arc::new(AtomicU64::new(0)));
    let (begun, mut sent, mut beat) = (Instant::now(), 0_u64, tokio::time::interval(BEAT));
    while !stopped.load(Ordering::Acquire) {
        beat.tick().await;
        let wanted = (begun.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        while sent < wanted {
            let permit = Arc::clone(&free).acquire_owned().await?;
            let (http, url, acknowledged) = (http.clone(), url.clone(), Arc::clone(&acknowledged));
            let event = json!({ "number": format!("live-{begun:?}-{sent}"), "id": format!("live-{}", sent % 5_000),
                "email": format!("live-{}@example.com", sent % 5_000), "firstName": "Ada" });
            tokio::spawn(async move {
                let _permit = permit;
                let answer = http.post(url).json(&event).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    acknowledged.fetch_add(1, Ordering::AcqRel);
                }
            });
            sent += 1;
        }
    }
    let took = begun.elapsed();
    let _all = free.acquire_many(u32::try_from(IN_FLIGHT)?).await?;
    match acknowledged.load(Ordering::Acquire) {
        all if all == sent => Ok((sent, took)),
        some => Err(format!("only {some} of {sent} events were acknowledged").into()),
    }
}
