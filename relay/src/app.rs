//! Everything the relay's parts share, built once at start and handed around as `Arc<App>`.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assignment::Questions;
use crate::auth::Auth;
use crate::clock::World;
use crate::config::Config;
use crate::live::Hub;
use crate::parts::Failed;
use crate::store::Store;
use crate::visitors::Entrance;

/// The running relay.
pub struct App {
    /// The boot configuration, checked.
    pub config: Config,
    /// Clock, ids, secrets.
    pub world: Arc<dyn World>,
    /// The database and the event log's end.
    pub store: Store,
    /// Password work and the rates of signing in.
    pub auth: Auth,
    /// Who is connected now, and the way to their sockets.
    pub hub: Hub,
    /// The way to ask the running driver something.
    pub routing: Questions,
    /// One past day is played at a time.
    pub replays: Arc<Semaphore>,
    /// The rate at which visitors enter.
    pub entrance: Entrance,
    /// Which part met a bug: then the relay is about to end.
    pub failed: Failed,
    /// Cancelled when the relay is asked to stop: sockets say goodbye, loops end.
    pub stopping: CancellationToken,
    /// Sockets and loops run in it, so that stopping can wait for them.
    pub tasks: TaskTracker,
}

impl App {
    /// Puts the parts together; nothing runs yet.
    #[must_use]
    pub fn new(config: Config, world: Arc<dyn World>, store: Store) -> Self {
        Self {
            config,
            world,
            store,
            auth: Auth::default(),
            hub: Hub::default(),
            routing: Questions::default(),
            replays: Arc::new(Semaphore::new(1)),
            entrance: Entrance::default(),
            failed: Failed::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }
}
