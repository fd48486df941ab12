//! The threads that own the two files. A job goes in, its event comes out, in order; dropping the
//! [`StoreThreads`] lets both finish what they were given and close.

use std::path::PathBuf;
use std::thread::JoinHandle;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use yingke_shared::ids::{ClientId, ConversationId, Epoch, Seq};
use yingke_shared::views::Message;

use super::cache::{Cache, CacheContents, CacheWrite, Tail};
use super::outbox::{NewMessage, OutboxContents, OutboxFile};
use super::{StoreError, make_private_folder};
use crate::limits::STORE_QUEUE_MAX;
use crate::outbox::{Change, StoredMessage};

/// Tells which job an event answers.
pub(crate) type Ticket = u64;

/// Work for the cache.
pub(crate) enum CacheJob {
    /// Write rows; say the tail of one conversation afterwards, if asked.
    Write { ticket: Ticket, write: Box<CacheWrite>, tail_of: Option<ConversationId> },
    /// Read a page (see [`Cache::page`]).
    Page { ticket: Ticket, conversation_id: ConversationId, before: Option<Seq>, limit: u32 },
    /// Drop the file.
    Wipe,
}

/// Work for the outbox.
pub(crate) enum OutboxJob {
    Add { ticket: Ticket, message: Box<NewMessage> },
    Change { ticket: Ticket, changes: Vec<Change> },
    Discard { ticket: Ticket, client_id: ClientId },
    Draft { ticket: Ticket, conversation_id: ConversationId, text: String },
    EnterEpoch { ticket: Ticket, epoch: Epoch, wall_ms: u64 },
}

/// What the outbox did.
pub(crate) enum OutboxDone {
    /// The message is on disk.
    Added(StoredMessage),
    /// So is the change.
    Changed,
    /// These are unsent again.
    OfferedAgain(Vec<StoredMessage>),
}

/// What the threads tell the loop.
pub(crate) enum StoreEvent {
    CacheOpened(Box<CacheContents>),
    OutboxOpened(Box<OutboxContents>),
    /// One of them could not be opened: the account cannot be used.
    Refused(StoreError),
    /// Rows are on disk (or, with a broken cache, are not).
    Written {
        ticket: Ticket,
        stored: bool,
        tail: Option<(ConversationId, Option<Tail>)>,
    },
    /// The cache broke and is empty now.
    CacheLost,
    Page {
        ticket: Ticket,
        messages: Vec<Message>,
    },
    Outbox {
        ticket: Ticket,
        result: Result<OutboxDone, StoreError>,
    },
}

/// An event, and of which opening of an account it is.
pub(crate) type TaggedStoreEvent = (u64, StoreEvent);

/// Both threads of an open account.
pub(crate) struct StoreThreads {
    cache: mpsc::Sender<CacheJob>,
    outbox: mpsc::Sender<OutboxJob>,
    threads: Vec<JoinHandle<()>>,
}

impl StoreThreads {
    /// Starts both; each says first that its file is open, or why not.
    pub(crate) fn spawn(
        account: u64,
        folder: PathBuf,
        wall_ms: u64,
        events: mpsc::Sender<TaggedStoreEvent>,
    ) -> std::io::Result<Self> {
        let (cache, cache_jobs) = mpsc::channel(STORE_QUEUE_MAX);
        let (outbox, outbox_jobs) = mpsc::channel(STORE_QUEUE_MAX);
        let out = Out { account, events: events.clone() };
        let cache_folder = folder.clone();
        let cache_thread = std::thread::Builder::new()
            .name("yingke-cache".to_owned())
            .spawn(move || run_cache(&cache_folder, cache_jobs, &out))?;
        let out = Out { account, events };
        let outbox_thread = std::thread::Builder::new()
            .name("yingke-outbox".to_owned())
            .spawn(move || run_outbox(&folder, wall_ms, outbox_jobs, &out))?;
        Ok(Self { cache, outbox, threads: vec![cache_thread, outbox_thread] })
    }

    /// Gives the cache work. If it hangs or is gone, the work's event comes back at once.
    pub(crate) fn cache(&self, job: CacheJob) -> Option<StoreEvent> {
        let (TrySendError::Full(job) | TrySendError::Closed(job)) =
            self.cache.try_send(job).err()?;
        match job {
            CacheJob::Write { ticket, .. } => {
                Some(StoreEvent::Written { ticket, stored: false, tail: None })
            }
            CacheJob::Page { ticket, .. } => {
                Some(StoreEvent::Page { ticket, messages: Vec::new() })
            }
            CacheJob::Wipe => None,
        }
    }

    /// Gives the outbox work. If it hangs or is gone, the work's event comes back at once.
    pub(crate) fn outbox(&self, job: OutboxJob) -> Option<StoreEvent> {
        let (TrySendError::Full(job) | TrySendError::Closed(job)) =
            self.outbox.try_send(job).err()?;
        let (OutboxJob::Add { ticket, .. }
        | OutboxJob::Change { ticket, .. }
        | OutboxJob::Discard { ticket, .. }
        | OutboxJob::Draft { ticket, .. }
        | OutboxJob::EnterEpoch { ticket, .. }) = job;
        Some(StoreEvent::Outbox { ticket, result: Err(StoreError::Stuck) })
    }

    /// Lets both finish and waits for them. Blocks.
    pub(crate) fn finish(self) {
        let Self { cache, outbox, threads } = self;
        drop((cache, outbox));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a storage thread ended by a bug");
            }
        }
    }
}

struct Out {
    account: u64,
    events: mpsc::Sender<TaggedStoreEvent>,
}

impl Out {
    fn say(&self, event: StoreEvent) {
        // Nobody listens any more when the core was ended: the work itself is done.
        let _ = self.events.blocking_send((self.account, event));
    }
}

fn run_cache(folder: &std::path::Path, mut jobs: mpsc::Receiver<CacheJob>, out: &Out) {
    let opened = make_private_folder(folder)
        .map_err(StoreError::files("make the account's folder"))
        .and_then(|()| Cache::open(folder));
    let mut cache = match opened {
        Ok((cache, contents)) => {
            out.say(StoreEvent::CacheOpened(Box::new(contents)));
            Some(cache)
        }
        Err(error) => return out.say(StoreEvent::Refused(error)),
    };
    let mut may_rebuild = true;
    while let Some(job) = jobs.blocking_recv() {
        match job {
            CacheJob::Write { ticket, write, tail_of } => {
                let done = cache.as_mut().map(|cache| cache.write(&write));
                let stored = matches!(done, Some(Ok(())));
                if let Some(Err(error)) = done {
                    tracing::warn!(%error, "the cache cannot be written and is dropped");
                    cache = rebuilt(cache, &mut may_rebuild);
                    out.say(StoreEvent::CacheLost);
                }
                let tail = tail_of.map(|id| {
                    let tail = cache.as_ref().and_then(|cache| cache.tail(&id).ok().flatten());
                    (id, tail)
                });
                out.say(StoreEvent::Written { ticket, stored, tail });
            }
            CacheJob::Page { ticket, conversation_id, before, limit } => {
                let page = cache.as_ref().map(|cache| cache.page(&conversation_id, before, limit));
                let messages = page.transpose().unwrap_or_else(|error| {
                    tracing::warn!(%error, "the cache cannot be read");
                    None
                });
                out.say(StoreEvent::Page { ticket, messages: messages.unwrap_or_default() });
            }
            CacheJob::Wipe => {
                if let Some(Err(error)) = cache.take().map(Cache::wipe) {
                    tracing::error!(%error, "the cache of a signed-out account stays on disk");
                }
            }
        }
    }
}

/// A cache that broke is made anew once; if that does not help (a full disk), the session goes on
/// without one.
fn rebuilt(cache: Option<Cache>, may_rebuild: &mut bool) -> Option<Cache> {
    if !std::mem::take(may_rebuild) {
        return None;
    }
    match cache?.rebuild() {
        Ok(cache) => Some(cache),
        Err(error) => {
            tracing::warn!(%error, "there is no cache until the next start");
            None
        }
    }
}

fn run_outbox(
    folder: &std::path::Path,
    wall_ms: u64,
    mut jobs: mpsc::Receiver<OutboxJob>,
    out: &Out,
) {
    let opened = make_private_folder(folder)
        .map_err(StoreError::files("make the account's folder"))
        .and_then(|()| OutboxFile::open(folder, wall_ms));
    let mut file = match opened {
        Ok((file, contents)) => {
            out.say(StoreEvent::OutboxOpened(Box::new(contents)));
            file
        }
        Err(error) => return out.say(StoreEvent::Refused(error)),
    };
    while let Some(job) = jobs.blocking_recv() {
        let (ticket, result) = match job {
            OutboxJob::Add { ticket, message } => {
                (ticket, file.add(&message).map(OutboxDone::Added))
            }
            OutboxJob::Change { ticket, changes } => {
                (ticket, file.change(&changes).map(|()| OutboxDone::Changed))
            }
            OutboxJob::Discard { ticket, client_id } => {
                (ticket, file.discard(&client_id).map(|()| OutboxDone::Changed))
            }
            OutboxJob::Draft { ticket, conversation_id, text } => {
                (ticket, file.set_draft(&conversation_id, &text).map(|()| OutboxDone::Changed))
            }
            OutboxJob::EnterEpoch { ticket, epoch, wall_ms } => {
                (ticket, file.enter_epoch(&epoch, wall_ms).map(OutboxDone::OfferedAgain))
            }
        };
        out.say(StoreEvent::Outbox { ticket, result });
    }
}
