//! What waits is told on a real desktop: by notifications over its session bus, and the presence in its
//! tray; and there is one client on it. The client is the real window; the desktop's half writes down what
//! it is told.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use yingke_shared::settings::{Attention, NoAnswer};
use yingke_shared::views::Role;
use yingke_tests::browser::{
    Desktop, DesktopHome, DesktopWindow, Line, Notification, SessionBus, TrayLine,
};
use yingke_tests::http::Account;
use yingke_tests::staff::StaffSocket;

use crate::policy::preferences;
use crate::scene::Scene;

/// A computer whose desktop is the test's, and the client in its window, signed in and online.
struct Seat {
    window: DesktopWindow,
    desktop: Desktop,
    bus: SessionBus,
    home: DesktopHome,
}

impl Seat {
    async fn take(scene: &Scene, account: &Account) -> Result<Self> {
        let home = DesktopHome::new()?;
        let bus = SessionBus::start(&home).await?;
        let desktop = Desktop::serve(&bus).await?;
        let window = DesktopWindow::open_on(&home, &bus).await?;
        window.sign_in(scene.address(), account).await?;
        window.go_online().await?;
        Ok(Self { window, desktop, bus, home })
    }

    /// Switches 免打扰 by the dialog, and waits until the core knows.
    async fn set_do_not_disturb(&self, wanted: bool) -> Result<()> {
        let page = &self.window.page;
        let is_so = || async {
            let now = preferences(&self.window).await?;
            Ok(now["alerts"]["do_not_disturb"] == json!(wanted))
        };
        page.click_until_shown("account-menu", "attention-open").await?;
        page.click_until_shown("attention-open", "attention-dialog").await?;
        page.click_until("attention-do_not_disturb", "the core knows", is_so).await?;
        page.escape_until("the dialog is closed", || async {
            Ok(!page.has("attention-dialog").await?)
        })
        .await
    }

    /// Waits until exactly these texts stand on the desktop.
    async fn until_told(&self, bodies: &[&str]) -> Result<Vec<Notification>> {
        let is_so = |shown: &[Notification]| {
            shown.iter().map(|one| one.body.as_str()).eq(bodies.iter().copied())
        };
        self.desktop.until_shown(&format!("{bodies:?} on the desktop"), is_so).await
    }

    fn told_times(&self, body: &str) -> usize {
        self.desktop.all().iter().filter(|one| one.body == body).count()
    }

    async fn close(self) -> Result<()> {
        self.window.close().await
    }
}

/// X05, C20, C21: a message that comes while nobody looks at the window is told once, its conversation's
/// next one replaces it, and what visitors write is no markup. A click opens the conversation; an
/// answer from another device takes its notification away. With 免打扰 nothing is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x05_c20_c21_what_waits_is_told_once_and_a_click_opens_it() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let ana = Seat::take(&scene, &account).await?;
    let page = &ana.window.page;
    let device = StaffSocket::sign_in(scene.address(), &account).await?;
    let (vera, viktor) = (scene.visitor().await?, scene.visitor().await?);

    ana.window.put_away().await?;
    let hers = vera.say("is my tea on its way").await?.conversation;
    let first = ana.until_told(&["is my tea on its way"]).await?.remove(0);
    ensure!(first.urgency == 1 && !first.title.contains("tea"), "{first:?}");
    vera.say("<b>or is it</b> & lost").await?;
    let second = ana.until_told(&["&lt;b&gt;or is it&lt;/b&gt; &amp; lost"]).await?.remove(0);
    ensure!(second.number == first.number, "one for each conversation");
    viktor.say("and where is my pot").await?;
    let both = ana.until_told(&["&lt;b&gt;or is it&lt;/b&gt; &amp; lost", "and where is my pot"]);
    let his = both.await?.remove(1).number;
    ensure!(ana.desktop.all().len() == 3, "once each: {:?}", ana.desktop.all());

    ana.desktop.click(his).await?;
    page.until_shows("message", "and where is my pot").await?;
    page.until("a person looks at the window", || async {
        Ok(ana.window.is_looked_at().await?.then_some(()))
    })
    .await?;
    device.until_gained(&hers).await?;
    device.say(&hers, "it will be there tomorrow").await?;
    ana.until_told(&[]).await?;

    ana.set_do_not_disturb(true).await?;
    ana.window.put_away().await?;
    vera.say("nobody should hear this").await?;
    page.until_shows("inbox-row", "nobody should hear this").await?;
    // Looking again makes what comes after it new.
    ana.desktop.tray().await?.choose("打开迎客").await?;
    page.until("a person looks at the window", || async {
        Ok(ana.window.is_looked_at().await?.then_some(()))
    })
    .await?;
    ana.set_do_not_disturb(false).await?;
    ana.window.put_away().await?;
    vera.say("but this again").await?;
    ana.until_told(&["but this again"]).await?;
    ensure!(ana.told_times("nobody should hear this") == 0, "{:?}", ana.desktop.all());
    ana.close().await?;
    scene.finish().await
}

/// X05, B13: who waits without an answer asks louder, then goes to the next agent, which takes the
/// notification away, and when that one does not answer either, managers are told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x05_b13_a_wait_asks_louder_then_the_next_agent_then_the_manager() -> Result<()> {
    let scene = Scene::set().await?;
    let attention = Attention { warn_s: 1, red_s: 3 };
    scene.change_company(|company| company.attention = attention).await?;
    let account = scene.admin.add_staff("Mia", Role::Manager, 8).await?;
    let mia = Seat::take(&scene, &account).await?;
    mia.window.put_away().await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("does anybody hear me").await?.conversation;
    let is_alarm = |shown: &[Notification]| shown.iter().any(|one| one.urgency == 2);
    mia.desktop.until_shown("the alarm", is_alarm).await?;
    let all = mia.desktop.all();
    let first = all.first().context("a first")?;
    ensure!(first.urgency == 1 && all.iter().all(|one| one.number == first.number), "{all:?}");
    ensure!(
        all.last().is_some_and(|last| last.title != first.title),
        "it says that she still waits"
    );

    let ben = scene.agent("Ben", 8).await?;
    let no_answer = NoAnswer { after_s: 10, transfers_max: 1 };
    scene.change_departments(|department| department.no_answer = Some(no_answer)).await?;
    ben.until_gained(&hers).await?;
    mia.desktop.until_shown("it is Ben's", <[Notification]>::is_empty).await?;
    ben.until_gone(&hers).await?;
    let told = mia.desktop.until_shown("the manager is told", |shown| shown.len() == 1).await?;
    ensure!(all.iter().all(|one| one.title != told[0].title), "{told:?} after {all:?}");
    mia.desktop.click(told[0].number).await?;
    mia.window.page.until_shows("message", "does anybody hear me").await?;
    mia.close().await?;
    scene.finish().await
}

/// B12: the tray marks the presence that is, and changes it; 离开 with somebody there brings the window
/// to ask.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b12_the_tray_shows_the_presence_and_changes_it() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let ana = Seat::take(&scene, &account).await?;
    let page = &ana.window.page;
    let tray = ana.desktop.tray().await?;
    let marked = |wanted: &'static str| {
        move |lines: &[TrayLine]| {
            let marked: Vec<_> = lines.iter().filter(|line| line.checked).collect();
            matches!(marked.as_slice(), [one] if one.label == wanted && one.enabled)
        }
    };
    let is_shown = |wanted: &'static str| async move {
        page.until("the window shows the presence", || async {
            let now = page.attribute("presence", "data-availability").await?;
            Ok((now.as_deref() == Some(wanted)).then_some(()))
        })
        .await
    };
    tray.until_lines("online is marked", marked("在线")).await?;
    tray.choose("忙碌").await?;
    is_shown("busy").await?;
    tray.until_lines("busy is marked", marked("忙碌")).await?;
    ana.window.go_online().await?;
    tray.until_lines("online is marked again", marked("在线")).await?;

    let vera = scene.visitor().await?;
    let hers = vera.say("do not go away").await?.conversation;
    let is_hers = |line: &Line| line.conversation_id.as_deref() == Some(hers.as_str());
    page.until_line("her row", "inbox-row", is_hers).await?;
    ana.window.put_away().await?;
    tray.choose("离开").await?;
    page.find("away-dialog").await?;
    ensure!(page.attribute("away-dialog", "data-count").await?.as_deref() == Some("1"));
    tray.until_lines("online is still marked", marked("在线")).await?;
    page.until("the window came", || async { Ok(ana.window.is_looked_at().await?.then_some(())) })
        .await?;
    page.click_until("away-hand-over", "she is away", || async {
        let now = page.attribute("presence", "data-availability").await?;
        Ok(now.as_deref() == Some("away"))
    })
    .await?;
    tray.until_lines("away is marked", marked("离开")).await?;

    page.click_until_shown("account-menu", "sign-out").await?;
    page.click_until_shown("sign-out", "sign-in-submit").await?;
    let is_over = |lines: &[TrayLine]| {
        let presences =
            lines.iter().filter(|line| ["在线", "忙碌", "离开"].contains(&line.label.as_str()));
        presences.filter(|line| !line.enabled && !line.checked).count() == 3
    };
    tray.until_lines("nobody is signed in", is_over).await?;
    ana.close().await?;
    scene.finish().await
}

/// Who starts the client once more gets the window that is there: it comes to the front, still signed in,
/// and there is no second one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_brings_the_window_of_the_first() -> Result<()> {
    let scene = Scene::set().await?;
    let account = scene.hire("Ana", 8).await?;
    let ana = Seat::take(&scene, &account).await?;
    let page = &ana.window.page;
    for _ in 0..2 {
        ana.window.put_away().await?;
        ana.window.start_again(&ana.home, &ana.bus).await?;
        let came = || async { Ok(ana.window.is_looked_at().await?.then_some(())) };
        page.until("the window came", came).await?;
    }
    ana.window.until_connected().await?;
    ana.close().await?;
    scene.finish().await
}
