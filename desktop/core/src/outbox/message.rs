//! A written message as the disk keeps it, what must reach the disk, and what goes to the relay: values
//! between the outbox, its rows and the link. Their text is never printed.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{ClientId, ConversationId};
use yingke_shared::time::Timestamp;

use crate::bridge::types::{OutboxItem, OutboxState};

/// What is kept of a message on disk.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its place among all messages ever written here; lanes keep this order.
    pub order: u64,
    /// Its name for ever.
    pub client_id: ClientId,
    /// To which conversation.
    pub conversation_id: ConversationId,
    /// What it says.
    pub text: String,
    /// When it was written, by this computer's clock.
    pub at: Timestamp,
    /// From when its age counts: writing, or the author's last "send again". Milliseconds.
    pub age_from_ms: u64,
    /// Where it stands, as far as the disk needs to know.
    pub standing: Standing,
    /// Whether the relay may have it already: it was handed out and the answer is not known.
    pub tried: bool,
}

impl StoredMessage {
    /// How a message that arrived long ago is shown to who asks for it to be sent once more.
    #[must_use]
    pub fn arrived(&self) -> Option<OutboxItem> {
        matches!(self.standing, Standing::Acked { .. }).then(|| OutboxItem {
            client_id: self.client_id.clone(),
            conversation_id: self.conversation_id.clone(),
            text: self.text.clone(),
            at: self.at,
            state: OutboxState::Sending,
            may_discard: false,
        })
    }
}

impl std::fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredMessage")
            .field("client_id", &self.client_id)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// Where a message stands on disk. "On its way" is not a standing: after a crash it is unsent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Neither acknowledged nor refused.
    Unsent,
    /// Refused.
    Failed(ErrorCode),
    /// Too old to go by itself.
    Wedged,
    /// Acknowledged, at this time by this computer's clock.
    Acked {
        /// When.
        at_ms: u64,
    },
}

/// A change that must reach the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new standing, and from when the age counts.
    Standing {
        /// Whose.
        client_id: ClientId,
        /// Now.
        standing: Standing,
        /// See [`StoredMessage::age_from_ms`].
        age_from_ms: u64,
    },
    /// The message goes under another id from now on.
    Renamed {
        /// So far.
        from: ClientId,
        /// From now on.
        to: ClientId,
    },
}

/// A message whose turn it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Send {
    /// The command's id.
    pub client_id: ClientId,
    /// To which conversation.
    pub conversation_id: ConversationId,
    /// What it says.
    pub text: String,
}

impl std::fmt::Debug for Send {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Send").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
