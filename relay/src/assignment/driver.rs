//! The driver: tells the routing core what happened and carries out what it decides.
//!
//! Facts come from the log, read like anyone else reads it, and from the hub, which knows who is
//! connected; there is no polling. Decisions are conditional updates: a lost race or a refusal of
//! the store is only another fact. Everything the core knows is read from the database at start;
//! agents count as disconnected until their sockets are back, and what they serve stays theirs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::Instant;
use yingke_routing::{Decision, Fact, Refusal, Router, WaitingReason};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, ConversationId};

use super::facts;
use crate::app::App;
use crate::conversations::actions;
use crate::error::RelayError;
use crate::events::{Entry, LogError, LogReader};
use crate::limits::{AGENTS_RETURN_WITHIN_MS, ASSIGN_AGAIN_AFTER_MS, DECISIONS_AT_ONCE_MAX};
use crate::store::StoreError;

const AGAIN_AFTER: Duration = Duration::from_millis(ASSIGN_AGAIN_AFTER_MS);
const AGENTS_RETURN_WITHIN: Duration = Duration::from_millis(AGENTS_RETURN_WITHIN_MS);

/// Assigns until the relay stops. One for each relay.
pub async fn run(app: Arc<App>) {
    let stopping = app.stopping.clone();
    tokio::select! {
        biased;
        () = stopping.cancelled() => {}
        () = drive(app) => {}
    }
}

async fn drive(app: Arc<App>) {
    while let Some(mut driver) = Driver::begin(Arc::clone(&app)).await {
        // Accounts disabled while the relay was down, or just before it went down.
        driver.release();
        loop {
            match driver.turn().await {
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

/// Work of the driver that is done.
struct Done {
    /// The decision about this conversation was carried out, or not: the next one may begin.
    conversation: Option<ConversationId>,
    /// What is to be told.
    told: Option<Fact>,
    /// Whose row is to be read again, because the store refused this agent.
    doubted: Option<AgentId>,
}

struct Driver {
    app: Arc<App>,
    router: Router,
    /// When `started_ms` was the time. The core's clock goes on from there and never jumps.
    started: Instant,
    started_ms: u64,
    log: LogReader,
    presence: watch::Receiver<u64>,
    /// As the core was last told.
    connected: BTreeSet<AgentId>,
    /// Decisions by conversation: the first is under way, the others follow in order.
    decisions: BTreeMap<ConversationId, VecDeque<Decision>>,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Until then agents who just went may be on their way back.
    may_return_until: Instant,
    /// Conversations that wait because nobody is online and are not told so before that time.
    untold: BTreeSet<ConversationId>,
}

/// What woke the driver.
enum Woken {
    Log(Result<Vec<Arc<Entry>>, LogError>),
    Presence,
    Deadline,
    NobodyReturned,
    Done(Done),
}

impl Driver {
    async fn begin(app: Arc<App>) -> Option<Self> {
        let known = loop {
            let now = app.world.now().millis();
            let read =
                app.store.read_for_spine("begin assignment", move |tx| facts::company(tx, now));
            match read.await {
                Ok(known) => break known,
                Err(StoreError::Closed) => return None,
                Err(error) => {
                    tracing::error!(%error, "assignment cannot begin; trying again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        };
        let started_ms = known.rows.now;
        let router = Router::rebuild(known.rows);
        let log = app.store.subscribe_to_news(known.position);
        let mut presence = app.hub.presence();
        presence.mark_changed();
        Some(Self {
            app,
            router,
            started: Instant::now(),
            started_ms,
            log,
            presence,
            connected: BTreeSet::new(),
            decisions: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
            may_return_until: Instant::now() + AGENTS_RETURN_WITHIN,
            untold: BTreeSet::new(),
        })
    }

    /// One thing that happened.
    async fn turn(&mut self) -> Turn {
        let may_return = !self.untold.is_empty() && Instant::now() < self.may_return_until;
        let deadline = self.until_deadline();
        let woken = tokio::select! {
            biased;
            Some(done) = self.under_way.next(), if !self.under_way.is_empty() => Woken::Done(done),
            Ok(()) = self.presence.changed() => Woken::Presence,
            () = tokio::time::sleep_until(self.may_return_until), if may_return => {
                Woken::NobodyReturned
            }
            () = tokio::time::sleep(deadline.unwrap_or_default()), if deadline.is_some() => {
                Woken::Deadline
            }
            entries = self.log.next() => Woken::Log(entries),
        };
        match woken {
            Woken::Log(Ok(entries)) => {
                for entry in entries {
                    if !self.entry(&entry).await {
                        return Turn::End;
                    }
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
            Woken::Deadline => self.step(Fact::GoOn),
            Woken::NobodyReturned => {}
            Woken::Done(Done { conversation, told, doubted }) => {
                if let Some(conversation) = conversation {
                    self.next_of(conversation);
                }
                if let Some(agent) = doubted {
                    self.look_again_at(agent);
                }
                if let Some(fact) = told {
                    self.step(fact);
                }
            }
        }
        while self.router.has_more() && self.decisions.len() < DECISIONS_AT_ONCE_MAX {
            self.step(Fact::GoOn);
        }
        self.tell_untold();
        Turn::GoOn
    }

    async fn entry(&mut self, entry: &Entry) -> bool {
        let position = entry.position.get();
        if let Some(fact) = facts::fact_of(entry) {
            self.heard(position, fact);
        } else if let Some(agent) = facts::needs_row(entry) {
            let fact = loop {
                let id = agent.clone();
                let read = self.app.store.read_for_spine("row of an entry", move |tx| {
                    crate::agents::queries::agent(tx, &id)
                });
                match read.await {
                    Ok(row) => break row.as_ref().map(facts::agent_fact),
                    Err(StoreError::Closed) => return false,
                    Err(error) if error.is_lasting() => {
                        tracing::error!(%error, "a damaged row; assignment goes on without it");
                        break None;
                    }
                    Err(error) => {
                        tracing::error!(%error, "assignment cannot read a row; trying again");
                        tokio::time::sleep(AGAIN_AFTER).await;
                    }
                }
            };
            let removed = matches!(fact, Some(Fact::AgentRemoved { .. }));
            if let Some(fact) = fact {
                self.heard(position, fact);
            }
            if removed {
                self.release();
            }
        }
        true
    }

    /// Tells the core who came and who went since it was last told.
    fn presence_changed(&mut self) {
        let now = self.app.hub.connected_agents();
        let before = std::mem::replace(&mut self.connected, now.clone());
        if before.difference(&now).next().is_some() {
            self.may_return_until = Instant::now() + AGENTS_RETURN_WITHIN;
        }
        for agent in before.difference(&now) {
            self.step(facts::lost(agent));
        }
        for agent in now.difference(&before) {
            self.step(facts::connected(agent));
        }
    }

    /// The core's clock: what the wall showed when it began, and what went by since.
    fn now(&self) -> u64 {
        let passed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.started_ms.saturating_add(passed)
    }

    fn until_deadline(&self) -> Option<Duration> {
        let at = self.router.next_deadline()?;
        Some(Duration::from_millis(at.saturating_sub(self.now())))
    }

    fn heard(&mut self, position: u64, fact: Fact) {
        let now = self.now();
        let decisions = self.router.heard(position, now, fact);
        self.begin_all(decisions);
    }

    fn step(&mut self, fact: Fact) {
        let now = self.now();
        let decisions = self.router.step(now, fact);
        self.begin_all(decisions);
    }

    fn begin_all(&mut self, decisions: Vec<Decision>) {
        for decision in decisions {
            let about = decision.conversation().and_then(facts::conversation_id);
            let Some(conversation) = about else { continue };
            self.untold.remove(&conversation);
            if decision_is_nobody_online(&decision) && Instant::now() < self.may_return_until {
                self.untold.insert(conversation);
            } else {
                self.queue(conversation, decision);
            }
        }
    }

    fn queue(&mut self, conversation: ConversationId, decision: Decision) {
        let queue = self.decisions.entry(conversation.clone()).or_default();
        queue.push_back(decision);
        if queue.len() == 1 {
            self.begin_first_of(conversation);
        }
    }

    /// Nobody came back: now the visitors learn it.
    fn tell_untold(&mut self) {
        if Instant::now() < self.may_return_until {
            return;
        }
        while self.decisions.len() < DECISIONS_AT_ONCE_MAX
            && let Some(conversation) = self.untold.pop_first()
        {
            let reason = WaitingReason::NobodyOnline;
            let name = yingke_routing::ConversationId::new(conversation.as_str());
            let decision = Decision::Wait { conversation: name, reason };
            self.queue(conversation, decision);
        }
    }

    /// Puts what disabled accounts serve back in line, however long the store needs for it.
    fn release(&self) {
        let app = Arc::clone(&self.app);
        self.under_way.push(Box::pin(async move {
            release(&app).await;
            Done { conversation: None, told: None, doubted: None }
        }));
    }

    fn begin_first_of(&mut self, conversation: ConversationId) {
        let first = self.decisions.get(&conversation).and_then(VecDeque::front).cloned();
        if let Some(decision) = first {
            let app = Arc::clone(&self.app);
            self.under_way
                .push(Box::pin(async move { carry_out(&app, conversation, decision).await }));
        }
    }

    /// News of an agent may have come before the refusal that contradicts it: after a while the row
    /// is read again, and the core learns how it is.
    fn look_again_at(&self, agent: AgentId) {
        let app = Arc::clone(&self.app);
        self.under_way.push(Box::pin(async move {
            let done = |told| Done { conversation: None, told, doubted: None };
            loop {
                tokio::time::sleep(AGAIN_AFTER).await;
                let id = agent.clone();
                let read = app
                    .store
                    .read("refused agent", move |tx| crate::agents::queries::agent(tx, &id));
                match read.await {
                    Ok(row) => {
                        return done(row.as_ref().map(facts::agent_fact));
                    }
                    Err(StoreError::Closed) => return done(None),
                    Err(error) if error.is_lasting() => {
                        tracing::error!(%error, "a damaged row; assignment goes on without it");
                        return done(None);
                    }
                    Err(error) => {
                        tracing::error!(%error, "assignment cannot read a row; trying again");
                    }
                }
            }
        }));
    }

    fn next_of(&mut self, conversation: ConversationId) {
        if let Some(queue) = self.decisions.get_mut(&conversation) {
            queue.pop_front();
            if queue.is_empty() {
                self.decisions.remove(&conversation);
            } else {
                self.begin_first_of(conversation);
            }
        }
    }
}

/// Gives what the core must be told; what went well is told by the log.
async fn carry_out(app: &App, about: ConversationId, decision: Decision) -> Done {
    let mut done = Done { conversation: Some(about.clone()), told: None, doubted: None };
    match decision {
        Decision::Assign { conversation, agent, attempt, .. } => {
            let Some(agent) = facts::agent_id(&agent) else { return done };
            let Some(why) = assign(app, &about, &agent).await else { return done };
            done.doubted = (why == Refusal::AgentUnfit).then_some(agent);
            done.told = Some(Fact::Refused { conversation, attempt, why });
        }
        Decision::Wait { reason, .. } => {
            let reason = facts::reason(reason);
            loop {
                let told = actions::set_waiting_reason(app, about.clone(), reason).await;
                match told {
                    Err(error) if may_try_again(error) => tokio::time::sleep(AGAIN_AFTER).await,
                    _ => break,
                }
            }
        }
        // What a disabled account serves is released by the driver, all at once.
        Decision::Requeue { .. } => {}
        // The one department has no rules, no clocks and no invitations.
        Decision::Route { .. }
        | Decision::File { .. }
        | Decision::PassOn { .. }
        | Decision::End { .. }
        | Decision::Say { .. }
        | Decision::TellManagers { .. }
        | Decision::RemoveMember { .. }
        | Decision::Offer { .. }
        | Decision::Return { .. } => {}
    }
    done
}

async fn assign(app: &App, conversation: &ConversationId, agent: &AgentId) -> Option<Refusal> {
    let (id, to) = (conversation.clone(), agent.clone());
    match actions::claim(app, id, to, "least loaded").await {
        Ok(outcome) => facts::refusal(outcome),
        Err(error) => {
            if may_try_again(error) {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Some(Refusal::Failed)
        }
    }
}

/// A store that is closed stays closed; the driver is about to end too.
fn may_try_again(error: RelayError) -> bool {
    error.code().can_retry() && error.code() != ErrorCode::Unavailable
}

fn decision_is_nobody_online(decision: &Decision) -> bool {
    matches!(decision, Decision::Wait { reason: WaitingReason::NobodyOnline, .. })
}

/// Puts what disabled accounts serve back in line; tried until it is done, for nobody else looks at
/// these visitors any more.
async fn release(app: &App) {
    let mut has_failed = false;
    loop {
        match actions::release_from_disabled(app).await {
            Ok(0) => return,
            Ok(count) => {
                tracing::info!(count, "conversations of disabled accounts are back in line");
                return;
            }
            Err(error) => {
                if !has_failed {
                    tracing::error!(code = ?error.code(), "disabled accounts keep conversations");
                }
                if !may_try_again(error) {
                    return;
                }
            }
        }
        has_failed = true;
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}
