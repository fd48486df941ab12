//! Transfer, three-way, manager, the line: what passes between people, through a real relay.

use anyhow::{Result, ensure};
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::staff::{
    AddNote, Assign, LeaveConversation, TakeOver, WatchConversation,
};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::StaffEventBody;
use yingke_shared::frame::Outcome;
use yingke_shared::views::{
    Availability, EndedBy, InvitationKind, Invitee, MessageContent, SystemNotice, VisitorStatus,
    WaitingReason,
};
use yingke_tests::link::new_id;
use yingke_tests::staff::StaffSocket;

use crate::scene::Scene;

fn to(agent: &StaffSocket) -> Invitee {
    Invitee::Agent { agent_id: agent.id.clone() }
}

fn served_by(agent: &StaffSocket) -> impl Fn(&VisitorStatus) -> bool + use<> {
    let id = agent.id.clone();
    move |status| matches!(status, VisitorStatus::Serving { agent } if agent.id == id)
}

/// F01, F03, F04: the record goes along, nothing is lost in between, who gave it away is out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_a_transfer_moves_the_conversation_whole() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("where is my teapot").await?.conversation;
    ana.until_gained(&hers).await?;
    ana.say(&hers, "I ask a colleague").await?;
    let ben = scene.agent("Ben", 1).await?;
    let asked = ana.invite(&hers, to(&ben), InvitationKind::Transfer, "teapot, lost").await?;
    let asked = asked.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    ben.until_invited(&asked).await?;
    ensure!(ben.record(&hers).is_none(), "not before it is accepted");
    ensure!(ben.history(&hers).await?.len() >= 3, "whoever is asked may read");
    vera.say("are you still there").await?;
    ensure!(ben.answer(&asked, true).await?.is_ok());
    let record = ben.until_gained(&hers).await?;
    ensure!(record.unanswered_since().is_some(), "the question asked meanwhile waits for Ben");
    ana.until_gone(&hers).await?;
    vera.until_status("Ben serves", served_by(&ben)).await?;
    ben.say(&hers, "it is on its way").await?;
    vera.until_text("it is on its way").await?;
    let refused = ana.say(&hers, "one more word").await;
    ensure!(refused.is_err(), "who gave it away writes no more");
    let said = ben.history(&hers).await?;
    let numbers: Vec<_> = said.iter().map(|message| message.seq.get()).collect();
    ensure!(numbers == (1..=said.len() as u64).collect::<Vec<_>>(), "without a hole: {numbers:?}");
    let again = ben.answer(&asked, true).await?;
    ensure!(again.is_err_and(|error| error.code == ErrorCode::Overtaken));
    scene.finish().await
}

/// F03, F04, F06: three take part only after the yes; the first leaves, the others stay connected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_f04_three_talk_and_the_first_leaves() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("a hard question").await?.conversation;
    ana.until_gained(&hers).await?;
    let ben = scene.agent("Ben", 8).await?;
    let no = ana.invite(&hers, to(&ben), InvitationKind::Join, "").await?.unwrap();
    ben.until_invited(&no).await?;
    ensure!(ben.answer(&no, false).await?.is_ok());
    ana.until_record("the invitation came back", &hers, |r| r.invitations.is_empty()).await?;
    let yes = ana.invite(&hers, to(&ben), InvitationKind::Join, "please").await?.unwrap();
    ben.until_invited(&yes).await?;
    ensure!(ben.answer(&yes, true).await?.is_ok());
    ben.until_gained(&hers).await?;
    ana.until_record("Ben takes part", &hers, |r| r.members == [ben.id.clone()]).await?;
    ben.say(&hers, "Ben here").await?;
    ana.say(&hers, "Ana here").await?;
    vera.until_text("Ana here").await?;
    vera.until_text("Ben here").await?;
    let leave = LeaveConversation { conversation_id: hers.clone() };
    ana.must(StaffCommand::LeaveConversation(leave)).await?;
    ana.until_gone(&hers).await?;
    vera.until_status("Ben serves alone", served_by(&ben)).await?;
    ben.until_record("nobody beside", &hers, |r| r.members.is_empty()).await?;
    vera.say("thank you both").await?;
    ben.until_record("Ben hears it", &hers, |r| r.unread() > 0).await?;
    ensure!(vera.fresh_snapshot().await?.conversation.is_some_and(|c| c.members.is_empty()));
    scene.finish().await
}

/// A manager who watches is asked to take over: one step of the log tells her two things, that she is
/// asked and that the conversation has an open invitation. Both come in one delivery, for a second one
/// would come to a reader who is past it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_f05_who_watches_and_is_asked_hears_both() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let mia = scene.manager("Mia").await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("I want your manager").await?.conversation;
    ana.until_gained(&hers).await?;
    mia.set_availability(Availability::Online).await?;
    let watch = WatchConversation { conversation_id: hers.clone() };
    mia.must(StaffCommand::WatchConversation(watch)).await?;
    for _ in 0..20 {
        let asked = ana.invite(&hers, to(&mia), InvitationKind::Transfer, "").await?.unwrap();
        mia.until_invited(&asked).await?;
        mia.link
            .until("she sees that somebody is asked", |held| {
                let offered = held.events.iter().rev().find_map(|event| match &event.body {
                    StaffEventBody::InvitationOffered { incoming } => {
                        (incoming.invitation.id == asked).then_some(event.position)
                    }
                    _ => None,
                })?;
                let is_other = |body: &StaffEventBody| {
                    matches!(body, StaffEventBody::InvitationsChanged { conversation_id, .. }
                        if *conversation_id == hers)
                };
                let mut both = held.events.iter().filter(|event| event.position == offered);
                both.any(|event| is_other(&event.body)).then_some(())
            })
            .await?;
        ensure!(mia.answer(&asked, false).await?.is_ok());
    }
    scene.finish().await
}

/// F05, L01: a manager watches unseen, whispers, takes over; the visitor hears of none of it but the
/// last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_a_manager_watches_whispers_and_takes_over() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let mia = scene.manager("Mia").await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("I want my money back").await?.conversation;
    ana.until_gained(&hers).await?;
    let watch = WatchConversation { conversation_id: hers.clone() };
    let refused = ana.link.ask(&StaffCommand::WatchConversation(watch.clone())).await?;
    ensure!(refused.is_err_and(|error| error.code == ErrorCode::Forbidden));
    let Outcome::Watched { record } = mia.must(StaffCommand::WatchConversation(watch)).await?
    else {
        anyhow::bail!("watching gives the record");
    };
    ensure!(record.id == hers);
    vera.preview("and I am really").await?;
    mia.until_preview(&hers, "and I am really").await?;
    ana.say(&hers, "one moment").await?;
    mia.link
        .until("the watcher hears the talk", |held| {
            held.events.iter().find_map(|event| match &event.body {
                StaffEventBody::MessageAppended { conversation_id, message, .. } => {
                    let text = MessageContent::Text { text: "one moment".to_owned() };
                    (*conversation_id == hers && message.content == text).then_some(())
                }
                _ => None,
            })
        })
        .await?;
    let whisper = AddNote { conversation_id: hers.clone(), text: "offer a voucher".to_owned() };
    scene.address().said.note("offer a voucher");
    mia.must(StaffCommand::AddNote(whisper)).await?;
    ana.link
        .until("the whisper is heard", |held| {
            held.events.iter().find_map(|event| match &event.body {
                StaffEventBody::NoteAdded { note, .. } => {
                    (note.text == "offer a voucher").then_some(())
                }
                _ => None,
            })
        })
        .await?;
    mia.must(StaffCommand::TakeOver(TakeOver { conversation_id: hers.clone() })).await?;
    mia.until_gained(&hers).await?;
    ana.until_gone(&hers).await?;
    vera.until_status("Mia serves", served_by(&mia)).await?;
    let seen = serde_json::to_string(&vera.fresh_snapshot().await?)?;
    ensure!(!seen.contains("voucher"), "a whisper never reaches the visitor");
    ensure!(
        vera.history()
            .await?
            .iter()
            .all(|m| yingke_tests::visitor::text_of(m) != Some("offer a voucher"))
    );
    scene.finish().await
}

/// B11: 离开 ends what runs, and those visitors must apply again; handed over they come first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_away_ends_or_hands_over() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("Vera is served").await?.conversation;
    ana.until_gained(&hers).await?;
    ana.go_away(false).await?;
    let ended = |status: &VisitorStatus| {
        matches!(status, VisitorStatus::Ended { by: EndedBy::AgentAway, .. })
    };
    vera.until_status("she must apply again", ended).await?;
    ana.until_gone(&hers).await?;

    ana.set_availability(Availability::Online).await?;
    let again = vera.say("Vera applies again").await?.conversation;
    ensure!(again != hers);
    ana.until_gained(&again).await?;
    let viktor = scene.visitor().await?;
    ana.go_away(true).await?;
    ana.until_gone(&again).await?;
    viktor.say("Viktor comes later").await?;
    let ben = scene.agent("Ben", 1).await?;
    ben.until_gained(&again).await?;
    viktor.until_waiting(WaitingReason::AllFull).await?;
    let requeued = ben.history(&again).await?.into_iter().any(|message| {
        matches!(message.content, MessageContent::Notice { notice: SystemNotice::Requeued { .. } })
    });
    ensure!(requeued, "the stream says why");
    scene.finish().await
}

/// B09, A30: a waiting visitor knows the place, leaves the line, or is assigned by hand; two managers
/// at once give one holder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b09_a30_the_line_is_seen_left_and_assigned_by_hand() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 1).await?;
    let (mia, max) = (scene.manager("Mia").await?, scene.manager("Max").await?);
    let first = scene.visitor().await?;
    first.say("the first is served").await?;
    first.until_served().await?;
    let (vera, viktor) = (scene.visitor().await?, scene.visitor().await?);
    let hers = vera.say("Vera waits").await?.conversation;
    vera.until_place(1).await?;
    viktor.say("Viktor waits").await?;
    viktor.until_place(2).await?;
    mia.watch_floor().await?;
    let floor = mia.until_floor("two wait", |floor| floor.waiting_total == 2).await?;
    ensure!(floor.waiting.first().is_some_and(|row| row.conversation_id == hers));

    let assign = |over_capacity| {
        StaffCommand::Assign(Assign {
            conversation_id: hers.clone(),
            agent_id: ana.id.clone(),
            over_capacity,
        })
    };
    let full = mia.link.ask(&assign(false)).await?;
    ensure!(full.is_err_and(|error| error.code == ErrorCode::AgentFull));
    let command = assign(true);
    let (one, two) = tokio::try_join!(mia.link.ask(&command), max.link.ask(&command))?;
    let lost = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    ensure!(lost.len() == 1 && lost.iter().all(|error| error.code == ErrorCode::Overtaken));
    ana.until_holding(2).await?;
    viktor.until_place(1).await?;
    ensure!(viktor.leave_queue().await?.is_ok());
    let left = |status: &VisitorStatus| {
        matches!(status, VisitorStatus::Ended { by: EndedBy::LeftQueue, .. })
    };
    viktor.until_status("out of the line", left).await?;
    mia.until_floor("nobody waits", |floor| floor.waiting_total == 0).await?;
    scene.finish().await
}

/// H03: with nobody there a message is left, exactly once, and the conversation is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h03_a_message_is_left_exactly_once() -> Result<()> {
    let scene = Scene::set().await?;
    let vera = scene.visitor().await?;
    vera.say("is anybody there").await?;
    vera.until_waiting(WaitingReason::NobodyOnline).await?;
    let id = new_id();
    for _ in 0..2 {
        ensure!(vera.leave_message(&id, "vera@example.com", "call me back").await?.is_ok());
    }
    let filed = |status: &VisitorStatus| {
        matches!(status, VisitorStatus::Ended { by: EndedBy::LeaveMessage, .. })
    };
    vera.until_status("it is filed", filed).await?;
    let left = vera.history().await?;
    let copies = left.iter().filter(|m| yingke_tests::visitor::text_of(m) == Some("call me back"));
    ensure!(copies.count() == 1);
    let ana = scene.agent("Ana", 8).await?;
    let again = vera.say("now somebody is there").await?.conversation;
    ana.until_gained(&again).await?;
    let late = vera.leave_message(&new_id(), "", "too late for the form").await?;
    ensure!(late.is_err_and(|error| error.code == ErrorCode::Overtaken));
    scene.finish().await
}
