//! One open account: what it holds, its link to the relay, and the commands on their way.

use std::collections::{BTreeMap, BTreeSet};

use yingke_shared::PROTOCOL_VERSION;
use yingke_shared::commands::StaffCommand;
use yingke_shared::events::StaffEventBody;
use yingke_shared::frame::{Hello, StaffSignal, Welcome};
use yingke_shared::ids::{ClientId, ConversationId, Epoch};
use yingke_shared::limits::PREVIEW_EXPIRES_MS;
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::views::{Author, ConversationRecord};

use super::attending::Attending;
use super::calls::Calls;
use super::closing::Closing;
use super::commands::{Commands, Fills};
use super::frames::{Incoming, encode};
use super::served::Served;
use super::show::Shown;
use super::stored::{Awaited, Opened};
use super::watching::Watching;
use super::{Effect, Step};
use crate::address::ServerAddress;
use crate::bridge::types::{SignedOutNotice, UiPush};
use crate::connection::{Action, Connection, Input};
use crate::limits::OUTBOX_CLEANED_EVERY_MS;
use crate::marks::Marks;
use crate::net::socket::SocketEvent;
use crate::outbox::{Change, Outbox};
use crate::replica::{Changed, Replica};
use crate::store::Ticket;
use crate::store::cache::CacheWrite;
use crate::store::thread::{CacheJob, OutboxJob};

/// Even a quiet client looks at the clocks this often, to notice that the computer slept.
const LOOK_EVERY_MS: u64 = 5_000;

/// What a visitor types, and until when that is worth showing.
pub(super) struct LivePreview {
    pub(super) text: String,
    until: u64,
}

/// One open account.
pub(super) struct Account {
    /// Of this opening; events of a former one are not ours.
    pub(super) serial: u64,
    pub(super) server: ServerAddress,
    pub(super) token: Option<String>,
    pub(super) replica: Replica,
    pub(super) outbox: Outbox,
    pub(super) marks: Marks,
    pub(super) drafts: BTreeMap<ConversationId, String>,
    pub(super) connection: Connection,
    pub(super) shown: Shown,
    /// Files that are not open yet.
    pub(super) opening: u8,
    pub(super) opened: Opened,
    /// What storage jobs are for.
    pub(super) awaited: BTreeMap<Ticket, Awaited>,
    ticket: Ticket,
    /// The outbox knows which history of the relay it talks to.
    pub(super) epoch_entered: bool,
    pub(super) commands: Commands,
    pub(super) fills: Fills,
    pub(super) served: Served,
    pub(super) watching: Watching,
    pub(super) calls: Calls,
    pub(super) closing: Closing,
    pub(super) attending: Attending,
    /// How many wait in the own departments, while the relay says so.
    pub(super) queue_length: Option<u32>,
    pub(super) previews: BTreeMap<ConversationId, LivePreview>,
    pub(super) online: BTreeSet<ConversationId>,
    /// When "I am typing" last went out.
    pub(super) typed: BTreeMap<ConversationId, u64>,
    /// When the outbox's file was last cleaned.
    cleaned_at: Option<u64>,
    /// The relay ended the session.
    pub(super) over: Option<SignedOutNotice>,
}

impl Account {
    pub(super) fn new(serial: u64, server: ServerAddress, token: Option<String>) -> Self {
        Self {
            serial,
            server,
            token,
            replica: Replica::default(),
            outbox: Outbox::default(),
            marks: Marks::default(),
            drafts: BTreeMap::new(),
            connection: Connection::default(),
            shown: Shown::default(),
            opening: 2,
            opened: Opened::default(),
            awaited: BTreeMap::new(),
            ticket: 0,
            epoch_entered: false,
            commands: Commands::default(),
            fills: Fills::default(),
            served: Served::default(),
            watching: Watching::default(),
            calls: Calls::default(),
            closing: Closing::default(),
            attending: Attending::default(),
            queue_length: None,
            previews: BTreeMap::new(),
            online: BTreeSet::new(),
            typed: BTreeMap::new(),
            cleaned_at: None,
            over: None,
        }
    }

    /// Whether both files are open.
    pub(super) fn is_open(&self) -> bool {
        self.opening == 0
    }

    pub(super) fn deadline(&self, now: u64) -> Option<u64> {
        let mut at = vec![now + LOOK_EVERY_MS];
        at.extend(self.connection.deadline());
        at.extend(self.previews.values().map(|preview| preview.until).min());
        at.extend(self.outbox.deadline(now));
        at.extend(self.attending.machine.deadline());
        if self.connection.is_live() {
            at.extend(self.marks.deadline());
            at.extend(self.commands.deadline());
            at.extend(self.fills.deadline(now));
            at.extend(self.served.deadline(now));
            at.extend(self.watching.deadline(now));
            at.extend(self.closing.deadline(now));
        }
        at.into_iter().min()
    }

    // --- the link ---

    pub(super) fn link(&mut self, step: &mut Step<'_>, input: Input) {
        let was_live = self.connection.is_live();
        let actions = self.connection.step(step.now, step.jitter(), input);
        if was_live && !self.connection.is_live() {
            self.link_lost(step);
        }
        for action in actions {
            match action {
                Action::Open { dial } => {
                    step.act(Effect::Open { dial, server: self.server.clone() });
                }
                Action::Hello { resume } => self.say_hello(step, resume),
                Action::Close => step.act(Effect::Close),
                Action::EndSession(notice) => self.over = Some(notice),
            }
        }
    }

    fn say_hello(&mut self, step: &mut Step<'_>, resume: bool) {
        let resume = if resume { self.replica.place().cloned() } else { None };
        let token = self.token.clone().unwrap_or_default();
        let hello = Hello { version: PROTOCOL_VERSION, token, resume };
        let id = step.new_id();
        step.act(Effect::Send { frame: encode(&id, &StaffCommand::Hello(hello)) });
    }

    fn link_lost(&mut self, step: &mut Step<'_>) {
        self.outbox.link_lost();
        self.marks.link_lost();
        self.served = Served::default();
        self.commands_lost(step);
        self.closing_lost(step);
        self.watching_lost(step);
        self.queue_length(step, None);
        self.previews_gone(step);
        self.shown.everything_dirty();
    }

    pub(super) fn socket(&mut self, step: &mut Step<'_>, dial: u64, event: SocketEvent) {
        if dial != self.connection.dial() {
            return;
        }
        match event {
            SocketEvent::Opened => self.link(step, Input::Opened),
            SocketEvent::Closed => self.link(step, Input::Broken),
            SocketEvent::Alive => self.link(step, Input::Heard),
            SocketEvent::Frame(text) => {
                self.link(step, Input::Heard);
                match Incoming::decode(&text) {
                    Ok(frame) => self.heard(step, frame),
                    Err(error) => {
                        tracing::warn!(%error, "the link is made again");
                        self.link(step, Input::Broken);
                    }
                }
            }
        }
    }

    pub(super) fn woke(&mut self, step: &mut Step<'_>) {
        if self.is_open() {
            self.link(step, Input::Woke);
        }
    }

    pub(super) fn tick(&mut self, step: &mut Step<'_>) {
        self.link(step, Input::Tick);
        let unanswered = self.commands.deadline().is_some_and(|at| at <= step.now);
        if unanswered {
            tracing::info!("a command was never answered; the link is made again");
            self.link(step, Input::Broken);
        }
        let expired = self.previews.iter().filter(|(_, preview)| preview.until <= step.now);
        let expired: Vec<ConversationId> = expired.map(|(id, _)| id.clone()).collect();
        for conversation_id in expired {
            self.preview(step, &conversation_id, String::new());
        }
        self.watching_tick(step);
        self.clean_outbox(step);
        self.shown.outbox_dirty();
    }

    /// A client may run for months: what was acknowledged long ago does not stay that long.
    fn clean_outbox(&mut self, step: &mut Step<'_>) {
        let before = *self.cleaned_at.get_or_insert(step.now);
        if self.is_open() && step.now.saturating_sub(before) >= OUTBOX_CLEANED_EVERY_MS {
            self.cleaned_at = Some(step.now);
            let ticket = self.await_store(Awaited::Nothing);
            step.act(Effect::Outbox(OutboxJob::Clean { ticket, wall_ms: step.wall }));
        }
    }

    fn heard(&mut self, step: &mut Step<'_>, frame: Incoming) {
        match frame {
            Incoming::Welcome(welcome) => self.welcomed(step, *welcome),
            Incoming::Bye(error) => {
                tracing::info!(code = ?error.code, "the relay said goodbye");
                self.link(step, Input::Bye(error));
            }
            Incoming::Reply { id, result } => self.answered(step, &id, result),
            Incoming::Unknown => {}
            // Only a welcomed link carries anything else.
            _ if !self.connection.is_live() => {}
            Incoming::Unreadable => {
                tracing::warn!("an event says something of a later version; a snapshot is read");
                self.link(step, Input::Misfit);
            }
            Incoming::Signal(signal) => self.signalled(step, signal),
            Incoming::Delivery(delivery) => {
                let visitor_wrote = delivery.events.iter().filter_map(|event| match &event.body {
                    StaffEventBody::MessageAppended { conversation_id, message, .. }
                        if message.author == Author::Visitor =>
                    {
                        Some(conversation_id.clone())
                    }
                    _ => None,
                });
                let visitor_wrote: BTreeSet<ConversationId> = visitor_wrote.collect();
                match self.replica.deliver(&delivery) {
                    Ok(changed) => {
                        for conversation_id in &visitor_wrote {
                            // What was being typed is sent now.
                            self.preview(step, conversation_id, String::new());
                        }
                        self.absorb(step, changed);
                    }
                    Err(_) => {
                        tracing::warn!("a delivery does not fit our place in the log");
                        self.link(step, Input::Misfit);
                    }
                }
            }
        }
    }

    fn welcomed(&mut self, step: &mut Step<'_>, welcome: Welcome<StaffSnapshot>) {
        self.link(step, Input::Welcomed);
        if !self.connection.is_live() {
            return;
        }
        self.clock_heard(step, welcome.now);
        let epoch = welcome.epoch.clone();
        // Unsent messages stay visible whatever the relay's history says of their conversations.
        let lanes = self.outbox.conversations();
        let lanes = lanes.filter_map(|id| self.replica.record(id)).map(|(record, _)| record);
        let lanes: Vec<ConversationRecord> = lanes.cloned().collect();
        match self.replica.begin(welcome.epoch, welcome.start) {
            Ok(changed) => {
                self.online.clear();
                self.closing.welcomed(step.now);
                self.fills.pages.clear();
                self.replica.remember(lanes);
                if changed.new_epoch {
                    self.shown.history_replaced();
                    self.marks = Marks::default();
                    self.fills = Fills::default();
                }
                self.absorb(step, changed);
                self.enter_epoch(step, epoch);
                let held: Vec<ConversationId> =
                    self.replica.held().map(|record| record.id.clone()).collect();
                for conversation_id in held {
                    self.want_fill(conversation_id);
                }
                self.shown.everything_dirty();
            }
            Err(_) => self.link(step, Input::Misfit),
        }
    }

    /// Nothing is sent before the outbox knows whether the relay still has what it acknowledged.
    fn enter_epoch(&mut self, step: &mut Step<'_>, epoch: Epoch) {
        if self.opened.epoch.as_ref() == Some(&epoch) {
            self.epoch_entered = true;
            return;
        }
        self.epoch_entered = false;
        let ticket = self.await_store(Awaited::Epoch { epoch: epoch.clone() });
        let wall_ms = step.wall;
        step.act(Effect::Outbox(OutboxJob::EnterEpoch { ticket, epoch, wall_ms }));
    }

    /// Carries what the log changed to outbox, marks, cache and workbench.
    pub(super) fn absorb(&mut self, step: &mut Step<'_>, changed: Changed) {
        for (conversation_id, message) in &changed.messages {
            if self.replica.is_own(message) {
                self.seen(step, &message.client_id);
            }
            self.shown.new_message(conversation_id, message);
        }
        for (conversation_id, note) in &changed.notes {
            self.shown.new_note(conversation_id, note);
        }
        self.fills.newest.extend(changed.unsure);
        if changed.all {
            self.absorb_snapshot();
        }
        for conversation_id in &changed.withdrawn {
            self.outbox.log_lost(conversation_id);
        }
        for conversation_id in changed.unwatched {
            self.watched_no_longer(step, conversation_id);
        }
        for conversation_id in &changed.conversations {
            match self.replica.record(conversation_id) {
                Some((record, true)) => {
                    let own_read = record.own_read;
                    self.marks.known(conversation_id, own_read);
                    self.want_fill(conversation_id.clone());
                    let changes = self.outbox.gained(conversation_id, step.now);
                    self.change_outbox(step, changes, Awaited::Nothing);
                }
                _ if self.replica.watches(conversation_id) => {
                    self.want_fill(conversation_id.clone());
                }
                _ => self.left_inbox(step, conversation_id),
            }
            self.shown.dirty(conversation_id);
        }
        if changed.own
            && let Some(own) = self.replica.own()
        {
            step.push(UiPush::Own(own.clone()));
        }
        for id in &changed.colleagues {
            if let Some(colleague) = self.replica.colleague(id) {
                step.push(UiPush::Colleague(colleague.clone()));
            }
        }
        if changed.company {
            step.push(UiPush::Company(self.replica.company()));
        }
        if changed.sites {
            step.push(UiPush::Sites { sites: self.replica.sites().to_vec() });
        }
        if changed.all || changed.invitations || changed.alerts {
            self.attending.anew = true;
        }
        if changed.invitations {
            step.push(UiPush::Invitations { invitations: self.replica.invitations() });
        }
        for over in changed.over {
            step.push(UiPush::InvitationOver(over));
        }
        if changed.alerts {
            step.push(UiPush::Alerts { alerts: self.replica.alerts() });
        }
        let stored = changed.messages.iter().map(|(id, message)| (id.clone(), message.seq));
        let stored = stored.collect();
        self.write(step, changed.write, None, Awaited::Messages { stored });
    }

    fn absorb_snapshot(&mut self) {
        let lanes: Vec<ConversationId> = self.outbox.conversations().cloned().collect();
        for conversation_id in lanes {
            match self.replica.record(&conversation_id) {
                Some((record, true)) => {
                    let seq = record.last_message.seq;
                    self.outbox.seen_up_to(&conversation_id, seq);
                }
                _ => self.outbox.log_lost(&conversation_id),
            }
        }
        for record in self.replica.held() {
            self.marks.known(&record.id, record.own_read);
        }
        self.shown.state_dirty();
    }

    /// Nothing more is heard of it. Drafts and unsent messages stay.
    pub(super) fn left_inbox(&mut self, step: &mut Step<'_>, conversation_id: &ConversationId) {
        self.marks.forget(conversation_id);
        self.online.remove(conversation_id);
        self.fills.wanted.remove(conversation_id);
        self.typed.remove(conversation_id);
        self.preview(step, conversation_id, String::new());
    }

    /// The log holds a message of ours.
    pub(super) fn seen(&mut self, step: &mut Step<'_>, client_id: &ClientId) {
        let Some(conversation_id) = self.outbox.conversation_of(client_id).cloned() else { return };
        let changes = self.outbox.seen(client_id, step.wall);
        self.change_outbox(step, changes, Awaited::Nothing);
        self.shown.dirty(&conversation_id);
    }

    fn signalled(&mut self, step: &mut Step<'_>, signal: StaffSignal) {
        match signal {
            StaffSignal::Preview { conversation_id, text } => {
                if self.replica.sees(&conversation_id) {
                    self.preview(step, &conversation_id, text);
                }
            }
            StaffSignal::VisitorOnline { conversation_id, online } => {
                if online {
                    self.online.insert(conversation_id.clone());
                } else {
                    self.online.remove(&conversation_id);
                }
                self.shown.dirty(&conversation_id);
            }
            StaffSignal::QueueLength { waiting } => self.queue_length(step, Some(waiting)),
            StaffSignal::Floor { floor } => self.floor_came(step, floor),
            StaffSignal::Colleagues { conversation_id, reading, typing } => {
                self.around_came(step, conversation_id, reading, typing);
            }
        }
    }

    fn queue_length(&mut self, step: &mut Step<'_>, waiting: Option<u32>) {
        if self.queue_length != waiting {
            self.queue_length = waiting;
            step.push(UiPush::QueueLength { waiting });
        }
    }

    pub(super) fn preview(
        &mut self,
        step: &mut Step<'_>,
        conversation_id: &ConversationId,
        text: String,
    ) {
        let conversation_id = conversation_id.clone();
        let before = if text.is_empty() {
            self.previews.remove(&conversation_id)
        } else {
            let until = step.now + PREVIEW_EXPIRES_MS;
            let preview = LivePreview { text: text.clone(), until };
            self.previews.insert(conversation_id.clone(), preview)
        };
        if before.map_or(String::new(), |before| before.text) != text {
            step.push(UiPush::Preview { conversation_id, text });
        }
    }

    fn previews_gone(&mut self, step: &mut Step<'_>) {
        let typing: Vec<ConversationId> = self.previews.keys().cloned().collect();
        for conversation_id in typing {
            self.preview(step, &conversation_id, String::new());
        }
    }

    pub(super) fn await_store(&mut self, awaited: Awaited) -> Ticket {
        let ticket = self.next_ticket();
        self.awaited.insert(ticket, awaited);
        ticket
    }

    pub(super) fn next_ticket(&mut self) -> Ticket {
        self.ticket += 1;
        self.ticket
    }

    pub(super) fn write(
        &mut self,
        step: &mut Step<'_>,
        write: CacheWrite,
        tail_of: Option<ConversationId>,
        awaited: Awaited,
    ) {
        let ticket = self.await_store(awaited);
        step.act(Effect::Cache(CacheJob::Write { ticket, write: Box::new(write), tail_of }));
    }

    pub(super) fn change_outbox(
        &mut self,
        step: &mut Step<'_>,
        changes: Vec<Change>,
        awaited: Awaited,
    ) {
        if !changes.is_empty() {
            let ticket = self.await_store(awaited);
            step.act(Effect::Outbox(OutboxJob::Change { ticket, changes }));
        }
    }

    pub(super) fn keep_marks(&mut self, step: &mut Step<'_>, conversation_id: &ConversationId) {
        let marks = vec![(conversation_id.clone(), self.marks.kept(conversation_id))];
        let write = CacheWrite { marks, ..CacheWrite::default() };
        self.write(step, write, None, Awaited::Nothing);
    }
}
