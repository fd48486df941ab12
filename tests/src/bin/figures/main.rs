//! What a person sees: the delays between the real pages on this machine.
//!
//! Not part of the test run; what the relay alone carries is measured by `yingke-relay bench`. Build
//! the programs optimised, then: `cargo run --release -p yingke-tests --bin yingke-figures`; with
//! `-- screens` or `-- crowd` a part alone.
//! The relay is the one in `YINGKE_RELAY_BIN`, else `target/release/yingke-relay`; the window the
//! one in `YINGKE_DESKTOP_BIN`, else as for the tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::large_futures,
    reason = "a measuring tool"
)]

mod crowd;
mod screens;

use std::path::PathBuf;

use anyhow::{Result, bail};
use yingke_tests::processes::target_dir;

#[tokio::main]
async fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => {
            screens::measure().await?;
            crowd::measure().await
        }
        Some("screens") => screens::measure().await,
        Some("crowd") => crowd::measure().await,
        Some(other) => bail!("there is no part {other}: screens or crowd"),
    }
}

/// The optimised relay.
fn relay_program() -> Result<PathBuf> {
    let path = match std::env::var_os("YINGKE_RELAY_BIN") {
        Some(path) => PathBuf::from(path),
        None => target_dir()?.join("release/yingke-relay"),
    };
    if path.is_file() {
        return Ok(path);
    }
    bail!("{} is missing; make it by: cargo build --release -p yingke-relay", path.display())
}

/// The smallest reading that at least this share does not exceed.
fn percentile(mut all: Vec<f64>, share: f64) -> f64 {
    all.sort_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
    let place = ((all.len().max(1) - 1) as f64 * share).ceil() as usize;
    all.get(place).copied().unwrap_or(f64::NAN)
}
