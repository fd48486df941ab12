//! Identifiers and counters that cross the wire.
//!
//! Ids are opaque text of 1 to 64 characters from `A-Z a-z 0-9 _ -`; the relay makes them as UUIDv7
//! so that they sort by creation, but no reader may rely on their inside. Counters are integers that
//! never exceed 2^53 - 1, the largest a JavaScript number carries exactly: larger ones are refused
//! when decoded, so neither language can round one silently.
//!
//! A copy of an id shares its text: a message is about the same few ids in many places at once.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use crate::limits::{ID_CHARS_MAX, INTEGER_MAX};

/// Why a text or number is not an id or counter of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Empty, too long, or with a character outside `A-Z a-z 0-9 _ -`.
    #[error("an id has 1 to 64 characters out of A-Z a-z 0-9 _ -")]
    Text,
    /// Above 2^53 - 1.
    #[error("a number of this protocol is at most 2^53 - 1")]
    Number,
}

fn is_id(text: &str) -> bool {
    // Without an early end, so that many bytes are compared at once: an id is nearly always good.
    let is_wrong = |b: &u8| !(b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-');
    (1..=ID_CHARS_MAX).contains(&text.len()) && text.bytes().filter(is_wrong).count() == 0
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
        #[ts(export)]
        pub struct $name(#[ts(type = "string")] Arc<str>);

        impl $name {
            /// Checks the form of `text` (see the module) and wraps it.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                if is_id(text) { Ok(Self(text.into())) } else { Err(InvalidId::Text) }
            }

            /// The id as text, for storage and for logs.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(input)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS,
        )]
        #[ts(export)]
        pub struct $name(#[ts(type = "number")] u64);

        impl $name {
            /// The counter before anything was counted.
            pub const ZERO: Self = Self(0);

            /// Refuses what a JavaScript number cannot carry exactly.
            pub fn new(value: u64) -> Result<Self, InvalidId> {
                if value <= INTEGER_MAX { Ok(Self(value)) } else { Err(InvalidId::Number) }
            }

            /// The number itself.
            #[must_use]
            pub fn get(self) -> u64 {
                self.0
            }

            /// The next number; stays at the limit, which at a million a second takes 285 years.
            #[must_use]
            pub fn next(self) -> Self {
                Self((self.0 + 1).min(INTEGER_MAX))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                Self::new(u64::deserialize(input)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id! {
    /// A member of staff: agent, manager or admin.
    AgentId
}
text_id! {
    /// A person on a website: the same browser profile on the same site (A33).
    VisitorId
}
text_id! {
    /// One website of the company, with its own domains, snippet and chat link.
    SiteId
}
text_id! {
    /// The thread between one visitor and the team, from the first message to its end.
    ConversationId
}
text_id! {
    /// Made by the client for each command; for a message it stays its identity for ever: the same
    /// actor sending the same id again gets the first outcome, never a second message (X01).
    ClientId
}
text_id! {
    /// The identity of the event log. A new one means history was replaced (a restored backup):
    /// positions of another epoch mean nothing.
    Epoch
}
text_id! {
    /// What a consultation is for: a group of agents with a line of its own (B03).
    DepartmentId
}
text_id! {
    /// A kind of question that some agents can take (B03).
    SkillId
}
text_id! {
    /// One line of the ordered routing rules (B04).
    RuleId
}
text_id! {
    /// One offer to take a conversation over or to join it (F01, F03). It is the id of the command that
    /// made it.
    InvitationId
}
counter! {
    /// A place in the relay's event log. Committed positions have no holes.
    Position
}
counter! {
    /// The dense number of a message inside its conversation, from 1. Screens sort by it, never by
    /// a clock; a hole is a gap that must be loaded.
    Seq
}
