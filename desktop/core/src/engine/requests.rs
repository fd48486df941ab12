//! What a person asked for. Everything that needs no network is answered from memory and disk.

use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::{
    AddNote, AnswerInvitation, Assign, EnterConversation, HandBack, Invite, LeaveConversation,
    SetAvailability, StaffEndConversation, StartConversation, TakeOver, Typing, WithdrawInvitation,
};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::limits::TEXT_CHARS_MAX;
use yingke_shared::rest::{ChangePassword, SignIn};
use yingke_shared::views::{ConversationStatus, ReadMark};

use super::account::Account;
use super::commands::Asked;
use super::session::PasswordChange;
use super::stored::Awaited;
use super::{Effect, Engine, RequestId, Step};
use crate::bridge::types::{Standing, UiError, UiErrorKind, UiReply, UiRequest};
use crate::connection::Input;
use crate::limits::{
    CHAT_PAGE_MESSAGES, DRAFT_CHARS_MAX, DRAFTS_MAX, OUTBOX_MESSAGES_MAX, TYPING_EVERY_MS,
};
use crate::outbox::NotNow;
use crate::store::outbox::NewMessage;
use crate::store::thread::{CacheJob, OutboxJob};

impl Engine {
    pub(super) fn requested(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        request: UiRequest,
    ) {
        match request {
            UiRequest::GetState {} => {
                let state = self.state(step);
                step.reply(request_id, Ok(UiReply::State(state)));
                if let Some(account) = &self.account {
                    account.floor_again(step);
                }
            }
            UiRequest::SignIn { server, account, password, remember, allow_plain_http } => {
                let form = SignIn { account, password };
                self.sign_in(step, request_id, &server, form, remember, allow_plain_http);
            }
            UiRequest::SignOut {} => self.sign_out(step, request_id),
            UiRequest::ForgetPassword {} => self.forget_password(step, request_id),
            UiRequest::SetPreferences { preferences } if !preferences.fit() => {
                step.reply(request_id, Err(UiError::refused(ErrorCode::TooLarge)));
            }
            UiRequest::SetPreferences { preferences } => {
                self.profile.preferences = preferences;
                let profile = Box::new(self.profile.clone());
                step.act(Effect::SaveProfile { request_id: Some(request_id), profile });
            }
            UiRequest::ChangePassword { old, new } => {
                self.change_password(step, request_id, ChangePassword { old, new });
            }
            request => match self.account.as_mut().filter(|account| account.is_open()) {
                Some(account) => account.requested(step, request_id, request),
                None => step.fail(request_id, UiErrorKind::SignedOut),
            },
        }
    }

    fn change_password(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        change: ChangePassword,
    ) {
        let call = self.next_serial();
        let token = self
            .account
            .as_ref()
            .and_then(|account| account.token.clone().map(|token| (account.server.clone(), token)));
        let Some((server, token)) = token else {
            return step.fail(request_id, UiErrorKind::SignedOut);
        };
        if self.session.password.is_some() {
            return step.reply(request_id, Err(UiError::refused(ErrorCode::Busy)));
        }
        let new = change.new.clone();
        self.session.password = Some(PasswordChange { call, request_id, new });
        step.act(Effect::ChangePassword { call, server, token, change });
    }
}

impl Account {
    fn requested(&mut self, step: &mut Step<'_>, request_id: RequestId, request: UiRequest) {
        let request = match command_of(request) {
            Ok(command) => {
                let asked = Asked::Person { request_id };
                return self.ask_relay(step, request_id, asked, &command);
            }
            Err(request) => *request,
        };
        match request {
            UiRequest::StartConversation { visitor_id, text } => {
                let body = StartConversation { visitor_id, text };
                let command = StaffCommand::StartConversation(body);
                self.ask_relay(step, request_id, Asked::Start { request_id }, &command);
            }
            UiRequest::WatchConversation { conversation_id } => {
                self.watch(step, request_id, conversation_id);
            }
            UiRequest::UnwatchConversation { conversation_id } => {
                self.unwatch(step, request_id, conversation_id);
            }
            UiRequest::WatchFloor { on } => self.watch_floor(step, request_id, on),
            UiRequest::CloseAllLeft {} => self.close_all_left(step, request_id),
            UiRequest::Call { call } => self.call(step, request_id, *call),
            UiRequest::OpenConversation { conversation_id } => {
                self.open_conversation(step, request_id, conversation_id);
            }
            UiRequest::CloseConversation {} => {
                self.shown.close();
                step.done(request_id);
            }
            UiRequest::LoadEarlier { conversation_id, before } => {
                self.load_earlier(step, request_id, conversation_id, before);
            }
            UiRequest::SendMessage { conversation_id, text, client_id } => {
                let client_id = client_id.unwrap_or_else(|| step.new_id());
                self.send_message(step, request_id, conversation_id, client_id, text);
            }
            UiRequest::RetrySend { client_id } => self.retry_send(step, request_id, &client_id),
            UiRequest::DiscardSend { client_id } => {
                self.discard_send(step, request_id, client_id);
            }
            UiRequest::SetDraft { conversation_id, text } => {
                self.set_draft(step, request_id, conversation_id, text);
            }
            UiRequest::Viewed { conversation_id, seq } => {
                self.viewed(step, conversation_id, seq);
                step.done(request_id);
            }
            UiRequest::Typing { conversation_id } => {
                self.typing(step, conversation_id);
                step.done(request_id);
            }
            UiRequest::Looking { focused } => {
                self.attending.focused = focused;
                step.done(request_id);
            }
            // The engine answers these itself, or the relay does.
            UiRequest::GetState {}
            | UiRequest::SignIn { .. }
            | UiRequest::SignOut {}
            | UiRequest::ForgetPassword {}
            | UiRequest::ChangePassword { .. }
            | UiRequest::SetPreferences { .. }
            | UiRequest::SetAvailability { .. }
            | UiRequest::EndConversation { .. }
            | UiRequest::Assign { .. }
            | UiRequest::Invite { .. }
            | UiRequest::AnswerInvitation { .. }
            | UiRequest::WithdrawInvitation { .. }
            | UiRequest::LeaveConversation { .. }
            | UiRequest::EnterConversation { .. }
            | UiRequest::TakeOver { .. }
            | UiRequest::HandBack { .. }
            | UiRequest::AddNote { .. } => step.fail(request_id, UiErrorKind::Bug),
        }
    }

    /// What only the relay can do.
    fn ask_relay(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        asked: Asked,
        command: &StaffCommand,
    ) {
        if !self.connection.is_live() {
            self.link(step, Input::Nudge);
            return step.fail(request_id, UiErrorKind::Offline);
        }
        if !self.has_room() {
            return step.reply(request_id, Err(UiError::refused(ErrorCode::TooFast)));
        }
        self.command(step, asked, command);
    }

    fn open_conversation(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        conversation_id: ConversationId,
    ) {
        self.shown.opening(&conversation_id);
        let Some((record, _)) = self.replica.record(&conversation_id) else {
            return self.look(step, Some(request_id), conversation_id);
        };
        let is_over = matches!(record.status, ConversationStatus::Ended { .. });
        if self.replica.sees(&conversation_id) {
            self.fills.opened(&conversation_id);
        } else if !is_over && self.connection.is_live() {
            self.look(step, None, conversation_id.clone());
        }
        self.want_fill(conversation_id.clone());
        self.read_newest_page(step, request_id, conversation_id);
    }

    pub(super) fn read_newest_page(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        conversation_id: ConversationId,
    ) {
        let ticket = self
            .await_store(Awaited::Open { request_id, conversation_id: conversation_id.clone() });
        let limit = CHAT_PAGE_MESSAGES;
        step.act(Effect::Cache(CacheJob::Page { ticket, conversation_id, before: None, limit }));
    }

    fn load_earlier(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        conversation_id: ConversationId,
        before: Seq,
    ) {
        let ticket = self.await_store(Awaited::Earlier {
            request_id,
            conversation_id: conversation_id.clone(),
            before,
        });
        let (before, limit) = (Some(before), CHAT_PAGE_MESSAGES);
        step.act(Effect::Cache(CacheJob::Page { ticket, conversation_id, before, limit }));
    }

    fn send_message(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        conversation_id: ConversationId,
        client_id: ClientId,
        text: String,
    ) {
        let record = self.replica.record(&conversation_id).map(|(record, _)| record);
        let refusal = match record {
            _ if text.trim().is_empty() => Some(ErrorCode::EmptyText),
            _ if text.chars().nth(TEXT_CHARS_MAX).is_some() => Some(ErrorCode::TooLarge),
            None => Some(ErrorCode::NotFound),
            Some(record) if matches!(record.status, ConversationStatus::Ended { .. }) => {
                Some(ErrorCode::ConversationEnded)
            }
            Some(_) if self.outbox.total() as usize >= OUTBOX_MESSAGES_MAX => Some(ErrorCode::Busy),
            Some(_) => self.not_ours_to_write(&conversation_id),
        };
        let (None, Some(record)) = (refusal, record) else {
            let code = refusal.unwrap_or(ErrorCode::NotFound);
            return step.reply(request_id, Err(UiError::refused(code)));
        };
        let record = Box::new(record.clone());
        // Now, not when it is on disk: what is written meanwhile is the next draft.
        self.drafts.remove(&conversation_id);
        self.shown.dirty(&conversation_id);
        let message =
            Box::new(NewMessage { client_id, conversation_id, text, at: step.timestamp(), record });
        let ticket = self.await_store(Awaited::Add { request_id });
        step.act(Effect::Outbox(OutboxJob::Add { ticket, message }));
        self.link(step, Input::Nudge);
    }

    /// Only who serves it or takes part writes. While a part of the inbox is missing, what is not held
    /// may only not be held yet.
    fn not_ours_to_write(&self, conversation_id: &ConversationId) -> Option<ErrorCode> {
        match self.standing(conversation_id) {
            Standing::Serving | Standing::Member => None,
            Standing::Watching | Standing::Invited => Some(ErrorCode::Forbidden),
            Standing::Reading if self.replica.missing().is_some() => None,
            Standing::Reading => Some(ErrorCode::Overtaken),
        }
    }

    fn retry_send(&mut self, step: &mut Step<'_>, request_id: RequestId, client_id: &ClientId) {
        let new_id = step.new_id();
        match self.outbox.retry(client_id, step.wall, new_id) {
            Ok(changes) => {
                let kept = changes.clone();
                self.change_outbox(step, changes, Awaited::Retry { request_id, changes: kept });
                self.link(step, Input::Nudge);
            }
            Err(not_now) => step.reply(request_id, Err(refusal_of(not_now))),
        }
    }

    fn discard_send(&mut self, step: &mut Step<'_>, request_id: RequestId, client_id: ClientId) {
        match self.outbox.discard(&client_id) {
            Ok(()) => {
                let awaited = Awaited::Discard { request_id, client_id: client_id.clone() };
                let ticket = self.await_store(awaited);
                step.act(Effect::Outbox(OutboxJob::Discard { ticket, client_id }));
            }
            Err(not_now) => step.reply(request_id, Err(refusal_of(not_now))),
        }
    }

    fn set_draft(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        conversation_id: ConversationId,
        text: String,
    ) {
        let is_new = !self.drafts.contains_key(&conversation_id);
        let refusal = if text.chars().nth(DRAFT_CHARS_MAX).is_some() {
            Some(ErrorCode::TooLarge)
        } else if self.replica.record(&conversation_id).is_none() {
            Some(ErrorCode::NotFound)
        } else if is_new && self.drafts.len() >= DRAFTS_MAX && !text.is_empty() {
            Some(ErrorCode::Busy)
        } else {
            None
        };
        if let Some(code) = refusal {
            return step.reply(request_id, Err(UiError::refused(code)));
        }
        if text.is_empty() {
            self.drafts.remove(&conversation_id);
        } else {
            self.drafts.insert(conversation_id.clone(), text.clone());
        }
        self.shown.dirty(&conversation_id);
        let ticket = self.await_store(Awaited::Done { request_id });
        step.act(Effect::Outbox(OutboxJob::Draft { ticket, conversation_id, text }));
    }

    fn viewed(&mut self, step: &mut Step<'_>, conversation_id: ConversationId, seq: Seq) {
        let Some((record, true)) = self.replica.record(&conversation_id) else { return };
        let last = &record.last_message;
        if seq >= last.seq {
            let read = ReadMark { seq: last.seq, visitor_count: last.visitor_count };
            return self.viewed_up_to(step, &conversation_id, read);
        }
        if seq <= self.marks.read(&conversation_id).seq {
            return;
        }
        // The count at that message stands in its row.
        let ticket =
            self.await_store(Awaited::Viewed { conversation_id: conversation_id.clone(), seq });
        let before = Some(seq.next());
        step.act(Effect::Cache(CacheJob::Page { ticket, conversation_id, before, limit: 1 }));
    }

    pub(super) fn viewed_up_to(
        &mut self,
        step: &mut Step<'_>,
        conversation_id: &ConversationId,
        read: ReadMark,
    ) {
        if self.marks.viewed(conversation_id, read) {
            self.keep_marks(step, conversation_id);
            self.shown.dirty(conversation_id);
        }
    }

    fn typing(&mut self, step: &mut Step<'_>, conversation_id: ConversationId) {
        let last = self.typed.get(&conversation_id);
        let too_soon = last.is_some_and(|last| step.now.saturating_sub(*last) < TYPING_EVERY_MS);
        if too_soon || !self.connection.is_live() || !self.replica.holds(&conversation_id) {
            return;
        }
        self.typed.insert(conversation_id.clone(), step.now);
        self.tell(step, &StaffCommand::Typing(Typing { conversation_id }));
    }
}

/// What the relay carries out alone: a person asks, and what it changes comes as events.
fn command_of(request: UiRequest) -> Result<StaffCommand, Box<UiRequest>> {
    use StaffCommand as Command;
    Ok(match request {
        UiRequest::SetAvailability { availability, hand_over } => {
            Command::SetAvailability(SetAvailability { availability, hand_over })
        }
        UiRequest::EndConversation { conversation_id } => {
            Command::StaffEndConversation(StaffEndConversation { conversation_id })
        }
        UiRequest::Assign { conversation_id, agent_id, over_capacity } => {
            Command::Assign(Assign { conversation_id, agent_id, over_capacity })
        }
        UiRequest::Invite { conversation_id, to, kind, note } => {
            Command::Invite(Invite { conversation_id, to, kind, note })
        }
        UiRequest::AnswerInvitation { invitation_id, accept } => {
            Command::AnswerInvitation(AnswerInvitation { invitation_id, accept })
        }
        UiRequest::WithdrawInvitation { invitation_id } => {
            Command::WithdrawInvitation(WithdrawInvitation { invitation_id })
        }
        UiRequest::LeaveConversation { conversation_id } => {
            Command::LeaveConversation(LeaveConversation { conversation_id })
        }
        UiRequest::EnterConversation { conversation_id } => {
            Command::EnterConversation(EnterConversation { conversation_id })
        }
        UiRequest::TakeOver { conversation_id } => Command::TakeOver(TakeOver { conversation_id }),
        UiRequest::HandBack { conversation_id } => Command::HandBack(HandBack { conversation_id }),
        UiRequest::AddNote { conversation_id, text } => {
            Command::AddNote(AddNote { conversation_id, text })
        }
        other => return Err(Box::new(other)),
    })
}

fn refusal_of(not_now: NotNow) -> UiError {
    match not_now {
        NotNow::Unknown => UiError::refused(ErrorCode::NotFound),
        NotNow::OnItsWay => UiError::of(UiErrorKind::Refused),
    }
}
