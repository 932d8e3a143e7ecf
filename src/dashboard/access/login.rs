//! The login page, and the end of a session.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::actor::Actor;
use super::attempts::TooMany;
use super::cookie::Cookie;
use super::guard::Reached;
use super::policy::Access;
use super::refusal::Refusal;
use super::{csrf, path, session};
use crate::dashboard::state::Dashboard;
use crate::dashboard::{Operator, renderer};
use crate::journal::Act;
use crate::operator::{Account, PasswordHash, Proof, TokenHash, secret};

/// The name in the audit log of whoever tries to log in with an unknown one. It may be a password in the wrong field, so it is
/// not recorded.
const UNKNOWN_NAME: &str = "(unknown)";

/// What the address of the login page says.
#[derive(Debug, Deserialize)]
pub(in crate::dashboard) struct Wanted {
    next: Option<String>,
}

/// `GET /login`
pub(in crate::dashboard) async fn show(
    operator: Option<Extension<Operator>>,
    Extension(reached): Extension<Reached>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let next = wanted.next.as_deref().map_or("/", path::local);
    match operator {
        Some(_) => redirect(next, []),
        None => form(StatusCode::OK, next, None, reached, &headers),
    }
}

/// The page with its form and the cookie that it is bound to.
fn form(
    status: StatusCode,
    next: &str,
    problem: Option<&str>,
    reached: Reached,
    headers: &HeaderMap,
) -> Response {
    let known = Cookie::Login.read(headers, reached.secure).map(str::to_owned);
    let Some(bound) = known.or_else(|| secret().ok()) else { return Refusal::NoRandomness.answer(headers) };
    let page = json!({ "title": "Log in", "next": next, "problem": problem, "csrf": csrf::token(&bound) });
    let Ok(html) = renderer::render("login.html", &page) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, renderer::html(html)).into_response();
    if let Some(cookie) = Cookie::Login.set(&bound, reached.secure) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// `POST /login`
pub(in crate::dashboard) async fn log_in(
    State(dashboard): State<Dashboard>,
    operator: Option<Extension<Operator>>,
    Extension(reached): Extension<Reached>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let field = |name: &str| csrf::field(&body, name).unwrap_or_default();
    let (name, password, next) = (field("name"), field("password"), field("next"));
    let next = path::local(&next);
    if operator.is_some() {
        return redirect(next, []);
    }
    match begin(&dashboard, reached, &headers, name.trim(), &password).await {
        Ok(Some(secret)) => {
            let cookies = [Cookie::Session.set(&secret, reached.secure), Cookie::Login.clear(reached.secure)];
            redirect(next, cookies)
        }
        Ok(None) => {
            let problem = "The name or the password is wrong.";
            form(StatusCode::UNAUTHORIZED, next, Some(problem), reached, &headers)
        }
        Err(refusal) => refusal.answer(&headers),
    }
}

/// Begins a session, if the password is right; returns its secret.
async fn begin(
    dashboard: &Dashboard,
    reached: Reached,
    headers: &HeaderMap,
    name: &str,
    password: &str,
) -> Result<Option<String>, Refusal> {
    let (access, services) = (dashboard.access(), dashboard.services());
    let (journal, now) = (services.journal.as_ref(), services.clock.now());
    access.attempts().begin(name, reached.client, now).map_err(too_many)?;
    let account = access.account(name);
    let proof = proven(access, account, password).await?;
    let actor = |name: &str| Actor { operator: name.to_owned(), origin: reached.client.to_string() };
    let (Some(account), Some(proof)) = (account, proof) else {
        let name = account.map_or(UNKNOWN_NAME, |account| account.name.as_str());
        tracing::warn!(operator = name, from = %reached.client, "a login failed");
        if access.attempts().is_recorded(now) {
            journal.save_act(&actor(name).does(now, Act::LoginFailed)).await?;
        }
        return Ok(None);
    };
    access.attempts().succeeded(name, reached.client);
    if let Some(earlier) = Cookie::Session.read(headers, reached.secure) {
        session::end(journal, earlier).await?;
    }
    let secret = session::begin(journal, account, &proof, now).await?;
    journal.save_act(&actor(&account.name).does(now, Act::Login)).await?;
    tracing::info!(operator = account.name, from = %reached.client, "an operator logged in");
    Ok(Some(secret))
}

fn too_many(TooMany { wait }: TooMany) -> Refusal {
    Refusal::TooManyAttempts(wait.num_minutes() + 1)
}

/// What `password` proves: the account's password, or its token. Takes as long without an account.
async fn proven(
    access: &Access,
    account: Option<&Account>,
    password: &str,
) -> Result<Option<Proof>, Refusal> {
    let hash = account.and_then(Account::password).cloned();
    let token = account.and_then(Account::token).filter(|token| **token == TokenHash::of(password)).copied();
    let compared = hash.clone().unwrap_or_else(PasswordHash::of_nobody);
    let password = password.to_owned();
    let _turn = access.checks().acquire().await.map_err(|_| Refusal::Busy)?;
    let right = tokio::task::spawn_blocking(move || compared.verify(&password)).await;
    let right = right.map_err(|_| Refusal::Busy)?;
    Ok(hash.filter(|_| right).map(Proof::Password).or(token.map(Proof::Token)))
}

/// `POST /logout`
pub(in crate::dashboard) async fn log_out(
    State(dashboard): State<Dashboard>,
    Extension(reached): Extension<Reached>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
) -> Response {
    let services = dashboard.services();
    let Some(secret) = Cookie::Session.read(&headers, reached.secure) else { return redirect("/", []) };
    let ended = async {
        session::end(services.journal.as_ref(), secret).await?;
        services.journal.save_act(&actor.does(services.clock.now(), Act::Logout)).await
    };
    match ended.await {
        Ok(()) => redirect("/login", [Cookie::Session.clear(reached.secure)]),
        Err(error) => Refusal::Journal(error).answer(&headers),
    }
}

/// Leads to `next`, a path on this server.
fn redirect(next: &str, cookies: impl IntoIterator<Item = Option<HeaderValue>>) -> Response {
    let next = HeaderValue::from_str(next).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, next)]).into_response();
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
