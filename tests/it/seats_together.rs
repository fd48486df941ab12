//! What passes between people, through real client cores and a real relay.

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use yingke_client::bridge::calls::{RelayAnswer, RelayCall};
use yingke_client::bridge::types::{Session, Standing, UiErrorKind, UiReply, UiRequest};
use yingke_shared::explanation::AssignedHow;
use yingke_shared::ids::ConversationId;
use yingke_shared::views::{Availability, InvitationKind, Invitee, Role};
use yingke_tests::seat::TestSeat;
use yingke_tests::wait;

use crate::scene::Scene;

struct Desk {
    seat: TestSeat,
    _home: tempfile::TempDir,
}

impl Desk {
    async fn of(scene: &Scene, name: &str, role: Role) -> Result<Self> {
        let account = scene.admin.add_staff(name, role, 8).await?;
        let home = tempfile::Builder::new().prefix("yingke-desk-").tempdir()?;
        let seat = TestSeat::open(home.path(), scene.address(), &account).await?;
        Ok(Self { seat, _home: home })
    }

    async fn standing(&self, standing: Standing) -> Result<()> {
        self.seat
            .until("the standing in the open chat", |view| {
                (view.chat.as_ref()?.head.standing == standing).then_some(())
            })
            .await
    }

    async fn shows(&self, count: usize) -> Result<()> {
        self.seat
            .until("so many messages in the open chat", |view| {
                (view.chat.as_ref()?.messages.len() == count).then_some(())
            })
            .await
    }
}

fn left(seat: &TestSeat, conversation: &ConversationId) -> bool {
    seat.look(|view| view.row(conversation).is_none())
}

/// F01, F05, L01, X04: handed over by invitation, watched unseen over a restart of the relay, entered,
/// explained.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_f05_seats_hand_over_watch_whisper_and_enter() -> Result<()> {
    let mut scene = Scene::set().await?;
    let ana = Desk::of(&scene, "Ana", Role::Agent).await?;
    ana.seat.set_availability(Availability::Online).await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("where is my teapot").await?.conversation;
    ana.seat.until_row("the row", &hers, |row| row.standing == Standing::Serving).await?;
    let ben = Desk::of(&scene, "Ben", Role::Agent).await?;
    ben.seat.set_availability(Availability::Online).await?;
    let agent_id = ben.seat.look(|view| match &view.state.session {
        Session::SignedIn { own, .. } => Ok(own.id.clone()),
        other => Err(anyhow!("not signed in: {other:?}")),
    })?;
    ana.seat
        .must(UiRequest::Invite {
            conversation_id: hers.clone(),
            to: Invitee::Agent { agent_id },
            kind: InvitationKind::Transfer,
            note: String::new(),
        })
        .await?;
    let asked = ben
        .seat
        .until("Ben is asked", |view| {
            view.state.invitations.first().map(|incoming| incoming.invitation.id.clone())
        })
        .await?;
    let chat = ben.seat.open_conversation(&hers).await?;
    ensure!(chat.head.standing == Standing::Invited && left(&ben.seat, &hers));
    ensure!(!chat.messages.is_empty(), "whoever is asked may read");
    ben.seat.must(UiRequest::AnswerInvitation { invitation_id: asked, accept: true }).await?;
    ben.standing(Standing::Serving).await?;
    ben.seat.until_row("Ben's row", &hers, |row| row.unread > 0).await?;
    ana.seat.until("it left Ana", |view| view.row(&hers).is_none().then_some(())).await?;
    ben.seat.until("answered", |view| view.state.invitations.is_empty().then_some(())).await?;
    ben.seat.say(&hers, "it is on its way").await?;
    vera.until_text("it is on its way").await?;

    let mia = Desk::of(&scene, "Mia", Role::Manager).await?;
    mia.seat.must(UiRequest::WatchConversation { conversation_id: hers.clone() }).await?;
    let chat = mia.seat.open_conversation(&hers).await?;
    ensure!(chat.head.standing == Standing::Watching && left(&mia.seat, &hers));
    let text = "offer a voucher".to_owned();
    scene.address().said.note(&text);
    mia.seat.must(UiRequest::AddNote { conversation_id: hers.clone(), text: text.clone() }).await?;
    ben.seat
        .until("Ben hears the whisper", |view| {
            view.chat.as_ref()?.notes.iter().any(|note| note.text == text).then_some(())
        })
        .await?;
    let before = vera.history().await?.len();
    mia.shows(before).await?;
    scene.relay.kill()?;
    mia.seat.until_disconnected().await?;
    scene.relay.run().await?;
    vera.connect().await?;
    mia.seat.until_connected().await?;
    vera.say("still there?").await?;
    mia.shows(before + 1).await?;
    mia.standing(Standing::Watching).await?;
    let noted = mia.seat.look(|view| view.chat.as_ref().map(|chat| chat.notes.len()));
    ensure!(noted == Some(1), "the whisper is still there, once: {noted:?}");
    mia.seat.must(UiRequest::EnterConversation { conversation_id: hers.clone() }).await?;
    mia.seat.until_row("Mia takes part", &hers, |row| row.standing == Standing::Member).await?;
    mia.seat.say(&hers, "Mia here").await?;
    vera.until_text("Mia here").await?;

    let call = Box::new(RelayCall::Assignments { conversation_id: hers.clone() });
    let UiReply::Called { answer } = mia.seat.must(UiRequest::Call { call }).await? else {
        bail!("a call is answered")
    };
    let RelayAnswer::Assignments(assignments) = *answer else { bail!("by its own") };
    let how = assignments.assignments.last().map(|one| &one.how);
    ensure!(matches!(how, Some(AssignedHow::Accepted { .. })), "{how:?}");
    let call = Box::new(RelayCall::GetSettings {});
    let refused = mia.seat.ask(UiRequest::Call { call }).await.err().context("not an admin")?;
    ensure!(refused.kind == UiErrorKind::Refused, "{refused:?}");
    scene.finish().await
}

/// C16, B10: whoever left is closed in one go, whoever is there is not; the floor comes to who asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c16_a_seat_closes_what_visitors_left() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = Desk::of(&scene, "Ana", Role::Agent).await?;
    ana.seat.set_availability(Availability::Online).await?;
    let (vera, viktor) = (scene.visitor().await?, scene.visitor().await?);
    let stays = vera.say("Vera stays").await?.conversation;
    let goes = viktor.say("Viktor goes").await?.conversation;
    ana.seat.until_row("Vera is there", &stays, |row| row.visitor_online).await?;
    ana.seat.until_row("Viktor is there", &goes, |row| row.visitor_online).await?;
    ana.seat.must(UiRequest::WatchFloor { on: true }).await?;
    ana.seat
        .until("the floor shows Ana's two", |view| {
            let floor = view.floor.as_ref()?;
            floor.agents.iter().any(|agent| agent.running == 2).then_some(())
        })
        .await?;
    drop(viktor);
    ana.seat.until_row("Viktor left", &goes, |row| !row.visitor_online).await?;
    // One that only just came is left alone: it is asked again until it is old enough.
    let closed = wait::until("what was left is closed", || async {
        let reply = ana.seat.must(UiRequest::CloseAllLeft {}).await?;
        let UiReply::Closed { ended, kept } = reply else { bail!("{reply:?}") };
        ensure!(kept.is_empty());
        Ok((ended > 0).then_some(ended))
    });
    ensure!(closed.await? == 1);
    ana.seat.until("Viktor's is closed", |view| view.row(&goes).is_none().then_some(())).await?;
    ensure!(ana.seat.look(|view| view.row(&stays).is_some()));
    scene.finish().await
}
