//! Colleagues, managers and admins at the real desktop window: handing over, the line, watching, and
//! rules that hold at once.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use thirtyfour::Key;
use yingke_shared::events::StaffEventBody;
use yingke_shared::ids::{ConversationId, DepartmentId};
use yingke_shared::rest::ChangeAgent;
use yingke_shared::settings::{DepartmentSettings, SettingsSection};
use yingke_shared::views::{Availability, Role, VisitorStatus};
use yingke_tests::browser::{
    Chromium, DesktopHome, DesktopWindow, Line, Page, Profile, pair_of_seats,
};
use yingke_tests::staff::StaffSocket;

use crate::pages::with_shop;
use crate::scene::Scene;

fn is_of(conversation: &ConversationId) -> impl Fn(&Line) -> bool + use<> {
    let id = conversation.as_str().to_owned();
    move |line| line.conversation_id.as_deref() == Some(id.as_str())
}

/// Waits until a conversation has left a list.
async fn until_left(page: &Page, list: &str, conversation: &ConversationId) -> Result<()> {
    let is_of = is_of(conversation);
    page.until("the conversation has left the list", || async {
        Ok((!page.lines(list).await?.iter().any(&is_of)).then_some(()))
    })
    .await
}

/// F01, F02, B11, B12: only a colleague who is online can be asked, and how much she has is said; after
/// her yes the visitor's page says her name. 离开 says how many run and puts them to the front.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_f02_b11_b12_the_window_hands_over_one_and_then_all() -> Result<()> {
    let (scene, shop) = with_shop().await?;
    let account = scene.hire("Ana", 8).await?;
    let _pair = pair_of_seats().await;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    let page = &window.page;
    window.sign_in(scene.address(), &account).await?;
    window.go_online().await?;
    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    scene.address().said.note("我的茶壶碎了一个角");
    vera.say("我的茶壶碎了一个角").await?;
    vera.page.until_shows("agents", "Ana").await?;
    let row = page.until_shows("inbox-row", "Tea").await?;
    let hers = ConversationId::new(row.conversation_id.context("a row names its conversation")?)?;
    window.open_conversation(hers.as_str()).await?;

    let busy = scene.agent("Cleo", 8).await?;
    busy.set_availability(Availability::Busy).await?;
    let ben = scene.agent("Ben", 4).await?;
    let viktor = scene.visitor().await?;
    viktor.say("Viktor comes to Ben, who has less").await?;
    ben.until_holding(1).await?;
    page.click_until_shown("transfer", "invite-dialog").await?;
    page.until("only Ben can be asked, and he has one of four", || async {
        let lines = page.lines("invite-option").await?;
        let [only] = lines.as_slice() else { return Ok(None) };
        Ok((only.text.contains("Ben") && only.text.contains("1/4")).then_some(()))
    })
    .await?;
    page.click_until_enabled("invite-option", "invite-submit").await?;
    scene.address().said.note("壶嘴破损，请补发");
    page.fill("invite-note", "壶嘴破损，请补发").await?;
    page.click_until_gone("invite-submit").await?;
    page.until_shows("open-invitation", "Ben").await?;
    let asked = ben
        .link
        .until("Ben is asked", |held| held.snapshot.invitations.keys().next().cloned())
        .await?;
    ensure!(ben.answer(&asked, true).await?.is_ok());
    ben.until_gained(&hers).await?;
    until_left(page, "inbox-row", &hers).await?;
    vera.page.until_shows("agents", "Ben").await?;
    ben.say(&hers, "我马上给您补发").await?;
    vera.page.until_shows("message", "我马上给您补发").await?;
    vera.close().await?;

    let second = scene.visitor().await?;
    let his = second.say("Ana has nobody now and gets this one").await?.conversation;
    page.until_line("the second visitor's row is there", "inbox-row", is_of(&his)).await?;
    ensure!(window.ask_to_go_away().await?.as_deref() == Some("1"), "one runs");
    page.click_until("away-hand-over", "she is away", || async {
        let now = page.attribute("presence", "data-availability").await?;
        Ok(now.as_deref() == Some("away"))
    })
    .await?;
    ben.until_gained(&his).await?;
    until_left(page, "inbox-row", &his).await?;
    second.until_status("Ben serves", served_by(&ben)).await?;
    window.close().await?;
    scene.finish().await
}

fn served_by(agent: &StaffSocket) -> impl Fn(&VisitorStatus) -> bool + use<> {
    let id = agent.id.clone();
    move |status| matches!(status, VisitorStatus::Serving { agent } if agent.id == id)
}

/// B09, F05, L02, X04: a manager assigns who waits to somebody who is full, after a question; watches
/// and reads why it came there; whispers, which the visitor never hears; takes over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b09_f05_l02_x04_the_managers_window_assigns_watches_and_takes_over() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 1).await?;
    let account = scene.admin.add_staff("Mia", Role::Manager, 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    let page = &window.page;
    window.sign_in(scene.address(), &account).await?;
    window.go_busy().await?;
    let viktor = scene.visitor().await?;
    let his = viktor.say("Viktor has the only place").await?.conversation;
    ana.until_gained(&his).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("Vera stands in line").await?.conversation;
    vera.until_place(1).await?;

    page.click_until_shown("tab-queue", "queue-row").await?;
    page.until_line("Vera's row in the line", "queue-row", is_of(&hers)).await?;
    page.click_until_shown("queue-assign", "assign-dialog").await?;
    page.until_shows("assign-option", "1/1").await?;
    page.click_until_enabled("assign-option", "assign-submit").await?;
    page.click_until_shown("assign-submit", "assign-full").await?;
    ensure!(ana.record(&hers).is_none(), "not before the second yes");
    page.click_until_gone("assign-submit").await?;
    ana.until_gained(&hers).await?;
    until_left(page, "queue-row", &hers).await?;

    page.click_until_shown("tab-colleagues", "colleague-row").await?;
    page.open_line("colleague-row", his.as_str(), "watch-bar").await?;
    page.until_shows("message", "Viktor has the only place").await?;
    page.click_until_shown("chat-more", "why-open").await?;
    page.click_until_shown("why-open", "why").await?;
    let taken = "const one = document.querySelector('[data-testid=why] [data-verdict=taken]'); \
                 return one ? one.innerText : null";
    page.until("who was compared, and that Ana was taken", || async {
        let shown = page.run(taken, Vec::new()).await?;
        Ok(shown.as_str().is_some_and(|text| text.contains("Ana")).then_some(()))
    })
    .await?;
    page.escape_until("why is closed", || async { Ok(!page.has("why").await?) }).await?;

    page.open_line("colleague-row", hers.as_str(), "watch-bar").await?;
    page.until_shows("message", "Vera stands in line").await?;
    vera.preview("and I am in a hur").await?;
    page.until_shows("preview", "and I am in a hur").await?;
    let whisper = "offer her the express parcel";
    scene.address().said.note(whisper);
    page.fill("whisper", whisper).await?;
    page.click_until_shown("whisper-send", "note").await?;
    page.until_shows("note", whisper).await?;
    ana.link
        .until("Ana hears the whisper", |held| {
            held.events.iter().find_map(|event| match &event.body {
                StaffEventBody::NoteAdded { note, .. } => (note.text == whisper).then_some(()),
                _ => None,
            })
        })
        .await?;
    page.click_until_gone("watch-take-over").await?;
    ana.until_gone(&hers).await?;
    page.click_until_shown("tab-running", "inbox-row").await?;
    window.open_conversation(hers.as_str()).await?;
    scene.address().said.note("I am Mia and take care of it");
    window.say("I am Mia and take care of it").await?;
    vera.until_text("I am Mia and take care of it").await?;
    let told = vera
        .link()?
        .look(|held| format!("{:?} {:?}", held.events, serde_json::to_string(&held.snapshot)));
    ensure!(!told.contains(whisper), "no whisper reaches the visitor");
    ensure!(!format!("{:?}", vera.history().await?).contains(whisper));
    window.close().await?;
    scene.finish().await
}

/// B04, J03, J04, X20: a rule made in the management centre is hit by a test run and by the next
/// visitor, without a restart; the record of deeds says who made it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b04_j03_x20_a_rule_made_in_the_window_holds_at_once() -> Result<()> {
    let scene = Scene::set().await?;
    let ana = scene.agent("Ana", 8).await?;
    let ben = scene.agent("Ben", 8).await?;
    let after_sales = found_department(&scene, "售后").await?;
    let departments = Some(vec![after_sales]);
    scene
        .admin
        .change_agent(&ben.id, &ChangeAgent { departments, ..ChangeAgent::default() })
        .await?;
    let account = scene.admin.add_staff("Ada", Role::Admin, 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    let page = &window.page;
    window.sign_in(scene.address(), &account).await?;
    window.go_busy().await?;
    let viktor = scene.visitor().await?;
    let his = viktor.say("Viktor comes before there is a rule").await?.conversation;
    ana.until_gained(&his).await?;

    page.click_until_shown("module-manage", "manage").await?;
    page.click_until_shown("manage-rules", "page-rules").await?;
    page.click_until_shown("rule-add", "rule-editor").await?;
    page.fill("rule-name", "看茶的人").await?;
    page.click_until_shown("condition-add", "condition-0").await?;
    page.until("the page's address is asked for", || async {
        let shown = page.lines("condition-values-0").await?;
        if shown.first().is_some_and(|shown| shown.text.trim() == "/tea") {
            return Ok(Some(()));
        }
        page.find("condition-values-0").await?.click().await?;
        page.driver.active_element().await?.send_keys("/tea" + Key::Enter).await?;
        Ok(None)
    })
    .await?;
    page.choose("rule-department_id", "售后").await?;
    page.click_until_gone("save").await?;
    page.until_shows("save-state", "已保存").await?;

    page.click_until_shown("dry-run-toggle", "dry-run").await?;
    page.fill("dry-run-page", "http://shop.localhost/tea").await?;
    page.click_until_shown("dry-run-start", "dry-run-result").await?;
    page.until_shows("dry-run-result", "看茶的人").await?;
    ensure!(page.attribute("rule-0", "data-outcome").await?.as_deref() == Some("hit"));
    ensure!(
        ben.link.look(|held| held.snapshot.conversations.is_empty()),
        "a test run moves nobody"
    );

    let vera = scene.visitor().await?;
    let hers = vera.say("Vera looks at tea and meets the rule").await?.conversation;
    ben.until_gained(&hers).await?;
    ensure!(ana.record(&hers).is_none() && ana.record(&his).is_some());
    page.click_until_shown("manage-audit", "audit-table").await?;
    let deeds = "return [...document.querySelectorAll('[data-testid=audit-table] tbody tr')] \
                 .map((row) => row.innerText)";
    page.until("the newest deed is Ada's", || async {
        let shown = page.run(deeds, Vec::new()).await?;
        let newest = shown.get(0).cloned().unwrap_or(json!(""));
        let is_hers =
            newest.as_str().is_some_and(|row| row.contains("Ada") && row.contains("分配规则"));
        Ok(is_hers.then_some(()))
    })
    .await?;
    window.close().await?;
    scene.finish().await
}

/// Adds a department beside the one every company begins with.
pub(crate) async fn found_department(scene: &Scene, name: &str) -> Result<DepartmentId> {
    let settings = scene.admin.settings().await?;
    let mut departments = settings.departments.value;
    let first = departments.first().context("a company begins with a department")?.clone();
    let id = DepartmentId::new("after-sales")?;
    departments.push(DepartmentSettings { id: id.clone(), name: name.to_owned(), ..first });
    let section = SettingsSection::Departments(departments);
    scene.admin.save_settings(settings.departments.version, section).await?;
    Ok(id)
}
