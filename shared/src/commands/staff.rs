//! Commands of agents, managers and admins.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::frame::Hello;
use crate::ids::{ConversationId, Seq};
use crate::views::Availability;

super::commands! {
    /// Everything staff may ask over the socket.
    StaffCommand {
        /// First frame of every socket.
        "hello" => Hello,
        /// A message to the visitor. Reply: `accepted`.
        "send_message" => StaffSendMessage,
        /// "These are on my device" and "these I have viewed". Reply: `done`.
        "mark" => StaffMark,
        /// 在线 or 忙碌. Reply: `done`.
        "set_availability" => SetAvailability,
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
