//! How many decisions a second the core makes with a full house (S18).
//!
//! A thousand agents, ten thousand in line. Places become free one after the other; each is decided,
//! confirmed by the store, and another visitor takes the end of the line.

use std::time::Instant;

use yingke_routing::rules::{Class, Demand};
use yingke_routing::{
    AgentSettings, Arrival, Asks, Availability, Company, ConversationId, Decision, Department,
    DepartmentId, Fact, Router,
};

const AGENTS: u64 = 1_000;
const CAPACITY: u32 = 8;
const WAITING: u64 = 10_000;
const DEPARTMENTS: u64 = 10;
const DECISIONS: u64 = 200_000;

pub(crate) fn run() {
    for _ in 0..3 {
        let (decisions, seconds) = once();
        let rate = decisions as f64 / seconds;
        println!(
            "S18: agents={AGENTS} waiting={WAITING} decisions={decisions} seconds={seconds:.3} \
             decisions_per_second={rate:.0}"
        );
    }
}

fn department(nth: u64) -> DepartmentId {
    DepartmentId::new(&format!("d{:02}", nth % DEPARTMENTS))
}

fn arrival(number: u64) -> Fact {
    let class = Class { vip: number.is_multiple_of(10), priority: 0 };
    let skill = number.is_multiple_of(4).then(|| "french".into());
    let demand = Demand { class, skill, ..Demand::of(department(number)) };
    Fact::ConversationWaiting(Box::new(Arrival {
        conversation: ConversationId::new(&format!("0192f3a4-0000-7000-8000-{number:012}")),
        number,
        site: None,
        has_written: true,
        let_in: false,
        asks: Asks::Demand(demand),
    }))
}

/// Decisions made, and the time they took.
fn once() -> (u64, f64) {
    let mut router = Router::new(Company::new(department(0)));
    for nth in 0..DEPARTMENTS {
        router.note(0, Fact::DepartmentSet(Box::new(Department::new(department(nth)))));
    }
    for nth in 0..AGENTS {
        let agent = format!("0192f3a4-1111-7000-8000-{nth:012}");
        let settings = AgentSettings {
            agent: agent.as_str().into(),
            capacity: CAPACITY,
            availability: Availability::Online,
            departments: [department(nth), department(nth / DEPARTMENTS)].into(),
            skills: if nth.is_multiple_of(2) { ["french".into()].into() } else { [].into() },
        };
        router.note(0, Fact::AgentSet(Box::new(settings)));
        router.note(0, Fact::AgentConnected { agent: agent.as_str().into() });
    }
    let mut served = std::collections::VecDeque::new();
    let mut now = 1;
    let mut number = 0;
    for _ in 0..AGENTS * u64::from(CAPACITY) + WAITING {
        number += 1;
        now += 1;
        let decided = router.step(now, arrival(number));
        confirm(&mut router, now, decided, &mut served);
    }
    let before = router.waiting();
    let begun = Instant::now();
    let mut made = 0;
    while made < DECISIONS {
        now += 1;
        number += 1;
        made += router.step(now, arrival(number)).len() as u64;
        let Some(conversation) = served.pop_front() else { break };
        let decided = router.step(now, Fact::ConversationOver { conversation });
        made += decided.len() as u64;
        confirm(&mut router, now, decided, &mut served);
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert!(router.waiting() >= before, "the line stays as long as it was");
    (made, seconds)
}

fn confirm(
    router: &mut Router,
    now: u64,
    decided: Vec<Decision>,
    served: &mut std::collections::VecDeque<ConversationId>,
) {
    for decision in decided {
        if let Decision::Assign { conversation, agent, .. } = decision {
            served.push_back(conversation.clone());
            router.step(now, Fact::ConversationServed { conversation, agent });
        }
    }
}
