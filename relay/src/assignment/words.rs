//! The core's words in those of the protocol and the store, and back. Names are only repeated.

use yingke_routing as routing;
use yingke_shared::explanation::{Candidate, Cause, Explanation, RuleName, Verdict};
use yingke_shared::ids::{
    AgentId, ConversationId, DepartmentId, InvitationId, RuleId, Seq, SkillId,
};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{self, AutoReply, InvitationEnd, ManagerAlertKind, WaitingReason};

use crate::conversations::Asked;

pub(crate) fn agent(id: &AgentId) -> routing::AgentId {
    routing::AgentId::new(id.as_str())
}

pub(crate) fn conversation(id: &ConversationId) -> routing::ConversationId {
    routing::ConversationId::new(id.as_str())
}

pub(crate) fn invitation(id: &InvitationId) -> routing::InvitationId {
    routing::InvitationId::new(id.as_str())
}

pub(crate) fn department(id: &DepartmentId) -> routing::DepartmentId {
    routing::DepartmentId::new(id.as_str())
}

pub(crate) fn agent_id(id: &routing::AgentId) -> Option<AgentId> {
    AgentId::new(id.as_str()).ok()
}

pub(crate) fn conversation_id(id: &routing::ConversationId) -> Option<ConversationId> {
    ConversationId::new(id.as_str()).ok()
}

pub(crate) fn invitation_id(id: &routing::InvitationId) -> Option<InvitationId> {
    InvitationId::new(id.as_str()).ok()
}

pub(crate) fn department_id(id: &routing::DepartmentId) -> Option<DepartmentId> {
    DepartmentId::new(id.as_str()).ok()
}

pub(crate) fn seq(number: u64) -> Seq {
    Seq::new(number).unwrap_or_default()
}

pub(crate) fn availability(chosen: views::Availability) -> routing::Availability {
    match chosen {
        views::Availability::Online => routing::Availability::Online,
        views::Availability::Busy => routing::Availability::Busy,
        views::Availability::Away => routing::Availability::Away,
    }
}

pub(crate) fn requeue_reason(why: views::RequeueReason) -> routing::RequeueReason {
    use routing::RequeueReason as R;
    match why {
        views::RequeueReason::AgentLost => R::AgentLost,
        views::RequeueReason::AgentSignedOut => R::AgentSignedOut,
        views::RequeueReason::AgentRemoved => R::AgentRemoved,
        views::RequeueReason::NoAnswer => R::NoAnswer,
        views::RequeueReason::HandedOver => R::HandedOver,
    }
}

pub(crate) fn requeued(why: routing::RequeueReason) -> views::RequeueReason {
    use routing::RequeueReason as R;
    match why {
        R::AgentLost => views::RequeueReason::AgentLost,
        R::AgentSignedOut => views::RequeueReason::AgentSignedOut,
        R::AgentRemoved => views::RequeueReason::AgentRemoved,
        R::NoAnswer => views::RequeueReason::NoAnswer,
        R::HandedOver => views::RequeueReason::HandedOver,
    }
}

pub(crate) fn told(reason: WaitingReason) -> Option<routing::WaitingReason> {
    match reason {
        WaitingReason::Routing => None,
        WaitingReason::AllFull => Some(routing::WaitingReason::AllFull),
        WaitingReason::NobodyOnline => Some(routing::WaitingReason::NobodyOnline),
        WaitingReason::Closed => Some(routing::WaitingReason::Closed),
    }
}

pub(crate) fn waiting(reason: routing::WaitingReason) -> WaitingReason {
    match reason {
        routing::WaitingReason::AllFull => WaitingReason::AllFull,
        routing::WaitingReason::NobodyOnline => WaitingReason::NobodyOnline,
        routing::WaitingReason::Closed => WaitingReason::Closed,
    }
}

pub(crate) fn prompt(prompt: routing::Prompt) -> AutoReply {
    match prompt {
        routing::Prompt::AskVisitor => AutoReply::AskVisitor,
        routing::Prompt::WarnVisitor => AutoReply::WarnVisitor,
        routing::Prompt::ExplainDelay => AutoReply::ExplainDelay,
    }
}

pub(crate) fn alert(alert: routing::Alert) -> ManagerAlertKind {
    match alert {
        routing::Alert::NoAnswer => ManagerAlertKind::NoAnswer,
        routing::Alert::OwnAgentGone => ManagerAlertKind::OwnAgentGone,
    }
}

pub(crate) fn returned(reason: routing::ReturnReason) -> InvitationEnd {
    use routing::ReturnReason as R;
    match reason {
        R::Expired => InvitationEnd::Expired,
        R::Declined => InvitationEnd::Declined,
        R::AgentUnavailable => InvitationEnd::AgentUnavailable,
        R::NobodyFree => InvitationEnd::NobodyFree,
        R::Overtaken => InvitationEnd::Overtaken,
    }
}

pub(crate) fn invitee(to: &views::Invitee) -> routing::Invitee {
    match to {
        views::Invitee::Agent { agent_id } => routing::Invitee::Agent(agent(agent_id)),
        views::Invitee::Department { department_id } => {
            routing::Invitee::Department(department(department_id))
        }
    }
}

/// What a conversation's row says it asks for.
pub(crate) fn demand(asked: &Asked) -> routing::rules::Demand {
    let own = asked.own_agent_id.as_ref();
    routing::rules::Demand {
        department: department(&asked.department_id),
        skill: asked.skill_id.as_ref().map(|id| routing::SkillId::new(id.as_str())),
        own: own.map(|id| routing::rules::OwnAgent { agent: agent(id), named: asked.own_named }),
        class: routing::rules::Class { vip: asked.vip, priority: asked.priority },
        rule: asked.rule_id.as_ref().map(|id| routing::RuleId::new(id.as_str())),
    }
}

/// The same, as it is stored. `None` for names that are none.
pub(crate) fn asked(demand: &routing::rules::Demand) -> Option<Asked> {
    let own = demand.own.as_ref();
    Some(Asked {
        department_id: department_id(&demand.department)?,
        skill_id: demand.skill.as_ref().and_then(|id| SkillId::new(id.as_str()).ok()),
        rule_id: demand.rule.as_ref().and_then(|id| RuleId::new(id.as_str()).ok()),
        own_agent_id: own.and_then(|own| agent_id(&own.agent)),
        own_named: own.is_some_and(|own| own.named),
        vip: demand.class.vip,
        priority: demand.class.priority,
    })
}

fn time(at: u64) -> Timestamp {
    Timestamp::from_millis(at).unwrap_or_default()
}

fn ms(span: u64) -> u32 {
    u32::try_from(span).unwrap_or(u32::MAX)
}

/// Why this agent, as it is stored and shown. The rule gets its name when it is stored.
pub(crate) fn explanation(why: &routing::Explanation) -> Option<Explanation> {
    let rule = why.rule.as_ref().and_then(|id| RuleId::new(id.as_str()).ok());
    let rule = rule.map(|id| RuleName { id, name: String::new() });
    Some(Explanation {
        cause: cause(why.cause),
        rule,
        department_id: department_id(&why.department)?,
        skill_id: why.skill.as_ref().and_then(|id| SkillId::new(id.as_str()).ok()),
        own_agent: why.own.as_ref().and_then(agent_id),
        candidates: why.candidates.iter().filter_map(candidate).collect(),
        unlisted: why.unlisted,
    })
}

fn cause(cause: routing::Cause) -> Cause {
    match cause {
        routing::Cause::Waited { for_ms } => Cause::Waited { for_ms: ms(for_ms) },
        routing::Cause::Requeued { why, for_ms } => {
            Cause::Requeued { why: why.map(requeued), for_ms: ms(for_ms) }
        }
        routing::Cause::NoAnswer => Cause::NoAnswer {},
        routing::Cause::MemberStays => Cause::MemberStays {},
        routing::Cause::Invited => Cause::Invited {},
        routing::Cause::Asked => Cause::Asked {},
    }
}

fn candidate(of: &routing::Considered) -> Option<Candidate> {
    Some(Candidate {
        agent_id: agent_id(&of.agent)?,
        running: of.running,
        capacity: of.capacity,
        idle_since: time(of.idle_since),
        verdict: verdict(of.verdict),
    })
}

fn verdict(verdict: routing::Verdict) -> Verdict {
    use routing::Verdict as V;
    match verdict {
        V::Taken => Verdict::Taken,
        V::MoreLoaded => Verdict::MoreLoaded,
        V::IdleShorter => Verdict::IdleShorter,
        V::LaterById => Verdict::LaterById,
        V::NotItsOwn => Verdict::NotItsOwn,
        V::HadItBefore => Verdict::HadItBefore,
        V::Full => Verdict::Full,
        V::Refused => Verdict::Refused,
        V::Busy => Verdict::Busy,
        V::Away => Verdict::Away,
        V::Offline => Verdict::Offline,
        V::Removed => Verdict::Removed,
        V::LacksSkill => Verdict::LacksSkill,
        V::NotInDepartment => Verdict::NotInDepartment,
    }
}
