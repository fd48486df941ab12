//! One conversation that is not over: where it stands and which of its clocks runs out next.
//!
//! Owns the state of a conversation and the pure question "what is due now, and when is the next".
//! It knows no other conversation and no agent but by place.

use crate::Millis;
use crate::decisions::{EndReason, PassReason, Prompt, RequeueReason, WaitingReason};
use crate::facts::Talk;
use crate::floor::{AgentIx, PoolIx, Ticket};
use crate::ids::{ConversationId, DepartmentId, RuleId, SkillId};
use crate::rules::Class;
use crate::settings::{Department, Silence};
use crate::slab::Ix;

pub(crate) type ConversationIx = Ix<Conversation>;

/// How long a pause in typing may be before the agent no longer counts as typing.
pub const TYPING_LASTS_MS: Millis = 10_000;
/// When a decision that was overtaken is looked at again, if no news came.
pub const LOOK_AGAIN_MS: Millis = 1_000;

/// The agent it is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) agent: AgentIx,
    pub(crate) named: bool,
}

/// What was decided and neither confirmed nor refused yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnderWay {
    Assign(AgentIx),
    File,
    PassOn(AgentIx, PassReason),
    Requeue,
    End,
}

impl UnderWay {
    /// The agent at whom a place is taken for it. A member who goes on has one already.
    pub(crate) fn place_at(self) -> Option<AgentIx> {
        match self {
            Self::Assign(to) | Self::PassOn(to, PassReason::NoAnswer) => Some(to),
            Self::PassOn(_, PassReason::MemberStays) | Self::File | Self::Requeue | Self::End => {
                None
            }
        }
    }
}

/// In line.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) since: Millis,
    /// It was served before.
    pub(crate) front: bool,
    /// Why it was put back.
    pub(crate) requeued: Option<RequeueReason>,
    pub(crate) told: Option<(WaitingReason, Millis)>,
    /// The department is closed for it.
    pub(crate) outside: bool,
    /// From then on it waits for others than its own agent too (B08).
    pub(crate) pool_at: Option<Millis>,
    /// The pools it waits for.
    pub(crate) lanes: [Option<PoolIx>; 2],
    /// Its ticket while it stands in line; not while something is under way.
    pub(crate) ticket: Option<Ticket>,
}

/// Served.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) agent: AgentIx,
    /// Who else takes part.
    pub(crate) members: Vec<AgentIx>,
    /// Members who were decided to be gone.
    pub(crate) leaving: Vec<AgentIx>,
    pub(crate) since: Millis,
    /// This agent has answered.
    pub(crate) answered: bool,
    /// For how long the missing answer was being typed, up to `typing_until`.
    pub(crate) typed_ms: Millis,
    pub(crate) typing_until: Millis,
    /// The missing answer was looked at then, and nobody else was there.
    pub(crate) looked_at: Millis,
}

/// Where a conversation stands.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// Opened, and nothing written.
    Silent,
    Waiting(Waiting),
    Served(Served),
}

/// A conversation.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    pub(crate) number: u64,
    pub(crate) department: DepartmentId,
    pub(crate) skill: Option<SkillId>,
    pub(crate) own: Option<Own>,
    pub(crate) class: Class,
    pub(crate) rule: Option<RuleId>,
    /// Agents who had it.
    pub(crate) had: Vec<AgentIx>,
    /// Times it was moved for want of an answer, since the last answer.
    pub(crate) tries: u32,
    /// Managers were told, since the last answer.
    pub(crate) alerted: bool,
    pub(crate) talk: Talk,
    pub(crate) standing: Standing,
    /// Number of the newest decision that can be refused.
    pub(crate) attempt: u32,
    pub(crate) under_way: Option<UnderWay>,
    /// Not looked at before then: a decision was overtaken.
    pub(crate) resting_until: Option<Millis>,
    /// Its entry among the deadlines.
    pub(crate) due: Option<Millis>,
}

/// What a clock of a served conversation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The first answer is missing for too long.
    NoAnswer,
    Say(Prompt),
    End(EndReason),
}

impl Conversation {
    /// Where it stands among others.
    pub(crate) fn place(&self, ix: ConversationIx, front: bool) -> Ticket {
        Ticket {
            new: !front,
            class: std::cmp::Reverse(self.class),
            number: self.number,
            conversation: ix,
        }
    }

    /// Must not get this agent again: it was moved for want of an answer (B13).
    pub(crate) fn excludes(&self, agent: AgentIx) -> bool {
        self.tries > 0 && self.had.contains(&agent)
    }

    /// What is due at `now` while it is served, and otherwise when something will be.
    pub(crate) fn clocks(&self, served: &Served, department: &Department, now: Millis) -> Clocks {
        let mut clocks = Clocks { now, due: None, next: None };
        let since = |at: Millis| at.max(served.since);
        if let Some(unanswered) = self.talk.unanswered_since {
            if let Some(after) = department.explain_ms
                && !self.talk.explained
            {
                clocks.at(since(unanswered) + after, Due::Say(Prompt::ExplainDelay));
            }
            if let Some(at) = self.no_answer_at(served, department) {
                clocks.at(at, Due::NoAnswer);
            }
        } else {
            // Where nothing was said at all, from when somebody is there to hear it (B14).
            let word = self.talk.last_word_at.unwrap_or(0);
            self.silence(&mut clocks, since(word), &department.silence);
        }
        clocks
    }

    /// When the first answer is missing for too long; after a look in vain, the next full period.
    pub(crate) fn no_answer_at(&self, served: &Served, department: &Department) -> Option<Millis> {
        let unanswered = self.talk.unanswered_since.filter(|_| !served.answered)?;
        let after = department.no_answer?.after_ms.max(1);
        let from = unanswered.max(served.since) + served.typed_ms;
        let periods = served.looked_at.saturating_sub(from) / after;
        Some(from + after * (periods + 1))
    }

    /// Asked first, then warned, then ended (D05-2, B15).
    fn silence(&self, clocks: &mut Clocks, word: Millis, silence: &Silence) {
        if let (Some(ask), None) = (silence.ask_ms, self.talk.asked_at) {
            return clocks.at(word + ask, Due::Say(Prompt::AskVisitor));
        }
        let asked = self.talk.asked_at.unwrap_or(0);
        if let (Some(warn), None) = (silence.warn_ms, self.talk.warned_at) {
            return clocks.at((word + warn).max(asked), Due::Say(Prompt::WarnVisitor));
        }
        if let Some(end) = silence.end_ms {
            let from = self.talk.warned_at.unwrap_or(word);
            clocks.at((from + end).max(asked), Due::End(EndReason::VisitorSilent));
        }
    }

    /// When something is due while it waits.
    pub(crate) fn waiting_due(&self, waiting: &Waiting, department: &Department) -> Option<Millis> {
        self.filing_due(waiting, department).into_iter().chain(waiting.pool_at).min()
    }

    /// When it becomes a leave-message.
    pub(crate) fn filing_due(&self, waiting: &Waiting, department: &Department) -> Option<Millis> {
        let nobody = match waiting.told {
            Some((WaitingReason::NobodyOnline | WaitingReason::Closed, at)) => {
                department.file_after_ms.map(|after| at + after)
            }
            _ => None,
        };
        let at_most = department.wait_ms_max.map(|most| waiting.since + most);
        nobody.into_iter().chain(at_most).min()
    }
}

/// The clocks of one conversation, looked at together.
#[derive(Debug)]
pub(crate) struct Clocks {
    now: Millis,
    /// The first that is due: whose time came first, and in the order they are looked at.
    pub(crate) due: Option<(Millis, Due)>,
    /// When the next one will be.
    pub(crate) next: Option<Millis>,
}

impl Clocks {
    fn at(&mut self, at: Millis, due: Due) {
        if at > self.now {
            self.next = Some(self.next.map_or(at, |next| next.min(at)));
        } else if self.due.is_none_or(|(first, _)| at < first) {
            self.due = Some((at, due));
        }
    }
}
