//! Speed, memory and size of the real relay and pages, as ratios to bare loops in the same run.
//!
//! Not part of the test run. Build the programs optimised, then:
//! `cargo run --release -p yingke-tests --bin yingke-figures -- [durable] [memory] [start] [screens]`
//! The relay is the one in `YINGKE_RELAY_BIN`, else `target/release/yingke-relay`; the window the
//! one in `YINGKE_DESKTOP_BIN`, else as for the tests. Rounds alternate between what is measured and
//! what it is compared with; medians are printed with the smallest and largest value.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::large_futures,
    reason = "a measuring tool"
)]

mod bare;
mod durable;
mod memory;
mod quick;
mod screens;
mod start;

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use yingke_tests::processes::target_dir;

const PARTS: [&str; 4] = ["durable", "memory", "start", "screens"];

#[tokio::main]
async fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for part in &wanted {
        ensure!(PARTS.contains(&part.as_str()), "`{part}` is not one of: {}", PARTS.join(" "));
    }
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    if is_wanted("start") {
        start::measure().await?;
    }
    if is_wanted("durable") {
        durable::measure().await?;
    }
    if is_wanted("memory") {
        memory::measure().await?;
    }
    if is_wanted("screens") {
        screens::measure().await?;
    }
    Ok(())
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

/// The middle one, with the smallest and the largest.
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let at = |share: f64| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
            let place = ((all.len().max(1) - 1) as f64 * share).round() as usize;
            all.get(place).copied().unwrap_or(f64::NAN)
        };
        Self { median: at(0.5), least: at(0.0), most: at(1.0) }
    }

    fn percentile(mut all: Vec<f64>, share: f64) -> f64 {
        all.sort_by(f64::total_cmp);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
        let place = ((all.len().max(1) - 1) as f64 * share).ceil() as usize;
        all.get(place).copied().unwrap_or(f64::NAN)
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} ({:.0} to {:.0})", self.median, self.least, self.most)
    }
}

/// A process's user-space memory in KiB: what `VmRSS` says.
fn resident_kib(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let Some(number) = line.and_then(|rest| rest.split_whitespace().next()) else {
        bail!("no VmRSS of process {pid}")
    };
    Ok(number.parse()?)
}
