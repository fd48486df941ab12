//! S15: from a key press in the real widget to the preview on the agent's real window, and from send
//! to the other side's screen. Both pages note times by the same machine's clock; the window notes
//! the moment its document changed.

use anyhow::{Context as _, Result};
use serde_json::json;
use yingke_tests::browser::{Chromium, DesktopHome, DesktopWindow, Page, Profile};
use yingke_tests::relay::TestRelay;
use yingke_tests::shop::EmptyShop;
use yingke_tests::wait;

use crate::percentile;

const PRESSES: usize = 120;

/// Notes when the page first contains what is being waited for.
const WATCH: &str = "
    window.__seen = {};
    const look = () => {
        const now = performance.timeOrigin + performance.now();
        for (const element of document.querySelectorAll('[data-testid=preview], [data-testid=message]')) {
            for (const mark of element.textContent.match(/<[a-z]+[0-9]+>/g) ?? []) {
                const key = element.dataset.testid + mark;
                window.__seen[key] ??= now;
            }
        }
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });";

const PRESSED: &str = "
    window.__pressed = [];
    document.addEventListener('keydown', (event) => {
        window.__pressed.push(performance.timeOrigin + event.timeStamp);
    }, true);";

pub(crate) async fn measure() -> Result<()> {
    let place = EmptyShop::rent().await?;
    let mut relay = TestRelay::prepare(crate::relay_program()?)?;
    relay.run().await?;
    let admin = relay.admin().await?;
    let site = admin.add_site("Tea", &place.origin()).await?;
    let shop = place.open(&relay.address, &site);
    let account = admin.add_agent("Ana", 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    window.sign_in(&relay.address, &account).await?;
    window.go_online().await?;
    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "zh-CN").await?;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    vera.say("first").await?;
    let row = window.page.until_shows("inbox-row", "Tea").await?;
    window.open_conversation(&row.conversation_id.context("a conversation")?).await?;
    for page in [&window.page, &vera.page] {
        page.run(WATCH, Vec::new()).await?;
        page.run(PRESSED, Vec::new()).await?;
    }

    let mut previews = Vec::new();
    for number in 0..PRESSES {
        let mark = format!("<p{number}>");
        // All but the last key by the script, so that exactly one press is timed.
        let (head, last) = mark.split_at(mark.len() - 1);
        vera.page.fill("composer", head).await?;
        wait::pass(std::time::Duration::from_millis(260)).await;
        vera.page.run("window.__pressed = []", Vec::new()).await?;
        vera.page.type_into("composer", last).await?;
        let pressed = first_press(&vera.page).await?;
        let seen = seen(&window.page, &format!("preview{mark}")).await?;
        previews.push(seen - pressed);
    }
    vera.page.fill("composer", "done").await?;
    vera.page.click("send").await?;
    report("key press to preview on the agent's window", &previews);

    for (name, from, to) in [
        ("visitor's Enter to the agent's window", &vera.page, &window.page),
        ("agent's Enter to the visitor's page", &window.page, &vera.page),
    ] {
        let mut sends = Vec::new();
        for number in 0..PRESSES {
            let mark =
                format!("<{}{number}>", if std::ptr::eq(from, &vera.page) { "v" } else { "a" });
            from.type_into("composer", &mark).await?;
            // Slower than the relay's rate for one writer.
            wait::pass(std::time::Duration::from_millis(150)).await;
            from.run("window.__pressed = []", Vec::new()).await?;
            from.find("composer").await?.send_keys(thirtyfour::Key::Enter).await?;
            let pressed = first_press(from).await?;
            sends.push(seen(to, &format!("message{mark}")).await? - pressed);
        }
        report(name, &sends);
    }
    window.close().await?;
    vera.close().await?;
    relay.finish().await
}

async fn first_press(page: &Page) -> Result<f64> {
    page.run("return window.__pressed[0]", Vec::new()).await?.as_f64().context("a key press")
}

async fn seen(page: &Page, key: &str) -> Result<f64> {
    wait::until("the other page shows it", || async {
        Ok(page.run("return window.__seen[arguments[0]] ?? null", vec![json!(key)]).await?.as_f64())
    })
    .await
}

fn report(what: &str, times: &[f64]) {
    println!(
        "S15 {what}: p50 {:.0} ms, p99 {:.0} ms, of {}",
        percentile(times.to_vec(), 0.5),
        percentile(times.to_vec(), 0.99),
        times.len()
    );
}
