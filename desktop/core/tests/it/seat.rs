//! Ana's seat: a real core, and what a workbench would show that draws only from replies and pushes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use yingke_client::Core;
use yingke_client::bridge::types::{
    AlertKind, AlertLevel, Chat, ChatHead, ConnectionState, InboxRow, OutboxItem, Remember,
    Session, UiError, UiPush, UiReply, UiRequest, UiState,
};
use yingke_client::host::{Host, Notice, SecretError, SecretStore, SystemHost};
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Seq};
use yingke_shared::views::{Floor, InvitationOver, Message, Note};

use crate::relay::{Relay, text_of};

/// How long a condition may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Waits until `is_so`, looking again and again.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LIMIT, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A key store in memory.
#[derive(Default)]
pub(crate) struct Keys(pub(crate) Mutex<BTreeMap<String, String>>);

impl SecretStore for Keys {
    fn read(&self, key: &str) -> Result<Option<String>, SecretError> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }
    fn write(&self, key: &str, value: &str) -> Result<(), SecretError> {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
        Ok(())
    }
    fn delete(&self, key: &str) -> Result<(), SecretError> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }
}

/// Where [`Clocks`] stand: eight hours east of Greenwich.
const EAST_S: i32 = 8 * 60 * 60;

/// A computer whose clocks the test moves on.
pub(crate) struct Clocks {
    host: SystemHost,
    ahead_ms: AtomicU64,
    /// The wall clock was set back so far.
    back_ms: AtomicU64,
    /// Conversations with a notification of the system, and what it shows of what was said.
    pub(crate) notified: Mutex<BTreeMap<ConversationId, String>>,
}

impl Clocks {
    pub(crate) fn new(data: &Path) -> Arc<Self> {
        let host = SystemHost::new(data, None);
        let (ahead_ms, back_ms) = Default::default();
        Arc::new(Self { host, ahead_ms, back_ms, notified: Mutex::default() })
    }

    /// Lets time pass at once. Who waits for a time sees it with the next thing that happens.
    pub(crate) fn pass(&self, ms: u64) {
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Somebody, or the network, sets the clock back.
    pub(crate) fn set_back(&self, ms: u64) {
        self.back_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// The minute of the day there, counted from midnight.
    pub(crate) fn minute(&self) -> u32 {
        ((self.wall_ms() / 60_000 + 8 * 60) % (24 * 60)) as u32
    }
}

impl Host for Clocks {
    fn wall_ms(&self) -> u64 {
        let ahead = self.host.wall_ms() + self.ahead_ms.load(Ordering::SeqCst);
        ahead - self.back_ms.load(Ordering::SeqCst)
    }
    fn monotonic_ms(&self) -> u64 {
        self.host.monotonic_ms() + self.ahead_ms.load(Ordering::SeqCst)
    }
    fn utc_offset_s(&self, _wall_ms: u64) -> i32 {
        EAST_S
    }
    fn random(&self, bytes: &mut [u8]) {
        self.host.random(bytes);
    }
    fn secrets(&self) -> Option<Arc<dyn SecretStore>> {
        None
    }
    fn notify(&self, notice: Notice) {
        self.notified.lock().unwrap().insert(notice.conversation_id, notice.text);
    }
    fn withdraw(&self, conversation_id: &ConversationId) {
        self.notified.lock().unwrap().remove(conversation_id);
    }
    fn data_dir(&self) -> &Path {
        self.host.data_dir()
    }
}

/// What the window shows.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) state: Option<UiState>,
    pub(crate) rows: BTreeMap<ConversationId, InboxRow>,
    pub(crate) previews: BTreeMap<ConversationId, String>,
    /// What asked for attention, in order: of which conversation, what, how urgent, whether heard.
    pub(crate) told: Vec<(ConversationId, AlertKind, AlertLevel, bool)>,
    pub(crate) chat: BTreeMap<Seq, Message>,
    pub(crate) chat_id: Option<ConversationId>,
    pub(crate) outbox: Vec<OutboxItem>,
    pub(crate) notes: Vec<Note>,
    pub(crate) head: Option<ChatHead>,
    /// The chat's: who else has it open, and who of them types.
    pub(crate) around: (Vec<AgentId>, Vec<AgentId>),
    pub(crate) floors: Vec<Floor>,
    pub(crate) over: Vec<InvitationOver>,
    pub(crate) connection: Option<ConnectionState>,
    pub(crate) clock_offset_ms: i64,
    pub(crate) unsent: u32,
}

impl View {
    fn with_state(&mut self, change: impl FnOnce(&mut UiState)) {
        if let Some(state) = &mut self.state {
            change(state);
        }
    }

    fn put_notes(&mut self, notes: Vec<Note>) {
        for note in notes {
            self.notes.retain(|known| known.id != note.id);
            self.notes.push(note);
        }
        self.notes.sort_by(|a, b| (a.after, a.at, &a.id).cmp(&(b.after, b.at, &b.id)));
    }

    fn take(&mut self, push: UiPush) {
        match push {
            UiPush::State(state) => {
                self.rows = state
                    .inbox
                    .iter()
                    .map(|row| (row.conversation_id.clone(), row.clone()))
                    .collect();
                self.connection = Some(state.connection.state);
                self.clock_offset_ms = state.connection.clock_offset_ms;
                self.unsent = state.connection.unsent;
                self.state = Some(state);
            }
            UiPush::Connection(connection) => {
                self.connection = Some(connection.state);
                self.clock_offset_ms = connection.clock_offset_ms;
                self.unsent = connection.unsent;
            }
            UiPush::Own(own) => {
                if let Some(UiState { session: Session::SignedIn { own: shown, .. }, .. }) =
                    &mut self.state
                {
                    *shown = own;
                }
            }
            UiPush::Colleague(_) => {}
            UiPush::Floor(floor) => self.floors.push(floor),
            UiPush::Colleagues { conversation_id, reading, typing } => {
                if self.chat_id.as_ref() == Some(&conversation_id) {
                    self.around = (reading, typing);
                }
            }
            UiPush::Company(company) => self.with_state(|state| state.company = company),
            UiPush::Sites { sites } => self.with_state(|state| state.sites = sites),
            UiPush::Invitations { invitations } => {
                self.with_state(|state| state.invitations = invitations);
            }
            UiPush::InvitationOver(over) => self.over.push(over),
            UiPush::Alerts { alerts } => self.with_state(|state| state.alerts = alerts),
            UiPush::QueueLength { waiting } => {
                self.with_state(|state| state.queue_length = waiting)
            }
            UiPush::Inbox { upsert, removed } => {
                for row in upsert {
                    self.rows.insert(row.conversation_id.clone(), row);
                }
                for id in removed {
                    self.rows.remove(&id);
                }
            }
            UiPush::Chat { conversation_id, head, messages, notes, outbox } => {
                if self.chat_id.as_ref() == Some(&conversation_id) {
                    self.head = Some(head);
                    self.put_notes(notes);
                    self.chat.extend(messages.into_iter().map(|m| (m.seq, m)));
                    self.outbox = outbox;
                }
            }
            UiPush::Attention { conversation_id, kind, level, sound } => {
                self.told.push((conversation_id, kind, level, sound));
            }
            UiPush::Preview { conversation_id, text } => {
                self.previews.insert(conversation_id, text);
            }
        }
    }
}

/// The seat.
pub(crate) struct Seat {
    pub(crate) core: Core,
    view: Arc<Mutex<View>>,
}

impl Seat {
    /// Opens the client on a data folder, with or without a key store.
    pub(crate) async fn open(data: &Path, keys: Option<Arc<Keys>>) -> Self {
        let keys = keys.map(|keys| keys as Arc<dyn SecretStore>);
        Self::open_on(Arc::new(SystemHost::new(data, keys))).await
    }

    /// Opens the client on a computer.
    pub(crate) async fn open_on(host: Arc<dyn Host>) -> Self {
        let core = Core::start(host).await.unwrap();
        let view = Arc::new(Mutex::new(View::default()));
        let mut pushes = core.subscribe();
        let shown = Arc::clone(&view);
        tokio::spawn(async move {
            while let Some(push) = pushes.next().await {
                shown.lock().unwrap().take(push);
            }
        });
        let seat = Self { core, view };
        if let UiReply::State(state) = seat.ask(UiRequest::GetState {}).await.unwrap() {
            seat.view().take(UiPush::State(state));
        }
        seat
    }

    /// Opens the client and signs Ana in.
    pub(crate) async fn signed_in(data: &Path, relay: &Relay) -> Self {
        let seat = Self::open(data, None).await;
        seat.sign_in(relay, "correct horse", Remember::Nothing).await.unwrap();
        seat
    }

    pub(crate) async fn sign_in(
        &self,
        relay: &Relay,
        password: &str,
        remember: Remember,
    ) -> Result<UiReply, UiError> {
        self.ask(UiRequest::SignIn {
            server: relay.url.clone(),
            account: "ana".to_owned(),
            password: password.to_owned(),
            remember,
            allow_plain_http: false,
        })
        .await
    }

    pub(crate) async fn ask(&self, request: UiRequest) -> Result<UiReply, UiError> {
        self.core.ui(request).await
    }

    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap()
    }

    pub(crate) async fn connected(&self) {
        until("the client is connected", || {
            self.view().connection == Some(ConnectionState::Connected)
        })
        .await;
    }

    pub(crate) async fn open_chat(&self, id: &ConversationId) -> Chat {
        let request = UiRequest::OpenConversation { conversation_id: id.clone() };
        {
            let mut view = self.view();
            if view.chat_id.replace(id.clone()).as_ref() != Some(id) {
                view.chat.clear();
                view.notes.clear();
                view.around = Default::default();
            }
        }
        let UiReply::Chat(chat) = self.ask(request).await.unwrap() else { panic!("no chat") };
        let mut view = self.view();
        view.chat.extend(chat.messages.iter().map(|m| (m.seq, m.clone())));
        view.outbox.clone_from(&chat.outbox);
        view.head = Some(chat.head.clone());
        view.put_notes(chat.notes.clone());
        drop(view);
        chat
    }

    pub(crate) async fn send(&self, id: &ConversationId, text: &str) -> ClientId {
        let request = UiRequest::SendMessage {
            conversation_id: id.clone(),
            text: text.to_owned(),
            client_id: None,
        };
        match self.ask(request).await.unwrap() {
            UiReply::Queued { item } => item.client_id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn chat_texts(&self) -> Vec<String> {
        self.view().chat.values().map(text_of).collect()
    }

    pub(crate) fn row(&self, id: &ConversationId) -> Option<InboxRow> {
        self.view().rows.get(id).cloned()
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        let view = self.view();
        matches!(&view.state, Some(UiState { session: Session::SignedIn { .. }, .. }))
    }

    pub(crate) fn session(&self) -> Option<Session> {
        self.view().state.as_ref().map(|state| state.session.clone())
    }

    /// Ends at once, as a crash would.
    pub(crate) fn kill(self) {
        drop(self);
    }
}
