//! A company in random motion, judged by someone who does not share a line with the router.
//!
//! The *world* is what the store would hold; its facts reach the router late and in order, the
//! router's decisions reach the world late and in any order, and some fail. The *auditor* keeps
//! plain lists of what the router was told and decided, and checks every decision by looking at
//! everything. Made to fail by: ranking by plain count, ignoring connections, counting places only
//! when confirmed, entering refused conversations at the end, telling reasons once.

use std::collections::{BTreeMap, VecDeque};

use crate::{Decision, Fact, Refusal, Router, WaitingReason};

type Agent = u8;
type Conversation = u32;
type TestFact = Fact<Agent, Conversation>;
type TestDecision = Decision<Agent, Conversation>;

/// SplitMix64: small, good enough, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit as u64)).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Waiting,
    Served(Agent),
    Over,
}

#[derive(Debug, Clone, Default)]
struct AgentRow {
    capacity: u32,
    online: bool,
    removed: bool,
    connected: bool,
    idle_since: u64,
}

/// What the store would hold.
#[derive(Default)]
struct World {
    now: u64,
    agents: BTreeMap<Agent, AgentRow>,
    conversations: BTreeMap<Conversation, (State, Option<WaitingReason>)>,
    /// Facts on their way to the router, with the time they became true.
    log: VecDeque<(u64, TestFact)>,
    /// Decisions on their way to the store.
    decisions: Vec<TestDecision>,
}

impl World {
    fn say(&mut self, fact: TestFact) {
        self.log.push_back((self.now, fact));
    }

    fn agent_fact(&self, agent: Agent) -> TestFact {
        let row = &self.agents[&agent];
        if row.removed {
            Fact::AgentRemoved { agent }
        } else {
            Fact::AgentSet { agent, capacity: row.capacity, online: row.online }
        }
    }

    fn waiting_fact(&self, conversation: Conversation) -> TestFact {
        let told = self.conversations[&conversation].1;
        Fact::ConversationWaiting { conversation, number: u64::from(conversation), told }
    }

    fn served_by(&self, agent: Agent) -> u32 {
        let served =
            self.conversations.values().filter(|(state, _)| *state == State::Served(agent));
        u32::try_from(served.count()).unwrap()
    }

    fn any(&self, random: &mut Random, wanted: impl Fn(&State) -> bool) -> Option<Conversation> {
        let found: Vec<_> =
            self.conversations.iter().filter(|(_, (s, _))| wanted(s)).map(|(id, _)| *id).collect();
        if found.is_empty() { None } else { Some(found[random.below(found.len())]) }
    }

    fn touch(&mut self, agent: Agent) {
        let now = self.now;
        let row = self.agents.get_mut(&agent).unwrap();
        row.idle_since = row.idle_since.max(now);
    }

    /// Somebody does something.
    fn act(&mut self, random: &mut Random) {
        match random.below(10) {
            0..=3 => {
                let id = u32::try_from(self.conversations.len()).unwrap();
                self.conversations.insert(id, (State::Waiting, None));
                let fact = self.waiting_fact(id);
                self.say(fact);
            }
            4..=5 => {
                if let Some(id) = self.any(random, |state| *state != State::Over) {
                    let (state, _) = self.conversations[&id].clone();
                    self.conversations.get_mut(&id).unwrap().0 = State::Over;
                    if let State::Served(agent) = state {
                        self.touch(agent);
                    }
                    self.say(Fact::ConversationOver { conversation: id });
                }
            }
            6 => {
                if let Some(id) = self.any(random, |state| matches!(state, State::Served(_))) {
                    if let State::Served(agent) = self.conversations[&id].0 {
                        self.touch(agent);
                    }
                    self.conversations.insert(id, (State::Waiting, None));
                    let fact = self.waiting_fact(id);
                    self.say(fact);
                }
            }
            7 => {
                let agent = self.some_agent(random);
                let row = self.agents.get_mut(&agent).unwrap();
                row.online = !random.one_in(3);
                row.capacity = 1 + u32::try_from(random.below(4)).unwrap();
                row.removed = random.one_in(8);
                let fact = self.agent_fact(agent);
                self.say(fact);
            }
            _ => {
                let agent = self.some_agent(random);
                let row = self.agents.get_mut(&agent).unwrap();
                row.connected = !random.one_in(3);
                let fact = connection_fact(agent, row.connected);
                self.say(fact);
            }
        }
    }

    fn some_agent(&mut self, random: &mut Random) -> Agent {
        let agent = u8::try_from(random.below(5)).unwrap();
        self.agents.entry(agent).or_insert(AgentRow { removed: true, ..AgentRow::default() });
        agent
    }

    /// The store carries out one decision; gives the answer if it is a refusal.
    fn carry_out(&mut self, random: &mut Random) {
        if self.decisions.is_empty() {
            return;
        }
        // In any order, but those about one conversation in theirs.
        let about = subject(&self.decisions[random.below(self.decisions.len())]);
        let index = self.decisions.iter().position(|d| subject(d) == about).unwrap();
        match self.decisions.remove(index) {
            Decision::Wait { conversation, reason } => {
                let row = self.conversations.get_mut(&conversation).unwrap();
                if row.0 == State::Waiting {
                    row.1 = Some(reason);
                }
            }
            Decision::Assign { conversation, agent } => {
                let row = &self.agents[&agent];
                let fit = row.online && !row.removed && self.served_by(agent) < row.capacity;
                let why = if random.one_in(20) {
                    Refusal::Failed
                } else if self.conversations[&conversation].0 != State::Waiting {
                    Refusal::ConversationGone
                } else if !fit {
                    Refusal::AgentUnfit
                } else {
                    self.conversations.get_mut(&conversation).unwrap().0 = State::Served(agent);
                    self.touch(agent);
                    return self.say(Fact::ConversationServed { conversation, agent });
                };
                self.say(Fact::AssignmentRefused { conversation, agent, why });
                if why == Refusal::AgentUnfit {
                    let fact = self.agent_fact(agent);
                    self.say(fact);
                }
            }
        }
    }

    fn is_quiet(&self) -> bool {
        self.log.is_empty() && self.decisions.is_empty()
    }

    /// A router that knows only what the store holds and who is connected.
    fn rebuilt(&self) -> Router<Agent, Conversation> {
        let mut router = Router::new();
        for (id, (state, _)) in &self.conversations {
            match state {
                State::Waiting => router.note(0, self.waiting_fact(*id)),
                State::Served(agent) => {
                    let fact = Fact::ConversationServed { conversation: *id, agent: *agent };
                    router.note(self.agents[agent].idle_since, fact);
                }
                State::Over => {}
            }
        }
        for (agent, row) in &self.agents {
            // How long an agent with nothing to do has been idle is told by its last conversation.
            let last = Fact::ConversationServed { conversation: u32::MAX, agent: *agent };
            router.note(row.idle_since, last);
            router.note(row.idle_since, Fact::ConversationOver { conversation: u32::MAX });
            router.note(0, self.agent_fact(*agent));
            router.note(0, connection_fact(*agent, row.connected));
        }
        router
    }
}

fn subject(decision: &TestDecision) -> Conversation {
    match decision {
        Decision::Assign { conversation, .. } | Decision::Wait { conversation, .. } => {
            *conversation
        }
    }
}

fn connection_fact(agent: Agent, connected: bool) -> TestFact {
    if connected { Fact::AgentConnected { agent } } else { Fact::AgentDisconnected { agent } }
}

/// What the router was told and decided, as plain lists.
#[derive(Default)]
struct Auditor {
    agents: BTreeMap<Agent, AgentRow>,
    doubted: Vec<Agent>,
    waiting: Vec<(Conversation, Option<WaitingReason>)>,
    /// Conversation, agent, whether the store confirmed.
    held: Vec<(Conversation, Agent, bool)>,
}

impl Auditor {
    fn note(&mut self, now: u64, fact: &TestFact) {
        match *fact {
            Fact::ConversationWaiting { conversation, told, .. } => {
                let known = self.waiting.iter().any(|w| w.0 == conversation);
                let coming = self.held.iter().any(|h| h.0 == conversation && !h.2);
                if !known && !coming {
                    self.drop_held(now, conversation);
                    self.waiting.push((conversation, told));
                }
            }
            Fact::ConversationServed { conversation, agent } => {
                if self.held.contains(&(conversation, agent, true)) {
                    return;
                }
                self.drop_held(now, conversation);
                self.waiting.retain(|w| w.0 != conversation);
                self.held.push((conversation, agent, true));
                let row = self.agents.entry(agent).or_default();
                row.idle_since = row.idle_since.max(now);
            }
            Fact::ConversationOver { conversation } => {
                self.drop_held(now, conversation);
                self.waiting.retain(|w| w.0 != conversation);
            }
            Fact::AgentSet { agent, capacity, online } => {
                let row = self.agents.entry(agent).or_default();
                (row.capacity, row.online, row.removed) = (capacity, online, false);
                self.doubted.retain(|d| *d != agent);
            }
            Fact::AgentRemoved { agent } => self.agents.entry(agent).or_default().removed = true,
            Fact::AgentConnected { agent } => {
                self.agents.entry(agent).or_default().connected = true;
                self.doubted.retain(|d| *d != agent);
            }
            Fact::AgentDisconnected { agent } => {
                self.agents.entry(agent).or_default().connected = false;
            }
            Fact::AssignmentRefused { conversation, agent, why } => {
                let Some(index) = self.held.iter().position(|h| *h == (conversation, agent, false))
                else {
                    return;
                };
                self.held.remove(index);
                if why != Refusal::ConversationGone {
                    self.waiting.push((conversation, None));
                }
                if why == Refusal::AgentUnfit {
                    self.doubted.push(agent);
                }
            }
            Fact::GoOn => {}
        }
    }

    fn drop_held(&mut self, now: u64, conversation: Conversation) {
        if let Some(index) = self.held.iter().position(|h| h.0 == conversation) {
            let (_, agent, confirmed) = self.held.remove(index);
            if confirmed {
                let row = self.agents.entry(agent).or_default();
                row.idle_since = row.idle_since.max(now);
                self.doubted.retain(|d| *d != agent);
            }
        }
    }

    fn running(&self, agent: Agent) -> u32 {
        u32::try_from(self.held.iter().filter(|h| h.1 == agent).count()).unwrap()
    }

    fn attends(row: &AgentRow) -> bool {
        row.online && row.connected && !row.removed && row.capacity > 0
    }

    fn may_take(&self, agent: Agent) -> bool {
        let row = &self.agents[&agent];
        Self::attends(row) && !self.doubted.contains(&agent) && self.running(agent) < row.capacity
    }

    /// Everything at once: who is first, who is best, and whether both were chosen.
    fn check(&mut self, decision: &TestDecision) {
        match *decision {
            Decision::Assign { conversation, agent } => {
                assert!(self.may_take(agent), "{agent} may not take {conversation}");
                assert!(!self.held.iter().any(|h| h.0 == conversation), "two holders");
                let first = self.waiting.iter().map(|w| w.0).min();
                assert_eq!(first, Some(conversation), "not the first in line");
                for other in self.agents.keys().filter(|other| self.may_take(**other)) {
                    // 60 is divisible by every capacity of this world: no rounding.
                    let rank = |id: Agent| {
                        let row = &self.agents[&id];
                        (self.running(id) * 60 / row.capacity, row.idle_since, id)
                    };
                    assert!(rank(agent) <= rank(*other), "{other} was before {agent}");
                }
                self.waiting.retain(|w| w.0 != conversation);
                self.held.push((conversation, agent, false));
            }
            Decision::Wait { conversation, reason } => {
                assert!(!self.agents.keys().any(|agent| self.may_take(*agent)), "told to wait");
                assert_eq!(reason, self.reason());
                let told = self.waiting.iter_mut().find(|w| w.0 == conversation).unwrap();
                assert_ne!(told.1, Some(reason), "told twice");
                told.1 = Some(reason);
            }
        }
    }

    fn reason(&self) -> WaitingReason {
        if self.agents.values().any(Self::attends) {
            WaitingReason::AllFull
        } else {
            WaitingReason::NobodyOnline
        }
    }

    /// Nothing is left to decide.
    fn check_settled(&self, router: &Router<Agent, Conversation>) {
        if self.agents.keys().any(|agent| self.may_take(*agent)) {
            assert_eq!(self.waiting, [], "someone waits while a place is free");
        }
        let mut line: Vec<_> = self.waiting.iter().map(|w| w.0).collect();
        line.sort_unstable();
        assert_eq!(line, router.line().copied().collect::<Vec<_>>());
        for agent in self.agents.keys() {
            assert_eq!(router.running(agent), self.running(*agent));
        }
    }
}

/// One life of the company; gives everything the router decided.
fn run(seed: u64) -> Vec<TestDecision> {
    let mut random = Random(seed);
    let mut world = World::default();
    let mut router: Router<Agent, Conversation> = Router::new();
    let mut auditor = Auditor::default();
    let mut decided = Vec::new();
    // A router rebuilt at the last quiet moment; decides the same from then on.
    let mut shadow: Option<Router<Agent, Conversation>> = None;
    for _ in 0..120 {
        world.now += random.next() % 1_000;
        world.act(&mut random);
        let quiet = random.one_in(6);
        while quiet && !world.is_quiet() || !world.log.is_empty() && !random.one_in(3) {
            if let Some((at, fact)) = world.log.pop_front() {
                auditor.note(at, &fact);
                let decisions = router.step(at, fact.clone());
                decisions.iter().for_each(|decision| auditor.check(decision));
                auditor.check_settled(&router);
                assert!(!router.has_more());
                if let Some(shadow) = &mut shadow {
                    assert_eq!(shadow.step(at, fact.clone()), decisions, "rebuilt differs");
                }
                // A refusal is the answer to one decision and comes once by nature.
                if random.one_in(4) && !matches!(fact, Fact::AssignmentRefused { .. }) {
                    assert_eq!(router.step(at, fact), [], "a duplicate changed something");
                    auditor.check_settled(&router);
                }
                world.decisions.extend(decisions.iter().cloned());
                decided.extend(decisions);
            }
            if quiet || random.one_in(2) {
                world.carry_out(&mut random);
            }
        }
        if world.is_quiet() {
            check_quiet(&world);
            shadow = Some(world.rebuilt());
        }
    }
    decided
}

/// By what the store holds alone: nobody waits in vain, no place is over-filled by assignment.
fn check_quiet(world: &World) {
    let waiting: Vec<_> = world.conversations.values().filter(|c| c.0 == State::Waiting).collect();
    let free = world.agents.iter().any(|(agent, row)| {
        row.online && row.connected && !row.removed && world.served_by(*agent) < row.capacity
    });
    assert!(waiting.is_empty() || !free, "quiet, and someone waits while a place is free");
    let attended = world.agents.values().any(|row| row.online && row.connected && !row.removed);
    let reason = if attended { WaitingReason::AllFull } else { WaitingReason::NobodyOnline };
    for (_, told) in waiting {
        assert_eq!(*told, Some(reason), "a waiting visitor was told something else");
    }
}

#[test]
fn thousands_of_lives() {
    let (first, count) = match std::env::var("YINGKE_ROUTING_SEED") {
        Ok(seed) => (seed.parse().unwrap(), 1),
        Err(_) => (1, 2_000),
    };
    for seed in first..first + count {
        let result = std::panic::catch_unwind(|| run(seed));
        if let Err(panic) = result {
            eprintln!("again with YINGKE_ROUTING_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_decisions() {
    for seed in 1..50 {
        let decided = run(seed);
        assert!(!decided.is_empty());
        assert_eq!(decided, run(seed));
    }
}
