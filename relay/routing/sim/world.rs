//! What the store would hold, and people in random motion.
//!
//! The world carries decisions out late, in any order but in theirs about one conversation, and only
//! if what they were made for is still so. Whatever becomes true is told to the core later, in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use yingke_routing::{
    AgentId, AgentSettings, Arrival, Asks, Availability, ConversationId, Decision, DepartmentId,
    Described, EndReason, Fact, InvitationId, Invitee, PassReason, Refusal, RequeueReason,
};

use crate::random::Random;
use crate::setting::{AGENTS, DEPARTMENTS};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    Silent,
    Waiting,
    Served { agent: AgentId, members: Vec<AgentId> },
    Over,
}

#[derive(Debug, Clone)]
struct Row {
    state: State,
    seq: u64,
    unanswered: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) settings: AgentSettings,
    pub(crate) removed: bool,
    pub(crate) connected: bool,
}

struct Open {
    conversation: ConversationId,
    to: Invitee,
    asked: Option<AgentId>,
}

/// A fact on its way to the core.
pub(crate) struct Told {
    pub(crate) at: u64,
    /// Where it stands in the log; presence stands in none.
    pub(crate) position: Option<u64>,
    pub(crate) fact: Fact,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) position: u64,
    pub(crate) people: BTreeMap<AgentId, Person>,
    rows: BTreeMap<ConversationId, Row>,
    invitations: BTreeMap<InvitationId, Open>,
    pub(crate) facts: VecDeque<Told>,
    pub(crate) decisions: Vec<Decision>,
    made: u64,
}

impl World {
    fn log(&mut self, fact: Fact) {
        self.position += 1;
        let position = Some(self.position);
        self.facts.push_back(Told { at: self.now, position, fact });
    }

    fn say(&mut self, fact: Fact) {
        self.facts.push_back(Told { at: self.now, position: None, fact });
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.facts.is_empty() && self.decisions.is_empty()
    }

    fn any(&self, random: &mut Random, wanted: impl Fn(&Row) -> bool) -> Option<ConversationId> {
        let found: Vec<_> =
            self.rows.iter().filter(|(_, row)| wanted(row)).map(|(id, _)| id.clone()).collect();
        random.pick(&found)
    }

    fn any_served(&self, random: &mut Random) -> Option<(ConversationId, AgentId, Vec<AgentId>)> {
        let id = self.any(random, |row| matches!(row.state, State::Served { .. }))?;
        match &self.rows.get(&id)?.state {
            State::Served { agent, members } => Some((id, agent.clone(), members.clone())),
            _ => None,
        }
    }

    fn places(&self, agent: &AgentId) -> usize {
        let holds = |row: &&Row| match &row.state {
            State::Served { agent: by, members } => by == agent || members.contains(agent),
            _ => false,
        };
        self.rows.values().filter(holds).count()
    }

    fn set_state(&mut self, id: &ConversationId, state: State) {
        if let Some(row) = self.rows.get_mut(id) {
            row.state = state;
        }
    }

    /// Somebody does something.
    pub(crate) fn act(&mut self, random: &mut Random) {
        match random.below(31) {
            0..=6 => self.comes(random),
            7..=9 => self.ends(random),
            10..=12 => self.visitor_writes(random),
            13..=15 => self.agent_writes(random),
            16..=17 => self.person_changes(random),
            18..=20 => self.connection_changes(random),
            21..=22 => self.types(random),
            23 => self.by_hand(random),
            24..=25 => self.invites(random),
            26..=27 => self.answers(random),
            28 => self.members_move(random),
            29 => self.enters(random),
            _ => self.moves_by_hand(random),
        }
    }

    fn comes(&mut self, random: &mut Random) {
        self.made += 1;
        let conversation = ConversationId::new(&format!("c{:04}", self.made));
        let has_written = !random.one_in(8);
        let state = if has_written { State::Waiting } else { State::Silent };
        self.rows.insert(conversation.clone(), Row { state, seq: 0, unanswered: has_written });
        let mut visitor = Described { vip: random.one_in(6), ..Described::default() };
        if random.one_in(3) {
            visitor.page = "https://shop.example/support/help".to_owned();
        }
        if random.one_in(5) {
            visitor.tags.insert("french".to_owned());
        }
        visitor.level = u32::try_from(random.below(8)).unwrap_or(0);
        if random.one_in(5) {
            visitor.last_agent = random.pick(&AGENTS).map(AgentId::from);
        } else if random.one_in(8) {
            visitor.agent = random.pick(&AGENTS).map(AgentId::from);
        }
        let number = self.position + 1;
        let asks = Asks::Described(Box::new(visitor));
        let arrival =
            Arrival { conversation, number, site: None, has_written, let_in: false, asks };
        self.log(Fact::ConversationWaiting(Box::new(arrival)));
    }

    fn ends(&mut self, random: &mut Random) {
        if let Some(conversation) = self.any(random, |row| row.state != State::Over) {
            self.set_state(&conversation, State::Over);
            self.log(Fact::ConversationOver { conversation });
        }
    }

    fn visitor_writes(&mut self, random: &mut Random) {
        let Some(conversation) = self.any(random, |row| row.state != State::Over) else { return };
        let number = self.position + 1;
        let Some(row) = self.rows.get_mut(&conversation) else { return };
        row.seq += 1;
        row.unanswered = true;
        if row.state == State::Silent {
            row.state = State::Waiting;
        }
        let seq = row.seq;
        self.log(Fact::VisitorWrote { conversation, seq, number });
    }

    fn agent_writes(&mut self, random: &mut Random) {
        let Some((conversation, agent, members)) = self.any_served(random) else { return };
        let agent = if random.one_in(4) { random.pick(&members).unwrap_or(agent) } else { agent };
        let Some(row) = self.rows.get_mut(&conversation) else { return };
        row.seq += 1;
        row.unanswered = false;
        let seq = row.seq;
        self.log(Fact::AgentWrote { conversation, agent, seq });
    }

    /// An account is changed, disabled or back.
    pub(crate) fn person_changes(&mut self, random: &mut Random) {
        let Some(id) = random.pick(&AGENTS).map(AgentId::from) else { return };
        let mut departments = BTreeSet::new();
        for department in DEPARTMENTS {
            if !random.one_in(3) {
                departments.insert(DepartmentId::from(department));
            }
        }
        let mut skills = BTreeSet::new();
        if random.one_in(2) {
            skills.insert("french".into());
        }
        let availability = match random.below(8) {
            0 => Availability::Away,
            1 | 2 => Availability::Busy,
            _ => Availability::Online,
        };
        let capacity = 1 + u32::try_from(random.below(4)).unwrap_or(0);
        let settings =
            AgentSettings { agent: id.clone(), capacity, availability, departments, skills };
        let removed = random.one_in(10);
        let connected = self.people.get(&id).is_some_and(|person| person.connected);
        let person = Person { settings: settings.clone(), removed, connected };
        self.people.insert(id.clone(), person);
        self.log(Fact::AgentSet(Box::new(settings)));
        if removed {
            self.log(Fact::AgentRemoved { agent: id });
        }
    }

    fn connection_changes(&mut self, random: &mut Random) {
        let Some(agent) = random.pick(&AGENTS).map(AgentId::from) else { return };
        let Some(person) = self.people.get_mut(&agent) else { return };
        person.connected = !random.one_in(3);
        let fact = if person.connected {
            Fact::AgentConnected { agent }
        } else if random.one_in(5) {
            Fact::AgentSignedOut { agent }
        } else {
            Fact::AgentLost { agent }
        };
        self.say(fact);
    }

    fn types(&mut self, random: &mut Random) {
        if let Some((conversation, agent, _)) = self.any_served(random) {
            self.say(Fact::AgentTypes { conversation, agent });
        }
    }

    /// A manager assigns or takes over, over capacity if need be.
    fn by_hand(&mut self, random: &mut Random) {
        let online: Vec<_> = self
            .people
            .iter()
            .filter(|(_, it)| it.connected && !it.removed)
            .filter(|(_, it)| it.settings.availability == Availability::Online)
            .map(|(id, _)| id.clone())
            .collect();
        let open = |row: &Row| matches!(row.state, State::Waiting | State::Served { .. });
        let Some(conversation) = self.any(random, open) else { return };
        let Some(agent) = random.pick(&online) else { return };
        self.serve(&conversation, &agent);
    }

    fn serve(&mut self, id: &ConversationId, to: &AgentId) {
        let members = match self.rows.get(id).map(|row| row.state.clone()) {
            Some(State::Served { agent, .. }) if agent == *to => return,
            Some(State::Served { members, .. }) => members,
            _ => Vec::new(),
        };
        let members = members.into_iter().filter(|member| member != to).collect();
        self.set_state(id, State::Served { agent: to.clone(), members });
        let (conversation, agent) = (id.clone(), to.clone());
        self.log(Fact::ConversationServed { conversation, agent });
    }

    fn invites(&mut self, random: &mut Random) {
        let Some((conversation, from, _)) = self.any_served(random) else { return };
        self.made += 1;
        let invitation = InvitationId::new(&format!("i{:04}", self.made));
        let agent = random.pick(&AGENTS).map(AgentId::from).filter(|agent| *agent != from);
        let to = match agent {
            Some(agent) if random.one_in(2) => Invitee::Agent(agent),
            _ => Invitee::Department(random.pick(&DEPARTMENTS).unwrap_or("sales").into()),
        };
        let asked = match &to {
            Invitee::Agent(agent) => Some(agent.clone()),
            Invitee::Department(_) => None,
        };
        let open = Open { conversation: conversation.clone(), to: to.clone(), asked };
        self.invitations.insert(invitation.clone(), open);
        self.log(Fact::InvitationMade { invitation, conversation, from, to });
    }

    /// Whoever is asked accepts, by taking over or joining, or says no.
    fn answers(&mut self, random: &mut Random) {
        let open: Vec<_> = self.invitations.keys().cloned().collect();
        let Some(invitation) = random.pick(&open) else { return };
        let Some(it) = self.invitations.get(&invitation) else { return };
        let (conversation, asked) = (it.conversation.clone(), it.asked.clone());
        let is_agent = matches!(it.to, Invitee::Agent(_));
        let Some(agent) = asked else { return };
        let state = self.rows.get(&conversation).map(|row| row.state.clone());
        let Some(State::Served { agent: by, mut members }) = state else { return };
        if random.one_in(3) {
            if is_agent {
                self.invitations.remove(&invitation);
                return self.log(Fact::InvitationClosed { invitation });
            }
            if let Some(it) = self.invitations.get_mut(&invitation) {
                it.asked = None;
            }
            return self.log(Fact::InvitationDeclined { invitation, agent });
        }
        // As in the store's log: it is over, then who takes part.
        self.invitations.remove(&invitation);
        self.log(Fact::InvitationClosed { invitation });
        if random.one_in(2) {
            self.serve(&conversation, &agent);
        } else if by != agent && !members.contains(&agent) {
            members.push(agent.clone());
            self.set_state(&conversation, State::Served { agent: by, members });
            self.log(Fact::MemberJoined { conversation, agent });
        }
    }

    /// A manager comes in unasked; what asked them is over.
    fn enters(&mut self, random: &mut Random) {
        let Some((conversation, by, mut members)) = self.any_served(random) else { return };
        let Some(agent) = random.pick(&AGENTS).map(AgentId::from) else { return };
        if by == agent || members.contains(&agent) {
            return;
        }
        let asks = self
            .invitations
            .iter()
            .filter(|(_, it)| it.conversation == conversation && it.asked.as_ref() == Some(&agent));
        for invitation in asks.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.invitations.remove(&invitation);
            self.log(Fact::InvitationClosed { invitation });
        }
        members.push(agent.clone());
        self.set_state(&conversation, State::Served { agent: by, members });
        self.log(Fact::MemberJoined { conversation, agent });
    }

    fn members_move(&mut self, random: &mut Random) {
        let Some((conversation, agent, mut members)) = self.any_served(random) else { return };
        let Some(member) = random.pick(&members) else { return };
        if random.one_in(2) {
            // The first one leaves; the other goes on.
            return self.serve(&conversation, &member);
        }
        members.retain(|it| *it != member);
        self.set_state(&conversation, State::Served { agent, members });
        self.log(Fact::MemberLeft { conversation, agent: member });
    }

    /// Handed over before leaving, or the account was disabled and the store released it.
    fn moves_by_hand(&mut self, random: &mut Random) {
        let Some((conversation, _, _)) = self.any_served(random) else { return };
        self.set_state(&conversation, State::Waiting);
        let why = RequeueReason::HandedOver;
        self.log(Fact::ConversationRequeued { conversation, why });
    }

    /// The store carries out one decision.
    pub(crate) fn carry_out(&mut self, random: &mut Random) {
        let Some(about) = random.pick(&self.decisions).map(|it| it.conversation().cloned()) else {
            return;
        };
        let Some(index) = self.decisions.iter().position(|it| it.conversation() == about.as_ref())
        else {
            return;
        };
        let decision = self.decisions.remove(index);
        let fails = random.one_in(20);
        if let Some((conversation, attempt, why)) = self.apply(decision, fails) {
            self.say(Fact::Refused { conversation, attempt, why });
        }
    }

    fn apply(&mut self, it: Decision, fails: bool) -> Option<(ConversationId, u32, Refusal)> {
        let (id, attempt, refusal) = match it {
            Decision::Assign { conversation, agent, attempt, .. } => {
                let refusal =
                    self.may_serve(&conversation, &agent, |state| *state == State::Waiting);
                if refusal.is_none() && !fails {
                    self.serve(&conversation, &agent);
                }
                (conversation, attempt, refusal)
            }
            Decision::PassOn { conversation, from, to, attempt, reason, .. } => {
                let serves =
                    |state: &State| matches!(state, State::Served { agent, .. } if *agent == from);
                let refusal = match reason {
                    PassReason::NoAnswer if !self.is_unanswered(&conversation) => {
                        Some(Refusal::Overtaken)
                    }
                    PassReason::NoAnswer => self.may_serve(&conversation, &to, serves),
                    PassReason::MemberStays => {
                        let stays = |state: &State| {
                            matches!(state, State::Served { agent, members }
                                if *agent == from && members.contains(&to))
                        };
                        let holds =
                            self.rows.get(&conversation).is_some_and(|row| stays(&row.state));
                        (!holds).then_some(Refusal::Overtaken)
                    }
                };
                if refusal.is_none() && !fails {
                    self.serve(&conversation, &to);
                }
                (conversation, attempt, refusal)
            }
            Decision::Requeue { conversation, from, attempt, reason } => {
                let holds = self.is_served_by(&conversation, &from)
                    && match reason {
                        RequeueReason::NoAnswer => self.is_unanswered(&conversation),
                        RequeueReason::AgentLost | RequeueReason::AgentSignedOut => {
                            !self.people.get(&from).is_some_and(|person| person.connected)
                        }
                        _ => true,
                    };
                if holds && !fails {
                    self.set_state(&conversation, State::Waiting);
                    let (conversation, why) = (conversation.clone(), reason);
                    self.log(Fact::ConversationRequeued { conversation, why });
                }
                (conversation, attempt, (!holds).then_some(Refusal::Overtaken))
            }
            Decision::End { conversation, attempt, reason, said } => {
                let served = self.rows.get(&conversation).map(|row| row.state.clone());
                let holds = match (served, reason) {
                    (Some(State::Served { agent, .. }), EndReason::AgentAway) => {
                        let person = self.people.get(&agent);
                        person.is_some_and(|it| it.settings.availability == Availability::Away)
                    }
                    (Some(State::Served { .. }), EndReason::VisitorSilent) => {
                        let row = self.rows.get(&conversation);
                        row.is_some_and(|row| !row.unanswered && row.seq <= said)
                    }
                    _ => false,
                };
                self.over_if(holds && !fails, &conversation);
                (conversation, attempt, (!holds).then_some(Refusal::Overtaken))
            }
            Decision::File { conversation, attempt } => {
                let row = self.rows.get(&conversation);
                let holds = row.is_some_and(|row| row.state == State::Waiting);
                self.over_if(holds && !fails, &conversation);
                (conversation, attempt, (!holds).then_some(Refusal::Overtaken))
            }
            Decision::RemoveMember { conversation, agent } => {
                let state = self.rows.get(&conversation).map(|row| row.state.clone());
                let is_there = self.people.get(&agent).is_some_and(|person| {
                    let away = person.settings.availability == Availability::Away;
                    person.connected && !person.removed && !away
                });
                if let Some(State::Served { agent: by, mut members }) = state
                    && members.contains(&agent)
                    && !is_there
                {
                    members.retain(|it| *it != agent);
                    self.set_state(&conversation, State::Served { agent: by, members });
                    self.log(Fact::MemberLeft { conversation, agent });
                }
                return None;
            }
            Decision::Offer { invitation, agent, .. } => {
                let it = self.invitations.get_mut(&invitation)?;
                let state = self.rows.get(&it.conversation).map(|row| &row.state);
                // Whoever came in meanwhile is not asked to.
                if let Some(State::Served { agent: by, members }) = state
                    && (*by == agent || members.contains(&agent))
                {
                    self.log(Fact::InvitationDeclined { invitation, agent });
                } else {
                    it.asked = Some(agent);
                }
                return None;
            }
            Decision::Return { invitation, .. } => {
                if self.invitations.remove(&invitation).is_some() {
                    self.log(Fact::InvitationClosed { invitation });
                }
                return None;
            }
            Decision::Route { .. }
            | Decision::Wait { .. }
            | Decision::Say { .. }
            | Decision::TellManagers { .. } => return None,
        };
        let why = if fails { Some(Refusal::Failed) } else { refusal };
        Some((id, attempt, why?))
    }

    fn over_if(&mut self, holds: bool, id: &ConversationId) {
        if holds {
            self.set_state(id, State::Over);
            self.log(Fact::ConversationOver { conversation: id.clone() });
        }
    }

    fn is_unanswered(&self, id: &ConversationId) -> bool {
        self.rows.get(id).is_some_and(|row| row.unanswered)
    }

    fn is_served_by(&self, id: &ConversationId, by: &AgentId) -> bool {
        let state = self.rows.get(id).map(|row| &row.state);
        matches!(state, Some(State::Served { agent, .. }) if agent == by)
    }

    fn may_serve(
        &self,
        id: &ConversationId,
        agent: &AgentId,
        stands: impl Fn(&State) -> bool,
    ) -> Option<Refusal> {
        if !self.rows.get(id).is_some_and(|row| stands(&row.state)) {
            return Some(Refusal::Overtaken);
        }
        let person = self.people.get(agent)?;
        let fit = !person.removed
            && person.connected
            && person.settings.availability == Availability::Online
            && self.places(agent) < person.settings.capacity as usize;
        (!fit).then_some(Refusal::AgentUnfit)
    }

    /// After a refusal the driver reads the account again: that is news of it.
    pub(crate) fn news_of(&mut self, agent: &AgentId) {
        if let Some(person) = self.people.get(agent).filter(|person| !person.removed) {
            let settings = Box::new(person.settings.clone());
            self.log(Fact::AgentSet(settings));
        }
    }

    /// Everybody is back at work, or gone for good.
    pub(crate) fn everybody(&mut self, at_work: bool) {
        for id in AGENTS.map(AgentId::from) {
            let settings = AgentSettings {
                agent: id.clone(),
                capacity: 4,
                availability: Availability::Online,
                departments: DEPARTMENTS.iter().map(|it| (*it).into()).collect(),
                skills: BTreeSet::from(["french".into()]),
            };
            let person = Person { settings: settings.clone(), removed: false, connected: at_work };
            self.people.insert(id.clone(), person);
            self.log(Fact::AgentSet(Box::new(settings)));
            let agent = id;
            self.say(if at_work {
                Fact::AgentConnected { agent }
            } else {
                Fact::AgentSignedOut { agent }
            });
        }
    }

    /// Every running conversation comes to its end.
    pub(crate) fn end_served(&mut self) {
        let served = self.rows.iter().filter(|(_, row)| matches!(row.state, State::Served { .. }));
        let served: Vec<_> = served.map(|(id, _)| id.clone()).collect();
        for conversation in served {
            self.set_state(&conversation, State::Over);
            self.log(Fact::ConversationOver { conversation });
        }
    }

    pub(crate) fn waiting(&self) -> Vec<ConversationId> {
        let waiting = self.rows.iter().filter(|(_, row)| row.state == State::Waiting);
        waiting.map(|(id, _)| id.clone()).collect()
    }
}
