//! OAuth tokens of a person's consent: stored in a file, refreshed by one process at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Error;
use super::endpoint::Failure;
use super::oauth::App;
use super::token::Token;
use super::token_file::TokenFile;
use crate::clock::Clock;
use crate::secret::Secret;

/// The tokens of a connection created by `hob connect`.
#[derive(Debug)]
pub(super) struct StoredTokens {
    connection: String,
    app: App,
    file: TokenFile,
    /// Why there is no token. Requests are pointless until somebody consents again.
    ended: Mutex<Option<Ended>>,
    /// Held while tokens are fetched, even if nobody waits for them any more.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

/// The end of a consent.
#[derive(Debug)]
struct Ended {
    /// The refresh token in the file; `None` if the file had no tokens.
    refresh: Option<Secret>,
    /// Why it was refused, if it was.
    reason: Option<String>,
}

impl StoredTokens {
    /// The tokens of `connection`, issued to `app`, in `file`.
    pub(super) fn new(connection: &str, app: App, file: TokenFile) -> Self {
        let (ended, fetching) = (Mutex::default(), Arc::default());
        Self { connection: connection.to_owned(), app, file, ended, fetching }
    }

    /// The stored token, or a refreshed one if it has expired or is the `refused` one.
    pub(super) async fn another(
        self: &Arc<Self>,
        refused: Option<&str>,
        clock: &Clock,
    ) -> Result<Token, Error> {
        let (kept, refused, clock) = (Arc::clone(self), refused.map(str::to_owned), clock.clone());
        let fetching = Arc::clone(&self.fetching).lock_owned().await;
        // The caller may give up; the answer to a refresh must be stored regardless, because the refresh token sent
        // is used up.
        let task = tokio::spawn(async move {
            let _fetching = fetching;
            kept.next(refused.as_deref(), &clock).await
        });
        task.await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Stopped { connection: self.connection.clone() }),
        })
    }

    /// Waits for token requests in flight.
    pub(super) async fn finish_token_requests(&self) {
        drop(self.fetching.lock().await);
    }

    pub(super) fn client_id(&self) -> &str {
        self.app.client_id()
    }

    pub(super) fn client_secret(&self) -> &Secret {
        self.app.client_secret()
    }

    async fn next(&self, refused: Option<&str>, clock: &Clock) -> Result<Token, Error> {
        let next = self.find(refused, clock).await;
        if next.is_ok() {
            *self.ended() = None;
        }
        next
    }

    async fn find(&self, refused: Option<&str>, clock: &Clock) -> Result<Token, Error> {
        let fits = |token: &Token| token.is_valid(clock.now()) && Some(token.access.expose()) != refused;
        let token = self.read()?;
        if fits(&token) {
            return Ok(token);
        }
        let held = self.file.hold().await?;
        // Another process may have refreshed it meanwhile.
        let token = self.read()?;
        if fits(&token) {
            return Ok(token);
        }
        if let Some(reason) = self.refusal(&token) {
            return Err(self.consent_ended(reason));
        }
        let next = self.app.refresh(&token, clock.now()).await;
        let next = next.map_err(|failure| self.explain(&token, failure))?;
        self.file.write(held, &next)?;
        Ok(next)
    }

    /// Whether a person has consented again since there was no token.
    pub(super) fn is_renewed(&self) -> bool {
        let ended = self.ended();
        let Some(Ended { refresh, .. }) = &*ended else { return false };
        let present = self.file.read().ok().flatten();
        present.is_some_and(|token| {
            let known = refresh.as_ref().map(Secret::expose);
            known.is_none() || token.refresh.as_ref().map(Secret::expose) != known
        })
    }

    /// Why the refresh token of `token` was refused, if it was.
    fn refusal(&self, token: &Token) -> Option<String> {
        let refresh = token.refresh.as_ref()?.expose();
        let ended = self.ended();
        let same = |ended: &&Ended| ended.refresh.as_ref().is_some_and(|refused| refused.expose() == refresh);
        ended.as_ref().filter(same).and_then(|ended| ended.reason.clone())
    }

    fn read(&self) -> Result<Token, Error> {
        let read = self.file.read().and_then(|token| {
            token.ok_or_else(|| Error::NotConnected { connection: self.connection.clone() })
        });
        if read.is_err() {
            *self.ended() = Some(Ended { refresh: None, reason: None });
        }
        read
    }

    fn ended(&self) -> MutexGuard<'_, Option<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn explain(&self, token: &Token, failure: Failure) -> Error {
        if failure.transient || !matches!(failure.status, None | Some(400 | 401)) {
            return self.app.endpoint.no_token(failure);
        }
        let reason = failure.status.is_some().then(|| failure.reason.clone());
        *self.ended() = Some(Ended { refresh: token.refresh.clone(), reason });
        self.consent_ended(failure.reason)
    }

    fn consent_ended(&self, reason: String) -> Error {
        let (connection, url) = (self.connection.clone(), self.app.endpoint.shown());
        Error::ConsentEnded { connection, url, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::super::OauthSettings;
    use super::super::endpoint::Endpoint;
    use super::super::token_source::{Origin, TokenSource};
    use super::*;
    use crate::clock::ManualClock;
    use chrono::{DateTime, TimeDelta};
    use indexmap::IndexMap;
    use serde_json::json;
    use std::sync::atomic::{AtomicU64, Ordering};
    use url::Url;
    use wiremock::matchers::body_string_contains;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    struct Stage {
        server: MockServer,
        folder: tempfile::TempDir,
        manual: ManualClock,
    }

    impl Stage {
        /// Tokens that expire after an hour.
        async fn new() -> Self {
            let stage = Self {
                server: MockServer::start().await,
                folder: tempfile::tempdir().unwrap(),
                manual: ManualClock::new(DateTime::UNIX_EPOCH),
            };
            let ends = Some(stage.manual.clock().now() + TimeDelta::hours(1));
            let (access, refresh) = (Secret::new("access-0"), Some(Secret::new("refresh-0")));
            let held = stage.file().hold().await.unwrap();
            stage.file().write(held, &Token { access, refresh, ends, lives: None }).unwrap();
            stage
        }

        fn file(&self) -> TokenFile {
            TokenFile::new(self.folder.path(), "studio")
        }

        /// The token source of another process.
        fn source(&self) -> TokenSource {
            let http = super::super::http_client(&Default::default()).unwrap();
            let url = Url::parse(&self.server.uri()).unwrap();
            let settings = OauthSettings {
                client_id: "me".into(),
                client_secret: Secret::new("very-secret"),
                scopes: vec![],
                redirect: None,
            };
            let endpoint = Endpoint::new(&url, "/token", http).unwrap();
            let app =
                App { endpoint, settings, extra: IndexMap::from([("user_type".into(), "Location".into())]) };
            let kept = StoredTokens::new("studio", app, self.file());
            TokenSource::new(Origin::Stored(Arc::new(kept)), self.manual.clock())
        }

        /// Accepts each refresh token once.
        async fn answer(&self, refreshes: u64) {
            let made = Arc::new(AtomicU64::new(0));
            Mock::given(body_string_contains("grant_type=refresh_token"))
                .and(body_string_contains("user_type=Location"))
                .respond_with(move |request: &wiremock::Request| {
                    let n = made.fetch_add(1, Ordering::SeqCst) + 1;
                    let wanted = format!("refresh_token=refresh-{}&", n - 1);
                    match String::from_utf8_lossy(&request.body).contains(&wanted) {
                        true => ResponseTemplate::new(200).set_body_json(json!({
                            "access_token": format!("access-{n}"),
                            "refresh_token": format!("refresh-{n}"),
                            "expires_in": 3600
                        })),
                        false => ResponseTemplate::new(400).set_body_string(format!("{wanted} very-secret")),
                    }
                })
                .expect(refreshes)
                .mount(&self.server)
                .await;
        }
    }

    #[tokio::test]
    async fn processes_refresh_once_and_take_the_pair_of_each_other() {
        let stage = Stage::new().await;
        stage.answer(2).await;
        let (one, other) = (stage.source(), stage.source());
        assert_eq!(one.token().await.unwrap().expose(), "access-0");
        stage.manual.advance(TimeDelta::hours(2));
        let (a, b) = tokio::join!(one.token(), other.token());
        assert_eq!((a.unwrap().expose(), b.unwrap().expose()), ("access-1", "access-1"));
        one.refresh("access-1").await.unwrap();
        assert_eq!(stage.file().read().unwrap().unwrap().refresh.unwrap().expose(), "refresh-2");
        other.refresh("access-1").await.unwrap();
        assert_eq!(other.token().await.unwrap().expose(), "access-2");
    }

    #[tokio::test]
    async fn a_token_pair_is_stored_even_if_no_caller_waits() {
        let stage = Stage::new().await;
        let answer = json!({ "access_token": "access-1", "refresh_token": "refresh-1" });
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        let (go, told) = std::sync::mpsc::sync_channel(1);
        let told = std::sync::Mutex::new(told);
        let held = move |_: &wiremock::Request| {
            told.lock().unwrap().recv().unwrap();
            answer.clone()
        };
        Mock::given(body_string_contains("refresh_token"))
            .respond_with(held)
            .expect(1)
            .mount(&stage.server)
            .await;
        let source = stage.source();
        let soon = std::time::Duration::from_millis(100);
        assert!(tokio::time::timeout(soon, source.refresh("access-0")).await.is_err());
        go.send(()).unwrap();
        source.finish_token_requests().await;
        assert_eq!(stage.file().read().unwrap().unwrap().refresh.unwrap().expose(), "refresh-1");
        source.refresh("access-0").await.unwrap();
        assert_eq!(source.token().await.unwrap().expose(), "access-1");
    }

    #[tokio::test]
    async fn the_end_of_consent_has_a_remedy() {
        let stage = Stage::new().await;
        let answer = ResponseTemplate::new(400).set_body_string("used: refresh-0, access-0, very-secret");
        Mock::given(body_string_contains("refresh_token")).respond_with(answer).mount(&stage.server).await;
        let error = stage.source().refresh("access-0").await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("used: ***, ***, ***") && shown.contains("`hob connect studio`"), "{shown}");
        assert!(matches!(error, Error::ConsentEnded { .. }));
        // It is not sent again until somebody consents.
        let source = stage.source();
        source.refresh("access-0").await.unwrap_err();
        source.refresh("access-0").await.unwrap_err();
        assert_eq!(stage.server.received_requests().await.unwrap().len(), 2, "once by each process");
        let held = stage.file().hold().await.unwrap();
        let anew = Token::living("access-9", Some("refresh-9"), DateTime::UNIX_EPOCH, TimeDelta::hours(1));
        stage.file().write(held, &anew).unwrap();
        source.refresh("access-0").await.unwrap();
        assert_eq!(source.token().await.unwrap().expose(), "access-9");
        std::fs::remove_file(stage.file().path()).unwrap();
        let shown = stage.source().token().await.unwrap_err().to_string();
        assert!(shown.contains("`hob connect studio`"), "{shown}");
    }
}
