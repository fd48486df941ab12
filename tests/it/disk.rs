//! P3, P4 and the dead-batch rule on the real process: whatever the disk does in the middle of a
//! batch, nothing is acknowledged that is not kept. The judge compares what senders were told with
//! what is there afterwards; that it would notice shows the last test.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::frame::StaffSignal;
use yingke_shared::ids::{ClientId, ConversationId};
use yingke_tests::chance::Chance;
use yingke_tests::dose;
use yingke_tests::faults::{FaultyDisk, Trouble};
use yingke_tests::judge::{Fate, Sent, judge};
use yingke_tests::link::new_id;
use yingke_tests::relay::TestRelay;
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::{Accepted, TestVisitor, text_of};
use yingke_tests::wait;

use crate::load::Load;
use crate::scene::Scene;
use crate::witnesses;

async fn scene_on_faulty_disk() -> Result<(Scene, FaultyDisk)> {
    let mut relay = TestRelay::prepare(yingke_tests::relay::relay_program()?)?;
    let disk = FaultyDisk::below(&mut relay)?;
    relay.run().await?;
    Ok((Scene::on(relay, "http://shop.localhost").await?, disk))
}

/// The file system below the relay, and how it fills up.
enum Store {
    /// A small one of its own, filled by another file.
    Small(SmallDisk),
    /// Where none may be mounted: the calls are made to say so.
    Faulty(FaultyDisk),
}

impl Store {
    async fn scene() -> Result<(Self, Scene)> {
        match SmallDisk::mount()? {
            Some(small) => {
                let program = yingke_tests::relay::relay_program()?;
                let mut relay = TestRelay::empty(program, tempfile::tempdir_in(&small.path)?)?;
                relay.create_admin()?;
                relay.run().await?;
                Ok((Self::Small(small), Scene::on(relay, "http://shop.localhost").await?))
            }
            None => {
                let (scene, disk) = scene_on_faulty_disk().await?;
                Ok((Self::Faulty(disk), scene))
            }
        }
    }

    fn fill(&self, round: u32) -> Result<()> {
        match self {
            Self::Small(small) => small.fill(u64::from(round % 5) * 64 * 1_024),
            Self::Faulty(disk) => disk.break_down(Trouble::DiskFull, round, "yingke.db"),
        }
    }

    fn free(&self) -> Result<()> {
        match self {
            Self::Small(small) => Ok(std::fs::remove_file(small.ballast())?),
            Self::Faulty(disk) => disk.repair(),
        }
    }
}

/// A file system in memory, of a few megabytes; gone with the value.
struct SmallDisk {
    path: PathBuf,
    _parent: tempfile::TempDir,
}

impl SmallDisk {
    /// None where this is not allowed.
    fn mount() -> Result<Option<Self>> {
        let parent = tempfile::Builder::new().prefix("yingke-small-").tempdir()?;
        let path = parent.path().join("disk");
        std::fs::create_dir(&path)?;
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "yingke-test"])
            .arg(&path)
            .output();
        let is_mounted = done.is_ok_and(|done| done.status.success());
        Ok(is_mounted.then_some(Self { path, _parent: parent }))
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }

    /// To the last byte, or up to a little that is left.
    fn fill(&self, left: u64) -> Result<()> {
        let mut file = std::fs::File::create(self.ballast())?;
        for size in [64 * 1_024, 4_096, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
        Ok(file.set_len(file.metadata()?.len().saturating_sub(left))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: files of a failing test may still be open.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A full disk, over and over: refused by name within a second; reading, previews, typing and presence
/// go on; within five seconds of space there is sound again, and the refused message goes through
/// under its own id, once. What was said at the edge is judged like everything else: what was
/// acknowledged there is there once, what was refused is nowhere. On a real small file system where
/// one may be mounted.
///
/// Made to fail: by a writer that ends the process on a full disk as on other errors (`commit_failed`
/// without `DiskFull`); by one that loses an acknowledged row in every fifth batch (`YINGKE_FLAW`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_full_disk_is_survivable() -> Result<()> {
    let is_full = dose::is_full("P4");
    let cycles: u32 = if is_full { 100 } else { 5 };
    let (store, mut scene) = Store::scene().await?;
    let ana = scene.agent("Ana", 8).await?;
    let mut vera = scene.visitor().await?;
    let mut said = Vec::new();
    let (_, answer) = say_once(&vera, "written while there was space", &mut said).await?;
    let hers = answer.map_err(|error| anyhow!("{error:?}"))?.conversation;
    ana.until_gained(&hers).await?;
    let read = ana.history(&hers).await?.iter().filter_map(witnesses::seen).collect();
    let gained = BTreeMap::from([(hers.clone(), read)]);
    let (mut slowest_refusal, mut slowest_return) = (Duration::ZERO, Duration::ZERO);
    for round in 0..cycles {
        store.fill(round)?;
        let long = format!("filling up, round {round} {}", "。".repeat(1_000));
        until_refused(&vera, &long, &mut said).await?;
        // A shorter message may still fit where a longer one did not.
        let short = format!("written on a full disk, round {round}");
        let (id, time) = until_refused(&vera, &short, &mut said).await?;
        slowest_refusal = slowest_refusal.max(time);
        life_goes_on(&ana, &mut vera, &hers, round).await?;
        let space = Instant::now();
        store.free()?;
        // Its own message and its own id, as any outbox does.
        let mut again = said.pop().context("the refused one")?;
        ensure!(again.client_id == id, "the refused one is the last");
        let accepted = vera.say_surely(&id, &again.text).await?;
        let accepted = accepted.map_err(|error| anyhow!("{error:?}"))?;
        again.fate = Fate::Acked(accepted.conversation, accepted.seq);
        said.push(again);
        slowest_return = slowest_return.max(space.elapsed());
        ensure!(scene.relay.ended()?.is_none(), "a full disk does not end the relay");
    }
    let kind = match &store {
        Store::Small(_) => "a small file system",
        Store::Faulty(_) => "failing calls (nothing may be mounted here)",
    };
    let refused = said.iter().filter(|sent| sent.fate == Fate::Refused).count();
    let senders = [said];
    let all = [
        witnesses::rest(scene.address(), &scene.admin.token, &senders).await?,
        witnesses::visitors("Vera's page", &mut [vera]).await?,
        witnesses::told_to_staff("what Ana was shown", &ana, gained).await?,
    ];
    let verdict = judge(&senders, &all);
    println!(
        "P4: cycles={cycles} on {kind}; {verdict} refused={refused}; slowest refusal={} ms, slowest \
         return={} ms",
        slowest_refusal.as_millis(),
        slowest_return.as_millis()
    );
    ensure!(verdict.is_clean(), "{verdict} {:#?}", verdict.findings);
    ensure!(refused >= usize::try_from(cycles)?, "only {refused} were refused");
    // How long is judged by the full dose alone, which has the computer to itself.
    let in_time = |time: Duration, limit: u64| !is_full || time <= Duration::from_secs(limit);
    ensure!(in_time(slowest_refusal, 1), "refused after {slowest_refusal:?}");
    ensure!(in_time(slowest_return, 5), "back after {slowest_return:?}");
    scene.finish().await
}

/// Says it once, and notes what became of it.
async fn say_once(
    vera: &TestVisitor,
    text: &str,
    said: &mut Vec<Sent>,
) -> Result<(ClientId, Result<Accepted, WireError>)> {
    let client_id = new_id();
    let answer = vera.say_as(&client_id, text).await?;
    let fate = match &answer {
        Ok(accepted) => Fate::Acked(accepted.conversation.clone(), accepted.seq),
        Err(_) => Fate::Refused,
    };
    said.push(Sent { client_id: client_id.clone(), text: text.to_owned(), fate });
    Ok((client_id, answer))
}

/// What still fits goes in; then one is refused for want of space. Gives that one's id, and how long
/// its refusal took.
async fn until_refused(
    vera: &TestVisitor,
    text: &str,
    said: &mut Vec<Sent>,
) -> Result<(ClientId, Duration)> {
    for _ in 0..2_000 {
        let text = format!("{text}, {}", said.len());
        let asked = Instant::now();
        let (id, answer) = say_once(vera, &text, said).await?;
        match answer {
            Ok(_) => {}
            Err(error) if error.code == ErrorCode::TooFast => {
                let asked_for = u64::from(error.retry_after_ms.unwrap_or(50));
                wait::pass(Duration::from_millis(asked_for)).await;
            }
            Err(error) => {
                ensure!(error.code == ErrorCode::StorageFailed, "no clear word: {error:?}");
                return Ok((id, asked.elapsed()));
            }
        }
    }
    anyhow::bail!("2,000 messages fit on a full disk")
}

/// Reading, previews, typing, presence: all of it while nothing can be stored.
async fn life_goes_on(
    ana: &StaffSocket,
    vera: &mut TestVisitor,
    hers: &ConversationId,
    round: u32,
) -> Result<()> {
    ensure!(!vera.history().await?.is_empty());
    ensure!(!ana.history(hers).await?.is_empty());
    let thought = format!("thinking on a full disk {round}");
    vera.preview(&thought).await?;
    ana.until_preview(hers, &thought).await?;
    ana.typing(hers).await?;
    vera.until_agent_types(hers).await?;
    for online in [false, true] {
        if online {
            vera.resume().await?;
        } else {
            vera.leave();
        }
        ana.link
            .until("the visitor's coming and going", |held| {
                held.signals
                    .iter()
                    .rev()
                    .find_map(|signal| match signal {
                        StaffSignal::VisitorOnline { conversation_id, online }
                            if conversation_id == hers =>
                        {
                            Some(*online)
                        }
                        _ => None,
                    })
                    .filter(|now| *now == online)
                    .map(drop)
            })
            .await?;
    }
    Ok(())
}

/// What `/healthz` answers: the status and its one word.
async fn health(scene: &Scene) -> Result<(u16, String)> {
    let (status, _, body) = scene.address().get("/healthz", &[]).await?;
    let told: serde_json::Value = serde_json::from_str(&body)?;
    Ok((status.as_u16(), told["status"].as_str().unwrap_or_default().to_owned()))
}

/// A disk that neither does what it is asked nor refuses it: who asks how the relay is hears it, so does
/// the log; what needs no disk goes on, and with the disk everything comes back by itself.
///
/// Made to fail: by a relay whose health looks at failures alone, as it once did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_does_not_answer_is_told() -> Result<()> {
    // Beside each other: both wait for a relay's patience.
    tokio::try_join!(a_hanging_disk(Trouble::SyncsHang), a_hanging_disk(Trouble::ReadsHang))?;
    Ok(())
}

async fn a_hanging_disk(trouble: Trouble) -> Result<()> {
    let (scene, disk) = scene_on_faulty_disk().await?;
    let ana = scene.agent("Ana", 8).await?;
    let vera = scene.visitor().await?;
    let hers = vera.say("while the disk answers").await?.conversation;
    ana.until_gained(&hers).await?;
    disk.break_down(trouble, 0, "yingke.db")?;
    let is_told = Cell::new(false);
    let waits = async {
        // Its answer comes when it is stored; and what was stored since is not in a reader's memory.
        for number in 0.. {
            vera.say(&format!("hanging, {number}")).await?;
            ana.history(&hers).await?;
            if is_told.get() {
                break;
            }
        }
        Ok(())
    };
    let meanwhile = async {
        let (status, word) = wait::until("the health to tell", async || {
            Ok(Some(health(&scene).await?).filter(|(status, _)| *status != 200))
        })
        .await?;
        let told = match trouble {
            Trouble::SyncsHang => word == "writing_stalled",
            _ => word.ends_with("_stalled"),
        };
        ensure!(status == 503 && told, "{trouble:?}: {status} {word}");
        wait::until("the log to tell", async || {
            Ok(scene.relay.log().contains("the disk does not answer").then_some(()))
        })
        .await?;
        let thought = "thinking before a hanging disk";
        vera.preview(thought).await?;
        ana.until_preview(&hers, thought).await?;
        is_told.set(true);
        disk.repair()
    };
    tokio::try_join!(waits, meanwhile)?;
    wait::until("the health to be good again", async || {
        Ok((health(&scene).await? == (200, "ok".to_owned())).then_some(()))
    })
    .await?;
    wait::until("the log to say so", async || {
        Ok(scene.relay.log().contains("the disk answers again").then_some(()))
    })
    .await?;
    let history = vera.history().await?;
    ensure!(history.iter().filter(|it| text_of(it) == Some("hanging, 0")).count() == 1);
    ensure!(ana.history(&hers).await?.len() == history.len());
    scene.finish().await
}

/// An error in the middle of a batch, at many places: a write, a sync, a read. The relay may end
/// itself with a code of its own and be started again, as by a supervisor; no acknowledged message
/// is lost, none is doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_no_storage_error_makes_a_false_ack() -> Result<()> {
    let is_full = dose::is_full("P3");
    let rounds = if is_full { 200 } else { 8 };
    let seed = Chance::seed_or(3);
    let mut chance = Chance::new(seed);
    let (mut scene, disk) = scene_on_faulty_disk().await?;
    let mut senders = Vec::new();
    let mut visitors = Vec::new();
    let (mut fired, mut restarts) = (0, 0);
    for round in 0..rounds {
        let trouble = *chance.one_of(&[
            Trouble::BadWrite,
            Trouble::BadSync,
            Trouble::DiskFull,
            Trouble::BadWrite,
            Trouble::BadRead,
        ]);
        let skip = u32::try_from(chance.below(40))?;
        let load = Load::start(&scene, 4, 0, &format!("round {round}")).await?;
        let before = disk.fired();
        disk.break_down(trouble, skip, "yingke.db")?;
        // Until the fault has happened, or clearly will not: few reads reach the disk at all.
        let is_sure = !matches!(trouble, Trouble::BadRead);
        let patience = if is_sure { wait::LIMIT } else { Duration::from_millis(1_500) };
        let patience = Instant::now() + patience;
        let mut ended = None;
        while ended.is_none() && Instant::now() < patience && disk.fired() == before {
            ended = scene.relay.ended()?;
            wait::pass(Duration::from_millis(5)).await;
        }
        wait::pass(Duration::from_millis(chance.between(0, 100))).await;
        disk.repair()?;
        // As a supervisor would: whenever it ends, until every writer has its answer.
        let stopping = load.stop();
        tokio::pin!(stopping);
        let (writers, sent) = loop {
            if let Some(status) = ended.take().or(scene.relay.ended()?) {
                ensure!(
                    status.code().is_some_and(|code| code != 0 && code != 101),
                    "round {round}: an input/output error ends the relay with a code, not {status}"
                );
                restarts += 1;
                scene.relay.run().await?;
            }
            tokio::select! {
                done = &mut stopping => break done?,
                () = wait::pass(Duration::from_millis(5)) => {}
            }
        };
        fired += disk.fired() - before;
        visitors.extend(writers);
        senders.extend(sent);
    }
    if scene.relay.ended()?.is_some() || !scene.relay.is_running() {
        scene.relay.run().await?;
    }
    let witnesses = [
        witnesses::rest(scene.address(), &scene.admin.token, &senders).await?,
        witnesses::visitors("the visitors' own history", &mut visitors).await?,
    ];
    let verdict = judge(&senders, &witnesses);
    println!("P3: faults={fired} restarts={restarts} {verdict} seed={seed}");
    ensure!(verdict.is_clean() && verdict.acked > rounds, "seed {seed}: {:#?}", verdict.findings);
    ensure!(fired > 0, "no fault happened at all");
    scene.finish().await
}

/// A message that was acknowledged and is given to someone else in the relay's database behind its
/// back, one whose words are changed, both so that nothing stored contradicts itself: the judge,
/// hearing the same witnesses as above, finds both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_falsified_database_is_found_out() -> Result<()> {
    let mut scene = Scene::set().await?;
    let vera = scene.visitor().await?;
    let mut sent = Vec::new();
    for number in 0..6 {
        let text = format!("remember me as number {number}");
        let accepted = vera.say(&text).await?;
        let fate = Fate::Acked(accepted.conversation, accepted.seq);
        sent.push(Sent { client_id: accepted.client_id, text, fate });
    }
    scene.relay.stop().await?;
    let database = rusqlite::Connection::open(scene.relay.data_dir().join("yingke.db"))?;
    let taken = "UPDATE messages SET client_id = 'another', sum = 0 WHERE client_id = ?";
    ensure!(database.execute(taken, [sent[1].client_id.as_str()])? == 1);
    let changed = "UPDATE messages SET content = 'another text', sum = 0 WHERE client_id = ?";
    ensure!(database.execute(changed, [sent[4].client_id.as_str()])? == 1);
    drop(database);
    scene.relay.run().await?;
    let senders = [sent];
    let rest = witnesses::rest(scene.address(), &scene.admin.token, &senders).await?;
    let verdict = judge(&senders, &[rest]);
    ensure!((verdict.lost, verdict.ok) == (2, 4), "{verdict:?}");
    scene.finish().await
}
