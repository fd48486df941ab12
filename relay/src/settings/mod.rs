//! What an admin sets about routing, queues and what the relay says by itself.
//!
//! Owns the `settings` table: one row a section, JSON, with a version that a change must name. It
//! checks what is saved against bounds and against the other sections, and never decides what
//! follows from a setting: routing, sites and conversations read it.

pub mod actions;
pub mod queries;
pub mod routes;
pub(crate) mod rules;
pub(crate) mod store;

#[cfg(test)]
mod tests;

/// The department every company begins with.
pub const DEFAULT_DEPARTMENT: &str = "default";
