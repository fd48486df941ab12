//! The client core behind a local socket, so that the workbench runs in a plain browser: one page,
//! its files, and `/host`.
//!
//! Only this computer can reach it, and only the page it served: it listens on loopback, wants its
//! own address in `Host` and `Origin` (so no name that was rebound to 127.0.0.1 gets in), and the
//! first thing said on the socket is a secret. The token in the printed address is spent by its
//! first use and gives a session secret, which the page keeps to come back with after a reload. A
//! fragment never leaves the browser, so the token is in no request line and no log.

mod door;
mod files;
mod link;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Core;
use crate::host::Host;
use door::Door;

/// A request or message of the page, in bytes: a draft of the longest kind, escaped.
const PAGE_FRAME_BYTES_MAX: usize = 512 * 1024;

/// Why the local server did not start.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    /// Other computers could reach it.
    #[error("the headless client listens on this computer only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

/// What the handlers share.
struct Shared {
    core: Core,
    /// Randomness for secrets and nonces.
    host: Arc<dyn Host>,
    /// Who may come in.
    door: Door,
    /// The built workbench.
    ui: Option<PathBuf>,
    address: SocketAddr,
}

impl Shared {
    /// A secret of 256 random bits, as text.
    fn secret(&self) -> String {
        door::secret(&*self.host)
    }

    /// `http://127.0.0.1:PORT` and `http://localhost:PORT` are this server.
    fn is_own_authority(&self, authority: &str) -> bool {
        let port = self.address.port();
        authority == self.address.to_string() || authority == format!("localhost:{port}")
    }
}

/// A running local server.
pub struct Headless {
    address: SocketAddr,
    token: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Headless {
    /// Serves `core` and the workbench's files on a loopback address.
    pub async fn serve(
        core: Core,
        host: Arc<dyn Host>,
        listen: SocketAddr,
        ui: Option<PathBuf>,
    ) -> Result<Self, HeadlessError> {
        if !listen.ip().is_loopback() {
            return Err(HeadlessError::NotLoopback(listen));
        }
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let token = door::secret(&*host);
        let door = Door::new(token.clone());
        let shared = Arc::new(Shared { core, host, door, ui, address });
        let app = Router::new()
            .route("/host", get(host_socket))
            .fallback(files::serve)
            .layer(middleware::from_fn_with_state(Arc::clone(&shared), own_host_only))
            .with_state(shared);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = stopped => {}
                ended = axum::serve(listener, app) => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "the local server ended");
                    }
                }
            }
        });
        Ok(Self { address, token, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address to open in a browser; good for one visit.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/#token={}", self.address, self.token)
    }

    /// Stops listening and lets go of the core.
    pub async fn stop(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("the local server ended by a bug");
        }
    }
}

async fn own_host_only(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    if host.is_some_and(|host| shared.is_own_authority(host)) {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    }
}

async fn host_socket(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let authority = origin.and_then(|origin| origin.strip_prefix("http://"));
    if !authority.is_some_and(|authority| shared.is_own_authority(authority)) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade
        .max_message_size(PAGE_FRAME_BYTES_MAX)
        .max_frame_size(PAGE_FRAME_BYTES_MAX)
        .on_upgrade(move |socket| link::carry(shared, socket))
}
