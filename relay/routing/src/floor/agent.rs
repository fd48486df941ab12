//! One agent, as far as it decides about conversations.
//!
//! Owns who may take a conversation and who comes before whom (B02). Knows places, not the
//! conversations in them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::PoolIx;
use crate::Millis;
use crate::explanation::{Considered, Verdict};
use crate::facts::{AgentSettings, Availability, Connection};
use crate::ids::{AgentId, ConversationId};

/// Running conversations relative to capacity, compared exactly: 1 of 2 equals 4 of 8.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    running: u32,
    capacity: u32,
}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> Ordering {
        let own = u64::from(self.running) * u64::from(other.capacity);
        let others = u64::from(other.running) * u64::from(self.capacity);
        // Whoever has no places at all comes last: relative to nothing all would be equal.
        (self.capacity == 0).cmp(&(other.capacity == 0)).then(own.cmp(&others))
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

/// Who comes before whom: least loaded, then longest idle, then by id.
pub(crate) type Rank = (Load, Millis, AgentId);

/// An agent.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) settings: AgentSettings,
    /// Nothing was heard of the account, or it is disabled.
    pub(crate) removed: bool,
    pub(crate) connection: Connection,
    /// Places taken: served, taking part, on the way, offered, and kept after an end.
    pub(crate) running: u32,
    /// When a conversation last came or went; zero if never.
    pub(crate) idle_since: Millis,
    /// The store refused this agent and nothing was heard of it since.
    pub(crate) doubted: bool,
    /// Places kept after an end, and until when.
    pub(crate) wrap_ups: BTreeMap<ConversationId, Millis>,
    /// Where the agent stands: its own, and one for each department and skill in use.
    pub(super) pools: Vec<PoolIx>,
}

impl Agent {
    /// One of whom nothing is known but the name: takes nothing.
    pub(super) fn unknown(agent: AgentId) -> Self {
        let settings = AgentSettings {
            agent,
            capacity: 0,
            availability: Availability::Busy,
            departments: std::collections::BTreeSet::new(),
            skills: std::collections::BTreeSet::new(),
        };
        Self {
            settings,
            removed: false,
            connection: Connection::Out,
            running: 0,
            idle_since: 0,
            doubted: false,
            wrap_ups: BTreeMap::new(),
            pools: Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> &AgentId {
        &self.settings.agent
    }

    /// The account is there, whatever the agent does now.
    pub(crate) fn exists(&self) -> bool {
        !self.removed && self.settings.capacity > 0
    }

    /// What keeps the agent from being at work, if anything.
    fn absence(&self) -> Option<Verdict> {
        if self.removed {
            Some(Verdict::Removed)
        } else if self.connection != Connection::Live {
            Some(Verdict::Offline)
        } else {
            match self.settings.availability {
                Availability::Online => None,
                Availability::Busy => Some(Verdict::Busy),
                Availability::Away => Some(Verdict::Away),
            }
        }
    }

    /// At work, with or without a free place.
    pub(crate) fn attends(&self) -> bool {
        self.absence().is_none() && self.settings.capacity > 0
    }

    /// What keeps the agent from taking a conversation, if anything.
    pub(crate) fn hindrance(&self) -> Option<Verdict> {
        self.absence().or({
            if self.running >= self.settings.capacity {
                Some(Verdict::Full)
            } else if self.doubted {
                Some(Verdict::Refused)
            } else {
                None
            }
        })
    }

    pub(crate) fn rank(&self) -> Rank {
        let load = Load { running: self.running, capacity: self.settings.capacity };
        (load, self.idle_since, self.settings.agent.clone())
    }

    pub(crate) fn considered(&self, verdict: Verdict) -> Considered {
        Considered {
            agent: self.id().clone(),
            running: self.running,
            capacity: self.settings.capacity,
            idle_since: self.idle_since,
            verdict,
        }
    }

    /// Why `best` came before this one, both being able to take it.
    pub(crate) fn behind(&self, best: &Self) -> Verdict {
        let (own, first) = (self.rank(), best.rank());
        if own.0 != first.0 {
            Verdict::MoreLoaded
        } else if own.1 != first.1 {
            Verdict::IdleShorter
        } else {
            Verdict::LaterById
        }
    }
}
