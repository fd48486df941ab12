//! Views that are the same on both sides of the protocol.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AgentId, Seq};

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
    /// No agent is online. The message is kept and assigned when someone comes.
    NobodyOnline,
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
    /// The site's welcome as the visitor saw it when writing the first message (A16).
    Welcome {
        /// The company's own words.
        text: String,
    },
    /// An agent took the conversation.
    AgentJoined {
        /// Who, as named then.
        agent: AgentCard,
    },
    /// The conversation ended.
    Ended {
        /// By whom.
        by: EndedBy,
    },
}
