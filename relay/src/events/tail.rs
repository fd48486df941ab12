//! The end of the log in memory: published strictly in order after each commit, read by the few who
//! follow the whole log (fan-out, the assignment driver). A follower that falls behind what is kept
//! reads the database instead and misses nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use yingke_shared::ids::{Epoch, Position};

use super::Entry;
use super::read::{ReadLimits, read_after};
use super::stored::size_of;
use crate::limits::{LOG_READ_ENTRIES_MAX, TAIL_BYTES_MAX, TAIL_ENTRIES_MAX};
use crate::store::{Store, StoreError};

/// The newest entries. Written by whoever runs batches, and by nobody else.
pub(crate) struct Tail {
    state: Mutex<State>,
    /// Wakes followers; true once nothing more will come.
    published: watch::Sender<Published>,
    limits: TailLimits,
}

#[derive(Clone, Copy)]
struct Published {
    head: Position,
    closed: bool,
}

#[derive(Clone, Copy)]
pub(super) struct TailLimits {
    pub(super) entries_max: usize,
    pub(super) bytes_max: usize,
}

struct State {
    epoch: Epoch,
    /// Dense: each position is one above the one before, the last is the head.
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    head: Position,
}

impl Tail {
    pub(crate) fn new(epoch: Epoch, head: Position) -> Self {
        let limits = TailLimits { entries_max: TAIL_ENTRIES_MAX, bytes_max: TAIL_BYTES_MAX };
        Self::with_limits(epoch, head, limits)
    }

    pub(super) fn with_limits(epoch: Epoch, head: Position, limits: TailLimits) -> Self {
        let state = State { epoch, entries: VecDeque::new(), bytes: 0, head };
        let (published, _) = watch::channel(Published { head, closed: false });
        Self { state: Mutex::new(state), published, limits }
    }

    /// Shows committed entries to the followers. They continue where the last ones ended.
    pub(crate) fn publish(&self, entries: Vec<Arc<Entry>>) {
        let Some(head) = entries.last().map(|entry| entry.position) else { return };
        let mut state = self.state.lock();
        for entry in entries {
            state.bytes += size_of(&entry);
            state.entries.push_back(entry);
        }
        state.head = head;
        while state.entries.len() > self.limits.entries_max || state.bytes > self.limits.bytes_max {
            let Some(oldest) = state.entries.pop_front() else { break };
            state.bytes -= size_of(&oldest);
        }
        drop(state);
        self.published.send_modify(|published| published.head = head);
    }

    pub(crate) fn head(&self) -> (Epoch, Position) {
        let state = self.state.lock();
        (state.epoch.clone(), state.head)
    }

    pub(crate) fn set_epoch(&self, epoch: Epoch) {
        self.state.lock().epoch = epoch;
    }

    /// Followers end when they have read what there is.
    pub(crate) fn close(&self) {
        self.published.send_modify(|published| published.closed = true);
    }

    /// What follows `after` in memory; `None` if its beginning is no longer kept.
    fn after(&self, after: Position) -> Option<Vec<Arc<Entry>>> {
        let state = self.state.lock();
        let oldest = state.entries.front()?.position.get();
        let skip = after.next().get().checked_sub(oldest)?;
        let skip = usize::try_from(skip).ok()?;
        Some(state.entries.iter().skip(skip).take(LOG_READ_ENTRIES_MAX).cloned().collect())
    }
}

/// Why a follower cannot read on.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The store is closed: nothing more can be read.
    #[error("the log is closed")]
    Closed,
    /// The database could not be read; the same call may be tried again.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for LogError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Closed,
            error => Self::Store(error),
        }
    }
}

/// A follower of the whole log.
pub struct LogReader {
    store: Store,
    tail: Arc<Tail>,
    published: watch::Receiver<Published>,
    /// Everything up to here was given out.
    position: Position,
}

impl LogReader {
    pub(crate) fn new(store: Store, tail: Arc<Tail>, from: Position) -> Self {
        let published = tail.published.subscribe();
        Self { store, tail, published, position: from }
    }

    /// Everything up to here was given out.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next entries: in order, without a hole, at least one. Waits if there are none yet.
    /// Nothing is lost when the waiting is given up.
    pub async fn next(&mut self) -> Result<Vec<Arc<Entry>>, LogError> {
        loop {
            let Published { head, closed } = *self.published.borrow_and_update();
            if head > self.position {
                let entries = match self.tail.after(self.position) {
                    Some(entries) => entries,
                    None => self.read_database().await?,
                };
                if let Some(newest) = entries.last() {
                    self.position = newest.position;
                    return Ok(entries);
                }
            }
            if closed || self.published.changed().await.is_err() {
                return Err(LogError::Closed);
            }
        }
    }

    async fn read_database(&self) -> Result<Vec<Arc<Entry>>, LogError> {
        let after = self.position;
        let limits = ReadLimits { entries_max: LOG_READ_ENTRIES_MAX, bytes_max: TAIL_BYTES_MAX };
        let stretch = self
            .store
            .read_for_spine("follow the log", move |tx| read_after(tx, after, limits))
            .await?;
        Ok(stretch.entries.into_iter().map(Arc::new).collect())
    }
}
