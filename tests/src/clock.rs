//! Clocks that are wrong. The relay's wall clock is moved by a test while the relay runs: a C file loaded before libc's own
//! functions adds a shift to every reading. Monotonic clocks are left alone, as
//! in the world. A client core in this process gets a world with a wrong clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Result;
use yingke_client::host::{Host, SecretStore, SystemHost};

use crate::faults::compile;
use crate::relay::TestRelay;

/// Seconds of a day.
pub const DAY: i64 = 24 * 60 * 60;
/// Seconds of a year.
pub const YEAR: i64 = 365 * DAY;

/// The hand on one relay's clock.
pub struct ShiftedClock {
    control: PathBuf,
}

impl ShiftedClock {
    /// Compiles the library and puts it under every later start of the relay, not yet shifted.
    pub fn below(relay: &mut TestRelay) -> Result<Self> {
        let library = compile("faultclock.c", relay.scratch())?;
        let clock = Self { control: relay.scratch().join("clock") };
        clock.shift(0)?;
        relay.set_environment("LD_PRELOAD", library.as_os_str());
        relay.set_environment("YINGKE_FAULTCLOCK", clock.control.as_os_str());
        Ok(clock)
    }

    /// From now on the relay's clock is so many seconds ahead of this computer's, or behind it.
    pub fn shift(&self, seconds: i64) -> Result<()> {
        let fresh = self.control.with_extension("new");
        std::fs::write(&fresh, seconds.to_string())?;
        std::fs::rename(&fresh, &self.control)?;
        Ok(())
    }
}

/// The world of a client core whose computer's clock is wrong.
pub struct ShiftedHost {
    real: SystemHost,
    shift_ms: AtomicI64,
}

impl ShiftedHost {
    /// With its data below `home`, not yet shifted.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self { real: SystemHost::new(home, None), shift_ms: AtomicI64::new(0) }
    }

    /// From now on the clock is so many seconds ahead, or behind.
    pub fn shift(&self, seconds: i64) {
        self.shift_ms.store(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Host for ShiftedHost {
    fn wall_ms(&self) -> u64 {
        self.real.wall_ms().saturating_add_signed(self.shift_ms.load(Ordering::SeqCst))
    }

    fn monotonic_ms(&self) -> u64 {
        self.real.monotonic_ms()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.real.random(bytes);
    }

    fn secrets(&self) -> Option<Arc<dyn SecretStore>> {
        self.real.secrets()
    }

    fn data_dir(&self) -> &Path {
        self.real.data_dir()
    }
}
