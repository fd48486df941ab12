//! How much of a story is told: what each run affords, or the full dose on demand.

/// Whether `cargo xtask test --full NAME` asks for this promise.
#[must_use]
pub fn is_full(promise: &str) -> bool {
    std::env::var("YINGKE_FULL").is_ok_and(|name| name == promise)
}
