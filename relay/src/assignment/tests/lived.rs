//! A day lived with the driver, played again (X04): with its own settings it is what happened, clock by
//! clock and hand by hand.

use yingke_shared::commands::staff::TakeOver;
use yingke_shared::replay::{ReplayAnswer, ReplayDay, WaitFigures};
use yingke_shared::settings::NoAnswer;
use yingke_shared::views::{Role, WaitingReason};

use super::desk::{Desk, MINUTE, SECOND};
use crate::assignment::replayed;
use crate::conversations::actions;
use crate::settings;
use crate::testing::{admin, any_id};

/// The relay's clock begins on the company's wall (Asia/Shanghai) on 2027-01-15 at 16:00.
const DAY: &str = "2027-01-15";

async fn ask(desk: &Desk, asked: ReplayDay) -> ReplayAnswer {
    let asked = ReplayDay { day: DAY.into(), ..asked };
    replayed::replay(&desk.relay.app, &admin(), asked).await.unwrap()
}

#[tokio::test]
async fn a_day_with_clocks_and_hands_is_played_again_as_it_was() {
    let mut desk = Desk::open().await;
    desk.department(|it| {
        it.no_answer = Some(NoAnswer { after_s: 180, transfers_max: 3 });
        it.wrap_up_s = 60;
    })
    .await;
    let ana = desk.agent("Ana", 1).await;
    desk.pass(MINUTE).await;
    let (_, vera) = desk.visitor().await;
    desk.served(&vera, &ana).await;
    let ben = desk.agent("Ben", 1).await;
    // Ana says nothing for three minutes.
    desk.pass(180 * SECOND).await;
    desk.served(&vera, &ben).await;
    desk.pass(MINUTE).await;
    desk.relay.answer(&ben, &vera, "b1", "您好").await.unwrap();
    let (_, viktor) = desk.visitor().await;
    desk.served(&viktor, &ana).await;
    desk.pass(30 * SECOND).await;
    desk.relay.answer(&ana, &viktor, "a1", "您好").await.unwrap();
    let (_, wanda) = desk.visitor().await;
    desk.waits(&wanda, WaitingReason::AllFull).await;
    desk.pass(2 * MINUTE).await;
    desk.relay.end(&ben, &vera).await.unwrap();
    // Ben is busy with what is left to do for a minute.
    desk.pass(MINUTE).await;
    desk.served(&wanda, &ben).await;
    desk.pass(20 * SECOND).await;
    desk.relay.answer(&ben, &wanda, "b2", "您好").await.unwrap();
    // A manager comes and takes Viktor over.
    let mia = desk.relay.account("Mia", Role::Manager, 1).await;
    desk.sign_in(&mia).await;
    desk.connect(&mia).await;
    desk.pass(MINUTE).await;
    let command = TakeOver { conversation_id: viktor.clone() };
    let app = desk.relay.app.clone();
    actions::take_over(app, mia.clone(), any_id(), command).await.unwrap();
    desk.served(&viktor, &mia).await;
    desk.pass(4 * MINUTE).await;
    desk.relay.end(&mia, &viktor).await.unwrap();
    desk.relay.end(&ben, &wanda).await.unwrap();
    desk.pass(10 * MINUTE).await;

    let answer = ask(&desk, ReplayDay::default()).await;
    let before = &answer.before;
    let expected = WaitFigures {
        came: 3,
        served: 3,
        missed: 0,
        wait_mean_ms: 60_000,
        wait_p50_ms: 0,
        wait_p95_ms: 180_000,
        wait_max_ms: 180_000,
        // Four minutes, half of one, and three and a third.
        answer_mean_ms: 156_666,
        moved: 1,
    };
    assert_eq!(before.all, expected);
    let work = |who: &crate::auth::StaffIdentity| {
        let work = before.agents[&who.agent_id];
        (work.served, work.at_once)
    };
    assert_eq!((work(&ana), work(&ben), work(&mia)), ((2, 1), (2, 1), (1, 1)));
    assert_eq!(answer.as_now, answer.before);

    // Without the clock of missing answers Vera stays with Ana, who says nothing, until minute 7:30; Viktor
    // is Ben's, and Wanda waits for Ana for three minutes, who answers as fast as she usually does.
    let all = settings::actions::all(&desk.relay.app, &admin()).await.unwrap();
    let mut departments = all.departments.value;
    departments[0].no_answer = None;
    let departments = Some(departments);
    let without = ask(&desk, ReplayDay { departments, ..ReplayDay::default() }).await.after;
    assert_eq!((without.all.served, without.all.moved), (3, 0));
    assert_eq!((without.all.wait_max_ms, without.all.answer_mean_ms), (180_000, 135_000));
    assert_eq!(without.agents[&ana.agent_id].served, 2);
    assert!(!without.agents.contains_key(&mia.agent_id), "nobody to take Viktor over from");
}
