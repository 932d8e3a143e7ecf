//! Style sheet, scripts and their licences: in the binary, at addresses that change with their content.

use std::sync::OnceLock;

use axum::extract::{Path, Request};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use sha2::{Digest, Sha256};

use super::gzip::{gzip, takes_gzip};

/// Digits of the hash in an address.
const DIGITS: usize = 16;

struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

const ASSETS: &[Asset] = &[
    Asset { name: "style.css", kind: STYLE, content: include_str!("assets/style.css") },
    Asset { name: "dashboard.js", kind: SCRIPT, content: include_str!("assets/dashboard.js") },
    Asset { name: "htmx.min.js", kind: SCRIPT, content: include_str!("assets/htmx.min.js") },
    Asset { name: "htmx-sse.min.js", kind: SCRIPT, content: include_str!("assets/htmx-sse.min.js") },
    Asset { name: "uplot.min.js", kind: SCRIPT, content: include_str!("assets/uplot.min.js") },
    Asset { name: "uplot.min.css", kind: STYLE, content: include_str!("assets/uplot.min.css") },
    Asset { name: "htmx.LICENSE", kind: TEXT, content: include_str!("assets/htmx.LICENSE") },
    Asset { name: "htmx-sse.LICENSE", kind: TEXT, content: include_str!("assets/htmx-sse.LICENSE") },
    Asset { name: "uplot.LICENSE", kind: TEXT, content: include_str!("assets/uplot.LICENSE") },
];

/// An asset as it is sent.
struct Prepared {
    asset: &'static Asset,
    hash: String,
    gzip: Vec<u8>,
}

fn prepared() -> &'static [Prepared] {
    static PREPARED: OnceLock<Vec<Prepared>> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let prepare = |asset: &'static Asset| {
            let hash = hex::encode(Sha256::digest(asset.content))[..DIGITS].to_owned();
            Prepared { asset, hash, gzip: gzip(asset.content.as_bytes(), Compression::best()) }
        };
        ASSETS.iter().map(prepare).collect()
    })
}

/// The address of the asset `name`.
pub(super) fn address(name: &str) -> Result<String, minijinja::Error> {
    let found = prepared().iter().find(|prepared| prepared.asset.name == name);
    let found = found.ok_or_else(|| {
        minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("there is no asset `{name}`"))
    })?;
    Ok(format!("/assets/{}/{name}", found.hash))
}

/// `GET /assets/HASH/NAME`
pub(super) async fn serve(Path((hash, name)): Path<(String, String)>, request: Request) -> Response {
    let found = prepared().iter().find(|prepared| prepared.asset.name == name && prepared.hash == hash);
    let Some(Prepared { asset, gzip, .. }) = found else { return StatusCode::NOT_FOUND.into_response() };
    let is_compressed = takes_gzip(request.headers().get(ACCEPT_ENCODING));
    let body = if is_compressed { gzip.as_slice() } else { asset.content.as_bytes() };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_assets_together_are_small() {
        let sizes: Vec<(&str, usize)> =
            prepared().iter().map(|prepared| (prepared.asset.name, prepared.gzip.len())).collect();
        let total: usize = sizes.iter().map(|(_, size)| size).sum();
        assert!(total < 52_000, "{total} of {sizes:?}");
    }

    #[test]
    fn an_unknown_asset_has_no_address() {
        assert!(address("style.css").unwrap().starts_with("/assets/"));
        assert!(address("../style.css").is_err());
    }
}
