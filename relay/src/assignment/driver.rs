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
use yingke_routing::{Refusal, Router, WaitingReason};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, ConversationId};

use super::facts::{self, Decision, Fact};
use crate::app::App;
use crate::conversations::actions;
use crate::error::RelayError;
use crate::events::{Entry, LogBody, LogError, LogReader};
use crate::limits::{AGENTS_RETURN_WITHIN_MS, ASSIGN_AGAIN_AFTER_MS, DECISIONS_AT_ONCE_MAX};
use crate::live::is_lasting;
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
}

struct Driver {
    app: Arc<App>,
    router: Router<AgentId, ConversationId>,
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
    NobodyReturned,
    Done(Done),
}

impl Driver {
    async fn begin(app: Arc<App>) -> Option<Self> {
        let company = loop {
            match app.store.read_for_spine("begin assignment", facts::company).await {
                Ok(company) => break company,
                Err(StoreError::Closed) => return None,
                Err(error) => {
                    tracing::error!(%error, "assignment cannot begin; trying again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        };
        let mut router = Router::new();
        for (at, fact) in company.facts {
            router.note(at, fact);
        }
        let log = app.store.subscribe(company.position);
        let mut presence = app.hub.presence();
        presence.mark_changed();
        Some(Self {
            app,
            router,
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
        let woken = tokio::select! {
            biased;
            Some(done) = self.under_way.next(), if !self.under_way.is_empty() => Woken::Done(done),
            Ok(()) = self.presence.changed() => Woken::Presence,
            () = tokio::time::sleep_until(self.may_return_until), if may_return => {
                Woken::NobodyReturned
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
            Woken::Log(Err(LogError::Store(error))) if is_lasting(&error) => {
                tracing::error!(%error, "the log is damaged; assignment begins again after it");
                return Turn::BeginAgain;
            }
            Woken::Log(Err(LogError::Store(error))) => {
                tracing::error!(%error, "assignment cannot read the log; trying again");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Woken::Presence => self.presence_changed(),
            Woken::NobodyReturned => {}
            Woken::Done(Done { conversation, told }) => {
                if let Some(conversation) = conversation {
                    self.next_of(conversation);
                }
                if let Some(fact) = told {
                    self.look_again_at_refused(&fact);
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
        let at = entry.at.millis();
        if let Some(fact) = facts::fact_of(entry) {
            self.step_at(at, fact);
        } else if let Some(row) = facts::needs_row(entry) {
            let row = Arc::new(row);
            let fact = loop {
                let wanted = Arc::clone(&row);
                let read = self
                    .app
                    .store
                    .read("row of an entry", move |tx| facts::fact_of_row(tx, &wanted));
                match read.await {
                    Ok(fact) => break fact,
                    Err(StoreError::Closed) => return false,
                    Err(error) if is_lasting(&error) => {
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
                self.step_at(at, fact);
            }
            if removed && matches!(entry.body, LogBody::AgentChanged { .. }) {
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
        for agent in before.difference(&now).cloned() {
            self.step(Fact::AgentDisconnected { agent });
        }
        for agent in now.difference(&before).cloned() {
            self.step(Fact::AgentConnected { agent });
        }
    }

    fn step(&mut self, fact: Fact) {
        self.step_at(self.app.world.now().millis(), fact);
    }

    fn step_at(&mut self, now: u64, fact: Fact) {
        for decision in self.router.step(now, fact) {
            let conversation = match &decision {
                Decision::Assign { conversation, .. } | Decision::Wait { conversation, .. } => {
                    conversation.clone()
                }
            };
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
            let decision = Decision::Wait { conversation: conversation.clone(), reason };
            self.queue(conversation, decision);
        }
    }

    /// Puts what disabled accounts serve back in line, however long the store needs for it.
    fn release(&self) {
        let app = Arc::clone(&self.app);
        self.under_way.push(Box::pin(async move {
            release(&app).await;
            Done { conversation: None, told: None }
        }));
    }

    fn begin_first_of(&mut self, conversation: ConversationId) {
        let first = self.decisions.get(&conversation).and_then(VecDeque::front).cloned();
        if let Some(decision) = first {
            let app = Arc::clone(&self.app);
            self.under_way.push(Box::pin(async move {
                let told = carry_out(&app, decision).await;
                Done { conversation: Some(conversation), told }
            }));
        }
    }

    /// News of an agent may have come before the refusal that contradicts it: after a while the row
    /// is read again, and the core learns how it is.
    fn look_again_at_refused(&self, fact: &Fact) {
        let Fact::AssignmentRefused { agent, why: Refusal::AgentUnfit, .. } = fact else { return };
        let (app, agent) = (Arc::clone(&self.app), agent.clone());
        self.under_way.push(Box::pin(async move {
            loop {
                tokio::time::sleep(AGAIN_AFTER).await;
                let id = agent.clone();
                let read = app
                    .store
                    .read("refused agent", move |tx| crate::agents::queries::agent(tx, &id));
                match read.await {
                    Ok(row) => {
                        let told = row.as_ref().map(facts::agent_fact);
                        return Done { conversation: None, told };
                    }
                    Err(StoreError::Closed) => return Done { conversation: None, told: None },
                    Err(error) if is_lasting(&error) => {
                        tracing::error!(%error, "a damaged row; assignment goes on without it");
                        return Done { conversation: None, told: None };
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
async fn carry_out(app: &App, decision: Decision) -> Option<Fact> {
    match decision {
        Decision::Assign { conversation, agent } => {
            let why = assign(app, &conversation, &agent).await?;
            Some(Fact::AssignmentRefused { conversation, agent, why })
        }
        Decision::Wait { conversation, reason } => {
            let reason = facts::reason(reason);
            loop {
                let told = actions::set_waiting_reason(app, conversation.clone(), reason).await;
                match told {
                    Err(error) if may_try_again(error) => tokio::time::sleep(AGAIN_AFTER).await,
                    _ => return None,
                }
            }
        }
    }
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
