//! Whether a request comes from the dashboard's own pages.

use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::refusal::Refusal;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Refuses requests that another site made a browser send. Programs send none of these headers.
pub(super) fn check(
    method: &Method,
    headers: &HeaderMap,
    host: &str,
    url: Option<&Url>,
) -> Result<(), Refusal> {
    let acts = method == Method::POST;
    let site = single(headers, &SITE)?;
    let is_own = matches!(site, None | Some("same-origin" | "none"));
    if !is_own && (acts || !is_visit(headers)) {
        return Err(Refusal::OtherSite);
    }
    match single(headers, &ORIGIN)? {
        Some(origin) if acts && !is_own_origin(origin, host, url) => Err(Refusal::OtherSite),
        _ => Ok(()),
    }
}

/// Whether somebody follows a link to a page: in a window of its own, not within a page of another site.
fn is_visit(headers: &HeaderMap) -> bool {
    let is = |name: &HeaderName, wanted: &str| headers.get(name).is_some_and(|value| value == wanted);
    is(&MODE, "navigate") && is(&DESTINATION, "document")
}

/// Whether a link on another site led here. The browser leaves out the cookies of such a request.
pub(super) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get(&SITE).is_some_and(|site| site == "cross-site" || site == "same-site") && is_visit(headers)
}

/// Whether `origin` is the dashboard's: at the host that was asked for, or at its address in hob.yaml.
fn is_own_origin(origin: &str, host: &str, url: Option<&Url>) -> bool {
    let known = url.is_some_and(|url| url.origin().ascii_serialization() == origin);
    // What is reached by https is not what anybody on the way can serve by http.
    let only_known =
        url.is_some_and(|url| url.scheme() == "https" && authority(url).as_deref() == Some(host));
    let same_host = ["http://", "https://"].iter().any(|scheme| origin.strip_prefix(scheme) == Some(host));
    known || (same_host && !only_known)
}

/// Host and port of an address, as browsers send them.
pub(super) fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The value of a header that is sent at most once.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::to_str).transpose().map_err(|_| Refusal::OtherSite)?;
    if values.next().is_some() { Err(Refusal::OtherSite) } else { Ok(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(method: Method, host: &str, headers: &[(&str, &str)]) -> bool {
        let url = Url::parse("https://hob.example.com").unwrap();
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        check(&method, &headers.collect(), host, Some(&url)).is_err()
    }

    #[test]
    fn other_sites_can_only_link_here() {
        let here = "127.0.0.1:8787";
        let visit = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let frame =
            [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        let own = [("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8787")];
        for (method, host, headers, refused) in [
            (Method::GET, here, &[][..], false),
            (Method::GET, here, &visit, false),
            (Method::GET, here, &frame, true),
            (Method::GET, here, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], true),
            (Method::GET, here, &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")], true),
            (Method::POST, here, &[], false),
            (Method::POST, here, &own, false),
            (Method::POST, here, &visit, true),
            (Method::POST, here, &[("origin", "null")], true),
            (Method::POST, here, &[("origin", "https://evil.example")], true),
            (Method::POST, here, &[("origin", "http://127.0.0.1:9999")], true),
            (Method::POST, here, &[("origin", "http://127.0.0.1:8787.evil.example")], true),
            (Method::POST, here, &[("origin", "http://127.0.0.1:8787"), ("origin", "http://evil")], true),
            (Method::POST, here, &[("origin", "https://hob.example.com")], false),
            (Method::POST, "hob.example.com", &[("origin", "https://hob.example.com")], false),
            (Method::POST, "hob.example.com", &[("origin", "http://hob.example.com")], true),
        ] {
            assert_eq!(is_refused(method.clone(), host, headers), refused, "{method} {host} {headers:?}");
        }
    }
}
