//! Decisions whose reason is gone when they are carried out, by a word, a return, another account, or
//! a clock that was set.

use yingke_shared::commands::staff::WatchConversation;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::StaffEventBody;
use yingke_shared::explanation::{AssignedHow, Cause, Explanation};
use yingke_shared::ids::{ConversationId, InvitationId, Position, Seq};
use yingke_shared::rest::ChangeAgent;
use yingke_shared::settings::{DepartmentSettings, SaveSettings, SettingsSection};
use yingke_shared::views::{AutoReply, InvitationEnd, InvitationKind, Invitee, RequeueReason};

use super::crew::Crew;
use crate::auth::StaffIdentity;
use crate::conversations::actions::{self, Carried};
use crate::conversations::{Asked, ClaimOutcome, queries, store};
use crate::settings::queries::{default_department, department};
use crate::testing::{TestRelay, admin};
use crate::{agents, settings};

const DONE: Carried = Carried::Done;
const OVERTAKEN: Carried = Carried::Overtaken;

fn seq(number: u64) -> Seq {
    Seq::new(number).unwrap()
}

#[tokio::test]
async fn a_new_word_of_the_agent_begins_a_new_silence() {
    let crew = Crew::gather().await;
    let app = &crew.relay.app;
    let id = crew.served_by(&crew.ana).await;
    let (_, word) = crew.relay.answer(&crew.ana, &id, "a1", "您好").await.unwrap();
    let (_, newer) = crew.relay.answer(&crew.ana, &id, "a2", "还在吗").await.unwrap();
    let say = async |reply, said| {
        actions::say_by_itself(app, id.clone(), reply, seq(said)).await.unwrap()
    };
    assert_eq!(say(AutoReply::AskVisitor, word).await, OVERTAKEN);
    assert_eq!(say(AutoReply::WarnVisitor, word).await, OVERTAKEN);
    let end = async |said| actions::end_of_silent(app, id.clone(), seq(said)).await.unwrap();
    assert_eq!(end(word).await, OVERTAKEN, "the visitor had no time to answer");
    assert_eq!(say(AutoReply::AskVisitor, newer).await, DONE);
    // What the relay says itself is no word.
    assert_eq!(end(newer).await, DONE);
}

#[tokio::test]
async fn a_member_who_is_there_again_stays() {
    let crew = Crew::gather().await;
    let app = &crew.relay.app;
    let id = crew.served_by(&crew.ana).await;
    crew.join(&crew.ana, &id, &crew.ben).await;
    crew.sign_in(&crew.ben).await;
    let ben = crew.ben.agent_id.clone();
    let drop = async || actions::drop_member(app, id.clone(), ben.clone()).await.unwrap();
    assert_eq!(drop().await, OVERTAKEN);
    assert_eq!(
        agents::presence::gone(app, ben.clone()).await.unwrap(),
        agents::presence::Gone::Lost
    );
    assert_eq!(drop().await, DONE);
}

/// Order is the log's: an answer is one however the clock was set meanwhile.
#[tokio::test]
async fn an_answer_counts_after_the_clock_was_set_back() {
    let crew = Crew::gather().await;
    let (relay, app) = (&crew.relay, &crew.relay.app);
    let id = crew.served_by(&crew.ana).await;
    assert_eq!(
        actions::say_by_itself(app, id.clone(), AutoReply::ExplainDelay, seq(1_000)).await.unwrap(),
        DONE
    );
    let hour = 3_600_000;
    relay.set_clock(app.world.now().millis() - hour);
    relay.say(&crew.vera, "v2", "有人吗").await.unwrap();
    assert_eq!(
        actions::say_by_itself(app, id.clone(), AutoReply::ExplainDelay, seq(1_000)).await.unwrap(),
        OVERTAKEN,
        "once a chain, whatever the clock shows"
    );
    relay.answer(&crew.ana, &id, "a1", "您好").await.unwrap();
    relay.say(&crew.vera, "v3", "还有一个问题").await.unwrap();
    let from = crew.ana.agent_id.clone();
    let back = actions::put_back(app, id.clone(), from, RequeueReason::NoAnswer).await.unwrap();
    assert_eq!(back, OVERTAKEN, "she answered");
    crew.take_over(&crew.mia, &id).await.unwrap();
    let from = crew.mia.agent_id.clone();
    let back = actions::put_back(app, id.clone(), from, RequeueReason::NoAnswer).await.unwrap();
    assert_eq!(back, DONE, "Mia did not");
}

fn because() -> AssignedHow {
    let why = Explanation {
        cause: Cause::Waited { for_ms: 0 },
        rule: None,
        department_id: default_department().unwrap(),
        skill_id: None,
        own_agent: None,
        candidates: Vec::new(),
        unlisted: 0,
    };
    AssignedHow::Routing { why }
}

fn asks_for(department_id: &str, own: Option<&StaffIdentity>) -> Asked {
    Asked {
        department_id: department_id.parse().unwrap(),
        skill_id: None,
        rule_id: None,
        own_agent_id: own.map(|who| who.agent_id.clone()),
        own_named: own.is_some(),
        vip: false,
        priority: 0,
    }
}

async fn save_departments(relay: &TestRelay, all: &[&str]) {
    let read = relay.app.store.read("departments", settings::queries::departments).await.unwrap();
    let named = |id: &&str| {
        let set = department(id.parse().unwrap());
        DepartmentSettings { name: (*id).to_owned(), ..set }
    };
    let section = SettingsSection::Departments(all.iter().map(named).collect());
    let request = SaveSettings { base: read.version, section };
    settings::actions::save(&relay.app, &admin(), request).await.unwrap();
}

/// B03: who was taken out of a department gets nothing of it that was decided before.
#[tokio::test]
async fn routing_gives_nothing_to_who_does_not_answer_there_any_more() {
    let crew = Crew::gather().await;
    let (relay, app) = (&crew.relay, &crew.relay.app);
    save_departments(relay, &["default", "sales"]).await;
    let (id, _) = relay.say(&crew.vera, "v1", "在吗").await.unwrap();
    let asked = asks_for("sales", None);
    assert_eq!(actions::route(app, id.clone(), asked, "{}".into()).await.unwrap(), DONE);
    let to = crew.ana.agent_id.clone();
    let claim = async || actions::claim(app, id.clone(), to.clone(), because()).await.unwrap();
    assert_eq!(claim().await, ClaimOutcome::AgentNotEligible);
    let change =
        ChangeAgent { departments: Some(vec!["sales".parse().unwrap()]), ..Default::default() };
    agents::actions::change(app, &admin(), to.clone(), change).await.unwrap();
    assert_eq!(claim().await, ClaimOutcome::Claimed);
    // One who was named may come from anywhere.
    let (his, _) = relay.say(&crew.viktor, "v1", "在吗").await.unwrap();
    let asked = asks_for("sales", Some(&crew.ben));
    actions::route(app, his.clone(), asked, "{}".into()).await.unwrap();
    let ben = crew.ben.agent_id.clone();
    let named = actions::claim(app, his, ben, because()).await.unwrap();
    assert_eq!(named, ClaimOutcome::Claimed);
}

/// A department that went while the rules were asked is nobody's.
#[tokio::test]
async fn nothing_is_put_into_a_department_that_is_gone() {
    let crew = Crew::gather().await;
    let (relay, app) = (&crew.relay, &crew.relay.app);
    let (id, _) = relay.say(&crew.vera, "v1", "在吗").await.unwrap();
    let route =
        async |to| actions::route(app, id.clone(), asks_for(to, None), "{}".into()).await.unwrap();
    assert_eq!(route("gone").await, DONE);
    let first = default_department().unwrap();
    assert_eq!(crew.record(&id).await.department_id, Some(first));
    assert_eq!(route("gone").await, OVERTAKEN);
}

/// What those who see the conversation are told of its invitations, in order: over, and why.
async fn told(crew: &Crew, id: &ConversationId) -> Vec<Option<(InvitationId, InvitationEnd)>> {
    let (mut all, mut position) = (Vec::new(), Position::ZERO);
    let mut log = crew.relay.app.store.subscribe(position);
    while position < crew.relay.head().await {
        for entry in log.next().await.unwrap() {
            position = entry.position;
            let of = entry.clone();
            let read = crew.relay.app.store.read("told", move |tx| queries::for_seeing(tx, &of));
            if let Some(StaffEventBody::InvitationsChanged { conversation_id, over, .. }) =
                read.await.unwrap()
                && conversation_id == *id
            {
                all.push(over.map(|over| (over.invitation.id, over.why)));
            }
        }
    }
    all
}

/// F03: who asked is told what became of it.
#[tokio::test]
async fn it_is_told_how_an_invitation_ended() {
    let crew = Crew::gather().await;
    let app = &crew.relay.app;
    let id = crew.served_by(&crew.ana).await;
    let mut expected = Vec::new();
    let mut over = |id: &InvitationId, why| expected.extend([None, None, Some((id.clone(), why))]);
    let kind = InvitationKind::Join;
    let one = crew.ask(&crew.ana, &id, &crew.ben, kind).await.unwrap();
    crew.answer(&crew.ben, &one, false).await.unwrap();
    over(&one, InvitationEnd::Declined);
    let one = crew.ask(&crew.ana, &id, &crew.ben, kind).await.unwrap();
    crew.withdraw(&crew.ana, &one).await.unwrap();
    over(&one, InvitationEnd::Withdrawn);
    let one = crew.ask(&crew.ana, &id, &crew.ben, kind).await.unwrap();
    actions::give_back(app, one.clone(), InvitationEnd::Expired).await.unwrap();
    over(&one, InvitationEnd::Expired);
    let one = crew.ask(&crew.ana, &id, &crew.ben, kind).await.unwrap();
    crew.answer(&crew.ben, &one, true).await.unwrap();
    over(&one, InvitationEnd::Accepted);
    assert_eq!(told(&crew, &id).await, expected);
}

/// Whoever of a department let the time go by did not say no.
#[tokio::test]
async fn who_was_asked_in_vain_is_told_why_it_is_over() {
    let crew = Crew::gather().await;
    let app = &crew.relay.app;
    let id = crew.served_by(&crew.ana).await;
    let to = Invitee::Department { department_id: default_department().unwrap() };
    let asked = crew.invite(&crew.ana, &id, to, InvitationKind::Transfer).await.unwrap();
    let offer = async |to: &StaffIdentity| {
        actions::offer_to(app, asked.clone(), to.agent_id.clone()).await.unwrap()
    };
    assert_eq!(offer(&crew.ben).await, DONE);
    crew.relay.pass(61_000);
    assert_eq!(offer(&crew.cai).await, DONE);
    crew.answer(&crew.cai, &asked, false).await.unwrap();
    let (mut ends, mut position) = (Vec::new(), Position::ZERO);
    let mut log = app.store.subscribe(position);
    while position < crew.relay.head().await {
        for entry in log.next().await.unwrap() {
            position = entry.position;
            let read = app.store.read("told", move |tx| queries::for_invited(tx, &entry));
            ends.extend(read.await.unwrap().into_iter().filter_map(
                |(agent_id, body)| match body {
                    StaffEventBody::InvitationClosed { why, .. } => Some((agent_id, why)),
                    _ => None,
                },
            ));
        }
    }
    let (ben, cai) = (crew.ben.agent_id.clone(), crew.cai.agent_id.clone());
    assert_eq!(ends, [(ben, InvitationEnd::Expired), (cai, InvitationEnd::Declined)]);
}

/// F01, F05: one of the department who came in unasked is asked no more, whatever routing decided a
/// moment before.
#[tokio::test]
async fn whoever_takes_part_is_not_asked_to() {
    let crew = Crew::gather().await;
    let app = &crew.relay.app;
    let id = crew.served_by(&crew.ana).await;
    let to = Invitee::Department { department_id: default_department().unwrap() };
    let asked = crew.invite(&crew.ana, &id, to, InvitationKind::Join).await.unwrap();
    crew.join(&crew.ana, &id, &crew.ben).await;
    let offer = async |to: &StaffIdentity| {
        actions::offer_to(app, asked.clone(), to.agent_id.clone()).await.unwrap()
    };
    assert_eq!(offer(&crew.ben).await, Carried::Unfit);
    assert_eq!(offer(&crew.ana).await, Carried::Unfit, "who serves it");
    assert_eq!(offer(&crew.cai).await, DONE);
}

/// F05: asking again for what is watched already may fail; what is watched stays watched.
#[tokio::test]
async fn a_second_look_that_fails_does_not_end_the_first() {
    let crew = Crew::gather().await;
    let app = &crew.relay.app;
    let id = crew.served_by(&crew.ana).await;
    let seat = crew.seat_of_mia();
    let watch = async || {
        let command = WatchConversation { conversation_id: id.clone() };
        let watched = actions::watch(app.clone(), crew.mia.clone(), seat.clone(), command).await;
        watched.map_err(|error| error.code())
    };
    watch().await.unwrap();
    assert!(app.hub.is_watched(&id));
    app.store.close().await;
    assert_eq!(watch().await.unwrap_err(), ErrorCode::Unavailable);
    assert!(app.hub.is_watched(&id));
}

/// An alert is read by the id of its conversation, and is the one of the list.
#[tokio::test]
async fn an_alert_is_the_one_of_the_list() {
    let crew = Crew::gather().await;
    let app = &crew.relay.app;
    let (hers, his) = (crew.served_by(&crew.ana).await, crew.served_by_viktor(&crew.ben).await);
    let what = yingke_shared::views::ManagerAlertKind::NoAnswer;
    actions::tell_managers(app, hers.clone(), what).await.unwrap();
    let read = app.store.read("alerts", move |tx| {
        Ok((store::alerts(tx, 500)?, store::alert(tx, &hers)?, store::alert(tx, &his)?))
    });
    let (all, of_hers, of_his) = read.await.unwrap();
    assert_eq!((of_hers.as_ref(), of_his), (all.first(), None));
}
