//! Pure rules of conversations: running numbers, marks, standings, how they are stored.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, Seq, VisitorId};
use yingke_shared::limits::PAGE_MESSAGES_MAX;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    Author, ConversationStatus, EndedBy, ManagerAlertKind, Marks, RequeueReason, WaitingReason,
};

use crate::auth::rules::sha256_hex;
use crate::policy::Relation;

/// What each message row carries of the conversation so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Running {
    /// The newest message's number; zero before the first.
    pub seq: Seq,
    /// Messages of the visitor up to here.
    pub visitor_count: Seq,
    /// Since when the visitor waits for an answer.
    pub unanswered_since: Option<Timestamp>,
}

impl Running {
    /// The state after one more message. The visitor's first unanswered message starts the waiting
    /// clock, an agent's message stops it, the system's does neither (C07).
    #[must_use]
    pub fn after(self, author: &Author, at: Timestamp) -> Self {
        let seq = self.seq.next();
        match author {
            Author::Visitor => Self {
                seq,
                visitor_count: self.visitor_count.next(),
                unanswered_since: self.unanswered_since.or(Some(at)),
            },
            Author::Agent { .. } => Self { seq, unanswered_since: None, ..self },
            Author::System => Self { seq, ..self },
        }
    }
}

/// The marks after a reader said `said`: never back, never past the last message.
#[must_use]
pub fn marked(before: Marks, said: Marks, last: Seq) -> Marks {
    let within = Marks { delivered: said.delivered.min(last), read: said.read.min(last) };
    before.merge(within)
}

/// How a member of staff stands to a conversation by what it is now.
#[must_use]
pub fn relation(status: &ConversationStatus, members: &[AgentId], reader: &AgentId) -> Relation {
    match status {
        ConversationStatus::Serving { agent_id } if agent_id == reader => Relation::Serving,
        ConversationStatus::Serving { .. } if members.contains(reader) => Relation::Member,
        _ => Relation::Unrelated,
    }
}

/// May this many messages be asked for at once?
pub fn may_be_page(limit: u32) -> Result<u32, ErrorCode> {
    if (1..=PAGE_MESSAGES_MAX).contains(&limit) { Ok(limit) } else { Err(ErrorCode::BadBody) }
}

/// A short name for a visitor without one: it tells two apart and betrays nothing.
#[must_use]
pub fn visitor_label(id: &VisitorId) -> String {
    let hex = sha256_hex(id.as_str().as_bytes());
    hex.chars().skip(60).collect::<String>().to_uppercase()
}

/// The stored word of a reason to wait.
#[must_use]
pub fn reason_word(reason: WaitingReason) -> &'static str {
    match reason {
        WaitingReason::Routing => "routing",
        WaitingReason::AllFull => "all_full",
        WaitingReason::NobodyOnline => "nobody_online",
        WaitingReason::Closed => "closed",
    }
}

/// The reason of a stored word.
#[must_use]
pub fn reason_of_word(word: &str) -> Option<WaitingReason> {
    use WaitingReason as W;
    [W::Routing, W::AllFull, W::NobodyOnline, W::Closed]
        .into_iter()
        .find(|reason| reason_word(*reason) == word)
}

/// The stored word of why it is in line again.
#[must_use]
pub fn requeue_word(why: RequeueReason) -> &'static str {
    match why {
        RequeueReason::AgentLost => "agent_lost",
        RequeueReason::AgentSignedOut => "agent_signed_out",
        RequeueReason::AgentRemoved => "agent_removed",
        RequeueReason::NoAnswer => "no_answer",
        RequeueReason::HandedOver => "handed_over",
    }
}

/// Why it is in line again, by the stored word.
#[must_use]
pub fn requeue_of_word(word: &str) -> Option<RequeueReason> {
    use RequeueReason as R;
    [R::AgentLost, R::AgentSignedOut, R::AgentRemoved, R::NoAnswer, R::HandedOver]
        .into_iter()
        .find(|why| requeue_word(*why) == word)
}

/// The stored word of what managers are told.
#[must_use]
pub fn alert_word(what: ManagerAlertKind) -> &'static str {
    match what {
        ManagerAlertKind::NoAnswer => "no_answer",
        ManagerAlertKind::OwnAgentGone => "own_agent_gone",
    }
}

/// What managers are told, by the stored word.
#[must_use]
pub fn alert_of_word(word: &str) -> Option<ManagerAlertKind> {
    [ManagerAlertKind::NoAnswer, ManagerAlertKind::OwnAgentGone]
        .into_iter()
        .find(|what| alert_word(*what) == word)
}

/// The stored word of who ended a conversation.
#[must_use]
pub fn ended_by_word(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Visitor => "visitor",
        EndedBy::Agent => "agent",
        EndedBy::AgentAway => "agent_away",
        EndedBy::VisitorSilent => "visitor_silent",
        EndedBy::LeftQueue => "left_queue",
        EndedBy::LeaveMessage => "leave_message",
    }
}

/// Who ended it, by the stored word.
#[must_use]
pub fn ended_by_of_word(word: &str) -> Option<EndedBy> {
    use EndedBy as E;
    [E::Visitor, E::Agent, E::AgentAway, E::VisitorSilent, E::LeftQueue, E::LeaveMessage]
        .into_iter()
        .find(|by| ended_by_word(*by) == word)
}
