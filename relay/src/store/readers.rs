//! The reader threads: each has its own connection and runs one closure at a time, in a read
//! transaction, so that everything it sees is of one moment.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::tx::ReadTx;
use super::{OpenError, StoreError, connection};
use crate::limits::READ_QUEUE_MAX;

/// A closure for a reader thread.
pub(super) trait ReadJob: Send {
    /// Runs it and tells the caller.
    fn run(self: Box<Self>, connection: &Connection);
}

struct TypedRead<T, F> {
    what: &'static str,
    f: F,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

/// Wraps a room's closure.
pub(super) fn typed_read<T, F>(
    what: &'static str,
    f: F,
    reply: oneshot::Sender<Result<T, StoreError>>,
) -> Box<dyn ReadJob>
where
    T: Send + 'static,
    F: FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
{
    Box::new(TypedRead { what, f, reply })
}

impl<T, F> ReadJob for TypedRead<T, F>
where
    T: Send + 'static,
    F: FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
{
    fn run(self: Box<Self>, connection: &Connection) {
        let Self { what, f, reply } = *self;
        if reply.is_closed() {
            return;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| in_transaction(connection, f)));
        let outcome = outcome.unwrap_or_else(|_| {
            tracing::error!(what, "a read closure panicked");
            Err(StoreError::Panicked)
        });
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        let _ = reply.send(outcome);
    }
}

fn in_transaction<T>(
    connection: &Connection,
    f: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let value = f(&ReadTx { connection })?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(value)
}

struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

struct State {
    jobs: VecDeque<Box<dyn ReadJob>>,
    closed: bool,
}

/// The way to the reader threads.
pub(super) struct Readers {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    pub(super) fn start(database: &Path, count: usize) -> Result<Self, OpenError> {
        let state = Mutex::new(State { jobs: VecDeque::new(), closed: false });
        let queue = Arc::new(Queue { state, filled: Condvar::new() });
        let readers = Self { queue, threads: Mutex::new(Vec::with_capacity(count)) };
        for number in 0..count {
            let connection = connection::open_reader(database)?;
            let queue = Arc::clone(&readers.queue);
            let thread = std::thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || work(&queue, &connection))
                .map_err(OpenError::file("a reader thread"))?;
            readers.threads.lock().push(thread);
        }
        Ok(readers)
    }

    pub(super) fn submit(&self, job: Box<dyn ReadJob>) -> Result<(), StoreError> {
        let mut state = self.queue.state.lock();
        if state.closed {
            return Err(StoreError::Closed);
        }
        if state.jobs.len() >= READ_QUEUE_MAX {
            return Err(StoreError::Busy);
        }
        state.jobs.push_back(job);
        drop(state);
        self.queue.filled.notify_one();
        Ok(())
    }

    pub(super) fn close(&self) {
        self.queue.state.lock().closed = true;
        self.queue.filled.notify_all();
        for thread in self.threads.lock().drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Readers {
    /// A store that is dropped without being closed lets its threads end by themselves.
    fn drop(&mut self) {
        self.queue.state.lock().closed = true;
        self.queue.filled.notify_all();
    }
}

fn work(queue: &Queue, connection: &Connection) {
    loop {
        let job = {
            let mut state = queue.state.lock();
            loop {
                if let Some(job) = state.jobs.pop_front() {
                    break job;
                }
                if state.closed {
                    return;
                }
                queue.filled.wait(&mut state);
            }
        };
        job.run(connection);
    }
}
