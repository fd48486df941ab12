//! Asking the real router without a listener.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

use super::HERE;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::router;

/// What came back.
pub(crate) struct Asked {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// Null if it is no JSON.
    pub(crate) json: Value,
}

impl Asked {
    /// A header's text; empty if it is not there.
    pub(crate) fn header(&self, name: HeaderName) -> String {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        value.unwrap_or_default()
    }

    /// The code of an error body; empty if it is none.
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

pub(crate) async fn ask(
    app: &Arc<App>,
    method: Method,
    path: &str,
    headers: &[(HeaderName, &str)],
    body: Option<String>,
) -> Asked {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map_or_else(Body::empty, Body::from);
    let mut request = request.body(body).unwrap();
    request.extensions_mut().insert(ClientAddress(HERE));
    let response = router::routes(app).oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let json = serde_json::from_str(&text).unwrap_or_default();
    Asked { status, headers, text, json }
}
