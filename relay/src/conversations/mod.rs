//! The thread between one visitor and the team, from the first message to its end.
//!
//! Owns `conversations`, `messages`, `marks` and `conversation_agents`. It knows nothing of sockets
//! and decides no assignment: it appends events, and carries out the driver's decisions as claims
//! that may be refused. A record's `rev` is the position of the newest event about it; unread and the
//! waiting clock are derived from the last message row, so nothing is updated per message.

pub mod actions;
pub(crate) mod floor;
pub mod queries;
pub mod routes;
pub mod rules;
pub(crate) mod store;
pub mod views;

#[cfg(test)]
mod tests;

pub use actions::ClaimOutcome;
pub use store::OpenConversation;
pub(crate) use store::{Asked, serving_agents};
