//! Who could take a conversation, best first.
//!
//! Keeps, for every agent heard of, what decides about new conversations, and an ordered set of
//! those with a free place. It knows nothing about which conversations there are.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::Millis;

/// Running conversations relative to capacity, compared exactly: 1 of 2 equals 4 of 8.
#[derive(Debug, Clone, Copy)]
struct Load {
    running: u32,
    capacity: u32,
}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> Ordering {
        let own = u64::from(self.running) * u64::from(other.capacity);
        let others = u64::from(other.running) * u64::from(self.capacity);
        own.cmp(&others)
    }
}

impl PartialOrd for Load {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Load {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Load {}

/// What decides whether and when an agent is next. An agent heard of only through a conversation
/// it serves starts with the default: it takes nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agent {
    /// Conversations at once.
    pub(crate) capacity: u32,
    /// Chose to be online rather than busy.
    pub(crate) online: bool,
    /// Has at least one live connection.
    pub(crate) connected: bool,
    /// Served conversations and those on the way to this agent.
    pub(crate) running: u32,
    /// When a conversation last came or went; zero if never.
    pub(crate) idle_since: Millis,
    /// The store refused this agent and nothing was heard of it since.
    pub(crate) doubted: bool,
}

impl Agent {
    /// Is at work, with or without a free place.
    fn attends(&self) -> bool {
        self.online && self.connected && self.capacity > 0
    }

    fn may_take(&self) -> bool {
        self.attends() && !self.doubted && self.running < self.capacity
    }

    fn rank<A: Clone>(&self, id: &A) -> (Load, Millis, A) {
        let load = Load { running: self.running, capacity: self.capacity };
        (load, self.idle_since, id.clone())
    }
}

/// All agents heard of.
#[derive(Debug, Clone)]
pub(crate) struct Agents<A> {
    all: BTreeMap<A, Agent>,
    /// Those who may take a conversation now: least loaded first, then longest idle, then by id.
    ready: BTreeSet<(Load, Millis, A)>,
    /// How many are at work, free or full.
    attending: usize,
}

impl<A> Default for Agents<A> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), ready: BTreeSet::new(), attending: 0 }
    }
}

impl<A: Ord + Clone> Agents<A> {
    /// Changes what is known of `id` and puts it in its new rank.
    pub(crate) fn change(&mut self, id: &A, change: impl FnOnce(&mut Agent)) {
        let agent = self.all.entry(id.clone()).or_default();
        if agent.may_take() {
            self.ready.remove(&agent.rank(id));
        }
        self.attending -= usize::from(agent.attends());
        change(agent);
        self.attending += usize::from(agent.attends());
        if agent.may_take() {
            self.ready.insert(agent.rank(id));
        }
    }

    /// The next to get a conversation.
    pub(crate) fn best(&self) -> Option<A> {
        self.ready.first().map(|(_, _, id)| id.clone())
    }

    /// Whether anybody is at work.
    pub(crate) fn anyone_attends(&self) -> bool {
        self.attending > 0
    }

    /// What is known of `id`.
    pub(crate) fn get(&self, id: &A) -> Option<&Agent> {
        self.all.get(id)
    }
}
