//! After every action, what readers have applied equals what they would fetch afresh: the serving
//! agent, another agent, the visitor and another visitor; across gain, lose, gain.

use anyhow::Result;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::rest::{ChangeAgent, ChangeSite};
use yingke_shared::views::Availability;
use yingke_tests::agree::Viewer;
use yingke_tests::http::Address;
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;

use crate::scene::Scene;

struct Everyone {
    address: Address,
    ana: StaffSocket,
    ben: StaffSocket,
    vera: TestVisitor,
    viktor: TestVisitor,
}

impl Everyone {
    async fn agree(&self, after: &str) -> Result<()> {
        self.staff("Ana", &self.ana).agrees(&self.address, after).await?;
        self.staff("Ben", &self.ben).agrees(&self.address, after).await?;
        self.visitor("Vera", &self.vera)?.agrees(&self.address, after).await?;
        self.visitor("Viktor", &self.viktor)?.agrees(&self.address, after).await
    }

    async fn agree_finally(&self) -> Result<()> {
        // Together: each may wait for a heartbeat.
        tokio::try_join!(
            async { self.staff("Ana", &self.ana).agrees_finally(&self.address).await },
            async { self.staff("Ben", &self.ben).agrees_finally(&self.address).await },
            async { self.visitor("Vera", &self.vera)?.agrees_finally(&self.address).await },
            async { self.visitor("Viktor", &self.viktor)?.agrees_finally(&self.address).await },
        )
        .map(drop)
    }

    fn staff<'a>(
        &'a self,
        name: &'static str,
        agent: &'a StaffSocket,
    ) -> Viewer<'a, yingke_tests::link::Staff> {
        Viewer { name, link: &agent.link, token: &agent.token }
    }

    fn visitor<'a>(
        &'a self,
        name: &'static str,
        visitor: &'a TestVisitor,
    ) -> Result<Viewer<'a, yingke_tests::link::Visitor>> {
        Ok(Viewer { name, link: visitor.link()?, token: &visitor.token })
    }
}

/// One long story; after every step four viewers are compared with fresh fetches.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_equals_refetch_after_every_action() -> Result<()> {
    let scene = Scene::set().await?;
    scene
        .admin
        .change_site(
            &scene.site,
            &ChangeSite { welcome: Some("欢迎光临茶铺".to_owned()), ..ChangeSite::default() },
        )
        .await?;
    let mut all = Everyone {
        address: scene.address().clone(),
        ana: scene.agent("Ana", 1).await?,
        ben: scene.agent("Ben", 1).await?,
        vera: scene.visitor().await?,
        viktor: scene.visitor().await?,
    };
    all.agree("everybody is there").await?;

    // Gain: Ben is busy, so Ana gets Vera.
    all.ben.set_availability(Availability::Busy).await?;
    all.agree("Ben went busy").await?;
    let first = all.vera.say("Vera comes the first time").await?.conversation;
    all.ana.until_gained(&first).await?;
    all.agree("the first message with its assignment").await?;
    let answer = all.ana.say(&first, "Ana answers the first time").await?;
    all.agree("the first answer").await?;
    all.vera.until_text("Ana answers the first time").await?;
    all.vera.mark(&first, answer).await?;
    all.agree("the visitor's mark").await?;
    let asked = all.vera.say("Vera asks again").await?.seq;
    all.agree("a second message").await?;
    all.ana.mark(&first, asked).await?;
    all.agree("the agent's mark").await?;
    all.viktor.say("Viktor waits in line").await?;
    all.viktor.until_waiting(yingke_shared::views::WaitingReason::AllFull).await?;
    all.agree("a visitor who queues").await?;

    // Lose: Ana ends it; Viktor is admitted; then the visitor ends, too.
    all.ana.end(&first).await?;
    all.viktor.until_served().await?;
    all.agree("an end that admits the next").await?;
    all.viktor.end().await?;
    all.ana.until_holding(0).await?;
    all.agree("an end by the visitor").await?;

    // Gain by the other: Ana is busy, so Ben gets Vera's next conversation.
    all.ana.set_availability(Availability::Busy).await?;
    all.agree("Ana went busy").await?;
    let second = all.vera.say("Vera comes the second time").await?.conversation;
    all.vera.until_waiting(yingke_shared::views::WaitingReason::NobodyOnline).await?;
    all.agree("a message while nobody is online").await?;
    all.ben.set_availability(Availability::Online).await?;
    all.ben.until_gained(&second).await?;
    all.agree("the other agent came").await?;
    all.ben.say(&second, "Ben answers this time").await?;
    all.agree("the other agent's answer").await?;
    all.ben.end(&second).await?;
    all.ben.until_gone(&second).await?;
    all.agree("the other agent's end").await?;

    // Gain again, over resumed sockets.
    all.ben.set_availability(Availability::Busy).await?;
    all.ana.set_availability(Availability::Online).await?;
    all.agree("they changed places").await?;
    all.ana.resume().await?;
    all.vera.resume().await?;
    all.agree("two resumes").await?;
    let third = all.vera.say("Vera comes the third time").await?.conversation;
    all.ana.until_gained(&third).await?;
    all.agree("gained again").await?;

    // Settings that others see.
    all.viktor.say("Viktor is here again").await?;
    scene
        .admin
        .change_agent(&all.ana.id, &ChangeAgent { capacity: Some(2), ..ChangeAgent::default() })
        .await?;
    all.viktor.until_served().await?;
    all.ana.until_holding(2).await?;
    all.agree("a larger capacity that admits the next").await?;
    scene
        .admin
        .change_agent(
            &all.ben.id,
            &ChangeAgent { nickname: Some("Benjamin".to_owned()), ..ChangeAgent::default() },
        )
        .await?;
    all.agree("a colleague's new name, on messages of an ended conversation").await?;
    windows_follow(&scene, &mut all).await?;
    all.agree_finally().await?;
    scene.finish().await
}

/// What an open window shows of agents and of its site follows at once, and over a resume.
async fn windows_follow(scene: &Scene, all: &mut Everyone) -> Result<()> {
    let rename = async |agent: &StaffSocket, nickname: &str| {
        let nickname = Some(nickname.to_owned());
        let change = ChangeAgent { nickname, ..ChangeAgent::default() };
        scene.admin.change_agent(&agent.id, &change).await
    };
    rename(&all.ana, "安娜").await?;
    all.agree("the serving agent's new name").await?;
    for (after, change) in [
        ("a welcome", ChangeSite { welcome: Some("您好".to_owned()), ..ChangeSite::default() }),
        ("a site's name", ChangeSite { name: Some("茶铺".to_owned()), ..ChangeSite::default() }),
        ("previews off", ChangeSite { preview: Some(false), ..ChangeSite::default() }),
        ("previews on", ChangeSite { preview: Some(true), ..ChangeSite::default() }),
        ("a site switched off", ChangeSite { enabled: Some(false), ..ChangeSite::default() }),
        ("a site switched on", ChangeSite { enabled: Some(true), ..ChangeSite::default() }),
        ("no tickets", ChangeSite { return_tickets: Some(false), ..ChangeSite::default() }),
    ] {
        scene.admin.change_site(&scene.site, &change).await?;
        all.agree(after).await?;
    }

    // The same while the window is away for a moment; then the log goes on as before.
    let bookmark = all.vera.link()?.bookmark();
    all.vera.leave();
    rename(&all.ana, "Anna").await?;
    rename(&all.ben, "本").await?;
    let off = ChangeSite { enabled: Some(false), preview: Some(false), ..ChangeSite::default() };
    scene.admin.change_site(&scene.site, &off).await?;
    all.vera.resume_at(bookmark).await?;
    anyhow::ensure!(all.vera.link()?.look(|held| held.resumed), "a snapshot shows nothing here");
    all.agree("names and settings over a resume").await?;

    // Off, a conversation that is open goes on to its end, and no other begins.
    all.vera.say("Vera goes on").await?;
    all.agree("a message while the site is off").await?;
    all.vera.end().await?;
    all.agree("an end while the site is off").await?;
    let refused = all.vera.say_as(&yingke_tests::link::new_id(), "Vera begins").await?;
    anyhow::ensure!(
        refused.as_ref().is_err_and(|error| error.code == ErrorCode::SiteDisabled),
        "{refused:?}"
    );
    all.agree("a refused beginning").await
}

/// A reader that was away resumes where it was and ends up like one that never left; one that was
/// away over a restart, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resume_equals_never_having_left() -> Result<()> {
    let mut scene = Scene::set().await?;
    let mut ana = scene.agent("Ana", 8).await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("Vera before the cut").await?.conversation;
    ana.until_gained(&hers).await?;
    let stays = StaffSocket::connect(scene.address(), &ana.id, &ana.token).await?;

    let bookmark = vera.link()?.bookmark();
    vera.leave();
    for number in 0..20 {
        stays.say(&hers, &format!("while Vera was away {number}")).await?;
    }
    let mut away = StaffSocket::connect(scene.address(), &ana.id, &ana.token).await?;
    std::mem::swap(&mut away, &mut ana);
    let back = yingke_tests::link::Link::<yingke_tests::link::Visitor>::open(
        scene.address(),
        &vera.token,
        Some(bookmark),
    )
    .await?;
    anyhow::ensure!(back.look(|held| held.resumed), "20 messages are no reason for a snapshot");
    Viewer { name: "Vera", link: &back, token: &vera.token }
        .agrees(scene.address(), "a resume")
        .await?;

    scene.relay.stop().await?;
    scene.relay.run().await?;
    away.resume().await?;
    anyhow::ensure!(away.link.look(|held| held.resumed), "a restart is no reason for a snapshot");
    Viewer { name: "Ana", link: &away.link, token: &away.token }
        .agrees(scene.address(), "a restart")
        .await?;
    vera.connect().await?;
    vera.say("Vera after the restart").await?;
    Viewer { name: "Ana", link: &away.link, token: &away.token }
        .agrees(scene.address(), "a message after the restart")
        .await?;
    scene.finish().await
}
