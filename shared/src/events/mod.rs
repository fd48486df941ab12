//! What happened, as readers of the relay's event log get it.
//!
//! Every event carries the log position at which it happened. The last one applied to a record is
//! its `rev`: applying an event at or below it changes nothing, so a replay is harmless. Events are
//! delivered in frames `{after, upto, events}` (see [`crate::frame`]).

pub mod staff;
pub mod visitor;

pub use staff::{StaffEvent, StaffEventBody};
pub use visitor::{VisitorEvent, VisitorEventBody};
