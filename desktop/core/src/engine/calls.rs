//! What is asked over HTTP: what a person wants to know or change beside the conversations, and the
//! record of a conversation that somebody opens to read.

use std::collections::BTreeMap;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::ConversationId;
use yingke_shared::views::ConversationRecord;

use super::account::Account;
use super::{Effect, RequestId, Step};
use crate::bridge::calls::{RelayAnswer, RelayCall};
use crate::bridge::types::{UiError, UiErrorKind, UiReply};
use crate::limits::CALLS_IN_FLIGHT_MAX;
use crate::store::Ticket;

/// A record on its way.
struct Look {
    conversation_id: ConversationId,
    /// Who waits for it, if there is nothing else to show.
    request_id: Option<RequestId>,
}

/// What is on its way.
#[derive(Default)]
pub(super) struct Calls {
    people: BTreeMap<Ticket, RequestId>,
    looks: BTreeMap<Ticket, Look>,
}

impl Account {
    pub(super) fn call(&mut self, step: &mut Step<'_>, request_id: RequestId, what: RelayCall) {
        let Some(token) = self.token.clone() else {
            return step.fail(request_id, UiErrorKind::Offline);
        };
        if self.calls.people.len() >= CALLS_IN_FLIGHT_MAX {
            return step.reply(request_id, Err(UiError::refused(ErrorCode::Busy)));
        }
        let call = self.next_ticket();
        self.calls.people.insert(call, request_id);
        let (account, server) = (self.serial, self.server.clone());
        step.act(Effect::Call { account, call, server, token, what: Box::new(what) });
    }

    pub(super) fn called(
        &mut self,
        step: &mut Step<'_>,
        call: Ticket,
        result: Result<RelayAnswer, UiError>,
    ) {
        if let Some(request_id) = self.calls.people.remove(&call) {
            step.reply(
                request_id,
                result.map(|answer| UiReply::Called { answer: Box::new(answer) }),
            );
        }
    }

    /// Asks for a conversation as it stands. Nobody waits for one that can be shown meanwhile.
    pub(super) fn look(
        &mut self,
        step: &mut Step<'_>,
        request_id: Option<RequestId>,
        conversation_id: ConversationId,
    ) {
        let refusal = match &self.token {
            None => UiError::of(UiErrorKind::Offline),
            Some(_) if self.calls.looks.len() >= CALLS_IN_FLIGHT_MAX => {
                UiError::refused(ErrorCode::Busy)
            }
            Some(token) => {
                let (token, call) = (token.clone(), self.next_ticket());
                let look = Look { conversation_id: conversation_id.clone(), request_id };
                self.calls.looks.insert(call, look);
                let (account, server) = (self.serial, self.server.clone());
                return step.act(Effect::LoadRecord {
                    account,
                    call,
                    server,
                    token,
                    conversation_id,
                });
            }
        };
        self.not_looked(step, request_id, &conversation_id, refusal);
    }

    pub(super) fn looked(
        &mut self,
        step: &mut Step<'_>,
        call: Ticket,
        result: Result<ConversationRecord, UiError>,
    ) {
        let Some(Look { conversation_id, request_id }) = self.calls.looks.remove(&call) else {
            return;
        };
        match result {
            Ok(record) if record.id == conversation_id => {
                let changed = self.replica.looked_at(record);
                self.absorb(step, changed);
                self.want_fill(conversation_id.clone());
                if let Some(request_id) = request_id {
                    self.read_newest_page(step, request_id, conversation_id);
                }
            }
            Ok(_) => {
                let error = UiError::of(UiErrorKind::Bug);
                self.not_looked(step, request_id, &conversation_id, error);
            }
            Err(error) => self.not_looked(step, request_id, &conversation_id, error),
        }
    }

    fn not_looked(
        &mut self,
        step: &mut Step<'_>,
        request_id: Option<RequestId>,
        conversation_id: &ConversationId,
        error: UiError,
    ) {
        let Some(request_id) = request_id else { return };
        if self.shown.is_open(conversation_id) && self.replica.record(conversation_id).is_none() {
            self.shown.close();
        }
        step.reply(request_id, Err(error));
    }

    /// The account is closed: whoever waits is told.
    pub(super) fn calls_abandoned(&mut self, step: &mut Step<'_>) {
        let Calls { people, looks } = std::mem::take(&mut self.calls);
        let looking = looks.into_values().filter_map(|look| look.request_id);
        for request_id in people.into_values().chain(looking) {
            step.fail(request_id, UiErrorKind::SignedOut);
        }
    }
}
