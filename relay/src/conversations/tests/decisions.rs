//! What routing decides, carried out: on every screen as a fresh look shows it, and not at all once the
//! world moved on.

use yingke_shared::explanation::AssignedHow;
use yingke_shared::ids::{ConversationId, Seq};
use yingke_shared::views::{
    AutoReply, EndedBy, InvitationEnd, InvitationKind, Invitee, ManagerAlertKind, RequeueReason,
    WaitingReason,
};

use super::crew::Crew;
use crate::auth::StaffIdentity;
use crate::conversations::Asked;
use crate::conversations::actions::{self, Carried};
use crate::settings::queries::default_department;
use crate::testing::Screens;

const DONE: Carried = Carried::Done;
const OVERTAKEN: Carried = Carried::Overtaken;

/// After whatever was said.
fn later() -> Seq {
    Seq::new(1_000).unwrap()
}

/// Puts it back because the agent is signed out, as all agents of these tests are.
async fn put_back(
    crew: &Crew,
    id: &ConversationId,
    from: &StaffIdentity,
    why: RequeueReason,
) -> Carried {
    let from = from.agent_id.clone();
    actions::put_back(&crew.relay.app, id.clone(), from, why).await.unwrap()
}

async fn screens(crew: &Crew) -> Screens {
    let staff = [&crew.ana, &crew.ben, &crew.cai, &crew.mia];
    Screens::take(&crew.relay, &staff, &[&crew.vera, &crew.viktor]).await
}

#[tokio::test]
async fn a_conversation_from_hand_to_hand() {
    let crew = Crew::gather().await;
    let (relay, app) = (&crew.relay, &crew.relay.app);
    let mut screens = screens(&crew).await;
    let (id, _) = relay.say(&crew.vera, "v1", "在吗").await.unwrap();
    let asked = Asked {
        department_id: default_department().unwrap(),
        skill_id: None,
        rule_id: None,
        own_agent_id: None,
        own_named: false,
        vip: true,
        priority: 3,
    };
    let route = async || actions::route(app, id.clone(), asked.clone(), "{}".into()).await.unwrap();
    assert_eq!(route().await, DONE);
    assert_eq!(route().await, OVERTAKEN, "the rules are asked once");
    screens.check(relay, "the rules' answer").await;
    actions::set_waiting_reason(app, id.clone(), WaitingReason::AllFull).await.unwrap();
    relay.claim(&id, &crew.ana).await;
    screens.check(relay, "an assignment").await;

    let tell =
        async || actions::tell_managers(app, id.clone(), ManagerAlertKind::NoAnswer).await.unwrap();
    assert_eq!((tell().await, tell().await), (DONE, OVERTAKEN));
    screens.check(relay, "managers told").await;
    let how = AssignedHow::MemberStayed {};
    let (from, to) = (crew.ana.agent_id.clone(), crew.ben.agent_id.clone());
    let pass = async || {
        let (id, from, to, how) = (id.clone(), from.clone(), to.clone(), how.clone());
        actions::pass_unanswered(app, id, from, to, how).await.unwrap()
    };
    assert_eq!((pass().await, pass().await), (DONE, OVERTAKEN));
    screens.check(relay, "passed on for want of an answer").await;
    let say = async |reply| actions::say_by_itself(app, id.clone(), reply, later()).await.unwrap();
    assert_eq!(say(AutoReply::AskVisitor).await, OVERTAKEN, "the visitor waits");
    assert_eq!(say(AutoReply::ExplainDelay).await, DONE);
    assert_eq!(say(AutoReply::ExplainDelay).await, OVERTAKEN, "once a chain");
    screens.check(relay, "an explanation").await;

    assert_eq!(put_back(&crew, &id, &crew.ben, RequeueReason::AgentLost).await, OVERTAKEN);
    assert_eq!(put_back(&crew, &id, &crew.ana, RequeueReason::NoAnswer).await, OVERTAKEN);
    assert_eq!(put_back(&crew, &id, &crew.ben, RequeueReason::NoAnswer).await, DONE);
    screens.check(relay, "back in line").await;
    relay.claim(&id, &crew.ana).await;
    relay.answer(&crew.ana, &id, "a1", "您好").await.unwrap();
    screens.check(relay, "an answer, and managers need not look").await;
    assert_eq!(put_back(&crew, &id, &crew.ana, RequeueReason::NoAnswer).await, OVERTAKEN);
    assert_eq!(put_back(&crew, &id, &crew.ana, RequeueReason::AgentRemoved).await, OVERTAKEN);
    for reply in [AutoReply::AskVisitor, AutoReply::WarnVisitor] {
        assert_eq!((say(reply).await, say(reply).await), (DONE, OVERTAKEN));
        screens.check(relay, "said by itself").await;
    }
    assert_eq!(say(AutoReply::ExplainDelay).await, OVERTAKEN, "it is answered");

    assert_eq!(put_back(&crew, &id, &crew.ana, RequeueReason::AgentSignedOut).await, DONE);
    assert_eq!(actions::file(app, id.clone()).await.unwrap(), DONE);
    screens.check(relay, "a leave-message").await;
    assert_eq!(actions::file(app, id.clone()).await.unwrap(), OVERTAKEN);
    let status = crew.record(&id).await.status;
    let by = EndedBy::LeaveMessage;
    assert!(matches!(
        status,
        yingke_shared::views::ConversationStatus::Ended { by: ended, .. } if ended == by
    ));
}

#[tokio::test]
async fn members_and_invitations() {
    let crew = Crew::gather().await;
    let (relay, app) = (&crew.relay, &crew.relay.app);
    let id = crew.served_by(&crew.ana).await;
    let mut screens = screens(&crew).await;
    crew.join(&crew.ana, &id, &crew.ben).await;
    crew.join(&crew.ana, &id, &crew.cai).await;
    let (ana, ben, cai) =
        (crew.ana.agent_id.clone(), crew.ben.agent_id.clone(), crew.cai.agent_id.clone());
    let drop = async || actions::drop_member(app, id.clone(), cai.clone()).await.unwrap();
    assert_eq!((drop().await, drop().await), (DONE, OVERTAKEN));
    screens.check(relay, "a member who is gone").await;
    let stay =
        async || actions::pass_to_member(app, id.clone(), ana.clone(), ben.clone()).await.unwrap();
    assert_eq!((stay().await, stay().await), (DONE, OVERTAKEN));
    screens.check(relay, "the other goes on").await;

    let department_id = default_department().unwrap();
    let to = Invitee::Department { department_id };
    let invitation = crew.invite(&crew.ben, &id, to, InvitationKind::Transfer).await.unwrap();
    let offer = async |to| actions::offer_to(app, invitation.clone(), to).await.unwrap();
    assert_eq!(offer(cai.clone()).await, DONE);
    screens.check(relay, "one of the department is asked").await;
    assert_eq!(offer(ana.clone()).await, OVERTAKEN, "Cai has not answered");
    relay.pass(61_000);
    assert_eq!(offer(ana.clone()).await, DONE);
    screens.check(relay, "the next one is asked").await;
    let back = async || {
        let why = InvitationEnd::Expired;
        actions::give_back(app, invitation.clone(), why).await.unwrap()
    };
    assert_eq!((back().await, back().await), (DONE, OVERTAKEN));
    screens.check(relay, "it returned").await;
}

#[tokio::test]
async fn ends_that_routing_decides() {
    let crew = Crew::gather().await;
    let (relay, app) = (&crew.relay, &crew.relay.app);
    let id = crew.served_by(&crew.ana).await;
    let mut screens = screens(&crew).await;
    let silent = async || actions::end_of_silent(app, id.clone(), later()).await.unwrap();
    assert_eq!(silent().await, OVERTAKEN, "it is the agent who is silent");
    assert_eq!(actions::end_of_away(app, id.clone()).await.unwrap(), OVERTAKEN);
    relay.answer(&crew.ana, &id, "a1", "您好").await.unwrap();
    assert_eq!((silent().await, silent().await), (DONE, OVERTAKEN));
    screens.check(relay, "an end for silence").await;
}
