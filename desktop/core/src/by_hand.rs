//! The client core carried by hand: whoever holds it says what happened, carries out what it wants,
//! and says when its files are written. No thread, no socket, no file on disk, no clock of its own.
//!
//! For simulation. The engine, the connection, the outbox and the SQL are the product's; only what
//! [`crate::core`] does with threads and sockets is the holder's. Dropping it ends it as a crash
//! would: jobs that were not turned never happened, what was written is there for the next one.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use yingke_shared::ids::ConversationId;
use yingke_shared::rest::{ServedPage, SignIn, SignedIn};
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::views::{ConversationRecord, Message, Note};

use crate::bridge::types::{UiError, UiErrorKind, UiPush, UiReply, UiRequest};
use crate::engine::{Effect, Engine, Event};
use crate::host::Host;
use crate::net::NetEvent;
use crate::net::socket::SocketEvent;
use crate::profile::Profile;
use crate::store::Shelf;
use crate::store::thread::{CacheJob, CacheWorker, OutboxJob, OutboxWorker};

/// The files of a computer; they outlive the clients that run on it.
#[derive(Clone)]
pub struct Computer {
    shelf: Shelf,
    profile: Arc<Mutex<Profile>>,
}

impl Default for Computer {
    fn default() -> Self {
        Self { shelf: Shelf::memory(), profile: Arc::default() }
    }
}

impl Computer {
    /// Makes it as a new one. Nothing may run on it. Whether that could be done.
    #[must_use]
    pub fn clear(&self) -> bool {
        if let Ok(mut profile) = self.profile.lock() {
            *profile = Profile::default();
        }
        self.shelf.clear().is_ok()
    }
}

/// Something that happened.
pub enum Happened {
    /// A person did something.
    Asked {
        /// Comes back with the answer.
        request_id: u64,
        /// What.
        request: UiRequest,
    },
    /// The socket of this dial is open.
    Opened {
        /// Which.
        dial: u64,
    },
    /// A text frame came on it.
    Heard {
        /// Which.
        dial: u64,
        /// The frame.
        frame: String,
    },
    /// It could not be opened, or is closed.
    Closed {
        /// Which.
        dial: u64,
    },
    /// A sign-in was answered.
    SignedIn {
        /// Which.
        call: u64,
        /// The answer.
        result: Result<SignedIn, UiError>,
    },
    /// A page of the inbox was answered.
    Served {
        /// Of which opening of an account.
        account: u64,
        /// Which.
        call: u64,
        /// The answer.
        result: Result<ServedPage, UiError>,
    },
    /// Time passed.
    Time,
}

/// Something to be done.
pub enum Wanted {
    /// Dial the relay.
    Dial {
        /// Names the socket.
        dial: u64,
    },
    /// Send a frame on the newest socket.
    Send {
        /// The frame.
        frame: String,
    },
    /// Close it.
    HangUp,
    /// Ask for a session.
    SignIn {
        /// Comes back with the answer.
        call: u64,
        /// With what.
        form: SignIn,
    },
    /// End a session.
    SignOut {
        /// Its token.
        token: String,
    },
    /// Ask for a page of the inbox.
    LoadServed {
        /// Comes back with the answer.
        account: u64,
        /// Comes back with the answer.
        call: u64,
        /// With which session.
        token: String,
        /// After which conversation.
        after: Option<ConversationId>,
    },
    /// Tell the person.
    Push(Box<UiPush>),
    /// Answer the person.
    Reply {
        /// To what.
        request_id: u64,
        /// How.
        result: Box<Result<UiReply, UiError>>,
    },
}

/// Work for one of the two files, in order.
enum FileWork<J> {
    Open { account: u64, folder: PathBuf, wall_ms: u64 },
    Do { account: u64, job: J },
    Close { account: u64 },
}

/// See the module.
pub struct ByHand {
    host: Arc<dyn Host>,
    computer: Computer,
    engine: Engine,
    /// The account whose files are named by jobs from now on.
    account: Option<u64>,
    cache_work: VecDeque<FileWork<CacheJob>>,
    outbox_work: VecDeque<FileWork<OutboxJob>>,
    cache: Option<CacheWorker>,
    outbox: Option<OutboxWorker>,
    /// The account one of whose files is closed already.
    half_closed: Option<u64>,
}

impl ByHand {
    /// Starts a client on this computer; gives what it wants first.
    #[must_use]
    pub fn start(host: Arc<dyn Host>, computer: Computer) -> (Self, Vec<Wanted>) {
        let profile = computer.profile.lock().map(|profile| profile.clone()).unwrap_or_default();
        let engine = Engine::new(Arc::clone(&host), profile);
        let mut client = Self {
            host,
            computer,
            engine,
            account: None,
            cache_work: VecDeque::new(),
            outbox_work: VecDeque::new(),
            cache: None,
            outbox: None,
            half_closed: None,
        };
        let wanted = client.feed(vec![Event::Started]);
        (client, wanted)
    }

    /// One thing that happened; gives what is to be done about it.
    pub fn happened(&mut self, happened: Happened) -> Vec<Wanted> {
        let socket = |dial, event| Event::Net(NetEvent::Socket { dial, event });
        let event = match happened {
            Happened::Asked { request_id, request } => Event::Ui { request_id, request },
            Happened::Opened { dial } => socket(dial, SocketEvent::Opened),
            Happened::Heard { dial, frame } => socket(dial, SocketEvent::Frame(frame.into())),
            Happened::Closed { dial } => socket(dial, SocketEvent::Closed),
            Happened::SignedIn { call, result } => Event::Net(NetEvent::SignedIn { call, result }),
            Happened::Served { account, call, result } => {
                Event::Net(NetEvent::Served { account, call, result })
            }
            Happened::Time => Event::Tick,
        };
        self.feed(vec![event])
    }

    /// When [`Happened::Time`] is due, by the host's monotonic clock.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.engine.deadline()
    }

    /// Whether a file has work: of the cache, of the outbox.
    #[must_use]
    pub fn has_file_work(&self) -> (bool, bool) {
        (!self.cache_work.is_empty(), !self.outbox_work.is_empty())
    }

    /// Does the cache's next piece of work.
    pub fn turn_cache(&mut self) -> Vec<Wanted> {
        let events = match self.cache_work.pop_front() {
            None => Vec::new(),
            Some(FileWork::Open { account, folder, .. }) => {
                self.close_cache();
                let (cache, opened) = CacheWorker::open(&self.computer.shelf, &folder);
                self.cache = cache;
                vec![Event::Store { account, event: opened }]
            }
            Some(FileWork::Do { account, job }) => {
                let events = self.cache.as_mut().map(|cache| cache.run(job)).unwrap_or_default();
                events.into_iter().map(|event| Event::Store { account, event }).collect()
            }
            Some(FileWork::Close { account }) => {
                self.close_cache();
                self.closed(account)
            }
        };
        self.feed(events)
    }

    /// Does the outbox's next piece of work.
    pub fn turn_outbox(&mut self) -> Vec<Wanted> {
        let events = match self.outbox_work.pop_front() {
            None => Vec::new(),
            Some(FileWork::Open { account, folder, wall_ms }) => {
                self.close_outbox();
                let (outbox, opened) = OutboxWorker::open(&self.computer.shelf, &folder, wall_ms);
                self.outbox = outbox;
                vec![Event::Store { account, event: opened }]
            }
            Some(FileWork::Do { account, job }) => {
                let event = self.outbox.as_mut().map(|outbox| outbox.run(job));
                event.map(|event| Event::Store { account, event }).into_iter().collect()
            }
            Some(FileWork::Close { account }) => {
                self.close_outbox();
                self.closed(account)
            }
        };
        self.feed(events)
    }

    fn close_cache(&mut self) {
        if let Some(cache) = self.cache.take() {
            cache.close();
        }
    }

    fn close_outbox(&mut self) {
        if let Some(outbox) = self.outbox.take() {
            outbox.close();
        }
    }

    /// Both files of an account are closed when the second one is.
    fn closed(&mut self, account: u64) -> Vec<Event> {
        if self.half_closed.replace(account) == Some(account) {
            self.half_closed = None;
            return vec![Event::AccountClosed { account }];
        }
        Vec::new()
    }

    fn feed(&mut self, events: Vec<Event>) -> Vec<Wanted> {
        let mut events = VecDeque::from(events);
        let mut wanted = Vec::new();
        while let Some(event) = events.pop_front() {
            for effect in self.engine.handle(event) {
                self.carry_out(effect, &mut wanted, &mut events);
            }
        }
        wanted
    }

    fn carry_out(
        &mut self,
        effect: Effect,
        wanted: &mut Vec<Wanted>,
        events: &mut VecDeque<Event>,
    ) {
        match effect {
            Effect::Open { dial, .. } => wanted.push(Wanted::Dial { dial }),
            Effect::Send { frame } => wanted.push(Wanted::Send { frame }),
            Effect::Close => wanted.push(Wanted::HangUp),
            Effect::SignIn { call, form, .. } => wanted.push(Wanted::SignIn { call, form }),
            Effect::SignOut { token, .. } => wanted.push(Wanted::SignOut { token }),
            // The holder has no such routes: as if the relay could not be reached.
            Effect::ChangePassword { call, .. } => {
                let result = Err(UiError::of(UiErrorKind::Offline));
                events.push_back(Event::Net(NetEvent::PasswordChanged { call, result }));
            }
            Effect::Call { account, call, .. } => {
                let result = Err(UiError::of(UiErrorKind::Offline));
                events.push_back(Event::Net(NetEvent::Called { account, call, result }));
            }
            Effect::LoadRecord { account, call, .. } => {
                let result = Err(UiError::of(UiErrorKind::Offline));
                events.push_back(Event::Net(NetEvent::Record { account, call, result }));
            }
            Effect::LoadServed { account, call, token, after, .. } => {
                wanted.push(Wanted::LoadServed { account, call, token, after });
            }
            Effect::OpenAccount { account, folder, wall_ms } => {
                self.account = Some(account);
                let copy = folder.clone();
                self.cache_work.push_back(FileWork::Open { account, folder, wall_ms });
                self.outbox_work.push_back(FileWork::Open { account, folder: copy, wall_ms });
            }
            Effect::CloseAccount { account } => {
                self.cache_work.push_back(FileWork::Close { account });
                self.outbox_work.push_back(FileWork::Close { account });
            }
            Effect::Cache(job) => {
                if let Some(account) = self.account {
                    self.cache_work.push_back(FileWork::Do { account, job });
                }
            }
            Effect::Outbox(job) => {
                if let Some(account) = self.account {
                    self.outbox_work.push_back(FileWork::Do { account, job });
                }
            }
            Effect::SaveProfile { request_id, profile } => {
                if let Ok(mut kept) = self.computer.profile.lock() {
                    *kept = *profile;
                }
                events.push_back(Event::ProfileSaved { request_id, saved: true });
            }
            Effect::ReadSecret { call, key } => {
                let secrets = self.host.secrets();
                let value = secrets.and_then(|secrets| secrets.read(&key).ok().flatten());
                events.push_back(Event::Secret { call, value });
            }
            Effect::WriteSecret { key, value } => {
                // What the key store refuses is asked for again by a person.
                let _ = self.host.secrets().map(|secrets| secrets.write(&key, &value));
            }
            Effect::DeleteSecret { key } => {
                let _ = self.host.secrets().map(|secrets| secrets.delete(&key));
            }
            Effect::Notify(notice) => self.host.notify(*notice),
            Effect::Withdraw { conversation_id } => self.host.withdraw(&conversation_id),
            Effect::Push(push) => wanted.push(Wanted::Push(push)),
            Effect::Reply { request_id, result } => {
                wanted.push(Wanted::Reply { request_id, result });
            }
        }
    }

    /// What the client holds, in the form of a snapshot.
    #[must_use]
    pub fn held(&self) -> Option<StaffSnapshot> {
        self.engine.held()
    }

    /// What the cache holds of a conversation, from its newest message back to the first hole.
    #[must_use]
    pub fn messages_on_disk(&self, conversation_id: &ConversationId) -> Vec<Message> {
        self.cache.as_ref().map(|cache| cache.messages(conversation_id)).unwrap_or_default()
    }

    /// The notes among them.
    #[must_use]
    pub fn notes_on_disk(&self, conversation_id: &ConversationId) -> Vec<Note> {
        self.cache.as_ref().map(|cache| cache.notes(conversation_id)).unwrap_or_default()
    }

    /// The conversations it watches, as it holds them.
    #[must_use]
    pub fn watched(&self) -> Vec<ConversationRecord> {
        self.engine.watched()
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        self.close_cache();
        self.close_outbox();
    }
}
