//! The queue and assignment core: facts in, decisions out, nothing else.
//!
//! [`Router::step`] is the one entrance. It has no clock, no randomness, no hash map, no I/O and no
//! error: time is an argument, ties are broken by longest idle and then by id, and a fact that
//! cannot be or came twice changes nothing. Everything it knows can be told to it again from the
//! database, so it may be dropped and rebuilt at any moment.
//!
//! Happy path: a conversation waits, the least loaded agent with a free place gets it
//! ([`Decision::Assign`]), the place counts as taken from that moment, and the store's word
//! ([`Fact::ConversationServed`]) makes it final. Worst case: the store refuses, because the world
//! moved on while the decision was under way; then the conversation is back at its old place in
//! line and the agent gets nothing until there is news of it. Two routers that decide at once are
//! harmless for the same reason: the store's conditional update has the last word.

mod agents;
mod line;
mod router;

pub use line::WaitingReason;
pub use router::{DECISIONS_MAX, Decision, Fact, Refusal, Router};

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod stories;

/// Milliseconds of the caller's clock. Only compared with each other, and only to tell who has
/// been idle longest: a jumping clock can make a tie unfair, never wrong.
pub type Millis = u64;
