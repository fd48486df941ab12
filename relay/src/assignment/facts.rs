//! What the database and the log say, as facts of the routing core.

use yingke_routing as routing;
use yingke_shared::ids::{AgentId, ConversationId, Position};
use yingke_shared::views::{Availability, ConversationStatus, WaitingReason};

use crate::agents::{self, Agent};
use crate::conversations::actions::ClaimOutcome;
use crate::conversations::queries;
use crate::events::{self, Entry, LogBody};
use crate::store::{ReadTx, StoreError};

pub(crate) type Fact = routing::Fact<AgentId, ConversationId>;
pub(crate) type Decision = routing::Decision<AgentId, ConversationId>;

/// Rows read at once while the whole line is read.
const WAITING_AT_ONCE: u32 = 200;

/// What the database holds at one position of the log.
pub(crate) struct Company {
    pub(crate) position: Position,
    /// With the time each became true.
    pub(crate) facts: Vec<(u64, Fact)>,
}

/// Reads everything assignment needs to know, in one transaction.
pub(crate) fn company(tx: &ReadTx<'_>) -> Result<Company, StoreError> {
    let (_, position) = events::head(tx)?;
    let mut facts = Vec::new();
    for agent in agents::queries::all(tx)? {
        for open in queries::serving_of_agent(tx, &agent.id)? {
            let at = open.assigned_at.unwrap_or(open.started_at).millis();
            let (conversation, agent) = (open.id, agent.id.clone());
            facts.push((at, Fact::ConversationServed { conversation, agent }));
        }
        facts.push((0, agent_fact(&agent)));
    }
    let mut after = Position::ZERO;
    loop {
        let rows = queries::waiting(tx, after, WAITING_AT_ONCE)?;
        let Some(last) = rows.last() else { break };
        after = last.started_position;
        for row in rows {
            let told = match row.status {
                ConversationStatus::Waiting { reason } => told(reason),
                _ => continue,
            };
            let number = row.started_position.get();
            let fact = Fact::ConversationWaiting { conversation: row.id, number, told };
            facts.push((row.started_at.millis(), fact));
        }
    }
    Ok(Company { position, facts })
}

/// What an account's row says.
pub(crate) fn agent_fact(row: &Agent) -> Fact {
    let agent = row.id.clone();
    if row.disabled {
        return Fact::AgentRemoved { agent };
    }
    let online = row.availability == Availability::Online;
    Fact::AgentSet { agent, capacity: row.capacity, online }
}

/// What an entry of the log says by itself. `None` for what says nothing to assignment, and for
/// [`needs_row`].
pub(crate) fn fact_of(entry: &Entry) -> Option<Fact> {
    let conversation = entry.subject.as_ref()?.conversation_id.clone();
    match &entry.body {
        LogBody::ConversationStarted => Some(Fact::ConversationWaiting {
            conversation,
            number: entry.position.get(),
            told: None,
        }),
        LogBody::StatusChanged { status, .. } => match status {
            ConversationStatus::Serving { agent_id } => {
                Some(Fact::ConversationServed { conversation, agent: agent_id.clone() })
            }
            ConversationStatus::Ended { .. } => Some(Fact::ConversationOver { conversation }),
            ConversationStatus::Waiting { .. } => None,
        },
        _ => None,
    }
}

/// Entries that say only that something changed: what it is now stands in a row.
pub(crate) enum Row {
    /// An account.
    Agent(AgentId),
    /// A conversation that went back into line, at the place it had.
    BackInLine(ConversationId, yingke_shared::ids::VisitorId),
}

/// Which row the entry is about, if it must be read.
pub(crate) fn needs_row(entry: &Entry) -> Option<Row> {
    match &entry.body {
        LogBody::AgentChanged { agent_id } => Some(Row::Agent(agent_id.clone())),
        LogBody::StatusChanged {
            status: ConversationStatus::Waiting { .. },
            previous_agent: Some(_),
            ..
        } => {
            let subject = entry.subject.as_ref()?;
            Some(Row::BackInLine(subject.conversation_id.clone(), subject.visitor_id.clone()))
        }
        _ => None,
    }
}

/// The row as a fact, if it is still so.
pub(crate) fn fact_of_row(tx: &ReadTx<'_>, row: &Row) -> Result<Option<Fact>, StoreError> {
    match row {
        Row::Agent(id) => Ok(agents::queries::agent(tx, id)?.as_ref().map(agent_fact)),
        Row::BackInLine(id, visitor_id) => {
            let open = queries::open_conversation_of_visitor(tx, visitor_id)?;
            Ok(open.filter(|open| open.id == *id).and_then(|open| match open.status {
                ConversationStatus::Waiting { reason } => Some(Fact::ConversationWaiting {
                    conversation: open.id,
                    number: open.started_position.get(),
                    told: told(reason),
                }),
                // Somebody has it again already: the log says so soon.
                _ => None,
            }))
        }
    }
}

fn told(reason: WaitingReason) -> Option<routing::WaitingReason> {
    match reason {
        WaitingReason::Routing => None,
        WaitingReason::AllFull => Some(routing::WaitingReason::AllFull),
        WaitingReason::NobodyOnline => Some(routing::WaitingReason::NobodyOnline),
    }
}

/// The core's reason in the words of the protocol.
pub(crate) fn reason(reason: routing::WaitingReason) -> WaitingReason {
    match reason {
        routing::WaitingReason::AllFull => WaitingReason::AllFull,
        routing::WaitingReason::NobodyOnline => WaitingReason::NobodyOnline,
    }
}

/// Why a claim was refused, if it was.
pub(crate) fn refusal(outcome: ClaimOutcome) -> Option<routing::Refusal> {
    match outcome {
        // The log confirms it.
        ClaimOutcome::Claimed => None,
        ClaimOutcome::AlreadyTaken | ClaimOutcome::Ended => {
            Some(routing::Refusal::ConversationGone)
        }
        ClaimOutcome::AgentNotEligible | ClaimOutcome::Full => Some(routing::Refusal::AgentUnfit),
    }
}
