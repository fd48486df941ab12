//! Stories of the real client core against the real relay.

use anyhow::{Context as _, Result, ensure};
use yingke_client::bridge::types::{
    OutboxState, Session, SignedOutNotice, UiErrorKind, UiReply, UiRequest,
};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::views::{Author, Availability, MessageContent};
use yingke_tests::seat::{TestSeat, cached_messages};

use crate::scene::Scene;

fn home() -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix("yingke-seat-").tempdir()?)
}

/// The agent's link is cut, both sides write on, the link comes back: nothing lost, queued sends go
/// once and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x01_an_agent_offline_and_back_loses_and_doubles_nothing() -> Result<()> {
    let mut scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = home()?;
    let ana = TestSeat::open(home.path(), scene.address(), &account).await?;
    ana.set_availability(Availability::Online).await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("Vera before the cut").await?.conversation;
    ana.until_row("the row", &hers, |row| row.unread == 1).await?;
    ana.open_conversation(&hers).await?;

    scene.relay.kill()?;
    ana.until_disconnected().await?;
    let mut queued = Vec::new();
    for number in 0..5 {
        let item = ana.say(&hers, &format!("Ana writes offline {number}")).await?;
        ensure!(matches!(item.state, OutboxState::Queued | OutboxState::Sending));
        queued.push(item.client_id);
    }
    ana.until_row("five unsent", &hers, |row| row.unsent == 5).await?;
    scene.relay.run().await?;
    vera.connect().await?;
    vera.say("Vera while Ana reconnects").await?;
    ana.until_connected().await?;
    ana.until_all_sent().await?;
    vera.until_text("Ana writes offline 4").await?;

    let history = vera.history().await?;
    let ids: Vec<_> = history.iter().map(|message| &message.client_id).collect();
    let mine: Vec<_> =
        ids.iter().filter(|id| queued.contains(id)).map(|id| (*id).clone()).collect();
    ensure!(mine == queued, "once each and in order: {mine:?}");
    ana.until("the agent's page shows the whole conversation", |view| {
        let chat = view.chat.as_ref()?;
        (chat.outbox.is_empty() && chat.messages.len() == history.len()).then_some(())
    })
    .await?;
    scene.finish().await
}

/// X16: what was written and not yet sent, and the draft, survive a crash of the client; after
/// signing in again each message goes once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x16_drafts_and_unsent_messages_survive_a_crash() -> Result<()> {
    let mut scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = home()?;
    let ana = TestSeat::open(home.path(), scene.address(), &account).await?;
    ana.set_availability(Availability::Online).await?;
    let mut vera = scene.visitor().await?;
    let viktor = scene.visitor().await?;
    let hers = vera.say("Vera asks something long").await?.conversation;
    let his = viktor.say("Viktor asks, too").await?.conversation;
    ana.until_holding(2).await?;
    ana.draft(&his, "half an answer for Viktor").await?;
    scene.relay.kill()?;
    ana.until_disconnected().await?;
    let sent = ana.say(&hers, "an answer that must not get lost").await?;
    ana.draft(&hers, "half of the next answer").await?;
    ana.crash();

    scene.relay.run().await?;
    let ana = TestSeat::open(home.path(), scene.address(), &account).await?;
    ana.until_all_sent().await?;
    vera.connect().await?;
    vera.until_text("an answer that must not get lost").await?;
    let copies = vera.history().await?;
    ensure!(copies.iter().filter(|message| message.client_id == sent.client_id).count() == 1);
    ana.until_row("the row with its draft", &hers, |row| row.draft == "half of the next answer")
        .await?;
    let chat = ana.open_conversation(&his).await?;
    ensure!(chat.draft == "half an answer for Viktor");
    scene.finish().await
}

/// Nothing of one account is ever sent as another on the same computer; signing out wipes the cache.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c01_signing_out_wipes_the_cache_and_keeps_what_is_unsent() -> Result<()> {
    let mut scene = Scene::set().await?;
    let ana_account = scene.hire("Ana", 8).await?;
    let ben_account = scene.hire("Ben", 8).await?;
    let home = home()?;
    let seat = TestSeat::open(home.path(), scene.address(), &ana_account).await?;
    seat.set_availability(Availability::Online).await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("Vera talks to Ana only").await?.conversation;
    seat.until_row("the row", &hers, |_| true).await?;
    let folder = seat.account_folder()?;
    scene.relay.kill()?;
    seat.until_disconnected().await?;
    let sent = seat.say(&hers, "Ana said this and nobody else").await?;
    seat.must(UiRequest::SignOut {}).await?;
    seat.until("signed out", |view| {
        matches!(view.state.session, Session::SignedOut { .. }).then_some(())
    })
    .await?;
    let left = match cached_messages(&folder) {
        Ok(left) => left.len(),
        Err(_) => 0,
    };
    ensure!(left == 0, "signing out wipes the cache");

    scene.relay.run().await?;
    seat.sign_in(scene.address(), &ben_account).await?;
    ensure!(seat.look(|view| view.state.inbox.is_empty()));
    seat.must(UiRequest::SignOut {}).await?;
    seat.until("signed out", |view| {
        matches!(view.state.session, Session::SignedOut { .. }).then_some(())
    })
    .await?;
    seat.sign_in(scene.address(), &ana_account).await?;
    seat.until_all_sent().await?;
    vera.connect().await?;
    vera.until_text("Ana said this and nobody else").await?;
    let history = scene.address().history(&scene.admin.token, &hers).await?;
    let copies: Vec<_> =
        history.iter().filter(|message| message.client_id == sent.client_id).collect();
    ensure!(copies.len() == 1);
    ensure!(copies[0].author == Author::Agent { agent_id: ana_account.id.clone() });
    scene.finish().await
}

/// C07: the waiting clock starts with the first unanswered message, does not stop by viewing, stops
/// by an answer, and starts anew. Unread goes by viewing alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c07_the_waiting_clock_stops_only_by_an_answer() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = home()?;
    let ana = TestSeat::open(home.path(), scene.address(), &account).await?;
    ana.set_availability(Availability::Online).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("the first unanswered question").await?.conversation;
    let first = ana.until_row("the row", &hers, |row| row.unread == 1).await?;
    let since = first.unanswered_since.context("the clock runs")?;
    let asked = ana.whole_chat(&hers).await?;
    let asked = asked.iter().find(|message| message.author == Author::Visitor).context("it")?;
    ensure!(since == asked.at, "it counts from the question");
    vera.say("the second unanswered question").await?;
    let second = ana.until_row("two unread", &hers, |row| row.unread == 2).await?;
    ensure!(second.unanswered_since == Some(since), "it counts from the first one");

    let chat = ana.open_conversation(&hers).await?;
    let seq = chat.messages.last().context("messages")?.seq;
    ana.must(UiRequest::Viewed { conversation_id: hers.clone(), seq }).await?;
    let viewed = ana.until_row("nothing unread", &hers, |row| row.unread == 0).await?;
    ensure!(viewed.unanswered_since == Some(since), "viewing does not stop the clock");

    ana.say(&hers, "the answer that stops the clock").await?;
    ana.until_row("the clock has stopped", &hers, |row| row.unanswered_since.is_none()).await?;
    vera.say("a third question starts it anew").await?;
    let third =
        ana.until_row("the clock runs again", &hers, |row| row.unanswered_since.is_some()).await?;
    ensure!(third.unanswered_since == Some(third.said.at) && third.unanswered_since != Some(since));
    scene.finish().await
}

/// X07: delivered when the other side's device has it, read when it was viewed, on both sides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x07_marks_tell_delivered_and_read_on_both_sides() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = home()?;
    let ana = TestSeat::open(home.path(), scene.address(), &account).await?;
    ana.set_availability(Availability::Online).await?;
    let mut vera = scene.visitor().await?;
    let asked = vera.say("has anybody read this").await?;
    let hers = asked.conversation;
    // The client core says "delivered" by itself, "read" only when it was viewed.
    vera.until_served().await?;
    let delivered = |vera: &yingke_tests::visitor::TestVisitor| {
        vera.conversation().ok().flatten().map(|c| c.agent_marks)
    };
    vera.link()?
        .until("delivered to the agent's device", |held| {
            let marks = held.snapshot.conversation.as_ref()?.agent_marks;
            (marks.delivered >= asked.seq).then_some(())
        })
        .await?;
    ensure!(delivered(&vera).is_some_and(|marks| marks.read < asked.seq), "not viewed yet");
    let chat = ana.open_conversation(&hers).await?;
    let seq = chat.messages.last().context("messages")?.seq;
    ana.must(UiRequest::Viewed { conversation_id: hers.clone(), seq }).await?;
    vera.link()?
        .until("read by the agent", |held| {
            let marks = held.snapshot.conversation.as_ref()?.agent_marks;
            (marks.read >= asked.seq).then_some(())
        })
        .await?;

    // The other direction: Vera is away, comes back, and then views.
    vera.leave();
    ana.say(&hers, "have you read the answer").await?;
    ana.until_all_sent().await?;
    vera.connect().await?;
    let answer = vera.until_text("have you read the answer").await?.seq;
    vera.mark(&hers, answer).await?;
    ana.until("the agent sees that it was read", |view| {
        let chat = view.chat.as_ref()?;
        (chat.head.visitor_marks.read >= answer).then_some(())
    })
    .await?;
    scene.finish().await
}

/// C01: a wrong password says so and keeps nobody in; a session ended by the relay says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c01_sign_in_refusals_and_an_ended_session_are_told() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = home()?;
    let seat = TestSeat::start(home.path(), scene.address()).await?;
    let wrong = seat.try_sign_in(scene.address(), "ana", "a-wrong-password").await;
    let error = wrong.err().context("a wrong password is refused")?;
    ensure!(error.code == Some(ErrorCode::WrongCredentials), "{error:?}");
    let nowhere = seat
        .ask(UiRequest::SignIn {
            server: "http://192.0.2.1:80".to_owned(),
            account: "ana".to_owned(),
            password: account.password.clone(),
            remember: yingke_client::bridge::types::Remember::Nothing,
            allow_plain_http: false,
        })
        .await;
    ensure!(nowhere.is_err_and(|error| error.kind == UiErrorKind::PlainHttp));

    seat.sign_in(scene.address(), &account).await?;
    let new = "another-secret-of-ana";
    scene.address().said.note(new);
    let change = |old: &str| UiRequest::ChangePassword { old: old.to_owned(), new: new.to_owned() };
    let refused = seat.ask(change("not-the-old-one")).await;
    ensure!(refused.is_err_and(|error| error.code == Some(ErrorCode::WrongCredentials)));
    ensure!(matches!(seat.ask(change(&account.password)).await, Ok(UiReply::Done {})));

    // The same account elsewhere changes it back: this session ends and says so.
    let other = scene.address().sign_in("ana", new).await?;
    let body =
        yingke_shared::rest::ChangePassword { old: new.to_owned(), new: account.password.clone() };
    let done: Result<serde_json::Value, _> = scene
        .address()
        .ask(reqwest::Method::POST, "/api/password", Some(&other.token), Some(&body))
        .await?;
    ensure!(done.is_ok(), "{done:?}");
    seat.until("the session has ended and says why", |view| match &view.state.session {
        Session::SignedOut { notice: Some(SignedOutNotice::EndedByRelay), .. } => Some(()),
        _ => None,
    })
    .await?;
    scene.finish().await
}

/// E01, D04: the preview shows in the row while the visitor types; the four kinds are in one stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e01_d04_preview_and_the_kinds_of_one_stream() -> Result<()> {
    let scene = Scene::set().await?;
    scene
        .admin
        .change_site(
            &scene.site,
            &yingke_shared::rest::ChangeSite {
                welcome: Some("欢迎光临茶铺".to_owned()),
                ..Default::default()
            },
        )
        .await?;
    let account = scene.hire("Ana", 8).await?;
    let home = home()?;
    let ana = TestSeat::open(home.path(), scene.address(), &account).await?;
    ana.set_availability(Availability::Online).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("Vera says the first words").await?.conversation;
    ana.until_row("the row", &hers, |_| true).await?;
    vera.preview("what comes next is").await?;
    ana.until_row("the preview", &hers, |row| row.preview == "what comes next is").await?;
    vera.say("what comes next is this").await?;
    ana.until_row("no preview after the message", &hers, |row| row.preview.is_empty()).await?;
    ana.say(&hers, "Ana answers in the stream").await?;
    ana.until_row("the answer is in the stream", &hers, |row| {
        matches!(row.said.author, Author::Agent { .. })
    })
    .await?;
    let history = ana.whole_chat(&hers).await?;
    ensure!(matches!(
        &history[0].content,
        MessageContent::Notice { notice: yingke_shared::views::SystemNotice::Welcome { .. } }
    ));
    let by = |wanted: fn(&Author) -> bool| history.iter().any(|message| wanted(&message.author));
    ensure!(by(|author| *author == Author::System));
    ensure!(by(|author| *author == Author::Visitor));
    ensure!(by(|author| matches!(author, Author::Agent { .. })));
    scene.finish().await
}
