//! The relay: routes and stores everything between visitors and agents.

mod accept;
pub mod agents;
pub mod app;
pub mod assets;
pub mod assignment;
pub mod audit;
pub mod auth;
pub mod bench;
pub mod cli;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod conversations;
pub mod error;
pub mod events;
pub mod health;
pub mod http;
mod kept;
pub mod limits;
pub mod live;
pub mod obstacle;
pub mod outcomes;
pub mod parts;
pub mod policy;
pub mod router;
pub mod serve;
pub mod settings;
pub mod sites;
pub mod store;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod text;
mod tls;
pub mod tools;
pub mod visitors;
