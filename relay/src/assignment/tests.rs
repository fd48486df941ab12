//! Stories of the driver through the public surface: a relay without sockets, a clock that can be set,
//! agents who come and go. Each names the rule it guards. Made to fail once by breaking what they
//! guard: no grace, a grace that begins again with the relay, a line ordered by arrival after a
//! requeue, an answer that is not looked at before a conversation is moved, a reason said twice.

mod claims;
mod desk;
mod lanes;
mod line;
mod lived;
mod opened;
mod presence;
mod restart;
mod silence;
mod unanswered;
