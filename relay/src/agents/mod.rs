//! The accounts of staff: card, role, availability, capacity.
//!
//! Owns the `agents` table but for the columns of the sign-in, which are the auth room's. Whether an
//! agent is connected is not known here (see `live`), nor whom they serve (see `conversations`).

pub mod actions;
pub(crate) mod day;
pub mod presence;
pub mod queries;
pub mod routes;
pub mod rules;
pub(crate) mod store;

#[cfg(test)]
mod tests;

pub use store::Agent;
