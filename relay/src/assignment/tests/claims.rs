//! Many want the same at once (P17): one gets it, everybody else is told, and no capacity is exceeded.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinError;
use yingke_shared::commands::staff::Assign;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::ids::{AgentId, ConversationId, VisitorId};
use yingke_shared::views::{Role, WaitingReason};

use super::desk::Desk;
use crate::app::App;
use crate::auth::VisitorIdentity;
use crate::conversations::{ClaimOutcome, actions};
use crate::store::{Abort, StoreError};
use crate::testing::{admin, any_id};
use crate::visitors;

/// Agents, their capacity, and contenders for each conversation: by routing and by hand.
const AGENTS: usize = 10;
const CAPACITY: u32 = 16;
const CONVERSATIONS: usize = 200;
const CLAIMS: usize = 20_000;
const AT_ONCE: usize = 128;

/// Faster than any door lets visitors in.
async fn begun(desk: &Desk, n: usize) -> ConversationId {
    let visitor_id = VisitorId::new(format!("visitor-{n}")).unwrap();
    let who = VisitorIdentity { visitor_id, site_id: desk.relay.site.clone() };
    let (of, now) = (who.clone(), desk.relay.app.world.now());
    let written = desk.relay.app.store.write("visitor", move |tx| {
        visitors::store::insert(tx, &of.visitor_id, &of.site_id, now)?;
        Ok::<_, Abort<StoreError>>(())
    });
    written.await.unwrap();
    desk.relay.say(&who, any_id().as_str(), "在吗").await.unwrap().0
}

type Won = Option<(ConversationId, AgentId)>;

fn note(claim: Option<Result<Won, JoinError>>, won: &mut BTreeMap<ConversationId, AgentId>) {
    if let Some((id, to)) = claim.and_then(|claim| claim.unwrap()) {
        assert_eq!(won.insert(id, to), None, "two winners");
    }
}

/// Whether a manager's hand won; else it is told why not.
async fn by_hand(app: Arc<App>, id: &ConversationId, to: &AgentId) -> bool {
    let command =
        Assign { conversation_id: id.clone(), agent_id: to.clone(), over_capacity: false };
    let told = [ErrorCode::Overtaken, ErrorCode::AgentFull, ErrorCode::AgentUnavailable];
    match actions::assign_by_hand(app, admin(), any_id(), command).await {
        Ok(_) => true,
        Err(error) => {
            assert!(told.contains(&error.code()), "{error:?}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_thousand_claims_each_conversation_is_won_once() {
    let mut desk = Desk::open().await;
    // Nobody is connected yet: everybody waits.
    let mut waiting = Vec::new();
    for n in 0..CONVERSATIONS {
        waiting.push(begun(&desk, n).await);
    }
    let mut staff = Vec::new();
    for n in 0..AGENTS {
        staff.push(desk.relay.account(&format!("Agent{n}"), Role::Agent, CAPACITY).await);
    }
    // Three drivers, who see all of them come, and claims of anybody else at the same time.
    desk.drive();
    desk.drive();
    for who in &staff {
        desk.sign_in(who).await;
    }
    let began = std::time::Instant::now();
    let mut claims = tokio::task::JoinSet::new();
    let mut won = BTreeMap::new();
    for n in 0..CLAIMS {
        if n == CLAIMS / 4 {
            for who in &staff {
                desk.connect(who).await;
            }
        }
        let id = waiting[n * 7 % CONVERSATIONS].clone();
        let to = staff[n * 3 % AGENTS].agent_id.clone();
        let app = Arc::clone(&desk.relay.app);
        claims.spawn(async move {
            let is_won = if n % 4 == 0 {
                by_hand(app, &id, &to).await
            } else {
                let claim = actions::claim(&app, id.clone(), to.clone(), AssignedHow::Started {});
                claim.await.unwrap() == ClaimOutcome::Claimed
            };
            is_won.then_some((id, to))
        });
        // As many as the writer takes.
        if claims.len() >= AT_ONCE {
            note(claims.join_next().await, &mut won);
        }
    }
    while let Some(claim) = claims.join_next().await {
        note(Some(claim), &mut won);
    }
    let took = began.elapsed();
    desk.settled().await;
    let mut held = BTreeMap::new();
    for id in &waiting {
        let assigned = desk.assignments(id).await;
        match desk.agent_of(id).await {
            Some(agent_id) => {
                assert_eq!(assigned.len(), 1, "assigned once");
                assert_eq!(assigned[0].agent_id, agent_id);
                assert!(won.get(id).is_none_or(|winner| *winner == agent_id));
                *held.entry(agent_id).or_insert(0) += 1;
            }
            None => {
                assert!(assigned.is_empty() && !won.contains_key(id));
                desk.waits(id, WaitingReason::AllFull).await;
            }
        }
    }
    assert_eq!(held.len(), AGENTS);
    assert!(held.values().all(|count| *count == CAPACITY), "every place is used: {held:?}");
    println!("{CLAIMS} claims in {took:?}, {} of them won, the rest by the drivers", won.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn double_starts_give_one_conversation_that_is_assigned_once() {
    let mut desk = Desk::open().await;
    desk.drive();
    let ana = desk.agent("Ana", 50).await;
    for round in 0..20 {
        let vera = desk.relay.visitor().await;
        let relay = &desk.relay;
        let starts = (0..8).map(|n| {
            let (vera, id) = (vera.clone(), format!("{round}-{}", n / 2));
            async move { relay.say(&vera, &id, "在吗").await.unwrap().0 }
        });
        let begun = futures_util::future::join_all(starts).await;
        assert!(begun.iter().all(|id| *id == begun[0]));
        desk.served(&begun[0], &ana).await;
        desk.settled().await;
        assert_eq!(desk.assignments(&begun[0]).await.len(), 1);
        assert_eq!(desk.notices(&begun[0]).await.len(), 1, "told once who is there");
    }
}
