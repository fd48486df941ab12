//! P11: random scripts of what visitors and their browsers do: write, type, reload, close, two and
//! three tabs, sleep, a frozen tab, offline and online, answers swallowed by the network, storage
//! full, blocked or cleared, an agent who answers, a relay that is killed. In the end all tabs show
//! the relay's list, nothing is doubled, and what was not sent is kept or was clearly marked.
//!
//! Most scripts run the widget's own modules, a realm for each tab, on a world made for them
//! (`widget/testing/scripts/device.mjs`); some run the built widget in real tabs of Chromium
//! (`chromium.mjs`). Both talk to a real relay through a network of their own, and a client core
//! answers for the agents. One script again: `YINGKE_SEED=7 YINGKE_SCRIPTS=1` and the test's name.
//!
//! They were made to fail by a fresh id for each try (doubled), by an outbox that does not load what
//! an earlier page left (lost), and by tabs that do not hear of each other's storage.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use yingke_shared::ids::ConversationId;
use yingke_shared::views::Availability;
use yingke_tests::chance::Chance;
use yingke_tests::processes::find_program;
use yingke_tests::relay::TestRelay;
use yingke_tests::seat::TestSeat;
use yingke_tests::wait;

use crate::scene::Scene;

/// Scripts with the modules and, after the plus, in Chromium.
const EACH_RUN: (u64, u64) = (75, 25);
const FULL: (u64, u64) = (4_750, 250);
/// Scripts at once: most of their time is waiting.
const AT_ONCE: (u64, u64) = (40, 5);
/// The relay is killed at most this often: each kill is everybody's.
const KILL_EVERY: Duration = Duration::from_secs(4);
/// A full dose is over by then, however slow the machine.
const FULL_WITHIN: Duration = Duration::from_secs(30 * 60);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Modules,
    Chromium,
}

/// What the scripts say.
#[derive(Deserialize)]
struct Said {
    seed: u64,
    ask: Option<String>,
    conversation: Option<ConversationId>,
    text: Option<String>,
    done: Option<Done>,
    failed: Option<String>,
}

#[derive(Deserialize)]
struct Done {
    sent: u64,
    lost: u64,
}

/// What became of the scripts.
#[derive(Default)]
struct Outcome {
    scripts: BTreeSet<u64>,
    sent: u64,
    marked: u64,
    kills: usize,
    failures: Vec<String>,
}

/// Plays scripts with numbers from `first`.
async fn play(kind: Kind, first: u64, count: u64, until: Instant) -> Result<Outcome> {
    let relay = TestRelay::start().await?;
    let mut scene = Scene::on(relay, "http://shop.localhost").await?;
    let home = tempfile::tempdir()?;
    let account = scene.hire("Ana", 200).await?;
    let seat = TestSeat::open(home.path(), scene.address(), &account).await?;
    seat.set_availability(Availability::Online).await?;
    let folder = tempfile::Builder::new().prefix("yingke-chromium-").tempdir()?;
    let wish = json!({
        "port": scene.address().port,
        "site": scene.site,
        "first": first,
        "count": count,
        "at_once": if kind == Kind::Modules { AT_ONCE.0 } else { AT_ONCE.1 },
        "kind": if kind == Kind::Modules { "modules" } else { "chromium" },
        "chromium": find_program("CHROMIUM", "chromium", "apt-get install chromium")?,
        "folder": folder.path(),
    });
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../widget/testing/scripts/run.mjs");
    let mut scripts = Command::new("node")
        .arg(root)
        .arg(wish.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("node")?;
    let group = scripts.id().context("node runs")?;
    let _ended = Ended(group);
    let mut lines = BufReader::new(scripts.stdout.take().context("its words")?).lines();
    let mut outcome = Outcome::default();
    let mut killed_at = Instant::now();
    while let Some(line) = tokio::time::timeout_at(until.into(), lines.next_line())
        .await
        .context("the scripts take too long")??
    {
        let said: Said = serde_json::from_str(&line).with_context(|| line.clone())?;
        if let Some(done) = said.done {
            outcome.scripts.insert(said.seed);
            outcome.sent += done.sent;
            outcome.marked += done.lost;
        }
        if let Some(failed) = said.failed {
            outcome.scripts.insert(said.seed);
            outcome.failures.push(format!("script {}: {failed}", said.seed));
        }
        match (said.ask.as_deref(), said.conversation, said.text) {
            (Some("restart"), ..) if killed_at.elapsed() > KILL_EVERY => {
                scene.relay.kill()?;
                scene.relay.run().await?;
                killed_at = Instant::now();
                outcome.kills += 1;
            }
            (Some("answer"), Some(conversation), Some(text)) => {
                scene.address().said.note(&text);
                // Not hers, or over already: then nobody answers.
                if seat.look(|view| view.row(&conversation).is_some()) {
                    let _ = seat.say(&conversation, &text).await;
                }
            }
            _ => {}
        }
    }
    let status = scripts.wait().await?;
    ensure!(status.success(), "the scripts ended with {status}");
    ensure!(outcome.scripts.len() as u64 == count, "{} scripts played", outcome.scripts.len());
    seat.stop().await;
    scene.finish().await?;
    Ok(outcome)
}

/// Whatever the scripts started ends with them.
struct Ended(u32);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = yingke_tests::processes::end_group(self.0);
    }
}

async fn dose(name: &str, kind: Kind, scripts: u64) -> Result<()> {
    let begun = Instant::now();
    let scripts = std::env::var("YINGKE_SCRIPTS").map_or(Ok(scripts), |text| text.parse())?;
    let first = Chance::seed_or(1);
    let limit = if is_full() { FULL_WITHIN } else { 20 * wait::LIMIT };
    let outcome = play(kind, first, scripts, begun + limit).await?;
    println!(
        "P11 {name}: scripts={} messages={} failed={} allowed_to_go={} relay_kills={} in {} s \
         seeds={first}..{}",
        outcome.scripts.len(),
        outcome.sent,
        outcome.failures.len(),
        outcome.marked,
        outcome.kills,
        begun.elapsed().as_secs(),
        first + scripts,
    );
    let first_failure = outcome.failures.first();
    ensure!(
        first_failure.is_none(),
        "{}\none of them again: YINGKE_SEED=NUMBER YINGKE_SCRIPTS=1 cargo test -p yingke-tests \
         --test it p11_{name} -- --nocapture",
        outcome.failures.join("\n\n")
    );
    Ok(())
}

fn is_full() -> bool {
    std::env::var("YINGKE_FULL").is_ok_and(|name| name == "P11")
}

/// 75 scripts on the widget's own modules; with `YINGKE_FULL=P11` 4,750.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_modules_whatever_a_visitor_does_all_tabs_agree() -> Result<()> {
    dose("modules", Kind::Modules, if is_full() { FULL.0 } else { EACH_RUN.0 }).await
}

/// 25 scripts in real tabs; with `YINGKE_FULL=P11` 250.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_chromium_whatever_a_visitor_does_all_tabs_agree() -> Result<()> {
    dose("chromium", Kind::Chromium, if is_full() { FULL.1 } else { EACH_RUN.1 }).await
}
