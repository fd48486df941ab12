//! The door between the client core and the workbench. See [`types`].

pub mod types;
