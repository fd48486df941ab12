//! One run: events in the order of their time, until all agree again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use yingke_relay::auth::PasswordHasher;
use yingke_relay::store::{MemoryFolder, Point};
use yingke_relay::{agents, sites};
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Seq, SiteId};
use yingke_shared::rest::{AddAgent, ChangeSite};
use yingke_shared::views::Role;

use super::PASSWORD;
use super::agent::Agent;
use super::handing::Noted;
use super::network::{Answer, Call, Link};
use super::relay::{Relay, Weather, admin};
use super::traits::Traits;
use super::visitor::Visitor;
use super::wire::{Exchange, Said};
use super::world::Fate;

/// A quiet world must agree within this.
const QUIET_MS_MAX: u64 = 240_000;

/// What a run was.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Of which seed.
    pub seed: u64,
    /// Events carried out.
    pub steps: u64,
    /// Messages acknowledged.
    pub acked: u64,
    /// A hash over everything that happened.
    pub hash: u64,
    /// What was wrong; empty if nothing.
    pub violations: Vec<String>,
}

/// Who is at the far end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    Agent(usize),
    Visitor(usize),
}

/// Something that happens at its time.
#[derive(Debug)]
pub(super) enum Event {
    /// A dial arrives at the relay.
    Reach(u64),
    /// The far end learns that the link is open, or cannot be.
    Opened(u64),
    /// A frame arrives at the relay.
    Up(u64, String),
    /// A pong does.
    Pong(u64),
    /// The far end's closing does, or the news that the link broke.
    UpEnd(u64),
    /// Something the relay said arrives.
    Down(u64, Said),
    /// The far end learns that the link broke.
    Broken(u64),
    /// The kernel takes frames again.
    Unstall(u64),
    /// A request arrives at the relay.
    Call(u64),
    /// Its answer arrives.
    Answer(u64, Answer),
    /// Somebody's clock.
    Time(Who),
    /// A client's file.
    File(usize, bool),
    /// A person.
    Act(Who),
    /// The weather.
    Break,
    RelayStart,
    /// Everything works from now on.
    Quiet,
    /// Do all agree?
    Look,
}

/// See the module.
pub(super) struct Simulation {
    pub(super) fate: Fate,
    pub(super) traits: Traits,
    pub(super) memory: MemoryFolder,
    /// The newest backup, if one was made.
    pub(super) spare: MemoryFolder,
    pub(super) has_backup: bool,
    /// It is to be put in place before the relay starts again.
    pub(super) restoring: bool,
    pub(super) weather: Weather,
    pub(super) exchange: Exchange,
    pub(super) relay: Option<Relay>,
    pub(super) site: SiteId,
    pub(super) agents: Vec<Agent>,
    /// Who of them manages the others.
    pub(super) manager: Option<usize>,
    pub(super) visitors: Vec<Visitor>,
    queue: BTreeMap<(u64, u64), Event>,
    order: u64,
    pub(super) links: BTreeMap<u64, Link>,
    pub(super) last_link: u64,
    /// The link that counts for each.
    pub(super) current: BTreeMap<Who, u64>,
    pub(super) offline: BTreeSet<Who>,
    pub(super) calls: BTreeMap<u64, Call>,
    /// Requests the relay is at work on.
    pub(super) running: BTreeSet<u64>,
    pub(super) last_call: u64,
    pub(super) answers: Arc<Mutex<Vec<(u64, Answer)>>>,
    pub(super) due: BTreeMap<Who, u64>,
    pub(super) files_due: BTreeSet<(usize, bool)>,
    pub(super) quiet_since: Option<u64>,
    pub(super) acts_until: u64,
    done: bool,
    steps: u64,
    pub(super) texts: u64,
    /// What staff were told of their messages.
    pub(super) staff_acked: BTreeMap<ClientId, (ConversationId, Seq)>,
    /// Sent again by a person: out of order by intent.
    pub(super) retried: BTreeSet<ClientId>,
    /// Notes that came to the relay, by the ids of their commands.
    pub(super) noted: BTreeMap<ClientId, Noted>,
    /// Serving and the largest capacity since, by agent.
    pub(super) loads: BTreeMap<AgentId, (i64, u32, u32)>,
    /// Assignments up to here were looked at.
    pub(super) assigned_upto: i64,
    pub(super) violations: Vec<String>,
    hash: DefaultHasher,
    show: bool,
    _folder: TempDir,
}

/// Runs one seed. `show` prints every event.
#[must_use]
pub fn run(seed: u64, show: bool) -> Outcome {
    run_for(seed, show, 1)
}

/// The same world, with half the time before it is quiet.
#[must_use]
pub fn run_briefly(seed: u64, show: bool) -> Outcome {
    run_for(seed, show, 2)
}

fn run_for(seed: u64, show: bool, divisor: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    TEMPLATE.with_borrow_mut(|template| {
        let template = template.get_or_insert_with(Template::make);
        runtime.block_on(async {
            let mut simulation = Simulation::new(seed, show, template);
            simulation.acts_until /= divisor;
            simulation.run(seed).await
        })
    })
}

impl Simulation {
    fn new(seed: u64, show: bool, template: &Template) -> Self {
        let fate = Fate::new(seed);
        let folder = folder();
        let mut memory = MemoryFolder::new(&folder.path().join("relay")).unwrap();
        memory.copy_from(&template.memory).unwrap();
        let spare = MemoryFolder::new(&folder.path().join("backup")).unwrap();
        let traits = Traits::of(seed);
        let desk = |name: &str| folder.path().join(name);
        let count = 2 + fate.index(2);
        let manager = template.agents.last().filter(|_| traits.handing);
        let agents = template.agents.iter().take(count).chain(manager);
        let agents: Vec<Agent> =
            agents.map(|(name, id)| Agent::new(&fate, id.clone(), name, desk(name))).collect();
        let mut visitors: Vec<Visitor> =
            (0..3 + fate.index(4)).map(|_| Visitor::new(None)).collect();
        if traits.tabs {
            let others = (0..visitors.len()).filter(|_| fate.once_in(2));
            let others: Vec<_> = others.map(|first| Visitor::new(Some(first))).collect();
            visitors.extend(others);
        }
        let manager = traits.handing.then(|| agents.len() - 1);
        let acts_until = fate.between(10_000, 45_000);
        let loads = agents.iter().map(|agent| (agent.id.clone(), (0, 2, 2))).collect();
        Self {
            fate,
            traits,
            memory,
            spare,
            has_backup: false,
            restoring: false,
            weather: Weather::default(),
            exchange: Exchange::default(),
            relay: None,
            site: template.site.clone(),
            agents,
            manager,
            visitors,
            queue: BTreeMap::new(),
            order: 0,
            links: BTreeMap::new(),
            last_link: 0,
            current: BTreeMap::new(),
            offline: BTreeSet::new(),
            calls: BTreeMap::new(),
            running: BTreeSet::new(),
            last_call: 0,
            answers: Arc::default(),
            due: BTreeMap::new(),
            files_due: BTreeSet::new(),
            quiet_since: None,
            acts_until,
            done: false,
            steps: 0,
            texts: 0,
            staff_acked: BTreeMap::new(),
            retried: BTreeSet::new(),
            noted: BTreeMap::new(),
            loads,
            assigned_upto: 0,
            violations: Vec::new(),
            hash: DefaultHasher::new(),
            show,
            _folder: folder,
        }
    }

    async fn run(mut self, seed: u64) -> Outcome {
        self.begin();
        loop {
            self.collect();
            let Some((&(at, order), _)) = self.queue.first_key_value() else { break };
            if at > self.fate.now() {
                let until = self.fate.instant(at);
                tokio::select! {
                    biased;
                    () = self.exchange.bell.notified() => {}
                    () = tokio::time::sleep_until(until) => {}
                }
                continue;
            }
            let Some(event) = self.queue.remove(&(at, order)) else { break };
            self.steps += 1;
            self.note(&event);
            self.handle(event);
            if self.steps.is_multiple_of(25) {
                self.check_loads();
            }
            if self.done || self.violations.len() > 20 {
                break;
            }
            // The relay does what it can before the next thing happens.
            tokio::task::yield_now().await;
        }
        let acked = self.visitors.iter().map(|it| it.acked.len() + it.left.len()).sum::<usize>();
        let acked = (acked + self.staff_acked.len()) as u64;
        if let Some(relay) = self.relay.take() {
            relay.kill();
        }
        let hash = self.hash.finish();
        Outcome { seed, steps: self.steps, acked, hash, violations: self.violations }
    }

    fn begin(&mut self) {
        self.weather.set_stormy(true);
        self.at(0, Event::RelayStart);
        for agent in 0..self.agents.len() {
            let start = self.fate.between(0, 2_000);
            self.at(start, Event::Act(Who::Agent(agent)));
        }
        for visitor in 0..self.visitors.len() {
            let start = self.fate.between(0, 8_000);
            self.at(start, Event::Act(Who::Visitor(visitor)));
        }
        let first = self.fate.between(1_000, 8_000);
        self.at(first, Event::Break);
        self.at(self.acts_until, Event::Quiet);
    }

    /// At this time, after everything already planned for it.
    pub(super) fn at(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.queue.insert((at, self.order), event);
    }

    pub(super) fn after(&mut self, wait: u64, event: Event) {
        self.at(self.fate.now() + wait, event);
    }

    /// Takes over what the relay said and did since the last time.
    fn collect(&mut self) {
        for (link, said) in self.exchange.take() {
            self.said(link, said);
        }
        let answers = std::mem::take(&mut *self.answers.lock().unwrap());
        for (call, answer) in answers {
            self.running.remove(&call);
            let wait = self.delay();
            self.after(wait, Event::Answer(call, answer));
        }
        if self.relay.as_ref().is_some_and(|relay| relay.app.store.has_failed()) {
            self.crash_relay();
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Reach(link) => self.reach(link),
            Event::Opened(link) => self.opened(link),
            Event::Up(link, frame) => self.arrives_up(link, frame),
            Event::Pong(link) => self.pong(link),
            Event::UpEnd(link) => self.up_end(link),
            Event::Down(link, said) => self.arrives_down(link, said),
            Event::Broken(link) => self.broken(link),
            Event::Unstall(link) => self.exchange.stall(link, false),
            Event::Call(call) => self.call_arrives(call),
            Event::Answer(call, answer) => self.answered(call, answer),
            Event::Time(who) => self.time(who),
            Event::File(agent, outbox) => self.file(agent, outbox),
            Event::Act(who) => self.act(who),
            Event::Break => self.something_breaks(),
            Event::RelayStart => self.start_relay(),
            Event::Quiet => self.quiet(),
            Event::Look => self.look(),
        }
    }

    fn start_relay(&mut self) {
        if self.relay.is_none() {
            self.put_back();
            let mut relay = Relay::start(&self.fate, &self.memory, &self.weather);
            let (store, bell) = (relay.app.store.clone(), self.exchange.bell.clone());
            relay.spawn(async move {
                store.failed().await;
                bell.notify_one();
            });
            self.relay = Some(relay);
        }
    }

    pub(super) fn crash_relay(&mut self) {
        let Some(relay) = self.relay.take() else { return };
        relay.kill();
        for call in std::mem::take(&mut self.running) {
            let wait = self.delay();
            self.after(wait, Event::Answer(call, Answer::Unreachable));
        }
        if self.fate.once_in(3) {
            // The whole machine is gone: nobody is told.
            for link in self.links.values_mut() {
                link.down.dead = true;
            }
        }
        let wait = if self.quiet_since.is_some() { 10 } else { self.fate.between(10, 6_000) };
        self.after(wait, Event::RelayStart);
    }

    /// The next batch that comes to one of the points is the relay's last.
    pub(super) fn doom(&mut self) {
        let points = [Point::BeforeCommit, Point::AfterCommit, Point::AfterAck];
        self.weather.doom(points[self.fate.index(3)]);
    }

    fn quiet(&mut self) {
        self.quiet_since = Some(self.fate.now());
        self.weather.set_stormy(false);
        self.offline.clear();
        for link in self.links.keys().copied().collect::<Vec<_>>() {
            self.exchange.stall(link, false);
        }
        self.start_relay();
        self.restore_everybody();
        self.after(3_000, Event::Look);
    }

    fn look(&mut self) {
        let Some(since) = self.quiet_since else { return };
        // First: who signs in again in vain because the account is switched off asks something, too.
        self.switch_on_again();
        if self.traits.settings {
            self.make_plain();
        }
        self.restore_everybody();
        let waited = self.fate.now() - since;
        let differences = self.differences();
        if differences.is_empty() {
            self.final_law();
            self.done = true;
        } else if waited > QUIET_MS_MAX {
            self.violations.extend(differences);
            self.final_law();
            self.done = true;
        } else {
            self.after((waited / 4).clamp(1_000, 10_000), Event::Look);
        }
    }

    fn note(&mut self, event: &Event) {
        let now = self.fate.now();
        now.hash(&mut self.hash);
        if self.show {
            let line = format!("{now:>8} {event:?}");
            println!("{line}");
        }
        match event {
            Event::Up(link, frame) | Event::Down(link, Said::Frame(frame)) => {
                (link, frame).hash(&mut self.hash);
            }
            Event::Reach(link) | Event::Opened(link) | Event::UpEnd(link) | Event::Pong(link) => {
                link.hash(&mut self.hash);
            }
            Event::Time(who) | Event::Act(who) => who.hash(&mut self.hash),
            _ => std::mem::discriminant(event).hash(&mut self.hash),
        }
    }

    pub(super) fn violation(&mut self, what: String) {
        if self.show {
            println!("{:>8} VIOLATION {what}", self.fate.now());
        }
        self.violations.push(what);
    }
}

/// A company as it stands before anybody comes, made once for each thread.
struct Template {
    memory: MemoryFolder,
    site: SiteId,
    agents: Vec<(&'static str, AgentId)>,
    _folder: TempDir,
}

thread_local! {
    static TEMPLATE: RefCell<Option<Template>> = const { RefCell::new(None) };
}

impl Template {
    fn make() -> Self {
        let folder = folder();
        let memory = MemoryFolder::new(&folder.path().join("relay")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (site, agents) = runtime.block_on(Self::found(&memory));
        // What a password costs is nothing that simulation is about.
        let salt = argon2::password_hash::SaltString::encode_b64(b"simulation").unwrap();
        let params = argon2::Params::new(8, 1, 1, None).unwrap();
        let cheap =
            argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let hash = argon2::PasswordHasher::hash_password(&cheap, PASSWORD.as_bytes(), &salt);
        let hash = hash.unwrap().to_string();
        memory.change(&format!("UPDATE agents SET password_hash = '{hash}'")).unwrap();
        Self { memory, site, agents, _folder: folder }
    }

    async fn found(memory: &MemoryFolder) -> (SiteId, Vec<(&'static str, AgentId)>) {
        let fate = Fate::new(0);
        let relay = Relay::start(&fate, memory, &Weather::default());
        let app = &relay.app;
        let domains = vec![sites::Domain::parse("https://shop.example").unwrap()];
        let site = sites::actions::insert(&app.store, &fate, "Shop", domains).await.unwrap().id;
        let welcome = ChangeSite { welcome: Some("你好".to_owned()), ..Default::default() };
        sites::actions::change(app, &admin(), site.clone(), welcome).await.unwrap();
        let mut made = Vec::new();
        for (name, role) in [
            ("ana", Role::Agent),
            ("ben", Role::Agent),
            ("cai", Role::Agent),
            ("dan", Role::Manager),
        ] {
            let request = AddAgent {
                account: name.to_owned(),
                password: PASSWORD.to_owned(),
                nickname: name.to_owned(),
                role,
                capacity: 2,
                departments: None,
                skills: Vec::new(),
            };
            let passwords = PasswordHasher::inline();
            let added = agents::actions::insert(&app.store, &fate, &passwords, request).await;
            made.push((name, added.unwrap().id));
        }
        relay.kill();
        tokio::task::yield_now().await;
        (site, made)
    }
}

/// A folder in memory where there is one: only small files are in it.
fn folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    let root = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("yingke-sim-").tempdir_in(root).unwrap();
    std::fs::create_dir(folder.path().join("relay")).unwrap();
    folder
}
