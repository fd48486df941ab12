//! Live connections: sockets, sessions, who is there now, and fan-out of the event log.
//!
//! The only part of the relay that knows a socket. It stores nothing and decides nothing about the
//! product: commands go to the rooms by `router`, what happened comes from the event log.
//!
//! The happy path of a reader: it says `hello`; it is registered in the [`Hub`] first and its
//! snapshot (or what it missed) is read second, in one read transaction at position `p`; whatever
//! fan-out puts into its mailbox meanwhile waits there, and what of it is at or below `p` is thrown
//! away. So nothing between the two is missed and nothing comes twice. From then on fan-out, which
//! reads the log strictly in order, puts each event the reader may see into the mailbox, and the
//! socket's task sends what is there as one delivery.
//!
//! The worst case: the reader stalls. Its mailbox is bounded by bytes; when it is full the session
//! ends, nobody waited for it, and it comes back later with its position.

mod fanout;
pub(crate) mod frames;
mod hub;
mod machine;
mod mailbox;
mod outbox;
mod preview;
mod rate;
mod side;
pub mod socket;
mod staff;
mod under_way;
mod visitor;
mod wire;

pub(crate) use hub::LinePlace;
#[cfg(test)]
pub(crate) use hub::Registration;
pub use hub::{Hub, Seat, ServingNow};
pub use wire::{Io, Link};

use std::sync::Arc;

use crate::app::App;

/// Fans the log out until the relay stops. One for each relay; started before the listener.
pub async fn run(app: Arc<App>) {
    fanout::run(app).await;
}
