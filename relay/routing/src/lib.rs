//! The queue and assignment core: facts in, decisions out, nothing else.
//!
//! [`Router::step`] is the one entrance. It has no clock, no randomness, no hash map, no I/O and no
//! error: time is an argument, ties are broken by longest idle and then by id, and a fact that
//! cannot be or came twice changes nothing. There is one timer, [`Router::next_deadline`].
//!
//! Happy path: a conversation waits, the rules say what it asks for, the least loaded agent with a
//! free place gets it ([`Decision::Assign`], with its reasons), the place counts as taken from that
//! moment, and the store's word ([`Fact::ConversationServed`]) makes it final. Worst case: the store
//! refuses, because the world moved on while the decision was under way; then the conversation is
//! back at its place and the agent gets nothing until there is news of it. Two routers that decide
//! at once are harmless for the same reason: the store's conditional update has the last word.
//!
//! Decisions follow from what *is*, not from what just changed: an agent who is away and still holds
//! a conversation is decided about whenever the core looks, so a core that is dropped and rebuilt
//! from [`Rows`] at any moment goes on with the same decisions.

mod conversation;
mod decisions;
mod explanation;
mod facts;
mod floor;
pub mod hours;
mod ids;
pub mod replay;
mod router;
pub mod rules;
mod settings;
mod slab;
mod visitor;

pub use conversation::{LOOK_AGAIN_MS, TYPING_LASTS_MS};
pub use decisions::{
    Alert, Decision, EndReason, Invitee, PassReason, Prompt, RequeueReason, ReturnReason,
    WaitingReason,
};
pub use explanation::{CANDIDATES_MAX, Cause, Considered, Explanation, Verdict};
pub use facts::{
    AgentRow, AgentSettings, Arrival, Asks, Availability, Connection, ConversationRow, Fact,
    InvitationRow, Refusal, Rows, StandingRow, Talk,
};
pub use ids::{AgentId, ConversationId, DepartmentId, InvitationId, RuleId, SiteId, SkillId};
pub use router::{Colleague, DECISIONS_MAX, DryRun, DryRunOutcome, InLine, LineOrder, Router};
pub use settings::{
    AfterHours, Company, Department, FILE_AFTER_MS, GRACE_MS, INVITATION_MS, NO_ANSWER_MS,
    NO_ANSWER_TRANSFERS, NoAnswer, QueuePolicy, Silence, listed,
};
pub use visitor::Described;

/// Milliseconds of the caller's steady clock: it never jumps. What hangs on walls is told apart, by
/// [`Fact::WallClock`].
pub type Millis = u64;
