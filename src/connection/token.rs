//! One token, shared by all requests of a connection, fetched when it is needed.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::Error;
use super::login::LoginSource;
use super::oauth::App;
use super::stored_tokens::StoredTokens;
use crate::clock::Clock;
use crate::secret::{Redactor, Secret};

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

/// What gives the tokens.
#[derive(Debug)]
pub(super) enum Origin {
    /// OAuth client credentials.
    App(App),
    /// User name and password.
    Login(LoginSource),
    /// What a person consented to, kept in a file.
    Kept(Arc<StoredTokens>),
}

impl Origin {
    /// Another token than `refused`.
    async fn fetch(&self, refused: Option<&str>, clock: &Clock) -> Result<Token, Error> {
        match self {
            Origin::App(app) => app.client_credentials(clock.now()).await,
            Origin::Login(login) => login.log_in(clock.now()).await,
            Origin::Kept(kept) => kept.another(refused, clock).await,
        }
    }

    fn secrets(&self) -> Vec<Secret> {
        match self {
            Origin::App(app) => vec![app.client_secret().clone()],
            Origin::Login(login) => login.secrets(),
            Origin::Kept(kept) => vec![kept.client_secret().clone()],
        }
    }
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

/// Where tokens come from, and the present one.
#[derive(Debug)]
pub struct TokenSource {
    origin: Origin,
    clock: Clock,
    /// Held while a token is fetched, so that only one is.
    fetching: tokio::sync::Mutex<()>,
    present: Mutex<Option<Token>>,
    /// Learns every token before it is used.
    hidden_in: OnceLock<Redactor>,
}

impl TokenSource {
    pub(super) fn new(origin: Origin, clock: Clock) -> Self {
        Self {
            origin,
            clock,
            fetching: tokio::sync::Mutex::default(),
            present: Mutex::default(),
            hidden_in: OnceLock::new(),
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A token that is valid as far as we know.
    pub(super) async fn token(&self) -> Result<Secret, Error> {
        if let Some(token) = self.valid() {
            return Ok(token);
        }
        let _one = self.fetching.lock().await;
        match self.valid() {
            Some(token) => Ok(token),
            None => self.fetch(None).await,
        }
    }

    /// Replaces the token `refused`, unless that was done meanwhile.
    pub(super) async fn refresh(&self, refused: &str) -> Result<(), Error> {
        let _one = self.fetching.lock().await;
        match self.valid() {
            Some(token) if token.expose() != refused => Ok(()),
            _ => self.fetch(Some(refused)).await.map(drop),
        }
    }

    /// Waits until no token is fetched that must be kept.
    pub(super) async fn settle(&self) {
        if let Origin::Kept(kept) = &self.origin {
            kept.settle().await;
        }
    }

    pub(super) fn secrets(&self) -> Vec<Secret> {
        let present = self.present();
        self.origin.secrets().into_iter().chain(present.iter().flat_map(Token::secrets)).collect()
    }

    /// From now on `redactor` knows the tokens that are fetched.
    pub(super) fn hide_tokens_in(&self, redactor: &Redactor) {
        redactor.add_passing(self.present().iter().flat_map(Token::secrets));
        // Whoever asks first is the one to know them.
        self.hidden_in.set(redactor.clone()).ok();
    }

    fn present(&self) -> Option<Token> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn valid(&self) -> Option<Secret> {
        let now = self.clock.now();
        self.present().filter(|token| token.is_valid(now)).map(|token| token.access)
    }

    async fn fetch(&self, refused: Option<&str>) -> Result<Secret, Error> {
        let token = self.origin.fetch(refused, &self.clock).await?;
        let access = token.access.clone();
        if let Some(redactor) = self.hidden_in.get() {
            redactor.add_passing(token.secrets());
        }
        *self.present.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(access)
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
