//! P11: random scripts of what visitors and their browsers do: write, type, reload, close, two and
//! three tabs, sleep, a frozen tab, offline and online, answers swallowed by the network, storage
//! full, blocked or cleared, a browser that is killed, an agent who answers, a relay that is killed.
//! In the end all tabs show the relay's list, nothing is doubled, what was not sent is kept or was
//! clearly marked, and what one tab wrote stands in the order of writing: in every tab, in the REST
//! history, on the agent's page and in her local database. So does what she answered (`bench.rs`).
//!
//! Most scripts run the widget's own modules, a realm for each tab, on a world made for them
//! (`widget/testing/scripts/device.mjs`); some run the built widget in real tabs of Chromium
//! (`chromium.mjs`), and some of these in one browser that is killed under all of them (SIGKILL) and
//! started again on its profile. All talk to a real relay through a network of their own, and a client
//! core answers for the agents. One script again: `YINGKE_SEED=7 YINGKE_SCRIPTS=1` and the test's name.
//!
//! What a killed browser has kept is not the widget's to say. Chromium writes a page's storage down as
//! a whole, five seconds after its first change and then once a minute (seen: after 6, 60, 121 and
//! 181 s; it allows itself 60 such writes an hour); reloading and closing a tab lose nothing, since
//! the storage is the browser's. So what was written in the last minute before such a death and had
//! not reached the relay may be gone, unmarked. What is held here: whatever the storage has afterwards
//! (it is read before the widget is) is sent or marked; what was shown as stored is there; nothing is
//! doubled, not even what was being sent at that moment. Tabs' realms are killed with a storage as it
//! was up to 1.5 s before.
//!
//! They were made to fail by a fresh id for each try, or for what an earlier page left (doubled), by
//! an outbox that does not load what an earlier page or a killed browser left (lost), by tabs that do
//! not hear of each other's storage, by an outbox that sends the newest first (order), by a relay that
//! does not deliver a message in twenty, and by pages and a snapshot without the first answer (the
//! judge: lost in every tab).

mod bench;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use yingke_shared::ids::ConversationId;
use yingke_tests::chance::Chance;
use yingke_tests::dose;
use yingke_tests::processes::find_program;
use yingke_tests::relay::TestRelay;
use yingke_tests::wait;

use self::bench::{Bench, Evidence};
use crate::scene::Scene;

/// The relay is killed at most this often: each kill is everybody's.
const KILL_EVERY: Duration = Duration::from_secs(4);
/// A full dose is over by then, however slow the machine.
const FULL_WITHIN: Duration = Duration::from_secs(30 * 60);

/// One kind of scripts.
struct Kind {
    name: &'static str,
    each_run: u64,
    full: u64,
    /// Scripts at once: most of their time is waiting. Of those that are killed: in one browser.
    at_once: u64,
}

const MODULES: Kind = Kind { name: "modules", each_run: 75, full: 4_750, at_once: 40 };
const CHROMIUM: Kind = Kind { name: "chromium", each_run: 25, full: 250, at_once: 5 };
const KILLED: Kind = Kind { name: "killed", each_run: 6, full: 120, at_once: 6 };

/// What the scripts say.
#[derive(Deserialize)]
struct Said {
    seed: u64,
    ask: Option<Ask>,
    done: Option<Done>,
    failed: Option<String>,
}

/// What a script wants.
#[derive(Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Ask {
    /// The relay is killed and started again.
    Restart,
    /// The agent answers.
    Answer { conversation: ConversationId, text: String },
    /// Nothing of what the agent answered is on its way any more.
    Settle,
    /// Staff sees what the pages show.
    Judge(Evidence),
}

#[derive(Deserialize)]
struct Done {
    sent: u64,
    lost: u64,
    deaths: u64,
    outlived: u64,
}

/// What became of the scripts.
#[derive(Default)]
struct Outcome {
    scripts: BTreeSet<u64>,
    sent: u64,
    marked: u64,
    answers: usize,
    deaths: u64,
    outlived: u64,
    kills: usize,
    failures: Vec<String>,
}

/// Plays scripts with numbers from `first`.
async fn play(kind: &Kind, first: u64, count: u64, until: Instant) -> Result<Outcome> {
    let relay = TestRelay::start().await?;
    let mut scene = Scene::on(relay, "http://shop.localhost").await?;
    let home = tempfile::tempdir()?;
    let account = scene.hire("Ana", 200).await?;
    let mut bench = Bench::open(home.path(), scene.address(), &account).await?;
    let folder = tempfile::Builder::new().prefix("yingke-chromium-").tempdir()?;
    let wish = json!({
        "port": scene.address().port,
        "site": scene.site,
        "first": first,
        "count": count,
        "at_once": kind.at_once,
        "kind": kind.name,
        "chromium": find_program("CHROMIUM", "chromium", "apt-get install chromium")?,
        "folder": folder.path(),
    });
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../widget/testing/scripts/run.mjs");
    let mut scripts = Command::new("node")
        .arg(root)
        .arg(wish.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("node")?;
    let group = scripts.id().context("node runs")?;
    let _ended = Ended(group);
    let mut answer = scripts.stdin.take().context("what it hears")?;
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
            outcome.deaths += done.deaths;
            outcome.outlived += done.outlived;
        }
        if let Some(failed) = said.failed {
            outcome.scripts.insert(said.seed);
            outcome.failures.push(format!("script {}: {failed}", said.seed));
        }
        let verdict = match said.ask {
            None => continue,
            Some(Ask::Restart) => {
                if killed_at.elapsed() > KILL_EVERY {
                    scene.relay.kill()?;
                    scene.relay.run().await?;
                    killed_at = Instant::now();
                    outcome.kills += 1;
                }
                continue;
            }
            Some(Ask::Answer { conversation, text }) => {
                bench.answer(said.seed, &conversation, &text).await;
                continue;
            }
            Some(Ask::Settle) => {
                outcome.answers += bench.settle(said.seed).await?;
                None
            }
            Some(Ask::Judge(evidence)) => bench.judge(&scene, said.seed, &evidence).await?,
        };
        let heard = json!({ "seed": said.seed, "verdict": verdict });
        answer.write_all(format!("{heard}\n").as_bytes()).await?;
    }
    let status = scripts.wait().await?;
    ensure!(status.success(), "the scripts ended with {status}");
    ensure!(outcome.scripts.len() as u64 == count, "{} scripts played", outcome.scripts.len());
    bench.close().await?;
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

async fn dose(kind: &Kind) -> Result<Outcome> {
    let begun = Instant::now();
    let Kind { name, each_run, full, .. } = *kind;
    // Those of one browser are played together, from the first of their numbers.
    let together = if name == KILLED.name { KILLED.at_once } else { 1 };
    let scripts = if is_full() { full } else { each_run };
    let scripts = std::env::var("YINGKE_SCRIPTS").map_or(Ok(scripts), |text| text.parse())?;
    let first = Chance::seed_or(1);
    let limit = if is_full() { FULL_WITHIN } else { 20 * wait::LIMIT };
    let outcome = play(kind, first, scripts, begun + limit).await?;
    println!(
        "P11 {name}: scripts={} messages={} answers={} failed={} allowed_to_go={} \
         browser_kills={} outlived={} relay_kills={} in {} s seeds={first}..{}",
        outcome.scripts.len(),
        outcome.sent,
        outcome.answers,
        outcome.failures.len(),
        outcome.marked,
        outcome.deaths,
        outcome.outlived,
        outcome.kills,
        begun.elapsed().as_secs(),
        first + scripts,
    );
    let first_failure = outcome.failures.first();
    ensure!(
        first_failure.is_none(),
        "{}\none of them again: YINGKE_SEED=NUMBER YINGKE_SCRIPTS={together} cargo test -p \
         yingke-tests --test it p11_{name} -- --nocapture",
        outcome.failures.join("\n\n")
    );
    Ok(outcome)
}

fn is_full() -> bool {
    dose::is_full("P11")
}

/// 75 scripts on the widget's own modules; with `YINGKE_FULL=P11` 4,750.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_modules_whatever_a_visitor_does_all_tabs_agree() -> Result<()> {
    dose(&MODULES).await.map(drop)
}

/// 25 scripts in real tabs; with `YINGKE_FULL=P11` 250.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_chromium_whatever_a_visitor_does_all_tabs_agree() -> Result<()> {
    dose(&CHROMIUM).await.map(drop)
}

/// Six scripts in one browser that is killed twice; with `YINGKE_FULL=P11` twenty times as many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_killed_what_a_browser_had_written_down_outlives_it() -> Result<()> {
    let outcome = dose(&KILLED).await?;
    // One script of each browser saw its words written down before the first kill.
    ensure!(outcome.outlived > 0, "no unsent message was there to outlive a browser");
    Ok(())
}
