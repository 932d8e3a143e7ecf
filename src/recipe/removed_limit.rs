//! How many records of a list may be removed at once.

use std::fmt;

/// Up to this many removed records are within a limit that is a share: of a short list, a few are a large share.
const ALWAYS_ALLOWED: u64 = 5;
/// The default share: a person rarely removes more between two polls, while an answer that lacks a page usually lacks
/// more.
const DEFAULT_PERCENT: u8 = 10;

/// How many of the known records of a list may be gone at once and still be reported as removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedLimit {
    /// A share in percent, 0 to 100; 100 is no limit.
    Percent(u8),
    /// A number of records.
    Records(u64),
}

impl Default for RemovedLimit {
    fn default() -> Self {
        Self::Percent(DEFAULT_PERCENT)
    }
}

impl RemovedLimit {
    /// Whether `gone` of `known` records are too many. Two or more records that are all gone are, unless there is no
    /// limit.
    pub fn is_exceeded(self, gone: u64, known: u64) -> bool {
        let most = match self {
            Self::Percent(100..) => return false,
            Self::Percent(percent) => (known.saturating_mul(percent.into()) / 100).max(ALWAYS_ALLOWED),
            Self::Records(count) => count,
        };
        gone > most || gone > 1 && gone >= known
    }
}

/// As it is written in recipes.
impl fmt::Display for RemovedLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Records(count) => count.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_allows_a_few_and_never_all() {
        let usual = RemovedLimit::default();
        for (gone, known, exceeded) in [
            (1, 1, false),
            (2, 2, true),
            (3, 4, false),
            (5, 8, false),
            (6, 8, true),
            (10, 100, false),
            (11, 100, true),
            (100, 1_000, false),
            (101, 1_000, true),
            (u64::MAX, u64::MAX, true),
        ] {
            assert_eq!(usual.is_exceeded(gone, known), exceeded, "{gone} of {known}");
        }
    }

    #[test]
    fn a_number_is_exact_and_100_percent_is_no_limit() {
        assert!(RemovedLimit::Records(0).is_exceeded(1, 100));
        assert!(!RemovedLimit::Records(50).is_exceeded(50, 60));
        assert!(RemovedLimit::Records(50).is_exceeded(51, 60));
        assert!(RemovedLimit::Records(50).is_exceeded(2, 2));
        assert!(!RemovedLimit::Percent(100).is_exceeded(2, 2));
    }
}
