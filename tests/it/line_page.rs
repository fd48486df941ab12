//! The line and leave-messages on the real page of a visitor.

use anyhow::{Result, ensure};
use yingke_shared::rest::ChangeAgent;
use yingke_shared::settings::Category;
use yingke_shared::views::WaitingReason;
use yingke_tests::browser::{Chromium, Profile};
use yingke_tests::staff::StaffSocket;

use crate::floor_desk::found_department;
use crate::pages::with_shop;

/// A30, H03: the page says the place and follows it; the line can be left. When nobody is there any
/// more the form opens with what is being typed, and what is left is there once, also after a reload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a30_h03_the_page_shows_the_line_and_leaves_a_message_once() -> Result<()> {
    // First the browser, which may wait for its seat: an unanswered visitor is moved after a while.
    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    let (scene, shop) = with_shop().await?;
    let ana = scene.agent("Ana", 1).await?;
    let served = scene.visitor().await?;
    served.say("the only place is taken").await?;
    served.until_served().await?;
    let viktor = scene.visitor().await?;
    viktor.say("Viktor stands before Vera").await?;
    viktor.until_waiting(WaitingReason::AllFull).await?;

    let page = &vera.page;
    let said = &scene.address().said;
    let is_placed = |wanted: &'static str| async move {
        page.until("the page says the place", || async {
            let place = page.attribute("notice", "data-place").await?;
            Ok((place.as_deref() == Some(wanted)).then_some(()))
        })
        .await
    };
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    said.note("请问还要等多久");
    vera.say("请问还要等多久").await?;
    is_placed("2").await?;
    ensure!(viktor.leave_queue().await?.is_ok());
    is_placed("1").await?;
    page.until_shows("notice", "下一位就是您").await?;
    page.click("leave-queue").await?;
    page.until_shows("leave-queue", "确认离开").await?;
    page.click_until_gone("leave-queue").await?;
    let status = |wanted: &'static str| async move {
        page.until("the page says how things stand", || async {
            let now = page.attribute("status", "data-kind").await?;
            Ok((now.as_deref() == Some(wanted)).then_some(()))
        })
        .await
    };
    status("ended").await?;

    said.note("我还是想问一下");
    vera.say("我还是想问一下").await?;
    is_placed("1").await?;
    let left = "请把八十八号订单寄到老地址";
    said.note(left);
    page.type_into("composer", left).await?;
    ana.go_away(false).await?;
    page.find("leave-form").await?;
    ensure!(page.value("composer").await? == left, "what is being typed is in the form");
    said.note("vera@example.com");
    page.fill("leave-contact", "vera@example.com").await?;
    page.click_until_gone("leave-submit").await?;
    // Acknowledged or not: the page is loaded anew.
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    page.until_line("the message is left", "notice", |line| !line.text.is_empty()).await?;
    status("ended").await?;
    page.until_shows("message", left).await?;
    let copies = page.messages().await?;
    ensure!(copies.iter().filter(|line| line.text.contains(left)).count() == 1, "{copies:?}");
    ensure!(page.value("composer").await?.is_empty(), "nothing is left to send again");
    vera.close().await?;
    scene.finish().await
}

/// H03, B11: the client of who serves her is gone. After the grace period the form opens in Vera's window
/// around what she is typing; the agent is back before she sends it, and the talk goes on with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h03_an_agent_drops_and_the_form_opens_around_what_is_typed() -> Result<()> {
    let (scene, shop) = with_shop().await?;
    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    let ana = scene.agent("Ana", 1).await?;
    scene.change_company(|company| company.grace_s = 5).await?;
    let page = &vera.page;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    scene.address().said.note("八十八号订单到哪里了");
    vera.say("八十八号订单到哪里了").await?;
    let hers = ana.until_holding(1).await?;
    let typed = "另外想改一下收货地址";
    scene.address().said.note(typed);
    page.type_into("composer", typed).await?;
    let (id, token) = (ana.id.clone(), ana.token.clone());
    drop(ana);
    page.find("leave-form").await?;
    ensure!(page.value("composer").await? == typed, "what is being typed is in the form");
    let ana = StaffSocket::connect(scene.address(), &id, &token).await?;
    ensure!(ana.until_holding(1).await? == hers, "the same conversation");
    page.until("the form is gone", || async {
        let now = page.attribute("status", "data-kind").await?;
        Ok((now.as_deref() == Some("serving")).then_some(()))
    })
    .await?;
    ensure!(page.value("composer").await? == typed, "and in the composer again");
    vera.close().await?;
    scene.finish().await
}

/// A24: the category form stands before the first message and decides the department.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a24_the_category_decides_the_department() -> Result<()> {
    let (scene, shop) = with_shop().await?;
    let ana = scene.agent("Ana", 8).await?;
    let ben = scene.agent("Ben", 8).await?;
    let after_sales = found_department(&scene, "售后").await?;
    let departments = Some(vec![after_sales.clone()]);
    scene
        .admin
        .change_agent(&ben.id, &ChangeAgent { departments, ..ChangeAgent::default() })
        .await?;
    let category = |name: &str, department_id| Category { name: name.to_owned(), department_id };
    scene
        .change_company(|company| {
            let first = company.default_department.clone();
            company.categories = vec![category("买茶", first), category("退换", after_sales)];
        })
        .await?;

    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    let page = &vera.page;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    page.until_shows("pick-category", "退换").await?;
    scene.address().said.note("这盒想换成红茶");
    page.type_into("composer", "这盒想换成红茶").await?;
    let send = || async { Ok::<_, anyhow::Error>(page.find("send").await?.is_enabled().await?) };
    ensure!(!send().await?, "without a category nothing goes");
    page.until("退换 is picked", || async {
        const PRESSED: &str = "return [...document.querySelectorAll('[aria-pressed=true]')] \
            .map((one) => one.dataset.value).join()";
        const CHIP: &str = "return document.querySelector('[data-value=退换]')";
        if page.run(PRESSED, Vec::new()).await? == "退换" {
            return Ok(Some(()));
        }
        page.driver.execute(CHIP, Vec::new()).await?.element()?.click().await?;
        Ok((page.run(PRESSED, Vec::new()).await? == "退换").then_some(()))
    })
    .await?;
    page.click_until("send", "it is sent", || async {
        Ok(page.value("composer").await?.is_empty())
    })
    .await?;
    let hers = ben.until_holding(1).await?.remove(0);
    ensure!(ana.record(&hers).is_none());
    page.until_shows("agents", "Ben").await?;
    ben.say(&hers, "换货单已经开好了").await?;
    page.until_shows("message", "换货单已经开好了").await?;
    vera.close().await?;
    scene.finish().await
}
