//! Ending every served conversation whose visitor left, in one go (C16).
//!
//! Nobody is closed who is there: whether a visitor is connected is said by the relay right behind a
//! welcome and behind a conversation that comes, so a link waits until that was heard, and what only just
//! came is left alone. Each is looked at again before its end is sent.

use std::collections::VecDeque;

use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::StaffEndConversation;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ConversationId;

use super::account::Account;
use super::commands::Asked;
use super::{RequestId, Step};
use crate::bridge::types::{Standing, UiError, UiErrorKind, UiReply};
use crate::connection::Input;
use crate::limits::{ASKED_AGAIN_MS, END_TRIES_MAX, ENDS_IN_FLIGHT_MAX, PRESENCE_KNOWN_AFTER_MS};

/// One go.
struct Round {
    request_id: RequestId,
    /// To be ended, and how often that was tried; `None` before it is known who left.
    left: Option<VecDeque<(ConversationId, u32)>>,
    on_their_way: usize,
    not_before: u64,
    ended: u32,
    kept: Vec<ConversationId>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Closing {
    /// When the link was welcomed.
    welcomed: u64,
    round: Option<Round>,
}

impl Closing {
    pub(super) fn welcomed(&mut self, now: u64) {
        self.welcomed = now;
    }

    pub(super) fn deadline(&self, now: u64) -> Option<u64> {
        self.round.as_ref().map(|round| round.not_before).filter(|at| *at > now)
    }
}

impl Account {
    pub(super) fn close_all_left(&mut self, step: &mut Step<'_>, request_id: RequestId) {
        if !self.connection.is_live() {
            self.link(step, Input::Nudge);
            return step.fail(request_id, UiErrorKind::Offline);
        }
        if self.closing.round.is_some() {
            return step.reply(request_id, Err(UiError::refused(ErrorCode::Busy)));
        }
        self.closing.round = Some(Round {
            request_id,
            left: None,
            on_their_way: 0,
            not_before: self.closing.welcomed + PRESENCE_KNOWN_AFTER_MS,
            ended: 0,
            kept: Vec::new(),
        });
    }

    /// Whether a conversation is served and its visitor is known to be gone.
    fn has_left(&self, step: &Step<'_>, conversation_id: &ConversationId) -> bool {
        let Some((record, true)) = self.replica.record(conversation_id) else { return false };
        let came = record.assigned_at.map_or(0, |at| at.millis());
        self.standing(conversation_id) == Standing::Serving
            && !self.online.contains(conversation_id)
            && self.relay_ms(step) >= came + PRESENCE_KNOWN_AFTER_MS
    }

    pub(super) fn closing_due(&mut self, step: &mut Step<'_>) {
        let Some(mut round) = self.closing.round.take() else { return };
        if step.now < round.not_before {
            self.closing.round = Some(round);
            return;
        }
        let left = round.left.get_or_insert_with(|| {
            let held = self.replica.held().map(|record| &record.id);
            held.filter(|id| self.has_left(step, id)).map(|id| (id.clone(), 0)).collect()
        });
        while round.on_their_way < ENDS_IN_FLIGHT_MAX && self.has_room() {
            let Some((conversation_id, tries)) = left.pop_front() else { break };
            if !self.has_left(step, &conversation_id) {
                continue;
            }
            round.on_their_way += 1;
            let body = StaffEndConversation { conversation_id: conversation_id.clone() };
            let asked = Asked::End { conversation_id, tries: tries + 1 };
            self.command(step, asked, &StaffCommand::StaffEndConversation(body));
        }
        if round.on_their_way > 0 || !left.is_empty() {
            self.closing.round = Some(round);
            return;
        }
        let Round { request_id, ended, kept, .. } = round;
        step.reply(request_id, Ok(UiReply::Closed { ended, kept }));
    }

    pub(super) fn end_answered(
        &mut self,
        step: &Step<'_>,
        conversation_id: ConversationId,
        tries: u32,
        result: &Result<Outcome, WireError>,
    ) {
        let Some(round) = &mut self.closing.round else { return };
        round.on_their_way = round.on_their_way.saturating_sub(1);
        let Err(error) = result else {
            round.ended += 1;
            return;
        };
        match error.code {
            // It is over, or another's: nothing of it stays here.
            ErrorCode::ConversationEnded | ErrorCode::NotFound | ErrorCode::Overtaken => {}
            code if code.can_retry() && tries < END_TRIES_MAX => {
                let wait = u64::from(error.retry_after_ms.unwrap_or(0)).max(ASKED_AGAIN_MS);
                round.not_before = step.now + wait;
                let left = round.left.get_or_insert_default();
                left.push_back((conversation_id, tries));
            }
            _ => round.kept.push(conversation_id),
        }
    }

    pub(super) fn closing_lost(&mut self, step: &mut Step<'_>) {
        if let Some(round) = self.closing.round.take() {
            step.fail(round.request_id, UiErrorKind::Offline);
        }
    }
}
