//! What the workbench is told. After every event the rows, the open chat and the link are compared
//! with what was told before, and only differences go out.

use std::collections::{BTreeMap, BTreeSet};

use yingke_shared::ids::{ConversationId, Seq};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{AgentCard, Author, Company, ConversationRecord, Message, Note};

use super::account::Account;
use super::{Engine, RequestId, Step};
use crate::bridge::types::{
    Chat, ChatHead, Connection, ConnectionState, InboxRow, OutboxItem, UiPush, UiReply, UiState,
};
use crate::inbox::{self, Beside};
use crate::limits::TRIES_BEFORE_OFFLINE;
use crate::store::cache::{CacheWrite, Page};

/// A clock that is off by less was not set: the two are only not read in one instant.
const CLOCK_SET_MS: u128 = 1_000;

/// The conversation in the chat pane.
struct OpenChat {
    conversation_id: ConversationId,
    /// Its first page was given; until then messages gather.
    ready: bool,
    /// New messages not told yet, in order of arrival.
    arrived: Vec<Message>,
    arrived_notes: Vec<Note>,
    head: Option<ChatHead>,
    outbox: Vec<OutboxItem>,
}

/// What was told, and what may have changed since.
#[derive(Default)]
pub(super) struct Shown {
    /// The relay's clock minus this computer's.
    pub(super) clock_offset_ms: i64,
    /// The relay's clock minus the monotonic one, which nobody sets, at the last welcome.
    relay_ahead_ms: i128,
    /// Counts the histories of the relay seen.
    history: u32,
    /// Counts the heads told.
    edition: u32,
    /// A new session is being asked for; so many tries failed.
    pub(super) token_awaited: Option<u32>,
    latency_ms: Option<u32>,
    rows: BTreeMap<ConversationId, InboxRow>,
    connection: Option<Connection>,
    chat: Option<OpenChat>,
    dirty: BTreeSet<ConversationId>,
    everything: bool,
    state: bool,
    outbox: bool,
}

impl Shown {
    pub(super) fn dirty(&mut self, conversation_id: &ConversationId) {
        self.dirty.insert(conversation_id.clone());
    }

    /// What changed and was not told yet; `None` if that may be everything.
    pub(super) fn changed(&self) -> Option<&BTreeSet<ConversationId>> {
        (!self.everything).then_some(&self.dirty)
    }

    pub(super) fn everything_dirty(&mut self) {
        self.everything = true;
    }

    /// What is on its way may show differently now.
    pub(super) fn outbox_dirty(&mut self) {
        self.outbox = true;
    }

    /// The relay's history is another one: what gathered of the former is not told any more.
    pub(super) fn history_replaced(&mut self) {
        self.history += 1;
        if let Some(chat) = &mut self.chat {
            chat.arrived.clear();
            chat.arrived_notes.clear();
        }
    }

    /// The whole state is to be told.
    pub(super) fn state_dirty(&mut self) {
        self.state = true;
    }

    pub(super) fn take_state_dirty(&mut self) -> bool {
        std::mem::take(&mut self.state)
    }

    /// A round trip took so long. Small changes are not worth telling.
    pub(super) fn latency(&mut self, millis: u64) {
        let new = u32::try_from(millis).unwrap_or(u32::MAX);
        let old = self.latency_ms.unwrap_or(u32::MAX);
        if new.abs_diff(old) > 10.max(old / 4) {
            self.latency_ms = Some(new);
        }
    }

    pub(super) fn new_message(&mut self, conversation_id: &ConversationId, message: &Message) {
        if let Some(chat) = &mut self.chat
            && chat.conversation_id == *conversation_id
        {
            chat.arrived.push(message.clone());
        }
    }

    pub(super) fn new_note(&mut self, conversation_id: &ConversationId, note: &Note) {
        if let Some(chat) = &mut self.chat
            && chat.conversation_id == *conversation_id
        {
            chat.arrived_notes.push(note.clone());
        }
        self.dirty(conversation_id);
    }

    /// A page filled a hole: it is told if the chat shows what comes after it.
    pub(super) fn page(&mut self, conversation_id: &ConversationId, page: &CacheWrite) {
        for (_, message) in &page.messages {
            self.new_message(conversation_id, message);
        }
        for (_, note) in &page.notes {
            self.new_note(conversation_id, note);
        }
        self.dirty(conversation_id);
    }

    pub(super) fn opening(&mut self, conversation_id: &ConversationId) {
        self.chat = Some(OpenChat {
            conversation_id: conversation_id.clone(),
            ready: false,
            arrived: Vec::new(),
            arrived_notes: Vec::new(),
            head: None,
            outbox: Vec::new(),
        });
    }

    pub(super) fn close(&mut self) {
        self.chat = None;
    }

    pub(super) fn open(&self) -> Option<&ConversationId> {
        self.chat.as_ref().map(|chat| &chat.conversation_id)
    }

    pub(super) fn is_open(&self, conversation_id: &ConversationId) -> bool {
        self.open() == Some(conversation_id)
    }
}

impl Account {
    /// The relay said what time it is there.
    pub(super) fn clock_heard(&mut self, step: &Step<'_>, relay: Timestamp) {
        let relay_ms = i128::from(relay.millis());
        self.shown.relay_ahead_ms = relay_ms - i128::from(step.now);
        let offset = relay_ms - i128::from(step.wall);
        self.shown.clock_offset_ms = i64::try_from(offset).unwrap_or(0);
    }

    /// The relay's clock. While the link stands nobody can set it here; without one the computer may
    /// have slept, which only its own clock knows.
    pub(super) fn relay_ms(&self, step: &Step<'_>) -> u64 {
        let relay_ms = if self.connection.is_live() {
            i128::from(step.now) + self.shown.relay_ahead_ms
        } else {
            i128::from(step.wall) + i128::from(self.shown.clock_offset_ms)
        };
        u64::try_from(relay_ms).unwrap_or(0)
    }

    /// This computer's clock may have been set: what is shown goes by the relay's all the same.
    fn follow_clock(&mut self, step: &Step<'_>) {
        let offset = i128::from(self.relay_ms(step)) - i128::from(step.wall);
        let moved = offset - i128::from(self.shown.clock_offset_ms);
        if moved.unsigned_abs() > CLOCK_SET_MS {
            self.shown.clock_offset_ms = i64::try_from(offset).unwrap_or(0);
        }
    }
}

impl Engine {
    /// Everything needed to draw the window. What it tells counts as told.
    pub(super) fn state(&mut self, step: &mut Step<'_>) -> UiState {
        let session = self.shown_session();
        let mut state = UiState {
            session,
            connection: Connection {
                state: ConnectionState::Offline,
                since: step.timestamp(),
                latency_ms: None,
                clock_offset_ms: 0,
                unsent: 0,
            },
            inbox: Vec::new(),
            colleagues: Vec::new(),
            company: Company::default(),
            sites: Vec::new(),
            invitations: Vec::new(),
            alerts: Vec::new(),
            queue_length: None,
            preferences: self.profile.preferences.clone(),
        };
        if let Some(account) = self.account.as_mut().filter(|account| account.is_open()) {
            account.shown.rows = account.rows();
            state.inbox = account.shown.rows.values().cloned().collect();
            state.colleagues = account.replica.colleagues().cloned().collect();
            state.company = account.replica.company();
            state.sites = account.replica.sites().to_vec();
            state.invitations = account.replica.invitations();
            state.alerts = account.replica.alerts();
            state.queue_length = account.queue_length;
            state.connection = account.connection_shown(step);
            account.shown.connection = Some(state.connection.clone());
        }
        state
    }
}

impl Account {
    /// Tells what changed.
    pub(super) fn show(&mut self, step: &mut Step<'_>) {
        if !self.is_open() {
            return;
        }
        if std::mem::take(&mut self.shown.outbox) {
            self.shown.dirty.extend(self.outbox.conversations().cloned());
        }
        let everything = std::mem::take(&mut self.shown.everything);
        let mut dirty = std::mem::take(&mut self.shown.dirty);
        if everything {
            dirty.extend(self.shown.rows.keys().cloned());
            dirty.extend(self.members());
            dirty.extend(self.shown.open().cloned());
        }
        if self.shown.open().is_some_and(|open| dirty.contains(open)) {
            self.show_chat(step);
        }
        self.show_rows(step, &dirty);
        self.show_connection(step);
    }

    fn show_rows(&mut self, step: &mut Step<'_>, dirty: &BTreeSet<ConversationId>) {
        let mut upsert = Vec::new();
        let mut removed = Vec::new();
        for conversation_id in dirty {
            match self.row(conversation_id) {
                Some(row) => {
                    let before = self.shown.rows.insert(conversation_id.clone(), row.clone());
                    // A preview alone is told by its own push.
                    let same = before.is_some_and(|before| {
                        InboxRow { preview: row.preview.clone(), ..before } == row
                    });
                    if !same {
                        upsert.push(row);
                    }
                }
                None => {
                    if self.shown.rows.remove(conversation_id).is_some() {
                        removed.push(conversation_id.clone());
                    }
                }
            }
        }
        if !upsert.is_empty() || !removed.is_empty() {
            step.push(UiPush::Inbox { upsert, removed });
        }
    }

    fn show_chat(&mut self, step: &mut Step<'_>) {
        let Some(conversation_id) = self.shown.open().cloned() else { return };
        let Some((record, held)) = self.replica.record(&conversation_id) else { return };
        let mut head = inbox::head(record, &self.beside(record, held));
        let outbox = self.outbox.items(&conversation_id, step.now);
        let Shown { chat, edition, .. } = &mut self.shown;
        let Some(chat) = chat.as_mut().filter(|chat| chat.ready) else { return };
        let mut messages = std::mem::take(&mut chat.arrived);
        messages.sort_by_key(|message| message.seq);
        messages.dedup_by_key(|message| message.seq);
        let notes = in_order(std::mem::take(&mut chat.arrived_notes));
        // A preview alone is told by its own push.
        let (preview, number) = (head.preview.clone(), head.edition);
        let same_head = chat
            .head
            .take()
            .is_some_and(|before| ChatHead { preview, edition: number, ..before } == head);
        let nothing_new = messages.is_empty() && notes.is_empty();
        let same = same_head && nothing_new && chat.outbox == outbox;
        if !same {
            *edition += 1;
            head.edition = *edition;
        }
        chat.head = Some(head.clone());
        chat.outbox.clone_from(&outbox);
        if !same {
            step.push(UiPush::Chat { conversation_id, head, messages, notes, outbox });
        }
    }

    fn show_connection(&mut self, step: &mut Step<'_>) {
        let now = self.connection_shown(step);
        if self.shown.connection.as_ref() != Some(&now) {
            self.shown.connection = Some(now.clone());
            step.push(UiPush::Connection(now));
        }
    }

    fn connection_shown(&mut self, step: &Step<'_>) -> Connection {
        self.follow_clock(step);
        let state = match self.shown.token_awaited {
            Some(failures) if failures >= TRIES_BEFORE_OFFLINE => ConnectionState::Offline,
            Some(_) => ConnectionState::Connecting,
            None => self.connection.state(),
        };
        // Since the link was lost, not since the last try failed.
        let is_up = |state| state == ConnectionState::Connected;
        let since = match &self.shown.connection {
            Some(before) if is_up(before.state) == is_up(state) => before.since,
            _ => step.timestamp(),
        };
        Connection {
            state,
            since,
            latency_ms: self.shown.latency_ms,
            clock_offset_ms: self.shown.clock_offset_ms,
            unsent: self.outbox.total(),
        }
    }

    /// The inbox: what is held, and whatever has a message its author must know about.
    fn members(&self) -> BTreeSet<ConversationId> {
        let unsent = self.outbox.conversations().filter(|id| self.outbox.count(id).0 > 0);
        self.replica.held().map(|record| &record.id).chain(unsent).cloned().collect()
    }

    fn rows(&self) -> BTreeMap<ConversationId, InboxRow> {
        let rows = self.members().into_iter();
        rows.filter_map(|id| self.row(&id).map(|row| (id, row))).collect()
    }

    fn row(&self, conversation_id: &ConversationId) -> Option<InboxRow> {
        let (record, held) = self.replica.record(conversation_id)?;
        let beside = self.beside(record, held);
        (held || beside.unsent > 0).then(|| inbox::row(record, &beside))
    }

    fn beside<'a>(&'a self, record: &ConversationRecord, held: bool) -> Beside<'a> {
        let id = &record.id;
        let (unsent, send_failed) = self.outbox.count(id);
        Beside {
            history: self.shown.history,
            edition: self.shown.edition,
            held,
            standing: self.standing(id),
            visitor_online: self.online.contains(id),
            preview: self.previews.get(id).map_or("", |preview| preview.text.as_str()),
            draft: self.drafts.get(id).map_or("", String::as_str),
            read: self.marks.read(id),
            unsent,
            send_failed,
            ledger: self.attending.machine.ledger(id),
        }
    }

    /// The first page of a conversation being opened is here: what arrived meanwhile joins it.
    pub(super) fn opened_page(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        conversation_id: ConversationId,
        page: Page,
    ) {
        let Page { mut messages, mut notes } = page;
        let Some((record, held)) = self.replica.record(&conversation_id) else {
            let error = yingke_shared::error_code::ErrorCode::NotFound;
            return step.reply(request_id, Err(crate::bridge::types::UiError::refused(error)));
        };
        let mut head = inbox::head(record, &self.beside(record, held));
        let outbox = self.outbox.items(&conversation_id, step.now);
        let last = record.last_message.clone();
        let is_shown = self.shown.is_open(&conversation_id);
        self.shown.edition += 1;
        head.edition = self.shown.edition;
        if let Some(chat) = &mut self.shown.chat
            && chat.conversation_id == conversation_id
        {
            join(&mut messages, std::mem::take(&mut chat.arrived));
            notes.append(&mut chat.arrived_notes);
            chat.ready = true;
            chat.head = Some(head.clone());
            chat.outbox.clone_from(&outbox);
        }
        join(&mut messages, vec![last]);
        // Those of messages that are not shown come with the page that has them.
        let first = messages.first().map(|first| first.seq).filter(|first| first.get() > 1);
        notes.retain(|note| first.is_none_or(|first| note.after >= first));
        let chat = Chat {
            has_earlier: messages.first().is_some_and(|first| first.seq.get() > 1),
            agents: self.authors(&messages, &notes),
            draft: self.drafts.get(&conversation_id).cloned().unwrap_or_default(),
            conversation_id,
            head,
            messages,
            notes: in_order(notes),
            outbox,
        };
        step.reply(request_id, Ok(UiReply::Chat(chat)));
        if is_shown {
            self.around_again(step);
        }
    }

    /// Names for who wrote them, and for the agent who reads.
    fn authors(&self, messages: &[Message], notes: &[Note]) -> Vec<AgentCard> {
        let mut cards = BTreeMap::new();
        if let Some(own) = self.replica.own() {
            let card = AgentCard { id: own.id.clone(), nickname: own.nickname.clone() };
            cards.insert(card.id.clone(), card);
        }
        let of_messages = messages.iter().filter_map(|message| match &message.author {
            Author::Agent { agent_id } => Some(agent_id),
            Author::Visitor | Author::System => None,
        });
        for agent_id in of_messages.chain(notes.iter().map(|note| &note.agent_id)) {
            if let Some(colleague) = self.replica.colleague(agent_id) {
                cards.insert(agent_id.clone(), colleague.card.clone());
            }
        }
        cards.into_values().collect()
    }
}

/// Each note once, where it stands.
fn in_order(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by(|a, b| (a.after, a.at, &a.id).cmp(&(b.after, b.at, &b.id)));
    notes.dedup_by(|a, b| a.id == b.id);
    notes
}

/// Adds messages to a page without holes. The newest stretch without one is kept.
fn join(page: &mut Vec<Message>, more: Vec<Message>) {
    let all = std::mem::take(page).into_iter().chain(more);
    let all: BTreeMap<Seq, Message> = all.map(|message| (message.seq, message)).collect();
    for message in all.into_values().rev() {
        if page.last().is_some_and(|after| message.seq.next() != after.seq) {
            break;
        }
        page.push(message);
    }
    page.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::tests::message;

    #[test]
    fn what_arrived_while_a_page_was_read_joins_it_on_both_sides() {
        for (page, more, joined) in [
            (&[5][..], &[1, 2, 3, 4, 5][..], &[1, 2, 3, 4, 5][..]),
            (&[4, 5], &[6, 7], &[4, 5, 6, 7]),
            (&[4, 5], &[9], &[9]),
            (&[4, 5], &[1, 2], &[4, 5]),
            (&[], &[3], &[3]),
        ] {
            let messages = |seqs: &[u64]| seqs.iter().map(|n| message(*n, *n, None)).collect();
            let mut held: Vec<Message> = messages(page);
            join(&mut held, messages(more));
            let held: Vec<u64> = held.iter().map(|message| message.seq.get()).collect();
            assert_eq!(held, joined, "{page:?} and {more:?}");
        }
    }
}
