//! Live sessions against a real relay: hello, limits, resume, fan-out, assignment, previews.
//!
//! The goal of each test is its name. Made to fail once by registering after the snapshot was read
//! (a gap while sessions begin), by giving what the snapshot already holds again (doubles), and by
//! previews to every session.

#[cfg(test)]
#[path = "floor.rs"]
mod floor;
#[cfg(test)]
#[path = "harness.rs"]
mod harness;
#[cfg(test)]
#[path = "secrecy.rs"]
mod secrecy;
#[cfg(test)]
#[path = "sessions.rs"]
mod sessions;
#[cfg(test)]
#[path = "stories.rs"]
mod stories;
#[cfg(test)]
#[path = "trouble.rs"]
mod trouble;
#[cfg(test)]
#[path = "windows.rs"]
mod windows;
