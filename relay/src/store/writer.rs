//! The writer thread: takes what queued while the last commit ran, no timer, and runs it as a batch.

use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::batch::{Engine, WriteJob};
use super::checkpoint::Bell;
use super::{Fatal, OpenError, WriteError};
use crate::limits::{BATCH_CLOSURES_MAX, WRITE_QUEUE_MAX};

enum Message {
    Run(Box<dyn WriteJob>),
    /// Take nothing new, finish what is queued, end.
    Close,
}

/// The way to the writer thread.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        engine: Engine,
        bell: Bell,
        fatal: watch::Sender<Option<Fatal>>,
    ) -> Result<Self, OpenError> {
        let (queue, jobs) = mpsc::channel(WRITE_QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || work(engine, jobs, &bell, &fatal))
            .map_err(OpenError::file("the writer thread"))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
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
    fatal: &watch::Sender<Option<Fatal>>,
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
        if let Err(reason) = engine.run(&mut batch) {
            tracing::error!(error = %reason, "the database cannot go on; the relay ends");
            fatal.send_replace(Some(reason));
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
