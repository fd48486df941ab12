//! Deliberate faults: places where a test may end the process, to prove what survives, and flaws
//! that make the relay break its own law, to prove that the judge notices. Those of the environment
//! exist only in debug builds and with the feature `fault-points`; in every other build they are
//! empty functions. Simulation brings its own [`Faults`].
//!
//! `YINGKE_FAULT=before_commit:17` aborts at the 17th time the process comes to `before_commit`.
//! The points: `before_commit`, `after_commit` (stored, nobody answered), `after_ack` (answered, the
//! log's readers not yet woken), and `uncommitted`: the 17th batch is answered *instead of*
//! committed, then the process ends, as a relay that acknowledges before it commits and is killed.
//! `panic_in_writer`, `panic_in_attendant`, `panic_in_checkpointer`, `panic_in_reader`,
//! `panic_in_fan_out`, `panic_in_assignment` and `panic_in_telling` are bugs: the part panics there.
//!
//! `YINGKE_FLAW` names a lasting flaw: `sql:7:STATEMENTS` runs the statements inside every 7th batch,
//! behind the backs of its closures; `lose:7`, `twice:7` and `swap:7` do that to every 7th message on
//! its way to a reader; with `wait:7` whoever brings a reader news waits 7 ms for one that is behind.

/// Where something may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A batch is complete but not committed.
    BeforeCommit,
    /// It is on the disk; nobody knows yet.
    AfterCommit,
    /// The senders know; what others are to read waits in their mailboxes, and nobody was woken.
    AfterAck,
}

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    GoOn,
    /// The disk is full: only at [`Point::BeforeCommit`].
    Full,
    /// The process ends here.
    End,
}

/// Says what goes wrong.
pub trait Faults: Send + 'static {
    /// What happens at this passage of a point.
    fn at(&mut self, point: Point) -> Fate;

    /// Whether this batch is answered without being committed. A flaw: only tests of the judge.
    fn skips_commit(&mut self) -> bool {
        false
    }

    /// Whether a transaction that was lost cannot be rolled back either.
    fn refuses_rollback(&mut self) -> bool {
        false
    }

    /// Statements that spoil this batch. A flaw: only tests of the judge.
    fn spoiled_by(&mut self) -> Option<&'static str> {
        None
    }
}

/// The faults that the environment names, in test builds; none in a product build.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamedByTests;

/// What becomes of a message on its way to one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(any(debug_assertions, feature = "fault-points")),
    expect(dead_code, reason = "only relays that break the law on purpose make the others")
)]
pub(crate) enum Passage {
    /// It arrives. The only one of a product build.
    Good,
    /// It does not.
    Lost,
    /// It arrives two times.
    Twice,
    /// It overtakes the one before it, if that still waits.
    Early,
}

#[cfg(any(debug_assertions, feature = "fault-points"))]
pub(crate) use named::{linger, passage, trip};

#[cfg(not(any(debug_assertions, feature = "fault-points")))]
impl Faults for NamedByTests {
    fn at(&mut self, _point: Point) -> Fate {
        Fate::GoOn
    }
}

/// Nothing goes wrong on purpose.
#[cfg(not(any(debug_assertions, feature = "fault-points")))]
pub(crate) fn passage(_event: &[u8]) -> Passage {
    Passage::Good
}

/// Nobody waits for a reader.
#[cfg(not(any(debug_assertions, feature = "fault-points")))]
pub(crate) fn linger(_waiting: impl FnOnce() -> usize) {}

/// Panics, if this passage is the one that was named.
#[cfg(not(any(debug_assertions, feature = "fault-points")))]
pub(crate) fn trip(_place: &str) {}

#[cfg(any(debug_assertions, feature = "fault-points"))]
mod named {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use super::{Fate, Faults, NamedByTests, Passage, Point};

    /// A name, how many passages it is about, and what else stands behind.
    struct Wanted {
        name: String,
        count: u64,
        rest: String,
    }

    fn read(variable: &str) -> Option<Wanted> {
        let value = std::env::var(variable).ok()?;
        let mut parts = value.splitn(3, ':');
        let (name, count) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        Some(Wanted { name, count, rest: parts.next().unwrap_or_default().to_owned() })
    }

    fn fault() -> Option<&'static Wanted> {
        static FAULT: OnceLock<Option<Wanted>> = OnceLock::new();
        FAULT.get_or_init(|| read("YINGKE_FAULT")).as_ref()
    }

    fn flaw() -> Option<&'static Wanted> {
        static FLAW: OnceLock<Option<Wanted>> = OnceLock::new();
        FLAW.get_or_init(|| read("YINGKE_FLAW")).as_ref()
    }

    /// The process answers what it did not store and is about to end.
    static LIES: AtomicBool = AtomicBool::new(false);

    impl Faults for NamedByTests {
        fn at(&mut self, point: Point) -> Fate {
            pass(point);
            Fate::GoOn
        }

        fn skips_commit(&mut self) -> bool {
            is_uncommitted()
        }

        fn spoiled_by(&mut self) -> Option<&'static str> {
            statements()
        }
    }

    fn pass(point: Point) {
        static PASSED: AtomicU64 = AtomicU64::new(0);
        let Some(wanted) = fault() else { return };
        let here = match point {
            Point::BeforeCommit => "before_commit",
            Point::AfterCommit => "after_commit",
            Point::AfterAck => "after_ack",
        };
        let is_here =
            wanted.name == here && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == wanted.count;
        let is_end = point == Point::AfterAck && LIES.load(Ordering::SeqCst);
        if !is_here && !is_end {
            return;
        }
        if point == Point::AfterAck {
            // The answers are on their way through other threads: let them reach the wire, else
            // this point would be the same as the one before.
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        std::process::abort();
    }

    /// Panics, if this passage is the one that was named.
    #[expect(clippy::panic, reason = "a bug on purpose")]
    pub(crate) fn trip(place: &str) {
        static PASSED: AtomicU64 = AtomicU64::new(0);
        let Some(wanted) = fault().filter(|wanted| wanted.name == place) else { return };
        if PASSED.fetch_add(1, Ordering::SeqCst) + 1 == wanted.count {
            panic!("a bug on purpose");
        }
    }

    fn is_uncommitted() -> bool {
        static PASSED: AtomicU64 = AtomicU64::new(0);
        let is_due = fault().is_some_and(|wanted| {
            wanted.name == "uncommitted"
                && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == wanted.count
        });
        if is_due {
            LIES.store(true, Ordering::SeqCst);
        }
        is_due
    }

    fn statements() -> Option<&'static str> {
        static PASSED: AtomicU64 = AtomicU64::new(0);
        let wanted = flaw().filter(|wanted| wanted.name == "sql")?;
        is_turn(&PASSED, wanted.count).then_some(wanted.rest.as_str())
    }

    /// What becomes of an event on its way to one reader; only messages are ever touched.
    pub(crate) fn passage(event: &[u8]) -> Passage {
        static PASSED: AtomicU64 = AtomicU64::new(0);
        const MESSAGE: &[u8] = b"\"message_appended\"";
        let Some(wanted) = flaw() else { return Passage::Good };
        let flawed = match wanted.name.as_str() {
            "lose" => Passage::Lost,
            "twice" => Passage::Twice,
            "swap" => Passage::Early,
            _ => return Passage::Good,
        };
        let is_message = event.windows(MESSAGE.len()).any(|part| part == MESSAGE);
        if is_message && is_turn(&PASSED, wanted.count) { flawed } else { Passage::Good }
    }

    /// Waits for a reader for whom so many bytes wait already, if that is the flaw.
    pub(crate) fn linger(waiting: impl FnOnce() -> usize) {
        const BEHIND_BYTES: usize = 64 * 1_024;
        let Some(wanted) = flaw().filter(|wanted| wanted.name == "wait") else { return };
        if waiting() > BEHIND_BYTES {
            std::thread::sleep(std::time::Duration::from_millis(wanted.count));
        }
    }

    fn is_turn(passed: &AtomicU64, every: u64) -> bool {
        (passed.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(every.max(1))
    }
}
