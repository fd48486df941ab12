//! The company's sites: where the widget may start, what it says, its documents.
//!
//! Owns `sites`. The domain gate (A02) stands here twice: in the answer to the loader and in the
//! `frame-ancestors` of the iframe's document, made from the same list.

pub mod actions;
pub mod domains;
pub mod queries;
pub mod routes;
mod seen;
pub(crate) mod store;

#[cfg(test)]
mod tests;

pub use domains::{Domain, DomainError};
pub(crate) use seen::Seen;
