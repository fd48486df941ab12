//! A seat: the real client core in this process, with a data folder of its own, and what its
//! workbench would show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use yingke_client::Core;
use yingke_client::bridge::types::{
    Chat, ConnectionState, InboxRow, OutboxItem, Remember, Session, UiError, UiPush, UiReply,
    UiRequest, UiState,
};
use yingke_client::host::{Host, SystemHost};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{ClientId, ConversationId};
use yingke_shared::views::{Availability, Floor, Message};

use crate::http::{Account, Address, Said};
use crate::wait::{LIMIT, pass};

/// What the workbench would draw.
pub struct View {
    /// The state with every push applied.
    pub state: UiState,
    /// The open conversation, if one is.
    pub chat: Option<Chat>,
    /// The floor as it came last, if it was asked for.
    pub floor: Option<Floor>,
    /// What was pushed about the conversation being opened before its opening was answered here: the
    /// two come by different ways.
    early: Vec<UiPush>,
}

/// A running client core.
pub struct TestSeat {
    core: Core,
    view: Arc<Mutex<View>>,
    changed: watch::Receiver<()>,
    task: tokio::task::JoinHandle<()>,
    said: Arc<Said>,
    home: PathBuf,
}

impl Drop for TestSeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestSeat {
    /// Starts a core in a data folder, new or used before.
    pub async fn start(home: &Path, address: &Address) -> Result<Self> {
        Self::start_on(Arc::new(SystemHost::new(home, None)), home, address).await
    }

    /// The same in a world of the test's, whose data folder is `home`.
    pub async fn start_on(host: Arc<impl Host>, home: &Path, address: &Address) -> Result<Self> {
        let core = Core::start(host).await?;
        let mut pushes = core.subscribe();
        let Ok(UiReply::State(state)) = core.ui(UiRequest::GetState {}).await else {
            bail!("a core gives its state")
        };
        let view = Arc::new(Mutex::new(View::of(state)));
        let (tell, changed) = watch::channel(());
        let shared = Arc::clone(&view);
        let task = tokio::spawn(async move {
            while let Some(push) = pushes.next().await {
                shared.lock().unwrap().apply(push);
                tell.send_replace(());
            }
        });
        let said = Arc::clone(&address.said);
        Ok(Self { core, view, changed, task, said, home: home.to_owned() })
    }

    /// Starts a core and signs in.
    pub async fn open(home: &Path, address: &Address, account: &Account) -> Result<Self> {
        let seat = Self::start(home, address).await?;
        seat.sign_in(address, account).await?;
        Ok(seat)
    }

    /// Asks the core as the workbench would.
    pub async fn ask(&self, request: UiRequest) -> Result<UiReply, UiError> {
        self.core.ui(request).await
    }

    /// Asks for what must be done.
    pub async fn must(&self, request: UiRequest) -> Result<UiReply> {
        self.ask(request).await.map_err(|error| anyhow!("the client refuses: {error:?}"))
    }

    /// Signs in and waits until the link is good.
    pub async fn sign_in(&self, address: &Address, account: &Account) -> Result<()> {
        // Many seats come from one address: one that is told to wait does.
        loop {
            match self.try_sign_in(address, &account.account, &account.password).await {
                Ok(_) => break,
                Err(UiError {
                    code: Some(ErrorCode::TooFast), retry_after_ms: Some(ms), ..
                }) => {
                    pass(Duration::from_millis(u64::from(ms))).await;
                }
                Err(error) => bail!("cannot sign in: {error:?}"),
            }
        }
        self.until_connected().await
    }

    /// Signs in once.
    pub async fn try_sign_in(
        &self,
        address: &Address,
        account: &str,
        password: &str,
    ) -> Result<UiReply, UiError> {
        self.said.note(password);
        self.ask(UiRequest::SignIn {
            server: address.server(),
            account: account.to_owned(),
            password: password.to_owned(),
            remember: Remember::Nothing,
            allow_plain_http: false,
        })
        .await
    }

    /// 在线 or 忙碌; waits until the own card says so.
    pub async fn set_availability(&self, availability: Availability) -> Result<()> {
        self.must(UiRequest::SetAvailability { availability, hand_over: false }).await?;
        self.until("the own card changes", |view| match &view.state.session {
            Session::SignedIn { own, .. } => (own.availability == availability).then_some(()),
            _ => None,
        })
        .await
    }

    /// Looks at what is shown.
    pub fn look<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.view.lock().unwrap())
    }

    /// Waits until `look` finds something.
    pub async fn until<T>(&self, what: &str, look: impl FnMut(&View) -> Option<T>) -> Result<T> {
        until(&self.view, self.changed.clone(), what, look).await
    }

    /// Waits until everything shown is current.
    pub async fn until_connected(&self) -> Result<()> {
        self.until("the seat is connected", |view| {
            (view.state.connection.state == ConnectionState::Connected).then_some(())
        })
        .await
    }

    /// Waits until the link is known to be down.
    pub async fn until_disconnected(&self) -> Result<()> {
        self.until("the seat notices that the link is down", |view| {
            (view.state.connection.state != ConnectionState::Connected).then_some(())
        })
        .await
    }

    /// Waits until a row of the inbox is as wanted.
    pub async fn until_row(
        &self,
        what: &str,
        conversation: &ConversationId,
        wanted: impl Fn(&InboxRow) -> bool,
    ) -> Result<InboxRow> {
        self.until(what, |view| view.row(conversation).filter(|row| wanted(row)).cloned()).await
    }

    /// Waits until so many rows are in the inbox; gives their conversations.
    pub async fn until_holding(&self, count: usize) -> Result<Vec<ConversationId>> {
        self.until("so many rows are in the inbox", |view| {
            (view.state.inbox.len() == count)
                .then(|| view.state.inbox.iter().map(|row| row.conversation_id.clone()).collect())
        })
        .await
    }

    /// Waits until nothing is unsent.
    pub async fn until_all_sent(&self) -> Result<()> {
        self.until("the outbox is empty", |view| {
            let rows: u32 = view.state.inbox.iter().map(|row| row.unsent).sum();
            (view.state.connection.unsent == 0 && rows == 0).then_some(())
        })
        .await
    }

    /// Opens a conversation.
    pub async fn open_conversation(&self, conversation: &ConversationId) -> Result<Chat> {
        let request = UiRequest::OpenConversation { conversation_id: conversation.clone() };
        {
            let mut view = self.view.lock().unwrap();
            view.chat = None;
            view.early.clear();
        }
        match self.must(request).await? {
            UiReply::Chat(chat) => {
                let mut view = self.view.lock().unwrap();
                view.chat = Some(chat.clone());
                for push in std::mem::take(&mut view.early) {
                    view.apply(push);
                }
                Ok(chat)
            }
            other => bail!("opening gives a chat, not {other:?}"),
        }
    }

    /// Writes a message; gives what is in the outbox when that is durable.
    pub async fn say(&self, conversation: &ConversationId, text: &str) -> Result<OutboxItem> {
        self.said.note(text);
        let request = UiRequest::SendMessage {
            conversation_id: conversation.clone(),
            text: text.to_owned(),
            client_id: None,
        };
        match self.must(request).await? {
            UiReply::Queued { item } => Ok(item),
            other => bail!("sending queues, it does not give {other:?}"),
        }
    }

    /// Keeps a draft.
    pub async fn draft(&self, conversation: &ConversationId, text: &str) -> Result<()> {
        self.said.note(text);
        let request =
            UiRequest::SetDraft { conversation_id: conversation.clone(), text: text.to_owned() };
        self.must(request).await.map(drop)
    }

    /// Everything of a conversation as the agent's page shows it, scrolled up to the beginning, in the
    /// page's own order.
    pub async fn whole_chat(&self, conversation: &ConversationId) -> Result<Vec<Message>> {
        let chat = self.open_conversation(conversation).await?;
        let mut all = chat.messages;
        let mut has_earlier = chat.has_earlier;
        while has_earlier {
            let before = all.first().context("there is more before nothing")?.seq;
            let request = UiRequest::LoadEarlier { conversation_id: conversation.clone(), before };
            let UiReply::Earlier { items, has_earlier: more, .. } = self.must(request).await?
            else {
                bail!("loading earlier gives earlier ones")
            };
            all.splice(0..0, items);
            has_earlier = more;
        }
        Ok(all)
    }

    /// Ends in good order.
    pub async fn stop(self) {
        self.core.shutdown().await;
    }

    /// Ends as a crash would.
    pub fn crash(self) {
        drop(self);
    }

    /// The account's files: `cache.db` and `outbox.db`.
    pub fn account_folder(&self) -> Result<PathBuf> {
        account_folder(&self.home)
    }
}

/// The folder of the only account that ever signed in below `home`.
pub fn account_folder(home: &Path) -> Result<PathBuf> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(home.join("accounts"))? {
        folders.push(entry?.path());
    }
    match folders.as_slice() {
        [one] => Ok(one.clone()),
        other => bail!("one account folder expected, not {other:?}"),
    }
}

/// Every message in an account's local database, by conversation.
pub fn cached_messages(folder: &Path) -> Result<BTreeMap<ConversationId, Vec<Message>>> {
    let db = open_read_only(&folder.join("cache.db"))?;
    let mut statement =
        db.prepare("SELECT conversation_id, message FROM messages ORDER BY conversation_id, seq")?;
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut all: BTreeMap<ConversationId, Vec<Message>> = BTreeMap::new();
    for row in rows {
        let (conversation, message) = row?;
        all.entry(ConversationId::new(conversation)?)
            .or_default()
            .push(serde_json::from_str(&message).context("a cached message")?);
    }
    Ok(all)
}

/// Ids of the messages that an account's outbox was told are stored.
pub fn acknowledged(folder: &Path) -> Result<Vec<ClientId>> {
    let db = open_read_only(&folder.join("outbox.db"))?;
    let mut statement = db.prepare("SELECT client_id FROM messages WHERE standing = 'acked'")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| Ok(ClientId::new(row?)?)).collect()
}

/// Waits until `look` finds something in what is shown.
pub(crate) async fn until<T>(
    view: &Mutex<View>,
    mut changed: watch::Receiver<()>,
    what: &str,
    mut look: impl FnMut(&View) -> Option<T>,
) -> Result<T> {
    let end = Instant::now() + LIMIT;
    loop {
        changed.borrow_and_update();
        if let Some(found) = look(&view.lock().unwrap()) {
            return Ok(found);
        }
        if !matches!(timeout_at(end, changed.changed()).await, Ok(Ok(()))) {
            bail!("waited in vain for {LIMIT:?}: {what}: {:?}", view.lock().unwrap().state);
        }
    }
}

fn open_read_only(path: &Path) -> Result<rusqlite::Connection> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    rusqlite::Connection::open_with_flags(path, flags)
        .with_context(|| format!("opening {}", path.display()))
}

impl View {
    pub(crate) fn of(state: UiState) -> Self {
        Self { state, chat: None, floor: None, early: Vec::new() }
    }

    /// A row of the inbox.
    #[must_use]
    pub fn row(&self, conversation: &ConversationId) -> Option<&InboxRow> {
        self.state.inbox.iter().find(|row| row.conversation_id == *conversation)
    }

    pub(crate) fn apply(&mut self, push: UiPush) {
        match push {
            UiPush::State(state) => {
                self.state = state;
                self.chat = None;
            }
            UiPush::Connection(connection) => self.state.connection = connection,
            UiPush::Own(card) => {
                if let Session::SignedIn { own, .. } = &mut self.state.session {
                    *own = card;
                }
            }
            UiPush::Colleague(colleague) => {
                self.state.colleagues.retain(|known| known.card.id != colleague.card.id);
                self.state.colleagues.push(colleague);
            }
            UiPush::Inbox { upsert, removed } => {
                let inbox = &mut self.state.inbox;
                inbox.retain(|row| {
                    !removed.contains(&row.conversation_id)
                        && !upsert.iter().any(|new| new.conversation_id == row.conversation_id)
                });
                inbox.extend(upsert);
            }
            push @ UiPush::Chat { .. } if self.chat.is_none() => self.early.push(push),
            UiPush::Chat { conversation_id, head, messages, notes, outbox } => {
                if let Some(chat) = &mut self.chat
                    && chat.conversation_id == conversation_id
                {
                    chat.head = head;
                    chat.outbox = outbox;
                    for message in messages {
                        chat.messages.retain(|known| known.seq != message.seq);
                        chat.messages.push(message);
                    }
                    chat.messages.sort_by_key(|message| message.seq);
                    for note in notes {
                        chat.notes.retain(|known| known.id != note.id);
                        chat.notes.push(note);
                    }
                }
            }
            UiPush::Company(company) => self.state.company = company,
            UiPush::Sites { sites } => self.state.sites = sites,
            UiPush::Invitations { invitations } => self.state.invitations = invitations,
            UiPush::Alerts { alerts } => self.state.alerts = alerts,
            UiPush::QueueLength { waiting } => self.state.queue_length = waiting,
            UiPush::Floor(floor) => self.floor = Some(floor),
            // Who reads along and what is heard pass; a story that asks for it looks at the frames.
            UiPush::Colleagues { .. } | UiPush::Attention { .. } | UiPush::InvitationOver(_) => {}
            UiPush::Preview { conversation_id, text } => {
                for row in &mut self.state.inbox {
                    if row.conversation_id == conversation_id {
                        row.preview.clone_from(&text);
                    }
                }
            }
        }
    }
}
