//! The client core: everything of the desktop client that is neither window nor drawing.
//!
//! Owns: the connection to the relay, the cache and the outbox on disk, what the inbox and the open
//! conversation show. It does not know Tauri, draws nothing and chooses no words. The world comes in
//! through [`host::Host`]; the workbench talks to it through [`bridge`] alone.
//!
//! What decides is pure and takes the time as a value: [`connection`], [`outbox`], `replica`,
//! `marks`, `attention`, `inbox`. One event loop (`engine`, carried by [`core::Core`]) feeds them and
//! carries out what they ask for.

pub mod address;
mod attention;
pub mod bridge;
pub mod by_hand;
pub mod connection;
pub mod core;
mod engine;

pub mod headless;
pub mod host;
mod inbox;
pub mod limits;
mod marks;
mod net;
pub mod outbox;
mod profile;
mod replica;
mod store;

pub use crate::core::{Core, StartError, Submitted, UiPushes};
