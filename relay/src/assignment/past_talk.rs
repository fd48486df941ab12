//! What a day's rows say of one conversation, as the facts a replay takes: who had it, how long each
//! took for an answer, how the talk went on, what people did by hand.
//!
//! Pure: rows in, facts out. What cannot be known of a day is decided in one place each, and said so.

use std::collections::{BTreeMap, BTreeSet};

use yingke_routing::replay::{Entry, Hand, PastConversation, Patience, Word};
use yingke_routing::{Described, Millis};
use yingke_shared::explanation::{AssignedHow, Cause};
use yingke_shared::ids::{AgentId, ConversationId, DepartmentId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{EndedBy, RequeueReason};

use super::words;

/// How long serving takes where nobody was served all day.
const USUAL_MS: Millis = 300_000;

/// One conversation's day as its rows tell it.
pub(super) struct Lived {
    pub(super) id: ConversationId,
    pub(super) number: u64,
    pub(super) visitor: Described,
    /// The visitor began it that day.
    pub(super) counts: bool,
    pub(super) department_id: DepartmentId,
    /// When it came; when the day began, for one that ran already.
    pub(super) came: Timestamp,
    /// When it ended, if it did that day.
    pub(super) ended: Option<(Timestamp, Option<EndedBy>)>,
    /// The visitor wrote a leave-message by itself.
    pub(super) left_message: bool,
    /// Who got it, in order; for one that ran already, first who had it when the day began.
    pub(super) got: Vec<Got>,
    /// When it went back in line.
    pub(super) requeued: Vec<(Timestamp, RequeueReason)>,
    /// What visitor (`true`) and agents wrote.
    pub(super) wrote: Vec<(Timestamp, bool)>,
    /// When its last agent was done with the work after its end.
    pub(super) wrapped_up: Option<Timestamp>,
}

/// Somebody got it.
pub(super) struct Got {
    pub(super) at: Timestamp,
    pub(super) agent_id: AgentId,
    /// `None` if it is not known any more.
    pub(super) how: Option<AssignedHow>,
}

/// From when until when somebody had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) agent_id: AgentId,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// What is usual on a day, for what that day does not tell.
#[derive(Debug, Default)]
pub(super) struct Usual {
    served_ms: Option<Millis>,
    rest_ms: Option<Millis>,
    pub(super) answers: BTreeMap<AgentId, Millis>,
    pub(super) answer_ms: Option<Millis>,
}

impl Usual {
    /// The middle of what each took.
    pub(super) fn of(day: &[Lived], until: Timestamp) -> Self {
        let mut answers: BTreeMap<AgentId, Vec<Millis>> = BTreeMap::new();
        let (mut served, mut rests, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for lived in day.iter().filter(|lived| lived.counts) {
            served.extend(lived.served_ms(until));
            if let Some(answer_at) = lived.answered_at()
                && let Some((end, Some(EndedBy::Visitor | EndedBy::Agent))) = lived.ended
            {
                rests.push(between(answer_at, end));
            }
            for (agent_id, answer) in lived.holders(until) {
                all.extend(answer);
                answers.entry(agent_id).or_default().extend(answer);
            }
        }
        let answers = answers.into_iter().filter_map(|(id, all)| Some((id, middle(all)?)));
        Self {
            served_ms: middle(served),
            rest_ms: middle(rests),
            answers: answers.collect(),
            answer_ms: middle(all),
        }
    }
}

fn middle(mut all: Vec<Millis>) -> Option<Millis> {
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

fn between(from: Timestamp, to: Timestamp) -> Millis {
    to.millis().saturating_sub(from.millis())
}

impl Lived {
    fn end(&self, until: Timestamp) -> Timestamp {
        self.ended.map_or(until, |(at, _)| at)
    }

    /// Each has it until the next one gets it, it goes back in line, or it ends.
    pub(super) fn held(&self, until: Timestamp) -> Vec<Held> {
        let end = self.end(until);
        let starts = self.got.iter().skip(1).map(|got| got.at).chain(std::iter::once(end));
        let held = self.got.iter().zip(starts).map(|(got, next)| {
            let back = self.requeued.iter().map(|(at, _)| *at);
            let to = back.filter(|at| *at >= got.at && *at <= next).min().unwrap_or(next);
            Held { agent_id: got.agent_id.clone(), from: got.at, to }
        });
        held.collect()
    }

    /// From when somebody had it first to the end.
    fn served_ms(&self, until: Timestamp) -> Option<Millis> {
        Some(between(self.got.first()?.at, self.end(until)))
    }

    fn first_word(&self) -> Option<Timestamp> {
        self.wrote.iter().find(|(_, by_visitor)| *by_visitor).map(|(at, _)| *at)
    }

    /// An agent's first word after the visitor's, with the conversation in somebody's hands.
    pub(super) fn answered_at(&self) -> Option<Timestamp> {
        let from = self.first_word()?.max(self.got.first()?.at);
        let answer = |(at, by_visitor): &&(Timestamp, bool)| !*by_visitor && *at >= from;
        self.wrote.iter().find(answer).map(|(at, _)| *at)
    }

    /// How often somebody else got it for want of an answer.
    pub(super) fn moved(&self) -> u64 {
        let moved = self.got.iter().filter(|got| {
            let Some(AssignedHow::Routing { why }) = &got.how else { return false };
            let no_answer = Some(RequeueReason::NoAnswer);
            match &why.cause {
                Cause::NoAnswer {} => true,
                Cause::Requeued { why, .. } => *why == no_answer,
                _ => false,
            }
        });
        moved.count() as u64
    }

    /// Who had it until it was answered, and how long each took; the last one answered.
    fn holders(&self, until: Timestamp) -> Vec<(AgentId, Option<Millis>)> {
        let (answered_at, wrote) = (self.answered_at(), self.first_word());
        let mut holders = Vec::new();
        for held in self.held(until) {
            let answer = answered_at.filter(|at| *at >= held.from && *at <= held.to);
            let from = wrote.map_or(held.from, |wrote| held.from.max(wrote));
            holders.push((held.agent_id, answer.map(|at| between(from, at))));
            if answer.is_some() || answered_at.is_some_and(|at| at < held.from) {
                break;
            }
        }
        holders
    }

    /// From the first answer to the end. Who was cut short would have gone on for as long as usual.
    fn ends_after_ms(&self, usual: &Usual, until: Timestamp) -> Option<Millis> {
        let usual_ms = usual.rest_ms.unwrap_or(USUAL_MS);
        let Some(answered_at) = self.answered_at() else { return Some(usual_ms) };
        let rest = between(answered_at, self.end(until));
        match self.ended.and_then(|(_, by)| by) {
            Some(EndedBy::Visitor | EndedBy::Agent) => Some(rest),
            Some(EndedBy::VisitorSilent) => None,
            _ => Some(rest.max(usual_ms)),
        }
    }

    fn patience(&self) -> Option<Patience> {
        let (end, by) = self.ended?;
        let after = between(self.came, end);
        match by? {
            EndedBy::Visitor | EndedBy::LeftQueue if self.got.is_empty() => {
                Some(Patience::InLine(after))
            }
            EndedBy::LeaveMessage if self.got.is_empty() && self.left_message => {
                Some(Patience::InLine(after))
            }
            EndedBy::Visitor if self.answered_at().is_none() => Some(Patience::ForAnswer(after)),
            _ => None,
        }
    }

    /// What people did: not what routing did, and not what an agent does who hands over everything.
    fn hands(&self, until: Timestamp, handed_over: &HandedOver) -> Vec<Hand> {
        let held = self.held(until);
        let Some(first) = held.first().map(|held| held.from) else { return Vec::new() };
        let had_at = |at: Timestamp| held.iter().rfind(|held| held.from < at && held.to >= at);
        let mut hands: Vec<(Timestamp, Hand)> = Vec::new();
        let later = self.got.iter().filter(|got| self.counts || got.at > self.came);
        for got in later {
            let by_people = matches!(
                got.how,
                Some(
                    AssignedHow::ByHand { .. }
                        | AssignedHow::Accepted { .. }
                        | AssignedHow::TookOver {}
                )
            );
            if !by_people {
                continue;
            }
            let from = had_at(got.at).filter(|held| held.to == got.at);
            let since = if from.is_some() { first } else { self.came };
            let hand = Hand {
                from: from.map(|held| words::agent(&held.agent_id)),
                to: Some(words::agent(&got.agent_id)),
                after_ms: between(since, got.at),
            };
            hands.push((got.at, hand));
        }
        for (at, why) in &self.requeued {
            let from = had_at(*at).map(|held| held.agent_id.clone());
            let Some(from) = from.filter(|_| *why == RequeueReason::HandedOver) else { continue };
            if !handed_over.contains(&(from.clone(), *at)) {
                let from = Some(words::agent(&from));
                hands.push((*at, Hand { from, to: None, after_ms: between(first, *at) }));
            }
        }
        hands.sort_by_key(|(at, _)| *at);
        hands.into_iter().map(|(_, hand)| hand).collect()
    }

    /// Who put it back in line by hand, and when: whoever goes away at that moment handed over all.
    pub(super) fn handed_over(&self, until: Timestamp) -> Vec<(AgentId, Timestamp)> {
        let held = self.held(until);
        let by_hand = self.requeued.iter().filter(|(_, why)| *why == RequeueReason::HandedOver);
        let with = |at: &Timestamp| held.iter().rfind(|held| held.from <= *at && held.to >= *at);
        by_hand.filter_map(|(at, _)| Some((with(at)?.agent_id.clone(), *at))).collect()
    }

    fn entry(&self) -> Entry {
        if !self.counts {
            return match self.got.first().filter(|got| got.at <= self.came) {
                Some(got) => Entry::With {
                    agent: words::agent(&got.agent_id),
                    department: words::department(&self.department_id),
                },
                None => Entry::InLine,
            };
        }
        match self.first_word() {
            // The first message begins it, in the same moment.
            Some(at) if at <= self.came => Entry::Written,
            wrote => Entry::Opened { wrote_after_ms: wrote.map(|at| between(self.came, at)) },
        }
    }

    /// The facts of it.
    pub(super) fn past(
        &self,
        usual: &Usual,
        until: Timestamp,
        handed_over: &HandedOver,
    ) -> PastConversation {
        let entry = self.entry();
        // One that is with somebody from the start is in the midst of its talk.
        let is_had = matches!(entry, Entry::With { .. });
        let zero = if is_had { Some(self.came) } else { self.answered_at() };
        let after = self.wrote.iter().filter(|(at, _)| zero.is_some_and(|zero| *at > zero));
        let words = after.map(|(at, by_visitor)| Word {
            after_ms: between(zero.unwrap_or(*at), *at),
            by_visitor: *by_visitor,
        });
        let ends_after_ms = match (is_had, self.ended) {
            (true, Some((_, Some(EndedBy::VisitorSilent)))) => None,
            (true, _) => Some(between(self.came, self.end(until))),
            (false, _) => self.ends_after_ms(usual, until),
        };
        let served_ms = match self.served_ms(until) {
            Some(served) if self.is_cut_short() => served.max(usual.served_ms.unwrap_or(USUAL_MS)),
            Some(served) => served,
            None => usual.served_ms.unwrap_or(USUAL_MS),
        };
        let holders = self.holders(until).into_iter();
        let last = self.got.last().map(|got| words::agent(&got.agent_id));
        let wrapped_up = self.wrapped_up.zip(self.ended).map(|(at, (end, _))| between(end, at));
        PastConversation {
            conversation: words::conversation(&self.id),
            at: self.came.millis(),
            number: self.number,
            visitor: self.visitor.clone(),
            holders: holders.map(|(id, answer)| (words::agent(&id), answer)).collect(),
            served_ms,
            words: words.collect(),
            ends_after_ms,
            patience: if self.counts { self.patience() } else { None },
            hands: self.hands(until, handed_over),
            wrapped_up: last.zip(wrapped_up),
            entry,
        }
    }

    /// Neither visitor nor agent ended it.
    fn is_cut_short(&self) -> bool {
        !matches!(self.ended, Some((_, Some(EndedBy::Visitor | EndedBy::Agent))))
    }
}

/// Who handed over everything, and when.
pub(super) type HandedOver = BTreeSet<(AgentId, Timestamp)>;

#[cfg(test)]
#[path = "past_talk_tests.rs"]
mod tests;
