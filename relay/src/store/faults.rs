//! Fault points: places where a test may end the process, to prove what survives. Only in debug
//! builds and with the feature `fault-points`; in every other build this is an empty function.
//!
//! `YINGKE_FAULT=before_commit:17` aborts at the 17th time the process comes to `before_commit`.
//! The points: `before_commit`, `after_commit` (stored, nobody answered), `after_ack` (answered, not
//! yet shown to the log's readers).

/// Where a process may be made to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// A batch is complete but not committed.
    BeforeCommit,
    /// It is on the disk; nobody knows yet.
    AfterCommit,
    /// The senders know; readers do not.
    AfterAck,
}

#[cfg(not(any(debug_assertions, feature = "fault-points")))]
pub(super) fn point(_point: Point) {}

#[cfg(any(debug_assertions, feature = "fault-points"))]
pub(super) fn point(point: Point) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let wanted = WANTED.get_or_init(|| {
        let value = std::env::var("YINGKE_FAULT").ok()?;
        let (name, count) = value.split_once(':')?;
        Some((name.to_owned(), count.parse().ok()?))
    });
    let Some((name, count)) = wanted else { return };
    let here = match point {
        Point::BeforeCommit => "before_commit",
        Point::AfterCommit => "after_commit",
        Point::AfterAck => "after_ack",
    };
    if name != here || PASSED.fetch_add(1, Ordering::SeqCst) + 1 != *count {
        return;
    }
    if point == Point::AfterAck {
        // The answers are on their way through other threads: let them reach the wire, else this
        // point would be the same as the one before.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    std::process::abort();
}
