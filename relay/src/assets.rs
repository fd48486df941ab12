//! The built widget's files, embedded. Knows names, content types and caching; decides nothing about
//! who may have them.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use yingke_shared::error_code::ErrorCode;

use crate::error::RelayError;
use crate::http::Named;

/// One embedded file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its path below the widget's build folder.
    pub name: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// The same, packed, if that is worth it.
    pub gzip: Option<&'static [u8]>,
}

static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What is said in place of a file when the relay was built without the widget.
const MISSING: &str = "The widget was not built into this relay. Run: cargo xtask build widget";

/// The loader's name in the build folder.
const LOADER: &str = "widget.js";

/// How long something may be kept by a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// The name changes with the content.
    ForEver,
    /// The name stays: ask again after five minutes, so that an upgrade arrives.
    Shortly,
}

/// The embedded file of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Asset> {
    let at = ASSETS.binary_search_by(|asset| asset.name.cmp(name)).ok()?;
    ASSETS.get(at)
}

/// The text of an embedded document, for rooms that give it with headers of their own.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    find(name).and_then(|asset| std::str::from_utf8(asset.bytes).ok())
}

/// `GET /widget.js`: the loader that host pages include.
pub async fn loader(headers: HeaderMap) -> Response<Body> {
    match find(LOADER) {
        Some(asset) => answer(asset, &headers, Caching::Shortly),
        None => missing(),
    }
}

/// `GET /w/assets/{file}`: the app's files.
pub async fn app_file(Named(file): Named<String>, headers: HeaderMap) -> Response<Body> {
    match find(&format!("assets/{file}")) {
        Some(asset) => answer(asset, &headers, Caching::ForEver),
        None if ASSETS.is_empty() => missing(),
        None => RelayError::refused(ErrorCode::NotFound).into_response(),
    }
}

/// What stands in place of anything of the widget when it was not built.
#[must_use]
pub fn missing() -> Response<Body> {
    plain(StatusCode::SERVICE_UNAVAILABLE, MISSING)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    response
}

fn answer(asset: &'static Asset, request: &HeaderMap, caching: Caching) -> Response<Body> {
    let packed = asset.gzip.filter(|_| accepts_gzip(request));
    let mut response = Response::new(Body::from(packed.unwrap_or(asset.bytes)));
    set(&mut response, header::CONTENT_TYPE, content_type(asset.name));
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        &mut response,
        header::CACHE_CONTROL,
        match caching {
            Caching::ForEver => "public, max-age=31536000, immutable",
            Caching::Shortly => "public, max-age=300",
        },
    );
    // Included from other origins on purpose: the loader is a script of theirs, the app's modules
    // and fonts are fetched by the iframe.
    set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(&mut response, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    if asset.gzip.is_some() {
        set(&mut response, header::VARY, "accept-encoding");
    }
    if packed.is_some() {
        set(&mut response, header::CONTENT_ENCODING, "gzip");
    }
    response
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|coding| coding.trim().split(';'))
        .any(|mut parts| {
            parts.next() == Some("gzip")
                && !parts
                    .any(|weight| matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("mp3") => "audio/mpeg",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_a_name_is_found() {
        for asset in ASSETS {
            assert_eq!(find(asset.name).map(|found| found.name), Some(asset.name));
        }
    }

    #[test]
    fn gzip_is_given_only_to_who_takes_it() {
        let accepts = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            accepts_gzip(&headers)
        };
        assert!(accepts("gzip, deflate, br"));
        assert!(accepts("br;q=1.0, gzip;q=0.8"));
        assert!(!accepts("br"));
        assert!(!accepts("gzip;q=0"));
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
