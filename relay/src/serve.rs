//! From a configuration to a running relay and to its clean end: opens the store, listens, waits for
//! a reason to stop, stops within a bounded time.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use tokio::time::{Instant, timeout, timeout_at};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::accept::{Bounds, Limited};
use crate::app::App;
use crate::client_address;
use crate::clock::RealWorld;
use crate::config::Config;
use crate::health;
use crate::limits::{
    CONNECTIONS_MAX, FILES_RESERVED, IDLE_WITHIN_MS, REQUEST_HEAD_WITHIN_MS, REQUESTS_PER_PEER_MAX,
    STOP_CLIENTS_WITHIN_MS, STOP_WITHIN_MS,
};
use crate::obstacle::{self, Obstacle};
use crate::parts::{Part, Running};
use crate::store::{Fatal, OpenError, Store};
use crate::tls;

/// Why the relay did not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It could not, because of this.
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    /// The address could not be listened on.
    #[error("cannot listen on {address}: {why}", why = obstacle::unheard(*.address, .error))]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Certificate or key could not be used.
    #[error("the certificate or its key cannot be used: {0}")]
    Tls(String),
    /// The server ended by itself.
    #[error("the listener failed: {0}")]
    Listener(io::Error),
    /// The system's stop signals could not be watched.
    #[error("signals cannot be watched: {0}")]
    Signals(io::Error),
    /// The database cannot be trusted to go on.
    #[error("the database cannot go on: {0}")]
    Storage(Fatal),
    /// A part that must be there is not any more.
    #[error("{0} met a bug; start the relay again, and report the place that the log names")]
    Bug(Part),
}

/// Runs the relay until it is asked to stop. `started` is told the address once it listens.
pub async fn serve(config: Config, started: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let stop_asked = stop_signal().map_err(ServeError::Signals)?;
    serve_until(config, stop_asked, started).await
}

async fn serve_until(
    config: Config,
    stop_asked: impl Future<Output = ()>,
    started: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let tls = config.tls.as_ref().map(tls::load).transpose();
    let tls = tls.map_err(|problems| ServeError::Tls(problems.join("; ")))?;
    // The address first: a second relay on it must not touch the data.
    let listener = listen(config.listen)?;
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    let world = Arc::new(RealWorld);
    let store =
        Store::open(&config.data, world.as_ref()).map_err(|error| {
            match obstacle::behind(&error, &config.data) {
                Some(obstacle) => ServeError::Obstacle(obstacle),
                None => error.into(),
            }
        })?;
    let app = Arc::new(App::new(config, world, store));

    let mut parts = Running::start(&app);
    app.tasks.spawn(health::watch(Arc::clone(&app)));
    let handle = Handle::new();
    let server = accept(listener, tls, handle.clone(), router(&app), bounds(&app));
    // One of the tasks: it ends when the last request was answered.
    let mut server = app.tasks.spawn(server);
    started(address);
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");

    let outcome = tokio::select! {
        biased;
        fatal = app.store.failed() => return Err(ended_by(fatal)),
        part = parts.first_to_end() => {
            app.failed.note(part);
            tracing::error!("{part} met a bug; the relay ends");
            Err(ServeError::Bug(part))
        }
        ended = &mut server => Err(ServeError::Listener(match ended {
            Ok(Ok(())) => io::Error::other("it ended"),
            Ok(Err(error)) => error,
            Err(error) => io::Error::other(error),
        })),
        () = stop_asked => Ok(()),
    };
    stop(&app, &handle).await?;
    outcome
}

fn ended_by(fatal: Fatal) -> ServeError {
    match fatal {
        Fatal::Bug(part) => ServeError::Bug(part),
        fatal @ Fatal::Storage { .. } => ServeError::Storage(fatal),
    }
}

/// Stops accepting, lets sockets say goodbye and requests end, then closes the store.
async fn stop(app: &App, handle: &Handle<SocketAddr>) -> Result<(), ServeError> {
    let deadline = Instant::now() + Duration::from_millis(STOP_WITHIN_MS);
    let clients = Duration::from_millis(STOP_CLIENTS_WITHIN_MS);
    tracing::info!("stopping");
    handle.graceful_shutdown(Some(clients));
    app.stopping.cancel();
    // Fan-out does so too, if it is still there.
    app.hub.stop();
    app.tasks.close();
    if timeout(clients, app.tasks.wait()).await.is_err() {
        tracing::warn!(left = app.tasks.len(), "some clients did not let go in time");
    }
    tokio::select! {
        biased;
        fatal = app.store.failed() => Err(ended_by(fatal)),
        closed = timeout_at(deadline, app.store.close()) => {
            if closed.is_err() {
                // What was acknowledged is on the disk already; the next start does the rest.
                tracing::warn!("the store was not closed in time");
            }
            tracing::info!("stopped");
            Ok(())
        }
    }
}

/// Every route behind the middleware that finds who asks: what a listener serves. What says nothing else
/// about it is kept by nobody on the way and read as what it says it is.
pub fn router(app: &Arc<App>) -> Router {
    let trusted: Arc<[ipnet::IpNet]> = app.config.trusted_proxies.clone().into();
    let unless_said =
        |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    crate::router::routes(app)
        .layer(unless_said(header::CACHE_CONTROL, "no-store"))
        .layer(unless_said(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(from_fn_with_state(trusted, client_address::find))
}

fn bounds(app: &App) -> Bounds {
    let connections_max = files_max().saturating_sub(FILES_RESERVED).clamp(1, CONNECTIONS_MAX);
    // Beside its sockets a peer asks for pages, files and history.
    let sockets = usize::try_from(app.config.sockets_per_address).unwrap_or(usize::MAX);
    let per_peer_max = sockets.saturating_add(sockets / 4).saturating_add(REQUESTS_PER_PEER_MAX);
    Bounds {
        connections_max,
        per_peer_max: per_peer_max.min((connections_max / 4 * 3).max(1)),
        idle_within: Duration::from_millis(IDLE_WITHIN_MS),
        head_within: Duration::from_millis(REQUEST_HEAD_WITHIN_MS),
        trusted: app.config.trusted_proxies.clone().into(),
    }
}

/// How many files the process may have open, after asking for as many as it is allowed.
#[cfg(unix)]
pub(crate) fn files_max() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = current == maximum
        || setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let files = if raised { maximum } else { current };
    tracing::debug!(?files, raised, "open files");
    files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

/// How many files the process may have open: here the system sets no small limit.
#[cfg(not(unix))]
pub(crate) fn files_max() -> usize {
    usize::MAX
}

fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| ServeError::Listen { address, error })
}

async fn accept(
    listener: TcpListener,
    tls: Option<ServerConfig>,
    handle: Handle<SocketAddr>,
    router: Router,
    bounds: Bounds,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener)?.handle(handle);
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(REQUEST_HEAD_WITHIN_MS));
    let limited = Limited::new(bounds);
    match tls {
        Some(tls) => server.acceptor(tls::acceptor(tls, limited)).serve(service).await,
        None => server.acceptor(limited).serve(service).await,
    }
}

/// Ends when the process is asked to stop.
#[cfg(unix)]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ends when the process is asked to stop.
#[cfg(not(unix))]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
