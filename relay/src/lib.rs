//! The relay: routes and stores everything between visitors and agents.

pub mod clock;
pub mod error;
pub mod events;
pub mod limits;
pub mod store;
