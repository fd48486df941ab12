//! Time, randomness and ids of one run, all from its seed. Time is the runtime's, which stands still
//! until everything waits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::time::Instant;
use yingke_client::host::{Host, SecretError, SecretStore};
use yingke_relay::clock::World;
use yingke_shared::time::Timestamp;

use crate::chance::Chance;

/// The first moment of every run, in epoch milliseconds.
pub(crate) const BEGINNING: u64 = 1_800_000_000_000;

/// Chance and time, shared by everything in a run.
#[derive(Clone)]
pub(crate) struct Fate {
    start: Instant,
    chance: Arc<Mutex<Chance>>,
    made: Arc<AtomicU64>,
}

impl Fate {
    /// Inside a runtime whose time is paused.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            start: Instant::now(),
            chance: Arc::new(Mutex::new(Chance::new(seed))),
            made: Arc::default(),
        }
    }

    /// Milliseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap()
    }

    pub(crate) fn instant(&self, at: u64) -> Instant {
        self.start + std::time::Duration::from_millis(at)
    }

    fn chance(&self) -> MutexGuard<'_, Chance> {
        self.chance.lock().unwrap()
    }

    /// A number in `from..=to`.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        self.chance().between(from, to)
    }

    /// An index below `end`.
    pub(crate) fn index(&self, end: usize) -> usize {
        usize::try_from(self.chance().below(end as u64)).unwrap()
    }

    /// Once in `n`.
    pub(crate) fn once_in(&self, n: u64) -> bool {
        self.chance().below(n) == 0
    }

    pub(crate) fn draw(&self) -> u64 {
        self.chance().draw()
    }

    /// An id that sorts by creation.
    pub(crate) fn id(&self) -> String {
        let n = self.made.fetch_add(1, Ordering::Relaxed);
        format!("{:011x}-{n:06x}-{:08x}", BEGINNING + self.now(), self.draw() >> 32)
    }
}

impl World for Fate {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(BEGINNING + Fate::now(self)).unwrap()
    }

    fn new_id(&self) -> String {
        self.id()
    }

    fn new_secret(&self) -> String {
        format!("{:016x}{:016x}{:016x}", self.draw(), self.draw(), self.draw())
    }
}

/// The world around one client: the same time by another wall clock, a key store.
pub(crate) struct Desk {
    fate: Fate,
    /// How far the wall clock is ahead, in milliseconds.
    skew: u64,
    folder: PathBuf,
    secrets: Arc<Drawer>,
}

impl Desk {
    pub(crate) fn new(fate: &Fate, skew: u64, folder: PathBuf) -> Self {
        Self { fate: fate.clone(), skew, folder, secrets: Arc::default() }
    }
}

impl Host for Desk {
    fn wall_ms(&self) -> u64 {
        BEGINNING + self.skew + self.fate.now()
    }

    fn monotonic_ms(&self) -> u64 {
        self.fate.now()
    }

    fn random(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            let drawn = self.fate.draw().to_le_bytes();
            part.copy_from_slice(&drawn[..part.len()]);
        }
    }

    fn secrets(&self) -> Option<Arc<dyn SecretStore>> {
        Some(Arc::clone(&self.secrets) as Arc<dyn SecretStore>)
    }

    fn data_dir(&self) -> &Path {
        &self.folder
    }
}

#[derive(Default)]
struct Drawer(Mutex<BTreeMap<String, String>>);

impl SecretStore for Drawer {
    fn read(&self, key: &str) -> Result<Option<String>, SecretError> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    fn write(&self, key: &str, value: &str) -> Result<(), SecretError> {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn delete(&self, key: &str) -> Result<(), SecretError> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }
}
