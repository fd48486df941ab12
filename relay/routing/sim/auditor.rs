//! The judge: every decision is held against the whole picture, and the picture against the rules.
//!
//! Each finding is a sentence; a life without findings is a good one.

use std::collections::BTreeSet;

use yingke_routing::rules::Class;
use yingke_routing::{
    AgentId, Alert, Availability, Connection, ConversationId, Decision, EndReason, Fact,
    InvitationId, Invitee, PassReason, Prompt, QueuePolicy, RequeueReason, ReturnReason, Router,
    Verdict, WaitingReason,
};

use crate::model::{Known, Model, Pending, Serve, Stand, Talked};
use crate::setting;

/// Everything the judge keeps.
pub(crate) struct Auditor {
    pub(crate) model: Model,
    pub(crate) findings: Vec<String>,
}

/// Where one stands in line; the smaller one is first.
type Place = (bool, std::cmp::Reverse<Class>, u64);

impl Auditor {
    fn must(&mut self, holds: bool, what: impl Fn() -> String) {
        if !holds {
            let now = self.model.now;
            self.findings.push(format!("at {now}: {}", what()));
        }
    }

    pub(crate) fn note(&mut self, now: u64, fact: &Fact) {
        self.model.note(now, fact);
        self.back_in_time();
    }

    /// Whoever is there again was not taken out: the store looks, and leaves the member where it is.
    fn back_in_time(&mut self) {
        let agents = self.model.agents.keys().cloned();
        let there: BTreeSet<AgentId> = agents.filter(|id| self.gone(id).is_none()).collect();
        for talk in self.model.talks.values_mut() {
            if let Stand::Serve(serve) = &mut talk.stand {
                serve.leaving.retain(|member| !there.contains(member));
            }
        }
    }

    fn attends(known: &Known) -> bool {
        !known.removed
            && known.connection == Connection::Live
            && known.settings.availability == Availability::Online
            && known.settings.capacity > 0
    }

    fn is_free(&self, id: &AgentId, known: &Known) -> bool {
        Self::attends(known)
            && !known.doubted
            && self.model.places(id) < known.settings.capacity as usize
    }

    /// Whether the agent is among those it waits for: its own, and those of the department.
    fn lanes(&self, talk: &Talked, since: u64, agent: &AgentId) -> (bool, bool) {
        let excluded = |id: &AgentId| talk.tries > 0 && talk.had.contains(id);
        if excluded(agent) {
            return (false, false);
        }
        let Some(known) = self.model.agents.get(agent) else { return (false, false) };
        let demand = &talk.demand;
        let of_department = known.settings.departments.contains(&demand.department)
            && demand.skill.as_ref().is_none_or(|skill| known.settings.skills.contains(skill));
        let Some(own) = demand.own.as_ref().filter(|own| !excluded(&own.agent)) else {
            return (false, of_department);
        };
        let exists = self.model.agents.get(&own.agent);
        let exists = exists.is_some_and(|known| !known.removed && known.settings.capacity > 0);
        let is_own = own.agent == *agent && exists;
        match self.model.department(&demand.department).policy {
            QueuePolicy::Pool => (is_own && own.named, of_department),
            QueuePolicy::Sticky => (is_own, false),
            QueuePolicy::StickyThenPool { after_ms } => {
                (is_own, of_department && (!exists || since + after_ms <= self.model.now))
            }
        }
    }

    /// In line, with its place.
    fn in_line(&self, talk: &Talked) -> Option<(Place, u64, bool)> {
        match &talk.stand {
            Stand::Wait { since, front, outside, .. }
                if talk.pending.is_none() && talk.rests_until == 0 =>
            {
                let place = (!front, std::cmp::Reverse(talk.demand.class), talk.number);
                Some((place, *since, *outside))
            }
            _ => None,
        }
    }

    fn may_take(&self, talk: &Talked, agent: &AgentId) -> Option<bool> {
        let (_, since, outside) = self.in_line(talk)?;
        let known = self.model.agents.get(agent)?;
        let (own, department) = self.lanes(talk, since, agent);
        if outside || !self.is_free(agent, known) || !own && !department {
            return None;
        }
        Some(own)
    }

    fn takers(&self, talk: &Talked) -> Vec<(AgentId, bool)> {
        let all = self.model.agents.keys();
        all.filter_map(|id| Some((id.clone(), self.may_take(talk, id)?))).collect()
    }

    /// 60 is divisible by every capacity of this world: no rounding.
    fn rank(&self, id: &AgentId) -> (usize, u64, AgentId) {
        let known = self.model.agents.get(id);
        let capacity = known.map_or(1, |known| known.settings.capacity.max(1)) as usize;
        let idle = known.map_or(0, |known| known.idle_since);
        (self.model.places(id) * 60 * 7 / capacity, idle, id.clone())
    }

    fn reason(&self, talk: &Talked) -> Option<WaitingReason> {
        let (_, since, outside) = self.in_line(talk)?;
        if outside {
            return Some(WaitingReason::Closed);
        }
        let somebody = self.model.agents.iter().any(|(id, known)| {
            let (own, department) = self.lanes(talk, since, id);
            Self::attends(known) && (own || department)
        });
        Some(if somebody { WaitingReason::AllFull } else { WaitingReason::NobodyOnline })
    }

    fn gone(&self, id: &AgentId) -> Option<Result<RequeueReason, EndReason>> {
        let known = self.model.agents.get(id)?;
        let grace = setting::company().grace_ms.unwrap_or(0);
        if known.removed {
            return Some(Ok(RequeueReason::AgentRemoved));
        }
        if known.settings.availability == Availability::Away {
            return Some(Err(EndReason::AgentAway));
        }
        match known.connection {
            Connection::Live => None,
            Connection::Out => Some(Ok(RequeueReason::AgentSignedOut)),
            Connection::Lost(at) if at + grace <= self.model.now => {
                Some(Ok(RequeueReason::AgentLost))
            }
            Connection::Lost(_) => None,
        }
    }

    /// What a silent visitor is due: asked, then warned, then ended.
    fn silence_at(&self, talk: &Talked, serve: &Serve) -> Option<(u64, Option<Prompt>)> {
        let silence = self.model.department(&talk.demand.department).silence;
        if talk.talk.unanswered_since.is_some() {
            return None;
        }
        let word = talk.talk.last_word_at.unwrap_or(0).max(serve.since);
        match (talk.talk.asked_at, talk.talk.warned_at) {
            (None, _) => Some((word + silence.ask_ms?, Some(Prompt::AskVisitor))),
            (Some(asked), None) => {
                Some(((word + silence.warn_ms?).max(asked), Some(Prompt::WarnVisitor)))
            }
            (Some(_), Some(warned)) => Some((warned + silence.end_ms?, None)),
        }
    }

    fn explain_at(&self, talk: &Talked, serve: &Serve) -> Option<u64> {
        let after = self.model.department(&talk.demand.department).explain_ms?;
        let unanswered = talk.talk.unanswered_since.filter(|_| !talk.talk.explained)?;
        Some(unanswered.max(serve.since) + after)
    }

    fn filed_at(&self, talk: &Talked) -> Option<u64> {
        let Stand::Wait { since, told, .. } = &talk.stand else { return None };
        let department = self.model.department(&talk.demand.department);
        let nobody = told.filter(|(told, _)| *told != WaitingReason::AllFull);
        let filed = nobody.and_then(|(_, at)| Some(at + department.file_after_ms?));
        let at_most = department.wait_ms_max.map(|most| since + most);
        filed.into_iter().chain(at_most).min()
    }

    /// One decision, against everything.
    pub(crate) fn check(&mut self, decision: &Decision) {
        let now = self.model.now;
        let talk = decision.conversation().and_then(|id| self.model.talks.get(id).cloned());
        match decision {
            Decision::Offer { invitation, agent, .. } => return self.offer(invitation, agent),
            Decision::Return { invitation, reason } => return self.returned(invitation, *reason),
            Decision::Route { conversation, routed } => {
                let asked = talk.map(|talk| talk.demand);
                return self.must(asked.as_ref() == Some(&routed.demand), || {
                    format!("{conversation} was routed to {:?}", routed.demand)
                });
            }
            _ => {}
        }
        let Some(id) = decision.conversation().cloned() else { return };
        let Some(talk) = talk else {
            return self.must(false, || format!("{id} is over, and {decision:?}"));
        };
        self.must(talk.pending.is_none(), || format!("{id} is under way already: {decision:?}"));
        let serve = match &talk.stand {
            Stand::Serve(serve) => Some(serve.clone()),
            _ => None,
        };
        match decision {
            Decision::Assign { agent, attempt, why, .. } => {
                self.assigned(&id, &talk, agent);
                let first = why.candidates.first();
                let told =
                    first.is_some_and(|it| it.agent == *agent && it.verdict == Verdict::Taken);
                self.must(told, || format!("the reasons of {id} do not name {agent}"));
                self.pend(&id, *attempt, Pending::Assign(agent.clone()));
            }
            Decision::Wait { reason, .. } => {
                self.must(self.takers(&talk).is_empty(), || format!("{id} is told to wait"));
                let right = self.reason(&talk) == Some(*reason);
                self.must(right, || format!("{id} is told {reason:?}"));
                if let Some(talk) = self.model.talks.get_mut(&id)
                    && let Stand::Wait { told, .. } = &mut talk.stand
                {
                    let twice = told.is_some_and(|(told, _)| told == *reason);
                    *told = Some((*reason, now));
                    self.must(!twice, || format!("{id} is told {reason:?} twice"));
                }
            }
            Decision::File { attempt, .. } => {
                let due = self.filed_at(&talk).is_some_and(|at| at <= now);
                self.must(due && self.in_line(&talk).is_some(), || format!("{id} filed too early"));
                self.pend(&id, *attempt, Pending::File);
            }
            Decision::PassOn { from, to, attempt, reason, .. } => {
                let Some(serve) = serve.filter(|serve| serve.agent == *from) else {
                    return self.must(false, || format!("{id} is not with {from}"));
                };
                self.passed(&id, &talk, &serve, to, *reason);
                self.pend(&id, *attempt, Pending::Pass(to.clone(), *reason));
            }
            Decision::Requeue { from, attempt, reason, .. } => {
                let Some(serve) = serve.filter(|serve| serve.agent == *from) else {
                    return self.must(false, || format!("{id} is not with {from}"));
                };
                let right = if *reason == RequeueReason::NoAnswer {
                    self.model.no_answer_at(&talk, &serve).is_some_and(|(at, rule)| {
                        at <= now
                            && (talk.tries >= rule.transfers_max
                                || self.others(&talk, &serve).all(|(_, free)| !free))
                    })
                } else {
                    self.gone(from) == Some(Ok(*reason))
                };
                self.must(right, || format!("{id} goes back because of {reason:?}"));
                self.pend(&id, *attempt, Pending::Requeue);
            }
            Decision::End { attempt, reason, .. } => {
                let right = serve.is_some_and(|serve| match reason {
                    EndReason::AgentAway => self.gone(&serve.agent) == Some(Err(*reason)),
                    EndReason::VisitorSilent => self
                        .silence_at(&talk, &serve)
                        .is_some_and(|it| it.0 <= now && it.1.is_none()),
                });
                self.must(right, || format!("{id} ends because of {reason:?}"));
                self.pend(&id, *attempt, Pending::End);
            }
            Decision::Say { prompt, .. } => {
                let right = serve.is_some_and(|serve| match prompt {
                    Prompt::ExplainDelay => {
                        self.explain_at(&talk, &serve).is_some_and(|at| at <= now)
                    }
                    prompt => self
                        .silence_at(&talk, &serve)
                        .is_some_and(|it| it.0 <= now && it.1 == Some(*prompt)),
                });
                self.must(right, || format!("{id} is told {prompt:?}"));
                if let Some(talk) = self.model.talks.get_mut(&id) {
                    match prompt {
                        Prompt::AskVisitor => talk.talk.asked_at = Some(now),
                        Prompt::WarnVisitor => talk.talk.warned_at = Some(now),
                        Prompt::ExplainDelay => talk.talk.explained = true,
                    }
                }
            }
            Decision::TellManagers { alert, .. } => {
                let right = match alert {
                    Alert::NoAnswer => serve.is_some_and(|serve| {
                        self.model.no_answer_at(&talk, &serve).is_some_and(|(at, _)| at <= now)
                    }),
                    Alert::OwnAgentGone => self.reason(&talk) == Some(WaitingReason::NobodyOnline),
                };
                self.must(right && !talk.alerted, || format!("managers are told of {id}"));
                if let Some(talk) = self.model.talks.get_mut(&id) {
                    talk.alerted = true;
                }
                self.looked_at(&id, *alert);
            }
            Decision::RemoveMember { agent, .. } => {
                let gone = self.gone(agent).is_some();
                let Some(talk) = self.model.talks.get_mut(&id) else { return };
                let Stand::Serve(serve) = &mut talk.stand else { return };
                let right = gone && serve.members.contains(agent) && !serve.leaving.contains(agent);
                serve.leaving.push(agent.clone());
                self.must(right, || format!("{agent} is taken out of {id}"));
            }
            Decision::Route { .. } | Decision::Offer { .. } | Decision::Return { .. } => {}
        }
    }

    /// Nobody else was there: it stays, and is looked at again after another period.
    fn looked_at(&mut self, id: &ConversationId, alert: Alert) {
        let now = self.model.now;
        let Some(talk) = self.model.talks.get(id).cloned() else { return };
        let Stand::Serve(serve) = &talk.stand else { return };
        if alert == Alert::NoAnswer
            && self.stays(&talk, serve)
            && let Some(talk) = self.model.talks.get_mut(id)
            && let Stand::Serve(serve) = &mut talk.stand
        {
            serve.looked_at = now;
        }
    }

    /// A missing answer moves it nowhere.
    fn stays(&self, talk: &Talked, serve: &Serve) -> bool {
        let department = self.model.department(&talk.demand.department);
        let most = department.no_answer.map_or(0, |rule| rule.transfers_max);
        department.policy == QueuePolicy::Sticky
            || talk.tries < most && self.others(talk, serve).next().is_none()
    }

    /// Who else of the department is at work, did not have it, and has a free place or not.
    fn others<'a>(
        &'a self,
        talk: &'a Talked,
        serve: &'a Serve,
    ) -> impl Iterator<Item = (AgentId, bool)> + 'a {
        self.model.agents.iter().filter_map(|(id, known)| {
            let demand = &talk.demand;
            let skilled = demand.skill.as_ref().is_none_or(|it| known.settings.skills.contains(it));
            let is_other = *id != serve.agent
                && !serve.members.contains(id)
                && !talk.had.contains(id)
                && known.settings.departments.contains(&demand.department);
            let counts = is_other && skilled && Self::attends(known);
            counts.then(|| (id.clone(), self.is_free(id, known)))
        })
    }

    fn assigned(&mut self, id: &ConversationId, talk: &Talked, agent: &AgentId) {
        let takers = self.takers(talk);
        let own = takers.iter().find(|(_, own)| *own).map(|(id, _)| id.clone());
        let best = own.or_else(|| takers.iter().map(|(id, _)| self.rank(id)).min().map(|it| it.2));
        self.must(best.as_ref() == Some(agent), || {
            format!("{id} goes to {agent}, the best is {best:?} of {takers:?}")
        });
        let place = self.in_line(talk).map(|it| it.0);
        let before = self.model.talks.iter().find(|(_, other)| {
            self.in_line(other).map(|it| it.0) < place
                && self.in_line(other).is_some()
                && self.may_take(other, agent).is_some()
        });
        let before = before.map(|(id, _)| id.clone());
        self.must(before.is_none(), || format!("{id} goes to {agent} before {before:?}"));
    }

    fn passed(
        &mut self,
        id: &ConversationId,
        talk: &Talked,
        serve: &Serve,
        to: &AgentId,
        reason: PassReason,
    ) {
        let now = self.model.now;
        let right = match reason {
            PassReason::MemberStays => {
                self.gone(&serve.agent).is_some()
                    && serve.members.contains(to)
                    && self.gone(to).is_none()
            }
            PassReason::NoAnswer => {
                let due = self
                    .model
                    .no_answer_at(talk, serve)
                    .is_some_and(|(at, rule)| at <= now && talk.tries < rule.transfers_max);
                let free = self.others(talk, serve).filter(|(_, free)| *free);
                let best = free.map(|(id, _)| self.rank(&id)).min().map(|it| it.2);
                due && best.as_ref() == Some(to)
                    && self.model.department(&talk.demand.department).policy != QueuePolicy::Sticky
            }
        };
        self.must(right, || format!("{id} is passed on to {to} because of {reason:?}"));
    }

    fn pend(&mut self, id: &ConversationId, number: u32, pending: Pending) {
        if let Some(talk) = self.model.talks.get_mut(id) {
            talk.attempt = number;
            talk.pending = Some(pending);
        }
    }

    fn offer(&mut self, id: &InvitationId, agent: &AgentId) {
        let until = self.model.now + setting::company().invitation_ms;
        // Who was asked before and is not any more.
        self.pass_over(id);
        let Some(it) = self.model.invitations.get(id).cloned() else {
            return self.must(false, || format!("{id} is over, and {agent} is asked"));
        };
        let Invitee::Department(department) = &it.to else {
            return self.must(false, || format!("{id} is not of a department"));
        };
        let talk = self.model.talks.get(&it.conversation).cloned();
        let right = talk.is_some_and(|talk| {
            let Stand::Serve(serve) = &talk.stand else { return false };
            let may = self.model.agents.iter().filter(|(id, known)| {
                known.settings.departments.contains(department)
                    && self.is_free(id, known)
                    && **id != it.from
                    && **id != serve.agent
                    && !serve.members.contains(id)
                    && !it.declined.contains(id)
            });
            may.map(|(id, _)| self.rank(id)).min().is_some_and(|best| best.2 == *agent)
        });
        self.must(right && it.offered.is_none(), || format!("{id} asks {agent}"));
        if let Some(it) = self.model.invitations.get_mut(id) {
            it.offered = Some((agent.clone(), until));
        }
    }

    fn pass_over(&mut self, id: &InvitationId) {
        let now = self.model.now;
        let Some(it) = self.model.invitations.get(id).cloned() else { return };
        let Some((asked, until)) = it.offered else { return };
        if until <= now || !self.is_online(&asked) {
            let Some(it) = self.model.invitations.get_mut(id) else { return };
            it.offered = None;
            it.declined.push(asked);
        }
    }

    fn is_online(&self, id: &AgentId) -> bool {
        self.model.agents.get(id).is_some_and(|known| {
            !known.removed && known.settings.availability == Availability::Online
        })
    }

    fn returned(&mut self, id: &InvitationId, reason: ReturnReason) {
        let now = self.model.now;
        let Some(it) = self.model.invitations.get(id).cloned() else { return };
        let served_with = |agent: &AgentId| {
            self.model.talks.get(&it.conversation).is_some_and(|talk| match &talk.stand {
                Stand::Serve(serve) => serve.agent == *agent || serve.members.contains(agent),
                _ => false,
            })
        };
        let right = !it.returned
            && match reason {
                ReturnReason::Overtaken => !served_with(&it.from),
                ReturnReason::Expired => it.offered.as_ref().is_none_or(|(_, until)| *until <= now),
                ReturnReason::AgentUnavailable => {
                    it.offered.as_ref().is_some_and(|(asked, _)| !self.is_online(asked))
                }
                ReturnReason::Declined | ReturnReason::NobodyFree => {
                    matches!(it.to, Invitee::Department(_))
                }
            };
        self.must(right, || format!("{id} returns because of {reason:?}: {it:?}"));
        if let Some(it) = self.model.invitations.get_mut(id) {
            it.returned = true;
            if matches!(it.to, Invitee::Department(_)) {
                it.offered = None;
            }
        }
    }

    /// Nothing is left to decide: everything that is due was decided, and both sides agree.
    pub(crate) fn check_settled(&mut self, router: &Router) {
        let ids: Vec<_> = self.model.talks.keys().cloned().collect();
        for id in ids {
            let Some(talk) = self.model.talks.get(&id).cloned() else { continue };
            if talk.pending.is_none() && talk.rests_until == 0 {
                self.settled(&id, &talk, router);
            }
        }
        let agents: Vec<_> = self.model.agents.keys().cloned().collect();
        for agent in agents {
            let (own, its) = (self.model.places(&agent), router.running(&agent) as usize);
            self.must(own == its, || {
                format!("{agent} has {own} places taken, the core says {its}")
            });
        }
        for department in setting::DEPARTMENTS {
            let department = department.into();
            let mut line: Vec<_> = self
                .model
                .talks
                .iter()
                .filter(|(_, talk)| talk.demand.department == department)
                .filter_map(|(id, talk)| Some((self.in_line(talk)?.0, id.clone())))
                .collect();
            line.sort_unstable();
            let line: Vec<_> = line.into_iter().map(|it| it.1).collect();
            let its: Vec<_> = router.line(&department).collect();
            let dense = its.iter().zip(1..).all(|(it, place)| it.place == place);
            self.must(dense, || format!("places of {department} have holes"));
            let its: Vec<_> = its.into_iter().map(|it| it.conversation).collect();
            self.must(line == its, || format!("{department}: {line:?}, the core says {its:?}"));
        }
    }

    fn settled(&mut self, id: &ConversationId, talk: &Talked, router: &Router) {
        let now = self.model.now;
        let mut next: Vec<(u64, &str)> = Vec::new();
        match &talk.stand {
            Stand::Silent => {}
            Stand::Wait { told, .. } => {
                let takers = self.takers(talk);
                self.must(takers.is_empty(), || {
                    format!("{id} waits while a place is free: {takers:?}")
                });
                let (told, right) = (told.map(|it| it.0), self.reason(talk));
                self.must(told == right, || format!("{id} was told {told:?}, it is {right:?}"));
                next.extend(self.filed_at(talk).map(|at| (at, "filing")));
            }
            Stand::Serve(serve) => {
                let gone = self.gone(&serve.agent);
                self.must(gone.is_none(), || format!("{id} stays with {}: {gone:?}", serve.agent));
                if let Some((at, _)) = self.model.no_answer_at(talk, serve) {
                    if at <= now && self.stays(talk, serve) && talk.alerted {
                        // Looked at once more, in vain, and nobody is told twice.
                        if let Some(talk) = self.model.talks.get_mut(id)
                            && let Stand::Serve(serve) = &mut talk.stand
                        {
                            serve.looked_at = now;
                        }
                    } else {
                        next.push((at, "missing answer"));
                    }
                }
                next.extend(self.silence_at(talk, serve).map(|it| (it.0, "silence")));
                next.extend(self.explain_at(talk, serve).map(|at| (at, "explanation")));
                if let Some(Connection::Lost(at)) =
                    self.model.agents.get(&serve.agent).map(|known| known.connection)
                {
                    next.push((at + setting::company().grace_ms.unwrap_or(0), "grace"));
                }
            }
        }
        for (at, what) in next {
            self.must(at > now, || format!("{id}: {what} was due at {at}"));
            let rings = router.next_deadline().is_some_and(|deadline| deadline <= at);
            self.must(rings, || format!("{id}: no timer for {what} at {at}"));
        }
    }
}
