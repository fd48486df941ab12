//! When a department answers: the week, holidays, and the days clocks change (X09).
//!
//! Owns one question, "is it open at this moment", and its next answer. A span is what the wall of
//! the department's place shows: a night without 02:30 has no 02:30, a night with two has both. It
//! knows nothing of queues.

mod zone;

use serde::{Deserialize, Serialize};

use crate::Millis;
use zone::{DAY_MS, MINUTE_MS};
pub use zone::{Date, LocalTime, Transition, Zone};

/// How far ahead a change is looked for: longer than any planned holiday.
const AHEAD_MS: u64 = 400 * 86_400_000;

/// Part of a day, minutes since midnight, the end not included; 1440 is the end of the day. What
/// goes past midnight is two spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First minute.
    pub from: u16,
    /// First minute after it.
    pub to: u16,
}

impl Span {
    /// From `from` to `to`, each hour and minute.
    #[must_use]
    pub fn new(from: (u16, u16), to: (u16, u16)) -> Self {
        Self { from: from.0 * 60 + from.1, to: to.0 * 60 + to.1 }
    }
}

/// A day that is not like its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialDay {
    /// Which.
    pub date: Date,
    /// When it is open all the same; empty is a holiday.
    pub spans: Vec<Span>,
}

/// When a department is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Where the department's clock hangs.
    pub zone: Zone,
    /// Monday first.
    pub week: [Vec<Span>; 7],
    /// Holidays, and working days made up for them.
    pub special: Vec<SpecialDay>,
}

impl Hours {
    /// The same spans on every weekday from Monday to Friday.
    #[must_use]
    pub fn workdays(zone: Zone, span: Span) -> Self {
        let mut hours = Self { zone, ..Self::default() };
        for day in hours.week.iter_mut().take(5) {
            day.push(span);
        }
        hours
    }

    fn spans(&self, local: LocalTime) -> &[Span] {
        let special = self.special.iter().find(|special| special.date.days() == local.day);
        match special {
            Some(special) => &special.spans,
            None => self.week.get(local.weekday()).map_or(&[], Vec::as_slice),
        }
    }

    /// Whether it is open at `utc`.
    #[must_use]
    pub fn is_open(&self, utc: Millis) -> bool {
        let local = self.zone.local(utc);
        let minute = local.minute();
        self.spans(local).iter().any(|span| span.from <= minute && minute < span.to)
    }

    /// When the answer of [`Hours::is_open`] changes next after `utc`; `None` if not within a year.
    #[must_use]
    pub fn next_change(&self, utc: Millis) -> Option<Millis> {
        let open = self.is_open(utc);
        let mut at = utc;
        while at < utc + AHEAD_MS {
            at = self.next_edge(at);
            if self.is_open(at) != open {
                return Some(at);
            }
        }
        None
    }

    /// The next moment at which anything could change: an edge of a span, midnight, the clocks.
    fn next_edge(&self, at: Millis) -> Millis {
        let local = self.zone.local(at);
        let edges = self.spans(local).iter().flat_map(|span| [span.from, span.to]);
        let edges = edges.map(|minute| i64::from(minute) * MINUTE_MS);
        let next = edges.filter(|edge| *edge > local.in_day_ms).min().unwrap_or(DAY_MS).min(DAY_MS);
        let on_the_wall = at + u64::try_from(next - local.in_day_ms).unwrap_or(1).max(1);
        match self.zone.next_transition(at) {
            Some(change) if change < on_the_wall => change,
            _ => on_the_wall,
        }
    }
}
