//! Tokens that a person consented to: kept in a file, refreshed by one process at a time.

use std::sync::Arc;

use super::Error;
use super::endpoint::Failure;
use super::oauth::App;
use super::token::Token;
use super::token_file::TokenFile;
use crate::clock::Clock;
use crate::secret::Secret;

/// The tokens of a connection that was made by `hob connect`.
#[derive(Debug)]
pub(super) struct KeptTokens {
    connection: String,
    app: App,
    file: TokenFile,
    /// Held while tokens are fetched, also when nobody waits for them any more.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

impl KeptTokens {
    /// Those of `connection`, which `app` gave, in `file`.
    pub(super) fn new(connection: &str, app: App, file: TokenFile) -> Self {
        Self { connection: connection.to_owned(), app, file, fetching: Arc::default() }
    }

    /// The kept token, unless it has ended or is the one that was `refused`: then the next one.
    pub(super) async fn another(
        self: &Arc<Self>,
        refused: Option<&str>,
        clock: &Clock,
    ) -> Result<Token, Error> {
        let (kept, refused, clock) = (Arc::clone(self), refused.map(str::to_owned), clock.clone());
        let fetching = Arc::clone(&self.fetching).lock_owned().await;
        // Who waits for the token may give up; an answer to a refresh must be kept all the same,
        // because the token that was sent is used up.
        let task = tokio::spawn(async move {
            let _fetching = fetching;
            kept.next(refused.as_deref(), &clock).await
        });
        task.await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Stopped { connection: self.connection.clone() }),
        })
    }

    /// Waits until no tokens are fetched.
    pub(super) async fn settle(&self) {
        drop(self.fetching.lock().await);
    }

    pub(super) fn client_secret(&self) -> &Secret {
        self.app.client_secret()
    }

    async fn next(&self, refused: Option<&str>, clock: &Clock) -> Result<Token, Error> {
        let fits = |token: &Token| token.is_valid(clock.now()) && Some(token.access.expose()) != refused;
        let token = self.read()?;
        if fits(&token) {
            return Ok(token);
        }
        let held = self.file.hold().await?;
        // Another process may have been faster.
        let token = self.read()?;
        if fits(&token) {
            return Ok(token);
        }
        let next = self.app.refresh(&token, clock.now()).await.map_err(|failure| self.explain(failure))?;
        self.file.write(held, &next)?;
        Ok(next)
    }

    fn read(&self) -> Result<Token, Error> {
        self.file.read()?.ok_or_else(|| Error::NotConnected { connection: self.connection.clone() })
    }

    fn explain(&self, failure: Failure) -> Error {
        if failure.passing || !matches!(failure.status, None | Some(400 | 401)) {
            return self.app.endpoint.no_token(failure);
        }
        Error::ConsentEnded {
            connection: self.connection.clone(),
            url: self.app.endpoint.shown(),
            reason: failure.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::OauthSettings;
    use super::super::endpoint::Endpoint;
    use super::super::token::{Origin, TokenSource};
    use super::*;
    use crate::clock::HandClock;
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
        hand: HandClock,
    }

    impl Stage {
        /// With tokens that end after an hour.
        async fn new() -> Self {
            let stage = Self {
                server: MockServer::start().await,
                folder: tempfile::tempdir().unwrap(),
                hand: HandClock::new(DateTime::UNIX_EPOCH),
            };
            let ends = Some(stage.hand.clock().now() + TimeDelta::hours(1));
            let (access, refresh) = (Secret::new("access-0"), Some(Secret::new("refresh-0")));
            let held = stage.file().hold().await.unwrap();
            stage.file().write(held, &Token { access, refresh, ends }).unwrap();
            stage
        }

        fn file(&self) -> TokenFile {
            TokenFile::new(self.folder.path(), "studio")
        }

        /// What another process would have.
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
            let kept = KeptTokens::new("studio", app, self.file());
            TokenSource::new(Origin::Kept(Arc::new(kept)), self.hand.clock())
        }

        /// Answers each refresh token once.
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
        stage.hand.advance(TimeDelta::hours(2));
        let (a, b) = tokio::join!(one.token(), other.token());
        assert_eq!((a.unwrap().expose(), b.unwrap().expose()), ("access-1", "access-1"));
        one.refresh("access-1").await.unwrap();
        assert_eq!(stage.file().read().unwrap().unwrap().refresh.unwrap().expose(), "refresh-2");
        other.refresh("access-1").await.unwrap();
        assert_eq!(other.token().await.unwrap().expose(), "access-2");
    }

    #[tokio::test]
    async fn a_pair_is_kept_although_nobody_waits_for_it_any_more() {
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
        source.settle().await;
        assert_eq!(stage.file().read().unwrap().unwrap().refresh.unwrap().expose(), "refresh-1");
        source.refresh("access-0").await.unwrap();
        assert_eq!(source.token().await.unwrap().expose(), "access-1");
    }

    #[tokio::test]
    async fn the_end_of_consent_tells_what_to_do() {
        let stage = Stage::new().await;
        let answer = ResponseTemplate::new(400).set_body_string("used: refresh-0, access-0, very-secret");
        Mock::given(body_string_contains("refresh_token")).respond_with(answer).mount(&stage.server).await;
        let error = stage.source().refresh("access-0").await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("used: ***, ***, ***") && shown.contains("`hob connect studio`"), "{shown}");
        assert!(matches!(error, Error::ConsentEnded { .. }));
        std::fs::remove_file(stage.file().path()).unwrap();
        let shown = stage.source().token().await.unwrap_err().to_string();
        assert!(shown.contains("`hob connect studio`"), "{shown}");
    }
}
