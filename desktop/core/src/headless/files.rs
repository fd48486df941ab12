//! The built workbench's files, with the headers of a page that loads nothing from elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::Shared;

/// Stands in `index.html` where each load's own nonce belongs.
const NONCE_PLACE: &str = "__TAURI_STYLE_NONCE__";

pub(super) async fn serve(State(shared): State<Arc<Shared>>, method: Method, uri: Uri) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(path) = shared.ui.as_deref().and_then(|folder| inside(folder, uri.path())) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(content) = tokio::fs::read(&path).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let nonce = shared.secret();
    let kind = kind_of(&path);
    let is_page = kind.starts_with("text/html");
    let content = match String::from_utf8(content) {
        Ok(text) if is_page => text.replace(NONCE_PLACE, &nonce).into_bytes(),
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    // The files of a build have their hash in the name, the page has not.
    let caching = if is_page { "no-store" } else { "private, max-age=3600" };
    let mut response = content.into_response();
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, caching),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(&nonce, shared.address.port())) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Only this server, only its own style elements; the socket is named for browsers that do not count
/// it as `'self'`.
fn policy(nonce: &str, port: u16) -> String {
    format!(
        "default-src 'self'; style-src 'self' 'nonce-{nonce}'; \
         connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}; \
         img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; object-src 'none'; \
         frame-ancestors 'none'"
    )
}

/// The file of a request path, if it is a plain path inside the folder.
fn inside(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = path.strip_prefix('/')?;
    let path = if path.is_empty() { "index.html" } else { path };
    let mut file = folder.to_owned();
    for part in path.split('/') {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if part.is_empty() || part.starts_with('.') || !part.chars().all(plain) {
            return None;
        }
        file.push(part);
    }
    Some(file)
}

fn kind_of(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("mp3") => "audio/mpeg",
        Some("ogg") => "audio/ogg",
        Some("wav") => "audio/wav",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_inside_the_folder_are_served() {
        let folder = Path::new("/ui");
        for (path, file) in [
            ("/", Some("/ui/index.html")),
            ("/assets/index-Bd4_x.js", Some("/ui/assets/index-Bd4_x.js")),
            ("/../secret", None),
            ("/assets/../../secret", None),
            ("/%2e%2e/secret", None),
            ("//etc/passwd", None),
            ("/.env", None),
            ("/a\\b", None),
            ("/assets/", None),
        ] {
            assert_eq!(inside(folder, path), file.map(PathBuf::from), "{path}");
        }
    }
}
