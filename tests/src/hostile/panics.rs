//! Panics of the threads that are watched: caught or not, each is noted with its place, and says
//! nothing on standard error.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// What panicked on this thread, if it is watched.
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// From now on this thread is watched. Tasks of a runtime with one thread run on it.
pub fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_watched = SEEN.with_borrow_mut(|seen| match seen {
                Some(seen) => {
                    seen.push(panic.to_string().replace('\n', " "));
                    true
                }
                None => false,
            });
            if !is_watched {
                before(panic);
            }
        }));
    });
    SEEN.with_borrow_mut(|seen| seen.get_or_insert_default().clear());
}

/// What panicked since the last time.
#[must_use]
pub fn taken() -> Vec<String> {
    SEEN.with_borrow_mut(|seen| seen.as_mut().map(std::mem::take).unwrap_or_default())
}

/// What panicked since the last time, as a failure.
pub fn none() -> Result<(), String> {
    let seen = taken();
    if seen.is_empty() { Ok(()) } else { Err(format!("it panicked: {}", seen.join("; "))) }
}

/// Calls `f`; its panic, caught by itself or not, is an error.
pub fn caught<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    watch();
    let result = catch_unwind(AssertUnwindSafe(f));
    none()?;
    result.map_err(|_| "it panicked".to_owned())
}

/// No thread of this name is watched any more.
pub fn unwatch() {
    SEEN.with_borrow_mut(|seen| *seen = None);
}
