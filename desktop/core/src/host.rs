//! What the world offers the core: clock, randomness, a store for secrets, notifications, a folder.
//!
//! The desktop shell implements it with the operating system's key store; the headless client and
//! tests have none. Deliberately absent: windows, network, files other than the data
//! folder. It grows only when the core needs something that differs between shells.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use yingke_shared::ids::ConversationId;

use crate::bridge::types::{AlertKind, AlertLevel};

/// The world around one core.
pub trait Host: Send + Sync + 'static {
    /// Milliseconds since 1970 by this computer's clock. It may jump: for showing and for ages of
    /// days, never for timeouts.
    fn wall_ms(&self) -> u64;

    /// What this computer's time zone adds to UTC at that instant, in seconds. For the hours a person
    /// means.
    fn utc_offset_s(&self, _wall_ms: u64) -> i32 {
        0
    }

    /// Milliseconds that never run backwards. For every timeout.
    fn monotonic_ms(&self) -> u64;

    /// Fills `bytes` with unpredictable ones: ids, jitter, tokens.
    fn random(&self, bytes: &mut [u8]);

    /// The operating system's key store, if there is one that works.
    fn secrets(&self) -> Option<Arc<dyn SecretStore>>;

    /// Shows a notification of the system, in place of one about the same conversation. Never waits;
    /// a host without notifications does nothing.
    fn notify(&self, _notice: Notice) {}

    /// Takes the notification about this conversation away, if one is shown. Never waits.
    fn withdraw(&self, _conversation_id: &ConversationId) {}

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

/// What a notification of the system tells. The host chooses the words. No `Debug`: it carries a
/// name and a text.
pub struct Notice {
    /// About which conversation.
    pub conversation_id: ConversationId,
    /// What about it.
    pub kind: AlertKind,
    /// How urgent.
    pub level: AlertLevel,
    /// The visitor's name.
    pub name: String,
    /// What was said last; empty for nothing.
    pub text: String,
    /// The workbench's language (`zh-CN`, `en`); empty follows the system.
    pub locale: String,
}

/// Shows notifications. Never waits: both calls only hand over.
pub trait Notifier: Send + Sync {
    /// Shows it, in place of one about the same conversation.
    fn notify(&self, notice: Notice);
    /// Takes the one about this conversation away.
    fn withdraw(&self, conversation_id: &ConversationId);
}

/// The real clock and randomness, a folder, and whatever key store the shell brings.
pub struct SystemHost {
    data_dir: PathBuf,
    secrets: Option<Arc<dyn SecretStore>>,
    notifier: Option<Arc<dyn Notifier>>,
    started: Instant,
}

impl SystemHost {
    /// A host that keeps everything below `data_dir`.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>, secrets: Option<Arc<dyn SecretStore>>) -> Self {
        Self { data_dir: data_dir.into(), secrets, notifier: None, started: Instant::now() }
    }

    /// The same with notifications of the system.
    #[must_use]
    pub fn with_notifier(self, notifier: Arc<dyn Notifier>) -> Self {
        Self { notifier: Some(notifier), ..self }
    }
}

impl Host for SystemHost {
    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn utc_offset_s(&self, wall_ms: u64) -> i32 {
        let at = i64::try_from(wall_ms).ok();
        let at = at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        at.map_or(0, |at| jiff::tz::TimeZone::system().to_offset(at).seconds())
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

    fn notify(&self, notice: Notice) {
        if let Some(notifier) = &self.notifier {
            notifier.notify(notice);
        }
    }

    fn withdraw(&self, conversation_id: &ConversationId) {
        if let Some(notifier) = &self.notifier {
            notifier.withdraw(conversation_id);
        }
    }

    fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}
