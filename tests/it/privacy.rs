//! Nobody sees what they should not; what was said stands in no log.

use anyhow::{Result, ensure};
use yingke_shared::commands::StaffCommand;
use yingke_shared::commands::VisitorCommand;
use yingke_shared::commands::staff::{LoadMessages, StaffEndConversation, StaffSendMessage};
use yingke_shared::commands::visitor::{LoadHistory, VisitorMark};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{ConversationId, Seq};
use yingke_shared::views::HistoryCursor;
use yingke_tests::wait;

use crate::scene::Scene;

/// Two visitors on the same site: neither page, nor history, nor a named cursor shows the other's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_visitors_never_see_each_other() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let mut vera = scene.visitor().await?;
    let mut viktor = scene.visitor().await?;
    let hers = vera.say("a secret of Vera alone").await?.conversation;
    let his = viktor.say("a secret of Viktor alone").await?.conversation;
    ensure!(hers != his);
    ana.until_holding(2).await?;
    ana.say(&hers, "an answer for Vera alone").await?;
    ana.say(&his, "an answer for Viktor alone").await?;
    vera.until_text("an answer for Vera alone").await?;
    viktor.until_text("an answer for Viktor alone").await?;

    for (own, other, visitor) in [(&hers, &his, &mut vera), (&his, &hers, &mut viktor)] {
        let history = visitor.history().await?;
        ensure!(history.iter().all(|message| message.conversation_id == *own));
        visitor.resume().await?;
        let fresh = visitor.fresh_snapshot().await?;
        ensure!(fresh.messages.iter().all(|message| message.conversation_id == *own));
        // Another's conversation and one that does not exist look the same.
        let missing = ConversationId::new("0190-not-there")?;
        let mut answers = Vec::new();
        for named in [other, &missing] {
            let cursor =
                HistoryCursor { conversation_id: named.clone(), seq: Seq::new(9).unwrap() };
            let load = LoadHistory { before: Some(cursor), limit: 10 };
            let loaded = visitor.link()?.ask(&VisitorCommand::LoadHistory(load)).await?;
            let mark = VisitorMark {
                conversation_id: named.clone(),
                delivered: Seq::new(1).unwrap(),
                read: Seq::new(1).unwrap(),
            };
            let marked = visitor.link()?.ask(&VisitorCommand::VisitorMark(mark)).await?;
            ensure!(marked.is_err(), "a foreign mark is refused");
            answers.push(format!("{loaded:?} {marked:?}"));
        }
        ensure!(answers[0] == answers[1], "{answers:?}");
        ensure!(!answers[0].contains("alone"));
    }
    scene.finish().await
}

/// An agent reads, writes and ends only what it serves; foreign and nonexistent look the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o05_an_agent_reaches_only_its_own_conversations() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("only Ana may read this").await?.conversation;
    ana.until_gained(&hers).await?;
    let ben = scene.agent("Ben", 8).await?;
    let missing = ConversationId::new("0190-not-there")?;
    let mut answers = Vec::new();
    for named in [&hers, &missing] {
        let id = || named.clone();
        let text = "Ben writes where he must not".to_owned();
        let tries = [
            StaffCommand::StaffSendMessage(StaffSendMessage { conversation_id: id(), text }),
            StaffCommand::StaffEndConversation(StaffEndConversation { conversation_id: id() }),
            StaffCommand::LoadMessages(LoadMessages {
                conversation_id: id(),
                before: None,
                limit: 10,
            }),
        ];
        let mut all = Vec::new();
        for command in &tries {
            let refused = ben.link.ask(command).await?;
            ensure!(refused.is_err(), "{refused:?}");
            all.push(refused.unwrap_err().code);
        }
        let page = scene.address().history_page(&ben.token, named, None).await?;
        all.push(page.map(|_| ErrorCode::Internal).unwrap_or_else(|refused| refused.error.code));
        answers.push(all);
    }
    ensure!(answers[0] == answers[1], "{answers:?}");
    ensure!(answers[0].iter().all(|code| *code == ErrorCode::NotFound), "{answers:?}");
    ensure!(vera.link()?.look(|held| held.snapshot.messages.iter().all(|message| {
        yingke_tests::visitor::text_of(message) != Some("Ben writes where he must not")
    })));
    // Ben cannot manage accounts either; the admin reads any history.
    let refused = scene
        .address()
        .ask::<(), serde_json::Value>(reqwest::Method::GET, "/api/agents", None, None)
        .await?;
    ensure!(refused.is_err_and(|refused| refused.error.code == ErrorCode::Unauthenticated));
    let all = scene.address().history(&scene.admin.token, &hers).await?;
    ensure!(!all.is_empty());
    scene.finish().await
}

/// Previews reach the serving agent only, expire, and are in no file of the relay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e01_a_preview_reaches_the_serving_agent_and_no_file() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    vera.preview("before anybody serves her").await?;
    let hers = vera.say("Vera says hello first").await?.conversation;
    vera.until_served().await?;
    ana.until_gained(&hers).await?;
    let ben = scene.agent("Ben", 8).await?;
    vera.preview("what Vera only thought of").await?;
    ana.until_preview(&hers, "what Vera only thought of").await?;
    ana.typing(&hers).await?;
    vera.until_agent_types(&hers).await?;
    ensure!(ben.preview(&hers).is_none());
    ensure!(ana.link.look(|held| !format!("{:?}", held.signals).contains("before anybody")));
    vera.say("Vera said something else").await?;

    // Everything the relay holds on disk, write-ahead log included.
    let holds = |text: &str| -> Result<bool> {
        for entry in std::fs::read_dir(scene.relay.data_dir())? {
            let path = entry?.path();
            if path.is_file() {
                let bytes = std::fs::read(&path)?;
                if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    };
    wait::until("the sent text is on disk", || async {
        Ok(holds("Vera said something else")?.then_some(()))
    })
    .await?;
    ensure!(!holds("what Vera only thought of")?);
    ensure!(!holds("before anybody serves her")?);
    scene.finish().await
}
