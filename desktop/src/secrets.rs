//! The operating system's key store, used only if it proves that it works.
//!
//! Opening a key store can succeed where writing fails, and on Linux a call can hang for ever
//! (a locked collection without anyone to ask). So at every start a throw-away secret is written,
//! read and deleted, within a time limit; a store that does not pass is treated as absent and the
//! workbench offers to remember nothing.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use yingke_client::host::{SecretError, SecretStore};

/// The name under which the system lists our secrets.
const SERVICE: &str = "yingke-desktop";
/// A healthy store answers in tens of milliseconds; a start never waits longer than this.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// A probe under way.
pub(crate) struct Probe {
    result: Receiver<bool>,
    until: Instant,
}

impl Probe {
    /// Begins in a thread of its own: the window is being made meanwhile. A hanging store keeps
    /// that thread, and nothing else.
    pub(crate) fn begin(store: impl SecretStore + 'static) -> (Self, Arc<dyn SecretStore>) {
        let store: Arc<dyn SecretStore> = Arc::new(store);
        let (sender, result) = mpsc::sync_channel(1);
        let probed = Arc::clone(&store);
        std::thread::spawn(move || {
            let works = match round_trip(probed.as_ref()) {
                Ok(works) => works,
                Err(error) => {
                    tracing::info!(%error, "no usable key store: passwords are not remembered");
                    false
                }
            };
            // Nobody listens any more if the limit passed.
            let _ = sender.send(works);
        });
        (Self { result, until: Instant::now() + PROBE_LIMIT }, store)
    }

    /// Whether the store works; waits for the answer until the limit.
    pub(crate) fn works(self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        self.result.recv_timeout(left).unwrap_or_else(|_| {
            tracing::warn!("the key store does not answer: passwords are not remembered");
            false
        })
    }
}

fn round_trip(store: &dyn SecretStore) -> Result<bool, SecretError> {
    let key = format!("probe-{}", std::process::id());
    let value = format!("{:?}", Instant::now());
    store.write(&key, &value)?;
    let read = store.read(&key);
    store.delete(&key)?;
    Ok(read?.as_deref() == Some(value.as_str()))
}

/// The key store of this operating system.
pub(crate) struct SystemStore;

impl SystemStore {
    fn entry(key: &str) -> Result<keyring::Entry, SecretError> {
        keyring::Entry::new(SERVICE, key).map_err(failed)
    }
}

impl SecretStore for SystemStore {
    fn read(&self, key: &str) -> Result<Option<String>, SecretError> {
        match Self::entry(key)?.get_password() {
            Ok(value) => Ok(Some(value)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn write(&self, key: &str, value: &str) -> Result<(), SecretError> {
        Self::entry(key)?.set_password(value).map_err(failed)
    }

    fn delete(&self, key: &str) -> Result<(), SecretError> {
        match Self::entry(key)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Only the kind of trouble: some variants carry what was stored.
#[expect(clippy::needless_pass_by_value, reason = "passed to map_err")]
fn failed(error: keyring::Error) -> SecretError {
    let kind = match error {
        keyring::Error::NoStorageAccess(_) => "no access",
        keyring::Error::NoDefaultStore => "none on this system",
        keyring::Error::PlatformFailure(_) => "the system failed",
        _ => "refused",
    };
    SecretError(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;

    /// The world's key stores, good and bad.
    #[derive(Default)]
    struct Store {
        kept: Mutex<BTreeMap<String, String>>,
        forgets: bool,
        hangs: bool,
    }

    impl SecretStore for Store {
        fn read(&self, key: &str) -> Result<Option<String>, SecretError> {
            Ok(self.kept.lock().unwrap().get(key).cloned())
        }

        fn write(&self, key: &str, value: &str) -> Result<(), SecretError> {
            if self.hangs {
                loop {
                    std::thread::park();
                }
            }
            if !self.forgets {
                self.kept.lock().unwrap().insert(key.to_owned(), value.to_owned());
            }
            Ok(())
        }

        fn delete(&self, key: &str) -> Result<(), SecretError> {
            self.kept.lock().unwrap().remove(key);
            Ok(())
        }
    }

    #[test]
    fn a_working_store_is_used_and_left_clean() {
        let store = Arc::new(Store::default());
        assert!(round_trip(store.as_ref()).unwrap());
        assert!(store.kept.lock().unwrap().is_empty());
        assert!(Probe::begin(Store::default()).0.works());
    }

    #[test]
    fn a_store_that_forgets_or_hangs_is_none() {
        assert!(!Probe::begin(Store { forgets: true, ..Store::default() }).0.works());
        let begun = Instant::now();
        assert!(!Probe::begin(Store { hangs: true, ..Store::default() }).0.works());
        assert!(begun.elapsed() < PROBE_LIMIT * 2);
    }
}
