//! Stories at the agent's desk: the real desktop window.

use anyhow::{Result, ensure};
use yingke_tests::browser::{DesktopHome, DesktopWindow};

use crate::scene::Scene;

/// C01: a wrong password is told in words and keeps nobody in; signing in, changing the password and
/// signing out work by the window alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c01_sign_in_change_password_sign_out() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    let server = scene.address().server();
    window.try_sign_in(&server, &account.account, "not-her-password").await?;
    window.page.find("sign-in-error").await?;
    ensure!(!window.page.has("presence").await?);
    window.page.fill("sign-in-password", &account.password).await?;
    window.page.click("sign-in-submit").await?;
    window.until_connected().await?;

    let new = "a-better-secret-of-ana";
    scene.address().said.note(new);
    window.page.click("account-menu").await?;
    window.page.click("change-password").await?;
    window.page.fill("password-now", &account.password).await?;
    window.page.fill("password-new", new).await?;
    window.page.fill("password-again", new).await?;
    window.page.click("password-submit").await?;
    window.page.until_gone("password-submit").await?;
    ensure!(scene.address().try_sign_in("ana", &account.password).await?.is_err());

    window.page.click("account-menu").await?;
    window.page.click("sign-out").await?;
    window.page.find("sign-in-submit").await?;
    ensure!(window.page.value("sign-in-account").await? == "ana", "the account is remembered");
    ensure!(window.page.value("sign-in-password").await?.is_empty(), "the password is not");
    window.try_sign_in(&server, "ana", new).await?;
    window.until_connected().await?;
    window.close().await?;
    scene.finish().await
}

/// X16, X01: a draft and a message written offline are still there after the window was closed and
/// opened again; the message goes once when the relay is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x16_x01_drafts_and_unsent_messages_survive_closing_the_window() -> Result<()> {
    let mut scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    window.sign_in(scene.address(), &account).await?;
    window.go_online().await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("a question for the window").await?.conversation;
    window.open_conversation(hers.as_str()).await?;
    window.page.until_shows("message", "a question for the window").await?;

    scene.relay.kill()?;
    window
        .page
        .until_line("the window notices", "connection-state", |line| {
            line.state.as_deref().is_some_and(|state| state != "connected")
        })
        .await?;
    scene.address().said.note("an answer written offline");
    window.say("an answer written offline").await?;
    window
        .page
        .until_line("it is queued", "message", |line| {
            line.text.contains("written offline")
                && line
                    .state
                    .as_deref()
                    .is_some_and(|state| state == "queued" || state == "sending")
        })
        .await?;
    scene.address().said.note("half of the next one");
    window.page.type_into("composer", "half of the next one").await?;
    yingke_tests::wait::until("the draft is on the disk", || async {
        Ok(home.outbox_holds("half of the next one")?.then_some(()))
    })
    .await?;
    window.close().await?;

    scene.relay.run().await?;
    vera.connect().await?;
    let window = DesktopWindow::open(&home).await?;
    window.sign_in(scene.address(), &account).await?;
    vera.until_text("an answer written offline").await?;
    window.open_conversation(hers.as_str()).await?;
    window
        .page
        .until("the draft is back", || async {
            Ok((window.page.value("composer").await? == "half of the next one").then_some(()))
        })
        .await?;
    let copies = vera.history().await?;
    let copies = copies
        .iter()
        .filter(|m| yingke_tests::visitor::text_of(m) == Some("an answer written offline"));
    ensure!(copies.count() == 1);
    window.close().await?;
    scene.finish().await
}

/// C03, B11, C15: the list shows who waits, 忙碌 and the end work from the window.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b11_c03_c15_the_window_serves_a_whole_conversation() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    window.sign_in(scene.address(), &account).await?;
    window.go_online().await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("please take care of me").await?.conversation;
    window.open_conversation(hers.as_str()).await?;
    window.say("you are being taken care of").await?;
    vera.until_text("you are being taken care of").await?;

    window.go_busy().await?;
    let viktor = scene.visitor().await?;
    let his = viktor.say("nobody takes care of me").await?.conversation;
    viktor.until_waiting(yingke_shared::views::WaitingReason::NobodyOnline).await?;
    ensure!(window.page.lines("inbox-row").await?.len() == 1);
    window.go_online().await?;
    viktor.until_served().await?;
    window
        .page
        .until_line("his row is there", "inbox-row", |line| {
            line.conversation_id.as_deref() == Some(his.as_str())
        })
        .await?;

    window.page.click("end-conversation").await?;
    vera.until_status("the visitor is told of the end", |status| {
        matches!(status, yingke_shared::views::VisitorStatus::Ended { .. })
    })
    .await?;
    window.close().await?;
    scene.finish().await
}
