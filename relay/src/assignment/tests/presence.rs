//! Agents come, go, are busy, go away, are disabled (B11).

use yingke_routing::{Decision, Fact};
use yingke_shared::commands::staff::{AnswerInvitation, Invite};
use yingke_shared::ids::InvitationId;
use yingke_shared::views::{
    Availability, EndedBy, InvitationKind, Invitee, RequeueReason, SystemNotice, WaitingReason,
};

use super::desk::{Desk, MINUTE, SECOND, sign_in};
use crate::assignment::tasks::{Key, Task, carry_out};
use crate::assignment::words;
use crate::auth::StaffIdentity;
use crate::conversations::{actions, store};
use crate::testing::{TestRelay, any_id};

#[tokio::test]
async fn a_killed_client_that_is_back_within_the_grace_keeps_its_three() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 8).await;
    let running = desk.visitors(3).await;
    for (_, id) in &running {
        desk.served(id, &ana).await;
    }
    let ben = desk.agent("Ben", 8).await;
    desk.lose(&ana).await;
    desk.pass(59 * SECOND).await;
    desk.connect(&ana).await;
    desk.pass(MINUTE).await;
    assert_eq!((desk.serves(&ana).await, desk.serves(&ben).await), (3, 0));
    for (_, id) in &running {
        assert_eq!(desk.notices(id).await.len(), 1, "the visitor noticed nothing");
    }
}

#[tokio::test]
async fn after_the_grace_all_three_go_to_the_front_and_to_somebody_else() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let running = desk.visitors(3).await;
    for (_, id) in &running {
        desk.served(id, &ana).await;
    }
    // Two wait already, and are served after those who were served before.
    let waiting = desk.visitors(2).await;
    desk.waits(&waiting[1].1, WaitingReason::AllFull).await;
    desk.lose(&ana).await;
    desk.pass(61 * SECOND).await;
    let mut expected: Vec<_> = running.iter().map(|(_, id)| id.clone()).collect();
    expected.extend(waiting.iter().map(|(_, id)| id.clone()));
    assert_eq!(desk.line().await, expected);

    let ben = desk.agent("Ben", 4).await;
    for (_, id) in running.iter().chain(&waiting[..1]) {
        desk.served(id, &ben).await;
    }
    desk.connect(&ana).await;
    desk.served(&waiting[1].1, &ana).await;
    let notices = desk.notices(&running[0].1).await;
    assert!(matches!(
        &notices[..],
        [
            SystemNotice::AgentJoined { .. },
            SystemNotice::Requeued { why: RequeueReason::AgentLost },
            SystemNotice::Transferred { agent },
        ] if agent.nickname == "Ben"
    ));
}

#[tokio::test]
async fn where_nobody_is_there_it_becomes_a_leave_message() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.lose(&ana).await;
    desk.pass(61 * SECOND).await;
    desk.waits(&id, WaitingReason::NobodyOnline).await;
    desk.pass(9 * MINUTE).await;
    desk.waits(&id, WaitingReason::NobodyOnline).await;
    desk.pass(2 * MINUTE).await;
    assert_eq!(desk.ended(&id).await, EndedBy::LeaveMessage);
    let filed = desk
        .read(|tx| tx.query("SELECT conversation_id FROM leave_messages", &[], |row| row.text(0)));
    assert_eq!(filed.await, [id.to_string()]);
}

#[tokio::test]
async fn whoever_signs_out_is_not_waited_for() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    let ben = desk.agent("Ben", 3).await;
    desk.sign_out(&ana).await;
    desk.served(&id, &ben).await;
    let why = RequeueReason::AgentSignedOut;
    assert!(desk.notices(&id).await.contains(&SystemNotice::Requeued { why }));
}

/// Signed out and in again before a socket came: the same was decided once a second, and refused.
#[tokio::test]
async fn whoever_signs_in_again_and_does_not_come_is_lost() {
    let relay = TestRelay::open().await;
    let ana = relay.agent("Ana").await;
    let vera = relay.visitor().await;
    let id = relay.conversation_with(&vera, &ana).await;
    let app = relay.app.clone();
    let put_back = async || {
        let decision = Decision::Requeue {
            conversation: words::conversation(&id),
            from: words::agent(&ana.agent_id),
            attempt: 1,
            reason: yingke_routing::RequeueReason::AgentSignedOut,
        };
        let key = Key::Conversation(id.clone());
        let done = carry_out(&app, key, Task::Decided(decision)).await;
        (done.told.is_some(), done.awaited)
    };
    let gone = async || carry_out(&app, Key::Agent(ana.agent_id.clone()), Task::Gone).await.told;
    let agent = words::agent(&ana.agent_id);
    assert_eq!(gone().await, Some(Fact::AgentSignedOut { agent: agent.clone() }));
    sign_in(&relay, &ana).await;
    assert_eq!(put_back().await, (true, Some(ana.agent_id.clone())), "refused: she is signed in");
    // What the driver does then, unless she is connected.
    assert_eq!(gone().await, Some(Fact::AgentLost { agent }));
    assert_eq!(put_back().await, (true, None), "from now on it is a matter of the grace period");
}

#[tokio::test]
async fn the_last_agent_goes_busy_with_five_waiting() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 1).await;
    let (_, running) = desk.visitor().await;
    desk.served(&running, &ana).await;
    let waiting = desk.visitors(5).await;
    for (_, id) in &waiting {
        desk.waits(id, WaitingReason::AllFull).await;
    }
    desk.choose(&ana, Availability::Busy).await;
    // Right after a start agents may be on their way back: nobody is sent away yet.
    desk.pass(6 * SECOND).await;
    for (_, id) in &waiting {
        desk.waits(id, WaitingReason::NobodyOnline).await;
    }
    assert!(desk.relay.answer(&ana, &running, "a1", "您好").await.is_ok(), "what runs goes on");
    desk.relay.end(&ana, &running).await.unwrap();
    desk.settled().await;
    assert_eq!(desk.serves(&ana).await, 0, "busy takes no new ones");
    desk.choose(&ana, Availability::Online).await;
    desk.served(&waiting[0].1, &ana).await;
    desk.waits(&waiting[1].1, WaitingReason::AllFull).await;
}

#[tokio::test]
async fn away_ends_what_runs_and_the_next_message_waits_for_another() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (vera, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    let ben = desk.agent("Ben", 3).await;
    desk.choose(&ana, Availability::Away).await;
    assert_eq!(desk.ended(&id).await, EndedBy::AgentAway);
    let (next, _) = desk.relay.say(&vera, "again", "还在吗").await.unwrap();
    desk.served(&next, &ben).await;
}

#[tokio::test]
async fn whoever_is_disabled_loses_everything_at_once() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    let ben = desk.agent("Ben", 3).await;
    desk.relay.set_disabled(&ana, true).await;
    desk.served(&id, &ben).await;
    assert_eq!(desk.serves(&ana).await, 0);
}

async fn ask(
    desk: &Desk,
    from: &StaffIdentity,
    id: &yingke_shared::ids::ConversationId,
    to: Invitee,
) -> InvitationId {
    let command_id = any_id();
    let invitation = InvitationId::new(command_id.as_str()).unwrap();
    let kind = InvitationKind::Transfer;
    let command = Invite { conversation_id: id.clone(), to, kind, note: String::new() };
    actions::invite(desk.relay.app.clone(), from.clone(), command_id, command).await.unwrap();
    invitation
}

/// Open, and who is asked.
async fn asked(desk: &Desk, id: &InvitationId) -> (bool, Option<yingke_shared::ids::AgentId>) {
    let id = id.clone();
    let row = desk.read(move |tx| store::load_invitation(tx, &id)).await.unwrap();
    (row.is_open, row.invitation.offered_to)
}

#[tokio::test]
async fn away_while_a_transfer_is_pending() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    let ben = desk.agent("Ben", 3).await;
    let to_ben = Invitee::Agent { agent_id: ben.agent_id.clone() };
    // Who is asked goes away: it returns to Ana at once.
    let first = ask(&desk, &ana, &id, to_ben.clone()).await;
    desk.choose(&ben, Availability::Away).await;
    desk.until("returned", async |desk| !asked(desk, &first).await.0).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()));
    // Who asks goes away: it is over with the conversation.
    desk.choose(&ben, Availability::Online).await;
    let second = ask(&desk, &ana, &id, to_ben).await;
    desk.choose(&ana, Availability::Away).await;
    assert_eq!(desk.ended(&id).await, EndedBy::AgentAway);
    desk.until("closed", async |desk| !asked(desk, &second).await.0).await;
    let late = AnswerInvitation { invitation_id: second, accept: true };
    let app = desk.relay.app.clone();
    assert!(actions::answer(app, ben.clone(), any_id(), late).await.is_err());
    assert_eq!(desk.serves(&ben).await, 0);
}

#[tokio::test]
async fn a_department_is_asked_one_after_the_other_and_then_it_returns() {
    let mut desk = Desk::open().await;
    let ana = desk.agent("Ana", 3).await;
    let (_, id) = desk.visitor().await;
    desk.served(&id, &ana).await;
    desk.relay.answer(&ana, &id, "a1", "您好").await.unwrap();
    let ben = desk.agent("Ben", 1).await;
    let cai = desk.agent("Cai", 1).await;
    let department_id = crate::settings::queries::default_department().unwrap();
    let invitation = ask(&desk, &ana, &id, Invitee::Department { department_id }).await;
    let (first, second) = {
        desk.until("offered", async |desk| asked(desk, &invitation).await.1.is_some()).await;
        let first = asked(&desk, &invitation).await.1.unwrap();
        if first == ben.agent_id { (first, cai.agent_id) } else { (first, ben.agent_id) }
    };
    desk.pass(61 * SECOND).await;
    desk.until("the next", async |desk| asked(desk, &invitation).await.1.as_ref() == Some(&second))
        .await;
    assert_ne!(first, second);
    desk.pass(61 * SECOND).await;
    desk.until("returned", async |desk| !asked(desk, &invitation).await.0).await;
    assert_eq!(desk.agent_of(&id).await, Some(ana.agent_id.clone()), "it stays with who asked");
}
