//! What an admin sets about routing, queues and what the relay says by itself.
//!
//! Owns the `settings` table: one row a section, JSON, with a version that a change must name. It
//! checks what is saved against bounds and against the other sections, and never decides what
//! follows from a setting: routing, sites and conversations read it.

pub mod queries;
pub(crate) mod store;

/// The department every company begins with.
pub const DEFAULT_DEPARTMENT: &str = "default";
