//! The parts of the relay that run as long as it does, and what becomes of the relay when one of them
//! does not: it ends, and a supervisor starts it again (decision 13). A part that met a bug may have
//! left anything half done, and whatever it did for others is done by nobody any more; what was
//! acknowledged is on the disk, and a start takes some milliseconds.
//!
//! A session or a request that meets a bug ends alone: its client comes back.

use std::sync::{Arc, OnceLock};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::app::App;

/// A part that must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Stores what is written.
    Writer,
    /// Reads for everybody.
    Reader,
    /// Folds the write-ahead log in.
    Checkpointer,
    /// Brings the log to the sessions.
    FanOut,
    /// Decides who gets whom.
    Assignment,
    /// Tells how things stand.
    Telling,
}

impl Part {
    /// For `/healthz`: what is the matter, in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Writer => "writer_failed",
            Self::Reader => "reader_failed",
            Self::Checkpointer => "checkpointer_failed",
            Self::FanOut => "fan_out_failed",
            Self::Assignment => "assignment_failed",
            Self::Telling => "telling_failed",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Writer => "the writer",
            Self::Reader => "a reader",
            Self::Checkpointer => "the checkpointer",
            Self::FanOut => "fan-out",
            Self::Assignment => "assignment",
            Self::Telling => "telling how things stand",
        })
    }
}

/// The first part that failed, for whoever asks how the relay is.
#[derive(Debug, Default)]
pub struct Failed(OnceLock<Part>);

impl Failed {
    /// Which it is, if any.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        self.0.get().copied()
    }

    /// Notes it; the first one counts.
    pub(crate) fn note(&self, part: Part) {
        let _ = self.0.set(part);
    }
}

/// The parts that are tasks, running.
pub(crate) struct Running(FuturesUnordered<BoxFuture<'static, Part>>);

impl Running {
    /// Starts them.
    pub(crate) fn start(app: &Arc<App>) -> Self {
        let running = Self(FuturesUnordered::new());
        running.add(app, Part::FanOut, crate::live::run(Arc::clone(app)));
        running.add(app, Part::Assignment, crate::assignment::run(Arc::clone(app)));
        running.add(app, Part::Telling, crate::assignment::tell(Arc::clone(app)));
        running
    }

    fn add(&self, app: &App, part: Part, work: impl Future<Output = ()> + Send + 'static) {
        let task = app.tasks.spawn(work);
        self.0.push(Box::pin(async move {
            // A panic or an early end: it is not there any more.
            let _ = task.await;
            part
        }));
    }

    /// Waits until one ends, whatever the reason.
    pub(crate) async fn first_to_end(&mut self) -> Part {
        match self.0.next().await {
            Some(part) => part,
            None => std::future::pending().await,
        }
    }
}
