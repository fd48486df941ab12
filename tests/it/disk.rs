//! P3, P4 and the dead-batch rule on the real process: whatever the disk does in the middle of a
//! batch, nothing is acknowledged that is not kept. The judge compares what senders were told with
//! what is there afterwards; that it would notice shows the last test.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use yingke_shared::error_code::ErrorCode;
use yingke_tests::chance::Chance;
use yingke_tests::faults::{FaultyDisk, Trouble};
use yingke_tests::judge::{Fate, Sent, judge};
use yingke_tests::link::new_id;
use yingke_tests::relay::TestRelay;
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

/// A full disk: refused by name, reading and signals go on, sound again when there is space; the
/// refused message goes through under its own id, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_full_disk_is_survivable() -> Result<()> {
    let (mut scene, disk) = scene_on_faulty_disk().await?;
    let ana = scene.agent("Ana", 8).await?;
    let mut vera = scene.visitor().await?;
    let hers = vera.say("written while there was space").await?.conversation;
    ana.until_gained(&hers).await?;
    for round in 0..5 {
        let before = disk.fired();
        disk.break_down(Trouble::DiskFull, round, "yingke.db")?;
        let id = new_id();
        let text = format!("written on a full disk, round {round}");
        // The first calls of a round may still succeed; then it is refused, and not kept.
        let mut extra = 0;
        let refused = loop {
            match vera.say_as(&new_id(), &format!("filling up, round {round}, {extra}")).await? {
                Ok(_) if extra < 200 => extra += 1,
                Ok(_) => anyhow::bail!("200 messages fit on a full disk"),
                Err(error) if error.code == ErrorCode::TooFast => {
                    wait::pass(Duration::from_millis(u64::from(
                        error.retry_after_ms.unwrap_or(50),
                    )))
                    .await;
                }
                Err(error) => break error,
            }
        };
        ensure!(disk.fired() > before, "the fault did not happen");
        let codes = [ErrorCode::StorageFailed, ErrorCode::Unavailable, ErrorCode::Busy];
        ensure!(codes.contains(&refused.code), "{refused:?}");
        let again = vera.say_as(&id, &text).await?;
        ensure!(again.is_err(), "nothing can be stored, yet it was acknowledged: {again:?}");
        // Reading, preview and typing go on.
        ensure!(!vera.history().await?.is_empty());
        vera.preview(&format!("thinking on a full disk {round}")).await?;
        ana.until_preview(&hers, &format!("thinking on a full disk {round}")).await?;
        disk.repair()?;
        vera.say_surely(&id, &text).await?.map_err(|error| anyhow!("{error:?}"))?;
        ensure!(scene.relay.ended()?.is_none(), "a full disk does not end the relay");
        let history = vera.history().await?;
        ensure!(history.iter().filter(|message| message.client_id == id).count() == 1);
    }
    let shown = ana.history(&hers).await?;
    ensure!(shown.len() == vera.history().await?.len());
    scene.finish().await
}

/// An error in the middle of a batch, at many places: a write, a sync, a read. The relay may end
/// itself with a code of its own and be started again, as by a supervisor; no acknowledged message
/// is lost, none is doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p3_no_storage_error_makes_a_false_ack() -> Result<()> {
    let is_full = std::env::var("YINGKE_FULL").is_ok_and(|name| name == "P3");
    let rounds = if is_full { 200 } else { 18 };
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
        // Until the fault has happened, or clearly will not (few reads reach the disk at all).
        let patience = Instant::now() + Duration::from_millis(1_500);
        let mut ended = None;
        while ended.is_none() && Instant::now() < patience && disk.fired() == before {
            ended = scene.relay.ended()?;
            wait::pass(Duration::from_millis(5)).await;
        }
        wait::pass(Duration::from_millis(chance.between(0, 100))).await;
        disk.repair()?;
        wait::pass(Duration::from_millis(100)).await;
        if let Some(status) = ended.or(scene.relay.ended()?) {
            ensure!(
                status.code().is_some_and(|code| code != 0 && code != 101),
                "round {round}: an input/output error ends the relay with a code, not {status}"
            );
            restarts += 1;
            scene.relay.run().await?;
        }
        fired += disk.fired() - before;
        let (writers, sent) = load.stop().await?;
        visitors.extend(writers);
        senders.extend(sent);
        if let Some(status) = scene.relay.ended()? {
            restarts += 1;
            ensure!(status.code().is_some_and(|code| code != 101), "{status}");
            scene.relay.run().await?;
        }
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

/// A message that was acknowledged and is taken out of the relay's database behind its back, one that
/// is changed: the judge, hearing the same witnesses as above, finds both.
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
    let taken = "DELETE FROM messages WHERE client_id = ?";
    ensure!(database.execute(taken, [sent[1].client_id.as_str()])? == 1);
    let changed = "UPDATE messages SET content = 'another text' WHERE client_id = ?";
    ensure!(database.execute(changed, [sent[4].client_id.as_str()])? == 1);
    drop(database);
    scene.relay.run().await?;
    let senders = [sent];
    let rest = witnesses::rest(scene.address(), &scene.admin.token, &senders).await?;
    let verdict = judge(&senders, &[rest]);
    ensure!((verdict.lost, verdict.ok) == (2, 4), "{verdict:?}");
    scene.finish().await
}
