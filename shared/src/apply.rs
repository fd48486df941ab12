//! Events applied to what a reader holds. Pure, total and idempotent: an event at or below a
//! record's `rev`, or of a conversation not held, changes nothing.
//!
//! The law (tested after every action of the relay, for the agent, another agent and the visitor):
//! *snapshot at p, then the events of (p, q], equals snapshot at q*.

use crate::events::{StaffEvent, StaffEventBody, VisitorEvent, VisitorEventBody};
use crate::ids::Position;
use crate::limits::SNAPSHOT_MESSAGES_MAX;
use crate::snapshot::{StaffSnapshot, VisitorSnapshot};
use crate::views::{
    AgentCard, ConversationRecord, ConversationStatus, ReadMark, SiteSettings, VisitorAuthor,
    VisitorConversation, VisitorMessage, VisitorStatus,
};

/// Whether an event changed a conversation record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It did.
    Changed,
    /// It was older than the record, or about something else.
    Skipped,
}

impl ConversationRecord {
    /// Applies an event about this conversation. `ConversationGained` replaces the record;
    /// `ConversationWithdrawn` is for the holder of the list and changes nothing here.
    pub fn apply(&mut self, position: Position, body: &StaffEventBody) -> Applied {
        if position <= self.rev || body.conversation_id() != Some(&self.id) {
            return Applied::Skipped;
        }
        match body {
            StaffEventBody::ConversationGained { record } => *self = (**record).clone(),
            StaffEventBody::StatusChanged { status, assigned_at, .. } => {
                self.status = status.clone();
                if !matches!(status, ConversationStatus::Ended { .. }) {
                    self.assigned_at = *assigned_at;
                }
            }
            StaffEventBody::MessageAppended { message, first_response_at, .. } => {
                self.put_message((**message).clone());
                self.first_response_at = *first_response_at;
            }
            StaffEventBody::VisitorMarked { marks, .. } => {
                self.visitor_marks = self.visitor_marks.merge(*marks);
            }
            StaffEventBody::OwnRead { read, .. } => self.own_read = self.own_read.merge(*read),
            StaffEventBody::Routed { department_id, vip, .. } => {
                self.department_id = Some(department_id.clone());
                self.vip = *vip;
            }
            StaffEventBody::MembersChanged { members, .. } => self.members.clone_from(members),
            StaffEventBody::InvitationsChanged { invitations, .. } => {
                self.invitations.clone_from(invitations);
            }
            // Notes stand in the stream, not in the record.
            StaffEventBody::NoteAdded { .. } => {}
            StaffEventBody::ConversationWithdrawn { .. }
            | StaffEventBody::InvitationOffered { .. }
            | StaffEventBody::InvitationClosed { .. }
            | StaffEventBody::ManagersAlerted { .. }
            | StaffEventBody::AlertCleared { .. }
            | StaffEventBody::CompanyChanged { .. }
            | StaffEventBody::OwnCardChanged { .. }
            | StaffEventBody::ColleagueChanged { .. }
            | StaffEventBody::SiteChanged { .. } => return Applied::Skipped,
        }
        self.rev = self.rev.max(position);
        Applied::Changed
    }
}

impl ReadMark {
    /// The one that is further on.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if other.seq > self.seq { other } else { self }
    }
}

impl StaffSnapshot {
    /// Applies one event of a delivery.
    pub fn apply(&mut self, event: &StaffEvent) {
        match &event.body {
            StaffEventBody::OwnCardChanged { card } => self.own = card.clone(),
            StaffEventBody::ColleagueChanged { colleague } => {
                self.colleagues.insert(colleague.card.id.clone(), colleague.clone());
            }
            StaffEventBody::SiteChanged { site } => self.put_site(site),
            StaffEventBody::ConversationGained { record } => {
                let held = self.conversations.get(&record.id);
                if held.is_none_or(|held| held.rev < record.rev) {
                    self.conversations.insert(record.id.clone(), (**record).clone());
                }
            }
            StaffEventBody::ConversationWithdrawn { conversation_id } => {
                let held = self.conversations.get(conversation_id);
                if held.is_some_and(|held| held.rev < event.position) {
                    self.conversations.remove(conversation_id);
                }
            }
            StaffEventBody::CompanyChanged { company } => self.company = company.clone(),
            StaffEventBody::InvitationOffered { incoming } => {
                let id = &incoming.invitation.id;
                let held = self.invitations.get(id);
                if held.is_none_or(|held| held.rev < incoming.rev) {
                    self.invitations.insert(id.clone(), (**incoming).clone());
                }
            }
            StaffEventBody::InvitationClosed { invitation_id, .. } => {
                let held = self.invitations.get(invitation_id);
                if held.is_some_and(|held| held.rev < event.position) {
                    self.invitations.remove(invitation_id);
                }
            }
            StaffEventBody::ManagersAlerted { alert } => {
                let held = self.alerts.get(&alert.conversation_id);
                if held.is_none_or(|held| held.rev < alert.rev) {
                    self.alerts.insert(alert.conversation_id.clone(), alert.clone());
                }
            }
            StaffEventBody::AlertCleared { conversation_id } => {
                let held = self.alerts.get(conversation_id);
                if held.is_some_and(|held| held.rev < event.position) {
                    self.alerts.remove(conversation_id);
                }
            }
            StaffEventBody::StatusChanged { conversation_id, .. }
            | StaffEventBody::Routed { conversation_id, .. }
            | StaffEventBody::MembersChanged { conversation_id, .. }
            | StaffEventBody::InvitationsChanged { conversation_id, .. }
            | StaffEventBody::NoteAdded { conversation_id, .. }
            | StaffEventBody::MessageAppended { conversation_id, .. }
            | StaffEventBody::VisitorMarked { conversation_id, .. }
            | StaffEventBody::OwnRead { conversation_id, .. } => {
                let Some(record) = self.conversations.get_mut(conversation_id) else { return };
                record.apply(event.position, &event.body);
                if matches!(record.status, ConversationStatus::Ended { .. }) {
                    self.conversations.remove(conversation_id);
                }
            }
        }
    }
}

impl StaffSnapshot {
    /// Sites stand in the order of their ids; records and invitations carry their site's name.
    fn put_site(&mut self, site: &SiteSettings) {
        match self.sites.iter_mut().find(|held| held.id == site.id) {
            Some(held) => *held = site.clone(),
            None => {
                self.sites.push(site.clone());
                self.sites.sort_by(|a, b| a.id.cmp(&b.id));
            }
        }
        let records = self.conversations.values_mut().map(|record| &mut record.visitor);
        let asked = self.invitations.values_mut().map(|incoming| &mut incoming.visitor);
        for visitor in records.chain(asked).filter(|visitor| visitor.site_id == site.id) {
            visitor.site_name.clone_from(&site.name);
        }
    }
}

impl VisitorConversation {
    fn apply(&mut self, position: Position, body: &VisitorEventBody) {
        if position <= self.rev {
            return;
        }
        match body {
            VisitorEventBody::StatusChanged { conversation_id, status }
                if *conversation_id == self.id =>
            {
                self.status = status.clone();
            }
            VisitorEventBody::MessageAppended { message } if message.conversation_id == self.id => {
                self.last_seq = self.last_seq.max(message.seq);
            }
            VisitorEventBody::MembersChanged { conversation_id, members }
                if *conversation_id == self.id =>
            {
                self.members.clone_from(members);
            }
            VisitorEventBody::AgentMarked { conversation_id, marks }
                if *conversation_id == self.id =>
            {
                self.agent_marks = self.agent_marks.merge(*marks);
            }
            VisitorEventBody::OwnMarked { conversation_id, marks }
                if *conversation_id == self.id =>
            {
                self.own_marks = self.own_marks.merge(*marks);
            }
            _ => return,
        }
        self.rev = position;
    }

    /// Whether a message would join this conversation rather than start another.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.status, VisitorStatus::Ended { .. })
    }
}

impl VisitorSnapshot {
    /// Applies one event of a delivery. Holds the newest 50 messages; older ones fall out and are
    /// had again by `load_history`.
    pub fn apply(&mut self, event: &VisitorEvent) {
        match &event.body {
            VisitorEventBody::ConversationStarted { conversation } => {
                let held = self.conversation.as_ref();
                if held.is_none_or(|held| held.rev < conversation.rev) {
                    self.conversation = Some(conversation.clone());
                }
            }
            VisitorEventBody::MessageAppended { message } => self.insert(message),
            VisitorEventBody::AgentChanged { agent } => self.name(agent),
            VisitorEventBody::SiteChanged { site } => self.site = (**site).clone(),
            VisitorEventBody::StatusChanged { .. }
            | VisitorEventBody::MembersChanged { .. }
            | VisitorEventBody::AgentMarked { .. }
            | VisitorEventBody::OwnMarked { .. } => {}
        }
        if let Some(conversation) = &mut self.conversation {
            conversation.apply(event.position, &event.body);
        }
    }

    /// An agent's card stands on every message of theirs and where they serve. No event of a
    /// conversation: its `rev` stays.
    fn name(&mut self, agent: &AgentCard) {
        for message in &mut self.messages {
            message.name(agent);
        }
        let Some(conversation) = &mut self.conversation else { return };
        let serving = match &mut conversation.status {
            VisitorStatus::Serving { agent } => Some(agent),
            VisitorStatus::Waiting { .. } | VisitorStatus::Ended { .. } => None,
        };
        for held in serving.into_iter().chain(&mut conversation.members) {
            if held.id == agent.id {
                held.clone_from(agent);
            }
        }
    }

    /// Conversations of a visitor follow each other, so a new message belongs at the end unless it
    /// is there already.
    fn insert(&mut self, message: &VisitorMessage) {
        let same = |m: &VisitorMessage| {
            m.conversation_id == message.conversation_id && m.seq >= message.seq
        };
        if self.messages.iter().any(same) {
            return;
        }
        self.messages.push(message.clone());
        if self.messages.len() > SNAPSHOT_MESSAGES_MAX as usize {
            self.messages.remove(0);
            self.has_earlier = true;
        }
    }
}

impl VisitorMessage {
    /// Names its author as this card does, if they are one.
    pub fn name(&mut self, agent: &AgentCard) {
        if let VisitorAuthor::Agent { agent: held } = &mut self.author
            && held.id == agent.id
        {
            held.clone_from(agent);
        }
    }
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
