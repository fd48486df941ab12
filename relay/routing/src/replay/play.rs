//! The day on the router.
//!
//! Owns what happens when: people do what they did that day, as far as it still can be, and everything
//! the router decides is carried out at once. A talk is a list of words that goes on from its first
//! answer; it stands still while nobody has the conversation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Entry, Fate, Hand, PastConversation, PastDay, PastFact, Patience, Replayed, Settings};
use crate::decisions::{Decision, PassReason, RequeueReason};
use crate::explanation::Cause;
use crate::facts::{AgentSettings, Arrival, Asks, Availability, Fact};
use crate::ids::{AgentId, ConversationId, DepartmentId};
use crate::rules::Demand;
use crate::{Millis, Router};

/// A conversation, by its place in the day.
type Nth = usize;

/// What happens in a replay, at one time in this order. A turn that is over makes it void.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// Ends come first: a freed place is there for whoever comes at the same time.
    Over(Nth, u32),
    WrappedUp(Nth, AgentId),
    Agent(usize),
    Comes(Nth),
    Writes(Nth),
    Answers(Nth, u32),
    Word(Nth, u32),
    Hand(Nth, usize),
    Leaves(Nth),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Stands {
    #[default]
    NotYet,
    Silent,
    Waiting,
    With(AgentId),
    Over,
}

/// How far a conversation has come.
#[derive(Debug, Clone, Default)]
struct Run {
    department: Option<DepartmentId>,
    stands: Stands,
    has_written: bool,
    seq: u64,
    /// Grows with each change of hands: what was to happen before then does not.
    turn: u32,
    /// When somebody had it first, later by as long as it stood in line since.
    first_served: Option<Millis>,
    /// When the talk began: the first answer, later by as long as it stood in line since.
    zero: Option<Millis>,
    /// The word that comes next.
    next: usize,
    in_line_since: Option<Millis>,
    moved: u64,
}

pub(super) struct Play<'a> {
    day: &'a PastDay,
    settings: &'a Settings,
    router: Router,
    agenda: BTreeSet<(Millis, Happening)>,
    runs: Vec<Run>,
    by_id: BTreeMap<&'a ConversationId, Nth>,
    /// Decided and not carried out.
    decided: VecDeque<Decision>,
    is_deciding: bool,
    replayed: Replayed,
}

impl<'a> Play<'a> {
    pub(super) fn of(day: &'a PastDay, settings: &'a Settings) -> Self {
        let mut router = Router::new(settings.company.clone());
        for department in &settings.departments {
            router.note(0, Fact::DepartmentSet(Box::new(department.clone())));
        }
        router.note(0, Fact::RulesSet { rules: settings.rules.clone() });
        let mut agenda = BTreeSet::new();
        let agents = day.agents.iter().enumerate();
        agenda.extend(agents.map(|(nth, past)| (past.at, Happening::Agent(nth))));
        let all = day.conversations.iter().enumerate();
        agenda.extend(all.clone().map(|(nth, past)| (past.at, Happening::Comes(nth))));
        Self {
            day,
            settings,
            router,
            agenda,
            runs: vec![Run::default(); day.conversations.len()],
            by_id: all.map(|(nth, past)| (&past.conversation, nth)).collect(),
            decided: VecDeque::new(),
            is_deciding: false,
            replayed: Replayed::default(),
        }
    }

    pub(super) fn through(mut self, go_on: impl Fn() -> bool) -> Option<Replayed> {
        loop {
            let next = self.agenda.first().map(|(at, _)| *at);
            let deadline = self.router.next_deadline();
            let Some(at) = next.into_iter().chain(deadline).min() else { break };
            if at > self.day.until {
                break;
            }
            if !go_on() {
                return None;
            }
            match self.agenda.pop_first() {
                Some((when, happening)) if when <= at => self.happens(at, happening),
                Some(later) => {
                    self.agenda.insert(later);
                    self.step(at, Fact::GoOn);
                }
                None => self.step(at, Fact::GoOn),
            }
        }
        self.sum_up();
        Some(self.replayed)
    }

    fn happens(&mut self, at: Millis, happening: Happening) {
        match happening {
            Happening::Over(nth, turn) if self.is_turn(nth, turn) => self.ends(nth, at),
            Happening::Answers(nth, turn) if self.is_turn(nth, turn) => self.answers(nth, at),
            Happening::Word(nth, turn) if self.is_turn(nth, turn) => self.says(nth, at),
            Happening::Over(..) | Happening::Answers(..) | Happening::Word(..) => {}
            Happening::WrappedUp(nth, agent) => {
                if let Some(past) = self.day.conversations.get(nth) {
                    let conversation = past.conversation.clone();
                    self.step(at, Fact::WrapUpDone { conversation, agent });
                }
            }
            Happening::Agent(nth) => self.agent(nth, at),
            Happening::Comes(nth) => self.comes(nth, at),
            Happening::Writes(nth) => self.writes_first(nth, at),
            Happening::Hand(nth, which) => self.hand(nth, which, at),
            Happening::Leaves(nth) => self.leaves(nth, at),
        }
    }

    fn is_turn(&self, nth: Nth, turn: u32) -> bool {
        self.runs.get(nth).is_some_and(|run| run.turn == turn)
    }

    fn plan(&mut self, at: Millis, happening: Happening) {
        self.agenda.insert((at, happening));
    }

    /// Somebody comes, goes, or chooses something else.
    fn agent(&mut self, nth: usize, at: Millis) {
        let Some(PastFact { fact, hands_over, .. }) = self.day.agents.get(nth) else { return };
        let Fact::AgentSet(settings) = fact.clone() else { return self.step(at, fact.clone()) };
        let settings = self.with_capacity(*settings);
        if *hands_over {
            let busy = AgentSettings { availability: Availability::Busy, ..settings.clone() };
            self.step(at, Fact::AgentSet(Box::new(busy)));
            let its = Stands::With(settings.agent.clone());
            let all = self.runs.iter().enumerate();
            let its: Vec<Nth> =
                all.filter(|(_, run)| run.stands == its).map(|(nth, _)| nth).collect();
            for nth in its {
                self.back_in_line(nth, at, RequeueReason::HandedOver);
            }
        }
        self.step(at, Fact::AgentSet(Box::new(settings)));
    }

    fn with_capacity(&self, mut settings: AgentSettings) -> AgentSettings {
        if let Some(capacity) = self.settings.capacities.get(&settings.agent) {
            settings.capacity = *capacity;
        }
        settings
    }

    fn comes(&mut self, nth: Nth, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get_mut(nth) else { return };
        let has_written = !matches!(past.entry, Entry::Opened { .. });
        let takes_seat = |site| self.settings.company.seats_for_silent.contains(site);
        let enters = has_written || past.visitor.site.as_ref().is_some_and(takes_seat);
        let is_had = matches!(past.entry, Entry::With { .. });
        // The talk is under way.
        run.zero = is_had.then_some(at);
        run.has_written = has_written;
        run.department = Some(self.settings.company.default_department.clone());
        run.stands = if enters { Stands::Waiting } else { Stands::Silent };
        if past.entry.counts() {
            let fate = if enters { Fate::StillWaiting } else { Fate::Silent };
            self.replayed.fates.insert(past.conversation.clone(), fate);
        }
        if let Entry::Opened { wrote_after_ms: Some(after) } = past.entry {
            self.plan(at + after, Happening::Writes(nth));
        }
        if let Some(Patience::InLine(after) | Patience::ForAnswer(after)) = past.patience {
            self.plan(at + after, Happening::Leaves(nth));
        }
        for (which, hand) in past.hands.iter().enumerate().filter(|(_, it)| it.from.is_none()) {
            self.plan(at + hand.after_ms, Happening::Hand(nth, which));
        }
        let asks = match &past.entry {
            // It is not routed: somebody has it.
            Entry::With { department, .. } => Asks::Demand(Demand::of(department.clone())),
            _ => Asks::Described(Box::new(past.visitor.clone())),
        };
        let arrival = Box::new(arrival(past, asks, has_written && !is_had));
        let Entry::With { agent, .. } = &past.entry else {
            return self.step(at, Fact::ConversationWaiting(arrival));
        };
        // The last word is the agent's.
        self.router.note(at, Fact::ConversationWaiting(arrival));
        self.is_given(nth, at, agent.clone());
        self.agent_writes(nth, at);
    }

    fn writes_first(&mut self, nth: Nth, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get_mut(nth).filter(|run| run.stands != Stands::Over) else {
            return;
        };
        run.has_written = true;
        run.seq += 1;
        if run.stands == Stands::Silent {
            run.stands = Stands::Waiting;
            self.replayed.fates.insert(past.conversation.clone(), Fate::StillWaiting);
        }
        let (conversation, seq, number) = (past.conversation.clone(), run.seq, past.number);
        self.step(at, Fact::VisitorWrote { conversation, seq, number });
        self.goes_on(nth, at);
    }

    /// The first answer: the talk begins.
    fn answers(&mut self, nth: Nth, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get_mut(nth) else { return };
        run.zero = Some(at);
        run.turn += 1;
        if past.entry.counts() {
            self.replayed.answers.insert(past.conversation.clone(), at.saturating_sub(past.at));
        }
        self.agent_writes(nth, at);
        self.goes_on(nth, at);
    }

    fn agent_writes(&mut self, nth: Nth, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get_mut(nth) else { return };
        let Stands::With(agent) = run.stands.clone() else { return };
        run.seq += 1;
        let (conversation, seq) = (past.conversation.clone(), run.seq);
        self.step(at, Fact::AgentWrote { conversation, agent, seq });
    }

    /// The next word of the talk.
    fn says(&mut self, nth: Nth, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get_mut(nth) else { return };
        let word = past.words.get(run.next).copied();
        run.next += 1;
        if word.is_some_and(|word| word.by_visitor) {
            run.seq += 1;
            let (conversation, seq, number) = (past.conversation.clone(), run.seq, past.number);
            self.step(at, Fact::VisitorWrote { conversation, seq, number });
        } else {
            self.agent_writes(nth, at);
        }
        self.goes_on(nth, at);
    }

    /// What comes next with whoever has it.
    fn goes_on(&mut self, nth: Nth, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get(nth) else { return };
        let Stands::With(agent) = &run.stands else { return };
        let (turn, word) = (run.turn, past.words.get(run.next));
        match run.zero {
            Some(zero) => match (word, past.ends_after_ms) {
                (Some(word), _) => self.plan(zero + word.after_ms, Happening::Word(nth, turn)),
                (None, Some(after)) => {
                    self.plan((zero + after).max(at), Happening::Over(nth, turn));
                }
                (None, None) => {}
            },
            None => {
                let over = run.first_served.unwrap_or(at) + past.served_ms;
                let answer = if run.has_written { self.answer_of(past, agent) } else { None };
                self.plan(over.max(at), Happening::Over(nth, turn));
                if let Some(after) = answer {
                    self.plan(at + after, Happening::Answers(nth, turn));
                }
            }
        }
    }

    /// How long this agent takes for the first answer: as that day if it had it then, else as usual.
    fn answer_of(&self, past: &PastConversation, agent: &AgentId) -> Option<Millis> {
        match past.holders.iter().find(|(holder, _)| holder == agent) {
            Some((_, answer)) => *answer,
            None => self.day.answers.get(agent).copied().or(self.day.answer_ms),
        }
    }

    fn hand(&mut self, nth: Nth, which: usize, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(Hand { from, to, .. }) = past.hands.get(which) else { return };
        let stands = match from {
            Some(from) => Stands::With(from.clone()),
            None => Stands::Waiting,
        };
        if self.runs.get(nth).is_none_or(|run| run.stands != stands) {
            return;
        }
        match to {
            None => self.back_in_line(nth, at, RequeueReason::HandedOver),
            Some(to) => {
                let is_there =
                    self.router.colleagues().any(|it| it.agent.agent == *to && it.online);
                if is_there {
                    self.is_given(nth, at, to.clone());
                }
            }
        }
    }

    fn leaves(&mut self, nth: Nth, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get(nth) else { return };
        let stays = match past.patience {
            Some(Patience::ForAnswer(_)) => run.zero.is_some(),
            _ => run.first_served.is_some(),
        };
        if stays || matches!(run.stands, Stands::NotYet | Stands::Over) {
            return;
        }
        if let Some(fate @ Fate::StillWaiting) = self.replayed.fates.get_mut(&past.conversation) {
            *fate = Fate::Left;
        }
        self.ends(nth, at);
    }

    /// It is over, whoever ended it.
    fn ends(&mut self, nth: Nth, at: Millis) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get_mut(nth) else { return };
        run.turn += 1;
        let stood = std::mem::replace(&mut run.stands, Stands::Over);
        if let (Stands::With(agent), Some((who, after))) = (stood, &past.wrapped_up)
            && agent == *who
        {
            self.plan(at + after, Happening::WrappedUp(nth, agent));
        }
        self.step(at, Fact::ConversationOver { conversation: past.conversation.clone() });
    }

    fn back_in_line(&mut self, nth: Nth, at: Millis, why: RequeueReason) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get_mut(nth) else { return };
        run.turn += 1;
        run.stands = Stands::Waiting;
        run.in_line_since = Some(at);
        let conversation = past.conversation.clone();
        self.step(at, Fact::ConversationRequeued { conversation, why });
    }

    /// Somebody gets it.
    fn is_given(&mut self, nth: Nth, at: Millis, agent: AgentId) {
        let Some(past) = self.day.conversations.get(nth) else { return };
        let Some(run) = self.runs.get_mut(nth) else { return };
        run.turn += 1;
        run.stands = Stands::With(agent.clone());
        let in_line = run.in_line_since.take().map_or(0, |since| at.saturating_sub(since));
        run.zero = run.zero.map(|zero| zero + in_line);
        run.first_served = run.first_served.map(|first| first + in_line);
        let is_first = run.first_served.is_none();
        run.first_served.get_or_insert(at);
        if is_first && let Some(fate) = self.replayed.fates.get_mut(&past.conversation) {
            let after_ms = at.saturating_sub(past.at);
            *fate = Fate::Served { after_ms, agent: agent.clone() };
        }
        for (which, hand) in past.hands.iter().enumerate() {
            if is_first && hand.from.is_some() {
                self.plan(at + hand.after_ms, Happening::Hand(nth, which));
            }
        }
        let conversation = past.conversation.clone();
        self.step(at, Fact::ConversationServed { conversation, agent: agent.clone() });
        let running = self.router.running(&agent);
        let load = self.replayed.loads.entry(agent).or_default();
        load.0 += 1;
        load.1 = load.1.max(running);
        self.goes_on(nth, at);
    }

    /// Everything that is decided is carried out at once, in its order.
    fn step(&mut self, at: Millis, fact: Fact) {
        self.decided.extend(self.router.step(at, fact));
        if std::mem::replace(&mut self.is_deciding, true) {
            // Part of carrying out another decision, which goes on with this one.
            return;
        }
        loop {
            if let Some(decision) = self.decided.pop_front() {
                self.carry_out(at, decision);
            } else if self.router.has_more() {
                self.decided.extend(self.router.step(at, Fact::GoOn));
            } else {
                break;
            }
        }
        self.is_deciding = false;
    }

    fn carry_out(&mut self, at: Millis, decision: Decision) {
        let nth = decision.conversation().and_then(|id| self.by_id.get(id)).copied();
        let Some(nth) = nth else { return };
        let Some(run) = self.runs.get_mut(nth) else { return };
        match decision {
            Decision::Route { routed, .. } => run.department = Some(routed.demand.department),
            Decision::Assign { agent, why, .. } => {
                let is_moved =
                    matches!(why.cause, Cause::Requeued { why: Some(RequeueReason::NoAnswer), .. });
                run.moved += u64::from(is_moved);
                self.is_given(nth, at, agent);
            }
            Decision::PassOn { to, reason, .. } => {
                run.moved += u64::from(reason == PassReason::NoAnswer);
                self.is_given(nth, at, to);
            }
            Decision::Requeue { reason, .. } => self.back_in_line(nth, at, reason),
            Decision::End { .. } => self.ends(nth, at),
            Decision::File { conversation, .. } => {
                if let Some(fate @ Fate::StillWaiting) = self.replayed.fates.get_mut(&conversation)
                {
                    *fate = Fate::Filed;
                }
                self.ends(nth, at);
            }
            // Nobody joins and nobody is asked; what is only said changes nothing here.
            Decision::Wait { .. }
            | Decision::Say { .. }
            | Decision::TellManagers { .. }
            | Decision::RemoveMember { .. }
            | Decision::Offer { .. }
            | Decision::Return { .. } => {}
        }
    }

    fn sum_up(&mut self) {
        let mut waits: BTreeMap<DepartmentId, Vec<Millis>> = BTreeMap::new();
        let mut all = Vec::new();
        for (past, run) in self.day.conversations.iter().zip(&self.runs) {
            let Some(fate) = self.replayed.fates.get(&past.conversation) else { continue };
            let Some(department) = run.department.as_ref().filter(|_| *fate != Fate::Silent) else {
                continue;
            };
            let answered = self.replayed.answers.get(&past.conversation);
            let figures = self.replayed.departments.entry(department.clone()).or_default();
            for figures in [figures, &mut self.replayed.all] {
                figures.came += 1;
                figures.moved += run.moved;
                if matches!(fate, Fate::Served { .. }) {
                    figures.served += 1;
                } else {
                    figures.missed += 1;
                }
                if let Some(after_ms) = answered {
                    figures.answer(*after_ms);
                }
            }
            if let Fate::Served { after_ms, .. } = fate {
                waits.entry(department.clone()).or_default().push(*after_ms);
                all.push(*after_ms);
            }
        }
        self.replayed.all.wait(all);
        for (department, waits) in waits {
            self.replayed.departments.entry(department).or_default().wait(waits);
        }
    }
}

fn arrival(past: &PastConversation, asks: Asks, has_written: bool) -> Arrival {
    Arrival {
        conversation: past.conversation.clone(),
        number: past.number,
        site: past.visitor.site.clone(),
        has_written,
        let_in: false,
        asks,
    }
}
