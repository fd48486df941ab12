//! P13, R01: a backup made under load holds everything that was acknowledged before it began; after
//! it is restored clients notice, and what was acknowledged since comes back from them, once. With the
//! real widget and a real client core. Once made to fail by leaving the old epoch in the restored log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use yingke_shared::ids::Seq;
use yingke_shared::views::Availability;
use yingke_tests::browser::{Chromium, Profile};
use yingke_tests::judge::{Fate, Sent, judge};
use yingke_tests::link::{Link, Visitor, new_id};
use yingke_tests::relay::relay_program;
use yingke_tests::seat::TestSeat;
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::load::Load;
use crate::pages::with_shop;
use crate::witnesses;

const WRITERS: usize = 8;

/// Runs a verb of the relay's program on a data folder while this test goes on.
async fn verb(data: &Path, arguments: &[&str]) -> Result<std::process::Output> {
    let mut command = Command::new(relay_program()?);
    let (verb, rest) = arguments.split_first().context("a verb")?;
    command.arg(verb).arg("--data").arg(data).args(rest);
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

async fn must(data: &Path, arguments: &[&str]) -> Result<String> {
    let done = verb(data, arguments).await?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let complained = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{arguments:?}: {} {said} {complained}", done.status);
    Ok(said)
}

/// A visitor whose messages are acknowledged one after the other, and when.
async fn beats(mut visitor: TestVisitor, is_over: Arc<AtomicBool>) -> Result<Vec<Instant>> {
    let mut beats = Vec::new();
    while !is_over.load(Ordering::SeqCst) {
        let text = format!("beat {}", beats.len());
        let answer = visitor.say_surely(&new_id(), &text).await?;
        answer.map_err(|error| anyhow!("{error:?}"))?;
        beats.push(Instant::now());
        wait::pass(Duration::from_millis(100)).await;
    }
    Ok(beats)
}

/// Acknowledgements that arrived, and the longest time without one.
fn gaps(acks: &[Instant], from: Instant, to: Instant) -> (usize, Duration) {
    let mut last = from;
    let (mut count, mut longest) = (0, Duration::ZERO);
    for ack in acks.iter().filter(|ack| (from..=to).contains(*ack)) {
        longest = longest.max(*ack - last);
        last = *ack;
        count += 1;
    }
    (count, longest.max(to - last))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_r01_a_backup_under_load_comes_back_and_clients_resync() -> Result<()> {
    let (mut scene, shop) = with_shop().await?;
    let address = scene.address().clone();
    let data = scene.relay.data_dir();
    let home = tempfile::tempdir()?;
    let account = scene.hire("Ana", 200).await?;
    let seat = TestSeat::open(home.path(), &address, &account).await?;
    seat.set_availability(Availability::Online).await?;
    let profile = Profile::new()?;
    let vera = Chromium::start(&profile, "en").await?;
    vera.visit(&shop.url()).await?;
    vera.open_widget().await?;
    let said = |text: &str| {
        address.said.note(text);
        text.to_owned()
    };
    vera.say(&said("asked before the backup")).await?;
    let with_vera = seat.until_holding(1).await?.remove(0);
    seat.say(&with_vera, "answered before the backup").await?;
    seat.until_all_sent().await?;
    // Viktor waits: who serves him is decided only after the backup.
    seat.set_availability(Availability::Busy).await?;
    let mut viktor = scene.visitor().await?;
    let with_viktor = viktor.say("is anybody there?").await?.conversation;

    // Everything these writers were told before the backup begins must be in it.
    let early = Load::start(&scene, WRITERS, 200, "before").await?;
    early.until_acked(4 * WRITERS).await?;
    let (mut writers, before) = early.stop().await?;
    let load = Load::start(&scene, WRITERS, 200, "during").await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let beating = tokio::spawn(beats(scene.visitor().await?, Arc::clone(&is_over)));
    let to = scene.relay.scratch().join("backup");
    let target = to.to_str().context("a path that is text")?.to_owned();
    let began = Instant::now();
    let line = must(&data, &["backup", "--to", &target]).await?;
    let ended = Instant::now();
    ensure!(line.contains("checked"), "{line}");
    ensure!(!verb(&data, &["backup", "--to", &target]).await?.status.success(), "it is there");
    let in_use = verb(&data, &["restore", "--from", &target]).await?;
    ensure!(
        String::from_utf8_lossy(&in_use.stderr).contains("in use"),
        "a running relay's folder is not touched: {in_use:?}"
    );
    ensure!(must(&data, &["check"]).await?.contains("all is well"));
    let (mut late_writers, during) = load.stop().await?;
    is_over.store(true, Ordering::SeqCst);
    let beats = beating.await.map_err(|error| anyhow!(error))??;
    let (count, longest) = gaps(&beats, began, ended);

    // After the backup: everything of this is missing in it.
    vera.say(&said("asked after the backup")).await?;
    vera.page
        .until("it is acknowledged", || async {
            let lines = vera.page.messages().await?;
            Ok(lines.iter().all(|line| line.seq.is_some()).then_some(()))
        })
        .await?;
    seat.say(&with_vera, "answered after the backup").await?;
    seat.set_availability(Availability::Online).await?;
    seat.until_row("Viktor is served", &with_viktor, |_| true).await?;
    seat.say(&with_viktor, "somebody is here now").await?;
    seat.until_all_sent().await?;
    vera.page.until_shows("message", "answered after the backup").await?;
    let mut wanda = scene.visitor().await?;
    let wandas = (new_id(), "came after the backup".to_owned());
    wanda.say_surely(&wandas.0, &wandas.1).await?.map_err(|error| anyhow!("{error:?}"))?;
    let epoch = viktor.link()?.look(|held| held.epoch.clone());

    scene.relay.kill()?;
    let refused = verb(&data, &["restore", "--from", &target]).await?;
    ensure!(String::from_utf8_lossy(&refused.stderr).contains("--replace"), "{refused:?}");
    let line = must(&data, &["restore", "--from", &target, "--replace"]).await?;
    let aside = PathBuf::from(line.trim().rsplit(' ').next().context("it says where")?);
    ensure!(aside.join("yingke.db").is_file(), "{line}");
    scene.relay.run().await?;
    viktor.connect().await?;
    ensure!(viktor.link()?.look(|held| held.epoch.clone()) != epoch, "clients must notice");

    // What was acknowledged before the backup began is there, under the same numbers, before any
    // visitor offers it again.
    let rest = witnesses::rest(&address, &scene.admin.token, &before).await?;
    let verdict = judge(&before, &[rest]);
    ensure!(verdict.is_clean() && verdict.acked > WRITERS, "{verdict} {:#?}", verdict.findings);

    let there = witnesses::rest(&address, &scene.admin.token, &during).await?;
    let there: usize = there.shows.values().map(Vec::len).sum();
    let missing = during.iter().map(Vec::len).sum::<usize>() - there;

    // The clients' half: the same ids again. Raw visitors do here what the widget does by itself.
    let mut offered = 0;
    let mut senders = Vec::new();
    let pairs = writers.iter_mut().zip(&before).chain(late_writers.iter_mut().zip(&during));
    for (visitor, sent) in pairs {
        let mut again = Vec::new();
        visitor.leave();
        let is_known = Link::<Visitor>::open(&address, &visitor.token, None).await.is_ok();
        if !is_known {
            *visitor = TestVisitor::enter(&address, &scene.site).await?;
        }
        for message in sent {
            ensure!(matches!(message.fate, Fate::Acked(..)), "{message:?}");
            offered += 1;
            let answer = visitor.say_surely(&message.client_id, &message.text).await?;
            let accepted = answer.map_err(|error| anyhow!("{error:?}"))?;
            let fate = Fate::Acked(accepted.conversation, accepted.seq);
            again.push(Sent { fate, ..message.clone() });
        }
        senders.push(again);
    }
    wanda = TestVisitor::enter(&address, &scene.site).await?;
    wanda.say_surely(&wandas.0, &wandas.1).await?.map_err(|error| anyhow!("{error:?}"))?;

    // Vera's widget and Ana's client do it by themselves; Viktor's conversation waits until Ana is
    // given it again.
    seat.until_connected().await?;
    seat.set_availability(Availability::Online).await?;
    seat.until_row("Viktor is served again", &with_viktor, |_| true).await?;
    viktor.until_text("somebody is here now").await?;
    seat.until_all_sent().await?;
    vera.page.until_shows("message", "asked after the backup").await?;
    vera.page.until_shows("message", "answered after the backup").await?;
    vera.page
        .until("nothing is unsent", || async {
            let lines = vera.page.messages().await?;
            Ok(lines.iter().all(|line| line.seq.is_some()).then_some(()))
        })
        .await?;
    for (conversation, texts) in [
        (
            &with_vera,
            vec![
                "asked before the backup",
                "answered before the backup",
                "asked after the backup",
                "answered after the backup",
            ],
        ),
        (&with_viktor, vec!["is anybody there?", "somebody is here now"]),
    ] {
        each_once(&scene.admin.address.history(&scene.admin.token, conversation).await?, &texts)?;
        each_once(&seat.whole_chat(conversation).await?, &texts)?;
    }

    writers.append(&mut late_writers);
    let pages = witnesses::visitors("the visitors' pages", &mut writers).await?;
    let rest = witnesses::rest(&address, &scene.admin.token, &senders).await?;
    let verdict = judge(&senders, &[pages, rest]);
    ensure!(verdict.is_clean(), "{verdict} {:#?}", verdict.findings);
    ensure!(must(&data, &["check"]).await?.contains("all is well"));
    println!(
        "P13: {verdict}; the backup took {} ms, in it {count} acknowledgements of one visitor, the \
         longest time without one was {} ms; offered again {offered}, of which {missing} were missing",
        (ended - began).as_millis(),
        longest.as_millis(),
    );
    vera.close().await?;
    seat.stop().await;
    scene.finish().await
}

/// Every text stands there exactly once, in this order.
fn each_once(messages: &[yingke_shared::views::Message], texts: &[&str]) -> Result<()> {
    let mut found: BTreeMap<Seq, String> = BTreeMap::new();
    for message in messages.iter().filter_map(witnesses::seen) {
        found.insert(message.seq, message.text);
    }
    let mut shown: Vec<&str> = found.values().map(String::as_str).collect();
    let mut wanted = texts.to_vec();
    // Two sides that offer again at once may come in another order than they first wrote.
    shown.sort_unstable();
    wanted.sort_unstable();
    ensure!(shown == wanted, "{shown:?} instead of {wanted:?}");
    Ok(())
}
