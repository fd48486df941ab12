//! An agent loses a conversation and gains it again, as the protocol and as the real client see it.

use anyhow::{Result, ensure};
use yingke_client::bridge::types::{OutboxState, UiReply, UiRequest};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::events::StaffEventBody;
use yingke_shared::rest::ChangeAgent;
use yingke_shared::views::Availability;
use yingke_tests::link::{Link, Staff};
use yingke_tests::seat::TestSeat;
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::text_of;
use yingke_tests::wait;

use crate::scene::Scene;

/// What was Ana's is Ben's while her account is disabled. Her client drops the row; what she had
/// written and not sent is marked as failed and goes nowhere, her draft stays. When the conversation
/// comes back to her it is whole, and the unsent answer goes once, when she says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_lost_and_gained_again_is_whole() -> Result<()> {
    let mut scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = tempfile::Builder::new().prefix("yingke-seat-").tempdir()?;
    let ana = TestSeat::open(home.path(), scene.address(), &account).await?;
    ana.set_availability(Availability::Online).await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("Vera asks Ana first").await?.conversation;
    ana.until_row("the row", &hers, |_| true).await?;
    // Her other device reads the log as it is.
    let other = StaffSocket::sign_in(scene.address(), &account).await?;
    let bookmark = other.link.bookmark();
    drop(other);

    scene.relay.kill()?;
    ana.until_disconnected().await?;
    let unsent = ana.say(&hers, "an answer Ana could not send").await?;
    ana.draft(&hers, "what Ana would say next").await?;
    ana.crash();
    scene.relay.run().await?;
    vera.connect().await?;
    let ben = scene.agent("Ben", 8).await?;
    let switch = |disabled| ChangeAgent { disabled: Some(disabled), ..ChangeAgent::default() };
    scene.admin.change_agent(&account.id, &switch(true)).await?;
    ben.until_gained(&hers).await?;
    ben.say(&hers, "Ben takes over from Ana").await?;
    vera.until_text("Ben takes over from Ana").await?;
    scene.admin.change_agent(&account.id, &switch(false)).await?;

    let token = scene.address().sign_in(&account.account, &account.password).await?.token;
    let other: Link<Staff> = Link::open(scene.address(), &token, Some(bookmark)).await?;
    let withdrawn = StaffEventBody::ConversationWithdrawn { conversation_id: hers.clone() };
    other
        .until("the log says it was withdrawn", |held| {
            let told = held.events.iter().filter(|event| event.body == withdrawn).count();
            (held.resumed && told == 1).then_some(())
        })
        .await?;
    ensure!(other.look(|held| held.snapshot.conversations.is_empty()));

    let ana = TestSeat::open(home.path(), scene.address(), &account).await?;
    ana.until_row("what she wrote is marked as not sent", &hers, |row| {
        row.send_failed && row.unsent == 1 && row.draft == "what Ana would say next"
    })
    .await?;
    let chat = ana.open_conversation(&hers).await?;
    ensure!(!chat.head.held, "it is not hers");
    ensure!(chat.draft == "what Ana would say next");
    ensure!(
        matches!(&chat.outbox[..], [item] if item.client_id == unsent.client_id
            && item.state == OutboxState::Failed { code: ErrorCode::Forbidden }),
        "{:?}",
        chat.outbox.iter().map(|item| &item.state).collect::<Vec<_>>()
    );
    ensure!(
        matches!(
            ana.ask(UiRequest::RetrySend { client_id: unsent.client_id.clone() }).await,
            Ok(UiReply::Done {})
        ),
        "she may try, and is refused again"
    );
    ana.until_row("refused again", &hers, |row| row.send_failed && row.unsent == 1).await?;
    vera.say("Vera asks Ben, too").await?;

    scene.admin.change_agent(&ben.id, &switch(true)).await?;
    ana.until("the chat is hers again and whole", |view| {
        let chat = view.chat.as_ref()?;
        let whole = chat.messages.windows(2).all(|pair| pair[1].seq == pair[0].seq.next());
        let says = |said: &str| chat.messages.iter().any(|m| m.content == text(said));
        (chat.head.held
            && whole
            && says("Vera asks Ana first")
            && says("Ben takes over from Ana")
            && says("Vera asks Ben, too"))
        .then_some(())
    })
    .await?;
    other
        .until("the other device gained it too", |held| {
            held.snapshot.conversations.contains_key(&hers).then_some(())
        })
        .await?;
    // Unless her second try comes to the relay only now that it is hers: then it goes by that one.
    wait::until("it goes when she says so", || async {
        let retry = UiRequest::RetrySend { client_id: unsent.client_id.clone() };
        let is_retried = ana.ask(retry).await.is_ok();
        Ok((is_retried || ana.look(|view| view.state.connection.unsent == 0)).then_some(()))
    })
    .await?;
    ana.until_all_sent().await?;
    vera.until_text("an answer Ana could not send").await?;
    let history = vera.history().await?;
    let copies = history.iter().filter(|m| text_of(m) == Some("an answer Ana could not send"));
    ensure!(copies.count() == 1);
    let page: Vec<_> =
        ana.whole_chat(&hers).await?.into_iter().map(|m| (m.seq, m.client_id)).collect();
    let rest = scene.address().history(&scene.admin.token, &hers).await?;
    ensure!(page == rest.into_iter().map(|m| (m.seq, m.client_id)).collect::<Vec<_>>());
    ensure!(ana.open_conversation(&hers).await?.draft == "what Ana would say next");
    scene.finish().await
}

fn text(text: &str) -> yingke_shared::views::MessageContent {
    yingke_shared::views::MessageContent::Text { text: text.to_owned() }
}
