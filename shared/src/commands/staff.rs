//! Commands of agents, managers and admins.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::frame::Hello;
use crate::ids::{AgentId, ConversationId, InvitationId, Seq, VisitorId};
use crate::views::{Availability, InvitationKind, Invitee};

super::commands! {
    /// Everything staff may ask over the socket.
    StaffCommand {
        /// First frame of every socket.
        "hello" => Hello,
        /// A message to the visitor. Reply: `accepted`.
        "send_message" => StaffSendMessage,
        /// "These are on my device" and "these I have viewed". Reply: `done`.
        "mark" => StaffMark,
        /// 在线, 忙碌 or 离开. Reply: `done`.
        "set_availability" => SetAvailability,
        /// Give a waiting conversation to an agent by hand (B09). Reply: `done`.
        "assign" => Assign,
        /// Ask a colleague or a department to take over or to join (F01, F03). The command's id
        /// becomes the invitation's. Reply: `done`.
        "invite" => Invite,
        /// Accept or decline an invitation to the sender. Reply: `done`.
        "answer_invitation" => AnswerInvitation,
        /// Take an own invitation back. Reply: `done`.
        "withdraw_invitation" => WithdrawInvitation,
        /// Leave a conversation that others go on with (F04). Reply: `done`.
        "leave_conversation" => LeaveConversation,
        /// A manager joins a conversation (F05). Reply: `done`.
        "enter_conversation" => EnterConversation,
        /// A manager serves it from now on (F05). Reply: `done`.
        "take_over" => TakeOver,
        /// Put a served conversation back to the front of the line. Reply: `done`.
        "hand_back" => HandBack,
        /// Write first to a visitor the sender knows (C05). Reply: `accepted`.
        "start_conversation" => StartConversation,
        /// A note among staff (F05, X08). Reply: `done`.
        "add_note" => AddNote,
        /// A manager follows a conversation unseen, on this socket (F05, L01). Reply: `watched`.
        "watch_conversation" => WatchConversation,
        /// No longer. Reply: `done`.
        "unwatch_conversation" => UnwatchConversation,
        /// Send the floor whenever it changes, on this socket, or no longer. Reply: `done`.
        "watch_floor" => WatchFloor,
        /// Which conversation is open on this device (X10). Ephemeral: answered only when refused.
        "viewing" => Viewing,
        /// End a conversation the sender serves; frees a place at once. Reply: `done`.
        "end_conversation" => StaffEndConversation,
        /// A page of earlier messages. Reply: `messages`.
        "load_messages" => LoadMessages,
        /// "I am typing." Ephemeral: answered only when refused.
        "typing" => Typing,
    }
}

/// See [`StaffCommand::StaffSendMessage`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct StaffSendMessage {
    /// To which conversation; the sender must serve it.
    pub conversation_id: ConversationId,
    /// 1 to 4,000 characters, not only white space.
    pub text: String,
}

/// See [`StaffCommand::StaffMark`]. Merged by maximum: older values change nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct StaffMark {
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// Stored on this device up to here.
    pub delivered: Seq,
    /// Viewed up to here: window focused, conversation open, message in view.
    pub read: Seq,
}

/// See [`StaffCommand::SetAvailability`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SetAvailability {
    /// The new availability.
    pub availability: Availability,
    /// With 离开: running conversations go back to the front of the line instead of being ended (B11).
    #[serde(default)]
    pub hand_over: bool,
}

/// See [`StaffCommand::Assign`]. For managers and admins. Refused with `overtaken` if it does not wait
/// any more, `agent_unavailable` if the agent is not online, `agent_full` at capacity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Assign {
    /// Which.
    pub conversation_id: ConversationId,
    /// To whom.
    pub agent_id: AgentId,
    /// Also if the agent is at capacity: the sender was asked and meant it.
    pub over_capacity: bool,
}

/// See [`StaffCommand::Invite`]. The sender serves the conversation or takes part in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Invite {
    /// To which conversation.
    pub conversation_id: ConversationId,
    /// Who is asked; an agent must be online (F02).
    pub to: Invitee,
    /// What accepting does.
    pub kind: InvitationKind,
    /// At most 500 characters; empty for nothing.
    pub note: String,
}

/// See [`StaffCommand::AnswerInvitation`]. Refused with `overtaken` if it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AnswerInvitation {
    /// Which.
    pub invitation_id: InvitationId,
    /// Yes or no.
    pub accept: bool,
}

/// See [`StaffCommand::WithdrawInvitation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct WithdrawInvitation {
    /// Which.
    pub invitation_id: InvitationId,
}

/// See [`StaffCommand::LeaveConversation`]. The one who serves it may leave only while others take
/// part: the first of them serves it then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LeaveConversation {
    /// Which.
    pub conversation_id: ConversationId,
}

/// See [`StaffCommand::EnterConversation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct EnterConversation {
    /// Which.
    pub conversation_id: ConversationId,
}

/// See [`StaffCommand::TakeOver`]. A waiting conversation is taken too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct TakeOver {
    /// Which.
    pub conversation_id: ConversationId,
}

/// See [`StaffCommand::HandBack`]. By the one who serves it, or a manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct HandBack {
    /// Which.
    pub conversation_id: ConversationId,
}

/// See [`StaffCommand::StartConversation`]. If the visitor has an open conversation that the sender
/// serves, the text joins it; if another agent does, it is refused with `overtaken`. One that waits is
/// taken by the sender.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct StartConversation {
    /// With whom: a visitor the sender served.
    pub visitor_id: VisitorId,
    /// 1 to 4,000 characters, not only white space.
    pub text: String,
}

/// See [`StaffCommand::AddNote`]. Whoever may read the conversation may add one while it is open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AddNote {
    /// To which.
    pub conversation_id: ConversationId,
    /// 1 to 4,000 characters, not only white space.
    pub text: String,
}

/// See [`StaffCommand::WatchConversation`]. From then on its events and signals come to this socket,
/// until it ends, is unwatched or the socket closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct WatchConversation {
    /// Which.
    pub conversation_id: ConversationId,
}

/// See [`StaffCommand::UnwatchConversation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct UnwatchConversation {
    /// Which.
    pub conversation_id: ConversationId,
}

/// See [`StaffCommand::WatchFloor`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct WatchFloor {
    /// From now on, or no longer.
    pub on: bool,
}

/// See [`StaffCommand::Viewing`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Viewing {
    /// `None` for none.
    pub conversation_id: Option<ConversationId>,
}

/// See [`StaffCommand::StaffEndConversation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct StaffEndConversation {
    /// Which.
    pub conversation_id: ConversationId,
}

/// See [`StaffCommand::LoadMessages`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LoadMessages {
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// Only messages with a smaller number; `None` for the newest.
    pub before: Option<Seq>,
    /// 1 to 100.
    pub limit: u32,
}

/// See [`StaffCommand::Typing`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Typing {
    /// To which conversation.
    pub conversation_id: ConversationId,
}
