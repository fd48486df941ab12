//! The threads that own the two files. A job goes in, its event comes out, in order; dropping the
//! [`StoreThreads`] lets both finish what they were given and close.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use yingke_shared::ids::{ClientId, ConversationId, Epoch, Seq};
use yingke_shared::views::{Message, Note};

use super::cache::{Cache, CacheContents, CacheWrite, Page, Tail};
use super::outbox::{NewMessage, OutboxContents, OutboxFile, Reoffer};
use super::{Shelf, StoreError};
use crate::limits::{OUTBOX_CLEANED_ROWS_MAX, STORE_QUEUE_MAX};
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
    Add {
        ticket: Ticket,
        message: Box<NewMessage>,
    },
    Change {
        ticket: Ticket,
        changes: Vec<Change>,
    },
    Discard {
        ticket: Ticket,
        client_id: ClientId,
    },
    Draft {
        ticket: Ticket,
        conversation_id: ConversationId,
        text: String,
    },
    EnterEpoch {
        ticket: Ticket,
        epoch: Epoch,
        wall_ms: u64,
    },
    /// Forget what was acknowledged too long ago to matter.
    Clean {
        ticket: Ticket,
        wall_ms: u64,
    },
}

/// What the outbox did.
pub(crate) enum OutboxDone {
    /// The message is on disk.
    Added(StoredMessage),
    /// So is the change.
    Changed,
    /// These are unsent again.
    OfferedAgain(Reoffer),
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
        page: Page,
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
                Some(StoreEvent::Page { ticket, page: Page::default() })
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
        | OutboxJob::EnterEpoch { ticket, .. }
        | OutboxJob::Clean { ticket, .. }) = job;
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

fn run_cache(folder: &Path, mut jobs: mpsc::Receiver<CacheJob>, out: &Out) {
    let (worker, opened) = CacheWorker::open(&Shelf::Disk, folder);
    out.say(opened);
    let Some(mut worker) = worker else { return };
    while let Some(job) = jobs.blocking_recv() {
        worker.run(job).into_iter().for_each(|event| out.say(event));
    }
}

fn run_outbox(folder: &Path, wall_ms: u64, mut jobs: mpsc::Receiver<OutboxJob>, out: &Out) {
    let (worker, opened) = OutboxWorker::open(&Shelf::Disk, folder, wall_ms);
    out.say(opened);
    let Some(mut worker) = worker else { return };
    while let Some(job) = jobs.blocking_recv() {
        out.say(worker.run(job));
    }
}

/// Does the cache's jobs; carried by its thread, or by hand.
pub(crate) struct CacheWorker {
    /// None once wiped, or when it cannot be made anew.
    cache: Option<Cache>,
    may_rebuild: bool,
}

impl CacheWorker {
    /// Opens the file, and what is to be told of it.
    pub(crate) fn open(shelf: &Shelf, folder: &Path) -> (Option<Self>, StoreEvent) {
        let opened = shelf
            .make_folder(folder)
            .map_err(StoreError::files("make the account's folder"))
            .and_then(|()| Cache::open(shelf, folder));
        match opened {
            Ok((cache, contents)) => {
                let worker = Self { cache: Some(cache), may_rebuild: true };
                (Some(worker), StoreEvent::CacheOpened(Box::new(contents)))
            }
            Err(error) => (None, StoreEvent::Refused(error)),
        }
    }

    /// Does one; gives what is to be told.
    pub(crate) fn run(&mut self, job: CacheJob) -> Vec<StoreEvent> {
        let mut events = Vec::new();
        match job {
            CacheJob::Write { ticket, write, tail_of } => {
                let done = self.cache.as_mut().map(|cache| cache.write(&write));
                let stored = matches!(done, Some(Ok(())));
                if let Some(Err(error)) = done {
                    tracing::warn!(%error, "the cache cannot be written and is dropped");
                    self.rebuild();
                    events.push(StoreEvent::CacheLost);
                }
                let tail = tail_of.map(|id| {
                    let tail = self.cache.as_ref().and_then(|cache| cache.tail(&id).ok().flatten());
                    (id, tail)
                });
                events.push(StoreEvent::Written { ticket, stored, tail });
            }
            CacheJob::Page { ticket, conversation_id, before, limit } => {
                let page =
                    self.cache.as_ref().map(|cache| cache.page(&conversation_id, before, limit));
                let page = page.transpose().unwrap_or_else(|error| {
                    tracing::warn!(%error, "the cache cannot be read");
                    None
                });
                events.push(StoreEvent::Page { ticket, page: page.unwrap_or_default() });
            }
            CacheJob::Wipe => {
                if let Some(Err(error)) = self.cache.take().map(Cache::wipe) {
                    tracing::error!(%error, "the cache of a signed-out account stays on disk");
                }
            }
        }
        events
    }

    /// A cache that broke is made anew once; if that does not help (a full disk), the session goes on
    /// without one.
    fn rebuild(&mut self) {
        let Some(cache) = self.cache.take() else { return };
        if !std::mem::take(&mut self.may_rebuild) {
            return;
        }
        match cache.rebuild() {
            Ok(cache) => self.cache = Some(cache),
            Err(error) => tracing::warn!(%error, "there is no cache until the next start"),
        }
    }

    /// What is on disk of a conversation, from its newest message back to the first hole.
    pub(crate) fn messages(&self, conversation_id: &ConversationId) -> Vec<Message> {
        self.page(conversation_id).map(|page| page.messages).unwrap_or_default()
    }

    /// The notes among them.
    pub(crate) fn notes(&self, conversation_id: &ConversationId) -> Vec<Note> {
        self.page(conversation_id).map(|page| page.notes).unwrap_or_default()
    }

    /// Closes the file.
    pub(crate) fn close(self) {
        if let Some(cache) = self.cache {
            cache.close();
        }
    }

    fn page(&self, conversation_id: &ConversationId) -> Option<Page> {
        let cache = self.cache.as_ref();
        cache.and_then(|cache| cache.page(conversation_id, None, u32::MAX).ok())
    }
}

/// Does the outbox's jobs; carried by its thread, or by hand.
pub(crate) struct OutboxWorker {
    file: OutboxFile,
}

impl OutboxWorker {
    /// Opens the file, and what is to be told of it.
    pub(crate) fn open(shelf: &Shelf, folder: &Path, wall_ms: u64) -> (Option<Self>, StoreEvent) {
        let opened = shelf
            .make_folder(folder)
            .map_err(StoreError::files("make the account's folder"))
            .and_then(|()| OutboxFile::open(shelf, folder, wall_ms));
        match opened {
            Ok((file, contents)) => {
                (Some(Self { file }), StoreEvent::OutboxOpened(Box::new(contents)))
            }
            Err(error) => (None, StoreEvent::Refused(error)),
        }
    }

    /// Closes the file.
    pub(crate) fn close(self) {
        self.file.close();
    }

    /// Does one; gives what is to be told.
    pub(crate) fn run(&mut self, job: OutboxJob) -> StoreEvent {
        let file = &mut self.file;
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
            OutboxJob::Clean { ticket, wall_ms } => {
                let cleaned = file.forget_old(wall_ms, OUTBOX_CLEANED_ROWS_MAX);
                (ticket, cleaned.map(|()| OutboxDone::Changed))
            }
        };
        StoreEvent::Outbox { ticket, result }
    }
}
