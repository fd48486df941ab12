//! The client core against a scripted relay: a real HTTP and WebSocket server that speaks the wire
//! protocol and can be told to misbehave. The relay is the world here; nothing of the client is
//! replaced but its data folder and its key store.

mod headless;
mod outbox;
mod relay;
mod seat;
mod session;
mod sync;
