//! What must hold among colleagues once it is quiet: who serves and who takes part are at work, each
//! invitation is over or can still be answered, notes stand at every reader as they are stored, and what
//! a manager watches is drawn as it is.

use std::collections::{BTreeMap, BTreeSet};

use yingke_client::bridge::types::UiRequest;
use yingke_relay::conversations::queries;
use yingke_relay::params;
use yingke_shared::ids::{AgentId, ClientId, ConversationId, InvitationId, Position, Seq};
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};

use super::run::Simulation;
use super::world::BEGINNING;

/// An invitation may be open so long for each who was asked, and a moment more.
const INVITATION_MS_MAX: i64 = 63_000;

struct Open {
    id: InvitationId,
    conversation_id: ConversationId,
    from: AgentId,
    offered_to: Option<AgentId>,
    until: i64,
    asked: i64,
}

impl Simulation {
    /// Who has what, and which invitations are open.
    pub(super) fn standing_differs(&self, found: &mut Vec<String>) {
        let gone = self.look_at(|tx| {
            let sql = "SELECT id FROM agents WHERE disabled = 1 OR availability = 'away'";
            tx.query(sql, &[], |row| row.id::<AgentId>(0))
        });
        let rows = self.look_at(|tx| {
            let sql = "SELECT id, state, agent_id, members, unannounced FROM conversations
                       WHERE state <> 'ended'";
            tx.query(sql, &[], |row| {
                let (members, unannounced) = (row.text(3)?, row.text(4)?);
                Ok((row.id(0)?, row.text(1)?, row.opt_id(2)?, members, unannounced))
            })
        });
        let mut seen_by: BTreeMap<ConversationId, Vec<AgentId>> = BTreeMap::new();
        for (id, state, agent_id, members, unannounced) in rows {
            let members: Vec<AgentId> = serde_json::from_str(&members).unwrap();
            let unannounced: Vec<AgentId> = serde_json::from_str(&unannounced).unwrap();
            let mut all: Vec<AgentId> = agent_id.into_iter().collect();
            all.extend(members.iter().cloned());
            let each: BTreeSet<_> = all.iter().collect();
            let is_served = state == "serving";
            if each.len() != all.len()
                || !is_served && !all.is_empty()
                || unannounced.iter().any(|agent| !members.contains(agent))
            {
                found.push(format!("{id} {state}: {all:?}, unannounced {unannounced:?}"));
            }
            if let Some(gone) = all.iter().find(|agent| gone.contains(agent)) {
                found.push(format!("{id}: {gone} is gone and still has a part in it"));
            }
            seen_by.insert(id, all);
        }
        let now = i64::try_from(BEGINNING + self.fate.now()).unwrap();
        for open in self.open_invitations() {
            let Open { id, conversation_id, from, offered_to, until, asked } = open;
            let sees = seen_by.get(&conversation_id).map(Vec::as_slice).unwrap_or_default();
            if !sees.contains(&from) {
                found.push(format!("{id}: open, and {from} has no part in {conversation_id}"));
            }
            if offered_to.is_some_and(|agent| sees.contains(&agent)) {
                found.push(format!("{id}: asks who takes part already"));
            }
            if until + 3_000 < now || asked + INVITATION_MS_MAX * 6 < now {
                found.push(format!("{id}: open since {asked} until {until}, it is {now}"));
            }
        }
    }

    fn open_invitations(&self) -> Vec<Open> {
        self.look_at(|tx| {
            let sql = "SELECT id, conversation_id, from_agent_id, offered_to,
                              coalesce(offered_until, made_at + 60000), made_at
                       FROM invitations WHERE outcome = ''";
            tx.query(sql, &[], |row| {
                Ok(Open {
                    id: row.id(0)?,
                    conversation_id: row.id(1)?,
                    from: row.id(2)?,
                    offered_to: row.opt_id(3)?,
                    until: row.int(4)?,
                    asked: row.int(5)?,
                })
            })
        })
    }

    /// A manager who asks to watch whatever is open sees it as it is.
    pub(super) fn watching_differs(&mut self, found: &mut Vec<String>) {
        let Some(manager) = self.manager else { return };
        let id = self.agents[manager].id.clone();
        let Some(client) = &self.agents[manager].client else { return };
        let held = client.held().map(|held| held.conversations).unwrap_or_default();
        let watched = client.watched();
        for mut record in watched.iter().cloned() {
            let fresh = self.look_at(|tx| queries::record_of(tx, &record.id, &id));
            level(&mut record.rev, fresh.as_ref().map(|fresh| fresh.rev));
            if Some(&record) != fresh.as_ref() {
                found.push(format!("{id} watches\n{record:#?}\nbut there is\n{fresh:#?}"));
            }
        }
        for (conversation_id, _) in self.open_conversations() {
            let is_seen = held.contains_key(&conversation_id)
                || watched.iter().any(|record| record.id == conversation_id);
            if !is_seen {
                found.push(format!("{id} does not see {conversation_id}"));
                let ask = UiRequest::WatchConversation { conversation_id };
                let wanted = self.agents[manager].request(ask);
                self.want(manager, wanted);
            }
        }
    }

    /// Notes as they are on the disks of those who see the conversation. Of each agent the first that
    /// differs is opened: then its newest page is asked for.
    pub(super) fn notes_differ(&mut self, found: &mut Vec<String>) {
        for agent in 0..self.agents.len() {
            let Some(client) = &self.agents[agent].client else { continue };
            let held = client.held().map(|held| held.conversations).unwrap_or_default();
            let watched = client.watched().into_iter().map(|record| record.id);
            let seen: Vec<ConversationId> = held.into_keys().chain(watched).collect();
            let differs = seen.into_iter().find_map(|conversation_id| {
                let disk = client.messages_on_disk(&conversation_id);
                let first = disk.first().map(|message| message.seq)?;
                let notes = client.notes_on_disk(&conversation_id);
                let notes: Vec<_> = notes.into_iter().map(|note| (note.id, note.text)).collect();
                let fresh = self.notes_of(&conversation_id, first);
                let what = format!("has notes {notes:?} of {conversation_id}, not {fresh:?}");
                (notes != fresh).then_some((conversation_id, what))
            });
            let Some((conversation_id, what)) = differs else { continue };
            found.push(format!("{} {what}", self.agents[agent].id));
            let wanted = self.agents[agent].open(conversation_id);
            self.want(agent, wanted);
        }
    }

    fn notes_of(&self, id: &ConversationId, first: Seq) -> Vec<(ClientId, String)> {
        let from = if first.get() <= 1 { Seq::ZERO } else { first };
        self.look_at(|tx| {
            let sql = "SELECT id, text FROM notes WHERE conversation_id = ? AND after_seq >= ?
                       ORDER BY position";
            tx.query(sql, params![id, from], |row| Ok((row.id(0)?, row.text(1)?)))
        })
    }

    /// A note that was acknowledged is there once, one that was refused is not.
    pub(super) fn notes_law(&self, wrong: &mut Vec<String>) {
        let stored = self.look_at(|tx| tx.query("SELECT text FROM notes", &[], |row| row.text(0)));
        for noted in self.noted.values() {
            let count = stored.iter().filter(|text| **text == noted.text).count();
            let is_right = match noted.stored {
                Some(true) => count == 1,
                Some(false) => count == 0,
                None => count <= 1,
            };
            if !is_right {
                wrong.push(format!("{noted:?} is there {count} times"));
            }
        }
        let known: BTreeSet<_> = self.noted.values().map(|noted| &noted.text).collect();
        let unknown = stored.iter().filter(|text| !known.contains(text));
        wrong.extend(unknown.map(|text| format!("the note {text:?} was never written")));
    }
}

/// A record read afresh includes events its reader is not told of, as the marks of colleagues: its
/// `rev` may be ahead, never behind.
fn level(held: &mut Position, fresh: Option<Position>) {
    if let Some(fresh) = fresh.filter(|fresh| *held < *fresh) {
        *held = fresh;
    }
}

/// The same for a whole screen.
pub(super) fn level_staff(held: &mut StaffSnapshot, fresh: &StaffSnapshot) {
    for (id, record) in &mut held.conversations {
        level(&mut record.rev, fresh.conversations.get(id).map(|fresh| fresh.rev));
    }
}

/// See above: a visitor is not told of notes and invitations.
pub(super) fn level_visitor(held: &mut VisitorSnapshot, fresh: &VisitorSnapshot) {
    if let (Some(held), Some(fresh)) = (&mut held.conversation, &fresh.conversation) {
        level(&mut held.rev, Some(fresh.rev));
    }
}
