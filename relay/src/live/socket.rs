//! One socket, one task: from the upgrade to the goodbye.
//!
//! The task waits for whatever comes first: a frame of the client, room for the next frame, the
//! mailbox's bell, a command's answer, the next due time. An idle session holds nothing but the
//! socket, its place in the hub and one timer; what the hello needs is boxed and gone afterwards.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, State, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, Sleep};
use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::Command as _;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::{Hello, Reply};
use yingke_shared::ids::{ClientId, Position};
use yingke_shared::limits::HELLO_WITHIN_MS;

use super::frames::{self, Events};
use super::hub::{Admission, Registration};
use super::machine::{Class, Due, Inbound, Machine, too_fast};
use super::mailbox::{Item, Mailbox};
use super::outbox::{Kind, Outbox};
use super::side::{Side, Sorted};
use super::staff::Staff;
use super::under_way::UnderWay;
use super::visitor::Visitors;
use super::wire::{Io, Link, Wire};
use crate::accept::Pulse;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::error::RelayError;
use crate::limits::{
    DELIVERY_BYTES_MAX, Rate, SOCKET_FRAME_BYTES_MAX, SOCKET_READ_BUFFER_BYTES,
    SOCKET_WRITE_BUFFER_BYTES_MAX, WRITTEN_TOGETHER_BYTES,
};

/// Whoever reads slowly asks again for a page after so many milliseconds.
const PAGE_AGAIN_AFTER_MS: u32 = 1_000;

/// A request that opens a WebSocket, or does not.
type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// `GET /ws/staff`.
pub async fn staff_upgrade(
    State(app): State<Arc<App>>,
    Extension(address): Extension<ClientAddress>,
    pulse: Option<Extension<Arc<Pulse>>>,
    upgrade: Upgrade,
) -> Response {
    accept::<Staff>(app, address, pulse, upgrade)
}

/// `GET /ws/visitor`.
pub async fn visitor_upgrade(
    State(app): State<Arc<App>>,
    Extension(address): Extension<ClientAddress>,
    pulse: Option<Extension<Arc<Pulse>>>,
    upgrade: Upgrade,
) -> Response {
    accept::<Visitors>(app, address, pulse, upgrade)
}

fn accept<S: Side>(
    app: Arc<App>,
    address: ClientAddress,
    pulse: Option<Extension<Arc<Pulse>>>,
    upgrade: Upgrade,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return RelayError::refused(ErrorCode::BadFrame).into_response();
    };
    let admission = match app.hub.admit(address.0, app.config.sockets_per_address) {
        Ok(admission) => admission,
        Err(code) => return RelayError::refused(code).into_response(),
    };
    upgrade
        .read_buffer_size(SOCKET_READ_BUFFER_BYTES)
        .write_buffer_size(WRITTEN_TOGETHER_BYTES)
        .max_write_buffer_size(SOCKET_WRITE_BUFFER_BYTES_MAX)
        .max_frame_size(SOCKET_FRAME_BYTES_MAX)
        .max_message_size(SOCKET_FRAME_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            let wire = Wire::new(socket, pulse.map(|Extension(pulse)| pulse));
            let tasks = app.tasks.clone();
            // A task of its own: this one has room for what the handshake needs.
            tasks.spawn(Session::<S, _>::begin(app, admission, wire).run());
        })
}

/// A session of staff over any link, until it ends.
pub async fn staff_session(app: Arc<App>, address: IpAddr, link: impl Link) {
    session::<Staff, _>(app, address, link).await;
}

/// A session of a visitor over any link, until it ends.
pub async fn visitor_session(app: Arc<App>, address: IpAddr, link: impl Link) {
    session::<Visitors, _>(app, address, link).await;
}

async fn session<S: Side, L: Link>(app: Arc<App>, address: IpAddr, link: L) {
    match app.hub.admit(address, app.config.sockets_per_address) {
        Ok(admission) => Session::<S, L>::begin(app, admission, link).run().await,
        Err(code) => link.say_bye(WireError::new(code)).await,
    }
}

/// Who reads, since the hello.
struct Reading<S: Side> {
    who: S::Identity,
    mailbox: Arc<Mailbox>,
    /// The place in the hub.
    registration: Registration,
    /// The reader's position, with everything that was started.
    position: Position,
}

struct Session<S: Side, L: Link> {
    app: Arc<App>,
    wire: L,
    machine: Machine,
    reading: Option<Reading<S>>,
    /// In the order in which they came. Takes no memory while empty.
    commands: Vec<UnderWay>,
    /// What goes before the next delivery.
    outbox: Outbox,
    began: Instant,
    ping_due: bool,
    delivery_due: bool,
    timer: Pin<Box<Sleep>>,
    /// Bytes the peer had taken when time was last looked at.
    taken: u64,
    admission: Admission,
}

/// Why a session is over.
enum End {
    /// The relay has a last word.
    Bye(WireError),
    /// The peer said that it closes.
    Closed,
    /// The connection broke.
    Gone,
}

impl From<ErrorCode> for End {
    fn from(code: ErrorCode) -> Self {
        Self::Bye(WireError::new(code))
    }
}

/// What woke the session.
enum Woken {
    Io(Io),
    Rung,
    Answered(Result<(), ErrorCode>),
    Time,
}

impl<S: Side, L: Link> Session<S, L> {
    /// Boxed, so that the task that runs it is small: it is moved into that task more than once.
    fn begin(app: Arc<App>, admission: Admission, wire: L) -> Box<Self> {
        let machine = Machine::new();
        let began = Instant::now();
        let timer = Box::pin(tokio::time::sleep(Duration::from_millis(machine.next_ms())));
        Box::new(Self {
            app,
            wire,
            machine,
            reading: None,
            commands: Vec::new(),
            outbox: Outbox::default(),
            began,
            ping_due: false,
            delivery_due: false,
            timer,
            taken: 0,
            admission,
        })
    }

    async fn run(mut self: Box<Self>) {
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        // The place in the hub is free before the goodbye: nobody counts on this session any more.
        self.reading = None;
        match end {
            End::Bye(error) => {
                tracing::debug!(side = S::NAME, code = ?error.code, "a session ends");
                Box::pin(self.wire.say_bye(error)).await;
            }
            End::Closed => Box::pin(self.wire.close_too()).await,
            End::Gone => {}
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn turn(&mut self) -> Result<(), End> {
        match &self.reading {
            Some(reading) => {
                if let Some(error) = reading.mailbox.ending() {
                    return Err(End::Bye(error));
                }
            }
            None if self.app.stopping.is_cancelled() => return Err(ErrorCode::Unavailable.into()),
            None => {}
        }
        self.write()?;
        match self.woken().await {
            Woken::Io(io) => match self.io(io)? {
                Some(hello) => Box::pin(self.hello_in_time(hello)).await,
                None => Ok(()),
            },
            Woken::Rung => Ok(()),
            Woken::Answered(put) => Ok(put?),
            Woken::Time => self.time(),
        }
    }

    async fn woken(&mut self) -> Woken {
        let mailbox = self.reading.as_ref().map(|reading| &reading.mailbox);
        let rung = async {
            match mailbox {
                Some(mailbox) => mailbox.rung().await,
                None => self.app.stopping.cancelled().await,
            }
        };
        let (commands, outbox, machine) = (&mut self.commands, &mut self.outbox, &mut self.machine);
        let has_commands = !commands.is_empty();
        let answered =
            poll_fn(|context| put_answers(commands, context, |reply| put(outbox, machine, reply)));
        tokio::select! {
            biased;
            io = self.wire.next() => Woken::Io(io),
            answered = answered, if has_commands => Woken::Answered(answered),
            () = rung => Woken::Rung,
            () = &mut self.timer => Woken::Time,
        }
    }

    /// Starts the next frame if there is room and something to say: replies first, they are few and
    /// somebody waits for each.
    fn write(&mut self) -> Result<(), End> {
        if self.wire.is_written() {
            self.machine.written();
        }
        while self.wire.has_room() {
            if std::mem::take(&mut self.ping_due) {
                self.wire.start_ping()?;
            } else if let Some(frame) = self.next_waiting() {
                self.wire.start_text(frame)?;
            } else if let Some(frame) = self.next_delivery()? {
                self.wire.start_text(frame)?;
            } else {
                break;
            }
        }
        if !self.wire.is_written() {
            self.machine.writes(self.now_ms());
        }
        Ok(())
    }

    /// The next frame of the outbox. Only now is an answered command over: as many as may be under
    /// way may also wait for the client to read.
    fn next_waiting(&mut self) -> Option<String> {
        let (kind, frame) = self.outbox.take()?;
        if kind == Kind::Answer {
            self.machine.answered();
        }
        Some(frame)
    }

    /// One delivery of what waits in the mailbox; signals among it follow as frames of their own.
    fn next_delivery(&mut self) -> Result<Option<String>, End> {
        let Some(reading) = self.reading.as_mut() else { return Ok(None) };
        // Before the mailbox is looked at: what was fanned out by then is in it.
        let fanned = self.app.hub.fanned();
        let items = reading.mailbox.take(DELIVERY_BYTES_MAX, fanned);
        let has_taken = !items.is_empty();
        let mut events = Events::new();
        let mut upto = reading.position;
        for item in items {
            match item {
                Item::Event(position, json) if position > reading.position => {
                    events.add(json);
                    upto = upto.max(position);
                }
                Item::Event(..) => {}
                Item::Signal(frame) => {
                    let text = std::str::from_utf8(&frame).unwrap_or_default();
                    self.outbox.put(Kind::Signal, text.to_owned())?;
                }
            }
        }
        if reading.mailbox.is_empty() {
            upto = upto.max(fanned);
        }
        // An ended mailbox is empty too: what waited in it was thrown away, and nobody moves past it.
        if let Some(error) = reading.mailbox.ending() {
            return Err(End::Bye(error));
        }
        if events.is_empty() && !self.delivery_due {
            // What is not fanned out yet is rung for.
            let is_more = has_taken && !reading.mailbox.is_empty();
            return match self.next_waiting() {
                // All of this portion came before the reader's position; nothing rings for the rest of it.
                None if is_more => self.next_delivery(),
                waiting => Ok(waiting),
            };
        }
        self.delivery_due = false;
        let frame = frames::delivery(reading.position, upto, &events);
        reading.position = upto;
        let now_ms = self.now_ms();
        self.machine.delivered(now_ms);
        Ok(Some(frame))
    }

    /// Gives a hello, which is waited for.
    fn io(&mut self, io: Io) -> Result<Option<Hello>, End> {
        match io {
            Io::Written => {
                self.machine.written();
                Ok(None)
            }
            Io::Gone => Err(End::Gone),
            Io::Closing => Err(End::Closed),
            Io::Refused(code) => Err(code.into()),
            Io::Alive => {
                self.machine.heard(self.now_ms());
                Ok(None)
            }
            Io::Text(text) => {
                let now_ms = self.now_ms();
                self.machine.heard(now_ms);
                let rate = Rate::of_messages(self.app.config.messages_per_second);
                let reading = self.reading.as_ref();
                let take = |class| {
                    reading.map_or(Ok(()), |reading| reading.registration.take(class, rate))
                };
                match self.machine.read::<S::Command>(&text, S::class, take) {
                    Inbound::Fatal(code) => Err(code.into()),
                    Inbound::Refused(id, error) => self.refuse(id, error).map(|()| None),
                    Inbound::Command(id, command) => self.command(id, S::sort(command)),
                }
            }
        }
    }

    fn command(&mut self, id: ClientId, command: Sorted<S::Command>) -> Result<Option<Hello>, End> {
        let hub = &self.app.hub;
        match (command, &self.reading) {
            (Sorted::Hello(hello), _) => return Ok(Some(hello)),
            (Sorted::Ephemeral(command), Some(reading)) => {
                let seat = reading.registration.seat();
                if let Err(code) = S::ephemeral(hub, &reading.who, seat, command) {
                    self.refuse(id, WireError::new(code))?;
                }
            }
            (Sorted::Durable(command), Some(reading)) => {
                let (name, place) = (command.name(), &reading.registration);
                let work = S::dispatch(&self.app, &reading.who, place.seat(), id.clone(), command);
                let socket = self.admission.number();
                let mut under_way = UnderWay::new(id, name, socket, place.copies(), work);
                // Polled once right here: a write joins the writer's queue before the next frame is
                // read, so one sender's messages keep their order. Whoever wakes the session is told
                // when all commands are polled next.
                match under_way.poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(reply) => put(&mut self.outbox, &mut self.machine, reply)?,
                    Poll::Pending => self.commands.push(under_way),
                }
            }
            (_, None) => return Err(ErrorCode::Unauthenticated.into()),
        }
        Ok(None)
    }

    /// A relay that cannot answer, because it begins, has a slow disk or stops, keeps nobody waiting.
    async fn hello_in_time(&mut self, hello: Hello) -> Result<(), End> {
        let stopping = self.app.stopping.clone();
        let limit = Duration::from_millis(HELLO_WITHIN_MS);
        tokio::select! {
            biased;
            () = stopping.cancelled() => Err(ErrorCode::Unavailable.into()),
            done = tokio::time::timeout(limit, self.hello(hello)) => {
                done.unwrap_or(Err(ErrorCode::Unavailable.into()))
            }
        }
    }

    /// The first hello, or another one because the client found a gap.
    async fn hello(&mut self, hello: Hello) -> Result<(), End> {
        if hello.version != PROTOCOL_VERSION {
            return Err(ErrorCode::UnsupportedVersion.into());
        }
        // A client that asks to begin again and again without reading.
        if self.outbox.is_opening() {
            return Err(ErrorCode::TooFast.into());
        }
        let refused = |error: RelayError| End::Bye(error.0);
        let too_fast = |wait_ms| End::Bye(too_fast(wait_ms));
        let per_address = Rate::of_hellos(self.app.config.sockets_per_address);
        self.admission.take_hello(per_address).map_err(too_fast)?;
        self.app.hub.begun().await;
        let who = S::who(&self.app, &hello.token).await.map_err(refused)?;
        let mailbox = Arc::new(Mailbox::default());
        let registration = S::join(&self.app.hub, &who, &mailbox);
        let messages = Rate::of_messages(self.app.config.messages_per_second);
        registration.take(Class::Hello, messages).map_err(too_fast)?;
        // Whoever was signed out or disabled before the hub knew this session is noticed here,
        // whoever is from now on is noticed by the hub.
        let who_now = S::who(&self.app, &hello.token).await.map_err(refused)?;
        let opening = S::open(&self.app, &who_now, hello.resume).await.map_err(refused)?;
        if let Some(error) = mailbox.ending() {
            return Err(End::Bye(error));
        }
        S::opened(&self.app.hub, &who_now, &mailbox);

        self.outbox.put(Kind::Opening, opening.welcome)?;
        for missed in deliveries(opening.position, opening.upto, &opening.missed) {
            self.outbox.put(Kind::Opening, missed)?;
        }
        let position = opening.upto;
        self.reading = Some(Reading { who: who_now, mailbox, registration, position });
        let now_ms = self.now_ms();
        self.machine.welcomed(now_ms);
        self.reset_timer();
        Ok(())
    }

    fn refuse(&mut self, id: ClientId, error: WireError) -> Result<(), End> {
        let reply = Reply { id, ok: None, error: Some(error) };
        match frames::reply(&reply) {
            Some(frame) => Ok(self.outbox.put(Kind::Refusal, frame)?),
            None => Ok(()),
        }
    }

    fn time(&mut self) -> Result<(), End> {
        let taken = self.wire.taken();
        let has_taken = std::mem::replace(&mut self.taken, taken) != taken;
        if has_taken || self.wire.is_written() {
            self.machine.written();
        }
        match self.machine.due(self.now_ms()) {
            Due::Nothing => {}
            Due::Ping => self.ping_due = true,
            Due::PingAndDelivery => {
                self.ping_due = true;
                self.delivery_due = true;
            }
            Due::End(code) => return Err(code.into()),
        }
        self.reset_timer();
        Ok(())
    }

    fn reset_timer(&mut self) {
        let at = self.began + Duration::from_millis(self.machine.next_ms());
        self.timer.as_mut().reset(at);
    }
}

/// Puts the answers of all commands that are over where the next frames are taken from; waits for one.
fn put_answers(
    commands: &mut Vec<UnderWay>,
    context: &mut Context<'_>,
    mut put: impl FnMut(Reply) -> Result<(), ErrorCode>,
) -> Poll<Result<(), ErrorCode>> {
    let before = commands.len();
    let mut outcome = Ok(());
    commands.retain_mut(|command| match command.poll(context) {
        Poll::Ready(reply) => {
            outcome = outcome.and_then(|()| put(reply));
            false
        }
        Poll::Pending => true,
    });
    if commands.len() == before {
        return Poll::Pending;
    }
    if commands.is_empty() {
        *commands = Vec::new();
    }
    Poll::Ready(outcome)
}

fn put(outbox: &mut Outbox, machine: &mut Machine, reply: Reply) -> Result<(), ErrorCode> {
    let encoded = frames::reply(&reply).and_then(|frame| {
        if outbox.has_room(frame.len()) {
            return Some(frame);
        }
        // Only pages are so large: the client asks for it again when it has read what waits.
        frames::reply(&Reply { id: reply.id, ok: None, error: Some(too_fast(PAGE_AGAIN_AFTER_MS)) })
    });
    match encoded {
        Some(frame) => outbox.put(Kind::Answer, frame),
        None => {
            machine.answered();
            Ok(())
        }
    }
}

/// What a resuming reader missed, in frames of a bounded size that follow each other. What one entry of
/// the log tells stays together, as in [`Mailbox::take`].
fn deliveries(
    from: Position,
    upto: Position,
    missed: &[(Position, axum::body::Bytes)],
) -> Vec<String> {
    let mut found = Vec::new();
    let (mut after, mut last) = (from, from);
    let mut events = Events::new();
    for (position, json) in missed {
        let is_too_much = !events.is_empty() && events.len() + json.len() > DELIVERY_BYTES_MAX;
        if is_too_much && *position > last {
            found.push(frames::delivery(after, last, &events));
            after = last;
            events = Events::new();
        }
        events.add(json.clone());
        last = *position;
    }
    if upto > after {
        found.push(frames::delivery(after, upto, &events));
    }
    found
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
