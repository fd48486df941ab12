//! Invitations: who may ask whom, once each; what closes them; too late is told as too late.

use yingke_shared::commands::staff::Invite;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::InvitationId;
use yingke_shared::views::{
    Availability, ConversationStatus, InvitationKind, Invitee, SystemNotice,
};

use super::crew::Crew;
use crate::conversations::actions;
use crate::settings::DEFAULT_DEPARTMENT;
use crate::testing::{Screens, client};

fn default_department() -> Invitee {
    Invitee::Department { department_id: DEFAULT_DEPARTMENT.parse().unwrap() }
}

#[tokio::test]
async fn only_a_colleague_who_is_there_and_not_in_it_is_asked_once() {
    use InvitationKind::{Join, Transfer};
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, .. } = &crew;
    let tom = relay.agent("Tom").await;
    let id = crew.served_by(ana).await;
    assert_eq!(crew.ask(ana, &id, &tom, Join).await, Err(ErrorCode::AgentUnavailable));
    assert_eq!(crew.ask(ana, &id, ana, Join).await, Err(ErrorCode::AlreadyExists));
    assert_eq!(crew.ask(ben, &id, cai, Join).await, Err(ErrorCode::NotFound), "not his");
    assert_eq!(crew.ask(mia, &id, cai, Join).await, Err(ErrorCode::Forbidden), "not in it");
    crew.choose(ben, Availability::Busy, false).await.unwrap();
    assert_eq!(crew.ask(ana, &id, ben, Transfer).await, Err(ErrorCode::AgentUnavailable));
    crew.choose(ben, Availability::Online, false).await.unwrap();
    crew.ask(ana, &id, ben, Transfer).await.unwrap();
    assert_eq!(crew.ask(ana, &id, ben, Join).await, Err(ErrorCode::AlreadyExists));
    crew.invite(ana, &id, default_department(), Join).await.unwrap();
    let twice = crew.invite(ana, &id, default_department(), Transfer).await;
    assert_eq!(twice, Err(ErrorCode::AlreadyExists));
    let nowhere = Invitee::Department { department_id: "nowhere".parse().unwrap() };
    assert_eq!(crew.invite(ana, &id, nowhere, Join).await, Err(ErrorCode::Invalid));

    // The same command again is the same invitation; its id for another is refused.
    let invite = |note: &str| Invite {
        conversation_id: id.clone(),
        to: Invitee::Agent { agent_id: cai.agent_id.clone() },
        kind: Join,
        note: note.into(),
    };
    for _ in 0..2 {
        act!(relay, invite, ana, client("i1"), invite("")).unwrap();
    }
    assert_eq!(crew.record(&id).await.invitations.len(), 3);
    assert_eq!(act!(relay, invite, ana, client("i1"), invite("x")), Err(ErrorCode::IdReused));
    let long = "长".repeat(501);
    assert_eq!(act!(relay, invite, ana, invite(&long)), Err(ErrorCode::TooLarge));
    relay.end(ana, &id).await.unwrap();
    assert_eq!(crew.ask(ana, &id, ben, Join).await, Err(ErrorCode::ConversationEnded));
    assert!(relay.staff_screen(ben).await.invitations.is_empty(), "over with the end");
}

#[tokio::test]
async fn who_is_asked_may_read_and_nothing_else() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, .. } = &crew;
    let id = crew.served_by(ana).await;
    let asked = crew.ask(ana, &id, ben, InvitationKind::Join).await.unwrap();
    let read = |who: &crate::auth::StaffIdentity| {
        let (app, who, id) = (relay.app.clone(), who.clone(), id.clone());
        async move {
            let found = crate::conversations::actions::load_conversation(&app, who, id).await;
            found.map(|record| record.id).map_err(|error| error.code())
        }
    };
    assert_eq!(read(ben).await, Ok(id.clone()));
    assert_eq!(relay.answer(ben, &id, "b1", "您好").await, Err(ErrorCode::Forbidden));
    assert_eq!(relay.end(ben, &id).await, Err(ErrorCode::Forbidden));
    assert_eq!(read(&crew.cai).await, Err(ErrorCode::NotFound));
    crew.answer(ben, &asked, false).await.unwrap();
    assert_eq!(read(ben).await, Err(ErrorCode::NotFound));
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_told_so() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, .. } = &crew;
    let id = crew.served_by(ana).await;
    let withdrawn = crew.ask(ana, &id, ben, InvitationKind::Transfer).await.unwrap();
    assert_eq!(crew.answer(cai, &withdrawn, true).await, Err(ErrorCode::NotFound));
    assert_eq!(crew.withdraw(ben, &withdrawn).await, Err(ErrorCode::NotFound));
    crew.withdraw(ana, &withdrawn).await.unwrap();
    assert_eq!(crew.withdraw(ana, &withdrawn).await, Err(ErrorCode::Overtaken));
    assert_eq!(crew.answer(ben, &withdrawn, true).await, Err(ErrorCode::Overtaken));
    let nothing = InvitationId::new("nothing").unwrap();
    assert_eq!(crew.answer(ben, &nothing, true).await, Err(ErrorCode::NotFound));

    // Of two who are asked to take over, the first has it.
    let to_ben = crew.ask(ana, &id, ben, InvitationKind::Transfer).await.unwrap();
    let to_cai = crew.ask(ana, &id, cai, InvitationKind::Transfer).await.unwrap();
    crew.answer(ben, &to_ben, true).await.unwrap();
    assert_eq!(crew.answer(cai, &to_cai, true).await, Err(ErrorCode::Overtaken));
    assert_eq!(crew.answer(ben, &to_ben, true).await, Err(ErrorCode::Overtaken));
    let by_ben = ConversationStatus::Serving { agent_id: ben.agent_id.clone() };
    assert_eq!(crew.record(&id).await.status, by_ben);
    assert!(relay.staff_screen(cai).await.invitations.is_empty());
}

#[tokio::test]
async fn a_member_may_ask_for_a_transfer_too() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    let id = crew.served_by(ana).await;
    crew.join(ana, &id, ben).await;
    let transfer = crew.ask(ben, &id, cai, InvitationKind::Transfer).await.unwrap();
    crew.answer(cai, &transfer, true).await.unwrap();
    screens.check(relay, "a transfer by a member").await;
    let record = crew.record(&id).await;
    assert_eq!(record.status, ConversationStatus::Serving { agent_id: cai.agent_id.clone() });
    assert_eq!(record.members, std::slice::from_ref(&ana.agent_id), "who asked left, Ana stays");
    // Whoever takes part already and takes over leaves nobody behind.
    crew.leave(cai, &id).await.unwrap();
    screens.check(relay, "back with Ana").await;
    assert!(crew.record(&id).await.members.is_empty());
}

#[tokio::test]
async fn a_department_is_asked_one_after_the_other() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    let id = crew.served_by(ana).await;
    let asked =
        crew.invite(ana, &id, default_department(), InvitationKind::Transfer).await.unwrap();
    screens.check(relay, "a department is asked").await;
    for who in [ben, cai] {
        let (invitation, agent_id) = (asked.clone(), who.agent_id.clone());
        actions::offer_to(&relay.app, invitation, agent_id).await.unwrap();
        screens.check(relay, "one of it is asked").await;
        assert_eq!(relay.staff_screen(who).await.invitations.len(), 1);
        if who.agent_id == ben.agent_id {
            crew.answer(ben, &asked, false).await.unwrap();
            screens.check(relay, "and says no").await;
            let open = crew.record(&id).await.invitations;
            assert_eq!(open.len(), 1, "it stays open");
            assert_eq!(open[0].offered_to, None);
            assert_eq!(crew.answer(ben, &asked, true).await, Err(ErrorCode::Overtaken));
        }
    }
    crew.answer(cai, &asked, true).await.unwrap();
    screens.check(relay, "the other accepts").await;
    let last = crew.notices(&id).await.pop();
    assert!(matches!(last, Some(SystemNotice::Transferred { agent }) if agent.id == cai.agent_id));
}

#[tokio::test]
async fn there_is_an_end_to_invitations_and_members() {
    use crate::limits::{INVITATIONS_OPEN_MAX, MEMBERS_MAX};
    let crew = Crew::gather().await;
    let Crew { relay, ana, mia, .. } = &crew;
    let id = crew.served_by(ana).await;
    let mut seats = Vec::new();
    for n in 0..=MEMBERS_MAX.max(INVITATIONS_OPEN_MAX) {
        let one = relay.agent(&format!("Agent {n}")).await;
        let mailbox = std::sync::Arc::default();
        seats.push(relay.app.hub.join_staff(&one.agent_id, one.role, &one.session, &mailbox));
        let asked = crew.ask(ana, &id, &one, InvitationKind::Join).await;
        if n < MEMBERS_MAX {
            crew.answer(&one, &asked.unwrap(), true).await.unwrap();
        } else {
            assert_eq!(crew.answer(&one, &asked.unwrap(), true).await, Err(ErrorCode::Invalid));
        }
    }
    assert_eq!(crew.enter(mia, &id).await, Err(ErrorCode::Invalid));
    assert_eq!(crew.record(&id).await.members.len(), MEMBERS_MAX);
}
