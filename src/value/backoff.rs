//! Exponential backoff.

use std::time::Duration;

/// Delays that double from `first` to `most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The shortest delay.
    pub first: Duration,
    /// The longest delay.
    pub most: Duration,
}

impl Backoff {
    /// Delays from `first` to `most`.
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most }
    }

    /// The delay after this many consecutive failures, at least 1.
    pub fn pause(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1);
        self.first.saturating_mul(2u32.saturating_pow(doublings)).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds = Duration::from_secs;
        let backoff = Backoff::new(seconds(2), seconds(300));
        assert_eq!([0, 1, 2, 3, 8].map(|failures| backoff.pause(failures).as_secs()), [2, 2, 4, 8, 256]);
        assert_eq!([9, 40, u32::MAX].map(|failures| backoff.pause(failures)), [seconds(300); 3]);
        assert_eq!(Backoff::new(Duration::MAX, Duration::MAX).pause(9), Duration::MAX);
    }
}
