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
mod alerts;
mod backup;
mod bad_sector;
mod bench;
mod bit_rot;
mod broken;
mod client_storage;
mod clients;
mod clocks;
mod desk;
mod disk;
mod exhaustion;
mod floor_desk;
mod hard_cases;
mod hostile;
mod kills;
mod late_copies;
mod limits;
mod line_page;
mod links;
mod live;
mod load;
mod old_release;
mod operator;
mod pages;
mod parts;
mod past_day;
mod policy;
mod power;
mod privacy;
mod restart;
mod routing;
mod scene;
mod seats;
mod seats_together;
mod secure;
mod simulated;
mod stalled;
mod stalled_cost;
mod storage_calls;
mod storm;
mod together;
mod unread;
mod widget_scripts;
mod withdrawn;
mod witnesses;
