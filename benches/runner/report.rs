//! Prints measurements and checks their limits.

use crate::load::Measured;
use crate::{Error, Result};

/// Limits.
pub struct Limits {
    /// Minimum of webhooks per second, with 32 or more in flight.
    pub webhooks: f64,
    /// Minimum ratio of calls to a bare client's, with 32 in flight to a very fast API.
    pub of_bare_client: f64,
    /// Maximum seconds of a run with forty requests.
    pub forty_steps: f64,
    /// Maximum seconds for replaying the recorded runs.
    pub replay: f64,
    /// Maximum memory when idle, in MB.
    pub idle: f64,
}

#[derive(Default)]
pub struct Report {
    pub idle: f64,
    pub forty_steps: f64,
    pub replay: f64,
    best_webhooks: f64,
    pub of_bare_client: f64,
}

impl Report {
    /// Webhooks per second, compared with a bare client that posts to a server that stores nothing.
    pub fn webhooks(&mut self, in_flight: usize, measured: &Measured, bare: f64, inserts: f64) {
        if in_flight >= 32 {
            self.best_webhooks = self.best_webhooks.max(measured.rate);
        }
        self.line(&format!("webhooks, {in_flight} in flight"), "acknowledged/s", measured, bare, inserts);
    }

    /// Calls per second of runs with three requests, compared with a bare client with the same calls.
    pub fn runs(&mut self, answers: &str, in_flight: usize, measured: &Measured, bare: f64, inserts: f64) {
        let what = format!("3-request runs, {in_flight} at a time, answered {answers}");
        self.line(&what, "calls/s", measured, bare, inserts);
    }

    fn line(&self, what: &str, unit: &str, measured: &Measured, bare: f64, inserts: f64) {
        let (rate, used) = (measured.rate, measured.used);
        println!(
            "{what:<50} {rate:>8.0} {unit:<14} {:>5.2} of a bare client's {bare:>6.0}, {:>5.2} of bare inserts; \
             {:>5.1} CPU s, peak {:>5.1} MB",
            rate / bare,
            rate / inserts,
            used.cpu.as_secs_f64(),
            used.peak
        );
    }

    /// Prints the limited values, and fails if one is beyond its limit.
    pub fn judge(&self, limits: &Limits) -> Result<()> {
        let mut beyond = Vec::new();
        let mut judge = |what: &str, value: f64, limit: f64, at_least: bool| {
            let (word, held) = if at_least { ("least", value >= limit) } else { ("most", value <= limit) };
            println!("{what:<44} {value:>9.2} (at {word} {limit})");
            if !held {
                beyond.push(what.to_owned());
            }
        };
        judge("webhooks acknowledged a second", self.best_webhooks, limits.webhooks, true);
        judge("calls, 32 at a time, of a bare client's", self.of_bare_client, limits.of_bare_client, true);
        judge("seconds for a run of forty requests", self.forty_steps, limits.forty_steps, false);
        let replay = format!("seconds to replay {} runs", crate::replay::RUNS);
        judge(&replay, self.replay, limits.replay, false);
        judge("MB while idle", self.idle, limits.idle, false);
        if beyond.is_empty() { Ok(()) } else { Err(Error::from(format!("not held: {}", beyond.join(", ")))) }
    }
}
