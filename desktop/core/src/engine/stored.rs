//! What the storage threads said, and what it was asked for.

use yingke_shared::ids::{ClientId, ConversationId, Epoch, Seq};
use yingke_shared::views::ReadMark;

use super::account::Account;
use super::commands::{Asked, load};
use super::{Engine, RequestId, Step};
use crate::bridge::types::{UiErrorKind, UiReply};
use crate::connection::Input;
use crate::outbox::{Change, StoredMessage};
use crate::store::cache::{CacheContents, Page, Tail};
use crate::store::outbox::OutboxContents;
use crate::store::thread::OutboxDone;
use crate::store::{StoreError, StoreEvent, Ticket};

/// What a storage job is for.
pub(super) enum Awaited {
    /// Nobody waits.
    Nothing,
    /// Messages that the relay may be told we hold.
    Messages { stored: Vec<(ConversationId, Seq)> },
    /// A person waits for it to be on disk.
    Done { request_id: RequestId },
    /// A message is being written down.
    Add { request_id: RequestId },
    /// A message is being taken out.
    Discard { request_id: RequestId, client_id: ClientId },
    /// A failed message goes again.
    Retry { request_id: RequestId, changes: Vec<Change> },
    /// The outbox learns which history of the relay it talks to.
    Epoch { epoch: Epoch },
    /// The newest page of a conversation being opened.
    Open { request_id: RequestId, conversation_id: ConversationId },
    /// A page of earlier messages.
    Earlier { request_id: RequestId, conversation_id: ConversationId, before: Seq },
    /// The message that was viewed last.
    Viewed { conversation_id: ConversationId, seq: Seq },
}

impl Awaited {
    /// Who waits, if anyone.
    fn request_id(&self) -> Option<RequestId> {
        match self {
            Self::Done { request_id }
            | Self::Add { request_id }
            | Self::Discard { request_id, .. }
            | Self::Retry { request_id, .. }
            | Self::Open { request_id, .. }
            | Self::Earlier { request_id, .. } => Some(*request_id),
            Self::Nothing | Self::Messages { .. } | Self::Epoch { .. } | Self::Viewed { .. } => {
                None
            }
        }
    }
}

/// What the two files held, until both are open.
#[derive(Default)]
pub(super) struct Opened {
    cache: Option<Box<CacheContents>>,
    outbox: Option<Box<OutboxContents>>,
    /// The relay's history as the outbox knows it.
    pub(super) epoch: Option<Epoch>,
}

impl Engine {
    pub(super) fn stored(&mut self, step: &mut Step<'_>, account: u64, event: StoreEvent) {
        let Some(current) = self.account.as_mut().filter(|current| current.serial == account)
        else {
            return;
        };
        match event {
            StoreEvent::CacheOpened(contents) => current.opened.cache = Some(contents),
            StoreEvent::OutboxOpened(contents) => current.opened.outbox = Some(contents),
            StoreEvent::Refused(error) => {
                tracing::error!(%error, "the account's files cannot be used");
                return self.account_refused(step);
            }
            event => return current.stored(step, event),
        }
        current.opening = current.opening.saturating_sub(1);
        if current.is_open() {
            current.restore();
            self.account_opened(step);
        }
    }
}

impl Account {
    /// Both files are open: what they held becomes what is shown.
    fn restore(&mut self) {
        let (Some(cache), Some(outbox)) = (self.opened.cache.take(), self.opened.outbox.take())
        else {
            return;
        };
        let outbox = *outbox;
        let mut cache = *cache;
        let marks = std::mem::take(&mut cache.marks);
        self.replica.restore(cache, outbox.records);
        // Of what left the inbox the relay wants to hear nothing more.
        for (conversation_id, kept) in marks {
            if self.replica.holds(&conversation_id) {
                self.marks.restore(conversation_id, kept);
            }
        }
        for record in self.replica.held() {
            self.marks.known(&record.id, record.own_read);
        }
        for message in outbox.messages {
            self.outbox.put(message);
        }
        self.drafts = outbox.drafts;
        self.opened.epoch = outbox.epoch;
        self.shown.everything_dirty();
    }

    fn stored(&mut self, step: &mut Step<'_>, event: StoreEvent) {
        match event {
            StoreEvent::Written { ticket, stored, tail } => {
                let awaited = self.awaited.remove(&ticket);
                if let Some((conversation_id, tail)) = tail {
                    self.page_written(conversation_id, tail, stored);
                }
                if let (Some(Awaited::Messages { stored: messages }), true) = (awaited, stored) {
                    for (conversation_id, seq) in messages {
                        self.message_stored(&conversation_id, seq);
                    }
                }
            }
            StoreEvent::CacheLost => {
                self.replica.cache_lost();
                self.connection.forget_place();
                self.link(step, Input::Misfit);
            }
            StoreEvent::Page { ticket, page } => self.page_read(step, ticket, page),
            StoreEvent::Outbox { ticket, result } => self.outbox_done(step, ticket, result),
            // Opening is the engine's.
            StoreEvent::CacheOpened(_) | StoreEvent::OutboxOpened(_) | StoreEvent::Refused(_) => {}
        }
    }

    /// A page is on disk: the stretch without holes may have grown.
    fn page_written(
        &mut self,
        conversation_id: ConversationId,
        on_disk: Option<Tail>,
        stored: bool,
    ) {
        if !stored {
            return;
        }
        // Messages that arrived since the job was given are not in its answer.
        let known = self.replica.tail(&conversation_id);
        let merged = match (known, on_disk) {
            (Some(known), Some(on_disk)) if known.high > on_disk.high => {
                let touches = known.low <= on_disk.high.next();
                let low = if touches { on_disk.low.min(known.low) } else { known.low };
                Some(Tail { low, high: known.high })
            }
            (_, on_disk) => on_disk,
        };
        self.replica.set_tail(conversation_id.clone(), merged);
        if let Some(on_disk) = on_disk {
            self.message_stored(&conversation_id, on_disk.high);
        }
        self.want_fill(conversation_id);
    }

    /// "Delivered" is said of a message when it and everything before it that was not viewed is on
    /// this device.
    fn message_stored(&mut self, conversation_id: &ConversationId, seq: Seq) {
        let Some((record, true)) = self.replica.record(conversation_id) else { return };
        let Some(tail) = self.replica.tail(conversation_id) else { return };
        let kept = self.marks.kept(conversation_id);
        let said = kept.delivered.max(kept.read.seq).max(record.own_read.seq);
        if tail.low <= said.next() {
            self.marks.stored(conversation_id, seq.min(tail.high));
        }
    }

    fn page_read(&mut self, step: &mut Step<'_>, ticket: Ticket, page: Page) {
        let Page { messages, notes } = page;
        match self.awaited.remove(&ticket) {
            Some(Awaited::Open { request_id, conversation_id }) => {
                let page = Page { messages, notes };
                self.opened_page(step, request_id, conversation_id, page);
            }
            Some(Awaited::Earlier { request_id, conversation_id, before }) => {
                let has_earlier = messages.first().is_some_and(|first| first.seq.get() > 1);
                if !messages.is_empty() || before.get() <= 1 {
                    let items = messages;
                    step.reply(request_id, Ok(UiReply::Earlier { items, notes, has_earlier }));
                } else if self.connection.is_live() && self.has_room() {
                    let command = load(&conversation_id, Some(before));
                    self.command(step, Asked::Earlier { request_id, conversation_id }, &command);
                } else {
                    self.link(step, Input::Nudge);
                    step.fail(request_id, UiErrorKind::Offline);
                }
            }
            Some(Awaited::Viewed { conversation_id, seq }) => {
                if let Some(message) = messages.last().filter(|message| message.seq == seq) {
                    let read = ReadMark { seq, visitor_count: message.visitor_count };
                    self.viewed_up_to(step, &conversation_id, read);
                }
            }
            _ => {}
        }
    }

    fn outbox_done(
        &mut self,
        step: &mut Step<'_>,
        ticket: Ticket,
        result: Result<OutboxDone, StoreError>,
    ) {
        let Some(awaited) = self.awaited.remove(&ticket) else { return };
        let done = match result {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "the outbox could not be written");
                return self.outbox_failed(step, &awaited);
            }
        };
        match (awaited, done) {
            (Awaited::Add { request_id }, OutboxDone::Added(message)) => {
                self.added(step, request_id, message);
            }
            (Awaited::Retry { request_id, changes }, OutboxDone::Changed) => {
                self.outbox.retried(&changes);
                self.shown.everything_dirty();
                step.done(request_id);
            }
            (Awaited::Discard { request_id, client_id }, OutboxDone::Changed) => {
                self.discarded(&client_id, true);
                step.done(request_id);
            }
            (Awaited::Done { request_id }, OutboxDone::Changed) => step.done(request_id),
            (Awaited::Epoch { epoch }, OutboxDone::OfferedAgain(again)) => {
                let replaced = self.opened.epoch.replace(epoch).is_some();
                if replaced {
                    tracing::info!(
                        messages = again.messages.len(),
                        "the relay's history is another one; recent messages are offered again"
                    );
                    self.outbox.history_replaced();
                }
                self.replica.remember(again.records);
                for message in again.messages {
                    self.outbox.offer_again(message);
                }
                self.epoch_entered = true;
                self.shown.everything_dirty();
            }
            _ => {}
        }
    }

    fn added(&mut self, step: &mut Step<'_>, request_id: RequestId, message: StoredMessage) {
        let conversation_id = message.conversation_id.clone();
        let client_id = message.client_id.clone();
        let arrived = message.arrived();
        self.outbox.put(message);
        self.shown.dirty(&conversation_id);
        let items = self.outbox.items(&conversation_id, step.now);
        match items.into_iter().find(|item| item.client_id == client_id).or(arrived) {
            Some(item) => step.reply(request_id, Ok(UiReply::Queued { item })),
            None => step.fail(request_id, UiErrorKind::Bug),
        }
    }

    /// The disk did not take it. A change of standing that is lost only means that the message is
    /// asked about again after a restart, under the same id; a person who waits is told.
    fn outbox_failed(&mut self, step: &mut Step<'_>, awaited: &Awaited) {
        if let Some(request_id) = awaited.request_id() {
            step.fail(request_id, UiErrorKind::Storage);
        }
        match awaited {
            // Nothing is sent until it works: the next link asks again.
            Awaited::Epoch { .. } => self.link(step, Input::Broken),
            Awaited::Discard { client_id, .. } => self.discarded(client_id, false),
            _ => {}
        }
    }

    fn discarded(&mut self, client_id: &ClientId, done: bool) {
        if let Some(conversation_id) = self.outbox.discarded(client_id, done) {
            self.shown.dirty(&conversation_id);
        }
    }

    /// The account is closed: whoever waits for it is told.
    pub(super) fn abandon(&mut self, step: &mut Step<'_>) {
        for (_, awaited) in std::mem::take(&mut self.awaited) {
            if let Some(request_id) = awaited.request_id() {
                step.fail(request_id, UiErrorKind::SignedOut);
            }
        }
        self.calls_abandoned(step);
    }
}
