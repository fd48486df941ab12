//! Agents who can take the same conversations, and the line in front of them.
//!
//! Owns two ordered sets, the agents with a free place and the tickets that wait for one of them,
//! so that the next pair is found without looking at the others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::AgentIx;
use super::agent::Rank;
use crate::conversation::ConversationIx;
use crate::rules::Class;

/// Where a conversation stands in line, the first one smallest: those put back to the front, then
/// by class, then by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    /// Was not served before.
    pub(crate) new: bool,
    pub(crate) class: Reverse<Class>,
    pub(crate) number: u64,
    pub(crate) conversation: ConversationIx,
}

/// One pool.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool {
    /// Of one agent alone.
    pub(super) is_own: bool,
    pub(crate) members: BTreeSet<AgentIx>,
    /// Members who may take a conversation now, best first.
    pub(crate) ready: BTreeMap<Rank, AgentIx>,
    /// Members at work, with or without a free place.
    pub(crate) attending: usize,
    /// Who waits, first one first.
    pub(super) line: BTreeSet<Ticket>,
    /// Who waits in vain for anybody ready now, until somebody else gets ready.
    pub(super) blocked: BTreeSet<Ticket>,
    /// Those in line for whom it matters which members are at work, not only whether any is.
    pub(super) particular: BTreeSet<Ticket>,
    /// The pool's entry among those with a possible pair.
    pub(super) pair: Option<Ticket>,
}

impl Pool {
    /// The first in line, if anybody could take it.
    pub(super) fn possible_pair(&self) -> Option<Ticket> {
        if self.ready.is_empty() { None } else { self.line.first().copied() }
    }
}
