//! Tokens and their lifetimes.

use chrono::{DateTime, TimeDelta, Utc};

use crate::secret::Secret;

/// A token is replaced this long before it expires, so that none expires in flight; a short-lived one after three
/// quarters of its life.
const MARGIN: TimeDelta = TimeDelta::seconds(60);
/// Maximum lifetime, in seconds, whatever the endpoint states.
const MAX_LIFETIME: f64 = 1e9;

/// A token, and its refresh token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) access: Secret,
    /// The refresh token, if the endpoint gave one.
    pub(super) refresh: Option<Secret>,
    pub(super) ends: Option<DateTime<Utc>>,
    /// Its total lifetime, if known.
    pub(super) lives: Option<TimeDelta>,
}

impl Token {
    /// Whether it can be used at `now`.
    pub(super) fn is_valid(&self, now: DateTime<Utc>) -> bool {
        let margin = self.lives.map_or(MARGIN, |lives| (lives / 4).min(MARGIN));
        self.ends.is_none_or(|ends| now + margin < ends)
    }

    /// Its secrets.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Secret> {
        std::iter::once(self.access.clone()).chain(self.refresh.clone())
    }
}

/// The lifetime for this number of seconds.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds, and not too many")]
pub(super) fn lifetime(seconds: f64) -> TimeDelta {
    TimeDelta::seconds(seconds.clamp(0.0, MAX_LIFETIME) as i64)
}

#[cfg(test)]
impl Token {
    /// A token with this lifetime, requested at `asked`.
    pub(super) fn living(
        access: &str,
        refresh: Option<&str>,
        asked: DateTime<Utc>,
        lives: TimeDelta,
    ) -> Self {
        let (access, refresh) = (Secret::new(access), refresh.map(Secret::new));
        Self { access, refresh, ends: Some(asked + lives), lives: Some(lives) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_follows_the_lifetime() {
        let begun = DateTime::UNIX_EPOCH;
        for (lives, good) in [(86_399, 86_338), (240, 179), (45, 33), (8, 5), (1, 0)] {
            let token = Token::living("a", None, begun, TimeDelta::seconds(lives));
            assert!(token.is_valid(begun + TimeDelta::seconds(good)), "{lives}");
            assert!(!token.is_valid(begun + TimeDelta::seconds(good + 2)), "{lives}");
        }
        let unknown = Token { lives: None, ..Token::living("a", None, begun, TimeDelta::seconds(90)) };
        assert!(unknown.is_valid(begun + TimeDelta::seconds(29)));
        assert!(!unknown.is_valid(begun + TimeDelta::seconds(31)));
    }
}
