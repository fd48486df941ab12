//! The closed list of refusals and failures a client can meet, over the socket and over HTTP alike.
//!
//! A *refusal* is a normal outcome (closed, not allowed, too fast): the client shows it and keeps
//! what was typed. A *failure* (`busy`, `storage_failed`, `internal`, `unavailable`) is the relay's:
//! the client tries again with the **same** id. A code exists only while a client acts on it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a command, a request or a connection was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ErrorCode {
    /// Not a text frame of the form `{id, type, body}`. The socket is closed.
    BadFrame,
    /// No command of this name on this side of the protocol.
    UnknownCommand,
    /// The body has an unknown, missing or malformed field.
    BadBody,
    /// The relay does not speak the version in the `hello`: update the client.
    UnsupportedVersion,
    /// The token is missing, unknown, expired or revoked: sign in again.
    Unauthenticated,
    /// Account or password wrong; which of the two is not said.
    WrongCredentials,
    /// Signed in, but the role does not allow it.
    Forbidden,
    /// No such thing, or none that this reader may know of: the two look the same.
    NotFound,
    /// The thing is there already (an account name taken).
    AlreadyExists,
    /// The conversation has ended; nothing can be added to it.
    ConversationEnded,
    /// Somebody was faster: another agent has it, or it is not what it was when this was asked.
    Overtaken,
    /// The agent is at capacity; ask again with `over_capacity` if it is meant (B09).
    AgentFull,
    /// The agent is not online, or may not take conversations.
    AgentUnavailable,
    /// Someone else changed these settings meanwhile: read them again.
    Changed,
    /// Something else still names it: take it out there first.
    InUse,
    /// A value is outside its bounds, or names something that is not there.
    Invalid,
    /// This id was used before for something else.
    IdReused,
    /// The text, frame or body is over its limit.
    TooLarge,
    /// Nothing but white space.
    EmptyText,
    /// More than the rate allows; try again after `retry_after_ms`.
    TooFast,
    /// The new password is too short, too long or equal to the account name.
    WeakPassword,
    /// The page's origin is not on the site's domain list (A02).
    OriginRefused,
    /// Online service is switched off for this site (A04).
    SiteDisabled,
    /// The company asks for a category before the first message (A24): let the visitor pick one, then
    /// send again with it.
    CategoryNeeded,
    /// The relay has more work queued than it takes; try again after `retry_after_ms`.
    Busy,
    /// The write did not reach stable storage; nothing of it remains. Try again with the same id.
    StorageFailed,
    /// A bug of the relay; nothing of the command remains. Try again with the same id.
    Internal,
    /// The relay is stopping or starting; connect again after `retry_after_ms`.
    Unavailable,
}

impl ErrorCode {
    /// Whether the same command, with the same id, may succeed later without any change.
    #[must_use]
    pub fn can_retry(self) -> bool {
        matches!(
            self,
            Self::TooFast | Self::Busy | Self::StorageFailed | Self::Internal | Self::Unavailable
        )
    }
}

/// A refusal or failure as it crosses the wire. The words shown to people are the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WireError {
    /// What happened.
    pub code: ErrorCode,
    /// When trying again makes sense, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_after_ms: Option<u32>,
}

impl WireError {
    /// An error without a waiting time.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self { code, retry_after_ms: None }
    }
}
