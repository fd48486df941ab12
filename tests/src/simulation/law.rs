//! What must hold: some of it always, all of it once it is quiet.
//!
//! The law of acknowledgement (exactly once, in order, for everybody; refused: not at all), every
//! screen as a fresh look would draw it (of every tab of a visitor, too), one holder for a conversation,
//! no agent loaded beyond the capacity but by hand, nobody waiting while somebody of the right department
//! and skill has a free place, nothing left unsent that is not marked so, and a log without holes. What
//! holds among colleagues stands in [`super::standing`].

use std::collections::{BTreeMap, BTreeSet};

use yingke_client::by_hand::ByHand;
use yingke_relay::conversations::queries;
use yingke_relay::params;
use yingke_relay::store::{ReadTx, Row, StoreError};
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Seq};
use yingke_shared::rest::{ChangeAgent, ChangeSite};

use super::agent::Agent;
use super::network::Call;
use super::run::{Simulation, Who};
use super::standing::{level_staff, level_visitor};
use super::visitor::Written;
use super::world::BEGINNING;

/// A message as it is stored.
pub(super) struct Stored {
    pub(super) conversation_id: ConversationId,
    pub(super) seq: Seq,
}

type Rows = BTreeMap<(String, ClientId), Stored>;

impl Simulation {
    pub(super) fn look_at<T>(&self, f: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> T {
        self.place.memory.look(f).unwrap()
    }

    // --- always ---

    /// Nobody is given more than the capacity: what an agent serves never grows beyond the largest
    /// that was in force since the last look.
    pub(super) fn check_loads(&mut self) {
        let serving = self.look_at(|tx| {
            let sql = "SELECT agent_id, count(*) FROM conversations WHERE state = 'serving'
                       GROUP BY agent_id";
            tx.query(sql, &[], |row| Ok((row.id::<AgentId>(0)?, row.int(1)?)))
        });
        let serving: BTreeMap<AgentId, i64> = serving.into_iter().collect();
        let by_people = self.assigned_by_people();
        let mut wrong = Vec::new();
        for (agent, (before, largest, now)) in &mut self.loads {
            let serves = serving.get(agent).copied().unwrap_or(0);
            let by_people = by_people.iter().filter(|id| *id == agent).count() as i64;
            if serves > i64::from(*largest) + by_people && serves > *before + by_people {
                wrong.push(format!("{agent} serves {serves}, capacity {largest}"));
            }
            *before = serves;
            *largest = (*largest).min(4).max(*now);
        }
        self.violations.append(&mut wrong);
    }

    /// Whoever got a conversation by somebody's will since the last look: that may be one too many.
    fn assigned_by_people(&mut self) -> Vec<AgentId> {
        let upto = self.assigned_upto;
        let rows = self.look_at(|tx| {
            let sql = "SELECT position, agent_id, how FROM assignments WHERE position > ?";
            tx.query(sql, params![upto], |row| {
                Ok((row.int(0)?, row.id::<AgentId>(1)?, row.text(2)?))
            })
        });
        self.assigned_upto = rows.iter().map(|(at, ..)| *at).max().unwrap_or(upto);
        let by_routing = |how: &str| {
            how.starts_with(r#"{"kind":"routing""#) && !how.contains(r#""member_stays""#)
        };
        rows.into_iter().filter(|(.., how)| !by_routing(how)).map(|(_, id, _)| id).collect()
    }

    // --- in the quiet ---

    /// Switches on again what is off, if the change did not get through.
    pub(super) fn switch_on_again(&mut self) {
        if !self.calls.is_empty() {
            return;
        }
        let disabled = self.look_at(|tx| {
            let sql = "SELECT id FROM agents WHERE disabled = 1";
            tx.query(sql, &[], |row| row.id::<AgentId>(0))
        });
        for id in disabled {
            let change = ChangeAgent { disabled: Some(false), ..Default::default() };
            self.call(Call::ChangeAgent { id, change });
        }
        let sites_off = self.look_at(|tx| {
            tx.query("SELECT id FROM sites WHERE enabled = 0", &[], |row| row.text(0))
        });
        if !sites_off.is_empty() {
            let change = ChangeSite { enabled: Some(true), ..Default::default() };
            self.call(Call::ChangeSite { change });
        }
    }

    /// Where what somebody holds differs from what there is: the first such thing, or all of them.
    pub(super) fn differences(&mut self, all: bool) -> Vec<String> {
        if self.relay.is_none() || !self.calls.is_empty() {
            return vec!["the relay is away or requests are under way".to_owned()];
        }
        let mut found = Vec::new();
        self.somebody_is_away(&mut found);
        if all || found.is_empty() {
            self.visitors_differ(all, &mut found);
        }
        if all || found.is_empty() {
            self.agents_differ(all, &mut found);
        }
        if all || found.is_empty() {
            self.waiting_differ(&mut found);
            self.standing_differs(&mut found);
        }
        if all || found.is_empty() {
            self.watching_differs(&mut found);
        }
        if all || found.is_empty() {
            self.screens_differ(&mut found);
            self.notes_differ(&mut found);
        }
        found
    }

    /// Who is on a dead link does not know yet what became of the relay, so nothing is settled.
    fn somebody_is_away(&self, found: &mut Vec<String>) {
        for (n, visitor) in self.visitors.iter().enumerate() {
            let live = visitor.is_live() && self.is_reached(Who::Visitor(n));
            let unsent = visitor.unsent();
            if !live || unsent > 0 {
                found.push(format!("visitor {n}: live {live}, unsent {unsent}"));
            } else if visitor.id().is_none() || visitor.held.is_none() {
                found.push(format!("visitor {n} holds nothing"));
            }
        }
        for (n, agent) in self.agents.iter().enumerate() {
            let holds = agent.client.as_ref().is_some_and(|client| client.held().is_some());
            if !agent.signed_in || !holds || !self.is_reached(Who::Agent(n)) {
                found.push(format!("{} holds nothing", agent.id));
            }
        }
    }

    fn visitors_differ(&self, all: bool, found: &mut Vec<String>) {
        for (n, visitor) in self.visitors.iter().enumerate() {
            let (Some(id), Some(mut held)) = (visitor.id(), visitor.held.clone()) else { continue };
            let fresh = self.look_at(|tx| queries::visitor_snapshot(tx, id, &self.place.site));
            if self.traits.is_many_people() {
                level_visitor(&mut held, &fresh);
            }
            if held != fresh {
                let tab = if visitor.tab_of.is_some() { ", another tab," } else { "" };
                found.push(format!("visitor {n}{tab} holds\n{held:#?}\nbut there is\n{fresh:#?}"));
                if !all {
                    return;
                }
            }
        }
    }

    fn agents_differ(&self, all: bool, found: &mut Vec<String>) {
        for agent in &self.agents {
            let held = agent.client.as_ref().and_then(ByHand::held);
            let Some(mut held) = held else { continue };
            let fresh = self.look_at(|tx| queries::staff_snapshot(tx, &agent.id));
            if self.traits.is_many_people() {
                level_staff(&mut held, &fresh);
            }
            if held != fresh {
                let id = &agent.id;
                found.push(format!("agent {id} holds\n{held:#?}\nbut there is\n{fresh:#?}"));
                if !all {
                    return;
                }
            }
        }
    }

    fn waiting_differ(&self, found: &mut Vec<String>) {
        let Some(relay) = &self.relay else { return };
        let connected = relay.app.hub.connected_agents();
        let now = i64::try_from(BEGINNING + self.fate.now()).unwrap();
        let beside = self.look_at(|tx| {
            // Whoever was moved for want of an answer waits for others than those who had it.
            let sql = r#"SELECT c.id, a.id FROM conversations c, agents a
                 WHERE c.state = 'waiting' AND c.tries = 0
                   AND a.disabled = 0 AND a.availability = 'online'
                   AND a.capacity > (SELECT count(*) FROM conversations s
                                     WHERE s.state = 'serving' AND s.agent_id = a.id)
                                  + (SELECT count(*) FROM conversations s
                                     WHERE s.state = 'serving'
                                       AND instr(s.members, '"' || a.id || '"') > 0)
                                  + (SELECT count(*) FROM invitations i
                                     WHERE i.outcome = '' AND i.offered_to = a.id)
                                  + (SELECT count(*) FROM wrap_ups w
                                     WHERE w.agent_id = a.id AND w.until > ?)
                   AND (instr(a.departments, '"' || coalesce(c.department_id, 'default') || '"') > 0
                        AND (c.skill_id IS NULL
                             OR instr(a.skills, '"' || c.skill_id || '"') > 0)
                        OR c.own_named = 1 AND c.own_agent_id = a.id)"#;
            let row = |row: &Row<'_>| Ok((row.text(0)?, row.id::<AgentId>(1)?));
            tx.query(sql, params![now], row)
        });
        let beside = beside.into_iter().filter(|(_, agent)| connected.contains(agent));
        found.extend(beside.map(|(id, agent)| format!("{id} waits beside {agent}'s free place")));
    }

    /// What the windows draw: unread, unsent, the messages on disk.
    fn screens_differ(&mut self, found: &mut Vec<String>) {
        let rows = self.stored();
        for agent in 0..self.agents.len() {
            let mut wanted = Vec::new();
            let id = self.agents[agent].id.clone();
            let Some(state) = self.agents[agent].state(|more| wanted.extend(more)) else {
                found.push(format!("{id} draws nothing"));
                continue;
            };
            let held = self.agents[agent].client.as_ref().and_then(ByHand::held);
            let held = held.map(|held| held.conversations).unwrap_or_default();
            // A row may also stand there for what is unsent in a conversation that is not held.
            for row in state.inbox.iter().filter(|row| held.contains_key(&row.conversation_id)) {
                self.row_differs(agent, &row.conversation_id, row.unread, found);
            }
            let missing: Vec<_> = self.agents[agent]
                .queued
                .iter()
                .filter(|(_, client_id, _)| {
                    let who = &self.agents[agent];
                    !rows.contains_key(&(id.to_string(), client_id.clone()))
                        && !who.discarded.contains(client_id)
                        && !who.perhaps_discarded.contains(client_id)
                })
                .cloned()
                .collect();
            for (conversation_id, client_id, text) in missing {
                let who = &mut self.agents[agent];
                let chat = who.chat(conversation_id, |more| wanted.extend(more));
                if !chat.is_some_and(|chat| Agent::is_marked(&chat, &client_id)) {
                    found.push(format!("{id}: {client_id} ({text}) is neither sent nor marked"));
                }
            }
            self.want(agent, wanted);
        }
    }

    fn row_differs(
        &self,
        agent: usize,
        conversation_id: &ConversationId,
        unread: u32,
        found: &mut Vec<String>,
    ) {
        let id = &self.agents[agent].id;
        let recount = self.look_at(|tx| {
            let sql = "SELECT count(*) FROM messages WHERE conversation_id = ?
                 AND author = 'visitor' AND seq > coalesce((SELECT read FROM marks
                 WHERE conversation_id = ? AND reader_id = ?), 0)";
            tx.query_one(sql, params![conversation_id, conversation_id, id], |row| row.int(0))
        });
        if recount != Some(i64::from(unread)) {
            found
                .push(format!("{id}: {unread} unread in {conversation_id}, recounted {recount:?}"));
        }
        let Some(client) = &self.agents[agent].client else { return };
        let disk: Vec<_> = client.messages_on_disk(conversation_id);
        let fresh = self.look_at(|tx| {
            let sql = "SELECT seq, client_id FROM messages WHERE conversation_id = ? ORDER BY seq";
            let row = |row: &Row<'_>| Ok((row.seq(0)?, row.id::<ClientId>(1)?));
            tx.query(sql, params![conversation_id], row)
        });
        let disk: Vec<_> =
            disk.into_iter().map(|message| (message.seq, message.client_id)).collect();
        if disk.is_empty() || !fresh.ends_with(&disk) {
            found.push(format!(
                "{id} has of {conversation_id} on disk {disk:?}, there is {fresh:?}"
            ));
        }
    }

    // --- in the end ---

    pub(super) fn stored(&self) -> Rows {
        let rows = self.look_at(|tx| {
            let sql = "SELECT m.actor_id, m.client_id, m.conversation_id, m.seq FROM messages m
                       WHERE m.author <> 'system'";
            tx.query(sql, &[], |row| {
                let stored = Stored { conversation_id: row.id(2)?, seq: row.seq(3)? };
                Ok(((row.text(0)?, row.id::<ClientId>(1)?), stored))
            })
        });
        rows.into_iter().collect()
    }

    /// The law of acknowledgement, and the log's own.
    pub(super) fn final_law(&mut self) {
        let mut wrong = Vec::new();
        let rows = self.stored();
        self.visitors_law(&rows, &mut wrong);
        self.staff_law(&rows, &mut wrong);
        let holes = self.look_at(|tx| {
            let mut holes = tx.query(
                "SELECT 'log', count(*), max(position) FROM events
                 UNION ALL SELECT conversation_id, count(*), max(seq) FROM messages
                 GROUP BY conversation_id",
                &[],
                |row| Ok((row.text(0)?, row.int(1)?, row.int(2)?)),
            )?;
            holes.retain(|(_, count, last)| count != last);
            Ok(holes)
        });
        wrong.extend(holes.into_iter().map(|hole| format!("holes: {hole:?}")));
        self.notes_law(&mut wrong);
        self.check_loads();
        self.violations.append(&mut wrong);
    }

    fn visitors_law(&self, rows: &Rows, wrong: &mut Vec<String>) {
        let started = self.look_at(|tx| {
            let sql = "SELECT id, started_position FROM conversations";
            tx.query(sql, &[], |row| Ok((row.id::<ConversationId>(0)?, row.int(1)?)))
        });
        let started: BTreeMap<_, _> = started.into_iter().collect();
        let left = self.look_at(|tx| {
            let sql = "SELECT conversation_id FROM leave_messages";
            tx.query(sql, &[], |row| row.id::<ConversationId>(0))
        });
        let mut known = BTreeSet::new();
        for (n, visitor) in self.visitors.iter().enumerate() {
            let mut last = (0, Seq::ZERO);
            for Written { client_id, text, leaves } in &visitor.written {
                let keys = visitor.ids.iter().map(|id| (id.to_string(), client_id.clone()));
                let keys: Vec<_> = keys.collect();
                let there: Vec<_> = keys.iter().filter_map(|key| rows.get(key)).collect();
                known.extend(keys);
                if there.len() > 1 {
                    wrong.push(format!("visitor {n}: {text} is there as two visitors'"));
                }
                let row = there.last();
                match (visitor.acked.get(client_id), row) {
                    (Some((conversation_id, seq)), Some(row))
                        if row.conversation_id == *conversation_id && row.seq == *seq =>
                    {
                        let place = (started[conversation_id], *seq);
                        if place <= last {
                            wrong.push(format!("visitor {n}: {text} stands before an earlier one"));
                        }
                        last = place;
                    }
                    (Some(_), None) => wrong.push(format!("visitor {n}: {text} is lost")),
                    (Some(_), Some(_)) => {
                        wrong.push(format!("visitor {n}: {text} is elsewhere than acknowledged"));
                    }
                    (None, Some(_)) if visitor.refused.contains(client_id) => {
                        wrong.push(format!("visitor {n}: {text} was refused and is there"));
                    }
                    (None, Some(row)) if *leaves && !left.contains(&row.conversation_id) => {
                        wrong.push(format!("visitor {n}: {text} was left and is not marked so"));
                    }
                    (None, None) if visitor.left.contains(client_id) => {
                        wrong.push(format!("visitor {n}: {text} was left and is lost"));
                    }
                    (None, _) => {}
                }
            }
        }
        for agent in &self.agents {
            let ids = agent.queued.iter().map(|(_, client_id, _)| client_id);
            known.extend(
                ids.chain(agent.handed_over.keys()).map(|id| (agent.id.to_string(), id.clone())),
            );
        }
        // Writing first is a command of the program's own: it is known by its answer alone.
        let is_staff = |actor: &str| self.agents.iter().any(|agent| agent.id.as_str() == actor);
        let unknown = rows.keys().filter(|key| !known.contains(*key));
        let unknown = unknown.filter(|(actor, _)| !(self.traits.handing && is_staff(actor)));
        wrong.extend(unknown.map(|key| format!("{key:?} was never written")));
    }

    fn staff_law(&self, rows: &Rows, wrong: &mut Vec<String>) {
        for (client_id, (conversation_id, seq)) in &self.staff_acked {
            let is_there = rows.iter().any(|((_, id), row)| {
                id == client_id && row.conversation_id == *conversation_id && row.seq == *seq
            });
            if !is_there {
                wrong.push(format!("staff: {client_id} is not where it was acknowledged"));
            }
        }
        for agent in &self.agents {
            let mut last: BTreeMap<&ConversationId, Seq> = BTreeMap::new();
            for (conversation_id, client_id, text) in &agent.queued {
                let row = rows.get(&(agent.id.to_string(), client_id.clone()));
                let Some(row) = row else { continue };
                if agent.discarded.contains(client_id) {
                    wrong.push(format!("{}: {text} was taken out and is there", agent.id));
                }
                if row.conversation_id != *conversation_id {
                    wrong.push(format!("{}: {text} is in another conversation", agent.id));
                }
                if self.retried.contains(client_id) || agent.asked_again.contains(client_id) {
                    continue;
                }
                let before = last.insert(conversation_id, row.seq);
                if before.is_some_and(|before| before >= row.seq) {
                    wrong.push(format!("{}: {text} stands before an earlier one", agent.id));
                }
            }
        }
    }
}
