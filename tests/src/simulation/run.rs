//! One run: events in the order of their time, until all agree again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use yingke_relay::store::Point;
use yingke_shared::ids::{AgentId, ClientId, ConversationId, Seq};

use super::agent::Agent;
use super::handing::Noted;
use super::lies::Lie;
use super::network::{Answer, Call, Link};
use super::place::Place;
use super::relay::{Relay, Weather};
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

thread_local! {
    /// What this thread's worlds stand on, one after the other.
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// See the module.
pub(super) struct Simulation {
    pub(super) fate: Fate,
    pub(super) traits: Traits,
    pub(super) place: Place,
    pub(super) has_backup: bool,
    /// It is to be put in place before the relay starts again.
    pub(super) restoring: bool,
    pub(super) weather: Weather,
    pub(super) exchange: Exchange,
    pub(super) relay: Option<Relay>,
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
    /// What is not so in this world.
    pub(super) lie: Option<&'static Lie>,
    /// It was told on the way.
    pub(super) lied: bool,
}

/// Runs one seed. `show` prints every event.
#[must_use]
pub fn run(seed: u64, show: bool) -> Outcome {
    run_for(seed, show, 1, None)
}

/// The same world, with half the time before it is quiet.
#[must_use]
pub fn run_briefly(seed: u64, show: bool) -> Outcome {
    run_for(seed, show, 2, None)
}

/// A short world in which something is not so.
#[must_use]
pub fn run_with(seed: u64, lie: &'static Lie) -> Outcome {
    run_for(seed, false, 2, Some(lie))
}

fn run_for(seed: u64, show: bool, divisor: u64, lie: Option<&'static Lie>) -> Outcome {
    let runtime = runtime();
    let mut place = PLACE.with_borrow_mut(Option::take).unwrap_or_else(Place::make);
    place.make_as_new();
    let (outcome, place) = runtime.block_on(async {
        let mut simulation = Simulation::new(seed, show, place);
        simulation.acts_until /= divisor;
        simulation.lie = lie;
        let trick = lie.and_then(Lie::trick);
        simulation.visitors.iter_mut().for_each(|visitor| visitor.trick = trick);
        simulation.run(seed).await
    });
    PLACE.with_borrow_mut(|kept| *kept = Some(place));
    outcome
}

/// Of one thread, and its time stands still while anything can be done.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

impl Simulation {
    fn new(seed: u64, show: bool, place: Place) -> Self {
        let fate = Fate::new(seed);
        let traits = Traits::of(seed);
        let count = 2 + fate.index(2);
        let manager = place.agents.last().filter(|_| traits.handing);
        let agents = place.agents.iter().take(count).chain(manager);
        let agents: Vec<Agent> = agents.map(|own| Agent::new(&fate, own)).collect();
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
            place,
            has_backup: false,
            restoring: false,
            weather: Weather::default(),
            exchange: Exchange::default(),
            relay: None,
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
            lie: None,
            lied: false,
        }
    }

    async fn run(mut self, seed: u64) -> (Outcome, Place) {
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
        let violations = self.violations;
        (Outcome { seed, steps: self.steps, acked, hash, violations }, self.place)
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
            let mut relay = Relay::start(&self.fate, &self.place.memory, &self.weather);
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
        let is_last = waited > QUIET_MS_MAX;
        let differences = self.differences(is_last);
        if differences.is_empty() && self.lie_in_the_end() {
            self.done = true;
        } else if differences.is_empty() || is_last {
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
