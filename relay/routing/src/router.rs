//! The value that decides, its facts and its decisions.

use std::collections::BTreeMap;

use crate::Millis;
use crate::agents::Agents;
use crate::line::{Line, Ticket, WaitingReason};

/// Decisions of one step at most; what is left comes with [`Fact::GoOn`]. Large enough that a step
/// is rarely cut, small enough that one step never keeps its caller from reading the next fact.
pub const DECISIONS_MAX: usize = 64;

/// What happened. `A` names agents, `C` conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<A, C> {
    /// A conversation is in line: its first message was stored, or it was found waiting.
    ConversationWaiting {
        /// Which.
        conversation: C,
        /// Grows from one conversation to the next; who has the smaller one is first.
        number: u64,
        /// What it was last told, if anything.
        told: Option<WaitingReason>,
    },
    /// The store says that this agent has it: a decision confirmed, or someone else's, or found.
    ConversationServed {
        /// Which.
        conversation: C,
        /// By whom.
        agent: A,
    },
    /// A conversation ended, or the visitor left the line.
    ConversationOver {
        /// Which.
        conversation: C,
    },
    /// What an agent's record says now.
    AgentSet {
        /// Who.
        agent: A,
        /// Conversations at once.
        capacity: u32,
        /// Online rather than busy.
        online: bool,
    },
    /// The account takes no conversations any more. What it serves stays with it.
    AgentRemoved {
        /// Who.
        agent: A,
    },
    /// The agent's first connection is there.
    AgentConnected {
        /// Who.
        agent: A,
    },
    /// The agent's last connection is gone. What it serves stays with it.
    AgentDisconnected {
        /// Who.
        agent: A,
    },
    /// The store did not carry out an assignment.
    AssignmentRefused {
        /// Which conversation.
        conversation: C,
        /// To whom.
        agent: A,
        /// Why.
        why: Refusal,
    },
    /// Nothing new: decide what the last step left open.
    GoOn,
}

/// Why the store did not carry out an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Someone has the conversation, or it is over: it needs nobody from this line.
    ConversationGone,
    /// The agent does not take conversations now, or has no free place.
    AgentUnfit,
    /// The store could not: nothing is known against either.
    Failed,
}

/// What is to be done. Decisions about one conversation are carried out in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<A, C> {
    /// Give the conversation to the agent, if both still stand as decided here.
    Assign {
        /// Which.
        conversation: C,
        /// To whom.
        agent: A,
    },
    /// Tell the waiting visitor why.
    Wait {
        /// Which.
        conversation: C,
        /// Why.
        reason: WaitingReason,
    },
}

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing<A> {
    InLine {
        number: u64,
    },
    /// Decided, the store has not said yet.
    OnTheWay {
        number: u64,
        agent: A,
        told: Option<WaitingReason>,
    },
    Served {
        agent: A,
    },
}

/// The queue and who answers it. See the crate.
#[derive(Debug, Clone)]
pub struct Router<A, C> {
    agents: Agents<A>,
    line: Line<C>,
    /// Every conversation that is not over.
    standing: BTreeMap<C, Standing<A>>,
}

impl<A, C> Default for Router<A, C> {
    fn default() -> Self {
        Self { agents: Agents::default(), line: Line::default(), standing: BTreeMap::new() }
    }
}

impl<A: Ord + Clone, C: Ord + Clone> Router<A, C> {
    /// A router that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of `fact`, which became true at `now`, and decides, at most [`DECISIONS_MAX`].
    pub fn step(&mut self, now: Millis, fact: Fact<A, C>) -> Vec<Decision<A, C>> {
        self.note(now, fact);
        self.decide()
    }

    /// Takes note of `fact` without deciding: for being told a whole company at once. The first
    /// step afterwards decides.
    pub fn note(&mut self, now: Millis, fact: Fact<A, C>) {
        match fact {
            Fact::ConversationWaiting { conversation, number, told } => {
                self.waits(now, conversation, number, told);
            }
            Fact::ConversationServed { conversation, agent } => {
                self.served(now, conversation, agent);
            }
            Fact::ConversationOver { conversation } => self.forget(now, &conversation),
            Fact::AgentSet { agent, capacity, online } => self.agents.change(&agent, |known| {
                known.capacity = capacity;
                known.online = online;
                known.doubted = false;
            }),
            Fact::AgentRemoved { agent } => self.agents.change(&agent, |known| {
                known.capacity = 0;
                known.online = false;
            }),
            Fact::AgentConnected { agent } => self.agents.change(&agent, |known| {
                known.connected = true;
                known.doubted = false;
            }),
            Fact::AgentDisconnected { agent } => {
                self.agents.change(&agent, |known| known.connected = false);
            }
            Fact::AssignmentRefused { conversation, agent, why } => {
                self.refused(&conversation, &agent, why);
            }
            Fact::GoOn => {}
        }
    }

    /// Whether the last step was cut short: [`Fact::GoOn`] would decide more.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.line.first().is_some()
            && (self.agents.best().is_some() || self.line.misinformed(self.reason()).is_some())
    }

    /// The conversations in line, first one first: the place of each is its index plus one.
    pub fn line(&self) -> impl Iterator<Item = &C> {
        self.line.tickets().map(|(_, conversation)| conversation)
    }

    /// How many conversations an agent has, with those on the way.
    #[must_use]
    pub fn running(&self, agent: &A) -> u32 {
        self.agents.get(agent).map_or(0, |known| known.running)
    }

    fn waits(&mut self, now: Millis, conversation: C, number: u64, told: Option<WaitingReason>) {
        match self.standing.get(&conversation) {
            Some(Standing::InLine { .. } | Standing::OnTheWay { .. }) => return,
            Some(Standing::Served { .. }) => self.forget(now, &conversation),
            None => {}
        }
        self.line.enter((number, conversation.clone()), told);
        self.standing.insert(conversation, Standing::InLine { number });
    }

    fn served(&mut self, now: Millis, conversation: C, agent: A) {
        if self.standing.get(&conversation) == Some(&Standing::Served { agent: agent.clone() }) {
            return;
        }
        self.forget(now, &conversation);
        self.agents.change(&agent, |known| {
            known.running += 1;
            known.idle_since = known.idle_since.max(now);
        });
        self.standing.insert(conversation, Standing::Served { agent });
    }

    fn forget(&mut self, now: Millis, conversation: &C) {
        match self.standing.remove(conversation) {
            None => {}
            Some(Standing::InLine { number }) => {
                self.line.leave(&(number, conversation.clone()));
            }
            // It never reached the agent: the place is free again and the agent as idle as before.
            Some(Standing::OnTheWay { agent, .. }) => self.free(&agent),
            Some(Standing::Served { agent }) => self.agents.change(&agent, |known| {
                known.running = known.running.saturating_sub(1);
                known.idle_since = known.idle_since.max(now);
                known.doubted = false;
            }),
        }
    }

    fn free(&mut self, agent: &A) {
        self.agents.change(agent, |known| known.running = known.running.saturating_sub(1));
    }

    fn refused(&mut self, conversation: &C, agent: &A, why: Refusal) {
        let Some(Standing::OnTheWay { number, agent: chosen, told }) =
            self.standing.get(conversation).cloned()
        else {
            return;
        };
        if chosen != *agent {
            return;
        }
        self.free(agent);
        self.standing.remove(conversation);
        if why == Refusal::AgentUnfit {
            self.agents.change(agent, |known| known.doubted = true);
        }
        if why != Refusal::ConversationGone {
            self.line.enter((number, conversation.clone()), told);
            self.standing.insert(conversation.clone(), Standing::InLine { number });
        }
    }

    fn decide(&mut self) -> Vec<Decision<A, C>> {
        let mut decisions = Vec::new();
        while decisions.len() < DECISIONS_MAX {
            let Some(first) = self.line.first() else { break };
            let Some(decision) = self.assign(&first).or_else(|| self.tell()) else { break };
            decisions.push(decision);
        }
        decisions
    }

    fn assign(&mut self, first: &Ticket<C>) -> Option<Decision<A, C>> {
        let agent = self.agents.best()?;
        let told = self.line.leave(first)?;
        let (number, conversation) = first.clone();
        self.agents.change(&agent, |known| known.running += 1);
        let standing = Standing::OnTheWay { number, agent: agent.clone(), told };
        self.standing.insert(conversation.clone(), standing);
        Some(Decision::Assign { conversation, agent })
    }

    fn tell(&mut self) -> Option<Decision<A, C>> {
        let reason = self.reason();
        let ticket = self.line.misinformed(reason)?;
        self.line.enter(ticket.clone(), Some(reason));
        Some(Decision::Wait { conversation: ticket.1, reason })
    }

    fn reason(&self) -> WaitingReason {
        if self.agents.anyone_attends() {
            WaitingReason::AllFull
        } else {
            WaitingReason::NobodyOnline
        }
    }
}
