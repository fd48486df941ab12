//! How long a thread of the store has been at one piece of work. One that is at it for very long waits
//! for a disk that does not answer: such a call neither fails nor returns, so nobody else would say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One thread's work, seen by others.
#[derive(Debug, Clone)]
pub(super) struct Stint {
    began: Instant,
    /// Microseconds after `began`, and one more, at which the work was begun; 0: none is under way.
    since: Arc<AtomicU64>,
}

impl Stint {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), since: Arc::default() }
    }

    /// Does one piece of work.
    pub(super) fn at<T>(&self, work: impl FnOnce() -> T) -> T {
        self.since.store(self.passed_us() + 1, Ordering::Relaxed);
        let done = work();
        self.since.store(0, Ordering::Relaxed);
        done
    }

    /// How long it has been under way.
    pub(super) fn lasts(&self) -> Option<Duration> {
        let begun = self.since.load(Ordering::Relaxed).checked_sub(1)?;
        Some(Duration::from_micros(self.passed_us().saturating_sub(begun)))
    }

    fn passed_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX - 1)
    }
}
