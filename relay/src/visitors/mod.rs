//! The people on the websites: entering, returning, their tokens and return tickets (A33).
//!
//! Owns `visitors`, `visitor_tokens` and `return_tickets`. The same browser profile on the same site
//! is the same visitor because its frame keeps the token; nobody is recognised by address or cookie.
//! Who never had a conversation is forgotten after a while.

pub mod actions;
mod forgetting;
pub mod routes;
pub(crate) mod store;

#[cfg(test)]
mod tests;

pub(crate) use forgetting::{should_note_seen, was_seen};

use std::net::IpAddr;

use yingke_shared::ids::VisitorId;

use crate::auth::Throttle;
use crate::limits::{ENTRANCES, TICKETS};

/// What the room keeps in memory; built once at start.
pub struct Entrance {
    /// New visitors of each address.
    pub(crate) by_address: Throttle<IpAddr>,
    /// Return tickets of each visitor.
    pub(crate) tickets: Throttle<VisitorId>,
}

impl Default for Entrance {
    fn default() -> Self {
        Self { by_address: Throttle::new(ENTRANCES), tickets: Throttle::new(TICKETS) }
    }
}
