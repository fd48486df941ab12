//! Who is connected now, and the way to their mailboxes. All of it is liveness: nothing here is
//! stored, and a restarted relay begins with an empty hub.
//!
//! Everything is behind one short lock; under it nothing waits, encodes or reads a database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::body::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::{StaffFrame, StaffSignal, VisitorFrame, VisitorSignal};
use yingke_shared::ids::{AgentId, ConversationId, Position, SiteId, VisitorId};
use yingke_shared::views::Role;

use super::frames;
use super::machine::Class;
use super::mailbox::Mailbox;
use super::preview::masked;
use super::rate::Rates;
use super::under_way::Copies;
use crate::auth::TokenHash;
use crate::kept::Kept;
use crate::limits::{
    DISPLACED_RECONNECT_AFTER_MS, PERSONS_KEPT_MAX, RECONNECT_AFTER_MS, Rate,
    SOCKETS_PER_AGENT_MAX, SOCKETS_PER_VISITOR_MAX, TYPING_WAITING_MAX,
};

/// Handle to the hub; cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// What rates count from.
    began: Instant,
    /// Fan-out has put everything up to this position into the mailboxes.
    fanned: AtomicU64,
    /// Grows whenever an agent's first socket comes or last one goes: wakes the driver, which then
    /// looks at [`Hub::connected_agents`].
    presence: watch::Sender<u64>,
    /// Who types where, for the driver, which takes the other end.
    typing: mpsc::Sender<(AgentId, ConversationId)>,
    typed: Mutex<Option<mpsc::Receiver<(AgentId, ConversationId)>>>,
    /// Fan-out follows the log: what commits from now on reaches the mailboxes.
    begun: AtomicBool,
    /// Rung then: who waits goes on in the order they came.
    begun_bell: Notify,
    /// Fan-out cannot read what it begins with: nobody hears anything.
    held_up: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The relay is stopping: nobody is let in any more.
    stopped: bool,
    /// Names sessions, so that one can be taken out again.
    next_session: u64,
    staff: BTreeMap<AgentId, Place>,
    visitors: BTreeMap<VisitorId, Place>,
    /// The sites visitors came by, each name once.
    sites: BTreeSet<Arc<SiteId>>,
    /// Sockets and hellos of each address.
    door: Door,
    /// The rates of persons who went, until they are as if new: coming back gives nobody more.
    gone: Gone,
    /// Who serves whom: the way of previews, typing signs and online signs. Kept by fan-out.
    serving: BTreeMap<VisitorId, ServingNow>,
    /// The same by agent.
    served: BTreeMap<AgentId, BTreeMap<ConversationId, VisitorId>>,
    /// What single sockets asked to see beside what is theirs.
    watching: Watching,
    /// How lines stand, as it was told last.
    lines: Lines,
    /// Sites whose typing preview is switched off. Kept by fan-out.
    without_preview: BTreeSet<SiteId>,
}

/// One person, with at least one session.
#[derive(Default)]
struct Place {
    /// The oldest first.
    sessions: Vec<Session>,
    /// The person's rates, on all sockets together.
    rates: Arc<Rates>,
    /// The person's commands, on all sockets together.
    copies: Arc<Copies>,
    /// Of a visitor: which site it is.
    site: Option<Arc<SiteId>>,
}

struct Gone(Kept<Reader, Arc<Rates>>);

impl Default for Gone {
    fn default() -> Self {
        Self(Kept::new(PERSONS_KEPT_MAX))
    }
}

struct Session {
    number: u64,
    /// Of staff: which signing in it belongs to, and with which rights.
    staff: Option<Box<StaffSession>>,
    mailbox: Arc<Mailbox>,
}

struct StaffSession {
    token: TokenHash,
    role: Role,
}

impl Place {
    /// Adds a session; one too many ends the oldest. Gives whether it is the first.
    fn add(&mut self, session: Session, sessions_max: usize) -> bool {
        let is_first = self.sessions.is_empty();
        if is_first {
            // Nearly everybody has one.
            self.sessions.reserve_exact(1);
        } else if self.sessions.len() >= sessions_max {
            let oldest = self.sessions.remove(0);
            let retry_after_ms = Some(DISPLACED_RECONNECT_AFTER_MS);
            oldest.mailbox.end(WireError { code: ErrorCode::TooFast, retry_after_ms });
        }
        self.sessions.push(session);
        is_first
    }

    /// Takes a session out, unless it was displaced; gives whether nobody is left.
    fn remove(&mut self, number: u64) -> bool {
        self.sessions.retain(|session| session.number != number);
        self.sessions.is_empty()
    }
}

/// A conversation that is served now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServingNow {
    /// Which.
    pub conversation_id: ConversationId,
    /// By whom, and who takes part beside.
    pub agents: Vec<AgentId>,
}

impl Default for Hub {
    fn default() -> Self {
        let (presence, _) = watch::channel(0);
        let (typing, typed) = mpsc::channel(TYPING_WAITING_MAX);
        let inner = Inner {
            state: Mutex::default(),
            began: Instant::now(),
            fanned: AtomicU64::new(0),
            presence,
            typing,
            typed: Mutex::new(Some(typed)),
            begun: AtomicBool::new(false),
            begun_bell: Notify::new(),
            held_up: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }
}

/// For the rooms.
impl Hub {
    /// A hub without anybody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every socket of this account: disabled, or its rights changed.
    pub fn end_sessions_of_agent(&self, agent_id: &AgentId, code: ErrorCode) {
        let state = self.inner.state.lock();
        for session in state.staff_of(agent_id) {
            session.mailbox.end(WireError::new(code));
        }
    }

    /// Ends every socket of this visitor: forgotten.
    pub fn end_sessions_of_visitor(&self, visitor_id: &VisitorId, code: ErrorCode) {
        let state = self.inner.state.lock();
        for session in state.of_visitor(visitor_id) {
            session.mailbox.end(WireError::new(code));
        }
    }

    /// Ends every socket of this session: signed out, password changed.
    pub fn end_session(&self, token: &TokenHash) {
        let state = self.inner.state.lock();
        let of_token =
            |session: &&Session| session.staff.as_ref().is_some_and(|staff| staff.token == *token);
        for session in state.all_staff().filter(of_token) {
            session.mailbox.end(WireError::new(ErrorCode::Unauthenticated));
        }
    }

    /// The sessions of an account that have a socket now.
    #[must_use]
    pub fn sessions_in_use(&self, agent_id: &AgentId) -> BTreeSet<TokenHash> {
        let state = self.inner.state.lock();
        let token = |session: &Session| session.staff.as_ref().map(|staff| staff.token.clone());
        state.staff_of(agent_id).filter_map(token).collect()
    }

    /// Whether a widget of this visitor is connected.
    #[must_use]
    pub fn visitor_online(&self, visitor_id: &VisitorId) -> bool {
        self.inner.state.lock().visitors.contains_key(visitor_id)
    }

    /// How many sockets are connected, of staff and of visitors.
    #[must_use]
    pub fn sockets(&self) -> (usize, usize) {
        let state = self.inner.state.lock();
        let sockets = |place: &Place| place.sessions.len();
        (state.staff.values().map(sockets).sum(), state.visitors.values().map(sockets).sum())
    }
}

/// For the assignment driver.
impl Hub {
    /// Agents with at least one socket.
    #[must_use]
    pub fn connected_agents(&self) -> BTreeSet<AgentId> {
        self.inner.state.lock().staff.keys().cloned().collect()
    }

    /// Changes whenever [`Hub::connected_agents`] does.
    #[must_use]
    pub fn presence(&self) -> watch::Receiver<u64> {
        self.inner.presence.subscribe()
    }

    /// Agents who type, and where; signs that nobody took in time are gone. For the first who asks.
    pub(crate) fn take_typing(&self) -> Option<mpsc::Receiver<(AgentId, ConversationId)>> {
        self.inner.typed.lock().take()
    }
}

/// For sessions.
impl Hub {
    /// From now on the agent's events come into `mailbox`.
    pub(crate) fn join_staff(
        &self,
        agent_id: &AgentId,
        role: Role,
        token: &TokenHash,
        mailbox: &Arc<Mailbox>,
    ) -> Registration {
        let mut state = self.inner.state.lock();
        let number = state.new_session(mailbox);
        let staff = Some(Box::new(StaffSession { token: token.clone(), role }));
        let session = Session { number, staff, mailbox: Arc::clone(mailbox) };
        let reader = Reader::Staff(agent_id.clone());
        let State { staff, gone, .. } = &mut *state;
        let place = staff.entry(agent_id.clone()).or_insert_with(|| gone.back(&reader));
        let (rates, copies) = (Arc::clone(&place.rates), Arc::clone(&place.copies));
        let is_first = place.add(session, SOCKETS_PER_AGENT_MAX);
        drop(state);
        if is_first {
            self.inner.presence.send_modify(|count| *count += 1);
        }
        let seat = Seat { number, mailbox: Arc::clone(mailbox) };
        Registration { hub: self.clone(), seat, reader, rates, copies }
    }

    /// From now on the visitor's events come into `mailbox`.
    pub(crate) fn join_visitor(
        &self,
        visitor_id: &VisitorId,
        site_id: &SiteId,
        mailbox: &Arc<Mailbox>,
    ) -> Registration {
        let mut state = self.inner.state.lock();
        let number = state.new_session(mailbox);
        let session = Session { number, staff: None, mailbox: Arc::clone(mailbox) };
        let site = state.site(site_id);
        let reader = Reader::Visitor(visitor_id.clone());
        let State { visitors, gone, .. } = &mut *state;
        let place = visitors.entry(visitor_id.clone()).or_insert_with(|| gone.back(&reader));
        let (rates, copies) = (Arc::clone(&place.rates), Arc::clone(&place.copies));
        place.site = Some(site);
        if place.add(session, SOCKETS_PER_VISITOR_MAX) {
            state.tell_online(visitor_id, true);
        }
        let seat = Seat { number, mailbox: Arc::clone(mailbox) };
        Registration { hub: self.clone(), seat, reader, rates, copies }
    }

    /// Milliseconds that never go back: what the rates of persons and addresses count by.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.inner.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn leave(&self, number: u64, reader: &Reader) {
        let now_ms = self.now_ms();
        let mut state = self.inner.state.lock();
        match reader {
            Reader::Staff(agent_id) => {
                state.watching.leave(number);
                let Some(place) = state.staff.get_mut(agent_id) else { return };
                if place.remove(number) {
                    let place = state.staff.remove(agent_id);
                    state.gone.keep(reader, place, now_ms);
                    drop(state);
                    self.inner.presence.send_modify(|count| *count += 1);
                }
            }
            Reader::Visitor(visitor_id) => {
                let Some(place) = state.visitors.get_mut(visitor_id) else { return };
                if place.remove(number) {
                    let place = state.visitors.remove(visitor_id);
                    state.gone.keep(reader, place, now_ms);
                    state.tell_online(visitor_id, false);
                }
            }
        }
    }

    /// Waits until fan-out follows the log: a session that read its snapshot before would miss what
    /// commits between the two.
    pub(crate) async fn begun(&self) {
        // Whoever waits from here on hears the bell.
        let bell = self.inner.begun_bell.notified();
        if !self.inner.begun.load(Ordering::Acquire) {
            bell.await;
        }
    }

    /// Whether fan-out waits for what it cannot read.
    pub(crate) fn is_held_up(&self) -> bool {
        self.inner.held_up.load(Ordering::Acquire)
    }

    /// Everything up to here is in the mailboxes.
    pub(crate) fn fanned(&self) -> Position {
        Position::new(self.inner.fanned.load(Ordering::Acquire)).unwrap_or_default()
    }

    /// After the welcome: which of the served visitors are there.
    pub(crate) fn tell_who_is_online(&self, agent_id: &AgentId, mailbox: &Mailbox) {
        let state = self.inner.state.lock();
        for (conversation_id, visitor_id) in state.served.get(agent_id).into_iter().flatten() {
            if state.visitors.contains_key(visitor_id)
                && let Some(frame) = online_frame(conversation_id, true)
            {
                mailbox.put_standing(&frame);
            }
        }
    }

    /// A visitor types: shown to who serves, takes part or watches, masked (E01).
    pub(crate) fn preview(&self, visitor_id: &VisitorId, site_id: &SiteId, text: &str) {
        let Some((conversation_id, mailboxes)) =
            self.inner.state.lock().watchers(visitor_id, site_id)
        else {
            return;
        };
        let text = masked(text);
        let signal = StaffSignal::Preview { conversation_id: conversation_id.clone(), text };
        if let Some(frame) = frames::shared(&StaffFrame::Signal { signal }) {
            mailboxes.iter().for_each(|mailbox| mailbox.put_preview(&conversation_id, &frame));
        }
    }

    /// An agent types, in a conversation that must be the agent's own.
    pub(crate) fn typing(
        &self,
        agent_id: &AgentId,
        conversation_id: &ConversationId,
    ) -> Result<(), ErrorCode> {
        let state = self.inner.state.lock();
        let visitor_id = state
            .served
            .get(agent_id)
            .and_then(|served| served.get(conversation_id))
            .ok_or(ErrorCode::NotFound)?;
        let _ = self.inner.typing.try_send((agent_id.clone(), conversation_id.clone()));
        state.tell_typing(agent_id, conversation_id);
        let signal = VisitorSignal::AgentTyping { conversation_id: conversation_id.clone() };
        if let Some(frame) = frames::shared(&VisitorFrame::Signal { signal }) {
            for session in state.of_visitor(visitor_id) {
                session.mailbox.put_signal(&frame);
            }
        }
        Ok(())
    }
}

/// A goodbye with a time to come back at; spread over the sessions without a random number: a large
/// odd factor scatters the counter evenly.
fn come_back(number: u64) -> WireError {
    let (from, to) = RECONNECT_AFTER_MS;
    let scattered = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    let spread = u32::try_from(scattered % u64::from(to - from)).unwrap_or(0);
    WireError { code: ErrorCode::Unavailable, retry_after_ms: Some(from + spread) }
}

fn online_frame(conversation_id: &ConversationId, online: bool) -> Option<Bytes> {
    let signal = StaffSignal::VisitorOnline { conversation_id: conversation_id.clone(), online };
    frames::shared(&StaffFrame::Signal { signal })
}

impl State {
    fn all_staff(&self) -> impl Iterator<Item = &Session> {
        self.staff.values().flat_map(|place| &place.sessions)
    }

    fn staff_of(&self, agent_id: &AgentId) -> impl Iterator<Item = &Session> {
        self.staff.get(agent_id).into_iter().flat_map(|place| &place.sessions)
    }

    fn of_visitor(&self, visitor_id: &VisitorId) -> impl Iterator<Item = &Session> {
        self.visitors.get(visitor_id).into_iter().flat_map(|place| &place.sessions)
    }

    fn send_everybody_away(&self) {
        let visitors = self.visitors.values().flat_map(|place| &place.sessions);
        for session in self.all_staff().chain(visitors) {
            session.mailbox.end(come_back(session.number));
        }
    }

    /// The one copy of a site's id.
    fn site(&mut self, site_id: &SiteId) -> Arc<SiteId> {
        if let Some(site) = self.sites.get(site_id) {
            return Arc::clone(site);
        }
        let site = Arc::new(site_id.clone());
        self.sites.insert(Arc::clone(&site));
        site
    }

    fn new_session(&mut self, mailbox: &Mailbox) -> u64 {
        self.next_session += 1;
        if self.stopped {
            mailbox.end(come_back(self.next_session));
        }
        self.next_session
    }

    fn tell_online(&self, visitor_id: &VisitorId, online: bool) {
        let Some(serving) = self.serving.get(visitor_id) else { return };
        let Some(frame) = online_frame(&serving.conversation_id, online) else { return };
        for mailbox in self.seeing(serving) {
            mailbox.put_standing(&frame);
        }
    }

    /// The sockets that see a conversation: of who serves it, takes part, or watches it.
    fn seeing<'s>(&'s self, now: &'s ServingNow) -> impl Iterator<Item = &'s Arc<Mailbox>> {
        let own = now.agents.iter().flat_map(|agent_id| self.staff_of(agent_id));
        let own = own.map(|session| &session.mailbox);
        own.chain(self.watching.watchers(&now.conversation_id))
    }

    fn watchers(
        &self,
        visitor_id: &VisitorId,
        site_id: &SiteId,
    ) -> Option<(ConversationId, Vec<Arc<Mailbox>>)> {
        if self.without_preview.contains(site_id) {
            return None;
        }
        let serving = self.serving.get(visitor_id)?;
        let mailboxes: Vec<_> = self.seeing(serving).map(Arc::clone).collect();
        if mailboxes.is_empty() {
            return None;
        }
        Some((serving.conversation_id.clone(), mailboxes))
    }
}

impl Gone {
    /// The place of somebody who comes, with the rates as they were.
    fn back(&mut self, reader: &Reader) -> Place {
        let rates = self.0.remove(reader).unwrap_or_default();
        Place { rates, ..Place::default() }
    }

    /// Keeps the rates of somebody who went, if they matter.
    fn keep(&mut self, reader: &Reader, place: Option<Place>, now_ms: u64) {
        let Some(Place { rates, .. }) = place else { return };
        let end = rates.empty_at_ms();
        if end > now_ms {
            self.0.put(reader.clone(), end, rates, now_ms, u64::MAX);
        }
    }
}

/// One session's place in the hub; given back when dropped.
pub(crate) struct Registration {
    hub: Hub,
    seat: Seat,
    reader: Reader,
    rates: Arc<Rates>,
    copies: Arc<Copies>,
}

/// One socket, named for as long as it is there.
#[derive(Clone)]
pub struct Seat {
    number: u64,
    mailbox: Arc<Mailbox>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Reader {
    Staff(AgentId),
    Visitor(VisitorId),
}

impl Registration {
    /// The socket it is of.
    pub(crate) fn seat(&self) -> &Seat {
        &self.seat
    }

    /// The person's commands, on all sockets together.
    pub(crate) fn copies(&self) -> &Arc<Copies> {
        &self.copies
    }

    /// Counts a command of this person, or says after how many milliseconds there is room.
    pub(crate) fn take(&self, class: Class, messages: Rate) -> Result<(), u32> {
        self.rates.take(class, self.hub.now_ms(), messages)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.hub.leave(self.seat.number, &self.reader);
    }
}

#[path = "hub_door.rs"]
mod door;
#[path = "hub_feed.rs"]
mod feed;
#[path = "hub_lines.rs"]
mod lines;
#[path = "hub_watching.rs"]
mod watching;

pub(crate) use door::Admission;
use door::Door;
pub(crate) use lines::LinePlace;
use lines::Lines;
use watching::Watching;

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
