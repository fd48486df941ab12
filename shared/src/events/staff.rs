//! Events for agents, managers and admins.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{ConversationId, Position};
use crate::time::Timestamp;
use crate::views::{
    ColleagueCard, ConversationRecord, ConversationStatus, Marks, Message, OwnCard, ReadMark,
    SiteSettings,
};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StaffEvent {
    /// Where in the log.
    pub position: Position,
    /// What.
    #[serde(flatten)]
    pub body: StaffEventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export)]
pub enum StaffEventBody {
    /// The reader now sees this conversation, as it stands at `record.rev`.
    ConversationGained {
        /// All of it but the earlier messages.
        record: Box<ConversationRecord>,
    },
    /// The reader no longer sees it (another agent has it now). Drop it from every list.
    ConversationWithdrawn {
        /// Which.
        conversation_id: ConversationId,
    },
    /// Its standing changed while the reader sees it. `Ended` takes it out of the open lists.
    StatusChanged {
        /// Which.
        conversation_id: ConversationId,
        /// The new standing.
        status: ConversationStatus,
    },
    /// A message was added.
    MessageAppended {
        /// To which.
        conversation_id: ConversationId,
        /// The message.
        message: Box<Message>,
        /// When an agent first wrote, after this message.
        first_response_at: Option<Timestamp>,
    },
    /// The visitor's device stored, or the visitor viewed, messages.
    VisitorMarked {
        /// In which.
        conversation_id: ConversationId,
        /// The marks now.
        marks: Marks,
    },
    /// The reader viewed messages, on this or another device.
    OwnRead {
        /// In which.
        conversation_id: ConversationId,
        /// The mark now.
        read: ReadMark,
    },
    /// The reader's own card changed.
    OwnCardChanged {
        /// The card now.
        card: OwnCard,
    },
    /// A colleague was added or changed.
    ColleagueChanged {
        /// The card now.
        colleague: ColleagueCard,
    },
    /// A site was added or changed.
    SiteChanged {
        /// Its settings now. Records of its conversations show the new name.
        site: SiteSettings,
    },
}

impl StaffEventBody {
    /// The conversation it is about, if it is about one.
    #[must_use]
    pub fn conversation_id(&self) -> Option<&ConversationId> {
        match self {
            Self::ConversationGained { record } => Some(&record.id),
            Self::ConversationWithdrawn { conversation_id }
            | Self::StatusChanged { conversation_id, .. }
            | Self::MessageAppended { conversation_id, .. }
            | Self::VisitorMarked { conversation_id, .. }
            | Self::OwnRead { conversation_id, .. } => Some(conversation_id),
            Self::OwnCardChanged { .. }
            | Self::ColleagueChanged { .. }
            | Self::SiteChanged { .. } => None,
        }
    }
}
