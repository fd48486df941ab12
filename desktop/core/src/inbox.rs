//! A conversation as a row of the inbox and as the head of the chat. Pure: everything comes in,
//! nothing is counted, so nothing can drift (C09, P18).

use yingke_shared::ids::ConversationId;
use yingke_shared::views::{ConversationRecord, ReadMark};

use crate::bridge::types::{ChatHead, InboxOrder, InboxRow, Ledger, Standing};

/// What this device knows beside the record.
pub(crate) struct Beside<'a> {
    pub(crate) history: u32,
    /// The last head told was this one.
    pub(crate) edition: u32,
    pub(crate) held: bool,
    pub(crate) standing: Standing,
    pub(crate) visitor_online: bool,
    pub(crate) preview: &'a str,
    pub(crate) draft: &'a str,
    /// Viewed here, told to the relay or not.
    pub(crate) read: ReadMark,
    pub(crate) unsent: u32,
    pub(crate) send_failed: bool,
    pub(crate) ledger: Option<Ledger>,
}

/// Visitor messages not viewed: a subtraction of two counts the relay numbered.
pub(crate) fn unread(record: &ConversationRecord, read: ReadMark) -> u32 {
    let viewed = record.own_read.merge(read).visitor_count.get();
    let unread = record.last_message.visitor_count.get().saturating_sub(viewed);
    u32::try_from(unread).unwrap_or(u32::MAX)
}

/// Unanswered first, longest waiting first; then the rest, latest first.
pub(crate) fn order(record: &ConversationRecord) -> InboxOrder {
    let key = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
    match record.unanswered_since() {
        Some(since) => InboxOrder { group: 0, key: key(since.millis()) },
        None => InboxOrder { group: 1, key: -key(record.last_message.at.millis()) },
    }
}

pub(crate) fn row(record: &ConversationRecord, beside: &Beside<'_>) -> InboxRow {
    let conversation_id: ConversationId = record.id.clone();
    InboxRow {
        conversation_id,
        visitor: record.visitor.clone(),
        visitor_online: beside.visitor_online,
        said: record.said().clone(),
        unread: unread(record, beside.read),
        unanswered_since: record.unanswered_since(),
        preview: beside.preview.to_owned(),
        draft: beside.draft.to_owned(),
        unsent: beside.unsent,
        send_failed: beside.send_failed,
        standing: beside.standing,
        department_id: record.department_id.clone(),
        vip: record.vip,
        ledger: beside.ledger,
        order: order(record),
    }
}

pub(crate) fn head(record: &ConversationRecord, beside: &Beside<'_>) -> ChatHead {
    ChatHead {
        history: beside.history,
        edition: beside.edition,
        visitor: record.visitor.clone(),
        status: record.status.clone(),
        held: beside.held,
        standing: beside.standing,
        department_id: record.department_id.clone(),
        vip: record.vip,
        members: record.members.clone(),
        invitations: record.invitations.clone(),
        visitor_online: beside.visitor_online,
        started_at: record.started_at,
        first_response_at: record.first_response_at,
        unanswered_since: record.unanswered_since(),
        visitor_marks: record.visitor_marks,
        own_read: record.own_read.merge(beside.read).seq,
        preview: beside.preview.to_owned(),
    }
}
