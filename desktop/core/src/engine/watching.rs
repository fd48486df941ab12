//! What the relay forgets with the socket and is asked anew on every link: the floor, the conversations
//! a manager watches (F05, L01), and which conversation is open (X10). And what comes of it: the floor
//! itself, and who else reads or types.
//!
//! A person who asks to watch is told whether it works; from then on the wish stays until it is taken
//! back, the conversation is over, or the relay refuses it for good.

use std::collections::BTreeSet;

use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::{UnwatchConversation, Viewing, WatchConversation, WatchFloor};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ConversationId};
use yingke_shared::limits::PREVIEW_EXPIRES_MS;
use yingke_shared::views::Floor;

use super::account::Account;
use super::commands::Asked;
use super::{RequestId, Step};
use crate::bridge::types::{Standing, UiError, UiErrorKind, UiPush};
use crate::connection::Input;
use crate::limits::{ASKED_AGAIN_MS, WATCHED_MAX};

/// Who else has the open conversation open.
struct Around {
    conversation_id: ConversationId,
    reading: Vec<AgentId>,
    typing: Vec<AgentId>,
    /// Until when typing is worth showing.
    until: u64,
}

/// See the module.
#[derive(Default)]
pub(super) struct Watching {
    floor_wanted: bool,
    /// What the relay was asked for on this link.
    floor_asked: bool,
    floor: Option<Floor>,
    wanted: BTreeSet<ConversationId>,
    /// Asked for on this link, answered or not.
    asked: BTreeSet<ConversationId>,
    /// What the relay was told on this link, if anything.
    viewing: Option<Option<ConversationId>>,
    around: Option<Around>,
    not_before: u64,
}

impl Watching {
    pub(super) fn deadline(&self, now: u64) -> Option<u64> {
        let typing = self.around.as_ref().filter(|around| !around.typing.is_empty());
        let waits = (self.not_before > now).then_some(self.not_before);
        typing.map(|around| around.until).into_iter().chain(waits).min()
    }
}

impl Account {
    // --- the floor ---

    pub(super) fn watch_floor(&mut self, step: &mut Step<'_>, request_id: RequestId, on: bool) {
        self.watching.floor_wanted = on;
        if !on {
            self.watching.floor = None;
        }
        step.done(request_id);
        self.floor_again(step);
    }

    /// A page that begins anew has seen nothing of what is known.
    pub(super) fn floor_again(&self, step: &mut Step<'_>) {
        if let Some(floor) = &self.watching.floor {
            step.push(UiPush::Floor(floor.clone()));
        }
    }

    pub(super) fn floor_came(&mut self, step: &mut Step<'_>, floor: Floor) {
        if self.watching.floor_wanted {
            self.watching.floor = Some(floor);
            self.floor_again(step);
        }
    }

    pub(super) fn floor_answered(&mut self, step: &Step<'_>, result: &Result<Outcome, WireError>) {
        if let Err(error) = result
            && self.asked_again_at(step, *error)
        {
            self.watching.floor_asked = !self.watching.floor_wanted;
        }
    }

    // --- conversations ---

    pub(super) fn watch(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        conversation_id: ConversationId,
    ) {
        if self.replica.sees(&conversation_id) {
            return step.done(request_id);
        }
        if !self.connection.is_live() {
            self.link(step, Input::Nudge);
            return step.fail(request_id, UiErrorKind::Offline);
        }
        let asked = &self.watching.asked;
        if asked.contains(&conversation_id) || asked.len() >= WATCHED_MAX || !self.has_room() {
            return step.reply(request_id, Err(UiError::refused(ErrorCode::Busy)));
        }
        self.ask_to_watch(step, Some(request_id), conversation_id);
    }

    fn ask_to_watch(
        &mut self,
        step: &mut Step<'_>,
        request_id: Option<RequestId>,
        conversation_id: ConversationId,
    ) {
        self.watching.asked.insert(conversation_id.clone());
        self.replica.watch_asked(conversation_id.clone());
        let body = WatchConversation { conversation_id: conversation_id.clone() };
        let asked = Asked::Watch { request_id, conversation_id };
        self.command(step, asked, &StaffCommand::WatchConversation(body));
    }

    pub(super) fn watch_answered(
        &mut self,
        step: &mut Step<'_>,
        request_id: Option<RequestId>,
        conversation_id: ConversationId,
        result: Result<Outcome, WireError>,
    ) {
        let record = match result {
            // It was taken back meanwhile: the relay hears so behind.
            _ if !self.watching.asked.contains(&conversation_id) => None,
            Ok(Outcome::Watched { record }) if record.id == conversation_id => Some(record),
            Ok(_) => return self.watch_refused(step, request_id, &conversation_id, None),
            Err(error) => {
                return self.watch_refused(step, request_id, &conversation_id, Some(error));
            }
        };
        if let Some(record) = record {
            let Some(changed) = self.replica.watched(*record) else {
                return self.ask_to_watch(step, request_id, conversation_id);
            };
            self.watching.wanted.insert(conversation_id);
            self.absorb(step, changed);
        }
        if let Some(request_id) = request_id {
            step.done(request_id);
        }
    }

    fn watch_refused(
        &mut self,
        step: &mut Step<'_>,
        request_id: Option<RequestId>,
        conversation_id: &ConversationId,
        error: Option<WireError>,
    ) {
        self.watching.asked.remove(conversation_id);
        self.replica.unwatch(conversation_id);
        self.shown.dirty(conversation_id);
        match (request_id, error) {
            (Some(request_id), Some(error)) => {
                step.reply(request_id, Err(UiError::from(error)));
            }
            (Some(request_id), None) => step.fail(request_id, UiErrorKind::Bug),
            (None, Some(error)) if self.asked_again_at(step, error) => {}
            (None, _) => {
                self.watching.wanted.remove(conversation_id);
            }
        }
    }

    /// Whether it may be asked again, and when.
    fn asked_again_at(&mut self, step: &Step<'_>, error: WireError) -> bool {
        if error.code.can_retry() {
            let wait = u64::from(error.retry_after_ms.unwrap_or(0)).max(ASKED_AGAIN_MS);
            self.watching.not_before = step.now + wait;
        }
        error.code.can_retry()
    }

    pub(super) fn unwatch(
        &mut self,
        step: &mut Step<'_>,
        request_id: RequestId,
        conversation_id: ConversationId,
    ) {
        self.watching.wanted.remove(&conversation_id);
        let was_asked = self.watching.asked.remove(&conversation_id);
        self.replica.unwatch(&conversation_id);
        if !self.replica.holds(&conversation_id) {
            self.left_inbox(step, &conversation_id);
        }
        self.shown.dirty(&conversation_id);
        if was_asked && self.connection.is_live() {
            let body = UnwatchConversation { conversation_id };
            self.tell(step, &StaffCommand::UnwatchConversation(body));
        }
        step.done(request_id);
    }

    /// What happens there is seen in another way now, or nothing happens any more.
    pub(super) fn watched_no_longer(
        &mut self,
        step: &mut Step<'_>,
        conversation_id: ConversationId,
    ) {
        self.watching.wanted.remove(&conversation_id);
        let was_asked = self.watching.asked.remove(&conversation_id);
        if was_asked && self.replica.holds(&conversation_id) && self.connection.is_live() {
            let body = UnwatchConversation { conversation_id };
            self.tell(step, &StaffCommand::UnwatchConversation(body));
        }
    }

    /// How the reader stands to a conversation. One that is watched stays so while the link is made
    /// again.
    pub(super) fn standing(&self, conversation_id: &ConversationId) -> Standing {
        match self.replica.standing(conversation_id) {
            Standing::Invited | Standing::Reading
                if self.watching.wanted.contains(conversation_id) =>
            {
                Standing::Watching
            }
            standing => standing,
        }
    }

    // --- who else is there ---

    pub(super) fn around_came(
        &mut self,
        step: &mut Step<'_>,
        conversation_id: ConversationId,
        reading: Vec<AgentId>,
        typing: Vec<AgentId>,
    ) {
        if self.shown.is_open(&conversation_id) {
            let until = step.now + PREVIEW_EXPIRES_MS;
            self.watching.around = Some(Around { conversation_id, reading, typing, until });
            self.around_again(step);
        }
    }

    /// For a page that opens the conversation, or because it is another.
    pub(super) fn around_again(&self, step: &mut Step<'_>) {
        if let Some(around) = &self.watching.around {
            step.push(UiPush::Colleagues {
                conversation_id: around.conversation_id.clone(),
                reading: around.reading.clone(),
                typing: around.typing.clone(),
            });
        }
    }

    pub(super) fn watching_tick(&mut self, step: &mut Step<'_>) {
        let around = self.watching.around.as_mut();
        let typing = around.filter(|around| !around.typing.is_empty() && around.until <= step.now);
        if let Some(around) = typing {
            around.typing.clear();
            self.around_again(step);
        }
    }

    // --- every link anew ---

    pub(super) fn watching_lost(&mut self, step: &mut Step<'_>) {
        self.replica.link_lost();
        let lost = std::mem::take(&mut self.watching);
        self.watching.floor_wanted = lost.floor_wanted;
        self.watching.wanted = lost.wanted;
        // Who is there is not known without a link.
        let around = lost.around.filter(|around| !around.reading.is_empty());
        if let Some(around) = around {
            let (reading, typing) = (Vec::new(), Vec::new());
            let conversation_id = around.conversation_id;
            step.push(UiPush::Colleagues { conversation_id, reading, typing });
        }
    }

    pub(super) fn watching_due(&mut self, step: &mut Step<'_>) {
        self.viewing_due(step);
        if step.now < self.watching.not_before {
            return;
        }
        let on = self.watching.floor_wanted;
        if self.watching.floor_asked != on && self.has_room() {
            self.watching.floor_asked = on;
            self.command(step, Asked::Floor, &StaffCommand::WatchFloor(WatchFloor { on }));
        }
        let Watching { wanted, asked, .. } = &self.watching;
        let again: Vec<ConversationId> = wanted.difference(asked).cloned().collect();
        for conversation_id in again {
            if self.has_room() {
                self.ask_to_watch(step, None, conversation_id);
            }
        }
    }

    /// Told of what the relay shows us anyway: it would refuse to hear of anything else.
    fn viewing_due(&mut self, step: &mut Step<'_>) {
        let open = self.shown.open().filter(|id| self.replica.sees(id)).cloned();
        let around = self.watching.around.as_ref().map(|around| &around.conversation_id);
        if around.is_some_and(|id| Some(id) != open.as_ref()) {
            self.watching.around = None;
        }
        let told = self.watching.viewing.replace(open.clone());
        if told.unwrap_or_default() != open {
            self.tell(step, &StaffCommand::Viewing(Viewing { conversation_id: open }));
        }
    }
}
