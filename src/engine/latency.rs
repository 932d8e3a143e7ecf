//! Durations, counted by buckets.

use std::time::Duration;

/// Upper bounds of the buckets in seconds; beyond the last one there is one more.
pub const BOUNDS: [f64; 14] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

/// A histogram of durations.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Latency {
    /// How many fell into each bucket, without those before it; the last one has no bound.
    pub counts: [u64; BOUNDS.len() + 1],
    /// The sum in seconds.
    pub sum: f64,
}

impl Latency {
    /// Counts a duration.
    pub fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.counts[bucket] += 1;
        self.sum += seconds;
    }

    /// Adds what another one has counted.
    pub fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_one_bucket() {
        let mut latency = Latency::default();
        for millis in [0, 1, 2, 100, 101, 500_000] {
            latency.observe(Duration::from_millis(millis));
        }
        assert_eq!((latency.count(), latency.counts[0], latency.counts[BOUNDS.len()]), (6, 2, 1));
        let mut twice = latency;
        twice.add(&latency);
        assert_eq!((twice.count(), twice.sum), (12, latency.sum * 2.0));
    }
}
