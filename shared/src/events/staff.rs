//! Events for agents, managers and admins.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AgentId, ConversationId, DepartmentId, InvitationId, Position};
use crate::time::Timestamp;
use crate::views::{
    ColleagueCard, Company, ConversationRecord, ConversationStatus, IncomingInvitation, Invitation,
    InvitationEnd, InvitationOver, ManagerAlert, Marks, Message, Note, OwnCard, ReadMark,
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
        /// When the agent who serves it now took it; `None` unless it is served.
        #[serde(default)]
        assigned_at: Option<Timestamp>,
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
    /// The rules, a transfer or a person put it into this department.
    Routed {
        /// Which.
        conversation_id: ConversationId,
        /// Where it belongs now.
        department_id: DepartmentId,
        /// Waits before others.
        vip: bool,
    },
    /// Somebody joined or left beside the one who serves it. The reader goes on seeing it.
    MembersChanged {
        /// In which.
        conversation_id: ConversationId,
        /// All of them now.
        members: Vec<AgentId>,
    },
    /// An invitation was made, offered to somebody, or is over.
    InvitationsChanged {
        /// In which.
        conversation_id: ConversationId,
        /// The open ones now.
        invitations: Vec<Invitation>,
        /// The one that is over since, and why: who asked is told what became of it (F03).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        over: Option<Box<InvitationOver>>,
    },
    /// A note among staff.
    NoteAdded {
        /// In which.
        conversation_id: ConversationId,
        /// The note.
        note: Note,
    },
    /// The reader is asked to take over or to join.
    InvitationOffered {
        /// All that is needed to decide.
        incoming: Box<IncomingInvitation>,
    },
    /// It is not the reader's to answer any more.
    InvitationClosed {
        /// Which.
        invitation_id: InvitationId,
        /// Why.
        why: InvitationEnd,
    },
    /// For managers and admins: a conversation needs a look.
    ManagersAlerted {
        /// What.
        alert: ManagerAlert,
    },
    /// For managers and admins: it was answered, or is over.
    AlertCleared {
        /// Which.
        conversation_id: ConversationId,
    },
    /// What all staff need of the company's settings changed.
    CompanyChanged {
        /// All of it now.
        company: Company,
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
            | Self::OwnRead { conversation_id, .. }
            | Self::Routed { conversation_id, .. }
            | Self::MembersChanged { conversation_id, .. }
            | Self::InvitationsChanged { conversation_id, .. }
            | Self::NoteAdded { conversation_id, .. } => Some(conversation_id),
            // The alerts are of managers who need not see the conversation.
            Self::InvitationOffered { .. }
            | Self::InvitationClosed { .. }
            | Self::ManagersAlerted { .. }
            | Self::AlertCleared { .. }
            | Self::CompanyChanged { .. }
            | Self::OwnCardChanged { .. }
            | Self::ColleagueChanged { .. }
            | Self::SiteChanged { .. } => None,
        }
    }
}
