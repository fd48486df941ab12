//! What several do together: invitations, notes, watching, the floor, who looks at what; and what is
//! asked of the relay once. Across cuts, snapshots and restarts.

use std::sync::Arc;

use yingke_client::bridge::calls::{RelayAnswer, RelayCall};
use yingke_client::bridge::types::{
    ConnectionState, Remember, Standing, UiErrorKind, UiReply, UiRequest,
};
use yingke_shared::commands::Command as _;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::events::StaffEventBody;
use yingke_shared::frame::StaffSignal;
use yingke_shared::ids::{
    AgentId, ClientId, ConversationId, DepartmentId, InvitationId, Position, SiteId, VisitorId,
};
use yingke_shared::limits::PREVIEW_EXPIRES_MS;
use yingke_shared::rest::ChangeAgent;
use yingke_shared::settings::{SaveSettings, SettingsSection};
use yingke_shared::views::{
    Availability, Company, ConversationStatus, EndedBy, Floor, IncomingInvitation, Invitation,
    InvitationEnd, InvitationKind, Invitee, ManagerAlert, ManagerAlertKind, SiteSettings,
};

use crate::beyond::ben;
use crate::relay::{Relay, conversation, seq};
use crate::seat::{Clocks, Seat, until};

async fn seat_with(relay: &Relay) -> (tempfile::TempDir, Seat) {
    let data = tempfile::tempdir().unwrap();
    let seat = Seat::signed_in(data.path(), relay).await;
    seat.connected().await;
    (data, seat)
}

/// A conversation of Ben's that Ana does not serve.
fn begin_elsewhere(relay: &Relay, name: &str, text: &str) -> ConversationId {
    let mut world = relay.world();
    let id = world.begin(name, text);
    let kept = world.conversations.get_mut(&id).unwrap();
    kept.served = false;
    kept.record.status = ConversationStatus::Serving { agent_id: ben() };
    id
}

/// Before anybody is signed in: nobody hears of it.
fn incoming(relay: &Relay, id: &ConversationId, name: &str) -> IncomingInvitation {
    let world = relay.world();
    let record = &world.conversations[id].record;
    IncomingInvitation {
        rev: world.position().next(),
        invitation: Invitation {
            id: InvitationId::new(name).unwrap(),
            conversation_id: id.clone(),
            from: ben(),
            to: Invitee::Agent { agent_id: world.own.id.clone() },
            kind: InvitationKind::Transfer,
            note: "懂退款的请接".to_owned(),
            offered_to: Some(world.own.id.clone()),
            expires_at: None,
        },
        visitor: record.visitor.clone(),
        said: Some(record.last_message.clone()),
    }
}

async fn watch(seat: &Seat, id: &ConversationId) {
    let request = UiRequest::WatchConversation { conversation_id: id.clone() };
    seat.ask(request).await.unwrap();
}

async fn unanswerable(seat: &Seat, id: &ConversationId) -> Option<ErrorCode> {
    let (conversation_id, text) = (id.clone(), "不该发出".to_owned());
    let send = UiRequest::SendMessage { conversation_id, text, client_id: None };
    seat.ask(send).await.unwrap_err().code
}

fn standing(seat: &Seat) -> Option<Standing> {
    seat.view().head.as_ref().map(|head| head.standing)
}

/// Requests the relay carries out alone, and the commands they become.
fn requests() -> Vec<(UiRequest, &'static str)> {
    let id = || conversation("c1");
    let invitation_id = || InvitationId::new("i1").unwrap();
    let to = || Invitee::Department { department_id: DepartmentId::new("default").unwrap() };
    vec![
        (
            UiRequest::Assign { conversation_id: id(), agent_id: ben(), over_capacity: true },
            "assign",
        ),
        (
            UiRequest::Invite {
                conversation_id: id(),
                to: to(),
                kind: InvitationKind::Join,
                note: "来看看".to_owned(),
            },
            "invite",
        ),
        (
            UiRequest::AnswerInvitation { invitation_id: invitation_id(), accept: true },
            "answer_invitation",
        ),
        (UiRequest::WithdrawInvitation { invitation_id: invitation_id() }, "withdraw_invitation"),
        (UiRequest::LeaveConversation { conversation_id: id() }, "leave_conversation"),
        (UiRequest::EnterConversation { conversation_id: id() }, "enter_conversation"),
        (UiRequest::TakeOver { conversation_id: id() }, "take_over"),
        (UiRequest::HandBack { conversation_id: id() }, "hand_back"),
        (UiRequest::AddNote { conversation_id: id(), text: "老客户".to_owned() }, "add_note"),
    ]
}

#[tokio::test]
async fn what_the_relay_does_alone_is_asked_and_its_refusal_told() {
    let relay = Relay::start().await;
    relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    for (request, name) in requests() {
        assert!(matches!(seat.ask(request.clone()).await, Ok(UiReply::Done {})), "{name}");
        let asked = relay.world().beyond.asked.pop().unwrap();
        assert_eq!(asked.name(), name);
        relay.world().beyond.refuse.push_back(WireError::new(ErrorCode::Overtaken));
        let error = seat.ask(request).await.unwrap_err();
        assert_eq!(error.code, Some(ErrorCode::Overtaken), "{name}");
    }
    let request = UiRequest::SetAvailability { availability: Availability::Away, hand_over: true };
    seat.ask(request).await.unwrap();
    assert_eq!(relay.world().own.availability, Availability::Away);
    relay.world().down = true;
    relay.cut();
    until("offline", || seat.view().connection != Some(ConnectionState::Connected)).await;
    for (request, name) in requests() {
        assert_eq!(seat.ask(request).await.unwrap_err().kind, UiErrorKind::Offline, "{name}");
    }
}

/// F01: asked, read, accepted; the inviter's side is `an_unsent_message_…` of `sync`.
#[tokio::test]
async fn an_invitation_is_told_its_conversation_can_be_read_and_after_accepting_it_is_ours() {
    let relay = Relay::start().await;
    let id = begin_elsewhere(&relay, "c1", "我要退款");
    let (data, seat) = seat_with(&relay).await;
    let incoming = incoming(&relay, &id, "i1");
    {
        let mut world = relay.world();
        world.beyond.invitations.insert(incoming.invitation.id.clone(), incoming.clone());
        world.announce(StaffEventBody::InvitationOffered { incoming: Box::new(incoming.clone()) });
    }
    let invited = |seat: &Seat| seat.view().state.as_ref().map(|state| state.invitations.len());
    until("the invitation is told", || invited(&seat) == Some(1)).await;
    let chat = seat.open_chat(&id).await;
    assert_eq!(
        (chat.head.standing, chat.head.held, chat.messages.len()),
        (Standing::Invited, false, 1)
    );
    assert!(seat.row(&id).is_none());
    assert_eq!(unanswerable(&seat, &id).await, Some(ErrorCode::Forbidden));
    // Without network it is still there.
    relay.world().down = true;
    seat.core.shutdown().await;
    drop(seat);
    relay.world().down = false;
    relay.world().snapshots_only = true;
    let seat = Seat::signed_in(data.path(), &relay).await;
    assert_eq!(invited(&seat), Some(1));
    seat.connected().await;
    assert_eq!(seat.open_chat(&id).await.head.standing, Standing::Invited);
    {
        let mut world = relay.world();
        let mut record = world.conversations[&id].record.clone();
        record.status = ConversationStatus::Serving { agent_id: world.own.id.clone() };
        record.rev = world.position().next();
        let invitation_id = incoming.invitation.id.clone();
        world.announce(StaffEventBody::ConversationGained { record: Box::new(record) });
        let why = InvitationEnd::Accepted;
        world.announce(StaffEventBody::InvitationClosed { invitation_id, why });
    }
    until("it is ours", || standing(&seat) == Some(Standing::Serving)).await;
    until("the row is there", || seat.row(&id).is_some_and(|row| row.unread == 1)).await;
    until("and nobody asks any more", || invited(&seat) == Some(0)).await;
    seat.send(&id, "我来处理").await;
    until("it is sent", || relay.texts(&id).len() == 2).await;
}

#[tokio::test]
async fn who_takes_part_answers_and_whose_conversation_left_no_longer() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    let conversation_id = id.clone();
    let draft = UiRequest::SetDraft { conversation_id, text: "还没写完".to_owned() };
    seat.ask(draft).await.unwrap();
    seat.open_chat(&id).await;
    {
        let mut world = relay.world();
        let members = vec![world.own.id.clone()];
        let (conversation_id, at) = (id.clone(), Some(world.now()));
        world.announce(StaffEventBody::MembersChanged {
            conversation_id: conversation_id.clone(),
            members,
        });
        let status = ConversationStatus::Serving { agent_id: ben() };
        world.announce(StaffEventBody::StatusChanged { conversation_id, status, assigned_at: at });
    }
    until("a member", || standing(&seat) == Some(Standing::Member)).await;
    let row = seat.row(&id).unwrap();
    assert_eq!((row.standing, row.unread), (Standing::Member, 1));
    seat.send(&id, "补充一句").await;
    until("it is sent", || relay.texts(&id).len() == 2).await;
    relay.signal(StaffSignal::Preview { conversation_id: id.clone(), text: "好".to_owned() });
    until("the preview shows", || seat.view().previews.get(&id).is_some_and(|t| t == "好")).await;
    let conversation_id = id.clone();
    relay.world().announce(StaffEventBody::ConversationWithdrawn { conversation_id });
    until("it left", || seat.row(&id).is_none()).await;
    until("no preview", || seat.view().previews.get(&id).is_some_and(String::is_empty)).await;
    until("read only", || standing(&seat) == Some(Standing::Reading)).await;
    assert_eq!(unanswerable(&seat, &id).await, Some(ErrorCode::Overtaken));
    assert_eq!(seat.open_chat(&id).await.draft, "", "it went with the message that was sent");
}

/// Notes are not numbered, so nothing shows that one is missing: whatever comes back after an absence
/// has its newest page read again. Broken once by asking only for missing messages.
#[tokio::test]
async fn notes_stand_among_messages_through_absence_pages_and_restarts() {
    let relay = Relay::start().await;
    let id = relay.begin("c1", "message 1");
    let (data, seat) = seat_with(&relay).await;
    seat.open_chat(&id).await;
    relay.world().note(&id, "live");
    let texts = |seat: &Seat| -> Vec<(u64, String)> {
        let view = seat.view();
        view.notes.iter().map(|note| (note.after.get(), note.text.clone())).collect()
    };
    let live = (1, "live".to_owned());
    until("the note shows", || texts(&seat) == [live.clone()]).await;
    // Away for a note and a message, back by a snapshot that has the message.
    relay.world().down = true;
    relay.cut();
    relay.world().note(&id, "unheard");
    relay.visitor_writes(&id, "message 2");
    relay.world().snapshots_only = true;
    relay.world().down = false;
    let both = [live, (1, "unheard".to_owned())];
    until("the other note shows", || texts(&seat) == both).await;
    // From the cache.
    for n in 3..=130 {
        relay.visitor_writes(&id, &format!("message {n}"));
    }
    relay.world().note(&id, "last");
    until("all is there", || texts(&seat).len() == 3).await;
    seat.core.shutdown().await;
    drop(seat);
    relay.world().down = true;
    let down = Seat::open(data.path(), None).await;
    assert!(down.sign_in(&relay, "correct horse", Remember::Nothing).await.is_ok());
    let chat = down.open_chat(&id).await;
    assert_eq!(chat.messages.len(), 50);
    let shown: Vec<&str> = chat.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(shown, ["last"]);
    let request = UiRequest::LoadEarlier { conversation_id: id.clone(), before: seq(31) };
    let Ok(UiReply::Earlier { items, notes, has_earlier }) = down.ask(request).await else {
        panic!("no page")
    };
    let shown: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!((items.len(), shown, has_earlier), (30, vec!["live", "unheard"], false));
}

#[tokio::test]
async fn a_watched_conversation_lives_outside_the_inbox_and_is_asked_for_on_every_link() {
    let relay = Relay::start().await;
    let id = begin_elsewhere(&relay, "c1", "one");
    let (_data, seat) = seat_with(&relay).await;
    // Between the record and its answer the visitor writes: an event that overtakes.
    {
        let mut world = relay.world();
        let at = world.now();
        let last = world.conversations[&id].record.last_message.clone();
        let message = yingke_shared::views::Message {
            seq: seq(2),
            client_id: ClientId::new("overtaking").unwrap(),
            visitor_count: seq(2),
            at,
            ..last
        };
        world.conversations.get_mut(&id).unwrap().messages.push(message.clone());
        world.beyond.overtaking = Some(StaffEventBody::MessageAppended {
            conversation_id: id.clone(),
            message: Box::new(message),
            first_response_at: None,
        });
    }
    watch(&seat, &id).await;
    let chat = seat.open_chat(&id).await;
    assert_eq!((chat.head.standing, chat.head.held), (Standing::Watching, false));
    assert_eq!(chat.messages.len(), 2, "what overtook the answer is not lost");
    assert!(seat.row(&id).is_none());
    assert_eq!(unanswerable(&seat, &id).await, Some(ErrorCode::Forbidden));
    relay.visitor_writes(&id, "three");
    until("it lives", || seat.view().chat.len() == 3).await;
    relay.signal(StaffSignal::Preview { conversation_id: id.clone(), text: "打字".to_owned() });
    until("so does typing", || seat.view().previews.get(&id).is_some_and(|t| t == "打字")).await;
    relay.world().note(&id, "悄悄话");
    until("and notes", || seat.view().notes.len() == 1).await;
    // What happens while there is no link is there with the next record.
    relay.world().down = true;
    relay.cut();
    relay.visitor_writes(&id, "four");
    relay.visitor_writes(&id, "five");
    relay.world().down = false;
    until("asked again", || relay.world().beyond.watched.len() == 2).await;
    until("nothing is missing", || seat.view().chat.len() == 5).await;
    assert_eq!(standing(&seat), Some(Standing::Watching));
    assert!(seat.row(&id).is_none() && relay.world().marks.is_empty(), "no marks of who watches");
    let conversation_id = id.clone();
    seat.ask(UiRequest::UnwatchConversation { conversation_id }).await.unwrap();
    until("the relay knows", || relay.world().beyond.unwatched == [id.clone()]).await;
    until("read only", || standing(&seat) == Some(Standing::Reading)).await;
    relay.cut();
    seat.connected().await;
    let conversation_id = relay.begin("c2", "two");
    until("the link lives", || seat.row(&conversation_id).is_some()).await;
    assert_eq!(relay.world().beyond.watched.len(), 2, "not asked for again");
}

#[tokio::test]
async fn watching_ends_with_the_conversation_with_a_refusal_and_with_entering() {
    let relay = Relay::start().await;
    let ended = begin_elsewhere(&relay, "c1", "one");
    let lost = begin_elsewhere(&relay, "c2", "two");
    let entered = begin_elsewhere(&relay, "c3", "three");
    let (_data, seat) = seat_with(&relay).await;
    relay.world().beyond.refuse.push_back(WireError::new(ErrorCode::Forbidden));
    let request = UiRequest::WatchConversation { conversation_id: ended.clone() };
    assert_eq!(seat.ask(request).await.unwrap_err().code, Some(ErrorCode::Forbidden));
    for id in [&ended, &lost, &entered] {
        watch(&seat, id).await;
    }
    {
        let mut world = relay.world();
        let at = world.now();
        world.announce(StaffEventBody::StatusChanged {
            conversation_id: ended.clone(),
            status: ConversationStatus::Ended { by: EndedBy::Visitor, at },
            assigned_at: None,
        });
        let mut record = world.conversations[&entered].record.clone();
        record.rev = world.position().next();
        record.members = vec![world.own.id.clone()];
        world.announce(StaffEventBody::ConversationGained { record: Box::new(record) });
    }
    until("a member now", || {
        seat.row(&entered).is_some_and(|row| row.standing == Standing::Member)
    })
    .await;
    until("its place is free", || relay.world().beyond.unwatched == [entered.clone()]).await;
    let chat = seat.open_chat(&ended).await;
    assert_eq!(chat.head.standing, Standing::Reading);
    // The next link asks for the one that is left, and is refused.
    let before = relay.world().beyond.watched.len();
    relay.world().beyond.refuse.push_back(WireError::new(ErrorCode::NotFound));
    relay.cut();
    until("asked again", || relay.world().beyond.watched.len() == before + 1).await;
    assert_eq!(relay.world().beyond.watched.last(), Some(&lost));
    let mut chat = seat.open_chat(&lost).await;
    while chat.head.standing != Standing::Reading {
        chat = seat.open_chat(&lost).await;
    }
}

#[tokio::test]
async fn the_floor_comes_while_it_is_shown_and_the_queue_while_there_is_a_link() {
    let relay = Relay::start().await;
    let (_data, seat) = seat_with(&relay).await;
    let floor = |waiting| Floor { waiting_total: waiting, ..Floor::default() };
    let shown = |seat: &Seat| seat.view().floors.last().map(|floor| floor.waiting_total);
    let queue = |seat: &Seat| seat.view().state.as_ref().and_then(|state| state.queue_length);
    relay.signal(StaffSignal::Floor { floor: floor(1) });
    relay.signal(StaffSignal::QueueLength { waiting: 3 });
    until("three wait", || queue(&seat) == Some(3)).await;
    seat.ask(UiRequest::WatchFloor { on: true }).await.unwrap();
    until("asked", || relay.world().beyond.floor == [true]).await;
    assert_eq!(shown(&seat), None, "nobody had asked for it");
    relay.signal(StaffSignal::Floor { floor: floor(2) });
    until("shown", || shown(&seat) == Some(2)).await;
    relay.signal(StaffSignal::QueueLength { waiting: 7 });
    until("seven wait", || queue(&seat) == Some(7)).await;
    let UiReply::State(state) = seat.ask(UiRequest::GetState {}).await.unwrap() else { panic!() };
    assert_eq!(state.queue_length, Some(7));
    relay.cut();
    until("nobody knows", || queue(&seat).is_none()).await;
    until("asked on the next link", || relay.world().beyond.floor == [true, true]).await;
    seat.ask(UiRequest::WatchFloor { on: false }).await.unwrap();
    until("no longer", || relay.world().beyond.floor == [true, true, false]).await;
}

/// X10.
#[tokio::test]
async fn colleagues_know_what_is_open_and_who_types_is_forgotten() {
    let relay = Relay::start().await;
    let (one, two) = (relay.begin("c1", "one"), relay.begin("c2", "two"));
    let elsewhere = begin_elsewhere(&relay, "c3", "three");
    let data = tempfile::tempdir().unwrap();
    let clocks = Clocks::new(data.path());
    let seat = Seat::open_on(Arc::clone(&clocks) as _).await;
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    seat.connected().await;
    seat.open_chat(&one).await;
    seat.open_chat(&two).await;
    let told = |expected: &[Option<&ConversationId>]| {
        let world = relay.world();
        world.beyond.viewing.iter().map(Option::as_ref).collect::<Vec<_>>() == expected
    };
    until("both are told", || told(&[Some(&one), Some(&two)])).await;
    let signal = |typing: &[AgentId]| {
        relay.signal(StaffSignal::Colleagues {
            conversation_id: two.clone(),
            reading: vec![ben()],
            typing: typing.to_vec(),
        });
    };
    signal(&[ben()]);
    until("Ben types", || seat.view().around == (vec![ben()], vec![ben()])).await;
    clocks.pass(PREVIEW_EXPIRES_MS / 2);
    // The relay says something, so the link stands.
    relay.signal(StaffSignal::QueueLength { waiting: 1 });
    let queue = || seat.view().state.as_ref().and_then(|state| state.queue_length);
    until("the link stands", || queue() == Some(1)).await;
    clocks.pass(PREVIEW_EXPIRES_MS / 2);
    seat.ask(UiRequest::GetState {}).await.unwrap();
    until("not any more", || seat.view().around == (vec![ben()], Vec::new())).await;
    relay.cut();
    until("nobody knows", || seat.view().around == (Vec::new(), Vec::new())).await;
    until("told again", || told(&[Some(&one), Some(&two), Some(&two)])).await;
    seat.ask(UiRequest::CloseConversation {}).await.unwrap();
    until("closed", || told(&[Some(&one), Some(&two), Some(&two), None])).await;
    // What is only read is nobody's business.
    seat.open_chat(&elsewhere).await;
    seat.open_chat(&one).await;
    until("told", || told(&[Some(&one), Some(&two), Some(&two), None, Some(&one)])).await;
}

/// C16. Broken once by trusting who is there right after a welcome: everybody was closed.
#[tokio::test]
async fn closing_what_visitors_left_spares_who_is_there_and_what_is_not_served() {
    let relay = Relay::start().await;
    let ids: Vec<ConversationId> =
        (0..12).map(|n| relay.begin(&format!("c{n:02}"), "hello")).collect();
    let there = &ids[0];
    let member = &ids[1];
    {
        let mut world = relay.world();
        let record = &mut world.conversations.get_mut(member).unwrap().record;
        record.status = ConversationStatus::Serving { agent_id: ben() };
        for kept in world.conversations.values_mut() {
            kept.record.assigned_at = None;
        }
    }
    let data = tempfile::tempdir().unwrap();
    let clocks = Clocks::new(data.path());
    let seat = Seat::open_on(Arc::clone(&clocks) as _).await;
    seat.sign_in(&relay, "correct horse", Remember::Nothing).await.unwrap();
    seat.connected().await;
    // At once after the welcome, before the relay said who is there.
    let closing = seat.core.submit(UiRequest::CloseAllLeft {}).await.unwrap();
    let busy = seat.ask(UiRequest::CloseAllLeft {}).await.unwrap_err();
    assert_eq!(busy.code, Some(ErrorCode::Busy));
    let conversation_id = there.clone();
    relay.signal(StaffSignal::VisitorOnline { conversation_id, online: true });
    until("the visitor is there", || seat.row(there).is_some_and(|row| row.visitor_online)).await;
    {
        let mut world = relay.world();
        world.beyond.refuse.push_back(WireError::new(ErrorCode::Busy));
        world.beyond.refuse.push_back(WireError::new(ErrorCode::Forbidden));
    }
    clocks.pass(2_000);
    seat.ask(UiRequest::GetState {}).await.unwrap();
    until("all but three are gone", || seat.view().rows.len() <= 4).await;
    clocks.pass(2_000);
    seat.ask(UiRequest::GetState {}).await.unwrap();
    let Ok(UiReply::Closed { ended, kept }) = closing.answer().await else { panic!() };
    assert_eq!((ended, kept.len()), (9, 1), "one was refused for good, one only for a moment");
    until("they left", || seat.view().rows.len() == 3).await;
    assert!(seat.row(there).is_some() && seat.row(member).is_some());
    assert!(seat.row(&kept[0]).is_some());
    let Ok(UiReply::Closed { ended, kept }) = seat.ask(UiRequest::CloseAllLeft {}).await else {
        panic!()
    };
    assert_eq!((ended, kept.len()), (1, 0), "asked again, it goes");
}

#[tokio::test]
async fn settings_sites_and_alerts_are_told_kept_and_forgotten_with_the_session() {
    let relay = Relay::start().await;
    let (data, seat) = seat_with(&relay).await;
    let site = SiteSettings {
        id: SiteId::new("shop").unwrap(),
        name: "商店".to_owned(),
        enabled: true,
        domains: Vec::new(),
        welcome: String::new(),
        preview: true,
        return_tickets: true,
    };
    let alert = ManagerAlert {
        conversation_id: conversation("c9"),
        rev: Position::new(3).unwrap(),
        what: ManagerAlertKind::NoAnswer,
        at: yingke_shared::time::Timestamp::from_millis(5).unwrap(),
        label: "3F2A".to_owned(),
        department_id: DepartmentId::new("default").unwrap(),
    };
    let company = Company { forced_replies: true, ..Company::default() };
    {
        let mut world = relay.world();
        world.announce(StaffEventBody::CompanyChanged { company });
        world.announce(StaffEventBody::SiteChanged { site });
        world.announce(StaffEventBody::ManagersAlerted { alert });
    }
    let all = |seat: &Seat| {
        let view = seat.view();
        view.state.as_ref().is_some_and(|state| {
            state.company.forced_replies && state.sites.len() == 1 && state.alerts.len() == 1
        })
    };
    until("all is told", || all(&seat)).await;
    seat.core.shutdown().await;
    drop(seat);
    relay.world().down = true;
    let seat = Seat::signed_in(data.path(), &relay).await;
    assert!(all(&seat), "and is there without network");
    seat.ask(UiRequest::SignOut {}).await.unwrap();
    until("nothing of it is left", || !seat.is_signed_in()).await;
    let UiReply::State(state) = seat.ask(UiRequest::GetState {}).await.unwrap() else { panic!() };
    assert_eq!(state.company, Company::default());
    assert!(state.sites.is_empty() && state.alerts.is_empty() && state.queue_length.is_none());
}

#[tokio::test]
async fn a_conversation_is_started_and_one_that_is_not_there_is_not_opened() {
    let relay = Relay::start().await;
    let id = begin_elsewhere(&relay, "c2", "one");
    let (_data, seat) = seat_with(&relay).await;
    let visitor_id = VisitorId::new("vera").unwrap();
    let start = UiRequest::StartConversation { visitor_id, text: "货到了".to_owned() };
    let Ok(UiReply::Started { conversation_id }) = seat.ask(start).await else { panic!() };
    assert_eq!(seat.open_chat(&conversation_id).await.messages.len(), 1);
    let nowhere = UiRequest::OpenConversation { conversation_id: conversation("nowhere") };
    assert_eq!(seat.ask(nowhere.clone()).await.unwrap_err().code, Some(ErrorCode::NotFound));
    // What another has and nobody watches is read as it stands when it is opened.
    assert_eq!(seat.open_chat(&id).await.messages.len(), 1);
    seat.open_chat(&conversation_id).await;
    {
        // Ana hears nothing of it.
        let mut world = relay.world();
        let kept = world.conversations.get_mut(&id).unwrap();
        let mut message = kept.record.last_message.clone();
        message.seq = seq(2);
        message.client_id = ClientId::new("unheard").unwrap();
        kept.messages.push(message.clone());
        kept.record.put_message(message);
    }
    let chat = seat.open_chat(&id).await;
    assert_eq!(chat.head.standing, Standing::Reading);
    until("what was said meanwhile is there", || seat.view().chat.len() == 2).await;
    relay.world().tokens.clear();
    assert_eq!(seat.ask(nowhere).await.unwrap_err().kind, UiErrorKind::SignedOut);
}

#[tokio::test]
async fn questions_over_http_are_answered_or_refused_in_the_relays_words() {
    let relay = Relay::start().await;
    let (_data, seat) = seat_with(&relay).await;
    let call = |call| async {
        let reply = seat.ask(UiRequest::Call { call: Box::new(call) }).await?;
        let UiReply::Called { answer } = reply else { panic!("{reply:?}") };
        Ok::<_, yingke_client::bridge::types::UiError>(*answer)
    };
    let answer = call(RelayCall::RecentContacts {}).await;
    let Ok(RelayAnswer::Contacts(contacts)) = answer else { panic!() };
    assert!(contacts.contacts.is_empty());
    let change = ChangeAgent { capacity: Some(3), ..ChangeAgent::default() };
    let answer = call(RelayCall::ChangeAgent { agent_id: ben(), change }).await;
    assert!(matches!(answer, Ok(RelayAnswer::Done {})));
    let changes = relay.world().beyond.changes.clone();
    assert_eq!(changes, [("agent-ben".to_owned(), serde_json::json!({ "capacity": 3 }))]);
    let section = SettingsSection::Skills(Vec::new());
    let error =
        call(RelayCall::SaveSettings(SaveSettings { base: 1, section })).await.err().unwrap();
    assert_eq!((error.kind, error.code), (UiErrorKind::Refused, Some(ErrorCode::Changed)));
    let error = call(RelayCall::GetSettings {}).await.err().unwrap();
    assert_eq!(error.kind, UiErrorKind::Incompatible);
    relay.world().tokens.clear();
    let error = call(RelayCall::RecentContacts {}).await.err().unwrap();
    assert_eq!(error.kind, UiErrorKind::SignedOut);
}
