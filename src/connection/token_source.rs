//! Where the tokens of a connection come from: one is shared by all its requests, and fetched when it is needed.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Error;
use super::login::LoginSource;
use super::oauth::App;
use super::stored_tokens::StoredTokens;
use super::token::Token;
use crate::clock::Clock;
use crate::secret::{Redactor, Secret};

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
        // The first redactor stays.
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
