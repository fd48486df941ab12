//! The auditor's own picture: plain lists of what the core was told and decided.
//!
//! Shares no line with the core. It looks at everything each time, so it needs no index and cannot
//! have the same mistake in one.

use std::collections::{BTreeMap, BTreeSet};

use yingke_routing::rules::{Class, Demand, OwnAgent};
use yingke_routing::{
    AgentId, AgentRow, AgentSettings, Asks, Availability, Connection, ConversationId,
    ConversationRow, Department, DepartmentId, Described, Fact, InvitationId, InvitationRow,
    Invitee, NoAnswer, PassReason, Refusal, RequeueReason, Rows, StandingRow, Talk, WaitingReason,
};

use crate::setting;

/// What was decided and not confirmed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pending {
    Assign(AgentId),
    File,
    Pass(AgentId, PassReason),
    Requeue,
    End,
}

#[derive(Debug, Clone)]
pub(crate) enum Stand {
    Silent,
    Wait { since: u64, front: bool, told: Option<(WaitingReason, u64)>, outside: bool },
    Serve(Serve),
}

#[derive(Debug, Clone)]
pub(crate) struct Serve {
    pub(crate) agent: AgentId,
    pub(crate) members: Vec<AgentId>,
    pub(crate) leaving: Vec<AgentId>,
    pub(crate) since: u64,
    pub(crate) answered: bool,
    /// From when to when the agent typed since the answer is missing.
    pub(crate) typing: Vec<(u64, u64)>,
    pub(crate) looked_at: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Talked {
    pub(crate) number: u64,
    pub(crate) demand: Demand,
    pub(crate) had: Vec<AgentId>,
    pub(crate) tries: u32,
    pub(crate) alerted: bool,
    pub(crate) talk: Talk,
    pub(crate) stand: Stand,
    pub(crate) attempt: u32,
    pub(crate) pending: Option<Pending>,
    pub(crate) rests_until: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) settings: AgentSettings,
    pub(crate) removed: bool,
    pub(crate) connection: Connection,
    pub(crate) idle_since: u64,
    pub(crate) doubted: bool,
    pub(crate) wrap_ups: Vec<(ConversationId, u64)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Invited {
    pub(crate) conversation: ConversationId,
    pub(crate) from: AgentId,
    pub(crate) to: Invitee,
    pub(crate) offered: Option<(AgentId, u64)>,
    pub(crate) declined: Vec<AgentId>,
    pub(crate) returned: bool,
}

pub(crate) struct Model {
    pub(crate) now: u64,
    pub(crate) departments: Vec<Department>,
    pub(crate) agents: BTreeMap<AgentId, Known>,
    pub(crate) talks: BTreeMap<ConversationId, Talked>,
    pub(crate) invitations: BTreeMap<InvitationId, Invited>,
    was_open: BTreeMap<DepartmentId, bool>,
}

/// How long typing is believed after a key, as the product says.
const TYPING: u64 = 10_000;

impl Model {
    pub(crate) fn new(departments: Vec<Department>) -> Self {
        Self {
            now: 0,
            departments,
            agents: BTreeMap::new(),
            talks: BTreeMap::new(),
            invitations: BTreeMap::new(),
            was_open: BTreeMap::new(),
        }
    }

    pub(crate) fn department(&self, id: &DepartmentId) -> Department {
        let found = self.departments.iter().find(|it| it.id == *id);
        found.cloned().unwrap_or_else(|| Department::new(id.clone()))
    }

    /// Open in the second ten minutes of every twenty by UTC, if it has hours at all.
    pub(crate) fn is_open(&self, id: &DepartmentId) -> bool {
        self.department(id).hours.is_none() || (self.now / 60_000) % 20 >= 10
    }

    fn agent(&mut self, id: &AgentId) -> &mut Known {
        self.agents.entry(id.clone()).or_insert_with(|| Known {
            settings: AgentSettings {
                agent: id.clone(),
                capacity: 0,
                availability: Availability::Busy,
                departments: BTreeSet::new(),
                skills: BTreeSet::new(),
            },
            removed: false,
            connection: Connection::Out,
            idle_since: 0,
            doubted: false,
            wrap_ups: Vec::new(),
        })
    }

    /// Time passes: places kept after an end are free, doors open and close.
    pub(crate) fn advance(&mut self, now: u64) {
        self.now = self.now.max(now);
        let now = self.now;
        for agent in self.agents.values_mut() {
            let over = agent.wrap_ups.iter().any(|(_, until)| *until <= now);
            if over {
                agent.wrap_ups.retain(|(_, until)| *until > now);
                agent.idle_since = agent.idle_since.max(now);
            }
        }
        for department in self.departments.clone() {
            let open = self.is_open(&department.id);
            let was_open = self.was_open.insert(department.id.clone(), open).unwrap_or(true);
            if open == was_open {
                continue;
            }
            let closes = department.after_hours == yingke_routing::AfterHours::CloseLine;
            for talk in self.talks.values_mut() {
                // Under way, it is not in line: where it stands is found when it is back.
                if talk.demand.department == department.id
                    && talk.pending.is_none()
                    && talk.rests_until <= now
                    && let Stand::Wait { outside, .. } = &mut talk.stand
                {
                    *outside = !open && (closes || *outside);
                }
            }
        }
        for id in self.talks.keys().cloned().collect::<Vec<_>>() {
            if let Some(talk) = self.talks.get_mut(&id)
                && talk.rests_until > 0
                && talk.rests_until <= now
            {
                talk.rests_until = 0;
                self.finds_its_place(&id);
            }
        }
    }

    /// Enters a line: whether the door is open for it.
    fn finds_its_place(&mut self, id: &ConversationId) {
        let Some(talk) = self.talks.get(id) else { return };
        let department = self.department(&talk.demand.department);
        let closes = department.after_hours == yingke_routing::AfterHours::CloseLine;
        let open = self.is_open(&department.id);
        if let Some(talk) = self.talks.get_mut(id)
            && let Stand::Wait { front, told, outside, .. } = &mut talk.stand
        {
            let was_inside = *front || told.is_some_and(|(told, _)| told != WaitingReason::Closed);
            *outside = !open && (closes || !was_inside);
        }
    }

    pub(crate) fn note(&mut self, now: u64, fact: &Fact) {
        self.advance(now);
        let now = self.now;
        match fact {
            Fact::ConversationWaiting(arrival) => {
                let demand = match &arrival.asks {
                    Asks::Demand(demand) => demand.clone(),
                    Asks::Described(visitor) => asked_for(visitor),
                };
                if let Some(own) = &demand.own {
                    self.agent(&own.agent);
                }
                let stand = if arrival.has_written {
                    Stand::Wait { since: now, front: false, told: None, outside: false }
                } else {
                    Stand::Silent
                };
                let talk = Talk {
                    unanswered_since: arrival.has_written.then_some(now),
                    ..Talk::default()
                };
                let id = arrival.conversation.clone();
                self.talks.insert(
                    id.clone(),
                    Talked {
                        number: arrival.number,
                        demand,
                        had: Vec::new(),
                        tries: 0,
                        alerted: false,
                        talk,
                        stand,
                        attempt: 0,
                        pending: None,
                        rests_until: 0,
                    },
                );
                self.finds_its_place(&id);
            }
            Fact::ConversationServed { conversation, agent } => self.served(conversation, agent),
            Fact::ConversationRequeued { conversation, why } => {
                let Some(talk) = self.talks.get_mut(conversation) else { return };
                let Stand::Serve(serve) = talk.stand.clone() else { return };
                talk.tries += u32::from(*why == RequeueReason::NoAnswer);
                if *why == RequeueReason::HandedOver {
                    talk.demand.own = None;
                }
                talk.pending = None;
                talk.rests_until = 0;
                talk.stand = Stand::Wait { since: now, front: true, told: None, outside: false };
                self.parts(&serve);
                self.finds_its_place(conversation);
            }
            Fact::ConversationRerouted { .. } => {}
            Fact::ConversationOver { conversation } => {
                if let Some(talk) = self.talks.remove(conversation)
                    && let Stand::Serve(serve) = &talk.stand
                {
                    self.parts(serve);
                    let wrap_up = self.department(&talk.demand.department).wrap_up_ms;
                    if wrap_up > 0 {
                        let wrap_up = (conversation.clone(), now + wrap_up);
                        self.agent(&serve.agent).wrap_ups.push(wrap_up);
                    }
                }
            }
            Fact::VisitorWrote { conversation, seq, number } => {
                let Some(talk) = self.talks.get_mut(conversation) else { return };
                if *seq <= talk.talk.seq {
                    return;
                }
                let unanswered_since = talk.talk.unanswered_since.or(Some(now));
                if talk.talk.unanswered_since.is_none() {
                    talk.talk.explained = false;
                    if let Stand::Serve(serve) = &mut talk.stand {
                        serve.typing.clear();
                        serve.looked_at = 0;
                    }
                }
                let explained = talk.talk.explained;
                talk.talk = Talk { seq: *seq, unanswered_since, explained, ..Talk::default() };
                if matches!(talk.stand, Stand::Silent) {
                    talk.number = *number;
                    talk.stand =
                        Stand::Wait { since: now, front: false, told: None, outside: false };
                    self.finds_its_place(conversation);
                }
            }
            Fact::AgentWrote { conversation, agent, seq } => {
                let Some(talk) = self.talks.get_mut(conversation) else { return };
                if *seq <= talk.talk.seq {
                    return;
                }
                talk.talk = Talk { seq: *seq, last_word_at: Some(now), ..Talk::default() };
                (talk.tries, talk.alerted) = (0, false);
                if let Stand::Serve(serve) = &mut talk.stand {
                    serve.answered |= serve.agent == *agent;
                    serve.typing.clear();
                    serve.looked_at = 0;
                }
            }
            Fact::MemberJoined { conversation, agent } => {
                let Some(talk) = self.talks.get_mut(conversation) else { return };
                let Stand::Serve(serve) = &mut talk.stand else { return };
                if serve.agent != *agent && !serve.members.contains(agent) {
                    serve.members.push(agent.clone());
                    if !talk.had.contains(agent) {
                        talk.had.push(agent.clone());
                    }
                    let known = self.agent(agent);
                    known.idle_since = known.idle_since.max(now);
                    self.came_in(conversation, agent);
                }
            }
            Fact::MemberLeft { conversation, agent } => {
                let Some(talk) = self.talks.get_mut(conversation) else { return };
                let Stand::Serve(serve) = &mut talk.stand else { return };
                if serve.members.contains(agent) {
                    serve.members.retain(|it| it != agent);
                    serve.leaving.retain(|it| it != agent);
                    self.let_go(agent);
                }
            }
            Fact::InvitationMade { invitation, conversation, from, to } => {
                let until = now + setting::company().invitation_ms;
                let offered = match to {
                    Invitee::Agent(agent) => {
                        self.agent(agent);
                        Some((agent.clone(), until))
                    }
                    Invitee::Department(_) => None,
                };
                if self.talks.contains_key(conversation) {
                    let invited = Invited {
                        conversation: conversation.clone(),
                        from: from.clone(),
                        to: to.clone(),
                        offered,
                        declined: Vec::new(),
                        returned: false,
                    };
                    self.invitations.insert(invitation.clone(), invited);
                }
            }
            Fact::InvitationDeclined { invitation, agent } => {
                if let Some(it) = self.invitations.get_mut(invitation)
                    && !it.returned
                    && it.offered.as_ref().is_some_and(|(offered, _)| offered == agent)
                {
                    it.offered = None;
                    it.declined.push(agent.clone());
                }
            }
            Fact::InvitationClosed { invitation } => {
                self.invitations.remove(invitation);
            }
            Fact::WrapUpDone { conversation, agent } => {
                self.agent(agent).wrap_ups.retain(|(it, _)| it != conversation);
            }
            Fact::AgentSet(settings) => {
                let known = self.agent(&settings.agent);
                known.settings = (**settings).clone();
                (known.removed, known.doubted) = (false, false);
            }
            Fact::AgentRemoved { agent } => self.agent(agent).removed = true,
            Fact::AgentConnected { agent } => {
                let known = self.agent(agent);
                (known.connection, known.doubted) = (Connection::Live, false);
            }
            Fact::AgentLost { agent } => {
                let known = self.agent(agent);
                if !matches!(known.connection, Connection::Lost(_)) {
                    known.connection = Connection::Lost(now);
                }
            }
            Fact::AgentSignedOut { agent } => self.agent(agent).connection = Connection::Out,
            Fact::AgentTypes { conversation, agent } => {
                let Some(talk) = self.talks.get(conversation) else { return };
                let Stand::Serve(serve) = &talk.stand else { return };
                let too_late = self.no_answer_at(talk, serve).is_some_and(|(at, _)| at <= now);
                let Some(talk) = self.talks.get_mut(conversation) else { return };
                if let Stand::Serve(serve) = &mut talk.stand
                    && !too_late
                    && serve.agent == *agent
                    && !serve.answered
                    && talk.talk.unanswered_since.is_some()
                {
                    let before = typed(&serve.typing);
                    serve.typing.push((now, now + TYPING));
                    if serve.looked_at > 0 {
                        serve.looked_at += typed(&serve.typing) - before;
                    }
                }
            }
            Fact::Refused { conversation, attempt, why } => {
                self.refused(conversation, *attempt, *why);
            }
            Fact::DepartmentSet(_)
            | Fact::DepartmentRemoved { .. }
            | Fact::RulesSet { .. }
            | Fact::CompanySet(_)
            | Fact::WallClock { .. }
            | Fact::GoOn => {}
        }
    }

    fn refused(&mut self, id: &ConversationId, attempt: u32, why: Refusal) {
        let now = self.now;
        let Some(talk) = self.talks.get_mut(id) else { return };
        if talk.attempt != attempt {
            return;
        }
        let Some(pending) = talk.pending.take() else { return };
        if why == Refusal::Overtaken {
            talk.rests_until = now + 1_000;
        } else {
            self.finds_its_place(id);
        }
        if let (
            Pending::Assign(to) | Pending::Pass(to, PassReason::NoAnswer),
            Refusal::AgentUnfit,
        ) = (pending, why)
        {
            self.agent(&to).doubted = true;
        }
    }

    fn served(&mut self, id: &ConversationId, agent: &AgentId) {
        let now = self.now;
        let Some(talk) = self.talks.get_mut(id) else { return };
        let before = talk.stand.clone();
        let mut members = Vec::new();
        if let Stand::Serve(serve) = &before {
            if serve.agent == *agent {
                return;
            }
            members = serve.members.clone();
        }
        members.retain(|it| it != agent);
        let moved = Some(Pending::Pass(agent.clone(), PassReason::NoAnswer));
        talk.tries += u32::from(talk.pending == moved);
        talk.pending = None;
        talk.rests_until = 0;
        if !talk.had.contains(agent) {
            talk.had.push(agent.clone());
        }
        if talk.demand.own.as_ref().is_none_or(|own| own.agent != *agent) {
            talk.demand.own = Some(OwnAgent { agent: agent.clone(), named: false });
        }
        talk.stand = Stand::Serve(Serve {
            agent: agent.clone(),
            members,
            leaving: Vec::new(),
            since: now,
            answered: false,
            typing: Vec::new(),
            looked_at: 0,
        });
        if let Stand::Serve(serve) = &before {
            self.parts(serve);
        }
        let known = self.agent(agent);
        known.idle_since = known.idle_since.max(now);
        self.came_in(id, agent);
    }

    /// Whoever is in is not asked any more. That an invitation is over the log says before.
    fn came_in(&mut self, id: &ConversationId, agent: &AgentId) {
        for it in self.invitations.values_mut().filter(|it| it.conversation == *id) {
            if matches!(it.to, Invitee::Department(_)) {
                it.offered.take_if(|(asked, _)| asked == agent);
            }
        }
    }

    fn parts(&mut self, serve: &Serve) {
        self.let_go(&serve.agent);
        for member in &serve.members {
            self.let_go(member);
        }
    }

    fn let_go(&mut self, id: &AgentId) {
        let now = self.now;
        let known = self.agent(id);
        known.idle_since = known.idle_since.max(now);
        known.doubted = false;
    }

    /// When the first answer was missing for too long.
    pub(crate) fn no_answer_at(&self, talk: &Talked, serve: &Serve) -> Option<(u64, NoAnswer)> {
        let rule = self.department(&talk.demand.department).no_answer?;
        let unanswered = talk.talk.unanswered_since.filter(|_| !serve.answered)?;
        let from = unanswered.max(serve.since) + typed(&serve.typing);
        let mut at = from + rule.after_ms;
        while at <= serve.looked_at {
            at += rule.after_ms;
        }
        Some((at, rule))
    }

    /// Places of an agent that are taken.
    pub(crate) fn places(&self, id: &AgentId) -> usize {
        let held = self.talks.values().map(|talk| {
            let served = match &talk.stand {
                Stand::Serve(serve) => serve.agent == *id || serve.members.contains(id),
                _ => false,
            };
            let coming = match &talk.pending {
                Some(Pending::Assign(to) | Pending::Pass(to, PassReason::NoAnswer)) => to == id,
                _ => false,
            };
            usize::from(served) + usize::from(coming)
        });
        let offered = self.invitations.values().filter(|it| {
            matches!(it.to, Invitee::Department(_))
                && it.offered.as_ref().is_some_and(|(asked, _)| asked == id)
        });
        let kept = self.agents.get(id).map_or(0, |known| known.wrap_ups.len());
        held.sum::<usize>() + offered.count() + kept
    }

    /// What the database would hold now.
    pub(crate) fn rows(&self, position: u64) -> Rows {
        let agents = self.agents.values().map(|known| AgentRow {
            settings: known.settings.clone(),
            removed: known.removed,
            connection: known.connection,
            idle_since: known.idle_since,
            wrap_ups: known.wrap_ups.clone(),
        });
        let conversations = self.talks.iter().map(|(id, talk)| ConversationRow {
            conversation: id.clone(),
            number: talk.number,
            demand: talk.demand.clone(),
            had: talk.had.clone(),
            tries: talk.tries,
            alerted: talk.alerted,
            talk: talk.talk,
            standing: match &talk.stand {
                Stand::Silent => StandingRow::Silent,
                Stand::Wait { since, front, told, .. } => StandingRow::Waiting {
                    since: *since,
                    front: *front,
                    requeued: None,
                    told: *told,
                },
                Stand::Serve(serve) => StandingRow::Served {
                    agent: serve.agent.clone(),
                    members: serve.members.clone(),
                    since: serve.since,
                    answered: serve.answered,
                    typed_ms: typed(&serve.typing),
                    typing_until: serve.typing.last().map_or(0, |(_, until)| *until),
                },
            },
        });
        let invitations = self.invitations.iter().filter(|(_, it)| !it.returned);
        let invitations = invitations.map(|(id, it)| InvitationRow {
            invitation: id.clone(),
            conversation: it.conversation.clone(),
            from: it.from.clone(),
            to: it.to.clone(),
            offered: it.offered.clone(),
            declined: it.declined.clone(),
        });
        Rows {
            now: self.now,
            wall_ahead_ms: 0,
            position,
            company: setting::company(),
            departments: self.departments.clone(),
            rules: setting::rules(),
            agents: agents.collect(),
            conversations: conversations.collect(),
            invitations: invitations.collect(),
            pace: Vec::new(),
        }
    }
}

/// The time covered by at least one of the spans.
pub(crate) fn typed(spans: &[(u64, u64)]) -> u64 {
    let mut covered = 0;
    let mut until = 0;
    for (from, to) in spans {
        covered += to.saturating_sub(until.max(*from));
        until = until.max(*to);
    }
    covered
}

/// The three rules of this company, said once more.
fn asked_for(visitor: &Described) -> Demand {
    let mut demand = Demand::of("sales".into());
    demand.class = Class { vip: visitor.vip, priority: 0 };
    if visitor.tags.contains("french") {
        (demand.rule, demand.skill) = (Some("french".into()), Some("french".into()));
    } else if visitor.page.contains("/support/") {
        (demand.rule, demand.department) = (Some("support".into()), "support".into());
    } else if visitor.level >= 6 {
        (demand.rule, demand.class.priority) = (Some("high".into()), 5);
    }
    let named = visitor.agent.clone().map(|agent| OwnAgent { agent, named: true });
    let last = visitor.last_agent.clone().map(|agent| OwnAgent { agent, named: false });
    demand.own = named.or(last);
    demand
}
