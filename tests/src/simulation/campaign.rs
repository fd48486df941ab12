//! Many seeds, one after the other on each core, with the figures of all of them.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Outcome, kept_seeds, run, run_briefly};

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// How many seeds.
    pub seeds: u64,
    /// The first.
    pub from: u64,
    /// Just this one.
    pub seed: Option<u64>,
    /// Print every event.
    pub trace: bool,
    /// Half the time before the quiet: for a dose in each run. Kept seeds have the time in which they
    /// failed.
    pub brief: bool,
    /// Go on from the seed written there, and write there how far it came.
    pub state: Option<PathBuf>,
    /// Tell every lie and say in which world it is noticed.
    pub lies: bool,
    /// No new seed is begun after this.
    pub within: Option<Duration>,
}

impl Wish {
    /// Reads a command line.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wish = Self { seeds: 2_000, ..Self::default() };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--trace" => wish.trace = true,
                "--brief" => wish.brief = true,
                "--lies" => wish.lies = true,
                _ => {}
            }
            if matches!(word.as_str(), "--trace" | "--brief" | "--lies") {
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{word}: `{value}`?"));
            match word.as_str() {
                "--seeds" => wish.seeds = number()?,
                "--from" => wish.from = number()?,
                "--seed" => wish.seed = Some(number()?),
                "--state" => wish.state = Some(PathBuf::from(&value)),
                "--minutes" => wish.within = Some(Duration::from_secs(60 * number()?)),
                _ => return Err(format!("`{word}` is not understood")),
            }
        }
        Ok(wish)
    }
}

/// What many seeds were.
#[derive(Debug, Clone, Default)]
pub struct Campaign {
    /// Carried out.
    pub seeds: u64,
    /// Events.
    pub steps: u64,
    /// Messages acknowledged.
    pub acked: u64,
    /// What was wrong.
    pub violations: usize,
    /// The seeds in which it was, and what.
    pub failed: Vec<(u64, Vec<String>)>,
    /// Seeds carried out in all runs with this state file.
    pub in_all: Option<u64>,
}

fn run_one(seed: u64, brief: bool, trace: bool) -> Outcome {
    if brief { run_briefly(seed, trace) } else { run(seed, trace) }
}

/// Seeds that fail are looked at; more of them than this only cost time.
const FAILED_MAX: usize = 10;

impl Campaign {
    /// Runs the kept seeds and those asked for, on as many threads as there are cores.
    #[must_use]
    pub fn run(wish: &Wish) -> Self {
        if let Some(seed) = wish.seed {
            let mut campaign = Self::default();
            campaign.add(run_one(seed, wish.brief, wish.trace), wish.brief);
            return campaign;
        }
        let done_before = wish.state.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let done_before = done_before.and_then(|text| text.trim().parse::<u64>().ok());
        let from = wish.from + done_before.unwrap_or(0);
        let kept = kept_seeds();
        let count = kept.len() as u64 + wish.seeds;
        let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let campaign = Mutex::new(Self::default());
        let begun = Instant::now();
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                if wish.within.is_some_and(|within| begun.elapsed() >= within) {
                    break;
                }
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    break;
                }
                let kept_seed = usize::try_from(n).ok().and_then(|n| kept.get(n).copied());
                let (seed, brief) =
                    kept_seed.unwrap_or_else(|| (from + n - kept.len() as u64, wish.brief));
                let outcome = run_one(seed, brief, wish.trace);
                let mut campaign = campaign.lock().unwrap();
                campaign.add(outcome, brief);
                if campaign.failed.len() >= FAILED_MAX {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(work);
            }
        });
        let mut campaign = campaign.into_inner().unwrap();
        if let Some(path) = &wish.state {
            let fresh = campaign.seeds.saturating_sub(kept.len() as u64);
            let in_all = done_before.unwrap_or(0) + fresh;
            campaign.in_all = Some(in_all);
            if campaign.failed.is_empty() {
                std::fs::write(path, in_all.to_string()).unwrap();
            }
        }
        campaign
    }

    fn add(&mut self, outcome: Outcome, brief: bool) {
        self.seeds += 1;
        self.steps += outcome.steps;
        self.acked += outcome.acked;
        self.violations += outcome.violations.len();
        if !outcome.violations.is_empty() {
            let (seed, brief) = (outcome.seed, if brief { " --brief" } else { "" });
            println!(
                "seed {seed} fails; replay: cargo run --release -p yingke-tests --bin yingke-sim -- \
                 --seed {seed}{brief} --trace"
            );
            for violation in &outcome.violations {
                println!("  {violation}");
            }
            self.failed.push((seed, outcome.violations));
        }
    }

    /// One line of figures.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { seeds, steps, acked, violations, .. } = self;
        let in_all = self.in_all.map(|all| format!(" seeds_in_all={all}")).unwrap_or_default();
        format!("P21: seeds={seeds} steps={steps} acked={acked} violations={violations}{in_all}")
    }
}
