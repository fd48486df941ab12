//! P1: a message that was refused is nowhere, also if a copy of it was still on its way: a client that
//! lost its socket sends again by the next one, under the same id, while the first copy waits in the old
//! one and comes when it would be taken. A person may still ask again.
//!
//! Made to fail: by a relay that judges each copy by itself ("the late copy was taken").

use anyhow::{Result, ensure};
use yingke_shared::commands::staff::{StaffSendMessage, TakeOver};
use yingke_shared::commands::visitor::{LeaveMessage, PageContext};
use yingke_shared::commands::{StaffCommand, VisitorCommand};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::views::VisitorStatus;
use yingke_tests::link::{Link, Visitor, new_id};
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::{TestVisitor, text_of};

use crate::scene::Scene;

/// A leave-message is refused while somebody serves; its copy comes when the conversation is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_a_refused_message_of_a_visitor_does_not_come_late() -> Result<()> {
    const TEXT: &str = "call me back";
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("where is my teapot").await?.conversation;
    vera.until_served().await?;
    let old: Link<Visitor> = Link::open(scene.address(), &vera.token, None).await?;
    vera.connect().await?;
    let id = new_id();
    let refused = vera.leave_message(&id, "13800000000", TEXT).await?;
    ensure!(refused.is_err_and(|error| error.code == ErrorCode::Overtaken));
    ana.end(&hers).await?;
    vera.until_status("it is over", |s| matches!(s, VisitorStatus::Ended { .. })).await?;
    let copy = VisitorCommand::LeaveMessage(LeaveMessage {
        name: String::new(),
        contact: "13800000000".to_owned(),
        text: TEXT.to_owned(),
        page: PageContext::default(),
        locale: "zh-CN".to_owned(),
    });
    let late = old.ask_as(&id, &copy).await?;
    ensure!(late.is_err_and(|error| error.code == ErrorCode::Overtaken), "the late copy was taken");
    let count = async |vera: &TestVisitor| {
        let history = vera.history().await?;
        anyhow::Ok(history.iter().filter(|message| text_of(message) == Some(TEXT)).count())
    };
    ensure!(count(&vera).await? == 0);
    // Whoever was told so may still decide to send it again.
    ensure!(vera.leave_message(&id, "13800000000", TEXT).await?.is_ok());
    // And what is stored is answered as such, by whichever socket it is asked.
    ensure!(old.ask_as(&id, &copy).await?.is_ok());
    ensure!(count(&vera).await? == 1);
    scene.finish().await
}

/// An agent's message to a conversation that another serves; its copy comes when it is the agent's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_a_refused_message_of_staff_does_not_come_late() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("where is my teapot").await?.conversation;
    ana.until_gained(&hers).await?;
    let old = scene.manager("Mia").await?;
    let mia = StaffSocket::connect(scene.address(), &old.id, &old.token).await?;
    let command = StaffCommand::StaffSendMessage(StaffSendMessage {
        conversation_id: hers.clone(),
        text: "it is here".to_owned(),
    });
    let id = new_id();
    let refused = mia.link.ask_as(&id, &command).await?;
    let code = refused.err().map(|error| error.code);
    ensure!(code.is_some(), "Ana serves it");
    mia.must(StaffCommand::TakeOver(TakeOver { conversation_id: hers.clone() })).await?;
    mia.until_gained(&hers).await?;
    let late = old.link.ask_as(&id, &command).await?;
    ensure!(late.err().map(|error| error.code) == code, "the late copy was taken");
    ensure!(mia.link.ask_as(&id, &command).await?.is_ok());
    ensure!(old.link.ask_as(&id, &command).await?.is_ok());
    vera.until_text("it is here").await?;
    let history = vera.history().await?;
    let told = history.iter().filter(|message| text_of(message) == Some("it is here")).count();
    ensure!(told == 1);
    scene.finish().await
}
