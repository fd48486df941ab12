//! Invitations to take over or to join, and their timers (F01, F03).
//!
//! Owns who of a department is asked next and when an invitation returns. Accepting is not decided
//! here: the store does it and the log says who has the conversation or takes part in it.

use super::{Deadline, Router};
use crate::Millis;
use crate::conversation::{ConversationIx, Standing};
use crate::decisions::{Decision, Invitee, ReturnReason};
use crate::explanation::{Cause, Verdict};
use crate::facts::Availability;
use crate::floor::{AgentIx, PoolKey};
use crate::ids::{AgentId, ConversationId, InvitationId};

/// An open invitation.
#[derive(Debug, Clone)]
pub(super) struct Invitation {
    conversation: ConversationIx,
    from: AgentIx,
    to: Invitee,
    /// Who is asked now, and until when. One of a department has a place kept for it.
    offered: Option<(AgentIx, Millis)>,
    declined: Vec<AgentIx>,
    /// The last one asked said nothing.
    ran_out: bool,
    /// Decided to be over; the log has not said so yet.
    returned: bool,
}

impl Invitation {
    pub(super) fn is_offered_to(&self, agent: AgentIx) -> bool {
        self.offered.is_some_and(|(offered, _)| offered == agent)
    }

    fn keeps_place(&self) -> Option<AgentIx> {
        match self.to {
            Invitee::Agent(_) => None,
            Invitee::Department(_) => self.offered.map(|(agent, _)| agent),
        }
    }
}

impl Router {
    pub(super) fn invited(
        &mut self,
        id: InvitationId,
        conversation: &ConversationId,
        from: &AgentId,
        to: Invitee,
    ) {
        let until = self.now + self.company.invitation_ms;
        let offered = match &to {
            Invitee::Agent(agent) => Some((agent.clone(), until)),
            Invitee::Department(_) => None,
        };
        self.invitation_known(id, conversation, from, to, offered, &[]);
    }

    /// An invitation as it stands: just made, or found in the database.
    pub(super) fn invitation_known(
        &mut self,
        id: InvitationId,
        conversation: &ConversationId,
        from: &AgentId,
        to: Invitee,
        offered: Option<(AgentId, Millis)>,
        declined: &[AgentId],
    ) {
        if self.invitations.contains_key(&id) {
            return;
        }
        let from = self.floor.agent_of(from);
        let offered = offered.map(|(agent, until)| (self.floor.agent_of(&agent), until));
        let declined = declined.iter().map(|agent| self.floor.agent_of(agent)).collect();
        let Some(conversation) = self.find(conversation) else {
            let reason = ReturnReason::Overtaken;
            return self.decided.push_back(Decision::Return { invitation: id, reason });
        };
        let invitation = Invitation {
            conversation,
            from,
            to,
            offered,
            declined,
            ran_out: false,
            returned: false,
        };
        if let Some(agent) = invitation.keeps_place() {
            self.floor.take(agent);
        }
        self.invitations.insert(id.clone(), invitation);
        self.to_answer.insert(id);
    }

    pub(super) fn declined(&mut self, id: &InvitationId, agent: &AgentId) {
        let agent = self.floor.agent_of(agent);
        let Some(invitation) = self.invitations.get(id) else { return };
        if !invitation.is_offered_to(agent) || invitation.returned {
            return;
        }
        match invitation.to {
            Invitee::Agent(_) => self.give_back(id, ReturnReason::Declined),
            Invitee::Department(_) => {
                self.pass_over(id, false);
                self.to_answer.insert(id.clone());
            }
        }
    }

    /// It is over: what was kept for it is free.
    pub(super) fn close(&mut self, id: &InvitationId) {
        self.ask_no_more(id);
        self.invitations.remove(id);
        self.to_answer.remove(id);
    }

    /// The agent has it or takes part now. An invitation that led to it was closed before, and by the log:
    /// one that is open here is open in the store too. If a department was asked by it, this agent came
    /// unasked while that was decided, and somebody else is asked.
    pub(super) fn came_in(&mut self, conversation: ConversationIx, agent: AgentIx) {
        let its = self.invitations.iter().filter(|(_, invitation)| {
            invitation.conversation == conversation && invitation.keeps_place() == Some(agent)
        });
        let its: Vec<_> = its.map(|(id, _)| id.clone()).collect();
        for id in its {
            self.ask_no_more(&id);
        }
        self.overtake_invitations(conversation);
    }

    /// The conversation stands differently now: its invitations are looked at again.
    pub(super) fn overtake_invitations(&mut self, conversation: ConversationIx) {
        let all = self.invitations.iter();
        let its = all.filter(|(_, invitation)| invitation.conversation == conversation);
        let its: Vec<_> = its.map(|(id, _)| id.clone()).collect();
        self.to_answer.extend(its);
    }

    /// Whoever is asked now is asked no more; gives who it was.
    fn ask_no_more(&mut self, id: &InvitationId) -> Option<AgentIx> {
        let invitation = self.invitations.get_mut(id)?;
        let place = invitation.keeps_place();
        let (agent, until) = invitation.offered.take()?;
        self.deadlines.remove(&(until, Deadline::Invitation(id.clone())));
        if let Some(agent) = place {
            self.floor.free(agent);
        }
        Some(agent)
    }

    /// Whoever was asked said no, or nothing in time, and is not asked again.
    fn pass_over(&mut self, id: &InvitationId, ran_out: bool) {
        let Some(agent) = self.ask_no_more(id) else { return };
        if let Some(invitation) = self.invitations.get_mut(id) {
            invitation.declined.push(agent);
            invitation.ran_out = ran_out;
        }
    }

    fn give_back(&mut self, id: &InvitationId, reason: ReturnReason) {
        let is_of_department = self
            .invitations
            .get(id)
            .is_some_and(|invitation| matches!(invitation.to, Invitee::Department(_)));
        if is_of_department {
            self.pass_over(id, false);
        }
        let Some(invitation) = self.invitations.get_mut(id) else { return };
        if !std::mem::replace(&mut invitation.returned, true) {
            self.decided.push_back(Decision::Return { invitation: id.clone(), reason });
        }
    }

    /// Looks at one invitation and decides what is due.
    pub(super) fn answer(&mut self, id: &InvitationId) {
        let Some(invitation) = self.invitations.get(id) else { return };
        if invitation.returned {
            return;
        }
        if !self.may_still_invite(invitation) {
            return self.give_back(id, ReturnReason::Overtaken);
        }
        let is_of_agent = matches!(invitation.to, Invitee::Agent(_));
        let Some((agent, until)) = invitation.offered else { return self.ask_next(id) };
        // Lost is not gone: whoever is lost may be back before the time is up.
        let is_there = self.floor.agent(agent).is_some_and(|agent| {
            !agent.removed && agent.settings.availability == Availability::Online
        });
        let reason = if !is_there {
            ReturnReason::AgentUnavailable
        } else if until <= self.now {
            ReturnReason::Expired
        } else {
            self.deadlines.insert((until, Deadline::Invitation(id.clone())));
            return;
        };
        if is_of_agent {
            self.give_back(id, reason);
        } else {
            self.pass_over(id, reason == ReturnReason::Expired);
            self.ask_next(id);
        }
    }

    /// The conversation is served and who invited takes part in it.
    fn may_still_invite(&self, invitation: &Invitation) -> bool {
        let standing = self.conversations.get(invitation.conversation).map(|it| &it.standing);
        match standing {
            Some(Standing::Served(served)) => {
                served.agent == invitation.from || served.members.contains(&invitation.from)
            }
            _ => false,
        }
    }

    /// Asks the best of the department who was not asked yet, or gives up.
    fn ask_next(&mut self, id: &InvitationId) {
        let Some(invitation) = self.invitations.get(id) else { return };
        let Invitee::Department(department) = invitation.to.clone() else { return };
        let (ix, from, declined) =
            (invitation.conversation, invitation.from, invitation.declined.clone());
        let ran_out = invitation.ran_out;
        let pool = self.floor.pool_of(&PoolKey::Of(department.clone(), None));
        let Some(conversation) = self.conversations.get(ix) else { return };
        let Standing::Served(served) = &conversation.standing else { return };
        let may = |agent: &AgentIx| {
            *agent != from
                && *agent != served.agent
                && !served.members.contains(agent)
                && !declined.contains(agent)
        };
        let ready = self.floor.pool(pool).map(|pool| &pool.ready);
        let Some(agent) = ready.and_then(|ready| ready.values().copied().find(may)) else {
            let reason = match (declined.is_empty(), ran_out) {
                (true, _) => ReturnReason::NobodyFree,
                (false, true) => ReturnReason::Expired,
                (false, false) => ReturnReason::Declined,
            };
            return self.give_back(id, reason);
        };
        let mut parted = declined;
        parted.push(from);
        parted.push(served.agent);
        let Some(mut why) = self.reasons(ix, agent, Cause::Invited, &parted) else { return };
        if why.department != department {
            // The reasons are those of another department than the conversation's own.
            why.candidates.retain(|candidate| candidate.verdict == Verdict::Taken);
            why.department = department;
        }
        let until = self.now + self.company.invitation_ms;
        let Some(to) = self.floor.agent(agent).map(|agent| agent.id().clone()) else { return };
        self.floor.take(agent);
        self.deadlines.insert((until, Deadline::Invitation(id.clone())));
        if let Some(invitation) = self.invitations.get_mut(id) {
            invitation.offered = Some((agent, until));
        }
        let (invitation, why) = (id.clone(), Box::new(why));
        self.decided.push_back(Decision::Offer { invitation, agent: to, why });
    }
}
