//! Who waits, in order, and what each was told about why.
//!
//! Places are not stored: a place is how many are in front, so places are dense by construction.

use std::collections::{BTreeMap, BTreeSet};

/// Why a conversation waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitingReason {
    /// Agents are at work, each without a free place.
    AllFull,
    /// No agent is online and connected.
    NobodyOnline,
}

/// Where a conversation stands in line: a number that only grows from one conversation to the
/// next, then the id.
pub(crate) type Ticket<C> = (u64, C);

/// The line.
#[derive(Debug, Clone)]
pub(crate) struct Line<C> {
    /// Everybody in line with what they were told.
    told: BTreeMap<Ticket<C>, Option<WaitingReason>>,
    /// The same by what they were told, so that those told something else are found at once.
    by_told: BTreeMap<Option<WaitingReason>, BTreeSet<Ticket<C>>>,
}

impl<C> Default for Line<C> {
    fn default() -> Self {
        Self { told: BTreeMap::new(), by_told: BTreeMap::new() }
    }
}

impl<C: Ord + Clone> Line<C> {
    pub(crate) fn enter(&mut self, ticket: Ticket<C>, told: Option<WaitingReason>) {
        self.leave(&ticket);
        self.by_told.entry(told).or_default().insert(ticket.clone());
        self.told.insert(ticket, told);
    }

    /// Takes `ticket` out of the line and gives what it was told, if it was in line.
    pub(crate) fn leave(&mut self, ticket: &Ticket<C>) -> Option<Option<WaitingReason>> {
        let told = self.told.remove(ticket)?;
        if let Some(same) = self.by_told.get_mut(&told) {
            same.remove(ticket);
        }
        Some(told)
    }

    pub(crate) fn first(&self) -> Option<Ticket<C>> {
        self.told.first_key_value().map(|(ticket, _)| ticket.clone())
    }

    /// Somebody who believes something else than `reason`; the first of them.
    pub(crate) fn misinformed(&self, reason: WaitingReason) -> Option<Ticket<C>> {
        let others = self.by_told.iter().filter(|(told, _)| **told != Some(reason));
        others.filter_map(|(_, tickets)| tickets.first()).min().cloned()
    }

    pub(crate) fn tickets(&self) -> impl Iterator<Item = &Ticket<C>> {
        self.told.keys()
    }
}
