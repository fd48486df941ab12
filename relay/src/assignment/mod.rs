//! Assignment: who gets the next conversation.
//!
//! Decides nothing itself: [`yingke_routing`] decides, the conversations room carries out, and this
//! is the wire between them. Owns no table.

mod driver;
pub(crate) mod explained;
mod facts;
mod floor;
mod floor_rows;
mod floor_view;
mod past_day;
mod past_talk;
mod questions;
mod replayed;
pub mod routes;
mod rows;
pub(crate) mod settings;
mod tasks;
mod words;

#[cfg(test)]
mod tests;

pub use driver::run;
pub use floor::run as tell;
pub use questions::Questions;
