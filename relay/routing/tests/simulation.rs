//! Random lives under the auditor, and the auditor under planted bugs.
//!
//! The same simulation as the binary `routing-sim`, in a dose that every run affords. A judge who
//! never finds anything proves nothing: each bug that is planted around the core must be noticed.

#[path = "../sim/auditor.rs"]
mod auditor;
#[path = "../sim/core.rs"]
mod core;
#[path = "../sim/model.rs"]
mod model;
#[path = "../sim/random.rs"]
mod random;
#[path = "../sim/setting.rs"]
mod setting;
#[path = "../sim/simulation.rs"]
mod simulation;
#[path = "../sim/world.rs"]
mod world;

use crate::core::{BUGS, Bug};

/// Lives after which each planted bug must have been noticed.
const NOTICED_WITHIN: u64 = 40;

#[test]
fn many_lives_without_a_finding() {
    let (first, count) = match std::env::var("YINGKE_ROUTING_SEED") {
        Ok(seed) => (seed.parse().unwrap(), 1),
        Err(_) => (1, 150),
    };
    for seed in first..first + count {
        let life = simulation::live(seed, None);
        assert!(life.steps > 0 && life.decisions > 0);
        assert_eq!(life.violations, [""; 0], "again with YINGKE_ROUTING_SEED={seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_log() {
    for seed in 1..10 {
        assert_eq!(simulation::live(seed, None), simulation::live(seed, None));
    }
}

fn is_noticed(bug: Bug) {
    let noticed =
        (1..=NOTICED_WITHIN).any(|seed| !simulation::live(seed, Some(bug)).violations.is_empty());
    assert!(noticed, "{bug:?} was not noticed in {NOTICED_WITHIN} lives");
}

#[test]
fn every_planted_bug_is_noticed() {
    for bug in BUGS {
        is_noticed(bug);
    }
}
