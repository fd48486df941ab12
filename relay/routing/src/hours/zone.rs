//! What the clock on the wall of a place shows.
//!
//! Owns the offsets of a place from UTC over time and the days of the civil calendar. The table of
//! changes is handed in by whoever knows the world's time zones; this file only reads it.

use serde::{Deserialize, Serialize};

use crate::Millis;

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const DAY_MS: i64 = 86_400_000;

/// A change of the offset: from `at` on it is `offset_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When, in UTC.
    pub at: Millis,
    /// Seconds east of UTC from then on.
    pub offset_s: i32,
}

/// The offsets of a place from UTC. The default is UTC itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Seconds east of UTC before the first transition.
    pub offset_s: i32,
    /// In order of time.
    #[serde(default)]
    pub transitions: Vec<Transition>,
}

impl Zone {
    /// A place that never changes its clocks.
    #[must_use]
    pub fn fixed(offset_s: i32) -> Self {
        Self { offset_s, transitions: Vec::new() }
    }

    fn offset_ms(&self, utc: Millis) -> i64 {
        let passed = self.transitions.partition_point(|change| change.at <= utc);
        let last = passed.checked_sub(1).and_then(|index| self.transitions.get(index));
        i64::from(last.map_or(self.offset_s, |change| change.offset_s)) * 1_000
    }

    /// The next change of the clocks after `utc`.
    pub(super) fn next_transition(&self, utc: Millis) -> Option<Millis> {
        let passed = self.transitions.partition_point(|change| change.at <= utc);
        self.transitions.get(passed).map(|change| change.at)
    }

    /// What the wall shows at `utc`.
    #[must_use]
    pub fn local(&self, utc: Millis) -> LocalTime {
        let local = i64::try_from(utc).unwrap_or(i64::MAX / 2) + self.offset_ms(utc);
        LocalTime { day: local.div_euclid(DAY_MS), in_day_ms: local.rem_euclid(DAY_MS) }
    }
}

/// A moment as a wall shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Days since 1970-01-01.
    pub(super) day: i64,
    pub(super) in_day_ms: i64,
}

impl LocalTime {
    /// Monday is 0, Sunday 6.
    #[must_use]
    pub fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        usize::try_from((self.day + 3).rem_euclid(7)).unwrap_or(0)
    }

    /// Minutes since midnight as the wall shows them.
    #[must_use]
    pub fn minute(self) -> u16 {
        u16::try_from(self.in_day_ms / MINUTE_MS).unwrap_or(0)
    }
}

/// A day of the civil calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Date {
    /// Year.
    pub year: i32,
    /// January is 1.
    pub month: u8,
    /// First is 1.
    pub day: u8,
}

impl Date {
    /// Days since 1970-01-01. Years are counted from March, so that the leap day comes last.
    #[must_use]
    pub fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
            - 719_468
    }
}
