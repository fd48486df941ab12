//! The one end-to-end binary: stories with real parts, each named after the promises it proves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::large_futures,
    reason = "all of this is test"
)]

mod agreement;
mod bench;
mod desk;
mod disk;
mod kills;
mod limits;
mod pages;
mod privacy;
mod routing;
mod scene;
mod seats;
mod unread;
mod witnesses;
