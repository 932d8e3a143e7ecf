//! Stands before every page.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::actor::Actor;
use super::cookie::Cookie;
use super::policy::{bearer, listening};
use super::refusal::{Refusal, takes_html};
use super::{client, csrf, fetch, host, path, session};
use crate::dashboard::audit_record::AuditRecord;
use crate::dashboard::state::Dashboard;
use crate::dashboard::{CsrfToken, Operator, Role, renderer};
use crate::journal::Act;
use crate::operator::RESERVED_NAME;

/// The header with which htmx follows to another page.
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");

/// How the caller is known.
enum Caller {
    /// On this machine, without a login.
    Local,
    /// With a session, by its secret.
    Session(Operator, String),
    /// With a token of its own.
    Bearer(Operator),
    /// Not at all.
    Unknown,
}

/// What is known of every request that may be answered; in its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) struct Reached {
    /// Whether the browser came by https.
    pub(super) secure: bool,
    /// Whether no login is needed.
    pub(super) needs_no_login: bool,
    /// The client's address.
    pub(super) client: std::net::IpAddr,
}

/// Lets a request pass if its sender may send it.
pub(in crate::dashboard) async fn admit(
    State(dashboard): State<Dashboard>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    match pass(&dashboard, request, next).await {
        Ok(response) => response,
        Err(refusal) => refusal.answer(&headers),
    }
}

async fn pass(dashboard: &Dashboard, mut request: Request, next: Next) -> Result<Response, Refusal> {
    let reached = reach(dashboard, &request)?;
    request.extensions_mut().insert(reached);
    if is_public(&request) {
        return Ok(next.run(request).await);
    }
    let caller = identify(dashboard, request.headers(), reached).await?;
    let (operator, secret) = match caller {
        Caller::Local => {
            let secret = dashboard.access().local_secret().map(str::to_owned);
            (Operator { name: RESERVED_NAME.to_owned(), role: Role::Act }, Some(secret))
        }
        Caller::Session(operator, secret) => (operator, Some(Some(secret))),
        Caller::Bearer(operator) => (operator, None),
        Caller::Unknown if !dashboard.access().has_operators() => return Err(Refusal::Closed),
        Caller::Unknown if request.uri().path() == "/login" => {
            return anonymous(request, next, reached).await;
        }
        Caller::Unknown => return to_login(&request, reached),
    };
    let actor = Actor { operator: operator.name.clone(), origin: reached.client.to_string() };
    request.extensions_mut().insert(actor.clone());
    request.extensions_mut().insert(operator.clone());
    if let Some(Some(secret)) = &secret {
        request.extensions_mut().insert(CsrfToken(csrf::token(secret)));
    }
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let page = request.uri().path().to_owned();
    let of_session = matches!(page.as_str(), "/login" | "/logout");
    if !operator.may_act() && !of_session {
        return Err(Refusal::ViewOnly);
    }
    // A browser never sends a bearer token by itself, so it proves enough.
    if let Some(secret) = secret {
        request = verified(request, secret.as_deref()).await?;
    }
    let response = next.run(request).await;
    if !of_session && !response.status().is_client_error() && !response.status().is_server_error() {
        record(dashboard, &actor, &page, response.extensions().get()).await;
    }
    Ok(response)
}

/// Checks what does not depend on the sender.
fn reach(dashboard: &Dashboard, request: &Request) -> Result<Reached, Refusal> {
    let access = dashboard.access();
    let address = client::address(request, &access.rules().proxies);
    let (Some(listening), Some(client)) = (listening(request), address) else { return Err(Refusal::NoHost) };
    let host = host::check(request.uri(), request.headers(), listening, access.rules())?;
    if ![Method::GET, Method::HEAD, Method::POST].contains(request.method()) {
        return Err(Refusal::Method);
    }
    fetch::check(request.method(), request.headers(), host, access.rules().url.as_ref())?;
    let needs_no_login = access.needs_no_login(request);
    Ok(Reached { secure: access.is_secure(host), needs_no_login, client })
}

/// Whether a request is for what everyone may read: style sheet and scripts, which are in every copy of hob.
fn is_public(request: &Request) -> bool {
    request.uri().path().starts_with("/assets/") && request.method() != Method::POST
}

async fn identify(dashboard: &Dashboard, headers: &HeaderMap, reached: Reached) -> Result<Caller, Refusal> {
    let access = dashboard.access();
    if let Some(token) = bearer(headers) {
        let account = access.account_of_token(token).ok_or(Refusal::UnknownBearer)?;
        return Ok(Caller::Bearer(Operator { name: account.name.clone(), role: account.role }));
    }
    if reached.needs_no_login {
        return Ok(Caller::Local);
    }
    let Some(secret) = Cookie::Session.read(headers, reached.secure) else {
        return Ok(Caller::Unknown);
    };
    let services = dashboard.services();
    let found = session::find(services.journal.as_ref(), access, secret, services.clock.now()).await?;
    Ok(found.map_or(Caller::Unknown, |operator| Caller::Session(operator, secret.to_owned())))
}

/// The login page. Its form is bound to a cookie of its own, so that nobody can log others in.
async fn anonymous(request: Request, next: Next, reached: Reached) -> Result<Response, Refusal> {
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let secret = Cookie::Login.read(request.headers(), reached.secure).map(str::to_owned);
    Ok(next.run(verified(request, secret.as_deref()).await?).await)
}

/// The request, once its token is known to be that of `secret`.
async fn verified(request: Request, secret: Option<&str>) -> Result<Request, Refusal> {
    let secret = secret.ok_or(Refusal::WrongToken)?;
    let (parts, body) = request.into_parts();
    let body = csrf::verified(&parts.headers, body, secret).await?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Leads somebody unknown to the login page, if a page was asked for.
fn to_login(request: &Request, reached: Reached) -> Result<Response, Refusal> {
    let wanted = request.uri().path_and_query().map_or("/", |wanted| path::local(wanted.as_str()));
    let headers = request.headers();
    if request.method() == Method::POST || !takes_html(headers) {
        let mut response = Refusal::NotLoggedIn.answer(headers);
        if headers.contains_key(HX_REQUEST) {
            response.headers_mut().insert(HX_REDIRECT, HeaderValue::from_static("/login"));
        }
        return Ok(response);
    }
    let without_cookie = Cookie::Session.read(headers, reached.secure).is_none();
    if without_cookie
        && fetch::is_from_elsewhere(headers)
        && let Ok(html) = renderer::render("arrival.html", &json!({ "title": "hob", "wanted": wanted }))
    {
        // The browser has left out the cookie; it sends it when this page leads on.
        return Ok(renderer::html(html));
    }
    let address = format!("/login?next={}", utf8_percent_encode(wanted, NON_ALPHANUMERIC));
    let address = HeaderValue::from_str(&address).unwrap_or(HeaderValue::from_static("/login"));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response())
}

/// Records what was done.
async fn record(dashboard: &Dashboard, actor: &Actor, page: &str, done: Option<&AuditRecord>) {
    let services = dashboard.services();
    let (act, target, runs) = match done {
        Some(done) => (done.act, done.target.as_str(), done.runs),
        None => (Act::Request, page, 0),
    };
    let entry = actor.does(services.clock.now(), act).about(&services.redactor.text(target)).changed(runs);
    tracing::info!(
        operator = entry.operator,
        from = entry.origin,
        act = entry.act,
        about = entry.target,
        runs,
        "an operator acted"
    );
    if let Err(error) = services.journal.save_act(&entry).await {
        tracing::error!(%error, operator = entry.operator, act = entry.act, "an act is missing in the audit log");
    }
}
