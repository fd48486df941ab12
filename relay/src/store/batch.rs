//! One batch: some closures, one transaction, one sync. Both executors run exactly this code.
//!
//! Closures run one after another without savepoints. One that takes back what it did (rare: a
//! refusal is found before anything is changed) takes the others with it; then all run once more,
//! each in a savepoint of its own.
//!
//! The rule for a batch that dies: SQLITE_FULL, IOERR, NOMEM or INTERRUPT may roll back the *whole*
//! transaction, and the next statement would then commit on its own. So after every
//! closure the engine asks whether the outer transaction is still open. If not, nothing more runs in
//! it; every closure of the batch runs once more, each in a transaction of its own, so that one that
//! does not fit harms nobody else; one whose own transaction dies too is answered "failed". If it is
//! open and cannot be rolled back, the connection is of no use any more and the process ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;
use yingke_shared::ids::Position;

use super::faults::{Fate, Faults, Point, trip};
use super::tx::{Share, WriteTx};
use super::{Abort, Fatal, StoreError, WriteError};
use crate::events::{Entry, Tail};
use crate::limits::SLOW_CLOSURE_MS;

/// A closure on its way through the writer.
pub(super) trait WriteJob: Send {
    /// Its name in logs.
    fn what(&self) -> &'static str;
    /// Runs it, catching a panic, and keeps the outcome. May be called again.
    fn run(&mut self, tx: &mut WriteTx<'_>) -> Ran;
    /// Replaces the outcome: it was not stored.
    fn give_up(&mut self, error: StoreError);
    /// Tells the caller the outcome.
    fn answer(self: Box<Self>);
}

/// What to do with a closure's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// They belong to the batch.
    Keep,
    /// They are taken back.
    Undo,
}

type Reply<T, R> = oneshot::Sender<Result<T, WriteError<R>>>;

/// The way back to the caller. One that is dropped says "closed", which means not stored; while the
/// writer panics nobody knows that, so then it says nothing.
struct Back<T, R>(Option<Reply<T, R>>);

impl<T, R> Back<T, R> {
    fn send(mut self, outcome: Result<T, WriteError<R>>) {
        if let Some(reply) = self.0.take() {
            // A caller that went away needs no answer.
            let _ = reply.send(outcome);
        }
    }
}

impl<T, R> Drop for Back<T, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::mem::forget(self.0.take());
        }
    }
}

struct TypedJob<T, R, F> {
    what: &'static str,
    f: F,
    outcome: Result<T, WriteError<R>>,
    back: Back<T, R>,
}

/// Wraps a room's closure.
pub(super) fn typed_job<T, R, F>(what: &'static str, f: F, reply: Reply<T, R>) -> Box<dyn WriteJob>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Fn(&mut WriteTx<'_>) -> Result<T, Abort<R>> + Send + 'static,
{
    Box::new(TypedJob { what, f, outcome: Err(WriteError::Closed), back: Back(Some(reply)) })
}

impl<T, R, F> WriteJob for TypedJob<T, R, F>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Fn(&mut WriteTx<'_>) -> Result<T, Abort<R>> + Send + 'static,
{
    fn what(&self) -> &'static str {
        self.what
    }

    fn run(&mut self, tx: &mut WriteTx<'_>) -> Ran {
        self.outcome = match catch_unwind(AssertUnwindSafe(|| (self.f)(tx))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Abort::Refused(refusal))) => Err(WriteError::Refused(refusal)),
            Ok(Err(Abort::Failed(error))) => Err(WriteError::Failed(error)),
            Err(_) => Err(WriteError::Panicked),
        };
        if self.outcome.is_ok() { Ran::Keep } else { Ran::Undo }
    }

    fn give_up(&mut self, error: StoreError) {
        self.outcome = Err(WriteError::Failed(error));
    }

    fn answer(self: Box<Self>) {
        let Self { back, outcome, .. } = *self;
        back.send(outcome);
    }
}

/// How a transaction ended.
enum Attempt {
    /// On the disk, with these events.
    Committed(Vec<Arc<Entry>>),
    /// It could not begin; nothing ran.
    NotBegun(rusqlite::Error),
    /// It was lost on the way; nothing of it is on the disk.
    Lost(String),
    /// A closure that changed rows took them back, and with them everything before it; nothing of it
    /// is on the disk.
    Mixed,
}

/// Whether the changes of one closure can be told from those before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Apart {
    /// Nearly every closure keeps what it did or refuses before it does anything, so nearly every
    /// batch needs no savepoints: each would copy the pages it touches.
    No,
    /// Each has a savepoint.
    Yes,
}

/// What became of a closure in its batch.
enum Step {
    /// It appended these.
    Done(Vec<Entry>),
    /// Its changes must go and cannot be told from those before it.
    Mixed,
}

/// The writing connection and the end of the log. Owned by whoever runs batches.
pub(super) struct Engine {
    connection: Connection,
    /// The newest committed position.
    head: Position,
    tail: Arc<Tail>,
    faults: Box<dyn Faults>,
}

impl Engine {
    pub(super) fn new(
        connection: Connection,
        head: Position,
        tail: Arc<Tail>,
        faults: Box<dyn Faults>,
    ) -> Self {
        Self { connection, head, tail, faults }
    }

    /// Runs, commits and answers `jobs`, leaving the vector empty. After an error those that are left
    /// in it were not answered and must not be: whether they are stored is unknown, and dropping one
    /// would answer "closed", which says that it is not. Nothing may run on this connection any more.
    pub(super) fn run(&mut self, jobs: &mut Vec<Box<dyn WriteJob>>) -> Result<(), Fatal> {
        match self.attempt(jobs)? {
            Attempt::Committed(entries) => self.finish_batch(jobs, &entries)?,
            Attempt::NotBegun(error) => give_up(jobs, &error.to_string()),
            // With savepoints nothing is mixed.
            Attempt::Mixed => give_up(jobs, "mixed"),
            Attempt::Lost(error) if jobs.len() <= 1 => give_up(jobs, &error),
            Attempt::Lost(error) => {
                tracing::warn!(%error, closures = jobs.len(), "a batch was lost; each runs again alone");
                self.run_each_alone(jobs)?;
            }
        }
        Ok(())
    }

    fn run_each_alone(&mut self, jobs: &mut Vec<Box<dyn WriteJob>>) -> Result<(), Fatal> {
        let mut rest = std::mem::take(jobs).into_iter();
        while let Some(job) = rest.next() {
            let mut alone = vec![job];
            let outcome = match self.attempt(&mut alone) {
                Ok(Attempt::Committed(entries)) => self.finish_batch(&mut alone, &entries),
                Ok(Attempt::NotBegun(error)) => {
                    give_up(&mut alone, &error.to_string());
                    Ok(())
                }
                Ok(Attempt::Lost(error)) => {
                    give_up(&mut alone, &error);
                    Ok(())
                }
                Ok(Attempt::Mixed) => {
                    give_up(&mut alone, "mixed");
                    Ok(())
                }
                Err(fatal) => Err(fatal),
            };
            if let Err(fatal) = outcome {
                jobs.extend(alone.into_iter().chain(rest));
                return Err(fatal);
            }
        }
        Ok(())
    }

    /// One transaction over `jobs`, without savepoints and, if one of them turns out to be needed,
    /// once more with them.
    fn attempt(&mut self, jobs: &mut [Box<dyn WriteJob>]) -> Result<Attempt, Fatal> {
        match self.transact(jobs, Apart::No)? {
            Attempt::Mixed => self.transact(jobs, Apart::Yes),
            attempt => Ok(attempt),
        }
    }

    /// One transaction over `jobs`, from its beginning to its end, whatever that is.
    fn transact(&mut self, jobs: &mut [Box<dyn WriteJob>], apart: Apart) -> Result<Attempt, Fatal> {
        if let Err(error) = self.statement("BEGIN IMMEDIATE") {
            return Ok(Attempt::NotBegun(error));
        }
        let entries = match self.run_all(jobs, apart) {
            Ok(Some(entries)) => entries,
            Ok(None) => {
                self.make_sure_nothing_is_open()?;
                return Ok(Attempt::Mixed);
            }
            Err(error) => return self.lost(&error),
        };
        if let Some(newest) = entries.last().map(|entry| entry.position)
            && let Err(error) = self.move_head(newest)
        {
            return self.lost(&error);
        }
        if let Some(statements) = self.faults.spoiled_by()
            && let Err(error) = self.connection.execute_batch(statements)
        {
            return self.lost(&error.into());
        }
        match self.faults.at(Point::BeforeCommit) {
            Fate::GoOn => {}
            Fate::Full => return self.lost(&StoreError::TransactionLost("full".to_owned())),
            Fate::End => return Err(ended("before a commit")),
        }
        let end = if self.faults.skips_commit() { "ROLLBACK" } else { "COMMIT" };
        match self.statement(end) {
            Ok(()) => {
                if let Some(entry) = entries.last() {
                    self.head = entry.position;
                }
                Ok(Attempt::Committed(entries))
            }
            Err(error) => self.commit_failed(&error),
        }
    }

    /// Runs the closures one after another and gives what they appended. None: the changes of one must
    /// go and cannot be told from those before it. An error means that the transaction must be given
    /// up.
    fn run_all(
        &self,
        jobs: &mut [Box<dyn WriteJob>],
        apart: Apart,
    ) -> Result<Option<Vec<Arc<Entry>>>, StoreError> {
        let mut tx = WriteTx::new(&self.connection, self.head.next());
        let mut entries = Vec::new();
        for job in jobs.iter_mut() {
            match self.run_one(job.as_mut(), apart, &mut tx)? {
                Step::Done(appended) => entries.extend(appended.into_iter().map(Arc::new)),
                Step::Mixed => return Ok(None),
            }
        }
        Ok(Some(entries))
    }

    /// Runs one closure.
    fn run_one(
        &self,
        job: &mut dyn WriteJob,
        apart: Apart,
        tx: &mut WriteTx<'_>,
    ) -> Result<Step, StoreError> {
        if apart == Apart::Yes {
            self.statement("SAVEPOINT closure")?;
        }
        let started = Instant::now();
        let before = tx.next_position();
        let ran = job.run(tx);
        let Share { appended, wrote } = tx.take_share();
        let took = started.elapsed().as_millis();
        if took >= SLOW_CLOSURE_MS {
            tracing::warn!(what = job.what(), duration_ms = took, "a write closure was slow");
        }
        if self.connection.is_autocommit() {
            return Err(StoreError::TransactionLost(format!("during {}", job.what())));
        }
        if ran == Ran::Undo && wrote {
            if apart == Apart::No {
                return Ok(Step::Mixed);
            }
            self.statement("ROLLBACK TO closure")?;
        }
        if apart == Apart::Yes {
            self.statement("RELEASE closure")?;
        }
        if ran == Ran::Keep {
            return Ok(Step::Done(appended));
        }
        tx.back_to(before);
        Ok(Step::Done(Vec::new()))
    }

    fn move_head(&self, newest: Position) -> Result<(), StoreError> {
        let position = i64::try_from(newest.get()).map_err(|_| StoreError::Corrupt("position"))?;
        let mut statement = self.connection.prepare_cached(crate::events::MOVE_END)?;
        match statement.execute([position])? {
            1 => Ok(()),
            _ => Err(StoreError::Corrupt("log_head has no row")),
        }
    }

    fn lost(&mut self, error: &StoreError) -> Result<Attempt, Fatal> {
        self.make_sure_nothing_is_open()?;
        Ok(Attempt::Lost(error.to_string()))
    }

    /// A transaction that cannot be given up would take the next one's changes with it, or be
    /// committed by it: then nothing may run on this connection any more.
    fn make_sure_nothing_is_open(&mut self) -> Result<(), Fatal> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        let stays = |error: String| Fatal::Storage { during: "rolling back", error };
        if self.faults.refuses_rollback() {
            return Err(stays("refused".to_owned()));
        }
        self.statement("ROLLBACK").map_err(|error| stays(error.to_string()))?;
        if self.connection.is_autocommit() { Ok(()) } else { Err(stays("still open".to_owned())) }
    }

    /// A full disk is found while the pages are written, before the one that makes the commit
    /// valid, and "busy" before that: nothing is stored. So it is where a closure met a damaged page:
    /// the engine refuses to begin the commit. After anything else, a failed sync above
    /// all, the pages may or may not be on the disk; only a new process reading it again can tell.
    fn commit_failed(&mut self, error: &rusqlite::Error) -> Result<Attempt, Fatal> {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DatabaseCorrupt,
            ) => {
                self.make_sure_nothing_is_open()?;
                Ok(Attempt::Lost(error.to_string()))
            }
            _ => Err(Fatal::Storage { during: "committing", error: error.to_string() }),
        }
    }

    fn finish_batch(
        &mut self,
        jobs: &mut Vec<Box<dyn WriteJob>>,
        entries: &[Arc<Entry>],
    ) -> Result<(), Fatal> {
        trip("panic_in_writer");
        if self.faults.at(Point::AfterCommit) == Fate::End {
            return Err(ended("after a commit"));
        }
        // Who attends has the entries before the writers are answered, and is woken after: an answer
        // and the delivery of the same message leave together.
        let unrung = self.tail.publish(entries);
        for job in jobs.drain(..) {
            job.answer();
        }
        if self.faults.at(Point::AfterAck) == Fate::End {
            return Err(ended("after the answers"));
        }
        if let Some(unrung) = unrung {
            self.tail.ring(unrung);
        }
        Ok(())
    }

    fn statement(&self, sql: &'static str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// For reads between batches, by the executor without threads.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection as it is.
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }

    /// Closes the connection.
    pub(super) fn finish(self) {
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the writing connection did not close cleanly");
        }
    }
}

fn give_up(jobs: &mut Vec<Box<dyn WriteJob>>, error: &str) {
    tracing::error!(error, closures = jobs.len(), "not stored");
    for mut job in jobs.drain(..) {
        job.give_up(StoreError::TransactionLost(error.to_owned()));
        job.answer();
    }
}

fn ended(during: &'static str) -> Fatal {
    Fatal::Storage { during, error: "it ended here".to_owned() }
}
