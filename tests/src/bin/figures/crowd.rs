//! S18, its second figure: from a first message to the agent's screen, while 200 agents have 2,000
//! conversations running and visitors write in them. The screen is a real window; the other agents are
//! staff sockets. Beside it the same message's arrival at a socket of the same agent.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, ensure};
use futures_util::future::try_join_all;
use serde_json::json;
use yingke_shared::settings::SettingsSection;
use yingke_shared::views::Availability;
use yingke_tests::browser::{DesktopHome, DesktopWindow};
use yingke_tests::http::{Address, Admin};
use yingke_tests::relay::TestRelay;
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::percentile;

const AGENTS: u32 = 200;
const RUNNING: u32 = 2_000;
const FIRST_MESSAGES: usize = 200;
/// All visitors together.
const MESSAGES_A_SECOND: u64 = 100;
/// People of one address: fewer than may enter or sign in at once.
const STREET: u32 = 40;
/// Of the agent at the window: whoever has least of what she may have is next, so that is she.
const CAPACITY: u32 = 200;

/// Notes when the list first shows what is being waited for.
const WATCH: &str = "
    window.__seen = {};
    const look = () => {
        const now = performance.timeOrigin + performance.now();
        for (const row of document.querySelectorAll('[data-testid=inbox-row]')) {
            for (const mark of row.textContent.match(/<f[0-9]+>/g) ?? []) window.__seen[mark] ??= now;
        }
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });";

/// The relay as somebody of another street reaches it.
fn from_street(address: &Address, number: u32) -> Result<Address> {
    let [.., high, low] = (number / STREET + 2).to_be_bytes();
    Address::asked_from(address.port, Ipv4Addr::new(127, 1, high, low))
}

fn wall_ms() -> Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1e3)
}

/// Nobody is moved for want of an answer.
async fn have_patience(admin: &Admin) -> Result<()> {
    let mut departments = admin.settings().await?.departments;
    for department in &mut departments.value {
        department.no_answer = None;
    }
    let section = SettingsSection::Departments(departments.value);
    admin.save_settings(departments.version, section).await.map(drop)
}

pub(crate) async fn measure() -> Result<()> {
    let mut relay = TestRelay::prepare(crate::relay_program()?)?;
    relay.set_environment("YINGKE_SOCKETS_PER_ADDRESS", "20000");
    relay.run().await?;
    let admin = relay.admin().await?;
    have_patience(&admin).await?;
    let site = admin.add_site("Tea", "http://shop.localhost").await?;
    let address = relay.address.clone();
    let mut agents = Vec::new();
    for number in 1..AGENTS {
        let account = admin.add_agent(&format!("Ben-{number}"), 2 * RUNNING / AGENTS).await?;
        let agent = StaffSocket::sign_in(&from_street(&address, number)?, &account).await?;
        agent.set_availability(Availability::Online).await?;
        agents.push(agent);
    }
    let mut visitors: Vec<TestVisitor> = Vec::new();
    for first in (0..RUNNING).step_by(STREET as usize) {
        let street = from_street(&address, first)?;
        let coming = (0..STREET).map(|_| async {
            let visitor = TestVisitor::enter(&street, &site).await?;
            visitor.say("somebody is here").await?;
            Ok::<_, anyhow::Error>(visitor)
        });
        visitors.extend(try_join_all(coming).await?);
    }
    try_join_all(visitors.iter().map(TestVisitor::until_served)).await?;
    let held = |agent: &StaffSocket| agent.link.look(|held| held.snapshot.conversations.len());
    wait::until("every conversation is on its agent's socket", || async {
        let running: usize = agents.iter().map(held).sum();
        Ok((running == RUNNING as usize).then_some(()))
    })
    .await?;

    let account = admin.add_agent("Ana", CAPACITY).await?;
    let home = DesktopHome::new()?;
    let window = DesktopWindow::open(&home).await?;
    window.sign_in(&address, &account).await?;
    window.go_online().await?;
    window.page.run(WATCH, Vec::new()).await?;
    let ana = StaffSocket::sign_in(&address, &account).await?;

    let (is_over, said) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let talking = tokio::spawn(talk(visitors, Arc::clone(&is_over), Arc::clone(&said)));
    let begun = Instant::now();
    let (mut sockets, mut screens) = (Vec::new(), Vec::new());
    for number in 0..FIRST_MESSAGES {
        let mark = format!("<f{number}>");
        let who = RUNNING + u32::try_from(number)?;
        let visitor = TestVisitor::enter(&from_street(&address, who)?, &site).await?;
        let sent = wall_ms()?;
        let (accepted, gained) = tokio::join!(visitor.say(&mark), ana.until_holding(1));
        sockets.push(wall_ms()? - sent);
        let (conversation, gained) = (accepted?.conversation, gained?);
        ensure!(gained == [conversation.clone()], "it went to somebody else");
        let seen = wait::until("the window shows it", || async {
            let seen = "return window.__seen[arguments[0]] ?? null";
            Ok(window.page.run(seen, vec![json!(mark)]).await?.as_f64())
        });
        screens.push(seen.await? - sent);
        ana.end(&conversation).await?;
        ana.until_gone(&conversation).await?;
    }
    let rate = said.load(Ordering::SeqCst) as f64 / begun.elapsed().as_secs_f64();
    is_over.store(true, Ordering::SeqCst);
    let visitors = talking.await.map_err(|error| anyhow!(error))??;
    let running: usize = agents.iter().map(held).sum();
    ensure!(running == RUNNING as usize, "{running} were still running in the end");
    println!(
        "S18 {AGENTS} agents, {running} conversations running, {rate:.0} messages a second beside; load \
         average {}",
        std::fs::read_to_string("/proc/loadavg").context("load")?.trim()
    );
    for (what, times) in [("agent's socket", sockets), ("screen of the agent's window", screens)] {
        println!(
            "S18 first message to the {what}: p50 {:.0} ms, p99 {:.0} ms, of {}",
            percentile(times.clone(), 0.5),
            percentile(times.clone(), 0.99),
            times.len()
        );
    }
    drop((visitors, agents));
    window.close().await?;
    relay.finish().await
}

/// One after the other writes, at a rate for all together.
async fn talk(
    visitors: Vec<TestVisitor>,
    is_over: Arc<AtomicBool>,
    said: Arc<AtomicU64>,
) -> Result<Vec<TestVisitor>> {
    let mut pace = tokio::time::interval(Duration::from_millis(1_000 / MESSAGES_A_SECOND));
    for visitor in visitors.iter().cycle() {
        if is_over.load(Ordering::SeqCst) {
            break;
        }
        pace.tick().await;
        visitor.say("and one thing more").await?;
        said.fetch_add(1, Ordering::SeqCst);
    }
    Ok(visitors)
}
