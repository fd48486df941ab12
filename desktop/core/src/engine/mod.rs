//! The closed event loop's inside: events in, effects out. It does no I/O and never waits; the clock
//! and randomness come from the host, everything else comes back as an event.
//!
//! `mod` is the loop's step; `session` signs in and out; `account` is one open account and its link,
//! `commands` what it has on its way, `calls` what it asks over HTTP, `served` the inbox beyond a
//! snapshot, `watching` what every link is asked for anew, `closing` ends what visitors left; `requests`
//! does what a person asked; `attending` tells of what waits; `stored` hears the storage threads; `show`
//! tells the workbench what changed; `frames` knows the wire's encoding.

mod account;
mod attending;
mod calls;
mod closing;
mod commands;
mod frames;
mod requests;
mod served;
mod session;
mod show;
mod stored;
mod watching;

use std::path::PathBuf;
use std::sync::Arc;

use yingke_shared::ids::{ClientId, ConversationId};
use yingke_shared::rest::{ChangePassword, SignIn};
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::time::Timestamp;
use yingke_shared::views::ConversationRecord;

use crate::address::ServerAddress;
use crate::bridge::calls::RelayCall;
use crate::bridge::types::{UiError, UiErrorKind, UiPush, UiReply, UiRequest};
use crate::host::{Host, Notice};
use crate::net::NetEvent;
use crate::profile::Profile;
use crate::store::StoreEvent;
use crate::store::thread::{CacheJob, OutboxJob};

use account::Account;
use session::Session;

/// Tells which request of the workbench a reply is for.
pub(crate) type RequestId = u64;

/// Everything that can happen.
pub(crate) enum Event {
    /// The core starts.
    Started,
    /// A person did something.
    Ui { request_id: RequestId, request: UiRequest },
    /// The network said something.
    Net(NetEvent),
    /// A storage thread said something, of this opening of an account.
    Store { account: u64, event: StoreEvent },
    /// Both files of an account are closed.
    AccountClosed { account: u64 },
    /// The profile is on disk, or is not.
    ProfileSaved { request_id: Option<RequestId>, saved: bool },
    /// What the key store holds.
    Secret { call: u64, value: Option<String> },
    /// Time passed.
    Tick,
}

/// Everything that can be done about it.
pub(crate) enum Effect {
    Open {
        dial: u64,
        server: ServerAddress,
    },
    Send {
        frame: String,
    },
    Close,
    SignIn {
        call: u64,
        server: ServerAddress,
        form: SignIn,
    },
    SignOut {
        server: ServerAddress,
        token: String,
    },
    ChangePassword {
        call: u64,
        server: ServerAddress,
        token: String,
        change: ChangePassword,
    },
    LoadServed {
        account: u64,
        call: u64,
        server: ServerAddress,
        token: String,
        after: Option<ConversationId>,
    },
    Call {
        account: u64,
        call: u64,
        server: ServerAddress,
        token: String,
        what: Box<RelayCall>,
    },
    LoadRecord {
        account: u64,
        call: u64,
        server: ServerAddress,
        token: String,
        conversation_id: ConversationId,
    },
    OpenAccount {
        account: u64,
        folder: PathBuf,
        wall_ms: u64,
    },
    CloseAccount {
        account: u64,
    },
    Cache(CacheJob),
    Outbox(OutboxJob),
    SaveProfile {
        request_id: Option<RequestId>,
        profile: Box<Profile>,
    },
    ReadSecret {
        call: u64,
        key: String,
    },
    WriteSecret {
        key: String,
        value: String,
    },
    DeleteSecret {
        key: String,
    },
    /// Shows a notification of the system.
    Notify(Box<Notice>),
    /// Takes it away.
    Withdraw {
        conversation_id: ConversationId,
    },
    Push(Box<UiPush>),
    Reply {
        request_id: RequestId,
        result: Box<Result<UiReply, UiError>>,
    },
}

/// What a step may use of the world.
pub(crate) struct Step<'a> {
    /// Monotonic milliseconds.
    now: u64,
    /// This computer's clock, in milliseconds.
    wall: u64,
    host: &'a dyn Host,
    effects: &'a mut Vec<Effect>,
}

impl Step<'_> {
    fn jitter(&self) -> u32 {
        let mut bytes = [0; 4];
        self.host.random(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// A new id: sorts by time, and cannot be guessed or made twice.
    fn new_id(&self) -> ClientId {
        let mut bytes = [0; 10];
        loop {
            self.host.random(&mut bytes);
            let uuid = uuid::Builder::from_unix_timestamp_millis(self.wall, &bytes).into_uuid();
            // A UUID always is an id of this protocol.
            if let Ok(id) = ClientId::new(uuid.to_string()) {
                return id;
            }
        }
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::from_millis(self.wall).unwrap_or_default()
    }

    fn act(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn push(&mut self, push: UiPush) {
        self.act(Effect::Push(Box::new(push)));
    }

    fn reply(&mut self, request_id: RequestId, result: Result<UiReply, UiError>) {
        self.act(Effect::Reply { request_id, result: Box::new(result) });
    }

    fn done(&mut self, request_id: RequestId) {
        self.reply(request_id, Ok(UiReply::Done {}));
    }

    fn fail(&mut self, request_id: RequestId, kind: UiErrorKind) {
        self.reply(request_id, Err(UiError::of(kind)));
    }
}

/// The state of the client.
pub(crate) struct Engine {
    host: Arc<dyn Host>,
    profile: Profile,
    session: Session,
    /// The account whose files are open or being opened.
    account: Option<Account>,
    /// Numbers for calls and accounts; never used twice.
    serial: u64,
    /// Wall clock minus monotonic clock: a leap means the computer slept.
    drift: Option<u64>,
}

impl Engine {
    pub(crate) fn new(host: Arc<dyn Host>, profile: Profile) -> Self {
        Self { host, profile, session: Session::default(), account: None, serial: 0, drift: None }
    }

    /// One step of the loop.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Effect> {
        let host = Arc::clone(&self.host);
        let mut effects = Vec::new();
        let (now, wall) = (host.monotonic_ms(), host.wall_ms());
        let mut step = Step { now, wall, host: &*host, effects: &mut effects };
        self.notice_sleep(&mut step);
        match event {
            Event::Started => self.started(&mut step),
            Event::Ui { request_id, request } => self.requested(&mut step, request_id, request),
            Event::Net(event) => self.net(&mut step, event),
            Event::Store { account, event } => self.stored(&mut step, account, event),
            Event::AccountClosed { account } => self.account_closed(&mut step, account),
            Event::ProfileSaved { request_id, saved } => {
                self.profile_saved(&mut step, request_id, saved);
            }
            Event::Secret { call, value } => self.secret_read(&mut step, call, value.as_deref()),
            Event::Tick => self.tick(&mut step),
        }
        self.end_if_over(&mut step);
        if let Some(account) = &mut self.account {
            account.settle(&mut step);
            let preferences = &self.profile.preferences;
            account.attend(&mut step, preferences.alerts, &preferences.locale);
            if account.shown.take_state_dirty() {
                self.push_state(&mut step);
            }
        }
        if let Some(account) = &mut self.account {
            account.show(&mut step);
        }
        effects
    }

    /// When the next tick is due, by the monotonic clock.
    pub(crate) fn deadline(&self) -> Option<u64> {
        let account = self.account.as_ref().and_then(|account| account.deadline(self.now()));
        account.into_iter().chain(self.session.deadline()).min()
    }

    /// The number of the socket that counts.
    pub(crate) fn dial(&self) -> Option<u64> {
        self.account.as_ref().map(|account| account.connection.dial())
    }

    /// What the open account holds, in the form of a snapshot.
    pub(crate) fn held(&self) -> Option<StaffSnapshot> {
        self.account.as_ref().and_then(|account| account.replica.held_as_snapshot().cloned())
    }

    /// What is watched.
    pub(crate) fn watched(&self) -> Vec<ConversationRecord> {
        let account = self.account.as_ref();
        account.map(|account| account.replica.watched_now()).unwrap_or_default()
    }

    fn now(&self) -> u64 {
        self.host.monotonic_ms()
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn net(&mut self, step: &mut Step<'_>, event: NetEvent) {
        match event {
            NetEvent::Socket { dial, event } => {
                if let Some(account) = &mut self.account {
                    account.socket(step, dial, event);
                }
            }
            NetEvent::SignedIn { call, result } => self.sign_in_answered(step, call, result),
            NetEvent::PasswordChanged { call, result } => {
                self.password_answered(step, call, result);
            }
            NetEvent::Served { account, call, result } => {
                if let Some(current) = self.opened_as(account) {
                    current.served(step, call, result);
                }
            }
            NetEvent::Called { account, call, result } => {
                if let Some(current) = self.opened_as(account) {
                    current.called(step, call, result);
                }
            }
            NetEvent::Record { account, call, result } => {
                if let Some(current) = self.opened_as(account) {
                    current.looked(step, call, result.map(|record| *record));
                }
            }
        }
    }

    /// The open account, if it still is this opening.
    fn opened_as(&mut self, account: u64) -> Option<&mut Account> {
        self.account.as_mut().filter(|current| current.serial == account)
    }

    fn tick(&mut self, step: &mut Step<'_>) {
        self.session_tick(step);
        if let Some(account) = &mut self.account {
            account.tick(step);
        }
    }

    /// The monotonic clock stands still while the computer sleeps, so timeouts would be waited out
    /// after waking. A wall clock that leapt ahead of it means sleep (or a clock set by hand, where
    /// dialling again is harmless).
    fn notice_sleep(&mut self, step: &mut Step<'_>) {
        let drift = step.wall.saturating_sub(step.now);
        let before = self.drift.replace(drift);
        if before.is_some_and(|before| drift > before + crate::limits::SILENCE_MS_MAX)
            && let Some(account) = &mut self.account
        {
            account.woke(step);
        }
    }
}
