//! A relay of one agent, Ana: conversations in memory, a log with positions, and faults on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::ws::{Message as Frame, WebSocket};
use axum::extract::{Json, Query, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use yingke_shared::commands::staff::{LoadMessages, StaffMark, StaffSendMessage};
use yingke_shared::commands::{Command, Envelope, StaffCommand};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::{StaffEvent, StaffEventBody};
use yingke_shared::frame::{
    Bye, Delivery, Hello, Outcome, Reply, StaffFrame, StaffSignal, Start, Welcome,
};
use yingke_shared::ids::{
    AgentId, ClientId, ConversationId, Epoch, Position, Seq, SiteId, VisitorId,
};
use yingke_shared::rest::{ChangePassword, ServedPage, SignIn, SignedIn};
use yingke_shared::settings::AutoReplyTexts;
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    Author, Availability, ConversationRecord, ConversationStatus, Marks, Message, MessageContent,
    MessagePage, OwnCard, ReadMark, Role, VisitorCard,
};

use crate::beyond::{self, Beyond};

/// What happens to the next message that arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OnSend {
    /// The link breaks before anything is stored.
    CutBeforeStoring,
    /// It is stored, and the link breaks before the answer.
    CutBeforeAnswering,
    /// It is stored and answered, and the link breaks before it is delivered.
    CutBeforeDelivering,
    /// Not stored, this is the answer.
    Refuse(WireError),
}

/// A conversation as the relay keeps it.
pub(crate) struct Kept {
    pub(crate) record: ConversationRecord,
    pub(crate) messages: Vec<Message>,
    pub(crate) served: bool,
}

/// Everything the relay is.
pub(crate) struct World {
    pub(crate) own: OwnCard,
    pub(crate) password: String,
    pub(crate) tokens: Vec<String>,
    /// Sign-ins so far: no token is given twice.
    sign_ins: u32,
    pub(crate) epoch: Epoch,
    pub(crate) log: Vec<StaffEvent>,
    pub(crate) conversations: BTreeMap<ConversationId, Kept>,
    /// Every message stored, by the id its author gave it.
    pub(crate) stored: BTreeMap<ClientId, (ConversationId, Seq, String)>,
    /// Every message that arrived, stored or not, in order.
    pub(crate) arrived: Vec<ClientId>,
    /// Every mark that arrived.
    pub(crate) marks: Vec<StaffMark>,
    /// Every hello that arrived: whether it named a place.
    pub(crate) hellos: Vec<bool>,
    pub(crate) on_send: VecDeque<OnSend>,
    /// Sockets are refused.
    pub(crate) down: bool,
    /// Conversations in a snapshot or a page.
    pub(crate) page_max: usize,
    /// Pages of conversations are refused.
    pub(crate) pages_down: bool,
    /// Resuming is refused: everyone gets a snapshot.
    pub(crate) snapshots_only: bool,
    /// The next delivery claims a wrong place, this many times.
    pub(crate) misfits: u32,
    pub(crate) typing: u32,
    pub(crate) beyond: Beyond,
    sockets: Vec<mpsc::UnboundedSender<Option<String>>>,
    clock: u64,
}

/// The running relay.
#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) url: String,
    world: Arc<Mutex<World>>,
}

pub(crate) fn conversation(name: &str) -> ConversationId {
    ConversationId::new(name).unwrap()
}

pub(crate) fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

impl Relay {
    pub(crate) async fn start() -> Self {
        let own = OwnCard {
            id: AgentId::new("agent-ana").unwrap(),
            account: "ana".to_owned(),
            nickname: "Ana".to_owned(),
            role: Role::Agent,
            availability: Availability::Online,
            capacity: 8,
            departments: Vec::new(),
            skills: Vec::new(),
            auto_replies: AutoReplyTexts::default(),
        };
        let world = World {
            own,
            password: "correct horse".to_owned(),
            tokens: Vec::new(),
            sign_ins: 0,
            epoch: Epoch::new("epoch-1").unwrap(),
            log: Vec::new(),
            conversations: BTreeMap::new(),
            stored: BTreeMap::new(),
            arrived: Vec::new(),
            marks: Vec::new(),
            hellos: Vec::new(),
            on_send: VecDeque::new(),
            down: false,
            page_max: 500,
            pages_down: false,
            snapshots_only: false,
            misfits: 0,
            typing: 0,
            beyond: Beyond::default(),
            sockets: Vec::new(),
            clock: 1_000_000,
        };
        let world = Arc::new(Mutex::new(world));
        let app = axum::Router::new()
            .route("/api/sign-in", post(sign_in))
            .route("/api/sign-out", post(sign_out))
            .route("/api/password", post(change_password))
            .route("/api/conversations", get(served))
            .merge(beyond::routes())
            .route("/ws/staff", get(staff_socket))
            .with_state(Arc::clone(&world));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, app).await });
        // A name below localhost that no resolver knows.
        Self { url: format!("http://relay.localhost:{port}"), world }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Breaks every link.
    pub(crate) fn cut(&self) {
        self.world().cut();
    }

    /// A visitor begins a conversation that is Ana's at once.
    pub(crate) fn begin(&self, name: &str, text: &str) -> ConversationId {
        self.world().begin(name, text)
    }

    /// The visitor writes into a running conversation.
    pub(crate) fn visitor_writes(&self, id: &ConversationId, text: &str) -> Seq {
        let client_id = ClientId::new(format!("visitor-{}", self.world().clock)).unwrap();
        self.world().append(id, client_id, Author::Visitor, text)
    }

    /// Texts of a conversation in order.
    pub(crate) fn texts(&self, id: &ConversationId) -> Vec<String> {
        self.world().conversations[id].messages.iter().map(text_of).collect()
    }

    pub(crate) fn signal(&self, signal: StaffSignal) {
        self.world().send_all(&StaffFrame::Signal { signal });
    }

    pub(crate) fn bye(&self, error: WireError) {
        let mut world = self.world();
        world.send_all(&StaffFrame::Bye(Bye { error }));
        world.cut();
    }
}

pub(crate) fn text_of(message: &Message) -> String {
    match &message.content {
        MessageContent::Text { text } => text.clone(),
        MessageContent::Notice { .. } | MessageContent::Unknown => "(notice)".to_owned(),
    }
}

impl World {
    pub(crate) fn cut(&mut self) {
        for socket in self.sockets.drain(..) {
            let _ = socket.send(None);
        }
    }

    pub(crate) fn send_all(&mut self, frame: &StaffFrame) {
        let text = serde_json::to_string(frame).unwrap();
        self.sockets.retain(|socket| socket.send(Some(text.clone())).is_ok());
    }

    pub(crate) fn position(&self) -> Position {
        self.log.last().map_or(Position::ZERO, |event| event.position)
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        self.clock += 1;
        Timestamp::from_millis(self.clock).unwrap()
    }

    pub(crate) fn begin(&mut self, name: &str, text: &str) -> ConversationId {
        let id = conversation(name);
        let at = self.now();
        let first = Message {
            seq: seq(1),
            client_id: ClientId::new(format!("visitor-{name}-1")).unwrap(),
            author: Author::Visitor,
            content: MessageContent::Text { text: text.to_owned() },
            at,
            visitor_count: seq(1),
            unanswered_since: Some(at),
        };
        let record = ConversationRecord {
            id: id.clone(),
            rev: self.position().next(),
            status: ConversationStatus::Serving { agent_id: self.own.id.clone() },
            visitor: VisitorCard {
                id: VisitorId::new(format!("visitor-{name}")).unwrap(),
                site_id: SiteId::new("shop").unwrap(),
                site_name: "Shop".to_owned(),
                label: "3F2A".to_owned(),
                page_url: String::new(),
                page_title: String::new(),
                locale: "zh-CN".to_owned(),
            },
            started_at: at,
            assigned_at: Some(at),
            first_response_at: None,
            last_message: first.clone(),
            last_said: None,
            visitor_marks: Marks::default(),
            own_read: ReadMark::default(),
            department_id: None,
            vip: false,
            members: Vec::new(),
            invitations: Vec::new(),
        };
        let kept = Kept { record: record.clone(), messages: vec![first], served: true };
        self.conversations.insert(id.clone(), kept);
        self.announce(StaffEventBody::ConversationGained { record: Box::new(record) });
        id
    }

    pub(crate) fn append(
        &mut self,
        id: &ConversationId,
        client_id: ClientId,
        author: Author,
        text: &str,
    ) -> Seq {
        let at = self.now();
        let last = self.conversations[id].record.last_message.clone();
        let by_visitor = author == Author::Visitor;
        let message = Message {
            seq: last.seq.next(),
            client_id: client_id.clone(),
            visitor_count: if by_visitor { last.visitor_count.next() } else { last.visitor_count },
            unanswered_since: by_visitor.then(|| last.unanswered_since.unwrap_or(at)),
            author,
            content: MessageContent::Text { text: text.to_owned() },
            at,
        };
        let number = message.seq;
        self.stored.insert(client_id, (id.clone(), number, text.to_owned()));
        self.conversations.get_mut(id).unwrap().messages.push(message.clone());
        let record = &self.conversations[id].record;
        let answered = record.first_response_at.or((!by_visitor).then_some(at));
        self.announce(StaffEventBody::MessageAppended {
            conversation_id: id.clone(),
            message: Box::new(message),
            first_response_at: answered,
        });
        number
    }

    /// Appends to the log, keeps the record as the shared `apply` says, delivers.
    pub(crate) fn announce(&mut self, body: StaffEventBody) {
        let position = self.position();
        let event = StaffEvent { position: position.next(), body };
        if let Some(kept) =
            event.body.conversation_id().and_then(|id| self.conversations.get_mut(id))
        {
            kept.record.apply(event.position, &event.body);
            match &event.body {
                StaffEventBody::ConversationWithdrawn { .. } => kept.served = false,
                StaffEventBody::ConversationGained { .. } => kept.served = true,
                StaffEventBody::StatusChanged {
                    status: ConversationStatus::Ended { .. }, ..
                } => kept.served = false,
                _ => {}
            }
        }
        let upto = event.position;
        self.log.push(event.clone());
        let mut after = position;
        if self.misfits > 0 {
            self.misfits -= 1;
            after = upto;
        }
        self.send_all(&StaffFrame::Delivery(Delivery { after, upto, events: vec![event] }));
    }

    fn snapshot(&self) -> StaffSnapshot {
        let (served, has_more) = self.served(None);
        StaffSnapshot {
            own: self.own.clone(),
            colleagues: BTreeMap::new(),
            sites: self.beyond.sites.clone(),
            company: self.beyond.company.clone(),
            invitations: self.beyond.invitations.clone(),
            alerts: self.beyond.alerts.clone(),
            conversations: served.into_iter().map(|record| (record.id.clone(), record)).collect(),
            has_more,
        }
    }

    fn served(&self, after: Option<&ConversationId>) -> (Vec<ConversationRecord>, bool) {
        let served = self.conversations.values().filter(|kept| kept.served);
        let served = served.map(|kept| kept.record.clone());
        let mut page: Vec<_> = served.filter(|record| Some(&record.id) > after).collect();
        let has_more = page.len() > self.page_max;
        page.truncate(self.page_max);
        (page, has_more)
    }

    /// The first frames of a socket, or the goodbye.
    fn welcome(&mut self, hello: &Hello) -> Vec<StaffFrame> {
        if !self.tokens.contains(&hello.token) {
            return vec![StaffFrame::Bye(Bye::new(ErrorCode::Unauthenticated))];
        }
        self.hellos.push(hello.resume.is_some());
        let here = self.position();
        let resumed = hello.resume.as_ref().filter(|place| {
            place.epoch == self.epoch && place.position <= here && !self.snapshots_only
        });
        let (start, rest) = match resumed {
            Some(place) => {
                let missed = self.log.iter().filter(|event| event.position > place.position);
                let delivery = Delivery {
                    after: place.position,
                    upto: here,
                    events: missed.cloned().collect(),
                };
                let start = Start::Resumed { position: place.position };
                (start, vec![StaffFrame::Delivery(delivery)])
            }
            None => {
                let snapshot = Box::new(self.snapshot());
                (Start::Snapshot { position: here, snapshot }, Vec::new())
            }
        };
        let now = self.now();
        let welcome = Welcome { version: 1, epoch: self.epoch.clone(), now, start };
        [vec![StaffFrame::Welcome(welcome)], rest].concat()
    }

    /// Carries out a command; `None` breaks the link.
    fn command(&mut self, command: StaffCommand, id: &ClientId) -> Option<Vec<StaffFrame>> {
        let result = match command {
            StaffCommand::Hello(hello) => return Some(self.welcome(&hello)),
            StaffCommand::Typing(_) => {
                self.typing += 1;
                return Some(Vec::new());
            }
            StaffCommand::StaffSendMessage(message) => return self.message(message, id),
            StaffCommand::StaffMark(mark) => {
                self.mark(mark);
                Ok(Outcome::Done {})
            }
            StaffCommand::SetAvailability(change) => {
                self.own.availability = change.availability;
                let card = self.own.clone();
                self.announce(StaffEventBody::OwnCardChanged { card });
                Ok(Outcome::Done {})
            }
            StaffCommand::StaffEndConversation(end) => self.end(end.conversation_id),
            StaffCommand::LoadMessages(load) => Ok(Outcome::Messages { page: self.page(&load) }),
            other => match self.beyond(other) {
                Some(result) => result,
                None => return Some(Vec::new()),
            },
        };
        Some(vec![answer(id, result)])
    }

    fn message(&mut self, message: StaffSendMessage, id: &ClientId) -> Option<Vec<StaffFrame>> {
        self.arrived.push(id.clone());
        let fault = self.on_send.pop_front();
        match fault {
            Some(OnSend::CutBeforeStoring) => {
                self.cut();
                return None;
            }
            Some(OnSend::Refuse(error)) => return Some(vec![answer(id, Err(error))]),
            _ => {}
        }
        let known = self.stored.get(id).map(|(_, seq, _)| *seq);
        let is_served = |kept: &Kept| kept.served;
        let result = if let Some(seq) = known {
            Ok(seq)
        } else if !self.conversations.get(&message.conversation_id).is_some_and(is_served) {
            Err(WireError::new(ErrorCode::NotFound))
        } else {
            if fault.is_some() {
                // Stored, but nobody hears of it on this link.
                self.cut();
            }
            let author = Author::Agent { agent_id: self.own.id.clone() };
            Ok(self.append(&message.conversation_id, id.clone(), author, &message.text))
        };
        let at = self.now();
        let result = result.map(|seq| Outcome::Accepted {
            conversation_id: message.conversation_id,
            seq,
            at,
        });
        match fault {
            Some(OnSend::CutBeforeAnswering) => None,
            Some(OnSend::CutBeforeDelivering) => {
                Some(vec![answer(id, result), StaffFrame::Bye(Bye::new(ErrorCode::Unavailable))])
            }
            _ => Some(vec![answer(id, result)]),
        }
    }

    fn mark(&mut self, mark: StaffMark) {
        let id = mark.conversation_id.clone();
        let kept = &self.conversations[&id];
        let counts = |message: &&Message| message.seq == mark.read;
        let read = kept.messages.iter().find(counts);
        let read =
            read.map(|message| ReadMark { seq: message.seq, visitor_count: message.visitor_count });
        let grows = read.filter(|read| read.seq > kept.record.own_read.seq);
        self.marks.push(mark);
        if let Some(read) = grows {
            self.announce(StaffEventBody::OwnRead { conversation_id: id, read });
        }
    }

    fn page(&self, load: &LoadMessages) -> MessagePage {
        let kept = &self.conversations[&load.conversation_id];
        let below = |message: &&Message| load.before.is_none_or(|before| message.seq < before);
        let mut messages: Vec<Message> = kept.messages.iter().filter(below).cloned().collect();
        let from = messages.len().saturating_sub(load.limit as usize);
        let messages = messages.split_off(from);
        MessagePage {
            conversation_id: load.conversation_id.clone(),
            messages,
            notes: self.notes_among(load, from as u64),
            has_earlier: from > 0,
        }
    }
}

fn answer(id: &ClientId, result: Result<Outcome, WireError>) -> StaffFrame {
    let (ok, error) = match result {
        Ok(outcome) => (Some(outcome), None),
        Err(error) => (None, Some(error)),
    };
    StaffFrame::Reply(Reply { id: id.clone(), ok, error })
}

pub(crate) type Shared = State<Arc<Mutex<World>>>;

pub(crate) fn refused(status: StatusCode, code: ErrorCode) -> Response {
    (status, Json(WireError::new(code))).into_response()
}

async fn sign_in(State(world): Shared, Json(form): Json<SignIn>) -> Response {
    let mut world = world.lock().unwrap();
    if form.account != world.own.account || form.password != world.password {
        return refused(StatusCode::UNAUTHORIZED, ErrorCode::WrongCredentials);
    }
    world.sign_ins += 1;
    let token = format!("token-{}", world.sign_ins);
    world.tokens.push(token.clone());
    Json(SignedIn { token, own: world.own.clone() }).into_response()
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
}

async fn sign_out(State(world): Shared, headers: HeaderMap) -> Response {
    let mut world = world.lock().unwrap();
    if world.down {
        return refused(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable);
    }
    let token = bearer(&headers).unwrap_or_default();
    world.tokens.retain(|known| known != token);
    Json(serde_json::json!({})).into_response()
}

async fn change_password(
    State(world): Shared,
    headers: HeaderMap,
    Json(change): Json<ChangePassword>,
) -> Response {
    let mut world = world.lock().unwrap();
    if !bearer(&headers).is_some_and(|token| world.tokens.iter().any(|known| known == token)) {
        return refused(StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated);
    }
    if change.old != world.password {
        return refused(StatusCode::FORBIDDEN, ErrorCode::WrongCredentials);
    }
    world.password = change.new;
    Json(serde_json::json!({})).into_response()
}

#[derive(serde::Deserialize)]
struct After {
    after: Option<ConversationId>,
}

async fn served(State(world): Shared, headers: HeaderMap, Query(asked): Query<After>) -> Response {
    let world = world.lock().unwrap();
    if world.pages_down {
        return refused(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable);
    }
    if !bearer(&headers).is_some_and(|token| world.tokens.iter().any(|known| known == token)) {
        return refused(StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated);
    }
    let position = world.position();
    let (conversations, has_more) = world.served(asked.after.as_ref());
    Json(ServedPage { position, conversations, has_more }).into_response()
}

async fn staff_socket(State(world): Shared, upgrade: WebSocketUpgrade) -> Response {
    if world.lock().unwrap().down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade.on_upgrade(move |socket| carry(world, socket))
}

async fn carry(world: Arc<Mutex<World>>, mut socket: WebSocket) {
    let (frames, mut outgoing) = mpsc::unbounded_channel::<Option<String>>();
    loop {
        tokio::select! {
            biased;
            frame = outgoing.recv() => match frame.flatten() {
                Some(text) => {
                    if socket.send(Frame::text(text)).await.is_err() {
                        return;
                    }
                }
                None => return,
            },
            message = socket.recv() => {
                let Some(Ok(Frame::Text(text))) = message else { return };
                let is_overtaken;
                let replies = {
                    let mut world = world.lock().unwrap();
                    let envelope = Envelope::decode(&text).unwrap();
                    let command = StaffCommand::decode(&envelope.name, envelope.body.get());
                    let command = command.expect("the client sends what the protocol knows");
                    let is_hello = matches!(command, StaffCommand::Hello(_));
                    is_overtaken = matches!(command, StaffCommand::WatchConversation(_));
                    let replies = world.command(command, &envelope.id);
                    if is_hello {
                        world.sockets.push(frames.clone());
                    }
                    replies
                };
                let Some(replies) = replies else { return };
                // What happened meanwhile is said before the answer.
                while is_overtaken && let Ok(frame) = outgoing.try_recv() {
                    let Some(text) = frame else { return };
                    let _ = socket.send(Frame::text(text)).await;
                }
                for reply in replies {
                    let text = serde_json::to_string(&reply).unwrap();
                    let is_bye = matches!(reply, StaffFrame::Bye(_));
                    if socket.send(Frame::text(text)).await.is_err() || is_bye {
                        return;
                    }
                }
            }
        }
    }
}
