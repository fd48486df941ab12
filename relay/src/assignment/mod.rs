//! Assignment: who gets the next conversation.
//!
//! Decides nothing itself: [`yingke_routing`] decides, the conversations room carries out, and this
//! is the wire between them. Owns no table.

mod driver;
mod facts;
pub(crate) mod settings;

#[cfg(test)]
mod tests;

pub use driver::run;
