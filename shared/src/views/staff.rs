//! What agents, managers and admins see.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use super::common::{
    AgentCard, Availability, DepartmentCard, EndedBy, Marks, Role, SystemNotice, WaitingReason,
};
use super::invitation::Invitation;
use crate::ids::{
    AgentId, ClientId, ConversationId, DepartmentId, Position, Seq, SiteId, SkillId, VisitorId,
};
use crate::settings::{Attention, AutoReplyTexts};
use crate::time::Timestamp;

/// The signed-in member of staff's own card (C02).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OwnCard {
    /// Who.
    pub id: AgentId,
    /// The sign-in name.
    pub account: String,
    /// The name shown to visitors and colleagues.
    pub nickname: String,
    /// What the account may do.
    pub role: Role,
    /// The chosen availability (B11).
    pub availability: Availability,
    /// Conversations at once (B06).
    pub capacity: u32,
    /// Where the agent answers (B03).
    pub departments: Vec<DepartmentId>,
    /// What the agent can (B03).
    pub skills: Vec<SkillId>,
    /// The agent's own words for what the relay says by itself (D06).
    pub auto_replies: AutoReplyTexts,
}

/// A group of agents who can take a kind of question (B03).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SkillCard {
    /// Which.
    pub id: SkillId,
    /// 1 to 64 characters.
    pub name: String,
}

/// What all staff need of the company's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Company {
    /// In their order (B17).
    pub departments: Vec<DepartmentCard>,
    /// By name.
    pub skills: Vec<SkillCard>,
    /// When what waits asks louder (C07, X05).
    pub attention: Attention,
    /// The company's words replace every agent's own (D06).
    pub forced_replies: bool,
}

/// What staff see of a visitor (G01, thin).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VisitorCard {
    /// Who.
    pub id: VisitorId,
    /// Which site they came by.
    pub site_id: SiteId,
    /// That site's name.
    pub site_name: String,
    /// A short label for a visitor without a name: the last four characters of a hash of the id.
    pub label: String,
    /// The page open when the conversation began; empty if unknown.
    pub page_url: String,
    /// That page's title; empty if unknown.
    pub page_title: String,
    /// The visitor's chosen language, a BCP 47 tag.
    pub locale: String,
}

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum ConversationStatus {
    /// In line for an agent.
    Waiting {
        /// Why.
        reason: WaitingReason,
    },
    /// Held by one agent.
    Serving {
        /// By whom.
        agent_id: AgentId,
    },
    /// Over; nothing can be added.
    Ended {
        /// By whom.
        by: EndedBy,
        /// When.
        at: Timestamp,
    },
}

/// Who wrote a message. A kind of author that a later version knows reads as [`Self::System`]: neither
/// the visitor nor one of ours, and the message keeps its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum Author {
    /// The visitor of the conversation.
    Visitor,
    /// A member of staff.
    Agent {
        /// Who.
        agent_id: AgentId,
    },
    /// The relay itself.
    System,
}

impl<'de> Deserialize<'de> for Author {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        enum Known {
            Visitor,
            Agent {
                agent_id: AgentId,
            },
            #[serde(other)]
            System,
        }
        Ok(match Known::deserialize(deserializer)? {
            Known::Visitor => Self::Visitor,
            Known::Agent { agent_id } => Self::Agent { agent_id },
            Known::System => Self::System,
        })
    }
}

/// What a message says. A reader of an older version meets content it has no words for: it reads
/// [`Self::Unknown`], so that the message keeps its place and its numbers and all others are read.
#[derive(Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum MessageContent {
    /// Plain text; never markup.
    Text {
        /// 1 to 4,000 characters.
        text: String,
    },
    /// A line the system wrote.
    Notice {
        /// Which.
        notice: SystemNotice,
    },
    /// What a later version says, or what the relay cannot read any more. Never sent by anyone who
    /// writes.
    Unknown,
}

impl<'de> Deserialize<'de> for MessageContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        enum Known {
            Text { text: String },
            Notice { notice: SystemNotice },
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Read {
            Known(Known),
            Later(IgnoredAny),
        }
        Ok(match Read::deserialize(deserializer)? {
            Read::Known(Known::Text { text }) => Self::Text { text },
            Read::Known(Known::Notice { notice }) => Self::Notice { notice },
            Read::Later(IgnoredAny) => Self::Unknown,
        })
    }
}

/// One message of a conversation as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Message {
    /// Its dense number in the conversation; the order on every screen.
    pub seq: Seq,
    /// The id its author's client gave it; replaces the local echo.
    pub client_id: ClientId,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub content: MessageContent,
    /// When the relay stored it.
    pub at: Timestamp,
    /// How many messages of the conversation up to and including this one the visitor wrote.
    /// Unread is the difference of two of these, so it needs no counting and cannot drift (P18).
    pub visitor_count: Seq,
    /// After this message, the time of the first visitor message no agent has answered yet (C07).
    pub unanswered_since: Option<Timestamp>,
}

/// A reader's read mark with the visitor count there, so that unread is a subtraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReadMark {
    /// Up to here the reader has viewed the messages.
    pub seq: Seq,
    /// [`Message::visitor_count`] of that message.
    pub visitor_count: Seq,
}

/// One conversation as staff see it: the row of a list and the head of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConversationRecord {
    /// Which.
    pub id: ConversationId,
    /// The position of the newest event this record includes; events at or below it change nothing.
    pub rev: Position,
    /// Where it stands.
    pub status: ConversationStatus,
    /// Whose it is.
    pub visitor: VisitorCard,
    /// When the first message was stored.
    pub started_at: Timestamp,
    /// When the serving agent took it, if any did.
    pub assigned_at: Option<Timestamp>,
    /// When an agent first wrote, if any did.
    pub first_response_at: Option<Timestamp>,
    /// The newest message. A conversation has at least one: the message that started it.
    pub last_message: Message,
    /// The newest text, if the newest message is a notice: what the row of a list shows. See
    /// [`Self::said`].
    pub last_said: Option<Message>,
    /// The visitor's marks: what "delivered" and "read" beside an agent's message mean.
    pub visitor_marks: Marks,
    /// The reader's own read mark.
    pub own_read: ReadMark,
    /// For which department; `None` before the rules were asked.
    pub department_id: Option<DepartmentId>,
    /// Waits before others (B18).
    pub vip: bool,
    /// Who takes part beside the one who serves it, in the order they joined (F03, F06).
    pub members: Vec<AgentId>,
    /// Open invitations, in the order they were made.
    pub invitations: Vec<Invitation>,
}

impl ConversationRecord {
    /// Visitor messages the reader has not viewed: derived, never counted (C09, P18).
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.last_message.visitor_count.get().saturating_sub(self.own_read.visitor_count.get())
    }

    /// What a row shows of the conversation: the newest text, whatever notices follow it.
    #[must_use]
    pub fn said(&self) -> &Message {
        self.last_said.as_ref().unwrap_or(&self.last_message)
    }

    /// A newer message takes the place of the newest; a notice keeps the text before it.
    pub fn put_message(&mut self, message: Message) {
        let is_notice = matches!(message.content, MessageContent::Notice { .. });
        let before = std::mem::replace(&mut self.last_message, message);
        if !is_notice {
            self.last_said = None;
        } else if !matches!(before.content, MessageContent::Notice { .. }) {
            self.last_said = Some(before);
        }
    }

    /// Since when the visitor waits for an answer, if at all (C07).
    #[must_use]
    pub fn unanswered_since(&self) -> Option<Timestamp> {
        self.last_message.unanswered_since
    }
}

/// A line among staff: a whisper, a hint, a hand-over (F05, X08). A type of its own: nothing on the
/// visitor's side of the protocol can carry it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Note {
    /// The id of the command that made it.
    pub id: ClientId,
    /// Who wrote it.
    pub agent_id: AgentId,
    /// 1 to 4,000 characters.
    pub text: String,
    /// When the relay stored it.
    pub at: Timestamp,
    /// It stands after this message.
    pub after: Seq,
}

/// Something managers are told of a conversation (B13, X05). It stays until the conversation is
/// answered or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ManagerAlert {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// The position of the event that told it: an older event changes nothing.
    pub rev: Position,
    /// What.
    pub what: ManagerAlertKind,
    /// When.
    pub at: Timestamp,
    /// The visitor's short label.
    pub label: String,
    /// In which department.
    pub department_id: DepartmentId,
}

/// See [`ManagerAlert`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum ManagerAlertKind {
    /// It was moved as often as allowed, or nobody is there to move it to (B13).
    NoAnswer,
    /// It waits for an agent whose account is gone (B08).
    OwnAgentGone,
}

/// A page of messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct MessagePage {
    /// Whose messages.
    pub conversation_id: ConversationId,
    /// Dense and ascending.
    pub messages: Vec<Message>,
    /// The notes that stand after one of these, in order; those before the first message come with the
    /// page that begins with it.
    pub notes: Vec<Note>,
    /// Whether there are earlier ones.
    pub has_earlier: bool,
}

/// A site's settings as staff with the right see and change them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SiteSettings {
    /// Which.
    pub id: SiteId,
    /// The company's own name for it; shown in the widget.
    pub name: String,
    /// 开启在线客服 (A04): off, nothing of the site's widget starts.
    pub enabled: bool,
    /// Origins on which the widget starts, exactly (A02): `https://shop.example`,
    /// `http://localhost:8080`, or `https://*.shop.example` for all subdomains.
    pub domains: Vec<String>,
    /// Shown when the visitor opens the window; empty for none (A16).
    pub welcome: String,
    /// Typing preview (E01).
    pub preview: bool,
    /// Whether the loader may keep a return ticket in the host page's storage (A33).
    pub return_tickets: bool,
}

/// What colleagues see of each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ColleagueCard {
    /// Name and id.
    pub card: AgentCard,
    /// What the account may do.
    pub role: Role,
    /// The chosen availability.
    pub availability: Availability,
    /// Conversations at once.
    pub capacity: u32,
    /// Where the agent answers.
    pub departments: Vec<DepartmentId>,
    /// What the agent can.
    pub skills: Vec<SkillId>,
    /// A disabled account cannot sign in; its records stay.
    pub disabled: bool,
}
