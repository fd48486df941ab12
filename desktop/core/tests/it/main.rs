//! The client core against a scripted relay: a real HTTP and WebSocket server that speaks the wire
//! protocol and can be told to misbehave. The relay is the world here; nothing of the client is
//! replaced but its data folder and its key store.

// A test that meets what cannot be has failed: its helpers may panic like its body.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

mod attention;
mod beyond;
mod headless;
mod invited;
mod outbox;
mod relay;
mod seat;
mod session;
mod sync;
mod together;
