//! What to measure and how much of it: the options of the command line, checked.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// The options of `bench`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Measure on the disk of this folder; a folder of its own is made in it and removed again
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub data: PathBuf,
    /// Fewer and shorter rounds, without S6: under three minutes on two cores
    #[arg(long)]
    pub quick: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Also measure the delay at this many messages a second
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// Only this part; may be repeated [default: all]
    #[arg(long = "part", value_name = "PART")]
    pub parts: Vec<Part>,
    /// Visitors in the crowd whose memory and return are measured [default: 10000]
    #[arg(long, value_name = "N")]
    pub visitors: Option<usize>,
    /// Messages stored before the start is timed [default: 1000000]
    #[arg(long, value_name = "N")]
    pub stored: Option<u32>,
    /// Rounds of each measurement [default: 5, with --quick 3]
    #[arg(long, value_name = "N")]
    pub rounds: Option<usize>,
    /// Seconds of a round [default: 5, with --quick 2]
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<f64>,
}

/// A part that can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Messages a second and what one costs (S1, S7)
    Durable,
    /// The delay from one side to the other (S3, S4)
    Latency,
    /// The delays of messages, previews and presence among live sockets (P16)
    Live,
    /// Memory of idle sockets, and everybody's return after a restart (S5, S6, S9)
    Crowd,
    /// Starting with many stored messages (S8)
    Start,
}

/// The rates of S3 and S4, in messages a second.
pub(super) const RATES: [u32; 2] = [500, 5_000];
/// Sockets of S6.
const FULL_CROWD: usize = 19_000;
/// Visitors of P16, and with `--quick`.
const LIVE: usize = 5_000;
const LIVE_QUICK: usize = 1_000;
const RATE_MAX: u32 = 100_000;
const VISITORS_MAX: usize = 50_000;
const STORED_MAX: u32 = 100_000_000;
const ROUNDS_MAX: usize = 100;
const SECONDS_MAX: f64 = 600.0;

/// How much to measure.
#[derive(Debug, Clone)]
pub(super) struct Dose {
    pub(super) data: PathBuf,
    pub(super) parts: Vec<Part>,
    /// One round of measuring a rate; a round of what it is compared with is shorter.
    pub(super) round: Duration,
    pub(super) rounds: usize,
    /// Messages a second at which the delay is measured.
    pub(super) rates: Vec<u32>,
    /// Visitors of S5 and S9.
    pub(super) visitors: usize,
    /// Visitors of P16.
    pub(super) live: usize,
    /// Visitors of S6, in the full mode.
    pub(super) full_crowd: Option<usize>,
    /// Messages of S8.
    pub(super) stored: u32,
}

impl Options {
    /// Checks what the command line's types cannot.
    pub(super) fn dose(&self) -> Result<Dose, String> {
        let (rounds, seconds) = if self.quick { (3, 2.0) } else { (5, 5.0) };
        let seconds = self.seconds.unwrap_or(seconds);
        let seconds_may_be = (0.1..=SECONDS_MAX).contains(&seconds);
        if !seconds_may_be {
            return Err(format!("--seconds must be 0.1 to {SECONDS_MAX}"));
        }
        let mut rates = RATES.to_vec();
        if let Some(rate) = self.rate {
            within("--rate", rate, 1, RATE_MAX)?;
            if !rates.contains(&rate) {
                rates.push(rate);
            }
        }
        let mut parts = self.parts.clone();
        if parts.is_empty() {
            parts = vec![Part::Durable, Part::Latency, Part::Live, Part::Crowd, Part::Start];
        }
        parts.dedup();
        if !self.data.is_dir() {
            return Err(format!("--data: there is no folder {}", self.data.display()));
        }
        let visitors = within("--visitors", self.visitors.unwrap_or(10_000), 1, VISITORS_MAX)?;
        Ok(Dose {
            data: self.data.clone(),
            parts,
            round: Duration::from_secs_f64(seconds),
            rounds: within("--rounds", self.rounds.unwrap_or(rounds), 1, ROUNDS_MAX)?,
            rates,
            visitors,
            live: visitors.min(if self.quick { LIVE_QUICK } else { LIVE }),
            full_crowd: (!self.quick && self.visitors.is_none()).then_some(FULL_CROWD),
            stored: within("--stored", self.stored.unwrap_or(1_000_000), 1, STORED_MAX)?,
        })
    }
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(
    name: &str,
    value: T,
    least: T,
    most: T,
) -> Result<T, String> {
    if value >= least && value <= most {
        Ok(value)
    } else {
        Err(format!("{name} must be {least} to {most}"))
    }
}
