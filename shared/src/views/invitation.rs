//! Asking a colleague to take a conversation over or to join it (F01-F04, F06).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::staff::{Message, VisitorCard};
use crate::ids::{AgentId, ConversationId, DepartmentId, InvitationId, Position};
use crate::time::Timestamp;

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum Invitee {
    /// This agent, also over capacity: accepting is the agent's own will.
    Agent {
        /// Who.
        agent_id: AgentId,
    },
    /// Whoever of the department has a free place, one after the other.
    Department {
        /// Which.
        department_id: DepartmentId,
    },
}

/// What accepting does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum InvitationKind {
    /// 转接: whoever accepts serves it, and who asked leaves.
    Transfer,
    /// 三方会话: whoever accepts takes part beside who asked (F03).
    Join,
}

/// An open invitation, as those who see its conversation see it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Invitation {
    /// Which.
    pub id: InvitationId,
    /// For which conversation.
    pub conversation_id: ConversationId,
    /// Who asks.
    pub from: AgentId,
    /// Who is asked.
    pub to: Invitee,
    /// What accepting does.
    pub kind: InvitationKind,
    /// What who asks says about it; empty for nothing. Never shown to the visitor.
    pub note: String,
    /// The agent who is asked now, if anybody yet.
    pub offered_to: Option<AgentId>,
    /// Until when that agent may accept; then it returns to who asked (F03).
    pub expires_at: Option<Timestamp>,
}

/// An invitation that is over, as those who see its conversation are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct InvitationOver {
    /// Which, as it was last.
    pub invitation: Invitation,
    /// Why.
    pub why: InvitationEnd,
}

/// An invitation to the reader, with what is needed to decide. Its conversation may be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct IncomingInvitation {
    /// The position of the event that offered it: an older event changes nothing.
    pub rev: Position,
    /// What is asked.
    pub invitation: Invitation,
    /// Whose conversation.
    pub visitor: VisitorCard,
    /// What was said last, when it was offered.
    pub said: Option<Message>,
}

/// Why an invitation is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum InvitationEnd {
    /// Somebody accepted.
    Accepted,
    /// Whoever was asked said no.
    Declined,
    /// Nobody accepted in time.
    Expired,
    /// Who asked took it back.
    Withdrawn,
    /// The agent asked is not there any more.
    AgentUnavailable,
    /// Nobody of the department has a free place.
    NobodyFree,
    /// The conversation ended, or who asked does not serve it any more.
    Overtaken,
}
