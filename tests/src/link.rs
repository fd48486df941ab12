//! A raw socket of the protocol, staff or visitor: says hello, applies what is delivered to the
//! snapshot by `yingke_shared::apply`, keeps replies and signals. It never reconnects by itself.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, anyhow, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message as Frame;
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::{StaffCommand, VisitorCommand};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::{StaffEvent, VisitorEvent};
use yingke_shared::frame::{
    Bye, Delivery, Hello, Outcome, Reply, ResumePoint, StaffFrame, StaffSignal, Start,
    VisitorFrame, VisitorSignal, Welcome,
};
use yingke_shared::ids::{ClientId, Epoch, Position};
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};

use crate::http::Address;
use crate::wait::LIMIT;

/// One side of the protocol.
pub trait Side: Sized + Send + Sync + 'static {
    /// The socket's route.
    const PATH: &'static str;
    /// What a reader of this side holds.
    type Snapshot: Clone + PartialEq + Debug + DeserializeOwned + Send;
    /// What is delivered to it.
    type Event: Clone + PartialEq + Debug + Send;
    /// What is only true now.
    type Signal: Clone + Debug + Send;
    /// What it may ask.
    type Command: Serialize;
    /// What the relay sends it.
    type Frame: DeserializeOwned;
    /// The first command.
    fn hello(hello: Hello) -> Self::Command;
    /// Frames of both sides have the same kinds.
    fn incoming(frame: Self::Frame) -> Incoming<Self>;
    /// Where an event stands in the log.
    fn position(event: &Self::Event) -> Position;
    /// The pure application of the protocol crate.
    fn apply(snapshot: &mut Self::Snapshot, event: &Self::Event);
}

/// A frame from the relay.
pub enum Incoming<S: Side> {
    /// Once.
    Welcome(Welcome<S::Snapshot>),
    /// To a command.
    Reply(Reply),
    /// A stretch of the log.
    Delivery(Delivery<S::Event>),
    /// Ephemeral.
    Signal(S::Signal),
    /// The last word.
    Bye(Bye),
}

/// The staff side.
#[derive(Debug, Clone)]
pub struct Staff;
/// The visitor side.
#[derive(Debug, Clone)]
pub struct Visitor;

macro_rules! side {
    ($side:ident, $path:literal, $frame:ident, $command:ident, $snapshot:ident, $event:ident, $signal:ident) => {
        impl Side for $side {
            const PATH: &'static str = $path;
            type Snapshot = $snapshot;
            type Event = $event;
            type Signal = $signal;
            type Command = $command;
            type Frame = $frame;
            fn hello(hello: Hello) -> $command {
                $command::Hello(hello)
            }
            fn incoming(frame: $frame) -> Incoming<Self> {
                match frame {
                    $frame::Welcome(welcome) => Incoming::Welcome(welcome),
                    $frame::Reply(reply) => Incoming::Reply(reply),
                    $frame::Delivery(delivery) => Incoming::Delivery(delivery),
                    $frame::Signal { signal } => Incoming::Signal(signal),
                    $frame::Bye(bye) => Incoming::Bye(bye),
                }
            }
            fn position(event: &$event) -> Position {
                event.position
            }
            fn apply(snapshot: &mut $snapshot, event: &$event) {
                snapshot.apply(event);
            }
        }
    };
}
side!(Staff, "/ws/staff", StaffFrame, StaffCommand, StaffSnapshot, StaffEvent, StaffSignal);
side!(
    Visitor,
    "/ws/visitor",
    VisitorFrame,
    VisitorCommand,
    VisitorSnapshot,
    VisitorEvent,
    VisitorSignal
);

/// What a link has heard.
#[derive(Debug)]
pub struct Held<S: Side> {
    /// The snapshot with every delivered event applied.
    pub snapshot: S::Snapshot,
    /// The reader's place in the log.
    pub position: Position,
    /// Of which log.
    pub epoch: Epoch,
    /// Whether the hello was answered by a resume.
    pub resumed: bool,
    /// Every event delivered on this link.
    pub events: Vec<S::Event>,
    /// Every signal on this link.
    pub signals: Vec<S::Signal>,
    /// Answers not yet taken.
    pub replies: BTreeMap<ClientId, Reply>,
    /// The relay's goodbye.
    pub bye: Option<Bye>,
    /// Whether the socket is gone.
    pub closed: bool,
    /// By what, if it was not closed.
    pub failure: Option<String>,
    /// What broke the protocol, if anything did.
    pub broken: Option<String>,
    /// Whoever waits goes on although something broke the protocol: for tests of broken relays.
    pub is_patient: bool,
}

/// A place to go on from.
#[derive(Debug, Clone)]
pub struct Bookmark<S: Side> {
    snapshot: S::Snapshot,
    point: ResumePoint,
}

/// An open socket after a good hello.
pub struct Link<S: Side> {
    held: Arc<Mutex<Held<S>>>,
    changed: watch::Receiver<()>,
    outgoing: mpsc::Sender<Frame>,
    task: tokio::task::JoinHandle<()>,
}

impl<S: Side> Drop for Link<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a socket could not be had.
#[derive(Debug)]
pub enum NoLink {
    /// The relay said goodbye instead of welcome.
    Refused(WireError),
    /// It could not be reached or broke off.
    Unreachable(anyhow::Error),
}

impl From<NoLink> for anyhow::Error {
    fn from(no: NoLink) -> Self {
        match no {
            NoLink::Refused(error) => anyhow!("the hello was refused: {error:?}"),
            NoLink::Unreachable(error) => error,
        }
    }
}

/// A new id of a command.
#[must_use]
pub fn new_id() -> ClientId {
    ClientId::new(uuid::Uuid::now_v7().to_string()).unwrap()
}

/// A command as it crosses the wire.
pub fn encode<C: Serialize>(id: &ClientId, command: &C) -> Result<String> {
    let body = serde_json::to_string(command)?;
    let body = body.strip_prefix('{').context("a command is an object")?;
    Ok(format!("{{\"id\":\"{id}\",{body}"))
}

impl<S: Side> Link<S> {
    /// Connects and says hello, going on from `bookmark` if there is one.
    pub async fn open(
        address: &Address,
        token: &str,
        bookmark: Option<Bookmark<S>>,
    ) -> Result<Self, NoLink> {
        // What a handshake needs is large; every story that opens a link would have room for it.
        let opening = Box::pin(Self::open_unbounded(address, token, bookmark));
        match tokio::time::timeout(LIMIT, opening).await {
            Ok(link) => link,
            Err(_) => Err(NoLink::Unreachable(anyhow!("no welcome within {LIMIT:?}"))),
        }
    }

    async fn open_unbounded(
        address: &Address,
        token: &str,
        bookmark: Option<Bookmark<S>>,
    ) -> Result<Self, NoLink> {
        let unreachable = |error: anyhow::Error| NoLink::Unreachable(error);
        let (url, connector) = (address.socket(S::PATH), Some(address.connector()));
        let (mut socket, _) =
            tokio_tungstenite::connect_async_tls_with_config(url, None, false, connector)
                .await
                .map_err(|error| unreachable(error.into()))?;
        let hello = S::hello(Hello {
            version: PROTOCOL_VERSION,
            token: token.to_owned(),
            resume: bookmark.as_ref().map(|mark| mark.point.clone()),
        });
        let hello = encode(&new_id(), &hello).map_err(unreachable)?;
        socket.send(Frame::text(hello)).await.map_err(|error| unreachable(error.into()))?;
        let welcome = loop {
            let frame = match socket.next().await {
                Some(Ok(Frame::Text(text))) => text,
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => continue,
                other => return Err(unreachable(anyhow!("no welcome but {other:?}"))),
            };
            let frame: S::Frame = serde_json::from_str(&frame)
                .with_context(|| format!("a frame the protocol does not know: {frame}"))
                .map_err(unreachable)?;
            match S::incoming(frame) {
                Incoming::Welcome(welcome) => break welcome,
                Incoming::Bye(bye) => return Err(NoLink::Refused(bye.error)),
                _ => return Err(unreachable(anyhow!("something came before the welcome"))),
            }
        };
        let (snapshot, position, resumed) = match (welcome.start, bookmark) {
            (Start::Snapshot { position, snapshot }, _) => (*snapshot, position, false),
            (Start::Resumed { position }, Some(mark)) => (mark.snapshot, position, true),
            (Start::Resumed { .. }, None) => {
                return Err(unreachable(anyhow!("resumed without having asked")));
            }
        };
        let held = Arc::new(Mutex::new(Held {
            snapshot,
            position,
            epoch: welcome.epoch,
            resumed,
            events: Vec::new(),
            signals: Vec::new(),
            replies: BTreeMap::new(),
            bye: None,
            closed: false,
            failure: None,
            broken: None,
            is_patient: false,
        }));
        let (outgoing, mut to_send) = mpsc::channel::<Frame>(64);
        let (tell, changed) = watch::channel(());
        let shared = Arc::clone(&held);
        let task = tokio::spawn(async move {
            let (mut write, mut read) = socket.split();
            let writer = async {
                while let Some(frame) = to_send.recv().await {
                    write.send(frame).await?;
                }
                write.close().await
            };
            let reader = async {
                while let Some(frame) = read.next().await {
                    if let Frame::Text(text) = frame? {
                        shared.lock().unwrap().hear(&text);
                        tell.send_replace(());
                    }
                }
                Ok(())
            };
            let end = tokio::select! { biased; end = reader => end, end = writer => end };
            {
                let mut held = shared.lock().unwrap();
                held.closed = true;
                held.failure = end.err().map(|error| error.to_string());
            }
            tell.send_replace(());
        });
        Ok(Self { held, changed, outgoing, task })
    }

    /// Looks at what was heard.
    pub fn look<T>(&self, look: impl FnOnce(&Held<S>) -> T) -> T {
        look(&self.held.lock().unwrap())
    }

    /// What the reader holds now.
    #[must_use]
    pub fn snapshot(&self) -> S::Snapshot {
        self.look(|held| held.snapshot.clone())
    }

    /// Where to go on from on another socket.
    #[must_use]
    pub fn bookmark(&self) -> Bookmark<S> {
        self.look(|held| Bookmark {
            snapshot: held.snapshot.clone(),
            point: ResumePoint { epoch: held.epoch.clone(), position: held.position },
        })
    }

    /// From now on whoever waits goes on although the relay breaks the protocol.
    pub fn be_patient(&self) {
        self.held.lock().unwrap().is_patient = true;
    }

    /// Waits until `look` finds something.
    pub async fn until<T>(
        &self,
        what: &str,
        mut look: impl FnMut(&Held<S>) -> Option<T>,
    ) -> Result<T> {
        let end = Instant::now() + LIMIT;
        let mut changed = self.changed.clone();
        loop {
            changed.borrow_and_update();
            let closed = {
                let held = self.held.lock().unwrap();
                if let Some(broken) = held.broken.as_ref().filter(|_| !held.is_patient) {
                    bail!("{what}: {broken}");
                }
                if let Some(found) = look(&held) {
                    return Ok(found);
                }
                held.closed
            };
            if closed {
                let end = self.look(|held| (held.bye.clone(), held.failure.clone()));
                bail!("the socket closed {end:?} while waiting for: {what}");
            }
            if timeout_at(end, changed.changed()).await.is_err() {
                let state = self.look(|held| format!("{:#?}", held.snapshot));
                bail!("waited in vain for {LIMIT:?}: {what}\nheld: {state}");
            }
        }
    }

    /// Whether the relay has closed the socket, as far as was heard.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.look(|held| held.closed)
    }

    /// Waits until the relay has closed the socket; gives its goodbye.
    pub async fn until_closed(&self) -> Result<Option<Bye>> {
        self.until("the relay closes the socket", |held| held.closed.then(|| held.bye.clone()))
            .await
    }

    /// Sends any frame at all.
    pub async fn send_frame(&self, frame: Frame) -> Result<()> {
        self.outgoing.send(frame).await.map_err(|_| anyhow!("the socket is closed"))
    }

    /// Sends a command without waiting for its answer.
    pub async fn send(&self, id: &ClientId, command: &S::Command) -> Result<()> {
        self.send_frame(Frame::text(encode(id, command)?)).await
    }

    /// Sends a command under a given id and waits for its answer.
    pub async fn ask_as(
        &self,
        id: &ClientId,
        command: &S::Command,
    ) -> Result<Result<Outcome, WireError>> {
        self.send(id, command).await?;
        self.answer(id).await
    }

    /// Waits for the answer to a command.
    pub async fn answer(&self, id: &ClientId) -> Result<Result<Outcome, WireError>> {
        self.until("an answer", |held| held.replies.contains_key(id).then_some(())).await?;
        let reply = self.held.lock().unwrap().replies.remove(id).context("taken twice")?;
        match (reply.ok, reply.error) {
            (Some(outcome), None) => Ok(Ok(outcome)),
            (None, Some(error)) => Ok(Err(error)),
            _ => bail!("a reply has exactly one of ok and error"),
        }
    }

    /// Sends a command and waits for its answer.
    pub async fn ask(&self, command: &S::Command) -> Result<Result<Outcome, WireError>> {
        self.ask_as(&new_id(), command).await
    }

    /// Sends a command that must be carried out.
    pub async fn must(&self, command: &S::Command) -> Result<Outcome> {
        let id = new_id();
        loop {
            match self.ask_as(&id, command).await? {
                Ok(outcome) => return Ok(outcome),
                Err(WireError { code: ErrorCode::TooFast, retry_after_ms }) => {
                    let wait = u64::from(retry_after_ms.unwrap_or(100));
                    crate::wait::pass(std::time::Duration::from_millis(wait)).await;
                }
                Err(error) => bail!("refused: {error:?}"),
            }
        }
    }
}

impl<S: Side> Held<S> {
    fn hear(&mut self, text: &str) {
        let frame: S::Frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                self.broken = Some(format!("a frame the protocol does not know: {error}: {text}"));
                return;
            }
        };
        match S::incoming(frame) {
            Incoming::Welcome(_) => self.broken = Some("a second welcome".to_owned()),
            Incoming::Reply(reply) => {
                if self.replies.insert(reply.id.clone(), reply).is_some() {
                    self.broken = Some("two answers to one command".to_owned());
                }
            }
            Incoming::Signal(signal) => self.signals.push(signal),
            Incoming::Bye(bye) => self.bye = Some(bye),
            Incoming::Delivery(delivery) => {
                if delivery.after != self.position || delivery.upto < delivery.after {
                    self.broken = Some(format!(
                        "a hole: the reader is at {}, the delivery goes from {} to {}",
                        self.position, delivery.after, delivery.upto
                    ));
                }
                let mut last: Option<S::Event> = None;
                for event in delivery.events {
                    let position = S::position(&event);
                    let former = last.as_ref().map_or(delivery.after, S::position);
                    // One entry may tell a reader several things, but none of them twice.
                    let is_of_one =
                        last.is_some() && position == former && last.as_ref() != Some(&event);
                    if !(position > former || is_of_one) || position > delivery.upto {
                        self.broken = Some(format!(
                            "an event at {position} stands behind {former} in a delivery up to {}",
                            delivery.upto
                        ));
                    }
                    S::apply(&mut self.snapshot, &event);
                    self.events.push(event.clone());
                    last = Some(event);
                }
                self.position = delivery.upto;
            }
        }
    }
}
