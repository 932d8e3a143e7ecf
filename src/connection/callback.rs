//! The redirect address of a consent page on this machine: receives the code and shows a page.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONNECTION, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use url::{Host, form_urlencoded};

use super::Consent;
use crate::printable;
use crate::secret::Secret;

/// Longest wait for the browser to load the last page.
const PAGE_TIMEOUT: Duration = Duration::from_secs(1);
/// Most characters of a refusal that are quoted.
const QUOTED: usize = 200;

/// Listens for the redirect of a consent page.
#[derive(Debug)]
pub struct Callback {
    arrivals: mpsc::Receiver<Arrival>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// A received redirect; the browser waits for the resulting page.
#[derive(Debug)]
pub struct Arrival {
    /// The code, or why there is none.
    pub code: Result<Secret, String>,
    page: oneshot::Sender<bool>,
}

impl Arrival {
    /// Shows whether connecting succeeded.
    pub fn show(self, connected: bool) {
        // The browser may be closed.
        let _ = self.page.send(connected);
    }
}

struct Question {
    consent: Arc<Consent>,
    arrivals: mpsc::Sender<Arrival>,
}

impl Callback {
    /// Listens on the redirect address of `consent`.
    pub async fn listen(consent: Arc<Consent>) -> std::io::Result<Self> {
        let url = consent.redirect();
        let port = url.port_or_known_default().unwrap_or(80);
        let listener = match url.host() {
            Some(Host::Ipv4(address)) => TcpListener::bind((address, port)).await?,
            Some(Host::Ipv6(address)) => TcpListener::bind((address, port)).await?,
            _ => TcpListener::bind(("127.0.0.1", port)).await?,
        };
        let (sender, arrivals) = mpsc::channel(1);
        let question = Arc::new(Question { consent, arrivals: sender });
        let router = Router::new().fallback(answer).with_state(question);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            // A failure ends the stream of arrivals.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { arrivals, stop, task })
    }

    /// The next redirect with the right state; others are refused. `None` once it has stopped listening.
    pub async fn next(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }

    /// Stops listening, once the browser has loaded its page.
    pub async fn close(self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(PAGE_TIMEOUT, self.task).await;
    }
}

async fn answer(State(question): State<Arc<Question>>, OriginalUri(uri): OriginalUri) -> Response {
    if uri.path() != question.consent.redirect().path() {
        return page(StatusCode::NOT_FOUND, "There is nothing here.");
    }
    let query = uri.query().unwrap_or_default();
    let field = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    if !question.consent.is_answered_by(&field("state").unwrap_or_default()) {
        let text =
            "This answer is not for the request that hob is waiting on. Open the address that hob printed.";
        return page(StatusCode::BAD_REQUEST, text);
    }
    let code = match field("code").filter(|code| !code.is_empty()) {
        Some(code) => Ok(Secret::new(code)),
        None => Err(refusal(field("error"), field("error_description"))),
    };
    let (sender, shown) = oneshot::channel();
    let told = question.arrivals.send(Arrival { code, page: sender }).await;
    match (told, shown.await) {
        (Ok(()), Ok(true)) => page(StatusCode::OK, "Connected. You can close this page."),
        _ => page(StatusCode::BAD_REQUEST, "Not connected. The terminal that runs hob shows why."),
    }
}

/// Why there is no code, safe to print.
fn refusal(error: Option<String>, description: Option<String>) -> String {
    let told: Vec<String> = error.into_iter().chain(description).collect();
    let told = told.join(": ");
    if told.is_empty() { "no code came back".into() } else { printable::line(&told, QUOTED) }
}

fn page(status: StatusCode, text: &'static str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>hob</title><p>{text}</p></html>\n"
    );
    // The address contains the code and must not be passed on.
    let headers = [(REFERRER_POLICY, "no-referrer"), (CACHE_CONTROL, "no-store"), (CONNECTION, "close")];
    (status, headers, Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_plain_text() {
        let told = refusal(Some("access_denied".into()), Some("No\u{1b}[31m thanks".into()));
        assert_eq!(told, "access_denied: No\\u{1b}[31m thanks");
        assert_eq!(refusal(None, None), "no code came back");
    }
}
