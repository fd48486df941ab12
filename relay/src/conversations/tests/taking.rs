//! Taking conversations: one winner, never over capacity, only by who may.

use std::collections::BTreeMap;
use std::sync::Arc;

use yingke_shared::commands::staff::SetAvailability;
use yingke_shared::ids::Position;
use yingke_shared::views::{Availability, Role, VisitorStatus, WaitingReason};

use crate::agents::actions::set_availability;
use crate::conversations::{ClaimOutcome, actions, queries};
use crate::testing::{TestRelay, any_id};

#[tokio::test]
async fn of_many_claims_one_wins_and_capacity_is_never_exceeded() {
    let relay = Arc::new(TestRelay::open().await);
    let mut staff = Vec::new();
    for (name, capacity) in [("Ana", 3), ("Ben", 5)] {
        staff.push((relay.account(name, Role::Agent, capacity).await, capacity));
    }
    let mut waiting = Vec::new();
    for n in 0..12 {
        let visitor = relay.visitor().await;
        waiting.push(relay.say(&visitor, &format!("m{n}"), "在吗").await.unwrap().0);
    }
    let mut claims = Vec::new();
    for round in 0..3 {
        for id in &waiting {
            for (who, _) in &staff {
                let (relay, id, who) = (relay.clone(), id.clone(), who.clone());
                claims.push(tokio::spawn(async move {
                    let outcome = relay.claim(&id, &who).await;
                    (round, id, who.agent_id, outcome)
                }));
            }
        }
    }
    let mut winners = BTreeMap::new();
    for claim in claims {
        let (_, id, agent_id, outcome) = claim.await.unwrap();
        match outcome {
            ClaimOutcome::Claimed => {
                assert_eq!(winners.insert(id, agent_id), None, "two winners");
            }
            ClaimOutcome::AlreadyTaken | ClaimOutcome::Full => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 8, "every place is used");
    for (who, capacity) in &staff {
        let held = winners.values().filter(|winner| **winner == who.agent_id).count();
        assert_eq!(held, *capacity as usize);
        assert_eq!(relay.staff_screen(who).await.conversations.len(), *capacity as usize);
    }

    // One ends, one place is free, once.
    let (id, agent_id) = winners.pop_first().unwrap();
    let (who, _) = staff.iter().find(|(who, _)| who.agent_id == agent_id).unwrap();
    relay.end(who, &id).await.unwrap();
    let read = relay.app.store.read("line", |tx| queries::waiting(tx, Position::ZERO, 100));
    let line = read.await.unwrap();
    assert_eq!(line.len(), 4);
    assert_eq!(relay.claim(&line[0].id, who).await, ClaimOutcome::Claimed);
    assert_eq!(relay.claim(&line[1].id, who).await, ClaimOutcome::Full);
    assert_eq!(relay.claim(&id, who).await, ClaimOutcome::Ended);
}

#[tokio::test]
async fn only_an_enabled_agent_who_is_online_takes_more() {
    let relay = TestRelay::open().await;
    let (ana, vera, viktor) =
        (relay.agent("Ana").await, relay.visitor().await, relay.visitor().await);
    let held = relay.conversation_with(&vera, &ana).await;
    let (id, _) = relay.say(&viktor, "m1", "在吗").await.unwrap();
    let choose = async |availability| {
        let body = SetAvailability { availability, hand_over: false };
        set_availability(relay.app.clone(), ana.clone(), any_id(), body).await.unwrap();
    };
    choose(Availability::Busy).await;
    assert_eq!(relay.claim(&id, &ana).await, ClaimOutcome::AgentNotEligible);
    assert!(relay.answer(&ana, &held, "a1", "您好").await.is_ok(), "what runs goes on");
    choose(Availability::Online).await;
    relay.set_disabled(&ana, true).await;
    assert_eq!(relay.claim(&id, &ana).await, ClaimOutcome::AgentNotEligible);
    relay.set_disabled(&ana, false).await;
    assert_eq!(relay.claim(&id, &ana).await, ClaimOutcome::Claimed);
    assert_eq!(relay.claim(&id, &ana).await, ClaimOutcome::AlreadyTaken);
}

#[tokio::test]
async fn the_visitor_is_told_why_it_waits_only_when_that_is_news() {
    let relay = TestRelay::open().await;
    let (ana, vera) = (relay.agent("Ana").await, relay.visitor().await);
    let (id, _) = relay.say(&vera, "m1", "在吗").await.unwrap();
    let tell =
        async |reason| actions::set_waiting_reason(&relay.app, id.clone(), reason).await.unwrap();
    assert!(!tell(WaitingReason::Routing).await);
    assert!(tell(WaitingReason::NobodyOnline).await);
    assert!(!tell(WaitingReason::NobodyOnline).await);
    let status = relay.visitor_screen(&vera).await.conversation.unwrap().status;
    assert_eq!(status, VisitorStatus::Waiting { reason: WaitingReason::NobodyOnline });
    relay.claim(&id, &ana).await;
    assert!(!tell(WaitingReason::AllFull).await, "who is served does not wait");
}

/// The clock may jump; the line does not.
#[tokio::test]
async fn the_line_is_in_the_order_of_the_log() {
    let relay = TestRelay::open().await;
    let mut expected = Vec::new();
    for (n, clock) in [5_000, 90_000, 1_000, 40_000].into_iter().enumerate() {
        relay.set_clock(clock);
        let visitor = relay.visitor().await;
        expected.push(relay.say(&visitor, &format!("m{n}"), "在吗").await.unwrap().0);
    }
    let read = relay.app.store.read("line", |tx| queries::waiting(tx, Position::ZERO, 3));
    let line = read.await.unwrap();
    assert_eq!(
        line.iter().map(|one| &one.id).collect::<Vec<_>>(),
        expected[..3].iter().collect::<Vec<_>>()
    );
    let after = line[2].started_position;
    let read = relay.app.store.read("line", move |tx| queries::waiting(tx, after, 3));
    assert_eq!(read.await.unwrap()[0].id, expected[3]);
}
