//! What people do and what breaks, drawn from the seed.

use yingke_client::by_hand::{ByHand, Happened};
use yingke_shared::rest::{ChangeAgent, ChangeSite};

use super::network::Call;
use super::run::{Event, Simulation, Who};

impl Simulation {
    /// Plans the next look at somebody's clock and files.
    pub(super) fn plan(&mut self, who: Who) {
        let deadline = match who {
            Who::Agent(agent) => {
                self.plan_files(agent);
                self.agents[agent].client.as_ref().and_then(ByHand::deadline)
            }
            Who::Visitor(visitor) => self.visitors[visitor].deadline(),
        };
        let Some(deadline) = deadline else { return };
        let deadline = deadline.max(self.fate.now() + 1);
        if self.due.get(&who).is_none_or(|due| *due > deadline) {
            self.due.insert(who, deadline);
            self.at(deadline, Event::Time(who));
        }
    }

    fn plan_files(&mut self, agent: usize) {
        let Some(client) = &self.agents[agent].client else { return };
        let (cache, outbox) = client.has_file_work();
        for (has_work, is_outbox) in [(cache, false), (outbox, true)] {
            if has_work && self.files_due.insert((agent, is_outbox)) {
                let slow = self.quiet_since.is_none() && self.fate.once_in(40);
                let wait =
                    if slow { self.fate.between(10, 1_500) } else { self.fate.between(0, 2) };
                self.after(wait, Event::File(agent, is_outbox));
            }
        }
    }

    pub(super) fn time(&mut self, who: Who) {
        let now = self.fate.now();
        if self.due.get(&who) == Some(&now) {
            self.due.remove(&who);
        }
        match who {
            Who::Agent(agent) => {
                let deadline = self.agents[agent].client.as_ref().and_then(ByHand::deadline);
                if deadline.is_some_and(|at| at <= now) {
                    self.happened(agent, Happened::Time);
                } else {
                    self.plan(who);
                }
            }
            Who::Visitor(visitor) => {
                self.share_token(visitor);
                if self.visitors[visitor].deadline().is_some_and(|at| at <= now) {
                    let wants = self.visitors[visitor].time(&self.fate);
                    self.carry_out(visitor, wants);
                } else {
                    self.plan(who);
                }
            }
        }
    }

    pub(super) fn file(&mut self, agent: usize, outbox: bool) {
        self.files_due.remove(&(agent, outbox));
        let wanted = self.agents[agent].turn(outbox);
        self.want(agent, wanted);
    }

    pub(super) fn act(&mut self, who: Who) {
        if self.quiet_since.is_some() {
            return;
        }
        let wait = match who {
            Who::Agent(agent) => {
                self.agent_acts(agent);
                self.fate.between(100, 2_500)
            }
            Who::Visitor(visitor) => {
                self.visitor_acts(visitor);
                self.fate.between(200, 4_000)
            }
        };
        self.after(wait, Event::Act(who));
    }

    pub(super) fn text(&mut self) -> String {
        self.texts += 1;
        format!("text {}", self.texts)
    }

    fn agent_acts(&mut self, agent: usize) {
        let fate = self.fate.clone();
        if self.agents[agent].client.is_none() {
            let wanted = self.agents[agent].start();
            return self.want(agent, wanted);
        }
        if !self.agents[agent].signed_in {
            if fate.once_in(2) {
                let wanted = self.agents[agent].sign_in(!fate.once_in(3));
                self.want(agent, wanted);
            }
            return;
        }
        if self.traits.handing && fate.once_in(3) {
            let wanted = self.agent_hands(agent);
            return self.want(agent, wanted.unwrap_or_default());
        }
        let held = self.agents[agent].some_held(&fate);
        let text = self.text();
        let who = &mut self.agents[agent];
        let wanted = match (fate.index(40), held) {
            (0, _) => who.set_available(!fate.once_in(3)),
            (1, _) => {
                who.crash();
                self.hang_up(Who::Agent(agent));
                return;
            }
            (2, _) => return self.flip_offline(Who::Agent(agent)),
            (3, _) if fate.once_in(3) => who.sign_out(),
            (4 | 5, _) => who.write_again(&fate),
            (6, Some(conversation)) => who.end(conversation),
            (7, _) => {
                let queued = who.queued.len();
                let Some((_, client_id, _)) = who.queued.get(fate.index(queued.max(1))).cloned()
                else {
                    return;
                };
                if fate.once_in(2) {
                    self.retried.insert(client_id.clone());
                    self.agents[agent].retry(client_id)
                } else {
                    self.agents[agent].discard(client_id)
                }
            }
            (8..=12, Some(conversation)) => who.open(conversation),
            (13..=19, Some(conversation)) => who.view(conversation),
            (20 | 21, Some(conversation)) => who.type_in(conversation),
            (_, Some(conversation)) => who.write(&fate, conversation, text),
            (_, None) => return,
        };
        self.want(agent, wanted);
    }

    fn visitor_acts(&mut self, visitor: usize) {
        let fate = self.fate.clone();
        if self.visitors[visitor].is_away() {
            return self.open_page(visitor);
        }
        let leaves = self.traits.leaving && fate.once_in(8);
        let text = self.text();
        let who = &mut self.visitors[visitor];
        let wants = match fate.index(30) {
            0 => {
                who.close();
                return self.hang_up(Who::Visitor(visitor));
            }
            1 => return self.flip_offline(Who::Visitor(visitor)),
            2 | 3 => who.end(&fate),
            4..=8 => who.view(&fate),
            9..=12 => who.preview(&fate),
            13 if leaves => who.leave_queue(&fate),
            _ => who.write(&fate, text, leaves),
        };
        self.carry_out(visitor, wants);
    }

    fn open_page(&mut self, visitor: usize) {
        self.share_token(visitor);
        let wants = self.visitors[visitor].open(&self.fate);
        self.carry_out(visitor, wants);
    }

    /// A second tab finds in the browser's storage what the first one put there.
    fn share_token(&mut self, visitor: usize) {
        let first = self.visitors[visitor].tab_of;
        if let Some(shared) = first.and_then(|first| self.visitors[first].shared()) {
            self.visitors[visitor].adopt(shared);
        }
    }

    fn flip_offline(&mut self, who: Who) {
        if !self.offline.remove(&who) {
            self.offline.insert(who);
            if let Some(link) = self.current.get(&who).copied() {
                self.break_link(link);
            }
        }
    }

    /// One thing goes wrong, and the next one is planned.
    pub(super) fn something_breaks(&mut self) {
        if self.quiet_since.is_some() {
            return;
        }
        let wait = self.fate.between(200, 6_000);
        self.after(wait, Event::Break);
        if self.traits.settings && self.fate.once_in(3) {
            return self.manage();
        }
        if self.traits.restores && self.fate.once_in(5) {
            if !self.has_backup || self.fate.once_in(2) {
                self.back_up();
            } else {
                self.restore();
            }
            return;
        }
        let links: Vec<u64> = self.current.values().copied().collect();
        let some_link = (!links.is_empty()).then(|| links[self.fate.index(links.len())]);
        match (self.fate.index(12), some_link) {
            (0, _) => self.crash_relay(),
            (1 | 2, _) => self.doom(),
            (3, _) => {
                let agent = &self.agents[self.fate.index(self.agents.len())];
                let id = agent.id.clone();
                let change = match self.fate.index(4) {
                    0 => ChangeAgent { disabled: Some(true), ..Default::default() },
                    1 => ChangeAgent { disabled: Some(false), ..Default::default() },
                    2 => {
                        let nickname = Some(format!("name {}", self.fate.index(9)));
                        ChangeAgent { nickname, ..Default::default() }
                    }
                    _ => {
                        let capacity = u32::try_from(self.fate.between(1, 4)).unwrap();
                        if let Some((_, largest, now)) = self.loads.get_mut(&id) {
                            *largest = capacity.max(*largest);
                            *now = capacity;
                        }
                        ChangeAgent { capacity: Some(capacity), ..Default::default() }
                    }
                };
                self.call(Call::ChangeAgent { id, change });
            }
            (4, _) => {
                let change = match self.fate.index(4) {
                    0 => ChangeSite { enabled: Some(self.fate.once_in(2)), ..Default::default() },
                    1 => ChangeSite { preview: Some(self.fate.once_in(2)), ..Default::default() },
                    2 => {
                        let name = Some(format!("shop {}", self.fate.index(9)));
                        ChangeSite { name, ..Default::default() }
                    }
                    _ => {
                        let welcome = Some(["", "hello", "你好"][self.fate.index(3)].to_owned());
                        ChangeSite { welcome, ..Default::default() }
                    }
                };
                self.call(Call::ChangeSite { change });
            }
            (_, Some(link)) => self.break_link(link),
            (_, None) => {}
        }
    }

    /// A link breaks: cut, silent, one way only, or stalled.
    fn break_link(&mut self, link: u64) {
        let (told, heard) = (self.delay(), self.delay());
        let Some(made) = self.links.get_mut(&link) else { return };
        match self.fate.index(6) {
            0 | 1 => {
                // What is under way in either direction is lost; both learn of it.
                made.up.dead = true;
                made.down.dead = true;
                self.after(told, Event::Broken(link));
                self.after(heard, Event::UpEnd(link));
            }
            2 => {
                made.up.dead = true;
                made.down.dead = true;
            }
            3 => made.up.dead = true,
            4 => made.down.dead = true,
            _ => {
                self.exchange.stall(link, true);
                let wait = self.fate.between(200, 15_000);
                self.after(wait, Event::Unstall(link));
            }
        }
    }

    /// In the quiet: whoever is away comes back, whatever is switched off is on.
    pub(super) fn restore_everybody(&mut self) {
        let first = self.quiet_since == Some(self.fate.now());
        if first {
            for id in self.agents.iter().map(|agent| agent.id.clone()).collect::<Vec<_>>() {
                let change = ChangeAgent { disabled: Some(false), ..Default::default() };
                self.call(Call::ChangeAgent { id, change });
            }
            let change = ChangeSite { enabled: Some(true), ..Default::default() };
            self.call(Call::ChangeSite { change });
        }
        for agent in 0..self.agents.len() {
            if self.agents[agent].client.is_none() {
                let wanted = self.agents[agent].start();
                self.want(agent, wanted);
            } else if !self.agents[agent].signed_in && self.calls.is_empty() {
                let wanted = self.agents[agent].sign_in(true);
                self.want(agent, wanted);
            }
        }
        for visitor in 0..self.visitors.len() {
            if self.visitors[visitor].is_away() {
                self.open_page(visitor);
            }
        }
    }
}
