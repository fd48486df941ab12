//! The commands an account has on their way to the relay: messages, marks, pages for holes, and what
//! a person waits for. What is due goes out after every event; what a broken link swallowed goes
//! again or is told.

use std::collections::{BTreeMap, BTreeSet};

use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::{LoadMessages, StaffMark, StaffSendMessage};
use yingke_shared::error_code::WireError;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::limits::{COMMANDS_IN_FLIGHT_MAX, PAGE_MESSAGES_MAX};
use yingke_shared::views::MessagePage;

use super::account::Account;
use super::frames::encode;
use super::stored::Awaited;
use super::{Effect, RequestId, Step};
use crate::bridge::types::{UiError, UiErrorKind, UiReply};
use crate::limits::{ANSWER_WITHIN_MS, CHAT_PAGE_MESSAGES, FILL_PAGES_MAX, FILLS_IN_FLIGHT_MAX};
use crate::store::cache::CacheWrite;

/// What an id on the wire stands for.
pub(super) enum Asked {
    Send,
    Mark {
        conversation_id: ConversationId,
    },
    /// A person waits for it to be done.
    Person {
        request_id: RequestId,
    },
    /// A person waits for a conversation that begins.
    Start {
        request_id: RequestId,
    },
    /// The floor, or no longer.
    Floor,
    /// A conversation is to be watched; a person waits for it the first time.
    Watch {
        request_id: Option<RequestId>,
        conversation_id: ConversationId,
    },
    /// One of the conversations whose visitors left.
    End {
        conversation_id: ConversationId,
        tries: u32,
    },
    /// A person waits for earlier messages.
    Earlier {
        request_id: RequestId,
        conversation_id: ConversationId,
    },
    /// A hole is being filled in the background.
    Fill {
        conversation_id: ConversationId,
        /// Asked for all of the newest, what is there included: its notes may be more.
        newest: bool,
    },
}

/// A command that was not answered yet.
struct OnItsWay {
    asked: Asked,
    since: u64,
}

/// The commands on their way.
#[derive(Default)]
pub(super) struct Commands {
    unanswered: BTreeMap<ClientId, OnItsWay>,
}

impl Commands {
    pub(super) fn deadline(&self) -> Option<u64> {
        self.unanswered.values().map(|one| one.since + ANSWER_WITHIN_MS).min()
    }
}

/// Filling the holes of the conversations held.
#[derive(Default)]
pub(super) struct Fills {
    pub(super) wanted: BTreeSet<ConversationId>,
    /// Whose newest page must be read, whatever is there: only it says which notes there are.
    pub(super) newest: BTreeSet<ConversationId>,
    /// Whose notes are known since this start.
    sure: BTreeSet<ConversationId>,
    /// Asked of the relay, or on its way to the disk.
    under_way: BTreeSet<ConversationId>,
    /// Pages loaded for a conversation since the link is up.
    pub(super) pages: BTreeMap<ConversationId, u32>,
    not_before: u64,
}

impl Fills {
    pub(super) fn deadline(&self, now: u64) -> Option<u64> {
        (self.not_before > now).then_some(self.not_before)
    }
}

impl Fills {
    /// A conversation is opened whose notes were not looked for since this start.
    pub(super) fn opened(&mut self, conversation_id: &ConversationId) {
        if !self.sure.contains(conversation_id) {
            self.newest.insert(conversation_id.clone());
        }
    }
}

impl Account {
    /// The link is gone: messages, marks and holes come again by themselves, people are told.
    pub(super) fn commands_lost(&mut self, step: &mut Step<'_>) {
        self.fills.under_way.clear();
        for (_, command) in std::mem::take(&mut self.commands.unanswered) {
            match command.asked {
                Asked::Fill { conversation_id, newest: true } => {
                    self.fills.newest.insert(conversation_id);
                }
                Asked::Send
                | Asked::Mark { .. }
                | Asked::Fill { .. }
                | Asked::Floor
                | Asked::End { .. }
                | Asked::Watch { request_id: None, .. } => {}
                Asked::Person { request_id }
                | Asked::Start { request_id }
                | Asked::Watch { request_id: Some(request_id), .. }
                | Asked::Earlier { request_id, .. } => {
                    step.fail(request_id, UiErrorKind::Offline);
                }
            }
        }
    }

    pub(super) fn command(&mut self, step: &mut Step<'_>, asked: Asked, command: &StaffCommand) {
        let id = step.new_id();
        self.command_as(step, id, asked, command);
    }

    fn command_as(
        &mut self,
        step: &mut Step<'_>,
        id: ClientId,
        asked: Asked,
        command: &StaffCommand,
    ) {
        step.act(Effect::Send { frame: encode(&id, command) });
        self.commands.unanswered.insert(id, OnItsWay { asked, since: step.now });
    }

    /// A command nobody waits for.
    pub(super) fn tell(&mut self, step: &mut Step<'_>, command: &StaffCommand) {
        let id = step.new_id();
        step.act(Effect::Send { frame: encode(&id, command) });
    }

    /// Whether one more command of a person fits below the wire's limit.
    pub(super) fn has_room(&self) -> bool {
        self.commands.unanswered.len() + 1 < COMMANDS_IN_FLIGHT_MAX
    }

    pub(super) fn answered(
        &mut self,
        step: &mut Step<'_>,
        id: &ClientId,
        result: Result<Outcome, WireError>,
    ) {
        let Some(OnItsWay { asked, since }) = self.commands.unanswered.remove(id) else { return };
        self.shown.latency(step.now.saturating_sub(since));
        match asked {
            Asked::Send => self.send_answered(step, id, &result),
            Asked::Mark { conversation_id } => {
                let may_retry = result.is_err_and(|error| error.code.can_retry());
                self.marks.answered(&conversation_id, may_retry);
                self.keep_marks(step, &conversation_id);
            }
            Asked::Person { request_id } => {
                let result = result.map(|_| UiReply::Done {}).map_err(UiError::from);
                step.reply(request_id, result);
            }
            Asked::Start { request_id } => {
                let result = match result {
                    Ok(Outcome::Accepted { conversation_id, .. }) => {
                        Ok(UiReply::Started { conversation_id })
                    }
                    Ok(_) => Err(UiError::of(UiErrorKind::Bug)),
                    Err(error) => Err(UiError::from(error)),
                };
                step.reply(request_id, result);
            }
            Asked::Floor => self.floor_answered(step, &result),
            Asked::Watch { request_id, conversation_id } => {
                self.watch_answered(step, request_id, conversation_id, result);
            }
            Asked::End { conversation_id, tries } => {
                self.end_answered(step, conversation_id, tries, &result);
            }
            Asked::Earlier { request_id, conversation_id } => match result {
                Ok(Outcome::Messages { page }) => {
                    let has_earlier = page.has_earlier;
                    let (items, notes) = (page.messages.clone(), page.notes.clone());
                    self.store_page(step, &conversation_id, page);
                    step.reply(request_id, Ok(UiReply::Earlier { items, notes, has_earlier }));
                }
                Ok(_) => step.fail(request_id, UiErrorKind::Bug),
                Err(error) => step.reply(request_id, Err(UiError::from(error))),
            },
            Asked::Fill { conversation_id, newest } => {
                self.fills.under_way.remove(&conversation_id);
                match result {
                    Ok(Outcome::Messages { page }) => {
                        if newest {
                            self.fills.sure.insert(conversation_id.clone());
                        }
                        self.store_page(step, &conversation_id, page);
                    }
                    Err(error) if error.code.can_retry() => {
                        let wait = u64::from(error.retry_after_ms.unwrap_or(1_000)).max(250);
                        self.fills.not_before = step.now + wait;
                        if newest {
                            self.fills.newest.insert(conversation_id.clone());
                        }
                        self.fills.wanted.insert(conversation_id);
                    }
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }

    fn send_answered(
        &mut self,
        step: &mut Step<'_>,
        id: &ClientId,
        result: &Result<Outcome, WireError>,
    ) {
        let Some(conversation_id) = self.outbox.conversation_of(id).cloned() else { return };
        let changes = match result {
            Ok(Outcome::Accepted { seq, .. }) => {
                let seq = *seq;
                let changes = self.outbox.acked(id, seq, step.wall);
                // Its copy may have come before: then nothing is left to show.
                match self.replica.record(&conversation_id) {
                    Some((record, true)) if record.last_message.seq < seq => {}
                    Some((_, true)) => self.outbox.seen_up_to(&conversation_id, seq),
                    _ => self.outbox.log_lost(&conversation_id),
                }
                changes
            }
            Ok(_) => {
                tracing::error!("the relay answered a message with something else");
                self.outbox.acked(id, Seq::ZERO, step.wall)
            }
            Err(error) => self.outbox.refused(id, *error, step.now, step.jitter()),
        };
        self.change_outbox(step, changes, Awaited::Nothing);
        self.shown.dirty(&conversation_id);
    }

    /// Sends what is due, forgets what is too old. Called after every event.
    pub(super) fn settle(&mut self, step: &mut Step<'_>) {
        let (outbox, shown) = (&self.outbox, &self.shown);
        self.replica.forget_oldest_past(|id| outbox.count(id).0 > 0 || shown.is_open(id));
        if self.connection.is_live() {
            if self.epoch_entered {
                self.send_due(step);
            }
            self.mark_due(step);
            self.fill_due(step);
            self.served_due(step);
            self.watching_due(step);
            self.closing_due(step);
        }
    }

    fn send_due(&mut self, step: &mut Step<'_>) {
        let (sends, changes) = self.outbox.due(step.now, step.wall);
        if !changes.is_empty() {
            self.shown.everything_dirty();
        }
        self.change_outbox(step, changes, Awaited::Nothing);
        for send in sends {
            self.shown.dirty(&send.conversation_id);
            let command = StaffCommand::StaffSendMessage(StaffSendMessage {
                conversation_id: send.conversation_id,
                text: send.text,
            });
            self.command_as(step, send.client_id, Asked::Send, &command);
        }
    }

    fn mark_due(&mut self, step: &mut Step<'_>) {
        for (id, due) in self.marks.due(step.now, || step.new_id()) {
            let asked = Asked::Mark { conversation_id: due.conversation_id.clone() };
            let command = StaffCommand::StaffMark(StaffMark {
                conversation_id: due.conversation_id,
                delivered: due.delivered,
                read: due.read,
            });
            self.command_as(step, id, asked, &command);
        }
    }

    /// Looks at a conversation for missing messages when there is a place for it.
    pub(super) fn want_fill(&mut self, conversation_id: ConversationId) {
        if self.missing_before(&conversation_id).is_some() {
            self.fills.wanted.insert(conversation_id);
        }
    }

    /// Where messages are missing: below this number, or all of them. Unread ones are always wanted,
    /// and so is what fills a screen.
    fn missing_before(&self, conversation_id: &ConversationId) -> Option<Option<Seq>> {
        let (record, held) = self.replica.record(conversation_id)?;
        if !held && !self.shown.is_open(conversation_id) {
            return None;
        }
        if self.fills.newest.contains(conversation_id) {
            return Some(None);
        }
        let Some(tail) = self.replica.tail(conversation_id) else { return Some(None) };
        let length = tail.high.get() - tail.low.get() + 1;
        let viewed = record.own_read.merge(self.marks.read(conversation_id)).seq;
        let is_short = length < u64::from(CHAT_PAGE_MESSAGES);
        let misses_unread = held && tail.low > viewed.next();
        (tail.low > Seq::ZERO.next() && (is_short || misses_unread)).then_some(Some(tail.low))
    }

    fn fill_due(&mut self, step: &mut Step<'_>) {
        while step.now >= self.fills.not_before
            && self.fills.under_way.len() < FILLS_IN_FLIGHT_MAX
            && self.has_room()
        {
            let open = self.shown.open().filter(|id| self.fills.wanted.contains(*id));
            let Some(conversation_id) = open.or_else(|| self.fills.wanted.first()).cloned() else {
                return;
            };
            self.fills.wanted.remove(&conversation_id);
            let pages = self.fills.pages.entry(conversation_id.clone()).or_default();
            *pages += 1;
            if *pages > FILL_PAGES_MAX || self.fills.under_way.contains(&conversation_id) {
                continue;
            }
            let Some(before) = self.missing_before(&conversation_id) else { continue };
            self.fills.under_way.insert(conversation_id.clone());
            self.fills.newest.remove(&conversation_id);
            let command = load(&conversation_id, before);
            let newest = before.is_none();
            self.command(step, Asked::Fill { conversation_id, newest }, &command);
        }
    }

    fn store_page(
        &mut self,
        step: &mut Step<'_>,
        conversation_id: &ConversationId,
        page: MessagePage,
    ) {
        for message in &page.messages {
            if self.replica.is_own(message) {
                self.seen(step, &message.client_id);
            }
        }
        let messages = page.messages.into_iter().map(|message| (conversation_id.clone(), message));
        let notes = page.notes.into_iter().map(|note| (conversation_id.clone(), note));
        let (messages, notes) = (messages.collect(), notes.collect());
        let write = CacheWrite { messages, notes, ..CacheWrite::default() };
        self.shown.page(conversation_id, &write);
        self.write(step, write, Some(conversation_id.clone()), Awaited::Nothing);
    }
}

pub(super) fn load(conversation_id: &ConversationId, before: Option<Seq>) -> StaffCommand {
    StaffCommand::LoadMessages(LoadMessages {
        conversation_id: conversation_id.clone(),
        before,
        limit: PAGE_MESSAGES_MAX,
    })
}
