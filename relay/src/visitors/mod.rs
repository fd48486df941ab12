//! The people on the websites: entering, returning, their tokens and return tickets (A33).
//!
//! Owns `visitors`, `visitor_tokens` and `return_tickets`. The same browser profile on the same site
//! is the same visitor because its frame keeps the token; nobody is recognised by address or cookie.

pub mod actions;
pub mod routes;
pub(crate) mod store;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use crate::auth::Throttle;
use crate::limits::ENTRANCES;

/// What the room keeps in memory; built once at start.
pub struct Entrance {
    pub(crate) by_address: Throttle<IpAddr>,
}

impl Default for Entrance {
    fn default() -> Self {
        Self { by_address: Throttle::new(ENTRANCES) }
    }
}
