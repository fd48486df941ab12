//! The running client: one task that carries events to the engine and its effects to the world, and
//! the handle by which a shell or a test talks to it.
//!
//! Every queue is bounded. The loop hears the storage threads first (they never wait for it), then
//! the network, then the workbench. While much is waiting for the disk it does not read the socket:
//! the relay's own buffer is where a flood belongs.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use yingke_shared::error_code::ErrorCode;

use crate::address::ServerAddress;
use crate::bridge::types::{UiError, UiErrorKind, UiPush, UiReply, UiRequest};
use crate::engine::{Effect, Engine, Event, RequestId};
use crate::host::{Host, SecretStore};
use crate::limits::{
    BACKOFF_MS_MAX, BACKOFF_MS_MIN, NET_QUEUE_MAX, PUSHES_MAX, SECRETS_WITHIN_MS,
    SHUTDOWN_WITHIN_MS, STORE_BACKLOG_MAX, STORE_QUEUE_MAX, UI_QUEUE_MAX,
};
use crate::net::http::Http;
use crate::net::socket::{self, SocketEvent, SocketHandle};
use crate::net::{NetEvent, install_tls};
use crate::profile::{Profile, ProfileError};
use crate::store::thread::TaggedStoreEvent;
use crate::store::{StoreEvent, StoreThreads, make_private_folder};

/// Why a core did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("the data folder cannot be made: {0}")]
    Folder(std::io::Error),
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The TLS client cannot be made.
    #[error("no HTTP client: {0}")]
    Http(String),
}

struct UiCall {
    request: UiRequest,
    reply: oneshot::Sender<Result<UiReply, UiError>>,
}

struct Inner {
    calls: mpsc::Sender<UiCall>,
    pushes: broadcast::Sender<UiPush>,
    /// Dropped to ask the loop to end.
    running: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let running = self.running.get_mut().ok().and_then(Option::take);
        if let Some((_, task)) = running {
            task.abort();
        }
    }
}

/// A running client core. Cheap to clone; dropping the last one ends it as a crash would: at once,
/// with nothing lost that was told to be safe.
#[derive(Clone)]
pub struct Core {
    inner: Arc<Inner>,
}

impl Core {
    /// Starts a core in the host's data folder, inside a tokio runtime.
    pub async fn start(host: Arc<dyn Host>) -> Result<Self, StartError> {
        install_tls();
        let http = Http::new().map_err(|error| StartError::Http(error.to_string()))?;
        let data = host.data_dir().to_owned();
        let profile = tokio::task::spawn_blocking(move || {
            make_private_folder(&data).map_err(StartError::Folder)?;
            Profile::load(&data).map_err(StartError::from)
        });
        let profile = profile.await.map_err(|_| StartError::Http("ended early".to_owned()))??;
        let (calls, ui) = mpsc::channel(UI_QUEUE_MAX);
        let (pushes, _) = broadcast::channel(PUSHES_MAX);
        let (stop, stopped) = oneshot::channel();
        let engine = Engine::new(Arc::clone(&host), profile);
        let runner = Runner::new(host, http, engine, pushes.clone());
        let task = tokio::spawn(runner.run(ui, stopped));
        let running = Mutex::new(Some((stop, task)));
        Ok(Self { inner: Arc::new(Inner { calls, pushes, running }) })
    }

    /// Carries out what a person asked for.
    pub async fn ui(&self, request: UiRequest) -> Result<UiReply, UiError> {
        self.submit(request).await?.answer().await
    }

    /// Hands over what a person asked for; the answer is waited for apart. Who hands over one request
    /// after the other has them carried out in this order.
    pub async fn submit(&self, request: UiRequest) -> Result<Submitted, UiError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.inner.calls.send(UiCall { request, reply }).await;
        sent.map_err(|_| UiError::of(UiErrorKind::Bug))?;
        Ok(Submitted { answer })
    }

    /// The same for a caller that must not wait: with too many requests in line already it is `busy`.
    pub fn try_submit(&self, request: UiRequest) -> Result<Submitted, UiError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.inner.calls.try_send(UiCall { request, reply });
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => UiError::refused(ErrorCode::Busy),
            mpsc::error::TrySendError::Closed(_) => UiError::of(UiErrorKind::Bug),
        })?;
        Ok(Submitted { answer })
    }

    /// What the core tells from now on. Ask for [`UiRequest::GetState`] after subscribing.
    #[must_use]
    pub fn subscribe(&self) -> UiPushes {
        UiPushes {
            pushes: self.inner.pushes.subscribe(),
            calls: self.inner.calls.downgrade(),
            lagged: false,
        }
    }

    /// The same for a page that begins: it shows no conversation yet, so the one that the page before
    /// it showed is not looked at any more.
    #[must_use]
    pub fn subscribe_page(&self) -> UiPushes {
        let pushes = self.subscribe();
        // Nobody signed in, or the loop is gone: then nothing is open either.
        drop(self.try_submit(UiRequest::CloseConversation {}));
        pushes
    }

    /// Ends the client: the socket is closed, what is being written is finished. Bounded in time.
    pub async fn shutdown(&self) {
        let running = self.inner.running.lock().ok().and_then(|mut running| running.take());
        let Some((stop, task)) = running else { return };
        drop(stop);
        let limit = Duration::from_millis(SHUTDOWN_WITHIN_MS);
        let abort = task.abort_handle();
        if tokio::time::timeout(limit, task).await.is_err() {
            tracing::warn!("ending took too long and was cut short");
            abort.abort();
        }
    }
}

/// A request that was handed over.
pub struct Submitted {
    answer: oneshot::Receiver<Result<UiReply, UiError>>,
}

impl Submitted {
    /// Waits for the answer.
    pub async fn answer(self) -> Result<UiReply, UiError> {
        self.answer.await.map_err(|_| UiError::of(UiErrorKind::Bug))?
    }
}

/// A subscription to what the core tells.
pub struct UiPushes {
    pushes: broadcast::Receiver<UiPush>,
    calls: mpsc::WeakSender<UiCall>,
    lagged: bool,
}

impl UiPushes {
    /// The next push; `None` when the core has ended. A subscriber that lagged gets a fresh state in
    /// place of what it missed. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<UiPush> {
        if !self.lagged {
            match self.pushes.recv().await {
                Ok(push) => return Some(push),
                Err(broadcast::error::RecvError::Closed) => return None,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.pushes = self.pushes.resubscribe();
                    self.lagged = true;
                }
            }
        }
        let (reply, answer) = oneshot::channel();
        let request = UiRequest::GetState {};
        self.calls.upgrade()?.send(UiCall { request, reply }).await.ok()?;
        let answer = answer.await.ok()?;
        self.lagged = false;
        match answer {
            Ok(UiReply::State(state)) => Some(UiPush::State(state)),
            _ => None,
        }
    }
}

/// Ends a session at the relay, trying until the relay has heard of it. The token is held in memory
/// alone: should the client end first nobody knows it any more, and it expires at the relay.
async fn sign_out_surely(http: &Http, server: &ServerAddress, token: &str) {
    let mut wait = BACKOFF_MS_MIN;
    while let Err(error) = http.sign_out(server, token).await {
        if !error.can_retry() {
            return tracing::info!(?error, "the relay does not end the session");
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
        wait = (2 * wait).min(BACKOFF_MS_MAX);
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// Carries effects out.
struct Runner {
    host: Arc<dyn Host>,
    http: Http,
    engine: Engine,
    pushes: broadcast::Sender<UiPush>,
    replies: BTreeMap<RequestId, oneshot::Sender<Result<UiReply, UiError>>>,
    last_request: RequestId,
    socket: Option<SocketHandle>,
    /// The open account's threads, and the number of its opening.
    store: Option<(u64, StoreThreads)>,
    /// Jobs given to the threads and not answered yet.
    backlog: usize,
    net: (mpsc::Sender<NetEvent>, mpsc::Receiver<NetEvent>),
    stored: (mpsc::Sender<TaggedStoreEvent>, mpsc::Receiver<TaggedStoreEvent>),
    /// Events of blocking work other than storage: files closed, profile saved, secrets read.
    other: (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    /// Events that effects caused at once.
    at_once: Vec<Event>,
    /// Blocking work in order: profile files, and apart from them the key store, which may hang.
    files: std::sync::mpsc::SyncSender<Job>,
    secrets: std::sync::mpsc::SyncSender<Job>,
    closing: Vec<JoinHandle<()>>,
}

impl Runner {
    fn new(
        host: Arc<dyn Host>,
        http: Http,
        engine: Engine,
        pushes: broadcast::Sender<UiPush>,
    ) -> Self {
        Self {
            host,
            http,
            engine,
            pushes,
            replies: BTreeMap::new(),
            last_request: 0,
            socket: None,
            store: None,
            backlog: 0,
            net: mpsc::channel(NET_QUEUE_MAX),
            stored: mpsc::channel(STORE_QUEUE_MAX),
            other: mpsc::channel(UI_QUEUE_MAX),
            at_once: Vec::new(),
            files: worker("yingke-files"),
            secrets: worker("yingke-secrets"),
            closing: Vec::new(),
        }
    }

    async fn run(mut self, mut ui: mpsc::Receiver<UiCall>, mut stopped: oneshot::Receiver<()>) {
        self.feed(Event::Started);
        loop {
            let alarm = self.alarm();
            let reads_socket = self.backlog < STORE_BACKLOG_MAX;
            let event = tokio::select! {
                biased;
                _ = &mut stopped => break,
                Some((account, event)) = self.stored.1.recv() => {
                    self.backlog = self.backlog.saturating_sub(1);
                    Event::Store { account, event }
                }
                Some(event) = self.other.1.recv() => event,
                Some(event) = self.net.1.recv(), if reads_socket => Event::Net(event),
                call = ui.recv() => match call {
                    Some(call) => self.asked(call),
                    None => break,
                },
                () = alarm => Event::Tick,
            };
            self.feed(event);
        }
        // What was handed over before the end is carried out: a window says the last words of its
        // drafts while it closes.
        ui.close();
        while let Ok(call) = ui.try_recv() {
            let event = self.asked(call);
            self.feed(event);
        }
        self.end().await;
    }

    fn alarm(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let now = self.host.monotonic_ms();
        match self.engine.deadline() {
            Some(at) => {
                let wait = Duration::from_millis(at.saturating_sub(now).max(1));
                Box::pin(tokio::time::sleep(wait))
            }
            None => Box::pin(std::future::pending()),
        }
    }

    fn asked(&mut self, call: UiCall) -> Event {
        self.last_request += 1;
        self.replies.insert(self.last_request, call.reply);
        Event::Ui { request_id: self.last_request, request: call.request }
    }

    fn feed(&mut self, event: Event) {
        self.at_once.push(event);
        while !self.at_once.is_empty() {
            let event = self.at_once.remove(0);
            for effect in self.engine.handle(event) {
                self.carry_out(effect);
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Open { dial, server } => {
                self.socket = Some(socket::open(server, dial, self.net.0.clone()));
            }
            Effect::Send { frame } => self.send(frame),
            Effect::Close => self.socket = None,
            Effect::SignIn { call, server, form } => {
                let http = self.http.clone();
                self.call(async move {
                    let result = http.sign_in(&server, &form).await;
                    Some(NetEvent::SignedIn { call, result })
                });
            }
            Effect::SignOut { server, token } => {
                let http = self.http.clone();
                self.call(async move {
                    sign_out_surely(&http, &server, &token).await;
                    None
                });
            }
            Effect::ChangePassword { call, server, token, change } => {
                let http = self.http.clone();
                self.call(async move {
                    let result = http.change_password(&server, &token, &change).await;
                    Some(NetEvent::PasswordChanged { call, result })
                });
            }
            Effect::LoadServed { account, call, server, token, after } => {
                let http = self.http.clone();
                self.call(async move {
                    let result = http.served(&server, &token, after.as_ref()).await;
                    Some(NetEvent::Served { account, call, result })
                });
            }
            Effect::Call { account, call, server, token, what } => {
                let http = self.http.clone();
                self.call(async move {
                    let result = http.call(&server, &token, &what).await;
                    Some(NetEvent::Called { account, call, result })
                });
            }
            Effect::LoadRecord { account, call, server, token, conversation_id } => {
                let http = self.http.clone();
                self.call(async move {
                    let result = http.record(&server, &token, &conversation_id).await;
                    Some(NetEvent::Record { account, call, result })
                });
            }
            Effect::OpenAccount { account, folder, wall_ms } => {
                self.open_account(account, folder, wall_ms);
            }
            Effect::CloseAccount { account } => self.close_account(account),
            Effect::Cache(job) => {
                let failed = self.store.as_ref().and_then(|(_, threads)| threads.cache(job));
                self.given(failed);
            }
            Effect::Outbox(job) => {
                let failed = self.store.as_ref().and_then(|(_, threads)| threads.outbox(job));
                self.given(failed);
            }
            Effect::SaveProfile { request_id, profile } => {
                let (data, out) = (self.host.data_dir().to_owned(), self.other.0.clone());
                run_on(&self.files, move || {
                    let saved = profile.save(&data);
                    if let Err(error) = &saved {
                        tracing::error!(%error, "the profile is not saved");
                    }
                    let saved = saved.is_ok();
                    let _ = out.blocking_send(Event::ProfileSaved { request_id, saved });
                });
            }
            Effect::Notify(notice) => self.host.notify(*notice),
            Effect::Withdraw { conversation_id } => self.host.withdraw(&conversation_id),
            Effect::ReadSecret { call, key } => self.read_secret(call, key),
            Effect::WriteSecret { key, value } => {
                self.with_secrets(move |secrets| secrets.write(&key, &value));
            }
            Effect::DeleteSecret { key } => {
                self.with_secrets(move |secrets| secrets.delete(&key));
            }
            // Nobody listens: nothing to tell.
            Effect::Push(push) => drop(self.pushes.send(*push)),
            Effect::Reply { request_id, result } => {
                if let Some(reply) = self.replies.remove(&request_id) {
                    // Who asked may have gone.
                    let _ = reply.send(*result);
                }
            }
        }
    }

    fn send(&mut self, frame: String) {
        let sent = self.socket.as_ref().map(|socket| socket.send(frame));
        if let Some(Err(_)) = sent {
            // Slower than what we say, or already closed: either way it is over.
            self.socket = None;
            if let Some(dial) = self.engine.dial() {
                let event = NetEvent::Socket { dial, event: SocketEvent::Closed };
                self.at_once.push(Event::Net(event));
            }
        }
    }

    /// Ends with the work, or with the client.
    fn call(&self, work: impl Future<Output = Option<NetEvent>> + Send + 'static) {
        let out = self.net.0.clone();
        tokio::spawn(async move {
            let event = tokio::select! {
                biased;
                () = out.closed() => return,
                event = work => event,
            };
            if let Some(event) = event {
                let _ = out.send(event).await;
            }
        });
    }

    fn open_account(&mut self, account: u64, folder: std::path::PathBuf, wall_ms: u64) {
        match StoreThreads::spawn(account, folder, wall_ms, self.stored.0.clone()) {
            Ok(threads) => {
                self.backlog = 0;
                self.store = Some((account, threads));
            }
            Err(source) => {
                let doing = "start a storage thread";
                let error = crate::store::StoreError::Files { doing, source };
                let event = StoreEvent::Refused(error);
                self.at_once.push(Event::Store { account, event });
            }
        }
    }

    fn close_account(&mut self, account: u64) {
        let out = self.other.0.clone();
        let threads = self.store.take_if(|(open, _)| *open == account);
        self.closing.retain(|task| !task.is_finished());
        self.closing.push(tokio::task::spawn_blocking(move || {
            if let Some((_, threads)) = threads {
                threads.finish();
            }
            let _ = out.blocking_send(Event::AccountClosed { account });
        }));
    }

    /// A job was given to a thread, or came back at once.
    fn given(&mut self, failed: Option<StoreEvent>) {
        let Some((account, _)) = &self.store else { return };
        match failed {
            Some(event) => self.at_once.push(Event::Store { account: *account, event }),
            None => self.backlog += 1,
        }
    }

    fn read_secret(&self, call: u64, key: String) {
        let (found, answer) = oneshot::channel();
        self.with_secrets(move |secrets| {
            let _ = found.send(secrets.read(&key)?);
            Ok(())
        });
        let out = self.other.0.clone();
        tokio::spawn(async move {
            let limit = Duration::from_millis(SECRETS_WITHIN_MS);
            let value = match tokio::time::timeout(limit, answer).await {
                Ok(value) => value.ok().flatten(),
                Err(_) => {
                    tracing::warn!("the key store does not answer");
                    None
                }
            };
            let _ = out.send(Event::Secret { call, value }).await;
        });
    }

    fn with_secrets<F>(&self, work: F)
    where
        F: FnOnce(&dyn SecretStore) -> Result<(), crate::host::SecretError> + Send + 'static,
    {
        let Some(secrets) = self.host.secrets() else { return };
        run_on(&self.secrets, move || {
            if let Err(error) = work(&*secrets) {
                tracing::warn!(%error, "the key store did not do it");
            }
        });
    }

    async fn end(mut self) {
        self.socket = None;
        if let Some((account, _)) = &self.store {
            let account = *account;
            self.close_account(account);
        }
        drop((self.stored, self.net, self.other));
        for task in self.closing {
            let _ = task.await;
        }
        // The files' thread ends when its queue is empty; what it was given is written first.
        let (written, done) = oneshot::channel::<()>();
        run_on(&self.files, move || drop(written));
        let _ = done.await;
    }
}

/// A thread for blocking work, in order. It ends when its sender is dropped.
fn worker(name: &str) -> std::sync::mpsc::SyncSender<Job> {
    let (jobs, queue) = std::sync::mpsc::sync_channel::<Job>(UI_QUEUE_MAX);
    let run = move || queue.into_iter().for_each(|job| job());
    if let Err(error) = std::thread::Builder::new().name(name.to_owned()).spawn(run) {
        tracing::error!(%error, "a thread could not be started");
    }
    jobs
}

fn run_on(worker: &std::sync::mpsc::SyncSender<Job>, work: impl FnOnce() + Send + 'static) {
    if worker.try_send(Box::new(work)).is_err() {
        tracing::error!("blocking work is stuck; some of it is skipped");
    }
}
