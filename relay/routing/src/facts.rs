//! What can be told to the core.
//!
//! Owns the closed list of facts. Those of the first part are read from the log, each with the
//! position it stands at; those of the second come from sockets, from the store's answers and from
//! the timer, and are harmless when told twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::decisions::{Invitee, RequeueReason, WaitingReason};
use crate::ids::{AgentId, ConversationId, DepartmentId, InvitationId, SiteId, SkillId};
use crate::rules::{Demand, Rule};
use crate::settings::{Company, Department};
use crate::visitor::Described;

/// What an agent chose (B11). Not being connected is not a choice and not among these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// 在线: takes conversations.
    Online,
    /// 忙碌: goes on with the running ones, takes no new ones.
    #[default]
    Busy,
    /// 离开: serves nobody.
    Away,
}

/// An agent's account as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSettings {
    /// Who.
    pub agent: AgentId,
    /// Conversations at once.
    pub capacity: u32,
    /// What the agent chose.
    pub availability: Availability,
    /// Where the agent answers.
    pub departments: BTreeSet<DepartmentId>,
    /// What the agent can.
    pub skills: BTreeSet<SkillId>,
}

/// What a conversation that enters asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Nobody asked the rules yet: they are asked now, and the answer is a decision.
    Described(Box<Described>),
    /// The rules were asked.
    Demand(Demand),
}

/// A conversation that enters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Which.
    pub conversation: ConversationId,
    /// Grows from one conversation to the next; within a class the smaller one is first.
    pub number: u64,
    /// On which site.
    pub site: Option<SiteId>,
    /// The visitor has sent a message. One who has not takes no seat unless the site says so (B14).
    pub has_written: bool,
    /// It was let in when it began: what sites say since does not matter.
    #[serde(default)]
    pub let_in: bool,
    /// What it asks for.
    pub asks: Asks,
}

/// Why the store did not carry out a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The conversation is not what it was when this was decided: news of it is on the way.
    Overtaken,
    /// The agent does not take conversations now, or has no free place.
    AgentUnfit,
    /// The store could not: nothing is known against either.
    Failed,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A conversation enters: its first message was stored, or the window was opened.
    ConversationWaiting(Box<Arrival>),
    /// The store says that this agent has it: a decision confirmed, by hand (also over capacity),
    /// accepted from an invitation, or taken over.
    ConversationServed {
        /// Which.
        conversation: ConversationId,
        /// By whom.
        agent: AgentId,
    },
    /// It is in line again, at the front.
    ConversationRequeued {
        /// Which.
        conversation: ConversationId,
        /// Why.
        why: RequeueReason,
    },
    /// It asks for something else now: another department, by hand or by the visitor's choice.
    ConversationRerouted {
        /// Which.
        conversation: ConversationId,
        /// What it asks for now.
        demand: Demand,
    },
    /// It ended, the visitor left the line, or it became a leave-message.
    ConversationOver {
        /// Which.
        conversation: ConversationId,
    },
    /// The visitor sent a message.
    VisitorWrote {
        /// Where.
        conversation: ConversationId,
        /// Its number in the conversation.
        seq: u64,
        /// The line number of a conversation that enters by it (B14).
        number: u64,
    },
    /// An agent sent a message the visitor sees.
    AgentWrote {
        /// Where.
        conversation: ConversationId,
        /// Who.
        agent: AgentId,
        /// Its number in the conversation.
        seq: u64,
    },
    /// An agent joined as another member.
    MemberJoined {
        /// Where.
        conversation: ConversationId,
        /// Who.
        agent: AgentId,
    },
    /// A member who is not the one serving left.
    MemberLeft {
        /// Where.
        conversation: ConversationId,
        /// Who.
        agent: AgentId,
    },
    /// Somebody was asked to take over or to join (F01, F03).
    InvitationMade {
        /// Which.
        invitation: InvitationId,
        /// For which conversation.
        conversation: ConversationId,
        /// Who asks.
        from: AgentId,
        /// Who is asked.
        to: Invitee,
    },
    /// This agent said no, or could not be asked.
    InvitationDeclined {
        /// Which.
        invitation: InvitationId,
        /// Who.
        agent: AgentId,
    },
    /// It was accepted, withdrawn, returned or ran out.
    InvitationClosed {
        /// Which.
        invitation: InvitationId,
    },
    /// The agent is done with the work after an end.
    WrapUpDone {
        /// Of which conversation.
        conversation: ConversationId,
        /// Who.
        agent: AgentId,
    },
    /// An account as it is now.
    AgentSet(Box<AgentSettings>),
    /// The account is disabled or gone.
    AgentRemoved {
        /// Who.
        agent: AgentId,
    },
    /// A department as it is now.
    DepartmentSet(Box<Department>),
    /// The department is gone; its line goes to the company's default.
    DepartmentRemoved {
        /// Which.
        department: DepartmentId,
    },
    /// The rules as they are now, for conversations that enter from now on.
    RulesSet {
        /// In their order.
        rules: Vec<Rule>,
    },
    /// The company's settings as they are now.
    CompanySet(Box<Company>),

    /// The agent's first connection is there.
    AgentConnected {
        /// Who.
        agent: AgentId,
    },
    /// The agent's last connection is gone, without a word: a crash or the network.
    AgentLost {
        /// Who.
        agent: AgentId,
    },
    /// The agent signed out: there is no grace to wait for.
    AgentSignedOut {
        /// Who.
        agent: AgentId,
    },
    /// The agent types in this conversation just now; told at least every few seconds.
    AgentTypes {
        /// Where.
        conversation: ConversationId,
        /// Who.
        agent: AgentId,
    },
    /// The store did not carry out a decision about this conversation.
    Refused {
        /// Which conversation.
        conversation: ConversationId,
        /// The decision's number.
        attempt: u32,
        /// Why.
        why: Refusal,
    },
    /// The clock on the wall is so much ahead of the steady time that is passed in.
    WallClock {
        /// May be negative.
        ahead_ms: i64,
    },
    /// The clock reached a deadline, or the last step was cut short.
    GoOn,
}

/// What the database holds of one conversation that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRow {
    /// Which.
    pub conversation: ConversationId,
    /// Its number in line.
    pub number: u64,
    /// What it asks for.
    pub demand: Demand,
    /// Agents who had it.
    pub had: Vec<AgentId>,
    /// Times it was moved because of a missing answer, since the last answer.
    pub tries: u32,
    /// Managers were told that it is unanswered, since the last answer.
    pub alerted: bool,
    /// Its talk.
    pub talk: Talk,
    /// Where it stands.
    pub standing: StandingRow,
}

/// What clocks need to know of the messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    /// Number of the newest message.
    pub seq: u64,
    /// The first message of the visitor that no agent answered.
    pub unanswered_since: Option<Millis>,
    /// The agent's last message, if it is the last word.
    pub last_word_at: Option<Millis>,
    /// The visitor was asked in this silence.
    pub asked_at: Option<Millis>,
    /// The visitor was warned in this silence.
    pub warned_at: Option<Millis>,
    /// The missing answer was explained in this chain of unanswered messages.
    pub explained: bool,
}

/// Where a conversation stands, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandingRow {
    /// The window is open, nothing was written, and that is not enough for a seat.
    Silent,
    /// In line.
    Waiting {
        /// Since when.
        since: Millis,
        /// It was served before and stands at the front.
        front: bool,
        /// Why it was put back.
        requeued: Option<RequeueReason>,
        /// What the visitor was told, and when.
        told: Option<(WaitingReason, Millis)>,
    },
    /// Served.
    Served {
        /// By whom.
        agent: AgentId,
        /// Who else takes part.
        members: Vec<AgentId>,
        /// Since when this agent has it.
        since: Millis,
        /// This agent has answered.
        answered: bool,
        /// For how long the missing answer was being typed, up to `typing_until`.
        typed_ms: Millis,
        /// The agent counts as typing until then.
        typing_until: Millis,
    },
}

/// How an agent is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// At least one live connection.
    Live,
    /// None since then, without a word.
    Lost(Millis),
    /// Signed out, or never came.
    Out,
}

/// What is known of an agent when the core begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// The account.
    pub settings: AgentSettings,
    /// It is disabled or gone, and named only because it still serves.
    pub removed: bool,
    /// How the agent is connected.
    pub connection: Connection,
    /// When a conversation last came or went.
    pub idle_since: Millis,
    /// Places still taken after an end: which conversation, and until when.
    pub wrap_ups: Vec<(ConversationId, Millis)>,
}

/// What the database holds of one open invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationRow {
    /// Which.
    pub invitation: InvitationId,
    /// For which conversation.
    pub conversation: ConversationId,
    /// Who asks.
    pub from: AgentId,
    /// Who is asked.
    pub to: Invitee,
    /// The agent who is asked now and until when, if anybody.
    pub offered: Option<(AgentId, Millis)>,
    /// Who said no.
    pub declined: Vec<AgentId>,
}

/// Everything the core knows, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Now.
    pub now: Millis,
    /// What [`Fact::WallClock`] said last.
    pub wall_ahead_ms: i64,
    /// The log up to here is contained.
    pub position: u64,
    /// Settings of the company.
    pub company: Company,
    /// Its departments.
    pub departments: Vec<Department>,
    /// Its rules, in their order.
    pub rules: Vec<Rule>,
    /// Its agents.
    pub agents: Vec<AgentRow>,
    /// Conversations that are not over.
    pub conversations: Vec<ConversationRow>,
    /// Open invitations.
    pub invitations: Vec<InvitationRow>,
    /// When the last few left a line by being assigned, for expected waits.
    pub pace: Vec<(DepartmentId, Millis)>,
}
