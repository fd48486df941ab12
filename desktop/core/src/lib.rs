//! The client core: everything of the desktop client that is neither window nor drawing.

pub mod bridge;
