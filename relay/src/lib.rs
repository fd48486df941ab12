//! The relay: routes and stores everything between visitors and agents.

mod accept;
pub mod app;
pub mod assets;
pub mod cli;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod error;
pub mod events;
pub mod health;
pub mod limits;
pub mod serve;
pub mod store;
pub mod telemetry;
