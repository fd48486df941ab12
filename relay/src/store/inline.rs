//! The executor without threads: the caller's own thread runs the same batch code as the writer's.
//!
//! *At once* is for small tools: a closure is its own batch. *By turns* is for simulation: closures
//! queue as they do for the threads, and whoever holds the store says when a batch is run and when
//! reads are, so that what happens between asking and answering happens here too.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::batch::{Engine, WriteJob};
use super::memory::Parking;
use super::readers::ReadJob;
use super::threads::Alarm;
use super::{StoreError, WriteError};
use crate::limits::{READ_QUEUE_MAX, WRITE_QUEUE_MAX};

/// See the module.
pub(super) struct Inline {
    state: Mutex<State>,
    /// By turns: where the connection goes in the end.
    by_turns: Option<Parking>,
    /// Something was queued.
    bell: Notify,
    alarm: Alarm,
}

struct State {
    /// None once closed, or when the database cannot go on.
    engine: Option<Engine>,
    writes: VecDeque<Box<dyn WriteJob>>,
    reads: VecDeque<Box<dyn ReadJob>>,
    /// Their outcome is unknown: dropping them would answer "closed", which says that they are not
    /// stored.
    unanswered: Vec<Box<dyn WriteJob>>,
}

impl Inline {
    pub(super) fn new(engine: Engine, by_turns: Option<Parking>, alarm: Alarm) -> Self {
        let state = State {
            engine: Some(engine),
            writes: VecDeque::new(),
            reads: VecDeque::new(),
            unanswered: Vec::new(),
        };
        Self { state: Mutex::new(state), by_turns, bell: Notify::new(), alarm }
    }

    pub(super) fn write<R>(&self, job: Box<dyn WriteJob>) -> Result<(), WriteError<R>> {
        let mut state = self.state.lock();
        if state.engine.is_none() {
            return Err(WriteError::Closed);
        }
        if state.writes.len() >= WRITE_QUEUE_MAX {
            return Err(WriteError::Busy);
        }
        state.writes.push_back(job);
        if self.by_turns.is_some() {
            self.bell.notify_one();
        } else {
            self.run_writes(&mut state, 1);
        }
        Ok(())
    }

    pub(super) fn read(&self, job: Box<dyn ReadJob>) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if state.engine.is_none() {
            return Err(StoreError::Closed);
        }
        if state.reads.len() >= READ_QUEUE_MAX {
            return Err(StoreError::Busy);
        }
        state.reads.push_back(job);
        if self.by_turns.is_some() {
            self.bell.notify_one();
        } else {
            Self::run_reads(&mut state, 1);
        }
        Ok(())
    }

    /// Waits until something is queued.
    pub(super) async fn queued(&self) {
        loop {
            {
                let state = self.state.lock();
                if !state.writes.is_empty() || !state.reads.is_empty() {
                    return;
                }
            }
            self.bell.notified().await;
        }
    }

    /// One batch of at most `writes` closures and at most `reads` reads.
    pub(super) fn turn(&self, writes: usize, reads: usize) {
        let mut state = self.state.lock();
        self.run_writes(&mut state, writes);
        Self::run_reads(&mut state, reads);
    }

    fn run_writes(&self, state: &mut State, count: usize) {
        let count = count.min(state.writes.len());
        let mut batch: Vec<_> = state.writes.drain(..count).collect();
        let Some(engine) = state.engine.as_mut().filter(|_| !batch.is_empty()) else { return };
        if let Err(reason) = engine.run(&mut batch) {
            state.unanswered.append(&mut batch);
            // As when a process ends: what is open is not committed, what is queued never ran.
            self.end(state.engine.take());
            state.writes.clear();
            state.reads.clear();
            self.alarm.raise(reason);
        }
    }

    fn run_reads(state: &mut State, count: usize) {
        let Some(engine) = &state.engine else { return };
        let count = count.min(state.reads.len());
        for job in state.reads.drain(..count) {
            job.run(engine.connection());
        }
    }

    /// The engine is of no use any more; its connection is to the next store.
    fn end(&self, engine: Option<Engine>) {
        if let (Some(engine), Some(parking)) = (engine, &self.by_turns) {
            parking.park(engine.into_connection());
        }
    }

    /// Finishes what is queued and closes the connection.
    pub(super) fn close(&self) {
        self.turn(WRITE_QUEUE_MAX, READ_QUEUE_MAX);
        if let Some(engine) = self.state.lock().engine.take() {
            engine.finish();
        }
    }
}

impl Drop for Inline {
    fn drop(&mut self) {
        let engine = self.state.get_mut().engine.take();
        self.end(engine);
    }
}
