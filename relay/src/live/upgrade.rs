//! From a request to the connection below it: the opening handshake of a WebSocket (RFC 6455). No
//! extension and no subprotocol is spoken here, so none is chosen.

use axum::extract::FromRequestParts;
use axum::http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use yingke_shared::error_code::ErrorCode;

use crate::error::RelayError;

/// The connection below a request, once it is a WebSocket's.
pub(super) type Connection = TokioIo<Upgraded>;

/// A request that opens a WebSocket.
pub struct Upgrade {
    accept: HeaderValue,
    connection: OnUpgrade,
}

impl Upgrade {
    /// The answer, and the connection, which is there when the answer was written; `None` if it broke.
    pub(super) fn begin(self) -> (Response, impl Future<Output = Option<Connection>> + Send) {
        let headers = [
            (CONNECTION, HeaderValue::from_static("upgrade")),
            (UPGRADE, HeaderValue::from_static("websocket")),
            (SEC_WEBSOCKET_ACCEPT, self.accept),
        ];
        let answer = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        let connection = self.connection;
        (answer, async { connection.await.ok().map(TokioIo::new) })
    }
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = RelayError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, RelayError> {
        upgrade(parts).ok_or(RelayError::refused(ErrorCode::BadFrame))
    }
}

fn upgrade(parts: &mut Parts) -> Option<Upgrade> {
    let headers = &parts.headers;
    let asks = parts.method == Method::GET
        && names(headers, &CONNECTION, "upgrade")
        && names(headers, &UPGRADE, "websocket")
        && names(headers, &SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asks)?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()?;
    let connection = parts.extensions.remove::<OnUpgrade>()?;
    Some(Upgrade { accept, connection })
}

/// Whether a header's list, or one of them, has this word.
fn names(headers: &HeaderMap, header: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn only_a_whole_handshake_opens_a_socket() {
        let parts = |leave_out: &str| {
            let mut request = Request::builder();
            for (name, value) in [
                ("connection", "keep-alive, Upgrade"),
                ("upgrade", "WebSocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ] {
                if name != leave_out {
                    request = request.header(name, value);
                }
            }
            request.body(()).unwrap().into_parts().0
        };
        let is_asked = |parts: &Parts| {
            names(&parts.headers, &CONNECTION, "upgrade")
                && names(&parts.headers, &UPGRADE, "websocket")
                && names(&parts.headers, &SEC_WEBSOCKET_VERSION, "13")
        };
        assert!(is_asked(&parts("")));
        for name in ["connection", "upgrade", "sec-websocket-version"] {
            assert!(!is_asked(&parts(name)), "{name}");
        }
        // Of a connection that cannot become anything else.
        assert!(upgrade(&mut parts("")).is_none());
        // The example of the standard.
        assert_eq!(derive_accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
