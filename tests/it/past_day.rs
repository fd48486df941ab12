//! A past day is played again (X04) at the admin's real window, on a relay that lived it: by its own
//! clock the day was in March. What the report says happened is counted again from what visitors and
//! their agent were told then; what it says of other settings is so plain that a person can say it.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use yingke_shared::views::{Availability, Role, SystemNotice, VisitorContent};
use yingke_tests::browser::{DesktopHome, DesktopWindow, Page};
use yingke_tests::clock::ShiftedClock;
use yingke_tests::relay::{TestRelay, relay_program};
use yingke_tests::visitor::TestVisitor;

use crate::scene::Scene;

/// Ten in the morning where the company's clock hangs.
const MORNING: i64 = 1_772_416_800;
const DAY: &str = "2026-03-02";

/// The relay's clock on that day, which only goes ahead.
struct Morning {
    clock: ShiftedClock,
    shift: i64,
}

impl Morning {
    fn begin(clock: ShiftedClock) -> Result<Self> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let shift = MORNING - i64::try_from(now.as_secs())?;
        clock.shift(shift)?;
        Ok(Self { clock, shift })
    }

    fn pass(&mut self, seconds: i64) -> Result<()> {
        self.shift += seconds;
        self.clock.shift(self.shift)
    }
}

/// How long somebody waited for the agent, in seconds, as told to the visitor.
async fn waited(visitor: &TestVisitor) -> Result<Option<f64>> {
    let told = visitor.history().await?;
    let at = |wanted: fn(&VisitorContent) -> bool| {
        told.iter().find(|message| wanted(&message.content)).map(|message| message.at.millis())
    };
    let asked = at(|content| matches!(content, VisitorContent::Text { .. }));
    let joined = at(|content| {
        let VisitorContent::Notice { notice } = content else { return false };
        matches!(notice, SystemNotice::AgentJoined { .. })
    });
    let asked = asked.context("something was asked")?;
    Ok(joined.map(|joined| joined.saturating_sub(asked) as f64 / 1e3))
}

/// What a row of the report says: before, with the settings of now, with those to try.
async fn figures(page: &Page, row: &str) -> Result<[f64; 3]> {
    const CELLS: &str = "
        const row = document.querySelector(`[data-testid=replay-${arguments[0]}]`);
        return row ? [...row.children].slice(1, 4).map((cell) => cell.innerText) : null;";
    let cells = page.run(CELLS, vec![json!(row)]).await?;
    let cells: Vec<String> = serde_json::from_value(cells).with_context(|| row.to_owned())?;
    // A number, or minutes and seconds.
    let read = |cell: &String| -> Result<f64> {
        let parts = cell.trim().split(':').map(str::parse::<f64>);
        parts.into_iter().try_fold(0.0, |whole, part| Ok(whole * 60.0 + part?))
    };
    let cells: Vec<f64> = cells.iter().map(read).collect::<Result<_>>()?;
    cells.try_into().ok().context("three ways")
}

/// X04: four came while Ana had one place: one waited two minutes, one left the line, and an hour later
/// one was served at once. With a second place nobody would have waited, and nobody would have left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x04_the_window_plays_a_past_day_again() -> Result<()> {
    let mut relay = TestRelay::prepare(relay_program()?)?;
    let mut morning = Morning::begin(ShiftedClock::below(&mut relay)?)?;
    relay.run().await?;
    let scene = Scene::on(relay, "http://shop.localhost").await?;
    let ana = scene.agent("Ana", 1).await?;
    let (vera, viktor) = (scene.visitor().await?, scene.visitor().await?);
    let hers = vera.say("Vera comes at ten").await?.conversation;
    ana.until_gained(&hers).await?;
    let his = viktor.say("Viktor stands in line").await?.conversation;
    viktor.until_place(1).await?;
    morning.pass(120)?;
    ana.end(&hers).await?;
    ana.until_gained(&his).await?;
    let wanda = scene.visitor().await?;
    wanda.say("Wanda does not wait long").await?;
    wanda.until_place(1).await?;
    morning.pass(60)?;
    ensure!(wanda.leave_queue().await?.is_ok());
    morning.pass(60)?;
    ana.end(&his).await?;
    ana.until_gone(&his).await?;
    morning.pass(3_600)?;
    let xaver = scene.visitor().await?;
    let last = xaver.say("Xaver comes an hour later").await?.conversation;
    ana.until_gained(&last).await?;
    morning.pass(60)?;
    ana.end(&last).await?;
    ana.until_gone(&last).await?;
    ana.set_availability(Availability::Busy).await?;

    // Counted again from what each was told.
    let mut waits = Vec::new();
    let mut missed = 0;
    for visitor in [&vera, &viktor, &wanda, &xaver] {
        match waited(visitor).await? {
            Some(wait) => waits.push(wait),
            None => missed += 1,
        }
    }
    waits.sort_by(f64::total_cmp);
    ensure!((waits.len(), missed) == (3, 1), "{waits:?}");
    let mean = waits.iter().sum::<f64>() / 3.0;

    morning.clock.shift(0)?;
    let account = scene.relay.admin().await?.add_staff("Ada", Role::Admin, 8).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    let page = &window.page;
    window.sign_in(scene.address(), &account).await?;
    page.click_until_shown("module-manage", "manage").await?;
    page.click_until_shown("manage-replay", "page-replay").await?;
    choose_day(page).await?;
    page.fill(&format!("replay-capacity-{}", ana.id), "2").await?;
    page.click_until_shown("replay-start", "replay-report").await?;

    ensure!(figures(page, "came").await? == [4.0, 4.0, 4.0]);
    ensure!(figures(page, "served").await? == [3.0, 3.0, 4.0]);
    ensure!(figures(page, "missed").await? == [1.0, 1.0, 0.0]);
    for (row, counted) in
        [("wait_mean_ms", mean), ("wait_p50_ms", waits[1]), ("wait_max_ms", waits[2])]
    {
        let [before, as_now, after] = figures(page, row).await?;
        // Shown in whole seconds, and an assignment takes its moment.
        ensure!((before - counted).abs() <= 1.5, "{row}: {before} s, counted {counted} s");
        ensure!(as_now <= before + 1.0 && after <= 1.0, "{row}: {before}, {as_now}, {after} s");
    }
    ensure!(figures(page, "wait_max_ms").await?[1] >= 118.0, "Viktor waits again");
    // The chart of who was missed: in the eleventh hour of the day, twice.
    const BARS: &str = "
        const charts = [...document.querySelectorAll('[data-testid=replay-report] figure')];
        return [...charts[1].querySelectorAll('rect')]
            .flatMap((bar, place) => Number(bar.getAttribute('height')) > 0 ? [place] : []);";
    let bars = page.run(BARS, Vec::new()).await?;
    ensure!(bars == json!([10, 24 + 10]), "{bars}");
    let agents = page.lines("replay-agents").await?.remove(0).text;
    ensure!(agents.contains("Ana") && !agents.contains("Ada"), "{agents}");
    window.close().await?;
    scene.finish().await
}

/// Chooses the day as its calendar would; how dates are typed is the system's.
async fn choose_day(page: &Page) -> Result<()> {
    const CHOOSE: &str = "
        const input = document.querySelector('[data-testid=replay-day]');
        const value = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
        value.set.call(input, arguments[0]);
        input.dispatchEvent(new Event('input', { bubbles: true }));";
    page.find("replay-day").await?;
    page.until("the day is chosen", || async {
        if page.value("replay-day").await? == DAY {
            return Ok(Some(()));
        }
        page.run(CHOOSE, vec![json!(DAY)]).await?;
        Ok(None)
    })
    .await
}
