//! What this reader holds of the relay's log, in memory: own card, colleagues, sites, invitations and
//! the conversations, each record as the shared `apply` leaves it. Pure; what must be written to the
//! cache comes out as one value with the position it stands for. Records that are in no snapshot
//! (watched, or opened to read) are in `beside`.
//!
//! A conversation that ended or was withdrawn leaves the inbox but not the memory: its record and
//! messages stay readable, the newest two hundred of them.

mod beside;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use yingke_shared::events::{StaffEvent, StaffEventBody};
use yingke_shared::frame::{Delivery, ResumePoint, Start};
use yingke_shared::ids::{AgentId, ConversationId, Epoch, Position, Seq};
use yingke_shared::rest::ServedPage;
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::views::{
    Author, ColleagueCard, Company, ConversationRecord, ConversationStatus, IncomingInvitation,
    InvitationOver, ManagerAlert, Message, Note, OwnCard, SiteSettings,
};

use crate::bridge::types::Standing;
use crate::limits::PAST_CONVERSATIONS_MAX;
use crate::store::cache::{CacheContents, CacheWrite, Reset, Tail};
use beside::Beside;

/// What of the inbox the snapshot had no room for; it comes in pages.
#[derive(Default)]
struct Missing {
    /// Everything up to here is held.
    after: Option<ConversationId>,
    /// Conversations the log spoke of meanwhile, and where last: an older page knows less of them.
    spoken_of: BTreeMap<ConversationId, Position>,
}

/// Everything held.
#[derive(Default)]
pub(crate) struct Replica {
    place: Option<ResumePoint>,
    missing: Option<Missing>,
    /// As the shared `apply` keeps it; none before anything is known of the own account.
    view: Option<StaffSnapshot>,
    past: BTreeMap<ConversationId, ConversationRecord>,
    beside: Beside,
    /// The stretch of messages without holes that ends with the newest one on disk.
    tails: BTreeMap<ConversationId, Tail>,
}

/// What a step changed.
#[derive(Default)]
pub(crate) struct Changed {
    /// Their record, or whether they are in the inbox.
    pub(crate) conversations: BTreeSet<ConversationId>,
    /// New in the stream, in order.
    pub(crate) messages: Vec<(ConversationId, Message)>,
    /// New notes.
    pub(crate) notes: Vec<(ConversationId, Note)>,
    /// Their notes may be more than what was heard of: the newest page says.
    pub(crate) unsure: BTreeSet<ConversationId>,
    /// Not watched any more: over, or held from now on.
    pub(crate) unwatched: Vec<ConversationId>,
    /// Left the inbox because another has it: nothing more will be heard of them.
    pub(crate) withdrawn: Vec<ConversationId>,
    /// The own card is another.
    pub(crate) own: bool,
    /// Colleagues whose card is another.
    pub(crate) colleagues: Vec<AgentId>,
    /// A site is another.
    pub(crate) sites: bool,
    /// So is what all staff need of the settings.
    pub(crate) company: bool,
    /// Invitations that are over, as those who see their conversation are told.
    pub(crate) over: Vec<InvitationOver>,
    /// An invitation to the reader came or went.
    pub(crate) invitations: bool,
    /// So did something managers are told of.
    pub(crate) alerts: bool,
    /// Everything may be another: draw anew.
    pub(crate) all: bool,
    /// The relay's history is another one.
    pub(crate) new_epoch: bool,
    /// To be written, with its position.
    pub(crate) write: CacheWrite,
}

/// A delivery that does not continue where this reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misfit;

impl Replica {
    /// What the cache kept, and records that only the outbox kept.
    pub(crate) fn restore(&mut self, cache: CacheContents, kept: Vec<ConversationRecord>) {
        // Without the own card nothing was begun, whatever place is named.
        self.place = cache.place.filter(|_| cache.own.is_some());
        self.missing = cache.partial.then(Missing::default);
        let mut held = BTreeMap::new();
        for conversation in cache.conversations {
            let id = conversation.record.id.clone();
            if let Some(tail) = conversation.tail {
                self.tails.insert(id.clone(), tail);
            }
            let shelf = if conversation.held { &mut held } else { &mut self.past };
            shelf.insert(id, conversation.record);
        }
        self.view = cache.own.map(|own| StaffSnapshot {
            own,
            colleagues: cache.colleagues,
            sites: cache.sites,
            company: cache.company,
            invitations: cache.invitations,
            alerts: cache.alerts,
            conversations: held,
            has_more: false,
        });
        self.remember(kept);
    }

    /// Records known from elsewhere, for conversations that are not held. Anything the log says
    /// replaces them.
    pub(crate) fn remember(&mut self, records: Vec<ConversationRecord>) {
        for record in records {
            let id = record.id.clone();
            if !self.holds(&id) {
                let record = ConversationRecord { rev: Position::ZERO, ..record };
                self.past.entry(id).or_insert(record);
            }
        }
    }

    /// Where reading continues. Nowhere while conversations are missing: only a new snapshot says
    /// which.
    pub(crate) fn place(&self) -> Option<&ResumePoint> {
        self.place.as_ref().filter(|_| self.missing.is_none())
    }

    /// Whether conversations of the inbox are missing, and after which.
    pub(crate) fn missing(&self) -> Option<Option<ConversationId>> {
        self.missing.as_ref().map(|missing| missing.after.clone())
    }

    pub(crate) fn own(&self) -> Option<&OwnCard> {
        self.view.as_ref().map(|view| &view.own)
    }

    /// The card as the sign-in gave it, until the log says more.
    pub(crate) fn set_own(&mut self, own: OwnCard) {
        match &mut self.view {
            Some(view) => view.own = own,
            None => {
                self.view = Some(StaffSnapshot {
                    own,
                    colleagues: BTreeMap::new(),
                    sites: Vec::new(),
                    company: Company::default(),
                    invitations: BTreeMap::new(),
                    alerts: BTreeMap::new(),
                    conversations: BTreeMap::new(),
                    has_more: false,
                });
            }
        }
    }

    pub(crate) fn colleagues(&self) -> impl Iterator<Item = &ColleagueCard> {
        self.view.iter().flat_map(|view| view.colleagues.values())
    }

    pub(crate) fn colleague(&self, id: &AgentId) -> Option<&ColleagueCard> {
        self.view.as_ref()?.colleagues.get(id)
    }

    pub(crate) fn sites(&self) -> &[SiteSettings] {
        self.view.as_ref().map(|view| view.sites.as_slice()).unwrap_or_default()
    }

    pub(crate) fn company(&self) -> Company {
        self.view.as_ref().map(|view| view.company.clone()).unwrap_or_default()
    }

    /// In the order they came.
    pub(crate) fn invitations(&self) -> Vec<IncomingInvitation> {
        let held = self.view.iter().flat_map(|view| view.invitations.values());
        let mut invitations: Vec<IncomingInvitation> = held.cloned().collect();
        invitations.sort_by_key(|incoming| incoming.rev);
        invitations
    }

    /// The oldest first.
    pub(crate) fn alerts(&self) -> Vec<ManagerAlert> {
        let held = self.view.iter().flat_map(|view| view.alerts.values());
        let mut alerts: Vec<ManagerAlert> = held.cloned().collect();
        alerts.sort_by_key(|alert| alert.rev);
        alerts
    }

    /// A record, and whether it is in the inbox.
    pub(crate) fn record(
        &self,
        conversation_id: &ConversationId,
    ) -> Option<(&ConversationRecord, bool)> {
        let held = self.view.as_ref().and_then(|view| view.conversations.get(conversation_id));
        let held = held.map(|record| (record, true));
        let beside = || self.beside.record(conversation_id).or(self.past.get(conversation_id));
        held.or_else(|| beside().map(|record| (record, false)))
    }

    /// How the reader stands to a conversation.
    pub(crate) fn standing(&self, conversation_id: &ConversationId) -> Standing {
        let is_own = |id: &AgentId| self.own().is_some_and(|own| own.id == *id);
        match self.record(conversation_id) {
            Some((record, true)) => match &record.status {
                ConversationStatus::Serving { agent_id } if is_own(agent_id) => Standing::Serving,
                ConversationStatus::Serving { .. } => Standing::Member,
                _ if record.members.iter().any(is_own) => Standing::Member,
                _ => Standing::Serving,
            },
            _ if self.watches(conversation_id) => Standing::Watching,
            _ if self.is_invited(conversation_id) => Standing::Invited,
            _ => Standing::Reading,
        }
    }

    fn is_invited(&self, conversation_id: &ConversationId) -> bool {
        let held = self.view.iter().flat_map(|view| view.invitations.values());
        held.into_iter().any(|incoming| incoming.invitation.conversation_id == *conversation_id)
    }

    /// Whether a conversation is in the inbox.
    pub(crate) fn holds(&self, conversation_id: &ConversationId) -> bool {
        self.record(conversation_id).is_some_and(|(_, held)| held)
    }

    /// Everything held.
    pub(crate) fn held_as_snapshot(&self) -> Option<&StaffSnapshot> {
        self.view.as_ref()
    }

    /// The conversations of the inbox.
    pub(crate) fn held(&self) -> impl Iterator<Item = &ConversationRecord> {
        self.view.iter().flat_map(|view| view.conversations.values())
    }

    pub(crate) fn tail(&self, conversation_id: &ConversationId) -> Option<Tail> {
        self.tails.get(conversation_id).copied()
    }

    /// As the cache found it after a page was written.
    pub(crate) fn set_tail(&mut self, conversation_id: ConversationId, tail: Option<Tail>) {
        match tail {
            Some(tail) => self.tails.insert(conversation_id, tail),
            None => self.tails.remove(&conversation_id),
        };
    }

    /// The cache is empty: nothing is on disk any more.
    pub(crate) fn cache_lost(&mut self) {
        self.tails.clear();
    }

    /// Whether a message was written by the own account.
    pub(crate) fn is_own(&self, message: &Message) -> bool {
        match (&message.author, self.own()) {
            (Author::Agent { agent_id }, Some(own)) => *agent_id == own.id,
            _ => false,
        }
    }

    /// The relay's welcome: go on from the own place, or from a snapshot.
    pub(crate) fn begin(
        &mut self,
        epoch: Epoch,
        start: Start<StaffSnapshot>,
    ) -> Result<Changed, Misfit> {
        match start {
            Start::Resumed { position } => {
                let here = ResumePoint { epoch, position };
                if self.place() != Some(&here) {
                    return Err(Misfit);
                }
                Ok(Changed::default())
            }
            Start::Snapshot { position, snapshot } => {
                Ok(self.replace(ResumePoint { epoch, position }, *snapshot))
            }
        }
    }

    fn replace(&mut self, place: ResumePoint, snapshot: StaffSnapshot) -> Changed {
        let new_epoch = self.place.as_ref().is_some_and(|old| old.epoch != place.epoch);
        if new_epoch {
            self.past.clear();
            self.tails.clear();
            self.beside = Beside::default();
        } else if let Some(before) = self.view.take() {
            self.past.extend(before.conversations);
        }
        let mut changed = Changed { all: true, new_epoch, ..Changed::default() };
        for (id, record) in &snapshot.conversations {
            // Without a message on disk there is no note either.
            let is_on_disk = self.tails.contains_key(id);
            let known = self.past.remove(id).filter(|known| known.rev == record.rev);
            if known.is_none() || !is_on_disk {
                changed.unsure.insert(id.clone());
            }
            self.not_beside(id, &mut changed);
        }
        self.place = Some(place.clone());
        let last = snapshot.conversations.keys().next_back().cloned();
        self.missing =
            snapshot.has_more.then(|| Missing { after: last, spoken_of: BTreeMap::new() });
        changed.write = CacheWrite {
            reset: if new_epoch { Reset::Everything } else { Reset::Held },
            place: Some(place),
            partial: snapshot.has_more,
            own: Some(snapshot.own.clone()),
            colleagues: snapshot.colleagues.values().cloned().collect(),
            sites: Some(snapshot.sites.clone()),
            company: Some(snapshot.company.clone()),
            invitations: Some(snapshot.invitations.clone()),
            alerts: Some(snapshot.alerts.clone()),
            ..CacheWrite::default()
        };
        for record in snapshot.conversations.values() {
            changed.write.conversations.push((record.clone(), true));
            changed.messages.push((record.id.clone(), record.last_message.clone()));
        }
        self.view = Some(snapshot);
        changed.write.messages.clone_from(&changed.messages);
        for (id, message) in &changed.messages {
            extend(&mut self.tails, id, message.seq);
        }
        changed
    }

    /// The next page of what the snapshot had no room for. `None`: the log already said more about one
    /// of them than the page knows; it must be asked again, or what was withdrawn comes back.
    ///
    /// A page read ahead of the own place is fine: its records carry their `rev`, so what the log
    /// still says of them up to there changes nothing.
    pub(crate) fn add_page(&mut self, page: ServedPage) -> Option<Changed> {
        let missing = self.missing.as_mut()?;
        let is_old = |record: &ConversationRecord| {
            missing.spoken_of.get(&record.id).is_some_and(|at| *at > page.position)
        };
        if page.conversations.iter().any(is_old) {
            return None;
        }
        match page.conversations.last().filter(|_| page.has_more) {
            Some(last) => missing.after = Some(last.id.clone()),
            None => self.missing = None,
        }
        let mut changed = Changed::default();
        for record in page.conversations {
            let record = self.named_as_now(record);
            let id = record.id.clone();
            if self.record(&id).is_some_and(|(known, held)| held && known.rev >= record.rev) {
                continue;
            }
            self.past.remove(&id);
            self.not_beside(&id, &mut changed);
            changed.unsure.insert(id.clone());
            changed.conversations.insert(id.clone());
            changed.write.conversations.push((record.clone(), true));
            self.add_message(id.clone(), &record.last_message, &mut changed);
            if let Some(view) = &mut self.view {
                view.conversations.insert(id, record);
            }
        }
        changed.write.messages.clone_from(&changed.messages);
        changed.write.place.clone_from(&self.place);
        changed.write.partial = self.missing.is_some();
        Some(changed)
    }

    /// A stretch of the log. Refused as a whole if it does not continue at the own position.
    pub(crate) fn deliver(&mut self, delivery: &Delivery<StaffEvent>) -> Result<Changed, Misfit> {
        let place = self.place.as_ref().ok_or(Misfit)?;
        if delivery.after != place.position || delivery.upto < delivery.after {
            return Err(Misfit);
        }
        let place = ResumePoint { epoch: place.epoch.clone(), position: delivery.upto };
        let mut changed = Changed::default();
        for event in &delivery.events {
            if let (Some(missing), Some(id)) = (&mut self.missing, event.body.conversation_id()) {
                missing.spoken_of.insert(id.clone(), event.position);
            }
            self.apply(event, &mut changed);
        }
        for id in &changed.conversations {
            if let Some((record, held)) = self.record(id) {
                changed.write.conversations.push((record.clone(), held));
            }
        }
        changed.write.messages.clone_from(&changed.messages);
        if changed.own {
            changed.write.own = self.own().cloned();
        }
        changed.write.notes.clone_from(&changed.notes);
        if let Some(view) = &self.view {
            changed.write.sites = changed.sites.then(|| view.sites.clone());
            changed.write.company = changed.company.then(|| view.company.clone());
            changed.write.invitations = changed.invitations.then(|| view.invitations.clone());
            changed.write.alerts = changed.alerts.then(|| view.alerts.clone());
        }
        let colleagues = changed.colleagues.iter().filter_map(|id| self.colleague(id));
        changed.write.colleagues = colleagues.cloned().collect();
        changed.write.place = Some(place.clone());
        changed.write.partial = self.missing.is_some();
        self.place = Some(place);
        Ok(changed)
    }

    fn apply(&mut self, event: &StaffEvent, changed: &mut Changed) {
        let Some(view) = &mut self.view else { return };
        match &event.body {
            StaffEventBody::OwnCardChanged { .. } => changed.own = true,
            StaffEventBody::ColleagueChanged { colleague } => {
                changed.colleagues.push(colleague.card.id.clone());
            }
            StaffEventBody::SiteChanged { site } => {
                changed.sites = true;
                let named = view.conversations.values();
                let named = named.filter(|record| record.visitor.site_id == site.id);
                changed.conversations.extend(named.map(|record| record.id.clone()));
                let asked = view.invitations.values();
                changed.invitations |= asked.into_iter().any(|it| it.visitor.site_id == site.id);
                self.beside.name(site, changed);
            }
            StaffEventBody::CompanyChanged { .. } => changed.company = true,
            StaffEventBody::ManagersAlerted { .. } | StaffEventBody::AlertCleared { .. } => {
                changed.alerts = true;
            }
            // Whoever is asked stands otherwise to that conversation.
            StaffEventBody::InvitationOffered { incoming } => {
                changed.invitations = true;
                changed.conversations.insert(incoming.invitation.conversation_id.clone());
            }
            StaffEventBody::InvitationClosed { invitation_id, .. } => {
                let closed = view.invitations.get(invitation_id);
                let closed = closed.map(|incoming| incoming.invitation.conversation_id.clone());
                changed.invitations |= closed.is_some();
                changed.conversations.extend(closed);
            }
            StaffEventBody::ConversationGained { record } => {
                return self.gain(event, record, changed);
            }
            body => {
                if let Some(id) = body.conversation_id() {
                    return self.apply_to_one(event, id, changed);
                }
            }
        }
        view.apply(event);
    }

    fn gain(&mut self, event: &StaffEvent, record: &ConversationRecord, changed: &mut Changed) {
        let Some(view) = &mut self.view else { return };
        if view.conversations.get(&record.id).is_some_and(|held| held.rev >= record.rev) {
            return;
        }
        view.apply(event);
        self.past.remove(&record.id);
        self.not_beside(&record.id, changed);
        self.add_message(record.id.clone(), &record.last_message, changed);
        changed.unsure.insert(record.id.clone());
        changed.conversations.insert(record.id.clone());
    }

    fn apply_to_one(&mut self, event: &StaffEvent, id: &ConversationId, changed: &mut Changed) {
        self.beside.keep(event, id);
        let Some((before, was_held)) = self.record(id) else { return };
        let is_news = event.position > before.rev;
        // What leaves the view is kept as it stood when it left.
        let may_leave = !matches!(event.body, StaffEventBody::MessageAppended { .. });
        let before = may_leave.then(|| before.clone());
        if let StaffEventBody::MessageAppended { message, .. } = &event.body {
            self.add_message(id.clone(), message, changed);
        }
        if let StaffEventBody::NoteAdded { note, .. } = &event.body {
            changed.notes.push((id.clone(), note.clone()));
        }
        if let StaffEventBody::InvitationsChanged { over: Some(over), .. } = &event.body
            && is_news
        {
            changed.over.push((**over).clone());
        }
        let Some(view) = &mut self.view else { return };
        view.apply(event);
        let is_held = view.conversations.contains_key(id);
        if !was_held {
            if self.watches(id) {
                self.apply_beside(event, id, changed);
            } else if let Some(past) = self.past.get_mut(id) {
                past.apply(event.position, &event.body);
            }
        } else if !is_held && let Some(mut record) = before {
            record.apply(event.position, &event.body);
            self.past.insert(id.clone(), record);
            if matches!(event.body, StaffEventBody::ConversationWithdrawn { .. }) {
                changed.withdrawn.push(id.clone());
            }
        }
        if is_news {
            changed.conversations.insert(id.clone());
        }
    }

    fn add_message(&mut self, id: ConversationId, message: &Message, changed: &mut Changed) {
        extend(&mut self.tails, &id, message.seq);
        changed.messages.push((id, message.clone()));
    }

    /// Of the conversations that left the inbox the newest are remembered, and those that must stay:
    /// what is unsent or open would have nothing to be shown with. Called after every event.
    pub(crate) fn forget_oldest_past(&mut self, must_stay: impl Fn(&ConversationId) -> bool) {
        while self.past.len() > PAST_CONVERSATIONS_MAX {
            let may_go = self.past.values().filter(|record| !must_stay(&record.id));
            let oldest = may_go.min_by_key(|record| (record.rev, &record.id));
            let Some(id) = oldest.map(|record| record.id.clone()) else { return };
            self.past.remove(&id);
            self.tails.remove(&id);
        }
    }
}

/// A message joins the newest stretch, is inside it already, or begins a new one above a hole.
fn extend(tails: &mut BTreeMap<ConversationId, Tail>, id: &ConversationId, seq: Seq) {
    match tails.get_mut(id) {
        Some(tail) if seq <= tail.high => {}
        Some(tail) if seq == tail.high.next() => tail.high = seq,
        _ => {
            tails.insert(id.clone(), Tail { low: seq, high: seq });
        }
    }
}
