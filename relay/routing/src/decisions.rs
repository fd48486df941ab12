//! What the core wants done.
//!
//! Owns the closed list of decisions and their reasons. Each is carried out as a conditional update:
//! if the world is not what it was when the decision was made, it is refused, and the refusal is a
//! fact. Decisions about one conversation are carried out in their order.

use serde::{Deserialize, Serialize};

use crate::explanation::Explanation;
use crate::ids::{AgentId, ConversationId, DepartmentId, InvitationId};
use crate::rules::Routed;

/// Why a conversation waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingReason {
    /// Somebody who could take it is at work, without a free place.
    AllFull,
    /// Nobody who could take it is online and connected: a leave-message is offered (H03).
    NobodyOnline,
    /// The department is closed: a leave-message is offered (X09).
    Closed,
}

/// Why a conversation goes back to the front of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequeueReason {
    /// Its agent was lost and did not return within the grace period (B11).
    AgentLost,
    /// Its agent signed out.
    AgentSignedOut,
    /// Its agent's account was disabled.
    AgentRemoved,
    /// It was not answered (B13).
    NoAnswer,
    /// Its agent handed it over before leaving (B11). Only a person decides this.
    HandedOver,
}

/// Why a running conversation goes to another agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassReason {
    /// It was not answered (B13).
    NoAnswer,
    /// The one serving is gone, and another member is there (F04).
    MemberStays,
}

/// Why a conversation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its agent chose 离开 (B11).
    AgentAway,
    /// The visitor was silent for too long (B15).
    VisitorSilent,
}

/// A line the relay writes into a conversation by itself (D05, B15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Asks a silent visitor.
    AskVisitor,
    /// Warns a silent visitor of the end.
    WarnVisitor,
    /// Explains a missing answer.
    ExplainDelay,
}

/// What managers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alert {
    /// It was moved as often as allowed, or nobody is there to move it to.
    NoAnswer,
    /// It waits for an agent whose account is gone (B08).
    OwnAgentGone,
}

/// Who is asked to take over or to join.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitee {
    /// This agent, also over capacity: accepting is the agent's own will.
    Agent(AgentId),
    /// Whoever of the department has a free place, one after the other.
    Department(DepartmentId),
}

/// Why an invitation returns to who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    /// Nobody accepted in time.
    Expired,
    /// Whoever was asked said no.
    Declined,
    /// The agent asked is not online (any more).
    AgentUnavailable,
    /// Nobody of the department has a free place.
    NobodyFree,
    /// The conversation is not served any more by who invited.
    Overtaken,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Store what the rules said.
    Route {
        /// Which conversation.
        conversation: ConversationId,
        /// With reasons.
        routed: Box<Routed>,
    },
    /// Give the waiting conversation to the agent.
    Assign {
        /// Which.
        conversation: ConversationId,
        /// To whom.
        agent: AgentId,
        /// Named by a refusal.
        attempt: u32,
        /// Why this agent.
        why: Box<Explanation>,
    },
    /// Tell the waiting visitor why.
    Wait {
        /// Which.
        conversation: ConversationId,
        /// Why.
        reason: WaitingReason,
    },
    /// Make the waiting conversation a leave-message.
    File {
        /// Which.
        conversation: ConversationId,
        /// Named by a refusal.
        attempt: u32,
    },
    /// Give the running conversation to another agent.
    PassOn {
        /// Which.
        conversation: ConversationId,
        /// Who has it.
        from: AgentId,
        /// Who gets it.
        to: AgentId,
        /// Named by a refusal.
        attempt: u32,
        /// Why at all.
        reason: PassReason,
        /// Why this agent.
        why: Box<Explanation>,
    },
    /// Put the running conversation at the front of the line.
    Requeue {
        /// Which.
        conversation: ConversationId,
        /// Who has it.
        from: AgentId,
        /// Named by a refusal.
        attempt: u32,
        /// Why.
        reason: RequeueReason,
    },
    /// End the running conversation.
    End {
        /// Which.
        conversation: ConversationId,
        /// Named by a refusal.
        attempt: u32,
        /// Why.
        reason: EndReason,
        /// Number of the newest message it was decided by; one said since makes a silence none.
        said: u64,
    },
    /// Write a line into the conversation; once, so tried until it is done or pointless.
    Say {
        /// Where.
        conversation: ConversationId,
        /// What.
        prompt: Prompt,
        /// See [`Decision::End`].
        said: u64,
    },
    /// Tell managers; once, so tried until it is done.
    TellManagers {
        /// Of which conversation.
        conversation: ConversationId,
        /// What.
        alert: Alert,
    },
    /// Take a member who is gone out of the conversation.
    RemoveMember {
        /// Where.
        conversation: ConversationId,
        /// Who.
        agent: AgentId,
    },
    /// Ask this agent of the invited department.
    Offer {
        /// Which invitation.
        invitation: InvitationId,
        /// Who.
        agent: AgentId,
        /// Why this agent.
        why: Box<Explanation>,
    },
    /// The invitation is over: back to who made it.
    Return {
        /// Which invitation.
        invitation: InvitationId,
        /// Why.
        reason: ReturnReason,
    },
}

impl Decision {
    /// The conversation it is about; invitations are about none here.
    #[must_use]
    pub fn conversation(&self) -> Option<&ConversationId> {
        match self {
            Self::Route { conversation, .. }
            | Self::Assign { conversation, .. }
            | Self::Wait { conversation, .. }
            | Self::File { conversation, .. }
            | Self::PassOn { conversation, .. }
            | Self::Requeue { conversation, .. }
            | Self::End { conversation, .. }
            | Self::Say { conversation, .. }
            | Self::TellManagers { conversation, .. }
            | Self::RemoveMember { conversation, .. } => Some(conversation),
            Self::Offer { .. } | Self::Return { .. } => None,
        }
    }
}
