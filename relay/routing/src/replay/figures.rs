//! Figures of those who came.
//!
//! Owns sums and hundredths, and knows nothing of how a day is played.

use super::Figures;
use crate::Millis;

impl Figures {
    /// Of so many who came, those who were served after these waits.
    #[must_use]
    pub fn of(came: u64, waits: Vec<Millis>) -> Self {
        let served = waits.len() as u64;
        let mut figures =
            Self { came, served, missed: came.saturating_sub(served), ..Self::default() };
        figures.wait(waits);
        figures
    }

    /// One more was answered, so long after coming.
    pub fn answer(&mut self, after_ms: Millis) {
        self.answered += 1;
        self.answer_sum_ms += after_ms;
    }

    pub(super) fn wait(&mut self, mut waits: Vec<Millis>) {
        waits.sort_unstable();
        let at = |hundredths: usize| {
            let index = (waits.len() * hundredths).div_ceil(100).saturating_sub(1);
            waits.get(index).copied().unwrap_or(0)
        };
        self.wait_sum_ms = waits.iter().sum();
        self.wait_p50_ms = at(50);
        self.wait_p95_ms = at(95);
        self.wait_max_ms = at(100);
    }
}
