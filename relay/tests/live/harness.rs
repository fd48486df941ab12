//! A real relay in this process (real store in a temporary folder, real listener on port 0) and
//! clients that speak the protocol over real sockets and check at every delivery that it continues
//! where the last one ended.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use yingke_relay::app::App;
use yingke_relay::auth::{StaffIdentity, VisitorIdentity};
use yingke_relay::clock::RealWorld;
use yingke_relay::config::Config;
use yingke_relay::store::Store;
use yingke_relay::{agents, assignment, auth, conversations, live, serve, sites, visitors};
use yingke_shared::commands::visitor::{PageContext, VisitorAsks, VisitorSendMessage};
use yingke_shared::ids::{AgentId, ClientId, SiteId, VisitorId};
use yingke_shared::rest::{AddAgent, AddSite, EnterAsVisitor, SignIn};
use yingke_shared::views::Role;

/// Nothing in these tests may take longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "correct horse battery";

pub(crate) struct Relay {
    pub(crate) app: Arc<App>,
    pub(crate) address: SocketAddr,
    pub(crate) site: SiteId,
    folder: tempfile::TempDir,
}

pub(crate) struct Agent {
    pub(crate) id: AgentId,
    pub(crate) token: String,
}

pub(crate) struct Visitor {
    pub(crate) id: VisitorId,
    pub(crate) token: String,
    site: SiteId,
}

impl Relay {
    pub(crate) async fn start() -> Self {
        Self::start_with(true).await
    }

    /// A relay that never gets to the end of its start: fan-out does not begin.
    pub(crate) async fn start_without_fanout() -> Self {
        Self::start_with(false).await
    }

    async fn start_with(fans_out: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (app, address) = begin(&folder, fans_out).await;
        let site = AddSite { name: "Shop".into(), domains: vec![] };
        let admin = StaffIdentity {
            agent_id: AgentId::new("setup").unwrap(),
            role: Role::Admin,
            session: auth::TokenHash::of("setup"),
        };
        let site = sites::actions::add(&app, &admin, site).await.unwrap().id;
        Self { app, address, site, folder }
    }

    /// The same data folder with another process's worth of memory.
    pub(crate) async fn restarted(self) -> Self {
        self.stop().await;
        let Self { app, site, folder, .. } = self;
        drop(app);
        let (app, address) = begin(&folder, true).await;
        Self { app, address, site, folder }
    }

    pub(crate) async fn stop(&self) {
        self.app.stopping.cancel();
        self.app.tasks.close();
        tokio::time::timeout(LIMIT, self.app.tasks.wait()).await.unwrap();
        self.app.store.close().await;
    }

    pub(crate) async fn agent(&self, account: &str, capacity: u32) -> Agent {
        self.account(account, Role::Agent, capacity).await
    }

    pub(crate) async fn account(&self, account: &str, role: Role, capacity: u32) -> Agent {
        let (app, account) = (&self.app, account.to_owned());
        let add = AddAgent {
            account: account.clone(),
            password: PASSWORD.into(),
            nickname: account.clone(),
            role,
            capacity,
            departments: None,
            skills: Vec::new(),
        };
        let passwords = &app.auth.passwords;
        agents::actions::insert(&app.store, app.world.as_ref(), passwords, add).await.unwrap();
        let sign_in = SignIn { account, password: PASSWORD.into() };
        let (token, who) = auth::actions::sign_in(app, ADDRESS, sign_in).await.unwrap();
        Agent { id: who.agent_id, token }
    }

    pub(crate) async fn visitor(&self) -> Visitor {
        let site = self.site.clone();
        let entered =
            visitors::actions::enter(&self.app, ADDRESS, site.clone(), EnterAsVisitor::default());
        let entered = entered.await.unwrap();
        Visitor { id: entered.visitor_id, token: entered.token, site }
    }

    /// An agent's client that is online (在线).
    pub(crate) async fn online(&self, agent: &Agent) -> Client {
        let mut client = self.staff(agent).await;
        let id = client.command("set_availability", json!({"availability": "online"})).await;
        client.done(&id).await;
        client
    }

    pub(crate) async fn staff(&self, agent: &Agent) -> Client {
        let mut client = Client::connect(self.address, "/ws/staff").await;
        client.hello(&agent.token, Value::Null).await;
        client
    }

    pub(crate) async fn widget(&self, visitor: &Visitor) -> Client {
        let mut client = Client::connect(self.address, "/ws/visitor").await;
        client.hello(&visitor.token, Value::Null).await;
        client
    }

    /// A message of the visitor past the socket and its rates.
    pub(crate) async fn send_as(&self, visitor: &Visitor, id: &str, text: &str) {
        let who = VisitorIdentity { visitor_id: visitor.id.clone(), site_id: visitor.site.clone() };
        let page = PageContext::default();
        let command = VisitorSendMessage {
            text: text.into(),
            page,
            locale: "en".into(),
            asks: VisitorAsks::default(),
        };
        let id = ClientId::new(id).unwrap();
        let app = Arc::clone(&self.app);
        conversations::actions::send_as_visitor(app, who, id, command).await.unwrap();
    }
}

async fn begin(folder: &tempfile::TempDir, fans_out: bool) -> (Arc<App>, SocketAddr) {
    let world = Arc::new(RealWorld);
    let store = Store::open(folder.path(), world.as_ref()).unwrap();
    let config = Config { data: folder.path().into(), ..Config::default() };
    let app = Arc::new(App::new(config, world, store));
    if fans_out {
        app.tasks.spawn(live::run(Arc::clone(&app)));
    }
    app.tasks.spawn(assignment::run(Arc::clone(&app)));
    app.tasks.spawn(assignment::tell(Arc::clone(&app)));
    let listener = tokio::net::TcpListener::bind((ADDRESS, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = serve::router(&app).into_make_service_with_connect_info::<SocketAddr>();
    let stopping = app.stopping.clone();
    tokio::spawn(async move {
        let served = axum::serve(listener, service);
        served.with_graceful_shutdown(async move { stopping.cancelled().await }).await
    });
    (app, address)
}

/// What one socket saw.
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    next_id: u32,
    pub(crate) welcome: Value,
    /// What the events since apply to.
    pub(crate) snapshot: Value,
    pub(crate) epoch: String,
    pub(crate) position: u64,
    pub(crate) events: Vec<Value>,
    pub(crate) signals: Vec<Value>,
    pub(crate) replies: BTreeMap<String, Value>,
    pub(crate) bye: Option<Value>,
    pub(crate) closed: bool,
    seen_positions: BTreeSet<u64>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Self {
        Self::connect_with(address, path, None).await
    }

    /// With a receive buffer of its own, for a reader that is soon full.
    pub(crate) async fn connect_with(address: SocketAddr, path: &str, buffer: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(size) = buffer {
            socket.set_recv_buffer_size(size).unwrap();
        }
        let stream = socket.connect(address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{address}{path}"), stream).await.unwrap();
        Self {
            socket,
            next_id: 0,
            welcome: Value::Null,
            snapshot: Value::Null,
            epoch: String::new(),
            position: 0,
            events: vec![],
            signals: vec![],
            replies: BTreeMap::new(),
            bye: None,
            closed: false,
            seen_positions: BTreeSet::new(),
        }
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        // The relay may have closed already; what it said is what tests look at.
        let _ = self.socket.send(message).await;
    }

    /// A random-looking id that no other client of the process uses.
    fn id(&mut self) -> String {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        self.next_id += 1;
        format!("c{}", NEXT.fetch_add(1, Ordering::SeqCst))
    }

    pub(crate) async fn command(&mut self, name: &str, body: Value) -> String {
        let id = self.id();
        let frame = json!({"id": id, "type": name, "body": body}).to_string();
        self.raw(Message::text(frame)).await;
        id
    }

    pub(crate) async fn hello(&mut self, token: &str, resume: Value) {
        self.say_hello(token, resume).await;
        self.until(|client| (!client.welcome.is_null()).then_some(())).await;
    }

    pub(crate) async fn say_hello(&mut self, token: &str, resume: Value) {
        self.welcome = Value::Null;
        let body = json!({"version": 1, "token": token, "resume": resume});
        self.command("hello", body).await;
    }

    pub(crate) fn resume_point(&self) -> Value {
        json!({"epoch": self.epoch, "position": self.position})
    }

    /// Reads frames until `wanted` finds what it looks for.
    pub(crate) async fn until<T>(&mut self, mut wanted: impl FnMut(&Self) -> Option<T>) -> T {
        let limit = tokio::time::Instant::now() + LIMIT;
        loop {
            if let Some(found) = wanted(self) {
                return found;
            }
            assert!(!self.closed, "closed, last word: {:?}", self.bye);
            let Ok(()) = tokio::time::timeout_at(limit, self.read()).await else {
                panic!("not seen in time; events {:#?}, signals {:?}", self.events, self.signals);
            };
        }
    }

    /// Reads one frame.
    pub(crate) async fn read(&mut self) {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => self.take(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(other)) => {
                assert!(matches!(other, Message::Close(_)), "{other:?}");
                self.closed = true;
            }
            Some(Err(_)) | None => self.closed = true,
        }
    }

    fn take(&mut self, frame: Value) {
        match frame["type"].as_str().unwrap() {
            "welcome" => {
                self.epoch = frame["epoch"].as_str().unwrap().to_owned();
                self.position = frame["start"]["position"].as_u64().unwrap();
                if frame["start"]["mode"] == "snapshot" {
                    self.snapshot = frame["start"]["snapshot"].clone();
                    self.events.clear();
                    self.seen_positions.clear();
                }
                // What was under way while the client asked to resume comes again.
                let from = self.position;
                self.events.retain(|event| event["position"].as_u64().unwrap() <= from);
                self.seen_positions.retain(|position| *position <= from);
                self.welcome = frame;
            }
            "delivery" => {
                assert_eq!(frame["after"], self.position, "a delivery does not continue");
                let upto = frame["upto"].as_u64().unwrap();
                for event in frame["events"].as_array().unwrap() {
                    let position = event["position"].as_u64().unwrap();
                    assert!(position > self.position && position <= upto, "{frame}");
                    assert!(self.seen_positions.insert(position), "twice: {event}");
                    self.events.push(event.clone());
                }
                assert!(upto >= self.position);
                self.position = upto;
            }
            "reply" => {
                self.replies.insert(frame["id"].as_str().unwrap().to_owned(), frame);
            }
            "signal" => self.signals.push(frame["signal"].clone()),
            "bye" => self.bye = Some(frame["error"].clone()),
            other => panic!("unknown frame {other}"),
        }
    }

    pub(crate) async fn reply(&mut self, id: &str) -> Value {
        self.until(|client| client.replies.get(id).cloned()).await
    }

    pub(crate) async fn done(&mut self, id: &str) {
        let reply = self.reply(id).await;
        assert_eq!(reply["ok"]["kind"], "done", "{reply}");
    }

    /// The first event so far or to come of this type.
    pub(crate) async fn event(&mut self, kind: &str) -> Value {
        self.until(|client| client.events.iter().find(|event| event["type"] == kind).cloned()).await
    }

    /// Waits until a message of this text was delivered.
    pub(crate) async fn message(&mut self, text: &str) -> Value {
        self.until(|client| client.messages().into_iter().find(|m| m["content"]["text"] == text))
            .await
    }

    /// Every message delivered so far.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let appended = self.events.iter().filter(|event| event["type"] == "message_appended");
        appended.map(|event| event["message"].clone()).collect()
    }

    /// Why the relay closed; waits for the close.
    pub(crate) async fn bye_code(&mut self) -> String {
        self.until(|client| client.bye.clone()).await["code"].as_str().unwrap().to_owned()
    }

    /// Says a message and waits until it is stored.
    pub(crate) async fn say(&mut self, text: &str) -> Value {
        let body = json!({"text": text, "page": {"url": "", "title": ""}, "locale": "en"});
        let id = self.command("send_message", body).await;
        let reply = self.reply(&id).await;
        assert_eq!(reply["ok"]["kind"], "accepted", "{reply}");
        reply["ok"].clone()
    }

    /// The same for staff.
    pub(crate) async fn answer(&mut self, conversation: &str, text: &str) -> Value {
        let body = json!({"conversation_id": conversation, "text": text});
        let id = self.command("send_message", body).await;
        let reply = self.reply(&id).await;
        assert_eq!(reply["ok"]["kind"], "accepted", "{reply}");
        reply["ok"].clone()
    }
}

/// Waits for a condition of the relay itself.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let limit = tokio::time::Instant::now() + LIMIT;
    while !is_so() {
        assert!(tokio::time::Instant::now() < limit, "never: {what}");
        tokio::task::yield_now().await;
    }
}
