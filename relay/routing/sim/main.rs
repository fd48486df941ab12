//! `routing-sim`: lives many random lives of a company under an auditor, or measures the core.
//!
//! `--seeds N` lives N lives, beginning with `--first`; `--seed S` lives one and says what was wrong;
//! `--bench` measures decisions a second; `--bugs` shows after how many lives each planted bug is
//! noticed. The last line is for machines.

#![allow(clippy::print_stdout, reason = "a command-line tool talks")]

mod auditor;
mod bench;
mod core;
mod model;
mod random;
mod setting;
mod simulation;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|it| it == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    if arguments.iter().any(|it| it == "--bench") {
        bench::run();
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|it| it == "--bugs") {
        for bug in core::BUGS {
            let noticed = (1..=1_000).find_map(|seed| {
                let what = simulation::live(seed, Some(bug)).violations.into_iter().next()?;
                Some((seed, what))
            });
            match noticed {
                Some((seed, what)) => println!("{bug:?}: seed {seed}: {what}"),
                None => println!("{bug:?}: not noticed"),
            }
        }
        return ExitCode::SUCCESS;
    }
    let (first, seeds) = match number("--seed") {
        Some(seed) => (seed, 1),
        None => (number("--first").unwrap_or(1), number("--seeds").unwrap_or(1_000)),
    };
    let (mut steps, mut decisions, mut violations) = (0, 0, 0);
    for seed in first..first + seeds {
        let life = simulation::live(seed, None);
        steps += life.steps;
        decisions += life.decisions;
        if let Some(what) = life.violations.first() {
            violations += 1;
            println!("seed {seed}: {what}");
        }
    }
    println!("decisions={decisions}");
    println!("seeds={seeds} steps={steps} violations={violations}");
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
