//! Views that are the same on both sides of the protocol.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AgentId, DepartmentId, Seq};

/// Built-in roles, weakest first (O05). The order is used: a stronger role may what a weaker may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Role {
    /// Answers visitors.
    Agent,
    /// Watches and steps in.
    Manager,
    /// Sets everything.
    Admin,
}

/// What an agent chose (B11). Durable; whether the client is connected is another matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Availability {
    /// 在线: takes new conversations up to the capacity.
    Online,
    /// 忙碌: running conversations go on, no new ones.
    Busy,
    /// 离开: serves nobody. Choosing it ends every running conversation or hands it over.
    Away,
}

/// What a visitor and colleagues see of an agent (A26).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AgentCard {
    /// Who.
    pub id: AgentId,
    /// The name shown to visitors.
    pub nickname: String,
}

/// Why a conversation waits for an agent; the visitor is told (A15, B06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum WaitingReason {
    /// The relay is about to look for an agent.
    Routing,
    /// Agents are there, each at capacity.
    AllFull,
    /// No agent is online: a leave-message is offered (H03). The message is kept and assigned when
    /// someone comes.
    NobodyOnline,
    /// The department is closed: a leave-message is offered (X09).
    Closed,
}

/// Who ended a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum EndedBy {
    /// The visitor, from the widget's menu.
    Visitor,
    /// The serving agent.
    Agent,
    /// The relay, because the serving agent chose 离开 (B11): the visitor must apply again.
    AgentAway,
    /// The relay, because the visitor was silent for too long (B15).
    VisitorSilent,
    /// The visitor left the line (A30).
    LeftQueue,
    /// It became a leave-message (H03): the visitor left one, or nobody came in time.
    LeaveMessage,
}

/// Why a conversation went back to the front of the line (B11, B13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum RequeueReason {
    /// Its agent's client was gone beyond the grace period.
    AgentLost,
    /// Its agent signed out.
    AgentSignedOut,
    /// Its agent's account was disabled.
    AgentRemoved,
    /// It was not answered.
    NoAnswer,
    /// Its agent handed it over before leaving.
    HandedOver,
}

/// A line the relay writes into a conversation by itself (D05, B15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum AutoReply {
    /// Asks a silent visitor, once a silence (D05-2).
    AskVisitor,
    /// Warns a silent visitor of the end (B15).
    WarnVisitor,
    /// Explains a missing answer, once a chain of unanswered messages (D05-3).
    ExplainDelay,
}

/// What everybody may know of a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DepartmentCard {
    /// Which.
    pub id: DepartmentId,
    /// Its name; empty for the one every company begins with, which readers name themselves.
    pub name: String,
}

/// How far a reader has come in a conversation: both numbers only ever grow (X07).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Marks {
    /// Up to here a device of the reader has stored the messages.
    pub delivered: Seq,
    /// Up to here the reader has viewed them. Never above `delivered`.
    pub read: Seq,
}

impl Marks {
    /// The larger of each. Reading implies that it was delivered.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let read = self.read.max(other.read);
        Self { delivered: self.delivered.max(other.delivered).max(read), read }
    }
}

/// A line the system wrote into the stream. Readers choose the words in their own language.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum SystemNotice {
    /// The site's welcome as the visitor saw it when writing the first message (A16), or when opening
    /// the window began the conversation (B14).
    Welcome {
        /// The company's own words; empty if the visitor opened the window of a site without any.
        text: String,
    },
    /// An agent took the conversation.
    AgentJoined {
        /// Who, as named then.
        agent: AgentCard,
    },
    /// Another agent took it over from the one before (F01, F04, B13).
    Transferred {
        /// Who has it now, as named then.
        agent: AgentCard,
    },
    /// Another agent takes part now (F03).
    MemberJoined {
        /// Who, as named then.
        agent: AgentCard,
    },
    /// An agent who took part left; others stay (F04).
    MemberLeft {
        /// Who, as named then.
        agent: AgentCard,
    },
    /// It is in line again, at the front.
    Requeued {
        /// Why.
        why: RequeueReason,
    },
    /// The relay said this by itself.
    AutoReply {
        /// What.
        reply: AutoReply,
        /// The words set by the agent or the company; empty for the reader's own.
        text: String,
    },
    /// The conversation ended.
    Ended {
        /// By whom.
        by: EndedBy,
    },
}
