//! What the database and the log say, as facts of the routing core.
//!
//! The company has one department for now, [`DEPARTMENT`], which everybody answers in and which
//! moves nothing by itself: no clocks, no grace period.

use std::collections::BTreeSet;

use yingke_routing::{
    self as routing, AgentRow, AgentSettings, Arrival, Asks, Company, Connection, ConversationRow,
    Department, DepartmentId, Fact, Refusal, RequeueReason, Rows, StandingRow, Talk,
};
use yingke_shared::ids::{AgentId, ConversationId, Position};
use yingke_shared::views::{self, Availability, ConversationStatus, WaitingReason};

use crate::agents::{self, Agent};
use crate::conversations::OpenConversation;
use crate::conversations::actions::ClaimOutcome;
use crate::conversations::queries;
use crate::events::{self, Entry, LogBody};
use crate::store::{ReadTx, StoreError};

/// Rows read at once while the whole line is read.
const WAITING_AT_ONCE: u32 = 200;

/// The department of everybody.
const DEPARTMENT: &str = "everybody";

/// What the database holds at one position of the log.
pub(crate) struct Known {
    pub(crate) position: Position,
    pub(crate) rows: Rows,
}

fn department() -> DepartmentId {
    DepartmentId::new(DEPARTMENT)
}

fn agent(id: &AgentId) -> routing::AgentId {
    routing::AgentId::new(id.as_str())
}

fn conversation(id: &ConversationId) -> routing::ConversationId {
    routing::ConversationId::new(id.as_str())
}

/// The core's name of an agent in the words of the protocol. The core only repeats names.
pub(crate) fn agent_id(id: &routing::AgentId) -> Option<AgentId> {
    AgentId::new(id.as_str()).ok()
}

/// The same for a conversation.
pub(crate) fn conversation_id(id: &routing::ConversationId) -> Option<ConversationId> {
    ConversationId::new(id.as_str()).ok()
}

/// Somebody came.
pub(crate) fn connected(id: &AgentId) -> Fact {
    Fact::AgentConnected { agent: agent(id) }
}

/// Somebody went without a word.
pub(crate) fn lost(id: &AgentId) -> Fact {
    Fact::AgentLost { agent: agent(id) }
}

/// Reads everything assignment needs to know, in one transaction.
pub(crate) fn company(tx: &ReadTx<'_>, now: u64) -> Result<Known, StoreError> {
    let (_, position) = events::head(tx)?;
    let (mut agents, mut conversations) = (Vec::new(), Vec::new());
    for row in agents::queries::all(tx)? {
        let mut idle_since = 0;
        for open in queries::serving_of_agent(tx, &row.id)? {
            let since = open.assigned_at.unwrap_or(open.started_at).millis();
            idle_since = idle_since.max(since);
            let standing = StandingRow::Served {
                agent: agent(&row.id),
                members: Vec::new(),
                since,
                answered: false,
                typed_ms: 0,
                typing_until: 0,
            };
            conversations.push(conversation_row(&open, standing));
        }
        agents.push(AgentRow {
            settings: settings(&row),
            removed: row.disabled,
            connection: Connection::Lost(now),
            idle_since,
            wrap_ups: Vec::new(),
        });
    }
    let mut after = Position::ZERO;
    loop {
        let rows = queries::waiting(tx, after, WAITING_AT_ONCE)?;
        let Some(last) = rows.last() else { break };
        after = last.started_position;
        for row in rows {
            let ConversationStatus::Waiting { reason } = row.status else { continue };
            let since = row.started_at.millis();
            let told = told(reason).map(|reason| (reason, since));
            let standing = StandingRow::Waiting { since, front: false, told };
            conversations.push(conversation_row(&row, standing));
        }
    }
    let rows = Rows {
        now,
        wall_ahead_ms: 0,
        position: position.get(),
        company: Company { grace_ms: None, ..Company::new(department()) },
        departments: vec![Department {
            no_answer: None,
            file_after_ms: None,
            ..Department::new(department())
        }],
        rules: Vec::new(),
        agents,
        conversations,
        invitations: Vec::new(),
        pace: Vec::new(),
    };
    Ok(Known { position, rows })
}

fn conversation_row(row: &OpenConversation, standing: StandingRow) -> ConversationRow {
    ConversationRow {
        conversation: conversation(&row.id),
        number: row.started_position.get(),
        demand: routing::rules::Demand::of(department()),
        had: Vec::new(),
        tries: 0,
        alerted: false,
        talk: Talk::default(),
        standing,
    }
}

fn settings(row: &Agent) -> AgentSettings {
    AgentSettings {
        agent: agent(&row.id),
        capacity: row.capacity,
        availability: match row.availability {
            Availability::Online => routing::Availability::Online,
            Availability::Busy => routing::Availability::Busy,
            Availability::Away => routing::Availability::Away,
        },
        departments: BTreeSet::from([department()]),
        skills: BTreeSet::new(),
    }
}

/// What an account's row says.
pub(crate) fn agent_fact(row: &Agent) -> Fact {
    if row.disabled {
        return Fact::AgentRemoved { agent: agent(&row.id) };
    }
    Fact::AgentSet(Box::new(settings(row)))
}

/// What an entry of the log says by itself. `None` for what says nothing to assignment, and for
/// [`needs_row`].
pub(crate) fn fact_of(entry: &Entry) -> Option<Fact> {
    let conversation = conversation(&entry.subject.as_ref()?.conversation_id);
    match &entry.body {
        LogBody::ConversationStarted => Some(Fact::ConversationWaiting(Box::new(Arrival {
            conversation,
            number: entry.position.get(),
            site: None,
            has_written: true,
            asks: Asks::Demand(routing::rules::Demand::of(department())),
        }))),
        LogBody::StatusChanged { status, requeued, .. } => match status {
            ConversationStatus::Serving { agent_id } => {
                Some(Fact::ConversationServed { conversation, agent: agent(agent_id) })
            }
            ConversationStatus::Ended { .. } => Some(Fact::ConversationOver { conversation }),
            ConversationStatus::Waiting { .. } => {
                let why = requeue_reason((*requeued)?);
                Some(Fact::ConversationRequeued { conversation, why })
            }
        },
        _ => None,
    }
}

/// The account the entry is about, if it says only that it changed: what it is now stands in its
/// row.
pub(crate) fn needs_row(entry: &Entry) -> Option<AgentId> {
    match &entry.body {
        LogBody::AgentChanged { agent_id } => Some(agent_id.clone()),
        _ => None,
    }
}

fn requeue_reason(why: views::RequeueReason) -> RequeueReason {
    match why {
        views::RequeueReason::AgentLost => RequeueReason::AgentLost,
        views::RequeueReason::AgentSignedOut => RequeueReason::AgentSignedOut,
        views::RequeueReason::AgentRemoved => RequeueReason::AgentRemoved,
        views::RequeueReason::NoAnswer => RequeueReason::NoAnswer,
        views::RequeueReason::HandedOver => RequeueReason::HandedOver,
    }
}

fn told(reason: WaitingReason) -> Option<routing::WaitingReason> {
    match reason {
        WaitingReason::Routing => None,
        WaitingReason::AllFull => Some(routing::WaitingReason::AllFull),
        WaitingReason::NobodyOnline => Some(routing::WaitingReason::NobodyOnline),
        WaitingReason::Closed => Some(routing::WaitingReason::Closed),
    }
}

/// The core's reason in the words of the protocol.
pub(crate) fn reason(reason: routing::WaitingReason) -> WaitingReason {
    match reason {
        routing::WaitingReason::AllFull => WaitingReason::AllFull,
        routing::WaitingReason::NobodyOnline => WaitingReason::NobodyOnline,
        routing::WaitingReason::Closed => WaitingReason::Closed,
    }
}

/// Why a claim was refused, if it was.
pub(crate) fn refusal(outcome: ClaimOutcome) -> Option<Refusal> {
    match outcome {
        // The log confirms it.
        ClaimOutcome::Claimed => None,
        ClaimOutcome::AlreadyTaken | ClaimOutcome::Ended => Some(Refusal::Overtaken),
        ClaimOutcome::AgentNotEligible | ClaimOutcome::Full => Some(Refusal::AgentUnfit),
    }
}
