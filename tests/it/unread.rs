//! P18: unread never drifts. It is derived, so on every device, after any order of messages, marks,
//! lags, repetitions and fresh snapshots, it equals a recount: as pure application a million times,
//! and through the real relay with sockets and client cores. That the plan is hard enough shows
//! beside it: a count kept up and down drifts under the same operations.
//!
//! A relay whose running counts leave a message out is found by the same recount.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use yingke_client::bridge::types::UiRequest;
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::StaffMark;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::{StaffEvent, StaffEventBody};
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Position, Seq, SiteId, VisitorId};
use yingke_shared::settings::AutoReplyTexts;
use yingke_shared::snapshot::StaffSnapshot;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    Author, Availability, Company, ConversationRecord, ConversationStatus, Marks, Message,
    MessageContent, OwnCard, ReadMark, Role, VisitorCard,
};
use yingke_tests::chance::Chance;
use yingke_tests::dose;
use yingke_tests::http::{Account, Address};
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::seat::TestSeat;
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::scene::Scene;

const DEVICES: usize = 3;

fn seq(number: usize) -> Seq {
    Seq::new(number as u64).unwrap()
}

/// The truth, kept as plainly as possible: every message and the one read mark.
struct Truth {
    messages: Vec<bool>, // by the visitor?
    read: ReadMark,
    rev: Position,
    has_ended: bool,
    /// Its running counts leave out one in five: what the recount must find.
    miscounts: bool,
}

impl Truth {
    fn message(&self, number: usize) -> Message {
        let left_out = if self.miscounts { number / 5 } else { 0 };
        let said = self.messages[..number].iter().filter(|by| **by).count();
        let visitor_count = said.saturating_sub(left_out);
        let author = if self.messages[number - 1] {
            Author::Visitor
        } else {
            Author::Agent { agent_id: AgentId::new("ana").unwrap() }
        };
        Message {
            seq: seq(number),
            client_id: ClientId::new(format!("m{number}")).unwrap(),
            author,
            content: MessageContent::Text { text: "茶".to_owned() },
            at: Timestamp::default(),
            visitor_count: seq(visitor_count),
            unanswered_since: None,
        }
    }

    fn record(&self, id: &ConversationId) -> ConversationRecord {
        ConversationRecord {
            id: id.clone(),
            rev: self.rev,
            status: ConversationStatus::Serving { agent_id: AgentId::new("ana").unwrap() },
            visitor: VisitorCard {
                id: VisitorId::new("vera").unwrap(),
                site_id: SiteId::new("tea").unwrap(),
                site_name: String::new(),
                label: String::new(),
                page_url: String::new(),
                page_title: String::new(),
                locale: String::new(),
            },
            started_at: Timestamp::default(),
            assigned_at: None,
            first_response_at: None,
            last_message: self.message(self.messages.len()),
            last_said: None,
            visitor_marks: Marks::default(),
            own_read: self.read,
            department_id: None,
            vip: false,
            members: Vec::new(),
            invitations: Vec::new(),
        }
    }

    /// Counted one by one, as a person would.
    fn recount(&self, last: Seq, read: Seq) -> u64 {
        let upto = usize::try_from(last.get()).unwrap();
        let from = usize::try_from(read.get()).unwrap().min(upto);
        self.messages[from..upto].iter().filter(|by| **by).count() as u64
    }
}

/// One of Ana's devices: what it holds, and what is still on its way to it.
struct Device {
    holds: StaffSnapshot,
    coming: VecDeque<StaffEvent>,
    had: Vec<StaffEvent>,
    /// Unread as one might be tempted to keep it: up with a message, to zero with a mark.
    counted: BTreeMap<ConversationId, u64>,
}

impl Device {
    fn hear(&mut self, event: &StaffEvent) {
        self.holds.apply(event);
        match &event.body {
            StaffEventBody::MessageAppended { conversation_id, message, .. }
                if message.author == Author::Visitor =>
            {
                *self.counted.entry(conversation_id.clone()).or_default() += 1;
            }
            StaffEventBody::OwnRead { conversation_id, .. } => {
                self.counted.insert(conversation_id.clone(), 0);
            }
            _ => {}
        }
    }

    fn has_drifted_count(&self) -> bool {
        self.holds.conversations.iter().any(|(id, record)| {
            self.counted.get(id).copied().unwrap_or_default() != record.unread()
        })
    }
}

struct Model {
    truths: BTreeMap<ConversationId, Truth>,
    devices: Vec<Device>,
    position: Position,
    chance: Chance,
    miscounts: bool,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut model = Self {
            truths: BTreeMap::new(),
            devices: Vec::new(),
            position: Position::ZERO,
            chance: Chance::new(seed),
            miscounts: false,
        };
        for _ in 0..DEVICES {
            let holds = model.snapshot();
            model.devices.push(Device {
                holds,
                coming: VecDeque::new(),
                had: Vec::new(),
                counted: BTreeMap::new(),
            });
        }
        model
    }

    fn snapshot(&self) -> StaffSnapshot {
        StaffSnapshot {
            own: OwnCard {
                id: AgentId::new("ana").unwrap(),
                account: "ana".to_owned(),
                nickname: "Ana".to_owned(),
                role: Role::Agent,
                availability: Availability::Online,
                capacity: 8,
                departments: Vec::new(),
                skills: Vec::new(),
                auto_replies: AutoReplyTexts::default(),
            },
            colleagues: BTreeMap::new(),
            sites: Vec::new(),
            company: Company::default(),
            invitations: BTreeMap::new(),
            alerts: BTreeMap::new(),
            conversations: self
                .truths
                .iter()
                .filter(|(_, truth)| !truth.has_ended)
                .map(|(id, truth)| (id.clone(), truth.record(id)))
                .collect(),
            has_more: false,
        }
    }

    fn tell_all(&mut self, body: &StaffEventBody) {
        for device in &mut self.devices {
            device.coming.push_back(StaffEvent { position: self.position, body: body.clone() });
        }
    }

    fn open(&mut self) -> Vec<ConversationId> {
        self.truths.iter().filter(|(_, t)| !t.has_ended).map(|(id, _)| id.clone()).collect()
    }

    /// One random operation.
    fn act(&mut self) {
        let open = self.open();
        let what = self.chance.below(100);
        if open.is_empty() || (what < 2 && open.len() < 8) {
            let id = ConversationId::new(format!("c{}", self.truths.len())).unwrap();
            self.position = self.position.next();
            let truth = Truth {
                messages: vec![true],
                read: ReadMark::default(),
                rev: self.position,
                has_ended: false,
                miscounts: self.miscounts,
            };
            let record = Box::new(truth.record(&id));
            self.truths.insert(id, truth);
            self.tell_all(&StaffEventBody::ConversationGained { record });
            return;
        }
        let id = self.chance.one_of(&open).clone();
        let device = usize::try_from(self.chance.below(DEVICES as u64)).unwrap();
        match what {
            0..=4 => self.end(&id),
            5..=39 => self.write(&id),
            40..=59 => self.mark(&id, device),
            60..=89 => {
                for _ in 0..=self.chance.below(12) {
                    self.deliver(device);
                }
            }
            90..=95 => self.repeat(device),
            _ => {
                // The device comes back after a long time: a snapshot replaces what it holds.
                let fresh = self.snapshot();
                let device = &mut self.devices[device];
                device.holds = fresh;
                device.coming.clear();
            }
        }
    }

    fn end(&mut self, id: &ConversationId) {
        self.position = self.position.next();
        let truth = self.truths.get_mut(id).unwrap();
        truth.has_ended = true;
        truth.rev = self.position;
        let status = ConversationStatus::Ended {
            by: yingke_shared::views::EndedBy::Visitor,
            at: Timestamp::default(),
        };
        let (conversation_id, assigned_at) = (id.clone(), None);
        self.tell_all(&StaffEventBody::StatusChanged { conversation_id, status, assigned_at });
    }

    fn write(&mut self, id: &ConversationId) {
        let by_visitor = self.chance.below(3) > 0;
        self.position = self.position.next();
        let truth = self.truths.get_mut(id).unwrap();
        truth.messages.push(by_visitor);
        truth.rev = self.position;
        let message = Box::new(truth.message(truth.messages.len()));
        let conversation_id = id.clone();
        self.tell_all(&StaffEventBody::MessageAppended {
            conversation_id,
            message,
            first_response_at: None,
        });
    }

    /// A device marks as read what it knows of, which may be old; the relay merges by maximum.
    fn mark(&mut self, id: &ConversationId, device: usize) {
        let Some(record) = self.devices[device].holds.conversations.get(id) else { return };
        let upto = self.chance.below(record.last_message.seq.get() + 1);
        let truth = self.truths.get_mut(id).unwrap();
        let number = usize::try_from(upto).unwrap();
        if number == 0 || seq(number) <= truth.read.seq {
            return;
        }
        self.position = self.position.next();
        truth.rev = self.position;
        truth.read =
            ReadMark { seq: seq(number), visitor_count: truth.message(number).visitor_count };
        let read = truth.read;
        self.tell_all(&StaffEventBody::OwnRead { conversation_id: id.clone(), read });
    }

    fn deliver(&mut self, device: usize) {
        let device = &mut self.devices[device];
        if let Some(event) = device.coming.pop_front() {
            device.hear(&event);
            device.had.push(event);
        }
    }

    /// Something old comes again, as after a resume that overlaps.
    fn repeat(&mut self, device: usize) {
        let count = self.devices[device].had.len();
        if count > 0 {
            let at = count - 1 - usize::try_from(self.chance.below(count.min(20) as u64)).unwrap();
            let event = self.devices[device].had[at].clone();
            // What happened to a conversation that has ended since is not sent again by the relay
            // as a gain; only events that carry no record may repeat out of order.
            if !matches!(event.body, StaffEventBody::ConversationGained { .. }) {
                self.devices[device].hear(&event);
            }
        }
    }

    fn check(&self) -> Result<()> {
        for (number, device) in self.devices.iter().enumerate() {
            for (id, record) in &device.holds.conversations {
                let truth = self.truths.get(id).context("held but never made")?;
                let recount = truth.recount(record.last_message.seq, record.own_read.seq);
                ensure!(
                    record.unread() == recount,
                    "device {number}, {id}: unread {} but a recount gives {recount}",
                    record.unread()
                );
            }
        }
        Ok(())
    }
}

/// 20,000 random operations on three devices (a million with `YINGKE_FULL=P18`).
#[test]
fn p18_unread_equals_a_recount_on_every_device() -> Result<()> {
    let is_full = dose::is_full("P18");
    let operations = if is_full { 1_000_000 } else { 20_000 };
    let seed = Chance::seed_or(18);
    let mut model = Model::new(seed);
    let mut has_count_drifted = false;
    for number in 0..operations {
        model.act();
        has_count_drifted |= model.devices.iter().any(Device::has_drifted_count);
        if number % 7 == 0 {
            model.check().with_context(|| format!("seed {seed}, operation {number}"))?;
        }
    }
    for device in 0..DEVICES {
        while !model.devices[device].coming.is_empty() {
            model.deliver(device);
        }
    }
    model.check()?;
    let fresh = model.snapshot();
    for device in &model.devices {
        ensure!(device.holds == fresh, "seed {seed}: a device ends up unlike a fresh snapshot");
    }
    ensure!(
        has_count_drifted,
        "a plan under which even a kept count does not drift proves nothing"
    );
    println!("P18: operations={operations} devices={DEVICES} drift=0 seed={seed}");
    Ok(())
}

/// Counts that are off are found.
#[test]
fn p18_a_running_count_that_leaves_one_out_is_found() {
    let mut model = Model::new(18);
    model.miscounts = true;
    let is_found = (0..20_000).any(|_| {
        model.act();
        model.check().is_err()
    });
    assert!(is_found);
}

/// How much of it goes through the relay's sockets: groups at once, and operations of each. A group is
/// one agent with three devices and three conversations.
const EACH_RUN: (usize, usize) = (8, 400);
const FULL: (usize, usize) = (10, 6_000);
/// Everything is counted again after so many operations.
const RECOUNT_EVERY: usize = 200;

/// Ana's devices: two raw sockets and the real client core with its files.
struct Group {
    account: Account,
    sockets: Vec<StaffSocket>,
    seat: Option<TestSeat>,
    home: TempDir,
    visitors: Vec<(TestVisitor, ConversationId)>,
    address: Address,
    chance: Chance,
    done: usize,
}

impl Group {
    async fn new(scene: &Scene, number: usize, chance: Chance) -> Result<Self> {
        let account = scene.hire(&format!("Ana-{number}"), 3).await?;
        let first = StaffSocket::sign_in(scene.address(), &account).await?;
        first.set_availability(Availability::Online).await?;
        let mut visitors = Vec::new();
        for _ in 0..3 {
            let visitor = scene.visitor().await?;
            let conversation = visitor.say("the first of several questions").await?.conversation;
            first.until_gained(&conversation).await?;
            visitors.push((visitor, conversation));
        }
        first.set_availability(Availability::Busy).await?;
        let second = StaffSocket::connect(scene.address(), &first.id, &first.token).await?;
        let home = tempfile::tempdir()?;
        let seat = TestSeat::open(home.path(), scene.address(), &account).await?;
        let (sockets, address) = (vec![first, second], scene.address().clone());
        Ok(Self { account, sockets, seat: Some(seat), home, visitors, address, chance, done: 0 })
    }

    fn seat(&self) -> Result<&TestSeat> {
        self.seat.as_ref().context("the third device is there")
    }

    async fn operate(mut self, operations: usize) -> Result<Self> {
        while self.done < operations {
            self.act().await?;
            self.done += 1;
            if self.done.is_multiple_of(RECOUNT_EVERY) {
                self.recount().await.with_context(|| format!("after {}", self.done))?;
            }
        }
        self.recount().await?;
        Ok(self)
    }

    async fn act(&mut self) -> Result<()> {
        let at = usize::try_from(self.chance.below(self.visitors.len() as u64))?;
        let device = usize::try_from(self.chance.below(DEVICES as u64))?;
        let what = self.chance.below(1_000);
        for socket in &mut self.sockets {
            // Of very many sockets of one account the oldest is ended: it comes back, as clients do.
            if socket.link.is_closed() {
                socket.resume().await?;
            }
        }
        let (visitor, conversation) = &self.visitors[at];
        let text = format!("number {}", self.done);
        let socket = self.sockets.get(device);
        match what {
            0..=449 => drop(visitor.say(&text).await?),
            450..=599 => match socket {
                Some(socket) => drop(socket.say(conversation, &text).await?),
                None => drop(self.seat()?.say(conversation, &text).await?),
            },
            600..=949 => {
                let known = match socket {
                    Some(socket) => socket.record(conversation).context("held")?.last_message.seq,
                    None => self
                        .seat()?
                        .look(|view| view.row(conversation).map(|row| row.said.seq))
                        .context("shown")?,
                };
                let upto = Seq::new(self.chance.between(1, known.get()))?;
                self.view(device, at, upto).await?;
            }
            950..=979 => match self.sockets.get_mut(device) {
                Some(socket) => socket.resume().await?,
                None => self.seat()?.open_conversation(conversation).await.map(drop)?,
            },
            980..=994 => {
                if let Some(socket) = self.sockets.get_mut(device) {
                    let (id, token) = (socket.id.clone(), socket.token.clone());
                    *socket = StaffSocket::connect(&self.address, &id, &token).await?;
                }
            }
            _ => {
                // The third device ends without a word and comes back to its files.
                self.seat()?.until_all_sent().await?;
                if let Some(seat) = self.seat.take() {
                    seat.crash();
                }
                let seat = TestSeat::open(self.home.path(), &self.address, &self.account).await?;
                self.seat = Some(seat);
            }
        }
        Ok(())
    }

    /// A device marks as read what it knows of, which may be old.
    async fn view(&self, device: usize, at: usize, upto: Seq) -> Result<()> {
        let conversation = &self.visitors[at].1;
        let Some(socket) = self.sockets.get(device) else {
            let conversation_id = conversation.clone();
            return self
                .seat()?
                .must(UiRequest::Viewed { conversation_id, seq: upto })
                .await
                .map(drop);
        };
        let command = StaffCommand::StaffMark(StaffMark {
            conversation_id: conversation.clone(),
            delivered: upto,
            read: upto,
        });
        // More marks than a session may tell in a second: as a client would, later.
        while let Err(error) = socket.link.ask(&command).await? {
            ensure!(error.code == ErrorCode::TooFast, "refused: {error:?}");
            let wait = error.retry_after_ms.unwrap_or(50);
            wait::pass(Duration::from_millis(u64::from(wait))).await;
        }
        Ok(())
    }

    /// Counted one by one from what the relay has stored, against what it and every device say.
    async fn recount(&self) -> Result<()> {
        self.seat()?.until_all_sent().await?;
        for (_, conversation) in &self.visitors {
            wait::until("all devices and the relay count the same", || async {
                let history = self.sockets[0].history(conversation).await?;
                let fresh = self.sockets[0].fresh_snapshot().await?;
                let fresh = fresh.conversations.get(conversation).context("held")?.clone();
                let is_unread = |message: &&Message| {
                    message.author == Author::Visitor && message.seq > fresh.own_read.seq
                };
                let recount = history.iter().filter(is_unread).count() as u64;
                ensure!(fresh.unread() == recount, "the relay: {} not {recount}", fresh.unread());
                for (number, socket) in self.sockets.iter().enumerate() {
                    let held = socket.record(conversation).context("held")?;
                    let unread = held.unread();
                    ensure!(unread == recount, "socket {number}: {unread} not {recount}");
                    ensure!(held.rev == fresh.rev, "socket {number} does not know everything");
                }
                let shown = self.seat()?.look(|view| view.row(conversation).map(|row| row.unread));
                let shown = u64::from(shown.context("shown")?);
                ensure!(shown == recount, "the client: {shown} not {recount}");
                Ok(Some(()))
            })
            .await?;
        }
        Ok(())
    }
}

/// The same through the real relay: several agents at once, each with two sockets and a real client
/// core that come and go. 3,200 operations; with `YINGKE_FULL=P18` 60,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p18_unread_equals_a_recount_through_the_relay() -> Result<()> {
    let is_full = dose::is_full("P18");
    let (groups, operations) = if is_full { FULL } else { EACH_RUN };
    let seed = Chance::seed_or(19);
    let begun = Instant::now();
    let mut relay = TestRelay::prepare(relay_program()?)?;
    // What a person may send is not what is tested here.
    relay.set_environment("YINGKE_MESSAGES_PER_SECOND", "1000");
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let mut running = Vec::new();
    for number in 0..groups {
        let chance = Chance::new(seed.wrapping_mul(100).wrapping_add(number as u64));
        let group = Group::new(&scene, number, chance).await?;
        running.push(tokio::spawn(group.operate(operations)));
    }
    let mut done = 0;
    for group in running {
        let group = group.await?.with_context(|| format!("seed {seed}"))?;
        done += group.done;
        if let Some(seat) = group.seat {
            seat.stop().await;
        }
    }
    println!(
        "P18 through the relay: operations={done} agents={groups} devices={DEVICES} drift=0 in {} s \
         seed={seed}",
        begun.elapsed().as_secs()
    );
    scene.finish().await
}
