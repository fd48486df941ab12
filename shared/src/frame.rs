//! The frames of the socket.
//!
//! Client to relay: only commands (see [`crate::commands`]); the first is `hello`.
//! Relay to client: [`Welcome`] once, then replies, deliveries, signals, and a goodbye before the
//! relay closes. All are JSON text; binary frames are refused. Clients ignore fields and event and
//! signal types they do not know.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error_code::{ErrorCode, WireError};
use crate::events::{StaffEvent, VisitorEvent};
use crate::ids::{AgentId, ClientId, ConversationId, Epoch, Position, Seq};
use crate::snapshot::{StaffSnapshot, VisitorSnapshot};
use crate::time::Timestamp;
use crate::views::{ConversationRecord, Floor, HistoryPage, MessagePage};

/// Body of the first command on every socket.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Hello {
    /// [`crate::PROTOCOL_VERSION`] of the client.
    pub version: u32,
    /// The session's secret; never in a URL.
    pub token: String,
    /// Where the client stopped reading, if it holds anything.
    pub resume: Option<ResumePoint>,
}

/// A reader's place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct ResumePoint {
    /// Of which log.
    pub epoch: Epoch,
    /// Everything up to here is held.
    pub position: Position,
}

/// How a session begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "mode", rename_all = "snake_case")]
#[ts(export)]
pub enum Start<S> {
    /// Nothing is lost: deliveries continue from here, the client's own position.
    Resumed {
        /// The position the client named.
        position: Position,
    },
    /// Replace what is held by this. Deliveries continue from `position`.
    Snapshot {
        /// The position the snapshot was read at.
        position: Position,
        /// All the reader may see, in rows.
        snapshot: Box<S>,
    },
}

/// The relay's answer to a good `hello`. A refused one is answered by `bye`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Welcome<S> {
    /// The version both speak now.
    pub version: u32,
    /// The log's identity. Another than the client's: drop the cache, keep outbox and drafts, offer
    /// again what was acknowledged in the last 24 h.
    pub epoch: Epoch,
    /// The relay's clock, so that waiting clocks count right on a skewed machine.
    pub now: Timestamp,
    /// Where reading begins.
    pub start: Start<S>,
}

/// A stretch of the log for this reader: everything it may see in `(after, upto]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Delivery<E> {
    /// The reader's position before. If it is not, the client says `hello` again without `resume`,
    /// once.
    pub after: Position,
    /// The reader's position afterwards; moves even when nothing was visible.
    pub upto: Position,
    /// In order; may be empty.
    pub events: Vec<E>,
}

/// Answer to a command. Exactly one of `ok` and `error` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Reply {
    /// The command's id.
    pub id: ClientId,
    /// Carried out, and on stable storage if it stores anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ok: Option<Outcome>,
    /// Not carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<WireError>,
}

/// What a command gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum Outcome {
    /// Carried out; nothing to tell.
    Done {},
    /// A message is stored.
    Accepted {
        /// In which conversation.
        conversation_id: ConversationId,
        /// Under which number.
        seq: Seq,
        /// When.
        at: Timestamp,
    },
    /// Messages, for staff.
    Messages {
        /// The page.
        page: MessagePage,
    },
    /// A conversation that is watched from now on (F05, L01).
    Watched {
        /// As it stands.
        record: Box<ConversationRecord>,
    },
    /// Messages, for a visitor.
    History {
        /// The page.
        page: HistoryPage,
    },
}

/// The relay's last word before it closes the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Bye {
    /// Why.
    pub error: WireError,
}

impl Bye {
    /// A goodbye without a waiting time.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self { error: WireError::new(code) }
    }
}

/// What is true now and stored nowhere, for staff.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum StaffSignal {
    /// What the visitor is typing (E01); empty: nothing any more. Expires after 10 s.
    Preview {
        /// In which conversation.
        conversation_id: ConversationId,
        /// Masked text.
        text: String,
    },
    /// A widget of the visitor connected, or the last one left. Also sent after the welcome and
    /// after `conversation_gained` for each conversation whose visitor is there.
    VisitorOnline {
        /// In which conversation.
        conversation_id: ConversationId,
        /// Whether one is connected now.
        online: bool,
    },
    /// How many wait in the reader's departments (B10). Also sent after the welcome.
    QueueLength {
        /// So many.
        waiting: u32,
    },
    /// The floor, whole; for readers who asked by `watch_floor`.
    Floor {
        /// All of it now.
        floor: Floor,
    },
    /// Who else has this conversation open, and who of them types (X10). Sent to everybody who has it
    /// open whenever it changes; a typing sign expires after 10 s.
    Colleagues {
        /// In which conversation.
        conversation_id: ConversationId,
        /// Who else has it open.
        reading: Vec<AgentId>,
        /// Who of them types.
        typing: Vec<AgentId>,
    },
}

/// What is true now and stored nowhere, for a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum VisitorSignal {
    /// The serving agent is typing. Expires after 10 s.
    AgentTyping {
        /// In which conversation.
        conversation_id: ConversationId,
    },
    /// Where the waiting visitor stands (A30, B09). Sent after the welcome too, and when it changed.
    Place {
        /// Which conversation.
        conversation_id: ConversationId,
        /// From 1.
        place: u32,
        /// Milliseconds; `None` when nothing is known.
        expected_wait_ms: Option<u32>,
    },
}

/// Every frame the relay sends to staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export)]
pub enum StaffFrame {
    /// Once, first.
    Welcome(Welcome<StaffSnapshot>),
    /// To a command.
    Reply(Reply),
    /// A stretch of the log; also the heartbeat.
    Delivery(Delivery<StaffEvent>),
    /// Ephemeral.
    Signal {
        /// What.
        signal: StaffSignal,
    },
    /// Before closing.
    Bye(Bye),
}

/// Every frame the relay sends to a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export)]
pub enum VisitorFrame {
    /// Once, first.
    Welcome(Welcome<VisitorSnapshot>),
    /// To a command.
    Reply(Reply),
    /// A stretch of the log; also the heartbeat.
    Delivery(Delivery<VisitorEvent>),
    /// Ephemeral.
    Signal {
        /// What.
        signal: VisitorSignal,
    },
    /// Before closing.
    Bye(Bye),
}
