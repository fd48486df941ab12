//! The store's threads: one that panics ends the relay, for nobody does its work any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::{Fatal, OpenError};
use crate::parts::Part;

/// The way to tell that the database cannot go on.
#[derive(Clone)]
pub(super) struct Alarm(watch::Sender<Option<Fatal>>);

impl Alarm {
    pub(super) fn new() -> (Self, watch::Receiver<Option<Fatal>>) {
        let (set, told) = watch::channel(None);
        (Self(set), told)
    }

    /// The first reason counts.
    pub(super) fn raise(&self, reason: Fatal) {
        tracing::error!(error = %reason, "the database cannot go on; the relay ends");
        self.0.send_if_modified(|told| {
            let is_first = told.is_none();
            if is_first {
                *told = Some(reason);
            }
            is_first
        });
    }

    pub(super) fn is_raised(&self) -> bool {
        self.0.borrow().is_some()
    }
}

/// Starts a thread that does this part's `work`.
pub(super) fn start(
    part: Part,
    name: String,
    alarm: &Alarm,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let alarm = alarm.clone();
    let what = name.clone();
    std::thread::Builder::new()
        .name(name)
        .spawn(move || {
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                alarm.raise(Fatal::Bug(part));
            }
        })
        .map_err(OpenError::file(what))
}
