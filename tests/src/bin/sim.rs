//! The simulation (P21) by hand: `yingke-sim --seeds N [--from K]`, or `--seed S --trace` for one with
//! every event printed; `--lies` shows how each planted lie is noticed. The last line is `seeds=… steps=… violations=…`.
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
use yingke_tests::simulation::lies::LIES;

fn main() -> ExitCode {
    let wish = match Wish::read(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(what) => {
            eprintln!("{what}");
            return ExitCode::FAILURE;
        }
    };
    if wish.lies {
        return tell_lies(wish.from);
    }
    let campaign = Campaign::run(&wish);
    println!("{}", campaign.line());
    if campaign.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A table of the lies: in which world from `from` on each is noticed.
fn tell_lies(from: u64) -> ExitCode {
    let mut missed = 0;
    for lie in LIES {
        let seed = lie.noticed_from(from);
        missed += usize::from(seed.is_none());
        let seed = seed.map_or_else(|| "NOT NOTICED".to_owned(), |seed| seed.to_string());
        println!("{seed:>11}  {}", lie.name);
    }
    println!("P21: lies={} missed={missed}", LIES.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
