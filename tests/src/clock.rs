//! The relay's wall clock, moved by a test while the relay runs: a C file loaded before libc's own
//! functions adds a shift to every reading. Monotonic clocks are left alone, as in the world.

use std::path::PathBuf;

use anyhow::Result;

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
