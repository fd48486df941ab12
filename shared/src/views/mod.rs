//! What readers see of the nouns: values that snapshots hold and events carry.
//!
//! `staff` is what agents, managers and admins may see, `visitor` what a visitor may see, `common`
//! what is the same for both.

pub mod common;
pub mod floor;
pub mod invitation;
pub mod staff;
pub mod visitor;

pub use common::*;
pub use floor::*;
pub use invitation::*;
pub use staff::*;
pub use visitor::*;
