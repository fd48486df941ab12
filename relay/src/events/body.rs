//! What the log can say. An entry in memory carries everything fan-out needs; what is stored leaves
//! out what other tables hold (a message's text) and is filled in again when read back.

use yingke_shared::ids::{
    AgentId, ConversationId, DepartmentId, InvitationId, Position, SiteId, VisitorId,
};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentCard, ConversationStatus, InvitationEnd, ManagerAlertKind, Marks, Message, ReadMark,
    RequeueReason,
};

/// Whom an event about a conversation concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// Whose.
    pub visitor_id: VisitorId,
    /// Who serves it after the event (read back later: who serves it today).
    pub agent_id: Option<AgentId>,
    /// Who takes part beside that agent (read back later: today).
    pub members: Vec<AgentId>,
}

impl Subject {
    /// Whether the event is told to this agent live.
    #[must_use]
    pub fn concerns(&self, agent_id: &AgentId) -> bool {
        self.agent_id.as_ref() == Some(agent_id) || self.members.contains(agent_id)
    }

    /// All agents it is told to live, each once.
    pub fn agents(&self) -> impl Iterator<Item = &AgentId> {
        let serving = self.agent_id.as_ref();
        let members = self.members.iter().filter(move |member| Some(*member) != serving);
        serving.into_iter().chain(members)
    }
}

/// Who sees a conversation since an event, and who no longer does. Who sees it before and after is in
/// neither list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// They get its record.
    pub gained: Vec<AgentId>,
    /// They are told that it is withdrawn.
    pub lost: Vec<AgentId>,
}

impl Sight {
    /// What changed between those who saw it before and those who do after.
    #[must_use]
    pub fn between(before: &[AgentId], after: &[AgentId]) -> Self {
        let without = |these: &[AgentId], those: &[AgentId]| {
            these.iter().filter(|one| !those.contains(one)).cloned().collect()
        };
        Self { gained: without(after, before), lost: without(before, after) }
    }
}

/// An event about to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The relay's clock, taken before the transaction.
    pub at: Timestamp,
    /// The conversation it is about, if it is about one.
    pub subject: Option<Subject>,
    /// What happened.
    pub body: LogBody,
}

/// An event in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub position: Position,
    /// When.
    pub at: Timestamp,
    /// The conversation it is about, if it is about one.
    pub subject: Option<Subject>,
    /// What happened.
    pub body: LogBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogBody {
    /// A conversation began, waiting. Its first messages follow at the next positions.
    ConversationStarted,
    /// Waiting (for another reason), served, ended.
    StatusChanged {
        /// The standing now.
        status: ConversationStatus,
        /// The serving agent's card, when served.
        agent: Option<AgentCard>,
        /// Who sees it since then, and who no longer does. At an end nobody loses it: they are told.
        sight: Sight,
        /// Why it waits at the front, if it was served before.
        requeued: Option<RequeueReason>,
    },
    /// The rules, a transfer or a person put it into a department.
    Routed {
        /// Which.
        department_id: DepartmentId,
        /// Waits before others.
        vip: bool,
    },
    /// Somebody joined or left beside the one who serves it.
    MembersChanged {
        /// All of them now, with their cards.
        members: Vec<AgentCard>,
        /// Who joined.
        joined: Option<AgentId>,
        /// Who left.
        left: Option<AgentId>,
        /// Those who took part before or after that the visitor was not told of.
        unannounced: Vec<AgentId>,
        /// Who sees it since then, and who no longer does.
        sight: Sight,
    },
    /// An invitation to it was made, offered, declined, or is over; readers read the rows.
    InvitationsChanged {
        /// What happened.
        change: InvitationChange,
    },
    /// A note among staff; readers read the row of this position.
    NoteAdded,
    /// Managers are told of it.
    ManagersAlerted {
        /// What.
        what: ManagerAlertKind,
    },
    /// It was answered, or is over: managers need not look any more.
    AlertCleared,
    /// A wrap-up is done: the agent's place is free.
    WrapUpDone {
        /// Whose.
        agent_id: AgentId,
    },
    /// A message was added.
    MessageAppended {
        /// The message.
        message: Box<Message>,
        /// Its author's card, if an agent wrote it.
        agent: Option<AgentCard>,
        /// When an agent first wrote in the conversation, this message included.
        first_response_at: Option<Timestamp>,
    },
    /// The visitor's marks moved.
    VisitorMarked {
        /// The marks now.
        marks: Marks,
    },
    /// An agent's marks moved.
    AgentMarked {
        /// Whose.
        agent_id: AgentId,
        /// The visitor was not told that the agent takes part, and hears nothing of it (F05).
        hidden: bool,
        /// The marks now.
        marks: Marks,
        /// The read mark with its visitor count.
        read: ReadMark,
    },
    /// An agent was added, or card, role, availability, capacity or `disabled` changed.
    AgentChanged {
        /// Who; readers read the row.
        agent_id: AgentId,
    },
    /// A section of the settings changed; readers read it.
    SettingsChanged {
        /// Its stored name.
        section: String,
    },
    /// A site was added or changed.
    SiteChanged {
        /// Which; readers read the row.
        site_id: SiteId,
    },
}

/// What happened to an invitation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InvitationChange {
    /// Somebody was asked to take over or to join.
    Made {
        /// Which.
        invitation_id: InvitationId,
    },
    /// This agent is asked now.
    Offered {
        /// Which.
        invitation_id: InvitationId,
        /// Whom.
        agent_id: AgentId,
    },
    /// This agent said no, or could not be asked; somebody else may be.
    Declined {
        /// Which.
        invitation_id: InvitationId,
        /// Who.
        agent_id: AgentId,
        /// Why this one is asked no more.
        #[serde(default = "said_no")]
        why: InvitationEnd,
    },
    /// It is over.
    Closed {
        /// Which.
        invitation_id: InvitationId,
        /// Why.
        why: InvitationEnd,
        /// Who was asked last.
        offered_to: Option<AgentId>,
    },
}

/// What is said where nothing stands.
fn said_no() -> InvitationEnd {
    InvitationEnd::Declined
}

impl LogBody {
    /// Whether this is more than a message or a mark: nearly all of the log is those two, and whoever
    /// only follows who serves whom need not be woken for them.
    #[must_use]
    pub fn is_news(&self) -> bool {
        !matches!(
            self,
            Self::MessageAppended { .. } | Self::VisitorMarked { .. } | Self::AgentMarked { .. }
        )
    }
}
