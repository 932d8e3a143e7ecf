//! The source of a connection's tokens, which are shared by all its requests and fetched on demand.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Error;
use super::login::LoginSource;
use super::oauth::App;
use super::stored_tokens::StoredTokens;
use super::token::Token;
use crate::clock::Clock;
use crate::secret::{Redactor, Secret};

/// How tokens are obtained.
#[derive(Debug)]
pub(super) enum Origin {
    /// OAuth client credentials.
    App(App),
    /// User name and password.
    Login(LoginSource),
    /// A person's consent, stored in a file.
    Stored(Arc<StoredTokens>),
}

impl Origin {
    /// A token other than `refused`.
    async fn fetch(&self, refused: Option<&str>, clock: &Clock) -> Result<Token, Error> {
        match self {
            Origin::App(app) => app.client_credentials(clock.now()).await,
            Origin::Login(login) => login.log_in(clock.now()).await,
            Origin::Stored(kept) => kept.another(refused, clock).await,
        }
    }

    fn secrets(&self) -> Vec<Secret> {
        match self {
            Origin::App(app) => vec![app.client_secret().clone()],
            Origin::Login(login) => login.secrets(),
            Origin::Stored(kept) => vec![kept.client_secret().clone()],
        }
    }
}

/// The source of tokens, with the current one.
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

    /// A valid token.
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

    /// Replaces the token `refused`, unless it was replaced meanwhile.
    pub(super) async fn refresh(&self, refused: &str) -> Result<(), Error> {
        let _one = self.fetching.lock().await;
        match self.valid() {
            Some(token) if token.expose() != refused => Ok(()),
            _ => self.fetch(Some(refused)).await.map(drop),
        }
    }

    /// Waits for token requests in flight whose tokens must be stored.
    pub(super) async fn finish_token_requests(&self) {
        if let Origin::Stored(kept) = &self.origin {
            kept.finish_token_requests().await;
        }
    }

    pub(super) fn secrets(&self) -> Vec<Secret> {
        let present = self.present();
        self.origin.secrets().into_iter().chain(present.iter().flat_map(Token::secrets)).collect()
    }

    /// Makes `redactor` learn fetched tokens.
    pub(super) fn hide_tokens_in(&self, redactor: &Redactor) {
        redactor.add_short_lived(self.present().iter().flat_map(Token::secrets));
        // Only the first redactor is used.
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
            redactor.add_short_lived(token.secrets());
        }
        *self.present.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        Ok(access)
    }
}
