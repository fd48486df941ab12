//! The core as the simulation runs it, and the bugs that can be planted around it.
//!
//! A planted bug changes what the core is told, or what it is heard to decide, as a bug inside would:
//! the auditor knows nothing of it and must notice.

use std::collections::BTreeMap;

use yingke_routing::{
    Asks, Availability, ConversationId, Decision, Fact, RequeueReason, Router, Rows,
};

/// Bugs that must be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Every agent takes one more than the capacity.
    OneTooMany,
    /// Who comes last is served first.
    LastComeFirst,
    /// Refusals of the store are forgotten.
    RefusalsForgotten,
    /// Busy agents count as online.
    BusyTakesNew,
    /// A lost connection is not noticed.
    LostUnnoticed,
    /// The timer never wakes the core.
    TimerNeverRings,
    /// VIPs wait like everybody.
    VipForgotten,
    /// Who is put back stands at the end of the line instead of the front.
    BackAtTheEnd,
    /// Typing does not hold the clock of the missing answer.
    TypingIgnored,
    /// A conversation is given to a second agent as well.
    SecondHolder,
    /// What was told twice is counted twice.
    DuplicatesCount,
    /// A place is not given back when a conversation ends.
    PlacesLeak,
    /// A core that is made again forgets who had a conversation.
    RebuiltForgets,
    /// Skills are not looked at.
    SkillsIgnored,
}

/// All of them.
pub(crate) const BUGS: [Bug; 14] = [
    Bug::OneTooMany,
    Bug::LastComeFirst,
    Bug::RefusalsForgotten,
    Bug::BusyTakesNew,
    Bug::LostUnnoticed,
    Bug::TimerNeverRings,
    Bug::VipForgotten,
    Bug::BackAtTheEnd,
    Bug::TypingIgnored,
    Bug::SecondHolder,
    Bug::DuplicatesCount,
    Bug::PlacesLeak,
    Bug::RebuiltForgets,
    Bug::SkillsIgnored,
];

pub(crate) struct Core {
    pub(crate) router: Router,
    bug: Option<Bug>,
    told: u64,
    /// Demands, for the bug that lets a conversation enter anew.
    demands: BTreeMap<ConversationId, yingke_routing::rules::Demand>,
}

impl Core {
    pub(crate) fn new(router: Router, bug: Option<Bug>) -> Self {
        Self { router, bug, told: 0, demands: BTreeMap::new() }
    }

    pub(crate) fn rebuilt(&self, mut rows: Rows) -> Router {
        if self.bug == Some(Bug::RebuiltForgets) {
            for row in &mut rows.conversations {
                row.had.clear();
            }
        }
        Router::rebuild(rows)
    }

    /// Tells `fact` and hears everything that is decided then.
    pub(crate) fn hear(&mut self, position: Option<u64>, now: u64, fact: Fact) -> Vec<Decision> {
        self.told += 1;
        let mut decisions = match self.bend(fact) {
            None => Vec::new(),
            Some(fact) => match position {
                Some(position) if self.bug != Some(Bug::DuplicatesCount) => {
                    self.router.heard(position, now, fact)
                }
                _ => self.router.step(now, fact),
            },
        };
        while self.router.has_more() {
            decisions.extend(self.router.step(now, Fact::GoOn));
        }
        for decision in &decisions {
            if let Decision::Route { conversation, routed } = decision {
                self.demands.insert(conversation.clone(), routed.demand.clone());
            }
        }
        if self.bug == Some(Bug::SecondHolder) && self.told.is_multiple_of(7) {
            let again: Vec<_> = decisions
                .iter()
                .filter(|it| matches!(it, Decision::Assign { .. }))
                .cloned()
                .collect();
            decisions.extend(again);
        }
        decisions
    }

    fn bend(&self, fact: Fact) -> Option<Fact> {
        Some(match (self.bug, fact) {
            (Some(Bug::OneTooMany), Fact::AgentSet(mut settings)) => {
                settings.capacity += 1;
                Fact::AgentSet(settings)
            }
            (Some(Bug::SkillsIgnored), Fact::AgentSet(mut settings)) => {
                settings.skills.insert("french".into());
                Fact::AgentSet(settings)
            }
            (Some(Bug::BusyTakesNew), Fact::AgentSet(mut settings)) => {
                if settings.availability == Availability::Busy {
                    settings.availability = Availability::Online;
                }
                Fact::AgentSet(settings)
            }
            (Some(Bug::LastComeFirst), Fact::ConversationWaiting(mut arrival)) => {
                arrival.number = u64::MAX / 2 - arrival.number;
                Fact::ConversationWaiting(arrival)
            }
            (Some(Bug::VipForgotten), Fact::ConversationWaiting(mut arrival)) => {
                if let Asks::Described(visitor) = &mut arrival.asks {
                    visitor.vip = false;
                }
                Fact::ConversationWaiting(arrival)
            }
            (Some(Bug::RefusalsForgotten), Fact::Refused { .. })
            | (Some(Bug::LostUnnoticed), Fact::AgentLost { .. })
            | (Some(Bug::TypingIgnored), Fact::AgentTypes { .. }) => return None,
            (Some(Bug::TimerNeverRings), Fact::GoOn) => return None,
            (Some(Bug::PlacesLeak), Fact::ConversationOver { .. })
                if self.told.is_multiple_of(5) =>
            {
                return None;
            }
            (Some(Bug::BackAtTheEnd), Fact::ConversationRequeued { conversation, .. }) => {
                let why = RequeueReason::HandedOver;
                let mut demand = self.demands.get(&conversation)?.clone();
                demand.class = yingke_routing::rules::Class::default();
                demand.own = None;
                // As if it had lost its class on the way.
                return Some(if self.told.is_multiple_of(2) {
                    Fact::ConversationRerouted { conversation, demand }
                } else {
                    Fact::ConversationRequeued { conversation, why }
                });
            }
            (_, fact) => fact,
        })
    }
}
