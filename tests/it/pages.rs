//! Stories in real pages: the real widget in Chromium, the real desktop window.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use yingke_shared::rest::ChangeSite;
use yingke_tests::browser::{Chromium, DesktopHome, DesktopWindow, Profile, pair_of_seats};
use yingke_tests::relay::TestRelay;
use yingke_tests::shop::{EmptyShop, Shop};
use yingke_tests::wait;

use crate::scene::Scene;

/// A relay, and a shop whose domain is entered and that embeds the widget by its snippet.
pub(crate) async fn with_shop() -> Result<(Scene, Shop)> {
    let place = EmptyShop::rent().await?;
    let scene = Scene::on(TestRelay::start().await?, &place.origin()).await?;
    let shop = place.open(scene.address(), &scene.site);
    Ok((scene, shop))
}

/// A05, D04, E01, X07, R03: from the shop to the agent's window and back, with the typing preview,
/// and the marks on both sides.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_d04_e01_x07_first_message_both_ways_with_preview() -> Result<()> {
    let (scene, shop) = with_shop().await?;
    let account = scene.hire("Ana", 8).await?;
    let _pair = pair_of_seats().await;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    window.sign_in(scene.address(), &account).await?;
    window.go_online().await?;

    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    vera.visit(&shop.url()).await?;
    ensure!(!vera.has_frame().await?, "a closed launcher is only a button");
    vera.open_widget().await?;
    let said = scene.address().said.clone();
    said.note("请问龙井还有货吗");
    vera.say("请问龙井还有货吗").await?;
    let row = window.page.until_shows("inbox-row", "Tea").await?;
    window.open_conversation(&row.conversation_id.context("a row names its conversation")?).await?;
    window.page.until_shows("message", "请问龙井还有货吗").await?;

    said.note("我的电话是");
    vera.page.type_into("composer", "我的电话是 1381234567890").await?;
    // Masked after the sixth digit.
    let preview = window.page.until_shows("preview", "我的电话是 138123*******").await?;
    ensure!(!preview.text.contains("1381234"));
    vera.page.fill("composer", "我想买两盒").await?;
    window.page.until_shows("preview", "我想买两盒").await?;
    vera.page.click("send").await?;
    window.page.until_shows("message", "我想买两盒").await?;
    window.page.until_gone("preview").await?;

    said.note("有货的，今天就能发出");
    window.say("有货的，今天就能发出").await?;
    let answer = vera.page.until_shows("message", "有货的，今天就能发出").await?;
    ensure!(answer.author.as_deref() == Some("agent"), "{answer:?}");
    vera.page
        .until_line("Vera's message is marked as read", "message", |line| {
            line.text.contains("我想买两盒") && line.state.as_deref() == Some("read")
        })
        .await?;
    window
        .page
        .until_line("Ana's message is marked as read", "message", |line| {
            line.text.contains("有货的") && line.state.as_deref() == Some("read")
        })
        .await?;

    // The same messages in the same order on both pages.
    let ids = |lines: Vec<yingke_tests::browser::Line>| -> Vec<_> {
        lines.into_iter().map(|line| (line.seq, line.client_id)).collect()
    };
    let at_ana = ids(window.page.messages().await?);
    let at_vera = ids(vera.page.messages().await?);
    ensure!(
        at_ana.iter().filter(|line| !at_vera.contains(line)).count() == 0,
        "{at_ana:?} {at_vera:?}"
    );
    window.close().await?;
    vera.close().await?;
    scene.finish().await
}

/// A33: reload and return in the same browser profile: the same visitor with the whole history; a
/// fresh profile is a stranger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a33_reload_and_return_with_history() -> Result<()> {
    let (scene, shop) = with_shop().await?;
    let ana = scene.agent("Ana", 8).await?;
    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    scene.address().said.note("我明天再来看看");
    vera.say("我明天再来看看").await?;
    let hers = ana.until_holding(1).await?.remove(0);
    ana.say(&hers, "好的，随时恭候您").await?;
    vera.page.until_shows("message", "好的，随时恭候您").await?;

    // A reload: with an open conversation the widget comes back by itself or by its launcher.
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    vera.page.until_shows("message", "我明天再来看看").await?;
    vera.page.until_shows("message", "好的，随时恭候您").await?;
    vera.close().await?;

    let vera = Chromium::start(&profile, "zh-CN").await?;
    ana.say(&hers, "您不在时写的一句").await?;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    for text in ["我明天再来看看", "好的，随时恭候您", "您不在时写的一句"] {
        vera.page.until_shows("message", text).await?;
    }
    scene.address().said.note("我又回来了呀");
    vera.say("我又回来了呀").await?;
    ana.until_record("the same conversation goes on", &hers, |record| record.unread() == 2).await?;
    ensure!(ana.until_holding(1).await? == [hers]);
    vera.close().await?;

    let stranger = Profile::new()?;
    let viktor = Chromium::start(&stranger, "zh-CN").await?;
    viktor.visit(&shop.url()).await?;
    viktor.open_widget().await?;
    ensure!(viktor.page.messages().await?.iter().all(|line| !line.text.contains("明天再来")));
    viktor.close().await?;
    scene.finish().await
}

/// A02, hard: on a page whose domain was not entered nothing starts, and the console says why; once
/// it is entered the widget starts; switched off (A04) it does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_a04_the_widget_starts_only_where_it_may() -> Result<()> {
    let (scene, shop) = with_shop().await?;
    let profile = Profile::new()?;
    let browser = Chromium::start(&profile, "zh-CN").await?;
    browser.visit(&shop.stolen_url()).await?;
    let said = console_says(&browser).await?;
    ensure!(
        said.contains("thief.localhost") || said.contains("domain") || said.contains("域名"),
        "{said}"
    );
    ensure!(!browser.page.has("launcher").await? && !browser.has_frame().await?);

    let change = |settings: ChangeSite| {
        let (admin, site) = (scene.admin.clone(), scene.site.clone());
        async move { admin.change_site(&site, &settings).await }
    };
    let thief = shop.stolen_url().trim_end_matches('/').to_owned();
    change(ChangeSite { domains: Some(vec![thief]), ..ChangeSite::default() }).await?;
    browser.visit(&shop.stolen_url()).await?;
    browser.open_widget().await?;
    browser.visit(&shop.url()).await?;
    console_says(&browser).await?;
    ensure!(!browser.page.has("launcher").await?);

    let own = shop.url().trim_end_matches('/').to_owned();
    change(ChangeSite { domains: Some(vec![own]), enabled: Some(false), ..ChangeSite::default() })
        .await?;
    browser.visit(&shop.url()).await?;
    console_says(&browser).await?;
    ensure!(!browser.page.has("launcher").await?);
    browser.close().await?;
    scene.finish().await
}

/// Waits until the widget has said something in the console.
async fn console_says(browser: &Chromium) -> Result<String> {
    wait::until("the console says something of the widget", || async {
        let said = browser.console().await?;
        let is_own =
            |line: &&String| line.contains("widget.js") && !line.contains("Failed to load");
        let own: Vec<String> = said.iter().filter(is_own).cloned().collect();
        Ok((!own.is_empty()).then(|| own.join("\n")))
    })
    .await
}

/// A02: the gate compares origins exactly, for the boot and for the frame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_origins_are_compared_exactly() -> Result<()> {
    let relay = TestRelay::start().await?;
    let scene = Scene::on(relay, "https://shop.example").await?;
    let path = format!("/w/{}/boot", scene.site);
    for (origin, may) in [
        ("https://shop.example", true),
        ("http://shop.example", false),
        ("https://shop.example:8443", false),
        ("https://shop.example.evil.example", false),
        ("https://www.shop.example", false),
        ("https://shop.examplex", false),
        ("null", false),
    ] {
        let (status, headers, body) = scene.address().get(&path, &[("origin", origin)]).await?;
        ensure!(status.is_success() == may, "{origin}: {status} {body}");
        if may {
            let allowed = headers.get("access-control-allow-origin").context("CORS")?;
            ensure!(allowed == origin);
        } else {
            ensure!(body.contains("origin_refused"), "{origin}: {body}");
        }
    }
    let (status, _, body) = scene.address().get(&path, &[]).await?;
    ensure!(!status.is_success(), "without an Origin: {body}");
    let (status, headers, _) =
        scene.address().get(&format!("/w/{}/frame", scene.site), &[]).await?;
    let policy = headers.get("content-security-policy").context("a policy")?.to_str()?;
    ensure!(
        status.is_success() && policy.contains("frame-ancestors https://shop.example"),
        "{policy}"
    );
    let (unknown, _, body) = scene
        .address()
        .get("/w/0190-not-there/boot", &[("origin", "https://shop.example")])
        .await?;
    ensure!(unknown.is_client_error(), "{body}");
    scene.finish().await
}

/// A03: the chat link opens a full-page chat that works without any host page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_the_chat_link_is_a_whole_page() -> Result<()> {
    let (scene, _shop) = with_shop().await?;
    let ana = scene.agent("Ana", 8).await?;
    let profile = Profile::new()?;
    let viktor = Chromium::start(&profile, "en").await?;
    let link = format!("{}/c/{}", scene.address().chat_origin(), scene.site);
    viktor.visit(&link).await?;
    scene.address().said.note("Is anybody at home");
    viktor.say("Is anybody at home").await?;
    let his = ana.until_holding(1).await?.remove(0);
    ana.say(&his, "Yes, we are all at home").await?;
    viktor.page.until_shows("message", "Yes, we are all at home").await?;
    viktor.visit(&link).await?;
    viktor.page.until_shows("message", "Is anybody at home").await?;
    viktor.close().await?;
    scene.finish().await
}

/// A29: Enter that ends an input method's composition never sends; the next one does; Shift+Enter
/// breaks the line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a29_an_input_methods_enter_never_sends() -> Result<()> {
    let (scene, shop) = with_shop().await?;
    let ana = scene.agent("Ana", 8).await?;
    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    vera.page.find("composer").await?.click().await?;
    let key = |kind: &str, code: u32| {
        json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": code,
                "nativeVirtualKeyCode": 13, "text": if code == 13 && kind == "keyDown" { "\r" } else { "" } })
    };
    // While the composition stands, and as engines report the key that ends it (229).
    let composing = json!({ "text": "longjing", "selectionStart": 8, "selectionEnd": 8 });
    vera.devtools("Input.imeSetComposition", composing).await?;
    for (kind, code) in [("rawKeyDown", 229), ("keyUp", 13), ("rawKeyDown", 13), ("keyUp", 13)] {
        vera.devtools("Input.dispatchKeyEvent", key(kind, code)).await?;
    }
    vera.devtools("Input.insertText", json!({ "text": "龙井" })).await?;
    vera.page
        .until("the composition has become text", || async {
            Ok(vera.page.value("composer").await?.contains("龙井").then_some(()))
        })
        .await?;
    ensure!(vera.page.messages().await?.is_empty(), "nothing was sent");
    ensure!(ana.link.look(|held| held.snapshot.conversations.is_empty()));

    scene.address().said.note("龙井还有吗");
    vera.page.fill("composer", "龙井还有吗").await?;
    vera.page.find("composer").await?.send_keys(thirtyfour::Key::Enter).await?;
    ana.until_holding(1).await?;
    vera.page.until_shows("message", "龙井还有吗").await?;
    vera.close().await?;
    scene.finish().await
}

/// A14: the widget follows the browser's language first and switches at any time, with no text left
/// behind in the other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_the_widget_speaks_two_languages() -> Result<()> {
    let (scene, shop) = with_shop().await?;
    let profile = Profile::new()?;
    let viktor = Chromium::start(&profile, "en").await?;
    viktor.visit(&shop.url()).await?;
    viktor.open_widget().await?;
    until_spoken(&viktor, "en").await?;
    switch_language(&viktor).await?;
    until_spoken(&viktor, "zh").await?;
    // The choice outlives the page.
    viktor.visit(&shop.url()).await?;
    viktor.open_widget().await?;
    until_spoken(&viktor, "zh").await?;
    switch_language(&viktor).await?;
    until_spoken(&viktor, "en").await?;
    viktor.close().await?;
    scene.finish().await
}

/// Waits until the page says that it speaks this language, and does.
async fn until_spoken(browser: &Chromium, language: &str) -> Result<()> {
    let what = format!("the widget speaks {language}");
    browser
        .page
        .until(&what, || async {
            let script = "return document.documentElement.lang";
            let said = browser.page.run(script, Vec::new()).await?;
            let is_said = said.as_str().is_some_and(|said| said.starts_with(language));
            let is_ascii = placeholder(browser).await?.is_ascii();
            Ok((is_said && is_ascii == (language == "en")).then_some(()))
        })
        .await
}

async fn placeholder(browser: &Chromium) -> Result<String> {
    let said = browser.page.attribute("composer", "placeholder").await?;
    match said {
        Some(said) if !said.is_empty() => Ok(said),
        _ => browser.page.attribute("composer", "aria-label").await?.context("a label"),
    }
}

async fn switch_language(browser: &Chromium) -> Result<()> {
    browser.page.click_until_shown("menu", "menu-language").await?;
    browser.page.click("menu-language").await
}
