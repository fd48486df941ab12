//! The end of the log in memory: published strictly in order after each commit, read by the few who
//! follow the whole log (fan-out, the assignment driver). A follower that falls behind what is kept
//! reads the database instead and misses nothing.
//!
//! One follower may be *attending*: while it is at the end of the log, what is committed is given to
//! it at once, on the thread that committed and before the writers are answered, so that an answer
//! and the delivery of the same message leave together. What it cannot take there it reads like any
//! other follower.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};
use yingke_shared::ids::{Epoch, Position};

use super::Entry;
use super::read::{ReadLimits, read_after};
use super::stored::size_of;
use crate::limits::{LOG_READ_ENTRIES_MAX, ROUTINE_WAITS_MS, TAIL_BYTES_MAX, TAIL_ENTRIES_MAX};
use crate::store::{Store, StoreError};

/// The newest entries. Written by whoever runs batches, and by nobody else.
pub(crate) struct Tail {
    /// Who takes entries on the writer's own thread. Locked before `state`.
    attending: Mutex<Option<Seat>>,
    state: Mutex<State>,
    /// Wakes followers; true once nothing more will come.
    published: watch::Sender<Published>,
    /// Changes when there are news among what was published.
    news: watch::Sender<()>,
    limits: TailLimits,
}

/// Takes entries as they are committed, on the thread that committed them: quickly, and without
/// waiting for anything.
pub(crate) trait Attendant: Send + 'static {
    /// Takes the first of them, in order; gives how many. Fewer than all ends the attendance: the rest
    /// is read from the log.
    fn take(&mut self, entries: &[Arc<Entry>]) -> usize;
    /// The writers were answered: whoever got something may be woken.
    fn wake(&mut self);
}

/// The attendant's place.
struct Seat {
    attendant: Box<dyn Attendant>,
    /// Told how far it came when it can take no more.
    ended: oneshot::Sender<Position>,
}

/// What was published and nobody was woken for yet.
#[must_use]
pub(crate) struct Unrung {
    head: Position,
    is_news: bool,
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
        let (news, _) = watch::channel(());
        Self { attending: Mutex::new(None), state: Mutex::new(state), published, news, limits }
    }

    /// Shows committed entries to the followers, which continue where the last ones ended. They are
    /// woken by [`Tail::ring`].
    pub(crate) fn publish(&self, entries: &[Arc<Entry>]) -> Option<Unrung> {
        let head = entries.last()?.position;
        let mut attending = self.attending.lock();
        let before = self.keep(entries, head);
        if let Some(seat) = attending.as_mut() {
            let taken = seat.attendant.take(entries).min(entries.len());
            if taken < entries.len()
                && let Some(Seat { mut attendant, ended }) = attending.take()
            {
                let last = taken.checked_sub(1).and_then(|last| entries.get(last));
                // Those that were taken are not woken by anybody else.
                attendant.wake();
                // Whoever went away meanwhile begins anew anyway.
                let _ = ended.send(last.map_or(before, |entry| entry.position));
            }
        }
        Some(Unrung { head, is_news: entries.iter().any(|entry| entry.body.is_news()) })
    }

    /// Wakes whom [`Tail::publish`] gave something.
    #[expect(clippy::needless_pass_by_value, reason = "taken, so that it is rung once")]
    pub(crate) fn ring(&self, unrung: Unrung) {
        let Unrung { head, is_news } = unrung;
        if let Some(seat) = self.attending.lock().as_mut() {
            seat.attendant.wake();
        }
        self.published.send_modify(|published| published.head = head);
        if is_news {
            self.news.send_replace(());
        }
    }

    /// Gives where the log ended before.
    fn keep(&self, entries: &[Arc<Entry>], head: Position) -> Position {
        let mut state = self.state.lock();
        for entry in entries {
            state.bytes += size_of(entry);
            state.entries.push_back(Arc::clone(entry));
        }
        let before = std::mem::replace(&mut state.head, head);
        while state.entries.len() > self.limits.entries_max || state.bytes > self.limits.bytes_max {
            let Some(oldest) = state.entries.pop_front() else { break };
            state.bytes -= size_of(&oldest);
        }
        before
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
        self.attending.lock().take();
        self.published.send_modify(|published| published.closed = true);
        self.news.send_replace(());
    }

    /// Gives the attendant its place if it has everything up to the end of the log.
    fn seat(
        &self,
        position: Position,
        attendant: Box<dyn Attendant>,
    ) -> Option<oneshot::Receiver<Position>> {
        let mut attending = self.attending.lock();
        if self.state.lock().head != position || self.published.borrow().closed {
            return None;
        }
        let (ended, told) = oneshot::channel();
        *attending = Some(Seat { attendant, ended });
        Some(told)
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
    /// Of a reader that lets messages and marks wait a little.
    news: Option<watch::Receiver<()>>,
    /// Everything up to here was given out.
    position: Position,
}

/// Frees the attendant's place.
struct Vacate<'t>(&'t Tail);

impl Drop for Vacate<'_> {
    fn drop(&mut self) {
        self.0.attending.lock().take();
    }
}

impl LogReader {
    pub(crate) fn new(store: Store, tail: Arc<Tail>, from: Position) -> Self {
        let published = tail.published.subscribe();
        Self { store, tail, published, news: None, position: from }
    }

    /// A reader that gets everything too: [news](super::LogBody::is_news) and what came before them
    /// at once, messages and marks alone some at a time, a little later.
    pub(crate) fn of_news(store: Store, tail: Arc<Tail>, from: Position) -> Self {
        let news = Some(tail.news.subscribe());
        Self { news, ..Self::new(store, tail, from) }
    }

    /// Everything up to here was given out.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// While nothing is left to read, `attendant` takes what is committed as it is. Ends when there is
    /// something to read again, be it that the attendant could not take it.
    pub(crate) async fn attend(&mut self, attendant: impl Attendant) -> Result<(), LogError> {
        let Some(told) = self.tail.seat(self.position, Box::new(attendant)) else { return Ok(()) };
        // If the waiting is given up, the place is free again.
        let _vacate = Vacate(&self.tail);
        self.position = told.await.map_err(|_| LogError::Closed)?;
        Ok(())
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
            if closed || !self.more().await {
                return Err(LogError::Closed);
            }
        }
    }

    /// Waits until there is more to read; gives whether there can be.
    async fn more(&mut self) -> bool {
        let Some(news) = &mut self.news else { return self.published.changed().await.is_ok() };
        // What of the news was seen with what has been read is known; what comes from now on is not.
        tokio::select! {
            biased;
            changed = news.changed() => changed.is_ok(),
            changed = self.published.changed() => {
                let routine = Duration::from_millis(ROUTINE_WAITS_MS);
                // Nothing wakes this reader for more of the same meanwhile.
                let _ = tokio::time::timeout(routine, news.changed()).await;
                changed.is_ok()
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
