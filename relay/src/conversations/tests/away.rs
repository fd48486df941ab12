//! 离开 and what follows (B11), in one transaction: nobody is served by an agent who is away, nobody
//! asks for one, and no visitor is forgotten.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::ConversationId;
use yingke_shared::views::{
    Availability, ConversationStatus, EndedBy, InvitationKind, RequeueReason, SystemNotice,
};

use super::crew::Crew;
use crate::settings::queries;
use crate::store::Abort;
use crate::testing::Screens;

#[tokio::test]
async fn away_ends_what_one_serves_unless_somebody_stays() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    let alone = crew.served_by(ana).await;
    let (shared, _) = relay.say(viktor, "k1", "在吗").await.unwrap();
    crew.assign(&shared, ana).await.unwrap();
    crew.join(ana, &shared, ben).await;
    let asking = crew.ask(ana, &shared, cai, InvitationKind::Join).await.unwrap();
    screens.check(relay, "two conversations").await;

    crew.choose(ana, Availability::Away, false).await.unwrap();
    screens.check(relay, "away").await;
    let ended = crew.record(&alone).await;
    assert!(matches!(ended.status, ConversationStatus::Ended { by: EndedBy::AgentAway, .. }));
    let went_on = crew.record(&shared).await;
    assert_eq!(went_on.status, ConversationStatus::Serving { agent_id: ben.agent_id.clone() });
    assert!(went_on.members.is_empty() && went_on.invitations.is_empty());
    assert_eq!(crew.answer(cai, &asking, true).await, Err(ErrorCode::Overtaken));
    assert!(relay.staff_screen(ana).await.conversations.is_empty());
    let (next, _) = relay.say(vera, "v9", "还有人吗").await.unwrap();
    assert_ne!(next, alone, "the visitor applies again");
    assert_eq!(crew.assign(&next, ana).await, Err(ErrorCode::AgentUnavailable));
}

#[tokio::test]
async fn handing_over_puts_them_at_the_front_of_the_line() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    let id = crew.served_by(ana).await;
    relay.answer(ana, &id, "a1", "稍等").await.unwrap();
    crew.choose(ana, Availability::Away, true).await.unwrap();
    screens.check(relay, "handed over").await;
    assert!(matches!(crew.record(&id).await.status, ConversationStatus::Waiting { .. }));
    let why = SystemNotice::Requeued { why: RequeueReason::HandedOver };
    assert_eq!(crew.notices(&id).await.last(), Some(&why));
    let of = id.clone();
    let front = relay.app.store.read("front", move |tx| {
        let sql = "SELECT front, requeue_reason FROM conversations WHERE id = ?";
        tx.query_one(sql, crate::params![of], |row| Ok((row.flag(0)?, row.text(1)?)))
    });
    assert_eq!(front.await.unwrap(), Some((true, "handed_over".into())));
}

#[tokio::test]
async fn away_while_somebody_asks_the_agent_to_take_over() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    let id = crew.served_by(ana).await;
    let asked = crew.ask(ana, &id, ben, InvitationKind::Transfer).await.unwrap();
    crew.choose(ben, Availability::Away, false).await.unwrap();
    screens.check(relay, "away while asked").await;
    assert!(crew.record(&id).await.invitations.is_empty(), "back with Ana");
    assert!(relay.staff_screen(ben).await.invitations.is_empty());
    assert_eq!(crew.answer(ben, &asked, true).await, Err(ErrorCode::Overtaken));
    assert_eq!(crew.record(&id).await.status, serving(ana));
    relay.answer(ana, &id, "a1", "我继续").await.unwrap();
}

#[tokio::test]
async fn who_only_takes_part_leaves() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    let id = crew.served_by(ana).await;
    crew.join(ana, &id, ben).await;
    let asking = crew.ask(ben, &id, cai, InvitationKind::Join).await.unwrap();
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    crew.choose(ben, Availability::Away, false).await.unwrap();
    screens.check(relay, "a member goes away").await;
    let record = crew.record(&id).await;
    assert_eq!((record.status, record.members.len()), (serving(ana), 0));
    assert_eq!(crew.answer(cai, &asking, true).await, Err(ErrorCode::Overtaken));
    // Who serves leaves to nobody who is away.
    crew.join(ana, &id, cai).await;
    let written = relay.app.store.write("away", {
        let cai = cai.agent_id.clone();
        move |tx| {
            crate::agents::store::set_availability(tx, &cai, Availability::Away)?;
            Ok::<_, Abort<ErrorCode>>(())
        }
    });
    written.await.unwrap();
    assert_eq!(crew.leave(ana, &id).await, Err(ErrorCode::Forbidden));
}

#[tokio::test]
async fn a_place_stays_taken_after_an_end_for_as_long_as_the_department_says() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, .. } = &crew;
    let of = |id: &ConversationId| {
        let id = id.clone();
        relay.app.store.read("wrap-up", move |tx| {
            let sql = "SELECT until FROM wrap_ups WHERE conversation_id = ?";
            tx.query_one(sql, crate::params![id], |row| row.time(0))
        })
    };
    let first = crew.served_by(ana).await;
    relay.end(ana, &first).await.unwrap();
    assert_eq!(of(&first).await.unwrap(), None);
    let written = relay.app.store.write("departments", |tx| {
        let mut departments = queries::departments(tx)?;
        departments.value[0].wrap_up_s = 30;
        let section = crate::settings::store::DEPARTMENTS;
        crate::settings::store::save(tx, section, departments.version, &departments.value)?;
        Ok::<_, Abort<ErrorCode>>(())
    });
    written.await.unwrap();
    let second = crew.served_by(ana).await;
    relay.end(ana, &second).await.unwrap();
    use crate::clock::World as _;
    assert_eq!(of(&second).await.unwrap(), Some(relay.world.now().plus_millis(30_000)));
}

fn serving(who: &crate::auth::StaffIdentity) -> ConversationStatus {
    ConversationStatus::Serving { agent_id: who.agent_id.clone() }
}
