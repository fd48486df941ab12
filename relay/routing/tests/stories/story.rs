//! How a story is told: somebody does something, and exactly these decisions follow.
//!
//! Owns the words of the stories and nothing of the rules. Every happening is a minute later than
//! the one before, unless the story says how much time passes; what the core decided and a story
//! expects to be carried out is confirmed by [`Story::done`].

use std::collections::BTreeSet;

use yingke_routing::rules::{Class, Demand, OwnAgent};
use yingke_routing::{
    AgentId, AgentSettings, Arrival, Asks, Availability, Company, ConversationId, Decision,
    Department, Described, Fact, Router,
};

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;

pub(crate) struct Story {
    pub(crate) router: Router,
    pub(crate) now: u64,
    number: u64,
    position: u64,
    seq: u64,
    last: Vec<Decision>,
}

/// A department in which nothing happens by itself.
pub(crate) fn calm(id: &str) -> Department {
    Department { no_answer: None, file_after_ms: None, ..Department::new(id.into()) }
}

impl Story {
    /// One calm department, `sales`, that is also the default.
    pub(crate) fn new() -> Self {
        Self::with(calm("sales"))
    }

    pub(crate) fn with(department: Department) -> Self {
        let company = Company::new(department.id.clone());
        let mut router = Router::new(company);
        router.note(0, Fact::DepartmentSet(Box::new(department)));
        Self { router, now: 0, number: 0, position: 0, seq: 0, last: Vec::new() }
    }

    pub(crate) fn department(mut self, department: Department) -> Self {
        self.router.note(self.now, Fact::DepartmentSet(Box::new(department)));
        self
    }

    /// An agent of `sales`, online and connected.
    pub(crate) fn agent(self, agent: &str, capacity: u32) -> Self {
        self.agent_of(agent, capacity, &["sales"], &[])
    }

    pub(crate) fn agent_of(
        mut self,
        agent: &str,
        capacity: u32,
        departments: &[&str],
        skills: &[&str],
    ) -> Self {
        let settings = AgentSettings {
            agent: agent.into(),
            capacity,
            availability: Availability::Online,
            departments: departments.iter().map(|it| (*it).into()).collect(),
            skills: skills.iter().map(|it| (*it).into()).collect(),
        };
        self.router.note(self.now, Fact::AgentSet(Box::new(settings)));
        self.router.note(self.now, Fact::AgentConnected { agent: agent.into() });
        self
    }

    /// `fact` happens a minute later and gives exactly `expected`.
    pub(crate) fn on(&mut self, fact: Fact, expected: &str) {
        self.after(MINUTE, fact, expected);
    }

    pub(crate) fn after(&mut self, ms: u64, fact: Fact, expected: &str) {
        self.now += ms;
        self.position += 1;
        self.last = match &fact {
            Fact::GoOn | Fact::Refused { .. } => self.router.step(self.now, fact),
            _ => self.router.heard(self.position, self.now, fact),
        };
        while self.router.has_more() {
            let more = self.router.step(self.now, Fact::GoOn);
            self.last.extend(more);
        }
        assert_eq!(told(&self.last), expected);
    }

    /// Time passes; the one timer wakes the core whenever it asked for it.
    pub(crate) fn passes(&mut self, ms: u64, expected: &str) {
        let until = self.now + ms;
        let mut all = Vec::new();
        while let Some(at) = self.router.next_deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            all.extend(self.router.step(self.now, Fact::GoOn));
        }
        self.now = until;
        all.extend(self.router.step(self.now, Fact::GoOn));
        self.last = all;
        assert_eq!(told(&self.last), expected);
    }

    /// The store did what was decided last, and the log says so.
    pub(crate) fn done(&mut self, expected: &str) {
        let mut told_after = Vec::new();
        for decision in std::mem::take(&mut self.last) {
            let fact = match decision {
                Decision::Assign { conversation, agent, .. } => {
                    Fact::ConversationServed { conversation, agent }
                }
                Decision::PassOn { conversation, to, .. } => {
                    Fact::ConversationServed { conversation, agent: to }
                }
                Decision::Requeue { conversation, reason, .. } => {
                    Fact::ConversationRequeued { conversation, why: reason }
                }
                Decision::End { conversation, .. } | Decision::File { conversation, .. } => {
                    Fact::ConversationOver { conversation }
                }
                Decision::RemoveMember { conversation, agent } => {
                    Fact::MemberLeft { conversation, agent }
                }
                Decision::Return { invitation, .. } => Fact::InvitationClosed { invitation },
                _ => continue,
            };
            self.position += 1;
            told_after.extend(self.router.heard(self.position, self.now, fact));
        }
        self.last = told_after;
        assert_eq!(told(&self.last), expected);
    }

    pub(crate) fn arrives(&mut self, conversation: &str, expected: &str) {
        self.asks(conversation, Demand::of("sales".into()), expected);
    }

    /// Arrives and is served at once.
    pub(crate) fn is_served(&mut self, conversation: &str, agent: &str) {
        self.arrives(conversation, &format!("{conversation} to {agent}"));
        self.done("");
    }

    pub(crate) fn asks(&mut self, conversation: &str, demand: Demand, expected: &str) {
        self.enters(conversation, Asks::Demand(demand), true, expected);
    }

    pub(crate) fn comes(&mut self, conversation: &str, visitor: Described, expected: &str) {
        self.enters(conversation, Asks::Described(Box::new(visitor)), true, expected);
    }

    pub(crate) fn enters(
        &mut self,
        conversation: &str,
        asks: Asks,
        has_written: bool,
        expected: &str,
    ) {
        self.number += 1;
        let (conversation, number) = (conversation.into(), self.number);
        let site = Some("shop".into());
        let arrival = Arrival { conversation, number, site, has_written, let_in: false, asks };
        self.on(Fact::ConversationWaiting(Box::new(arrival)), expected);
    }

    pub(crate) fn served(&mut self, conversation: &str, agent: &str, expected: &str) {
        let (conversation, agent) = (conversation.into(), agent.into());
        self.on(Fact::ConversationServed { conversation, agent }, expected);
    }

    pub(crate) fn over(&mut self, conversation: &str, expected: &str) {
        self.on(Fact::ConversationOver { conversation: conversation.into() }, expected);
    }

    pub(crate) fn chooses(&mut self, agent: &str, availability: Availability, expected: &str) {
        self.set(agent, availability, 8, expected);
    }

    pub(crate) fn set(
        &mut self,
        agent: &str,
        availability: Availability,
        capacity: u32,
        expected: &str,
    ) {
        let settings = AgentSettings {
            agent: agent.into(),
            capacity,
            availability,
            departments: BTreeSet::from(["sales".into()]),
            skills: BTreeSet::new(),
        };
        self.on(Fact::AgentSet(Box::new(settings)), expected);
    }

    pub(crate) fn lost(&mut self, agent: &str, expected: &str) {
        self.on(Fact::AgentLost { agent: agent.into() }, expected);
    }

    pub(crate) fn connected(&mut self, agent: &str, expected: &str) {
        self.after(SECOND, Fact::AgentConnected { agent: agent.into() }, expected);
    }

    pub(crate) fn visitor_writes(&mut self, conversation: &str, expected: &str) {
        self.seq += 1;
        let (conversation, seq, number) = (conversation.into(), self.seq, self.number + 1);
        self.number += 1;
        self.after(SECOND, Fact::VisitorWrote { conversation, seq, number }, expected);
    }

    pub(crate) fn agent_writes(&mut self, agent: &str, conversation: &str, expected: &str) {
        self.seq += 1;
        let (conversation, agent, seq) = (conversation.into(), agent.into(), self.seq);
        self.after(SECOND, Fact::AgentWrote { conversation, agent, seq }, expected);
    }

    pub(crate) fn types(&mut self, agent: &str, conversation: &str) {
        let (conversation, agent) = (conversation.into(), agent.into());
        self.after(0, Fact::AgentTypes { conversation, agent }, "");
    }

    /// Who stands in the line of `sales`, first one first.
    pub(crate) fn line(&self) -> Vec<String> {
        let sales = "sales".into();
        let line = self.router.line(&sales);
        line.map(|it| it.conversation.as_str().to_owned()).collect()
    }

    /// The decisions of the last happening.
    pub(crate) fn last(&self) -> &[Decision] {
        &self.last
    }
}

/// A demand for one agent in `sales`.
pub(crate) fn meant_for(agent: &str, named: bool) -> Demand {
    let own = Some(OwnAgent { agent: agent.into(), named });
    Demand { own, ..Demand::of("sales".into()) }
}

/// A demand with a priority.
pub(crate) fn of_class(vip: bool, priority: u8) -> Demand {
    Demand { class: Class { vip, priority }, ..Demand::of("sales".into()) }
}

/// Decisions as a sentence.
pub(crate) fn told(decisions: &[Decision]) -> String {
    let name = |it: &ConversationId| it.as_str().to_owned();
    let who = |it: &AgentId| it.as_str().to_owned();
    let all = decisions.iter().map(|decision| match decision {
        Decision::Route { conversation, routed } => {
            format!("{} asks for {}", name(conversation), routed.demand.department)
        }
        Decision::Assign { conversation, agent, .. } => {
            format!("{} to {}", name(conversation), who(agent))
        }
        Decision::Wait { conversation, reason } => format!("{} {reason:?}", name(conversation)),
        Decision::File { conversation, .. } => format!("{} filed", name(conversation)),
        Decision::PassOn { conversation, from, to, reason, .. } => {
            format!("{} from {from} to {to} {reason:?}", name(conversation))
        }
        Decision::Requeue { conversation, from, reason, .. } => {
            format!("{} back from {from} {reason:?}", name(conversation))
        }
        Decision::End { conversation, reason, .. } => {
            format!("{} ends {reason:?}", name(conversation))
        }
        Decision::Say { conversation, prompt, .. } => format!("{} {prompt:?}", name(conversation)),
        Decision::TellManagers { conversation, alert } => {
            format!("managers: {} {alert:?}", name(conversation))
        }
        Decision::RemoveMember { conversation, agent } => {
            format!("{} without {}", name(conversation), who(agent))
        }
        Decision::Offer { invitation, agent, .. } => format!("{invitation} asks {}", who(agent)),
        Decision::Return { invitation, reason } => format!("{invitation} returns {reason:?}"),
    });
    all.collect::<Vec<_>>().join(", ")
}
