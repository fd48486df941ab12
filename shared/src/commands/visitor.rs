//! Commands of the widget. A visitor never names a conversation to write to: there is at most one
//! open, and the relay knows which.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::frame::Hello;
use crate::ids::{AgentId, ConversationId, DepartmentId, Seq};
use crate::views::HistoryCursor;

super::commands! {
    /// Everything a visitor may ask over the socket.
    VisitorCommand {
        /// First frame of every socket.
        "hello" => Hello,
        /// A message; starts a conversation if none is open. Reply: `accepted`.
        "send_message" => VisitorSendMessage,
        /// The window was opened where that is enough to take a seat (B14): a conversation begins
        /// without a message, unless one is open or the site does not say `begins_on_open` any more.
        /// Reply: `done`, whether one began or not.
        "begin_conversation" => BeginConversation,
        /// What is being typed, masked by the widget (E01). Ephemeral: answered only when refused.
        "preview" => Preview,
        /// "These are on my device" and "these I have viewed". Reply: `done`.
        "mark" => VisitorMark,
        /// End the open conversation, if any. Reply: `done`.
        "end_conversation" => VisitorEndConversation,
        /// Leave the line (A30): ends a conversation that waits. Reply: `done`.
        "leave_queue" => LeaveQueue,
        /// Turn a conversation that waits, or none, into a leave-message (H03). Reply: `done`.
        "leave_message" => LeaveMessage,
        /// A page of earlier messages. Reply: `history`.
        "load_history" => LoadHistory,
    }
}

/// The page a visitor is on.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct PageContext {
    /// Its address, at most 2,048 bytes; empty if unknown.
    pub url: String,
    /// Its title, at most 64 characters are kept.
    pub title: String,
}

/// See [`VisitorCommand::VisitorSendMessage`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct VisitorSendMessage {
    /// 1 to 4,000 characters, not only white space.
    pub text: String,
    /// Where the visitor is; kept with a conversation that this message starts.
    pub page: PageContext,
    /// The widget's language, a BCP 47 tag of at most 64 characters.
    pub locale: String,
    /// What the visitor picked before the chat; looked at only when this starts a conversation.
    #[serde(default)]
    pub asks: VisitorAsks,
}

/// See [`VisitorCommand::BeginConversation`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct BeginConversation {
    /// Where the visitor is; kept with the conversation.
    pub page: PageContext,
    /// The widget's language, a BCP 47 tag of at most 64 characters.
    pub locale: String,
}

/// What a visitor picked before the chat (A24, A25). What is not offered is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(export)]
pub struct VisitorAsks {
    /// Of the category form; empty for none.
    pub category: String,
    /// A department.
    pub department_id: Option<DepartmentId>,
    /// An agent.
    pub agent_id: Option<AgentId>,
}

/// See [`VisitorCommand::LeaveQueue`]. Refused with `overtaken` if an agent has it by now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LeaveQueue {}

/// See [`VisitorCommand::LeaveMessage`]. Refused with `overtaken` if an agent has it by now: the text
/// can then be sent as a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LeaveMessage {
    /// At most 64 characters; may be empty.
    pub name: String,
    /// E-mail or telephone, at most 128 characters; may be empty.
    pub contact: String,
    /// 1 to 4,000 characters, not only white space.
    pub text: String,
    /// Where the visitor is.
    pub page: PageContext,
    /// The widget's language.
    pub locale: String,
}

/// See [`VisitorCommand::Preview`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Preview {
    /// At most 500 characters; in a run of digits all after the sixth are masked with `*` before it
    /// leaves the browser. Empty: nothing is being typed any more.
    pub text: String,
}

/// See [`VisitorCommand::VisitorMark`]. Merged by maximum: older values change nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct VisitorMark {
    /// In which of the visitor's conversations.
    pub conversation_id: ConversationId,
    /// Stored on this device up to here.
    pub delivered: Seq,
    /// Viewed up to here.
    pub read: Seq,
}

/// See [`VisitorCommand::VisitorEndConversation`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct VisitorEndConversation {}

/// See [`VisitorCommand::LoadHistory`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LoadHistory {
    /// Only what came earlier; `None` for the newest.
    pub before: Option<HistoryCursor>,
    /// 1 to 100.
    pub limit: u32,
}
