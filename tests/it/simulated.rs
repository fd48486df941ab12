//! P21: what the simulation finds once, it finds for ever.
//!
//! Each run carries out the seeds that once found something and 2,000 more; the same seed twice is the
//! same run, to the byte. `cargo xtask test e2e --full P21 --filter p21` goes on from the seed kept in
//! the target folder for `YINGKE_MINUTES` (ten, unless said otherwise) and says how many it did in all.
//!
//! See `yingke_tests::simulation` for what is simulated and what must hold, and for the bugs that were
//! planted to see that it finds them.

use std::path::PathBuf;
use std::time::Duration;

use yingke_tests::dose;
use yingke_tests::simulation::campaign::{Campaign, Wish};
use yingke_tests::simulation::lies::LIES;
use yingke_tests::simulation::run;

/// Of each run.
const SEEDS: u64 = 2_000;
/// The first of them; the full dose counts from zero.
const FROM: u64 = 10_000_000;

/// Relay, clients and visitors agree in the end, whatever breaks.
#[test]
fn p21_simulated_worlds_converge() {
    let wish = if dose::is_full("P21") {
        let minutes = std::env::var("YINGKE_MINUTES").ok().and_then(|text| text.parse().ok());
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        Wish {
            seeds: u64::MAX / 2,
            within: Some(Duration::from_secs(60 * minutes.unwrap_or(10))),
            state: Some(target.join("p21-seeds")),
            ..Wish::default()
        }
    } else {
        Wish { seeds: SEEDS, from: FROM, brief: true, ..Wish::default() }
    };
    let campaign = Campaign::run(&wish);
    println!("{}", campaign.line());
    assert!(campaign.failed.is_empty(), "{:?}", campaign.failed);
}

/// A failing seed can be replayed: everything that happens comes from the seed.
#[test]
fn p21_the_same_seed_is_the_same_run() {
    for seed in [0, 1, 2, 3, 1_044] {
        let (first, again) = (run(seed, false), run(seed, false));
        assert_eq!((first.steps, first.hash), (again.steps, again.hash), "seed {seed}");
        assert_ne!(first.hash, run(seed + 100, false).hash);
    }
}

/// What is not so is noticed by the law that is about it: the table stands in `simulation::lies`.
#[test]
fn p21_planted_lies_are_noticed() {
    let missed: Vec<_> = LIES.iter().filter(|lie| lie.noticed().is_none()).collect();
    assert!(missed.is_empty(), "not noticed: {missed:#?}");
}
