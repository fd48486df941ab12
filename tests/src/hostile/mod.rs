//! Hostile input: good inputs of every door of the product, bent by their structure, poured into the
//! product's own code until it breaks, or until the dose is used up.
//!
//! A *door* takes an input and says whether it was taken or refused. It fails when it panics, or when
//! it says so itself: an answer of 5xx, an error without a code, a process that is gone. Inputs of a
//! door come from a folder of `tests/corpus` (see there) and from `shared/samples`; they are poured as
//! they stand first, then bent. Input number *n* of a seed is always the same. One that fails is kept
//! in the corpus, so that every later run begins with it.

mod bend;
pub mod config;
pub mod corpus;
pub mod decoding;
pub mod desktop;
pub mod door;
pub mod files;
mod json;
pub mod panics;
pub mod port;
pub mod rest;
pub mod sessions;
mod setting;
pub mod wire;

use std::fmt;
use std::path::PathBuf;

use crate::chance::Chance;
use bend::Seed;

/// How much, and of what chance.
#[derive(Debug, Clone, Copy)]
pub struct Dose {
    /// Inputs.
    pub inputs: u64,
    /// Of all chance.
    pub seed: u64,
}

/// What became of an input that did no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It meant something.
    Taken,
    /// It was refused.
    Refused,
}

impl Fate {
    /// Taken if so.
    #[must_use]
    pub fn taken(is_taken: bool) -> Self {
        if is_taken { Self::Taken } else { Self::Refused }
    }
}

/// What became of a dose.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// The door.
    pub door: &'static str,
    /// Poured.
    pub inputs: u64,
    /// Of them taken.
    pub taken: u64,
    /// What went wrong, with where the input is kept.
    pub failures: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} taken)", self.door, self.inputs, self.taken)
    }
}

/// What reaches nothing is bent again so often, at most.
const BENT_AGAIN_MAX: u32 = 20;
/// More failures of one door say nothing more.
const FAILURES_MAX: usize = 10;

/// The inputs of one door, and the count of what became of them.
pub struct Pour {
    /// So far.
    pub tally: Tally,
    folder: &'static str,
    seeds: Vec<Seed>,
    dose: Dose,
    keep: bool,
    reaches: Option<fn(&[u8]) -> bool>,
    /// Names that mean something where the inputs go.
    pub known: Vec<String>,
}

impl Pour {
    /// The seeds of a folder of the corpus, for a door.
    #[must_use]
    pub fn new(door: &'static str, folder: &'static str, dose: Dose) -> Self {
        let seeds: Vec<Seed> = corpus::inputs(folder).into_iter().map(Seed::new).collect();
        assert!(!seeds.is_empty(), "tests/corpus/{folder} is empty");
        let tally = Tally { door, ..Tally::default() };
        // The input under way when a process dies without a word: its seed is in this file.
        let _ = std::fs::write(now_file(door), format!("seed {} begins\n", dose.seed));
        Self { tally, folder, seeds, dose, keep: true, reaches: None, known: Vec::new() }
    }

    /// For the test of this test: what fails is counted and not kept.
    #[must_use]
    pub fn without_keeping(mut self) -> Self {
        self.keep = false;
        self
    }

    /// Three of four inputs are such as `reaches` says: good ones about what is there, and bent ones that
    /// are not refused at the first look. What is refused there has doors of its own.
    #[must_use]
    pub fn mostly(mut self, reaches: fn(&[u8]) -> bool) -> Self {
        self.reaches = Some(reaches);
        self
    }

    /// One more good input, which only this run knows.
    pub fn add_seed(&mut self, bytes: Vec<u8>) {
        self.seeds.push(Seed::new(bytes));
    }

    /// The next input, or none when the dose is used up or enough has failed.
    pub fn next_input(&mut self) -> Option<Vec<u8>> {
        let number = self.tally.inputs;
        let as_they_stand = self.seeds.len() as u64;
        if number >= self.dose.inputs || self.tally.failures.len() >= FAILURES_MAX {
            return None;
        }
        if number.is_multiple_of(1_000) {
            let _ = std::fs::write(
                now_file(self.tally.door),
                format!("seed {} input {number}\n", self.dose.seed),
            );
        }
        self.tally.inputs += 1;
        if number < as_they_stand {
            return Some(self.seeds[usize::try_from(number).unwrap()].bytes().to_vec());
        }
        let mut chance = self.chance(number);
        let seed = chance.one_of(&self.seeds).clone();
        let mut input = seed.bent(&mut chance, &self.known);
        if let Some(reaches) = self.reaches.filter(|_| chance.below(4) > 0) {
            let mut again = 0;
            while again < BENT_AGAIN_MAX && !reaches(&input) {
                again += 1;
                let seed = chance.one_of(&self.seeds).clone();
                input = match chance.below(4) {
                    0 => seed.settled(&mut chance, &self.known),
                    _ => seed.bent(&mut chance, &self.known),
                };
            }
        }
        Some(input)
    }

    /// Chance for whatever else the door decides about the input that came last.
    #[must_use]
    pub fn beside(&self) -> Chance {
        self.chance(!self.tally.inputs)
    }

    fn chance(&self, number: u64) -> Chance {
        let door = self.tally.door.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Chance::new(self.dose.seed ^ door ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// Counts what became of the input.
    pub fn count(&mut self, input: &[u8], fate: Result<Fate, String>) {
        match fate {
            Ok(Fate::Taken) => self.tally.taken += 1,
            Ok(Fate::Refused) => {}
            Err(why) => {
                let kept: Option<PathBuf> = if self.keep {
                    corpus::keep(self.folder, self.tally.door, input)
                } else {
                    None
                };
                let shown: String = String::from_utf8_lossy(input).chars().take(200).collect();
                self.tally.failures.push(format!(
                    "{}: {why}\n  input {} of YINGKE_SEED={}, kept as {kept:?}: {shown:?}",
                    self.tally.door,
                    self.tally.inputs - 1,
                    self.dose.seed,
                ));
            }
        }
    }

    /// The whole dose through a function of this thread; a panic is a failure.
    pub fn through(
        mut self,
        mut take: impl FnMut(&[u8], &mut Chance) -> Result<Fate, String>,
    ) -> Tally {
        while let Some(input) = self.next_input() {
            let mut chance = self.beside();
            let fate = panics::caught(|| take(&input, &mut chance)).unwrap_or_else(Err);
            self.count(&input, fate);
        }
        self.tally
    }
}

fn now_file(door: &str) -> PathBuf {
    std::env::temp_dir().join(format!("yingke-hostile-{}", door.replace(' ', "-")))
}
