//! The core as the simulation runs it, and the bugs that can be planted around it.
//!
//! A planted bug changes what the core is told, or what it is heard to decide, as a bug inside would:
//! the auditor knows nothing of it and must notice.

use std::collections::BTreeMap;

use yingke_routing::hours::Zone;
use yingke_routing::{
    Asks, Availability, ConversationId, Decision, Department, Fact, QueuePolicy, RequeueReason,
    Router, Rows,
};

use crate::setting;

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
    /// 离开 counts as 忙碌.
    AwayIsBusy,
    /// Departments never close.
    HoursIgnored,
    /// Hours are read from a clock in another place.
    ZoneIgnored,
    /// Rules are asked in the wrong order.
    RulesBackwards,
    /// What a rule says of priority is forgotten.
    PriorityForgotten,
    /// Sticky departments are pools.
    StickyForgotten,
    /// The place is free at the end, whatever work is left.
    WrapUpForgotten,
    /// A lost agent is waited for twice as long.
    GraceDoubled,
    /// It is moved for want of an answer as often as there is somebody.
    TransfersUnbounded,
    /// An invitation stays open twice as long.
    InvitationDoubled,
}

/// All of them.
pub(crate) const BUGS: [Bug; 24] = [
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
    Bug::AwayIsBusy,
    Bug::HoursIgnored,
    Bug::ZoneIgnored,
    Bug::RulesBackwards,
    Bug::PriorityForgotten,
    Bug::StickyForgotten,
    Bug::WrapUpForgotten,
    Bug::GraceDoubled,
    Bug::TransfersUnbounded,
    Bug::InvitationDoubled,
];

/// A router with the settings of one life, as the bug lets it read them.
pub(crate) fn router(bug: Option<Bug>, departments: &[Department]) -> Router {
    let mut company = setting::company();
    match bug {
        Some(Bug::GraceDoubled) => company.grace_ms = company.grace_ms.map(|grace| 2 * grace),
        Some(Bug::InvitationDoubled) => company.invitation_ms *= 2,
        _ => {}
    }
    let mut router = Router::new(company);
    for department in departments {
        let mut department = department.clone();
        match (bug, &mut department) {
            (Some(Bug::HoursIgnored), it) => it.hours = None,
            (Some(Bug::ZoneIgnored), Department { hours: Some(hours), .. }) => {
                hours.zone = Zone::default();
            }
            (Some(Bug::StickyForgotten), it) => it.policy = QueuePolicy::Pool,
            (Some(Bug::WrapUpForgotten), it) => it.wrap_up_ms = 0,
            (Some(Bug::TransfersUnbounded), Department { no_answer: Some(rule), .. }) => {
                rule.transfers_max = 99;
            }
            _ => {}
        }
        router.note(0, Fact::DepartmentSet(Box::new(department)));
    }
    let mut rules = setting::rules();
    if bug == Some(Bug::RulesBackwards) {
        rules.reverse();
    }
    router.note(0, Fact::RulesSet { rules });
    router
}

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
            (Some(Bug::AwayIsBusy), Fact::AgentSet(mut settings)) => {
                if settings.availability == Availability::Away {
                    settings.availability = Availability::Busy;
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
            (Some(Bug::PriorityForgotten), Fact::ConversationWaiting(mut arrival)) => {
                if let Asks::Described(visitor) = &mut arrival.asks {
                    visitor.level = 0;
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
