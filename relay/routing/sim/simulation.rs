//! One random life of a company, judged.
//!
//! Facts reach the core late and in order, decisions reach the store late and in any order, some
//! fail, many are told twice. At quiet moments a second core is made from rows alone and must decide
//! the same from then on. In the end everybody is served, or everybody left goes to the messages.

use std::collections::{BTreeMap, VecDeque};

use yingke_routing::{Asks, ConversationId, Decision, DryRunOutcome, Fact, Refusal, Router};

use crate::auditor::Auditor;
use crate::core::{self, Bug, Core};
use crate::model::Model;
use crate::random::Random;
use crate::setting;
use crate::world::{Told, World};

/// Happenings of one life.
const STEPS: usize = 160;
/// Rounds after which the end must have come.
const ROUNDS: usize = 400;

/// What became of one life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Life {
    /// Facts that were told.
    pub steps: u64,
    /// Decisions that were made.
    pub decisions: u64,
    /// A fingerprint of everything that was decided, in order.
    pub log: u64,
    /// What was wrong; the first one matters.
    pub violations: Vec<String>,
}

struct Run {
    random: Random,
    world: World,
    core: Core,
    auditor: Auditor,
    /// A core made from rows at the last quiet moment.
    shadow: Option<Router>,
    /// The shadow's number of a decision by the core's: it counts from when it was made.
    attempts: BTreeMap<(ConversationId, u32), u32>,
    /// What was told lately, to be told again much later.
    lately: VecDeque<Told>,
    life: Life,
}

/// Lives the life of `seed`.
#[must_use]
pub(crate) fn live(seed: u64, bug: Option<Bug>) -> Life {
    let mut random = Random::new(seed);
    let departments = setting::departments(&mut random);
    let router = core::router(bug, &departments);
    let core = Core::new(router, bug);
    let auditor = Auditor { model: Model::new(departments), findings: Vec::new() };
    let world = World::default();
    let life = Life { steps: 0, decisions: 0, log: 0xcbf2_9ce4_8422_2325, violations: Vec::new() };
    let attempts = BTreeMap::new();
    let lately = VecDeque::new();
    let mut run = Run { random, world, core, auditor, shadow: None, attempts, lately, life };
    run.through();
    run.life.violations = run.auditor.findings;
    run.life
}

impl Run {
    fn through(&mut self) {
        for _ in 0..8 {
            self.world.person_changes(&mut self.random);
        }
        for _ in 0..STEPS {
            let ms = if self.random.one_in(8) { 90_000 } else { 6_000 };
            self.world.now += self.random.below(ms);
            self.world.act(&mut self.random);
            while !self.world.facts.is_empty() && !self.random.one_in(3) {
                self.tell();
                if self.random.one_in(2) {
                    self.carry_out();
                }
            }
            if self.random.one_in(2) {
                self.carry_out();
            }
            if self.world.facts.is_empty() {
                self.tick();
            }
            if self.random.one_in(6) {
                self.come_to_rest();
            }
            if !self.auditor.findings.is_empty() {
                return;
            }
        }
        self.come_to_the_end();
    }

    fn tell(&mut self) {
        let Some(told) = self.world.facts.pop_front() else { return };
        if matches!(told.fact, Fact::ConversationWaiting(_)) {
            // The dry run is asked of a core that knows what time it is.
            self.hear(None, told.at, &Fact::GoOn, None);
        }
        let predicted = self.predict(&told.fact);
        self.hear(told.position, told.at, &told.fact, predicted.as_ref());
        if self.random.one_in(4) && self.auditor.findings.is_empty() && !is_pulse(&told.fact) {
            let again = self.core.hear(told.position, told.at, told.fact.clone());
            if !again.is_empty() {
                let what = format!("told twice, {:?} gives {again:?}", told.fact);
                self.auditor.findings.push(what);
            }
            self.auditor.check_settled(&self.core.router);
        }
        self.tell_old_news();
        if let Fact::Refused { why: Refusal::AgentUnfit, .. } = &told.fact {
            for agent in setting::AGENTS {
                self.world.news_of(&agent.into());
            }
        }
        if told.position.is_some() {
            self.lately.push_back(told);
            if self.lately.len() > 40 {
                self.lately.pop_front();
            }
        }
    }

    /// Something out of the log is told long after it was known.
    fn tell_old_news(&mut self) {
        let index = usize::try_from(self.random.below(160)).unwrap_or(0);
        let Some(told) = self.lately.get(index) else { return };
        if !self.auditor.findings.is_empty() {
            return;
        }
        let now = self.auditor.model.now;
        let again = self.core.hear(told.position, now, told.fact.clone());
        if !again.is_empty() {
            let what = format!("told again late, {:?} gives {again:?}", told.fact);
            self.auditor.findings.push(what);
        }
        self.auditor.check_settled(&self.core.router);
    }

    /// Whom the dry run names for a visitor who is just about to come.
    fn predict(&self, fact: &Fact) -> Option<DryRunOutcome> {
        let Fact::ConversationWaiting(arrival) = fact else { return None };
        let Asks::Described(visitor) = &arrival.asks else { return None };
        let at_once = self.world.facts.is_empty() && arrival.has_written;
        at_once.then(|| self.core.router.dry_run(visitor).outcome)
    }

    fn hear(
        &mut self,
        position: Option<u64>,
        at: u64,
        fact: &Fact,
        predicted: Option<&DryRunOutcome>,
    ) {
        self.life.steps += 1;
        self.auditor.note(at, fact);
        let decisions = self.core.hear(position, at, fact.clone());
        for decision in &decisions {
            self.auditor.check(decision);
            self.remember(decision);
        }
        if self.auditor.findings.is_empty() {
            self.auditor.check_settled(&self.core.router);
        }
        if let (Some(predicted), Fact::ConversationWaiting(arrival)) = (predicted, fact) {
            self.compare(predicted, &arrival.conversation, &decisions);
        }
        self.follow(position, at, fact, &decisions);
        self.world.decisions.extend(decisions);
    }

    /// The shadow is told the same and must decide the same.
    fn follow(&mut self, position: Option<u64>, at: u64, fact: &Fact, decisions: &[Decision]) {
        let Some(shadow) = &mut self.shadow else { return };
        let mut told = fact.clone();
        if let Fact::Refused { conversation, attempt, .. } = &mut told {
            let its = self.attempts.get(&(conversation.clone(), *attempt));
            *attempt = its.copied().unwrap_or(0);
        }
        let mut same = match position {
            Some(position) => shadow.heard(position, at, told),
            None => shadow.step(at, told),
        };
        while shadow.has_more() {
            same.extend(shadow.step(at, Fact::GoOn));
        }
        let (own, others) = (plain(decisions), plain(&same));
        if own != others {
            let what = format!("after {fact:?} at {at}: {own:?}, made again: {others:?}");
            self.auditor.findings.push(what);
        }
        for (own, its) in decisions.iter().zip(&same) {
            if let (Some((id, own)), Some((_, its))) = (attempt(own), attempt(its)) {
                self.attempts.insert((id, own), its);
            }
        }
    }

    fn compare(&mut self, predicted: &DryRunOutcome, id: &ConversationId, decisions: &[Decision]) {
        let real = decisions.iter().find_map(|decision| match decision {
            Decision::Assign { conversation, agent, .. } if conversation == id => Some(agent),
            _ => None,
        });
        let said = match predicted {
            DryRunOutcome::Assigned(why) => why.candidates.first().map(|it| &it.agent),
            DryRunOutcome::Waits { .. } => None,
        };
        // What came due in the same moment may have taken the place.
        if real != said && decisions.len() <= 2 {
            let what = format!(
                "{id} went to {real:?}, the dry run said {said:?}: {decisions:?} {predicted:?}"
            );
            self.auditor.findings.push(what);
        }
    }

    fn remember(&mut self, decision: &Decision) {
        self.life.decisions += 1;
        for byte in format!("{decision:?}").bytes() {
            self.life.log = (self.life.log ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn tick(&mut self) {
        let now = self.world.now;
        if self.core.router.next_deadline().is_some_and(|at| at <= now) {
            self.hear(None, now, &Fact::GoOn, None);
        }
    }

    fn carry_out(&mut self) {
        self.world.carry_out(&mut self.random);
    }

    /// Nothing is on its way any more.
    fn come_to_rest(&mut self) {
        for _ in 0..ROUNDS {
            if !self.auditor.findings.is_empty() {
                return;
            }
            if self.world.is_quiet() {
                self.tick();
                if self.world.is_quiet() {
                    break;
                }
            }
            if self.world.facts.is_empty() {
                self.carry_out();
            } else {
                self.tell();
            }
        }
        // The wall is where the core is: what came due is known to both.
        let at_rest = self.auditor.model.talks.values().all(|it| it.rests_until == 0);
        if self.world.is_quiet() && at_rest {
            let now = self.world.now;
            self.hear(None, now, &Fact::GoOn, None);
            if self.world.is_quiet() && self.auditor.findings.is_empty() {
                let rows = self.auditor.model.rows(self.world.position);
                let mut shadow = self.core.rebuilt(rows);
                let mut decided = shadow.step(now, Fact::GoOn);
                while shadow.has_more() {
                    decided.extend(shadow.step(now, Fact::GoOn));
                }
                if !decided.is_empty() {
                    let what = format!("made again at {now}, it decides {decided:?}");
                    self.auditor.findings.push(what);
                }
                self.shadow = Some(shadow);
                self.attempts.clear();
            }
        }
    }

    /// Everybody comes to work and every conversation is served to its end; or nobody does, and
    /// time passes.
    fn come_to_the_end(&mut self) {
        let at_work = self.random.one_in(2);
        self.world.everybody(at_work);
        for _ in 0..ROUNDS {
            self.come_to_rest();
            if !self.auditor.findings.is_empty() {
                return;
            }
            if self.world.waiting().is_empty() {
                return;
            }
            self.world.now += 20_000;
            self.tick();
            self.world.end_served();
        }
        let waiting = self.world.waiting();
        self.auditor.findings.push(format!("in the end {waiting:?} still wait"));
    }
}

fn attempt(decision: &Decision) -> Option<(ConversationId, u32)> {
    match decision {
        Decision::Assign { conversation, attempt, .. }
        | Decision::PassOn { conversation, attempt, .. }
        | Decision::Requeue { conversation, attempt, .. }
        | Decision::End { conversation, attempt, .. }
        | Decision::File { conversation, attempt, .. } => Some((conversation.clone(), *attempt)),
        _ => None,
    }
}

/// Told again it is another one: a key pressed twice.
fn is_pulse(fact: &Fact) -> bool {
    matches!(fact, Fact::AgentTypes { .. })
}

/// Decisions without what only one core can know: how often it tried, and why long ago.
fn plain(decisions: &[Decision]) -> Vec<String> {
    let all = decisions.iter().map(|decision| match decision {
        Decision::Assign { conversation, agent, .. } => format!("{conversation} to {agent}"),
        Decision::PassOn { conversation, to, reason, .. } => {
            format!("{conversation} on to {to} {reason:?}")
        }
        Decision::Requeue { conversation, reason, .. } => {
            format!("{conversation} back {reason:?}")
        }
        Decision::End { conversation, reason, .. } => format!("{conversation} ends {reason:?}"),
        Decision::File { conversation, .. } => format!("{conversation} filed"),
        Decision::Offer { invitation, agent, .. } => format!("{invitation} asks {agent}"),
        Decision::Return { invitation, .. } => format!("{invitation} returns"),
        other => format!("{other:?}"),
    });
    all.collect()
}
