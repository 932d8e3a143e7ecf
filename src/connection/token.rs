//! A token and how long it is valid.

use chrono::{DateTime, TimeDelta, Utc};

use crate::secret::Secret;

/// A token is replaced at most this long before it ends, so that none ends on its way; one that lives for
/// less than some minutes, after three quarters of its life.
const MARGIN: TimeDelta = TimeDelta::seconds(60);
/// No token lives longer, whatever its endpoint says.
const LONGEST: f64 = 1e9;

/// A token, and what replaces it.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) access: Secret,
    /// Good for another token, if the endpoint gave one.
    pub(super) refresh: Option<Secret>,
    pub(super) ends: Option<DateTime<Utc>>,
    /// How long it lives in all, where that is known.
    pub(super) lives: Option<TimeDelta>,
}

impl Token {
    /// Whether it can be sent at `now`.
    pub(super) fn is_valid(&self, now: DateTime<Utc>) -> bool {
        let margin = self.lives.map_or(MARGIN, |lives| (lives / 4).min(MARGIN));
        self.ends.is_none_or(|ends| now + margin < ends)
    }

    /// Its texts, which must not be shown.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Secret> {
        std::iter::once(self.access.clone()).chain(self.refresh.clone())
    }
}

/// How long a token lives whose endpoint says so many seconds.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds, and not too many")]
pub(super) fn lifetime(seconds: f64) -> TimeDelta {
    TimeDelta::seconds(seconds.clamp(0.0, LONGEST) as i64)
}

#[cfg(test)]
impl Token {
    /// One that lives for so long from `asked` on.
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
