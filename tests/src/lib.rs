//! The end-to-end harness: real parts only. A relay is the real process, a seat the real client
//! core, a page the real widget in Chromium, a window the real desktop client under Xvfb; only the
//! scripted visitor and the raw staff socket speak the protocol themselves.
//!
//! Waiting is always for a condition with a limit ([`wait`]); nothing here asserts how long
//! something takes. What must hold in the end is said by the [`judge`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "all of this crate is test"
)]

pub mod agree;
pub mod browser;
pub mod chance;
pub mod client;
pub mod clock;
pub mod crash;
pub mod dose;
pub mod faults;
pub mod hostile;
pub mod http;
pub mod judge;
pub mod link;
pub mod processes;
pub mod proxy;
pub mod relay;
pub mod seat;
pub mod shop;
pub mod simulation;
pub mod staff;
mod told;
pub mod trace;
pub mod visitor;
pub mod wait;
