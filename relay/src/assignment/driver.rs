//! The driver: tells the routing core what happened and has carried out what it decides.
//!
//! Facts come from the log, read like anyone else reads it, and from the hub, which knows who is
//! connected and who types; nothing is polled. Messages and marks wake nobody: they come with the next
//! news, or a little later. Decisions are conditional updates: a lost race or a refusal of the store is
//! only another fact. Everything the core knows is read from the database at start; agents count as
//! lost until their sockets are back, and what they serve stays theirs for the grace period.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, OptionFuture};
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use yingke_routing::{Decision, Fact, Router, WaitingReason};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, ConversationId};

use super::facts::{self, Told};
use super::questions::Question;
use super::rows::{self, Settings};
use super::tasks::{Desk, Done, Key, Task, carry_out};
use super::words;
use crate::agents;
use crate::app::App;
use crate::clock::Stopwatch;
use crate::events::{Entry, LogError, LogReader};
use crate::limits::{
    AGENTS_RETURN_WITHIN_MS, ASSIGN_AGAIN_AFTER_MS, DECISIONS_AT_ONCE_MAX, WALL_CLOCK_EVERY_MS,
};
use crate::settings::store::COMPANY;
use crate::store::faults::trip;
use crate::store::{ReadTx, StoreError};

pub(super) const AGAIN_AFTER: Duration = Duration::from_millis(ASSIGN_AGAIN_AFTER_MS);
/// The clock on the wall may be off so far before the core is told.
const WALL_OFF_MS: u64 = 500;

/// Assigns until the relay stops. One for each relay; a second one does no harm.
pub async fn run(app: Arc<App>) {
    let stopping = app.stopping.clone();
    tokio::select! {
        biased;
        () = stopping.cancelled() => {}
        () = drive(app) => {}
    }
}

async fn drive(app: Arc<App>) {
    let mut typing = app.hub.take_typing();
    while let Some(mut driver) = Driver::begin(Arc::clone(&app)).await {
        loop {
            match driver.turn(&mut typing).await {
                Turn::GoOn => {}
                Turn::BeginAgain => break,
                Turn::End => return,
            }
        }
    }
}

/// What follows a turn.
enum Turn {
    GoOn,
    /// The log is damaged here: everything is read from the tables again.
    BeginAgain,
    End,
}

type Typing = Option<mpsc::Receiver<(AgentId, ConversationId)>>;

struct Driver {
    app: Arc<App>,
    router: Router,
    /// The core's clock: what the wall showed when it began, and what went by since. It never jumps.
    watch: Box<dyn Stopwatch>,
    started_ms: u64,
    /// As the core was last told.
    wall_ahead_ms: i64,
    wall_looked_at: u64,
    log: LogReader,
    presence: watch::Receiver<u64>,
    questions: async_channel::Receiver<Question>,
    /// As it was last looked at.
    connected: BTreeSet<AgentId>,
    desk: Desk,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Until then agents who just went may be on their way back.
    may_return_until: u64,
    /// Conversations that wait because nobody is online and are not told so before that time.
    untold: BTreeSet<ConversationId>,
    /// What rules said and the log did not tell yet: it tells the core nothing new.
    routed: BTreeMap<ConversationId, yingke_routing::DepartmentId>,
}

/// What woke the driver.
enum Woken {
    Log(Result<Vec<Arc<Entry>>, LogError>),
    Presence,
    Typed(AgentId, ConversationId),
    Asked(Question),
    Time,
    Done(Done),
}

impl Driver {
    async fn begin(app: Arc<App>) -> Option<Self> {
        let (known, now, watch) = loop {
            if let Err(error) = agents::presence::all_gone(&app).await {
                if error.code() == ErrorCode::Unavailable {
                    return None;
                }
                tracing::error!(code = ?error.code(), "assignment cannot begin; trying again");
                tokio::time::sleep(AGAIN_AFTER).await;
                continue;
            }
            // At one moment: the core's clock must not lag behind by what the reading takes.
            let (now, watch) = (app.world.now(), app.world.stopwatch());
            let read =
                app.store.read_for_spine("begin assignment", move |tx| rows::everything(tx, now));
            match read.await {
                Ok(known) => break (known, now, watch),
                Err(StoreError::Closed) => return None,
                Err(error) => {
                    tracing::error!(%error, "assignment cannot begin; trying again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        };
        let started_ms = now.millis();
        let router = Router::rebuild(known.rows);
        let log = app.store.subscribe_to_news(known.position);
        let questions = app.routing.asked();
        let mut presence = app.hub.presence();
        presence.mark_changed();
        let mut driver = Self {
            app,
            router,
            watch,
            started_ms,
            wall_ahead_ms: 0,
            wall_looked_at: started_ms,
            log,
            presence,
            questions,
            connected: BTreeSet::new(),
            desk: Desk::default(),
            under_way: FuturesUnordered::new(),
            may_return_until: started_ms + AGENTS_RETURN_WITHIN_MS,
            untold: BTreeSet::new(),
            routed: BTreeMap::new(),
        };
        for fact in known.arrivals {
            driver.step(fact);
        }
        Some(driver)
    }

    /// One thing that happened.
    async fn turn(&mut self, typing: &mut Typing) -> Turn {
        let until = self.next_look();
        let time = self.watch.until(until.saturating_sub(self.started_ms));
        let typed = OptionFuture::from(typing.as_mut().map(mpsc::Receiver::recv));
        let woken = tokio::select! {
            biased;
            Some(done) = self.under_way.next(), if !self.under_way.is_empty() => Woken::Done(done),
            Ok(()) = self.presence.changed() => Woken::Presence,
            () = time => Woken::Time,
            Some(Some((agent, conversation))) = typed => Woken::Typed(agent, conversation),
            Ok(question) = self.questions.recv() => Woken::Asked(question),
            entries = self.log.next() => Woken::Log(entries),
        };
        trip("panic_in_assignment");
        match woken {
            Woken::Log(Ok(entries)) => {
                if !self.entries(entries).await {
                    return Turn::End;
                }
            }
            Woken::Log(Err(LogError::Closed)) => return Turn::End,
            Woken::Log(Err(LogError::Store(error))) if error.is_lasting() => {
                tracing::error!(%error, "the log is damaged; assignment begins again after it");
                return Turn::BeginAgain;
            }
            Woken::Log(Err(LogError::Store(error))) => {
                tracing::error!(%error, "assignment cannot read the log; trying again");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Woken::Presence => self.presence_changed(),
            Woken::Typed(agent, conversation) => {
                let (agent, conversation) =
                    (words::agent(&agent), words::conversation(&conversation));
                self.step(Fact::AgentTypes { conversation, agent });
            }
            Woken::Asked(question) => {
                question.answer(&self.router);
                return Turn::GoOn;
            }
            Woken::Time => self.time_passed(),
            Woken::Done(done) => self.done(done),
        }
        while self.router.has_more() && self.desk.waiting() < DECISIONS_AT_ONCE_MAX {
            self.step(Fact::GoOn);
        }
        self.tell_untold();
        self.app.routing.turned();
        Turn::GoOn
    }

    /// When the clock is to be looked at next, if nothing happens before.
    fn next_look(&self) -> u64 {
        let wall = self.wall_looked_at.saturating_add(WALL_CLOCK_EVERY_MS);
        let untold = (!self.untold.is_empty()).then_some(self.may_return_until);
        // Over already, and too much under way to tell them: they are told when something is done.
        let untold = untold.filter(|at| *at > self.now());
        let deadline = self.router.next_deadline();
        untold.into_iter().chain(deadline).fold(wall, u64::min)
    }

    fn time_passed(&mut self) {
        let now = self.now();
        if now >= self.wall_looked_at.saturating_add(WALL_CLOCK_EVERY_MS) {
            self.wall_looked_at = now;
            self.look_at_wall(now);
            if !self.connected.is_empty() {
                self.queue(Key::Relay, Task::Seen);
            }
        }
        self.step(Fact::GoOn);
    }

    /// Opening hours follow the clock on the wall, also when it is set.
    fn look_at_wall(&mut self, now: u64) {
        let wall = self.app.world.now().millis();
        let ahead_ms = i64::try_from(i128::from(wall) - i128::from(now)).unwrap_or(0);
        if ahead_ms.abs_diff(self.wall_ahead_ms) > WALL_OFF_MS {
            self.wall_ahead_ms = ahead_ms;
            self.step(Fact::WallClock { ahead_ms });
        }
    }

    /// Tells the core what the log says; `false` if the store is closed.
    async fn entries(&mut self, entries: Vec<Arc<Entry>>) -> bool {
        let mut told: Vec<Option<Told>> = Vec::with_capacity(entries.len());
        let mut unread = Vec::new();
        for entry in &entries {
            let known = if self.is_own_route(entry) {
                Some(Told::Facts(Vec::new()))
            } else {
                facts::of_entry(entry)
            };
            if known.is_none() {
                unread.push(Arc::clone(entry));
            }
            told.push(known);
        }
        let mut read = Vec::new().into_iter();
        if !unread.is_empty() {
            let now = self.app.world.now();
            let of_rows = move |tx: &ReadTx<'_>| {
                let rows = unread.iter().map(|entry| facts::of_rows(tx, entry, now));
                rows.collect::<Result<Vec<_>, _>>()
            };
            match read_rows(&Arc::clone(&self.app), of_rows).await {
                Some(rows) => read = rows.into_iter(),
                None => return false,
            }
        }
        for (entry, known) in entries.iter().zip(told) {
            let Some(told) = known.or_else(|| read.next()) else { continue };
            let facts = match told {
                Told::Facts(facts) => facts,
                Told::Settings(section, settings) => self.settings_facts(&section, *settings),
            };
            let mut facts = facts.into_iter();
            if let Some(first) = facts.next() {
                let decisions = self.router.heard(entry.position.get(), self.now(), first);
                self.take(decisions);
            }
            for fact in facts {
                self.step(fact);
            }
        }
        true
    }

    /// The log tells what this driver just had stored.
    fn is_own_route(&mut self, entry: &Entry) -> bool {
        let (crate::events::LogBody::Routed { department_id, .. }, Some(subject)) =
            (&entry.body, &entry.subject)
        else {
            return false;
        };
        let routed = self.routed.remove(&subject.conversation_id);
        routed.is_some_and(|routed| routed.as_str() == department_id.as_str())
    }

    /// What is another since the section was saved.
    fn settings_facts(&self, section: &str, settings: Settings) -> Vec<Fact> {
        let Settings { company, departments, rules } = settings;
        let known = self.router.departments_listed();
        let is_news = |department: &yingke_routing::Department| {
            !known.iter().any(|known| **known == *department)
        };
        let gone = known.iter().map(|known| known.id.clone());
        let gone: Vec<_> =
            gone.filter(|id| !departments.iter().any(|department| department.id == *id)).collect();
        let mut facts = Vec::new();
        facts.extend(
            departments
                .into_iter()
                .filter(is_news)
                .map(|department| Fact::DepartmentSet(Box::new(department))),
        );
        if section == COMPANY {
            facts.push(Fact::CompanySet(Box::new(company)));
        }
        facts.push(Fact::RulesSet { rules });
        facts.extend(gone.into_iter().map(|department| Fact::DepartmentRemoved { department }));
        facts
    }

    /// Tells the core who came since it was last told, and has noted who went: whether for a while or
    /// for good, the store knows.
    fn presence_changed(&mut self) {
        let now = self.app.hub.connected_agents();
        let before = std::mem::replace(&mut self.connected, now.clone());
        if before.difference(&now).next().is_some() {
            self.may_return_until = self.now() + AGENTS_RETURN_WITHIN_MS;
        }
        for agent in before.difference(&now) {
            self.queue(Key::Agent(agent.clone()), Task::Gone);
        }
        for agent in now.difference(&before) {
            self.step(Fact::AgentConnected { agent: words::agent(agent) });
            self.queue(Key::Agent(agent.clone()), Task::Back);
        }
    }

    /// The core's clock.
    fn now(&self) -> u64 {
        self.started_ms.saturating_add(self.watch.passed_ms())
    }

    fn step(&mut self, fact: Fact) {
        let decisions = self.router.step(self.now(), fact);
        self.take(decisions);
    }

    fn take(&mut self, decisions: Vec<Decision>) {
        for decision in decisions {
            let Some(key) = Key::of(&decision) else { continue };
            if let Key::Conversation(conversation) = &key {
                self.untold.remove(conversation);
                match &decision {
                    Decision::Wait { reason: WaitingReason::NobodyOnline, .. }
                        if self.now() < self.may_return_until =>
                    {
                        self.untold.insert(conversation.clone());
                        continue;
                    }
                    Decision::Route { routed, .. } => {
                        let department = routed.demand.department.clone();
                        self.routed.insert(conversation.clone(), department);
                    }
                    _ => {}
                }
            }
            self.queue(key, Task::Decided(decision));
        }
    }

    fn queue(&mut self, key: Key, task: Task) {
        if let Some(task) = self.desk.push(&key, task) {
            self.begin_task(key, task);
        }
    }

    fn begin_task(&self, key: Key, task: Task) {
        let app = Arc::clone(&self.app);
        self.under_way.push(Box::pin(async move { carry_out(&app, key, task).await }));
    }

    fn done(&mut self, done: Done) {
        let Done { key, told, doubted, awaited, was_routed } = done;
        if let Some(next) = self.desk.pop(&key) {
            self.begin_task(key.clone(), next);
        }
        if let (false, Key::Conversation(conversation)) = (was_routed, &key) {
            self.routed.remove(conversation);
        }
        if let Some(agent) = doubted {
            self.look_again_at(agent);
        }
        // As if the last socket had gone just now: a session, and nobody there.
        if let Some(agent) = awaited.filter(|agent| !self.connected.contains(agent)) {
            self.queue(Key::Agent(agent), Task::Gone);
        }
        match told {
            // Back before it was noted that the agent went: then nobody was lost.
            Some(Fact::AgentLost { agent } | Fact::AgentSignedOut { agent })
                if self.connected.iter().any(|id| id.as_str() == agent.as_str()) => {}
            Some(fact) => self.step(fact),
            None => {}
        }
    }

    /// Nobody came back: now the visitors learn it.
    fn tell_untold(&mut self) {
        if self.now() < self.may_return_until {
            return;
        }
        while self.desk.waiting() < DECISIONS_AT_ONCE_MAX
            && let Some(conversation) = self.untold.pop_first()
        {
            let name = words::conversation(&conversation);
            let decision =
                Decision::Wait { conversation: name, reason: WaitingReason::NobodyOnline };
            self.queue(Key::Conversation(conversation), Task::Decided(decision));
        }
    }

    /// News of an agent may have come before the refusal that contradicts it: after a while the row
    /// is read again, and the core learns how it is.
    fn look_again_at(&mut self, agent: AgentId) {
        self.queue(Key::Agent(agent), Task::LookAgain);
    }
}

/// Reads in the lane of the spine until it can be read; `None` if the store is closed.
async fn read_rows<T, F>(app: &App, read: F) -> Option<T>
where
    T: Send + 'static,
    F: Fn(&ReadTx<'_>) -> Result<T, StoreError> + Clone + Send + 'static,
{
    loop {
        match app.store.read_for_spine("rows of entries", read.clone()).await {
            Ok(read) => return Some(read),
            Err(StoreError::Closed) => return None,
            Err(error) => {
                tracing::error!(%error, "assignment cannot read rows; trying again");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}
