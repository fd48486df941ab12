//! Live sessions against a real relay: hello, limits, resume, fan-out, assignment, previews.
//!
//! Goal of each test in its name. Made to fail once by breaking what it guards: registering after
//! the snapshot (gaps while starting), not comparing positions (doubles), no limit on the mailbox
//! (the stalled reader stays), previews to every session.

#[path = "harness.rs"]
mod harness;
#[path = "sessions.rs"]
mod sessions;
#[path = "stories.rs"]
mod stories;
