//! A conversation in many hands: assigned, joined, transferred, entered, taken over, handed back,
//! begun by an agent. After each step every screen is what a fresh look shows, and nothing that was
//! said is lost.

use std::sync::Arc;

use yingke_shared::commands::staff::{AddNote, Assign, StartConversation};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::ids::{ConversationId, VisitorId};
use yingke_shared::views::{
    Availability, ConversationStatus, InvitationKind, RequeueReason, Role, SystemNotice,
    VisitorAuthor, VisitorStatus,
};

use super::crew::Crew;
use crate::conversations::actions;
use crate::testing::{Screens, any_id, client};

#[tokio::test]
async fn through_many_hands_the_law_holds_and_nothing_is_lost() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, viktor, .. } = &crew;
    let mut screens = Screens::take(relay, &[ana, ben, cai, mia], &[vera, viktor]).await;
    let id = crew.served_by(ana).await;
    screens.check(relay, "assigned by hand").await;

    let first = crew.ask(ana, &id, ben, InvitationKind::Join).await.unwrap();
    screens.check(relay, "an invitation").await;
    assert_eq!(relay.staff_screen(ben).await.invitations.len(), 1);
    crew.answer(ben, &first, false).await.unwrap();
    screens.check(relay, "a refusal").await;
    let again = crew.ask(ana, &id, ben, InvitationKind::Join).await.unwrap();
    relay.say(vera, "v1", "还在吗").await.unwrap();
    crew.answer(ben, &again, true).await.unwrap();
    screens.check(relay, "a third one joins").await;
    relay.answer(ben, &id, "b1", "我来看看").await.unwrap();
    relay.view(ben, &id, 4).await.unwrap();
    relay.view(ana, &id, 5).await.unwrap();
    relay.visitor_marks(vera, &id, 5, 5).await.unwrap();
    screens.check(relay, "a member writes and reads").await;

    let transfer = crew.ask(ana, &id, cai, InvitationKind::Transfer).await.unwrap();
    let other = crew.ask(ben, &id, mia, InvitationKind::Join).await.unwrap();
    screens.check(relay, "two invitations").await;
    relay.answer(ana, &id, "a1", "转给同事").await.unwrap();
    relay.say(vera, "v2", "好的").await.unwrap();
    crew.answer(cai, &transfer, true).await.unwrap();
    screens.check(relay, "a transfer").await;
    let record = crew.record(&id).await;
    assert_eq!(record.status, ConversationStatus::Serving { agent_id: cai.agent_id.clone() });
    assert_eq!(record.members, std::slice::from_ref(&ben.agent_id), "who joined stays");
    assert_eq!(record.invitations.len(), 1, "Ben still asks Mia");
    assert_eq!(relay.answer(ana, &id, "a2", "？").await, Err(ErrorCode::Forbidden));
    crew.withdraw(ben, &other).await.unwrap();
    screens.check(relay, "withdrawn").await;

    crew.enter(mia, &id).await.unwrap();
    screens.check(relay, "a manager enters").await;
    crew.leave(mia, &id).await.unwrap();
    screens.check(relay, "and leaves").await;
    crew.leave(cai, &id).await.unwrap();
    screens.check(relay, "who serves leaves, a member goes on").await;
    let by_ben = ConversationStatus::Serving { agent_id: ben.agent_id.clone() };
    assert_eq!(crew.record(&id).await.status, by_ben);
    crew.join(ben, &id, ana).await;
    crew.take_over(mia, &id).await.unwrap();
    screens.check(relay, "taken over").await;
    relay.say(vera, "v3", "换人了？").await.unwrap();
    crew.hand_back(mia, &id).await.unwrap();
    screens.check(relay, "handed back").await;
    let record = crew.record(&id).await;
    assert!(matches!(record.status, ConversationStatus::Waiting { .. }));
    assert!(record.members.is_empty() && record.assigned_at.is_none());

    relay.say(vera, "v4", "有人吗").await.unwrap();
    crew.assign(&id, ben).await.unwrap();
    relay.end(ben, &id).await.unwrap();
    screens.check(relay, "an end").await;

    // Every text of everybody is there once, in the order in which it was said.
    let said = relay.visitor_screen(vera).await.messages;
    assert!(said.windows(2).all(|pair| pair[1].seq == pair[0].seq.next()));
    let said: Vec<_> = said
        .iter()
        .filter(|message| message.author != VisitorAuthor::System)
        .map(|message| message.client_id.as_str())
        .collect();
    assert_eq!(said[1..], ["v1", "b1", "a1", "v2", "v3", "v4"]);
    let joined = |notice: &SystemNotice| matches!(notice, SystemNotice::AgentJoined { .. });
    let notices = crew.notices(&id).await;
    assert_eq!(notices.iter().filter(|notice| joined(notice)).count(), 1, "then it is another");
    let requeued = SystemNotice::Requeued { why: RequeueReason::HandedOver };
    assert!(notices.contains(&requeued));
}

/// The visitor and the agent before write while another accepts. What was said to be stored is there
/// once, in one order; what was refused is not there; asked again, each gets the answer of before.
#[tokio::test]
async fn what_is_said_while_it_changes_hands_is_there_once_or_refused() {
    let crew = Arc::new(Crew::gather().await);
    let mut refused = 0;
    for round in 0..10 {
        let visitor = crew.relay.visitor().await;
        let (id, _) = crew.relay.say(&visitor, &format!("first{round}"), "在吗").await.unwrap();
        crew.assign(&id, &crew.ana).await.unwrap();
        let transfer = crew.ask(&crew.ana, &id, &crew.ben, InvitationKind::Transfer).await.unwrap();
        let mut sent = Vec::new();
        for n in 0..8 {
            let (name, crew_now, who) = (format!("v{round}-{n}"), crew.clone(), visitor.clone());
            sent.push(tokio::spawn(async move {
                let told = crew_now.relay.say(&who, &name, "还有问题").await;
                (name, told)
            }));
            let (name, crew_now, of) = (format!("a{round}-{n}"), crew.clone(), id.clone());
            sent.push(tokio::spawn(async move {
                let told = crew_now.relay.answer(&crew_now.ana, &of, &name, "稍等").await;
                (name, told)
            }));
            if n == 3 {
                let (crew_now, transfer) = (crew.clone(), transfer.clone());
                let accepted =
                    async move { crew_now.answer(&crew_now.ben, &transfer, true).await.unwrap() };
                tokio::spawn(accepted);
            }
        }
        let mut stored = vec![format!("first{round}")];
        for sending in sent {
            match sending.await.unwrap() {
                (name, Ok((_, seq))) => {
                    let again = match name.starts_with('v') {
                        true => crew.relay.say(&visitor, &name, "还有问题").await,
                        false => crew.relay.answer(&crew.ana, &id, &name, "稍等").await,
                    };
                    assert_eq!(again, Ok((id.clone(), seq)), "{name}");
                    stored.push(name);
                }
                (name, Err(ErrorCode::Forbidden)) if name.starts_with('a') => refused += 1,
                (name, other) => panic!("{name}: {other:?}"),
            }
        }
        crew.relay.answer(&crew.ben, &id, &format!("b{round}"), "我来").await.unwrap();
        stored.push(format!("b{round}"));
        let seen = crew.relay.visitor_screen(&visitor).await.messages;
        assert!(seen.windows(2).all(|pair| pair[1].seq == pair[0].seq.next()), "dense");
        let said = seen.iter().filter(|message| message.author != VisitorAuthor::System);
        let mut said: Vec<_> = said.map(|message| message.client_id.to_string()).collect();
        said.sort();
        stored.sort();
        assert_eq!(said, stored);
    }
    assert!(refused > 0, "the change came in between");
}

#[tokio::test]
async fn why_each_had_it_stands_on_record() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, mia, .. } = &crew;
    let id = crew.served_by(ana).await;
    let transfer = crew.ask(ana, &id, ben, InvitationKind::Transfer).await.unwrap();
    crew.answer(ben, &transfer, true).await.unwrap();
    crew.join(ben, &id, ana).await;
    crew.leave(ben, &id).await.unwrap();
    crew.take_over(mia, &id).await.unwrap();
    let loaded = actions::load_assignments(&relay.app, ana.clone(), id.clone()).await.unwrap();
    let found: Vec<_> = loaded.assignments.into_iter().map(|one| (one.agent_id, one.how)).collect();
    assert_eq!(
        found,
        [
            (ana.agent_id.clone(), AssignedHow::ByHand { by: mia.agent_id.clone() }),
            (ben.agent_id.clone(), AssignedHow::Accepted { from: ana.agent_id.clone() }),
            (ana.agent_id.clone(), AssignedHow::MemberStayed {}),
            (mia.agent_id.clone(), AssignedHow::TookOver {}),
        ]
    );
    let deeds = crew.deeds().await;
    assert_eq!(deeds, [("Mia".into(), "assign".into()), ("Mia".into(), "take_over".into())]);
    let foreign = actions::load_assignments(&relay.app, crew.cai.clone(), id).await;
    assert_eq!(foreign.unwrap_err().code(), ErrorCode::NotFound);
}

#[tokio::test]
async fn of_two_managers_who_assign_at_once_one_is_told() {
    let crew = Arc::new(Crew::gather().await);
    let max = crew.relay.account("Max", Role::Manager, 8).await;
    for round in 0..20 {
        let visitor = crew.relay.visitor().await;
        let (id, _) = crew.relay.say(&visitor, &format!("m{round}"), "在吗").await.unwrap();
        let assign = |who: &crate::auth::StaffIdentity, to: &crate::auth::StaffIdentity| {
            let (conversation_id, agent_id) = (id.clone(), to.agent_id.clone());
            let command = Assign { conversation_id, agent_id, over_capacity: true };
            let (crew, who) = (crew.clone(), who.clone());
            tokio::spawn(async move { act!(crew.relay, assign_by_hand, who, command) })
        };
        let (one, two) = (assign(&crew.mia, &crew.ana), assign(&max, &crew.ben));
        let mut found = [one.await.unwrap().map(|_| ()), two.await.unwrap().map(|_| ())];
        found.sort();
        assert_eq!(found, [Ok(()), Err(ErrorCode::Overtaken)]);
        assert_eq!(crew.notices(&id).await.len(), 1, "one joined, once");
    }
}

#[tokio::test]
async fn leaving_the_line_in_the_instant_of_the_assignment_has_one_winner() {
    let crew = Arc::new(Crew::gather().await);
    for round in 0..20 {
        let visitor = crew.relay.visitor().await;
        let (id, _) = crew.relay.say(&visitor, &format!("m{round}"), "在吗").await.unwrap();
        let assigned = {
            let (crew, id) = (crew.clone(), id.clone());
            tokio::spawn(async move { crew.assign(&id, &crew.ana).await })
        };
        let left = {
            let (crew, who) = (crew.clone(), visitor.clone());
            let command = yingke_shared::commands::visitor::LeaveQueue {};
            tokio::spawn(async move { act!(crew.relay, leave_queue, who, command) })
        };
        let (assigned, left) = (assigned.await.unwrap(), left.await.unwrap());
        let status = crew.relay.visitor_screen(&visitor).await.conversation.unwrap().status;
        match (assigned, left) {
            (Ok(_), Err(ErrorCode::Overtaken)) => {
                assert!(matches!(status, VisitorStatus::Serving { .. }));
                crew.relay.end(&crew.ana, &id).await.unwrap();
            }
            (Err(ErrorCode::Overtaken), Ok(_)) => {
                assert!(matches!(status, VisitorStatus::Ended { .. }));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn assigning_by_hand_asks_for_presence_and_capacity() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, mia, .. } = &crew;
    let tom = relay.account("Tom", Role::Agent, 1).await;
    let (id, _) = relay.say(&crew.vera, "m1", "在吗").await.unwrap();
    assert_eq!(crew.assign(&id, &tom).await, Err(ErrorCode::AgentUnavailable), "not connected");
    crew.choose(ana, Availability::Busy, false).await.unwrap();
    assert_eq!(crew.assign(&id, ana).await, Err(ErrorCode::AgentUnavailable), "busy");
    let mailbox = Arc::default();
    let _seat = relay.app.hub.join_staff(&tom.agent_id, tom.role, &tom.session, &mailbox);
    crew.assign(&id, &tom).await.unwrap();
    let (next, _) = relay.say(&crew.viktor, "m2", "在吗").await.unwrap();
    assert_eq!(crew.assign(&next, &tom).await, Err(ErrorCode::AgentFull));
    let over = |who: &crate::auth::StaffIdentity| {
        let (conversation_id, agent_id) = (next.clone(), tom.agent_id.clone());
        let command = Assign { conversation_id, agent_id, over_capacity: true };
        let (app, who) = (relay.app.clone(), who.clone());
        async move {
            let done = actions::assign_by_hand(app, who, any_id(), command).await;
            done.map_err(|error| error.code())
        }
    };
    assert_eq!(over(&crew.ben).await, Err(ErrorCode::Forbidden));
    over(mia).await.unwrap();
    assert_eq!(over(mia).await, Err(ErrorCode::Overtaken));
}

#[tokio::test]
async fn an_agent_writes_first_to_whom_the_agent_knows() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, vera, viktor, .. } = &crew;
    let start = async |who: &crate::auth::StaffIdentity, id: &str, visitor_id: &VisitorId| {
        let command = StartConversation { visitor_id: visitor_id.clone(), text: "您好".into() };
        let done = act!(relay, start, who, client(id), command)?;
        let yingke_shared::frame::Outcome::Accepted { conversation_id, seq, .. } = done else {
            panic!("{done:?}")
        };
        Ok::<(ConversationId, u64), ErrorCode>((conversation_id, seq.get()))
    };
    assert_eq!(start(ana, "s0", &vera.visitor_id).await, Err(ErrorCode::NotFound));
    let first = crew.served_by(ana).await;
    let mut screens = Screens::take(relay, &[ana, ben], &[vera, viktor]).await;
    assert_eq!(start(ana, "s1", &vera.visitor_id).await, Ok((first.clone(), 4)));
    assert_eq!(start(ana, "s1", &vera.visitor_id).await, Ok((first.clone(), 4)), "once");
    assert_eq!(start(ben, "s2", &vera.visitor_id).await, Err(ErrorCode::NotFound));
    relay.end(ana, &first).await.unwrap();
    screens.check(relay, "an end").await;

    let (second, seq) = start(ana, "s3", &vera.visitor_id).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(seq, 2, "the notice that Ana is there, and no welcome");
    screens.check(relay, "an agent begins").await;
    relay.say(vera, "v9", "您好呀").await.unwrap();
    screens.check(relay, "and is answered").await;
    crew.hand_back(ana, &second).await.unwrap();
    assert_eq!(start(ana, "s4", &vera.visitor_id).await.unwrap().0, second, "taken from the line");
    let transfer = crew.ask(ana, &second, ben, InvitationKind::Transfer).await.unwrap();
    crew.answer(ben, &transfer, true).await.unwrap();
    assert_eq!(start(ana, "s5", &vera.visitor_id).await, Err(ErrorCode::Overtaken));
    screens.check(relay, "another has it").await;
    crew.choose(ana, Availability::Away, false).await.unwrap();
    relay.end(ben, &second).await.unwrap();
    assert_eq!(start(ana, "s6", &vera.visitor_id).await, Err(ErrorCode::AgentUnavailable));

    let contacts = actions::load_contacts(&relay.app, ana.clone()).await.unwrap().contacts;
    let [contact] = contacts.try_into().unwrap();
    assert_eq!((contact.visitor.id, contact.conversation_id), (vera.visitor_id.clone(), second));
    assert!(!contact.is_open && !contact.online);
    assert_eq!(contact.text, "您好");
}

#[tokio::test]
async fn handing_back_is_for_who_serves_or_manages() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, mia, .. } = &crew;
    let id = crew.served_by(ana).await;
    crew.join(ana, &id, ben).await;
    assert_eq!(crew.hand_back(ben, &id).await, Err(ErrorCode::Forbidden));
    assert_eq!(crew.hand_back(&crew.cai, &id).await, Err(ErrorCode::NotFound));
    crew.hand_back(mia, &id).await.unwrap();
    assert_eq!(crew.hand_back(mia, &id).await, Err(ErrorCode::Overtaken));
    assert_eq!(relay.answer(ben, &id, "b", "？").await, Err(ErrorCode::Forbidden));
    assert_eq!(crew.leave(ben, &id).await, Err(ErrorCode::Forbidden));
    crew.assign(&id, ana).await.unwrap();
    assert_eq!(crew.leave(ana, &id).await, Err(ErrorCode::Forbidden), "nobody would go on");
    assert_eq!(crew.take_over(ben, &id).await, Err(ErrorCode::Forbidden));
    assert_eq!(crew.enter(ben, &id).await, Err(ErrorCode::Forbidden));
    relay.end(ana, &id).await.unwrap();
    for refused in
        [crew.take_over(mia, &id).await, crew.enter(mia, &id).await, crew.hand_back(mia, &id).await]
    {
        assert_eq!(refused, Err(ErrorCode::ConversationEnded));
    }
}

/// Whoever watches holds a record that nothing but the events of the conversation keeps up.
#[tokio::test]
async fn what_a_watcher_is_told_is_what_a_fresh_look_shows() {
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, vera, .. } = &crew;
    let id = crew.served_by(ana).await;
    let mut held = crew.record(&id).await;
    relay.say(vera, "v1", "有货吗").await.unwrap();
    relay.pass(5_000);
    crew.join(ana, &id, ben).await;
    relay.view(ben, &id, 4).await.unwrap();
    relay.answer(ben, &id, "b1", "有").await.unwrap();
    let transfer = crew.ask(ana, &id, cai, InvitationKind::Transfer).await.unwrap();
    relay.pass(5_000);
    crew.answer(cai, &transfer, true).await.unwrap();
    relay.visitor_marks(vera, &id, 4, 4).await.unwrap();
    crew.hand_back(mia, &id).await.unwrap();
    relay.pass(5_000);
    crew.assign(&id, ben).await.unwrap();

    let (head, mut position) = (relay.head().await, held.rev);
    let mut log = relay.app.store.subscribe(position);
    while position < head {
        for entry in log.next().await.unwrap() {
            position = entry.position;
            if matches!(entry.body, crate::events::LogBody::AgentMarked { .. }) {
                continue;
            }
            let read = relay
                .app
                .store
                .read("told", move |tx| crate::conversations::queries::for_seeing(tx, &entry));
            if let Some(body) = read.await.unwrap() {
                held.apply(position, &body);
            }
        }
    }
    let fresh = crew.record(&id).await;
    assert!(held.rev <= fresh.rev);
    held.rev = fresh.rev;
    assert_eq!(held, fresh);
}

/// Rows: who; columns: invite, leave, hand back, note, enter, take over, assign. `None` may, and is
/// told elsewhere what it does.
#[tokio::test]
async fn every_command_by_whoever_may_not() {
    use ErrorCode::{AlreadyExists, Forbidden, NotFound, Overtaken};
    let crew = Crew::gather().await;
    let Crew { relay, ana, ben, cai, mia, .. } = &crew;
    let (una, ada) = (relay.agent("Una").await, relay.account("Ada", Role::Admin, 8).await);
    let id = crew.served_by(ana).await;
    crew.join(ana, &id, ben).await;
    crew.ask(ana, &id, cai, InvitationKind::Join).await.unwrap();
    let nothing = ConversationId::new("no-such-conversation").unwrap();
    let (no, none, late) = (Some(Forbidden), Some(NotFound), Some(Overtaken));
    let rows = [
        (ana, &id, [Some(AlreadyExists), None, None, None, no, no, no]),
        (ben, &id, [Some(AlreadyExists), None, no, None, no, no, no]),
        (cai, &id, [no, no, no, None, no, no, no]),
        (&una, &id, [none, none, none, none, no, no, no]),
        (mia, &id, [no, no, None, None, None, None, late]),
        (&ada, &id, [no, no, None, None, None, None, late]),
        (ana, &nothing, [none, none, none, none, no, no, no]),
        (mia, &nothing, [none; 7]),
    ];
    for (row, (who, id, expected)) in rows.into_iter().enumerate() {
        let head = relay.head().await;
        for (column, expected) in expected.into_iter().enumerate().filter(|(_, it)| it.is_some()) {
            let conversation_id = id.clone();
            let found = match column {
                0 => crew.ask(who, id, cai, InvitationKind::Join).await.err(),
                1 => crew.leave(who, id).await.err(),
                2 => crew.hand_back(who, id).await.err(),
                3 => {
                    let command = AddNote { conversation_id, text: "悄悄话".into() };
                    act!(relay, add_note, who, command).err()
                }
                4 => crew.enter(who, id).await.err(),
                5 => crew.take_over(who, id).await.err(),
                _ => {
                    let agent_id = ben.agent_id.clone();
                    let command = Assign { conversation_id, agent_id, over_capacity: true };
                    act!(relay, assign_by_hand, who, command).err()
                }
            };
            assert_eq!(found, expected, "row {row}, column {column}");
        }
        assert_eq!(relay.head().await, head, "row {row} left a trace");
    }
}
