//! The simulation (P21) by hand: `yingke-sim --seeds N [--from K]`, or `--seed S --trace` for one with
//! every event printed. The last line is `seeds=… steps=… violations=…`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test tool that talks"
)]

use std::process::ExitCode;

use yingke_tests::simulation::campaign::{Campaign, Wish};

fn main() -> ExitCode {
    let wish = match Wish::read(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(what) => {
            eprintln!("{what}");
            return ExitCode::FAILURE;
        }
    };
    let campaign = Campaign::run(&wish);
    println!("{}", campaign.line());
    if campaign.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
