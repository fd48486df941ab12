//! The event log: the truth about what happened, in order, without holes.
//!
//! Appended by rooms inside their transaction ([`crate::store::WriteTx::append`]), read by fan-out,
//! assignment and resuming sessions. A message's text stands once, in its own row; its event refers
//! to it. The newest entries are also kept in memory, exactly as they were appended
//! ([`LogReader`]); whoever is further behind reads the database, where names are today's.

mod body;
mod read;
mod stored;
mod tail;

#[cfg(test)]
mod tests;

pub use body::{Entry, InvitationChange, LogBody, NewEvent, Sight, Subject};
pub use read::{ReadLimits, Stretch, head, read_after, read_of_visitor};
pub(crate) use stored::{END, INSERT, MOVE_END, insert, members_of};
pub(crate) use tail::{Attendant, Tail};
pub use tail::{LogError, LogReader};
