//! Points in time as they cross the wire. There is no clock here: the relay stamps.

use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use crate::ids::InvalidId;
use crate::limits::INTEGER_MAX;

/// Milliseconds since 1970-01-01T00:00:00Z by the relay's clock. For showing, never for ordering.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[ts(export)]
pub struct Timestamp(#[ts(type = "number")] u64);

impl Timestamp {
    /// Refuses what a JavaScript number cannot carry exactly.
    pub fn from_millis(millis: u64) -> Result<Self, InvalidId> {
        if millis <= INTEGER_MAX { Ok(Self(millis)) } else { Err(InvalidId::Number) }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn millis(self) -> u64 {
        self.0
    }

    /// So many milliseconds later, for ends of waiting times.
    #[must_use]
    pub fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis).min(INTEGER_MAX))
    }

    /// The millisecond after, for stamps that must differ.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1).min(INTEGER_MAX))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::from_millis(u64::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}
