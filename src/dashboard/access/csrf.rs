//! The token that everything that acts has to send back, so that no other site can make a browser act.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::StreamExt;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::refusal::Refusal;

/// The header in which scripts send it.
const HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// The field in which forms send it.
const FIELD: &str = "csrf";
/// Most bytes of a form.
const MAX_FORM: usize = 256 << 10;
/// How much of a larger one is read, so that its sender gets to the answer.
const MAX_READ: usize = 1 << 20;
/// Time limit for a form.
const TIME: Duration = Duration::from_secs(10);

/// The token that belongs to a secret, which it does not tell.
pub(super) fn token(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(b"hob csrf\0").chain_update(secret).finalize())
}

/// The body of a request that acts, if it has the token of `secret`.
pub(super) async fn verified(headers: &HeaderMap, body: Body, secret: &str) -> Result<Bytes, Refusal> {
    let body = timeout(TIME, whole(body)).await.map_err(|_| Refusal::Slow)??;
    let is_form = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let sent = match headers.get(HEADER) {
        Some(value) => value.to_str().ok().map(str::to_owned),
        None if is_form => field(&body, FIELD),
        None => None,
    };
    let sent = sent.ok_or(Refusal::NoToken)?;
    // Hashes are compared, so that the time tells nothing.
    if Sha256::digest(sent) == Sha256::digest(token(secret)) { Ok(body) } else { Err(Refusal::WrongToken) }
}

async fn whole(body: Body) -> Result<Bytes, Refusal> {
    let (mut bytes, mut read) = (Vec::new(), 0);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::LargeBody)?;
        read += chunk.len();
        if read <= MAX_FORM {
            bytes.extend_from_slice(&chunk);
        } else if read > MAX_READ {
            break;
        }
    }
    if read > MAX_FORM { Err(Refusal::LargeBody) } else { Ok(bytes.into()) }
}

/// The first field `name` of a form.
pub(super) fn field(form: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    async fn sent(headers: &[(HeaderName, &str)], body: &str) -> Result<Bytes, Refusal> {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        verified(&headers.collect(), Body::from(body.to_owned()), "secret").await
    }

    #[tokio::test]
    async fn the_token_comes_in_the_form_or_in_a_header() {
        let right = token("secret");
        let form = (CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
        let body = format!("a=1&csrf={right}");
        assert_eq!(sent(std::slice::from_ref(&form), &body).await.unwrap(), body);
        assert!(sent(&[(HEADER, &right)], "{}").await.is_ok());
        assert_eq!(sent(&[], &body).await.unwrap_err(), Refusal::NoToken, "a plain text is no form");
        assert_eq!(sent(std::slice::from_ref(&form), "a=1").await.unwrap_err(), Refusal::NoToken);
        let other = format!("csrf={}", token("another"));
        assert_eq!(sent(std::slice::from_ref(&form), &other).await.unwrap_err(), Refusal::WrongToken);
        assert_eq!(sent(&[form.clone(), (HEADER, "")], &body).await.unwrap_err(), Refusal::WrongToken);
        assert_eq!(sent(&[form], &"x".repeat(MAX_FORM + 1)).await.unwrap_err(), Refusal::LargeBody);
    }
}
