//! Giving a waiting conversation to the agent routing chose. Routing is never trusted: the claim is a
//! conditional update on what is true in the database now, and a refusal is a normal answer.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::ids::{AgentId, ConversationId};
use yingke_shared::views::{Availability, ConversationStatus};

use super::pass_on::{PassOn, pass_on};
use super::{Decided, Moment};
use crate::app::App;
use crate::conversations::store;
use crate::error::RelayError;
use crate::store::{ReadTx, StoreError};
use crate::{agents, settings};

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

/// Gives a waiting conversation to an agent, if both are still so.
pub async fn claim(
    app: &App,
    conversation_id: ConversationId,
    agent_id: AgentId,
    how: AssignedHow,
) -> Result<ClaimOutcome, RelayError> {
    let moment = Moment::new(app.world.as_ref());
    let (id, to) = (conversation_id.clone(), agent_id.clone());
    let outcome = app
        .store
        .write("claim", move |tx| -> Decided<_> {
            let mut moment = moment.clone();
            let Some(row) = store::load(tx, &id)? else { return Ok(ClaimOutcome::Ended) };
            match row.status {
                ConversationStatus::Ended { .. } => return Ok(ClaimOutcome::Ended),
                ConversationStatus::Serving { .. } => return Ok(ClaimOutcome::AlreadyTaken),
                ConversationStatus::Waiting { .. } => {}
            }
            if let Some(hindrance) = hindrance(tx, &to, &moment)? {
                return Ok(hindrance);
            }
            if !may_be_given(tx, &row.id, &to, &how)? {
                return Ok(ClaimOutcome::AgentNotEligible);
            }
            let how = named(tx, how.clone())?;
            let change = PassOn::new(&row, to.clone(), how);
            pass_on(tx, row, change, &mut moment)?;
            Ok(ClaimOutcome::Claimed)
        })
        .await;
    let outcome = match outcome.map_err(RelayError::from) {
        Err(error) if error.code() == ErrorCode::Overtaken => ClaimOutcome::AlreadyTaken,
        other => other?,
    };
    tracing::info!(
        conversation.id = %conversation_id, agent.id = %agent_id, ?outcome, "assignment"
    );
    Ok(outcome)
}

/// Whether the agent still answers where routing found the conversation, and can what is asked for
/// (B03). One that is meant for this very agent may come from anywhere (A25).
pub(super) fn may_be_given(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    to: &AgentId,
    how: &AssignedHow,
) -> Result<bool, StoreError> {
    let AssignedHow::Routing { .. } = how else { return Ok(true) };
    let asked = store::load_in_routing(tx, id)?.and_then(|row| row.asked);
    let (Some(asked), Some(agent)) = (asked, agents::queries::agent(tx, to)?) else {
        return Ok(true);
    };
    let is_own = asked.own_agent_id.as_ref() == Some(to);
    let answers = agent.departments.contains(&asked.department_id);
    Ok(is_own || answers && asked.skill_id.is_none_or(|skill| agent.skills.contains(&skill)))
}

/// What keeps the agent from taking one more, if anything.
pub(super) fn hindrance(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    moment: &Moment,
) -> Result<Option<ClaimOutcome>, StoreError> {
    let agent = agents::queries::agent(tx, agent_id)?;
    let takes = |it: &agents::Agent| !it.disabled && it.availability == Availability::Online;
    if !agent.is_some_and(|agent| takes(&agent)) {
        return Ok(Some(ClaimOutcome::AgentNotEligible));
    }
    let has_place = store::has_place(tx, agent_id, moment.now)?;
    Ok((!has_place).then_some(ClaimOutcome::Full))
}

/// The reasons with the name the rule has now.
pub(super) fn named(tx: &ReadTx<'_>, mut how: AssignedHow) -> Result<AssignedHow, StoreError> {
    if let AssignedHow::Routing { why } = &mut how
        && let Some(rule) = &mut why.rule
    {
        let rules = settings::queries::rules(tx)?.value;
        let named = rules.into_iter().find(|known| known.id == rule.id);
        rule.name = named.map(|known| known.name).unwrap_or_default();
    }
    Ok(how)
}
