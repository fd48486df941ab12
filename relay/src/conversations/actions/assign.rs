//! What the assignment driver asks for. It is never trusted: each is a conditional update on what is
//! true in the database now, and a refusal is a normal answer.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, ClientId, ConversationId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    Author, Availability, ConversationStatus, MessageContent, RequeueReason, SystemNotice,
    WaitingReason,
};

use super::{Decided, NewMessage, append_message, event, notice_id};
use crate::agents;
use crate::app::App;
use crate::conversations::store::{self, Conversation};
use crate::error::RelayError;
use crate::events::{LogBody, Sight};
use crate::store::{Abort, StoreError, WriteTx};

/// Conversations put back in one transaction: bulk work goes in small pieces.
const RELEASED_AT_ONCE: usize = 50;

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The agent serves the conversation now.
    Claimed,
    /// An agent has it already (this one, perhaps).
    AlreadyTaken,
    /// It is over, or there never was one.
    Ended,
    /// The agent is disabled or not 在线.
    AgentNotEligible,
    /// The agent is at capacity (B06).
    Full,
}

/// Gives a waiting conversation to an agent, if both are still so. `reason` is for the log only.
pub async fn claim(
    app: &App,
    conversation_id: ConversationId,
    agent_id: AgentId,
    reason: &'static str,
) -> Result<ClaimOutcome, RelayError> {
    let now = app.world.now();
    let notice = notice_id(app.world.as_ref())?;
    let (id, to) = (conversation_id.clone(), agent_id.clone());
    let outcome = app
        .store
        .write("claim", move |tx| {
            if store::claim(tx, &id, &to, now)? {
                joined(tx, &id, &to, notice.clone(), now)?;
                return Ok(ClaimOutcome::Claimed);
            }
            why_not(tx, &id, &to)
        })
        .await?;
    tracing::info!(
        conversation.id = %conversation_id, agent.id = %agent_id, reason, ?outcome, "assignment"
    );
    Ok(outcome)
}

/// Announces that the agent serves it now, and says so in the stream.
fn joined(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
    notice_id: ClientId,
    now: Timestamp,
) -> Decided<()> {
    let mut row = existing(tx, id)?;
    let agent = agents::queries::agent(tx, agent_id)?
        .ok_or(Abort::Failed(StoreError::Corrupt("agent")))?
        .card();
    let body = LogBody::StatusChanged {
        status: row.status.clone(),
        agent: Some(agent.clone()),
        sight: Sight { gained: vec![agent_id.clone()], lost: Vec::new() },
        requeued: None,
    };
    tx.append(event(now, &row, body))?;
    let notice = NewMessage {
        client_id: notice_id,
        author: Author::System,
        content: MessageContent::Notice { notice: SystemNotice::AgentJoined { agent } },
        at: now,
        agent: None,
    };
    append_message(tx, &mut row, notice)?;
    Ok(())
}

fn why_not(tx: &WriteTx<'_>, id: &ConversationId, agent_id: &AgentId) -> Decided<ClaimOutcome> {
    let Some(row) = store::load(tx, id)? else { return Ok(ClaimOutcome::Ended) };
    match row.status {
        ConversationStatus::Ended { .. } => return Ok(ClaimOutcome::Ended),
        ConversationStatus::Serving { .. } => return Ok(ClaimOutcome::AlreadyTaken),
        ConversationStatus::Waiting { .. } => {}
    }
    let takes = agents::queries::agent(tx, agent_id)?
        .is_some_and(|agent| !agent.disabled && agent.availability == Availability::Online);
    Ok(if takes { ClaimOutcome::Full } else { ClaimOutcome::AgentNotEligible })
}

/// Tells a waiting visitor why; gives whether that is news.
pub async fn set_waiting_reason(
    app: &App,
    conversation_id: ConversationId,
    reason: WaitingReason,
) -> Result<bool, RelayError> {
    let now = app.world.now();
    let changed = app
        .store
        .write("set waiting reason", move |tx| {
            let changed = store::set_waiting_reason(tx, &conversation_id, reason)?;
            if changed {
                let row = existing(tx, &conversation_id)?;
                let status = row.status.clone();
                let sight = Sight::default();
                let body = LogBody::StatusChanged { status, agent: None, sight, requeued: None };
                tx.append(event(now, &row, body))?;
            }
            Ok::<_, Abort<ErrorCode>>(changed)
        })
        .await?;
    Ok(changed)
}

/// Puts what disabled accounts still serve back in line, at the place the visitors had; gives how
/// many. To be called when an account was disabled, and at start.
pub async fn release_from_disabled(app: &App) -> Result<usize, RelayError> {
    let mut released = 0;
    loop {
        let now = app.world.now();
        let piece = app
            .store
            .write("release from disabled", move |tx| {
                let disabled: Vec<_> =
                    agents::queries::all(tx)?.into_iter().filter(|agent| agent.disabled).collect();
                let mut left = RELEASED_AT_ONCE;
                for agent in disabled {
                    let rows = store::served_by(tx, &agent.id, "", left)?;
                    for row in rows {
                        release(tx, &row.id, &agent.id, now)?;
                        left = left.saturating_sub(1);
                    }
                    if left == 0 {
                        break;
                    }
                }
                Ok::<_, Abort<ErrorCode>>(RELEASED_AT_ONCE - left)
            })
            .await?;
        released += piece;
        if piece < RELEASED_AT_ONCE {
            return Ok(released);
        }
    }
}

fn release(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
    now: Timestamp,
) -> Decided<()> {
    if store::release(tx, id, agent_id)? {
        let row = existing(tx, id)?;
        let body = LogBody::StatusChanged {
            status: row.status.clone(),
            agent: None,
            sight: Sight { gained: Vec::new(), lost: vec![agent_id.clone()] },
            requeued: Some(RequeueReason::AgentRemoved),
        };
        tx.append(event(now, &row, body))?;
    }
    Ok(())
}

fn existing(tx: &WriteTx<'_>, id: &ConversationId) -> Decided<Conversation> {
    store::load(tx, id)?.ok_or(Abort::Failed(StoreError::Corrupt("conversation")))
}
