//! What the world offers the core: clock, randomness, a store for secrets, a folder.
//!
//! The desktop shell implements it with the operating system's key store; the headless client and
//! tests have none. Deliberately absent: windows, notifications, network, files other than the data
//! folder. It grows only when the core needs something that differs between shells.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The world around one core.
pub trait Host: Send + Sync + 'static {
    /// Milliseconds since 1970 by this computer's clock. It may jump: for showing and for ages of
    /// days, never for timeouts.
    fn wall_ms(&self) -> u64;

    /// Milliseconds that never run backwards. For every timeout.
    fn monotonic_ms(&self) -> u64;

    /// Fills `bytes` with unpredictable ones: ids, jitter, tokens.
    fn random(&self, bytes: &mut [u8]);

    /// The operating system's key store, if there is one that works.
    fn secrets(&self) -> Option<Arc<dyn SecretStore>>;

    /// Where profile, caches and outboxes live. Made with mode 0700 if it is not there.
    fn data_dir(&self) -> &Path;
}

/// A key store. Calls may block; the core makes them on a thread of their own and waits a bounded
/// time. Keys are server and account; values are opaque text.
pub trait SecretStore: Send + Sync {
    /// What is kept under `key`, if anything.
    fn read(&self, key: &str) -> Result<Option<String>, SecretError>;
    /// Keeps `value` under `key`, replacing what was there.
    fn write(&self, key: &str, value: &str) -> Result<(), SecretError>;
    /// Forgets `key`; forgetting what is not there is fine.
    fn delete(&self, key: &str) -> Result<(), SecretError>;
}

/// The key store did not do it. The reason is for the log; it never contains a secret.
#[derive(Debug, thiserror::Error)]
#[error("the key store failed: {0}")]
pub struct SecretError(pub String);

/// The real clock and randomness, a folder, and whatever key store the shell brings.
pub struct SystemHost {
    data_dir: PathBuf,
    secrets: Option<Arc<dyn SecretStore>>,
    started: Instant,
}

impl SystemHost {
    /// A host that keeps everything below `data_dir`.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>, secrets: Option<Arc<dyn SecretStore>>) -> Self {
        Self { data_dir: data_dir.into(), secrets, started: Instant::now() }
    }
}

impl Host for SystemHost {
    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn random(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Ids must not repeat and tokens must not be guessed: without randomness there is
            // nothing safe to go on with.
            tracing::error!(%error, "the operating system gives no randomness");
            std::process::abort();
        }
    }

    fn secrets(&self) -> Option<Arc<dyn SecretStore>> {
        self.secrets.clone()
    }

    fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}
