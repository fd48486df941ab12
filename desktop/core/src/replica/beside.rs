//! Records the relay gave beside the log: of conversations a manager watches (F05), and of those that
//! were opened to read. They are in no snapshot and in no inbox.
//!
//! What happens in a watched conversation comes as events, but only from the record on, and only on the
//! link it was asked on. An event may overtake the answer that carries the record: from asking to the
//! answer they are kept, and applied to it. What is only read stands still until it is asked for again.

use std::collections::BTreeMap;

use yingke_shared::events::{StaffEvent, StaffEventBody};
use yingke_shared::ids::ConversationId;
use yingke_shared::views::{ConversationRecord, ConversationStatus, SiteSettings};

use super::{Changed, Replica};
use crate::limits::WATCH_EVENTS_MAX;

/// See the module.
#[derive(Default)]
pub(super) struct Beside {
    watched: BTreeMap<ConversationId, ConversationRecord>,
    /// What was heard since it was asked; `None` if it was more than is kept.
    asked: BTreeMap<ConversationId, Option<Vec<StaffEvent>>>,
}

impl Beside {
    pub(super) fn record(&self, id: &ConversationId) -> Option<&ConversationRecord> {
        self.watched.get(id)
    }

    /// A site has another name: what is watched there shows it.
    pub(super) fn name(&mut self, site: &SiteSettings, changed: &mut Changed) {
        for record in self.watched.values_mut().filter(|it| it.visitor.site_id == site.id) {
            record.visitor.site_name.clone_from(&site.name);
            changed.conversations.insert(record.id.clone());
        }
    }

    pub(super) fn keep(&mut self, event: &StaffEvent, id: &ConversationId) {
        if let Some(asked) = self.asked.get_mut(id) {
            let kept = asked.take().filter(|kept| kept.len() < WATCH_EVENTS_MAX);
            *asked = kept.map(|mut kept| {
                kept.push(event.clone());
                kept
            });
        }
    }
}

impl Replica {
    /// Whether what happens in a conversation comes because it is watched.
    pub(crate) fn watches(&self, id: &ConversationId) -> bool {
        self.beside.watched.contains_key(id)
    }

    /// What is watched, as it is held.
    pub(crate) fn watched_now(&self) -> Vec<ConversationRecord> {
        self.beside.watched.values().cloned().collect()
    }

    /// A record that came beside the log may be from before its site had the name that is known now.
    /// If it is from after, the log says so yet.
    pub(super) fn named_as_now(&self, mut record: ConversationRecord) -> ConversationRecord {
        let mut sites = self.view.iter().flat_map(|view| &view.sites);
        if let Some(site) = sites.find(|site| site.id == record.visitor.site_id) {
            record.visitor.site_name.clone_from(&site.name);
        }
        record
    }

    /// Whether what happens in a conversation comes at all.
    pub(crate) fn sees(&self, id: &ConversationId) -> bool {
        self.watches(id) || self.holds(id)
    }

    /// The relay is asked to let it be watched.
    pub(crate) fn watch_asked(&mut self, id: ConversationId) {
        self.beside.asked.insert(id, Some(Vec::new()));
    }

    /// It refused, or nobody wants it any more.
    pub(crate) fn unwatch(&mut self, id: &ConversationId) {
        self.beside.asked.remove(id);
        if let Some(record) = self.beside.watched.remove(id) {
            self.past.insert(id.clone(), record);
        }
    }

    /// The link is gone, and with it everything that was watched on it.
    pub(crate) fn link_lost(&mut self) {
        let watched: Vec<ConversationId> = self.beside.watched.keys().cloned().collect();
        for id in &watched {
            self.unwatch(id);
        }
        self.beside.asked.clear();
    }

    /// A conversation is watched from now on, as this record stands and as what was heard meanwhile
    /// says. `None`: too much was heard, it must be asked for again.
    pub(crate) fn watched(&mut self, record: ConversationRecord) -> Option<Changed> {
        let id = record.id.clone();
        let heard = self.beside.asked.remove(&id)??;
        let mut changed = Changed::default();
        if self.holds(&id) {
            changed.unwatched.push(id);
            return Some(changed);
        }
        self.past.remove(&id);
        let record = self.named_as_now(record);
        let last = record.last_message.clone();
        self.beside.watched.insert(id.clone(), record);
        self.add_message(id.clone(), &last, &mut changed);
        for event in &heard {
            self.apply_to_one(event, &id, &mut changed);
        }
        changed.conversations.insert(id.clone());
        changed.unsure.insert(id);
        self.write_beside(&mut changed);
        Some(changed)
    }

    /// A conversation that somebody wants to read, as it stands at the relay.
    pub(crate) fn looked_at(&mut self, record: ConversationRecord) -> Changed {
        let mut changed = Changed::default();
        let id = record.id.clone();
        if self.sees(&id) || self.past.get(&id).is_some_and(|known| known.rev > record.rev) {
            return changed;
        }
        let record = self.named_as_now(record);
        let last = record.last_message.clone();
        self.past.insert(id.clone(), record);
        self.add_message(id.clone(), &last, &mut changed);
        changed.conversations.insert(id.clone());
        changed.unsure.insert(id);
        self.write_beside(&mut changed);
        changed
    }

    fn write_beside(&self, changed: &mut Changed) {
        for id in &changed.conversations {
            if let Some((record, held)) = self.record(id) {
                changed.write.conversations.push((record.clone(), held));
            }
        }
        changed.write.messages.clone_from(&changed.messages);
        changed.write.notes.clone_from(&changed.notes);
    }

    /// An event of a watched conversation. One that ended is watched no longer.
    pub(super) fn apply_beside(
        &mut self,
        event: &StaffEvent,
        id: &ConversationId,
        changed: &mut Changed,
    ) {
        let Some(record) = self.beside.watched.get_mut(id) else { return };
        let is_news = event.position > record.rev;
        record.apply(event.position, &event.body);
        let is_withdrawn = matches!(event.body, StaffEventBody::ConversationWithdrawn { .. });
        let is_over = matches!(record.status, ConversationStatus::Ended { .. });
        if is_news && (is_withdrawn || is_over) {
            self.unwatch(id);
            changed.unwatched.push(id.clone());
        }
    }

    /// A conversation is held from now on: what was known beside the log is not needed any more.
    pub(super) fn not_beside(&mut self, id: &ConversationId, changed: &mut Changed) {
        if self.beside.watched.remove(id).is_some() {
            changed.unwatched.push(id.clone());
        }
    }
}
