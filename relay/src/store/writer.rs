//! The writer thread: takes what queued while the last commit ran, no timer, and runs it as a batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::batch::{Engine, WriteJob};
use super::checkpoint::Bell;
use super::stint::Stint;
use super::threads::{self, Alarm};
use super::{Fatal, OpenError, WriteError};
use crate::limits::{BATCH_CLOSURES_MAX, WRITE_QUEUE_MAX};
use crate::parts::Part;

enum Message {
    Run(Box<dyn WriteJob>),
    /// Take nothing new, finish what is queued, end.
    Close,
}

/// The way to the writer thread.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    stint: Stint,
}

impl Writer {
    pub(super) fn start(engine: Engine, bell: Bell, alarm: Alarm) -> Result<Self, OpenError> {
        let (queue, jobs) = mpsc::channel(WRITE_QUEUE_MAX);
        let name = "store-writer".to_owned();
        let stint = Stint::new();
        let of_batches = stint.clone();
        let thread = threads::start(Part::Writer, name, &alarm.clone(), move || {
            work(engine, jobs, &bell, &alarm, &of_batches);
        })?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)), stint })
    }

    /// The batch that is under way.
    pub(super) fn stint(&self) -> &Stint {
        &self.stint
    }

    pub(super) fn submit<R>(&self, job: Box<dyn WriteJob>) -> Result<(), WriteError<R>> {
        self.queue.try_send(Message::Run(job)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Closed,
        })
    }

    /// Takes its place in the queue: what came before is still carried out.
    pub(super) async fn ask_to_close(&self) {
        let _ = self.queue.send(Message::Close).await;
    }

    pub(super) fn join(&self) {
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

fn work(
    mut engine: Engine,
    mut queue: mpsc::Receiver<Message>,
    bell: &Bell,
    alarm: &Alarm,
    stint: &Stint,
) {
    let mut messages = Vec::with_capacity(BATCH_CLOSURES_MAX);
    let mut batch = Vec::with_capacity(BATCH_CLOSURES_MAX);
    while queue.blocking_recv_many(&mut messages, BATCH_CLOSURES_MAX) > 0 {
        for message in messages.drain(..) {
            match message {
                Message::Run(job) => batch.push(job),
                Message::Close => queue.close(),
            }
        }
        if batch.is_empty() {
            continue;
        }
        // A bug of the batch's own code: whether it is stored is not known. (One of a closure is
        // caught there and is its caller's alone.)
        let ran = stint.at(|| catch_unwind(AssertUnwindSafe(|| engine.run(&mut batch))));
        if let Err(reason) = ran.unwrap_or(Err(Fatal::Bug(Part::Writer))) {
            alarm.raise(reason);
            // Whoever is left in the batch is not answered, in the moments the process still has.
            std::mem::forget(std::mem::take(&mut batch));
            // The connection is left as it is: closing it would touch the disk again. Whatever is
            // still queued never ran; dropping the queue answers "closed".
            std::mem::forget(engine);
            return;
        }
        bell.ring();
    }
    engine.finish();
}
