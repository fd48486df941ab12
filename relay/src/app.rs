//! Everything the relay's parts share, built once at start and handed around as `Arc<App>`.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock::World;
use crate::config::Config;
use crate::live::Hub;
use crate::store::Store;

/// The running relay.
pub struct App {
    /// The boot configuration, checked.
    pub config: Config,
    /// Clock, ids, secrets.
    pub world: Arc<dyn World>,
    /// The database and the event log's end.
    pub store: Store,
    /// Who is connected now, and the way to their sockets.
    pub hub: Hub,
    /// Cancelled when the relay is asked to stop: sockets say goodbye, loops end.
    pub stopping: CancellationToken,
}
