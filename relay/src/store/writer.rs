//! The writer thread: takes what queued while the last commit ran and runs it as a batch. One that comes
//! alone goes at once; under load commits keep a small distance, so that more share a sync.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::batch::{Engine, WriteJob};
use super::checkpoint::Bell;
use super::stint::Stint;
use super::threads::{self, Alarm};
use super::{Fatal, OpenError, WriteError};
use crate::limits::{
    BATCH_CLOSURES_MAX, COMMIT_DISTANCE_US, COMPANY_ENOUGH, COMPANY_LOOK_US, WRITE_QUEUE_MAX,
};
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

/// When the last batch began, and with how many.
#[derive(Debug, Default)]
struct Pace {
    begun: Option<Instant>,
    length: usize,
}

impl Pace {
    /// How long a batch of `length` waits for company at `now`, before this is asked again. A sync costs
    /// the same for one closure and for a hundred, and on a fast disk each would take a handful with it
    /// while others are on their way. Nobody waits who is alone, now and in the batch before, and nobody
    /// waits for more than [`COMPANY_ENOUGH`].
    fn rest(&self, length: usize, now: Instant) -> Option<Duration> {
        if self.length.max(length) < 2 || length >= COMPANY_ENOUGH {
            return None;
        }
        let distance = Duration::from_micros(COMMIT_DISTANCE_US);
        let rest = distance.checked_sub(now.saturating_duration_since(self.begun?))?;
        (!rest.is_zero()).then_some(rest.min(Duration::from_micros(COMPANY_LOOK_US)))
    }

    fn begin(&mut self, length: usize, now: Instant) {
        *self = Self { begun: Some(now), length };
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
    let mut pace = Pace::default();
    while queue.blocking_recv_many(&mut messages, BATCH_CLOSURES_MAX) > 0 {
        while let Some(step) = pace.rest(messages.len() + queue.len(), Instant::now()) {
            std::thread::sleep(step);
        }
        while messages.len() < BATCH_CLOSURES_MAX
            && let Ok(message) = queue.try_recv()
        {
            messages.push(message);
        }
        pace.begin(messages.len(), Instant::now());
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

#[cfg(test)]
mod tests {
    use super::*;

    const US: Duration = Duration::from_micros(1);

    #[test]
    fn who_is_alone_goes_at_once_and_a_crowd_shares_a_sync() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.rest(7, start), None, "the first");
        pace.begin(1, start);
        assert_eq!(pace.rest(1, start + 300 * US), None, "one after another");
        let look = Some(Duration::from_micros(COMPANY_LOOK_US));
        assert_eq!(pace.rest(2, start + 300 * US), look);
        pace.begin(2, start);
        assert_eq!(pace.rest(1, start + 300 * US), look, "others are on their way");
        assert_eq!(pace.rest(9, start + 950 * US), Some(50 * US));
        assert_eq!(pace.rest(9, start + 1_000 * US), None);
        assert_eq!(pace.rest(9, start + 5_000 * US), None);
        assert_eq!(pace.rest(COMPANY_ENOUGH, start), None, "no need to wait");
    }
}
